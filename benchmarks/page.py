"""A worker's page of metrics, and whether it says what the tape adds up to."""

import re
from collections import defaultdict
from collections.abc import Mapping
from typing import Any, Final

from attente.metrics import catalogue as c
from attente.metrics.metric import Metric
from benchmarks.process import Failed
from benchmarks.tape import Facts

_WANTED: Final = {
    metric.full_name: metric
    for metric in (
        c.BATCHES,
        c.BATCH_RECORDS,
        c.BATCH_TIME,
        c.CHECKPOINTS,
        c.CHECKPOINT_CUT,
        c.EVENTS_COUNTED,
        c.EVENTS_DUPLICATE,
        c.EVENTS_READ,
        c.LIFETIME_TICKETS,
        c.LIFETIME_VISITS,
        c.LIFETIME_WAIT,
        c.LOOP_STALL,
        c.RESEEKS,
        c.TAKEOVER_TIME,
    )
}
"""A page of a thousand offices has half a million samples: what nobody asks for is passed over."""
_SAMPLE: Final = re.compile(r"(?P<name>[a-z_]+)(?:\{(?P<labels>.*)\})? (?P<value>\S+)")
_LABEL: Final = re.compile(r'(\w+)="([^"]*)"')


class WrongTotals(Failed):
    """A worker has counted wrong, so that its speed means nothing."""


class Page:
    """The samples of the metrics that the benchmarks look at."""

    def __init__(self, text: str) -> None:
        self._samples: dict[str, list[tuple[Mapping[str, str], float]]] = defaultdict(list)
        for line in text.splitlines():
            name = line.partition("{")[0].partition(" ")[0]
            if name in _WANTED and (found := _SAMPLE.fullmatch(line)):
                labels = dict(_LABEL.findall(found["labels"] or ""))
                self._samples[name].append((labels, float(found["value"])))

    def total(self, metric: Metric) -> float:
        """All samples of a metric together; 0 where it has none."""
        return sum(value for _, value in self._samples[metric.full_name])

    def by(self, metric: Metric, *labels: str, **where: str) -> dict[str, int]:
        """Sums by the values of labels (joined by `_`), in thousandths where the metric counts seconds."""
        scale = 1000 if metric.unit.value == "seconds" else 1
        sums: dict[str, int] = {}
        for found, value in self._samples[metric.full_name]:
            if all(found[name] == wanted for name, wanted in where.items()):
                name = "_".join(found[label] for label in labels)
                # One by one: seconds with three decimals add up exactly as whole milliseconds.
                sums[name] = sums.get(name, 0) + round(value * scale)
        return {name: n for name, n in sums.items() if n}

    def check(self, facts: Facts) -> None:
        """Compare with what is known of the tape.

        Raises:
            WrongTotals: a figure is another one.
        """
        totals = facts.totals
        read = sum(facts.split)
        self._compare("events read", self.total(c.EVENTS_READ), read)
        self._compare("events counted", self.total(c.EVENTS_COUNTED), read - facts.duplicates)
        self._compare("duplicates", self.total(c.EVENTS_DUPLICATE), facts.duplicates)
        self._compare("tickets", self.by(c.LIFETIME_TICKETS, "event"), totals.tickets)
        self._compare("waits", self.by(c.LIFETIME_WAIT, "end"), totals.wait_ms)
        for norm, counts in totals.norms.items():
            self._compare(norm, self.by(c.LIFETIME_VISITS, "outcome", "within", norm=norm), counts)

    @staticmethod
    def _compare(what: str, found: Any, wanted: Any) -> None:
        if found != wanted:
            message = f"{what}: {found}, not {wanted}"
            raise WrongTotals(message)
