"""Whether an event that was refused can count when it is sent again, as far as that can be known without a worker."""

from collections.abc import Callable
from dataclasses import dataclass

from attente.model.events import TicketIssued
from attente.model.instants import text_of
from attente.model.plausible import AHEAD_MS, check_plausible
from attente.model.reasons import Reason, Refusal, shown
from attente.model.records import DeadLetterRecord
from attente.model.refusals import decode_event
from attente.registry.entities import Registry
from attente.sources.target import Times


@dataclass(frozen=True, slots=True)
class Verdict:
    """Tells which events would surely be refused again.

    Key and bytes are sent again as they were, so a defect of either stays one. Where the event is put is decided anew,
    so one that lay in the wrong partition finds the right one. Time goes on, so what came from the future may be due,
    and what was too late stays so. Whether the workers' registry has the office by now only a registry tells.

    Attributes:
        times: whose time the records bear.
        registry: the workers' registry, if it is known here.
        now_ms: gives the broker's time, about.
    """

    times: Times
    registry: Registry | None
    now_ms: Callable[[], int]

    def against(self, record: DeadLetterRecord) -> Refusal | None:
        """Why an event would be refused again; None when nothing is known against it."""
        try:
            self._check(record)
        except Refusal as refusal:
            return refusal
        return None

    def _check(self, record: DeadLetterRecord) -> None:
        event, at = decode_event(record.value)
        if record.key != event.office.encode("utf-8", "surrogatepass"):
            raise Refusal(Reason.WRONG_KEY, f"the key is {shown(repr(record.key))}, the office {shown(event.office)}")
        if isinstance(event, TicketIssued):
            check_plausible(event, at)
        registry = self.registry
        if registry is not None and event.office not in registry.offices:
            raise Refusal(Reason.UNKNOWN_OFFICE, f"the registry has no office {shown(event.office)}")
        stamp = self.now_ms() if self.times is Times.LIVE else record.origin.timestamp
        if at > stamp + AHEAD_MS:
            raise Refusal(Reason.FROM_THE_FUTURE, f"{event.time} is over 5 min after {text_of(stamp)}")
        is_past = registry is not None and self.times is Times.LIVE and at < stamp - registry.horizon_ms
        if record.reason == Reason.TOO_LATE or is_past:
            raise Refusal(Reason.TOO_LATE, f"{event.time} is older than the horizon")
