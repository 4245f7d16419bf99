"""A view as families of metrics: where the value of every metric of the catalogue comes from."""

import platform
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

from prometheus_client.registry import Collector

import attente
from attente.core.view import (
    Counts,
    Histogram,
    KioskView,
    OfficeView,
    PartitionHealth,
    PartitionView,
    ServiceView,
    Tally,
    View,
    WaitEnd,
    WaitStats,
    Window,
    WorkerHealth,
)
from attente.metrics import catalogue as c
from attente.metrics.exposition import Family, Ids, Point, Shape, number
from attente.metrics.metric import Metric
from attente.model.kinds import CHANNELS, OUTCOMES
from attente.model.reasons import REASONS
from attente.model.signatures import VERDICTS
from attente.registry.entities import Norm, Office, Registry
from attente.registry.openings import business_day, is_open_at

_Key = TypeVar("_Key", bound=str)
_View = TypeVar("_View")

Row = tuple[tuple[str, ...], float]
"""The values of the labels beyond the ids, in the catalogue's order, and the value."""


class ViewCollector(Collector):
    """Shows a view to Prometheus.

    What the view does not hold is not shown, so that nothing stale stays on the page; only two things are added. The
    facts of the registry are there before any event. And of an office in the view every counter has its zero for each
    service, channel, outcome and reason that there is, because `increase()` does not see a counter's first step when
    it steps out of nowhere; the service `other` is there once it has been seen.

    Attributes:
        registry: the one in force; another one may take its place at any time.
        source: gives the view; it is called in the thread that renders, and may wait and raise.
        last_render_s: how long the page before took, or None before the first; whoever renders sets it.
    """

    def __init__(self, registry: Registry, source: Callable[[], View]) -> None:
        self.registry = registry
        self.source = source
        self.last_render_s: float | None = None

    def collect(self) -> Iterator[Family]:
        """The families that have samples, in the order of the catalogue, each made when it is asked for."""
        owners = _Owners.of(self.registry, self.source(), self.last_render_s)
        for metric in c.CATALOGUE:
            if points := list(_SHOWN[metric](metric, owners)):
                unit = metric.unit.value if metric.unit.is_base else ""
                yield Family(metric.family, metric.help, metric.type.value, unit, points)


_Owned = list[tuple[Ids, _View]]


@dataclass(frozen=True, slots=True)
class _Owners:
    """All that samples can belong to, with its ids."""

    registry: _Owned[Registry]
    registered: _Owned[Office]
    norms: _Owned[Norm]
    offices: _Owned[OfficeView]
    scheduled: _Owned[bool]  # offices with a calendar, whether it says that they are open
    kiosks: _Owned[KioskView]
    services: _Owned[ServiceView]
    waits: _Owned[tuple[tuple[int, ...], Mapping[WaitEnd, Histogram]]]
    accounts: _Owned[PartitionView]
    all_partitions: _Owned[bool]  # whether it is owned
    partitions: _Owned[PartitionHealth]
    worker: _Owned[WorkerHealth]
    page: _Owned[float | None]  # how long the one before took

    @classmethod
    def of(cls, registry: Registry, view: View, last_render_s: float | None) -> "_Owners":
        offices = [(partition, office) for partition in view.partitions for office in partition.offices]
        services = [
            ({"office": office.office, "service": service.service}, partition, service)
            for partition, office in offices
            for service in _services(office, registry.offices.get(office.office))
        ]
        health = view.health
        owned = {partition.partition for partition in health.partitions}
        return cls(
            registry=[({}, registry)],
            registered=[({"office": office.id}, office) for office in registry.offices.values()],
            norms=[({"norm": norm.id}, norm) for norm in _in_force(registry, view)],
            offices=[({"office": office.office}, office) for _, office in offices],
            scheduled=list(_scheduled(registry, [office for _, office in offices])),
            kiosks=list(_kiosks(registry, [office for _, office in offices])),
            services=[(ids, service) for ids, _, service in services],
            waits=[(ids, (partition.bounds, service.greatest_waits)) for ids, partition, service in services],
            accounts=[(_partition(partition.partition), partition) for partition in view.partitions],
            all_partitions=[(_partition(number), number in owned) for number in range(health.partitions_total)],
            partitions=[(_partition(partition.partition), partition) for partition in health.partitions],
            worker=[({}, health)],
            page=[({}, last_render_s)],
        )


def _in_force(registry: Registry, view: View) -> list[Norm]:
    """The definition of each norm that the page shows: the one in force on the latest business day of its offices.

    A norm that is still to come shows its first definition, and a page without offices the newest ones: what was
    promised is there before any event.
    """
    latest: dict[str, int] = {}  # by zone
    for partition in view.partitions:
        for office in partition.offices:
            if office.office in registry.offices and office.as_of_ms:
                zone = registry.offices[office.office].zone
                latest[zone] = max(office.as_of_ms, latest.get(zone, 0))
    if not latest:
        return list(registry.norms.values())
    today = max(business_day(registry, zone, at_ms) for zone, at_ms in latest.items())
    return [norm.in_force(today) or norm.definitions()[0] for norm in registry.norms.values()]


def _scheduled(registry: Registry, offices: Iterable[OfficeView]) -> Iterator[tuple[Ids, bool]]:
    """The offices whose calendar says whether they are open at their now."""
    for view in offices:
        office = registry.offices.get(view.office)
        if office is not None and office.calendar and view.as_of_ms:
            yield {"office": office.id}, is_open_at(registry, office, view.as_of_ms)


def _kiosks(registry: Registry, offices: Iterable[OfficeView]) -> Iterator[tuple[Ids, KioskView]]:
    """The kiosks that the registry names and that were heard: what else calls itself a kiosk makes no series."""
    for view in offices:
        office = registry.offices.get(view.office)
        for kiosk in office.kiosks if office else ():
            if kiosk in view.kiosks:
                yield {"office": view.office, "kiosk": kiosk}, view.kiosks[kiosk]


def _partition(number: int) -> Ids:
    return {"partition": str(number)}


def _services(office: OfficeView, registered: Office | None) -> Iterator[ServiceView]:
    """The services of an office: those that it offers, seen or not, then what else the view holds."""
    seen = {service.service: service for service in office.services}
    for name in registered.services if registered else ():
        yield seen.pop(name) if name in seen else ServiceView(name, {}, {}, {}, {}, 0, None, {}, {}, {}, {}, {}, {})
    yield from seen.values()


_Show = Callable[[Metric, _Owners], Iterator[Point]]


def _each(owners_of: Callable[[_Owners], _Owned[_View]], rule: Callable[[_View], Iterable[Row]]) -> _Show:
    """Shows the rows that a rule gives for every owner."""

    def show(metric: Metric, owners: _Owners) -> Iterator[Point]:
        found = owners_of(owners)
        if not found:
            return
        ids, _ = found[0]  # all owners of a metric are of one kind
        shape = Shape(metric.full_name, tuple(label.name for label in metric.labels[len(ids) :]))
        for ids, view in found:
            for values, value in rule(view):
                yield shape, ids, values, value

    return show


def _service(rule: Callable[[ServiceView], Iterable[Row]]) -> _Show:
    return _each(lambda owners: owners.services, rule)


def _office(rule: Callable[[OfficeView], Iterable[Row]]) -> _Show:
    return _each(lambda owners: owners.offices, rule)


def _kiosk(rule: Callable[[KioskView], Iterable[Row]]) -> _Show:
    return _each(lambda owners: owners.kiosks, rule)


def _account(rule: Callable[[PartitionView], Iterable[Row]]) -> _Show:
    return _each(lambda owners: owners.accounts, rule)


def _owned(rule: Callable[[PartitionHealth], Iterable[Row]]) -> _Show:
    return _each(lambda owners: owners.partitions, rule)


def _worker(rule: Callable[[WorkerHealth], Iterable[Row]]) -> _Show:
    return _each(lambda owners: owners.worker, rule)


def _one(value: float) -> tuple[Row]:
    return (((), value),)


def _one_if(value: float | None) -> tuple[Row, ...]:
    return () if value is None else _one(value)


def _fact(*values: str) -> tuple[Row]:
    return ((values, 1),)


def _seconds(at_ms: int | None) -> float | None:
    """An instant in Unix seconds; None and 0 are never."""
    return at_ms / 1000 if at_ms else None


def _by(keys: Iterable[_Key], counts: Mapping[_Key, float]) -> list[Row]:
    """The count of every key, 0 where there is none."""
    all_counts: dict[_Key, float] = {**dict.fromkeys(keys, 0), **counts}
    return [((str(key),), count) for key, count in all_counts.items()]


def _four(counts_by: Iterable[tuple[tuple[str, ...], Counts]]) -> Iterator[Row]:
    for labels, counts in counts_by:
        yield (*labels, "answered", "within"), counts.answered_within
        yield (*labels, "answered", "beyond"), counts.answered_beyond
        yield (*labels, "left", "within"), counts.left_within
        yield (*labels, "left", "beyond"), counts.left_beyond


def _refused(account: PartitionView) -> Iterator[Row]:
    """By source and reason: of no known kiosk each reason, of a kiosk those that occurred."""
    known = Counter[str]()
    for counts in account.refused_of.values():
        known.update(counts)
    for (reason,), count in _by(REASONS, account.refused):
        yield ("", reason), count - known[reason]
    for source, counts in sorted(account.refused_of.items()):
        for reason, count in sorted(counts.items()):
            yield (source, reason), count


def _stats(windows: Mapping[Window, WaitStats]) -> Iterator[Row]:
    for window, waits in windows.items():
        if not waits.count:
            continue
        for percent, wait_s in waits.percentiles_s.items():
            yield (window.value, f"p{percent}"), wait_s
        yield (window.value, "mean"), waits.sum_ms / waits.count / 1000
        if waits.max_s is not None:
            yield (window.value, "max"), waits.max_s


def _greatest(tally: Tally) -> _Show:
    return _service(lambda service: _one(service.greatest.get(tally, 0)))


def _histograms(metric: Metric, owners: _Owners) -> Iterator[Point]:
    """A histogram for every end of a wait: its buckets ascending, then count and sum."""
    name = metric.full_name
    bucket = Shape(f"{name}_bucket", ("end", "le"))
    count, total = Shape(f"{name}_count", ("end",)), Shape(f"{name}_sum", ("end",))
    buckets_of: dict[tuple[int, ...], dict[WaitEnd, list[tuple[str, str]]]] = {}
    for ids, (bounds, by_end) in owners.waits:
        if bounds not in buckets_of:
            numbers = [*map(number, bounds), "+Inf"]
            buckets_of[bounds] = {end: [(end.value, bound) for bound in numbers] for end in WaitEnd}
        for end, buckets in buckets_of[bounds].items():
            histogram = by_end.get(end) or Histogram((0,) * len(bounds), 0, 0)
            for values, below in zip(buckets, (*histogram.cumulative, histogram.count), strict=True):
                yield bucket, ids, values, below
            of_end = (end.value,)
            yield count, ids, of_end, histogram.count
            yield total, ids, of_end, histogram.sum_ms / 1000


def _promise(norm: Norm) -> tuple[Row]:
    clock = norm.clock
    words = (norm.left, clock.start, clock.end, clock.per, norm.still_waiting)
    return _fact(norm.title, *(word.value for word in words))


def _registered(office: Office) -> tuple[Row]:
    return _fact(office.region, office.name, office.calendar, office.zone)


_SHOWN: Final[dict[Metric, _Show]] = {
    c.OFFICE_INFO: _each(lambda owners: owners.registered, _registered),
    c.NORM_INFO: _each(lambda owners: owners.norms, _promise),
    c.NORM_THRESHOLD: _each(lambda owners: owners.norms, lambda norm: _one(norm.threshold_s)),
    c.NORM_TARGET: _each(lambda owners: owners.norms, lambda norm: _one(norm.target_milli / 100_000)),
    c.REGISTRY_INFO: _each(lambda owners: owners.registry, lambda net: _fact(net.hash, net.network)),
    c.BUILD_INFO: _worker(lambda _: _fact(attente.__version__, platform.python_version())),
    c.WORKER_INFO: _worker(lambda worker: _fact(worker.worker)),
    c.TICKETS_ISSUED: _service(lambda service: _by(CHANNELS, service.greatest_issued)),
    c.TICKETS_CALLED: _greatest(Tally.CALLED),
    c.TICKETS_NO_SHOW: _greatest(Tally.NO_SHOW),
    c.TICKETS_ABANDONED: _greatest(Tally.ABANDONED),
    c.TICKETS_TRANSFERRED: _greatest(Tally.TRANSFERRED),
    c.TICKETS_REQUEUED: _greatest(Tally.REQUEUED),
    c.TICKETS_CLOSED: _greatest(Tally.CLOSED),
    c.SERVICES_STARTED: _greatest(Tally.STARTED),
    c.SERVICES_ENDED: _service(lambda service: _by(OUTCOMES, service.greatest_served)),
    c.VISITORS_TURNED_AWAY: _greatest(Tally.TURNED_AWAY),
    c.WAIT: _histograms,
    c.CORRECTIONS: _office(lambda office: _one(office.corrections)),
    c.AS_OF: _office(lambda office: _one_if(_seconds(office.as_of_ms))),
    c.OFFICE_OPEN: _office(lambda office: _one(office.is_open)),
    c.SCHEDULED_OPEN: _each(lambda owners: owners.scheduled, _one),
    c.OFFICE_HEARD: _office(lambda office: _one_if(_seconds(office.heard_ms))),
    c.OPEN_DESKS: _office(lambda office: _one(office.open_desks)),
    c.OPEN_DESK_SECONDS: _office(
        lambda office: _by(Window, {window: ms / 1000 for window, ms in office.open_desk_ms.items()})
    ),
    c.WAITING: _service(lambda service: _one(service.waiting)),
    c.WAITING_SINCE: _service(lambda service: _one_if(_seconds(service.waiting_since_ms))),
    c.NORM_WAITING_BEYOND: _service(lambda service: _by((), service.waiting_beyond)),
    c.WINDOW_WAIT: _service(lambda service: _stats(service.window_waits)),
    c.WINDOW_VISITS: _service(
        lambda service: _four(((norm, window.value), n) for (norm, window), n in service.window_visits.items())
    ),
    c.OFFICE_WINDOW_WAIT: _office(lambda office: _stats(office.window_waits)),
    c.WINDOW_READINGS: _office(
        lambda office: _four(((norm, window.value, per.value), n) for (norm, window, per), n in office.readings.items())
    ),
    c.CONTRADICTIONS: _office(lambda office: _by((), office.contradictions)),
    c.KIOSK_HEARD: _kiosk(lambda kiosk: _one_if(_seconds(kiosk.heard_ms))),
    c.KIOSK_SPOOLED: _kiosk(lambda kiosk: _one(kiosk.spooled)),
    c.KIOSK_DRIFT: _kiosk(lambda kiosk: _one(kiosk.drift_ms / 1000)),
    c.LIFETIME_TICKETS: _service(lambda service: _by(Tally, service.lifetime)),
    c.LIFETIME_WAIT: _service(
        lambda service: _by(WaitEnd, {end: ms / 1000 for end, ms in service.lifetime_wait_ms.items()})
    ),
    c.LIFETIME_VISITS: _service(lambda service: _four(((norm,), n) for norm, n in service.lifetime_visits.items())),
    c.EVENTS_READ: _account(lambda account: _one(account.read)),
    c.EVENTS_COUNTED: _account(lambda account: _one(account.counted)),
    c.EVENTS_DUPLICATE: _account(lambda account: _one(account.duplicate)),
    c.EVENTS_REFUSED: _account(_refused),
    c.EVENT_SIGNATURES: _account(lambda account: _by(VERDICTS, account.signatures)),
    c.READY: _worker(lambda worker: _one(worker.ready)),
    c.PARTITIONS: _worker(lambda worker: _one(worker.partitions_total)),
    c.PARTITION_OWNED: _each(lambda owners: owners.all_partitions, _one),
    c.PARTITION_SHOWN: _owned(lambda partition: _one(partition.shown)),
    c.PARTITION_LAG: _owned(lambda partition: _one(partition.lag)),
    c.STREAM_TIME: _owned(lambda partition: _one_if(_seconds(partition.stream_time_ms))),
    c.BATCHES: _worker(lambda worker: _one(worker.batches)),
    c.BATCH_RECORDS: _worker(lambda worker: _one(worker.batch_records)),
    c.BATCH_TIME: _worker(lambda worker: _one(worker.batch_s)),
    c.RESEEKS: _worker(lambda worker: _one(worker.reseeks)),
    c.GAPS: _worker(lambda worker: _one(worker.gaps)),
    c.DEAD_LETTERS: _worker(lambda worker: _one(worker.dead_letters)),
    c.COMMIT_FAILURES: _worker(lambda worker: _one(worker.commit_failures)),
    c.CHECKPOINTS: _worker(lambda worker: _one(worker.checkpoints)),
    c.CHECKPOINT_FAILURES: _worker(lambda worker: _one(worker.checkpoint_failures)),
    c.CHECKPOINT_BYTES: _worker(lambda worker: _one(worker.checkpoint_bytes)),
    c.CHECKPOINT_LAST: _worker(lambda worker: _one_if(_seconds(worker.checkpoint_last_ms))),
    c.CHECKPOINT_CUT: _worker(lambda worker: _one(worker.checkpoint_cut_s)),
    c.CHECKPOINT_FALLBACKS: _worker(lambda worker: _one(worker.fallbacks)),
    c.TAKEOVERS: _worker(lambda worker: _one(worker.takeovers)),
    c.TAKEOVER_TIME: _worker(lambda worker: _one_if(worker.takeover_s if worker.takeovers else None)),
    c.LOOP_STALL: _worker(lambda worker: _one(worker.loop_stall_s)),
    c.SCRAPE_RENDER: _each(lambda owners: owners.page, _one_if),
}
