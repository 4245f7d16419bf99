"""A real worker that takes a changed registry on SIGHUP, and refuses one that is not sound."""

import json
import re
import signal
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from attente.core.state import digest
from attente.metrics import catalogue as c
from attente.model.topics import DEADLETTERS
from attente.registry.entities import Registry
from attente.registry.load import parse
from attente.settings import prefixed
from commands import attente
from driver import Driver
from handtape import CASH, PUNE, REGISTRY
from integration.malformed import BEGIN, Draft, Tape, encoded, event, good
from oracle import Record
from workers import Crew, Worker, content, wait_until, write, written

MakeCrew = Callable[..., Crew]
PARTITIONS = 2


def changed() -> Registry:
    norm = next(iter(REGISTRY.norms.values()))
    annex = replace(REGISTRY.offices[PUNE], id="annex", name="Annex")
    return replace(
        REGISTRY,
        offices=REGISTRY.offices | {"annex": annex},
        norms=REGISTRY.norms | {"new": replace(norm, id="new", title="New", threshold_s=840)},
    )


def records() -> list[Record]:
    found = Tape()
    for draft in good(1_000, PARTITIONS):
        found.add(draft)
    return found.records


def take(worker: Worker) -> None:
    worker.process.send_signal(signal.SIGHUP)


def test_a_worker_takes_a_changed_registry_without_losing_a_count_and_refuses_a_broken_one(
    make_crew: MakeCrew,
) -> None:
    crew = make_crew(REGISTRY, PARTITIONS)
    assert crew.registry is not None
    assert max(record.timestamp for record in records()) < BEGIN + REGISTRY.horizon_ms
    half = len(records()) // 2
    write(crew.bootstrap, crew.events, records()[:half])
    worker = crew.start("w0", "--hash-every", "500")
    crew.wait_for(PARTITIONS, half)
    before = worker.scrape()
    assert before.by(c.LIFETIME_TICKETS, "event", office="annex") == {}

    old = parse(written(REGISTRY), "registry.yaml")
    new = parse(written(changed()), "registry.yaml")
    crew.registry.write_text(written(changed()).replace("threshold: 840s", "threshold: 840.5s"))
    take(worker)
    line = worker.hears("registry refused, ")
    assert re.search(rf"{old.hash} stays: {re.escape(str(crew.registry))}:\d+:\d+: .*840\.5s", line.string)
    assert worker.scrape().by(c.REGISTRY_INFO, "hash").keys() == {old.hash}

    crew.registry.write_text(written(changed()))
    take(worker)
    worker.hears(rf"registry taken: {new.hash} instead of {old.hash}, partitions=\{{0: \d+, 1: \d+\}}")
    wait_until(lambda: worker.shown() == {0, 1}, "all is shown again")
    wait_until(lambda: worker.scrape().by(c.LIFETIME_TICKETS, "event", office="annex"), "the new office is shown")
    after = worker.scrape()
    assert after.by(c.REGISTRY_INFO, "hash").keys() == {new.hash}
    assert after.by(c.NORM_THRESHOLD, "norm")["new"] == 840
    assert after.total(c.LIFETIME_VISITS, norm="new") > 0
    for metric in (c.EVENTS_READ, c.EVENTS_COUNTED, c.LIFETIME_TICKETS):
        assert after.total(metric) == before.total(metric)
    # The new threshold is a bucket now; one that nobody needs any more made room for it. Nothing else is gone or fell.
    gone = before.counters().keys() - after.counters().keys()
    assert gone
    assert all("_bucket{" in series and ',le="900.0",' in series for series in gone)
    assert all(after.counters()[series] >= before.counters()[series] for series in before.counters().keys() - gone)

    # Every hash after the change is that of a worker that has never known another registry; so it is after a restart.
    write(crew.bootstrap, crew.events, records()[half:])
    crew.wait_for(PARTITIONS, len(records()))
    worker.hears(r"checkpoint partition=\d .* registry$", 2)
    driver = Driver(new, PARTITIONS)
    for part in driver.parts:
        part.mark(500, digest)
    driver.feed(records())
    wanted = {(part.number, offset): hashed for part in driver.parts for offset, hashed in part.marks}
    stood = {number: sum(record.partition == number for record in records()[:half]) for number in range(PARTITIONS)}
    later = {place: hashed for place, hashed in wanted.items() if place[1] > stood[place[0]]}
    assert later
    assert {place: hashed for place, hashed in worker.hashes().items() if place[1] > stood[place[0]]} == later
    worker.kill()
    again = crew.start("w0", "--hash-every", "500")
    crew.wait_for(PARTITIONS, len(records()))
    assert again.scrape().total(c.EVENTS_COUNTED) == len(records())
    assert all(wanted[place] == hashed for place, hashed in again.hashes().items())


def test_what_an_office_sent_before_it_was_in_the_registry_counts_once_it_is_and_its_letters_are_sent_again(
    make_crew: MakeCrew,
) -> None:
    crew = make_crew(REGISTRY, 1)
    assert crew.registry is not None
    early = 5
    found = Tape()
    for i in range(early):
        body = event("ticket.issued", BEGIN + i, "annex", i, ticket=str(i), service=CASH, channel="walkin")
        found.add(Draft(BEGIN + i, b"annex", encoded(body), 0))
    write(crew.bootstrap, crew.events, found.records)
    worker = crew.start("w0", brake=())
    crew.wait_for(1, early)
    assert worker.scrape().total(c.EVENTS_REFUSED, reason="unknown_office") == early
    replay = ("deadletters", "replay", "--broker", crew.bootstrap, "--prefix", crew.prefix, "--json")
    with_registry = (*replay, "--registry", str(crew.registry))

    # As long as the registry lacks the office, one that is sent again is refused again, and comes back no more.
    assert json.loads(attente(*with_registry).stdout)["hopeless"] == {"unknown_office": early}
    assert json.loads(attente(*replay, "--limit", "1").stdout)["sent"] == 1
    crew.wait_for(1, early + 1)
    letters = partial(content, crew.bootstrap, prefixed(DEADLETTERS, crew.prefix))
    wait_until(lambda: len(letters()) == early + 2, "the letter of the replay, and the note of what was sent")
    assert json.loads(attente(*with_registry).stdout)["sent"] == 0

    crew.registry.write_text(written(changed()))
    take(worker)
    worker.hears("registry taken: ")
    told = json.loads(attente(*with_registry).stdout)
    assert (told["sent"], told["before"], told["replays"]) == (early - 1, 1, 1)
    assert json.loads(attente(*with_registry, "--again").stdout)["sent"] == 1
    assert json.loads(attente(*with_registry, "--again").stdout)["sent"] == 0
    crew.wait_for(1, 2 * early + 1)
    reading = worker.scrape()
    assert reading.total(c.EVENTS_COUNTED) == early
    assert reading.total(c.LIFETIME_TICKETS, event="issued", office="annex") == early
    assert reading.total(c.EVENTS_REFUSED) == early + 1
    assert worker.stop() == 0, worker.story


def test_a_signal_that_comes_while_the_worker_waits_for_its_broker_does_not_end_it(tmp_path: Path) -> None:
    registry = tmp_path / "registry.yaml"
    registry.write_text(written(REGISTRY))
    with Crew("127.0.0.1:1", "none.", registry) as crew:
        worker = crew.start("w0")
        worker.hears("waits for the broker")
        take(worker)
        assert worker.stop() == -signal.SIGTERM
