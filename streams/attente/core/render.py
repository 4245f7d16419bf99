"""From state to view: what a scrape may see of a partition, computed from what has changed since the last one.

The renderer's memory is no state: it can be thrown away at any time and is built again from the panes.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from attente.core.calendar import HOUR_MS
from attente.core.days import unpack_row
from attente.core.office import Office
from attente.core.panes import PANE_MS
from attente.core.partition import Partition
from attente.core.plan import Plan
from attente.core.portrait import Figures, heard_ms, kiosks, portray
from attente.core.sums import Readings, Sums
from attente.core.view import OfficeView, PartitionView, Window
from attente.model.partitioning import partition_of


class Memory:
    """What the renderer remembers of an office, so that a scrape adds up only what has changed since the last one.

    Attributes:
        frontier: the pane at which the present hour begins.
        days: sums by business day over the panes before the frontier.
        sealed: the business day for which, and the number of changes after which, the next four were added up.
        lifetime: sums of all sealed figures.
        sealed_today: of those of the business day.
        moving, resting: of those of its calendar month before it, by whether the day still moves.
        rested: the days that `resting` holds, packed.
        moment: the day and the hour of `view`.
        view: what was rendered last.
    """

    def __init__(self, plan: Plan) -> None:
        self.frontier = -1
        self.days: dict[int, Sums] = {}
        self.sealed = (-1, -1)
        self.lifetime = Sums(plan)
        self.sealed_today = Sums(plan)
        self.moving = Sums(plan)
        self.resting = Sums(plan)
        self.rested: dict[int, bytes] = {}
        self.moment = (-1, -1)
        self.view: OfficeView | None = None


class Renderer:
    """Renders a partition, office by office."""

    def __init__(self, partition: Partition) -> None:
        self.partition = partition
        self.plan: Plan = partition.plan
        self.readings = Readings(self.plan)
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
            part.number,
            self.plan.bounds,
            offices,
            part.read,
            part.counted,
            part.duplicate,
            dict(part.refused),
            dict(part.signatures),
            {source: dict(counts) for source, counts in part.refused_of.items()},
        )

    def office(self, key: bytes, now: int) -> OfficeView:
        """The view of one office."""
        office = self.partition.offices.get(key) or self.silent[key]
        memory = self.memory.get(key)
        if memory is None:
            memory = self.memory[key] = Memory(self.plan)
        day = office.calendar.day_of(now)
        hour = office.calendar.hour_of(now)
        touched = office.look()
        still = not office.open and not office.sessions
        if memory.view is not None and still and not touched and memory.moment == (day, hour):
            return replace(memory.view, as_of_ms=now, heard_ms=heard_ms(office), kiosks=kiosks(office))
        memory.moment = (day, hour)
        memory.view = portray(self.readings, office, now, day, self._figures(office, memory, touched))
        return memory.view

    def _figures(self, office: Office, memory: Memory, touched: set[int]) -> Figures:
        day, hour = memory.moment
        self._advance(office, memory, touched, hour // PANE_MS)
        self._unseal(office, memory, day)
        first = office.calendar.month_of(day)
        today, this_hour, month, total = Sums(self.plan), Sums(self.plan), Sums(self.plan), Sums(self.plan)
        for sums in (memory.lifetime, *memory.days.values()):
            total.add(sums)
        today.add(memory.sealed_today)
        if day in memory.days:
            today.add(memory.days[day])
        end = (hour + HOUR_MS) // PANE_MS
        for pane, row in office.panes.items():
            if pane >= memory.frontier:
                sums = Sums(self.plan)
                sums.add_row(row, self.plan)
                total.add(sums)
                if pane < end:
                    this_hour.add(sums)
                other = office.calendar.day_of(pane * PANE_MS)
                if other == day:
                    today.add(sums)
                elif first <= other < day:  # yesterday's, where the cut-over lies within an hour
                    month.add(sums)
        month.add(memory.resting)
        month.add(memory.moving)
        for other, sums in memory.days.items():
            if first <= other < day:
                month.add(sums)
        month.add(today)
        windows = {Window.HOUR: this_hour, Window.DAY: today, Window.MONTH: month}
        return Figures(total, windows, partial(self._of_days, office))

    def _of_days(self, office: Office, first: int, last: int) -> Sums:
        """All figures of some business days, from the first to the last; nothing of it is remembered."""
        sums = Sums(self.plan)
        for day in office.days.all():
            if first <= day <= last:
                sums.add_row(office.days.row(day), self.plan)
        for pane, row in office.panes.items():
            if first <= office.calendar.day_of(pane * PANE_MS) <= last:
                sums.add_row(row, self.plan)
        return sums

    def _advance(self, office: Office, memory: Memory, touched: set[int], frontier: int) -> None:
        """Bring the sums of the panes before the frontier up to date."""
        day_of, start_of = office.calendar.day_of, office.calendar.start_of
        stale = {day_of(pane * PANE_MS) for pane in touched if pane < frontier}
        if frontier != memory.frontier:
            low, high = sorted((frontier, memory.frontier))
            stale |= {day_of(pane * PANE_MS) for pane in office.panes if low <= pane < high}
            memory.frontier = frontier
        for day in stale:
            begin, end = start_of(day) // PANE_MS, min(start_of(day + 1) // PANE_MS, frontier)
            rows = [row for pane, row in office.panes.items() if begin <= pane < end and row]
            memory.days.pop(day, None)
            if rows:
                sums = memory.days[day] = Sums(self.plan)
                for row in rows:
                    sums.add_row(row, self.plan)

    def _unseal(self, office: Office, memory: Memory, day: int) -> None:
        """Add up sealed figures where they have changed, or another day has begun."""
        plan, days = self.plan, office.days
        if memory.sealed == (day, days.changes):
            return
        memory.sealed = (day, days.changes)
        first = office.calendar.month_of(day)
        memory.lifetime, memory.sealed_today, memory.moving = Sums(plan), Sums(plan), Sums(plan)
        memory.lifetime.add_row(days.lifetime, plan)
        memory.lifetime.contradictions.clear()  # the gauge is of the facts held
        memory.sealed_today.add_row(days.row(day), plan)
        for other, row in days.moving.items():
            if first <= other < day:
                memory.moving.add_row(row, plan)
        wanted = {other: packed for other, packed in days.resting.items() if first <= other < day}
        # A day that is packed again is another object; to unpack a month of days takes 20 ms, one of them 1 ms.
        if any(wanted.get(other) is not packed for other, packed in memory.rested.items()):
            memory.rested = {}
            memory.resting = Sums(plan)
        for other in wanted.keys() - memory.rested.keys():
            memory.resting.add_row(unpack_row(wanted[other]), plan)
        memory.rested = wanted
