"""A checkpoint is a cache of the log: whatever has become of it, the state that a worker ends with is the log's."""

from collections.abc import Callable
from dataclasses import replace

import cramjam
import msgspec
import pytest

from attente.broker.local import LocalBroker
from attente.core.partition import Partition
from attente.core.plan import Plan
from attente.core.state import FORMAT, OfficeBlob, Payload, cut, digest
from attente.engine.checkpoints import checksum, compress, decompress
from attente.engine.owned import Owned
from attente.model.records import encode_manifest
from attente.model.topics import CHECKPOINTS, EVENTS, MANIFESTS
from attente.registry.entities import Clock, End, Office, Per, Registry, Service, Start
from attente.registry.load import parse
from attente.settings import Settings, prefixed
from driver import Driver
from engine.checkpointing import Bench, replaced, within_two_minutes
from lives import random_log
from oracle import Tally, partition_of
from workers import delete_before, write, written

LOG = random_log(6, 2_400, partitions=4, days=2)
REGISTRY = parse(written(LOG.registry), "registry.yaml")
EVENTS_OF = {number: sum(record.partition == number for record in LOG.records) for number in range(4)}
BUSY = 0  # most events lie here and in two others; in partition 1 only strays do


@pytest.fixture
def bench(broker: LocalBroker, make_topics: Callable[..., str]) -> Bench:
    """Topics that hold the log, and no checkpoint."""
    prefix = make_topics(4, archive=True)
    write(broker.bootstrap, prefixed(EVENTS, prefix), LOG.records)
    # Small chunks, so that there are several.
    settings = Settings(broker=broker.bootstrap, topic_prefix=prefix, worker="w1", checkpoint_chunk_bytes=512)
    return Bench(settings, REGISTRY, 4, LOG.records)


def end(number: int = BUSY) -> int:
    return EVENTS_OF[number]


async def assert_found(bench: Bench, offset: int, *words: str) -> None:
    """The take-over finds the state of an offset, says why not a better one, and ends with the log's figures."""
    found = (await bench.take_over(BUSY))[BUSY]
    assert (found.next_offset, found.target) == (offset, end())
    assert digest(found.partition) == digest(bench.state(BUSY, offset))
    assert digest(bench.continued(found.partition)) == digest(bench.state(BUSY, end()))
    expected = f"loaded partition={BUSY} offset={offset}" if offset else f"scratch partition={BUSY} from=0"
    assert bench.heard(expected), bench.said
    assert not words or bench.heard(*words), bench.said


# --- what is sound


def test_without_a_checkpoint_the_state_begins_where_the_log_does(bench: Bench) -> None:
    async def work() -> None:
        found = await bench.take_over(0, 1, 2, 3)
        assert {number: owned.next_offset for number, owned in found.items()} == dict.fromkeys(range(4), 0)
        assert {number: owned.target for number, owned in found.items()} == EVENTS_OF
        assert {number: owned.partition.origin for number, owned in found.items()} == dict.fromkeys(range(4), 0)
        assert all(bench.heard(f"scratch partition={number} from=0") for number in range(4))

    within_two_minutes(work)


def test_the_greatest_offset_is_taken_whoever_wrote_it_and_whenever(bench: Bench) -> None:
    async def work() -> None:
        await bench.checkpoint(BUSY, 300, "w0")
        await bench.checkpoint(BUSY, 500, "w2")
        await bench.checkpoint(BUSY, 400, "w1")
        await assert_found(bench, 500, f"loaded partition={BUSY} offset=500 origin=0 from=w2")
        assert bench.work.fallbacks == 0

    within_two_minutes(work)


def test_a_zombies_older_manifest_written_last_does_no_harm(bench: Bench) -> None:
    async def work() -> None:
        await bench.checkpoint(BUSY, 200, "zombie")
        (zombies,) = await bench.manifests(BUSY)
        await bench.checkpoint(BUSY, 450, "w0")
        # It writes into both of its slots, long after everybody else.
        await bench.say(zombies)
        await bench.say(replaced(zombies, slot=1 - zombies.slot))
        await assert_found(bench, 450)
        assert bench.work.fallbacks == 0

    within_two_minutes(work)


def test_partitions_are_taken_over_together_each_from_its_own_best(bench: Bench) -> None:
    async def work() -> None:
        offsets = {0: 300, 2: 250, 3: end(3)}
        for number, offset in offsets.items():
            await bench.checkpoint(number, offset)
        found = await bench.take_over(0, 1, 2, 3)
        assert {number: owned.next_offset for number, owned in found.items()} == offsets | {1: 0}
        for number, owned in found.items():
            assert digest(bench.continued(owned.partition)) == digest(bench.state(number, end(number)))

    within_two_minutes(work)


def test_a_state_in_memory_is_kept_unless_a_checkpoint_is_beyond_it(bench: Bench) -> None:
    async def work() -> None:
        await bench.checkpoint(BUSY, 300)
        held = {number: Owned(bench.state(number, offset)) for number, offset in ((BUSY, 300), (2, 100))}
        await bench.checkpoint(2, 101)
        found = await bench.take_over(BUSY, 2, held=held)
        assert found[BUSY] is held[BUSY]
        assert found[2] is not held[2]
        assert found[2].next_offset == 101
        assert {number: owned.target for number, owned in found.items()} == {BUSY: end(), 2: end(2)}

    within_two_minutes(work)


def test_the_longest_history_comes_before_the_greatest_offset(bench: Bench) -> None:
    async def work() -> None:
        young = Partition(Plan(REGISTRY), BUSY, 4, origin=100)
        bench.continued(young, 500)
        await bench.checkpoint(BUSY, 400)
        (like,) = await bench.manifests(BUSY)
        data, digested = compress(cut(young))
        await bench.forge([data], like, origin=100, offset=500, sum=digested, bytes=len(data))
        await assert_found(bench, 400)

    within_two_minutes(work)


def test_the_next_manifest_goes_into_the_other_slot(bench: Bench) -> None:
    async def work() -> None:
        await bench.checkpoint(BUSY, 300, "w1")
        (mine,) = await bench.manifests(BUSY)
        assert (await bench.take_over(BUSY))[BUSY].slot == 1 - mine.slot

    within_two_minutes(work)


# --- what is not


def test_a_corrupted_chunk_gives_way_to_the_checkpoint_before(bench: Bench) -> None:
    async def work() -> None:
        await bench.checkpoint(BUSY, 300)
        await bench.checkpoint(BUSY, 500)
        best = (await bench.manifests(BUSY))[-1]
        chunks = await bench.chunks(best)
        assert len(chunks) > 1
        damaged = bytearray(chunks[1])
        damaged[len(damaged) // 2] ^= 1
        await bench.forge([chunks[0], bytes(damaged), *chunks[2:]], best, offset=501)
        await bench.forge([*chunks[:-1], chunks[-1][:-1]], best, offset=502, id="cut short")
        await bench.forge([chunks[1], chunks[0], *chunks[2:]], best, offset=503, id="swapped")
        await assert_found(bench, 500)
        for offset in (501, 502, 503):
            assert bench.heard(f"fallback partition={BUSY} offset={offset} from=forger: the checksum is another one")
        assert bench.work.fallbacks == 3

    within_two_minutes(work)


def test_a_missing_chunk_gives_way_to_the_checkpoint_before(bench: Bench) -> None:
    async def work() -> None:
        await bench.checkpoint(BUSY, 300)
        (best,) = await bench.manifests(BUSY)
        chunks = await bench.chunks(best)
        # The second one was never acknowledged, and others have written since.
        await bench.forge([chunks[0], None, *chunks[2:]], best, offset=400, n=len(chunks))
        await bench.put(CHECKPOINTS, BUSY, b"other/0", b"other")
        await assert_found(bench, 300, "offset=400", f"1 of {len(chunks)} chunks missing")

    within_two_minutes(work)


def test_chunks_that_retention_has_deleted_give_way_to_the_log(bench: Bench) -> None:
    async def work() -> None:
        await bench.checkpoint(BUSY, 300)
        (manifest,) = await bench.manifests(BUSY)
        topic = bench.settings.topic(CHECKPOINTS)
        delete_before(bench.settings.broker, topic, {BUSY: manifest.first + 1})
        await assert_found(bench, 0, "offset=300", f"chunks {manifest.first} to {manifest.last} outside")

    within_two_minutes(work)


def test_another_format_is_not_read(bench: Bench) -> None:
    async def work() -> None:
        await bench.checkpoint(BUSY, 300)
        (manifest,) = await bench.manifests(BUSY)
        await bench.forge([b"as a later release writes it"], manifest, offset=400, format=FORMAT + 1)
        await assert_found(bench, 300, "offset=400", f"format {FORMAT + 1}, not {FORMAT}")

    within_two_minutes(work)


def test_a_checkpoint_of_another_horizon_is_not_read(bench: Bench) -> None:
    async def work() -> None:
        wider = parse(written(replace(LOG.registry, horizon_ms=48 * 3_600_000)), "registry.yaml")
        await bench.checkpoint(BUSY, 300)
        await bench.checkpoint(BUSY, 400, registry=wider)
        await assert_found(bench, 300, "offset=400", "horizon 172800000 ms, not 86400000 ms")

    within_two_minutes(work)


def test_an_offset_beyond_the_logs_end_is_of_another_log(bench: Bench) -> None:
    async def work() -> None:
        await bench.checkpoint(BUSY, 300)
        (manifest,) = await bench.manifests(BUSY)
        chunks = await bench.chunks(manifest)
        await bench.forge(chunks, manifest, offset=end() + 1)
        await assert_found(bench, 300, f"offset={end() + 1}", f"beyond the log's end {end()}")

    within_two_minutes(work)


def test_a_state_of_another_offset_than_its_manifest_says_is_passed_over(bench: Bench) -> None:
    async def work() -> None:
        await bench.checkpoint(BUSY, 300)
        (manifest,) = await bench.manifests(BUSY)
        await bench.forge(await bench.chunks(manifest), manifest, offset=301)
        await assert_found(bench, 300, "offset=301", "the state stands at 300")

    within_two_minutes(work)


def test_a_state_of_another_partition_is_passed_over(bench: Bench) -> None:
    async def work() -> None:
        await bench.checkpoint(BUSY, 300)
        await bench.checkpoint(2, 310)
        (manifest,), (others,) = await bench.manifests(BUSY), await bench.manifests(2)
        chunks = await bench.chunks(others)
        await bench.forge(chunks, manifest, offset=310, sum=others.checksum, bytes=others.size)
        # One that lies in the wrong partition of the manifests is not even looked at.
        await bench.put(MANIFESTS, BUSY, b"stray", (await manifest_bytes(bench, 2)))
        await assert_found(bench, 300, "offset=310", "format, horizon, partition and partitions are")

    within_two_minutes(work)


async def manifest_bytes(bench: Bench, number: int) -> bytes:
    return encode_manifest((await bench.manifests(number))[0])


GARBAGE = (
    b"",
    b"\x00\xff\xfe",
    b"not json",
    b"[]",
    b"{}",
    b'{"partition":0,"offset":9000000000000000000000}',
    b'{"partition":0,"offset":-1}',
    b"[" * 100_000,
)


@pytest.mark.parametrize("known", [True, False])
def test_garbage_in_place_of_manifests_is_passed_over(bench: Bench, known: bool) -> None:
    async def work() -> None:
        if known:
            await bench.checkpoint(BUSY, 300)
        for i, garbage in enumerate(GARBAGE):
            await bench.put(MANIFESTS, BUSY, f"garbage/{i}".encode(), garbage)
        await assert_found(bench, 300 if known else 0)
        assert sum(f"manifest partition={BUSY}" in line and "no manifest" in line for line in bench.said) == len(
            GARBAGE
        )

    within_two_minutes(work)


def test_a_manifest_whose_sums_are_right_and_whose_bytes_are_no_state_is_passed_over(bench: Bench) -> None:
    async def work() -> None:
        await bench.checkpoint(BUSY, 300)
        (manifest,) = await bench.manifests(BUSY)
        sound = decompress(b"".join(await bench.chunks(manifest)))
        garbage = {
            401: b"no zstd at all",
            402: compressed(b"no msgpack"),
            403: compressed(b"\x92"),
            404: compressed(sound[: len(sound) // 2]),
            # The last office's facts, byte by byte those of nobody.
            405: compressed(sound[:-200] + bytes(200)),
            406: b"",
            # Sound in every part, and the parts do not belong together: a ticket without facts.
            407: compressed(without_the_facts_of_a_ticket(sound)),
        }
        for offset, data in garbage.items():
            await bench.forge([data], manifest, offset=offset, id=f"garbage-{offset}", sum=checksum(data))
        await assert_found(bench, 300)
        assert all(bench.heard(f"fallback partition={BUSY} offset={offset} from=forger: ") for offset in garbage)

    within_two_minutes(work)


def without_the_facts_of_a_ticket(state: bytes) -> bytes:
    payload = msgspec.msgpack.decode(state, type=Payload)
    office = msgspec.msgpack.decode(payload.offices[0], type=OfficeBlob)
    assert len(office.words) > 1
    damaged = msgspec.structs.replace(office, words=office.words[:-1])
    offices = [msgspec.msgpack.encode(damaged), *payload.offices[1:]]
    return msgspec.msgpack.encode(msgspec.structs.replace(payload, offices=offices))


def compressed(data: bytes) -> bytes:
    return bytes(cramjam.zstd.compress(data))


def test_when_all_checkpoints_are_bad_the_log_is_read_from_its_start(bench: Bench) -> None:
    async def work() -> None:
        await bench.checkpoint(BUSY, 300)
        (manifest,) = await bench.manifests(BUSY)
        chunks = await bench.chunks(manifest)
        delete_before(bench.settings.broker, bench.settings.topic(CHECKPOINTS), {BUSY: manifest.last + 1})
        await bench.forge(chunks, manifest, offset=end() + 1, id="beyond")
        await bench.forge(chunks, manifest, horizon=1, id="horizon", offset=299)
        await bench.forge([chunks[0][1:], *chunks[1:]], manifest, id="damaged", offset=298)
        await assert_found(bench, 0)
        assert bench.work.fallbacks == 4

    within_two_minutes(work)


# --- a log whose beginning is gone


def test_where_the_beginning_of_the_log_is_gone_its_state_says_from_where_it_is(bench: Bench) -> None:
    async def work() -> None:
        delete_before(bench.settings.broker, bench.settings.topic(EVENTS), {BUSY: 120})
        found = (await bench.take_over(BUSY))[BUSY]
        assert (found.next_offset, found.partition.origin, found.target) == (120, 120, end())
        assert bench.heard(f"scratch partition={BUSY} from=120")

    within_two_minutes(work)


def test_a_checkpoint_outlives_the_events_that_it_is_of(bench: Bench) -> None:
    async def work() -> None:
        await bench.checkpoint(BUSY, 300)
        delete_before(bench.settings.broker, bench.settings.topic(EVENTS), {BUSY: 300})
        await assert_found(bench, 300)

    within_two_minutes(work)


def test_a_state_that_retention_has_passed_goes_on_where_the_log_begins_though_nothing_new_comes(bench: Bench) -> None:
    async def work() -> None:
        await bench.checkpoint(BUSY, 300)
        delete_before(bench.settings.broker, bench.settings.topic(EVENTS), {BUSY: end()})
        found = (await bench.take_over(BUSY))[BUSY]
        assert (found.next_offset, found.target) == (end(), end())
        assert bench.heard(f"loaded partition={BUSY} offset=300")
        assert bench.heard(f"gap partition={BUSY} from=300 to={end()}: these events are gone")

    within_two_minutes(work)


# --- another registry

Change = Callable[[Registry], Registry]


def stricter(registry: Registry) -> Registry:
    norms = {name: replace(norm, threshold_s=norm.threshold_s + 61) for name, norm in registry.norms.items()}
    return replace(registry, norms=norms)


def other_clocks(registry: Registry) -> Registry:
    clock = Clock(Start.ARRIVED, End.STARTED, Per.FIRST)
    return replace(registry, norms={name: replace(norm, clock=clock) for name, norm in registry.norms.items()})


def with_a_service_before_the_others(registry: Registry) -> Registry:
    services = {"new": Service("new", "New"), **registry.services}
    offices = {name: replace(office, services=("new", *office.services)) for name, office in registry.offices.items()}
    return replace(registry, services=services, offices=offices)


def without_the_last_service(registry: Registry) -> Registry:
    gone = list(registry.services)[-1]
    services = {name: service for name, service in registry.services.items() if name != gone}
    offices = {
        name: replace(office, services=tuple(service for service in office.services if service != gone))
        for name, office in registry.offices.items()
    }
    norms = {name: replace(norm, services=norm.services - {gone}) for name, norm in registry.norms.items()}
    return replace(registry, services=services, offices=offices, norms=norms)


def with_an_office_more(registry: Registry) -> Registry:
    new = Office("zz", "New", "north", "Europe/Paris", tuple(registry.services))
    return replace(registry, offices={**registry.offices, "zz": new})


CHANGES = (
    stricter,
    other_clocks,
    with_a_service_before_the_others,
    without_the_last_service,
    with_an_office_more,
)


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__.replace("_", " "))
def test_a_checkpoint_of_another_registry_is_folded_again_under_the_new_one(bench: Bench, change: Change) -> None:
    async def work() -> None:
        changed = parse(written(change(LOG.registry)), "registry.yaml")
        assert changed.hash != REGISTRY.hash
        await bench.checkpoint(BUSY, 600)
        found = (await bench.take_over(BUSY, registry=changed))[BUSY]
        fresh = bench.state(BUSY, 600, changed)

        assert found.next_offset == 600
        assert any(office.days.all() for office in fresh.offices.values()), "nothing was sealed"
        assert figures_held(found.partition) == figures_held(fresh)
        bench.continued(found.partition)
        bench.continued(fresh)
        assert figures_held(found.partition) == figures_held(fresh)
        assert bench.work.fallbacks == 0

    within_two_minutes(work)


def test_before_anything_is_sealed_a_state_under_another_registry_is_that_of_a_fresh_run(bench: Bench) -> None:
    async def work() -> None:
        changed = parse(written(stricter(LOG.registry)), "registry.yaml")
        early = 40
        assert not any(office.days.all() for office in bench.state(BUSY, early).offices.values())
        await bench.checkpoint(BUSY, early)
        found = (await bench.take_over(BUSY, registry=changed))[BUSY]
        assert digest(found.partition) == digest(bench.state(BUSY, early, changed))
        assert digest(found.partition) != digest(bench.state(BUSY, early))
        assert digest(bench.continued(found.partition)) == digest(bench.state(BUSY, end(), changed))

    within_two_minutes(work)


def test_an_office_that_the_registry_no_longer_has_is_forgotten(bench: Bench) -> None:
    async def work() -> None:
        kept = [name for name in LOG.registry.offices if partition_of(name.encode(), 4) != BUSY]
        (gone,) = set(LOG.registry.offices) - set(kept)
        norms = {
            name: replace(norm, offices=norm.offices - {gone})
            for name, norm in LOG.registry.norms.items()
            if norm.offices != {gone}
        }
        offices = {name: LOG.registry.offices[name] for name in kept}
        changed = parse(written(replace(LOG.registry, offices=offices, norms=norms)), "registry.yaml")
        await bench.checkpoint(BUSY, 600)
        found = (await bench.take_over(BUSY, registry=changed))[BUSY]
        assert found.partition.offices == {}
        assert found.partition.read == 600
        bench.continued(found.partition)
        refused = bench.state(BUSY, end()).refused
        assert found.partition.refused["unknown_office"] > refused.get("unknown_office", 0) + 50

    within_two_minutes(work)


def figures_held(partition: Partition) -> Tally:
    """What the facts held contribute."""
    driver = Driver(partition.plan.registry, partition.partitions)
    driver.parts[partition.number] = partition
    return driver.held()
