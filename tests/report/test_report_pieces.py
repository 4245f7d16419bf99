"""The pieces that reports are made of: bins, numbers, words, the book."""

from dataclasses import replace
from fractions import Fraction

import pytest

from attente.core import panes
from attente.core.days import unpack_row
from attente.core.plan import Plan
from attente.model.instants import milliseconds
from attente.registry.entities import Clock, End, Left, Norm, Per, Start, StillWaiting
from attente.registry.load import parse
from attente.report.bins import Bin, cut, edges_for
from attente.report.book import Book
from attente.report.numbers import clock, percent, rounded, share, stretch
from attente.report.reading import read
from attente.report.text import bar
from attente.report.words import definition, promise
from report.report_files import BOBIGNY, NATION, REGISTRY, event

NETWORK = parse(REGISTRY, "network.yaml")
NORM = NETWORK.norms["nation-5"]


def words(norm: Norm) -> dict[str, str]:
    network = replace(NETWORK, norms={norm.id: norm})
    return {sentence.part: sentence.text for sentence in definition(network, norm)}


# ---- bins


def test_a_wait_on_an_edge_belongs_to_the_bin_that_ends_there() -> None:
    #  0    60    120
    #  |----]|----]|----
    assert cut({0: 1, 60: 2, 61: 3, 120: 4, 121: 5}, (60, 120)) == [
        Bin(0, 60, 3),
        Bin(60, 120, 7),
        Bin(120, None, 5),
    ]


def test_every_threshold_is_an_edge_whatever_the_round_steps_are() -> None:
    edges = edges_for([1_234], {600: 5, 1_500: 5})
    assert 1_234 in edges
    assert edges == sorted(edges)
    assert all(edge % 300 == 0 for edge in edges if edge != 1_234)


def test_bins_are_a_dozen_however_long_the_waits_are() -> None:
    for longest in (1, 10, 100, 1_000, 10_000, 80_000):
        assert 1 <= len(edges_for((), {longest: 1})) <= 15


def test_the_smallest_count_is_seen_beside_the_largest() -> None:
    assert bar(0, 1_000_000, 40) == ""
    assert bar(1, 1_000_000, 40) == "▏"
    assert bar(1_000_000, 1_000_000, 40) == "█" * 40


# ---- numbers


def test_a_share_is_cut_and_not_rounded_up_to_the_target_that_it_misses() -> None:
    assert share(Fraction(84_999, 100_000)) == "84.9 %"
    assert share(Fraction(1, 1)) == "100.0 %"
    assert share(None) == "–"


def test_waits_and_thresholds_are_written_as_people_say_them() -> None:
    assert [clock(s) for s in (0, 59, 60, 3_599, 3_600, 3_661)] == [
        "0:00",
        "0:59",
        "1:00",
        "59:59",
        "1:00:00",
        "1:01:01",
    ]
    assert [stretch(s) for s in (45, 60, 90, 1_200, 3_600, 5_400)] == [
        "45 s",
        "1 min",
        "90 s",
        "20 min",
        "1 h",
        "90 min",
    ]
    assert [rounded(Fraction(n, 2)) for n in (0, 1, 2, 3)] == [0, 1, 1, 2]
    assert [percent(n, 100_000) for n in (85_000, 79_500, 1)] == ["85 %", "79.5 %", "0.001 %"]


# ---- words


def test_a_definition_says_what_starts_and_stops_the_clock_and_per_what() -> None:
    said = words(NORM)
    assert said["clock starts"].startswith("at the door (arrived), or when the ticket is issued where no door time")
    assert said["clock stops"].startswith("when the service starts")
    assert said["per"].startswith("first: the first wait of a visit alone counts")
    assert (
        said["population"] == "visitors without an appointment (walkin) and visitors with an appointment (appointment)"
    )
    assert said["offices"] == "75-nation"
    assert said["services"] == "accueil"
    assert said["left"] == "who abandons the queue or does not come when called does not count at all"
    assert said["in force"] == "at all times"
    assert promise(NORM) == "at least 90 % of all first waits are over within 5 min (300 s)"


def test_every_definition_that_there_can_be_has_words_of_its_own() -> None:
    seen = set()
    for start in Start:
        for end in End:
            for per in Per:
                for left in Left:
                    for waiting in StillWaiting:
                        norm = replace(NORM, clock=Clock(start, end, per), left=left, still_waiting=waiting)
                        seen.add(tuple(words(norm).items()))
    assert len(seen) == 3 * 2 * 3 * 4 * 2


# ---- shares


def test_an_office_computed_apart_refuses_what_is_too_late_by_the_time_that_others_have_reached() -> None:
    #  75-nation    09:00                     09:30, a day and more behind stream time: too late
    #  93-bobigny           10:00 next day
    lines = [
        event("ticket.issued", "23T09:00", NATION, ticket="A", service="accueil", channel="walkin"),
        event("ticket.issued", "24T10:00", BOBIGNY, ticket="B", service="accueil", channel="walkin"),
        event("ticket.called", "23T09:30", NATION, ticket="A"),
        b"noise",
    ]
    whole = read(lines, "events", NETWORK)
    alone = read(lines, "events", NETWORK, share=(NATION,))
    assert whole.account.refused == {"too_late": 1, "not_json": 1}
    assert alone.account.refused == {"too_late": 1}
    assert (alone.account.read, alone.account.counted) == (4, 1)
    assert alone.partitions[0].stream == whole.partitions[0].stream


# ---- the book


def test_a_book_keeps_years_packed_and_changes_a_day_that_rests() -> None:
    book = Book(Plan(NETWORK), NETWORK.offices)
    noon = 1_795_000_000_000 // panes.PANE_MS
    key = panes.key_of(1 << 2, panes.REACHED, 60)
    for day in range(400):
        book.sealed("75-nation", {(noon + 288 * day, key): 1})
    book.sealed("75-nation", {(noon, key): 41, (noon, key + 1): 1})
    rows = dict(book.days("75-nation"))
    first = min(rows)
    assert len(rows) == 400
    assert rows[first] == {key: 42, key + 1: 1} == book.day("75-nation", first)
    assert all(row == {key: 1} for day, row in rows.items() if day != first)
    assert len(book._moving["75-nation"]) <= 3
    assert unpack_row(book._resting["75-nation"][first + 5]) == {key: 1}
    assert book.day("75-nation", first - 1) == {}


def test_a_book_keeps_nothing_of_offices_that_are_not_wanted() -> None:
    book = Book(Plan(NETWORK), {"93-bobigny"})
    book.sealed("75-nation", {(5_000_000, panes.key_of(4, panes.REACHED, 60)): 1})
    assert book.offices() == []
    assert not any(book.hours.values())


@pytest.mark.parametrize(
    ("instant", "hour"), [("2026-03-29T00:30:00Z", 6 * 24 + 1), ("2026-03-29T01:30:00Z", 6 * 24 + 3)]
)
def test_the_hour_of_the_week_is_the_one_on_the_wall_also_when_the_clocks_change(instant: str, hour: int) -> None:
    book = Book(Plan(NETWORK), NETWORK.offices)
    book.sealed("75-nation", {(milliseconds(instant) // panes.PANE_MS, panes.key_of(4, panes.REACHED, 60)): 1})
    assert book.hours == {hour: {60: 1}}
