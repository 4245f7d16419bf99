"""A kiosk under measurement: what each part does is what it says, and what is made of the figures."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from benchmarks.growth_report import write
from benchmarks.growth_sections import put
from benchmarks.kiosk import Topics, emit, kiosk, run_part
from benchmarks.kiosk_parts import BATCHES, FEW, KEY, SLICES, THREADS, Disk, foreign
from benchmarks.kiosk_report import USUAL, command, kiosk_section, kiosk_tables, over, times, verdicts
from benchmarks.process import Failed
from benchmarks.signatures import measure
from benchmarks.signatures_report import command as signatures_command
from benchmarks.signatures_report import signatures_section
from benchmarks.summary import Spread
from benchmarks.worker import SOURCES

from attente.broker.local import LocalBroker
from attente.kiosk.spool import Spool
from attente.model.events import TicketIssued, decode
from attente.model.signatures import Signer, signature_in
from workers import content

WAYS = {"disk", "one", "threads", *map(str, BATCHES)}


def events_in(spool: Path) -> int:
    with Spool(spool) as held:
        return held.held().events


# What the parts do


def test_every_way_of_accepting_takes_what_it_is_said_to_have_taken(tmp_path: Path) -> None:
    found = run_part("accept", folder=tmp_path, events=80)
    assert set(found["ways"]) == WAYS
    warm = 1 + 8  # by which it is seen how much one event writes
    assert events_in(tmp_path / "one.spool") == warm + 80
    assert events_in(tmp_path / "threads.spool") == 80
    for together in BATCHES:
        assert events_in(tmp_path / f"{together}.spool") == SLICES * together
    assert found["threads"] == THREADS
    for way in found["ways"].values():
        assert way["us"] == pytest.approx(1e6 / way["events_per_s"])
        assert 0 < way["p50_us"] <= way["p99_us"]


def test_the_disk_alone_writes_as_much_as_an_event_does_and_begins_anew_as_sqlites_log_does(tmp_path: Path) -> None:
    size = run_part("accept", folder=tmp_path, events=SLICES)["written_bytes"]
    assert 3 * 4096 < size < 6 * 4096, "the event's page, the one of what is held, the one of the numbers"
    disk = Disk(tmp_path / "file", size)
    for _ in range(1000):
        disk.write()
    disk.close()
    longest = 64 * 4120 + size
    assert longest - size < (tmp_path / "file").stat().st_size <= longest


def test_a_full_spool_and_one_of_few_hold_as_much_afterwards_as_before(tmp_path: Path) -> None:
    assert run_part("fill", spool=tmp_path / "many", events=1_500)["events"] == 1_500
    found = run_part("full", spool=tmp_path / "many", folder=tmp_path, events=50)
    assert (found["few"], found["many"]) == (FEW, 1_500)
    assert events_in(tmp_path / "many") == 1_500
    assert events_in(tmp_path / "few.spool") == FEW


def test_the_command_is_fed_and_has_accepted_every_line(tmp_path: Path) -> None:
    assert emit(tmp_path / "s.spool", 500)["events_per_s"] > 0
    assert events_in(tmp_path / "s.spool") == 501
    with Spool(tmp_path / "s.spool") as held:
        last = [decode(event.value) for event in held.after(499, 2)]
    assert [event.ticket for event in last if isinstance(event, TicketIssued)] == ["499", "500"]
    assert len(last) == 2


def test_a_command_that_does_not_accept_all_is_not_timed(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Failed, match=r"emit ended with 5 and accepted 0 of 10 events"):
        emit(tmp_path / "file" / "s.spool", 10)


def test_a_part_that_fails_is_told_by_its_last_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Failed, match=r"fill ended with 1: .*SpoolBroken: .*cannot be opened"):
        run_part("fill", spool=tmp_path / "file" / "s.spool", events=1)


def test_what_a_kiosk_has_no_business_to_import_is_seen() -> None:
    modules = ["sys", "faust.app", "attente.core.office", "attente.kiosk.client", "fausto", "yaml"]
    assert foreign(modules) == ["attente.core.office", "faust.app", "yaml"]


@pytest.mark.broker
def test_what_is_drained_is_in_the_topic_signed_or_not(broker: LocalBroker, tmp_path: Path) -> None:
    on = Topics(broker.bootstrap)
    for is_signed in (False, True):
        spool, topic = tmp_path / f"{is_signed}.spool", on.make()
        run_part("fill", spool=spool, events=700)
        found = run_part("drain", spool=spool, broker=broker.bootstrap, topic=topic, is_signed=is_signed)
        assert found["events"] == 700
        assert found["peak_bytes"] >= found["resident_bytes"] > 0
        assert on.tickets(topic) == (700, 700)
        assert events_in(spool) == 0
        signer = Signer(KEY)
        for record in content(broker.bootstrap, topic):
            assert signature_in(record.headers) == (signer.sign(record.value) if is_signed else None)


@pytest.mark.broker
def test_a_whole_run_measures_every_part_and_leaves_nothing_behind(broker_extra: None, tmp_path: Path) -> None:
    file = tmp_path / "kiosk.json"
    sizes = {"accepted": 40, "emitted": 100, "drained": 600, "held": 300, "repeat": 1}
    arguments = [f"--{name}={size}" for name, size in sizes.items()]
    kiosk.main([*arguments, "--data", str(tmp_path / "data"), "--json", str(file)], standalone_mode=False)
    found = json.loads(file.read_text())
    assert found["void"] == {}
    assert found["options"] == sizes
    assert {name: len(turns) for name, turns in found["rows"].items()} == dict.fromkeys(
        ("accept", "emit", "full", "signing", "holding", "drain", "drain_signed", "sending", "memory", "start"), 1
    )
    (sending,) = found["rows"]["sending"]
    assert (sending["events"], sending["twice"]) == (40 + 200, 0)
    said = {verdict.text.partition(":")[0]: verdict.is_so for verdict in verdicts(found)}
    assert said.keys() == {"Memory", "Start", "Imports", "A full spool", "Account"}
    assert said["Account"]
    assert said["Imports"]
    assert list((tmp_path / "data" / "bench").iterdir()) == []


# What is made of it


def way(us: float, calls: int = 100) -> dict[str, float]:
    return {"calls": calls, "events_per_s": 1e6 / us, "us": us, "p50_us": us / 2, "p99_us": 3 * us}


def results() -> dict[str, Any]:
    def accept(disk: float) -> dict[str, Any]:
        factors = {"disk": 1.0, "one": 1.5, "threads": 0.75, "10": 0.3, "100": 0.2, "1000": 0.1}
        ways = {name: way(factor * disk) for name, factor in factors.items()}
        ways["1000"]["calls"] = 99
        return {"written_bytes": 12_360, "threads": 4, "ways": ways}

    def drained(rate: float) -> dict[str, Any]:
        return {
            "events": 1_000,
            "arrived": 1_000,
            "twice": 0,
            "events_per_s": rate,
            "cpu_us": 80.0,
            "resident_bytes": 40_000_000,
            "peak_bytes": 41_000_000,
        }

    return {
        "machine": {
            "date": "2026-01-13",
            "processor": "P",
            "cores": 2,
            "memory_bytes": 2**33,
            "load_before": 0.1,
            "load_after": 2.0,
            "python": "CPython 3.11.7",
            "kafka": "4.3.1",
        },
        "options": {**USUAL, "repeat": 2},
        "rows": {
            "accept": [accept(100), accept(400)],
            "emit": [{"start_s": 0.2, "events_per_s": 10_000}] * 2,
            "full": [
                {
                    "few": 100,
                    "many": 1_000_000,
                    "cpu_us_few": 100.0,
                    "cpu_us_many": 105.0,
                    "ways": {"few": way(100), "many": way(110)},
                }
            ]
            * 2,
            "signing": [{"making_us": 14.0, "signing_us": 1.5, "bytes": 261.0}] * 2,
            "holding": [{"resident_bytes": 37_000_000, "events": 1_000_000}] * 2,
            "drain": [drained(10_000), drained(5_000)],
            "drain_signed": [drained(8_000), drained(4_000)],
            "sending": [
                {
                    "events": 500,
                    "arrived": 500,
                    "twice": 0,
                    "held": 17,
                    "ways": {"taking": way(500), "sending": way(600), "single": way(8_000)},
                }
            ]
            * 2,
            "memory": [{"bare_bytes": 10e6, "imported_bytes": 25e6, "connected_bytes": 39e6, "foreign": []}] * 2,
            "start": [{"bare_s": 0.02, "imported_s": 0.2, "keeping_s": 0.25, "sending_s": 0.3}] * 2,
        },
        "void": {},
    }


def test_a_figure_is_that_of_all_rounds_and_a_ratio_is_taken_within_each() -> None:
    turns = results()["rows"]["accept"]
    assert over(turns, "ways", "one", "us") == Spread(375.0, 150.0, 600.0)
    # The second round was four times as slow for both, so that it says the same.
    assert times(turns, ("ways", "one", "us"), ("ways", "disk", "us")) == Spread(1.5, 1.5, 1.5)


def test_the_tables_show_every_way_beside_the_disk_alone() -> None:
    accepting, sending, needs = kiosk_tables(results())
    rows = {cells[0]: cells[1:] for cells in accepting.rows}
    assert rows["the disk alone: 12,360 bytes written and synchronised"] == (
        "6,250 (2,500–10,000)",
        "0.12 (0.05–0.20)",
        "0.75 (0.30–1.20)",
        "1",
    )
    assert [cells[2] == "–" for cells in rows.values()] == [False] * 5 + [True] * 2, "of 99 calls none is one in 100"
    assert rows["4 threads that share a kiosk, one by one"][-1] == "0.75"
    assert rows["`attente kiosk emit`, through a pipe"] == ("10,000", "–", "–", "–")
    assert sending.rows[1][:2] == ("draining a spool of 1,000 events, signed", "6,000 (4,000–8,000)")
    assert ("memory: no broker, 1,000,000 events in the spool, MB", "37.0", "< 60") in needs.rows
    assert ("start: Python alone, s", "0.02", "–") in needs.rows


def test_all_is_well_when_every_bound_is_held() -> None:
    said = verdicts(results())
    assert len(said) == 5
    assert all(verdict.is_so for verdict in said)
    assert "**" not in "".join(verdict.text for verdict in said)


@pytest.mark.parametrize(
    ("row", "changed", "which"),
    [
        ("holding", {"resident_bytes": 60_000_000}, "Memory: at most 60.0 MB"),
        ("drain", {"peak_bytes": 61_000_000}, "Memory: at most 61.0 MB"),
        ("start", {"sending_s": 1.0}, "Start: at most 1.00 s"),
        ("memory", {"foreign": ["faust"]}, "Imports: .*`faust` is imported"),
        ("full", {"cpu_us_many": 130.0}, r"A full spool: .* 1\.30"),
        ("drain_signed", {"arrived": 999}, "Account: 5,000 events acknowledged, 4,999 in the topics"),
    ],
)
def test_what_is_not_so_is_said(row: str, changed: dict[str, Any], which: str) -> None:
    found = results()
    one, other = found["rows"][row]
    # A bound holds in every round, while of a ratio the median counts.
    found["rows"][row] = [{**one, **changed}, {**other, **changed} if row == "full" else other]
    (wrong,) = [verdict for verdict in verdicts(found) if not verdict.is_so]
    assert re.match(which, wrong.text)
    assert wrong.text.endswith("**it is not so**.")
    assert wrong.text in kiosk_section(found)


def test_a_run_in_which_parts_failed_has_a_section_of_the_others() -> None:
    found = results()
    found["rows"] = {"emit": found["rows"]["emit"]}
    found["void"] = {"drain": "the broker does not answer"}
    section = kiosk_section(found)
    assert "- Not measured: drain: the broker does not answer" in section
    assert "### Accepting" in section
    assert "### Sending" not in section
    assert verdicts(found) == []


def test_the_command_names_what_is_not_the_default() -> None:
    assert command(USUAL) == "make bench-kiosk"
    assert command({**USUAL, "held": 10, "repeat": 1}) == 'make bench-kiosk KIOSK_ARGS="--held=10 --repeat=1"'


def test_the_page_gets_the_sections_and_keeps_the_rest(tmp_path: Path) -> None:
    (tmp_path / "kiosk.json").write_text(json.dumps(results()))
    (tmp_path / "signatures.json").write_text(json.dumps(signed()))
    page = tmp_path / "page.md"
    others = put("# Page\n\nText.\n", "growth", "## Growth")
    page.write_text(others)
    assert write(tmp_path, page, tmp_path / "images") == ["kiosk", "signatures"]
    first = page.read_text()
    assert first.startswith(f"{others}\n<!-- kiosk: begin;")
    assert 'Measured on 2026-01-13 by\n\n    make bench-kiosk KIOSK_ARGS="--repeat=2"\n' in first
    assert max(len(line) for line in first.splitlines() if not line.startswith("|")) <= 120
    assert write(tmp_path, page, tmp_path / "images") == ["kiosk", "signatures"]
    assert page.read_text() == first


# Signatures, at the worker


def signed() -> dict[str, Any]:
    rounds = [{"off": 8.0, "report": 10.0, "require": 12.0}, {"off": 16.0, "report": 20.0, "require": 24.0}]
    return {
        "machine": results()["machine"],
        "options": {"visits": 20_000, "rounds": 2},
        "rows": {"plain": {"is_compiled": False, "events": 80_000, "bytes": 233.0, "rounds": rounds}},
        "void": {"compiled": "gcc is not installed"},
    }


def test_each_way_is_beside_off_of_the_same_round() -> None:
    section = signatures_section(signed())
    assert "| plain core | 12.0 (8.0–16.0) | 3.00 (2.00–4.00) | 6.00 (4.00–8.00) | 1.25 | 1.50 |" in section
    assert "- Not measured: compiled: gcc is not installed" in section
    assert "80,000 events of 233 bytes" in section
    assert 'make bench-signed SIGNED_ARGS="--rounds=2"' in section
    assert signatures_command({"visits": 20_000, "rounds": 7}) == "make bench-signed"


def test_a_core_is_measured_under_every_mode_and_must_be_the_one_that_was_asked_for() -> None:
    found = measure(SOURCES, visits=50, rounds=2, is_compiled=False)
    assert (found["events"], len(found["rounds"])) == (200, 2)
    assert all(one.keys() == {"off", "report", "require"} for one in found["rounds"])
    with pytest.raises(Failed, match="is not compiled"):
        measure(SOURCES, visits=1, rounds=1, is_compiled=True)
