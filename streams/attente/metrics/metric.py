"""What a metric is, and the rules that its name, labels and help keep.

The rules are those of Prometheus and OpenMetrics, and the promises of this product: no label whose values could grow
without bound, or that points at a person.
"""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

PREFIX: Final = "attente_"


class Type(StrEnum):
    """What Prometheus may do with a metric. An info is a gauge that is always 1 and carries facts as labels."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"
    INFO = "info"


class Unit(StrEnum):
    """What a value counts. The base units end the metric's name; things that are counted need not."""

    SECONDS = "seconds"
    BYTES = "bytes"
    RATIO = "ratio"
    TICKETS = "tickets"
    VISITS = "visits"
    VISITORS = "visitors"
    SERVICES = "services"
    DESKS = "desks"
    EVENTS = "events"
    TIMES = "times"
    PARTITIONS = "partitions"
    TRUTH = "0 or 1"

    @property
    def is_base(self) -> bool:
        """Whether it is one of Prometheus' base units."""
        return self in _BASE_UNITS


_BASE_UNITS: Final = frozenset({Unit.SECONDS, Unit.BYTES, Unit.RATIO})


class Group(StrEnum):
    """The sections of the catalogue."""

    FACTS = "Facts to join"
    COUNTERS = "Counters"
    GAUGES = "Gauges"
    LIFETIME = "Lifetime"
    PIPELINE = "Pipeline"


@dataclass(frozen=True, slots=True)
class Label:
    """A label and what its values can be.

    Attributes:
        name: as on the page.
        help: what it says.
        values: the closed list of its values, if there is one: a metric has a series for each.
        is_entity: its values are ids of the registry or partitions, and series grow with them. A label that has no
            closed list and is no entity is a fact about the others; it adds no series.
    """

    name: str
    help: str
    values: tuple[str, ...] = ()
    is_entity: bool = False


BUSINESS: Final = frozenset({Group.COUNTERS, Group.GAUGES, Group.LIFETIME})

_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_RESERVED_SUFFIXES: Final = ("_count", "_sum", "_bucket", "_created")
_TYPE_WORDS: Final = frozenset({"counter", "gauge", "histogram", "summary"})
_SMALL_UNITS: Final = frozenset({"ms", "milliseconds", "us", "microseconds", "minutes", "hours", "days", "percent"})
# le and quantile belong to histograms and summaries, job and instance to Prometheus.
_RESERVED_LABELS: Final = frozenset({"le", "quantile", "job", "instance"})
# A region joins by office_info; the others would make series without bound, or point at a person.
_UNWANTED_LABELS: Final = frozenset({"worker", "region", "ticket", "desk"})


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric.

    Attributes:
        name: without the prefix; counters end in `_total`, infos in `_info`, base units end the rest.
        help: one sentence that names the unit and the definition.
        labels: in the order in which the collector gives their values, ids first.
        type: what Prometheus may do with it.
        unit: what its value counts.
        group: its section.
        is_fine: left out where the registry says `detail: office`.
        impossible: how many combinations of values from the closed lists never occur.

    Raises:
        ValueError: when a naming rule is broken.
    """

    name: str
    help: str
    labels: tuple[Label, ...] = ()
    type: Type = field(kw_only=True)
    unit: Unit = field(kw_only=True)
    group: Group = field(kw_only=True)
    is_fine: bool = False
    impossible: int = 0

    def __post_init__(self) -> None:
        for broken in (*_broken_name(self), *_broken_labels(self), *_broken_help(self)):
            message = f"metric {self.name!r}: {broken}"
            raise ValueError(message)

    @property
    def full_name(self) -> str:
        """As in PromQL, without a histogram's suffixes."""
        return PREFIX + self.name

    @property
    def family(self) -> str:
        """The name of the family in OpenMetrics: without `_total` and `_info`."""
        return self.full_name.removesuffix("_total").removesuffix("_info")


def _broken_name(metric: Metric) -> list[str]:
    stem = metric.name.removesuffix("_total")
    words = set(stem.split("_"))
    rules = (
        (_NAME.fullmatch(metric.name) is None, "a name is lower-case words joined by _"),
        (metric.name.startswith(PREFIX), "the prefix is added, not written"),
        ((metric.type is Type.COUNTER) != metric.name.endswith("_total"), "counters and only they end in _total"),
        ((metric.type is Type.INFO) != metric.name.endswith("_info"), "infos and only they end in _info"),
        (stem.endswith(_RESERVED_SUFFIXES), "the suffix belongs to histograms"),
        (bool(words & _TYPE_WORDS), "a name does not say the type"),
        (bool(words & _SMALL_UNITS), "units are base units: seconds, bytes, ratio"),
        (
            any((metric.unit is unit) != stem.endswith(f"_{unit}") for unit in _BASE_UNITS),
            "a base unit ends the name, and the name ends in no other",
        ),
    )
    return [rule for is_broken, rule in rules if is_broken]


def _broken_labels(metric: Metric) -> list[str]:
    names = [label.name for label in metric.labels]
    rules = (
        (any(_NAME.fullmatch(name) is None for name in names), "a label is lower-case words joined by _"),
        (len(names) != len(set(names)), "a label stands once"),
        (not _RESERVED_LABELS.isdisjoint(names), "le, quantile, job and instance are taken"),
        (
            metric.group in BUSINESS and not _UNWANTED_LABELS.isdisjoint(names),
            "business metrics have no worker, region, ticket or desk label",
        ),
    )
    return [rule for is_broken, rule in rules if is_broken]


def _broken_help(metric: Metric) -> list[str]:
    one_sentence = re.fullmatch(r"[A-Z0-9][^\n]{19,}\.", metric.help)
    return [] if one_sentence else ["help is one line that begins with a capital and ends with a full stop"]
