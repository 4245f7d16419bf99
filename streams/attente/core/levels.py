"""Counts under a threshold, exact percentiles, and the four service levels."""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Final

from attente.core import panes
from attente.core.panes import Row
from attente.core.view import Counts
from attente.registry.entities import Left

PERCENTILES: Final = (50, 90, 95)


def service_level(counts: Counts, left: Left) -> Fraction | None:
    """A service level by the name of what becomes of those who left; None where its denominator is 0."""
    within, answered = counts.answered_within, counts.answered_within + counts.answered_beyond
    left_all = counts.left_within + counts.left_beyond
    if left is Left.CREDITED:
        within += counts.left_within
        whole = answered + left_all
    elif left is Left.EXCLUDED:
        whole = answered
    elif left is Left.FAILED:
        whole = answered + left_all
    else:
        whole = answered + left_all - counts.left_within
    return Fraction(within, whole) if whole else None


def percentiles(waits: Mapping[int, int], ranks: Iterable[int] = PERCENTILES) -> dict[int, int]:
    """Nearest-rank percentiles of waits given as seconds -> count: the least wait that at least p % do not exceed."""
    total = sum(waits.values())
    if not total:
        return {}
    out = {}
    wanted = sorted(ranks, reverse=True)
    below = 0
    for seconds in sorted(waits):
        below += waits[seconds]
        while wanted and below * 100 >= wanted[-1] * total:
            out[wanted.pop()] = seconds
    return out


def within(row: Row, head: int, threshold_s: int, bounds: Iterable[int]) -> tuple[int, int]:
    """Counts of one measure in a coarse row: of at most the threshold, and of more. The threshold is a bound."""
    inside = 0
    outside = row.get(head | panes.BEYOND, 0)
    for bound in bounds:
        n = row.get(head | bound, 0)
        if bound <= threshold_s:
            inside += n
        else:
            outside += n
    return inside, outside
