"""From a ticket to a message: real Kafka, workers, Prometheus and Alertmanager, and a hook that is told.

One story, told once, of three offices that all keep a visitor waiting for 25 minutes where 20 are promised:

    open   open by its calendar                  told; then the visitor is called; then another one waits
    shut   closed today by an announced closure, though somebody has opened it
    quiet  closed by its calendar, and nobody is there

At last all workers are killed. Prometheus scrapes and evaluates every second, `for` and `keep_firing_for` of the
shipped alerts are a thirtieth, and Alertmanager gathers for a second; all else is as it is shipped.
"""

import itertools
import json
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from alerting import QUICK, Hook, Told, alertmanager, known, prometheus, query
from attente.broker.admin import connect
from attente.broker.local import LocalBroker
from attente.broker.topics import apply, with_prefix
from attente.model.topics import topics
from attente.registry.entities import Registry
from attente.registry.load import parse
from attente.sources.simulate.network import mid_morning_zone
from workers import Crew, producer, wait_until

pytestmark = pytest.mark.tools

WAIT = "AttenteWaitBeyondNorm"
NOT_MEASURED = "AttenteNotMeasured"
SWITCH = "AttenteDeadMansSwitch"
WORKERS = 2
LATE_MIN = 25
PARTITIONS = 2


def network(now: datetime) -> str:
    """A registry in whose zone it is the middle of the morning, so that no business day ends meanwhile."""
    zone = mid_morning_zone(int(now.timestamp()) * 1000)
    first, last = ((now + timedelta(days=days)).date() for days in (-1, 1))
    return f"""\
network: live
services: [{{id: accueil, title: Accueil}}]
calendars:
  - {{id: always, weekly: {{mon-sun: 00:00-24:00}}}}
  - {{id: never, weekly: {{mon-sun: closed}}}}
offices:
  - {{id: open, name: Open, region: R, zone: {zone}, calendar: always}}
  - id: shut
    name: Shut
    region: R
    zone: {zone}
    calendar: always
    closures: [{{from: {first}, to: {last}, hours: closed}}]
  - {{id: quiet, name: Quiet, region: R, zone: {zone}, calendar: never}}
norms:
  - id: within-20
    title: Within 20 minutes
    threshold: 20m
    target: 0.9
    clock: {{from: issued, to: called, per: visit}}
    left: excluded
"""


class Offices:
    """Offices that say what happens in them."""

    def __init__(self, crew: Crew) -> None:
        self._crew = crew
        self._numbers = itertools.count(1)
        self.sent = 0

    def say(self, office: str, kind: str, ago_min: float = 0, **attributes: Any) -> None:
        """Sends one event and waits until the broker has it."""
        body = {
            "specversion": "1.0",
            "id": str(uuid.uuid4()),
            "source": f"/offices/{office}",
            "type": kind,
            "time": (datetime.now(UTC) - timedelta(minutes=ago_min)).isoformat(),
            "office": office,
            **attributes,
        }
        with producer(self._crew.bootstrap) as sender:
            sender.send(self._crew.events, json.dumps(body).encode(), office.encode()).get(60)
        self.sent += 1

    def keep_waiting(self, office: str) -> str:
        """A visitor waits there for longer than promised; their ticket."""
        ticket = f"A{next(self._numbers)}"
        self.say(office, "ticket.issued", LATE_MIN, ticket=ticket, service="accueil", channel="walkin")
        return ticket


@dataclass
class Story:
    """What was heard and seen, and when.

    Attributes:
        told: everything that the hook was told until the end.
        begun: when all was measured, and the visitors began to be late.
        called: when the one in `open` was called.
        killed: when the workers died.
        shut: what Alertmanager held of the closed office then.
        quiet: what it held of the quiet one.
        silenced: what it held of `open` when the hook had heard that nothing is measured.
        cause: the alert that the silence is owed to.
    """

    begun: float = 0.0
    called: float = 0.0
    killed: float = 0.0
    told: list[Told] = field(default_factory=list)
    shut: list[dict[str, Any]] = field(default_factory=list)
    quiet: list[dict[str, Any]] = field(default_factory=list)
    silenced: list[dict[str, Any]] = field(default_factory=list)
    cause: list[dict[str, Any]] = field(default_factory=list)

    def about(self, alert: str, status: str, office: str | None = None) -> list[Told]:
        """The messages about an alert with a status since all was measured."""
        return [one for one in self.since_begun() if one.status == status and one.is_about(alert, office)]

    def since_begun(self) -> list[Told]:
        """What was told since all was measured."""
        return [one for one in self.told if one.at > self.begun]


def live(crew: Crew, registry: Registry, folder: Path) -> Story:
    """Lets it all happen."""
    story = Story()
    workers = [crew.start(f"w{number}") for number in range(WORKERS)]
    offices = Offices(crew)
    for office in ("open", "shut"):
        offices.say(office, "office.opened", LATE_MIN + 1)
        offices.say(office, "desk.opened", LATE_MIN + 1, desk="1")
    crew.wait_for(PARTITIONS, offices.sent)
    targets = [worker.url.removeprefix("http://") for worker in workers]
    with (
        Hook() as hook,
        alertmanager(folder / "alertmanager", registry, hook, QUICK) as told_by,
        prometheus(folder / "prometheus", registry, targets, told_by, QUICK) as asked,
    ):
        # It takes some seconds to find its targets, and until then measures nothing.
        wait_until(lambda: measured(asked), "Prometheus to see both workers and no alert but the switch")
        story.begun = time.time()
        tickets = {office: offices.keep_waiting(office) for office in ("open", "shut", "quiet")}
        wait_until(lambda: hook.heard(WAIT, "firing", "open"), "the hook to hear of the late visitor")

        story.called = time.time()
        offices.say("open", "ticket.called", ticket=tickets["open"], desk="1")
        wait_until(lambda: hook.heard(WAIT, "resolved", "open"), "the hook to hear that nobody waits any more")
        story.shut = known(told_by, alertname=WAIT, office="shut")
        story.quiet = known(told_by, alertname=WAIT, office="quiet")

        offices.keep_waiting("open")
        wait_until(lambda: len(hook.heard(WAIT, "firing", "open")) == 2, "the hook to hear of the next late visitor")
        story.killed = time.time()
        for worker in workers:
            worker.kill()
        wait_until(
            lambda: any(one.at > story.killed for one in hook.heard(NOT_MEASURED, "firing")),
            "the hook to hear that nothing is measured",
        )
        story.silenced = known(told_by, alertname=WAIT, office="open")
        story.cause = known(told_by, alertname=NOT_MEASURED)
        story.told = list(hook.told)
    return story


def measured(prometheus: str) -> bool:
    """Whether it scrapes every worker, and has no alert but the one that always fires."""
    firing = {one["alertname"] for one in query(prometheus, "ALERTS")}
    return len(query(prometheus, 'up{job="attente"} == 1')) == WORKERS and firing == {SWITCH}


@pytest.fixture(scope="module")
def story(broker: LocalBroker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """The whole of it, once."""
    folder = tmp_path_factory.mktemp("alerts")
    text = network(datetime.now(UTC))
    file = folder / "registry.yaml"
    file.write_text(text)
    prefix = f"t{uuid.uuid4().hex[:12]}."
    with connect(broker.bootstrap) as admin:
        results = apply(admin, with_prefix(topics(PARTITIONS), prefix))
    assert not [result.failure for result in results if result.failure]
    with Crew(broker.bootstrap, prefix, file) as crew:
        yield live(crew, parse(text, "registry.yaml"), folder)


def test_a_visitor_who_waits_beyond_the_norm_is_told_to_the_reception_once(story: Story) -> None:
    (told,) = [one for one in story.about(WAIT, "firing", "open") if one.at < story.called]

    assert told.receiver == "reception"
    (alert,) = told.alerts
    assert alert["labels"] == {
        "alertname": WAIT,
        "audience": "office",
        "calendar": "always",
        "name": "Open",
        "norm": "within-20",
        "office": "open",
        "region": "R",
        "service": "accueil",
        "severity": "ticket",
        "zone": alert["labels"]["zone"],
    }
    assert all(word in alert["annotations"]["description"] for word in ("Open", "Within 20 minutes", "20 min"))
    assert alert["annotations"]["runbook_url"].endswith(f"{WAIT}.md")


def test_it_is_told_that_it_is_over_once_nobody_waits_any_more(story: Story) -> None:
    statuses = [one.status for one in story.since_begun() if one.is_about(WAIT, "open")]

    assert statuses == ["firing", "resolved", "firing"]
    (over,) = story.about(WAIT, "resolved", "open")
    assert over.receiver == "reception"
    assert story.called < over.at < story.killed


def test_of_an_office_that_is_closed_today_nobody_is_told_though_its_alert_fires(story: Story) -> None:
    (alert,) = story.shut

    assert alert["status"]["state"] == "active"
    assert alert["labels"]["calendar"] == "always"
    assert not [one for one in story.told if one.is_about(WAIT, "shut")]


def test_an_office_where_nobody_is_has_no_alert_at_all(story: Story) -> None:
    assert story.quiet == []
    assert not [one for one in story.told if one.is_about(WAIT, "quiet")]


def test_with_all_workers_killed_it_is_told_to_the_operators_that_nothing_is_measured(story: Story) -> None:
    (told,) = story.about(NOT_MEASURED, "firing")

    assert told.at > story.killed
    assert told.receiver == "operators"
    assert {one["labels"]["severity"] for one in told.alerts} == {"page"}


def test_while_nothing_is_measured_the_alerts_of_offices_are_silenced_by_that(story: Story) -> None:
    (office,) = story.silenced
    causes = {one["fingerprint"] for one in story.cause}

    assert office["status"]["state"] == "suppressed"
    assert causes & set(office["status"]["inhibitedBy"])


def test_the_dead_mans_switch_is_told_to_its_own_receiver_alone(story: Story) -> None:
    heard = [one.receiver for one in story.told if one.is_about(SWITCH)]

    assert heard
    assert heard == [one.receiver for one in story.told if one.receiver == "heartbeat"]
