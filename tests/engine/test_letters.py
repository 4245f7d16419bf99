"""Dead letters: whatever the broker does meanwhile, no checkpoint passes a refused event that is not kept."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import TopicAuthorizationFailedError

from attente.broker.admin import connect
from attente.broker.local import LocalBroker
from attente.broker.topics import apply, with_prefix
from attente.core.partition import Partition
from attente.engine import letters as letters_module
from attente.engine.engine import Engine
from attente.engine.owned import Owned
from attente.engine.transport import Delivery
from attente.errors import Unreachable
from attente.model.reasons import Reason
from attente.model.records import Origin, dead_letter, read_dead_letter
from attente.model.topics import DEADLETTERS, EVENTS, MANIFESTS, topics
from attente.settings import Settings, prefixed
from engine.checkpointing import within_two_minutes
from handtape import RECORDS, REGISTRY
from oracle import Record
from workers import content


@pytest.fixture(scope="module")
def own_broker(broker_extra: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalBroker]:
    """A broker that may be stopped and started."""
    with LocalBroker(tmp_path_factory.mktemp("own")) as broker:
        yield broker


@asynccontextmanager
async def engine_at(broker: LocalBroker, prefix: str, said: list[str]) -> AsyncIterator[Engine]:
    """An engine that owns partition 0 of one; what it writes expires after a second."""
    with connect(broker.bootstrap) as admin:
        assert not any(one.failure for one in apply(admin, with_prefix(topics(1, archive=True), prefix)))
    settings = Settings(broker=broker.bootstrap, topic_prefix=prefix, worker="w0")
    engine = Engine(settings, REGISTRY, 1, said.append)
    engine.highwater = lambda _: None
    engine.letters.producer = AIOKafkaProducer(
        bootstrap_servers=broker.bootstrap, acks="all", request_timeout_ms=1_000, compression_type="gzip"
    )
    await engine.letters.producer.start()
    await engine.start()
    owned = Owned(Partition(engine.plan, 0, 1))
    engine.ownership.states = {0: owned}
    engine.ownership.live = {0}
    try:
        yield engine
    finally:
        for producer in (engine.letters.producer, engine._producer):
            assert producer is not None
            await producer.stop()


async def take(engine: Engine, records: list[Record]) -> None:
    delivery = Delivery(records[0].offset, records[-1].offset, [records])
    assert await engine.accept(0, delivery)
    await engine.apply(delivery)


def letters(broker: LocalBroker, prefix: str) -> set[tuple[int, bytes | None]]:
    """Offset and value of every dead letter that the topic holds."""
    found = set()
    for record in content(broker.bootstrap, prefixed(DEADLETTERS, prefix)):
        letter = read_dead_letter(record.key, record.value, record.headers)
        assert (letter.origin.topic, letter.origin.partition) == (prefixed(EVENTS, prefix), 0)
        found.add((letter.origin.offset, letter.value))
    return found


def refused(records: list[Record]) -> set[tuple[int, bytes | None]]:
    """What of some records has to be found there."""
    partition = Partition(Engine(Settings(), REGISTRY, 1, print).plan, 0, 1)
    partition.ingest(records)
    return {(dead.offset, dead.value) for dead in partition.take_dead()}


def test_letters_that_expire_while_the_broker_is_away_are_sent_again_when_it_is_back(
    own_broker: LocalBroker,
) -> None:
    said: list[str] = []
    first, *_, last = sorted(offset for offset, _ in refused(RECORDS))

    async def work() -> None:
        async with engine_at(own_broker, "expire.", said) as engine:
            owned = engine.ownership.states[0]
            await take(engine, RECORDS[: first + 1])
            while owned.letters:
                await asyncio.sleep(0.01)
            await asyncio.to_thread(own_broker.down)
            await take(engine, RECORDS[first + 1 :])
            while not any(line.startswith("dead letters are sent again: ") for line in said):
                await asyncio.sleep(0.05)
            assert owned.letters
            writing = asyncio.ensure_future(engine._checkpoint(owned, "while the broker is away"))
            await asyncio.to_thread(own_broker.up)
            if not await writing:
                assert await engine._checkpoint(owned, "now that it is back")
            assert owned.letters == set()
            assert owned.saved == len(RECORDS) > last
        assert await asyncio.to_thread(letters, own_broker, "expire.") == refused(RECORDS)
        assert sum("dead letters" in line for line in said) == 1

    within_two_minutes(work)


def test_the_first_letter_of_a_worker_waits_for_a_broker_that_is_away(own_broker: LocalBroker) -> None:
    said: list[str] = []

    async def work() -> None:
        async with engine_at(own_broker, "first.", said) as engine:
            owned = engine.ownership.states[0]
            await asyncio.to_thread(own_broker.down)
            taking = asyncio.ensure_future(take(engine, RECORDS))
            while not any(line.startswith("dead letters are waiting: ") for line in said):
                await asyncio.sleep(0.05)
            assert not taking.done()
            await asyncio.to_thread(own_broker.up)
            await taking
            while owned.letters:
                await asyncio.sleep(0.01)
        assert await asyncio.to_thread(letters, own_broker, "first.") == refused(RECORDS)

    within_two_minutes(work)


def test_a_checkpoint_waits_for_the_letters_before_it(own_broker: LocalBroker) -> None:
    said: list[str] = []

    async def work() -> None:
        async with engine_at(own_broker, "waits.", said) as engine:
            owned = engine.ownership.states[0]
            await take(engine, RECORDS)
            unkept: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
            owned.letters.add(unkept)
            writing = asyncio.ensure_future(engine._checkpoint(owned, "test"))
            topic = prefixed(DEADLETTERS, "waits.")
            while len(await asyncio.to_thread(content, own_broker.bootstrap, topic)) < len(refused(RECORDS)):
                await asyncio.sleep(0.05)
            assert not writing.done()
            assert await asyncio.to_thread(content, own_broker.bootstrap, prefixed(MANIFESTS, "waits.")) == []
            owned.letters.discard(unkept)
            unkept.set_result(None)
            assert await writing
            assert len(await asyncio.to_thread(content, own_broker.bootstrap, prefixed(MANIFESTS, "waits."))) == 1

    within_two_minutes(work)


class Ended(BaseException):
    """Stands for the end of the process."""


def test_letters_that_the_broker_will_never_take_end_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    ends: list[BaseException] = []

    def end(error: BaseException) -> None:
        ends.append(error)
        raise Ended

    monkeypatch.setattr(letters_module, "end", end)
    origin = Origin("attente.events", 0, 17, 0)
    letter = dead_letter(origin, key=b"k", value=b"v", reason=Reason.NOT_JSON, detail="no JSON", version="1")

    async def work() -> None:
        engine = Engine(Settings(broker="there:9092"), REGISTRY, 1, print)
        owned = Owned(Partition(engine.plan, 0, 1))
        sent: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        owned.letters.add(sent)
        sent.set_exception(TopicAuthorizationFailedError("attente.deadletters"))
        engine.letters.settle(owned, letter, sent)
        (insisting,) = owned.letters  # a checkpoint would wait for it
        with pytest.raises(Ended):
            await insisting

    within_two_minutes(work)
    (error,) = ends
    assert isinstance(error, Unreachable)
    assert str(error) == (
        "dead letter attente.events/0/17 is not taken by there:9092: TopicAuthorizationFailedError: attente.deadletters"
    )
