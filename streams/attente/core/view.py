"""What outsiders may see: immutable figures of one instant. Engine and metrics meet here and nowhere else.

All times are milliseconds since 1970, all waits in these values whole seconds unless a name ends in `_ms`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from attente.registry.entities import Per


class Window(StrEnum):
    """The stretch of time that a gauge looks at: the local hour, the business day, the calendar month of *now*."""

    HOUR = "hour"
    DAY = "day"
    MONTH = "month"


class Tally(StrEnum):
    """What is counted of visits. The exact counts over the life of the state bear these names."""

    ISSUED = "issued"
    CALLED = "called"
    ABANDONED = "abandoned"
    NO_SHOW = "no_show"
    TRANSFERRED = "transferred"
    REQUEUED = "requeued"
    CLOSED = "closed"
    STARTED = "started"
    SERVED = "served"
    TURNED_AWAY = "turned_away"


class WaitEnd(StrEnum):
    """How a wait ended; a no-show's wait is the wait of its call, so answered = called - no_show."""

    CALLED = "called"
    ABANDONED = "abandoned"
    NO_SHOW = "no_show"


@dataclass(frozen=True, slots=True)
class Histogram:
    """Waits as Prometheus wants them: `cumulative[i]` waits of at most `bounds[i]` seconds (see `PartitionView`)."""

    cumulative: tuple[int, ...]
    count: int
    sum_ms: int


@dataclass(frozen=True, slots=True)
class Counts:
    """The four counts from which every service level follows (docs/definitions.md)."""

    answered_within: int = 0
    answered_beyond: int = 0
    left_within: int = 0
    left_beyond: int = 0


@dataclass(frozen=True, slots=True)
class WaitStats:
    """Waits from issue or queue entry to call, per leg, in one window.

    `percentiles_s` holds the exact nearest-rank percentiles, e.g. {50: 3, 90: 111, 95: 157}; it is empty where they
    are not offered (the month) or where nobody was called. `max_s` is None where nobody was called or not offered.
    """

    count: int
    sum_ms: int
    percentiles_s: Mapping[int, int]
    max_s: int | None


@dataclass(frozen=True, slots=True)
class ServiceView:
    """One service of one office.

    `greatest_*` are what counters show: the greatest value that the exact count has had over the log prefix.
    `lifetime*` and everything else are exact now.
    """

    service: str
    greatest_issued: Mapping[str, int]  # by channel
    greatest: Mapping[Tally, int]  # without ISSUED and SERVED, which are broken down
    greatest_served: Mapping[str, int]  # by outcome
    greatest_waits: Mapping[WaitEnd, Histogram]
    waiting: int
    waiting_since_ms: int | None  # the beginning of the longest present leg
    waiting_beyond: Mapping[str, int]  # by norm: who has now waited longer than its threshold
    lifetime: Mapping[Tally, int]
    lifetime_wait_ms: Mapping[WaitEnd, int]
    lifetime_visits: Mapping[str, Counts]  # by norm
    window_waits: Mapping[Window, WaitStats]  # empty under `detail: office`
    window_visits: Mapping[tuple[str, Window], Counts]  # by norm and window; empty under `detail: office`


@dataclass(frozen=True, slots=True)
class KioskView:
    """What a kiosk's newest heartbeat said. `drift_ms` is its clock less the broker's."""

    heard_ms: int
    spooled: int
    drift_ms: int


@dataclass(frozen=True, slots=True)
class OfficeView:
    """One office, of one instant `as_of_ms` (its *now*).

    `heard_ms` is the time of its newest event other than heartbeats, None where none is within the horizon; kiosks are
    all that were heard within the horizon, whether the registry knows them or not.
    """

    office: str
    as_of_ms: int
    services: tuple[ServiceView, ...]
    is_open: bool
    open_desks: int
    open_desk_ms: Mapping[Window, int]  # all desks together, up to now
    contradictions: Mapping[str, int]  # by type of event
    corrections: int
    window_waits: Mapping[Window, WaitStats]  # all services together
    readings: Mapping[tuple[str, Window, Per], Counts]  # by norm, window and per: all services of the norm
    heard_ms: int | None = None
    kiosks: Mapping[str, KioskView] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PartitionView:
    """A partition that is owned, caught up and vouched for. `bounds` are those of its histograms, in seconds."""

    partition: int
    bounds: tuple[int, ...]
    offices: tuple[OfficeView, ...]
    read: int
    counted: int
    duplicate: int
    refused: Mapping[str, int]  # by reason code, only what has occurred
    signatures: Mapping[str, int] = field(default_factory=dict)  # by verdict, likewise
    refused_of: Mapping[str, Mapping[str, int]] = field(default_factory=dict)  # by source, for kiosks of the registry


@dataclass(frozen=True, slots=True)
class PartitionHealth:
    """How the pipeline of one owned partition is, whether it is shown or not."""

    partition: int
    shown: bool
    lag: int
    stream_time_ms: int


@dataclass(frozen=True, slots=True)
class WorkerHealth:
    """How this process is. Counters begin with the process; durations are seconds."""

    worker: str
    partitions_total: int
    partitions: tuple[PartitionHealth, ...]
    ready: bool
    checkpoints: int = 0
    checkpoint_failures: int = 0
    checkpoint_bytes: int = 0
    checkpoint_last_ms: int = 0  # when the last one was acknowledged; 0 is never
    checkpoint_cut_s: float = 0.0  # the longest cut: the loop stands still meanwhile
    takeovers: int = 0
    takeover_s: float = 0.0  # the last one
    fallbacks: int = 0  # checkpoints that were rejected at take-over
    batches: int = 0
    batch_records: int = 0
    batch_s: float = 0.0  # time spent applying batches
    reseeks: int = 0
    gaps: int = 0
    commit_failures: int = 0
    loop_stall_s: float = 0.0  # the longest time that the event loop did not turn
    dead_letters: int = 0


@dataclass(frozen=True, slots=True)
class View:
    """Everything a scrape may see."""

    health: WorkerHealth
    partitions: tuple[PartitionView, ...] = field(default=())
