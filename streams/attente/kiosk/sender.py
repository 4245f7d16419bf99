"""Sends what a spool holds, oldest first, for as long as it runs: the thread behind a kiosk.

What the broker has acknowledged is taken out of the spool, nothing else is. A producer that fails, or is silent for
longer than the delivery time-out, is thrown away with all that it holds; the next one begins again with the oldest
event that has no answer. So an event can come twice, never not at all, and first arrivals keep the order of acceptance.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol

from attente.errors import AttenteError, BrokerRefused, BrokerUnreachable
from attente.kiosk.drift import Drift
from attente.kiosk.errors import SpoolBroken
from attente.kiosk.spool import Spool

log = logging.getLogger("attente.kiosk")

WINDOW: Final = 500
"""Events on their way at once: what an outage can make the producer hold, 150 kB."""

RETRY_S: Final = 1.0  # between two producers: a broker that is back is found within some seconds
POLL_S: Final = 0.5  # another program may have added to the spool
REMIND_S: Final = 600.0  # an outage is logged when it begins, every so often while it lasts, and when it is over…
CHANGED_S: Final = 60.0  # …and when it looks another way than before, but not each second
# How the names of all such errors of kafka-python end; one of them reaches us only as the text of another.
_FORBIDDEN: Final = "AuthorizationFailedError"


class Sent(Protocol):
    """A record on its way."""

    is_done: bool

    def succeeded(self) -> bool:
        """Whether the broker has it."""

    @property
    def exception(self) -> Exception | None:
        """Why it has not."""

    @property
    def value(self) -> Any:
        """What the broker said of it: its `timestamp` in ms."""


class Producer(Protocol):
    """What sends: one topic and one key, in order."""

    def send(self, value: bytes) -> Sent:
        """Puts a record on its way; returns at once."""

    def close(self) -> None:
        """Lets go of it, without waiting for what is on its way."""


@dataclass(slots=True)
class Progress:
    """How sending goes, for a status page and for heartbeats.

    Attributes:
        is_connected: whether a broker has answered since the last failure.
        acknowledged: events that the broker has acknowledged since the start.
        acknowledged_ms: when the last one was, in Unix ms; 0 before the first.
        trouble: what is wrong, in one line; empty when nothing is.
        trouble_ms: since when, in Unix ms.
        is_refused: the broker is there and refuses; it is tried again, but somebody has to do something first.
    """

    is_connected: bool = False
    acknowledged: int = 0
    acknowledged_ms: int = 0
    trouble: str = ""
    trouble_ms: int = 0
    is_refused: bool = False


@dataclass(frozen=True, slots=True)
class _OnItsWay:
    number: int  # in the spool; 0 is a heartbeat, which is in none
    sent: Sent
    sent_ms: int
    since_s: float


class Sender:
    """The thread that empties a spool into Kafka."""

    def __init__(
        self,
        spool: Spool,
        connect: Callable[[], Producer],
        heartbeat: Callable[[int, int], bytes],
        *,
        delivery_timeout_s: float,
        heartbeat_s: float,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        """Describes it; `start` begins.

        Args:
            spool: what to send.
            connect: makes a producer, or raises an exception that says why not.
            heartbeat: makes the event of one, of the number of events spooled and the drift of the clock in ms.
            delivery_timeout_s: after so long without an answer a producer is thrown away.
            heartbeat_s: how often a heartbeat is sent; it is never spooled, because it is of its moment.
            now_ms: the kiosk's clock, in Unix milliseconds.
        """
        self._spool = spool
        self._connect = connect
        self._heartbeat = heartbeat
        self._patience_s = delivery_timeout_s
        self._heartbeat_s = heartbeat_s
        self._now_ms = now_ms
        self._change = threading.Condition()
        self._is_news = False
        self._is_stopping = False
        self._done = 0  # the number of the last event that was acknowledged; what is still in the spool below it…
        self._removed = 0  # …could not be taken out yet
        self._remove_at = 0.0
        self._told = 0.0
        self._beaten_at = float("-inf")
        self._thread = threading.Thread(target=self._run, name="attente-kiosk", daemon=True)
        self.drift = Drift()
        self.progress = Progress()

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def wake(self) -> None:
        """Something was added to the spool."""
        with self._change:
            self._is_news = True
            self._change.notify_all()

    def stop(self, within_s: float) -> None:
        """Send no more; what has no answer stays in the spool."""
        with self._change:
            self._is_stopping = True
            self._change.notify_all()
        self._thread.join(within_s)

    def wait(self, condition: Callable[[], bool], within_s: float) -> bool:
        """Whether a condition came true, looked at whenever something was acknowledged."""
        with self._change:
            return self._change.wait_for(condition, within_s)

    # ---- the thread

    def _run(self) -> None:
        while not self._is_stopping:
            try:
                with self._spool.sender_lock() as is_ours:
                    if not is_ours:
                        self._trouble("another program sends from this spool")
                    while is_ours and not self._is_stopping:
                        self._try()
            except SpoolBroken as error:
                self._trouble(str(error))
            self._pause(RETRY_S)

    def _try(self) -> None:
        """One producer's life."""
        try:
            producer = self._connect()
        except Exception as error:  # noqa: BLE001 - whatever the library raises, the kiosk goes on trying
            self._trouble(_line(error), is_refused=_is_settled(error))
            self._pause(RETRY_S)
            return
        try:
            self._send_on(producer)
        except SpoolBroken as error:
            self._trouble(str(error))
        except Exception as error:  # noqa: BLE001 - as above
            self._trouble(_line(error), is_refused=_is_settled(error))
        finally:
            self.progress.is_connected = False
            producer.close()
        self._pause(RETRY_S)

    def _send_on(self, producer: Producer) -> None:
        """Send until told to stop; raises what is wrong."""
        way: deque[_OnItsWay] = deque()
        last = self._done
        while not self._is_stopping:
            self._settle(way)
            if time.monotonic() - self._beaten_at >= self._heartbeat_s:
                self._beat(producer, way)
            spooled = self._spool.after(last, WINDOW - len(way)) if len(way) < WINDOW else []
            for event in spooled:
                way.append(self._on_its_way(event.number, producer.send(event.value)))
                last = event.number
            if not spooled:
                self._pause(0.005 if way else POLL_S)

    def _on_its_way(self, number: int, sent: Sent) -> _OnItsWay:
        return _OnItsWay(number, sent, self._now_ms(), time.monotonic())

    def _settle(self, way: deque[_OnItsWay]) -> None:
        """Take what has been acknowledged out of the spool; raises the error of what has not."""
        failure: Exception | None = None
        is_news = False
        while way and way[0].sent.is_done and failure is None:
            first = way.popleft()
            if first.sent.succeeded():
                self._learn(first)
                is_news = True
            else:
                failure = first.sent.exception or RuntimeError("a record failed and nobody said why")
        self._take_out()
        if is_news:
            self.progress.is_connected = True
            if self._removed == self._done:
                self._recovered()
        if failure is not None:
            raise failure
        if way and time.monotonic() - way[0].since_s > self._patience_s:
            msg = f"the broker has not answered for {self._patience_s:.0f} s"
            raise BrokerUnreachable(msg)

    def _learn(self, acknowledged: _OnItsWay) -> None:
        if self.drift.ms is None:
            # The first heartbeat could not know how far the clock is off, and may have been refused for it.
            self._beaten_at = float("-inf")
        self.drift.learn(acknowledged.sent_ms, acknowledged.sent.value.timestamp, self._now_ms())
        if acknowledged.number:
            self._done = acknowledged.number
            self.progress.acknowledged += 1
            self.progress.acknowledged_ms = self._now_ms()

    def _take_out(self) -> None:
        if self._removed == self._done or time.monotonic() < self._remove_at:
            return
        try:
            self._spool.remove_up_to(self._done)
        except SpoolBroken as error:
            # The broker has it: to send it again would not help, and the rest need not wait.
            self._remove_at = time.monotonic() + RETRY_S
            self._trouble(str(error), what="what is sent stays in the spool")
            return
        self._removed = self._done
        if self._remove_at:
            self._remove_at = 0.0
            self._beaten_at = float("-inf")  # as after any trouble: the next heartbeat finds out that it is over
        with self._change:
            self._change.notify_all()

    def _beat(self, producer: Producer, way: deque[_OnItsWay]) -> None:
        self._beaten_at = time.monotonic()
        beat = self._heartbeat(self._spool.held().events, self.drift.ms or 0)
        way.append(self._on_its_way(0, producer.send(beat)))

    def _pause(self, for_s: float) -> None:
        with self._change:
            self._change.wait_for(lambda: self._is_news or self._is_stopping, for_s)
            self._is_news = False

    # ---- what is told

    def _trouble(self, line: str, *, what: str = "not sending", is_refused: bool = False) -> None:
        progress = self.progress
        progress.is_refused = is_refused
        now = time.monotonic()
        if not progress.trouble:
            progress.trouble_ms = self._now_ms()
            self._told = float("-inf")
            self.drift.forget()
            self._beaten_at = float("-inf")  # the next heartbeat is what finds out that the trouble is over
        if now - self._told >= (REMIND_S if line == progress.trouble else CHANGED_S):
            self._told = now
            log.warning("%s, %s events are kept: %s", what, self._held(), line)
        progress.trouble = line
        with self._change:
            self._change.notify_all()

    def _recovered(self) -> None:
        if self.progress.trouble:
            log.warning("sending again after %d s", (self._now_ms() - self.progress.trouble_ms) // 1000)
        self.progress.trouble = ""
        self.progress.is_refused = False

    def _held(self) -> str:
        try:
            return f"{self._spool.held().events:,}"
        except SpoolBroken:
            return "all"


def _line(error: Exception) -> str:
    said = " ".join((str(error) if isinstance(error, AttenteError) else f"{type(error).__name__}: {error}").split())
    return f"this kiosk may not write: {said}; `attente access plan` tells who may" if _FORBIDDEN in said else said


def _is_settled(error: Exception) -> bool:
    """Whether trying again changes nothing: the broker does not let us in, or does not let us write."""
    return isinstance(error, BrokerRefused) or _FORBIDDEN in f"{type(error).__name__}: {error}"
