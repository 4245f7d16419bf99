"""`kill -9` of workers at seeded offsets, each started again: at once, or after others have taken over."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random
from typing import Final, Protocol

from attente.demo.account import unready
from attente.demo.pages import Page

# A restart at once is ready again after 3 to 5 s, a hand-over with its restart after 9 to 12 s on two cores.
CYCLE_S: Final = 8.0
"""How long the records between two kills should take, so that they flow while a worker is missed."""

# The first kill needs something that has been counted, the last one something that is still to come.
_FIRST: Final = 0.03
_LAST: Final = 0.95
_HELD_BACK: Final = 0.98


class Kind(StrEnum):
    """When the worker is started again.

    `at_once`: under the same name within the session, so that it gets its partitions back without a rebalance.
    `hand_over`: once others show all its partitions, the session having timed out.
    """

    AT_ONCE = "restart at once"
    HAND_OVER = "hand-over"


@dataclass(frozen=True, slots=True)
class KillPlan:
    """When workers are killed.

    Attributes:
        kinds: one for every kill.
        gates: the numbers of records before which they happen, ascending.
        last: the number of the record that is held back until the last worker is back.
        rate: records a second that leave time for all of it.
    """

    kinds: tuple[Kind, ...] = ()
    gates: tuple[int, ...] = ()
    last: int = 0
    rate: float = math.inf


def plan(records: int, kills: int, workers: int, random: Random) -> KillPlan:
    """Spread kills over a replay: one in each of as many equal parts of it, somewhere.

    Both kinds alternate, so that two kills have one of each; with one worker there is nobody to hand over to.

    Args:
        records: how many are replayed.
        kills: how many.
        workers: how many there are.
        random: what decides where.
    """
    part = records * (_LAST - _FIRST) / kills
    gates = tuple(int(records * _FIRST + part * (number + random.random())) for number in range(kills))
    kinds = tuple(Kind.HAND_OVER if number % 2 == 0 and workers > 1 else Kind.AT_ONCE for number in range(kills))
    rate = max(1.0, records / (CYCLE_S * (kills + 1)))
    return KillPlan(kinds, gates, int(records * _HELD_BACK), rate)


@dataclass(frozen=True, slots=True)
class Kill:
    """One that is over.

    Attributes:
        worker: who was killed.
        kind: when it was started again.
        at: records handed to the replay by then.
        partitions: what it showed.
        away_s: seconds until all partitions were shown again by somebody.
        back_s: seconds until it was ready again.
    """

    worker: str
    kind: Kind
    at: int
    partitions: tuple[int, ...]
    away_s: float
    back_s: float


class Killable(Protocol):
    """A worker, as far as this module is concerned."""

    def kill(self) -> None:
        """`kill -9`."""

    def start(self) -> None:
        """Start it again under the same name."""


@dataclass(slots=True)
class _Under:
    """The kill that is under way."""

    worker: str
    kind: Kind
    at: int
    partitions: frozenset[int]
    since: float
    is_started: bool = False
    away_s: float | None = None


@dataclass(slots=True)
class Killer:
    """Does what is planned, one step at every look at the pages.

    Attributes:
        workers: by name.
        kinds: of the kills to come, in order.
        partitions: how many there are.
        random: what chooses the worker.
        tell: told of every act, in a few words.
        clock: seconds that never step back.
        done: the kills that are over.
    """

    workers: Mapping[str, Killable]
    kinds: Sequence[Kind]
    partitions: int
    random: Random
    tell: Callable[[str], None]
    clock: Callable[[], float] = time.monotonic
    done: list[Kill] = field(default_factory=list)
    _under: _Under | None = None

    @property
    def missing(self) -> str | None:
        """The worker that has been killed and not yet been started again."""
        return self._under.worker if self._under is not None and not self._under.is_started else None

    @property
    def is_busy(self) -> bool:
        """Whether a kill is not over yet."""
        return self._under is not None

    def step(self, announced: int, given: int, pages: Sequence[Page]) -> None:
        """Do the next thing if it is time for it.

        Args:
            announced: kills that are due by now, all together.
            given: records handed to the replay so far.
            pages: of all workers that answer, fetched since the last step.
        """
        if self._under is not None:
            self._go_on(self._under, pages)
        elif len(self.done) < min(announced, len(self.kinds)):
            self._begin(given, pages)

    def _begin(self, given: int, pages: Sequence[Page]) -> None:
        """Kill one of those that show something: who has nothing leaves nothing to take over."""
        if unready(pages, self.workers.keys(), self.partitions):
            return
        victim = self.random.choice([page for page in pages if page.shown])
        kind = self.kinds[len(self.done)]
        self.workers[victim.worker].kill()
        self._under = _Under(victim.worker, kind, given, victim.shown, self.clock())
        named = " ".join(map(str, sorted(victim.shown)))
        self.tell(f"kill -9 {victim.worker} (partitions {named}) after {given:,} records: {kind}")
        if kind is Kind.AT_ONCE:
            self._start(self._under)

    def _go_on(self, under: _Under, pages: Sequence[Page]) -> None:
        shown = frozenset[int]().union(*(page.shown for page in pages))
        if under.away_s is None and len(shown) == self.partitions:
            under.away_s = self.clock() - under.since
            by = " and ".join(page.worker for page in pages if page.shown & under.partitions)
            self.tell(f"partitions of {under.worker} shown by {by} after {under.away_s:.1f} s")
        if not under.is_started:
            if under.away_s is not None:
                self._start(under)
        elif under.away_s is not None and not unready(pages, self.workers.keys(), self.partitions):
            back_s = self.clock() - under.since
            self.done.append(
                Kill(under.worker, under.kind, under.at, tuple(sorted(under.partitions)), under.away_s, back_s)
            )
            self._under = None
            self.tell(f"{under.worker} is back after {back_s:.1f} s")

    def _start(self, under: _Under) -> None:
        self.workers[under.worker].start()
        under.is_started = True
