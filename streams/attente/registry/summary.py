"""What a registry comes to: counts, and every selector and date resolved, as plain values for people and programs."""

from collections import Counter
from collections.abc import Iterable
from datetime import date
from typing import Any

from attente.registry.entities import OTHER, Exceptional, Hours, Norm, Office, OpeningCalendar, Registry
from attente.registry.hours import CLOSED, WEEKDAYS
from attente.registry.scalars import WHOLE, time_range

Facts = dict[str, Any]
"""Made of what JSON has: texts, numbers, lists and other facts."""


def summary(registry: Registry) -> Facts:
    """A whole registry."""
    offices = registry.offices.values()
    hour, minute = divmod(registry.cut_over_min, 60)
    return {
        "network": registry.network,
        "hash": registry.hash,
        "cut_over": f"{hour:02d}:{minute:02d}",
        "horizon_seconds": registry.horizon_ms // 1000,
        "detail": registry.detail.value,
        "services": [{"id": service.id, "title": service.title} for service in registry.services.values()],
        "offices": len(offices),
        "kiosks": sum(len(office.kiosks) for office in offices),
        "regions": _groups("region", offices),
        "sizes": _groups("size", offices),
        "zones": dict(sorted(Counter(office.zone for office in offices).items())),
        "calendars": [_calendar(calendar, offices) for calendar in registry.calendars.values()],
        "norms": [
            {"id": norm.id, "definitions": [_definition(one, registry) for one in norm.definitions()]}
            for norm in registry.norms.values()
        ],
    }


def reach(norm: Norm, registry: Registry) -> int:
    """How many queues a definition is about: pairs of an office and a service that it offers, `other` always."""
    return sum(
        len(norm.services & {*office.services, OTHER})
        for office in registry.offices.values()
        if office.id in norm.offices
    )


def _groups(key: str, offices: Iterable[Office]) -> list[Facts]:
    groups: dict[str, list[Office]] = {}
    for office in offices:
        groups.setdefault(getattr(office, key), []).append(office)
    return [
        {
            key: word,
            "offices": len(members),
            "kiosks": sum(len(office.kiosks) for office in members),
            "with_calendar": sum(office.calendar != "" for office in members),
        }
        for word, members in sorted(groups.items())
    ]


def _calendar(calendar: OpeningCalendar, offices: Iterable[Office]) -> Facts:
    return {
        "id": calendar.id,
        "offices": sum(office.calendar == calendar.id for office in offices),
        "weekly": {name: _hours(hours) for name, hours in zip(WEEKDAYS, calendar.weekly, strict=True)},
        "holidays": [date.fromordinal(day).isoformat() for day in sorted(calendar.holidays)],
        "exceptions": [_exceptional(one) for one in calendar.exceptions],
    }


def _exceptional(one: Exceptional) -> Facts:
    first, last = (date.fromordinal(day).isoformat() for day in (one.first, one.last))
    return {"from": first, "to": last, "hours": _hours(one.hours)}


def _hours(hours: Hours) -> list[str] | str:
    return [time_range(*span) for span in hours] or CLOSED


def _definition(norm: Norm, registry: Registry) -> Facts:
    return {
        "valid_from": norm.valid_from or None,
        "title": norm.title,
        "threshold_seconds": norm.threshold_s,
        "target": norm.target_milli / WHOLE,
        "clock": {"from": norm.clock.start.value, "to": norm.clock.end.value, "per": norm.clock.per.value},
        "channels": sorted(norm.channels),
        "left": norm.left.value,
        "still_waiting": norm.still_waiting.value,
        "offices": [office for office in registry.offices if office in norm.offices],
        "services": [name for name in (*registry.services, OTHER) if name in norm.services],
        "queues": reach(norm, registry),
    }
