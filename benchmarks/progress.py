"""How fast a count grew, from how it stood now and then."""

from collections.abc import Sequence
from typing import NamedTuple


class Point(NamedTuple):
    """How many events had been counted at an instant (seconds)."""

    at: float
    events: int


def finish(points: Sequence[Point], total: int) -> float:
    """When the last event was counted, or an estimate of it.

    Workers tell the broker once a second how far they are, so the end is told up to a second late. Between the first
    and the last news of an unfinished count the speed is known, and what was left then took its time at that speed:

        events                                  total ____________
                                          o  ´  |               o
                             o                  |               |
               o                             estimate         told
    """
    last = next((point for point in points if point.events >= total), None)
    if last is None:
        message = f"the count stands at {points[-1].events if points else 0} of {total}"
        raise ValueError(message)
    under_way = [point for point in points if 0 < point.events < total]
    if len(under_way) < 2:
        return last.at
    first, latest = under_way[0], under_way[-1]
    if latest.events == first.events:
        return last.at
    speed = (latest.events - first.events) / (latest.at - first.at)
    return min(last.at, latest.at + (total - latest.events) / speed)
