"""Workers that are stopped and killed: nothing is lost, nothing counts twice, and nothing is shown too early."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from attente.core.state import digest
from attente.metrics import catalogue as c
from attente.metrics.reading import Reading
from attente.model.records import encode_manifest, read_manifest
from attente.model.topics import CHECKPOINTS, MANIFESTS
from attente.registry.load import parse
from attente.settings import prefixed
from driver import Driver
from lives import Log, random_log
from oracle import Record
from workers import Crew, Watch, Worker, content, delete_before, producer, wait_until, write, written

MakeCrew = Callable[..., Crew]
NEVER = ("--checkpoint-events", "1000000000", "--checkpoint-seconds", "1000000000")
PARTITIONS = 4


@pytest.fixture(scope="module")
def log() -> Log:
    """Three offices in three of four partitions; in the fourth only strays lie."""
    return random_log(6, 45_000, partitions=PARTITIONS)


def ends(log: Log) -> dict[int, int]:
    return {n: sum(record.partition == n for record in log.records) for n in range(PARTITIONS)}


def driven(log: Log, every: int = 0) -> Driver:
    """The same log in this process, under the registry as workers read it."""
    driver = Driver(parse(written(log.registry), "registry.yaml"), PARTITIONS)
    if every:
        for part in driver.parts:
            part.mark(every, digest)
    return driver.feed(log.records)


def assert_account(crew: Crew, driver: Driver) -> None:
    """What became of every record, as all workers say together."""
    read, counted, duplicate, refused = driver.account()
    assert crew.total(c.EVENTS_READ) == read
    assert crew.total(c.EVENTS_COUNTED) == counted
    assert crew.total(c.EVENTS_DUPLICATE) == duplicate
    found: dict[str, float] = {}
    for reading in crew.readings():
        for reason, n in reading.by(c.EVENTS_REFUSED, "reason").items():
            found[reason] = found.get(reason, 0) + n
    assert {reason: n for reason, n in found.items() if n} == refused


def figures(reading: Reading) -> dict[tuple[str, ...], float]:
    """All that is exact over the life of the states."""
    rows = [
        (metric.full_name, row)
        for metric in (c.LIFETIME_TICKETS, c.LIFETIME_WAIT, c.LIFETIME_VISITS, c.WAITING, c.EVENTS_READ)
        for row in reading.rows(metric)
    ]
    return {(name, *map(str, sorted(row.labels.items()))): row.value for name, row in rows}


# --- stopped and started again


def test_a_worker_that_is_told_to_stop_leaves_nothing_to_replay(make_crew: MakeCrew, log: Log) -> None:
    short = replace(log, records=log.records[:6_000])
    crew = make_crew(log.registry, PARTITIONS)
    write(crew.bootstrap, crew.events, short.records)
    first = crew.start("w0", *NEVER)
    crew.wait_for(PARTITIONS, len(short.records))
    shown = figures(first.scrape())
    assert first.stop() == 0, first.story
    stands = ends(short)
    assert {line.rpartition(" ")[2] for line in first.lines if "checkpoint partition=" in line} == {"final"}
    assert first.lines[-1] == f"attente: stopped at {stands}"

    second = crew.start("w0", *NEVER)
    second.hears(r"is a member of")
    assert second.matches(rf"owns {stands} until {stands}$".replace("{", r"\{").replace("}", r"\}"))
    for number, offset in stands.items():
        assert second.matches(rf"loaded partition={number} offset={offset} origin=0 from=w0 ")
    crew.wait_for(PARTITIONS, len(short.records))
    reading = second.scrape()
    assert figures(reading) == shown
    assert reading.total(c.BATCH_RECORDS) == 0
    assert_account(crew, driven(short))

    # Killed without warning, it is back under its name, from what the first one has left.
    second.kill()
    third = crew.start("w0", *NEVER)
    crew.wait_for(PARTITIONS, len(short.records))
    assert len(third.matches(r"loaded partition=\d offset=\d+ origin=0 from=w0 ")) == PARTITIONS
    assert figures(third.scrape()) == shown
    assert third.stop() == 0, third.story


# --- killed


def killed_while_it_works(crew: Crew, victim: Worker, records: list[Record]) -> Worker:
    """Kill a worker in the middle of what is written, and start it again under its name."""
    said = len(victim.matches("checkpoint "))
    write(crew.bootstrap, crew.events, records)
    victim.hears("checkpoint ", said + 1)
    victim.kill()
    again = crew.start(victim.name, *victim.flags)
    again.hears(r"owns \{\d")
    return again


@pytest.mark.parametrize(("transport", "events", "every"), [("raw", 45_000, 4_000), ("plain", 18_000, 1_500)])
def test_state_hashes_agree_between_one_worker_three_that_are_killed_and_the_core(
    make_crew: MakeCrew, log: Log, transport: str, events: int, every: int
) -> None:
    crew = make_crew(log.registry, PARTITIONS)
    log = replace(log, records=log.records[:events])
    third = len(log.records) // 3
    pieces = [log.records[:third], log.records[third : 2 * third], log.records[2 * third :]]
    driver = driven(log, every)
    wanted = {(part.number, offset): hashed for part in driver.parts for offset, hashed in part.marks}
    assert len(wanted) > 8

    flags = ("--transport", transport, "--hash-every", str(every), "--checkpoint-events", "2000")
    trio = [crew.start(f"w{i}", *flags) for i in range(3)]
    with Watch(crew) as watch:
        write(crew.bootstrap, crew.events, pieces[0])
        crew.wait_for(PARTITIONS, third)
        wait_until(lambda: [worker.owned() for worker in trio] == [{0, 3}, {1}, {2}], "each has its share")
        # By their names w0 has partitions 0 and 3, w2 has 2; where only strays lie there is nothing to be killed in.
        again = [killed_while_it_works(crew, trio[i], piece) for i, piece in zip((0, 2), pieces[1:], strict=True)]
        crew.wait_for(PARTITIONS, len(log.records))
    assert watch.falls == []
    assert watch.rounds > 5
    assert_account(crew, driver)
    for worker in again:
        assert worker.matches(r"loaded partition=\d offset=[1-9]"), worker.story
    found: dict[tuple[int, int], str] = {}
    for worker in crew.workers:
        for place, hashed in worker.hashes().items():
            assert found.setdefault(place, hashed) == hashed, place
    assert found == wanted
    for worker in crew.running():
        worker.kill()

    # One worker alone, that finds no checkpoint.
    erase(crew)
    with Crew(crew.bootstrap, crew.prefix, crew.registry) as alone:
        solo = alone.start("solo", "--transport", transport, "--hash-every", str(every), *NEVER, group="alone")
        # Whatever it shows on the way, it shows of partitions that it has read to the end.
        pages = [shown(solo)]
        while len(pages[-1]) < PARTITIONS:
            pages.append(shown(solo))
        assert all(page.items() <= ends(log).items() for page in pages), pages
        assert not pages[0]
        assert len(solo.matches("scratch partition=")) == PARTITIONS
        assert solo.hashes() == wanted
        assert_account(alone, driver)


def shown(worker: Worker) -> dict[int, int]:
    """How many events it shows as read, by partition."""
    return {int(row.labels["partition"]): int(row.value) for row in worker.scrape().rows(c.EVENTS_READ)}


def erase(crew: Crew) -> None:
    """Leave no checkpoint to be found."""
    topic = prefixed(MANIFESTS, crew.prefix)
    ends = {record.partition: record.offset + 1 for record in content(crew.bootstrap, topic)}
    delete_before(crew.bootstrap, topic, ends)


# --- from a checkpoint that is none


def test_a_worker_that_finds_its_best_checkpoints_poisoned_goes_back_to_a_sound_one_and_ends_exact(
    make_crew: MakeCrew, log: Log
) -> None:
    first_half, both = log.records[:6_000], log.records[:9_000]
    crew = make_crew(log.registry, PARTITIONS)
    flags = ("--checkpoint-events", "1000", "--hash-every", "1000")
    write(crew.bootstrap, crew.events, first_half)
    first = crew.start("w0", *flags)
    for number in (0, 2, 3):
        first.hears(rf"checkpoint partition={number} ")
    crew.wait_for(PARTITIONS, len(first_half))
    first.kill()
    write(crew.bootstrap, crew.events, both[len(first_half) :])

    topic = prefixed(MANIFESTS, crew.prefix)
    poisoned = set()
    with producer(crew.bootstrap) as sender:
        for number in {record.partition for record in content(crew.bootstrap, topic)}:
            found = [read_manifest(r.value) for r in content(crew.bootstrap, topic) if r.partition == number]
            best = max(found, key=lambda manifest: manifest.offset)
            # One whose chunks are not those that it says, one of a zombie that is far behind, and noise.
            claims = {name: getattr(best, name) for name in best.__struct_fields__}
            other = type(best)(**claims | {"offset": best.offset + 1, "checksum": "0" * 32, "worker": "other"})
            old = min(found, key=lambda manifest: manifest.offset)
            for manifest in (other, old):
                sender.send(topic, encode_manifest(manifest), manifest.key, partition=number)
            sender.send(topic, b"noise", b"noise", partition=number)
            sender.send(prefixed(CHECKPOINTS, crew.prefix), b"noise", b"noise", partition=number)
            poisoned.add((number, best.offset))
        sender.flush()

    second = crew.start("w0", *flags)
    crew.wait_for(PARTITIONS, len(both))
    assert {number for number, _ in poisoned} == {0, 2, 3}
    for number, offset in poisoned:
        assert second.matches(rf"fallback partition={number} offset={offset + 1} from=other: the checksum is another")
        assert second.matches(rf"loaded partition={number} offset={offset} .*from=w0")
        assert second.matches(rf"manifest partition={number} at=\d+ passed over: no manifest")
    assert second.scrape().total(c.CHECKPOINT_FALLBACKS) == len(poisoned)
    driver = driven(replace(log, records=both), 1000)
    assert_account(crew, driver)
    wanted = {(part.number, offset): hashed for part in driver.parts for offset, hashed in part.marks}
    assert second.hashes()
    assert first.hashes() | second.hashes() == wanted
    assert second.stop() == 0, second.story
