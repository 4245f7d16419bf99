"""The board of offices: the last that was seen of each, in an order, and what they come to together."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from typing import Any, Final

from attente.core.levels import service_level
from attente.core.view import Counts
from attente.demo.conflicts import Conflict, conflicts_of, usual_of
from attente.demo.keyboard import Key
from attente.demo.offices import OfficeFigures, Promise, names_of, offices_of, promises_of, summed
from attente.demo.pages import Page
from attente.registry.entities import Left, Per


class Order(StrEnum):
    """What offices are sorted by; the greatest trouble comes first.

    `trouble`: how many wait now beyond the norm, then the share of today that keeps it, the lowest first, then how many
    wait. `doubt`: those first that read better than they are. `name` is that of the region, then of the office.
    """

    TROUBLE = "trouble"
    WAITING = "waiting"
    LONGEST = "longest wait"
    KEPT = "norm kept"
    DOUBT = "doubt"
    NAME = "name"


@dataclass(frozen=True, slots=True)
class Row:
    """One office on the board.

    Attributes:
        figures: what was seen of it last.
        age_s: how long ago that was, in seconds; 0 is now. Its partition is changing hands.
        beyond: who waits now beyond the norm.
        levels: today's service levels, as the norm's clock times.
        by_clock: the promised service level of today per leg, first leg and visit.
        conflicts: by which rules it reads better than it is.
    """

    figures: OfficeFigures
    age_s: float
    beyond: int
    levels: dict[Left, Fraction | None]
    by_clock: dict[Per, Fraction | None]
    conflicts: tuple[Conflict, ...]


@dataclass(frozen=True, slots=True)
class Totals:
    """The whole network.

    Attributes:
        offices, open: how many there are and how many are open.
        desks, waiting, beyond: open desks; who waits now, and who beyond the norm.
        longest_ms: the longest present wait; None where nobody waits.
        tickets: exact counts over the life of the states, by event.
        levels, by_clock: as of a row, of all offices together.
    """

    offices: int = 0
    open: int = 0
    desks: int = 0
    waiting: int = 0
    beyond: int = 0
    longest_ms: int | None = None
    tickets: dict[str, int] = field(default_factory=dict)
    levels: dict[Left, Fraction | None] = field(default_factory=dict)
    by_clock: dict[Per, Fraction | None] = field(default_factory=dict)


@dataclass(slots=True)
class View:
    """What a viewer has chosen to look at.

    Attributes:
        order: what offices are sorted by.
        norm: which norm, counted on without end.
        first: the row at the top.
    """

    order: Order = Order.TROUBLE
    norm: int = 0
    first: int = 0

    def turn(self, key: Key, page: int, rows: int) -> None:
        """Obey a key; one that has nothing to do with what is looked at changes nothing.

        Args:
            key: which one.
            page: how many rows are seen at once.
            rows: how many there are.
        """
        orders = tuple(Order)
        if key is Key.SORT:
            self.order = orders[(orders.index(self.order) + 1) % len(orders)]
            self.first = 0
        elif key is Key.NORM:
            self.norm += 1
        else:
            last = max(0, rows - page)
            steps = {Key.UP: -1, Key.DOWN: 1, Key.PAGE_UP: -page, Key.PAGE_DOWN: page}
            wanted = {Key.FIRST: 0, Key.LAST: last}.get(key, self.first + steps.get(key, 0))
            self.first = min(last, max(0, wanted))


class Board:
    """What has been seen of all offices.

    Attributes:
        promises: the norms of the registry, once a page has been seen.
    """

    def __init__(self) -> None:
        """Nothing has been seen yet."""
        self.promises: tuple[Promise, ...] = ()
        self._seen: dict[str, tuple[OfficeFigures, float]] = {}

    @property
    def count(self) -> int:
        """How many offices there are."""
        return len(self._seen)

    def observe(self, pages: Sequence[Page], now_s: float) -> None:
        """Take another round of pages; an office that is on none of them stays as it was."""
        self.promises = promises_of(pages) or self.promises
        for office, (name, region) in names_of(pages).items():
            self._seen.setdefault(office, (OfficeFigures(office, name, region), now_s))
        for office, figures in offices_of(pages).items():
            self._seen[office] = figures, now_s

    def rows(self, promise: Promise, order: Order, now_s: float) -> list[Row]:
        """Every office, in an order.

        Args:
            promise: the norm that is looked at.
            order: what they are sorted by.
            now_s: when the last round of pages was taken: what was seen before is old.
        """
        usual = usual_of(figures for figures, _ in self._seen.values())
        rows = [
            Row(
                figures=figures,
                age_s=now_s - seen_s,
                beyond=figures.beyond.get(promise.norm, 0),
                levels={left: figures.level(promise.norm, promise.per, left) for left in Left},
                by_clock={per: figures.level(promise.norm, per, promise.left) for per in Per},
                conflicts=conflicts_of(figures, promise, usual, self.promises),
            )
            for figures, seen_s in self._seen.values()
        ]
        return sorted(rows, key=lambda row: (*_KEYS[order](row, promise), row.figures.region, row.figures.office))

    def totals(self, promise: Promise) -> Totals:
        """All offices together, each as it was seen last."""
        offices = [figures for figures, _ in self._seen.values()]
        counts = summed(figures.readings for figures in offices)
        waits = [figures.longest_ms for figures in offices if figures.longest_ms is not None]
        tickets: dict[str, int] = {}
        for figures in offices:
            for event, count in figures.tickets.items():
                tickets[event] = tickets.get(event, 0) + count
        return Totals(
            offices=len(offices),
            open=sum(figures.is_open for figures in offices),
            desks=sum(figures.desks for figures in offices),
            waiting=sum(figures.waiting for figures in offices),
            beyond=sum(figures.beyond.get(promise.norm, 0) for figures in offices),
            longest_ms=max(waits, default=None),
            tickets=tickets,
            levels={left: _level(counts.get((promise.norm, promise.per)), left) for left in Left},
            by_clock={per: _level(counts.get((promise.norm, per)), promise.left) for per in Per},
        )


def _level(counts: Counts | None, left: Left) -> Fraction | None:
    return None if counts is None else service_level(counts, left)


def _kept(row: Row, promise: Promise) -> Fraction:
    """The share that keeps the promise; where nobody is counted nothing is broken."""
    level = row.levels[promise.left]
    return Fraction(1) if level is None else level


def _trouble(row: Row, promise: Promise) -> tuple[Any, ...]:
    return -row.beyond, _kept(row, promise), -row.figures.waiting


_KEYS: Final[dict[Order, Callable[[Row, Promise], tuple[Any, ...]]]] = {
    Order.TROUBLE: _trouble,
    Order.WAITING: lambda row, promise: (-row.figures.waiting, *_trouble(row, promise)),
    Order.LONGEST: lambda row, promise: (-(row.figures.longest_ms or 0), *_trouble(row, promise)),
    Order.KEPT: lambda row, promise: (_kept(row, promise), *_trouble(row, promise)),
    Order.DOUBT: lambda row, promise: (-len(row.conflicts), *_trouble(row, promise)),
    Order.NAME: lambda row, _: (row.figures.region, row.figures.name),
}
