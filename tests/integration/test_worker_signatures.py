"""Real workers of a network that asks for signatures: what is refused, what is not, and how keys change meanwhile."""

import json
import os
import signal
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from attente.kiosk import Kiosk, KioskSettings
from attente.metrics import catalogue as c
from attente.model.partitioning import partition_of
from attente.model.reasons import Reason
from attente.model.records import read_dead_letter
from attente.model.signatures import HEADER, Key
from attente.model.topics import DEADLETTERS
from attente.registry.entities import Registry
from attente.settings import prefixed
from commands import attente
from handtape import CASH, LILLE, REGISTRY
from integration.malformed import BEGIN, OFFICES, encoded, event
from oracle import Record
from signed import Signed, asking, entry, key_of, signature
from workers import Crew, Worker, content, wait_until, write, written

MakeCrew = Callable[..., Crew]
PARTITIONS = 2
KEYS = {office: key_of(office) for office in OFFICES}


def key_file(folder: Path, *keys: Key) -> Path:
    file = folder / "workers.keys"
    file.write_text("".join(f"{key.line}\n" for key in keys))
    file.chmod(0o600)
    return file


class Tape:
    """Tickets of all offices, each signed in its own way; where they lie, and why they must be refused."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.reasons: dict[tuple[int, int], str] = {}
        self._next: Counter[int] = Counter()

    def add(self, office: str, value: bytes, headers: Signed, reason: Reason | None) -> None:
        number = partition_of(office.encode(), PARTITIONS)
        at = BEGIN + len(self.records)
        self.records.append(Record(self._next[number], at, office.encode(), value, number, headers))
        if reason is not None:
            self.reasons[number, self._next[number]] = reason.value
        self._next[number] += 1


def tape(rounds: int) -> Tape:
    found = Tape()
    names = list(OFFICES)
    for i in range(rounds * len(names)):
        office, neighbour = names[i % len(names)], names[(i + 1) % len(names)]

        def ticket(name: str, office: str = office, i: int = i) -> bytes:
            body = event("ticket.issued", BEGIN, office, i, ticket=f"{name}{i}", service=CASH, channel="walkin")
            return encoded(body)

        good = ticket("good")
        found.add(office, good, signature(KEYS[office], good), None)
        found.add(office, good, signature(KEYS[office], good), None)  # sent again by whoever has seen it: a duplicate
        unsigned = ticket("unsigned")
        found.add(office, unsigned, (("traceparent", b"00-1"),), Reason.UNSIGNED)
        forged = ticket("forged")
        found.add(office, forged, signature(KEYS[neighbour], forged), Reason.UNKNOWN_KEY)
        found.add(office, forged, signature(key_of(office, 9), forged), Reason.UNKNOWN_KEY)
        posing = Key(KEYS[office].id, office, KEYS[neighbour].secret)
        found.add(office, forged, signature(posing, forged), Reason.BAD_SIGNATURE)
        found.add(office, ticket("altered"), signature(KEYS[office], good), Reason.BAD_SIGNATURE)
        found.add(office, forged, ((HEADER, b"x" * i),), Reason.BAD_SIGNATURE)
    return found


def letters(crew: Crew) -> list[Any]:
    every = content(crew.bootstrap, prefixed(DEADLETTERS, crew.prefix))
    return [read_dead_letter(one.key, one.value, one.headers) for one in every]


def shows_a_secret(text: str, *keys: Key) -> bool:
    return any(form in text for key in keys for form in (key.secret.hex(), repr(key.secret)[2:-1]))


@pytest.mark.parametrize("transport", ["raw", "plain"])
def test_whatever_is_not_signed_by_its_office_is_in_the_dead_letters_and_all_that_is_counts(
    make_crew: MakeCrew, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, transport: str
) -> None:
    registry = asking(REGISTRY, {office: (entry(key),) for office, key in KEYS.items()})
    crew = make_crew(registry, PARTITIONS)
    strewn = tape(20)
    good = 20 * len(OFFICES)
    write(crew.bootstrap, crew.events, strewn.records)
    file = key_file(tmp_path, *KEYS.values())
    worker = crew.start("w0", "--transport", transport, "--keys", str(file))
    crew.wait_for(PARTITIONS, len(strewn.records))
    reading = worker.scrape()

    assert (reading.total(c.EVENTS_COUNTED), reading.total(c.EVENTS_DUPLICATE)) == (good, good)
    assert reading.total(c.LIFETIME_TICKETS, event="issued") == good
    refused = {reason: number for reason, number in reading.by(c.EVENTS_REFUSED, "reason").items() if number}
    assert refused == {"unsigned": good, "unknown_key": 2 * good, "bad_signature": 3 * good}
    assert reading.by(c.EVENT_SIGNATURES, "verdict") == {"valid": 2 * good, **refused}

    # Kept whole, so that they can be sent again when the registry has the key after all.
    wait_until(lambda: len(letters(crew)) == len(strewn.reasons), "all dead letters")
    originals = {(one.partition, one.offset): one for one in strewn.records}
    found = {(one.origin.partition, one.origin.offset): one for one in letters(crew)}
    assert {place: one.reason for place, one in found.items()} == strewn.reasons
    for place, one in found.items():
        assert (one.value, one.headers) == (originals[place].value, originals[place].headers)

    # Nobody sees a secret: not who reads logs and metrics, nor who lists processes, nor who asks the doctor.
    monkeypatch.setenv("ATTENTE_SIGNING_KEY", KEYS[LILLE].line)
    told = attente(
        *("doctor", "--broker", crew.bootstrap, "--prefix", crew.prefix, "--keys", str(file)),
        *("--registry", str(crew.registry)),
    )
    assert "the secrets of" in told.stdout
    assert "signing_key" in told.stdout
    process = Path(f"/proc/{worker.process.pid}")
    seen = [
        told.stdout,
        told.stderr,
        worker.get("/metrics")[1],
        process.joinpath("cmdline").read_text(),
        *(one.detail for one in letters(crew)),
    ]
    assert worker.stop() == 0, worker.story
    assert not shows_a_secret("\n".join([*seen, worker.story]), *KEYS.values())


def change(crew: Crew, registry: Registry, worker: Worker, says: str) -> None:
    assert crew.registry is not None
    before = len(worker.matches(says))
    crew.registry.write_text(written(registry))
    worker.process.send_signal(signal.SIGHUP)
    worker.hears(says, before + 1)


def report(crew: Crew, spool: Path, key: Key | None, tickets: list[str]) -> None:
    """What a kiosk sends in one run under a key."""
    settings = KioskSettings(
        office=LILLE,
        kiosk="hall-1",
        spool=spool,
        broker=crew.bootstrap,
        topic=crew.events,
        key=key,
        heartbeat_seconds=1,
    )
    with Kiosk(settings) as kiosk:
        for ticket in tickets:
            kiosk.ticket_issued(ticket=ticket, service=CASH)
        assert kiosk.drain(30.0)


def test_keys_change_under_a_running_worker_and_no_event_is_lost(make_crew: MakeCrew, tmp_path: Path) -> None:
    first, second = key_of(LILLE, 1), key_of(LILLE, 2)
    crew = make_crew(asking(REGISTRY, {LILLE: (entry(first),)}), 1)
    spool = tmp_path / "hall-1.spool"
    file = key_file(tmp_path, first)
    worker = crew.start("w0", "--keys", str(file), brake=())
    report(crew, spool, first, ["a1", "a2"])

    def counted() -> int:
        return int(worker.scrape().total(c.LIFETIME_TICKETS, event="issued"))

    wait_until(lambda: counted() == 2, "the first two tickets")

    # A kiosk that has the new key too early: its events wait in the dead letters, with their signatures.
    report(crew, spool, second, ["b1", "b2", "b3"])
    early = partial(crew.total, c.EVENTS_REFUSED, reason="unknown_key")
    wait_until(lambda: early() >= 3, "what was signed too early")

    # The registry asks for a secret that the worker has not got: it goes on as before.
    both = asking(REGISTRY, {LILLE: (entry(first), entry(second))})
    change(crew, both, worker, rf"registry refused, .*no secret of key {second.id}")
    key_file(tmp_path, first, second)
    change(crew, both, worker, "registry taken: ")
    replay = ("deadletters", "replay", "--broker", crew.bootstrap, "--prefix", crew.prefix, "--json")
    told = json.loads(attente(*replay, "--registry", str(crew.registry)).stdout)
    assert (told["sent"], told["hopeless"]) == (told["matching"], {})
    assert told["sent"] >= 3
    wait_until(lambda: counted() == 5, "what was sent again, under the signature that it had")

    # Both are good while the kiosks change over; then the old one goes.
    report(crew, spool, first, ["c1"])
    report(crew, spool, second, ["c2"])
    wait_until(lambda: counted() == 7, "tickets under both keys")
    change(crew, asking(REGISTRY, {LILLE: (entry(second),)}), worker, "registry taken: ")
    report(crew, spool, second, ["d1"])
    wait_until(lambda: counted() == 8, "a ticket under the new key")
    refused = early()
    report(crew, spool, first, ["e1"])
    wait_until(lambda: early() > refused, "a ticket under the old key, refused now")
    assert counted() == 8
    reading = worker.scrape()
    assert reading.by(c.EVENTS_REFUSED, "reason")["unknown_key"] == reading.total(c.EVENTS_REFUSED)
    assert worker.stop() == 0, worker.story


def test_a_worker_without_the_secrets_of_its_network_does_not_start(tmp_path: Path) -> None:
    ours = key_of(LILLE)
    registry = tmp_path / "registry.yaml"
    registry.write_text(written(asking(REGISTRY, {LILLE: (entry(ours),)})))
    other = Key(ours.id, LILLE, os.urandom(32))
    with Crew("127.0.0.1:1", "none.", registry) as crew:
        none_named = crew.start("w0")
        wrong = crew.start("w1", "--keys", str(key_file(tmp_path, other)))
        assert none_named.exit_code() == 5
        assert wrong.exit_code() == 3
    (line,) = none_named.lines
    asks = f"the registry asks for signatures by key {ours.id}"
    assert line == f"attente: {asks}; name the file of their secrets with --keys FILE"
    (line,) = wrong.lines
    assert line.endswith(
        f"key {ours.id}: the secret has the fingerprint {other.fingerprint}, the registry says {ours.fingerprint}; "
        "take both from the same `attente keys new`"
    )
