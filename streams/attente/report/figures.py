"""The figures of a report: plain values, by office and service, by business day or for the whole file, and totals."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from fractions import Fraction
from typing import Final

from attente.core import panes
from attente.core.levels import percentiles, service_level
from attente.core.office import Office
from attente.core.panes import Row
from attente.core.plan import ENDS, STARTS
from attente.core.view import Counts
from attente.core.visit import WAITING
from attente.model.events import AnyEvent
from attente.model.kinds import CHANNELS, OUTCOMES
from attente.registry.entities import OTHER, Left, Norm, Per, Registry
from attente.report.book import CALLED
from attente.report.reading import Reading
from attente.report.tally import LEFT, NO_SHOW, Counter, Tally
from attente.report.versions import is_in_force

ALL: Final = ""
"""In place of an office, a service or a day: all of them."""

TYPES: Final[dict[int, str]] = {struct.kind: str(struct.__struct_config__.tag) for struct in AnyEvent.__args__}
"""The type of event by its kind."""


class By(StrEnum):
    """How figures are divided in time."""

    FILE = "file"
    DAY = "day"


@dataclass(frozen=True, slots=True)
class Waits:
    """Waits from the issue, or from entering the queue, to the call; per leg, no-shows included.

    Attributes:
        count: legs called.
        sum_ms: their waits together.
        percentiles_s: exact nearest-rank ones, by rank; empty when nobody was called.
        max_s: the longest one in whole seconds; None when nobody was called.
    """

    count: int
    sum_ms: int
    percentiles_s: Mapping[int, int]
    max_s: int | None

    @property
    def mean_s(self) -> Fraction | None:
        """The mean in seconds; None when nobody was called."""
        return Fraction(self.sum_ms, self.count * 1000) if self.count else None


@dataclass(frozen=True, slots=True)
class Kept:
    """How one definition of a norm was kept.

    Attributes:
        norm: the definition.
        counts: the four counts per leg, first and visit.
        waiting_beyond: who waits at the end of the file and has done so beyond the threshold.
    """

    norm: Norm
    counts: Mapping[Per, Counts]
    waiting_beyond: int

    def level(self, per: Per, left: Left) -> Fraction | None:
        """One of the readings; None where nobody is counted."""
        return service_level(self.counts[per], left)

    @property
    def promise(self) -> Fraction | None:
        """The reading that is the promise."""
        return self.level(self.norm.clock.per, self.norm.left)

    @property
    def is_met(self) -> bool | None:
        """Whether the promise reaches the target; None where nobody is counted."""
        promise = self.promise
        return None if promise is None else promise >= Fraction(self.norm.target_milli, 100_000)


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of one heading.

    Attributes:
        office, service, day: what they are of; `ALL` in place of any of them. The day is an ISO date.
        issued, called, served, abandoned, no_show, closed, transferred, requeued, turned_away: how many.
        outcomes: the served by outcome.
        waiting: visits that wait at the end of the file; 0 in figures of a day.
        waits: of those called.
        open_desk_ms: how long desks were open, all together; None for a service: desks belong to the office.
        kept: every definition of a norm that applies here, in the order of the registry.
    """

    office: str
    service: str
    day: str
    issued: int
    called: int
    served: int
    abandoned: int
    no_show: int
    closed: int
    transferred: int
    requeued: int
    turned_away: int
    outcomes: Mapping[str, int]
    waiting: int
    waits: Waits
    open_desk_ms: int | None
    kept: tuple[Kept, ...]

    @property
    def demand_met(self) -> Fraction | None:
        """The share of who came that was served; None when nobody came."""
        came = self.issued + self.turned_away
        return Fraction(self.served, came) if came else None


@dataclass(frozen=True, slots=True)
class Table:
    """All figures of a report.

    Attributes:
        rows: of each service of each office, by day or for the whole file; in the order of offices, services, days.
        offices: the same of each office over all its services.
        services: the same of each service over all offices.
        total: of everything together, for the whole file.
        days: of everything together, by business day, whatever the rows are by.
        waits: whole seconds -> legs called, over everything.
        left: whole seconds -> legs abandoned, over everything.
        hours: hour of the week -> whole seconds -> legs called, over everything.
        contradictions: by type of event.
        days_heard: (office, business day) pairs of which anything is known.
    """

    rows: tuple[Figures, ...]
    offices: tuple[Figures, ...]
    services: tuple[Figures, ...]
    total: Figures
    days: tuple[Figures, ...]
    waits: Mapping[int, int] = field(repr=False)
    left: Mapping[int, int] = field(repr=False)
    hours: Mapping[int, Mapping[int, int]] = field(repr=False)
    contradictions: Mapping[str, int]
    days_heard: int


@dataclass(slots=True)
class Part:
    """The figures of some offices, and what it takes to make totals of several such parts.

    Attributes:
        rows: by office, those of its services.
        offices: by office, those over all its services.
        services: (service, day) -> over all offices.
        days: day -> over everything.
        total: over everything.
        hours: hour of the week -> whole seconds -> legs called.
        days_heard: (office, business day) pairs of which anything is known.
    """

    rows: dict[str, list[Figures]] = field(default_factory=dict)
    offices: dict[str, list[Figures]] = field(default_factory=dict)
    services: dict[tuple[str, str], Tally] = field(default_factory=dict)
    days: dict[str, Tally] = field(default_factory=dict)
    total: Tally = field(default_factory=Tally)
    hours: dict[int, Row] = field(default_factory=dict)
    days_heard: int = 0

    def add(self, other: "Part") -> None:
        """Take the figures of other offices."""
        self.rows |= other.rows
        self.offices |= other.offices
        for place, tally in other.services.items():
            self.services.setdefault(place, Tally()).add(tally)
        for day, tally in other.days.items():
            self.days.setdefault(day, Tally()).add(tally)
        self.total.add(other.total)
        for hour, waits in other.hours.items():
            mine = self.hours.setdefault(hour, {})
            for seconds, n in waits.items():
                mine[seconds] = mine.get(seconds, 0) + n
        self.days_heard += other.days_heard


def tabulate(
    reading: Reading, by: By = By.FILE, offices: Collection[str] | None = None, services: Collection[str] | None = None
) -> Table:
    """Every figure of a file that has been read.

    Args:
        reading: the file.
        by: whether rows are of business days or of the whole file.
        offices: the ids of those that are wanted; None takes all.
        services: likewise; of an office, what belongs to no service stays.
    """
    return table(reading.registry, count(reading, by, offices, services))


def count(
    reading: Reading, by: By = By.FILE, offices: Collection[str] | None = None, services: Collection[str] | None = None
) -> Part:
    """The figures of the offices that have been read, not yet put together; arguments as for `tabulate`."""
    return _Counting(reading, by, offices, services).part()


def table(registry: Registry, part: Part) -> Table:
    """The table of what has been counted."""
    norms = tuple(registry.definitions())
    names = [name for name in (*registry.services, OTHER) if any(name == service for service, _ in part.services)]
    return Table(
        rows=tuple(row for office in registry.offices for row in part.rows.get(office, ())),
        offices=tuple(row for office in registry.offices for row in part.offices.get(office, ())),
        services=tuple(
            _figures(registry, norms, (ALL, service, day), part.services[service, day])
            for service in names
            for day in sorted(day for name, day in part.services if name == service)
        ),
        total=_figures(registry, norms, (ALL, ALL, ALL), part.total),
        days=tuple(_figures(registry, norms, (ALL, ALL, day), part.days[day]) for day in sorted(part.days)),
        waits=part.total.waits,
        left=part.total.left,
        hours=part.hours,
        contradictions={TYPES[kind]: n for kind, n in sorted(part.total.contradictions.items()) if n},
        days_heard=part.days_heard,
    )


class _Counting:
    """One run over the offices of a book, day by day, so that no more than the totals are held at once."""

    def __init__(
        self, reading: Reading, by: By, offices: Collection[str] | None, services: Collection[str] | None
    ) -> None:
        self.reading = reading
        self.registry = reading.registry
        self.by = by
        self.wanted = offices
        self.norms = tuple(self.registry.definitions())
        self.counter = Counter(self.norms, lambda norm, day: is_in_force(self.registry, norm, day))
        self.numbers = {
            number: name for name, number in reading.plan.services.items() if services is None or name in services
        }
        self.found = Part(hours=reading.book.hours)

    def part(self) -> Part:
        held = {office.id: office for state in self.reading.partitions for office in state.offices.values()}
        for office in self.reading.book.offices():
            if self.wanted is None or office in self.wanted:
                self._office(office, held[office])
        return self.found

    def _in_order(self, names: Collection[str]) -> list[str]:
        return [name for name in (*self.registry.services, OTHER) if name in names]

    def _office(self, office: str, held: Office) -> None:
        whole: dict[str, Tally] = {}
        together = Tally()
        for ordinal, row in self.reading.book.days(office):
            day = date.fromordinal(ordinal).isoformat()
            tallies = self.counter.count(office, ordinal, row, self.numbers)
            self.found.days_heard += 1
            whole_day = Tally()
            for service, tally in tallies.items():
                whole_day.add(tally)
                whole.setdefault(service, Tally()).add(tally)
                if self.by is By.DAY and service:
                    self.found.services.setdefault((service, day), Tally()).add(tally)
            self.found.days.setdefault(day, Tally()).add(whole_day)
            together.add(whole_day)
            if self.by is By.DAY:
                self._tell(office, day, tallies, whole_day)
        self._tell_waiting(held, whole, together)
        self.found.total.add(together)
        if self.by is By.FILE:
            self._tell(office, ALL, whole, together)
            for service in whole.keys() - {ALL}:
                self.found.services.setdefault((service, ALL), Tally()).add(whole[service])

    def _tell(self, office: str, day: str, tallies: Mapping[str, Tally], together: Tally) -> None:
        registry, norms = self.registry, self.norms
        self.found.rows.setdefault(office, []).extend(
            _figures(registry, norms, (office, name, day), tallies[name]) for name in self._in_order(tallies.keys())
        )
        self.found.offices.setdefault(office, []).append(_figures(registry, norms, (office, ALL, day), together))

    def _tell_waiting(self, office: Office, whole: dict[str, Tally], together: Tally) -> None:
        """Who waits at the end of the file, by the service of the present leg."""
        now = next(state.stream for state in self.reading.partitions if office.id.encode() in state.offices)
        today = office.calendar.day_of(now)
        for visit in office.open.values():
            service = self.numbers.get(visit.cell >> 2)
            if visit.phase != WAITING or service is None:
                continue
            for tally in (whole.setdefault(service, Tally()), together):
                tally.waiting += 1
                for i, norm in enumerate(self.norms):
                    if (
                        office.id in norm.offices
                        and service in norm.services
                        and CHANNELS[visit.cell & 3] in norm.channels
                        and is_in_force(self.registry, norm, today)
                    ):
                        per = norm.clock.per
                        start, end = STARTS[norm.clock.start], ENDS[norm.clock.end]
                        waited = visit.waited(now, start, end, per_visit=per is Per.VISIT, per_first=per is Per.FIRST)
                        tally.beyond[i] = tally.beyond.get(i, 0) + (waited > norm.threshold_s * 1000)


def _figures(registry: Registry, norms: Sequence[Norm], place: tuple[str, str, str], tally: Tally) -> Figures:
    office, service, day = place
    number = tally.counts.get
    served = {outcome: number(panes.SERVED + i, 0) for i, outcome in enumerate(OUTCOMES)}
    return Figures(
        office=office,
        service=service,
        day=day,
        issued=number(panes.ISSUED, 0),
        called=number(CALLED, 0),
        served=sum(served.values()),
        abandoned=number(LEFT, 0),
        no_show=number(NO_SHOW, 0),
        closed=number(panes.CLOSED, 0),
        transferred=number(panes.TRANSFERRED, 0),
        requeued=number(panes.REQUEUED, 0),
        turned_away=number(panes.TURNED_AWAY, 0),
        outcomes=served,
        waiting=tally.waiting,
        waits=waits_of(tally.waits, tally.sums.get(CALLED, 0)),
        open_desk_ms=None if service else tally.sums.get(panes.OPEN_DESK_MS, 0),
        kept=tuple(_kept(registry, norms, place, tally)),
    )


def _kept(registry: Registry, norms: Sequence[Norm], place: tuple[str, str, str], tally: Tally) -> Iterator[Kept]:
    office, service, day = place
    for i, norm in enumerate(norms):
        if office and office not in norm.offices:
            continue
        if service and service not in norm.services:
            continue
        if day and not is_in_force(registry, norm, date.fromisoformat(day).toordinal()):
            continue
        yield Kept(norm, {per: tally.four(i, per) for per in Per}, tally.beyond.get(i, 0))


def waits_of(waits: Row, sum_ms: int) -> Waits:
    """The exact statistics of a histogram of whole seconds."""
    return Waits(sum(waits.values()), sum_ms, percentiles(waits), max(waits, default=None))
