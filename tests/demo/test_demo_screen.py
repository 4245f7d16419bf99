"""What is drawn and what is said of a snapshot."""

import io
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest
from rich.console import Console

from attente.core.view import Counts
from attente.demo.account import Figures, NormFigures, figures_of
from attente.demo.instants import local_minute, local_second
from attente.demo.picture import line, render, sight_of
from attente.demo.screen import PlainScreen, TerminalScreen, screen_for
from attente.demo.snapshot import Rate, Snapshot, WorkerState, state_of
from attente.registry.entities import Left
from demo.demo_pages import page

JERUSALEM = ZoneInfo("Asia/Jerusalem")
NORM = NormFigures("within-60", "Answered within a minute", 60, 0.8, Left.EXCLUDED, Counts(21_442, 5_618, 2_103, 998))
FIGURES = Figures(
    read=117_875,
    counted=114_442,
    duplicate=3_433,
    refused=0,
    totals={"issued": 30_161, "called": 27_060, "served": 27_060, "abandoned": 3_101, "no_show": 0},
    waiting=17,
    answered_wait_ms=947_857_000,
    norms=(NORM,),
    stream_ms=917_303_580_000,
)
WORKERS = (
    WorkerState("w0", "ready", (0, 1), 12, 14, "http://127.0.0.1:40001"),
    WorkerState("w1", "killed"),
)
SNAPSHOT = Snapshot(
    title="tape.tsv.xz: 30,161 tickets, 16 offices",
    state="all accounted for",
    broker="127.0.0.1:40000",
    zone=JERUSALEM,
    given=117_875,
    records=117_875,
    partitions=4,
    figures=FIGURES,
    age_s=0.0,
    rate=5_432.1,
    workers=WORKERS,
    kills=(2, 3),
    notes=("12:00:01  kill -9 w1 (partitions 2 3) after 88,362 records: restart at once",) * 3,
    is_done=True,
)


def drawn(snapshot: Snapshot, width: int = 80) -> list[str]:
    console = Console(file=io.StringIO(), width=width, record=True)
    console.print(render(snapshot))
    return console.export_text().splitlines()


def test_the_screen_fits_a_terminal_of_80_columns_and_24_lines() -> None:
    lines = drawn(SNAPSHOT)

    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80
    assert not [one for one in lines if "…" in one]


def test_every_figure_is_on_the_screen() -> None:
    text = "\n".join(drawn(SNAPSHOT))

    for wanted in ("30,161", "17", "27,060", "3,101", "35.0 s", "78.1%", "79.2%", "71.1%", "76.4%", "5,432 events/s"):
        assert wanted in text
    assert "117,875 events read = 114,442 counted + 3,433 duplicate + 0 refused" in text
    assert "Tue 26 Jan 1999 00:33" in text
    assert "partitions shown 2 of 4" in text
    assert "kills 2 of 3" in text


def test_the_service_level_that_is_the_promise_is_marked() -> None:
    (marked,) = [one for one in drawn(SNAPSHOT) if "the promise" in one]

    assert marked.split()[:2] == ["excluded", "79.2%"]


def test_every_worker_has_a_line_with_its_page() -> None:
    (first,) = [one for one in drawn(SNAPSHOT) if one.strip().startswith("w0")]
    (second,) = [one for one in drawn(SNAPSHOT) if one.strip().startswith("w1")]

    assert first.split() == ["w0", "ready", "0", "1", "12", "14", "http://127.0.0.1:40001/metrics"]
    assert second.split()[:2] == ["w1", "killed"]


def test_figures_that_are_not_of_now_are_said_to_be_old() -> None:
    text = "\n".join(drawn(replace(SNAPSHOT, age_s=7.4)))

    assert "figures of 7 s ago, while partitions change hands: 2 of 4 shown" in text


def test_what_must_not_be_stands_on_the_screen() -> None:
    assert "WRONG: something fell" in "\n".join(drawn(replace(SNAPSHOT, violations=("something fell",))))


def test_before_the_first_event_there_are_no_levels_and_no_time() -> None:
    nothing = replace(FIGURES, norms=(replace(NORM, counts=Counts()),), stream_ms=None, totals=figures_of(()).totals)
    text = "\n".join(drawn(replace(SNAPSHOT, figures=nothing, records=0, given=0)))

    assert "no time yet" in text
    assert "%" not in text.partition("credited_if_within")[2].partition("\n")[0]


def test_an_instant_is_told_by_the_offices_clock() -> None:
    assert local_minute(917_303_580_000, JERUSALEM) == "Tue 26 Jan 1999 00:33"
    assert local_minute(917_303_580_000, ZoneInfo("UTC")) == "Mon 25 Jan 1999 22:33"
    assert local_second(917_303_581_900, ZoneInfo("UTC")) == "Mon 25 Jan 1999 22:33:01"


def test_a_line_says_the_same_as_the_screen() -> None:
    text = line(SNAPSHOT)

    assert "\n" not in text
    for wanted in ("issued 30,161", "waiting 17", "served 27,060", "excluded 79.2%", "5,432 events/s", "lag 12"):
        assert wanted in text


# Which screen


def test_without_a_terminal_there_are_plain_lines() -> None:
    assert isinstance(screen_for(Console(file=io.StringIO())), PlainScreen)
    assert isinstance(screen_for(Console(file=io.StringIO(), force_terminal=True)), TerminalScreen)


def test_plain_lines_tell_every_note_once_and_how_things_stand_now_and_then() -> None:
    told: list[str] = []
    screen = PlainScreen(told.append)
    with screen.live():
        screen.show(sight_of(replace(SNAPSHOT, notes=("one",))))
        screen.show(sight_of(replace(SNAPSHOT, notes=("one", "two"))))
        screen.show(sight_of(replace(SNAPSHOT, notes=("two", "three"))))

    assert [text for text in told if text in {"one", "two", "three"}] == ["one", "two", "three"]
    assert len(told) == 4  # and one line about how things stand, for they were all within five seconds


def test_plain_lines_say_nothing_of_snapshots_before_the_show() -> None:
    told: list[str] = []
    PlainScreen(told.append).show(sight_of(SNAPSHOT))

    assert not told


def test_a_stage_says_that_it_is_long_only_once_where_there_is_no_terminal() -> None:
    told: list[str] = []
    with PlainScreen(told.append).stage("starting") as progress:
        for done in range(5):
            progress(f"fetched {done}")

    assert told == ["starting", "fetched 0"]


# What a snapshot is made of


@pytest.mark.parametrize(
    ("runs", "url", "state"), [(False, None, "killed"), (True, None, "starting"), (True, "http://x", "busy")]
)
def test_a_worker_without_a_page_is_dead_starting_or_busy(runs: bool, url: str | None, state: str) -> None:
    assert state_of("w0", None, runs=runs, url=url).state == state


def test_a_worker_is_what_its_page_says() -> None:
    found = page("w0", "checkpoints_total 2", read_of={1: 5, 0: 3}, lag=4)

    assert state_of("w0", found, runs=True, url="http://x") == WorkerState("w0", "ready", (0, 1), 8, 2, "http://x")
    assert state_of("w0", page("w0", ready=False), runs=True, url="http://x").state == "taking over"


def test_the_rate_is_that_of_the_last_seconds() -> None:
    rate = Rate()
    for second in range(11):
        found = rate.observe([page("w0", read_of={0: 100 * min(second, 5)})], float(second))
        if second == 5:
            assert found == 100

    assert found == 0


def test_a_hand_over_is_no_negative_rate() -> None:
    rate = Rate()
    rate.observe([page("w0", read_of={0: 100}), page("w1", read_of={1: 100})], 0.0)

    assert rate.observe([page("w0", read_of={0: 110})], 1.0) == 10
    assert rate.observe([page("w0", read_of={0: 120, 1: 100})], 2.0) == 10
