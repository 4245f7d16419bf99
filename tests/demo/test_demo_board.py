"""What the pages say of every office, and the board that they make."""

from fractions import Fraction

import pytest

from attente.core.view import Counts
from attente.demo.board import Board, Order, Row, View
from attente.demo.keyboard import Key
from attente.demo.offices import offices_of, promises_of
from attente.registry.entities import Left, Per
from demo.live_pages import AT_S, PROMISE, Place, network, pages_of


def test_an_offices_figures_are_read_from_the_page_that_shows_it() -> None:
    place = Place("a", waiting=7, beyond=2, longest_s=1_500, desks=4, visit=Counts(8, 2, 1, 3), leg=Counts(9, 3, 1, 3))

    found = offices_of(pages_of([place, Place("b")]))

    assert set(found) == {"a", "b"}
    figures = found["a"]
    assert (figures.name, figures.region, figures.as_of_ms) == ("A", "Nord", AT_S * 1000)
    assert (figures.is_open, figures.desks, figures.waiting) == (True, 4, 7)
    assert (figures.longest_ms, figures.beyond) == (1_500_000, {"within-20": 2})  # the longest over all services
    assert figures.readings["within-20", Per.VISIT] == Counts(8, 2, 1, 3)  # of today, not of the month
    assert figures.readings["within-20", Per.LEG] == Counts(9, 3, 1, 3)
    assert (figures.desk_s, figures.tickets["issued"], figures.ended["pending"]) == (36_000.0, 100, 5)


def test_norms_are_read_with_exact_targets() -> None:
    assert promises_of(pages_of([])) == (PROMISE,)
    assert promises_of([]) == ()


def test_who_waits_nowhere_has_no_longest_wait() -> None:
    assert offices_of(pages_of([Place("a")]))["a"].longest_ms is None


# The board


def board(*rounds: list[Place], others: tuple[str, ...] = ()) -> Board:
    """A board that has seen these rounds, a second apart."""
    made = Board()
    for second, places in enumerate(rounds):
        made.observe(pages_of(places, others), float(second))
    return made


def names(rows: list[Row]) -> list[str]:
    return [row.figures.office for row in rows]


def test_offices_with_more_people_beyond_the_norm_are_in_greater_trouble() -> None:
    places = [Place("calm", waiting=9), Place("bad", waiting=3, beyond=2), Place("worse", waiting=3, beyond=3)]

    assert names(board(places).rows(PROMISE, Order.TROUBLE, 0.0)) == ["worse", "bad", "calm"]


def test_with_as_many_beyond_the_lower_share_of_today_and_then_the_longer_queue_decides() -> None:
    places = [
        Place("kept", beyond=1),
        Place("missed", beyond=1, visit=Counts(50, 50, 0, 0)),
        Place("kept-and-full", beyond=1, waiting=5),
        Place("nobody-yet", beyond=1, waiting=9, visit=Counts()),
    ]

    rows = board(places).rows(PROMISE, Order.TROUBLE, 0.0)

    assert names(rows) == ["missed", "kept-and-full", "kept", "nobody-yet"]


@pytest.mark.parametrize(
    ("order", "first"),
    [
        (Order.WAITING, "full"),
        (Order.LONGEST, "slow"),
        (Order.KEPT, "missed"),
        (Order.DOUBT, "doubtful"),
        (Order.NAME, "calm"),
        (Order.TROUBLE, "crowded"),
    ],
)
def test_every_order_brings_its_own_office_to_the_top(order: Order, first: str) -> None:
    places = [
        Place("full", waiting=90),
        Place("slow", waiting=1, longest_s=5_000),
        Place("missed", visit=Counts(50, 50, 0, 0)),
        Place("doubtful", visit=Counts(90, 10, 0, 50)),
        Place("crowded", waiting=2, beyond=2),
        Place("calm"),
    ]

    assert names(board(places).rows(PROMISE, order, 0.0))[0] == first


def test_equals_keep_their_places_from_look_to_look() -> None:
    places = [Place(name) for name in "edcba"]

    assert names(board(places).rows(PROMISE, Order.TROUBLE, 0.0)) == ["a", "b", "c", "d", "e"]


def test_an_office_that_is_on_no_page_for_a_while_stays_as_it_was_and_is_old() -> None:
    made = board([Place("a", waiting=3), Place("b", waiting=4)], [Place("a", waiting=5)])

    first, second = made.rows(PROMISE, Order.NAME, 1.0)

    assert (first.figures.waiting, first.age_s) == (5, 0.0)
    assert (second.figures.waiting, second.age_s) == (4, 1.0)


def test_an_office_of_the_registry_that_was_never_seen_is_on_the_board_without_figures() -> None:
    made = board([Place("a")], others=("b",))

    _, unseen = made.rows(PROMISE, Order.NAME, 0.0)

    assert (unseen.figures.name, unseen.figures.as_of_ms, unseen.levels[Left.EXCLUDED]) == ("B", None, None)
    assert made.count == 2


def test_a_row_has_every_service_level_and_the_promised_one_per_clock() -> None:
    (row,) = board([Place("a", visit=Counts(80, 20, 5, 15), leg=Counts(90, 10, 0, 0))]).rows(PROMISE, Order.NAME, 0.0)

    assert row.levels == {
        Left.CREDITED: Fraction(85, 120),
        Left.EXCLUDED: Fraction(80, 100),
        Left.FAILED: Fraction(80, 120),
        Left.IGNORED: Fraction(80, 115),
    }
    assert row.by_clock == {Per.LEG: Fraction(90, 100), Per.FIRST: Fraction(80, 100), Per.VISIT: Fraction(80, 100)}


def test_totals_are_sums_and_never_means_of_shares() -> None:
    places = [
        Place("big", waiting=10, beyond=4, longest_s=100, desks=9, visit=Counts(900, 100, 0, 0)),
        Place("small", waiting=1, longest_s=700, desks=1, visit=Counts(0, 10, 0, 0)),
    ]

    totals = board(places).totals(PROMISE)

    assert (totals.offices, totals.open, totals.desks) == (2, 2, 10)
    assert (totals.waiting, totals.beyond, totals.longest_ms) == (11, 4, 700_000)
    assert totals.levels[Left.EXCLUDED] == Fraction(900, 1_010)
    assert totals.tickets["issued"] == 200


def test_before_the_first_page_there_is_nothing_on_the_board() -> None:
    made = Board()

    assert (made.count, made.promises, made.rows(PROMISE, Order.NAME, 0.0)) == (0, (), [])
    assert made.totals(PROMISE).longest_ms is None


# What is looked at


def test_a_key_scrolls_within_the_list() -> None:
    view = View()
    steps = [(Key.UP, 0), (Key.DOWN, 1), (Key.PAGE_DOWN, 11), (Key.PAGE_DOWN, 21), (Key.LAST, 30), (Key.DOWN, 30)]
    for key, first in [*steps, (Key.PAGE_UP, 20), (Key.UP, 19), (Key.FIRST, 0)]:
        view.turn(key, page=10, rows=40)
        assert view.first == first, key


def test_a_list_that_is_seen_whole_does_not_scroll() -> None:
    view = View()

    view.turn(Key.PAGE_DOWN, page=50, rows=40)

    assert view.first == 0


def test_sorting_goes_through_all_orders_and_back_to_trouble_from_the_top() -> None:
    view = View(first=7)
    seen = []
    for _ in Order:
        view.turn(Key.SORT, page=10, rows=40)
        seen.append(view.order)

    assert set(seen) == set(Order)
    assert (view.order, view.first) == (Order.TROUBLE, 0)


def test_the_next_norm_is_counted_on_and_keeps_the_place_in_the_list() -> None:
    view = View(first=7)

    view.turn(Key.NORM, page=10, rows=40)

    assert (view.norm, view.first) == (1, 7)


def test_a_whole_network_is_read_and_sorted_in_every_order() -> None:
    made = board(network())

    for order in Order:
        assert len(made.rows(PROMISE, order, 0.0)) == 40
