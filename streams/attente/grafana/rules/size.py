"""How many recorded series a registry makes: known before the first event, as those of the workers are."""

from collections import Counter
from math import prod
from typing import Final

from attente.grafana import recorded
from attente.grafana.recorded import RECORDED, Recorded
from attente.metrics import catalogue
from attente.registry.buckets import bounds
from attente.registry.entities import OTHER, Left, Registry

Owner = frozenset[str]
"""The labels whose values are ids: a recorded series has some series for each combination of them."""

_IDS: Final = frozenset({"office", "service", "norm", "partition", "kiosk", "source"})
_FACTS: Final = frozenset({"name", "calendar", "zone", "title", "from", "to", "still_waiting"})
_CLOSED: Final = {
    label.name: len(label.values)
    for label in (catalogue.WINDOW, catalogue.PER, catalogue.OUTCOME, catalogue.WITHIN, catalogue.CHANNEL)
} | {"left": len(Left), "end": len(catalogue.END.values), "reason": len(catalogue.REASON.values)}


def owner(series: Recorded) -> Owner:
    """What the series of a recorded one grow with. A region is its office's, unless no office is named."""
    ids = _IDS & set(series.labels)
    return ids | {"region"} if "region" in series.labels and "office" not in ids else ids


def series_each(series: Recorded, buckets: int) -> int:
    """How many series each combination of ids has at most."""
    if series is recorded.BURN_FACTOR:
        return 2  # of the hour and of the day
    if series is recorded.NORM_INFO or series is recorded.OFFICE_INFO:
        return 1
    return prod(_values(series, label, buckets) for label in series.labels if label not in owner(series))


def _values(series: Recorded, label: str, buckets: int) -> int:
    if label == "le":
        return buckets + 1
    if series.source is not None:
        return next(len(each.values) for each in series.source.labels if each.name == label)
    return 1 if label in _FACTS or label == "region" else _CLOSED[label]


def series_by_owner(buckets: int) -> dict[Owner, int]:
    """The most series of each combination of ids, over all recorded ones."""
    total: Counter[Owner] = Counter()
    for series in RECORDED:
        total[owner(series)] += series_each(series, buckets)
    return dict(total)


def recorded_count(registry: Registry, *, partitions: int = 1) -> int:
    """The most series that are recorded for a network, whatever happens in it.

    Args:
        registry: the network.
        partitions: of the events topic.
    """
    offices = registry.offices.values()
    reach = {
        norm.id: frozenset().union(*(one.offices for one in norm.definitions())) for norm in registry.norms.values()
    }
    there: dict[Owner, int] = {
        frozenset({"office"}): len(offices),
        frozenset({"office", "service"}): sum(len({*office.services, OTHER}) for office in offices),
        frozenset({"office", "kiosk"}): sum(len(office.kiosks) for office in offices),
        frozenset({"source"}): sum(len(office.kiosks) for office in offices),
        frozenset({"office", "norm"}): sum(len(names) for names in reach.values()),
        frozenset({"region", "norm"}): sum(
            len({registry.offices[name].region for name in names}) for names in reach.values()
        ),
        frozenset({"norm"}): len(reach),
        frozenset({"partition"}): partitions,
    }
    return sum(each * there[ids] for ids, each in series_by_owner(len(bounds(registry))).items())
