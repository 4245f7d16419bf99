"""The network as the core sees it: frozen values, every selector resolved, every check made."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from attente.model.instants import LATEST
from attente.model.signatures import Algorithm

OTHER = "other"
"""The service under which unknown and missing services are counted."""

Hours = tuple[tuple[int, int], ...]
"""When a door is open on a local day: half-open spans of minutes after midnight, ascending, apart; none is closed."""


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
class Exceptional:
    """Hours that hold on some days in place of the usual ones: `first` to `last`, both included, as ordinals."""

    first: int
    last: int
    hours: Hours


@dataclass(frozen=True, slots=True)
class OpeningCalendar:
    """When offices are open: `weekly` from Monday on, no hours on `holidays` (ordinals), and `exceptions` over both."""

    id: str
    weekly: tuple[Hours, ...]
    holidays: frozenset[int] = frozenset()
    exceptions: tuple[Exceptional, ...] = ()


class Signatures(StrEnum):
    """What becomes of events by their signatures: not looked at, counted by what is found, or refused without one."""

    OFF = "off"
    REPORT = "report"
    REQUIRE = "require"


@dataclass(frozen=True, slots=True)
class OfficeKey:
    """A key that signs for an office; its secret stands elsewhere.

    Attributes:
        id: as signatures name it, unique in the network.
        fingerprint: of the secret, so that the registry alone decides which signatures are valid.
        algorithm: how it signs.
        first_ms, end_ms: the record timestamps between which it is valid, the end not included.
    """

    id: str
    fingerprint: str
    algorithm: Algorithm = Algorithm.BLAKE2B
    first_ms: int = 0
    end_ms: int = LATEST


@dataclass(frozen=True, slots=True)
class Office:
    """A place with desks.

    Attributes:
        id, name, region: for events and people.
        zone: an IANA time zone.
        services: ids in the order of the file.
        size: a word of the network's own, to select offices by; "" for none.
        kiosks: ids, in the order of the file.
        calendar: the id of its opening calendar; "" for none, and then nobody knows when it is open.
        closures: what holds on some days in place of its calendar.
        keys: those that sign for it, in the order of the file.
        signatures: what becomes of its events by their signatures.
        signatures_from_ms: records stamped earlier are not looked at, so that a log may begin without signatures.
    """

    id: str
    name: str
    region: str
    zone: str
    services: tuple[str, ...]
    size: str = ""
    kiosks: tuple[str, ...] = ()
    calendar: str = ""
    closures: tuple[Exceptional, ...] = ()
    keys: tuple[OfficeKey, ...] = ()
    signatures: Signatures = Signatures.OFF
    signatures_from_ms: int = 0


@dataclass(frozen=True, slots=True)
class Clock:
    """What is timed."""

    start: Start
    end: End
    per: Per


@dataclass(frozen=True, slots=True)
class Budget:
    """Which shares of a month's allowed failures, spent in one hour or in one day, are to be told somebody.

    In thousandths of a percent; None leaves it to the default (`attente.registry.budgets`). No figure depends on it.
    """

    fast_milli: int | None = None
    slow_milli: int | None = None


@dataclass(frozen=True, slots=True)
class Norm:
    """A promise: a clock, a threshold in whole seconds, a target, a population, what becomes of those who left.

    `target` is a share in thousandths of a percent (85 % is 85_000), an integer so that figures stay exact.
    `offices` and `services` are resolved ids (`services` may contain `other`); `channels` is never empty.
    `valid_from` is an ISO date or "" for always. `former` are the earlier definitions of the same id, oldest first,
    each whole in itself and without former ones of its own; each holds until the day before the next one's
    `valid_from`. `budget` is about alerts alone, and no part of the promise.
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
    former: "tuple[Norm, ...]" = ()
    budget: Budget = Budget()

    def in_force(self, day: int) -> "Norm | None":
        """The definition that holds on a day (`date.toordinal`); None before the first one's."""
        if not self.valid_from:  # then it has no former ones either: they would be older than always
            return self
        on = date.fromordinal(day).isoformat()
        if self.valid_from <= on:
            return self
        return next((norm for norm in reversed(self.former) if norm.valid_from <= on), None)

    def definitions(self) -> "tuple[Norm, ...]":
        """All definitions of this norm, oldest first."""
        return (*self.former, self)


@dataclass(frozen=True, slots=True)
class Registry:
    """A whole network.

    Attributes:
        network: its name.
        cut_over_min: where a business day begins, in local minutes after midnight (03:00 is 180).
        horizon_ms: how late an event may arrive and still count.
        detail: how fine the window gauges are.
        offices, services, norms, calendars: by id, in the order of the file; of a norm the newest definition.
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
    calendars: dict[str, OpeningCalendar] = field(default_factory=dict, repr=False)

    def definitions(self) -> Iterator[Norm]:
        """Every definition of every norm, in force or not; a norm's own oldest first."""
        for norm in self.norms.values():
            yield from norm.definitions()
