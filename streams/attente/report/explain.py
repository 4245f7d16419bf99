"""One figure of one norm, with everything that it takes to defend it: definition, counts, arithmetic."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import NamedTuple

from attente.core.view import Counts
from attente.errors import CheckFailed
from attente.registry.entities import Left, Norm, Per
from attente.report.figures import Kept
from attente.report.reading import Reading
from attente.report.tally import Counter, Tally
from attente.report.words import Sentence, definition


class Sum(NamedTuple):
    """The arithmetic of one service level.

    Attributes:
        left: which one it is.
        formula: in the words of the counts.
        numbers: the same with the numbers put in.
        value: what comes out; None where nobody is counted.
    """

    left: Left
    formula: str
    numbers: str
    value: Fraction | None


@dataclass(frozen=True, slots=True)
class Case:
    """A norm, explained.

    Attributes:
        kept: the definition in force on that day, and its counts.
        office, service, day: of what; service "" is all services of the norm.
        words: the definition.
        sums: the arithmetic of the four service levels, per leg, first and visit.
        first_day, last_day: between which business days the source knows anything of the office; "" when of none.
    """

    kept: Kept
    office: str
    service: str
    day: str
    words: tuple[Sentence, ...]
    sums: Mapping[Per, tuple[Sum, ...]]
    first_day: str
    last_day: str


def explain(reading: Reading, newest: Norm, office: str, day: date, service: str = "") -> Case:
    """How a figure of a norm comes about.

    Args:
        reading: the events.
        newest: the norm, as the registry names it.
        office: the id of an office.
        day: the business day.
        service: the id of one of the norm's services; "" for all.

    Raises:
        CheckFailed: the norm is not in force on that day, or does not apply to the office or the service.
    """
    registry = reading.registry
    norm = applicable(newest, office, day, service)
    tally = Tally()
    numbers = {n: name for name, n in reading.plan.services.items() if service in ("", name)}
    row = reading.book.day(office, day.toordinal())
    for name, counted in Counter([norm], lambda _norm, _day: True).count(office, day.toordinal(), row, numbers).items():
        if name:
            tally.add(counted)
    days = [date.fromordinal(found).isoformat() for found, _ in reading.book.days(office)]
    kept = Kept(norm, {per: tally.four(0, per) for per in Per}, 0)
    return Case(
        kept=kept,
        office=office,
        service=service,
        day=day.isoformat(),
        words=definition(registry, norm),
        sums={per: tuple(arithmetic(kept, per, left) for left in Left) for per in Per},
        first_day=days[0] if days else "",
        last_day=days[-1] if days else "",
    )


def applicable(newest: Norm, office: str, day: date, service: str = "") -> Norm:
    """The definition of a norm by which an office, and a service of it, are judged on a day.

    Raises:
        CheckFailed: there is none.
    """
    norm = newest.in_force(day.toordinal())
    if norm is None:
        begin = newest.definitions()[0].valid_from
        msg = f"norm {newest.id} is not in force on {day}: it begins on {begin}; ask for a later --date"
        raise CheckFailed(msg)
    if office not in norm.offices:
        msg = f"norm {norm.id} does not apply to office {office} on {day}; `attente norms list` tells its offices"
        raise CheckFailed(msg)
    if service and service not in norm.services:
        known = ", ".join(sorted(norm.services)[:8])
        msg = f"norm {norm.id} does not apply to service {service}; its services are {known}"
        raise CheckFailed(msg)
    return norm


def arithmetic(kept: Kept, per: Per, left: Left) -> Sum:
    """How one service level is computed from the four counts."""
    counts = kept.counts[per]
    answered, gone = answered_of(counts), left_of(counts)
    top, top_numbers = "answered within", f"{counts.answered_within:,}"
    whole, numbers = "answered", f"{answered:,}"
    if left is Left.CREDITED:
        top, top_numbers = "(answered within + left within)", f"({top_numbers} + {counts.left_within:,})"
    if left is not Left.EXCLUDED:
        whole, numbers = "(answered + left)", f"({answered:,} + {gone:,})"
    if left is Left.IGNORED:
        whole, numbers = "(answered + left - left within)", f"({answered:,} + {gone:,} - {counts.left_within:,})"
    return Sum(left, f"{top} / {whole}", f"{top_numbers} / {numbers}", kept.level(per, left))


def answered_of(counts: Counts) -> int:
    """All who were answered."""
    return counts.answered_within + counts.answered_beyond


def left_of(counts: Counts) -> int:
    """All who left."""
    return counts.left_within + counts.left_beyond
