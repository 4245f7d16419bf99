"""Checkpoints on a real broker, written by the engine's own writer, and take-overs that find them."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from attente.core.partition import Partition
from attente.core.plan import Plan
from attente.engine.checkpoints import CheckpointWriter
from attente.engine.clients import new_producer, new_reader
from attente.engine.owned import Owned, Work
from attente.engine.takeover import TakeOver
from attente.model.records import Manifest, encode_manifest
from attente.model.topics import CHECKPOINTS, MANIFESTS
from attente.registry.entities import Registry
from attente.settings import Settings
from oracle import Record


def within_two_minutes(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    async def run() -> None:
        async with asyncio.timeout(120):
            await work()

    asyncio.run(run())


class Bench:
    """Topics with events in them, and what is done to their checkpoints.

    Attributes:
        settings: of the worker whose turn it is.
        records: the events, in order of offset in each partition.
        said: every line of the take-overs.
        work: what the take-overs have counted.
    """

    def __init__(self, settings: Settings, registry: Registry, partitions: int, records: Sequence[Record]) -> None:
        self.settings = settings
        self.registry = registry
        self.partitions = partitions
        self.records = records
        self.said: list[str] = []
        self.work = Work()

    def of(self, number: int) -> list[Record]:
        """The events of a partition."""
        return [record for record in self.records if record.partition == number]

    def state(self, number: int, offset: int, registry: Registry | None = None) -> Partition:
        """The state after everything before an offset, computed here."""
        partition = Partition(Plan(registry or self.registry), number, self.partitions)
        return self.continued(partition, offset)

    def continued(self, partition: Partition, offset: int | None = None) -> Partition:
        """A state, brought to an offset or the log's end by what follows."""
        partition.ingest(self.of(partition.number)[partition.next_offset : offset])
        partition.take_dead()
        return partition

    # ---- writing

    async def checkpoint(self, number: int, offset: int, worker: str = "w0", registry: Registry | None = None) -> None:
        """Write the checkpoint of a partition at an offset, as a worker of that name does."""
        registry = registry or self.registry
        async with self._producer() as producer:
            settings = replace(self.settings, worker=worker)
            writer = CheckpointWriter(settings, producer, Work(), self.said.append)
            owned = Owned(self.state(number, offset, registry), slot=offset % 2)
            assert await writer.write(owned, "test"), self.said

    async def manifests(self, number: int) -> list[Manifest]:
        """Those of a partition, in the order in which they were written."""
        async with self.reader() as reader:
            takeover = self._takeover(self.settings, reader, Plan(self.registry))
            found = await takeover._manifests([number], await takeover._log([number]))
        return sorted(found[number], key=lambda manifest: manifest.last)

    async def say(self, manifest: Manifest) -> None:
        """Write a manifest, whatever it claims."""
        await self.put(MANIFESTS, manifest.partition, manifest.key, encode_manifest(manifest))

    async def put(self, topic: str, number: int, key: bytes, value: bytes) -> int:
        """Write a record into one of our topics; its offset."""
        async with self._producer() as producer:
            sent = await producer.send_and_wait(self.settings.topic(topic), value, key=key, partition=number)
            return int(sent.offset)

    async def chunks(self, manifest: Manifest) -> list[bytes]:
        """The chunks of a checkpoint."""
        async with self.reader() as reader:
            place = self._takeover(self.settings, reader, Plan(self.registry))._at(CHECKPOINTS, manifest.partition)
            reader.assign([place])
            reader.seek(place, manifest.first)
            found: dict[bytes, bytes] = {}
            while len(found) < manifest.chunks:
                record = await reader.getone()
                if record.key.startswith(f"{manifest.id}/".encode()):
                    found[record.key] = record.value
        return [found[f"{manifest.id}/{i}".encode()] for i in range(manifest.chunks)]

    async def forge(self, chunks: Sequence[bytes | None], like: Manifest, **claims: Any) -> Manifest:
        """Write a checkpoint of these chunks (None is missing) and a manifest like another one with other claims."""
        claims = {"id": f"{like.id}-forged", "worker": "forger", "n": len(chunks)} | claims
        offsets = [
            await self.put(CHECKPOINTS, like.partition, f"{claims['id']}/{i}".encode(), chunk)
            for i, chunk in enumerate(chunks)
            if chunk is not None
        ]
        claims |= {"first": min(offsets), "last": max(offsets[0] + len(chunks) - 1, *offsets)}
        manifest = replaced(like, **claims)
        await self.say(manifest)
        return manifest

    # ---- taking over

    async def take_over(
        self, *numbers: int, held: dict[int, Owned] | None = None, registry: Registry | None = None
    ) -> dict[int, Owned]:
        """What a worker finds."""
        async with self.reader() as reader:
            takeover = self._takeover(self.settings, reader, Plan(registry or self.registry))
            return await takeover.run(list(numbers), held or {})

    def _takeover(self, settings: Settings, reader: AIOKafkaConsumer, plan: Plan) -> TakeOver:
        return TakeOver(settings, plan, self.partitions, reader, self.work, self.said.append)

    @asynccontextmanager
    async def reader(self) -> AsyncIterator[AIOKafkaConsumer]:
        reader = new_reader(self.settings)
        await reader.start()
        try:
            yield reader
        finally:
            await reader.stop()

    @asynccontextmanager
    async def _producer(self) -> AsyncIterator[AIOKafkaProducer]:
        producer = new_producer(self.settings)
        await producer.start()
        try:
            yield producer
        finally:
            await producer.stop()

    def heard(self, *words: str) -> bool:
        """Whether a line has all these words."""
        return any(all(word in line for word in words) for line in self.said)


def replaced(manifest: Manifest, **claims: Any) -> Manifest:
    """A manifest with other claims, by the names that stand in the record."""
    names = {"n": "chunks", "sum": "checksum", "bytes": "size"}
    fields = {name: getattr(manifest, name) for name in manifest.__struct_fields__}
    return Manifest(**fields | {names.get(name, name): value for name, value in claims.items()})
