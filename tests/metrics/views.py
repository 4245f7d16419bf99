"""Registries and views made up for the tests: quiet ones to start from, and one in which everything happens."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

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
from attente.metrics.catalogue import CONTRADICTORY
from attente.model.kinds import CHANNELS, OUTCOMES
from attente.model.names import kiosk_source
from attente.model.reasons import REASONS
from attente.registry.buckets import bounds
from attente.registry.entities import (
    OTHER,
    Clock,
    Detail,
    End,
    Left,
    Norm,
    Office,
    Per,
    Registry,
    Service,
    Start,
    StillWaiting,
)

NOW_MS: Final = 1_795_500_843_120
BOUNDS: Final = (60, 300, 600, 900, 1200, 1800, 3600)
WAITS: Final = WaitStats(4, 10_000, {50: 3, 90: 111, 95: 157}, 1500)
WINDOW_WAITS: Final = {Window.HOUR: WAITS, Window.DAY: WAITS, Window.MONTH: WaitStats(4, 10_000, {}, None)}


def norm(
    name: str, offices: Iterable[str], services: Iterable[str], *, threshold_s: int = 1200, title: str = ""
) -> Norm:
    """A norm of the door-to-call kind with a target of 85 %."""
    return Norm(
        id=name,
        title=f"Norm {name}",
        threshold_s=threshold_s,
        target_milli=85_000,
        clock=Clock(Start.ARRIVED, End.CALLED, Per.VISIT),
        channels=frozenset(CHANNELS),
        left=Left.EXCLUDED,
        still_waiting=StillWaiting.IGNORED,
        offices=frozenset(offices),
        services=frozenset(services),
    )


def registry(
    offices: Iterable[Office], norms: Iterable[Norm] = (), *, detail: Detail = Detail.SERVICE, network: str = "Réseau"
) -> Registry:
    """A registry that holds just these offices and norms."""
    offices = tuple(offices)
    services = dict.fromkeys(service for office in offices for service in office.services)
    return Registry(
        network=network,
        cut_over_min=180,
        horizon_ms=86_400_000,
        detail=detail,
        offices={office.id: office for office in offices},
        services={service: Service(service, service.title()) for service in services},
        norms={norm.id: norm for norm in norms},
        hash="0123456789abcdef",
    )


def office(name: str = "75-nation", services: tuple[str, ...] = ("accueil",), *, title: str = "Paris Nation") -> Office:
    """An office of Île-de-France."""
    return Office(id=name, name=title, region="idf", zone="Europe/Paris", services=services)


def quiet_service(name: str) -> ServiceView:
    """A service that nobody has used."""
    return ServiceView(name, {}, {}, {}, {}, 0, None, {}, {}, {}, {}, {}, {})


def quiet_office(name: str, *services: ServiceView) -> OfficeView:
    """An office with a shut door and these services."""
    return OfficeView(name, NOW_MS, services, False, 0, {}, {}, 0, {}, {})


def partition_of(*offices: OfficeView, number: int = 0) -> PartitionView:
    """A partition that has read nothing and holds these offices."""
    return PartitionView(number, BOUNDS, offices, 0, 0, 0, {})


def health(**changed: object) -> WorkerHealth:
    """A ready worker that owns the only partition."""
    ready = WorkerHealth("w1", 1, (PartitionHealth(0, shown=True, lag=0, stream_time_ms=NOW_MS),), ready=True)
    return replace(ready, **changed)  # type: ignore[arg-type]


def view(*partitions: PartitionView, **changed: object) -> View:
    """A ready worker's view of these partitions; named arguments change its health."""
    return View(health(**changed), partitions)


def _busy_service(network: Registry, office_id: str, name: str) -> ServiceView:
    """A service in which everything that a view can hold has happened, every count another."""
    norms = [n.id for n in network.norms.values() if office_id in n.offices and name in n.services]
    windows = Window if network.detail is Detail.SERVICE else ()
    limits = bounds(network)
    return ServiceView(
        service=name,
        greatest_issued={channel: 10 + i for i, channel in enumerate(CHANNELS)},
        greatest={tally: 20 + i for i, tally in enumerate(Tally) if tally not in (Tally.ISSUED, Tally.SERVED)},
        greatest_served={outcome: 40 + i for i, outcome in enumerate(OUTCOMES)},
        greatest_waits={end: Histogram(tuple(range(1, len(limits) + 1)), 99, 12_345_678) for end in WaitEnd},
        waiting=3,
        waiting_since_ms=NOW_MS - 600_500,
        waiting_beyond=dict.fromkeys(norms, 2),
        lifetime={tally: 50 + i for i, tally in enumerate(Tally)},
        lifetime_wait_ms={end: 947_857_123 + i for i, end in enumerate(WaitEnd)},
        lifetime_visits={n: Counts(61, 62, 63, 64) for n in norms},
        window_waits=WINDOW_WAITS if windows else {},
        window_visits={(n, window): Counts(71, 72, 73, 74) for n in norms for window in windows},
    )


def busy_view(network: Registry, partitions: int = 1) -> View:
    """Everything that can happen under a registry has happened: the most series that it can make."""
    places = list(network.offices.values())
    offices = [
        OfficeView(
            office=place.id,
            as_of_ms=NOW_MS,
            services=tuple(_busy_service(network, place.id, name) for name in (*place.services, OTHER)),
            is_open=True,
            open_desks=4,
            open_desk_ms=dict.fromkeys(Window, 5_400_500),
            contradictions=dict.fromkeys(CONTRADICTORY, 1),
            corrections=5,
            window_waits=WINDOW_WAITS,
            readings={
                (n.id, window, per): Counts(81, 82, 83, 84)
                for n in network.norms.values()
                if place.id in n.offices
                for window in Window
                for per in Per
            },
            heard_ms=NOW_MS - 5000,
            kiosks={kiosk: KioskView(NOW_MS - 1000, 6, -250) for kiosk in place.kiosks},
        )
        for place in places
    ]
    return view(
        *(
            PartitionView(
                number,
                bounds(network),
                tuple(offices[number::partitions]),
                read=1_234_567_875 + len(REASONS),
                counted=1_200_000_000,
                duplicate=34_567_875,
                refused=dict.fromkeys(REASONS, 1 + sum(len(place.kiosks) for place in places[number::partitions])),
                refused_of={
                    kiosk_source(place.id, kiosk): dict.fromkeys(REASONS, 1)
                    for place in places[number::partitions]
                    for kiosk in place.kiosks
                },
            )
            for number in range(partitions)
        ),
        partitions_total=partitions,
        partitions=tuple(PartitionHealth(n, shown=True, lag=7, stream_time_ms=NOW_MS) for n in range(partitions)),
        checkpoints=1,
        checkpoint_last_ms=NOW_MS,
        takeovers=1,
        takeover_s=1.25,
    )
