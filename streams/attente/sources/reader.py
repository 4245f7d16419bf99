"""A topic, read from place to place as it is now: by what wants the log, or the dead letters, from end to end."""

import contextlib
import time
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Any, Final, Self

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from attente.clients import opened
from attente.errors import Unreachable
from attente.security import PLAINTEXT, Security

_POLL_MS: Final = 500
_QUIET_S: Final = 30.0  # a broker that is there answers a fetch within a second
_MIB: Final = 1024 * 1024


class TopicReader:
    """A connection that reads one topic. Use it with `with`.

    Attributes:
        topic: its name at the broker.
        numbers: of its partitions, ascending.
    """

    def __init__(self, broker: str, topic: str, security: Security = PLAINTEXT, **settings: Any) -> None:
        """Connects.

        Args:
            broker: HOST:PORT, or several with commas between.
            topic: its name at the broker.
            security: how to connect.
            settings: further ones of kafka-python's consumer.

        Raises:
            Unreachable: no broker answers, it refuses, or has no such topic.
        """
        self.topic = topic
        self._broker = broker
        self._consumer = opened(
            KafkaConsumer,
            broker,
            security,
            enable_auto_commit=False,
            max_partition_fetch_bytes=4 * _MIB,
            allow_auto_create_topics=False,
            metrics_enabled=False,
            **settings,
        )
        try:
            with self._answers():
                found = self._consumer.partitions_for_topic(topic)
            if not found:
                msg = (
                    f"{broker}: there is no topic {topic} that {security.principal} may see; create it with `attente "
                    "topics apply`, or grant Describe"
                    if security.protocol != "plaintext"
                    else f"{broker}: there is no topic {topic}; create it with `attente topics apply`"
                )
                raise Unreachable(msg)
        except Unreachable:
            self.close()
            raise
        self.numbers = sorted(found)

    def spans(self, numbers: Sequence[int]) -> dict[int, tuple[int, int]]:
        """Of some partitions, the offsets of the first record that is still there and behind the last one.

        Raises:
            Unreachable: the broker has gone away or refuses; the connection is closed then.
        """
        places = [TopicPartition(self.topic, number) for number in numbers]
        try:
            with self._answers():
                begins = self._consumer.beginning_offsets(places)
                ends = self._consumer.end_offsets(places)
        except Unreachable:
            self.close()
            raise
        return {place.partition: (begins[place], ends[place]) for place in places}

    def between(self, number: int, begin: int, end: int, most: int | None = None) -> Iterator[Any]:
        """kafka-python's records of a partition in `[begin, end)`, in order.

        Args:
            number: of the partition.
            begin: the first offset.
            end: the one behind the last.
            most: how many to take at a time; None for as many as kafka-python would.

        Raises:
            Unreachable: the broker has gone away or refuses.
        """
        place = TopicPartition(self.topic, number)
        with self._answers():
            self._consumer.assign([place])
            self._consumer.seek(place, begin)
        heard = time.monotonic()
        while True:
            with self._answers():
                if self._consumer.position(place) >= end:
                    return
                records = self._consumer.poll(timeout_ms=_POLL_MS, max_records=most).get(place, [])
            if records:
                heard = time.monotonic()
            elif time.monotonic() - heard > _QUIET_S:
                msg = f"{self._broker}: nothing read of {self.topic} for {_QUIET_S:.0f} s; is the broker still there?"
                raise Unreachable(msg)
            yield from (record for record in records if record.offset < end)

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
