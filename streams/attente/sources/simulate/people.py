"""Who is in an office: visitors and desks."""

from enum import IntEnum


class State(IntEnum):
    """Where a visitor stands."""

    WAITING = 0
    CALLED = 1
    SERVING = 2
    ABSENT = 3
    OVER = 4


class Visitor:
    """One visitor with a ticket.

    Attributes:
        ticket: as in the events.
        service: whom the visitor waits for or is served by, as a number among the office's services.
        key: who has the least is called first.
        issued, came: when the ticket was issued and when the visitor came, by the kiosk's clock.
        leaves: until when the visitor's patience lasts.
        since: when the present leg began, by the clocks of the events.
        leg: how many times the visitor has entered a queue; a queue's entry of an earlier leg is void.
        state: where the visitor stands.
        gone: has left without telling anybody.
        calls: how many calls have been missed.
    """

    __slots__ = ("calls", "came", "gone", "issued", "key", "leaves", "leg", "service", "since", "state", "ticket")

    def __init__(self, ticket: str, service: int, key: int, came: int, issued: int) -> None:
        self.ticket = ticket
        self.service = service
        self.key = key
        self.came = came
        self.issued = issued
        self.leaves = 0
        self.since = issued
        self.leg = 0
        self.state = State.WAITING
        self.gone = False
        self.calls = 0


class Desk:
    """One desk.

    Attributes:
        id: as in the events.
        services: whom it calls, as numbers among the office's services.
        open: whether it has been opened.
        since: when that was.
        closes: from when on it closes if nobody waits for it; 0 as long as it is not to close.
        leaves: from when on it closes whoever waits.
    """

    __slots__ = ("closes", "id", "leaves", "open", "services", "since")

    def __init__(self, identity: str, services: tuple[int, ...]) -> None:
        self.id = identity
        self.services = services
        self.open = False
        self.since = 0
        self.closes = 0
        self.leaves = 0
