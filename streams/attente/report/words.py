"""A norm in words: a sentence for each part of its definition, generated from the definition itself."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from attente.model.kinds import CHANNELS
from attente.registry.entities import End, Left, Norm, Per, Registry, Start, StillWaiting
from attente.report.numbers import percent, stretch
from attente.report.versions import span

SHORT: Final = {Left.CREDITED: "SL1", Left.EXCLUDED: "SL2", Left.FAILED: "SL3", Left.IGNORED: "SL4"}
"""The names that the field gives to the four service levels."""

MEANINGS: Final = {
    Left.CREDITED: "who left within the threshold counts as kept",
    Left.EXCLUDED: "who left does not count",
    Left.FAILED: "who left counts as broken",
    Left.IGNORED: "who left within the threshold does not count, later it counts as broken",
}

_CHANNELS: Final = {
    "walkin": "visitors without an appointment (walkin)",
    "appointment": "visitors with an appointment (appointment)",
    "remote": "visitors who are not there in person (remote)",
}
_STARTS: Final = {
    Start.ISSUED: "when the ticket is issued",
    Start.ARRIVED: "at the door (arrived), or when the ticket is issued where no door time is known",
    Start.DUE: "for an appointment with a due time at that time, or at the ticket where that is later; for everybody "
    "else when the ticket is issued; who is called before has waited 0 s",
}
_ENDS: Final = {
    End.CALLED: "when the visitor is called; answered is who is called and comes (a no-show has left)",
    End.STARTED: "when the service starts; answered is whose service starts",
}
_PERS: Final = {
    Per.LEG: "leg: every wait in a queue counts by itself, under the service of that queue; a transfer or a return to "
    "the queue begins a new one",
    Per.FIRST: "first: the first wait of a visit alone counts, under the service first asked for, when the visit ends",
    Per.VISIT: "visit: the waits of all legs of a visit are added up and count once, under the service first asked "
    "for, when the visit ends; the last leg says whether it was answered",
}
_LEFT: Final = {
    Left.CREDITED: "who abandons the queue or does not come when called counts as kept if that was within the "
    "threshold, and as broken if it was later",
    Left.EXCLUDED: "who abandons the queue or does not come when called does not count at all",
    Left.FAILED: "who abandons the queue or does not come when called counts as broken, however short the wait",
    Left.IGNORED: "who abandons the queue or does not come when called does not count if that was within the "
    "threshold, and counts as broken if it was later",
}
_WAITING: Final = {
    StillWaiting.IGNORED: "who still waits counts when the wait is over",
    StillWaiting.FAILED: "who still waits counts when the wait is over; in a reading as of now, and only there, who "
    "has waited beyond the threshold counts as broken already",
}
_MOST_NAMES: Final = 8


class Sentence(NamedTuple):
    """One part of a definition."""

    part: str
    text: str


def promise(norm: Norm) -> str:
    """A norm in one sentence."""
    who = {Per.LEG: "of all waits", Per.FIRST: "of all first waits", Per.VISIT: "of all visits"}[norm.clock.per]
    return (
        f"at least {percent(norm.target_milli, 100_000)} {who} are over within {stretch(norm.threshold_s)} "
        f"({norm.threshold_s:,} s)"
    )


def definition(registry: Registry, norm: Norm) -> tuple[Sentence, ...]:
    """The whole definition."""
    later = "" if norm.clock.per is Per.FIRST or norm.clock.start is Start.ISSUED else "; later legs begin in the queue"
    channels = [name for name in CHANNELS if name in norm.channels]
    offices = [office for office in registry.offices if office in norm.offices]
    services = [service for service in (*registry.services, "other") if service in norm.services]
    return (
        Sentence("promise", promise(norm)),
        Sentence("clock starts", _STARTS[norm.clock.start] + later),
        Sentence("clock stops", _ENDS[norm.clock.end]),
        Sentence("per", _PERS[norm.clock.per]),
        Sentence("rounding", "waits count in whole seconds, rounded up: 1,200.4 s is not within 1,200 s"),
        Sentence("population", _and([_CHANNELS[name] for name in channels])),
        Sentence("offices", _names(offices, len(registry.offices))),
        Sentence("services", _names(services, len(registry.services) + 1)),
        Sentence("left", _LEFT[norm.left]),
        Sentence(
            "neither",
            "who is moved to another queue or closed by the system while waiting is neither answered nor left",
        ),
        Sentence("still waiting", _WAITING[norm.still_waiting]),
        Sentence("in force", span(registry, norm)),
    )


def _names(names: Sequence[str], whole: int) -> str:
    if not names:
        return "none"
    if len(names) == whole:
        return "all of them" if whole > 1 else f"all of them: {names[0]}"
    if len(names) <= _MOST_NAMES:
        return _and(names)
    return f"{', '.join(names[:_MOST_NAMES])} and {len(names) - _MOST_NAMES:,} more ({len(names):,} of {whole:,})"


def _and(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
