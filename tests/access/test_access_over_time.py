"""Those who work on a secured Kafka when something changes under them: a restart, a password, a right."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from access.secured import KIOSK, REGISTRY, Secured, applied, working
from attente.broker.admin import connect
from attente.broker.grants import Found
from attente.kiosk import Kiosk, KioskSettings
from attente.metrics import catalogue as c
from attente.security import Security, probe
from commands import attente
from workers import Worker, wait_until

pytestmark = [pytest.mark.broker, pytest.mark.timeout(180)]

NAME = "attente.kiosk/nation/hall-1"
OTHER = "kiosk/nation/hall-2"


@contextmanager
def sending(network: Secured, folder: Path, kiosk: str, security: Security | None = None) -> Iterator[Kiosk]:
    """A kiosk that has sent something."""
    settings = KioskSettings(
        office="nation",
        kiosk=kiosk,
        spool=folder / f"{kiosk}.spool",
        broker=network.broker.bootstrap,
        security=security or network.security(f"kiosk/nation/{kiosk}"),
    )
    with Kiosk(settings) as one:
        one.ticket_issued(ticket=f"{kiosk}-before", service="accueil")
        assert one.drain(60.0)
        yield one


def threads_of(client: str) -> int:
    return sum(thread.name.startswith(client) for thread in threading.enumerate())


def counted(*workers: Worker) -> int:
    """How many events they have counted."""
    return int(sum(worker.scrape().total(c.EVENTS_COUNTED) for worker in workers))


def lines(caplog: pytest.LogCaptureFixture, what: str) -> list[str]:
    return [record.getMessage() for record in caplog.records if what in record.getMessage()]


# A kiosk loses its place


def test_a_kiosk_that_is_taken_out_of_the_registry_is_shut_out_while_it_is_connected_and_keeps_its_events(
    network: Secured, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "attente.kiosk")
    with sending(network, tmp_path, "hall-2") as kiosk:
        network.registry.write_text(REGISTRY.replace(", hall-2", ""))
        try:
            assert applied(network) == 0

            kiosk.ticket_issued(ticket="A1", service="accueil")
            wait_until(lambda: "refuses user attente.kiosk/nation/hall-2" in kiosk.status().trouble, "it is shut out")

            assert kiosk.status().held.events == 1
            (line,) = lines(caplog, "not sending")
            assert line.startswith("not sending, 1 events are kept: this kiosk may not write: TopicAuthorizationFailed")
        finally:
            network.registry.write_text(REGISTRY)
        assert applied(network, "--secrets", str(network.secrets)) == 0

        # It has a new password in the same file, and nobody has to start it again.
        wait_until(lambda: not kiosk.status().held.events, "what it kept is sent")
        assert kiosk.status().trouble == ""
        assert len(lines(caplog, "sending again after")) == 1
    assert len(caplog.records) == 2


# The broker is restarted, with a new certificate; a password was renewed before


@dataclass(frozen=True)
class State:
    """What a broker has and what lies in its folder of secrets."""

    cluster: str
    found: Found
    ends: dict[str, dict[int, tuple[int, int]]]
    files: dict[str, bytes]


def state_of(network: Secured) -> State:
    with connect(network.broker.bootstrap, network.broker.admin) as admin:
        topics = [name for name in admin.topic_names() if name.startswith("attente.")]
        return State(
            cluster=admin.cluster_id(),
            found=admin.access(),
            ends={topic: admin.offsets(topic) for topic in topics},
            files={
                str(path.relative_to(network.secrets)): path.read_bytes()
                for path in network.secrets.rglob("*")
                if path.is_file()
            },
        )


@dataclass(frozen=True)
class Story:
    """Before and after; and those who were connected all the time."""

    before: State
    after: State
    bootstraps: tuple[str, str]
    kiosk: Kiosk
    stale: Kiosk
    worker: Worker
    renewed: Worker
    counted: int


@pytest.fixture(scope="module")
def story(network: Secured, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    folder = tmp_path_factory.mktemp("story")
    stale = replace(network.security(KIOSK), password=network.security(KIOSK).secret(), password_file=None)
    where = ("--data", str(network.folder), "--json")
    with (
        working(network, "w1", "worker.tls") as worker,
        working(network, "w2", "worker") as renewed,
        sending(network, folder, "hall-1") as kiosk,
        sending(network, folder, "hall-3", stale) as forgotten,
    ):
        wait_until(lambda: len(worker.owned()) == len(renewed.owned()) == 1, "both workers work")
        renew = ("--renew", NAME, "--renew", "attente.worker")
        assert applied(network, "--secrets", str(network.secrets), *renew) == 0
        kiosk.ticket_issued(ticket="after-the-renewal", service="accueil")
        assert kiosk.drain(60.0)  # nobody is thrown out for a new password
        before, bootstrap = state_of(network), network.broker.bootstrap

        (network.secrets / "broker.pem").unlink()
        assert attente("broker", "down", *where).returncode == 0
        for one in (kiosk, forgotten):
            one.ticket_issued(ticket=f"{one.kiosk}-meanwhile", service="accueil")
        assert attente("broker", "up", *where).returncode == 0

        yield Story(
            before=before,
            after=state_of(network),
            bootstraps=(bootstrap, network.broker.bootstrap),
            kiosk=kiosk,
            stale=forgotten,
            worker=worker,
            renewed=renewed,
            counted=counted(worker),
        )


def test_a_restart_keeps_rights_passwords_certificates_and_records(story: Story) -> None:
    assert story.after.cluster == story.before.cluster
    assert story.bootstraps[0] == story.bootstraps[1]
    assert story.after.found == story.before.found
    assert len(story.after.found.grants) > 30
    assert NAME in story.after.found.users
    for topic, ends in story.before.ends.items():
        assert all(story.after.ends[topic][number][1] >= end for number, (_, end) in ends.items())
    assert story.before.ends["attente.events"][0][1] >= 3


def test_a_restart_makes_anew_the_certificate_that_was_deleted_and_nothing_else(story: Story) -> None:
    changed = {name for name, raw in story.after.files.items() if raw != story.before.files.get(name)}

    assert "broker.pem" in changed
    assert changed <= {"broker.pem", "ca.srl"}
    assert set(story.after.files) >= set(story.before.files)


@pytest.mark.parametrize("principal", ["admin", "worker", "reader", "sender", KIOSK, OTHER])
def test_everybody_gets_in_again_by_password_and_by_certificate(principal: str, story: Story, network: Secured) -> None:
    assert story.bootstraps[1] == network.broker.bootstrap
    probe(network.broker.bootstrap, network.security(principal))
    if not principal.startswith("kiosk"):
        probe(network.tls, network.security(f"{principal}.tls"))


def test_a_kiosk_that_was_connected_goes_on_by_itself_with_its_new_password(story: Story) -> None:
    wait_until(lambda: not story.kiosk.status().held.events, "what it took meanwhile is sent")

    assert story.kiosk.status().trouble == ""
    # Of the producers that it had before none goes on trying.
    wait_until(lambda: threads_of("nation-hall-1") == 1, "one producer is left")


def test_a_kiosk_that_was_not_given_its_new_password_is_refused_by_name_and_keeps_its_events(story: Story) -> None:
    why = f"refuses user {NAME}: unknown there, or the password is another"
    wait_until(lambda: why in story.stale.status().trouble, "it is refused")

    assert story.stale.status().held.events == 1


def test_a_worker_that_was_connected_goes_on_by_itself(story: Story) -> None:
    wait_until(lambda: counted(story.worker) > story.counted, "the event is counted")

    assert not story.worker.matches("worker stops")


def test_a_worker_with_a_password_that_was_renewed_ends_with_a_line_and_the_other_takes_over(story: Story) -> None:
    assert story.renewed.exit_code() == 4
    (line,) = story.renewed.matches("worker stops: ")
    assert line.string.endswith(
        "lets us in with a password or a certificate that has been replaced since this worker has started; start it "
        "again"
    )
    wait_until(lambda: story.worker.owned() == {0, 1}, "the other has all partitions")
