"""What a scrape adds up of an office: only what has changed since the last one.

What is remembered for it is no state: it can be thrown away at any time and is built again from the panes.
"""

from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from attente.core.calendar import HOUR_MS
from attente.core.days import unpack_row
from attente.core.office import Office
from attente.core.panes import PANE_MS, Row
from attente.core.plan import Plan
from attente.core.sums import Sums
from attente.core.view import Window

_FRESH: Final = 3  # panes at most: what a scrape adds up anew; events come to the newest, and some late ones to another


class Figures(NamedTuple):
    """What has been added up for an office: over the life of its state, by window, and on demand over some days."""

    total: Sums
    windows: dict[Window, Sums]
    of_days: Callable[[int, int], Sums]
    """From a business day to another, both included."""


class _Four(NamedTuple):
    """Of some panes and days: of the hour, of the business day, of its calendar month up to then, and in all."""

    hour: Sums
    today: Sums
    month: Sums
    total: Sums

    def copy(self) -> "_Four":
        """The same four, to add to."""
        return _Four(*(sums.copy() for sums in self))


class Memory:
    """The figures of an office as they were added up last.

    Attributes:
        moment: the business day and the hour (ms) of which they are.
    """

    def __init__(self, plan: Plan) -> None:
        """Remembers nothing yet."""
        self._plan = plan
        self.moment = (-1, -1)
        self._frontier = -1  # the pane at which the present hour begins
        self._days: dict[int, Sums] = {}  # by business day, of the panes before
        self._present: dict[int, Sums] = {}  # of each pane from there on
        self._fresh: set[int] = set()  # of those the ones that events now come to, as a rule the newest alone
        # Of what is before the frontier, and of all but the fresh panes; None when something of it has changed.
        self._before: _Four | None = None
        self._rest: _Four | None = None
        # Of what is sealed: the day for which, and the number of changes after which, the next four were added up.
        self._sealed = (-1, -1)
        self._lifetime = Sums(plan)
        self._sealed_today = Sums(plan)
        self._moving = Sums(plan)  # of the month's days before, by whether the day still moves
        self._resting = Sums(plan)
        self._rested: dict[int, bytes] = {}  # the days that `_resting` holds, packed

    def figures(self, office: Office, day: int, hour: int, touched: set[int]) -> Figures:
        """The figures now.

        Args:
            office: whose; always the same one.
            day: the business day.
            hour: when the present hour began, in ms.
            touched: the panes that have changed since the last call.
        """
        if (day, hour) != self.moment:
            self.moment = (day, hour)
            self._before = None
        changed = self._advance(office, touched, hour // PANE_MS)
        self._unseal(office, day)
        if self._before is None:
            self._before = self._added_before(office)
            self._rest = None
        if self._rest is None or not changed <= self._fresh:
            self._fresh = changed if len(changed) <= _FRESH else {max(changed)}
            self._rest = self._plus(self._before, office, self._present.keys() - self._fresh)
        now = self._plus(self._rest, office, self._present.keys() & self._fresh)
        windows = {Window.HOUR: now.hour, Window.DAY: now.today, Window.MONTH: now.month}
        return Figures(now.total, windows, lambda first, last: self._of_days(office, first, last))

    def _of_days(self, office: Office, first: int, last: int) -> Sums:
        """All figures of some business days, from the first to the last; nothing of it is remembered."""
        sums = Sums(self._plan)
        for day in office.days.all():
            if first <= day <= last:
                sums.add_row(office.days.row(day), self._plan)
        for pane, row in office.panes.items():
            if first <= office.calendar.day_of(pane * PANE_MS) <= last:
                sums.add_row(row, self._plan)
        return sums

    def _added_before(self, office: Office) -> _Four:
        """Add up what lies before the present hour."""
        day, _ = self.moment
        first = office.calendar.month_of(day)
        today, month, total = Sums(self._plan), Sums(self._plan), Sums(self._plan)
        for sums in (self._lifetime, *self._days.values()):
            total.add(sums)
        today.add(self._sealed_today)
        if day in self._days:
            today.add(self._days[day])
        for sums in (self._resting, self._moving, today):
            month.add(sums)
        for other, sums in self._days.items():
            if first <= other < day:
                month.add(sums)
        return _Four(Sums(self._plan), today, month, total)

    def _plus(self, some: _Four, office: Office, panes: Iterable[int]) -> _Four:
        """The four with panes of the present hour, or after it."""
        day, hour = self.moment
        end = (hour + HOUR_MS) // PANE_MS
        now = some.copy()
        together = Sums(self._plan)  # of the panes that belong to all four, as nearly every one does
        for pane in panes:
            sums = self._present[pane]
            other = office.calendar.day_of(pane * PANE_MS)
            if pane < end and other == day:
                together.add(sums)
                continue
            now.total.add(sums)
            if pane < end:
                now.hour.add(sums)
            if other == day:
                now.today.add(sums)
            if office.calendar.month_of(day) <= other <= day:  # yesterday's, where the cut-over lies within an hour
                now.month.add(sums)
        for sums in now:
            sums.add(together)
        return now

    def _advance(self, office: Office, touched: set[int], frontier: int) -> set[int]:
        """Bring the sums of the panes up to date; gives those from the frontier on that have changed."""
        day_of = office.calendar.day_of
        stale = {day_of(pane * PANE_MS) for pane in touched if pane < frontier}
        changed = {pane for pane in touched if pane >= frontier}
        if frontier != self._frontier:
            low, high = sorted((frontier, self._frontier))
            stale |= {day_of(pane * PANE_MS) for pane in office.panes if low <= pane < high}
            self._present = {pane: sums for pane, sums in self._present.items() if pane >= frontier}
            changed |= {pane for pane in office.panes if pane >= frontier and pane not in self._present}
            self._frontier = frontier
        for day in stale:
            self._before = None
            begin, end = self._bounds(office, day)
            self._days.pop(day, None)
            if rows := [row for pane, row in office.panes.items() if begin <= pane < end and row]:
                self._days[day] = self._sum(rows)
        for pane in changed:
            self._present.pop(pane, None)
            if row := office.panes.get(pane):
                self._present[pane] = self._sum([row])
        return changed

    def _bounds(self, office: Office, day: int) -> tuple[int, int]:
        """The panes of a day before the frontier: the first, and the one after the last."""
        start_of = office.calendar.start_of
        return start_of(day) // PANE_MS, min(start_of(day + 1) // PANE_MS, self._frontier)

    def _sum(self, rows: list[Row]) -> Sums:
        sums = Sums(self._plan)
        for row in rows:
            sums.add_row(row, self._plan)
        return sums

    def _unseal(self, office: Office, day: int) -> None:
        """Add up sealed figures where they have changed, or another day has begun."""
        plan, days = self._plan, office.days
        if self._sealed == (day, days.changes):
            return
        self._before = None
        self._sealed = (day, days.changes)
        first = office.calendar.month_of(day)
        self._lifetime = self._sum([days.lifetime])
        self._lifetime.contradictions.clear()  # the gauge is of the facts held
        self._sealed_today = self._sum([days.row(day)])
        self._moving = self._sum([row for other, row in days.moving.items() if first <= other < day])
        wanted = {other: packed for other, packed in days.resting.items() if first <= other < day}
        # A day that is packed again is another object; to unpack a month of days takes 20 ms, one of them 1 ms.
        if any(wanted.get(other) is not packed for other, packed in self._rested.items()):
            self._rested = {}
            self._resting = Sums(plan)
        for other in wanted.keys() - self._rested.keys():
            self._resting.add_row(unpack_row(wanted[other]), plan)
        self._rested = wanted
