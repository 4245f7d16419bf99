"""A kiosk: takes what happens in an office, keeps it on its disk, and sends it."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import TracebackType
from typing import Final, Self

import attente
from attente.errors import BadInput
from attente.kiosk.making import Reporter, now
from attente.kiosk.sender import Producer, Sender
from attente.kiosk.settings import KioskSettings
from attente.kiosk.spool import Held, Spool
from attente.model.events import GREATEST_INTEGER, KioskHeartbeat

LEAVE_S: Final = 5.0
"""How long `close` waits for what is on its way: whatever is not acknowledged then is sent at the next start."""


@dataclass(frozen=True, slots=True)
class Status:
    """How a kiosk is.

    Attributes:
        held: what is not yet acknowledged.
        is_connected: whether the broker answers.
        acknowledged: events that it has acknowledged since the start.
        acknowledged_ms: when the last one was (Unix ms), 0 before the first.
        trouble: why nothing is sent, in one line; empty when all is well.
        trouble_ms: since when (Unix ms).
        drift_ms: this clock less the broker's; None before the first acknowledgement.
    """

    held: Held
    is_connected: bool
    acknowledged: int
    acknowledged_ms: int
    trouble: str
    trouble_ms: int
    drift_ms: int | None


class Kiosk(Reporter):
    """Reports what happens in an office, so that nothing of it is lost.

    An event is accepted when the method returns: then it is on the disk. It is sent from there by a thread, in order,
    and is taken off the disk when the broker has acknowledged it; a broker that is away for days costs nothing but
    room. Threads may share a kiosk, and several programs a spool: one of them sends.

    Example:
        >>> settings = KioskSettings(office="75-nation", kiosk="hall-1", spool=Path("hall-1.spool"))
        >>> with Kiosk(settings) as kiosk:
        ...     kiosk.ticket_issued(ticket="2026-11-23/A042", service="prestations")
    """

    def __init__(
        self,
        settings: KioskSettings,
        *,
        clock: Callable[[], datetime] = now,
        connect: Callable[[], Producer] | None = None,
        is_sending: bool = True,
    ) -> None:
        """Opens the spool and begins to send what it holds.

        Args:
            settings: who it is and where its broker is.
            clock: gives the present instant with an offset.
            connect: makes a producer in place of kafka-python's.
            is_sending: False only keeps, and leaves it to another program, `attente kiosk run`, to send.

        Raises:
            EventRefused: office or kiosk is no id.
            BadInput: the key is another office's.
            SpoolBroken: the spool cannot be opened.
        """
        super().__init__(settings.office, settings.kiosk, clock)
        if settings.key is not None and settings.key.office != settings.office:
            msg = f"key {settings.key.id} is of office {settings.key.office}, this kiosk stands in {settings.office}"
            raise BadInput(msg)
        self.settings = settings
        self._spool = Spool(settings.spool, most_events=settings.most_events, most_bytes=settings.most_bytes)
        self._sender = Sender(
            self._spool,
            connect or self._producer,
            self._heartbeat,
            delivery_timeout_s=settings.delivery_timeout_seconds,
            heartbeat_s=settings.heartbeat_seconds,
            now_ms=lambda: int(clock().timestamp() * 1000),
        )
        self._is_sending = is_sending
        if is_sending:
            self._sender.start()

    def _producer(self) -> Producer:
        # A program that only keeps, and a test, need no Kafka client: it is half of a kiosk's memory.
        from attente.kiosk.producer import KafkaSink  # noqa: PLC0415

        return KafkaSink(self.settings)

    def _take(self, values: Sequence[bytes]) -> None:
        self._spool.add(values)
        self._sender.wake()

    def _heartbeat(self, spooled: int, drift_ms: int) -> bytes:
        limit = GREATEST_INTEGER
        # By the broker's clock: a heartbeat of one that is hours fast would be refused, and nobody would learn of it.
        at = self._clock() - timedelta(milliseconds=drift_ms)
        _, raw = self._made(
            KioskHeartbeat,
            at,
            {
                "kiosk": self.kiosk,
                "spooled": min(spooled, limit),
                "version": f"attente {attente.__version__}",
                "driftms": max(-limit, min(drift_ms, limit)),
            },
        )
        return raw

    def status(self) -> Status:
        """How it is now."""
        progress = self._sender.progress
        return Status(
            held=self._spool.held(),
            is_connected=progress.is_connected,
            acknowledged=progress.acknowledged,
            acknowledged_ms=progress.acknowledged_ms,
            trouble=progress.trouble,
            trouble_ms=progress.trouble_ms if progress.trouble else 0,
            drift_ms=self._sender.drift.ms,
        )

    def drain(self, within_s: float, waits: Callable[[str], None] | None = None) -> bool:
        """Whether everything was acknowledged within so many seconds; what was not stays in the spool.

        A broker that refuses us is not waited for.

        Args:
            within_s: how long to wait.
            waits: told in one line why nothing is sent, as soon as it is known, when there is something to wait for.
        """
        progress = self._sender.progress
        limit_s = time.monotonic() + within_s

        def is_over() -> bool:
            return progress.is_refused or not self._spool.held().events

        if waits is not None:
            self._sender.wait(lambda: is_over() or bool(progress.trouble), within_s)
            if not is_over() and progress.trouble:
                waits(progress.trouble)
        self._sender.wait(is_over, max(0.0, limit_s - time.monotonic()))
        return not self._spool.held().events

    def close(self, within_s: float = LEAVE_S) -> None:
        """Waits a little for what is on its way, and ends. May be called twice."""
        if self._is_sending:
            if self._sender.progress.is_connected:
                self.drain(within_s)
            self._sender.stop(within_s)
            self._is_sending = False
        self._spool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
