"""Every event of a public-service office: one msgspec struct per type, decoded once from bytes.

An event is a CloudEvents 1.0 object in structured JSON mode with flat extension attributes. Attributes that the
model does not know are ignored, so that an older worker reads a newer kiosk; a type it does not know is refused.
"""

from typing import Annotated, ClassVar, Literal

import msgspec
from msgspec import Meta

from attente.model.kinds import Kind

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
        pattern="^[0-9]{1,18}$",
        description="CloudEvents' sequence: a number that grows over the whole office, for sources with coarse clocks. "
        "A producer that cannot give one order for the whole office leaves it out.",
    ),
]
Estimated = Annotated[bool, Meta(description="True when an importer reconstructed the event.")]
Channel = Literal["walkin", "appointment", "remote"]
Outcome = Literal["resolved", "pending", "referred"]
CloseReason = Literal["reset", "forced_logout", "overnight"]


class Event(msgspec.Struct, frozen=True, gc=False, kw_only=True, tag_field="type"):
    """What every event carries."""

    kind: ClassVar[Kind]

    specversion: Literal["1.0"]
    id: Id
    source: Source
    time: Instant
    office: OfficeId
    sequence: Sequence = ""
    estimated: Estimated = False


class TicketEvent(Event):
    """What every event of a visit carries."""

    ticket: Ticket


class OfficeOpened(Event, tag="office.opened"):
    """The office lets visitors in."""

    kind = Kind.OFFICE_OPENED


class OfficeClosed(Event, tag="office.closed"):
    """The office lets nobody in any more; desks stay open until they are closed."""

    kind = Kind.OFFICE_CLOSED


class DeskOpened(Event, tag="desk.opened"):
    """A desk starts to call visitors."""

    kind = Kind.DESK_OPENED
    desk: Desk
    services: Annotated[str, Meta(min_length=1, max_length=1024, description="Service ids, comma-separated.")] = ""


class DeskClosed(Event, tag="desk.closed"):
    """A desk calls nobody any more."""

    kind = Kind.DESK_CLOSED
    desk: Desk


class VisitorTurnedAway(Event, tag="visitor.turned_away"):
    """Visitors who never got a ticket."""

    kind = Kind.TURNED_AWAY
    service: ServiceId = ""
    count: Annotated[int, Meta(ge=1, le=1000)] = 1
    reason: Text = ""


class TicketIssued(TicketEvent, tag="ticket.issued"):
    """A visitor takes a place in a queue: the first leg begins."""

    kind = Kind.ISSUED
    service: ServiceId
    channel: Channel
    due: Annotated[Instant, Meta(description="When the appointment is.")] = ""
    arrived: Annotated[Instant, Meta(description="When the visitor came through the door, before the ticket.")] = ""


class TicketCalled(TicketEvent, tag="ticket.called"):
    """The visitor is called to a desk: the leg ends."""

    kind = Kind.CALLED
    desk: Desk = ""


class TicketNoShow(TicketEvent, tag="ticket.no_show"):
    """The visitor was called and did not come."""

    kind = Kind.NO_SHOW


class TicketRequeued(TicketEvent, tag="ticket.requeued"):
    """The visitor waits again, for the same service or another: a new leg begins."""

    kind = Kind.REQUEUED
    service: ServiceId = ""


class TicketTransferred(TicketEvent, tag="ticket.transferred"):
    """The visitor is sent to another service: a new leg begins there."""

    kind = Kind.TRANSFERRED
    toservice: ServiceId


class TicketAbandoned(TicketEvent, tag="ticket.abandoned"):
    """The visitor left after the ticket and before being called."""

    kind = Kind.ABANDONED
    reason: Text = ""


class TicketClosed(TicketEvent, tag="ticket.closed"):
    """Administrative end of a visit, never a statistic of service."""

    kind = Kind.CLOSED
    reason: CloseReason


class ServiceStarted(TicketEvent, tag="service.started"):
    """The visitor is served from now on."""

    kind = Kind.STARTED
    desk: Desk = ""


class ServicePaused(TicketEvent, tag="service.paused"):
    """The service stands still: the time until it goes on is no service time."""

    kind = Kind.PAUSED


class ServiceResumed(TicketEvent, tag="service.resumed"):
    """The service goes on."""

    kind = Kind.RESUMED


class ServiceEnded(TicketEvent, tag="service.ended"):
    """The service is over; without a transfer so is the visit."""

    kind = Kind.ENDED
    desk: Desk = ""
    outcome: Outcome | None = None


class KioskHeartbeat(Event, tag="kiosk.heartbeat"):
    """A kiosk is alive, and how it is."""

    kind = Kind.HEARTBEAT
    kiosk: Annotated[str, Meta(min_length=1, max_length=64)]
    spooled: Annotated[int, Meta(ge=0, description="Events still in the kiosk's spool.")]
    version: Text = ""
    driftms: Annotated[int, Meta(description="The kiosk's clock less the broker's, in milliseconds.")] = 0


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

decode = msgspec.json.Decoder(AnyEvent).decode
"""Bytes to the struct of their type; raises `msgspec.DecodeError` (a `ValueError`) on anything else."""

encode = msgspec.json.Encoder().encode
