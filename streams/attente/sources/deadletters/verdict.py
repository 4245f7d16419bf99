"""Whether an event that was refused can count when it is sent again, as far as that can be known without a worker."""

from collections.abc import Callable
from dataclasses import dataclass

from attente.model.events import TicketIssued
from attente.model.instants import text_of
from attente.model.plausible import AHEAD_MS, check_plausible
from attente.model.reasons import Reason, Refusal, shown
from attente.model.records import DeadLetterRecord
from attente.model.refusals import decode_event
from attente.model.signatures import signature_in
from attente.registry.entities import Office, Registry, Signatures
from attente.sources.target import Times


@dataclass(frozen=True, slots=True)
class Verdict:
    """Tells which events would surely be refused again.

    Key, bytes and headers are sent again as they were, so a defect of any stays one. Where the event is put is decided
    anew, so one that lay in the wrong partition finds the right one. Time goes on, so what came from the future may be
    due, and what was too late stays so. Whether the workers' registry has the office by now, and still asks for a
    signature that the event does not bear, only a registry tells.

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
        registry = self.registry
        if registry is not None and event.office not in registry.offices:
            raise Refusal(Reason.UNKNOWN_OFFICE, f"the registry has no office {shown(event.office)}")
        if isinstance(event, TicketIssued):
            check_plausible(event, at)
        stamp = self.now_ms() if self.times is Times.LIVE else record.origin.timestamp
        if registry is not None:
            _check_signature(record, registry.offices[event.office], stamp)
        if at > stamp + AHEAD_MS:
            raise Refusal(Reason.FROM_THE_FUTURE, f"{event.time} is over 5 min after {text_of(stamp)}")
        is_past = registry is not None and self.times is Times.LIVE and at < stamp - registry.horizon_ms
        if record.reason == Reason.TOO_LATE or is_past:
            raise Refusal(Reason.TOO_LATE, f"{event.time} is older than the horizon")


def _check_signature(record: DeadLetterRecord, office: Office, stamp: int) -> None:
    """Raises the refusal of a signature, as far as that can be known without the secrets."""
    if office.signatures is not Signatures.REQUIRE or stamp < office.signatures_from_ms:
        return
    signature = signature_in(record.headers)
    if signature is None:
        raise Refusal(Reason.UNSIGNED, f"office {office.id} must sign, and the event is not signed")
    if record.reason == Reason.BAD_SIGNATURE:
        raise Refusal(Reason.BAD_SIGNATURE, "the signature does not fit the event")
    signed_by = signature.partition(b":")[0]
    if not any(key.id.encode() == signed_by and key.first_ms <= stamp < key.end_ms for key in office.keys):
        detail = f"key {shown(repr(signed_by))} is none of office {office.id} now"
        raise Refusal(Reason.UNKNOWN_KEY, detail)
