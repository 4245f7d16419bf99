"""The oracle: every figure of a log, by sorting and folding its events in batch.

A second reading of the definitions that shares no code with the core. It is written for clarity: lists, dictionaries,
datetimes, fractions, no incremental step. Acceptance, duplicates and sealing depend on the order of the log and are
decided record by record; everything else is computed from the sets of facts that remain.

`compute(records, registry)` gives a `Figures`. The shapes that a test compares with the core:

    figures.account             read, counted, duplicate, and refused as a Counter by Reason
    figures.held, .sealed       a Tally each: of what is still held as facts (the live panes), and of what was sealed
    figures.all                 the Tally of both together
    tally.counts                Counter[Key]     Key    = (office, service, channel, pane, name, seconds)
    tally.sums                  Counter[SumKey]  SumKey = (office, service, channel, pane, name), in milliseconds
    figures.day(office, pane)   ISO date of the business day that holds a pane's beginning
    figures.by_day(tally)       a Tally whose keys have that date in place of the pane
    figures.contradictions      Counter[(office, event type)] of the facts still held: the gauge
    figures.sealed_contradictions   the same of the facts that were sealed
    figures.waiting             {(office, service): Waiting(visits, since)}: now, `since` begins the longest present leg
    figures.present             one Present for each visit that waits now
    figures.open_desks          {office: desks open now}, only offices with any
    figures.open_offices        offices that are open now
    figures.desk_ms, .office_ms Counter[(office, ISO date)] of open milliseconds, up to stream time
    figures.heartbeats          {(office, kiosk): (time, spooled)} of the newest
    figures.counts(norm, per)   {(office, service): Counts} for every office and service of the norm, zeros included
    figures.total(norm, per)    their sum; Counts.levels() are the four service levels as Fractions, None if undefined

`pane` is the beginning of the pane in milliseconds since 1970; counters treat a missing key as zero when compared.
`name` is one of the following, with FROM one of issued, arrived, due and TO one of called, started; all six clocks are
always computed. `seconds` is the value in whole seconds rounded up, 0 where the contribution has no value:

    issued  closed  transferred  requeued  turned_away                    no value, no sum; turned_away has channel ""
    called/FROM  started/FROM  abandoned/FROM  no_show/FROM               per leg
    served/OUTCOME                                                        service time
    first_answered/FROM/TO  first_left/FROM/TO                            per first
    visit_answered/FROM/TO  visit_left/FROM/TO                            per visit

A first leg or a visit whose outcome is neither answered nor left (moved, closed) contributes nothing under these names.
"""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import Enum, auto
from fractions import Fraction
from itertools import product
from typing import Any, Literal, NamedTuple
from zoneinfo import ZoneInfo

from attente.model.reasons import Reason
from attente.registry.entities import OTHER, Norm, Office, Per, Registry

SECOND = 1000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
PANE = 5 * MINUTE
QUARTER = 15 * MINUTE
FUTURE = 5 * MINUTE
SKEW = 5 * SECOND
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

CHANNELS = ("walkin", "appointment", "remote")
OUTCOMES = ("unstated", "resolved", "pending", "referred")
STARTS = ("issued", "arrived", "due")
ENDS = ("called", "started")

TICKET_TYPES = (  # in the order of their rank
    "ticket.issued",
    "ticket.called",
    "ticket.no_show",
    "service.started",
    "service.paused",
    "service.resumed",
    "service.ended",
    "ticket.transferred",
    "ticket.requeued",
    "ticket.abandoned",
    "ticket.closed",
)
SESSION_TYPES = ("desk.closed", "desk.opened", "office.closed", "office.opened")
OTHER_TYPES = ("visitor.turned_away", "kiosk.heartbeat")


# --- what comes in, what goes out ---


class Record(NamedTuple):
    """One record of the log; `timestamp` in milliseconds since 1970."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    partition: int = 0
    headers: tuple[tuple[str, bytes | None], ...] = ()


class Key(NamedTuple):
    """Under what a contribution is counted."""

    office: str
    service: str
    channel: str
    pane: int | str
    name: str
    seconds: int


class SumKey(NamedTuple):
    """Under what the milliseconds of a contribution are summed."""

    office: str
    service: str
    channel: str
    pane: int | str
    name: str


@dataclass
class Tally:
    """Counts, and sums in milliseconds."""

    counts: Counter[Key] = field(default_factory=Counter)
    sums: Counter[SumKey] = field(default_factory=Counter)

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(self.counts + other.counts, self.sums + other.sums)

    def named(self, name: str, office: str | None = None, service: str | None = None) -> int:
        """How many of one name, over all panes, seconds and channels."""
        return sum(n for key, n in self.counts.items() if key.name == name and _within(key, office, service))

    def summed(self, name: str, office: str | None = None, service: str | None = None) -> int:
        """The milliseconds of one name, over all panes and channels."""
        return sum(ms for key, ms in self.sums.items() if key.name == name and _within(key, office, service))


def _within(key: Key | SumKey, office: str | None, service: str | None) -> bool:
    return office in (None, key.office) and service in (None, key.service)


@dataclass
class Account:
    """What became of every record."""

    read: int = 0
    counted: int = 0
    duplicate: int = 0
    refused: Counter[Reason] = field(default_factory=Counter)

    @property
    def dead(self) -> int:
        return self.refused.total()


class Counts(NamedTuple):
    """Answered and left, and how many of each within the threshold."""

    answered: int = 0
    answered_within: int = 0
    left: int = 0
    left_within: int = 0

    def levels(self) -> dict[str, Fraction | None]:
        """The four service levels; one whose denominator is 0 does not exist."""
        answered, answered_within, left, left_within = self
        return {
            "credited_if_within": _share(answered_within + left_within, answered + left),
            "excluded": _share(answered_within, answered),
            "failed": _share(answered_within, answered + left),
            "ignored_if_within": _share(answered_within, answered + left - left_within),
        }


def _share(part: int, whole: int) -> Fraction | None:
    return Fraction(part, whole) if whole else None


class Waiting(NamedTuple):
    """How many wait now, and when the longest present leg began (by the issue, in milliseconds)."""

    visits: int
    since: int


class Present(NamedTuple):
    """A visit that waits now.

    `first` is the service first asked for; `began` is the beginning of the present leg under each FROM; `legs` counts
    them, the present one too; `before` is what was waited in those before it, in milliseconds, by (FROM, TO).
    """

    office: str
    ticket: str
    service: str
    channel: str
    first: str
    began: dict[str, int]
    legs: int
    before: dict[tuple[str, str], int]


@dataclass
class Figures:
    """Every figure of a log, as of its final stream time."""

    registry: Registry
    account: Account = field(default_factory=Account)
    held: Tally = field(default_factory=Tally)
    sealed: Tally = field(default_factory=Tally)
    contradictions: Counter[tuple[str, str]] = field(default_factory=Counter)
    sealed_contradictions: Counter[tuple[str, str]] = field(default_factory=Counter)
    present: list[Present] = field(default_factory=list)
    open_desks: dict[str, int] = field(default_factory=dict)
    open_offices: set[str] = field(default_factory=set)
    desk_ms: Counter[tuple[str, str]] = field(default_factory=Counter)
    office_ms: Counter[tuple[str, str]] = field(default_factory=Counter)
    heartbeats: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)
    stream: dict[int, int] = field(default_factory=dict)

    @property
    def all(self) -> Tally:
        return self.held + self.sealed

    @property
    def waiting(self) -> dict[tuple[str, str], Waiting]:
        begun: dict[tuple[str, str], list[int]] = defaultdict(list)
        for visit in self.present:
            # Leg 1 begins at the issue here: arrived and due belong to the clocks of norms.
            begun[visit.office, visit.service].append(visit.began["issued"])
        return {place: Waiting(len(instants), min(instants)) for place, instants in begun.items()}

    def day(self, office: str, pane: int) -> str:
        """ISO date of the business day to which a pane of an office belongs."""
        return business_day(pane, self.registry.offices[office], self.registry.cut_over_min).isoformat()

    def by_day(self, tally: Tally) -> Tally:
        """The same tally by business day in place of the pane."""
        days = Tally()
        for key, n in tally.counts.items():
            days.counts[key._replace(pane=self.day(key.office, int(key.pane)))] += n
        for place, ms in tally.sums.items():
            days.sums[place._replace(pane=self.day(place.office, int(place.pane)))] += ms
        return days

    def counts(self, norm: Norm, per: Per) -> dict[tuple[str, str], Counts]:
        """A norm's four counts over everything, for one `per`, by office and service."""
        places = {
            (office.id, service): Counts()
            for office in self.registry.offices.values()
            for service in (*office.services, OTHER)
            if office.id in norm.offices and service in norm.services
        }
        for key, n in self.all.counts.items():
            place = key.office, key.service
            if place in places and key.channel in norm.channels:
                places[place] = _plus(places[place], _counted(norm, per, key, n))
        return places

    def total(self, norm: Norm, per: Per) -> Counts:
        """The same over all its offices and services."""
        total = Counts()
        for counts in self.counts(norm, per).values():
            total = _plus(total, counts)
        return total


def _plus(one: Counts, other: Counts) -> Counts:
    return Counts(*(a + b for a, b in zip(one, other, strict=True)))


def _counted(norm: Norm, per: Per, key: Key, n: int) -> Counts:
    """What a contribution adds to the four counts of a norm read per leg, first or visit."""
    start, end = norm.clock.start.value, norm.clock.end.value
    if per is Per.LEG:
        answered = {f"{end}/{start}": n}
        left = {f"abandoned/{start}": n, f"no_show/{start}": n}
        if end == "called":
            answered[f"no_show/{start}"] = -n  # called(w) counts every call, also the one nobody followed
    else:
        answered = {f"{per.value}_answered/{start}/{end}": n}
        left = {f"{per.value}_left/{start}/{end}": n}
    within = key.seconds <= norm.threshold_s
    a, b = answered.get(key.name, 0), left.get(key.name, 0)
    return Counts(a, a * within, b, b * within)


# --- business days ---


def business_day(at: int, office: Office, cut_over_min: int) -> date:
    """The date on which the business day begins that holds an instant."""
    around = (EPOCH + timedelta(milliseconds=at)).astimezone(ZoneInfo(office.zone)).date()
    for day in (around + timedelta(days=1), around, around - timedelta(days=1)):
        if day_begins(day, office, cut_over_min) <= at:
            return day
    raise AssertionError((at, office, cut_over_min))


def day_begins(day: date, office: Office, cut_over_min: int) -> int:
    """The instant of the cut-over with which a business day begins."""
    cut_over = time(cut_over_min // 60, cut_over_min % 60)
    return (datetime.combine(day, cut_over, ZoneInfo(office.zone)) - EPOCH) // timedelta(milliseconds=1)


def next_cut_over(at: int, office: Office, cut_over_min: int) -> int:
    """The first cut-over after an instant; one at the instant itself has already been."""
    return day_begins(business_day(at, office, cut_over_min) + timedelta(days=1), office, cut_over_min)


# --- bytes to events ---

Check = Callable[[Any], bool]


def _text(longest: int) -> Check:
    return lambda value: isinstance(value, str) and 1 <= len(value) <= longest


def _whole(least: int, most: int) -> Check:
    def check(value: Any) -> bool:
        return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most

    return check


def _one_of(*values: str) -> Check:
    return lambda value: isinstance(value, str) and value in values


def _string(value: Any) -> bool:
    return isinstance(value, str)


def _sequence(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch("[0-9]{1,18}", value) is not None


def _flag(value: Any) -> bool:
    return isinstance(value, bool)


COMMON: dict[str, Check] = {"id": _text(128), "source": _text(256), "time": _string, "office": _text(64)}
ANYWHERE: dict[str, Check] = {"sequence": _sequence, "estimated": _flag}
TICKET: dict[str, Check] = {"ticket": _text(128)}
DESK: dict[str, Check] = {"desk": _text(64)}
SERVICE: dict[str, Check] = {"service": _text(64)}
REASON: dict[str, Check] = {"reason": _text(256)}

REQUIRED: dict[str, dict[str, Check]] = {
    **dict.fromkeys(TICKET_TYPES, TICKET),
    "ticket.issued": TICKET | SERVICE | {"channel": _one_of(*CHANNELS)},
    "ticket.transferred": TICKET | {"toservice": _text(64)},
    "ticket.closed": TICKET | {"reason": _one_of("reset", "forced_logout", "overnight")},
    "office.opened": {},
    "office.closed": {},
    "desk.opened": DESK,
    "desk.closed": DESK,
    "visitor.turned_away": {},
    "kiosk.heartbeat": {"kiosk": _text(64), "spooled": _whole(0, 2**31 - 1)},
}
OPTIONAL: dict[str, dict[str, Check]] = {
    "ticket.issued": {"due": _string, "arrived": _string},
    "ticket.called": DESK,
    "service.started": DESK,
    "service.ended": DESK | {"outcome": _one_of(*OUTCOMES[1:])},
    "ticket.requeued": SERVICE,
    "ticket.abandoned": REASON,
    "desk.opened": {"services": _text(1024)},
    "visitor.turned_away": SERVICE | REASON | {"count": _whole(1, 1000)},
    "kiosk.heartbeat": {"version": _text(256), "driftms": _whole(-(2**31), 2**31 - 1)},
}


def reason_of_bytes(value: bytes) -> Reason | None:
    """Why bytes are no event, or None when they are one; the first reason in the order of the definitions.

    Names that come twice and brackets nested by the hundred are left to the decoder's own tests.
    """
    if not value:
        return Reason.EMPTY
    try:
        body = json.loads(value.decode("utf-8"), parse_constant=_no_number)
        json.dumps(body, ensure_ascii=False).encode()  # half a surrogate pair is no text
    except (ValueError, RecursionError):
        return Reason.NOT_JSON
    if not isinstance(body, dict):
        return Reason.NOT_AN_OBJECT
    body = _said(body)
    if body.get("specversion") != "1.0":
        return Reason.WRONG_SPECVERSION
    if not isinstance(body.get("type"), str) or body["type"] not in REQUIRED:
        return Reason.UNKNOWN_TYPE
    return _reason_of_attributes(body) or _reason_of_instants(body)


def _no_number(constant: str) -> None:
    raise ValueError(constant)


def _said(body: dict[str, Any]) -> dict[str, Any]:
    """The attributes that an event has: to CloudEvents one that is null is left out."""
    return {name: value for name, value in body.items() if value is not None}


def _reason_of_attributes(body: dict[str, Any]) -> Reason | None:
    required = COMMON | REQUIRED[body["type"]]
    optional = ANYWHERE | OPTIONAL.get(body["type"], {})
    if any(name not in body for name in required):
        return Reason.MISSING_ATTRIBUTE
    if all(check(body[name]) for name, check in (required | optional).items() if name in body):
        return None
    return Reason.BAD_ATTRIBUTE


def _reason_of_instants(body: dict[str, Any]) -> Reason | None:
    names = ("time", "due", "arrived") if body["type"] == "ticket.issued" else ("time",)
    found = [instant(body[name]) for name in names if name in body]
    return next((reason for reason in (Reason.BAD_TIME, Reason.NAIVE_TIME) if reason in found), None)


def instant(text: str) -> int | Reason:
    """Milliseconds since 1970 of an RFC 3339 instant, finer digits cut off, or why it is none."""
    if not re.fullmatch(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:[0-5]\d)?", text, re.ASCII):
        return Reason.BAD_TIME
    try:
        at = datetime.fromisoformat(text.upper())
    except ValueError:
        return Reason.BAD_TIME
    ms = (at if at.tzinfo else at.replace(tzinfo=UTC)) - EPOCH
    if not 0 <= ms // timedelta(milliseconds=1) < 1 << 42:
        return Reason.BAD_TIME
    return ms // timedelta(milliseconds=1) if at.tzinfo else Reason.NAIVE_TIME


# --- events to facts ---


@dataclass(frozen=True)
class Fact:
    """An accepted event as understood: two equal facts are one.

    Of desks and reasons the definitions compare checksums; here the texts, which no log of the tests makes collide.
    """

    type: str
    time: int
    sequence: int
    service: str = ""
    channel: str = ""
    due: int | None = None
    arrived: int | None = None
    desk: str = ""
    services: str = ""
    outcome: str = "unstated"
    reason: str = ""
    estimated: bool = False

    @property
    def attributes(self) -> tuple[Any, ...]:
        """What decides figures, in the stated order; what is missing comes first."""
        return (
            -1 if self.due is None else self.due,
            -1 if self.arrived is None else self.arrived,
            (self.service != "", self.service != OTHER, self.service),
            ("", *CHANNELS).index(self.channel),
            OUTCOMES.index(self.outcome),
        )

    @property
    def place(self) -> tuple[Any, ...]:
        """Where it stands among the facts of a ticket."""
        rank = TICKET_TYPES.index(self.type)
        return (self.time, self.type != "ticket.issued", self.sequence, rank, self.attributes)


def fact_of(body: dict[str, Any], office: Office) -> Fact:
    """What an event says, in the words of the registry."""
    at = _ms(body["time"])
    named = body.get("toservice", body.get("service", ""))
    return Fact(
        type=body["type"],
        time=at,
        sequence=int(body.get("sequence", "0")),
        # A requeue may name no service and means the leg's then; everything else that names none is `other`.
        service="" if not named and body["type"] == "ticket.requeued" else offered(named, office),
        channel=body.get("channel", ""),
        due=_ms(body["due"]) if "due" in body else None,
        arrived=min(_ms(body["arrived"]), at) if "arrived" in body else None,
        desk=body.get("desk", ""),
        services=body.get("services", ""),
        outcome=body.get("outcome", "unstated"),
        reason=body.get("reason", ""),
        estimated=body.get("estimated", False),
    )


def _ms(text: str) -> int:
    at = instant(text)
    assert not isinstance(at, Reason), text
    return at


def offered(service: str, office: Office) -> str:
    """The service under which something is counted."""
    return service if service in office.services else OTHER


def _implausible(body: dict[str, Any]) -> bool:
    at = _ms(body["time"])
    if body["type"] != "ticket.issued":
        return False
    arrived = _ms(body["arrived"]) if "arrived" in body else at
    due = _ms(body["due"]) if "due" in body else at
    return not at - DAY <= arrived <= at + 5 * SECOND or abs(due - at) > 7 * DAY


# --- a visit ---


class State(Enum):
    """The columns of the table of a visit's life."""

    WAITING = auto()
    CALLED = auto()
    SERVING = auto()
    PAUSED = auto()
    ABSENT = auto()
    OVER = auto()
    NOT_ISSUED = auto()


@dataclass
class Leg:
    """One stretch of waiting; `until` is the instant at which it was abandoned, moved or closed."""

    service: str
    began: int
    called: int | None = None
    started: int | None = None
    how: Literal["", "no_show", "abandoned", "moved", "closed"] = ""
    until: int | None = None

    def reading(self, end: str) -> tuple[Literal["answered", "left", "neither"], int]:
        """Outcome and instant at which the waiting stopped, for a clock that ends at `called` or at `started`."""
        if self.how == "no_show":
            return "left", _known(self.called)
        if self.how == "abandoned":
            return "left", _known(self.until)
        answered = self.called if end == "called" else self.started
        return ("answered", answered) if answered is not None else ("neither", _known(self.until))


def _known(at: int | None) -> int:
    assert at is not None
    return at


class Served(NamedTuple):
    """A service that was rendered."""

    service: str
    ended: int
    lasted: int
    outcome: str


class Move(NamedTuple):
    """A transfer or a return to the queue."""

    name: str
    at: int
    service: str


class Visit:
    """The life that a set of facts tells."""

    def __init__(self, facts: Iterable[Fact]) -> None:
        self.facts = sorted(facts, key=lambda fact: fact.place)
        self.state = State.NOT_ISSUED
        self.issue: Fact | None = None
        self.legs: list[Leg] = []
        self.served: list[Served] = []
        self.moves: list[Move] = []
        self.end: int | None = None
        self.contradictions: Counter[str] = Counter()
        self._serving_since = self._paused_since = self._paused = 0
        for fact, at in self._in_place():
            if not self._happen(fact, at):
                self.contradictions[fact.type] += 1

    @property
    def last(self) -> int:
        """The time of the last fact."""
        return self.facts[-1].time

    @property
    def leg(self) -> Leg:
        """The present leg."""
        return self.legs[-1]

    def overnight(self, office: Office, cut_over_min: int, stream: int) -> None:
        """Close who is still here at the first cut-over after the last fact, once stream time has reached it."""
        cut_over = next_cut_over(self.last, office, cut_over_min)
        if self.state not in (State.NOT_ISSUED, State.ABSENT, State.OVER) and cut_over <= stream:
            self._closed(cut_over)

    def _in_place(self) -> Iterator[tuple[Fact, int]]:
        """The facts in the order and at the instants in which they take place."""
        first = next((fact for fact in self.facts if fact.type == "ticket.issued"), None)
        if first is None:
            yield from ((fact, fact.time) for fact in self.facts)
            return
        before = self.facts[: self.facts.index(first)]
        after = self.facts[len(before) + 1 :]
        yield from ((fact, fact.time) for fact in before if fact.time < first.time - SKEW)
        yield first, first.time
        yield from ((fact, first.time) for fact in before if fact.time >= first.time - SKEW)
        yield from ((fact, fact.time) for fact in after)

    def _happen(self, fact: Fact, at: int) -> bool:
        """Whether the fact has a place in the visit's life; if it has, live it."""
        lives: dict[str, Callable[[], bool]] = {
            "ticket.issued": lambda: self._issued(fact, at),
            "ticket.called": lambda: self._called(at),
            "ticket.no_show": lambda: self._no_show(at),
            "service.started": lambda: self._started(at),
            "service.paused": lambda: self._pause(at),
            "service.resumed": lambda: self._resume(at),
            "service.ended": lambda: self._ended(at, fact.outcome),
            "ticket.transferred": lambda: self._moved("transferred", at, fact.service),
            "ticket.requeued": lambda: self._moved("requeued", at, fact.service),
            "ticket.abandoned": lambda: self._abandoned(at),
            "ticket.closed": lambda: self._closed(at),
        }
        return lives[fact.type]()

    def _issued(self, fact: Fact, at: int) -> bool:
        if self.state is not State.NOT_ISSUED:
            return False
        self.issue = fact
        self._queue(fact.service, at)
        return True

    def _queue(self, service: str, at: int) -> None:
        self.legs.append(Leg(service, at))
        self.state, self.end = State.WAITING, None

    def _finish(self, at: int, state: State = State.OVER) -> bool:
        self.state, self.end = state, at
        return True

    def _called(self, at: int) -> bool:
        if self.state is State.ABSENT:
            self._queue(self.leg.service, _known(self.end))  # the visit had ended at the no-show
        if self.state is not State.WAITING:
            return False
        self.leg.called, self.state = at, State.CALLED
        return True

    def _no_show(self, at: int) -> bool:
        if self.state is not State.CALLED:
            return False
        self.leg.how = "no_show"
        return self._finish(at, State.ABSENT)

    def _started(self, at: int) -> bool:
        if self.state in (State.WAITING, State.ABSENT):
            self._called(at)
        if self.state is not State.CALLED:
            return False
        self._serve_since(at)
        return True

    def _serve_since(self, at: int) -> None:
        self.leg.started, self.state = at, State.SERVING
        self._serving_since, self._paused = at, 0

    def _serve_until(self, at: int, outcome: str) -> None:
        pause = self._paused + (at - self._paused_since if self.state is State.PAUSED else 0)
        self.served.append(Served(self.leg.service, at, at - self._serving_since - pause, outcome))

    def _pause(self, at: int) -> bool:
        if self.state is not State.SERVING:
            return False
        self.state, self._paused_since = State.PAUSED, at
        return True

    def _resume(self, at: int) -> bool:
        if self.state is not State.PAUSED:
            return False
        self.state, self._paused = State.SERVING, self._paused + at - self._paused_since
        return True

    def _ended(self, at: int, outcome: str) -> bool:
        if self.state is State.CALLED:
            self._serve_since(_known(self.leg.called))
        if self.state not in (State.SERVING, State.PAUSED):
            return False
        self._serve_until(at, outcome)
        return self._finish(at)

    def _moved(self, name: str, at: int, service: str) -> bool:
        if self.state is State.NOT_ISSUED:
            return False
        if self.state in (State.WAITING, State.CALLED):
            self.leg.how, self.leg.until = "moved", at
        elif self.state in (State.SERVING, State.PAUSED):
            self._serve_until(at, "unstated")
        self.moves.append(Move(name, at, self.leg.service))
        self._queue(service or self.leg.service, at)
        return True

    def _abandoned(self, at: int) -> bool:
        if self.state is not State.WAITING:
            return False
        self.leg.how, self.leg.until = "abandoned", at
        return self._finish(at)

    def _closed(self, at: int) -> bool:
        if self.state in (State.NOT_ISSUED, State.ABSENT, State.OVER):
            return False
        if self.state in (State.WAITING, State.CALLED):
            self.leg.how, self.leg.until = "closed", at
        return self._finish(at)

    def began(self, start: str, leg: Leg) -> int:
        """Beginning of a leg under a clock: `from` moves the beginning of leg 1 only."""
        assert self.issue is not None
        if leg is self.legs[0] and start == "arrived" and self.issue.arrived is not None:
            return self.issue.arrived
        if leg is self.legs[0] and start == "due" and self.issue.channel == "appointment":
            return max(self.issue.due or 0, leg.began)
        return leg.began

    def wait(self, start: str, leg: Leg, until: int) -> int:
        """Milliseconds from the beginning of a leg; called before the appointment is no wait."""
        return max(0, until - self.began(start, leg))


class Contribution(NamedTuple):
    """One contribution of a visit: its name, its instant, its service, its value in milliseconds if it has one."""

    name: str
    at: int
    service: str
    ms: int | None = None


def contributions(visit: Visit) -> list[Contribution]:
    """Everything that a visit contributes."""
    if visit.issue is None:
        return []
    found = [Contribution("issued", visit.issue.time, visit.issue.service)]
    found += [Contribution(f"served/{s.outcome}", s.ended, s.service, s.lasted) for s in visit.served]
    found += [Contribution(move.name, move.at, move.service) for move in visit.moves]
    for leg in visit.legs:
        found += _of_leg(visit, leg)
    if visit.end is not None:
        found += _of_visit(visit, visit.end)
    return found


def _of_leg(visit: Visit, leg: Leg) -> Iterator[Contribution]:
    for start in STARTS:
        if leg.called is not None:
            called = Contribution(f"called/{start}", leg.called, leg.service, visit.wait(start, leg, leg.called))
            yield called
            if leg.how == "no_show":
                yield called._replace(name=f"no_show/{start}")
        if leg.started is not None:
            yield Contribution(f"started/{start}", leg.started, leg.service, visit.wait(start, leg, leg.started))
        if leg.how == "abandoned":
            left = _known(leg.until)
            yield Contribution(f"abandoned/{start}", left, leg.service, visit.wait(start, leg, left))
    if leg.how == "closed" and leg.called is None:
        yield Contribution("closed", _known(leg.until), leg.service)


def _of_visit(visit: Visit, end: int) -> Iterator[Contribution]:
    first = visit.legs[0].service
    for start, to in product(STARTS, ENDS):
        readings = [leg.reading(to) for leg in visit.legs]
        waits = [visit.wait(start, leg, until) for leg, (_, until) in zip(visit.legs, readings, strict=True)]
        for per, outcome, wait in (("first", readings[0][0], waits[0]), ("visit", readings[-1][0], sum(waits))):
            if outcome != "neither":
                yield Contribution(f"{per}_{outcome}/{start}/{to}", end, first, wait)


# --- desks and offices ---


class Session(NamedTuple):
    """From opened to closed; `closed` is None while it is open."""

    opened: int
    closed: int | None


def sessions(facts: Iterable[Fact]) -> tuple[list[Session], Counter[str]]:
    """Sessions of a desk or an office within one business day, and the contradictions."""
    found: list[Session] = []
    contradictions: Counter[str] = Counter()
    opened: int | None = None
    for fact in sorted(facts, key=lambda f: (f.time, f.sequence, SESSION_TYPES.index(f.type))):
        opens = fact.type.endswith(".opened")
        if opens == (opened is not None):
            contradictions[fact.type] += 1
        elif opens:
            opened = fact.time
        else:
            found.append(Session(_known(opened), fact.time))
            opened = None
    if opened is not None:
        found.append(Session(opened, None))
    return found, contradictions


# --- the log ---


def compute(
    records: Iterable[Record],
    registry: Registry,
    *,
    partitions: int | None = None,
    classify: Callable[[bytes], Reason | None] = reason_of_bytes,
) -> Figures:
    """Every figure of a log.

    Args:
        records: in the order of the log; those of several partitions may be mixed, each has its own stream time.
        registry: the network.
        partitions: how many the topic has; given, every record is checked to lie in the partition of its key.
        classify: why bytes are no event, None when they are one.
    """
    figures = Figures(registry)
    logs: dict[int, Log] = {}
    for record in records:
        if record.partition not in logs:
            logs[record.partition] = Log(figures, record.partition, partitions, classify)
        logs[record.partition].read(record)
    for partition, log in logs.items():
        figures.stream[partition] = log.stream
        log.conclude()
    return figures


class Log:
    """One partition: the facts held, and the figures of those that were sealed."""

    def __init__(
        self, figures: Figures, partition: int, partitions: int | None, classify: Callable[[bytes], Reason | None]
    ) -> None:
        self.figures = figures
        self.registry = figures.registry
        self.partition = partition
        self.partitions = partitions
        self.classify = classify
        self.stream = -1
        self.tickets: dict[tuple[str, str], set[Fact]] = defaultdict(set)
        # By office, desk ("" for the office itself) and business day.
        self.places: dict[tuple[str, str, date], set[Fact]] = defaultdict(set)
        # By office, source and id.
        self.turned_away: dict[tuple[str, str, str], tuple[Fact, int]] = {}

    def read(self, record: Record) -> None:
        """Count, recognise or refuse a record."""
        account = self.figures.account
        account.read += 1
        before, self.stream = self.stream, max(self.stream, record.timestamp)
        if before // QUARTER < self.stream // QUARTER:
            self._seal()
        reason = self._reason(record)
        if reason is not None:
            account.refused[reason] += 1
        elif self._known_already(_said(json.loads(record.value or b""))):
            account.duplicate += 1
        else:
            account.counted += 1

    def _reason(self, record: Record) -> Reason | None:
        reason = self.classify(record.value or b"")
        if reason is not None:
            return reason
        body = _said(json.loads(record.value or b""))
        at, key = _ms(body["time"]), body["office"].encode()
        placed = self.partitions is None or partition_of(key, self.partitions) == self.partition
        refusals = {
            Reason.WRONG_KEY: record.key != key,
            Reason.UNKNOWN_OFFICE: body["office"] not in self.registry.offices,
            Reason.WRONG_PARTITION: not placed,
            Reason.IMPLAUSIBLE_TIME: _implausible(body),
            Reason.FROM_THE_FUTURE: at > record.timestamp + FUTURE,
            Reason.TOO_LATE: at < self.stream - self.registry.horizon_ms,
        }
        return next((reason for reason, applies in refusals.items() if applies), None)

    def _known_already(self, body: dict[str, Any]) -> bool:
        """Whether an accepted event is a duplicate; if not, keep it."""
        office = self.registry.offices[body["office"]]
        if body["type"] == "kiosk.heartbeat":
            return self._known_heartbeat(body)
        fact = fact_of(body, office)
        if body["type"] == "visitor.turned_away":
            name = (office.id, body["source"], body["id"])
            known = name in self.turned_away
            self.turned_away.setdefault(name, (fact, body.get("count", 1)))
            return known
        if body["type"] in SESSION_TYPES:
            day = business_day(fact.time, office, self.registry.cut_over_min)
            facts = self.places[office.id, fact.desk, day]
        else:
            facts = self.tickets[office.id, body["ticket"]]
        known = fact in facts
        facts.add(fact)
        return known

    def _known_heartbeat(self, body: dict[str, Any]) -> bool:
        kiosk, at = (body["office"], body["kiosk"]), _ms(body["time"])
        if kiosk in self.figures.heartbeats and at <= self.figures.heartbeats[kiosk][0]:
            return True
        self.figures.heartbeats[kiosk] = at, body["spooled"]
        return False

    def _seal(self) -> None:
        """Take what can no longer change to the sealed figures, and forget its facts."""
        edge = self.stream // QUARTER * QUARTER - self.registry.horizon_ms
        figures = self.figures
        for ticket, facts in list(self.tickets.items()):
            if max(fact.time for fact in facts) < edge and not self._is_held(ticket, edge):
                self._tell_visit(ticket, figures.sealed, figures.sealed_contradictions)
                del self.tickets[ticket]
        for name, (fact, _) in list(self.turned_away.items()):
            if fact.time < edge:
                self._tell_turned_away(name, figures.sealed)
                del self.turned_away[name]
        for place in list(self.places):
            if self._day_ends(place) < edge:
                self._tell_sessions(place, figures.sealed_contradictions)
                del self.places[place]

    def _is_held(self, ticket: tuple[str, str], edge: int) -> bool:
        """Whether a visit is still going on, or was closed overnight, without a fact, and not before the edge."""
        visit = Visit(self.tickets[ticket])
        visit.overnight(self.registry.offices[ticket[0]], self.registry.cut_over_min, self.stream)
        if visit.state in (State.WAITING, State.CALLED, State.SERVING, State.PAUSED):
            return True
        return visit.end is not None and visit.end >= edge

    def conclude(self) -> None:
        """Tell what is held at the final stream time."""
        figures = self.figures
        for (office, ticket), facts in self.tickets.items():
            assert facts
            visit = self._tell_visit((office, ticket), figures.held, figures.contradictions)
            if visit.state is State.WAITING:
                assert visit.issue is not None
                began = {start: visit.began(start, visit.leg) for start in STARTS}
                before = {
                    (start, to): sum(visit.wait(start, leg, leg.reading(to)[1]) for leg in visit.legs[:-1])
                    for start, to in product(STARTS, ENDS)
                }
                service, channel, first = visit.leg.service, visit.issue.channel, visit.issue.service
                figures.present.append(Present(office, ticket, service, channel, first, began, len(visit.legs), before))
        for name in self.turned_away:
            self._tell_turned_away(name, figures.held)
        open_now = {place[:2] for place in self.places if self._tell_sessions(place, figures.contradictions)}
        figures.open_offices |= {office for office, desk in open_now if not desk}
        for office, count in Counter(office for office, desk in open_now if desk).items():
            figures.open_desks[office] = figures.open_desks.get(office, 0) + count

    def _tell_visit(self, ticket: tuple[str, str], tally: Tally, contradictions: Counter[tuple[str, str]]) -> Visit:
        visit = Visit(self.tickets[ticket])
        office = self.registry.offices[ticket[0]]
        visit.overnight(office, self.registry.cut_over_min, self.stream)
        for name, at, service, ms in contributions(visit):
            assert visit.issue is not None
            place = SumKey(office.id, service, visit.issue.channel, at // PANE * PANE, name)
            tally.counts[Key(*place, seconds=-(-(ms or 0) // SECOND))] += 1
            if ms:
                tally.sums[place] += ms
        for type_, n in visit.contradictions.items():
            contradictions[office.id, type_] += n
        return visit

    def _tell_turned_away(self, name: tuple[str, str, str], tally: Tally) -> None:
        fact, count = self.turned_away[name]
        tally.counts[Key(name[0], fact.service, "", fact.time // PANE * PANE, "turned_away", 0)] += count

    def _day_ends(self, place: tuple[str, str, date]) -> int:
        office, _, day = place
        return day_begins(day + timedelta(days=1), self.registry.offices[office], self.registry.cut_over_min)

    def _tell_sessions(self, place: tuple[str, str, date], contradictions: Counter[tuple[str, str]]) -> bool:
        """Add the sessions of a desk or office on one day to the figures; whether it is open now."""
        office, desk, day = place
        found, wrong = sessions(self.places[place])
        end = self._day_ends(place)
        opened = self.figures.desk_ms if desk else self.figures.office_ms
        for session in found:
            closed = min(self.stream, end) if session.closed is None else session.closed
            opened[office, day.isoformat()] += max(0, closed - session.opened)
        for type_, n in wrong.items():
            contradictions[office, type_] += n
        return bool(found) and found[-1].closed is None and self.stream < end


# --- partitions ---


def partition_of(key: bytes, partitions: int) -> int:
    """The partition that Kafka's own producers give a key: its 32-bit murmur2, the sign bit dropped, modulo."""
    m, mask = 0x5BD1E995, 0xFFFFFFFF
    h = 0x9747B28C ^ len(key)
    whole = len(key) - len(key) % 4
    for i in range(0, whole, 4):
        k = int.from_bytes(key[i : i + 4], "little") * m & mask
        k = (k ^ k >> 24) * m & mask
        h = (h * m & mask) ^ k
    if whole < len(key):
        h = (h ^ int.from_bytes(key[whole:], "little")) * m & mask
    h = (h ^ h >> 13) * m & mask
    return (h ^ h >> 15) % (1 << 31) % partitions
