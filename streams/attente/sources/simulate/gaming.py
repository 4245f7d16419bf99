"""How an office makes its wait norm look met: five tricks, what each does, and which office uses one.

An office that games is one that is short of staff: `load` says how much work comes for the desks that are open, 1.0
being as much as they can do. An honest one with that load would miss its norm, and every reading would say so.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

MINUTE: Final = 60_000


class Gaming(StrEnum):
    """What an office does to meet the norm."""

    HONEST = "honest"
    UNCALLED = "uncalled"
    TRANSFERS = "transfers"
    TURNED_AWAY = "turned-away"
    HURRIED = "hurried"
    EARLY_CALLS = "early-calls"


TRICKS: Final = tuple(kind for kind in Gaming if kind is not Gaming.HONEST)
"""The five, in the order in which offices are given them."""


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What an office does out of the ordinary; 0 is not at all.

    Attributes:
        load: the work that comes, over what its desks can do; 0 leaves it to the office's own habit.
        uncalled_ms: who has waited so long is called no more, and leaves some minutes later.
        moved_ms: who has waited so long is sent to another queue, where the clock begins anew.
        door_ms: nobody gets a ticket while the wait that is to be expected is longer.
        called_ms: who has waited so long is called though no desk is free, and waits on before the desk.
        pace: a service takes this share of its usual time.
        pending: this share of the visitors leaves with the matter unsettled.
        fewer_desks: whether the load comes of fewer desks than usual; else it comes of more visitors.
        patience: visitors wait so many times longer, since somebody has seen to them.
    """

    load: float = 0.0
    uncalled_ms: int = 0
    moved_ms: int = 0
    door_ms: int = 0
    called_ms: int = 0
    fewer_desks: bool = False
    pace: float = 1.0
    pending: float = 0.08
    patience: float = 1.0


BEHAVIOURS: Final = {
    Gaming.HONEST: Behaviour(),
    # A third of those who come is never called: of those who are, everybody within 20 minutes.
    Gaming.UNCALLED: Behaviour(load=1.6, uncalled_ms=19 * MINUTE),
    Gaming.TRANSFERS: Behaviour(load=1.35, moved_ms=17 * MINUTE, patience=3.0),
    Gaming.TURNED_AWAY: Behaviour(load=1.45, door_ms=9 * MINUTE),
    # With services of usual length the queue would grow all day, as with any load above 1.
    Gaming.HURRIED: Behaviour(load=1.3, pace=0.5, pending=0.4),
    Gaming.EARLY_CALLS: Behaviour(load=1.25, called_ms=8 * MINUTE, fewer_desks=True, patience=3.0),
}

_EVERY: Final = 8  # one office in eight games, so that five tricks are seen among forty


def gaming_of(index: int, offset: int, kinds: tuple[Gaming, ...], *, everywhere: bool) -> Gaming:
    """The trick of an office, by its number alone, so that another office in the network changes nobody's.

    Args:
        index: the office's number, from 0.
        offset: where the turn begins; the seed decides.
        kinds: the tricks that are used at all.
        everywhere: whether honest offices are the exception, one in every turn, and not the rule.
    """
    if not kinds:
        return Gaming.HONEST
    place = index + offset
    if everywhere:
        turn = (Gaming.HONEST, *kinds)
        return turn[place % len(turn)]
    return kinds[place // _EVERY % len(kinds)] if place % _EVERY == 0 else Gaming.HONEST
