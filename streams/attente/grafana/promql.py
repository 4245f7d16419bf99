"""Pieces of PromQL that several boards need.

A worker's gauge is read as `max by (…)`: during a hand-over two workers may show one office for a scrape, and a sum
would count it twice. Business counters are read from what is recorded of them, never from a worker.
"""

from typing import Final

from attente.grafana import recorded
from attente.grafana.panels import RATE
from attente.metrics.metric import Metric

HERE: Final = 'region=~"$region"'
"""The offices of the chosen regions, of a series that bears the region."""

MINE: Final = 'norm="$norm"'
"""The chosen norm."""

NAMED: Final = f"* on (office) group_left (name) {recorded.OFFICE_INFO.name}"
"""Joins the office's name to a series that bears office and region."""

PLACED: Final = f"* on (office) group_left (region, name) {recorded.OFFICE_INFO.name}{{{HERE}}}"
"""Joins region and name to a series that bears the office, and keeps the chosen regions."""


def series(what: recorded.Recorded, *matchers: str) -> str:
    """A recorded series with matchers."""
    return f"{what.name}{{{', '.join(matchers)}}}" if matchers else what.name


WEEK: Final = "offset 1w"
"""The same time a week ago: offices have weekly rhythms, and a day ago may have been a Sunday."""


def window(name: str) -> str:
    """A matcher of a window: hour, day or month."""
    return f'window="{name}"'


def kept(*matchers: str, by: str = "", past: str = "") -> str:
    """Share of visits that kept the norm, by its own definition, of the sums over the chosen offices.

    A mean of the offices' shares would weigh a village like a city.

    Args:
        matchers: which offices, norm and window.
        by: labels to keep.
        past: an offset, as `offset 1w`.
    """
    failures, visits = (
        total(at(series(what, *matchers), past), by) for what in (recorded.PROMISE_FAILURES, recorded.PROMISE_VISITS)
    )
    return f"1 - {failures} / ({visits} > 0)"


def at(what: str, past: str) -> str:
    """A series as it was at an offset, or now where that is empty."""
    return f"{what} {past}" if past else what


def total(what: str, by: str = "") -> str:
    """The sum of series, by some of their labels."""
    return f"sum by ({by}) ({what})" if by else f"sum ({what})"


def rate(what: recorded.Recorded, *matchers: str, by: str = "", per_hour: bool = False) -> str:
    """What a recorded counter grows by a second, or an hour, summed over the chosen series."""
    grown = total(f"rate({series(what, *matchers)}[{RATE}])", by)
    return f"{grown} * 3600" if per_hour else grown


def counted(metric: Metric, suffix: str = "") -> recorded.Recorded:
    """What is recorded of a worker's counter or histogram.

    Raises:
        KeyError: it is not recorded.
    """
    return recorded.BY_NAME[recorded.name_of(metric, suffix)]
