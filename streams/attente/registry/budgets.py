"""A norm's budget: the failures that its target allows in a month, and the burn rates at which somebody is told.

A norm that promises 85 % allows 15 % of failures. A *burn rate* is the share of failures in a window over the share
that is allowed: at 1 the month ends with the budget just spent, at 1/(1 − target), when every visit fails, it can rise
no further. Somebody is told when the window alone has spent a share of the month's budget:

    factor = share of the budget × open hours of a month ÷ open hours of the window

so that 2 % in one hour, of 137 open hours a month, is a burn rate of 2.7. A factor of 1/(1 − target) or more could
never be exceeded: the alert would be dumb.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from attente.registry.entities import Hours, Norm, Office, OpeningCalendar, Registry
from attente.registry.scalars import WHOLE

DEFAULT_SHARES: Final = {"fast": 2_000, "slow": 10_000}
"""2 % in an hour and 10 % in a day: fifty such hours, or ten such days, spend a month's budget."""

WEEKS: Final = Fraction(146_097, 400 * 12 * 7)
"""Weeks in a month: the mean over the 400 years after which the calendar repeats."""

UNKNOWN_HOURS: Final = Fraction(35)
UNKNOWN_DAYS: Final = Fraction(5)
"""The week of an office without a calendar: five days of seven hours."""

CAPS: Final = {"fast": Fraction(3, 4), "slow": Fraction(1, 2)}
"""How far between 1 and what is possible at all a factor of the default shares may lie. Under a low target the factor
that follows from the shares could not be reached: at 50 % a burn rate is at most 2."""

LEAST: Final = Fraction(6, 5)
"""No factor of the default shares is lower: at 1 the promise is just kept, and nobody is to be called for that."""


@dataclass(frozen=True, slots=True)
class Month:
    """How much a norm's offices are open in a month, on average: `hours` in all, on so many `days`."""

    hours: Fraction
    days: Fraction

    def in_window(self, speed: str) -> Fraction:
        """How many windows of that speed a month is open for: hours for the fast alert, days for the slow one."""
        return self.hours if speed == "fast" else self.days


def month(offices: Iterable[Office], calendars: Mapping[str, OpeningCalendar]) -> Month:
    """The mean month of some offices, by the weeks of their calendars: holidays and exceptions are left out.

    An office without a calendar counts with the default week; so does one that is open on no day, and none at all.
    """
    counts = Counter(office.calendar for office in offices) or Counter([""])
    weeks = [(*_week(calendars.get(name)), count) for name, count in counts.items()]
    hours = sum((count * each for each, _, count in weeks), Fraction()) / counts.total()
    days = sum((count * each for _, each, count in weeks), Fraction()) / counts.total()
    return Month(hours * WEEKS, days * WEEKS)


def month_of(norm: Norm, registry: Registry) -> Month:
    """The mean month of the offices of a definition."""
    return month((registry.offices[name] for name in sorted(norm.offices)), registry.calendars)


def _week(calendar: OpeningCalendar | None) -> tuple[Fraction, Fraction]:
    if calendar is None or not any(calendar.weekly):
        return UNKNOWN_HOURS, UNKNOWN_DAYS
    return Fraction(sum(map(_minutes, calendar.weekly)), 60), Fraction(sum(bool(day) for day in calendar.weekly))


def _minutes(hours: Hours) -> int:
    return sum(end - begin for begin, end in hours)


def factor(share_milli: int, speed: str, over: Month) -> Fraction:
    """The burn rate at which one window spends that share of a month's budget.

    Args:
        share_milli: of the budget, in thousandths of a percent.
        speed: `fast`, the window is an hour, or `slow`, it is a day.
        over: how much the offices are open.
    """
    return Fraction(share_milli, WHOLE) * over.in_window(speed)


def highest(target_milli: int) -> Fraction:
    """The burn rate when every visit fails, 1/(1 − target): no factor that is to be exceeded may be as high."""
    return Fraction(WHOLE, WHOLE - target_milli)


def greatest_share(target_milli: int, speed: str, over: Month) -> int:
    """The greatest share, in thousandths of a percent, whose factor can be exceeded; in tenths of a percent if it can.

    It is 0 where even a thousandth of a percent is too much.
    """
    below = math.ceil(highest(target_milli) / over.in_window(speed) * WHOLE) - 1
    below = min(below, WHOLE - 1)
    return below - below % 100 if below >= 100 else below


def default_factor(target_milli: int, speed: str, over: Month) -> Fraction:
    """The factor of the default shares, brought between `LEAST` and the cap, which is the more binding of the two."""
    wanted = max(factor(DEFAULT_SHARES[speed], speed, over), LEAST)
    return min(wanted, 1 + CAPS[speed] * (highest(target_milli) - 1))
