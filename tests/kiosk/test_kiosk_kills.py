"""A kiosk that is killed again and again, while the broker comes and goes: nothing accepted is lost or reordered.

What comes twice for it changes no figure. The suite kills eight times; `make faults` a hundred (`ATTENTE_KILLS`).
"""

import os
import random
import threading
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from attente.broker.local import LocalBroker
from attente.core.view import Tally
from attente.model.events import AnyEvent, ServiceEnded, ServiceStarted, TicketCalled, TicketIssued
from attente.registry.load import parse
from driver import Driver
from kiosk.kiosks import PARTITIONS, Arrived, Program
from oracle import Record
from workers import HANG_S

KILLS = int(os.environ.get("ATTENTE_KILLS", "8"))
REGISTRY = """\
network: one
services: [{id: accueil, title: Accueil}]
offices: [{id: 75-nation, name: Nation, region: Paris, zone: Europe/Paris, kiosks: [hall-1]}]
norms: []
"""
TALLIES = {
    TicketIssued: Tally.ISSUED,
    TicketCalled: Tally.CALLED,
    ServiceStarted: Tally.STARTED,
    ServiceEnded: Tally.SERVED,
}


def test_what_was_accepted_arrives_in_order_and_is_counted_once_whenever_the_kiosk_is_killed(
    own_broker: LocalBroker, tmp_path: Path
) -> None:
    dice = random.Random(7)  # noqa: S311 - repeatable, not secret
    spool = tmp_path / "hall-1.spool"
    accepted: list[str] = []
    is_up = True
    bootstrap = own_broker.bootstrap
    for run in range(KILLS):
        if run % 6 == 2:
            own_broker.down()
            is_up = False
        elif not is_up and run % 6 == 4:
            own_broker.up()
            is_up = True
        program = Program(bootstrap, spool, run, pause=0.001 if run % 2 else 0.0)
        assert program.has_begun.wait(HANG_S)
        threading.Event().wait(dice.random() * 0.6)  # the moment of the kill is what is random
        program.kill()
        accepted += program.accepted
        if not is_up:
            before = {file.name: file.read_bytes() for file in tmp_path.glob("hall-1.spool*")}
    if not is_up:
        own_broker.up()
    accepted += sent_by_another(bootstrap, spool, KILLS)
    # A power cut may bring back what was taken away, as far as the disk had not heard of it: here, of everything.
    for name, content in before.items():
        (tmp_path / name).write_bytes(content)
    accepted += sent_by_another(bootstrap, spool, KILLS + 1)

    arrived = Arrived(bootstrap)
    assert len(accepted) > 10 * KILLS  # else the test would prove nothing
    arrived.all_are_there(accepted)
    assert arrived.twice > 0
    # Not printed before the kill, but accepted: at most one of each life that was killed.
    assert len(arrived.events) - len(accepted) <= KILLS
    print(f"{KILLS} kills, {len(accepted)} accepted, {len(arrived.events)} arrived, {arrived.twice} twice")
    figures_are_those_of_each_event_once(arrived)


def sent_by_another(bootstrap: str, spool: Path, run: int) -> list[str]:
    """What a program has accepted that ended only when all was sent."""
    program = Program(bootstrap, spool, run, pause=0.001)
    assert program.has_begun.wait(HANG_S)
    program.end()
    return program.accepted


def figures_are_those_of_each_event_once(arrived: Arrived) -> None:
    driver = Driver(parse(REGISTRY, "registry.yaml"), PARTITIONS)
    driver.feed(Record(r.offset, r.timestamp, r.key, r.value, r.partition) for r in arrived.records)
    read, counted, duplicate, refused = driver.account()
    heartbeats = len(arrived.records) - len(arrived.events) - arrived.twice
    assert (read, counted, duplicate) == (len(arrived.records), len(arrived.events) + heartbeats, arrived.twice)
    assert refused == {}
    (office,) = [office for view in driver.views() for office in view.offices]
    (service,) = office.services
    assert {tally: n for tally, n in service.lifetime.items() if n} == tallies(arrived.events.values())
    assert not any(office.contradictions.values())


def tallies(events: Iterable[AnyEvent]) -> dict[Any, int]:
    return dict(Counter(TALLIES[type(event)] for event in events))
