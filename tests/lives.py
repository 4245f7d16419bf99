"""Logs of random lives: what offices, desks, kiosks and the network between them do to a log.

`logs()` is a Hypothesis strategy, `random_log(seed, events)` a seeded generator for long campaigns; both build a `Log`
in the same way, which asks a `Choices` for every decision. Lives are proper ones with odd steps in between: missing and
double calls, no-shows that are called again, moves before, during and after service, clocks of whole seconds, clocks
that run apart. On the way to the log events are held back, delivered twice, lost, altered, or broken.
"""

import json
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, NamedTuple, Protocol, TypeVar

from hypothesis import strategies as st

from attente.registry.entities import (
    OTHER,
    Clock,
    Detail,
    End,
    Left,
    Norm,
    Office,
    Per,
    Registry,
    Service,
    Start,
    StillWaiting,
)
from oracle import (
    CHANNELS,
    DAY,
    FUTURE,
    HOUR,
    MINUTE,
    QUARTER,
    SECOND,
    TICKET_TYPES,
    Record,
    next_cut_over,
    partition_of,
)

T = TypeVar("T")


@dataclass(frozen=True)
class Log:
    """A log and the network it comes from; `partitions` is None when the log is of one partition, unchecked."""

    registry: Registry
    records: list[Record]
    partitions: int | None = None


@dataclass(frozen=True)
class Profile:
    """How a log is built; shares are in percent.

    Attributes:
        tickets: the least and the most lives.
        span_ms: within which lives begin; None chooses between minutes, hours and a bit more than a day.
        odd: steps of a life that any type may take.
        gaps: events that are lost.
        held_back: events that reach the log late, most of them within the horizon.
        repeated: events delivered again.
        twins: events followed by a copy that differs in one attribute.
        broken: events with a wrong key, an unknown office, an instant at the limits, or bytes that are no event.
        cut: logs that end before everything has happened.
        ties: whether twins may differ in an attribute that decides figures at the same time and sequence.
        horizons: the horizons to choose from, in milliseconds.
    """

    tickets: tuple[int, int] = (1, 6)
    span_ms: int | None = None
    odd: int = 8
    gaps: int = 6
    held_back: int = 12
    repeated: int = 5
    twins: int = 5
    broken: int = 5
    cut: int = 40
    ties: bool = True
    horizons: tuple[int, ...] = (24 * HOUR, HOUR, 2 * HOUR, 3 * HOUR)


# --- who decides ---


class Choices(Protocol):
    """Decides; the simplest decision is the first or least."""

    def whole(self, least: int, most: int) -> int: ...

    def one(self, options: Sequence[T]) -> T: ...

    def chance(self, percent: int) -> bool: ...

    def times(self, least: int, most: int) -> Iterator[int]: ...


class Dice:
    """Decides by a seeded generator."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - repeatable, not secret

    def whole(self, least: int, most: int) -> int:
        return self._random.randint(least, most)

    def one(self, options: Sequence[T]) -> T:
        return self._random.choice(options)

    def chance(self, percent: int) -> bool:
        return self._random.randrange(100) < percent

    def times(self, least: int, most: int) -> Iterator[int]:
        return iter(range(self.whole(least, most)))


class Drawn:
    """Decides by Hypothesis, so that a failing log shrinks."""

    def __init__(self, draw: st.DrawFn) -> None:
        self._draw = draw

    def whole(self, least: int, most: int) -> int:
        return self._draw(st.integers(least, most))

    def one(self, options: Sequence[T]) -> T:
        return self._draw(st.sampled_from(options))

    def chance(self, percent: int) -> bool:
        return percent > 0 and self._draw(st.integers(0, 99)) >= 100 - percent

    def times(self, least: int, most: int) -> Iterator[int]:
        # A decision before every round lets Hypothesis cut rounds out of the middle.
        for i in range(most):
            if i >= least and self._draw(st.integers(0, 9)) == 0:
                return
            yield i


# --- the network ---

ZONES = ("Europe/Paris", "Asia/Kolkata", "America/St_Johns")
SERVICES = ("cash", "papers", "advice")
ELSEWHERE = "nowhere"
UNOFFERED = "ghost"

ANCHORS = (
    "2026-03-10T09:00:00Z",
    "2026-03-10T00:30:00Z",  # before the cut-over in Paris at 02:00Z
    "2026-03-10T20:00:00Z",  # before the cut-over in Kolkata at 21:30Z
    "2026-03-28T21:30:00Z",  # the night of 23 hours in Paris: 02:00 does not exist, the cut-over is at 01:00Z
    "2026-10-24T21:30:00Z",  # the night of 25 hours in Paris: 02:00 is twice, the cut-over is at 02:00Z
)
CLOCKS = tuple(Clock(start, end, Per.LEG) for start in Start for end in End)
THRESHOLDS = (60, 1200, 1, 300)


def _registry(choices: Choices, profile: Profile) -> Registry:
    offices = {}
    for i in choices.times(1, 3):
        services = SERVICES[: choices.whole(1, 3)] if i else SERVICES[:2]
        office = Office(
            f"o{i}", f"Office {i}", "south" if i else "north", choices.one(ZONES), services, kiosks=("1",)[i:]
        )
        offices[office.id] = office
    norms = [_norm(choices, i, frozenset(offices)) for i in range(2)]
    return Registry(
        network="test",
        cut_over_min=choices.one((180, 0, 270)),
        horizon_ms=choices.one(profile.horizons),
        detail=Detail.SERVICE,
        offices=offices,
        services={service: Service(service, service.title()) for service in SERVICES},
        norms={norm.id: norm for norm in norms},
    )


def _norm(choices: Choices, i: int, offices: frozenset[str]) -> Norm:
    return Norm(
        id=f"n{i}",
        title=f"Norm {i}",
        threshold_s=choices.one(THRESHOLDS),
        target_milli=85_000,
        clock=replace(choices.one(CLOCKS), per=choices.one(tuple(Per))),
        channels=frozenset(CHANNELS if i == 0 else choices.one((CHANNELS, CHANNELS[:2], CHANNELS[2:]))),
        left=choices.one(tuple(Left)),
        still_waiting=choices.one(tuple(StillWaiting)),
        offices=offices if i == 0 else frozenset({"o0"}),
        services=frozenset((*SERVICES, OTHER) if i == 0 else SERVICES[:1]),
    )


# --- what happens in the offices ---


@dataclass
class Happening:
    """Something that happens at `at`, of which a clock says `shown`; `body` lacks what every event carries."""

    at: int
    body: dict[str, Any]
    shown: int = field(default=-1)

    def __post_init__(self) -> None:
        if self.shown < 0:
            self.shown = self.at


NEXT = {
    "waiting": (
        *("ticket.called",) * 8,
        *("service.started", "ticket.abandoned") * 2,
        "ticket.transferred",
        "ticket.requeued",
        "ticket.closed",
    ),
    "called": (
        *("service.started",) * 6,
        *("ticket.no_show",) * 3,
        "service.ended",
        "ticket.requeued",
        "ticket.transferred",
        "ticket.closed",
    ),
    "serving": (
        *("service.ended",) * 6,
        *("service.paused",) * 2,
        "ticket.transferred",
        "ticket.requeued",
        "ticket.closed",
    ),
    "paused": ("service.resumed", "service.resumed", "service.ended", "ticket.transferred", "ticket.closed"),
    "absent": ("ticket.called", "service.started", "ticket.requeued", "ticket.transferred"),
    "over": ("ticket.transferred", "ticket.requeued"),
}
THEN = {
    "ticket.called": "called",
    "ticket.no_show": "absent",
    "service.started": "serving",
    "service.paused": "paused",
    "service.resumed": "serving",
    "service.ended": "over",
    "ticket.transferred": "waiting",
    "ticket.requeued": "waiting",
    "ticket.abandoned": "over",
    "ticket.closed": "over",
}
ENOUGH = {"over": 75, "absent": 40}  # percent of lives that end there
PAUSES = (
    *(0, 0, 400, 1_000, 600, 4_000, 30_000, 59_000, 60_000, 60_001, 90_400, 299_000, 300_000, 300_400, 600_000),
    *(QUARTER, 1_199_000, 1_200_000, 1_200_400, 1_201_000, HOUR),
)
LONG_PAUSES = (2 * HOUR, 50 * MINUTE, 3 * HOUR + 1, 10 * HOUR, 23 * HOUR, 25 * HOUR)
SKEWS = (0, 0, 300, -300, 2_000, -2_000, -4_999, -5_000, -5_001, 6_000, -6_000)


def _life(choices: Choices, profile: Profile, office: Office, ticket: str, begin: int) -> list[Happening]:
    """One visit as its kiosk and its desk report it; the desk's clock may run apart, both may show whole seconds."""
    issued = Happening(begin, {"type": "ticket.issued", "ticket": ticket, **_asked_for(choices, office, begin)})
    found = [issued]
    coarse, skew = choices.chance(25), choices.one(SKEWS)
    state, at = "waiting", begin
    for _ in choices.times(0, 9):
        if choices.chance(ENOUGH.get(state, 0)):
            break
        at += choices.one(LONG_PAUSES) if choices.chance(3) else choices.one(PAUSES)
        type_ = choices.one(TICKET_TYPES) if choices.chance(profile.odd) else choices.one(NEXT[state])
        attributes = _asked_for(choices, office, at) if type_ == "ticket.issued" else _details(choices, office, type_)
        found.append(Happening(at, {"type": type_, "ticket": ticket, **attributes}, at + skew))
        state = THEN.get(type_, state)
    if coarse:
        for happening in found:
            happening.shown = happening.shown // SECOND * SECOND
    return found


def _service(choices: Choices, office: Office) -> str:
    return UNOFFERED if choices.chance(8) else choices.one((*office.services, SERVICES[-1]))


def _asked_for(choices: Choices, office: Office, at: int) -> dict[str, Any]:
    wanted: dict[str, Any] = {"service": _service(choices, office), "channel": choices.one(CHANNELS)}
    if choices.chance(70 if wanted["channel"] == "appointment" else 5):
        ahead = (7 * DAY + 1, -7 * DAY - 1, 7 * DAY, -7 * DAY) if choices.chance(4) else (600_000, 0, 60_400, -600_000)
        wanted["due"] = text_of(at + choices.one(ahead))
    if choices.chance(30):
        before = (DAY, -5_001, DAY + 1) if choices.chance(4) else (30_000, 0, 400, 1_200_000, 1_200_400, -3_000, -5_000)
        wanted["arrived"] = text_of(at - choices.one(before))
    return wanted


DETAILS: dict[str, tuple[str, int, tuple[str, ...]]] = {
    # type: attribute, in how many percent of events, values
    "ticket.called": ("desk", 30, ("d1", "d2")),
    "service.started": ("desk", 30, ("d1", "d2")),
    "service.ended": ("outcome", 70, ("resolved", "pending", "referred")),
    "ticket.abandoned": ("reason", 30, ("too long", "wrong office")),
    "ticket.closed": ("reason", 100, ("reset", "forced_logout", "overnight")),
}


def _details(choices: Choices, office: Office, type_: str) -> dict[str, Any]:
    if type_ == "ticket.transferred":
        return {"toservice": _service(choices, office)}
    if type_ == "ticket.requeued":
        return {"service": _service(choices, office)} if choices.chance(40) else {}
    if type_ not in DETAILS:
        return {}
    attribute, percent, values = DETAILS[type_]
    return {attribute: choices.one(values)} if choices.chance(percent) else {}


def _surroundings(choices: Choices, office: Office, begin: int, span: int, most: int) -> Iterator[Happening]:
    """Desks and the office open and close, visitors are turned away, kiosks give signs of life."""
    for _ in choices.times(0, most):
        at = begin + choices.one((0, 1_000, 300_000, QUARTER)) + choices.whole(0, span // SECOND) * SECOND
        kind = choices.one(("desk", "desk", "desk", "office", "turned_away", "heartbeat"))
        if kind == "desk":
            desk = choices.one(("d1", "d2"))
            yield Happening(at, {"type": choices.one(("desk.opened", "desk.closed")), "desk": desk})
            if choices.chance(50):
                # A shift change at one instant, or a second later.
                then = choices.one(("desk.opened", "desk.closed"))
                yield Happening(at + choices.one((0, 1_000)), {"type": then, "desk": desk})
        elif kind == "office":
            yield Happening(at, {"type": choices.one(("office.opened", "office.closed"))})
        elif kind == "turned_away":
            # Few ids, so that one comes again with another time and another count.
            body: dict[str, Any] = {"type": "visitor.turned_away", "id": f"t{choices.whole(1, 4)}"}
            body |= {"count": choices.whole(1, 3)} if choices.chance(50) else {}
            body |= {"service": _service(choices, office)} if choices.chance(60) else {}
            yield Happening(at, body)
        else:
            yield Happening(at, _heartbeat(choices.one(("k1", "k2")), choices.whole(0, 5)))


def _heartbeat(kiosk: str, spooled: int = 0) -> dict[str, Any]:
    return {"type": "kiosk.heartbeat", "kiosk": kiosk, "spooled": spooled}


def _number(happenings: list[Happening]) -> None:
    """Give an office's events the sequence in which they happened, as a system with coarse clocks does."""
    for i, happening in enumerate(sorted(happenings, key=lambda h: h.at)):
        happening.body["sequence"] = f"{i + 1:012d}"


# --- from the offices to the log ---


class Sent(NamedTuple):
    """An event on its way: when it happened by its own clock, when it reaches the log, whose key it bears."""

    time: int
    reaches: int
    key: bytes | None
    value: bytes | None


LAYOUTS = (
    "{:%Y-%m-%dT%H:%M:%S}.{ms:03d}Z",
    "{:%Y-%m-%dT%H:%M:%S}.{ms:03d}{offset}",
    "{:%Y-%m-%dt%H:%M:%S}.{ms:03d}499z",
)


def text_of(at: int, layout: int = 0) -> str:
    """An instant as RFC 3339, in one of several layouts that mean the same."""
    offset = (0, 60, 330)[at // SECOND % 3] if layout == 1 else 0
    local = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at)
    local = local.astimezone(timezone(timedelta(minutes=offset)))
    sign = f"+{offset // 60:02d}:{offset % 60:02d}"
    return LAYOUTS[layout].format(local, ms=at % SECOND, offset=sign)


def _bytes(body: dict[str, Any]) -> bytes:
    return json.dumps(body, separators=(",", ":")).encode()


TWINS = ("id", "source", "unknown", "layout", "sequence", "desk", "estimated", "reason", "shift")
TIED_TWINS = ("service", "toservice", "channel", "outcome", "arrived", "due")


def _twin(choices: Choices, profile: Profile, body: dict[str, Any], at: int) -> dict[str, Any]:
    """A copy that differs in one attribute, of which some make another fact and some do not."""
    change = choices.one(TWINS + TIED_TWINS if profile.ties else TWINS)
    twin = dict(body)
    values: dict[str, tuple[Any, ...]] = {
        "id": (f"{body['id']}-again",),
        "source": ("/elsewhere",),
        "unknown": (1,),
        "sequence": ("0", "7", "000000000007"),
        "estimated": (True, False),
        "desk": ("d1", "d2"),
        "reason": ("wrong office", "bored") if body["type"] == "ticket.abandoned" else ("reset", "forced_logout"),
        "service": (*SERVICES, UNOFFERED),
        "toservice": (*SERVICES, UNOFFERED),
        "channel": CHANNELS,
        "outcome": ("resolved", "pending", None),
        "arrived": (text_of(at), text_of(at - 30_000), text_of(at + 3_000)),
        "due": (text_of(at), text_of(at + 600_000)),
    }
    if change == "layout":
        twin["time"] = text_of(at, choices.one((1, 2)))
    elif change == "shift":
        twin["time"] = text_of(at + choices.one((1, -1, 1_000)))
    elif change in ("id", "source", "unknown", "sequence", "estimated") or change in twin:
        twin[change] = choices.one(values[change])
    return twin


def _break(choices: Choices, world: "World", body: dict[str, Any], at: int) -> Sent:
    """An event that is refused, or only just accepted."""
    key, value, horizon = body["office"].encode(), _bytes(body), world.registry.horizon_ms
    foreign = (b"o0", b"o1", b"", ELSEWHERE.encode(), None)
    broken: tuple[Callable[[], Sent], ...] = (
        lambda: Sent(at, at, choices.one(foreign), value),
        lambda: Sent(at, at, ELSEWHERE.encode(), _bytes(body | {"office": ELSEWHERE})),
        lambda: Sent(at, at, key, _malformed(choices, body)),
        lambda: Sent(at, at - FUTURE - choices.one((0, 1, -1, MINUTE)), key, value),
        lambda: Sent(at, at + horizon + choices.one((0, 1, -1, MINUTE, HOUR)), key, value),
        lambda: _tick(choices, world, body["office"], at),
    )
    return choices.one(broken)()


def _tick(choices: Choices, world: "World", office: str, at: int) -> Sent:
    """A sign of life at or beside an instant at which what happened at `at` closes overnight or is sealed."""
    registry = world.registry
    cut_over = next_cut_over(at, registry.offices[office], registry.cut_over_min)
    sealed = -(-(at + 1 + registry.horizon_ms) // QUARTER) * QUARTER
    when = choices.one((cut_over, sealed)) + choices.one((0, -1, 1))
    return Sent(when, when, office.encode(), _bytes(world.event(_heartbeat("clock"), office, when)))


def _malformed(choices: Choices, body: dict[str, Any]) -> bytes | None:
    """Bytes with one defect each."""
    whole = _bytes(body)
    return choices.one(
        (
            None,
            b"",
            whole[:-1],
            b"\xff" + whole,
            b"[1]",
            b'"event"',
            _bytes(body | {"specversion": "0.3"}),
            _bytes({name: value for name, value in body.items() if name != "specversion"}),
            _bytes(body | {"type": "ticket.eaten"}),
            _bytes({name: value for name, value in body.items() if name != "source"}),
            _bytes(body | {"id": 7}),
            _bytes(body | {"estimated": "yes"}),
            _bytes(body | {"sequence": "first"}),
            _bytes(body | {"time": "2026-02-30T09:00:00Z"}),
            _bytes(body | {"time": "on Tuesday morning"}),
            _bytes(body | {"time": "2026-03-10T09:00:00.000"}),
        )
    )


@dataclass
class World:
    """A network and the number of events it has sent."""

    registry: Registry
    events: int = 0

    def event(self, body: dict[str, Any], office: str, at: int, layout: int = 0) -> dict[str, Any]:
        """A whole CloudEvent; ids are unique unless the body names one."""
        self.events += 1
        common = {"specversion": "1.0", "id": f"e{self.events}", "source": f"/offices/{office}/kiosks/1"}
        return common | {"time": text_of(at, layout), "office": office} | body


def _send(choices: Choices, profile: Profile, world: World, office: str, happening: Happening) -> Iterator[Sent]:
    """What reaches the log of something that happened."""
    if choices.chance(profile.gaps):
        return
    at = happening.shown
    body = world.event(happening.body, office, at, choices.one((0, 0, 0, 1, 2)))
    if choices.chance(profile.broken):
        yield _break(choices, world, body, at)
        if choices.chance(50):
            return
    reaches = at
    if choices.chance(profile.held_back):
        most = world.registry.horizon_ms // MINUTE
        reaches += choices.whole(0, most) * MINUTE if choices.chance(90) else (most + choices.whole(0, 60)) * MINUTE
    elif choices.chance(10):
        reaches += choices.one((300, -300, 2_000, MINUTE, -MINUTE, -FUTURE))
    sent = Sent(at, reaches, office.encode(), _bytes(body))
    yield sent
    if choices.chance(profile.repeated):
        yield sent._replace(reaches=reaches + choices.one((0, 1_000, HOUR, world.registry.horizon_ms)))
    if choices.chance(profile.twins):
        twin = _twin(choices, profile, body, at)
        shifted = (twin["time"] != body["time"] and at) or at
        yield Sent(shifted, reaches + choices.one((0, 1_000, -1_000)), office.encode(), _bytes(twin))


def build_log(choices: Choices, profile: Profile, partitions: int | None = None) -> Log:
    """A log, every decision of which `choices` takes."""
    registry = _registry(choices, profile)
    begin = _ms_of(choices.one(ANCHORS))
    span = choices.one((10 * MINUTE, 3 * HOUR, 26 * HOUR)) if profile.span_ms is None else profile.span_ms
    world = World(registry)
    offices = tuple(registry.offices.values())
    happenings: dict[str, list[Happening]] = {office.id: [] for office in offices}
    lives = 0
    for i in choices.times(*profile.tickets):
        lives += 1
        office = choices.one(offices)
        starts = begin + choices.whole(0, span // MINUTE) * MINUTE + choices.one((0, 0, 120, 999))
        happenings[office.id] += _life(choices, profile, office, f"t{i}", starts)
    sent: list[Sent] = []
    for office in offices:
        happenings[office.id] += _surroundings(choices, office, begin, span, 8 + lives // 10)
        if choices.chance(30):
            _number(happenings[office.id])
        for happening in happenings[office.id]:
            sent += _send(choices, profile, world, office.id, happening)
    sent += [
        _tick(choices, world, choices.one(offices).id, choices.one(sent).time) for _ in choices.times(0, 3) if sent
    ]
    records = _log(choices, sent, partitions)
    if records and choices.chance(profile.cut):
        # In the middle of the day visitors wait, desks are open, and little is sealed.
        records = records[: choices.whole(1, len(records))]
    return Log(registry, records, partitions)


def _ms_of(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp()) * SECOND


def _log(choices: Choices, sent: list[Sent], partitions: int | None) -> list[Record]:
    """Append what was sent: stamped on arrival by the broker, or as an archive with the events' own times."""
    live = choices.chance(50)
    records = []
    offsets: Counter[int] = Counter()
    for event in sorted(sent, key=lambda s: s.reaches):
        # An event from the future has to be so in an archive too.
        stamp = event.reaches if live else min(event.time, event.reaches)
        partition = 0 if partitions is None else partition_of(event.key or b"", partitions)
        if partitions is not None and choices.chance(1):
            partition = choices.whole(0, partitions - 1)
        records.append(Record(offsets[partition], max(0, stamp), event.key, event.value, partition))
        offsets[partition] += 1
    return records


# --- for the tests ---


@st.composite
def logs(draw: st.DrawFn, profile: Profile = Profile(), partitions: int | None = None) -> Log:
    """Short logs that shrink: up to six lives over one to three offices."""
    return build_log(Drawn(draw), profile, partitions)


def random_log(
    seed: int, events: int, *, profile: Profile | None = None, partitions: int | None = None, days: int = 3
) -> Log:
    """A log of so many records, the same for the same seed; it ends in the middle of things.

    Args:
        seed: of every decision.
        events: how many records at most.
        profile: how it is built; its `tickets`, `span_ms` and `cut` follow from `events` and `days`.
        partitions: how many the topic has.
        days: over how many days the lives begin.
    """
    lives = max(1, events // 3)  # a life has four or five events, so that the last lives are cut off
    profile = replace(profile or Profile(), tickets=(lives, lives), span_ms=days * DAY, cut=0)
    log = build_log(Dice(seed), profile, partitions)
    return replace(log, records=log.records[:events])
