"""The benchmark of a kiosk's client: every step measures what it says, and the page says what was measured."""

import json
from pathlib import Path
from typing import Any

import pytest
from benchmarks.growth_report import RESULTS, SECTIONS, write
from benchmarks.growth_sections import flow
from benchmarks.kiosk import Steps, spread, topic, turn
from benchmarks.kiosk_report import kiosk_section
from benchmarks.process import Failed
from benchmarks.report import PAGE

EVENTS = 40


@pytest.fixture
def steps(tmp_path: Path) -> Steps:
    return Steps(tmp_path)


def test_a_turn_measures_every_step_on_as_many_events_as_it_is_told_and_leaves_nothing(
    steps: Steps, tmp_path: Path
) -> None:
    found = turn(steps, EVENTS)
    assert set(found) == {"disk", "one", "threads", "batches", "emit", "start", "sign"}
    for name in ("disk", "one", "sign"):
        assert 0 < found[name]["p50"] <= found[name]["p99"]
    assert found["threads"]["events"] == EVENTS
    assert [one["events"] for one in found["batches"].values()] == [10 * EVENTS, 10 * EVENTS, 1_000]
    assert found["start"]["faust"] == 0, "a kiosk has no Faust"
    assert found["start"]["accepted_bytes"] < 60 << 20
    assert list(tmp_path.iterdir()) == []


def test_with_many_held_as_many_are_accepted_as_with_few(steps: Steps) -> None:
    found = steps("full", 5, 200)
    assert {name: len(times) for name, times in found.items()} == {"few": 5, "many": 5}


@pytest.mark.broker
def test_what_is_drained_is_acknowledged_and_a_kiosk_under_load_keeps_up(steps: Steps, tmp_path: Path) -> None:
    with topic(tmp_path) as (bootstrap, name):
        signed = steps("drain", bootstrap, name, 300, "signed")
        live = steps("live", bootstrap, name, 0.5)
    assert 0 <= signed["events"] <= 300
    assert signed["resident_bytes"] <= signed["peak_bytes"] < 60 << 20
    assert 0 < live["accepted"] <= live["acknowledged"] + live["held"]


def test_a_step_that_fails_is_told_with_what_it_said(steps: Steps) -> None:
    with pytest.raises(Failed, match="step drain ended with 1"):
        steps("drain", "127.0.0.1:1", "events", "no number", "plain")


def test_a_spread_is_in_microseconds() -> None:
    found = spread([1_000] * 98 + [5_000, 101_000])
    assert (found["mean"], found["p50"]) == (2.04, 1.0)
    assert 5.0 < found["p99"] <= 101.0


def results(**changes: Any) -> dict[str, Any]:
    drained = {"seconds": 2.0, "cpu_s": 0.5, "events": 10_000, "resident_bytes": 40 << 20, "peak_bytes": 41 << 20}
    fast = {"mean": 100.0, "p50": 80.0, "p99": 400.0}
    one_turn = {
        "disk": fast,
        "one": fast | {"mean": 250.0},
        "threads": {"seconds": 0.5, "events": 1_000},
        "batches": {"10": {"seconds": 0.5, "events": 10_000}},
        "emit": {"seconds": 1.0, "events": 10_000},
        "start": {"seconds": 0.25, "imported_bytes": 24 << 20, "accepted_bytes": 25 << 20, "faust": 0},
        "sign": {"mean": 2.0, "p50": 1.5, "p99": 4.0},
    }
    live = {"seconds": 10.0, "accepted": 15_000, "acknowledged": 14_990, "held": 10, "bytes": 40 << 20}
    modes = {
        "off": {"us": 8.0, "more_us": 0.0, "times_off": 1.0},
        "require": {"us": 10.5, "more_us": 2.5, "times_off": 1.31},
    }
    machine = {"date": "2026-01-13", "processor": "P", "cores": 2, "memory_bytes": 2**33, "kafka": "4.3.1"}
    return {
        "machine": machine | {"load_before": 0.1, "load_after": 2.0, "python": "CPython 3.11.7"},
        "options": {"rounds": 1, "events": 1_000, "drained": 10_000, "held": 1_000_000, "seconds": 10.0},
        "turns": [one_turn],
        "sent": [{"plain": drained, "signed": drained | {"seconds": 2.5}, "live": live}],
        "full": {"few": fast, "many": fast | {"p50": 88.0}},
        "verified": {"core": "plain", "events": 80_000, "bytes": 233, "rounds": 7, "modes": modes},
    } | changes


def test_the_section_tells_speeds_ratios_memory_and_what_was_asked_for() -> None:
    said = kiosk_section(results())
    for row in (
        "| an event after the other, one synchronisation each | 4,000 (4,000–4,000) | 80 / 400 |",
        "| in batches of 10 | 20,000 (20,000–20,000) | – |",
        "| 10,000 held, sent and acknowledged | 5,000 (5,000–5,000) | 50.0 (50.0–50.0) |",
        "| 10,000 held, signed, sent and acknowledged | 4,000 (4,000–4,000) | 50.0 (50.0–50.0) |",
        "| … after a drain, MiB | 40.0 (40.0–40.0) | < 60 |",
        "| start of Python to the first accepted event, s | 0.25 (0.25–0.25) | < 1 |",
        "| worker, `signatures: require` | 10.5 | +2.5 | 1.31 |",
        "× 1.10",
    ):
        assert row in said


def test_the_page_says_what_was_measured_and_stays_the_same_when_it_is_written_again(tmp_path: Path) -> None:
    measured = json.loads((RESULTS / "kiosk.json").read_text(encoding="utf-8"))
    text = PAGE.read_text(encoding="utf-8")
    assert flow(SECTIONS["kiosk"][0](measured)).strip() in text
    page = tmp_path / "page.md"
    page.write_text(text, encoding="utf-8")
    write(RESULTS, page, tmp_path / "images")
    assert page.read_text(encoding="utf-8") == text


def test_the_client_needs_no_more_than_was_promised() -> None:
    """Of the figures that are on the page: those of the machine that measured them."""
    measured = json.loads((RESULTS / "kiosk.json").read_text(encoding="utf-8"))
    assert all(one["signed"]["peak_bytes"] < 60 << 20 for one in measured["sent"])
    assert all(one["start"]["seconds"] < 1.0 for one in measured["turns"])
    many, few = (measured["full"][name]["p50"] for name in ("many", "few"))
    assert many < 2 * few, "a full spool is no slower"
