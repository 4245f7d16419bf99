"""Opening hours of a registry file: calendars, and what holds on some days in place of them.

calendars:
  - id: weekdays
    weekly:
      mon-thu: [09:00-12:30, 13:30-17:00]
      fri: 09:00-12:30
    holidays: [2026-12-25, 2027-01-01]
    exceptions:
      - {date: 2026-12-24, hours: 09:00-12:00}
      - {from: 2026-08-03, to: 2026-08-14, hours: closed}
"""

from datetime import date
from itertools import pairwise
from typing import Final

from yaml import MappingNode, Node, ScalarNode

from attente.registry import scalars
from attente.registry.entities import Exceptional, Hours, OpeningCalendar
from attente.registry.fields import Fields, is_shape
from attente.registry.scalars import Unreadable

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
CLOSED: Final = "closed"
HOURS: Final = "[09:00-12:30, 13:30-17:00], 09:00-12:30 or closed"
WEEKLY: Final = "{mon-fri: [09:00-12:30, 13:30-17:00], sat: 09:00-12:00}"

CALENDAR_KEYS: Final = {
    "id": "weekdays",
    "weekly": WEEKLY,
    "holidays": "a list like [2026-12-25, 2027-01-01]",
    "exceptions": "a list of {date: 2026-12-24, hours: 09:00-12:00}",
}
EXCEPTION_KEYS: Final = {"date": "2026-12-24", "from": "2026-08-03", "to": "2026-08-14", "hours": HOURS}
WEEK_KEYS: Final = dict.fromkeys(WEEKDAYS, HOURS) | {
    f"{first}-{last}": HOURS for i, first in enumerate(WEEKDAYS) for last in WEEKDAYS[i + 1 :]
}


def calendar(fields: Fields, identity: str) -> OpeningCalendar:
    """The calendar that a mapping describes."""
    return OpeningCalendar(identity, _weekly(fields), _holidays(fields), exceptions(fields, "exceptions"))


def _weekly(fields: Fields) -> tuple[Hours, ...]:
    node = fields.values.get("weekly")
    week: list[Hours] = [()] * len(WEEKDAYS)
    if node is None:
        fields.fail("weekly", f"weekly is missing; add weekly: {WEEKLY}")
    elif not is_shape(node, MappingNode, f"{fields.where}weekly ", WEEKLY, fields.problems):
        fields.failed.add("weekly")
    else:
        days = Fields(node, f"{fields.where}weekly: ", WEEK_KEYS, fields.problems)
        lines: dict[int, tuple[str, int]] = {}
        for key, value in days.values.items():
            hours = _hours(days, key, value)
            first, _, last = key.partition("-")
            for day in range(WEEKDAYS.index(first), WEEKDAYS.index(last or first) + 1):
                if day in lines:
                    before, line = lines[day]
                    again = f"{WEEKDAYS[day]} is told by {before} in line {line} already; tell each day once"
                    days.fail(key, f"{key}: {again}")
                    break
                lines[day] = (key, value.start_mark.line + 1)
                week[day] = hours
    return tuple(week)


def _holidays(fields: Fields) -> frozenset[int]:
    days: dict[int, Node] = {}
    for item in fields.items("holidays", at_least=0) if "holidays" in fields.values else ():
        if not is_shape(item, ScalarNode, f"{fields.where}holidays ", "2026-12-25", fields.problems):
            fields.failed.add("holidays")
            continue
        try:
            day = scalars.ordinal(item.value)
        except Unreadable as error:
            fields.flaw("holidays", item, str(error))
            continue
        if day in days:
            line = days[day].start_mark.line + 1
            fields.flaw("holidays", item, f"{item.value} stands in line {line} already; keep one of them")
        days.setdefault(day, item)
    return frozenset(days)


def exceptions(fields: Fields, key: str) -> tuple[Exceptional, ...]:
    """What holds on some days, in the order of the days; no day has two of them."""
    found: list[tuple[Exceptional, Node]] = []
    for number, node in enumerate(fields.items(key, at_least=0) if key in fields.values else (), 1):
        entry = Fields(node, f"{fields.where}{key} number {number}: ", EXCEPTION_KEYS, fields.problems)
        exceptional = _exceptional(entry)
        if entry.failed:
            fields.failed.add(key)
        else:
            found.append((exceptional, node))
    found.sort(key=lambda one: (one[0].first, one[1].start_mark.line, one[1].start_mark.column))
    # The one that reaches farthest so far, not merely the one before: a long closure may span several others.
    farthest = found[0] if found else None
    for one, node in found[1:]:
        if farthest is not None and one.first <= farthest[0].last:
            day = date.fromordinal(one.first)
            line = farthest[1].start_mark.line + 1
            fields.flaw(key, node, f"{day} has its hours from line {line} already; tell each day once")
        if farthest is None or one.last > farthest[0].last:
            farthest = (one, node)
    return tuple(one for one, _ in found)


def _exceptional(entry: Fields) -> Exceptional:
    stated = entry.values.keys() & {"date", "from", "to"}
    if not stated:
        if not entry.failed:
            entry.fail("date", "no day is told; add date: 2026-12-24, or from: and to:")
        return Exceptional(0, 0, ())
    if "date" in stated and len(stated) > 1:
        entry.fail("date", "date goes without from and to; keep one or the other")
    if "date" in stated:
        first = last = entry.scalar("date", scalars.ordinal)
    else:
        first = entry.scalar("from", scalars.ordinal)
        last = entry.scalar("to", scalars.ordinal)
    if not entry.failed and last < first:
        said, began = entry.at("to").value, entry.at("from").value
        entry.fail("to", f"to {said} is before from {began}; turn them round")
    node = entry.values.get("hours")
    return Exceptional(first, last, () if node is None else _hours(entry, "hours", node))


def _hours(fields: Fields, key: str, node: Node) -> Hours:
    """Hours as `closed`, one stretch, or a list of stretches."""
    if isinstance(node, ScalarNode) and node.value == CLOSED:
        return ()
    items = [node] if isinstance(node, ScalarNode) and node.value else fields.items(key)
    spans: list[tuple[tuple[int, int], Node]] = []
    for item in items:
        if not is_shape(item, ScalarNode, f"{fields.where}{key} ", HOURS, fields.problems):
            fields.failed.add(key)
        elif item.value == CLOSED:
            fields.flaw(key, item, "closed takes no company; write it without the list")
        else:
            try:
                spans.append((scalars.opening(item.value), item))
            except Unreadable as error:
                fields.flaw(key, item, str(error))
    spans.sort(key=lambda one: one[0])
    for (before, _), (span, item) in pairwise(spans):
        if span[0] < before[1]:
            fields.flaw(key, item, f"{item.value} overlaps {scalars.time_range(*before)}; tell each hour once")
    return tuple(span for span, _ in spans)
