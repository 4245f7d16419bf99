"""The live screen: what stands on it, and that it keeps to the terminal's size."""

import io
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from rich.console import Console

from attente.core.view import Counts
from attente.demo.account import account_of
from attente.demo.board import Board, Order
from attente.demo.panel import LiveSnapshot, Panel, lines_of, minutes, room
from attente.demo.snapshot import WorkerState
from attente.demo.told import line
from demo.live_pages import AT_S, PROMISE, Place, network, pages_of

SIZES = [(80, 24), (100, 30), (120, 40), (200, 60)]
WORKERS = tuple(
    WorkerState(f"w{number}", "ready", (number, number + 4), 12, 3, f"http://127.0.0.1:4000{number}", 104.4)
    for number in range(2)
)


def snapshot(places: list[Place] | None = None, *, others: tuple[str, ...] = (), **changes: Any) -> LiveSnapshot:
    """Forty offices, or some others, as all partitions are shown; what is named is otherwise."""
    board = Board()
    pages = pages_of(network() if places is None else places, others)
    board.observe(pages, 0.0)
    made = LiveSnapshot(
        title="40 offices in 4 regions",
        state="live",
        clock_ms=AT_S * 1000,
        zone=ZoneInfo("Etc/GMT-1"),
        promise=PROMISE,
        norms=(1, 2),
        order=Order.TROUBLE,
        rows=tuple(board.rows(PROMISE, Order.TROUBLE, 0.0)),
        first=0,
        totals=board.totals(PROMISE),
        workers=WORKERS,
        account=account_of(pages),
        age_s=0.0,
        rate=123.4,
        shown=8,
        partitions=8,
        rounds=42,
        links=(("Prometheus", "http://127.0.0.1:9090"), ("Kafka", "127.0.0.1:33445")),
        notes=("10:23:44  started worker w2",),
    )
    return replace(made, **changes)


def drawn(one: LiveSnapshot, width: int = 120, height: int = 40) -> list[str]:
    return [text.plain for text in lines_of(one, width, height)]


def row_of(one: LiveSnapshot, name: str, width: int = 120) -> str:
    (row,) = [text for text in drawn(one, width) if text.startswith(f" {name} ")]
    return row


ODD = (
    snapshot(),
    snapshot(workers=(*WORKERS, WorkerState("w2", "killed", (1, 3)), *WORKERS, *WORKERS, *WORKERS)),
    snapshot(violations=("something fell", "something else fell", "a third thing fell"), age_s=7.0, shown=4),
    snapshot([], promise=None, rows=(), workers=()),
    snapshot([Place("an-office-whose-name-is-longer-than-its-column", waiting=12_345, beyond=9_999, longest_s=99_999)]),
    snapshot(order=Order.LONGEST, first=39, has_keys=False, notes=("x" * 300,) * 3, links=(("Prometheus", "y" * 300),)),
)


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("number", range(len(ODD)))
def test_the_screen_fills_the_terminal_and_no_line_is_longer_or_wrapped(number: int, size: tuple[int, int]) -> None:
    width, height = size
    console = Console(file=io.StringIO(), width=width, height=height, force_terminal=True, color_system=None)

    lines = list(lines_of(ODD[number], width, height))

    assert len(lines) == height
    assert {text.cell_len for text in lines} == {width}
    with console.capture() as captured:
        console.print(Panel(ODD[number]), end="")
    assert len(captured.get().splitlines()) == height


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_the_list_has_the_room_that_paging_counts_with(size: tuple[int, int]) -> None:
    width, height = size

    offices = [text for text in drawn(snapshot(), width, height) if text.startswith(" Office-")]

    assert len(offices) == min(40, room(height, len(WORKERS)))


def test_on_the_smallest_terminal_ten_offices_have_room_beside_everything_else() -> None:
    assert room(24, workers=2) >= 10


def test_a_row_says_who_waits_how_long_and_at_how_many_desks() -> None:
    one = snapshot([Place("a", waiting=17, beyond=4, longest_s=2_592, desks=5)])

    assert row_of(one, "A", 80).split()[:5] == ["A", "17", "4", "43:12", "5"]


def test_every_service_level_stands_with_a_sign_and_the_promised_one_is_marked_in_the_head() -> None:
    #  answered 86 of 100 within, 10 left within, 4 left beyond: SL1 84.2, SL2 86, SL3 75.4, SL4 82.6 %
    one = snapshot([Place("a", visit=Counts(86, 14, 10, 4))])

    assert row_of(one, "A", 80).split()[5:9] == ["84✗", "86✓", "75✗", "82✗"]
    (head,) = [text for text in drawn(one, 80) if text.startswith(" office ")]
    assert head.split()[5:9] == ["SL1", "◆SL2", "SL3", "SL4"]


def test_a_share_just_below_the_target_is_not_rounded_up_to_it() -> None:
    one = snapshot([Place("a", visit=Counts(8_499, 1_501, 0, 0))])

    assert row_of(one, "A", 80).split()[6] == "84✗"


def test_a_wide_screen_has_both_clocks_the_region_and_a_bar_of_the_queue() -> None:
    places = [
        Place("a", waiting=6, beyond=3, visit=Counts(80, 20, 0, 0), leg=Counts(95, 5, 0, 0)),
        Place("b", waiting=3),
    ]
    one = snapshot(places)

    words = row_of(one, "A").split()
    assert words[1:4] == ["Nord", "███░░░", "6"]
    assert words[11:13] == ["95✓", "80✗"]
    assert row_of(one, "B").split()[2] == "░░░"


@pytest.mark.parametrize(
    ("turned_away", "width", "told"),
    [
        (0, 80, "left excluded"),
        (0, 120, "left excluded: SL2 95 SL3 67"),
        (40, 80, "left excluded +1"),
        (40, 120, "left excluded, turns away"),
        (40, 200, "left excluded: SL2 95 SL3 67; turns away: 22 in 100"),
    ],
)
def test_why_an_office_reads_better_than_it_is_is_told_in_as_many_words_as_fit(
    turned_away: int, width: int, told: str
) -> None:
    places = [Place("a", visit=Counts(95, 5, 0, 40), tickets={"issued": 140, "turned_away": turned_away})]
    one = snapshot(places)

    assert row_of(one, "A", width).rstrip().endswith(f"  {told}")
    assert "1 of them" in row_of(one, "all 1 offices", width)


def test_an_office_that_changes_hands_keeps_its_figures_and_says_how_old_they_are() -> None:
    made = snapshot([Place("a", waiting=17, visit=Counts(95, 5, 0, 40))])
    old = replace(made, rows=(replace(made.rows[0], age_s=7.2),), age_s=7.2, shown=4)

    assert row_of(old, "A", 80).rstrip().endswith("seen 7 s ago")
    assert any("4 of 8 shown; what is not is of 7 s ago" in text for text in drawn(old, 80))


def test_an_office_that_nobody_has_seen_yet_says_so() -> None:
    assert "nothing of it yet" in row_of(snapshot([Place("a")], others=("b",)), "B", 80)


def test_workers_stand_with_partitions_lag_rate_and_the_page_to_open() -> None:
    one = snapshot(workers=(*WORKERS, WorkerState("w2", "killed", (1, 3))))

    assert row_of(one, "w0", 80).split() == ["w0", "ready", "0", "4", "12", "104", "http://127.0.0.1:40000/metrics"]
    assert row_of(one, "w2", 80).split() == ["w2", "killed", "1", "3", "–", "–", "–"]


def test_workers_for_whom_there_is_no_line_are_counted() -> None:
    text = "\n".join(drawn(snapshot(workers=WORKERS * 4), 80, 24))

    assert "and 6 more, 6 of them ready, lag 72" in text


def test_the_account_balances_before_the_eyes_of_the_viewer() -> None:
    text = "\n".join(drawn(snapshot(), 80, 24))

    assert "read 2,000 = counted 2,000 + duplicate 0 + refused 0 ✓" in text
    assert "no counter fell" in text


def test_an_account_that_does_not_balance_is_told_as_wrong() -> None:
    one = snapshot()

    text = "\n".join(drawn(replace(one, account=replace(one.account, counted=1_999)), 80, 24))

    assert "counted 1,999 + duplicate 0 + refused 0 ≠ WRONG" in text


def test_what_must_not_be_stands_on_the_screen_in_words() -> None:
    text = "\n".join(drawn(snapshot(violations=("events_read fell",)), 80, 24))

    assert "WRONG: events_read fell" in text
    assert "no counter fell" not in text


def test_addresses_to_open_and_keys_are_on_the_screen() -> None:
    text = "\n".join(drawn(snapshot(), 80, 24))

    for wanted in ("Prometheus http://127.0.0.1:9090", "Kafka 127.0.0.1:33445", "+ worker  k kill -9", "q quit"):
        assert wanted in text
    assert "Ctrl-C ends the demo" in "\n".join(drawn(snapshot(has_keys=False), 80, 24))


def test_the_place_in_the_list_and_its_order_are_told() -> None:
    rows = room(24, len(WORKERS))

    assert drawn(snapshot(first=3), 80, 24)[-1].rstrip().endswith(f"4–{3 + rows}/40 by trouble")
    assert drawn(snapshot(first=99), 80, 24)[-1].rstrip().endswith(f"{41 - rows}–40/40 by trouble")


def test_without_colour_nothing_is_lost() -> None:
    #  What differs between two offices by colour differs by a sign too.
    kept, missed = (snapshot([Place("a", visit=visit)]) for visit in (Counts(85, 15, 0, 0), Counts(84, 16, 0, 0)))

    assert row_of(kept, "A").replace("85✓", "84✗") == row_of(missed, "A")


@pytest.mark.parametrize(
    ("duration_ms", "told"), [(None, "–"), (0, "0:00"), (59_999, "0:59"), (61_000, "1:01"), (7_200_000, "120:00")]
)
def test_waits_are_told_in_minutes_and_seconds(duration_ms: int | None, told: str) -> None:
    assert minutes(duration_ms) == told


def test_a_line_says_what_the_screen_says() -> None:
    text = line(snapshot())

    assert "\n" not in text
    for wanted in (
        "Fri 20 Nov 2026 11:20:00: live, issued 4,100, waiting 234, 30 of them beyond, longest 38:38, 155 desks",
        "within-20: credited_if_within 88%, excluded 89%",
        "4 offices read better than they are",
        "2,000 events read = 2,000 counted + 0 duplicate + 0 refused",
        "123 events/s, lag 24, partitions shown 8 of 8",
    ):
        assert wanted in text, text
