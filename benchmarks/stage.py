"""What the benchmarks play on: a real Kafka of their own, and the tape in an archive topic."""

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from aiokafka import AIOKafkaProducer
from kafka import KafkaAdminClient, TopicPartition
from kafka.errors import KafkaError

from attente.broker.admin import connect
from attente.broker.local import LocalBroker
from attente.broker.topics import apply, with_prefix
from attente.model.topics import CHECKPOINTS, EVENTS, MANIFESTS, TopicSpec, topics
from attente.settings import prefixed
from benchmarks.process import Failed
from benchmarks.tape import Record, Tape

HEAP: Final = "1g"
_BATCH_BYTES: Final = 256 * 1024  # as `attente replay` fills them
_WAIT_S: Final = 30.0


class Stage:
    """A broker that is up, with a tape.

    Attributes:
        bootstrap: its address.
        prefix: of all topics; it names the tape, so that a tape is loaded once.
        tape: what is played.
        home: the folder for whatever the benchmarks keep.
    """

    def __init__(self, broker: LocalBroker, admin: KafkaAdminClient, tape: Tape, home: Path) -> None:
        self.bootstrap = broker.bootstrap
        self.prefix = f"bench-{tape.shape.id}."
        self.tape = tape
        self.home = home
        self._data = broker.layout.data
        self._admin = admin

    def topic(self, name: str) -> str:
        """A topic's name on this stage."""
        return prefixed(name, self.prefix)

    # ---- records

    def load(self, say: Callable[[str], None]) -> None:
        """Put the tape into the archive topic, unless it is there."""
        if self._ends(self.topic(EVENTS)) != self.tape.facts.split:
            say("loading the tape")
            self._delete([self.topic(EVENTS)])
            self._make(self._specs(self.prefix))
            self._send(self.topic(EVENTS), self.tape.records(), self.tape.facts.split)

    def load_sample(self, records: list[Record]) -> str:
        """Put some records into a topic of their own, and give its name."""
        spec = self._specs(f"{self.prefix}sample.")[0]
        self._delete([spec.name])
        self._make([spec])
        split = [sum(record.partition == p for record in records) for p in range(spec.partitions)]
        self._send(spec.name, records, tuple(split))
        return spec.name

    def reset(self) -> None:
        """Forget every checkpoint and dead letter: the next worker begins at the log's beginning."""
        specs = self._specs(self.prefix)
        self._delete(spec.name for spec in specs if spec.name != self.topic(EVENTS))
        self._make(specs)

    def make_changelogs(self, names: Iterable[str]) -> None:
        """Make compacted topics."""
        (spec, *_) = self._specs(self.prefix)
        config = {"cleanup.policy": "compact"}
        self._make([replace(spec, name=name, config=config) for name in names])

    def forget(self, prefix: str) -> None:
        """Delete the topics whose names begin so."""
        with connect(self.bootstrap) as admin:
            names = [name for name in admin.topic_names() if name.startswith(prefix)]
        self._delete(names)

    # ---- how it stands

    def committed(self, group: str) -> int:
        """How many events a group of workers has applied, as far as it has told the broker."""
        places = [TopicPartition(self.topic(EVENTS), p) for p in range(self.tape.shape.partitions)]
        try:
            found = self._admin.list_group_offsets({group: places})[group]
        except KafkaError:
            return 0  # the group is not there yet
        return sum(max(0, one.offset) for one in found.values())

    def written_bytes(self) -> int:
        """Bytes of checkpoints and manifests on the broker's disk."""
        names = [self.topic(name) for name in (CHECKPOINTS, MANIFESTS)]
        # What has been deleted lies there for another minute, in folders whose names go on.
        folders = [f"{name}-{p}" for name in names for p in range(self.tape.shape.partitions)]
        return sum(file.stat().st_size for folder in folders for file in (self._data / folder).glob("*.log"))

    # ---- topics

    def _specs(self, prefix: str) -> tuple[TopicSpec, ...]:
        return with_prefix(topics(self.tape.shape.partitions, archive=True), prefix)

    def _make(self, specs: Iterable[TopicSpec]) -> None:
        with connect(self.bootstrap) as admin:
            failures = [one.failure for one in apply(admin, list(specs)) if one.failure]
        if failures:
            raise Failed("; ".join(failures))

    def _delete(self, names: Iterable[str]) -> None:
        limit = time.monotonic() + _WAIT_S
        with connect(self.bootstrap) as admin:
            left = set(names) & set(admin.topic_names())
            if left:
                self._admin.delete_topics(sorted(left), raise_errors=False)
            while left := left & set(admin.topic_names()):
                if time.monotonic() > limit:
                    message = f"the broker does not delete {sorted(left)}"
                    raise Failed(message)
                time.sleep(0.05)

    def _send(self, topic: str, records: Iterable[Record], split: tuple[int, ...]) -> None:
        asyncio.run(_send(self.bootstrap, topic, len(split), records))
        if (found := self._ends(topic)) != split:
            message = f"{topic} holds {found} records, not {split}"
            raise Failed(message)

    def _ends(self, topic: str) -> tuple[int, ...] | None:
        try:
            (found,) = self._admin.describe_topics([topic])
            places = {TopicPartition(topic, one["partition_index"]): -1 for one in found["partitions"]}
            ends: dict[TopicPartition, Any] = self._admin.list_partition_offsets(places)
        except KafkaError:
            return None
        return tuple(ends[place].offset for place in sorted(places))


@contextmanager
def on_stage(tape: Tape, home: Path, say: Callable[[str], None]) -> Iterator[Stage]:
    """A broker with the tape loaded; it is down afterwards if it was not up before, and its records stay."""
    with LocalBroker(home / "broker", heap=HEAP) as broker:
        admin = KafkaAdminClient(bootstrap_servers=broker.bootstrap, client_id="benchmark")
        try:
            stage = Stage(broker, admin, tape, home)
            stage.load(say)
            stage.reset()
            yield stage
        finally:
            admin.close()


async def _send(bootstrap: str, topic: str, partitions: int, records: Iterable[Record]) -> None:
    """Whole batches, built by the client's own code: ten times as fast as record by record."""
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap,
        acks="all",
        enable_idempotence=True,
        max_batch_size=_BATCH_BYTES,
        max_request_size=4 * _BATCH_BYTES,
    )
    await producer.start()
    try:
        batches: list[Any] = [producer.create_batch() for _ in range(partitions)]
        sent = []
        for partition, timestamp, key, value in records:
            if batches[partition].append(key=key, value=value, timestamp=timestamp) is None:
                sent.append(await producer.send_batch(batches[partition], topic, partition=partition))
                batches[partition] = producer.create_batch()
                batches[partition].append(key=key, value=value, timestamp=timestamp)
        for partition, batch in enumerate(batches):
            if batch.record_count():
                sent.append(await producer.send_batch(batch, topic, partition=partition))
        await asyncio.gather(*sent)
    finally:
        await producer.stop()
