"""The raw transport hands over exactly what aiokafka's own iterator would, and nothing twice or never."""

import asyncio
import struct
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any, NamedTuple

import aiokafka.consumer.fetcher as fetching
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import CorruptRecordException, KafkaError
from aiokafka.record.legacy_records import LegacyRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from crc32c import crc32c
from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType

from attente.broker.local import LocalBroker
from attente.engine import transport

COMPRESSIONS = (None, "gzip", "snappy", "lz4", "zstd")
HEADERS = [("trace", b"\x00\x01"), ("empty", b""), ("ümlaut", "ü".encode())]
NOW = int(time.time() * 1000)  # a transaction's marker bears the broker's time, and years between begin a new segment
PRODUCE: dict[str, Any] = {"acks": "all", "linger_ms": 50, "max_batch_size": 1 << 20}


class Seen(NamedTuple):
    """What the core sees of a record."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None


def seen(records: Any) -> list[Seen]:
    return [Seen(one.offset, one.timestamp, one.key, one.value) for one in records]


class Fetched(NamedTuple):
    """What a broker has answered to one fetch of a partition."""

    data: bytes
    offset: int
    aborted: list[tuple[int, int]]
    isolation: int

    def parsed(self, *, raw: bool, first: int | None = None, data: bytes | None = None) -> Any:
        """aiokafka's `PartitionRecords` of it, in one of the two ways."""
        parse = transport.RawRecords if raw else MemoryRecords
        return fetching.PartitionRecords(
            TopicPartition("any", 0),
            parse(self.data if data is None else data),
            list(self.aborted),
            self.offset if first is None else first,
            None,
            None,
            True,
            self.isolation,
        )

    def taken(self, first: int | None = None, data: bytes | None = None) -> tuple[list[Seen], int]:
        """All records and the next offset, by `take`."""
        records = self.parsed(raw=True, first=first, data=data)
        batches = transport.take(records, check=True)
        return seen(record for batch in batches for record in batch), records.next_fetch_offset

    def iterated(self, first: int | None = None, data: bytes | None = None) -> tuple[list[Seen], int]:
        """All records and the next offset, by aiokafka's own iterator."""
        records = self.parsed(raw=False, first=first, data=data)
        return seen(records), records.next_fetch_offset

    def batches(self) -> list[tuple[int, int]]:
        """Where each batch begins and ends in the bytes."""
        found, at = [], 0
        while at < len(self.data):
            end = at + 12 + struct.unpack_from(">i", self.data, at + 8)[0]
            found.append((at, end))
            at = end
        return found


@pytest.fixture
def topic(broker: LocalBroker) -> str:
    """A topic of two partitions that nobody else uses."""
    name = f"transport-{uuid.uuid4().hex[:8]}"
    create(broker, name, {})
    return name


def create(broker: LocalBroker, name: str, configs: dict[str, str]) -> None:
    admin = KafkaAdminClient(bootstrap_servers=broker.bootstrap)
    try:
        admin.create_topics({name: {"num_partitions": 2, "replication_factor": 1, "configs": configs}})
        admin.wait_for_topics([name], 10_000)
    finally:
        admin.close()


@asynccontextmanager
async def producing(broker: LocalBroker, **settings: Any) -> AsyncIterator[AIOKafkaProducer]:
    producer = AIOKafkaProducer(bootstrap_servers=broker.bootstrap, **{**PRODUCE, **settings})
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


@asynccontextmanager
async def consuming(broker: LocalBroker, isolation: str = "read_uncommitted") -> AsyncIterator[AIOKafkaConsumer]:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=broker.bootstrap,
        isolation_level=isolation,
        enable_auto_commit=False,
        max_partition_fetch_bytes=16 << 20,
    )
    await consumer.start()
    try:
        yield consumer
    finally:
        await consumer.stop()


async def buffered(consumer: AIOKafkaConsumer, *places: TopicPartition) -> list[Any]:
    """What the fetcher holds of some partitions, once it holds something of all."""
    records = consumer._fetcher._records
    async with asyncio.timeout(60):
        while not all(place in records for place in places):
            await asyncio.sleep(0.01)
    return [records[place] for place in places]


async def fetch(
    broker: LocalBroker, topic: str, *, isolation: str = "read_uncommitted", begin: int = 0, until: int = 0
) -> Fetched:
    """One real answer to one real fetch, which reaches as far as told: markers of transactions are written late."""
    place = TopicPartition(topic, 0)
    async with consuming(broker, isolation) as consumer, asyncio.timeout(60):
        consumer.assign([place])
        while True:
            consumer.seek(place, begin)
            (result,) = await buffered(consumer, place)
            records = result._partition_records
            assert isinstance(records._records, transport.RawRecords)
            aborted = list(records._aborted_transactions)
            fetched = Fetched(records._records.data, begin, aborted, records._isolation_level)
            if fetched.iterated()[1] >= until:
                return fetched
            del consumer._fetcher._records[place]


async def send_batch(producer: AIOKafkaProducer, topic: str, count: int, tag: str, partition: int = 0) -> None:
    """One batch of records of all shapes: with and without key, value and headers."""
    batch = producer.create_batch()
    for i in range(count):
        key = None if i % 3 == 0 and i % 5 else f"key {tag} {i}".encode()
        value = None if i % 5 == 0 else f"value {tag} {i} ".encode() * (i % 7)
        appended = batch.append(key=key, value=value, timestamp=NOW + i, headers=HEADERS if i % 2 else [])
        assert appended is not None
    await (await producer.send_batch(batch, topic, partition=partition))


def on_one_loop(work: Callable[[], Awaitable[None]]) -> None:
    async def within() -> None:
        async with asyncio.timeout(120):
            await work()

    asyncio.run(within())


# --- the same records as aiokafka's iterator


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_batches_of_every_compression_are_taken_as_aiokafka_iterates_them(
    broker: LocalBroker, topic: str, compression: str | None
) -> None:
    async def work() -> None:
        async with producing(broker, compression_type=compression) as producer:
            for i in range(3):
                await send_batch(producer, topic, 40 + i, f"batch {i}")
        fetched = await fetch(broker, topic)

        assert len(fetched.batches()) == 3
        records, following = fetched.taken()
        assert (records, following) == fetched.iterated()
        assert [record.offset for record in records] == list(range(123))
        assert following == 123
        assert {type(record.key) for record in records} == {type(record.value) for record in records}
        assert {type(record.key) for record in records} == {bytes, type(None)}

    on_one_loop(work)


@pytest.mark.parametrize("compression", [None, "zstd"])
def test_a_fetch_from_the_middle_of_a_batch_leaves_out_what_lies_before(
    broker: LocalBroker, topic: str, compression: str | None
) -> None:
    async def work() -> None:
        async with producing(broker, compression_type=compression) as producer:
            for i in range(2):
                await send_batch(producer, topic, 30, f"batch {i}")
        for begin in (0, 1, 13, 29, 30, 59):
            fetched = await fetch(broker, topic, begin=begin)
            records, following = fetched.taken()
            assert (records, following) == fetched.iterated()
            assert [record.offset for record in records] == list(range(begin, 60))

    on_one_loop(work)


@pytest.mark.parametrize("isolation", ["read_committed", "read_uncommitted"])
def test_transactions_are_taken_as_aiokafka_iterates_them(broker: LocalBroker, topic: str, isolation: str) -> None:
    async def work() -> None:
        async with (
            producing(broker) as plain,
            producing(broker, transactional_id=f"one-{topic}") as one,
            producing(broker, transactional_id=f"two-{topic}") as two,
        ):
            # Two transactions that overlap, one of them aborted, with records outside of any in between; then a
            # producer that was aborted commits, and one that committed aborts.
            await one.begin_transaction()
            await send_batch(one, topic, 5, "aborted")
            await two.begin_transaction()
            await send_batch(plain, topic, 5, "plain")
            await send_batch(two, topic, 5, "committed")
            await send_batch(one, topic, 5, "aborted too")
            await two.commit_transaction()
            await one.abort_transaction()
            await one.begin_transaction()
            await send_batch(one, topic, 5, "committed later")
            await one.commit_transaction()
            await two.begin_transaction()
            await send_batch(two, topic, 5, "aborted later")
            await two.abort_transaction()
            await send_batch(plain, topic, 5, "the end")
        fetched = await fetch(broker, topic, isolation=isolation, until=39)

        records, following = fetched.taken()
        assert (records, following) == fetched.iterated()
        said = [str(record.value) for record in records if record.value]
        assert any("plain" in value for value in said)
        assert any("committed" in value for value in said)
        assert any("the end" in value for value in said)
        assert any("aborted" in value for value in said) == (isolation == "read_uncommitted")
        # Seven batches of five, and a control record at the end of each transaction.
        assert (len(records), following) == (20 if isolation == "read_committed" else 35, 39)

    on_one_loop(work)


def test_a_fetch_that_ends_with_an_aborted_transaction_moves_on_behind_it(broker: LocalBroker, topic: str) -> None:
    async def work() -> None:
        async with producing(broker, transactional_id=f"one-{topic}") as one:
            await one.begin_transaction()
            await send_batch(one, topic, 5, "aborted")
            await one.abort_transaction()
        fetched = await fetch(broker, topic, isolation="read_committed", until=6)

        assert fetched.taken() == fetched.iterated() == ([], 6)

    on_one_loop(work)


def test_holes_that_compaction_has_made_are_taken_as_aiokafka_iterates_them(broker: LocalBroker) -> None:
    topic = f"compacted-{uuid.uuid4().hex[:8]}"
    clean_soon(broker)
    create(broker, topic, {"cleanup.policy": "compact", "segment.ms": "100", "min.cleanable.dirty.ratio": "0.01"})

    async def work() -> None:
        async with producing(broker, enable_idempotence=True) as producer:
            # The last batch of a producer stays, though nothing of it may be left: that is how the broker knows it.
            for i in range(4):
                await keyed(producer, topic, [f"k{n}" for n in range(i, i + 6)])
        async with producing(broker, enable_idempotence=True) as other:
            await keyed(other, topic, [f"k{n}" for n in range(9)])
            async with asyncio.timeout(60):
                while True:
                    # Only closed segments are cleaned, and an append closes the last one.
                    await keyed(other, topic, ["now"])
                    fetched = await fetch(broker, topic)
                    if any(count_of(fetched, begin) == 0 for begin, _ in fetched.batches()):
                        break

        for begin in (0, 3, 20, 24):
            assert fetched.taken(begin) == fetched.iterated(begin)
        records, following = fetched.taken()
        assert following > records[-1].offset
        assert len(records) < following

    on_one_loop(work)


async def keyed(producer: AIOKafkaProducer, topic: str, keys: list[str]) -> None:
    sent = [await producer.send(topic, b"value", key=key.encode(), partition=0) for key in keys]
    await asyncio.gather(*sent)


def count_of(fetched: Fetched, begin: int) -> int:
    """How many records the batch that begins there holds."""
    return int(struct.unpack_from(">i", fetched.data, begin + 57)[0])


def clean_soon(broker: LocalBroker) -> None:
    """Let the broker look each 100 ms for something to compact, instead of each 15 s."""
    admin = KafkaAdminClient(bootstrap_servers=broker.bootstrap)
    try:
        resource = ConfigResource(ConfigResourceType.BROKER, "1", {"log.cleaner.backoff.ms": "100"})
        admin.alter_configs([resource], raise_on_unknown=False, incremental=True)
    finally:
        admin.close()


# --- what is damaged


def test_a_flipped_byte_is_found_wherever_it_is(broker: LocalBroker, topic: str) -> None:
    async def work() -> None:
        async with producing(broker, compression_type="lz4") as producer:
            for i in range(2):
                await send_batch(producer, topic, 20, f"batch {i}")
        fetched = await fetch(broker, topic)
        (_, middle), (_, end) = fetched.batches()
        # Attributes, counts and producer of the second batch, its compressed records, its last byte.
        for place in (middle + 22, middle + 30, middle + 60, middle + 61, (middle + end) // 2, end - 1):
            data = bytearray(fetched.data)
            data[place] ^= 0x10
            with pytest.raises(CorruptRecordException, match="the batch at offset 20 is another one"):
                fetched.taken(data=bytes(data))
            with pytest.raises(CorruptRecordException):
                fetched.iterated(data=bytes(data))

    on_one_loop(work)


def test_damage_is_nobodys_concern_where_no_check_is_asked_for(broker: LocalBroker, topic: str) -> None:
    async def work() -> None:
        async with producing(broker) as producer:
            await send_batch(producer, topic, 20, "batch")
        fetched = await fetch(broker, topic)
        data = bytearray(fetched.data)
        data[fetched.data.index(b"value batch 1")] ^= 0x20
        batches = transport.take(fetched.parsed(raw=True, data=bytes(data)), check=False)
        assert [record.value for batch in batches for record in batch][1] == b"Value batch 1 "

    on_one_loop(work)


def test_the_checksum_is_the_brokers_own(broker: LocalBroker, topic: str) -> None:
    async def work() -> None:
        async with producing(broker) as producer:
            await send_batch(producer, topic, 3, "batch")
        data = (await fetch(broker, topic)).data
        assert crc32c(data[21:]) == struct.unpack_from(">I", data, 17)[0]

    on_one_loop(work)


@pytest.mark.parametrize("magic", [0, 1])
def test_a_format_older_than_kafka_0_11_is_refused(magic: int) -> None:
    builder = LegacyRecordBatchBuilder(magic=magic, compression_type=0, batch_size=1 << 16)
    builder.append(0, timestamp=1, key=b"k", value=b"v")
    fetched = Fetched(bytes(builder.build()), 0, [], fetching.READ_UNCOMMITTED)
    with pytest.raises(CorruptRecordException, match=f"record format {magic}, older than Kafka 0.11"):
        fetched.taken()


# --- what the fetcher holds


def test_an_error_of_one_partition_is_raised_only_after_what_was_taken_of_another_is_handed_over(
    broker: LocalBroker, topic: str
) -> None:
    async def work() -> None:
        first, second = TopicPartition(topic, 0), TopicPartition(topic, 1)
        async with producing(broker) as producer, consuming(broker) as consumer:
            await send_batch(producer, topic, 10, "first", partition=0)
            await send_batch(producer, topic, 20, "second", partition=1)
            consumer.assign([first, second])
            for place in (first, second):
                consumer.seek(place, 0)
            await buffered(consumer, first, second)
            fetcher = consumer._fetcher
            fetcher._records.move_to_end(second)
            fetcher._records[second] = fetching.FetchError(error=KafkaError("the disk is gone"), backoff=0)

            taken = transport._fetched(fetcher, set())

            assert {place: (one.first, one.last) for place, one in taken.items()} == {first: (0, 9)}
            assert len(list(taken[first].records())) == 10
            assert await consumer.position(first) == 10
            with pytest.raises(KafkaError, match="the disk is gone"):
                transport._fetched(fetcher, set())
            assert second not in fetcher._records

    on_one_loop(work)


def test_what_is_not_active_stays_with_the_fetcher(broker: LocalBroker, topic: str) -> None:
    async def work() -> None:
        first, second = TopicPartition(topic, 0), TopicPartition(topic, 1)
        async with producing(broker) as producer, consuming(broker) as consumer:
            await send_batch(producer, topic, 10, "first", partition=0)
            await send_batch(producer, topic, 20, "second", partition=1)
            consumer.assign([first, second])
            for place in (first, second):
                consumer.seek(place, 0)
            await buffered(consumer, first, second)

            assert set(transport._fetched(consumer._fetcher, {second})) == {second}
            assert set(transport._fetched(consumer._fetcher, {second})) == set()
            assert set(transport._fetched(consumer._fetcher, {first, second})) == {first}

    on_one_loop(work)


def test_what_was_fetched_before_a_seek_is_not_handed_over_after_it(broker: LocalBroker, topic: str) -> None:
    async def work() -> None:
        place = TopicPartition(topic, 0)
        async with producing(broker) as producer, consuming(broker) as consumer:
            await send_batch(producer, topic, 10, "batch")
            consumer.assign([place])
            consumer.seek(place, 0)
            await buffered(consumer, place)
            consumer.seek(place, 4)

            assert transport._fetched(consumer._fetcher, set()) == {}
            await buffered(consumer, place)
            delivery = transport._fetched(consumer._fetcher, set())[place]
            assert (delivery.first, delivery.last) == (4, 9)
            assert [record.offset for record in delivery.records()] == [4, 5, 6, 7, 8, 9]

    on_one_loop(work)


def test_a_delivery_spans_aborted_records_and_control_records_too(broker: LocalBroker, topic: str) -> None:
    async def work() -> None:
        place = TopicPartition(topic, 0)
        async with (
            producing(broker, transactional_id=f"one-{topic}") as one,
            consuming(broker, "read_committed") as consumer,
        ):
            await one.begin_transaction()
            await send_batch(one, topic, 5, "committed")
            await one.commit_transaction()
            await one.begin_transaction()
            await send_batch(one, topic, 5, "aborted")
            await one.abort_transaction()
            consumer.assign([place])
            consumer.seek(place, 0)
            deliveries: list[transport.Delivery] = []
            while not deliveries or deliveries[-1].last < 11:
                await buffered(consumer, place)
                deliveries += transport._fetched(consumer._fetcher, set()).values()

            assert deliveries[0].first == 0
            assert all(later.first == former.last + 1 for former, later in pairwise(deliveries))
            assert [record.offset for one in deliveries for record in one.records()] == [0, 1, 2, 3, 4]

    on_one_loop(work)
