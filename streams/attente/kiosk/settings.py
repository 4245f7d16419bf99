"""What a kiosk has to know."""

from dataclasses import dataclass
from pathlib import Path

from attente.kiosk.spool import MOST_BYTES, MOST_EVENTS
from attente.model.signatures import Key
from attente.security import PLAINTEXT, Security


@dataclass(frozen=True, slots=True, kw_only=True)
class KioskSettings:
    """What a kiosk has to know.

    Attributes:
        office: id of the office in the network's registry.
        kiosk: id of the kiosk, unique in its office.
        spool: the file of what is not yet sent.
        key: signs every event when it is sent; None sends without signatures. `attente.kiosk.signing` reads one.
        broker: HOST:PORT of a broker of the cluster, or several with commas between.
        topic: the topic of the events.
        most_events, most_bytes: a spool that holds so much takes no more.
        heartbeat_seconds: how often the kiosk says that it is alive, how much it holds and how its clock goes.
        security: how it connects to the broker.
        delivery_timeout_seconds: after so long without an answer everything is sent again.
    """

    office: str
    kiosk: str
    spool: Path
    key: Key | None = None
    broker: str = "127.0.0.1:9092"
    topic: str = "attente.events"
    security: Security = PLAINTEXT
    most_events: int = MOST_EVENTS
    most_bytes: int = MOST_BYTES
    heartbeat_seconds: int = 60
    delivery_timeout_seconds: int = 30
