"""When an office is open by its calendar, in integer milliseconds.

An office is open while the clock on its wall shows a time within the hours of the date that it shows. That is the one
answer to every odd night: of hours that a change of the clocks skips nothing is left, and hours that it repeats are
open both times. Zone rules are those of `zones.rules`.
"""

from bisect import bisect_right
from typing import Final

from attente.registry import zones
from attente.registry.entities import Exceptional, Hours, Office, Registry

EPOCH_DAY: Final = 719_163  # date(1970, 1, 1).toordinal()
DAY_S: Final = 86_400
DAY_MIN: Final = 1440
FARTHEST_S: Final = 2 * DAY_S
"""No zone is farther from UTC than 15 hours: the offsets of a local day are those of the two days around it."""


def hours_on(registry: Registry, office: Office, day: int) -> Hours:
    """The local hours of an office on a date, as ordinal; none for a day on which it is closed.

    What the office says of the date comes first, then what its calendar says of it, then that it is a holiday, then
    the weekday. An office without a calendar has no hours that anybody knows.
    """
    calendar = registry.calendars.get(office.calendar)
    if calendar is None:
        return ()
    for exceptional in (_of(day, office.closures), _of(day, calendar.exceptions)):
        if exceptional is not None:
            return exceptional.hours
    return () if day in calendar.holidays else calendar.weekly[(day - 1) % 7]  # ordinal 1 was a Monday


def _of(day: int, exceptions: tuple[Exceptional, ...]) -> Exceptional | None:
    return next((one for one in exceptions if one.first <= day <= one.last), None)


def open_spans(registry: Registry, office: Office, day: int) -> tuple[tuple[int, int], ...]:
    """The half-open stretches of time (ms) in which an office is open on a local date, ascending and apart.

    Args:
        registry: the network, for its calendars.
        office: the office; without a calendar it has none.
        day: a proleptic ordinal, `date.toordinal`.
    """
    hours = hours_on(registry, office, day)
    if not hours:
        return ()
    midnight = (day - EPOCH_DAY) * DAY_S
    stretches = _stretches(zones.rules(office.zone), midnight - FARTHEST_S, midnight + FARTHEST_S)
    pieces = sorted(
        (max(since, midnight + begin * 60 - offset), min(until, midnight + end * 60 - offset))
        for since, until, offset in stretches
        for begin, end in hours
    )
    spans: list[tuple[int, int]] = []
    for begin, end in pieces:
        if begin >= end:
            continue
        if spans and begin <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(end, spans[-1][1]))
        else:
            spans.append((begin, end))
    return tuple((begin * 1000, end * 1000) for begin, end in spans)


def _stretches(rules: zones.Rules, since: int, until: int) -> list[tuple[int, int, int]]:
    """The stretches of constant offset that make up `[since, until)`: begin, end, offset, in seconds."""
    stretches = []
    first = bisect_right(rules.changes, since, key=lambda change: change.at)
    for change in rules.changes[first:]:
        if change.at >= until:
            break
        stretches.append((since, change.at, change.before))
        since = change.at
    return [*stretches, (since, until, zones.offset_at(rules, since))]


def is_open_at(registry: Registry, office: Office, at_ms: int) -> bool:
    """Whether an office is open at an instant by its calendar; never, if it has none."""
    local = at_ms // 1000 + zones.offset_at(zones.rules(office.zone), at_ms // 1000)
    minute = local % DAY_S // 60
    return any(begin <= minute < end for begin, end in hours_on(registry, office, EPOCH_DAY + local // DAY_S))


def business_day(registry: Registry, zone: str, at_ms: int) -> int:
    """The date, as ordinal, of the business day that holds an instant in a zone of the network.

    A registry's cut-over exists exactly once on every night of its zones, so that the clock on the wall decides it.
    """
    local = at_ms // 1000 + zones.offset_at(zones.rules(zone), at_ms // 1000)
    return EPOCH_DAY + (local - registry.cut_over_min * 60) // DAY_S
