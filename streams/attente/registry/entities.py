"""The network as the core sees it: frozen values, every selector resolved, every check made."""

from dataclasses import dataclass, field
from enum import StrEnum

OTHER = "other"
"""The service under which unknown and missing services are counted."""


class Start(StrEnum):
    """What a clock starts at, in leg 1."""

    ISSUED = "issued"
    ARRIVED = "arrived"
    DUE = "due"


class End(StrEnum):
    """What a clock ends at."""

    CALLED = "called"
    STARTED = "started"


class Per(StrEnum):
    """What a clock times: every leg by itself, the first leg only, or the sum over a visit's legs."""

    LEG = "leg"
    FIRST = "first"
    VISIT = "visit"


class Left(StrEnum):
    """What becomes of those who left, in the service level that is the promise (docs/definitions.md)."""

    CREDITED = "credited_if_within"
    EXCLUDED = "excluded"
    FAILED = "failed"
    IGNORED = "ignored_if_within"


class StillWaiting(StrEnum):
    """What becomes of those who wait now, in a reading as of now."""

    IGNORED = "ignored"
    FAILED = "failed_if_over"


class Detail(StrEnum):
    """How fine the window gauges are: per service, or per office only where series would be too many."""

    SERVICE = "service"
    OFFICE = "office"


@dataclass(frozen=True, slots=True)
class Service:
    """A queue that visitors may join."""

    id: str
    title: str


@dataclass(frozen=True, slots=True)
class Office:
    """A place with desks. `services` are ids in the order of the file; `zone` is an IANA time zone."""

    id: str
    name: str
    region: str
    zone: str
    services: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Clock:
    """What is timed."""

    start: Start
    end: End
    per: Per


@dataclass(frozen=True, slots=True)
class Norm:
    """A promise: a clock, a threshold in whole seconds, a target, a population, what becomes of those who left.

    `target` is a share in thousandths of a percent (85 % is 85_000), an integer so that figures stay exact.
    `offices` and `services` are resolved ids (`services` may contain `other`); `channels` is never empty.
    `valid_from` is an ISO date or "" for always.
    """

    id: str
    title: str
    threshold_s: int
    target_milli: int
    clock: Clock
    channels: frozenset[str]
    left: Left
    still_waiting: StillWaiting
    offices: frozenset[str]
    services: frozenset[str]
    valid_from: str = ""


@dataclass(frozen=True, slots=True)
class Registry:
    """A whole network.

    Attributes:
        network: its name.
        cut_over_min: where a business day begins, in local minutes after midnight (03:00 is 180).
        horizon_ms: how late an event may arrive and still count.
        detail: how fine the window gauges are.
        offices, services, norms: by id, in the order of the file.
        hash: 16 hexadecimal digits over the canonical content; comments and layout do not change it.
    """

    network: str
    cut_over_min: int
    horizon_ms: int
    detail: Detail
    offices: dict[str, Office] = field(repr=False)
    services: dict[str, Service] = field(repr=False)
    norms: dict[str, Norm] = field(repr=False)
    hash: str = ""
