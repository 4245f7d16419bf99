"""Every event of a public-service office: one msgspec struct per type, decoded once from bytes.

An event is a CloudEvents 1.0 object in structured JSON mode with flat extension attributes. Attributes that the
model does not know are ignored, so that an older worker reads a newer kiosk; a type it does not know is refused.
"""

import re
from collections.abc import Callable
from typing import Annotated, ClassVar, Literal, get_args

import msgspec
from msgspec import Meta

from attente.model.kinds import Kind

GREATEST_INTEGER = 2**31 - 1
"""CloudEvents' integers have 32 bits with a sign."""

Id = Annotated[str, Meta(min_length=1, max_length=128, description="Unique together with `source`.")]
Source = Annotated[
    str, Meta(min_length=1, max_length=256, description="URI reference of the producer: /offices/OFFICE/kiosks/KIOSK.")
]
Instant = Annotated[
    str,
    Meta(
        min_length=16,
        max_length=40,
        description="RFC 3339 instant with an offset, milliseconds at the finest; a naive time is refused.",
        extra_json_schema={"format": "date-time"},
    ),
]
OfficeId = Annotated[
    str, Meta(min_length=1, max_length=64, description="Office id of the registry; also the record's key.")
]
Ticket = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=128,
        description="One visitor's place, unique per office within the horizon: prefix a number that is used again "
        "with the business date, as in 2026-11-23/A042.",
    ),
]
ServiceId = Annotated[str, Meta(min_length=1, max_length=64, description="Service (queue) id of the registry.")]
Desk = Annotated[str, Meta(min_length=1, max_length=64, description="A place in the office, never a person.")]
Text = Annotated[str, Meta(min_length=1, max_length=256)]
Sequence = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=18,
        description="CloudEvents' sequence: a number that grows over the whole office, for sources with coarse clocks. "
        "A producer that cannot give one order for the whole office leaves it out.",
        # `decode` checks the digits: as a pattern of the decoder they would cost more than the whole event.
        extra_json_schema={"pattern": "^[0-9]{1,18}$"},
    ),
]
Estimated = Annotated[bool, Meta(description="True when an importer reconstructed the event.")]
Channel = Annotated[
    Literal["walkin", "appointment", "remote"],
    Meta(description="How the visitor comes: without an appointment, with one, or not in person."),
]
Outcome = Annotated[
    Literal["resolved", "pending", "referred"], Meta(description="What became of the visitor's matter.")
]
CloseReason = Annotated[
    Literal["reset", "forced_logout", "overnight"],
    Meta(description="Why the system ended the visit: the queue was reset, the desk logged out, the day was over."),
]


class Event(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True, tag_field="type"):
    """What every event carries."""

    kind: ClassVar[int]

    specversion: Literal["1.0"]
    id: Id
    source: Source
    time: Instant
    office: OfficeId
    sequence: Sequence = ""
    estimated: Estimated = False


class TicketEvent(Event, frozen=True, kw_only=True):
    """What every event of a visit carries."""

    ticket: Ticket


class OfficeOpened(Event, frozen=True, kw_only=True, tag="office.opened"):
    """The office lets visitors in."""

    kind = int(Kind.OFFICE_OPENED)


class OfficeClosed(Event, frozen=True, kw_only=True, tag="office.closed"):
    """The office lets nobody in any more; desks stay open until they are closed."""

    kind = int(Kind.OFFICE_CLOSED)


class DeskOpened(Event, frozen=True, kw_only=True, tag="desk.opened"):
    """A desk starts to call visitors."""

    kind = int(Kind.DESK_OPENED)
    desk: Desk
    services: Annotated[str, Meta(min_length=1, max_length=1024, description="Service ids, comma-separated.")] = ""


class DeskClosed(Event, frozen=True, kw_only=True, tag="desk.closed"):
    """A desk calls nobody any more."""

    kind = int(Kind.DESK_CLOSED)
    desk: Desk


class VisitorTurnedAway(Event, frozen=True, kw_only=True, tag="visitor.turned_away"):
    """Visitors who never got a ticket."""

    kind = int(Kind.TURNED_AWAY)
    service: ServiceId = ""
    count: Annotated[int, Meta(ge=1, le=1000, description="How many visitors.")] = 1
    reason: Annotated[Text, Meta(description="Why, in the producer's words; the text is not kept.")] = ""


class TicketIssued(TicketEvent, frozen=True, kw_only=True, tag="ticket.issued"):
    """A visitor takes a place in a queue: the first leg begins."""

    kind = int(Kind.ISSUED)
    service: ServiceId
    channel: Channel
    due: Annotated[Instant, Meta(description="When the appointment is.")] = ""
    arrived: Annotated[Instant, Meta(description="When the visitor came through the door, before the ticket.")] = ""


class TicketCalled(TicketEvent, frozen=True, kw_only=True, tag="ticket.called"):
    """The visitor is called to a desk: the leg ends."""

    kind = int(Kind.CALLED)
    desk: Desk = ""


class TicketNoShow(TicketEvent, frozen=True, kw_only=True, tag="ticket.no_show"):
    """The visitor was called and did not come."""

    kind = int(Kind.NO_SHOW)


class TicketRequeued(TicketEvent, frozen=True, kw_only=True, tag="ticket.requeued"):
    """The visitor waits again, for the same service or another: a new leg begins."""

    kind = int(Kind.REQUEUED)
    service: ServiceId = ""


class TicketTransferred(TicketEvent, frozen=True, kw_only=True, tag="ticket.transferred"):
    """The visitor is sent to another service: a new leg begins there."""

    kind = int(Kind.TRANSFERRED)
    toservice: ServiceId


class TicketAbandoned(TicketEvent, frozen=True, kw_only=True, tag="ticket.abandoned"):
    """The visitor left after the ticket and before being called."""

    kind = int(Kind.ABANDONED)
    reason: Annotated[Text, Meta(description="Why, in the producer's words; the text is not kept.")] = ""


class TicketClosed(TicketEvent, frozen=True, kw_only=True, tag="ticket.closed"):
    """Administrative end of a visit, never a statistic of service."""

    kind = int(Kind.CLOSED)
    reason: CloseReason


class ServiceStarted(TicketEvent, frozen=True, kw_only=True, tag="service.started"):
    """The visitor is served from now on."""

    kind = int(Kind.STARTED)
    desk: Desk = ""


class ServicePaused(TicketEvent, frozen=True, kw_only=True, tag="service.paused"):
    """The service stands still: the time until it goes on is no service time."""

    kind = int(Kind.PAUSED)


class ServiceResumed(TicketEvent, frozen=True, kw_only=True, tag="service.resumed"):
    """The service goes on."""

    kind = int(Kind.RESUMED)


class ServiceEnded(TicketEvent, frozen=True, kw_only=True, tag="service.ended"):
    """The service is over; without a transfer so is the visit."""

    kind = int(Kind.ENDED)
    desk: Desk = ""
    outcome: Outcome | None = None


class KioskHeartbeat(Event, frozen=True, kw_only=True, tag="kiosk.heartbeat"):
    """A kiosk is alive, and how it is."""

    kind = int(Kind.HEARTBEAT)
    kiosk: Annotated[str, Meta(min_length=1, max_length=64, description="Id of the kiosk, unique in its office.")]
    spooled: Annotated[int, Meta(ge=0, le=GREATEST_INTEGER, description="Events still in the kiosk's spool.")]
    version: Annotated[Text, Meta(description="Of the kiosk's software.")] = ""
    driftms: Annotated[
        int,
        Meta(
            ge=-GREATEST_INTEGER - 1,
            le=GREATEST_INTEGER,
            description="The kiosk's clock less the broker's, in milliseconds.",
        ),
    ] = 0


AnyEvent = (
    OfficeOpened
    | OfficeClosed
    | DeskOpened
    | DeskClosed
    | VisitorTurnedAway
    | TicketIssued
    | TicketCalled
    | TicketNoShow
    | TicketRequeued
    | TicketTransferred
    | TicketAbandoned
    | TicketClosed
    | ServiceStarted
    | ServicePaused
    | ServiceResumed
    | ServiceEnded
    | KioskHeartbeat
)

TYPES: dict[str, type[AnyEvent]] = {str(cls.__struct_config__.tag): cls for cls in get_args(AnyEvent)}
"""The struct of every `type`."""

DEEPEST = 500
"""How many objects and arrays may lie inside each other; attributes are flat, so more is a producer gone wrong."""

_SURELY_SHALLOW = 2 * DEEPEST  # bytes: a deeper value has more brackets than that
# A string that is never closed ends with the bytes: so every byte is looked at once, whatever they are.
_BRACKETS = re.compile(rb'"(?:[^"\\]|\\.)*+"?|([\[{])|[\]}]', re.DOTALL)

NULL = msgspec.Raw(b"null")
raw_attributes: Callable[[bytes], dict[str, msgspec.Raw]] = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
"""Bytes to the object's names and values as they stand there, unread; raises `msgspec.DecodeError`."""

encode = msgspec.json.Encoder().encode
_decode: Callable[[bytes], AnyEvent] = msgspec.json.Decoder(AnyEvent).decode


def decode(raw: bytes) -> AnyEvent:
    """Bytes to the struct of their type. An attribute that is null counts as left out, as CloudEvents wants it.

    Adds 0.1 us to the decoder's 0.5 for the two things that the decoder cannot see, or not cheaply.

    Raises:
        ValueError: the bytes are no event (`msgspec.DecodeError`); `refusals.explain` says why.
    """
    if len(raw) > _SURELY_SHALLOW and nests_too_deeply(raw):
        msg = f"nested deeper than {DEEPEST} levels"
        raise msgspec.DecodeError(msg)
    try:
        event = _decode(raw)
    except msgspec.ValidationError:
        if b"null" not in raw:
            raise
        event = _decode(_without_nulls(raw))
    sequence = event.sequence
    if sequence and not (sequence.isascii() and sequence.isdigit()):
        msg = "Expected digits - at `$.sequence`"
        raise msgspec.ValidationError(msg)
    return event


def _without_nulls(raw: bytes) -> bytes:
    """The same object without the attributes that are null: to CloudEvents they are as good as left out."""
    return encode({name: value for name, value in raw_attributes(raw).items() if value != NULL})


def nests_too_deeply(raw: bytes) -> bool:
    """Whether objects and arrays lie deeper inside each other than `DEEPEST`.

    The decoder follows them until the interpreter's stack is full, with an error that would end the process, and at a
    depth that depends on the caller's: what is accepted must not.
    """
    if raw.count(b"[") + raw.count(b"{") <= DEEPEST:
        return False
    depth = 0
    for bracket in _BRACKETS.finditer(raw):
        if bracket[1]:
            depth += 1
            if depth > DEEPEST:
                return True
        elif bracket[0] in b"]}":
            depth -= 1
    return False
