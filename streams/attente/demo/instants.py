"""Instants in the words of the offices' clock."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo


def local_minute(at_ms: int | None, zone: ZoneInfo) -> str:
    """Weekday, date and minute."""
    return _told(at_ms, zone, "%a %d %b %Y %H:%M")


def local_second(at_ms: int | None, zone: ZoneInfo) -> str:
    """Weekday, date and second."""
    return _told(at_ms, zone, "%a %d %b %Y %H:%M:%S")


def _told(at_ms: int | None, zone: ZoneInfo, form: str) -> str:
    if at_ms is None:
        return "no time yet"
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(zone):{form}}"
