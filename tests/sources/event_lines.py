"""Lines of events for replays: visits of a few offices, one after the other."""

from attente.model.events import TicketCalled, TicketIssued, encode
from attente.model.instants import text_of

BEGIN = 1_795_421_640_000  # 2026-11-23T08:14:00Z
SECOND = 1_000


def visits(count: int, *, every_ms: int = SECOND, offices: int = 5) -> list[bytes]:
    """Two events a visit, issued and called half a step later, sorted by time."""
    return [line for number in range(count) for line in _visit(number, BEGIN + number * every_ms, every_ms, offices)]


def _visit(number: int, at: int, every_ms: int, offices: int) -> tuple[bytes, bytes]:
    office = f"office-{number % offices}"
    source, ticket = f"/offices/{office}", f"A{number}"
    issued = TicketIssued(
        specversion="1.0",
        id=f"{number}i",
        source=source,
        time=text_of(at),
        office=office,
        ticket=ticket,
        service="ps",
        channel="walkin",
    )
    called = TicketCalled(
        specversion="1.0",
        id=f"{number}c",
        source=source,
        time=text_of(at + every_ms // 2),
        office=office,
        ticket=ticket,
    )
    return encode(issued), encode(called)
