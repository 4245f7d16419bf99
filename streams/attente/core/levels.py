"""Exact percentiles, and the four service levels."""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Final

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
