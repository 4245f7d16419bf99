"""What is made of what a run has measured: pages against the tape, hashes, medians, ratios, the report."""

from typing import Any

import pytest
from benchmarks.compiled import MODULES
from benchmarks.hashes import Agreement, State, agreement, states
from benchmarks.lives import Totals
from benchmarks.page import Page, WrongTotals
from benchmarks.peer import expected
from benchmarks.report import command, page, tables
from benchmarks.summary import AROUND, OTHER, Ratio, Spread, hottest, parts, ratio, row
from benchmarks.tape import Facts, Record
from benchmarks.worker import SOURCES

FACTS = Facts(
    split=(6, 5),
    duplicates=1,
    late=1,
    bytes=2_750,
    totals=Totals(
        {"issued": 3, "called": 2, "served": 2},
        {"called": 3_002},
        {"wait-20": {"answered_within": 2, "left_beyond": 1}},
    ),
)
PAGE = """\
# HELP attente_lifetime_tickets Exact count
attente_lifetime_tickets{event="issued",office="a",service="x"} 1
attente_lifetime_tickets{event="issued",office="b",service="x"} 2
attente_lifetime_tickets{event="called",office="a",service="x"} 2
attente_lifetime_tickets{event="served",office="a",service="x"} 2
attente_lifetime_tickets{event="no_show",office="a",service="x"} 0
attente_lifetime_wait_seconds{end="called",office="a",service="x"} 1.001
attente_lifetime_wait_seconds{end="called",office="b",service="x"} 2.001
attente_lifetime_visits{norm="wait-20",office="a",outcome="answered",service="x",within="within"} 2
attente_lifetime_visits{norm="wait-20",office="a",outcome="left",service="x",within="beyond"} 1
attente_lifetime_visits{norm="other",office="a",outcome="left",service="x",within="beyond"} 7
attente_events_read_total{partition="0"} 6
attente_events_read_total{partition="1"} 5
attente_events_counted_total{partition="0"} 5
attente_events_counted_total{partition="1"} 5
attente_events_duplicate_total{partition="0"} 1
attente_events_duplicate_total{partition="1"} 0
"""


# A page and the tape


def test_a_page_that_says_what_the_tape_adds_up_to_passes() -> None:
    Page(PAGE).check(FACTS)


@pytest.mark.parametrize(
    ("right", "wrong", "why"),
    [
        ('issued",office="b",service="x"} 2', 'issued",office="b",service="x"} 3', "tickets: .*'issued': 4"),
        ("2.001", "2.002", "waits: {'called': 3003}, not {'called': 3002}"),
        ('within="within"} 2', 'within="within"} 1', "wait-20: "),
        ('read_total{partition="1"} 5', 'read_total{partition="1"} 4', "events read: 10.0, not 11"),
        ('counted_total{partition="1"} 5', 'counted_total{partition="1"} 6', "events counted: 11.0, not 10"),
        ('duplicate_total{partition="1"} 0', 'duplicate_total{partition="1"} 1', "duplicates: 2.0, not 1"),
    ],
)
def test_a_page_with_one_wrong_figure_does_not(right: str, wrong: str, why: str) -> None:
    assert right in PAGE
    with pytest.raises(WrongTotals, match=why):
        Page(PAGE.replace(right, wrong)).check(FACTS)


# Hashes


def test_hashes_are_found_in_what_a_worker_says() -> None:
    said = [
        "attente: owns {0: 0} until {0: 9}",
        "attente: state partition=3 offset=100000 origin=0 registry=1f hash=ab12",
    ]
    assert list(states(said)) == [State(3, 100_000, "ab12")]


def test_only_places_with_two_hashes_are_compared_and_one_that_differs_is_a_disagreement() -> None:
    logged = [State(0, 10, "a"), State(0, 10, "a"), State(0, 20, "b"), State(1, 10, "c"), State(1, 10, "d")]
    assert agreement(logged, 3) == Agreement(logged=5, places=3, compared=4, disagreements=1, kills=3)


# The idiomatic worker


def event(kind: str, at: str, ticket: str = "t") -> Record:
    value = f'{{"type":"{kind}","time":"2026-01-13T09:00:{at}+01:00","office":"o","ticket":"{ticket}"}}'
    return Record(0, 0, b"o", value.encode())


def test_it_counts_twice_what_comes_twice_and_not_at_all_what_comes_before_its_issue() -> None:
    #       u called   t issued twice   t called twice   t ended
    log = [
        event("ticket.called", "01.000", "u"),
        event("ticket.issued", "02.000"),
        event("ticket.issued", "02.000"),
        event("ticket.called", "05.250"),
        event("ticket.called", "05.250"),
        event("service.ended", "09.000"),
        event("service.ended", "09.000"),
        event("ticket.issued", "10.000", "v"),
        event("ticket.abandoned", "11.000", "v"),
    ]
    assert expected(log) == {"issued": 3, "called": 2, "served": 1, "abandoned": 1, "wait_ms": 6_500}


# The compiled core


def test_every_module_that_is_compiled_exists() -> None:
    assert not [module for module in MODULES if not (SOURCES / "attente" / f"{module}.py").exists()]


def test_the_plain_core_imports_nothing_that_only_a_compiler_needs() -> None:
    named = {
        path.name
        for path in (SOURCES / "attente" / "core").glob("*.py")
        for word in ("mypyc", "mypy_extensions", "librt")
        if word in path.read_text()
    }
    assert not named


# Summaries


def drained(seconds: float, cpu_us: float, stall_ms: float = 10.0) -> dict[str, Any]:
    return {
        "events": 1_000,
        "seconds": seconds,
        "cpu_us": cpu_us,
        "peak_bytes": 2**20,
        "written_bytes": 3_000,
        "stall_ms": stall_ms,
        "checkpoints": 4,
        "page_s": 1.5,
    }


def idled(seconds: float, cpu_us: float) -> dict[str, Any]:
    return {"events": 100, "seconds": seconds, "cpu_us": cpu_us, "peak_bytes": 2**20}


def test_a_row_is_the_median_of_its_turns_and_the_longest_of_its_stalls() -> None:
    found = row([drained(1, 20, 10), drained(2, 30, 90), drained(4, 22, 5)])
    assert found.events_per_s == Spread(500, 250, 1_000)
    assert found.cpu_us == Spread(22, 20, 30)
    assert (found.stall_ms, found.written_per_event, found.checkpoints) == (90, 3, 4)


def test_what_was_not_measured_of_a_row_is_none() -> None:
    found = row([idled(1, 300)])
    assert (found.stall_ms, found.written_per_event, found.checkpoints) == (None, None, None)


def test_a_ratio_is_taken_within_each_turn() -> None:
    # The second turn was twice as slow for both, so that it says the same.
    found = ratio([drained(1, 20), drained(2, 40)], [idled(2, 400), idled(4, 800)])
    assert found == Ratio(Spread(20, 20, 20), Spread(20, 20, 20))


def results() -> dict[str, Any]:
    samples = [["attente.core.visit", "Visit.step", 60], ["attente.model.events", "decode", 30], ["zlib", "x", 10]]
    steps = {"parse": 0.2, "decode": 0.7, "time": 1.0, "ingest": 8.0, "ingest_in_order": 6.0}
    whole = {
        "ingest_us": 8.0,
        "bytes_per_visit": 900.0,
        "visits": 250,
        "cut_ms": 1.0,
        "encode_s": 0.1,
        "decode_s": 1.0,
        "encoded_bytes": 2**20,
        "render_s": 2.0,
        "seal_us": 3.0,
        "digests": ["a"],
    }
    return {
        "machine": {
            "date": "2026-01-13",
            "processor": "P",
            "cores": 2,
            "memory_bytes": 2**33,
            "load_before": 0.1,
            "load_after": 2.0,
            "system": "Linux",
            "python": "CPython 3.11.7",
            "attente": "0.1.0",
            "kafka": "4.3.1",
            "packages": {"msgspec": "0.20"},
        },
        "options": {"events": 1_000, "offices": 10, "sample": 100, "repeat": 2, "hash_every": 50_000},
        "tape": {
            "split": [500, 500],
            "duplicates": 20,
            "late": 50,
            "bytes": 250_000,
            "totals": {"tickets": {"issued": 250}},
        },
        "oracle": "21 passed",
        "rows": {
            "drain": [drained(1, 10), drained(2, 20)],
            "idiomatic": [idled(2, 200), idled(4, 400)],
            "core": [{"is_compiled": False, "steps": steps, "whole": whole, "samples": samples}] * 2,
            "hashes": [{"logged": 20, "places": 10, "compared": 20, "disagreements": 0, "kills": 9}],
            "restarts": [
                {
                    "first_count_s": 2.5,
                    "busy_stop_s": 1.0,
                    "open_s": 2.0,
                    "caught_up_s": 3.0,
                    "ready_s": 4.0,
                    "replayed": 77,
                    "visits": 250,
                    "stop_s": 1.0,
                    "stop_take_over_s": 11.0,
                    "kill_take_over_s": 10.5,
                    "session_s": 10,
                }
            ],
        },
        "void": {},
    }


def test_the_parts_of_the_time_add_up_to_the_drains() -> None:
    # Of 10 or 20 us a core of 8 us is 80 or 40 %: 60 % in the middle, split by the samples.
    found = {part.name: part for part in parts(results())}
    assert found[AROUND].share == pytest.approx(0.4)
    assert found["lives: state machine, folds of late facts"].share == pytest.approx(0.36)
    assert found[OTHER].share == pytest.approx(0.06)
    assert sum(part.us for part in found.values()) == pytest.approx(15)


def test_the_hottest_functions_are_those_with_most_samples() -> None:
    found = hottest(results(), 2)
    assert [part.name for part in found] == ["core.visit.Visit.step", "model.events.decode"]
    assert [part.us for part in found] == pytest.approx([4.8, 2.4])


# The report


def test_the_page_says_whether_the_goal_is_reached() -> None:
    found = results()
    assert "at least 15 times the idiomatic worker: it is." in page(found)
    found["rows"]["idiomatic"] = [idled(1, 100), idled(2, 200)]
    assert "at least 15 times the idiomatic worker: **it is not** (10.0)." in page(found)


def test_the_page_tells_of_rows_that_are_void() -> None:
    found = results()
    del found["rows"]["drain"]
    found["void"] = {"drain": "tickets: 3, not 4"}
    assert "- drain: tickets: 3, not 4" in page(found)


def test_the_page_shows_goals_beside_figures() -> None:
    assert "| start of a worker on a broker that is up → first event counted | 2.5 | < 3 |" in page(results())


def test_a_run_of_few_rows_has_few_tables() -> None:
    found = results()
    found["rows"] = {"hashes": found["rows"]["hashes"]}
    assert [table.title for table in tables(found)] == [
        "State hashes at the same offsets, of one worker and three, with and without kill -9"
    ]
    assert "77 events again" not in page(found)


def test_the_command_names_what_is_not_the_default() -> None:
    usual = {"events": 1_000_000, "offices": 1_000, "sample": 100_000, "repeat": 3, "hash_every": 50_000}
    assert command(usual) == 'make bench BENCH_ARGS="--json RESULTS.json"'
    assert command({**usual, "repeat": 1}) == 'make bench BENCH_ARGS="--repeat 1 --json RESULTS.json"'
