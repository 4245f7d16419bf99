"""A distribution in a dozen bins with round edges, the thresholds of norms among them."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from attente.core.levels import percentiles

_STEPS: Final = (1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1_200, 1_800, 3_600, 7_200, 14_400, 28_800)
FEW: Final = 14
"""As many bins as lines of a terminal are worth."""


class Bin(NamedTuple):
    """Waits of more than `above` and at most `upto` seconds; the first holds 0 too, the last has no end (None)."""

    above: int
    upto: int | None
    number: int


def cut(waits: Mapping[int, int], edges: Sequence[int]) -> list[Bin]:
    """The bins of a histogram of whole seconds between some upper edges, in order; empty ones are among them."""
    counts = [0] * (len(edges) + 1)
    for seconds, n in waits.items():
        counts[bisect_left(edges, seconds)] += n
    lowers, uppers = (0, *edges), (*edges, None)
    return [Bin(above, upto, n) for above, upto, n in zip(lowers, uppers, counts, strict=True)]


def edges_for(thresholds: Iterable[int], *histograms: Mapping[int, int], most: int = FEW) -> list[int]:
    """Upper edges, ascending: round ones up to where nearly all waits are over, and the thresholds."""
    wanted = {threshold for threshold in thresholds if threshold > 0}
    reach = max(
        [
            *(percentiles(one, (97,)).get(97, 0) for one in histograms),
            *(threshold * 3 // 2 for threshold in wanted),
            1,
        ]
    )
    step = next((step for step in _STEPS if reach <= step * most), _STEPS[-1])
    last = min(-(-reach // step), 2 * most)
    return sorted({step * i for i in range(1, last + 1)} | wanted)
