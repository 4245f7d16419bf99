"""Waiting as long as something changes, whatever the speed of the machine."""

import time
from collections.abc import Callable


class Patience:
    """Is over when nothing has changed for some time."""

    def __init__(self, limit_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        """Begins now.

        Args:
            limit_s: how long nothing may change.
            clock: seconds that never step back.
        """
        self.limit_s = limit_s
        self._clock = clock
        self._seen: object = None
        self._since = clock()

    def is_over(self, seen: object) -> bool:
        """Whether what is seen now has been the same for too long."""
        if seen != self._seen:
            self._seen, self._since = seen, self._clock()
        return self._clock() - self._since > self.limit_s
