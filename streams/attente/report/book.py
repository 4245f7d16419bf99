"""What a whole file counted: exact rows by office and business day, and waits by hour of the week."""

from collections.abc import Container, Iterator, Mapping
from datetime import UTC, datetime
from typing import Final

from attente.core import panes
from attente.core.calendar import Calendar
from attente.core.days import pack_row, unpack_row
from attente.core.office import Office
from attente.core.panes import CELL, MEASURE, PANE_MS, SECONDS, SUM, Row
from attente.core.partition import Partition
from attente.core.plan import Plan
from attente.core.sessions import fold_sessions

HOURS: Final = 168
"""Hours of a week; hour 0 begins on Monday at midnight, by the office's clock."""

CALLED: Final = panes.REACHED + panes.ISSUED_TO_CALLED
_MOVING: Final = 3  # days of an office that are held unpacked: late facts change the last two, hardly ever an older one


class Book:
    """Keeps exactly what a partition's offices seal, and in the end what they still hold.

    A day that hardly changes any more is packed, to 4 to 6 bytes an entry: a year of days takes the memory of a few.

    Attributes:
        hours: hour of the week -> whole seconds -> legs called in that hour, over all offices and services that are
            wanted.
    """

    def __init__(self, plan: Plan, offices: Container[str], services: Container[int] | None = None) -> None:
        """An empty book.

        Args:
            plan: the registry, compiled.
            offices: the ids of those that are wanted; of others nothing is kept.
            services: the numbers of those whose waits go into `hours`; None takes all.
        """
        self.hours: dict[int, Row] = {}
        self._plan = plan
        self._offices = offices
        self._services = services
        self._moving: dict[str, dict[int, Row]] = {}
        self._resting: dict[str, dict[int, bytes]] = {}
        self._hours_of: dict[tuple[int, int], int] = {}

    def sealed(self, office: str, counts: Mapping[tuple[int, int], int]) -> None:
        """Take contributions that can no longer change."""
        if office not in self._offices:
            return
        by_pane: dict[int, Row] = {}
        for (pane, key), n in counts.items():
            row = by_pane.get(pane)
            if row is None:
                row = by_pane[pane] = {}
            row[key] = n
        for pane, row in by_pane.items():
            self._take(office, pane, row)

    def close(self, partition: Partition) -> None:
        """Take what the offices of a partition still hold; a session that is open counts up to stream time."""
        for office in partition.offices.values():
            if office.id in self._offices:
                for pane, row in office.panes.items():
                    self._take(office.id, pane, row)
                self._close_sessions(office, partition.stream)

    def _take(self, office: str, pane: int, counts: Row) -> None:
        calendar = self._plan.offices[office.encode()].calendar
        row = self._row(office, calendar.day_of(pane * PANE_MS))
        services = self._services
        for key, n in counts.items():
            row[key] = row.get(key, 0) + n
            if key >> MEASURE & 255 != CALLED or key & SECONDS == SUM:
                continue
            if services is None or key >> CELL >> 2 in services:
                waits = self.hours.setdefault(self._hour_of(calendar, pane), {})
                waits[key & SECONDS] = waits.get(key & SECONDS, 0) + n

    def _close_sessions(self, office: Office, stream: int) -> None:
        for (day, desk), facts in office.sessions.items():
            begin, end = office.calendar.start_of(day), office.calendar.start_of(day + 1)
            opened = sum(until - since for since, until in fold_sessions(facts).until(stream, end))
            measure = panes.OPEN_DESK_MS if desk else panes.OPEN_OFFICE_MS
            self._take(office.id, begin // PANE_MS, {measure << MEASURE | SUM: opened})

    def offices(self) -> list[str]:
        """The offices that something was counted of, in the order of their ids."""
        return sorted(self._moving.keys() | self._resting.keys())

    def days(self, office: str) -> Iterator[tuple[int, Row]]:
        """The business days of an office, in order, and what was counted; rows are not to be changed."""
        days = self._moving.get(office, {}).keys() | self._resting.get(office, {}).keys()
        for day in sorted(days):
            yield day, self.day(office, day)

    def day(self, office: str, day: int) -> Row:
        """What was counted of an office on one business day; nothing where there is no such day."""
        row = self._moving.get(office, {}).get(day)
        if row is not None:
            return row
        packed = self._resting.get(office, {}).get(day)
        return {} if packed is None else unpack_row(packed)

    def _row(self, office: str, day: int) -> Row:
        moving = self._moving.setdefault(office, {})
        row = moving.get(day)
        if row is None:
            resting = self._resting.setdefault(office, {})
            packed = resting.pop(day, None)
            row = moving[day] = {} if packed is None else unpack_row(packed)
            if len(moving) > _MOVING:
                oldest = min(other for other in moving if other != day)
                resting[oldest] = pack_row(moving.pop(oldest))
        return row

    def _hour_of(self, calendar: Calendar, pane: int) -> int:
        name = (id(calendar), pane)
        hour = self._hours_of.get(name)
        if hour is None:
            local = datetime.fromtimestamp(pane * PANE_MS / 1000, UTC).astimezone(calendar.zone)
            hour = self._hours_of[name] = local.weekday() * 24 + local.hour
        return hour
