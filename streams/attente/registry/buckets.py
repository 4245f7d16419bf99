"""Where the buckets of a network's wait histogram end."""

from fractions import Fraction
from typing import Final

from attente.registry.entities import Registry

FEWEST: Final = 10  # 8 to 12 resolve the waits of an office; each further one is a series per service and end of wait
MOST: Final = 12
WAITS: Final = (30, 60, 120, 300, 600, 900, 1200, 1800, 2700, 3600, 5400, 7200)
"""Waits worth telling apart where no norm asks for others, in seconds."""


def bounds(registry: Registry) -> tuple[int, ...]:
    """Upper bounds in whole seconds, ascending: every threshold that a norm has or had, up to ten with usual waits.

    Usual waits are taken one by one, the one farthest (by ratio) from all bounds so far and the shortest of equals: the
    result covers half a minute to two hours evenly, with no two bounds close together but where norms want them.
    """
    chosen = {norm.threshold_s for norm in registry.definitions()}
    while len(chosen) < FEWEST:
        chosen.add(max(WAITS, key=lambda wait: (_distance(wait, chosen), -wait)))
    return tuple(sorted(chosen))


def _distance(wait: int, chosen: set[int]) -> Fraction:
    """The ratio to the nearest bound, exact so that ties are the same on every machine."""
    return min((Fraction(max(wait, bound), min(wait, bound)) for bound in chosen), default=Fraction(1))
