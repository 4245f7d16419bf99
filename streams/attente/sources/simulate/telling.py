"""What an office tells of a day: every event is made here, counted as the truth, and put on the wire."""

from typing import Any, Final, Literal

from attente.model.events import (
    AnyEvent,
    DeskClosed,
    DeskOpened,
    KioskHeartbeat,
    OfficeClosed,
    OfficeOpened,
    ServiceEnded,
    ServicePaused,
    ServiceResumed,
    ServiceStarted,
    TicketAbandoned,
    TicketCalled,
    TicketClosed,
    TicketIssued,
    TicketNoShow,
    TicketRequeued,
    TicketTransferred,
    VisitorTurnedAway,
    encode,
)
from attente.sources.simulate.network import SimulatedOffice
from attente.sources.simulate.people import Desk, Visitor
from attente.sources.simulate.seeds import tag
from attente.sources.simulate.stamps import Stamps
from attente.sources.simulate.truth import OfficeTruth, ServiceTruth
from attente.sources.simulate.wire import Kiosk, Wire

Channel = Literal["walkin", "appointment", "remote"]
Outcome = Literal["resolved", "pending", "referred"]

_VERSION: Final = "2.3.1"  # of the kiosks' software


class Teller:
    """Tells what happens in one office on one day; all instants in milliseconds, by the true time.

    Attributes:
        counts: the truth of each service, by its number in the office.
    """

    def __init__(self, office: SimulatedOffice, day: int, wire: Wire, truth: OfficeTruth, stamps: Stamps) -> None:
        """Nothing is told yet.

        Args:
            office: of whom.
            day: the local date, as `date.toordinal`.
            wire: takes the events.
            truth: is kept up to date with what is told.
            stamps: the texts of instants in the office's zone.
        """
        self.counts = [truth.services.setdefault(service.id, ServiceTruth()) for service in office.services]
        self._office = office.id
        self._services = [service.id for service in office.services]
        self._wire = wire
        self._truth = truth
        self._text = stamps.text
        self._source = f"/offices/{office.id}/desks"
        self._remote = f"/offices/{office.id}/remote"
        self._tag = tag(office.seed, office.id, day)
        self._told = 0

    def _tell(self, at: int, kind: type[AnyEvent], **attributes: Any) -> None:
        self._wire.send(at, self._event(at, kind, self._source, attributes))

    def _event(self, at: int, kind: type[AnyEvent], source: str, attributes: dict[str, Any]) -> bytes:
        self._told += 1
        event = kind(
            specversion="1.0",
            id=f"{self._tag}-{self._told:x}",
            source=source,
            time=self._text(at),
            office=self._office,
            **attributes,
        )
        return encode(event)

    # ---- the office, its kiosks and desks

    def opens(self, at: int) -> None:
        """The office lets visitors in."""
        self._tell(at, OfficeOpened)

    def closes(self, at: int) -> None:
        """The office lets nobody in any more."""
        self._tell(at, OfficeClosed)

    def beats(self, at: int, kiosk: Kiosk, spooled: int) -> None:
        """A kiosk is alive."""
        drift = kiosk.drift_ms
        beat = {"kiosk": kiosk.id, "spooled": spooled, "version": _VERSION, "driftms": drift}
        self._wire.send(at, self._event(at + drift, KioskHeartbeat, kiosk.source, beat), kiosk)

    def desk_opens(self, at: int, desk: Desk) -> None:
        """A desk begins to call."""
        serves_all = len(desk.services) == len(self._services)
        services = "" if serves_all else ",".join(self._services[number] for number in desk.services)
        self._tell(at, DeskOpened, desk=desk.id, services=services)

    def desk_closes(self, at: int, desk: Desk) -> None:
        """A desk that has been open since `desk.since` ends."""
        self._truth.desk_open_ms += at - desk.since
        self._tell(at, DeskClosed, desk=desk.id)

    # ---- visitors

    def turned_away(self, at: int, service: int) -> None:
        """A visitor gets no ticket."""
        self.counts[service].turned_away += 1
        self._tell(at, VisitorTurnedAway, service=self._services[service], reason="full")

    def issued(
        self, at: int, kiosk: Kiosk | None, ticket: str, service: int, channel: Channel, *, due: int, door: int
    ) -> None:
        """A visitor takes a ticket, at a kiosk or from afar; `due` and `door` (the arrival) are 0 for none."""
        shown = at + (kiosk.drift_ms if kiosk else 0)
        self.counts[service].issued[channel] += 1
        attributes = {
            "ticket": ticket,
            "service": self._services[service],
            "channel": channel,
            "due": self._text(due) if due else "",
            "arrived": self._text(shown - at + door) if door else "",
        }
        source = kiosk.source if kiosk else self._remote
        self._wire.send(at, self._event(shown, TicketIssued, source, attributes), kiosk)

    def called(self, at: int, visitor: Visitor, desk: str) -> None:
        """A visitor is called, to a desk or to none."""
        counts = self.counts[visitor.service]
        counts.called += 1
        counts.call_wait_ms += max(at, visitor.issued) - visitor.since
        self._tell(at, TicketCalled, ticket=visitor.ticket, desk=desk)

    def no_show(self, at: int, visitor: Visitor) -> None:
        """A visitor was called and does not come."""
        self.counts[visitor.service].no_show += 1
        self._tell(at, TicketNoShow, ticket=visitor.ticket)

    def requeued(self, at: int, visitor: Visitor) -> None:
        """A visitor is to wait again."""
        self.counts[visitor.service].requeued += 1
        self._tell(at, TicketRequeued, ticket=visitor.ticket)

    def transferred(self, at: int, visitor: Visitor, to: int) -> None:
        """A visitor is sent to another service."""
        self.counts[visitor.service].transferred += 1
        self._tell(at, TicketTransferred, ticket=visitor.ticket, toservice=self._services[to])

    def abandoned(self, at: int, visitor: Visitor) -> None:
        """A visitor says that they leave."""
        self.counts[visitor.service].abandoned += 1
        self._tell(at, TicketAbandoned, ticket=visitor.ticket)

    def closed(self, at: int, visitor: Visitor, reason: Literal["reset", "forced_logout"]) -> None:
        """The system ends a visit; whether that counts depends on where the visitor stands, which others know."""
        self._tell(at, TicketClosed, ticket=visitor.ticket, reason=reason)

    # ---- services

    def started(self, at: int, visitor: Visitor, desk: Desk) -> None:
        """A visitor is served."""
        self.counts[visitor.service].started += 1
        self._tell(at, ServiceStarted, ticket=visitor.ticket, desk=desk.id)

    def paused(self, at: int, visitor: Visitor) -> None:
        """The service stands still."""
        self._tell(at, ServicePaused, ticket=visitor.ticket)

    def resumed(self, at: int, visitor: Visitor) -> None:
        """The service goes on."""
        self._tell(at, ServiceResumed, ticket=visitor.ticket)

    def ended(self, at: int, visitor: Visitor, desk: Desk, outcome: Outcome) -> None:
        """The service is over."""
        self.counts[visitor.service].served[outcome] += 1
        self._tell(at, ServiceEnded, ticket=visitor.ticket, desk=desk.id, outcome=outcome)
