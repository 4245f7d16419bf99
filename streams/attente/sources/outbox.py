"""Records on their way to Kafka: bounded in number and bytes, and each of them checked when it has been answered."""

import contextlib
import threading
import time
from collections import Counter, deque
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Final, Self

from kafka import KafkaProducer
from kafka.errors import KafkaError, KafkaTimeoutError

from attente.clients import opened
from attente.errors import Unreachable
from attente.security import PLAINTEXT, Security
from attente.sources.records import LARGEST

# kafka-python has no bound of its own. 8,000 records fill the batches of 16 partitions while as many are under way;
# with 20,000 the garbage collector, which walks all that is pending, takes a tenth more of the time.
_MOST_RECORDS: Final = 8_000
_MOST_BYTES: Final = 32 << 20

_SETTINGS: Final[dict[str, Any]] = {
    "acks": "all",
    "enable_idempotence": True,
    # The topic's kind and its partitions have been checked: a topic made by the way would be neither.
    "allow_auto_create_topics": False,
    # Measured with events of 250 bytes, CPU an event: 16 kB 48 us, 64 kB 39, 256 kB 31 (29,000 events/s), more no less.
    # gzip, the one compression that needs no other package, makes that 43.
    "batch_size": 256 << 10,
    "linger_ms": 20,
    # kafka-python's own metrics cost a tenth of that, and nobody reads them here.
    "metrics_enabled": False,
    "max_request_size": LARGEST,
}
# A producer whose delivery time-out expires in an outage may never answer again; then we give up ourselves.
_GRACE_S: Final = 5.0
_SLICE_S: Final = 0.2  # how long a stop may go unnoticed while the broker is silent


class Outbox:
    """A producer that holds at most `_MOST_RECORDS` unanswered records and notices every one that fails.

    One topic, one thread. Use it as a context manager: leaving it ends the producer, also after a failure.

    Attributes:
        acknowledged: records that the broker has.
        partitions: how many of them lie in which partition.
        oldest: the line of the first record that has no answer yet, 0 when all have.
    """

    def __init__(
        self,
        broker: str,
        topic: str,
        delivery_timeout_s: float,
        stop: threading.Event,
        security: Security = PLAINTEXT,
    ) -> None:
        """Connects.

        Args:
            broker: HOST:PORT, or several with commas between.
            topic: its name at the broker.
            delivery_timeout_s: how long a record may be without an answer before the replay gives up.
            stop: when set, a silent broker is waited for no longer than a few seconds.
            security: how to connect.

        Raises:
            Unreachable: no broker answers.
        """
        timeout_ms = round(delivery_timeout_s * 1000)
        linger_ms = _SETTINGS["linger_ms"]
        self._producer = opened(
            KafkaProducer,
            broker,
            security,
            **_SETTINGS,
            delivery_timeout_ms=timeout_ms,
            request_timeout_ms=min(30_000, timeout_ms - linger_ms),
            max_block_ms=timeout_ms,
        )
        self._broker = broker
        self._topic = topic
        self._deadline_s = delivery_timeout_s + _GRACE_S
        self._stop = stop
        self._give_up_s = 0.0  # when a stop is waited for no longer
        self._pending: deque[tuple[int, int, int, Any]] = deque()  # line, partition, bytes, future
        self._bytes = 0
        self.acknowledged = 0
        self.partitions: Counter[int] = Counter()

    @property
    def oldest(self) -> int:
        """The line of the first record that has no answer yet, 0 when all have."""
        return self._pending[0][0] if self._pending else 0

    def send(
        self,
        line: int,
        partition: int,
        key: bytes,
        value: bytes,
        timestamp_ms: int | None,
        headers: Sequence[tuple[str, bytes]] = (),
    ) -> None:
        """Puts a record on its way; waits while too many are.

        Args:
            line: where it came from, for errors.
            partition: where it goes.
            key: the record's key.
            value: its value.
            timestamp_ms: the record's timestamp; None leaves it to the broker.
            headers: the record's, a signature for one.

        Raises:
            Unreachable: this or an earlier record failed.
        """
        if len(self._pending) >= _MOST_RECORDS or self._bytes >= _MOST_BYTES:
            self._settle(_MOST_RECORDS // 2, _MOST_BYTES // 2)
        try:
            future = self._producer.send(
                self._topic, value, key=key, headers=list(headers), partition=partition, timestamp_ms=timestamp_ms
            )
        except (KafkaError, ValueError) as error:  # no metadata in time; a partition that is no longer there
            raise self._failure(line, error) from error
        self._pending.append((line, partition, len(value), future))
        self._bytes += len(value)

    def settle(self) -> None:
        """Waits until every record is answered; once `stop` is set, for a few seconds only.

        Raises:
            Unreachable: one failed.
        """
        self._settle(0, 0)

    def take_answers(self) -> None:
        """Counts the records that have been answered, without waiting.

        Raises:
            Unreachable: one failed.
        """
        while self._pending and self._pending[0][3].is_done:
            self._take()

    def _settle(self, records: int, size: int) -> None:
        while self._pending and (len(self._pending) > records or self._bytes > size):
            if not self._pending[0][3].is_done and not self._wait():
                return
            self._take()

    def _take(self) -> None:
        line, partition, size, future = self._pending[0]
        if future.failed():
            raise self._failure(line, future.exception) from future.exception
        self._pending.popleft()
        self._bytes -= size
        self.acknowledged += 1
        self.partitions[partition] += 1

    def _wait(self) -> bool:
        """Waits for the oldest record; False when it has been given up because of `stop`."""
        line, _, _, future = self._pending[0]
        until = time.monotonic() + self._deadline_s
        while not future.is_done:
            now = time.monotonic()
            if self._stop.is_set():
                self._give_up_s = self._give_up_s or now + _GRACE_S
                if now > self._give_up_s:
                    return False
            if now > until:
                raise self._failure(line, KafkaTimeoutError("no answer"))
            with contextlib.suppress(KafkaError):  # late, or failed: then `is_done`
                future.get(_SLICE_S)
        return True

    def _failure(self, line: int, error: BaseException) -> Unreachable:
        what = " ".join(str(error).split()) or type(error).__name__
        if "AuthorizationFailed" in what:
            what += " (it takes Write)"
        return Unreachable(f"{self._broker}: topic {self._topic}: the record of line {line} failed: {what}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._pending:
            # `close` would wait for what may never be answered, raise, and leave its thread sending what we have
            # reported as not sent.
            self._producer._sender.force_close()  # noqa: SLF001 - there is no public way
        with contextlib.suppress(KafkaError):
            self._producer.close(timeout=_GRACE_S)
