"""Every recorded series once: its name, labels, unit and help. What is computed for it is said in `rules.recording`.

A recorded series is a truth of the network, not of a process: it bears the labels named here and never `instance` or
`job`, so that it goes on, with the same value, while an office moves from one worker to another. The names follow
Prometheus' convention for recorded series, `attente:…`, so that nobody takes them for what a worker serves.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from attente.metrics import catalogue
from attente.metrics.metric import PREFIX, Group, Metric, Type, Unit

RECORDED_PREFIX: Final = "attente:"
HISTOGRAM_SUFFIXES: Final = ("_bucket", "_count", "_sum")


@dataclass(frozen=True, slots=True)
class Recorded:
    """A recorded series.

    Attributes:
        name: as in PromQL, `attente:…`.
        labels: all that it bears, ids first; a label whose value is empty is absent in Prometheus.
        unit: what its value counts.
        help: one sentence that names the definition.
        source: the metric of a worker that it is the network's truth of; None where it is computed of several.
    """

    name: str
    labels: tuple[str, ...]
    unit: Unit
    help: str
    source: Metric | None = None

    @property
    def by(self) -> str:
        """The labels as an aggregation names them: `office, service`."""
        return ", ".join(self.labels)


def name_of(metric: Metric, suffix: str = "") -> str:
    """The recorded name of a metric that is recorded as it is: `attente:` and its name without the prefix."""
    return RECORDED_PREFIX + metric.full_name.removeprefix(PREFIX) + suffix


def _truths(metrics: Iterable[Metric]) -> Iterable[Recorded]:
    for metric in metrics:
        labels = tuple(label.name for label in metric.labels)
        if metric.type is Type.HISTOGRAM:
            for suffix in HISTOGRAM_SUFFIXES:
                also = ("le",) if suffix == "_bucket" else ()
                yield Recorded(name_of(metric, suffix), (*labels, *also), metric.unit, metric.help, metric)
        else:
            yield Recorded(name_of(metric), labels, metric.unit, metric.help, metric)


_ACCOUNTS: Final = (catalogue.EVENTS_READ, catalogue.EVENTS_COUNTED, catalogue.EVENTS_DUPLICATE)

TRUTHS: Final = tuple(_truths((*(m for m in catalogue.CATALOGUE if m.group is Group.COUNTERS), *_ACCOUNTS)))
"""The counters of offices and partitions, once for the network: take every `rate` and `increase` of these."""

EVENTS_REFUSED: Final = Recorded(
    name_of(catalogue.EVENTS_REFUSED),
    ("partition", "reason"),
    Unit.EVENTS,
    "Events refused over the whole log, whoever sent them; each reason is there from the beginning, so that a first "
    "step is seen.",
    catalogue.EVENTS_REFUSED,
)
SOURCE_REFUSED: Final = Recorded(
    "attente:source_events_refused_total",
    ("source", "reason"),
    Unit.EVENTS,
    "Events refused over the whole log that name a kiosk of the registry as their source; absent until there is one.",
)

# Facts to join

OFFICE_INFO: Final = Recorded(
    "attente:office_info",
    ("office", "region", "name", "calendar", "zone"),
    Unit.TRUTH,
    "An office with its region, name, calendar and zone, always 1; one series an office, even while workers differ.",
)
NORM_INFO: Final = Recorded(
    "attente:norm_info",
    ("norm", "title", "left", "from", "to", "per", "still_waiting"),
    Unit.TRUTH,
    "A norm with its title, its clock and what becomes of those who left or still wait, always 1; one series a norm.",
)
NORM_THRESHOLD: Final = Recorded(
    "attente:norm_threshold_seconds", ("norm",), Unit.SECONDS, "Longest wait in seconds that keeps the norm."
)
NORM_TARGET: Final = Recorded(
    "attente:norm_target_ratio", ("norm",), Unit.RATIO, "Share from 0 to 1 that the norm promises."
)

# Readings and service levels, of the exact windows of the offices

_READING: Final = ("norm", "window", "per")

READINGS: Final = Recorded(
    "attente:readings",
    ("office", "region", *_READING, "outcome", "within"),
    Unit.VISITS,
    "The four counts of an office, a norm and a window, from which every service level follows.",
)
REGION_READINGS: Final = Recorded(
    "attente:region_readings",
    ("region", *_READING, "outcome", "within"),
    Unit.VISITS,
    "The four counts of a region, the sums over its offices.",
)
NETWORK_READINGS: Final = Recorded(
    "attente:network_readings",
    (*_READING, "outcome", "within"),
    Unit.VISITS,
    "The four counts of the network, the sums over its regions.",
)
SERVICE_LEVEL: Final = Recorded(
    "attente:service_level",
    ("office", "region", *_READING, "left"),
    Unit.RATIO,
    "Service level of an office by each treatment of those who left; absent where nothing is to be counted.",
)
REGION_SERVICE_LEVEL: Final = Recorded(
    "attente:region_service_level",
    ("region", *_READING, "left"),
    Unit.RATIO,
    "Service level of a region, of the sums over its offices.",
)
NETWORK_SERVICE_LEVEL: Final = Recorded(
    "attente:network_service_level",
    (*_READING, "left"),
    Unit.RATIO,
    "Service level of the network, of the sums over all offices.",
)

# The promise: the norm's own per, left and still_waiting

PROMISE_VISITS: Final = Recorded(
    "attente:promise_visits",
    ("office", "region", "norm", "window"),
    Unit.VISITS,
    "What the norm's own definition counts in the window: answered, and those who left or wait where it counts them.",
)
PROMISE_FAILURES: Final = Recorded(
    "attente:promise_failures",
    ("office", "region", "norm", "window"),
    Unit.VISITS,
    "How many of these broke the norm, by its own definition.",
)
PROMISE_LEVEL: Final = Recorded(
    "attente:promise_level",
    ("office", "region", "norm", "window"),
    Unit.RATIO,
    "Share of an office's visits that kept the norm, by its own definition; absent where nothing is to be counted.",
)
REGION_PROMISE_LEVEL: Final = Recorded(
    "attente:region_promise_level",
    ("region", "norm", "window"),
    Unit.RATIO,
    "Share of a region's visits that kept the norm, of the sums over its offices.",
)
NETWORK_PROMISE_LEVEL: Final = Recorded(
    "attente:network_promise_level",
    ("norm", "window"),
    Unit.RATIO,
    "Share of the network's visits that kept the norm, of the sums over all offices.",
)

# The budget: the failures that the target allows

BURN_RATE: Final = Recorded(
    "attente:burn_rate",
    ("office", "region", "norm", "window"),
    Unit.RATIO,
    "Share of failures in the window over the share that the target allows: 1 spends the month's budget in a month.",
)
BURN_FACTOR: Final = Recorded(
    "attente:burn_factor",
    ("norm", "window"),
    Unit.RATIO,
    "The burn rate beyond which somebody is told: of the hour it is the fast one, of the day the slow one.",
)
BUDGET_SPENT: Final = Recorded(
    "attente:budget_spent_ratio",
    ("office", "region", "norm"),
    Unit.RATIO,
    "Share of the month's allowed failures that is spent, were every day of the month to see as many visits.",
)

# Who waits now

LONGEST_WAIT: Final = Recorded(
    "attente:longest_wait_seconds",
    ("office", "region", "service"),
    Unit.SECONDS,
    "The longest present wait (of one leg) for a service at the office's now; absent where nobody waits.",
)
OFFICE_TROUBLE: Final = Recorded(
    "attente:office_trouble",
    ("office", "region"),
    Unit.RATIO,
    "The longest present wait over the norm's threshold, greatest over services and norms: 1 is just at the norm.",
)
OFFICE_OPEN: Final = Recorded(
    "attente:office_open",
    ("office", "region"),
    Unit.TRUTH,
    "Whether an office serves visitors now, 1 or 0: it said that it opened, or its hours say so and a desk is open.",
)
KIOSK_HEARD: Final = Recorded(
    "attente:kiosk_heard_timestamp_seconds",
    ("office", "kiosk"),
    Unit.SECONDS,
    "Time of the kiosk's newest heartbeat, kept for four days after the workers have forgotten it.",
)
WAITING: Final = Recorded(
    "attente:waiting", ("office", "region"), Unit.TICKETS, "Tickets that wait now, over all services of the office."
)
WAITING_BEYOND: Final = Recorded(
    "attente:waiting_beyond",
    ("office", "region", "norm"),
    Unit.TICKETS,
    "Tickets that wait now and have waited longer than the norm's threshold, over all services of the norm.",
)

RECORDED: Final = (*TRUTHS, *(series for series in tuple(globals().values()) if isinstance(series, Recorded)))
"""Every recorded series, in the order in which rules are written."""

BY_NAME: Final = {series.name: series for series in RECORDED}
