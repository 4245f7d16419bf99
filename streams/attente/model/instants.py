"""RFC 3339 instants to integer milliseconds since 1970, without datetime objects on the hot path."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from attente.model.reasons import Reason, Refusal, shown

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND: Final = timedelta(milliseconds=1)
MINUTE: Final = 60_000
LATEST: Final = 1 << 42
"""The first instant that a packed fact cannot hold: in the year 2109."""

_CACHED_MINUTES: Final = 20_000  # a fortnight of minutes with one offset: 3 MB
_RFC3339 = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt]((?:[01]\d|2[0-3]):\d{2}:\d{2})(?:\.(\d{1,9}))?([Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)?",
    re.ASCII,
)
_UTC: Final = (None, "Z", "z")  # a naive text is read as UTC, to see whether there is worse than that

_seconds: Final = {f"{s:02d}.": s * 1000 for s in range(60)}
_thousandths: Final = {f"{ms:03d}": ms for ms in range(1000)}
_minutes: dict[str, int] = {}


def milliseconds(text: str) -> int:
    """The instant in milliseconds since 1970-01-01T00:00Z; finer digits are cut off.

    The layout `YYYY-MM-DDThh:mm:ss.mmm` with any offset takes three dictionary look-ups (0.5 us against 1.2 us by way
    of datetime): its minute has been checked once by `parse`, the rest is checked by being found.

    Raises:
        Refusal: `naive_time` without an offset, `bad_time` when it is no instant between 1970 and 2109.
    """
    try:
        return _minutes[text[:17] + text[23:]] + _seconds[text[17:20]] + _thousandths[text[20:23]]
    except KeyError:
        return _remember(text)


def _remember(text: str) -> int:
    at = parse(text)
    if text[17:20] in _seconds and text[20:23] in _thousandths:
        minute = at - _seconds[text[17:20]] - _thousandths[text[20:23]]
        # The minute in which the last instant lies is not all valid, so one of its instants vouches for no other.
        if minute + MINUTE <= LATEST:
            if len(_minutes) >= _CACHED_MINUTES:
                _minutes.clear()
            _minutes[text[:17] + text[23:]] = minute
    return at


def parse(text: str) -> int:
    """The same by way of datetime: the reference, and the way of every other layout.

    Raises:
        Refusal: as `milliseconds`.
    """
    found = _RFC3339.fullmatch(text)
    if found is None:
        raise Refusal(Reason.BAD_TIME, f'"{shown(text)}" is no RFC 3339 instant; write 2026-11-23T09:14:03.120+01:00')
    date, clock, fraction, offset = found.groups()
    try:
        at = datetime.fromisoformat(f"{date}T{clock}{'+00:00' if offset in _UTC else offset}")
    except ValueError:
        raise Refusal(Reason.BAD_TIME, f'"{shown(text)}" does not exist; send a date and a time that do') from None
    ms = (at - EPOCH) // MILLISECOND + int((fraction or "0").ljust(3, "0")[:3])
    if not 0 <= ms < LATEST:
        raise Refusal(Reason.BAD_TIME, f'"{shown(text)}" lies outside the years 1970 to 2109; set the clock')
    if offset is None:
        raise Refusal(Reason.NAIVE_TIME, f'"{shown(text)}" carries no offset; append Z or one like +01:00')
    return ms


def text_of(at: int) -> str:
    """An instant as RFC 3339 in UTC with milliseconds: `2026-11-23T08:14:03.120Z`."""
    whole, ms = divmod(at, 1000)
    return f"{(EPOCH + timedelta(seconds=whole)):%Y-%m-%dT%H:%M:%S}.{ms:03d}Z"
