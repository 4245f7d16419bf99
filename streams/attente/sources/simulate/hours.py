"""When offices are open and when visitors come: a local day in milliseconds of UTC."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

MINUTE: Final = 60_000
BIN_MS: Final = 15 * MINUTE
"""The grain of the day's course."""

Span = tuple[int, int]

# How many come in each half-hour after the opening: those who stand there already, the peak, the slack of noon, and
# those who come before it closes.
_COURSE: Final = (1.9, 1.6, 1.7, 1.6, 1.35, 1.15, 0.9, 0.75, 0.65, 0.8, 0.95, 0.95, 0.85, 0.7, 0.55, 0.4)


def instant(day: int, minutes: int, zone: str) -> int:
    """Milliseconds since 1970 of so many local minutes after a day's midnight (`day` as `date.toordinal`)."""
    midnight = datetime.combine(date.fromordinal(day), time(), ZoneInfo(zone))
    return round((midnight + timedelta(minutes=minutes)).timestamp() * 1000)


def spans_of(day: int, spans: Sequence[Span], zone: str) -> tuple[Span, ...]:
    """Spans of local minutes as spans of milliseconds."""
    return tuple((instant(day, begin, zone), instant(day, end, zone)) for begin, end in spans)


@dataclass(frozen=True, slots=True)
class Course:
    """How visitors come in over a day, in bins of a quarter of an hour or less.

    Attributes:
        edges: where the bins begin, in milliseconds, and where the last one ends; closed hours lie in empty bins.
        weights: the share of the day's visitors that comes in each bin.
        reached: the share that has come where each bin begins.
    """

    edges: tuple[int, ...]
    weights: tuple[float, ...]
    reached: tuple[float, ...]

    def at(self, share: float) -> int:
        """When a share of the day's visitors has come: at once the inverse of the course and a way to draw from it."""
        number = max(0, bisect_right(self.reached, share) - 1)
        while number + 1 < len(self.weights) and not self.weights[number]:
            number += 1
        part = (share - self.reached[number]) / self.weights[number] if self.weights[number] else 0.0
        return int(self.edges[number] + part * (self.edges[number + 1] - self.edges[number]))


def course(spans: Sequence[Span], *, flat: bool = False) -> Course:
    """The course of a day that is open in these spans; `flat` has no peak."""
    edges: list[int] = []
    raw: list[float] = []
    open_ms = 0
    for begin, end in spans:
        if edges:
            raw.append(0.0)  # from the last span to this one
        for at in range(begin, end, BIN_MS):
            edges.append(at)
            length = min(BIN_MS, end - at)
            place = min((open_ms + at - begin) // (2 * BIN_MS), len(_COURSE) - 1)
            raw.append((1.0 if flat else _COURSE[place]) * length)
        edges.append(end)
        open_ms += end - begin
    total = sum(raw)
    weights = tuple(weight / total for weight in raw)
    reached = []
    so_far = 0.0
    for weight in weights:
        reached.append(so_far)
        so_far += weight
    return Course(tuple(edges), weights, tuple(reached))
