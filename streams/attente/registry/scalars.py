"""What single values of a registry file mean: pure functions from the text that stands there to a checked value.

Each raises `Unreadable` with a message that follows the name of the value: what is wrong, then what to write instead.
"""

import difflib
import re
import unicodedata
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Final, TypeVar

from attente.model.instants import milliseconds
from attente.model.names import ID_LENGTH, is_id
from attente.model.reasons import Refusal

Choice = TypeVar("Choice", bound=StrEnum)

TEXT_LENGTH: Final = 200  # a label on every series of an office; longer is a mistake in quoting
DAY_S: Final = 86_400
GRID_MIN: Final = 5  # panes are five minutes long, and a business day is made of whole panes
QUARTER_S: Final = 900  # sealing proceeds by quarters of an hour
FIRST_YEAR: Final = 1990  # of the zone rules that decide a figure
LAST_YEAR: Final = 2050
WHOLE: Final = 100_000  # thousandths of a percent in 1

_DURATION = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?) ?(ms|s|m|h|d)")
_SPELLED = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)\s*(?!mo)([smhd])[a-z]{1,6}")
_COMPOUND = re.compile(r"(?:[0-9]{1,9}[smhd]\s*){2,4}")
_SHARE = re.compile(r"([0-9]{0,9}(?:\.[0-9]{1,20})?)(\s*%)?")
_CLOCK_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
_LOOSE_TIME = re.compile(r"([0-9]|[01][0-9]|2[0-3])\s*(?:[:hH.]\s*([0-5][0-9])?)?(?::00)?")
_SPAN = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])-(?:([01][0-9]|2[0-3]):([0-5][0-9])|(24):(00))")
_LOOSE_END: Final = r"([0-9]|[01][0-9]|2[0-4])\s*(?:[:hH.]\s*([0-5][0-9])?)?(?::00)?"
_LOOSE_SPAN = re.compile(rf"{_LOOSE_END}\s*(?:-+|–|—|to|à|bis)\s*{_LOOSE_END}")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_FINGERPRINT = re.compile(r"[0-9a-f]{32}")
_UNITS: Final = {"ms": Decimal("0.001"), "s": Decimal(1), "m": Decimal(60), "h": Decimal(3600), "d": Decimal(DAY_S)}


class Unreadable(ValueError):  # noqa: N818 - the name is what the value is
    """A value that does not mean what its key asks for; `why` says what is wrong with it and what to write instead."""

    def __init__(self, value: str, why: str) -> None:
        super().__init__(f"{shown(value)} {why}")


def shown(value: str) -> str:
    """A value as a message shows it: on one line, in quotes where it would not stand out, cut where it is long."""
    cut = value if len(value) <= 60 else f"{value[:60]}…"
    return cut if re.fullmatch(r"[^\s'\"\\;,]+(?: %)?", cut) else repr(cut)


def identifier(value: str) -> str:
    """An id as events carry it: lower-case letters, digits, `.`, `_` and `-`, at most 64."""
    if is_id(value):
        return value
    plain = unicodedata.normalize("NFKD", value).encode("ascii", "ignore").decode().lower()
    like = re.sub(r"[^a-z0-9._-]+", "-", plain).strip("._-")[:ID_LENGTH] or "75-nation"
    raise Unreadable(value, f"is no id (at most {ID_LENGTH} of a-z, 0-9, '.', '_' and '-'); write {like}")


def text(value: str) -> str:
    """A name or title for people: one line, since it becomes a label."""
    if not value.strip():
        raise Unreadable(value, "is empty; write a text")
    if len(value) > TEXT_LENGTH:
        raise Unreadable(value, f"has {len(value)} characters; shorten it to {TEXT_LENGTH}")
    if any(unicodedata.category(sign) in {"Cc", "Zl", "Zp"} for sign in value):
        raise Unreadable(value, "holds a line break or a control character; write it on one line")
    return value


def duration(value: str) -> int:
    """A stretch of time in whole seconds, written as `90s`, `20m`, `24h` or `7d`."""
    found = _DURATION.fullmatch(value)
    if found is None:
        raise Unreadable(value, f"is no duration; write {_likely(value)}")
    seconds = Decimal(found[1]) * _UNITS[found[2]]
    floor = int(seconds)
    if seconds != floor:
        near = f"{floor}s or {floor + 1}s" if floor else "1s"
        raise Unreadable(value, f"is not a whole number of seconds; write {near}")
    return floor


def _likely(value: str) -> str:
    if value.isascii() and value.isdecimal():
        return f"{value}s"
    spelled = _SPELLED.fullmatch(value.lower())
    if spelled is not None:
        return f"{spelled[1]}{spelled[2]}"
    if _COMPOUND.fullmatch(value):
        parts = re.findall(r"([0-9]+)([smhd])", value)
        return written(sum(int(number) * int(_UNITS[unit]) for number, unit in parts))
    return "one like 90s, 20m or 24h"


def written(seconds: int) -> str:
    """A duration as a user writes it, in the coarsest unit of s, m and h that is exact."""
    for unit, size in (("h", 3600), ("m", 60)):
        if seconds and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def threshold(value: str) -> int:
    """What a norm promises, in seconds: 1 s to a day, since no visit outlasts its business day."""
    seconds = duration(value)
    if not 1 <= seconds <= DAY_S:
        raise Unreadable(value, "is not between 1s and 24h; write one like 20m")
    return seconds


def horizon(value: str) -> int:
    """How late an event may be, in seconds: an hour to a week in whole quarters of an hour."""
    seconds = duration(value)
    if not 3600 <= seconds <= 7 * DAY_S:
        near = "1h" if seconds < 3600 else "7d"
        raise Unreadable(value, f"is not between 1h and 7d; write {near} or one between")
    below = seconds - seconds % QUARTER_S
    if below != seconds:
        near = f"{written(below)} or {written(below + QUARTER_S)}"
        raise Unreadable(value, f"is not a whole number of quarters of an hour; write {near}")
    return seconds


def share(value: str) -> int:
    """A target in thousandths of a percent, written as `0.85` or `85 %`; above 0 and below 1."""
    found = _SHARE.fullmatch(value)
    if found is None or not found[1]:
        like = value.replace(",", ".") if re.fullmatch(r"[0-9]*,[0-9]+(\s*%)?", value) else '0.85 or "85 %"'
        raise Unreadable(value, f"is no share; write {like}")
    thousandths = Decimal(found[1]) * (WHOLE // 100 if found[2] else WHOLE)
    if not 0 < thousandths < WHOLE:
        raise Unreadable(value, 'is not above 0 and below 1; write one like 0.85 or "85 %"')
    if thousandths != int(thousandths):
        near = Decimal(min(max(round(thousandths), 1), WHOLE - 1)) / WHOLE
        raise Unreadable(value, f"is finer than a thousandth of a percent; write {near:f}")
    return int(thousandths)


def percent(milli: int) -> str:
    """A share in thousandths of a percent as a user writes it."""
    return f"{Decimal(milli) / 1000:f} %"


def clock_time(value: str) -> int:
    """A local time of day in minutes after midnight, on the grid of five minutes."""
    found = _CLOCK_TIME.fullmatch(value)
    if found is None:
        loose = _LOOSE_TIME.fullmatch(value)
        near = f'"{int(loose[1]):02d}:{loose[2] or "00"}"' if loose is not None else 'one like "03:00"'
        raise Unreadable(value, f"is no time of day; write {near}")
    minutes = int(found[1]) * 60 + int(found[2])
    below = minutes - minutes % GRID_MIN
    if below != minutes:
        near = f"{time_of_day(below)} or {time_of_day(below + GRID_MIN)}"
        raise Unreadable(value, f"is not on the grid of {GRID_MIN} minutes; write {near}")
    return minutes


def time_of_day(minutes: int) -> str:
    """Minutes after midnight as a user writes them, in the quotes that YAML 1.1 needs elsewhere."""
    hour, minute = divmod(minutes % 1440, 60)
    return f'"{hour:02d}:{minute:02d}"'


def opening(value: str) -> tuple[int, int]:
    """A stretch of a local day as `09:00-12:30`: two times in minutes after midnight, the second one up to 24:00."""
    found = _SPAN.fullmatch(value)
    if found is None:
        loose = _LOOSE_SPAN.fullmatch(value.strip())
        near = (
            f"{int(loose[1]):02d}:{loose[2] or '00'}-{int(loose[3]):02d}:{loose[4] or '00'}"
            if loose is not None
            else "one like 09:00-12:30, or closed"
        )
        raise Unreadable(value, f"is no stretch of a day; write {near}")
    begin, end = int(found[1]) * 60 + int(found[2]), int(found[3] or found[5]) * 60 + int(found[4] or found[6])
    if begin == end:
        raise Unreadable(value, "has no length; write 00:00-24:00 for the whole day, closed for none of it")
    if begin > end:
        turned = f"{time_range(end, begin)}, or two stretches up to 24:00 and from 00:00 of the next day"
        raise Unreadable(value, f"ends before it begins; write {turned}")
    return begin, end


def time_range(begin: int, end: int) -> str:
    """A stretch of a day as a user writes it."""
    return "-".join(f"{minutes // 60:02d}:{minutes % 60:02d}" for minutes in (begin, end))


def ordinal(value: str) -> int:
    """A date of which opening hours are told, as `date.toordinal`: from 1990 to 2050, as zones are known."""
    day = date.fromisoformat(iso_date(value))
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise Unreadable(value, f"is not between {FIRST_YEAR} and {LAST_YEAR}; mend the year")
    return day.toordinal()


def iso_date(value: str) -> str:
    """A calendar date, `YYYY-MM-DD`."""
    if not _DATE.fullmatch(value):
        raise Unreadable(value, "is no date; write one like 2009-01-01")
    try:
        date.fromisoformat(value)
    except ValueError:
        raise Unreadable(value, "is not in the calendar; write one like 2009-01-01") from None
    return value


def instant(value: str) -> int:
    """An instant with its offset, RFC 3339, in milliseconds since 1970."""
    try:
        return milliseconds(value)
    except Refusal:
        raise Unreadable(value, "is no instant with an offset; write one like 2026-11-23T08:00:00+01:00") from None


def fingerprint(value: str) -> str:
    """What is said of the secret of a key: 32 hexadecimal digits."""
    if not _FINGERPRINT.fullmatch(value):
        # A secret has 64 of them: who has put it here by mistake must not find it in a log, too.
        shown_instead = "given"
        why = f"is not 32 hexadecimal digits but {len(value)} signs; `attente keys show` tells it"
        raise Unreadable(shown_instead, why)
    return value


def choice(kind: type[Choice]) -> Callable[[str], Choice]:
    """A reader of one of the words of an enumeration."""

    def read(value: str) -> Choice:
        try:
            return kind(value)
        except ValueError:
            near = difflib.get_close_matches(value, list(kind), n=1)
            remedy = f"did you mean {near[0]}?" if near else f"write one of {', '.join(kind)}"
            raise Unreadable(value, f"is not known; {remedy}") from None

    return read
