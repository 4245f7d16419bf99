"""Instants as text, quickly: a day has few minutes and many events."""

from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

_MINUTE: Final = 60_000
_KEPT: Final = 5_000  # minutes, three days and a half
_seconds: Final = tuple(f"{second:02d}." for second in range(60))
_thousandths: Final = tuple(f"{ms:03d}" for ms in range(1000))


class Stamps:
    """RFC 3339 with the offset of one time zone: `2026-11-23T09:14:03.120+01:00`, in 0.3 us."""

    def __init__(self, zone: str) -> None:
        """Knows no minute yet."""
        self._zone = ZoneInfo(zone)
        self._minutes: dict[int, tuple[str, str]] = {}

    def text(self, at: int) -> str:
        """An instant in milliseconds since 1970 as text."""
        minute, rest = divmod(at, _MINUTE)
        found = self._minutes.get(minute)
        if found is None:
            found = self._minute(minute)
        return found[0] + _seconds[rest // 1000] + _thousandths[rest % 1000] + found[1]

    def _minute(self, minute: int) -> tuple[str, str]:
        local = datetime.fromtimestamp(minute * 60, UTC).astimezone(self._zone)
        offset = f"{local:%z}"
        if len(self._minutes) >= _KEPT:
            self._minutes.clear()
        found = self._minutes[minute] = f"{local:%Y-%m-%dT%H:%M:}", f"{offset[:3]}:{offset[3:5]}"
        return found
