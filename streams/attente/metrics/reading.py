"""A page of metrics, in Prometheus' text, read back into numbers.

Whoever watches a worker reads thousands of series every second. prometheus_client's parser takes 75 µs a line, half a
second for a page of 16 offices; here lines are only split before the value, and it parses the labels of a series once
in a process, when somebody asks for them: 6 ms a page.
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final, NamedTuple

from prometheus_client.parser import text_string_to_metric_families

from attente.metrics import catalogue as c
from attente.metrics.metric import Group, Metric, Type

# More series than any page should have; a series is some 200 bytes.
_REMEMBERED: Final = 1 << 17


class NotAPage(ValueError):  # noqa: N818 - what it is
    """The text is no page of metrics; says which line is none."""


class Row(NamedTuple):
    """One series of a metric."""

    labels: Mapping[str, str]
    value: float


class Reading:
    """What a page says.

    A series that is not there counts as nothing: `total` of a metric that the page does not show is 0.
    """

    def __init__(self, samples: Mapping[str, Mapping[str, float]]) -> None:
        """What was read.

        Args:
            samples: the value of every series as it is written, `name{label="value"}`, by the sample's name.
        """
        self._samples = samples

    def rows(self, metric: Metric, **labels: str) -> Iterator[Row]:
        """Every series of a metric that has these labels; not for histograms, which have samples of several names."""
        wanted = labels.items()
        for series, value in self._samples.get(metric.full_name, {}).items():
            found = labels_of(series)
            if wanted <= found.items():
                yield Row(found, value)

    def total(self, metric: Metric, **labels: str) -> float:
        """The sum over every series of a metric that has these labels."""
        return sum(row.value for row in self.rows(metric, **labels))

    def by(self, metric: Metric, label: str, **labels: str) -> dict[str, float]:
        """The sums of a metric by the value of one label, over every series that has the others."""
        sums: dict[str, float] = {}
        for row in self.rows(metric, **labels):
            sums[row.labels[label]] = sums.get(row.labels[label], 0.0) + row.value
        return sums

    def counters(self) -> dict[str, float]:
        """Every series that lives in a state and must never fall, by its text: counters, buckets, sums and counts.

        The text of a series is the same on every page, because its labels are always written in one order.
        """
        return {series: value for name in STEADY for series, value in self._samples.get(name, {}).items()}


def read(text: str) -> Reading:
    """Read a page that bears no timestamps, as a worker writes it.

    Raises:
        NotAPage: a line that is neither a comment nor a series with a number.
    """
    samples: dict[str, dict[str, float]] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        series, _, value = line.rpartition(" ")
        try:
            samples.setdefault(series.partition("{")[0], {})[series] = float(value)
        except ValueError:
            msg = f"line {number} is no series with a number: {line[:80]!r}"
            raise NotAPage(msg) from None
    return Reading(samples)


@lru_cache(_REMEMBERED)
def labels_of(series: str) -> Mapping[str, str]:
    """The labels of a series from its text.

    Raises:
        NotAPage: it is none.
    """
    try:
        ((sample,),) = (family.samples for family in text_string_to_metric_families(f"{series} 0\n"))
    except (ValueError, IndexError, KeyError):
        msg = f"this is no series: {series[:80]!r}"
        raise NotAPage(msg) from None
    return sample.labels


def _steady() -> Iterator[str]:
    accounts = (c.EVENTS_READ, c.EVENTS_COUNTED, c.EVENTS_DUPLICATE, c.EVENTS_REFUSED, c.EVENT_SIGNATURES)
    for metric in c.CATALOGUE:
        if metric.group is not Group.COUNTERS and metric not in accounts:
            continue
        if metric.type is Type.HISTOGRAM:
            yield from (f"{metric.full_name}_{suffix}" for suffix in ("bucket", "count", "sum"))
        else:
            yield metric.full_name


STEADY: Final = frozenset(_steady())
"""The names of the samples that never fall: they live in the states, so they survive restarts and hand-overs."""
