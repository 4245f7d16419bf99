"""Opening hours as Alertmanager's time intervals.

An alert for an office is told while the office is open, which is the same as `registry.openings.is_open_at` says.
Time intervals can only be added up, never subtracted, so each schedule has two of them: *open* holds the weekly hours
and the hours of special days, *closed* what special days take away from the weekly ones. A route that is active in the
first and muted in the second lets through exactly the opening hours. Both speak of the clock on the office's wall
(`location`, which Alertmanager has since 0.25), so that a change of the clocks needs nothing more.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from attente.registry.entities import Exceptional, Hours, Office, OpeningCalendar, Registry

DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
"""As Alertmanager names them. Ranges are not used: its week begins on Sunday, and `saturday:sunday` is refused."""

_MIDNIGHT: Final = 1440

Interval = dict[str, object]
"""One entry of a time interval as Alertmanager reads it; all its conditions hold together."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """When alerts of some offices are told.

    Attributes:
        name: what its time intervals are called, before `/open` and `/closed`.
        matchers: the labels by which an alert is known to be of these offices.
        zone: the IANA zone of the clock on the wall.
        weekly: hours from Monday on.
        special: hours of days, as ordinals ascending, on which they differ from the weekly ones.
    """

    name: str
    matchers: tuple[tuple[str, str], ...]
    zone: str
    weekly: tuple[Hours, ...] = field(repr=False)
    special: tuple[tuple[int, Hours], ...] = field(repr=False)

    @property
    def opens(self) -> bool:
        """Whether it is ever open."""
        return any(self.weekly) or any(hours for _, hours in self.special)

    def gates(self) -> dict[str, list[str]]:
        """What a route says to let its alerts through in opening hours only.

        One that never opens is muted all day: a time interval without entries has no stated meaning.
        """
        gates = {"active_time_intervals": [f"{self.name}/open"]} if self.opens else {}
        if self._taken() or not self.opens:
            gates["mute_time_intervals"] = [f"{self.name}/closed"]
        return gates

    def intervals(self) -> Iterator[tuple[str, list[Interval]]]:
        """The time intervals that `gates` names, each with its entries."""
        if not self.opens:
            yield f"{self.name}/closed", [self._entry(((0, _MIDNIGHT),))]
            return
        yield f"{self.name}/open", [*self._weeks(), *self._dates((day, hours) for day, hours in self.special if hours)]
        if taken := self._taken():
            yield f"{self.name}/closed", taken

    def _taken(self) -> list[Interval]:
        return list(self._dates((day, _complement(hours)) for day, hours in self.special))

    def _weeks(self) -> Iterator[Interval]:
        days: dict[Hours, list[str]] = defaultdict(list)
        for name, hours in zip(DAYS, self.weekly, strict=True):
            if hours:
                days[hours].append(name)
        for hours, names in days.items():
            yield self._entry(hours, weekdays=names)

    def _dates(self, days: Iterable[tuple[int, Hours]]) -> Iterator[Interval]:
        months: dict[tuple[int, int, Hours], list[int]] = defaultdict(list)
        for day, hours in days:
            if hours:
                on = date.fromordinal(day)
                months[on.year, on.month, hours].append(on.day)
        for (year, month, hours), numbers in months.items():
            yield self._entry(hours, days_of_month=_runs(numbers), months=[str(month)], years=[str(year)])

    def _entry(self, hours: Hours, **when: list[str]) -> Interval:
        times = [{"start_time": _time(begin), "end_time": _time(end)} for begin, end in hours]
        return {"times": times, **when, "location": self.zone}


def schedules(registry: Registry) -> dict[str, Schedule]:
    """The schedule of every office that has a calendar, by the office's id.

    Offices of one calendar and one zone share a schedule; one that has closures of its own has its own.
    """
    special = {calendar.id: _special(calendar) for calendar in registry.calendars.values()}
    shared: dict[tuple[str, str], Schedule] = {}
    found = {}
    for office in registry.offices.values():
        calendar = registry.calendars.get(office.calendar)
        if calendar is None:
            continue
        if office.closures:
            found[office.id] = _own(office, calendar, special[calendar.id])
            continue
        key = calendar.id, office.zone
        if key not in shared:
            name = f"calendar/{calendar.id}/{office.zone}"
            matchers = ("calendar", calendar.id), ("zone", office.zone)
            shared[key] = _schedule(name, matchers, office.zone, calendar, special[calendar.id])
        found[office.id] = shared[key]
    return found


def _own(office: Office, calendar: OpeningCalendar, special: Mapping[int, Hours]) -> Schedule:
    """An office's closures come before all that its calendar says of a day."""
    days = {**special, **dict(_days(office.closures))}
    return _schedule(f"office/{office.id}", (("office", office.id),), office.zone, calendar, days)


def _schedule(
    name: str,
    matchers: tuple[tuple[str, str], ...],
    zone: str,
    calendar: OpeningCalendar,
    special: Mapping[int, Hours],
) -> Schedule:
    differing = ((day, hours) for day, hours in sorted(special.items()) if hours != calendar.weekly[(day - 1) % 7])
    return Schedule(name, matchers, zone, calendar.weekly, tuple(differing))


def _special(calendar: OpeningCalendar) -> dict[int, Hours]:
    return {**dict.fromkeys(calendar.holidays, ()), **dict(_days(calendar.exceptions))}


def _days(exceptions: Iterable[Exceptional]) -> Iterator[tuple[int, Hours]]:
    for one in exceptions:
        for day in range(one.first, one.last + 1):
            yield day, one.hours


def _complement(hours: Hours) -> Hours:
    """What a day has beside these hours."""
    edges = [0, *(minute for span in hours for minute in span), _MIDNIGHT]
    return tuple((begin, end) for begin, end in zip(edges[::2], edges[1::2], strict=True) if begin < end)


def _runs(numbers: Iterable[int]) -> list[str]:
    """Ascending days of a month, neighbours as ranges."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return [str(first) if first == last else f"{first}:{last}" for first, last in runs]


def _time(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"
