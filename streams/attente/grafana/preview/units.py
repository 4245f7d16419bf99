"""Figures as Grafana writes them: each unit by its name, with as many decimals as the panel says or the value needs."""

import math
import re
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial
from typing import Final
from zoneinfo import ZoneInfo

_LADDERS: Final = {
    "s": ((60, 1, "s", "s"), (3_600, 60, "min", "mins"), (86_400, 3_600, "hour", "hours"), (0, 86_400, "day", "days")),
    "ms": (
        (1_000, 1, "ms", "ms"),
        (60_000, 1_000, "s", "s"),
        (3_600_000, 60_000, "min", "mins"),
        (0, 3_600_000, "hour", "hours"),
    ),
    "bytes": (
        (1 << 10, 1, "B", "B"),
        (1 << 20, 1 << 10, "KiB", "KiB"),
        (1 << 30, 1 << 20, "MiB", "MiB"),
        (0, 1 << 30, "GiB", "GiB"),
    ),
    "decbytes": ((1e3, 1, "B", "B"), (1e6, 1e3, "kB", "kB"), (1e9, 1e6, "MB", "MB"), (0, 1e9, "GB", "GB")),
    "short": ((1e3, 1, "", ""), (1e6, 1e3, "K", "K"), (1e9, 1e6, "Mil", "Mil"), (0, 1e9, "Bil", "Bil")),
}
"""By unit: below which value, divided by what, the unit in the singular and in the plural; the last has no bound."""

_RATES: Final = {"cps": "c/s", "ops": "ops/s", "reqps": "req/s", "eps": "events/s", "wps": "wr/s", "rps": "rd/s"}


def written(value: float, unit: str = "", decimals: int | None = None, zone: ZoneInfo | None = None) -> str:
    """A value in its unit.

    Args:
        value: what is written; NaN is "NaN", as in Grafana.
        unit: by Grafana's name; one that is not known is written behind the value, as Grafana does.
        decimals: how many; None is as many as the value needs.
        zone: of dates.
    """
    if math.isnan(value) or math.isinf(value):
        return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"
    if unit.startswith("dateTime"):
        return datetime.fromtimestamp(value / 1000, zone).strftime("%Y-%m-%d %H:%M:%S")
    if writer := _WRITERS.get(unit):
        return writer(value, decimals)
    for prefix, form in (("suffix:", "{0}{1}"), ("prefix:", "{1}{0}")):
        if unit.startswith(prefix):
            return form.format(fixed(value, decimals), unit.removeprefix(prefix))
    return f"{fixed(value, decimals)} {_RATES.get(unit, unit)}"


def fixed(value: float, decimals: int | None = None) -> str:
    """A plain number, with a thin space between thousands."""
    digits = _needed(value) if decimals is None else decimals
    text = f"{value:,.{digits}f}".replace(",", "\u202f")
    return text.removeprefix("-") if float(text.replace("\u202f", "")) == 0 else text


def _needed(value: float) -> int:
    """How many decimals tell a value, as Grafana counts them: three digits in all."""
    if value == int(value):
        return 0
    return max(0, min(10, 2 - math.floor(math.log10(abs(value)))))


def _on_ladder(unit: str, value: float, decimals: int | None) -> str:
    if unit == "s" and 0 < abs(value) < 1:
        return _on_ladder("ms", value * 1000, decimals)
    for bound, divisor, one, several in _LADDERS[unit]:
        size = value / divisor
        # What would be rounded up to the next unit is written in it: 59.7 s is 1 min.
        rounded = round(size, _needed(size) if decimals is None else decimals)
        if not bound or abs(rounded) * divisor < bound:
            return f"{fixed(size, decimals)} {one if abs(rounded) == 1 else several}".rstrip()
    raise AssertionError(unit)


def _percent(value: float, decimals: int | None) -> str:
    return f"{fixed(value, decimals)}%"


_WRITERS: Final[dict[str, Callable[[float, int | None], str]]] = {
    "": fixed,
    "none": fixed,
    "string": fixed,
    "locale": fixed,
    "percent": _percent,
    "percentunit": lambda value, decimals: _percent(value * 100, decimals),
    "bool": lambda value, _: "True" if value else "False",
    "bool_yes_no": lambda value, _: "Yes" if value else "No",
    "bool_on_off": lambda value, _: "On" if value else "Off",
    **{unit: partial(_on_ladder, unit) for unit in _LADDERS},
    "Bps": lambda value, decimals: f"{_on_ladder('decbytes', value, decimals)}/s",
    "binBps": lambda value, decimals: f"{_on_ladder('bytes', value, decimals)}/s",
}


def exact(values: Iterable[float], unit: str) -> int | None:
    """With how few decimals some values are written without loss; None where four are not enough."""
    some = list(values)
    for digits in range(5):
        texts = [_trimmed(written(value, unit, digits)) for value in some]
        finer = [_trimmed(written(value, unit, digits + 2)) for value in some]
        if texts == finer and len(set(texts)) == len(set(some)):
            return digits
    return None


def _trimmed(text: str) -> str:
    """Without zeros at the end of the decimals."""
    return re.sub(r"\.0+(?=\D|$)|(\.\d*[1-9])0+(?=\D|$)", lambda found: found[1] or "", text)


def ticks(low: float, high: float, unit: str, most: int) -> list[float]:
    """Where an axis has its lines: round values of the unit that cover the values, at most so many steps.

    Time is counted in 60s and bytes in powers of two, everything else in 1, 2 and 5.
    """
    span = max(high - low, 1e-9)
    step = next(step for step in _steps(unit, span) if span / step <= max(1, most))
    first = math.floor(low / step + 1e-9)
    last = math.ceil(high / step - 1e-9)
    return [number * step for number in range(first, max(last, first + 1) + 1)]


def _steps(unit: str, span: float) -> list[float]:
    """Steps of an axis, least first; one of them is larger than the span."""
    if unit == "s" and span > 60:
        return [
            10,
            15,
            30,
            60,
            120,
            300,
            600,
            900,
            1_800,
            3_600,
            7_200,
            10_800,
            21_600,
            43_200,
            *_decimal(span, 86_400),
        ]
    if unit == "bytes" and span > 1_024:
        return [float(1 << power) for power in range(50)]
    return _decimal(span, 1)


def _decimal(span: float, one: float) -> list[float]:
    begin = math.floor(math.log10(span / one)) - 2
    return [factor * 10.0**power * one for power in range(begin, begin + 6) for factor in (1, 2, 5)]
