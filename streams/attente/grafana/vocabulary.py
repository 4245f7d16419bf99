"""Every series that a board may use, with its labels: of the catalogue, of what is recorded, and few more.

Nothing is listed by hand that the catalogue or `recorded` defines: a metric renamed there is unknown here at once.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from attente.grafana.recorded import HISTOGRAM_SUFFIXES, RECORDED, Recorded, name_of
from attente.metrics.catalogue import CATALOGUE
from attente.metrics.metric import Metric, Type

PROCESS: Final = frozenset({"job", "instance"})
"""What Prometheus adds to every series that it scrapes."""


@dataclass(frozen=True, slots=True)
class Known:
    """A series that may be used.

    Attributes:
        labels: all that it can bear.
        is_counter: whether `rate` and `increase` make sense.
        metric: the worker's metric that it is, if it is one.
        instead: the recorded series to be used in its place; "" where it may be used itself.
    """

    labels: frozenset[str]
    is_counter: bool = False
    metric: Metric | None = None
    instead: str = ""


_OF_ALERTS: Final = frozenset(
    {"alertname", "alertstate", "severity", "audience", "region", "calendar", "zone", "office", "service", "norm"}
)

STANDARD: Final[Mapping[str, Known]] = {
    "ALERTS": Known(_OF_ALERTS),
    "up": Known(PROCESS),
    "scrape_duration_seconds": Known(PROCESS),
    "scrape_samples_scraped": Known(PROCESS),
    "process_cpu_seconds_total": Known(PROCESS, is_counter=True),
    "process_resident_memory_bytes": Known(PROCESS),
}
"""Not of this product: Prometheus makes the first four itself, and every exporter shows the last two."""


def vocabulary(metrics: Iterable[Metric] = CATALOGUE, series: Iterable[Recorded] = RECORDED) -> dict[str, Known]:
    """Every name that may be used.

    Args:
        metrics: those of the catalogue.
        series: those recorded.
    """
    recorded = {one.name: Known(frozenset(one.labels), is_counter=_counts(one)) for one in series}
    known = dict(STANDARD) | recorded
    for metric in metrics:
        labels = frozenset(label.name for label in metric.labels) | PROCESS
        for suffix in HISTOGRAM_SUFFIXES if metric.type is Type.HISTOGRAM else ("",):
            truth = name_of(metric, suffix)
            is_counter = metric.type in {Type.COUNTER, Type.HISTOGRAM}
            extra = {"le"} if suffix == "_bucket" else set()
            instead = truth if is_counter and truth in recorded else ""
            known[metric.full_name + suffix] = Known(labels | extra, is_counter, metric, instead)
    return known


def _counts(series: Recorded) -> bool:
    return series.source is not None and series.source.type in {Type.COUNTER, Type.HISTOGRAM}
