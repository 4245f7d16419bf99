"""Every metric once: its name, type, labels, unit and help.

To add a metric, define it here as a constant, and say in `attente.metrics.collector` where its value comes from. The
constants of this module, in their order, are the catalogue; that order is the order of the page. Nothing here imports
prometheus_client, so that dashboards and rules can be built from the catalogue without a worker's packages.

`python -m attente.metrics.catalogue build` writes docs/metrics.md from it, `check` says whether that file is current.
"""

import typing
from functools import partial
from typing import Final

from attente.core.view import Tally, WaitEnd, Window
from attente.metrics.metric import Group, Label, Metric, Type, Unit
from attente.model.events import AnyEvent, KioskHeartbeat, VisitorTurnedAway
from attente.model.kinds import CHANNELS, OUTCOMES
from attente.model.reasons import REASONS
from attente.model.signatures import VERDICTS
from attente.registry.entities import Per

STATS: Final = ("p50", "p90", "p95", "mean", "max")
CONTRADICTORY: Final = tuple(
    str(event.__struct_config__.tag)
    for event in typing.get_args(AnyEvent)
    if event not in (VisitorTurnedAway, KioskHeartbeat)
)
"""The types of events that can contradict what is known; the others stand alone."""

OFFICE: Final = Label("office", "office id of the registry", is_entity=True)
SERVICE: Final = Label("service", "service id of the registry, or `other` for those it does not know", is_entity=True)
NORM: Final = Label("norm", "norm id of the registry", is_entity=True)
KIOSK: Final = Label("kiosk", "kiosk id of the registry; others are not shown", is_entity=True)
SOURCE: Final = Label(
    "source",
    "what the event names as its source, where that is a kiosk of the registry, and the partition its office's or the "
    "reason that it is not; else empty; nobody has checked it",
    is_entity=True,
)
PARTITION: Final = Label("partition", "partition of the events topic", is_entity=True)
CHANNEL: Final = Label("channel", "how the ticket was obtained", CHANNELS)
RESULT: Final = Label("outcome", "how the service ended", OUTCOMES)
END: Final = Label(
    "end",
    "how the wait ended; a no-show's wait is the wait of its call, so answered = called - no_show",
    tuple(WaitEnd),
)
EVENT: Final = Label("event", "what is counted", tuple(Tally))
WINDOW: Final = Label(
    "window", "the local hour, the business day or the calendar month of the office's now", tuple(Window)
)
STAT: Final = Label("stat", "exact nearest-rank percentile, mean or maximum; the month has the mean only", STATS)
PER: Final = Label("per", "each leg by itself, the first leg only, or the whole visit", tuple(Per))
OUTCOME: Final = Label("outcome", "`answered`: called and came; `left`: abandoned or no-show", ("answered", "left"))
WITHIN: Final = Label("within", "whether the wait was within the norm's threshold", ("within", "beyond"))
KIND: Final = Label("kind", "type of the event", CONTRADICTORY)
REASON: Final = Label("reason", "reason code of the dead letters", tuple(REASONS))
VERDICT: Final = Label("verdict", "`valid`, or the reason code of a refusal for the signature", tuple(VERDICTS))

_OFFICE_SERVICE: Final = (OFFICE, SERVICE)
_MONTHLY_STATS: Final = len(STATS) - 1  # all but the mean: a month's exact waits would be too many to hold

_info = partial(Metric, type=Type.INFO, unit=Unit.TRUTH, group=Group.FACTS)
_fact = partial(Metric, type=Type.GAUGE, group=Group.FACTS)
_counter = partial(Metric, type=Type.COUNTER, group=Group.COUNTERS)
_histogram = partial(Metric, type=Type.HISTOGRAM, group=Group.COUNTERS)
_gauge = partial(Metric, type=Type.GAUGE, group=Group.GAUGES)
_lifetime = partial(Metric, type=Type.GAUGE, group=Group.LIFETIME)
_work = partial(Metric, type=Type.COUNTER, group=Group.PIPELINE)
_state = partial(Metric, type=Type.GAUGE, group=Group.PIPELINE)


# Facts to join

OFFICE_INFO: Final = _info(
    "office_info",
    "An office of the registry with its region, its name, its calendar (empty where it has none) and zone, always 1.",
    (
        OFFICE,
        Label("region", "region of the office"),
        Label("name", "name of the office"),
        Label("calendar", "id of the office's opening calendar"),
        Label("zone", "time zone of the office"),
    ),
)
NORM_INFO: Final = _info(
    "norm_info",
    "A norm of the registry with its title, its clock (from, to, per) and what becomes of those who left and of those "
    "who still wait, always 1.",
    (
        NORM,
        Label("title", "title of the norm"),
        Label("left", "the service level that is the promise, by what becomes of those who left"),
        Label("from", "what the norm's clock starts at"),
        Label("to", "what the norm's clock ends at"),
        Label("per", "what the norm's clock times: each leg, the first leg, or the whole visit"),
        Label("still_waiting", "what becomes of those who wait now, in the promise as of now"),
    ),
)
NORM_THRESHOLD: Final = _fact(
    "norm_threshold_seconds",
    "Longest wait in seconds that keeps the norm.",
    (NORM,),
    unit=Unit.SECONDS,
)
NORM_TARGET: Final = _fact(
    "norm_target_ratio",
    "Share from 0 to 1 that the norm promises, of the service level that norm_info names as left.",
    (NORM,),
    unit=Unit.RATIO,
)
REGISTRY_INFO: Final = _info(
    "registry_info",
    "The registry in force, by the hash of its content and the network's name, always 1.",
    (Label("hash", "hash of the registry's content"), Label("network", "name of the network")),
)
BUILD_INFO: Final = _info(
    "build_info",
    "The program that serves this page, by its version and that of its Python, always 1.",
    (Label("version", "version of attente"), Label("python", "version of Python")),
)
WORKER_INFO: Final = _info(
    "worker_info",
    "The worker that serves this page, by its name, always 1.",
    (Label("worker", "name of the worker"),),
)

# Counters: the greatest value that the exact count has had, so that a late fact never makes them fall

TICKETS_ISSUED: Final = _counter(
    "tickets_issued_total",
    "Tickets issued, under the service asked for; the greatest the exact count has been.",
    (*_OFFICE_SERVICE, CHANNEL),
    unit=Unit.TICKETS,
)
TICKETS_CALLED: Final = _counter(
    "tickets_called_total",
    "Tickets called, once per leg, no-shows included; the greatest the exact count has been.",
    _OFFICE_SERVICE,
    unit=Unit.TICKETS,
)
TICKETS_NO_SHOW: Final = _counter(
    "tickets_no_show_total",
    "Tickets called whose visitor did not come; the greatest the exact count has been.",
    _OFFICE_SERVICE,
    unit=Unit.TICKETS,
)
TICKETS_ABANDONED: Final = _counter(
    "tickets_abandoned_total",
    "Tickets whose visitor left before being called; the greatest the exact count has been.",
    _OFFICE_SERVICE,
    unit=Unit.TICKETS,
)
TICKETS_TRANSFERRED: Final = _counter(
    "tickets_transferred_total",
    "Tickets sent on to another service, under the service left; the greatest the exact count has been.",
    _OFFICE_SERVICE,
    unit=Unit.TICKETS,
)
TICKETS_REQUEUED: Final = _counter(
    "tickets_requeued_total",
    "Tickets returned to the queue, under the service left; the greatest the exact count has been.",
    _OFFICE_SERVICE,
    unit=Unit.TICKETS,
)
TICKETS_CLOSED: Final = _counter(
    "tickets_closed_total",
    "Tickets closed by administration or overnight while waiting; the greatest the exact count has been.",
    _OFFICE_SERVICE,
    unit=Unit.TICKETS,
)
SERVICES_STARTED: Final = _counter(
    "services_started_total",
    "Services started; the greatest the exact count has been.",
    _OFFICE_SERVICE,
    unit=Unit.SERVICES,
)
SERVICES_ENDED: Final = _counter(
    "services_ended_total",
    "Services ended, by outcome; the greatest the exact count has been.",
    (*_OFFICE_SERVICE, RESULT),
    unit=Unit.SERVICES,
)
VISITORS_TURNED_AWAY: Final = _counter(
    "visitors_turned_away_total",
    "Visitors who never got a ticket; the greatest the exact count has been.",
    _OFFICE_SERVICE,
    unit=Unit.VISITORS,
)
WAIT: Final = _histogram(
    "wait_seconds",
    "Wait per leg in seconds, rounded up for the buckets and exact in the sum, from the leg's start to its end; "
    "each bucket, count and sum is the greatest it has been.",
    (*_OFFICE_SERVICE, END),
    unit=Unit.SECONDS,
)
CORRECTIONS: Final = _counter(
    "corrections_total",
    "Events that took something back, by which at least one exact count fell.",
    (OFFICE,),
    unit=Unit.EVENTS,
)

# Gauges: exact now

AS_OF: Final = _gauge(
    "as_of_timestamp_seconds",
    "The office's now, in Unix seconds: the instant of all its gauges and the end of its windows.",
    (OFFICE,),
    unit=Unit.SECONDS,
)
OFFICE_OPEN: Final = _gauge(
    "office_open",
    "Whether the office lets visitors in now, 1 or 0.",
    (OFFICE,),
    unit=Unit.TRUTH,
)
SCHEDULED_OPEN: Final = _gauge(
    "office_scheduled_open",
    "Whether the office's calendar says that it is open now, 1 or 0; absent without a calendar.",
    (OFFICE,),
    unit=Unit.TRUTH,
)
OFFICE_HEARD: Final = _gauge(
    "office_heard_timestamp_seconds",
    "When the office was last heard, heartbeats aside, in Unix seconds; absent where not within the horizon.",
    (OFFICE,),
    unit=Unit.SECONDS,
)
OPEN_DESKS: Final = _gauge(
    "open_desks",
    "Desks that are open now.",
    (OFFICE,),
    unit=Unit.DESKS,
)
OPEN_DESK_SECONDS: Final = _gauge(
    "window_open_desk_seconds",
    "How long desks were open in the window, all desks of the office together, up to now.",
    (OFFICE, WINDOW),
    unit=Unit.SECONDS,
)
WAITING: Final = _gauge(
    "waiting_tickets",
    "Tickets that wait now for the service.",
    _OFFICE_SERVICE,
    unit=Unit.TICKETS,
)
WAITING_SINCE: Final = _gauge(
    "longest_waiting_since_timestamp_seconds",
    "When the longest present wait (of one leg) began, in Unix seconds; absent where nobody waits.",
    _OFFICE_SERVICE,
    unit=Unit.SECONDS,
)
NORM_WAITING_BEYOND: Final = _gauge(
    "norm_waiting_beyond_tickets",
    "Tickets that wait now and have waited longer than the norm's threshold by its clock.",
    (*_OFFICE_SERVICE, NORM),
    unit=Unit.TICKETS,
)
WINDOW_WAIT: Final = _gauge(
    "window_wait_seconds",
    "Wait per leg in seconds, from issue or queue entry to call, of the calls in the window; absent without a call.",
    (*_OFFICE_SERVICE, WINDOW, STAT),
    unit=Unit.SECONDS,
    is_fine=True,
    impossible=_MONTHLY_STATS,
)
WINDOW_VISITS: Final = _gauge(
    "window_visits",
    "Legs or visits (as the norm's clock says) in the window, from which every service level of the service follows.",
    (*_OFFICE_SERVICE, NORM, WINDOW, OUTCOME, WITHIN),
    unit=Unit.VISITS,
    is_fine=True,
)
OFFICE_WINDOW_WAIT: Final = _gauge(
    "office_window_wait_seconds",
    "Wait per leg in seconds, from issue or queue entry to call, of all calls of the office in the window; "
    "absent without a call.",
    (OFFICE, WINDOW, STAT),
    unit=Unit.SECONDS,
    impossible=_MONTHLY_STATS,
)
WINDOW_READINGS: Final = _gauge(
    "window_readings",
    "Legs, first legs or visits in the window, over all services of the norm, from which every service level of the "
    "office follows.",
    (OFFICE, NORM, WINDOW, PER, OUTCOME, WITHIN),
    unit=Unit.VISITS,
)
CONTRADICTIONS: Final = _gauge(
    "contradictions",
    "Events held that have no place in their ticket's, desk's or office's life and contribute nothing else.",
    (OFFICE, KIND),
    unit=Unit.EVENTS,
)

KIOSK_HEARD: Final = _gauge(
    "kiosk_heard_timestamp_seconds",
    "Time of the kiosk's newest heartbeat, in Unix seconds; absent where none is within the horizon.",
    (OFFICE, KIOSK),
    unit=Unit.SECONDS,
)
KIOSK_SPOOLED: Final = _gauge(
    "kiosk_spooled_events",
    "Events that the kiosk still held in its spool, by its newest heartbeat.",
    (OFFICE, KIOSK),
    unit=Unit.EVENTS,
)
KIOSK_DRIFT: Final = _gauge(
    "kiosk_drift_seconds",
    "How far the kiosk's clock was ahead of the broker's in seconds, by its newest heartbeat.",
    (OFFICE, KIOSK),
    unit=Unit.SECONDS,
)

# Lifetime: exact over the whole life of the state

LIFETIME_TICKETS: Final = _lifetime(
    "lifetime_tickets",
    "Exact count over the whole life of the state, of tickets (per leg) or of visitors turned away.",
    (*_OFFICE_SERVICE, EVENT),
    unit=Unit.TICKETS,
)
LIFETIME_WAIT: Final = _lifetime(
    "lifetime_wait_seconds",
    "Exact sum of the waits per leg over the whole life of the state, in seconds to the millisecond.",
    (*_OFFICE_SERVICE, END),
    unit=Unit.SECONDS,
)
LIFETIME_VISITS: Final = _lifetime(
    "lifetime_visits",
    "Exact count of legs or visits (as the norm's clock says) over the whole life of the state.",
    (*_OFFICE_SERVICE, NORM, OUTCOME, WITHIN),
    unit=Unit.VISITS,
)

# Pipeline: the accounts of a partition live in the state, the rest begins with the process

EVENTS_READ: Final = _work(
    "events_read_total",
    "Events read over the whole log: counted + duplicate + refused, always.",
    (PARTITION,),
    unit=Unit.EVENTS,
)
EVENTS_COUNTED: Final = _work(
    "events_counted_total",
    "Events accepted over the whole log that were not known before.",
    (PARTITION,),
    unit=Unit.EVENTS,
)
EVENTS_DUPLICATE: Final = _work(
    "events_duplicate_total",
    "Events accepted over the whole log that were known already and changed nothing.",
    (PARTITION,),
    unit=Unit.EVENTS,
)
EVENTS_REFUSED: Final = _work(
    "events_refused_total",
    "Events refused over the whole log, kept as dead letters with this reason.",
    (PARTITION, SOURCE, REASON),
    unit=Unit.EVENTS,
)
EVENT_SIGNATURES: Final = _work(
    "event_signatures_total",
    "Events looked at for their signature over the whole log, by what was found; those of offices with signatures off "
    "are not.",
    (PARTITION, VERDICT),
    unit=Unit.EVENTS,
)
READY: Final = _state(
    "ready",
    "Whether all that this worker owns is caught up and shown, 1 or 0.",
    unit=Unit.TRUTH,
)
PARTITIONS: Final = _state(
    "partitions",
    "Partitions of the events topic.",
    unit=Unit.PARTITIONS,
)
PARTITION_OWNED: Final = _state(
    "partition_owned",
    "Whether this worker owns the partition, 1 or 0.",
    (PARTITION,),
    unit=Unit.TRUTH,
)
PARTITION_SHOWN: Final = _state(
    "partition_shown",
    "Whether the figures of an owned partition are on this page, 1 or 0: caught up, and vouched for by the group.",
    (PARTITION,),
    unit=Unit.TRUTH,
)
PARTITION_LAG: Final = _state(
    "partition_lag_events",
    "Events of an owned partition that are in the log and not yet applied.",
    (PARTITION,),
    unit=Unit.EVENTS,
)
STREAM_TIME: Final = _state(
    "stream_time_timestamp_seconds",
    "Greatest record timestamp applied of an owned partition, in Unix seconds; absent before the first.",
    (PARTITION,),
    unit=Unit.SECONDS,
)
BATCHES: Final = _work(
    "batches_total",
    "Fetched batches applied since the process began.",
    unit=Unit.TIMES,
)
BATCH_RECORDS: Final = _work(
    "batch_records_total",
    "Records in the batches applied since the process began.",
    unit=Unit.EVENTS,
)
BATCH_TIME: Final = _work(
    "batch_seconds_total",
    "Seconds spent applying batches since the process began.",
    unit=Unit.SECONDS,
)
RESEEKS: Final = _work(
    "reseeks_total",
    "Times that fetching was sent back because records were missing before a batch, since the process began.",
    unit=Unit.TIMES,
)
GAPS: Final = _work(
    "gaps_total",
    "Gaps in the log (retention, control records) that were still there after fetching again, since the process began.",
    unit=Unit.TIMES,
)
DEAD_LETTERS: Final = _work(
    "dead_letters_total",
    "Dead letters written since the process began, those of replayed events again.",
    unit=Unit.EVENTS,
)
COMMIT_FAILURES: Final = _work(
    "commit_failures_total",
    "Commits of the group's offsets that failed since the process began; figures vanish when they go on failing.",
    unit=Unit.TIMES,
)
CHECKPOINTS: Final = _work(
    "checkpoints_total",
    "Checkpoints written and acknowledged since the process began.",
    unit=Unit.TIMES,
)
CHECKPOINT_FAILURES: Final = _work(
    "checkpoint_failures_total",
    "Checkpoints that could not be written since the process began.",
    unit=Unit.TIMES,
)
CHECKPOINT_BYTES: Final = _work(
    "checkpoint_bytes_total",
    "Bytes of the checkpoints written since the process began.",
    unit=Unit.BYTES,
)
CHECKPOINT_LAST: Final = _state(
    "checkpoint_last_timestamp_seconds",
    "When the last checkpoint was acknowledged, in Unix seconds; absent before the first.",
    unit=Unit.SECONDS,
)
CHECKPOINT_CUT: Final = _state(
    "checkpoint_longest_cut_seconds",
    "Longest time in seconds that a checkpoint held up the event loop since the process began.",
    unit=Unit.SECONDS,
)
CHECKPOINT_FALLBACKS: Final = _work(
    "checkpoint_fallbacks_total",
    "Checkpoints rejected when a partition was taken over, since the process began.",
    unit=Unit.TIMES,
)
TAKEOVERS: Final = _work(
    "takeovers_total",
    "Times that this worker took partitions over since the process began.",
    unit=Unit.TIMES,
)
TAKEOVER_TIME: Final = _state(
    "takeover_seconds",
    "Seconds that the last take-over lasted; absent before the first.",
    unit=Unit.SECONDS,
)
LOOP_STALL: Final = _state(
    "event_loop_longest_stall_seconds",
    "Longest time in seconds that the event loop did not turn since the process began.",
    unit=Unit.SECONDS,
)
SCRAPE_RENDER: Final = _state(
    "scrape_render_seconds",
    "Seconds that the page before this one took, from asking for the view to the last line; absent on the first.",
    unit=Unit.SECONDS,
)

CATALOGUE: Final = tuple(metric for metric in tuple(globals().values()) if isinstance(metric, Metric))
"""Every metric, in the order of the page."""


if __name__ == "__main__":
    from attente.metrics.reference import main

    raise SystemExit(main())
