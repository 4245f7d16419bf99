"""Whether a vendor's events are what the contract wants: each by itself, and one after the other.

What a worker would refuse is found with the worker's own decoder. What it would take and could make no sense of, or
what points at a clock or a counter gone wrong, is doubtful.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from attente.model.events import AnyEvent, TicketEvent, TicketIssued
from attente.model.instants import text_of
from attente.model.plausible import check_plausible
from attente.model.reasons import Reason, Refusal, shown
from attente.model.refusals import decode_event

BACK_MS: Final = 5_000
"""An event may be so much older than the one before: a desk's clock beside a kiosk's."""

DAY_MS: Final = 86_400_000

_FULL: Final = 1_000_000  # ids and tickets that are remembered; a file of more is checked in parts


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong with an event.

    Attributes:
        line: where it stands, from 1.
        code: a reason code of the dead letters, or `twice`, `clock`, `unissued`, `reused`, `skew`.
        detail: what is wrong, and the remedy.
        is_refused: a worker would refuse the event; else it is doubtful.
    """

    line: int
    code: str
    detail: str
    is_refused: bool


def findings(lines: Iterable[bytes], office: str | None = None) -> Iterator[list[Finding]]:
    """What is wrong with each line, in their order.

    Args:
        lines: one event each.
        office: the office of which all events have to be; None takes any.
    """
    check = _Check(office)
    for number, line in enumerate(lines, 1):
        yield list(check.line(number, line.rstrip(b"\r\n")))


class _Check:
    """What is remembered from line to line."""

    def __init__(self, office: str | None) -> None:
        self._office = office
        self._ids: dict[tuple[str, str], int] = {}  # to the line
        self._issued: dict[tuple[str, str], tuple[int, int]] = {}  # to the line and the instant
        self._last: dict[str, int] = {}  # instant of the last event by source

    def line(self, number: int, raw: bytes) -> Iterator[Finding]:
        """What is wrong with one line."""
        try:
            event, at = decode_event(raw)
            if isinstance(event, TicketIssued):
                check_plausible(event, at)
            if self._office is not None and event.office != self._office:
                raise Refusal(Reason.WRONG_KEY, f"office {shown(event.office)!r} is not {self._office!r}")
        except Refusal as refusal:
            yield Finding(number, refusal.reason.value, refusal.detail, is_refused=True)
            return
        for code, detail in (*self._twice(number, event), *self._clock(event, at), *self._ticket(number, event, at)):
            yield Finding(number, code, detail, is_refused=False)

    def _twice(self, number: int, event: AnyEvent) -> Iterator[tuple[str, str]]:
        name = (event.source, event.id)
        if name in self._ids:
            yield "twice", f"id {shown(event.id)!r} stands in line {self._ids[name]} already; give every event its own"
        elif len(self._ids) < _FULL:
            self._ids[name] = number

    def _clock(self, event: AnyEvent, at: int) -> Iterator[tuple[str, str]]:
        last = self._last.get(event.source, at)
        if at < last - BACK_MS:
            before = f"{event.time} is {(last - at) // 1000:,} s before the last event of {shown(event.source)!r}"
            yield "clock", f"{before}; send events in order, and see the clock"
        self._last[event.source] = at

    def _ticket(self, number: int, event: AnyEvent, at: int) -> Iterator[tuple[str, str]]:
        if not isinstance(event, TicketEvent):
            return
        name = (event.office, event.ticket)
        known = self._issued.get(name)
        if isinstance(event, TicketIssued):
            if known is not None and at - known[1] < DAY_MS:
                again = f"ticket {shown(event.ticket)!r} was issued in line {known[0]} already"
                yield "reused", f"{again}; prefix a number that is used again with the date"
            if len(self._issued) < _FULL:
                self._issued[name] = (number, at)
        elif known is None:
            yield (
                "unissued",
                f"ticket {shown(event.ticket)!r} was not issued in this file; without its issue it counts nowhere",
            )
        elif at < known[1] - BACK_MS:
            issued = text_of(known[1])
            yield (
                "skew",
                f"{event.time} is before the issue of ticket {shown(event.ticket)!r} at {issued}; see the clocks",
            )
