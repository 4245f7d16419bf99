"""Whether the instants that an issue carries beside its own can be meant."""

from typing import Final

from attente.model.events import TicketIssued, encode
from attente.model.instants import milliseconds
from attente.model.reasons import Reason, Refusal, shown
from attente.model.refusals import explain

SKEW_MS: Final = 5_000
"""By so much may the clock at the door, or at a desk, be ahead of the kiosk's."""
AHEAD_MS: Final = 5 * 60_000
"""By so much may a kiosk's clock be ahead of the broker's."""
_DAY_MS: Final = 86_400_000
_EARLIEST_ARRIVAL_MS: Final = _DAY_MS
_FARTHEST_APPOINTMENT_MS: Final = 7 * _DAY_MS


def check_plausible(event: TicketIssued, at: int) -> tuple[int, int]:
    """The door time and the time of the appointment in milliseconds, 0 where the issue has none.

    A door time up to 5 s after the issue becomes the issue's.

    Args:
        event: an issue.
        at: its `time` in milliseconds.

    Raises:
        Refusal: `bad_time`, `naive_time`, or `implausible_time` for a visitor who came after the ticket or more than a
            day before it, and an appointment more than 7 days away.
    """
    try:
        due = milliseconds(event.due) if event.due else 0
        arrived = milliseconds(event.arrived) if event.arrived else 0
    except Refusal as refusal:
        raise explain(encode(event), refusal) from None  # which of two bad ones comes first is decided there
    if event.arrived:
        if not at - _EARLIEST_ARRIVAL_MS <= arrived <= at + SKEW_MS:
            raise _implausible(event, "arrived", event.arrived, "24 h before and 5 s after")
        arrived = min(arrived, at)
    if event.due and abs(due - at) > _FARTHEST_APPOINTMENT_MS:
        raise _implausible(event, "due", event.due, "7 days before and after")
    return arrived, due


def _implausible(event: TicketIssued, name: str, value: str, span: str) -> Refusal:
    detail = f'ticket.issued: {name} "{shown(value)}" is not within {span} time "{shown(event.time)}"; leave it out'
    return Refusal(Reason.IMPLAUSIBLE_TIME, detail)
