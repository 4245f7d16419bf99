"""When an event of a replay is due, and by how much a live one is moved up to now.

In a live replay every instant moves by one constant, so that waits stay what they were. At speed 1 the first event is
now; at a greater speed the tape *ends* now, and what comes before lies in the past, because nothing may be sent before
it happens:

    on the tape     first |-----------------------------| last
    is sent         now   |------- span / speed -------| end           wall clock ->
    says it was     end - span |------------------------| end

So the first event of a faster replay is `span * (1 - 1/speed)` old when it is sent.
"""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Span:
    """The times of a tape.

    Attributes:
        first_ms, last_ms: its oldest and its newest event.
        displaced_ms: how far an event lies behind the newest one before it, at most.
    """

    first_ms: int
    last_ms: int
    displaced_ms: int

    @property
    def length_ms(self) -> int:
        """From the oldest event to the newest."""
        return self.last_ms - self.first_ms

    def oldest_ms(self, speed: float) -> int:
        """How old an event of a live replay is when it is sent, at most."""
        return round(self.length_ms * (1 - 1 / speed)) + self.displaced_ms

    def shift_ms(self, speed: float, now_ms: int) -> int:
        """By how much the events of a live replay that begins now are moved, at a speed of 1 or more."""
        return now_ms + round(self.length_ms / speed) - self.last_ms


def span_of(times: Iterable[int]) -> Span | None:
    """The span of some times in milliseconds, None of none."""
    first, newest, displaced = -1, -1, 0
    for at in times:
        first = at if first < 0 else min(first, at)
        newest = max(newest, at)
        displaced = max(displaced, newest - at)
    return None if first < 0 else Span(first, newest, displaced)


class Pace:
    """Says when an event is due, from the first one that it is asked about.

    An event is due when the tape, run at `speed`, has reached the newest event so far, and when no more than `rate`
    events a second have passed; a live one also not before it has happened.
    """

    def __init__(self, speed: float, rate: float) -> None:
        """Both limits may be `math.inf`.

        Args:
            speed: seconds of the tape in a second.
            rate: events a second.
        """
        self._speed = speed
        self._rate = rate
        self._passed = 0
        self._begin_s = 0.0
        self._first_ms = 0
        self._newest_ms = -1

    def ahead_s(self, at_ms: int, now_s: float) -> float:
        """In how many seconds an event is due; 0 or less is at once.

        Args:
            at_ms: its time.
            now_s: a clock that never steps back.
        """
        if self._newest_ms < 0:
            self._begin_s, self._first_ms = now_s, at_ms
        self._newest_ms = max(self._newest_ms, at_ms)
        by_tape = (self._newest_ms - self._first_ms) / 1000 / self._speed
        return self._begin_s + max(by_tape, self._passed / self._rate) - now_s

    def passed(self) -> None:
        """An event has been sent."""
        self._passed += 1
