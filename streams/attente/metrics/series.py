"""How many series a registry makes: known before the first event, whatever the input."""

from collections import Counter
from collections.abc import Iterable, Mapping
from math import prod

from attente.metrics.catalogue import CATALOGUE
from attente.metrics.metric import Metric, Type
from attente.registry.buckets import bounds
from attente.registry.entities import OTHER, Detail, Norm, Registry

Entities = frozenset[str]
"""The labels of a metric whose values are ids: for each combination of ids there is a set of its series."""


def entities(metric: Metric) -> Entities:
    """What the series of a metric grow with."""
    return frozenset(label.name for label in metric.labels if label.is_entity)


def series_each(metric: Metric, buckets: int) -> int:
    """The most series that one combination of ids has: every combination of values that can occur.

    A histogram has its finite buckets, the infinite one, a count and a sum.
    """
    values = prod(len(label.values) or 1 for label in metric.labels) - metric.impossible
    return values * (buckets + 3 if metric.type is Type.HISTOGRAM else 1)


def series_by_entities(metrics: Iterable[Metric], buckets: int) -> dict[Entities, int]:
    """The most series that each combination of ids has, over these metrics."""
    total: Counter[Entities] = Counter()
    for metric in metrics:
        total[entities(metric)] += series_each(metric, buckets)
    return dict(total)


def combinations(registry: Registry, partitions: int) -> dict[Entities, int]:
    """How many combinations of ids a registry has, `other` counted as a service of every office."""
    offered = {office.id: {*office.services, OTHER} for office in registry.offices.values()}
    reaches = [_reach(norm, offered) for norm in registry.norms.values()]
    return {
        frozenset(): 1,
        frozenset({"partition"}): partitions,
        frozenset({"partition", "source"}): partitions
        + sum(len(office.kiosks) for office in registry.offices.values()),
        frozenset({"norm"}): len(registry.norms),
        frozenset({"office"}): len(offered),
        frozenset({"office", "kiosk"}): sum(len(office.kiosks) for office in registry.offices.values()),
        frozenset({"office", "service"}): sum(len(services) for services in offered.values()),
        frozenset({"office", "norm"}): sum(len(reach) for reach in reaches),
        frozenset({"office", "service", "norm"}): sum(
            len(services) for reach in reaches for services in reach.values()
        ),
    }


def _reach(norm: Norm, offered: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """The services that a norm is about in each of its offices, under any of its definitions."""
    reach: dict[str, set[str]] = {}
    for definition in norm.definitions():
        for office in definition.offices & offered.keys():
            reach.setdefault(office, set()).update(definition.services & offered[office])
    return reach


def series_count(registry: Registry, *, partitions: int = 1) -> int:
    """The most series that the whole network makes on one worker; of several, each has its partitions' share.

    Args:
        registry: the network.
        partitions: of the events topic.

    Returns:
        A bound that holds for any input under this registry, and is reached when in every office somebody waits for
        and was called to every service and `other`, and every type of event has contradicted another; under a norm
        with several definitions, when each is about the same offices and services. The process's own metrics, some
        ten, are not in it.
    """
    shown = (metric for metric in CATALOGUE if not (metric.is_fine and registry.detail is Detail.OFFICE))
    there = combinations(registry, partitions)
    return sum(each * there[ids] for ids, each in series_by_entities(shown, len(bounds(registry))).items())
