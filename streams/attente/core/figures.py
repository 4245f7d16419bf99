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
from attente.core.sessions import fold_sessions, overlap_ms
from attente.core.sums import Sums
from attente.core.view import Window

_FRESH: Final = 3  # panes at most: what a scrape adds up anew; events come to the newest, and some late ones to another


class Figures(NamedTuple):
    """What has been added up for an office: over the life of its state, by window, and on demand over some days."""

    total: Sums
    windows: dict[Window, Sums]
    spans: "Spans"
    opened: list["Opened"]
    of_days: Callable[[int, int], Sums]
    """From a business day to another, both included."""


Spans = tuple[tuple[int, int], ...]
"""Where each window begins and ends, in ms, in the order of `Window`."""


class Opened:
    """When a desk, or the office itself (""), was open on a business day.

    Attributes:
        day: the business day.
        desk: its id.
        facts: of which it was made.
        sessions: folded from them.
        day_end: the cut-over (ms) at which a session ends that is left open.
    """

    __slots__ = ("_closed_ms", "_spans", "day", "day_end", "desk", "facts", "sessions")

    def __init__(self, day: int, desk: str, facts: list[int], day_end: int) -> None:
        """Folds facts."""
        self.day = day
        self.desk = desk
        self.facts = facts
        self.sessions = fold_sessions(facts)
        self.day_end = day_end
        self._spans: Spans = ()
        self._closed_ms: tuple[int, ...] = ()

    def is_open(self, now: int) -> bool:
        """Whether it is open at an instant of that day."""
        return self.sessions.is_open(now, self.day_end)

    def open_ms(self, now: int, spans: Spans) -> tuple[int, ...]:
        """How long it was open until now in each window; what a fact has ended is added up once for the same spans."""
        sessions = self.sessions
        if spans is not self._spans:
            self._spans = spans
            self._closed_ms = tuple([overlap_ms(sessions.closed, *span) for span in spans])
        since = sessions.open_since
        if since < 0:
            return self._closed_ms
        until = min(now, self.day_end)
        return tuple(
            [
                closed_ms + max(0, min(until, end) - max(since, begin))
                for closed_ms, (begin, end) in zip(self._closed_ms, spans, strict=True)
            ]
        )


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
        self._spans: Spans = ()  # of the windows of that moment
        self._frontier = -1  # the pane at which the present hour begins
        self._days: dict[int, Sums] = {}  # by business day, of the panes before
        # Of everything but the fresh panes: those that events come to now, as a rule the newest alone. None when some
        # of it has changed.
        self._rest: _Four | None = None
        self._fresh: set[int] = set()
        # Of what is sealed: the day for which, and the number of changes after which, the next four were added up.
        self._sealed = (-1, -1)
        self._lifetime = Sums(plan)
        self._sealed_today = Sums(plan)
        self._moving = Sums(plan)  # of the month's days before, by whether the day still moves
        self._resting = Sums(plan)
        self._rested: dict[int, bytes] = {}  # the days that `_resting` holds, packed
        self._opened: dict[tuple[int, str], Opened] = {}

    def figures(self, office: Office, day: int, hour: int, touched: dict[int, Row]) -> Figures:
        """The figures now.

        Args:
            office: whose; always the same one.
            day: the business day.
            hour: when the present hour began, in ms.
            touched: the panes that have changed since the last call, as `Office.look` gives them.
        """
        if (day, hour) != self.moment:
            self.moment = (day, hour)
            self._spans = _spans(office, day, hour)
            self._rest = None
        self._advance(office, touched, hour // PANE_MS)
        self._unseal(office, day)
        present = {pane for pane in touched if pane >= self._frontier}
        if self._rest is None or not present <= self._fresh:
            every = {pane for pane in office.panes if pane >= self._frontier}
            self._fresh = present if 0 < len(present) <= _FRESH else set(sorted(every)[-1:])
            self._rest = self._plus(self._before(office), office, every - self._fresh)
        now = self._plus(self._rest.copy(), office, self._fresh)
        windows = {Window.HOUR: now.hour, Window.DAY: now.today, Window.MONTH: now.month}
        opened = self._open(office)
        return Figures(now.total, windows, self._spans, opened, lambda first, last: self._of_days(office, first, last))

    def _open(self, office: Office) -> list[Opened]:
        """When each desk was open, folded again where there are other facts than the last time."""
        known, self._opened = self._opened, {}
        for (day, desk), facts in office.sessions.items():
            found = known.get((day, desk))
            if found is None or found.facts is not facts:
                found = Opened(day, desk, facts, office.calendar.start_of(day + 1))
            self._opened[day, desk] = found
        return list(self._opened.values())

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

    def _before(self, office: Office) -> _Four:
        """What lies before the present hour."""
        day, _ = self.moment
        first = office.calendar.month_of(day)
        hour, today = Sums(self._plan), Sums(self._plan)
        month, total = (Sums(self._plan, has_waits=False) for _ in range(2))
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
        return _Four(hour, today, month, total)

    def _plus(self, some: _Four, office: Office, panes: Iterable[int]) -> _Four:
        """The four, with panes of the present hour, or after it, added to them."""
        day, hour = self.moment
        end = (hour + HOUR_MS) // PANE_MS
        together = Sums(self._plan)  # of the panes that belong to all four, as nearly every one does
        for pane in panes:
            row = office.panes.get(pane, {})
            other = office.calendar.day_of(pane * PANE_MS)
            if pane < end and other == day:
                together.add_row(row, self._plan)
                continue
            some.total.add_row(row, self._plan)
            if pane < end:
                some.hour.add_row(row, self._plan)
            if other == day:
                some.today.add_row(row, self._plan)
            if office.calendar.month_of(day) <= other <= day:  # yesterday's, where the cut-over lies within an hour
                some.month.add_row(row, self._plan)
        for sums in some:
            sums.add(together)
        return some

    def _advance(self, office: Office, touched: dict[int, Row], frontier: int) -> None:
        """Bring the sums of the panes before the frontier up to date: take away what a pane was, add what it is."""
        known = self._frontier
        if frontier < known:  # elapsed time had gone ahead of stream time
            self._days, known = {}, -1
        for pane, before in touched.items():
            if pane < known:
                self._rest = None
                sums = self._of_day(office, pane)
                sums.add_row(before, self._plan, -1)
                sums.add_row(office.panes.get(pane, {}), self._plan)
        if frontier > known:
            for pane, row in office.panes.items():
                if known <= pane < frontier:
                    self._of_day(office, pane).add_row(row, self._plan)
        if self._rest is None:
            self._days = {day: sums for day, sums in self._days.items() if not sums.is_nothing()}
        self._frontier = office.summed = frontier

    def _of_day(self, office: Office, pane: int) -> Sums:
        """The sums of the day of a pane."""
        day = office.calendar.day_of(pane * PANE_MS)
        sums = self._days.get(day)
        if sums is None:
            sums = self._days[day] = Sums(self._plan)
        return sums

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
        self._rest = None
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


def _spans(office: Office, day: int, hour: int) -> Spans:
    start_of = office.calendar.start_of
    tomorrow = start_of(day + 1)
    spans = {
        Window.HOUR: (hour, hour + HOUR_MS),
        Window.DAY: (start_of(day), tomorrow),
        Window.MONTH: (start_of(office.calendar.month_of(day)), tomorrow),
    }
    return tuple(spans[window] for window in Window)
