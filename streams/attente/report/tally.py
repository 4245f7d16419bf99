"""What was counted under one heading, ready to be added up: counts, sums, histograms, the four counts of norms."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

from attente.core import panes
from attente.core.panes import CELL, MEASURE, SECONDS, SUM, Row
from attente.core.plan import answered_and_left
from attente.core.view import Counts
from attente.model.kinds import CHANNELS
from attente.registry.entities import Norm, Per
from attente.report.book import CALLED

LEFT: Final = panes.LEFT_ABANDONED + panes.FROM_ISSUED
NO_SHOW: Final = panes.LEFT_NO_SHOW + panes.FROM_ISSUED
OF_THE_OFFICE: Final = frozenset({panes.OPEN_DESK_MS, panes.OPEN_OFFICE_MS, panes.CONTRADICTION})
"""Measures that belong to no service."""

_ANSWERED_WITHIN: Final = 0  # places in the four counts; one more is beyond
_LEFT_WITHIN: Final = 2

Reading = tuple[int, Per]
"""A norm, by its place among those of the report, and what its clock is read per."""


class Tally:
    """Counts of one heading: a service of an office on a day, or any sum of such.

    Attributes:
        counts: measure -> how many.
        sums: measure -> milliseconds.
        waits: whole seconds -> legs called, no-shows included.
        left: whole seconds -> legs abandoned.
        norms: answered within and beyond the threshold, left within and beyond.
        contradictions: number of a kind of fact -> how many had no place.
        waiting: visits that wait at the end of the file.
        beyond: norm, by its place -> how many of them have waited beyond its threshold.
    """

    def __init__(self) -> None:
        self.counts: Row = {}
        self.sums: Row = {}
        self.waits: Row = {}
        self.left: Row = {}
        self.norms: dict[Reading, list[int]] = {}
        self.contradictions: Row = {}
        self.waiting = 0
        self.beyond: Row = {}

    def add(self, other: "Tally") -> None:
        """Merge another one into this one."""
        for mine, theirs in (
            (self.counts, other.counts),
            (self.sums, other.sums),
            (self.waits, other.waits),
            (self.left, other.left),
            (self.contradictions, other.contradictions),
            (self.beyond, other.beyond),
        ):
            for key, n in theirs.items():
                mine[key] = mine.get(key, 0) + n
        for reading, four in other.norms.items():
            known = self.norms.setdefault(reading, [0, 0, 0, 0])
            for i, n in enumerate(four):
                known[i] += n
        self.waiting += other.waiting

    def four(self, norm: int, per: Per) -> Counts:
        """The four counts of a norm."""
        return Counts(*self.norms.get((norm, per), (0, 0, 0, 0)))


class _Role(NamedTuple):
    """What one measure means for one reading of a norm."""

    four: list[int]
    threshold_s: int
    first: int
    sign: int


class _Place(NamedTuple):
    """Where the entries of one measure under one service and channel go."""

    measure: int
    tally: Tally
    waits: Row | None
    roles: list[_Role]


class Counter:
    """Spreads exact rows of offices over tallies, one for each service and one for what belongs to no service.

    Entries of norms go by the norm's offices, services and channels, and by the days on which it is in force.
    """

    def __init__(self, norms: Sequence[Norm], is_in_force: Callable[[Norm, int], bool]) -> None:
        """Knows the norms.

        Args:
            norms: all definitions that are to be read, each by itself; a reading names them by their place here.
            is_in_force: whether a definition holds on a business day.
        """
        self.norms = norms
        self._is_in_force = is_in_force
        self._meanings: dict[int, list[tuple[int, Per, int, int]]] = {}
        for i, norm in enumerate(norms):
            for per in Per:
                answered, left = answered_and_left(norm, per)
                for measure, sign in answered:
                    self._meanings.setdefault(measure, []).append((i, per, _ANSWERED_WITHIN, sign))
                for measure in left:
                    self._meanings.setdefault(measure, []).append((i, per, _LEFT_WITHIN, 1))

    def count(self, office: str, day: int, row: Row, services: Mapping[int, str]) -> dict[str, Tally]:
        """The tallies of an office on a business day, by service; "" is what belongs to none.

        Args:
            office: its id.
            day: the business day.
            row: its exact row.
            services: under which name each number of a service counts; those without one are left out.
        """
        tallies: dict[str, Tally] = {}
        places: dict[int, _Place | None] = {}
        here = [i for i, norm in enumerate(self.norms) if office in norm.offices and self._is_in_force(norm, day)]
        for key, n in row.items():
            head = key >> MEASURE
            if head not in places:
                places[head] = self._place(head, services, tallies, frozenset(here))
            place = places[head]
            if place is None or not n:
                continue
            seconds = key & SECONDS
            tally = place.tally
            if seconds == SUM:
                tally.sums[place.measure] = tally.sums.get(place.measure, 0) + n
                continue
            tally.counts[place.measure] = tally.counts.get(place.measure, 0) + n
            if place.waits is not None:
                place.waits[seconds] = place.waits.get(seconds, 0) + n
            for four, threshold_s, first, sign in place.roles:
                four[first + (seconds > threshold_s)] += sign * n
        return tallies

    def _place(
        self, head: int, services: Mapping[int, str], tallies: dict[str, Tally], here: frozenset[int]
    ) -> _Place | None:
        measure = head & 255
        cell = head >> (CELL - MEASURE)
        if measure in OF_THE_OFFICE:
            tally = tallies.setdefault("", Tally())
            return _Place(measure, tally, tally.contradictions if measure == panes.CONTRADICTION else None, [])
        name = services.get(cell >> 2)
        if name is None:
            return None
        tally = tallies.setdefault(name, Tally())
        waits = {CALLED: tally.waits, LEFT: tally.left}.get(measure)
        roles = [
            _Role(tally.norms.setdefault((i, per), [0, 0, 0, 0]), self.norms[i].threshold_s, first, sign)
            for i, per, first, sign in self._meanings.get(measure, ())
            if i in here and name in self.norms[i].services and CHANNELS[cell & 3] in self.norms[i].channels
        ]
        return _Place(measure, tally, waits, roles)
