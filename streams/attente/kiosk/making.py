"""One method for every type of event: what a kiosk's program calls, whoever takes the events then."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final, Literal

from attente.kiosk.errors import EventRefused
from attente.kiosk.ids import uuid7
from attente.model import events
from attente.model.events import AnyEvent, TicketIssued
from attente.model.names import is_id, kiosk_source
from attente.model.plausible import check_plausible
from attente.model.reasons import Reason, Refusal
from attente.model.refusals import decode_event

ChannelName = Literal["walkin", "appointment", "remote"]
OutcomeName = Literal["resolved", "pending", "referred"]
CloseReasonName = Literal["reset", "forced_logout", "overnight"]

LARGEST: Final = 16 << 10
"""Bytes of an event; the longest that the contract allows has some 5,000."""


def now() -> datetime:
    """This machine's clock with the offset of its zone."""
    return datetime.now(UTC).astimezone()


class Reporter(ABC):
    """Makes events of what happens in an office, and checks each as a worker would before it is taken.

    Every method gives the event's id, and has `at`, when it happened; None is now. `at` must carry an offset. A method
    raises `EventRefused` where the event is none that a worker would take: then nothing was taken.
    """

    def __init__(self, office: str, kiosk: str, clock: Callable[[], datetime] = now) -> None:
        """Speaks for a kiosk of an office.

        Args:
            office: the office's id in the registry.
            kiosk: the kiosk's id, unique in its office.
            clock: gives the present instant with an offset.

        Raises:
            EventRefused: one of them is no id.
        """
        for what, name in (("office", office), ("kiosk", kiosk)):
            if not is_id(name):
                detail = (
                    f"{what} {name!r} is no id (at most 64 of a-z, 0-9, '.', '_' and '-'); take that of the registry"
                )
                raise EventRefused(Reason.BAD_ATTRIBUTE.value, detail)
        self.office = office
        self.kiosk = kiosk
        self.source = kiosk_source(office, kiosk)
        self._clock = clock

    @abstractmethod
    def _take(self, values: Sequence[bytes]) -> None:
        """Takes events, all or none."""

    @contextmanager
    def batch(self) -> Iterator["Batch"]:
        """Takes what is reported to the batch at its end: all at once, or nothing when it ends with an exception.

        One synchronisation of the disk for all of it, for programs that report much at once.
        """
        batch = Batch(self.office, self.kiosk, self._clock)
        yield batch
        if batch.values:
            self._take(batch.values)

    def report(self, raw: bytes) -> str:
        """Takes an event that somebody else has made, as bytes.

        Raises:
            EventRefused: it is none, or another office's.
        """
        id_ = self.check(raw)
        self._take([raw])
        return id_

    def check(self, raw: bytes) -> str:
        """The id of an event as bytes, which `report` would take.

        Raises:
            EventRefused: as `report`.
        """
        event = self._checked(raw)
        if event.office != self.office:
            detail = f"the event is of office {event.office!r}, this kiosk stands in {self.office!r}"
            raise EventRefused(Reason.WRONG_KEY.value, detail)
        return event.id

    # ---- the office and its desks

    def office_opened(self, *, at: datetime | None = None) -> str:
        """The office lets visitors in."""
        return self._report(events.OfficeOpened, at)

    def office_closed(self, *, at: datetime | None = None) -> str:
        """The office lets nobody in any more; desks stay open until they are closed."""
        return self._report(events.OfficeClosed, at)

    def desk_opened(self, *, desk: str, services: Sequence[str] = (), at: datetime | None = None) -> str:
        """A desk starts to call visitors, of these services or of all."""
        return self._report(events.DeskOpened, at, desk=desk, services=",".join(services))

    def desk_closed(self, *, desk: str, at: datetime | None = None) -> str:
        """A desk calls nobody any more."""
        return self._report(events.DeskClosed, at, desk=desk)

    def visitor_turned_away(
        self, *, service: str = "", count: int = 1, reason: str = "", at: datetime | None = None
    ) -> str:
        """Visitors who never got a ticket."""
        return self._report(events.VisitorTurnedAway, at, service=service, count=count, reason=reason)

    # ---- the ticket

    def ticket_issued(
        self,
        *,
        ticket: str,
        service: str,
        channel: ChannelName = "walkin",
        due: datetime | None = None,
        arrived: datetime | None = None,
        at: datetime | None = None,
    ) -> str:
        """A visitor takes a place in a queue.

        Args:
            ticket: unique in the office for a day and more: prefix a number that is used again with the date.
            service: the queue, as the registry calls it.
            channel: how the visitor comes.
            due: when the appointment is.
            arrived: when the visitor came through the door, before the ticket.
            at: when the ticket was issued.
        """
        more = {"due": self._text(due), "arrived": self._text(arrived)}
        return self._report(events.TicketIssued, at, ticket=ticket, service=service, channel=channel, **more)

    def ticket_called(self, *, ticket: str, desk: str = "", at: datetime | None = None) -> str:
        """The visitor is called to a desk."""
        return self._report(events.TicketCalled, at, ticket=ticket, desk=desk)

    def ticket_no_show(self, *, ticket: str, at: datetime | None = None) -> str:
        """The visitor was called and did not come."""
        return self._report(events.TicketNoShow, at, ticket=ticket)

    def ticket_requeued(self, *, ticket: str, service: str = "", at: datetime | None = None) -> str:
        """The visitor waits again, for the same service or another."""
        return self._report(events.TicketRequeued, at, ticket=ticket, service=service)

    def ticket_transferred(self, *, ticket: str, to_service: str, at: datetime | None = None) -> str:
        """The visitor is sent to another service."""
        return self._report(events.TicketTransferred, at, ticket=ticket, toservice=to_service)

    def ticket_abandoned(self, *, ticket: str, reason: str = "", at: datetime | None = None) -> str:
        """The visitor left after the ticket and before being called."""
        return self._report(events.TicketAbandoned, at, ticket=ticket, reason=reason)

    def ticket_closed(self, *, ticket: str, reason: CloseReasonName, at: datetime | None = None) -> str:
        """Administrative end of a visit, never a statistic of service."""
        return self._report(events.TicketClosed, at, ticket=ticket, reason=reason)

    # ---- the service

    def service_started(self, *, ticket: str, desk: str = "", at: datetime | None = None) -> str:
        """The visitor is served from now on."""
        return self._report(events.ServiceStarted, at, ticket=ticket, desk=desk)

    def service_paused(self, *, ticket: str, at: datetime | None = None) -> str:
        """The service stands still."""
        return self._report(events.ServicePaused, at, ticket=ticket)

    def service_resumed(self, *, ticket: str, at: datetime | None = None) -> str:
        """The service goes on."""
        return self._report(events.ServiceResumed, at, ticket=ticket)

    def service_ended(
        self, *, ticket: str, desk: str = "", outcome: OutcomeName | None = None, at: datetime | None = None
    ) -> str:
        """The service is over; without a transfer so is the visit."""
        return self._report(events.ServiceEnded, at, ticket=ticket, desk=desk, outcome=outcome)

    # ---- how an event is made

    def _report(self, kind: type[AnyEvent], at: datetime | None, **attributes: object) -> str:
        id_, raw = self._made(kind, at, attributes)
        self._checked(raw)
        self._take([raw])
        return id_

    def _made(self, kind: type[AnyEvent], at: datetime | None, attributes: dict[str, object]) -> tuple[str, bytes]:
        instant = self._clock() if at is None else at
        id_ = uuid7(int(self._clock().timestamp() * 1000))
        event = kind(
            specversion="1.0",
            id=id_,
            source=self.source,
            time=self._text(instant),
            office=self.office,
            **attributes,  # type: ignore[arg-type]  # `_checked` looks at their types, as at those of any event
        )
        try:
            return id_, events.encode(event)
        except (TypeError, UnicodeEncodeError) as error:
            raise EventRefused(Reason.BAD_ATTRIBUTE.value, f"an attribute cannot be written as JSON: {error}") from None

    def _checked(self, raw: bytes) -> AnyEvent:
        if len(raw) > LARGEST:
            detail = f"the event has {len(raw):,} bytes, at most {LARGEST:,} are taken; shorten its texts"
            raise EventRefused(Reason.BAD_ATTRIBUTE.value, detail)
        try:
            event, at_ms = decode_event(raw)
            if isinstance(event, TicketIssued):
                check_plausible(event, at_ms)
        except Refusal as refusal:
            raise EventRefused(refusal.reason.value, refusal.detail) from None
        return event

    @staticmethod
    def _text(instant: datetime | None) -> str:
        return "" if instant is None else instant.isoformat(timespec="milliseconds")


class Batch(Reporter):
    """Events that are taken together.

    Attributes:
        values: their bytes, in the order in which they were reported.
    """

    def __init__(self, office: str, kiosk: str, clock: Callable[[], datetime] = now) -> None:
        """Empty; see `Reporter`."""
        super().__init__(office, kiosk, clock)
        self.values: list[bytes] = []

    def _take(self, values: Sequence[bytes]) -> None:
        self.values += values
