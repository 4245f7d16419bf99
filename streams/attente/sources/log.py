"""One partition of the events' topic, read from its beginning to where it ends now."""

import contextlib
import time
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError
from kafka.net.compat import KafkaNetClient

from attente.errors import Unreachable
from attente.model.partitioning import partition_of
from attente.sources.target import BOOTSTRAP_MS, no_answer

_POLL_MS: Final = 500
_QUIET_S: Final = 30.0  # a broker that is there answers a fetch within a second
_MOST_RECORDS: Final = 5_000
_MIB: Final = 1024 * 1024


class Logged(NamedTuple):
    """A record of the log; `timestamp` in milliseconds since 1970."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None


class Log:
    """The partition that an office's events lie in, as it is when this is made. Use it with `with`.

    Attributes:
        topic: its name at the broker.
        partition: its number.
        partitions: how many the topic has.
        begin, end: offsets of the first record that is still there, and behind the last one.
    """

    def __init__(self, broker: str, topic: str, office: str) -> None:
        """Connects.

        Args:
            broker: HOST:PORT, or several with commas between.
            topic: the events' topic, by its name at the broker.
            office: the id of an office.

        Raises:
            Unreachable: no broker answers, it refuses, or has no such topic.
        """
        self.topic = topic
        self._broker = broker
        self._consumer = _consumer(broker)
        try:
            with self._answers():
                numbers = self._consumer.partitions_for_topic(topic)
                if not numbers:
                    msg = f"{broker}: there is no topic {topic}; create it with `attente topics apply`"
                    raise Unreachable(msg)
                self.partitions = len(numbers)
                self.partition = partition_of(office.encode(), self.partitions)
                self._place = TopicPartition(topic, self.partition)
                self.begin: int = self._consumer.beginning_offsets([self._place])[self._place]
                self.end: int = self._consumer.end_offsets([self._place])[self._place]
        except Unreachable:
            self.close()
            raise

    def records(self) -> Iterator[Logged]:
        """The records in order; what comes after this was made is not read.

        Raises:
            Unreachable: the broker has gone away or refuses.
        """
        with self._answers():
            self._consumer.assign([self._place])
            self._consumer.seek(self._place, self.begin)
        heard = time.monotonic()
        while True:
            with self._answers():
                if self._consumer.position(self._place) >= self.end:
                    return
                records = self._consumer.poll(timeout_ms=_POLL_MS, max_records=_MOST_RECORDS).get(self._place, [])
            if records:
                heard = time.monotonic()
            elif time.monotonic() - heard > _QUIET_S:
                msg = f"{self._broker}: nothing read of {self.topic} for {_QUIET_S:.0f} s; is the broker still there?"
                raise Unreachable(msg)
            for record in records:
                if record.offset < self.end:
                    yield Logged(record.offset, record.timestamp, record.key, record.value)

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
            max_partition_fetch_bytes=4 * _MIB,
            allow_auto_create_topics=False,
            metrics_enabled=False,
            kafka_client=remembered,
        )
    except KafkaError:
        for client in clients:  # left behind with their threads, for ever trying
            client.close()
        raise no_answer(broker) from None
