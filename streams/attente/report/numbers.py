"""How numbers are written for people; the same on a terminal and on a page."""

from fractions import Fraction
from typing import Final

NONE: Final = "–"
"""In place of a number that does not exist."""

_MINUTE: Final = 60
_HOUR: Final = 3_600
_DAY: Final = 86_400


def clock(seconds: int | None) -> str:
    """A wait as m:ss, from an hour on as h:mm:ss."""
    if seconds is None:
        return NONE
    minutes, rest = divmod(seconds, _MINUTE)
    hours, minutes = divmod(minutes, _MINUTE)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def stretch(seconds: int) -> str:
    """A threshold in words: 90 s, 20 min, 2 h."""
    for unit, size in (("h", _HOUR), ("min", _MINUTE)):
        if seconds >= size and seconds % size == 0:
            return f"{seconds // size:,} {unit}"
    return f"{seconds:,} s"


def rounded(value: Fraction | None) -> int | None:
    """To the nearest whole number, halves up."""
    return None if value is None else (2 * value.numerator + value.denominator) // (2 * value.denominator)


def percent(part: int, whole: int) -> str:
    """An exact share, as many decimals as it has: `85 %`, `79.5 %`."""
    return f"{part * 100 / whole:.3f}".rstrip("0").rstrip(".") + " %"


def share(value: Fraction | None, decimals: int = 1) -> str:
    """A share in percent. It is cut, not rounded: 84.96 % is not shown as the 85 % that were promised."""
    if value is None:
        return NONE
    scale: int = 10**decimals
    cut = value.numerator * 100 * scale // value.denominator
    return f"{cut // scale}.{cut % scale:0{decimals}d} %" if decimals else f"{cut} %"


def hours(milliseconds: int | None) -> str:
    """Open time in hours."""
    return NONE if milliseconds is None else f"{milliseconds / 3_600_000:,.1f}"


def size(count: int) -> str:
    """Bytes."""
    return f"{count:,} bytes"
