"""Lines on their way to Kafka, held back so that what is to happen meanwhile happens meanwhile.

    lines  |------#1--------#2-----------#3------|~~|
                  |         |            |       last lines
                  |         |            wait until the second one is over, announce the third
                  |         wait until the first one is over, announce the second
                  announce the first

Between the gates lines flow at a rate that leaves time for what was announced; the gates make sure of it on a machine
of any speed.
"""

import math
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

_LOOK_EVERY_S: Final = 0.1  # how soon a stop is noticed
_TOGETHER_S: Final = 0.01  # a wait costs some 0.1 ms: lines closer to each other than this go together


class Feed:
    """Hands out lines once.

    Attributes:
        given: lines handed out so far.
        wake: set whenever a gate has been reached.
    """

    def __init__(
        self, lines: Iterable[bytes], gates: Sequence[int] = (), last: int = 0, rate: float = math.inf
    ) -> None:
        """Nothing is read yet.

        Args:
            lines: what is handed out.
            gates: numbers of lines, ascending, before which something is announced.
            last: the number of the line before which the last thing announced has to be over.
            rate: lines a second at most.
        """
        self.given = 0
        self.wake = threading.Event()
        self._lines = lines
        self._gates = (*gates, last) if gates else ()
        self._things = len(gates)
        self._rate = rate
        self._passed = 0
        self._over = 0
        self._closed = False
        self._changed = threading.Condition()

    @property
    def announced(self) -> int:
        """How many things have been announced."""
        return min(self._passed, self._things)

    def over(self, count: int) -> None:
        """So many of the things announced are over."""
        with self._changed:
            self._over = count
            self._changed.notify_all()

    def close(self) -> None:
        """Hand out nothing more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def __iter__(self) -> Iterator[bytes]:
        """The lines, each when it is due."""
        began, base = time.monotonic(), 0
        for line in self._lines:
            while self._passed < len(self._gates) and self.given >= self._gates[self._passed]:
                self._pass_gate()
                began, base = time.monotonic(), self.given  # what was held up is not made up for in one go
            while (ahead := began + (self.given - base) / self._rate - time.monotonic()) > _TOGETHER_S:
                if self._wait(ahead):
                    return
            if self._closed:
                return
            yield line
            self.given += 1

    def _pass_gate(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._over >= self._passed)
            self._passed += 1
        self.wake.set()

    def _wait(self, seconds: float) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: self._closed, min(seconds, _LOOK_EVERY_S))
