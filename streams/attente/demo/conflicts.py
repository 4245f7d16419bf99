"""What a norm that is kept does not tell: for each office the stated rules by which it reads better than it is.

No rule says that anybody cheats. Each says that one honest reading of the same day contradicts another one, and by
which numbers; all of them are on the workers' pages.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from statistics import median
from typing import Final

from attente.core.view import Counts
from attente.demo.offices import OfficeFigures, Promise
from attente.registry.entities import End, Left, Per

ENOUGH: Final = 20
"""Visits of today below which a share is chance, and no rule looks."""

TURNED_AWAY: Final = Fraction(1, 20)
"""From this share of all who came, visitors are turned away as a habit, not now and then before closing time."""

PENDING: Final = Fraction(1, 4)
"""The least share of services ended as pending that is worth a mark, however few the others have."""

MUCH_MORE: Final = 2
"""So many times the network's median share of pending is much more than usual."""

MUCH_LESS: Final = Fraction(2, 3)
"""Below this part of the network's median desk time for each visitor, there is much less than usual."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """One reading that contradicts the promise.

    Attributes:
        label: in a word or two.
        short: the numbers that say so, in percent or minutes, for where there is little room.
        reason: the same in words.
    """

    label: str
    short: str
    reason: str


@dataclass(frozen=True, slots=True)
class Usual:
    """What is usual in the network: medians over the offices with enough visitors; None where there are under three.

    Attributes:
        pending: the share of services that ended as pending.
        desk_s: open-desk seconds for each visitor who came.
    """

    pending: Fraction | None = None
    desk_s: Fraction | None = None


def usual_of(offices: Iterable[OfficeFigures]) -> Usual:
    """What is usual among some offices."""
    busy = [office for office in offices if office.visitors >= ENOUGH]
    return Usual(_median(map(_pending, busy)), _median(map(_desk_s, busy)))


def conflicts_of(
    office: OfficeFigures, promise: Promise, usual: Usual, promises: Sequence[Promise] = ()
) -> tuple[Conflict, ...]:
    """By which rules an office reads better than it is; none where it has too few visits.

    Args:
        office: whose day.
        promise: under which norm.
        usual: what the others do.
        promises: all norms of the registry: some rules compare two of them.
    """
    counts = office.readings.get((promise.norm, promise.per))
    if counts is None or _all(counts) < ENOUGH:
        return ()
    case = _Case(office, promise, usual, promises)
    return tuple(found for rule in _RULES if (found := rule(case)) is not None)


@dataclass(frozen=True, slots=True)
class _Case:
    office: OfficeFigures
    promise: Promise
    usual: Usual
    promises: Sequence[Promise]

    @property
    def is_kept(self) -> bool:
        """Whether the promise is kept as it is written."""
        return self.keeps(self.office.promised(self.promise))

    def level(self, per: Per, left: Left) -> Fraction | None:
        return self.office.level(self.promise.norm, per, left)

    def keeps(self, level: Fraction | None) -> bool:
        return level is not None and level >= self.promise.target

    def breaks(self, level: Fraction | None) -> bool:
        return level is not None and level < self.promise.target


def _left_excluded(case: _Case) -> Conflict | None:
    """Kept only because those who left are left out."""
    excluded, failed = case.level(case.promise.per, Left.EXCLUDED), case.level(case.promise.per, Left.FAILED)
    if case.keeps(excluded) and case.breaks(failed):
        return Conflict(
            "left excluded",
            f"SL2 {whole(excluded)} SL3 {whole(failed)}",
            f"{percent(excluded)} without those who left, {percent(failed)} with them",
        )
    return None


def _clock_reset(case: _Case) -> Conflict | None:
    """Kept only leg by leg: a transfer sets the clock back to zero."""
    legs, visits = case.level(Per.LEG, case.promise.left), case.level(Per.VISIT, case.promise.left)
    if case.keeps(legs) and case.breaks(visits):
        return Conflict(
            "clock reset",
            f"leg {whole(legs)} visit {whole(visits)}",
            f"{percent(legs)} per leg, {percent(visits)} per visit",
        )
    return None


def _turns_away(case: _Case) -> Conflict | None:
    """Kept while visitors are turned away, who wait nowhere."""
    share = Fraction(case.office.turned_away, max(1, case.office.visitors))
    if case.is_kept and share >= TURNED_AWAY:
        return Conflict("turns away", f"{whole(share)} in 100", f"{percent(share)} of all who came got no ticket")
    return None


def _left_pending(case: _Case) -> Conflict | None:
    """Kept by services that end before the matter does."""
    share, usual = _pending(case.office), case.usual.pending
    if case.is_kept and share is not None and usual is not None and share >= max(PENDING, MUCH_MORE * usual):
        return Conflict(
            "left pending",
            f"{whole(share)}, usual {whole(usual)}",
            f"{percent(share)} of the services ended pending, {percent(usual)} are usual",
        )
    return None


def _called_early(case: _Case) -> Conflict | None:
    """Kept up to the call, and not up to the service: visitors are called to a desk that is not free."""
    promise = case.promise
    if promise.end is not End.CALLED or not case.is_kept:
        return None
    for other in case.promises:
        if other.end is End.STARTED and other.threshold_s == promise.threshold_s:
            started = case.office.level(other.norm, promise.per, promise.left)
            if case.breaks(started):
                called = case.office.promised(promise)
                return Conflict(
                    "called early",
                    f"call {whole(called)} start {whole(started)}",
                    f"{percent(called)} up to the call, {percent(started)} up to the start of service",
                )
    return None


def _few_desks(case: _Case) -> Conflict | None:
    """Kept at far less desk time for each visitor than is usual."""
    desk_s, usual = _desk_s(case.office), case.usual.desk_s
    if case.is_kept and desk_s is not None and usual is not None and desk_s < MUCH_LESS * usual:
        return Conflict(
            "few desk hours",
            f"{_minutes(desk_s)} of {_minutes(usual)}",
            f"{_minutes(desk_s)} desk minutes for each visitor, {_minutes(usual)} are usual",
        )
    return None


# What is plainest comes first: a narrow screen has room for one.
_RULES: Final[Sequence[Callable[[_Case], Conflict | None]]] = (
    _left_excluded,
    _clock_reset,
    _turns_away,
    _left_pending,
    _called_early,
    _few_desks,
)


def whole(level: Fraction | None) -> str:
    """A share in whole percent, never more than it is: 84.9 % is not yet 85."""
    return "–" if level is None else str(100 * level.numerator // level.denominator)


def percent(level: Fraction | None) -> str:
    """The same with its sign."""
    return "–" if level is None else f"{whole(level)}%"


def _pending(office: OfficeFigures) -> Fraction | None:
    ended = sum(office.ended.values())
    return Fraction(office.ended.get("pending", 0), ended) if ended else None


def _desk_s(office: OfficeFigures) -> Fraction | None:
    return Fraction(round(office.desk_s), office.visitors) if office.visitors else None


def _median(shares: Iterable[Fraction | None]) -> Fraction | None:
    known = [one for one in shares if one is not None]
    return median(known) if len(known) > 2 else None


def _all(counts: Counts) -> int:
    return counts.answered_within + counts.answered_beyond + counts.left_within + counts.left_beyond


def _minutes(seconds: Fraction) -> str:
    return f"{float(seconds) / 60:.1f}"
