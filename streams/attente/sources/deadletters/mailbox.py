"""Where the dead letters lie: reading their topic from end to end, as it is now."""

import contextlib
import time
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Any, Final, Self

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError
from kafka.net.compat import KafkaNetClient

from attente.errors import Unreachable
from attente.model.records import DeadLetterRecord, read_dead_letter
from attente.sources.deadletters.letters import Letter
from attente.sources.target import BOOTSTRAP_MS, no_answer

_POLL_MS: Final = 500
_QUIET_S: Final = 30.0  # a broker that is there answers a fetch within a second
_MIB: Final = 1024 * 1024


class Mailbox:
    """The dead letters that a topic holds when this is made; what comes later is not read. Use it with `with`.

    Attributes:
        topic: its name at the broker.
        unreadable: how many records of it were no dead letters so far, and a line about the last one.
    """

    def __init__(self, broker: str, topic: str) -> None:
        """Connects.

        Args:
            broker: HOST:PORT, or several with commas between.
            topic: its name at the broker.

        Raises:
            Unreachable: no broker answers, it refuses, or has no such topic.
        """
        self.topic = topic
        self.unreadable = (0, "")
        self._broker = broker
        self._consumer = _consumer(broker)
        try:
            with self._answers():
                numbers = self._consumer.partitions_for_topic(topic)
                if not numbers:
                    msg = f"{broker}: there is no topic {topic}; create it with `attente topics apply`"
                    raise Unreachable(msg)
                places = [TopicPartition(topic, number) for number in sorted(numbers)]
                begins = self._consumer.beginning_offsets(places)
                ends = self._consumer.end_offsets(places)
        except Unreachable:
            self.close()
            raise
        self._spans = {place.partition: (begins[place], ends[place]) for place in places}

    @property
    def partitions(self) -> Sequence[int]:
        """The numbers of its partitions."""
        return list(self._spans)

    def read(self, partition: int) -> Iterator[Letter]:
        """The letters of a partition in order, those that lie there twice twice.

        Raises:
            Unreachable: the broker has gone away or refuses.
        """
        place = TopicPartition(self.topic, partition)
        begin, end = self._spans[partition]
        with self._answers():
            self._consumer.assign([place])
            self._consumer.seek(place, begin)
        heard = time.monotonic()
        while True:
            with self._answers():
                if self._consumer.position(place) >= end:
                    return
                records = self._consumer.poll(timeout_ms=_POLL_MS).get(place, [])
            if records:
                heard = time.monotonic()
            elif time.monotonic() - heard > _QUIET_S:
                msg = f"{self._broker}: nothing read of {self.topic} for {_QUIET_S:.0f} s; is the broker still there?"
                raise Unreachable(msg)
            for record in records:
                if record.offset < end and (letter := self._letter(record)) is not None:
                    yield letter

    def _letter(self, record: Any) -> Letter | None:
        try:
            found: DeadLetterRecord = read_dead_letter(record.key, record.value, record.headers)
        except ValueError as error:
            place = f"{self.topic}/{record.partition}/{record.offset}"
            self.unreadable = (self.unreadable[0] + 1, f"{place}: {error}")
            return None
        return Letter.of(found, record.partition, record.offset, record.timestamp)

    @contextlib.contextmanager
    def _answers(self) -> Iterator[None]:
        try:
            yield
        except KafkaError as error:
            said = " ".join(str(error).split()) or type(error).__name__
            msg = f"{self._broker}: cannot read topic {self.topic}: {said}; it takes Read and Describe"
            raise Unreachable(msg) from error

    def close(self) -> None:
        """Ends the connection."""
        with contextlib.suppress(KafkaError):
            self._consumer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def _consumer(broker: str) -> KafkaConsumer:
    clients: list[KafkaNetClient] = []

    def remembered(**settings: Any) -> KafkaNetClient:
        clients.append(KafkaNetClient(**settings))
        return clients[-1]

    try:
        return KafkaConsumer(
            bootstrap_servers=broker.split(","),
            bootstrap_timeout_ms=BOOTSTRAP_MS,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=4 * _MIB,
            allow_auto_create_topics=False,
            metrics_enabled=False,
            reconnect_backoff_max_ms=1_000,
            kafka_client=remembered,
        )
    except KafkaError:
        for client in clients:  # left behind with their threads, for ever trying
            client.close()
        raise no_answer(broker) from None
