"""A live network: whether lag and memory are flat by the criteria, and what is said of it."""

import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from benchmarks.growth_report import write
from benchmarks.live_programs import family, resident_of
from benchmarks.live_report import command, expected_bytes, live_section, live_table, samples_of, verdicts
from benchmarks.live_verdict import (
    MIB,
    MemoryVerdict,
    Sample,
    applied,
    came,
    lag_verdict,
    lags_s,
    memory_verdict,
    shares,
    slope,
    third,
)

MINUTE = 60.0


def sample(at: float, lags: tuple[int, int] = (0, 0), resident: tuple[int, int] = (0, 0)) -> Sample:
    """Partition 0 has 100 events a second, partition 1 has 10."""
    ends = (int(at * 100), int(at * 10))
    done = (ends[0] - lags[0], ends[1] - lags[1])
    return Sample(at, ends, done, resident, {"worker 0": at / 2, "broker": at / 4})


def steady(minutes: int = 3, **lags: tuple[int, int]) -> list[Sample]:
    """A sample every five seconds; `at_95=(1, 2)` is the lag at that second."""
    return [sample(at, lags.get(f"at_{at}", (50, 5))) for at in range(0, minutes * 60 + 1, 5)]


# Lag


def test_a_lag_is_told_in_seconds_of_the_traffic_of_its_own_partition() -> None:
    # 50 of 100 a second are half a second, 20 of 10 a second are two.
    assert lags_s([sample(0), sample(10, (50, 0)), sample(20, (50, 20))]) == [0, 0.5, 2]


def test_a_partition_without_traffic_has_no_lag() -> None:
    idle = [Sample(at, (int(at), 0), (int(at), 0), (0,), {}) for at in (0.0, 1.0, 2.0)]
    assert lags_s(idle) == [0, 0, 0]


def test_a_lag_that_stays_is_flat() -> None:
    verdict = lag_verdict(steady())
    assert (verdict.first_s, verdict.last_s) == (0.5, 0.5)
    assert verdict.is_flat


def test_a_second_more_at_the_end_is_flat_and_anything_over_it_is_not() -> None:
    assert lag_verdict(steady(at_150=(150, 0))).is_flat
    assert not lag_verdict(steady(at_150=(151, 0))).is_flat


def test_what_happens_in_the_middle_does_not_count() -> None:
    #  0      60      120     180 s
    #  |------|---^---|-------|
    assert lag_verdict(steady(at_90=(9_000, 0))).is_flat


def test_the_thirds_hold_every_sample_once() -> None:
    samples = steady()
    found = [one for number in range(3) for one in samples[third(samples, number)]]
    assert found == samples


# Memory


def grown(per_s: int, spike: int = 0) -> list[Sample]:
    return [sample(at, resident=(1_000 + per_s * at + (spike if at == 30 else 0), 500)) for at in range(0, 61, 5)]


def test_the_growth_is_that_of_all_workers_over_the_whole_time() -> None:
    assert memory_verdict(grown(per_s=7), 0).grown_bytes == pytest.approx(7 * 60)


def test_a_page_or_a_checkpoint_in_the_middle_does_not_count_as_growth() -> None:
    assert memory_verdict(grown(per_s=7, spike=10**9), 0).grown_bytes == pytest.approx(7 * 60)


def test_memory_is_flat_up_to_a_quarter_over_what_is_held_and_64_mib_a_worker() -> None:
    allowed = 125 * MIB + 2 * 64 * MIB
    assert MemoryVerdict(allowed, 100 * MIB, 2).is_flat
    assert not MemoryVerdict(allowed + 1, 100 * MIB, 2).is_flat


def test_a_slope_is_that_of_the_line() -> None:
    assert slope([(1, 3), (2, 5), (3, 7)]) == pytest.approx(2)


# Rates and shares


def test_what_came_what_was_applied_and_what_it_took_are_over_the_time_between() -> None:
    samples = [sample(10, (100, 0)), sample(20)]
    assert came(samples) == pytest.approx(110)
    assert applied(samples) == pytest.approx(120)
    assert shares(samples) == {"worker 0": 0.5, "broker": 0.25}


# Programs


def test_the_resident_size_is_in_bytes() -> None:
    assert resident_of("VmHWM:\t    9 kB\nVmRSS:\t    5 kB\n") == 5 * 1024


def test_a_family_is_a_process_and_what_it_has_started() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        assert {os.getpid(), child.pid} <= set(family(os.getpid()))
        child.communicate(b"\n")
    assert child.pid not in set(family(os.getpid()))


# What is said


def results(rate: int = 110, read: int = 19_800, **lags: tuple[int, int]) -> dict[str, Any]:
    scrapes = [
        {"at": at, "worker": n, "status": 200, "seconds": 0.5, "bytes": MIB, "stall_s": 0.02, "cut_s": 0.001}
        for at in range(5, 180, 15)
        for n in range(2)
    ]
    return {
        "machine": {
            "date": "2026-01-13",
            "processor": "P",
            "cores": 2,
            "memory_bytes": 2**33,
            "load_before": 0.1,
            "load_after": 2.0,
        },
        "options": {
            "offices": 2_000,
            "rate": rate,
            "minutes": 3.0,
            "workers": 2,
            "partitions": 2,
            "processes": 2,
            "warmup": 300,
            "seed": 1,
            "detail": "office",
        },
        "warming": {"seconds": 180.0, "rate": 110.0, "is_steady": True},
        "samples": [asdict(one) for one in steady(3, **lags)],
        "scrapes": scrapes,
        "sent": 19_800,
        "read": read,
        "stall_s": 0.02,
        "cut_s": 0.001,
        "expected": {"partition": 0, "events": 1_000, "visits": 200, "bytes": 200_000},
    }


def test_the_memory_expected_is_that_of_all_visits_of_all_partitions() -> None:
    # 1,000 bytes a visit, a visit for five events; 110 events a second for three minutes.
    each, visits = expected_bytes(results(), samples_of(results()))
    assert each == 1_000
    assert visits == pytest.approx(110 * 180 / 5)


def test_all_is_well_when_every_criterion_is_met() -> None:
    assert all(verdict.is_so for verdict in verdicts(results()))
    assert "**" not in "".join(verdict.text for verdict in verdicts(results()))


@pytest.mark.parametrize(
    ("found", "which"),
    [
        (results(rate=120), "Load"),
        (results(at_170=(10_000, 0)), "Lag"),
        (results(read=19_799), "Account"),
    ],
)
def test_what_is_not_so_is_said(found: dict[str, Any], which: str) -> None:
    (wrong,) = [verdict for verdict in verdicts(found) if not verdict.is_so]
    assert wrong.text.startswith(f"{which}: ")
    assert "**it is not so**" in wrong.text
    assert wrong.text in live_section(found)


def test_scrapes_without_an_answer_are_counted_and_have_no_part_in_the_seconds() -> None:
    found = results()
    found["scrapes"][0].update(status=503, seconds=10.0)
    (wrong,) = [verdict for verdict in verdicts(found) if not verdict.is_so]
    assert wrong.text.startswith("Scrapes: 24, of which 1 were not answered")
    rows = {cells[0]: cells[1:] for cells in live_table(found).rows}
    assert rows["… not answered"] == ("1", "0", "0")
    assert rows["… longest of the others, s"] == ("0.50", "0.50", "0.50")


def test_the_command_names_what_is_not_the_default() -> None:
    options = results()["options"]
    assert command(options) == 'make bench-live LIVE_ARGS="--rate=110 --minutes=3 --partitions=2"'
    assert command({**options, "rate": 10_000, "minutes": 10.0, "partitions": 12}) == "make bench-live"


def test_the_page_gets_the_section_and_the_plot_and_keeps_the_rest(tmp_path: Path) -> None:
    (tmp_path / "live.json").write_text(json.dumps(results()))
    page = tmp_path / "page.md"
    page.write_text("# Page\n\nText.\n")
    assert write(tmp_path, page, tmp_path / "images") == ["live"]
    first = page.read_text()
    assert first.startswith("# Page\n\nText.\n\n<!-- live: begin;")
    assert "## A live network" in first
    assert write(tmp_path, page, tmp_path / "images") == ["live"]
    assert page.read_text() == first
    assert ET.parse(tmp_path / "images" / "live.svg").getroot().tag.endswith("svg")  # noqa: S314 - our own
