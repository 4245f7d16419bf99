"""Good events in good order, and twenty ways in which a record can be no event."""

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from attente.model.reasons import Reason
from handtape import CASH, LILLE, PAPERS, PUNE, ms
from lives import text_of
from oracle import Record, partition_of

INVALID = Path(__file__).parents[2] / "schemas" / "examples" / "invalid"
OFFICES = {LILLE: (CASH, PAPERS), PUNE: (CASH,)}
BEGIN = ms("08:00:00")
HOUR = 3_600_000


class Draft(NamedTuple):
    """A record before it has an offset, and why it must be refused ("" must not)."""

    timestamp: int
    key: bytes | None
    value: bytes | None
    partition: int
    reason: str = ""


@dataclass
class Tape:
    """Records in the order in which they are written, and of the malformed ones the reason, by place."""

    records: list[Record] = field(default_factory=list)
    reasons: dict[tuple[int, int], str] = field(default_factory=dict)
    offsets: dict[int, int] = field(default_factory=dict)

    def add(self, draft: Draft) -> None:
        """The next record of its partition."""
        offset = self.offsets.get(draft.partition, 0)
        self.offsets[draft.partition] = offset + 1
        self.records.append(Record(offset, draft.timestamp, draft.key, draft.value, draft.partition))
        if draft.reason:
            self.reasons[draft.partition, offset] = draft.reason


def event(type_: str, at: int, office: str, number: int, **attributes: Any) -> dict[str, Any]:
    """A sound event."""
    return {
        "specversion": "1.0",
        "id": f"{office}-{number}",
        "source": f"/offices/{office}/kiosks/1",
        "type": type_,
        "time": text_of(at),
        "office": office,
    } | attributes


def good(lives: int, partitions: int) -> Iterator[Draft]:
    """Lives of four events each, one a second in turn in every office."""
    for i in range(lives):
        office = list(OFFICES)[i % len(OFFICES)]
        ticket = {"ticket": f"2026-03-10/{i}"}
        service = OFFICES[office][i % len(OFFICES[office])]
        for n, (type_, more) in enumerate(
            (
                ("ticket.issued", {"service": service, "channel": "walkin"}),
                ("ticket.called", {"desk": "d1"}),
                ("service.started", {}),
                ("service.ended", {"outcome": "resolved"}),
            )
        ):
            at = BEGIN + 1000 * i + n
            body = event(type_, at, office, 4 * i + n, **ticket, **more)
            yield Draft(at, office.encode(), encoded(body), partition_of(office.encode(), partitions))


def encoded(body: object) -> bytes:
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()


Change = Callable[[dict[str, Any], int], bytes | None]


def changed(**attributes: Any) -> Change:
    """Other attributes; None leaves one out."""
    return lambda body, _: encoded({k: v for k, v in (body | attributes).items() if v is not None})


VALUES: dict[str, tuple[Reason, Change]] = {
    "no value": (Reason.EMPTY, lambda *_: None),
    "nothing in the value": (Reason.EMPTY, lambda *_: b""),
    "noise": (Reason.NOT_JSON, lambda *_: bytes(range(256))),
    "broken off": (Reason.NOT_JSON, lambda body, _: encoded(body)[:-9]),
    "latin-1": (Reason.NOT_JSON, lambda body, _: encoded(body | {"ticket": "é"}).decode().encode("latin-1")),
    "a thousand brackets": (Reason.NOT_JSON, lambda *_: b"[" * 1000 + b"]" * 1000),
    "a list": (Reason.NOT_AN_OBJECT, lambda body, _: encoded([body])),
    "an old version": (Reason.WRONG_SPECVERSION, changed(specversion="0.3")),
    "an unknown type": (Reason.UNKNOWN_TYPE, changed(type="ticket.eaten")),
    "no ticket": (Reason.MISSING_ATTRIBUTE, changed(ticket=None)),
    "a ticket that is a number": (Reason.BAD_ATTRIBUTE, changed(ticket=42)),
    "a day that does not exist": (Reason.BAD_TIME, changed(time="2026-02-30T09:00:00Z")),
    "a time without offset": (Reason.NAIVE_TIME, lambda body, at: encoded(body | {"time": text_of(at)[:-1]})),
    "a door time after the issue": (
        Reason.IMPLAUSIBLE_TIME,
        lambda body, at: encoded(body | {"arrived": text_of(at + 5_001)}),
    ),
    "from the future": (
        Reason.FROM_THE_FUTURE,
        lambda body, at: encoded(body | {"time": text_of(at + 5 * 60_000 + 1)}),
    ),
    "too late": (Reason.TOO_LATE, lambda body, _: encoded(body | {"time": text_of(BEGIN - 24 * HOUR - 1)})),
}
PLACES = ("a wrong key", "no key", "an unknown office", "a wrong partition")
KINDS = (*VALUES, *PLACES)


def malformed(kind: str, at: int, number: int, partitions: int) -> Draft:
    """A record of a kind, unlike every other one."""
    office = LILLE
    key: bytes | None = office.encode()
    home = partition_of(office.encode(), partitions)
    body = event(
        "ticket.issued", at, office, 1_000_000 + number, ticket=f"bad-{number}", service=CASH, channel="walkin"
    )
    if kind in VALUES:
        reason, change = VALUES[kind]
        value = change(body, at)
        if value and kind in {"noise", "a thousand brackets"}:
            value += str(number).encode()
        return Draft(at, key, value, home, reason.value)
    reason = Reason.WRONG_KEY
    if kind == "a wrong key":
        key = PUNE.encode()
    elif kind == "no key":
        key = None
    elif kind == "an unknown office":
        key, reason = b"atlantis", Reason.UNKNOWN_OFFICE
        body["office"] = "atlantis"
        home = partition_of(key, partitions)
    else:
        home, reason = (home + 1) % partitions, Reason.WRONG_PARTITION
    return Draft(at, key, encoded(body), home, reason.value)


def examples(at: int, partitions: int) -> Iterator[Draft]:
    """Every example of the contract that must be refused by its bytes; their offices are not of our registry."""
    index = json.loads((INVALID / "index.json").read_bytes())
    home = partition_of(LILLE.encode(), partitions)
    for file, said in index.items():
        if said["reason"] == Reason.IMPLAUSIBLE_TIME:
            continue  # decided after the key, which is wrong here
        yield Draft(at, LILLE.encode(), (INVALID / file).read_bytes(), home, said["reason"])


def tape(lives: int, bad: int, partitions: int, *, seed: int = 1) -> Tape:
    """So many good lives with so many malformed records strewn among them, as many of each kind."""
    dice = random.Random(seed)  # noqa: S311 - repeatable, not secret
    kinds = [KINDS[i % len(KINDS)] for i in range(bad)]
    dice.shuffle(kinds)
    drafts = list(good(lives, partitions))
    # Behind the first event of every office, so that stream time has begun.
    places = sorted(dice.choices(range(8, len(drafts)), k=bad))
    found = Tape()
    number = 0
    for i, draft in enumerate(drafts):
        found.add(draft)
        while number < bad and places[number] == i:
            found.add(malformed(kinds[number], draft.timestamp, number, partitions))
            number += 1
    return found
