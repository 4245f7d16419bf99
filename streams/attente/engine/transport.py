"""From a fetch to the agent: one message per fetched partition, its record batches raw, contiguous with the state.

Faust costs about 50 us per message, an asyncio hop each; handing an agent everything that was fetched of a partition
removes it. Two ways to the same messages: `raw` takes whole record batches out of aiokafka's fetcher (0.7-0.9 us an
event against 1.7), which replaces private names of pinned versions; `plain` goes through aiokafka's own iterator and is
the reference.

Faust may deliver a batch that lies after the one to be read next (about one restart in eight, before it has sought back
to where we are), so every message is compared with the last one delivered: what lies before is dropped, what lies
beyond is read again from the right offset, once; a gap that is still there is real (retention) and counted.
"""

import asyncio
import struct
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

import aiokafka.consumer.fetcher as fetching
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import ConsumerStoppedError, CorruptRecordException, IllegalStateError
from crc32c import crc32c
from faust.transport import drivers
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread
from faust.transport.drivers.aiokafka import Consumer as AIOKafkaDriverConsumer
from faust.transport.drivers.aiokafka import Transport as AIOKafkaDriverTransport
from faust.types.tuples import TP, ConsumerMessage

from attente.core.partition import Record
from attente.engine import membership
from attente.engine.exits import end
from attente.engine.legible import legible
from attente.engine.owned import Owned
from attente.engine.rights import FORBIDDEN

if TYPE_CHECKING:
    from attente.engine.engine import Engine

SCHEME: Final = "attente"
FETCH_WAIT_MS: Final = 50
"""How long a broker may wait for more data. Faust's fixed 1,500 ms blocks a busy partition behind idle ones: one fetch
is in flight per broker (122,000 against 181,000 events/s)."""

_HEADER: Final = struct.Struct(">qiibI")  # base offset, length, leader epoch, magic, checksum
_BEFORE_LENGTH: Final = 12
_BEFORE_CHECKED: Final = 21
_MAGIC: Final = 2

drivers.TRANSPORTS.aliases[SCHEME] = f"{__name__}:Transport"


@dataclass(slots=True)
class Delivery:
    """What was fetched of a partition: everything in `[first, last]` that holds events.

    `batches` may be iterated once. The engine fills in the rest when it hands the delivery to the agent: the state it
    is for, the epoch, the offset after the delivery before, and its number among all that it has handed over.
    """

    first: int
    last: int
    batches: list[Iterable[Record]]
    owned: Owned | None = None
    epoch: int = 0
    after: int = 0
    number: int = 0

    def records(self) -> Iterable[Record]:
        """All records in order of offset."""
        return chain.from_iterable(self.batches)


class RawRecords:
    """aiokafka's record batches of one fetch, with the bytes they are parsed from."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        inner = _memory_records(data)
        self.has_next = inner.has_next
        self.next_batch = inner.next_batch
        self.size_in_bytes = inner.size_in_bytes


_memory_records = fetching.MemoryRecords


def install() -> None:
    """Make aiokafka's fetcher keep the bytes of a fetch."""
    fetching.MemoryRecords = RawRecords


def take(fetched: Any, *, check: bool) -> list[Iterable[Record]]:
    """Every record batch of aiokafka's `PartitionRecords` that holds events, without the aborted and control ones.

    Batches are verified here (by a checksum in hardware, 14 times as fast as aiokafka's) and decompressed when they are
    iterated. `next_fetch_offset` moves to the end, as if all records had been taken one by one.

    Raises:
        CorruptRecordException: a checksum does not fit, or a format older than Kafka 0.11.
    """
    records = fetched._records  # noqa: SLF001 - pinned; the plain way and a test hold it equal
    data = records.data
    view = memoryview(data)
    out: list[Iterable[Record]] = []
    at = 0
    while records.has_next():
        batch = records.next_batch()
        _, length, _, magic, wanted = _HEADER.unpack_from(data, at)
        end = at + _BEFORE_LENGTH + length
        if magic != _MAGIC:
            message = f"record format {magic}, older than Kafka 0.11"
            raise CorruptRecordException(message)
        if check and crc32c(view[at + _BEFORE_CHECKED : end]) != wanted:
            message = f"the checksum of the batch at offset {batch.base_offset} is another one"
            raise CorruptRecordException(message)
        raw, at = view[at:end], end
        if not _is_aborted(fetched, batch) and not batch.is_control_batch:
            out.append(_from(batch, raw, fetched.next_fetch_offset))
        fetched.next_fetch_offset = batch.next_offset
    return out


def _is_aborted(fetched: Any, batch: Any) -> bool:
    if fetched._isolation_level != fetching.READ_COMMITTED or batch.producer_id is None:  # noqa: SLF001
        return False
    fetched._consume_aborted_up_to(batch.base_offset)  # noqa: SLF001
    aborted = fetched._aborted_producers  # noqa: SLF001
    if batch.is_control_batch and fetched._contains_abort_marker(batch):  # noqa: SLF001
        aborted.discard(batch.producer_id)
    return bool(batch.is_transactional and batch.producer_id in aborted)


def _from(batch: Any, raw: memoryview, first: int) -> Iterable[Record]:
    """A batch without the records before `first`: a seek may lead into its middle."""
    records = legible(batch, raw)
    return records if batch.base_offset >= first else (record for record in records if record.offset >= first)


class ConsumerThread(AIOKafkaConsumerThread):  # type: ignore[misc]
    """Faust's consumer thread, whose fetches hand over deliveries."""

    @property
    def engine(self) -> "Engine":
        """Whom the deliveries are for."""
        return self.app.engine  # type: ignore[no-any-return]

    def _create_worker_consumer(self, transport: Any) -> AIOKafkaConsumer:
        consumer = super()._create_worker_consumer(transport)
        consumer._fetch_max_wait_ms = FETCH_WAIT_MS  # noqa: SLF001 - Faust has no setting for it
        return consumer

    async def _fetch_records(
        self,
        consumer: AIOKafkaConsumer,
        active_partitions: set[TP],
        timeout: float | None = None,
        max_records: int | None = None,
    ) -> Mapping[TP, Any]:
        if not self.consumer.flow_active:
            return {}
        try:
            if self.engine.settings.transport == "plain":
                found = await super()._fetch_records(consumer, active_partitions, timeout, max_records)
                return {tp: _plain(records) for tp, records in found.items() if records}
            return await self._fetch_raw(consumer, active_partitions, timeout or 0.0)
        except FORBIDDEN as error:
            end(error)

    async def _fetch_raw(self, consumer: AIOKafkaConsumer, active: set[TP], patience: float) -> Mapping[TP, Delivery]:
        """What aiokafka's `Fetcher.fetched_records` does, for whole partitions and without records."""
        fetcher = consumer._fetcher  # noqa: SLF001
        if consumer._closed or fetcher._closed:  # noqa: SLF001
            raise ConsumerStoppedError
        until = time.monotonic() + patience
        with fetcher._subscriptions.fetch_context():  # noqa: SLF001
            while True:
                if fetcher._subscriptions.reassignment_in_progress:  # noqa: SLF001
                    await fetcher._subscriptions.wait_for_assignment()  # noqa: SLF001
                found = _fetched(fetcher, active)
                fetcher._notify(fetcher._wait_consume_future)  # noqa: SLF001
                left = until - time.monotonic()
                if found or left <= 0:
                    return found
                waiter = fetcher._create_fetch_waiter()  # noqa: SLF001
                done, _ = await asyncio.wait([waiter], timeout=left)
                if not done or fetcher._closed:  # noqa: SLF001
                    waiter.cancel()
                    return {}
                waiter.result()


def _fetched(fetcher: Any, active: set[TP]) -> dict[TP, Delivery]:
    """Everything that the fetcher holds of active partitions; errors it holds are raised."""
    out: dict[TP, Delivery] = {}
    for tp in list(fetcher._records):  # noqa: SLF001
        if active and tp not in active:
            if not fetcher._subscriptions.is_assigned(tp):  # noqa: SLF001
                del fetcher._records[tp]  # noqa: SLF001
            continue
        result = fetcher._records[tp]  # noqa: SLF001
        is_error = isinstance(result, fetching.FetchError)
        if is_error and out:
            break  # what has been taken is handed over first; the error is raised by the next fetch
        del fetcher._records[tp]  # noqa: SLF001
        if is_error:
            result.check_raise()
        if result.check_assignment(tp) and result.has_more():
            records = result._partition_records  # noqa: SLF001
            first = records.next_fetch_offset
            batches = take(records, check=fetcher._check_crcs)  # noqa: SLF001
            result._update_position()  # noqa: SLF001
            if records.next_fetch_offset > first:
                out[tp] = Delivery(first, records.next_fetch_offset - 1, batches)
    return out


def _plain(records: list[Any]) -> Delivery:
    return Delivery(records[0].offset, records[-1].offset, [records])


class Consumer(AIOKafkaDriverConsumer):  # type: ignore[misc]
    """Faust's consumer, which begins where the states stand and hands over contiguous deliveries."""

    def _new_consumer_thread(self) -> ConsumerThread:
        return ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    @property
    def engine(self) -> "Engine":
        """Whom the deliveries are for."""
        return self.app.engine  # type: ignore[no-any-return]

    async def perform_seek(self) -> None:
        """Seek to where the states stand, instead of to the committed offsets."""
        states = self.engine.ownership.states
        at = {tp: states[tp.partition].next_offset for tp in self.assignment() if tp.partition in states}
        self._read_offset.update(dict.fromkeys(at))
        await self._seek_to(at)

    async def seek_back(self, number: int, offset: int) -> None:
        """Read a partition again from an offset."""
        await self._seek_to({self.engine.place(number): offset})

    async def _seek_to(self, at: Mapping[TP, int]) -> None:
        try:
            await self._thread.seek_wait(at)
        except IllegalStateError:
            # Not ours any more: a rebalance has begun in the consumer's thread, and the take-over at its end seeks.
            self.log.warning("no seek to %r: the partitions are being assigned anew", at)

    def heard_end(self, number: int) -> int | None:
        """The end of a partition's log as the last fetch told it; None before the first, and while it is not ours."""
        try:
            return self.highwater(self.engine.place(number))  # type: ignore[no-any-return]
        except (AssertionError, AttributeError, KeyError):  # a rebalance has begun in the consumer's thread
            return None

    async def getmany(
        self,
        timeout: float,
    ) -> AsyncIterator[tuple[TP, ConsumerMessage]]:
        """Deliveries, in the shape of Faust's messages."""
        records, active = await self._wait_next_records(timeout)
        generation = self.app.consumer_generation_id
        if records is None or self.should_stop:
            return
        for tp, delivery in records.items():
            if not self.flow_active or self.app.consumer_generation_id != generation:
                return
            if active is not None and tp not in active and tp not in self._buffered_partitions:
                continue
            if await self.engine.accept(tp.partition, delivery):
                # Else Faust drops in silence what lies before the committed offset.
                self._read_offset[tp] = None
                yield (
                    tp,
                    ConsumerMessage(
                        tp.topic,
                        tp.partition,
                        delivery.last,
                        0.0,
                        0,
                        None,
                        None,
                        delivery,
                        None,
                        0,
                        0,
                        tp,
                        generation_id=generation,
                    ),
                )


class Transport(AIOKafkaDriverTransport):  # type: ignore[misc]
    """Faust's aiokafka transport with the consumer above."""

    Consumer = Consumer


install()
membership.install()
