"""A kiosk whose clock is hours wrong: what becomes of its events, and how it is seen."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from attente.broker.local import LocalBroker
from attente.core.render import Renderer
from attente.kiosk import Kiosk, KioskSettings
from attente.kiosk.making import now
from attente.model.reasons import Reason
from attente.registry.load import parse
from driver import Driver
from oracle import Record
from workers import content, wait_until

HOUR_MS = 3_600_000
REGISTRY = """\
network: one
services: [{id: accueil, title: Accueil}]
offices: [{id: 75-nation, name: Nation, region: Paris, zone: Europe/Paris, kiosks: [hall-1]}]
norms: []
"""


@pytest.mark.broker
@pytest.mark.parametrize(("hours", "refused"), [(2, {Reason.FROM_THE_FUTURE}), (-2, set())], ids=["fast", "slow"])
def test_events_keep_the_kiosks_time_and_its_drift_is_seen_either_way(
    broker: LocalBroker, make_topics: Callable[..., str], tmp_path: Path, hours: int, refused: set[Reason]
) -> None:
    prefix = make_topics(partitions=1)

    def clock() -> datetime:
        return now() + timedelta(hours=hours)

    settings = KioskSettings(
        office="75-nation",
        kiosk="hall-1",
        spool=tmp_path / "s",
        broker=broker.bootstrap,
        topic=f"{prefix}events",
        heartbeat_seconds=1,
    )
    with Kiosk(settings, clock=clock) as kiosk:
        kiosk.ticket_issued(ticket="A1", service="accueil")
        assert kiosk.drain(30)
        drift = wait_until(lambda: kiosk.status().drift_ms, "an acknowledgement")
        assert abs(drift - hours * HOUR_MS) < 60_000
        wait_until(
            lambda: sum(b"driftms" in record.value for record in content(broker.bootstrap, settings.topic)),
            "a heartbeat",
        )
    part = Driver(parse(REGISTRY, "registry.yaml")).parts[0]
    part.ingest(Record(r.offset, r.timestamp, r.key, r.value) for r in content(broker.bootstrap, settings.topic))
    assert {dead.reason for dead in part.take_dead()} == refused
    (view,) = Renderer(part).offices(part.stream)
    assert abs(view.kiosks["hall-1"].drift_ms - hours * HOUR_MS) < 60_000
    assert abs(view.kiosks["hall-1"].heard_ms - part.stream) < 60_000, "a heartbeat bears the broker's time"
    assert (view.heard_ms is None) == (hours > 0)
