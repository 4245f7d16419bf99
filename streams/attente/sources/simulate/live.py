"""A network that lives now: the day so far at once, then what happens, when it has happened."""

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

from attente.sources.simulate.network import Network
from attente.sources.simulate.stream import Delivery, Runs, beginning

_DAYS: Final = 3_650  # without end, as far as anybody will see
_TICK_S: Final = 0.2  # how long ago an event may have reached the broker when it is handed out
# Of the day so far, and of what a machine that is too slow has missed: what is due is looked at between two slices.
_SLICE_MS: Final = 30_000


class Live:
    """A network from today's beginning on, without end.

    Attributes:
        runs: its offices.
    """

    def __init__(self, network: Network) -> None:
        """Nothing has happened yet."""
        zone = ZoneInfo(network.offices[0].zone)
        today = datetime.now(UTC).astimezone(zone).date().toordinal()
        self.runs = Runs(network, range(today, today + _DAYS), network.offices)
        self._begin = beginning(network, today)

    def slices(self, stop: threading.Event, seconds: float | None = None) -> Iterator[list[Delivery]]:
        """What has reached the broker, in order, in slices that may be empty.

        Args:
            stop: when set, the slices end.
            seconds: they end after so long, if given.
        """
        until = None if seconds is None else time.monotonic() + seconds
        reached = self._begin
        while not stop.is_set() and (until is None or time.monotonic() < until):
            now = time.time_ns() // 1_000_000
            behind = now - reached
            reached = min(now, reached + _SLICE_MS)
            yield self.runs.advance(reached)
            if behind <= _SLICE_MS:
                stop.wait(_TICK_S)
