"""Pages read back with prometheus_client's parsers, and the tools that judge them."""

from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics import exposition as openmetrics_exposition
from prometheus_client.openmetrics import parser as openmetrics_parser
from prometheus_client.parser import text_string_to_metric_families as parse_text
from prometheus_client.registry import Collector

from attente.core.view import View
from attente.metrics import exposition
from attente.metrics.collector import ViewCollector
from attente.registry.entities import Registry

# These two have no annotations of their own.
parse_openmetrics: Callable[[str], Iterable[Metric]] = openmetrics_parser.text_string_to_metric_families
generate_openmetrics: Callable[[Collector], bytes] = openmetrics_exposition.generate_latest

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


class Scrape:
    """What a scrape of a view says, looked up by name and labels."""

    def __init__(self, samples: Samples) -> None:
        self.samples = samples

    def __call__(self, name: str, /, **labels: str) -> float:
        """The value of one series."""
        return self.samples[f"attente_{name}", frozenset(labels.items())]

    def series(self, name: str, /, **labels: str) -> list[dict[str, str]]:
        """The labels of every series of a name that has these labels."""
        wanted = labels.items()
        return [dict(found) for known, found in self.samples if known == f"attente_{name}" and wanted <= set(found)]


def samples_of(families: Iterable[Metric]) -> Samples:
    """Samples by name and labels; a series that comes twice fails."""
    found: Samples = {}
    for family in families:
        for sample in family.samples:
            key = (sample.name, frozenset(sample.labels.items()))
            assert key not in found, f"{key} stands twice"
            found[key] = sample.value
    return found


def families_of(network: Registry, source: Callable[[], View]) -> list[Metric]:
    """What a registry of its own collects."""
    registry = CollectorRegistry()
    registry.register(ViewCollector(network, source))
    return list(registry.collect())


def scrape(network: Registry, view: View) -> Scrape:
    """A scrape in both formats, which must say the same."""
    families = families_of(network, lambda: view)
    as_text = samples_of(parse_text(exposition.text(families).decode()))
    assert as_text == samples_of(parse_openmetrics(exposition.openmetrics(families).decode()))
    return Scrape(as_text)
