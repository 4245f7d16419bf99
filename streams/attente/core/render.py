"""From state to view: what a scrape may see of a partition, computed from what has changed since the last one.

The renderer's memory is no state: it can be thrown away at any time and is built again from the panes.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final, NamedTuple

from attente.core import panes
from attente.core.calendar import HOUR_MS
from attente.core.days import coarse_key
from attente.core.levels import percentiles, within
from attente.core.office import Office
from attente.core.panes import CELL, MEASURE, PANE_MS, SECONDS, SUM, Row
from attente.core.partition import Partition
from attente.core.plan import ENDS as ENDS_OF_CLOCKS
from attente.core.plan import STARTS, Plan, answered_and_left
from attente.core.sessions import Sessions, fold_sessions, overlap_ms
from attente.core.view import (
    Counts,
    Histogram,
    OfficeView,
    PartitionView,
    ServiceView,
    Tally,
    WaitEnd,
    WaitStats,
    Window,
)
from attente.core.visit import WAITING, Visit
from attente.model.events import AnyEvent
from attente.model.kinds import CHANNELS, OUTCOMES
from attente.model.partitioning import partition_of
from attente.registry.entities import OTHER, Detail, Norm, Per

TYPES: Final[dict[int, str]] = {struct.kind: str(struct.__struct_config__.tag) for struct in AnyEvent.__args__}
"""The type of event by its kind."""

WAITS: Final = panes.REACHED + panes.ISSUED_TO_CALLED
ENDS: Final = {
    WaitEnd.CALLED: WAITS,
    WaitEnd.ABANDONED: panes.LEFT_ABANDONED,
    WaitEnd.NO_SHOW: panes.LEFT_NO_SHOW,
}
TIMED: Final = {Tally.CALLED: WAITS, Tally.ABANDONED: panes.LEFT_ABANDONED, Tally.NO_SHOW: panes.LEFT_NO_SHOW}
PLAIN: Final = {
    Tally.TRANSFERRED: panes.TRANSFERRED,
    Tally.REQUEUED: panes.REQUEUED,
    Tally.CLOSED: panes.CLOSED,
    Tally.TURNED_AWAY: panes.TURNED_AWAY,
}
ALL_CHANNELS: Final = range(len(CHANNELS))


class Opened(NamedTuple):
    """When a desk, or the office itself (""), was open on a business day."""

    day: int
    desk: str
    sessions: Sessions


class Sums:
    """Coarse rows and exact waits, added up over panes."""

    __slots__ = ("coarse", "waits")

    def __init__(self) -> None:
        self.coarse: Row = {}
        self.waits: Row = {}  # service << 24 | seconds -> legs called

    def add_row(self, row: Row, bounds: tuple[int, ...]) -> None:
        """Add an exact row."""
        coarse = self.coarse
        for key, n in row.items():
            rough = coarse_key(key, bounds)
            coarse[rough] = coarse.get(rough, 0) + n
            if key >> MEASURE & 255 == WAITS and key & SECONDS != SUM:
                exact = key >> CELL >> 2 << MEASURE | key & SECONDS
                self.waits[exact] = self.waits.get(exact, 0) + n

    def add(self, other: "Sums") -> None:
        """Add other sums."""
        for mine, theirs in ((self.coarse, other.coarse), (self.waits, other.waits)):
            for key, n in theirs.items():
                mine[key] = mine.get(key, 0) + n


class Memory:
    """What the renderer remembers of an office: sums by day over the panes before `frontier`, the present hour's."""

    def __init__(self) -> None:
        self.frontier = -1
        self.days: dict[int, Sums] = {}
        self.month = (-1, -1)  # first day, version of the resting days
        self.month_resting: Row = {}
        self.quiet: tuple[int, int] = (-1, -1)  # day and hour of `view`, when nothing in it can change but by an event
        self.view: OfficeView | None = None


class Renderer:
    """Renders a partition, office by office."""

    def __init__(self, partition: Partition) -> None:
        self.partition = partition
        self.plan: Plan = partition.plan
        self.memory: dict[bytes, Memory] = {}
        # An office is shown before its first event: a counter that appears at 1 out of nowhere has no increase.
        self.silent = {
            key: Office(self.plan, office, partition.stream)
            for key, office in self.plan.offices.items()
            if partition_of(key, partition.partitions) == partition.number
        }

    def offices(self, now: int) -> Iterator[OfficeView]:
        """The view of each office as of `now` (ms): stream time, advanced by elapsed time while nothing comes.

        Each office is rendered in one go, so its figures are of one instant; between offices events may be applied.
        """
        for key in list(self.silent):
            yield self.office(key, now)

    def partition_view(self, offices: tuple[OfficeView, ...]) -> PartitionView:
        """The whole partition's, given its offices."""
        part = self.partition
        return PartitionView(
            part.number, self.plan.bounds, offices, part.read, part.counted, part.duplicate, dict(part.refused)
        )

    def office(self, key: bytes, now: int) -> OfficeView:
        """The view of one office."""
        office = self.partition.offices.get(key) or self.silent[key]
        memory = self.memory.setdefault(key, Memory())
        day = office.calendar.day_of(now)
        hour = office.calendar.hour_of(now)
        touched = office.look()
        still = not office.open and not office.sessions
        if memory.view is not None and still and not touched and memory.quiet == (day, hour):
            return replace(memory.view, as_of_ms=now)
        hour_sums = self._advance(office, memory, touched, hour // PANE_MS)
        view = _OfficeRendering(self.partition, office, memory, now, day, hour_sums).view()
        memory.quiet = (day, hour)
        memory.view = view
        return view

    def _advance(self, office: Office, memory: Memory, touched: set[int], frontier: int) -> dict[int, Sums]:
        """Bring the sums up to date; returns those of the panes from the frontier on, by pane."""
        bounds = self.plan.bounds
        stale = {office.calendar.day_of(pane * PANE_MS) for pane in touched if pane < frontier}
        if frontier != memory.frontier:
            low, high = sorted((frontier, memory.frontier))
            stale |= {office.calendar.day_of(pane * PANE_MS) for pane in office.panes if low <= pane < high}
            memory.frontier = frontier
        for day in stale:
            begin = office.calendar.start_of(day) // PANE_MS
            end = min(office.calendar.start_of(day + 1) // PANE_MS, frontier)
            sums = Sums()
            for pane, row in office.panes.items():
                if begin <= pane < end:
                    sums.add_row(row, bounds)
            if sums.coarse:
                memory.days[day] = sums
            else:
                memory.days.pop(day, None)
        tail = {}
        for pane, row in office.panes.items():
            if pane >= frontier:
                tail[pane] = Sums()
                tail[pane].add_row(row, bounds)
        return tail


class _OfficeRendering:
    """One rendering of one office."""

    def __init__(
        self, partition: Partition, office: Office, memory: Memory, now: int, day: int, tail: dict[int, Sums]
    ) -> None:
        self.plan = partition.plan
        self.bounds = self.plan.bounds
        self.office = office
        self.now = now
        self.day = day
        self.numbers = partition.plan.services
        self.norms = [norm for norm in self.plan.registry.norms.values() if office.id in norm.offices]
        self.windows = self._windows(memory, day, tail)
        self.total: Row = dict(office.days.lifetime)
        self.live: Row = {}
        for sums in [*memory.days.values(), *tail.values()]:
            for key, n in sums.coarse.items():
                self.total[key] = self.total.get(key, 0) + n
                self.live[key] = self.live.get(key, 0) + n
        self.seen = {key >> CELL >> 2 for key in self.total if key >> MEASURE & 255 != panes.CONTRADICTION}
        self.waiting: dict[int, list[Visit]] = {}  # by service
        for visit in office.open.values():
            if visit.phase == WAITING:
                self.waiting.setdefault(visit.cell >> 2, []).append(visit)
        self.seen |= self.waiting.keys()
        self.seen |= {key >> CELL >> 2 for key in office.deficits}  # a counter does not vanish when its count does

    def _windows(self, memory: Memory, day: int, tail: dict[int, Sums]) -> dict[Window, Sums]:
        office = self.office
        bounds = self.bounds
        hour_end = office.calendar.hour_of(self.now) + HOUR_MS
        hour, today = Sums(), Sums()
        today.add_row(office.days.row(day), bounds)
        if day in memory.days:
            today.add(memory.days[day])
        for pane, sums in tail.items():
            if pane * PANE_MS < hour_end:
                hour.add(sums)
            if office.calendar.day_of(pane * PANE_MS) == day:
                today.add(sums)
        return {Window.HOUR: hour, Window.DAY: today, Window.MONTH: self._month(memory, day, today)}

    def _month(self, memory: Memory, day: int, today: Sums) -> Sums:
        office = self.office
        first = office.calendar.month_of(day)
        if memory.month != (first, office.days.version):
            resting = Sums()
            for sealed in office.days.resting:
                if first <= sealed < day:
                    resting.add_row(office.days.row(sealed), self.bounds)
            memory.month = (first, office.days.version)
            memory.month_resting = resting.coarse
        month = Sums()
        month.coarse.update(memory.month_resting)
        for sealed, row in office.days.moving.items():
            if first <= sealed < day:
                month.add_row(row, self.bounds)
        for other, sums in memory.days.items():
            if first <= other < day:
                month.add(sums)
        month.add(today)
        return month

    def view(self) -> OfficeView:
        """All of it."""
        office = self.office
        registry = self.plan.registry
        fine = registry.detail is Detail.SERVICE
        offered = [name for name in registry.services if name in office.services]
        services = [self._service(name, [self.numbers[name]], fine) for name in offered]
        rest = sorted(self.seen - {self.numbers[name] for name in offered})
        if rest:
            services.append(self._service(OTHER, rest, fine))
        sessions = [Opened(day, desk, fold_sessions(facts)) for (day, desk), facts in office.sessions.items()]
        day_end = office.calendar.start_of(self.day + 1)
        now_open = {one.desk for one in sessions if one.day == self.day and one.sessions.is_open(self.now, day_end)}
        every = sorted(self.seen)
        return OfficeView(
            office=office.id,
            as_of_ms=self.now,
            services=tuple(services),
            is_open="" in now_open,
            open_desks=len(now_open - {""}),
            open_desk_ms=self._open_desk_ms(sessions),
            contradictions=self._contradictions(),
            corrections=office.corrections,
            window_waits={window: self._stats(window, every) for window in Window},
            readings={
                (norm.id, window, per): self._counts(sums.coarse, norm, per, self._of_norm(norm, every))
                for norm in self.norms
                for window, sums in self.windows.items()
                for per in Per
            },
        )

    def _open_desk_ms(self, opened: list[Opened]) -> dict[Window, int]:
        calendar = self.office.calendar
        hour = calendar.hour_of(self.now)
        month = calendar.month_of(self.day)
        spans = {
            Window.HOUR: (hour, hour + HOUR_MS),
            Window.DAY: (calendar.start_of(self.day), calendar.start_of(self.day + 1)),
            Window.MONTH: (calendar.start_of(month), calendar.start_of(self.day + 1)),
        }
        held = [
            one.sessions.until(self.now, calendar.start_of(one.day + 1))
            for one in opened
            if one.desk and one.day >= month
        ]
        open_ms = {
            window: sum(overlap_ms(sessions, begin, end) for sessions in held) for window, (begin, end) in spans.items()
        }
        open_ms[Window.MONTH] += self.windows[Window.MONTH].coarse.get(panes.OPEN_DESK_MS << MEASURE | SUM, 0)
        return open_ms

    def _of_norm(self, norm: Norm, numbers: list[int]) -> list[int]:
        names = {number: name for name, number in self.numbers.items()}
        offered = self.office.services
        return [n for n in numbers if (names[n] if names[n] in offered else OTHER) in norm.services]

    def _contradictions(self) -> dict[str, int]:
        out: dict[str, int] = {}
        for key, n in self.live.items():
            if key >> MEASURE & 255 == panes.CONTRADICTION:
                name = TYPES[key & SECONDS]
                out[name] = out.get(name, 0) + n
        return out

    # ---- one service; `numbers` are those that are shown under its name

    def _service(self, name: str, numbers: list[int], fine: bool) -> ServiceView:
        norms = [norm for norm in self.norms if name in norm.services]
        waiting = [leg for number in numbers for leg in self.waiting.get(number, ())]
        lifetime = {tally: self._timed(numbers, measure) for tally, measure in TIMED.items()}
        lifetime |= {tally: self._plain(numbers, measure) for tally, measure in PLAIN.items()}
        greatest = {t: n + self._deficit(numbers, TIMED[t], panes.BEYOND) for t, n in lifetime.items() if t in TIMED}
        greatest |= {t: n + self._deficit(numbers, PLAIN[t], 0) for t, n in lifetime.items() if t in PLAIN}
        started = panes.REACHED + panes.ISSUED_TO_STARTED
        lifetime[Tally.STARTED] = self._timed(numbers, started)
        greatest[Tally.STARTED] = lifetime[Tally.STARTED] + self._deficit(numbers, started, 0)
        lifetime[Tally.ISSUED] = self._plain(numbers, panes.ISSUED)
        served = [self._timed(numbers, panes.SERVED + outcome) for outcome in range(len(OUTCOMES))]
        lifetime[Tally.SERVED] = sum(served)
        issued = {
            channel: sum(
                self.total.get(head, 0) + self.office.deficits.get(head, 0)
                for head in (number << 2 << CELL | i << CELL for number in numbers)
            )
            for i, channel in enumerate(CHANNELS)
        }
        return ServiceView(
            service=name,
            greatest_issued=issued,
            greatest=greatest,
            greatest_served={
                outcome: served[i] + self._deficit(numbers, panes.SERVED + i, 0) for i, outcome in enumerate(OUTCOMES)
            },
            greatest_waits={end: self._histogram(numbers, measure) for end, measure in ENDS.items()},
            waiting=len(waiting),
            waiting_since_ms=min((visit.since for visit in waiting), default=None),
            waiting_beyond={norm.id: self._beyond(norm, waiting) for norm in norms},
            lifetime=lifetime,
            lifetime_wait_ms={
                end: sum(self.total.get(head | SUM, 0) for head in _heads(numbers, measure))
                for end, measure in ENDS.items()
            },
            lifetime_visits={norm.id: self._counts(self.total, norm, norm.clock.per, numbers) for norm in norms},
            window_waits={window: self._stats(window, numbers) for window in Window} if fine else {},
            window_visits={
                (norm.id, window): self._counts(sums.coarse, norm, norm.clock.per, numbers)
                for norm in norms
                for window, sums in self.windows.items()
            }
            if fine
            else {},
        )

    def _plain(self, numbers: list[int], measure: int) -> int:
        return sum(self.total.get(head, 0) for head in _heads(numbers, measure))

    def _timed(self, numbers: list[int], measure: int) -> int:
        return sum(sum(within(self.total, head, 0, self.bounds)) for head in _heads(numbers, measure))

    def _deficit(self, numbers: list[int], measure: int, seconds: int) -> int:
        return sum(
            self.office.deficits.get(number << 2 << CELL | measure << MEASURE | seconds, 0) for number in numbers
        )

    def _histogram(self, numbers: list[int], measure: int) -> Histogram:
        heads = list(_heads(numbers, measure))
        cumulative = []
        below = 0
        for bound in self.bounds:
            below += sum(self.total.get(head | bound, 0) for head in heads)
            cumulative.append(below + self._deficit(numbers, measure, bound))
        count = below + sum(self.total.get(head | panes.BEYOND, 0) for head in heads)
        sum_ms = sum(self.total.get(head | SUM, 0) for head in heads)
        return Histogram(
            tuple(cumulative),
            count + self._deficit(numbers, measure, panes.BEYOND),
            sum_ms + self._deficit(numbers, measure, SUM),
        )

    def _beyond(self, norm: Norm, waiting: list[Visit]) -> int:
        start, end = STARTS[norm.clock.start], ENDS_OF_CLOCKS[norm.clock.end]
        per = norm.clock.per
        limit = norm.threshold_s * 1000
        return sum(
            visit.waited(self.now, start, end, per_visit=per is Per.VISIT, per_first=per is Per.FIRST) > limit
            for visit in waiting
            if CHANNELS[visit.cell & 3] in norm.channels
        )

    def _counts(self, row: Row, norm: Norm, per: Per, numbers: list[int]) -> Counts:
        channels = [i for i in ALL_CHANNELS if CHANNELS[i] in norm.channels]
        answered, left = answered_and_left(norm, per)
        inside = outside = left_inside = left_outside = 0
        for measure, sign in answered:
            for head in _heads(numbers, measure, channels):
                a, b = within(row, head, norm.threshold_s, self.bounds)
                inside += sign * a
                outside += sign * b
        for measure in left:
            for head in _heads(numbers, measure, channels):
                a, b = within(row, head, norm.threshold_s, self.bounds)
                left_inside += a
                left_outside += b
        return Counts(inside, outside, left_inside, left_outside)

    def _stats(self, window: Window, numbers: list[int]) -> WaitStats:
        sums = self.windows[window]
        heads = list(_heads(numbers, WAITS))
        count = sum(sum(within(sums.coarse, head, 0, self.bounds)) for head in heads)
        sum_ms = sum(sums.coarse.get(head | SUM, 0) for head in heads)
        if window is Window.MONTH:
            return WaitStats(count, sum_ms, {}, None)
        wanted = set(numbers)
        waits: Row = {}
        for key, n in sums.waits.items():
            if key >> MEASURE in wanted:
                waits[key & SECONDS] = waits.get(key & SECONDS, 0) + n
        return WaitStats(count, sum_ms, percentiles(waits), max(waits, default=None))


def _heads(numbers: list[int], measure: int, channels: "range | list[int]" = ALL_CHANNELS) -> Iterator[int]:
    """The keys, without seconds, of a measure under some services and channels."""
    for number in numbers:
        for channel in channels:
            yield (number << 2 | channel) << CELL | measure << MEASURE
