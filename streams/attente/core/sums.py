"""Rows added up for the view: what a scrape asks of many panes, in a few small tables instead of one large one.

A *head* is a key of `attente.core.panes` without its seconds: service (10) | channel (2) | measure (8). A scrape asks
how much there is under a head, and how much of it within a norm's threshold; a row holds that in up to one entry per
second of wait, these tables in one. Rendering an office from them takes a fifth of what it takes from rows.
"""

from collections.abc import Iterable
from datetime import date
from typing import Final

from attente.core import panes
from attente.core.days import coarse_key
from attente.core.panes import MEASURE, SECONDS, SUM, Row, change
from attente.core.plan import Plan, answered_and_left
from attente.core.view import Counts, Histogram
from attente.model.kinds import CHANNELS
from attente.registry.entities import Norm, Per

WAITS: Final = panes.REACHED + panes.ISSUED_TO_CALLED
HISTOGRAMS: Final = frozenset((WAITS, panes.LEFT_ABANDONED, panes.LEFT_NO_SHOW))
ALL_CHANNELS: Final = tuple(range(len(CHANNELS)))


class Sums:
    """Counts of one or many rows, exact or coarse.

    Attributes:
        counts: head -> how many.
        within: for each of the plan's thresholds, head -> how many of them waited no longer.
        sums: head -> the sum of their waits in milliseconds.
        buckets: coarse key -> how many, of the measures that have a histogram.
        waits: service -> seconds -> legs called; of exact rows only.
        contradictions: kind of fact -> how many.
        has_waits: False for sums of which nobody asks percentiles: their `waits` stay empty.
    """

    __slots__ = ("buckets", "contradictions", "counts", "has_waits", "sums", "waits", "within")

    def __init__(self, plan: Plan, *, has_waits: bool = True) -> None:
        self.counts: Row = {}
        self.within: tuple[Row, ...] = tuple({} for _ in plan.thresholds)
        self.sums: Row = {}
        self.buckets: Row = {}
        self.waits: dict[int, Row] = {}
        self.contradictions: Row = {}
        self.has_waits = has_waits

    def add_row(self, row: Row, plan: Plan, sign: int = 1) -> None:
        """Add a row, exact or coarse: a coarse wait is within a threshold if and only if the exact one is.

        With a `sign` of -1 take one away that was added.
        """
        bounds = plan.bounds
        thresholds = tuple(zip(plan.thresholds, self.within, strict=True))
        counts = self.counts
        for key, held in row.items():
            n = sign * held
            head = key >> MEASURE
            seconds = key & SECONDS
            measure = head & 255
            if seconds == SUM:
                self.sums[head] = self.sums.get(head, 0) + n
                continue
            if measure == panes.CONTRADICTION:
                self.contradictions[seconds] = self.contradictions.get(seconds, 0) + n
                continue
            counts[head] = counts.get(head, 0) + n
            if measure < panes.LEFT_ABANDONED:
                continue
            for threshold, inside in thresholds:
                if seconds <= threshold:
                    inside[head] = inside.get(head, 0) + n
            if measure in HISTOGRAMS:
                rough = coarse_key(key, bounds)
                self.buckets[rough] = self.buckets.get(rough, 0) + n
                if measure == WAITS and self.has_waits:
                    change(self.waits.setdefault(head >> 10, {}), seconds, n)  # or the longest would be one of none

    def add(self, other: "Sums") -> None:
        """Add other sums under the same plan."""
        add_up(self.counts, other.counts)
        for mine, theirs in zip(self.within, other.within, strict=True):
            add_up(mine, theirs)
        add_up(self.sums, other.sums)
        add_up(self.buckets, other.buckets)
        add_up(self.contradictions, other.contradictions)
        if self.has_waits:
            for service, waits in other.waits.items():
                add_up(self.waits.setdefault(service, {}), waits)

    def copy(self) -> "Sums":
        """The same sums, to add to."""
        twin = object.__new__(Sums)
        twin.counts = self.counts.copy()
        twin.within = tuple([inside.copy() for inside in self.within])
        twin.sums = self.sums.copy()
        twin.buckets = self.buckets.copy()
        twin.waits = {service: waits.copy() for service, waits in self.waits.items()}
        twin.contradictions = self.contradictions.copy()
        twin.has_waits = self.has_waits
        return twin

    def is_nothing(self) -> bool:
        """Whether all that was added has been taken away."""
        return not any(self.counts.values()) and not any(self.contradictions.values())

    def count(self, numbers: Iterable[int], measure: int) -> int:
        """How many there are of a measure under some services, all channels together."""
        return _added(self.counts, numbers, measure)

    def sum_ms(self, numbers: Iterable[int], measure: int) -> int:
        """The sum of the waits of a measure under some services."""
        return _added(self.sums, numbers, measure)


def _added(table: Row, numbers: Iterable[int], measure: int) -> int:
    whole = 0
    for number in numbers:
        first = number << 10 | measure
        for head in (first, first | 1 << 8, first | 2 << 8):  # channels
            if head in table:
                whole += table[head]
    return whole


def add_up(mine: Row, theirs: Row) -> None:
    """Add one table to another."""
    if not mine:
        mine.update(theirs)
        return
    get = mine.get
    for key, n in theirs.items():
        mine[key] = get(key, 0) + n


def added(read: Iterable[Counts]) -> Counts:
    """Counts of several visits together."""
    within = beyond = left_within = left_beyond = 0
    for one in read:
        within += one.answered_within
        beyond += one.answered_beyond
        left_within += one.left_within
        left_beyond += one.left_beyond
    return Counts(within, beyond, left_within, left_beyond)


class Reading:
    """How the four counts of a norm are read, under one `per`, from sums."""

    __slots__ = ("answered", "left", "threshold")

    def __init__(self, norm: Norm, per: Per, plan: Plan) -> None:
        answered, left = answered_and_left(norm, per)
        channels = [i for i in ALL_CHANNELS if CHANNELS[i] in norm.channels]
        self.answered = tuple((channel << 8 | measure, sign) for measure, sign in answered for channel in channels)
        self.left = tuple(channel << 8 | measure for measure in left for channel in channels)
        self.threshold = plan.thresholds.index(norm.threshold_s)

    def counts(self, sums: Sums, numbers: Iterable[int]) -> Counts:
        """The four counts under some services."""
        every, inside = sums.counts, sums.within[self.threshold]
        answered = answered_within = left = left_within = 0
        for number in numbers:
            service = number << 10
            for tail, sign in self.answered:
                head = service | tail
                if head in every:
                    answered += sign * every[head]
                    answered_within += sign * inside.get(head, 0)
            for tail in self.left:
                head = service | tail
                if head in every:
                    left += every[head]
                    left_within += inside.get(head, 0)
        return Counts(answered_within, answered - answered_within, left_within, left - left_within)


class Readings:
    """How every definition of every norm is read, worked out once for a plan.

    Attributes:
        names: the service of a number.
        order: a service's place in the registry's file.
        nothing: a histogram of no waits.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.names = {number: name for name, number in plan.services.items()}
        self.order = {name: place for place, name in enumerate(plan.registry.services)}
        self.nothing = Histogram((0,) * len(plan.bounds), 0, 0)
        self._readings: dict[tuple[str, str, Per], Reading] = {}
        self._norms: dict[str, list[Norm]] = {}  # by office: those of which a definition is about it
        for norm in plan.registry.norms.values():
            for definition in norm.definitions():
                for per in Per:
                    self._readings[norm.id, definition.valid_from, per] = Reading(definition, per, plan)
            for office in frozenset[str]().union(*(definition.offices for definition in norm.definitions())):
                self._norms.setdefault(office, []).append(norm)

    def of(self, definition: Norm, per: Per) -> Reading:
        """How a definition is read under one `per`."""
        return self._readings[definition.id, definition.valid_from, per]

    def in_force(self, office: str, day: int) -> list[Norm]:
        """The definitions that hold in an office on a business day, in the order of the file."""
        now = (norm.in_force(day) for norm in self._norms.get(office, ()))
        return [definition for definition in now if definition is not None and office in definition.offices]

    def spans(self, norm: str, first: int, last: int) -> list[tuple[Norm, int, int]]:
        """The definitions of a norm that held from one day to another, each with its first and last day."""
        out: list[tuple[Norm, int, int]] = []
        until = last
        for definition in reversed(self.plan.registry.norms[norm].definitions()):
            since = date.fromisoformat(definition.valid_from).toordinal() if definition.valid_from else first
            if since <= until:
                out.append((definition, max(since, first), until))
                until = since - 1
            if until < first:
                break
        return out
