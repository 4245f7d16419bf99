"""The order in which the events of a tape leave an importer: by time, or out of order and with duplicates on purpose.

With a window, every event moves back by up to that long, so that none comes more than the window after the newest one
before it. A stamped archive of such a tape is still accepted whole: no record's event lies in its own future, and none
is further behind the newest record than the window, which need only be shorter than the horizon.
"""

from collections.abc import Iterator, Sequence
from random import Random
from typing import Final, NamedTuple

from attente.sources.lives import Life

# A key orders the output: the position in milliseconds, the life, its event, whether it is the second copy.
_EVENT_BITS: Final = 4
_LIFE_BITS: Final = 32


class Place(NamedTuple):
    """Where an event of the output is to be found: the life, its event, whether it has been written before."""

    life: int
    event: int
    again: bool


class Places:
    """The order of the output, packed: a year of events takes as many integers."""

    def __init__(self, keys: Sequence[int]) -> None:
        self._keys = keys

    def __len__(self) -> int:
        return len(self._keys)

    def __iter__(self) -> Iterator[Place]:
        return map(_place, self._keys)


def in_order(lives: Sequence[Life], window_ms: int, duplicates: float, random: Random) -> Places:
    """The events of a tape in the order in which they are to be written.

    Events of one position come in the order of the lives (their `sequence`) and then of the events within a life.

    Args:
        lives: the visits, in the order of their `sequence`.
        window_ms: how far an event may move; 0 leaves the tape sorted by time.
        duplicates: share of the events that come a second time, exactly this share, rounded: within the window of the
            event's time, at once when there is none.
        random: what decides; the same seed gives the same tape.
    """
    keys = [
        _key(life.at(index) + _jitter(random, window_ms), number, index, again=False)
        for number, life in enumerate(lives)
        for index in range(len(life))
    ]
    keys.sort()
    keys.extend(_second_copies(lives, keys, window_ms, round(duplicates * len(keys)), random))
    keys.sort()
    return Places(keys)


def _second_copies(
    lives: Sequence[Life], keys: Sequence[int], window_ms: int, wanted: int, random: Random
) -> Iterator[int]:
    """Keys of exactly `wanted` events, each as likely as any other (Knuth, algorithm S)."""
    left = len(keys)
    for key in keys:
        if not wanted:
            return
        if random.random() * left < wanted:
            wanted -= 1
            place = _place(key)
            position = key >> (_LIFE_BITS + _EVENT_BITS + 1)
            latest = lives[place.life].at(place.event) + window_ms
            yield _key(position + _jitter(random, latest - position), place.life, place.event, again=True)
        left -= 1


def _jitter(random: Random, window_ms: int) -> int:
    return int(random.random() * (window_ms + 1)) if window_ms else 0


def _key(position: int, life: int, event: int, *, again: bool) -> int:
    return ((position << _LIFE_BITS | life) << _EVENT_BITS | event) << 1 | again


def _place(key: int) -> Place:
    life = key >> (_EVENT_BITS + 1) & ((1 << _LIFE_BITS) - 1)
    return Place(life, key >> 1 & ((1 << _EVENT_BITS) - 1), bool(key & 1))
