"""The page about the metrics, docs/metrics.md, written from the catalogue."""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from attente.metrics.catalogue import CATALOGUE
from attente.metrics.metric import Group, Label, Metric
from attente.metrics.series import Entities, series_by_entities
from attente.registry.buckets import FEWEST

PATH: Final = Path("docs/metrics.md")

_INTRODUCTION: Final = """\
# Metrics

This page is generated: change `attente.metrics.catalogue` and run `python -m attente.metrics.catalogue build`. What is
counted, and when, is decided on the page of [definitions](definitions.md).

A worker serves `/metrics` as Prometheus' text or as OpenMetrics (by the `Accept` header), `/healthz` (200 while the
process does its work) and `/readyz` (200 once everything it owns is caught up and shown). A request that cannot be
answered within the time-out that the scraper tells (Prometheus does; else 10 s) gets a 503 with one line that says why.

## How to read them

- **Absent rather than stale.** A worker shows the figures of a partition only while it owns it, has caught up with it
  and the group vouches for it. During a hand-over a partition is on no page for some seconds; it never stays on a page
  with old figures.
- **Counters never fall.** A late event can lower an exact count, and `rate` takes a counter that falls by one for a
  restart. So a counter shows the greatest value that its exact count has had; the gauges and the `lifetime_*` gauges
  are exact now. Counters of offices and `events_*` live in the state, so they survive restarts and hand-overs.
- **One office, several workers.** After a hand-over an office's series come from another `instance`. Record
  `max without (instance) (attente_tickets_called_total)` and take `rate` or `increase` of what was recorded; the
  increases of the instances do not add up.
- **Zeros are there.** Of every office on a page, each of its services has all its counters from the beginning, so that
  `increase` sees the first step. The service `other` is there once an event named a service that the office does not
  offer. Every reason of refusal is there for every partition.
- **Instants, not ages.** `time() - attente_longest_waiting_since_timestamp_seconds` is an age.
  `attente_as_of_timestamp_seconds` is the office's own now, which is not the clock's while an archive is replayed.
- **Four counts, every service level.** `outcome` × `within` are the four counts from which every definition of a
  service level follows. A ratio is never exported, so sums over offices stay right. What was promised for the day:
  `sum by (office) (attente_window_readings{window="day",norm="N",per="visit",outcome="answered",within="within"}) /
  sum by (office) (attente_window_readings{window="day",norm="N",per="visit",outcome="answered"})`.
- **Facts join.** `attente_waiting_tickets * on (office) group_left (region) max by (office, region)
  (attente_office_info)` gives a gauge its region. Every worker shows the facts of the whole registry.
- **No person.** No business metric has a label for a worker, a ticket or a desk.

The page ends with the process's own metrics (`process_cpu_seconds_total`, `process_resident_memory_bytes` and the
like), as every exporter has them.
"""

_SERIES: Final = f"""\
## How many series

Labels come from the registry only, so the number of series is known before the first event. It is at most the sum over
these rows, *B* being the finite buckets of the histogram of waits: {FEWEST}, or as many as there are thresholds:
"""

_AFTER_SERIES: Final = """\
An office's services are those of the registry and `other`. `attente.metrics.series.series_count(registry,
partitions=…)` computes it. It is a bound for the whole network on one worker: of several, each shows its partitions'
share. A page has fewer while nobody waits, nobody was called in a window, nothing contradicts, or no unknown service
was named.

A page takes about 4 µs a series to make, in a thread that shares the interpreter with the event loop: with 50,000
series a worker a scrape costs 0.2 s. Beyond that, run more workers, or say `detail: office` in the registry; a worker
without a core of its own also needs a longer `scrape_timeout`, which it makes use of.
"""

_OWNERS: Final[dict[Entities, str]] = {
    frozenset({"office", "service", "norm"}): "service of an office, for each norm that holds there",
    frozenset({"office", "service"}): "service of an office",
    frozenset({"office", "norm"}): "office, for each norm that holds there",
    frozenset({"office"}): "office",
    frozenset({"office", "kiosk"}): "kiosk of the registry",
    frozenset({"norm"}): "norm",
    frozenset({"partition"}): "partition",
    frozenset({"partition", "source"}): "partition, and kiosk of the registry of which something was refused",
    frozenset(): "worker",
}


def markdown() -> str:
    """The whole page."""
    parts = [_INTRODUCTION, *(_section(group) for group in Group), _labels(), _series()]
    return "\n".join(parts)


def _section(group: Group) -> str:
    rows = [
        (f"`{metric.full_name}`", metric.type.value, metric.unit.value, _named(metric.labels), metric.help)
        for metric in CATALOGUE
        if metric.group is group
    ]
    return f"## {group.value}\n\n{_table(('metric', 'type', 'unit', 'labels', 'what it says'), rows)}"


def _named(labels: Iterable[Label]) -> str:
    return ", ".join(f"`{label.name}`" for label in labels)


def _labels() -> str:
    """Labels by name; one name may have two lists of values, of different metrics."""
    known = dict.fromkeys(label for metric in CATALOGUE for label in metric.labels)
    rows = [
        (f"`{label.name}`", label.help, ", ".join(f"`{value}`" for value in label.values), _where(label))
        for label in sorted(known, key=lambda label: label.name)
    ]
    return f"## Labels\n\n{_table(('label', 'what it says', 'values', 'of'), rows)}"


def _where(label: Label) -> str:
    """The metrics that bear a label, where they are few."""
    bearers = [metric for metric in CATALOGUE if label in metric.labels]
    return ", ".join(f"`{metric.full_name}`" for metric in bearers) if len(bearers) <= 3 else f"{len(bearers)} metrics"


def _series() -> str:
    by_service = _formulas(CATALOGUE)
    by_office = _formulas(metric for metric in CATALOGUE if not metric.is_fine)
    rows = [(owner, by_service[ids], by_office[ids]) for ids, owner in _OWNERS.items()]
    table = _table(("for each", "series", "with `detail: office`"), rows)
    return f"{_SERIES}\n{table}\n{_AFTER_SERIES}"


def _formulas(metrics: Iterable[Metric]) -> dict[Entities, str]:
    """How many series each owner has, in terms of the buckets."""
    metrics = tuple(metrics)
    without = series_by_entities(metrics, buckets=0)
    with_one = series_by_entities(metrics, buckets=1)
    return {
        ids: f"{count} + {with_one[ids] - count}·B" if with_one[ids] > count else str(count)
        for ids, count in without.items()
    }


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """`build` writes docs/metrics.md below the working directory, `check` says whether it is current.

    Returns:
        0, 1 when the file is missing or not what `build` would write, 2 for anything but these two words.
    """
    match list(sys.argv[1:] if arguments is None else arguments):
        case ["build"]:
            PATH.write_text(markdown(), encoding="utf-8")
            return 0
        case ["check"]:
            if PATH.is_file() and PATH.read_text(encoding="utf-8") == markdown():
                return 0
            remedy = "run python -m attente.metrics.catalogue build"
            print(f"attente: {PATH} is not what the catalogue says; {remedy}", file=sys.stderr)
            return 1
        case _:
            print("attente: usage: python -m attente.metrics.catalogue build|check", file=sys.stderr)
            return 2
