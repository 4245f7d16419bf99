"""The watchdog: a worker that cannot make progress ends, so that another takes its partitions."""

import asyncio
import faulthandler
import sys
import threading
import time
from typing import Final

from attente.engine.engine import Engine
from attente.engine.exits import end
from attente.errors import AttenteError

PATIENCE_S: Final = 60.0
TURN_S: Final = 0.05


class Stuck(AttenteError):  # noqa: N818 - what the worker is
    """No progress although there is work and the broker is there."""


class Watchdog:
    """Watches from a thread of its own, so that it sees a loop that does not turn.

    A broker that is away is no reason to end: without its word (the lease) only the loop itself is watched, and whether
    a take-over goes on: each try at a broker is a sign, and so is each part that was read.
    """

    def __init__(self, engine: Engine, patience_s: float = PATIENCE_S) -> None:
        self._engine = engine
        self._patience_s = patience_s
        self._turned = time.monotonic()
        self._stopped = threading.Event()

    @property
    def healthy(self) -> tuple[bool, str]:
        """Whether the loop turns, and a line about it."""
        age = time.monotonic() - self._turned
        is_turning = age < self._patience_s / 2
        return is_turning, "the event loop turns" if is_turning else f"the event loop has not turned for {age:.0f} s"

    async def turn(self) -> None:
        """Runs in the loop: shows that it turns, and measures how long it was held."""
        work = self._engine.work
        while True:
            began = time.monotonic()
            self._turned = began
            await asyncio.sleep(TURN_S)
            work.loop_stall_s = max(work.loop_stall_s, time.monotonic() - began - TURN_S)

    def start(self) -> None:
        """Begin to watch."""
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()

    def stop(self) -> None:
        """No longer watch: the worker ends in order."""
        self._stopped.set()

    def _watch(self) -> None:
        try:
            self._watch_on()
        except Exception as error:  # noqa: BLE001 - a watchdog that dies in silence is worse than none
            end(error)

    def _watch_on(self) -> None:
        seen: dict[int, tuple[int, float]] = {}
        while not self._stopped.wait(min(1.0, self._patience_s / 4)):
            if why := self.verdict(seen, time.monotonic()):
                faulthandler.dump_traceback(sys.stderr, all_threads=True)
                end(Stuck(why))

    def verdict(self, seen: dict[int, tuple[int, float]], now: float) -> str:
        """Why the worker has to end, or "". `seen` holds where each partition stood and since when."""
        if now - self._turned > self._patience_s:
            return f"the event loop has not turned for {self._patience_s:.0f} s"
        engine = self._engine
        opening = engine.ownership.opening_at
        if opening is not None and now - opening > self._patience_s:
            return f"a take-over of partitions has given no sign for {self._patience_s:.0f} s"
        leased = engine.ownership.is_leased
        for owned in engine.ownership.owned():
            at, since = seen.get(owned.number, (-1, now))
            if at != owned.next_offset or not leased or engine.resting or engine.lag(owned) == 0:
                seen[owned.number] = (owned.next_offset, now)
            elif now - since > self._patience_s:
                lag = engine.lag(owned)
                return f"partition {owned.number} stands at {at} for {self._patience_s:.0f} s with {lag} events to read"
        return ""
