"""What happened in the simulated offices, counted where it happens: what any other count of the events must come to."""

from collections.abc import Iterable
from typing import Final

import msgspec

from attente.model.kinds import CHANNELS, OUTCOMES
from attente.sources.simulate.gaming import Gaming

_ENCODER: Final = msgspec.json.Encoder()


class ServiceTruth(msgspec.Struct):
    """One service of one office.

    Counts go by docs/definitions.md: a call, a move and a service count under the service of the leg, a ticket under
    the service asked for. `closed` holds who was waiting when the system ended the visit, and `left_open` who was
    waiting when the day was over: at the cut-over they become closed too. `call_wait_ms` is what the waits to the calls
    add up to, from the issue or from the beginning of the later leg.
    """

    issued: dict[str, int] = msgspec.field(default_factory=lambda: dict.fromkeys(CHANNELS, 0))
    called: int = 0
    call_wait_ms: int = 0
    no_show: int = 0
    abandoned: int = 0
    transferred: int = 0
    requeued: int = 0
    started: int = 0
    served: dict[str, int] = msgspec.field(default_factory=lambda: dict.fromkeys(OUTCOMES, 0))
    closed: int = 0
    left_open: int = 0
    turned_away: int = 0


class OfficeTruth(msgspec.Struct):
    """One office over the days that were simulated.

    Attributes:
        office: its id.
        gaming: its trick.
        events: what was sent, second deliveries included.
        duplicates: second deliveries among them.
        late: what reached the broker more than a minute after it happened.
        desk_open_ms: what the sessions of its desks add up to.
        services: by id.
    """

    office: str
    gaming: Gaming
    events: int = 0
    duplicates: int = 0
    late: int = 0
    desk_open_ms: int = 0
    services: dict[str, ServiceTruth] = msgspec.field(default_factory=dict)


def truth_of(offices: Iterable[OfficeTruth]) -> bytes:
    """The truth about some offices as one JSON object: `{"offices": [...]}`."""
    return _ENCODER.encode({"offices": list(offices)})
