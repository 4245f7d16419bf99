"""A partition's state as values: cut, encoded, decoded, hashed.

`cut` takes references and shallow copies in one go, so that the figures of a checkpoint are of one instant; encoding
can then happen in another thread. Panes are never written: decoding derives them from the facts again.
"""

from collections.abc import Iterator
from hashlib import blake2b
from itertools import accumulate, pairwise
from typing import Final, NamedTuple

import msgspec

from attente.core.days import Days, pack_row, unpack_row
from attente.core.facts import ISSUED, KIND, REQUEUED, TRANSFERRED, order, pack, unpack
from attente.core.office import Beat, Office, Turned
from attente.core.panes import CELL, Row, change
from attente.core.partition import Partition
from attente.core.plan import Plan

FORMAT: Final = 1
"""Number of this encoding; a checkpoint of another one is not read."""

WORD: Final = 8
CHANNEL_AND_BELOW: Final = (1 << CELL + 2) - 1
NAMES_SERVICE: Final = frozenset({ISSUED, TRANSFERRED, REQUEUED})


class StateError(Exception):
    """Bytes that are no state of this format, or not the state they were said to be."""


class OfficeBlob(msgspec.Struct, array_like=True, gc=False):
    """One office. `facts` are 8-byte words with all first bytes first: sorted facts compress to half that way."""

    id: str
    corrections: int
    deficits: dict[int, int]
    lifetime: Row
    moving: dict[int, Row]
    resting: dict[int, bytes]
    turned: dict[int, Turned]
    beats: dict[str, Beat]
    sessions: list[tuple[int, str, bytes]]
    tickets: list[str]
    words: list[int]
    facts: bytes


class Head(msgspec.Struct, array_like=True, gc=False):
    """What belongs to the partition as a whole."""

    format: int
    registry: str
    horizon: int
    number: int
    partitions: int
    origin: int
    next_offset: int
    stream: int
    edge: int
    read: int
    counted: int
    duplicate: int
    refused: dict[str, int]
    services: list[str]


class Payload(msgspec.Struct, array_like=True, gc=False):
    """A whole state."""

    head: Head
    offices: list[bytes]
    signatures: dict[str, int] = {}
    refused_of: dict[str, dict[str, int]] = {}


class OfficeCut(NamedTuple):
    """An office at an instant: immutable values and dicts of its own."""

    id: str
    corrections: int
    deficits: dict[int, int]
    lifetime: Row
    moving: dict[int, Row]
    resting: dict[int, bytes]
    turned: dict[int, Turned]
    beats: dict[str, Beat]
    sessions: dict[tuple[int, str], list[int]]
    closed: dict[str, bytes]
    open: dict[str, bytes]


class Cut(NamedTuple):
    """A partition at an instant."""

    head: Head
    offices: list[OfficeCut]
    absent: list[bytes]
    signatures: dict[str, int]
    refused_of: dict[str, dict[str, int]]


_encode: Final = msgspec.msgpack.Encoder().encode
_decode_payload: Final = msgspec.msgpack.Decoder(Payload).decode
_decode_office: Final = msgspec.msgpack.Decoder(OfficeBlob).decode


def cut(partition: Partition) -> Cut:
    """The state of this instant. Facts are immutable and shared; what may change later is copied."""
    return Cut(
        _head(partition),
        [
            OfficeCut(
                office.id,
                office.corrections,
                office.deficits.copy(),
                office.days.lifetime.copy(),
                {day: row.copy() for day, row in office.days.moving.items()},
                office.days.resting.copy(),
                office.turned.copy(),
                office.beats.copy(),
                office.sessions.copy(),
                office.closed.copy(),
                {ticket: pack(visit.facts) for ticket, visit in office.open.items()},
            )
            for office in partition.offices.values()
        ],
        list(partition.absent.values()),
        partition.signatures.copy(),
        {source: counts.copy() for source, counts in partition.refused_of.items()},
    )


def _head(partition: Partition) -> Head:
    return Head(
        FORMAT,
        partition.plan.registry.hash,
        partition.plan.horizon,
        partition.number,
        partition.partitions,
        partition.origin,
        partition.next_offset,
        partition.stream,
        partition.edge,
        partition.read,
        partition.counted,
        partition.duplicate,
        partition.refused.copy(),
        list(partition.plan.services),
    )


def encode(state: Cut) -> bytes:
    """A cut as msgpack, one blob per office so that decoding can pause between them."""
    offices = [*(_encode(_blob(office)) for office in state.offices), *state.absent]
    return _encode(Payload(state.head, offices, state.signatures, state.refused_of))


def _blob(office: OfficeCut) -> OfficeBlob:
    packed = [*office.closed.values(), *office.open.values()]
    facts = b"".join(packed)
    return OfficeBlob(
        office.id,
        office.corrections,
        office.deficits,
        office.lifetime,
        office.moving,
        office.resting,
        office.turned,
        office.beats,
        [(day, desk, pack(known)) for (day, desk), known in office.sessions.items()],
        [*office.closed, *office.open],
        [len(value) // WORD for value in packed],
        b"".join(facts[i::WORD] for i in range(WORD)),
    )


def decode(data: bytes, plan: Plan, number: int, partitions: int) -> Iterator[Partition]:
    """A partition from its encoding, derived again under `plan`; yields after each office so that a loop may turn.

    The last value yielded is whole. An office that the registry does not have is kept as it is, for its return: a typo
    in an id must not cost 40 days of figures.

    Raises:
        StateError: the bytes are damaged, of another format, horizon or partition.
    """
    try:
        payload = _decode_payload(data)
    except msgspec.DecodeError as error:
        message = f"no state: {error}"
        raise StateError(message) from None
    head = payload.head
    wanted = (FORMAT, plan.horizon, number, partitions)
    found = (head.format, head.horizon, head.number, head.partitions)
    if found != wanted:
        message = f"format, horizon, partition and partitions are {found}, not {wanted}"
        raise StateError(message)
    partition = Partition(plan, number, partitions, head.origin)
    partition.next_offset = head.next_offset
    partition.stream = head.stream
    partition.edge = head.edge
    partition.read = head.read
    partition.counted = head.counted
    partition.duplicate = head.duplicate
    partition.refused = head.refused
    partition.signatures = payload.signatures
    partition.refused_of = payload.refused_of
    yield partition
    numbers = [plan.services.get(name, 0) for name in head.services]
    for encoded in payload.offices:
        try:
            blob = _decode_office(encoded)
        except ValueError as error:
            message = f"no office: {error}"
            raise StateError(message) from None
        is_numbered = head.services == list(plan.services)
        if blob.id.encode() in plan.offices:
            _load(partition, blob if is_numbered else renumbered(blob, numbers))
        else:
            partition.absent[blob.id] = encoded if is_numbered else _encode(renumbered(blob, numbers))
        yield partition
    partition.edge = min([partition.edge, *(office.next_cut_over for office in partition.offices.values())])
    yield partition


def _load(partition: Partition, blob: OfficeBlob) -> None:
    key = blob.id.encode()
    office = Office(partition.plan, partition.plan.offices[key], partition.stream)
    office.corrections = blob.corrections
    office.load_deficits(blob.deficits)
    office.days = Days()
    office.days.lifetime = blob.lifetime
    office.days.moving = blob.moving
    office.days.resting = blob.resting
    office.beats = blob.beats
    for name, turned in blob.turned.items():
        office.load_turned(name, turned)
    for day, desk, packed in blob.sessions:
        office.load_session(day, desk, unpack(packed))
    for ticket, packed in zip(blob.tickets, _facts_by_ticket(blob), strict=True):
        office.load_ticket(ticket, packed)
    partition.offices[key] = office


def renumbered(blob: OfficeBlob, numbers: list[int]) -> OfficeBlob:
    """An office whose services have other numbers in the registry of today; one that is gone becomes `other`.

    Args:
        blob: as encoded under the other registry.
        numbers: today's number of each service, by its number then.
    """

    def row(old: Row) -> Row:
        new: Row = {}
        for key, n in old.items():
            change(new, numbers[key >> CELL >> 2] << 2 << CELL | key & CHANNEL_AND_BELOW, n)
        return new

    def fact(old: int) -> int:
        if old >> KIND & 15 in NAMES_SERVICE:
            return old & ~(0x3FF << 6) | numbers[old >> 6 & 0x3FF] << 6
        return old

    facts = _facts_by_ticket(blob)
    packed = [pack(sorted((fact(f) for f in unpack(value)), key=order)) for value in facts]
    words = b"".join(packed)
    return msgspec.structs.replace(
        blob,
        deficits=row(blob.deficits),
        lifetime=row(blob.lifetime),
        moving={day: row(old) for day, old in blob.moving.items()},
        resting={day: pack_row(row(unpack_row(old))) for day, old in blob.resting.items()},
        turned={name: (at, numbers[service], count) for name, (at, service, count) in blob.turned.items()},
        words=[len(value) // WORD for value in packed],
        facts=b"".join(words[i::WORD] for i in range(WORD)),
    )


def _facts_by_ticket(blob: OfficeBlob) -> list[bytes]:
    """The packed facts of each ticket, byte planes put together again."""
    words = len(blob.facts) // WORD
    facts = bytearray(len(blob.facts))
    for i in range(WORD):
        facts[i::WORD] = blob.facts[i * words : (i + 1) * words]
    ends = list(accumulate(count * WORD for count in blob.words))
    return [bytes(facts[begin:end]) for begin, end in pairwise([0, *ends])]


def digest(partition: Partition) -> str:
    """Hash of the canonical state, panes included: independent of insertion orders and of how it came about."""
    out = blake2b(digest_size=12)
    head = _head(partition)
    head.refused = dict(sorted(head.refused.items()))
    out.update(_encode(head))
    if partition.signatures:  # so that the hash of a network without signatures is what it always was
        out.update(_encode(sorted(partition.signatures.items())))
    for _, office in sorted(partition.offices.items()):
        out.update(_encode(_canonical(office)))
    return out.hexdigest()


def _canonical(office: Office) -> list[object]:
    days = office.days
    rows = {day: days.row(day) for day in days.all()}
    tickets = {**office.closed, **{ticket: pack(visit.facts) for ticket, visit in office.open.items()}}
    return [
        office.id,
        office.corrections,
        sorted(office.deficits.items()),
        sorted(days.lifetime.items()),
        [(day, sorted(row.items())) for day, row in rows.items() if row],
        sorted(office.turned.items()),
        sorted(office.beats.items()),
        sorted((name, pack(facts)) for name, facts in office.sessions.items()),
        sorted(tickets.items()),
        [(pane, sorted(row.items())) for pane, row in sorted(office.panes.items()) if row],
    ]
