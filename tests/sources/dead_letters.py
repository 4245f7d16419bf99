"""Dead letters as a worker writes them."""

import json
from typing import Any

from attente.model.instants import text_of
from attente.model.reasons import Reason
from attente.model.records import DeadLetter, Origin, dead_letter, read_dead_letter
from attente.sources.deadletters.letters import Letter

BEGIN = 1_773_129_600_000  # 2026-03-10T08:00:00Z
TOPIC = "attente.events"


def body(office: str = "lille", number: int = 1, at: int = BEGIN, **attributes: Any) -> bytes:
    """A sound event, as bytes, with other attributes than it would have; None leaves one out."""
    event = {
        "specversion": "1.0",
        "id": f"e-{number}",
        "source": f"/offices/{office}/kiosks/1",
        "type": "ticket.issued",
        "time": text_of(at),
        "office": office,
        "ticket": f"t-{number}",
        "service": "cash",
        "channel": "walkin",
    }
    return json.dumps({name: value for name, value in (event | attributes).items() if value is not None}).encode()


def written(
    offset: int,
    value: bytes | None,
    *,
    key: bytes | None = b"lille",
    reason: Reason = Reason.UNKNOWN_OFFICE,
    partition: int = 0,
    at: int = BEGIN,
    topic: str = TOPIC,
    detail: str = "why",
) -> DeadLetter:
    """What a worker writes of an event that it has refused."""
    origin = Origin(topic, partition, offset, at)
    return dead_letter(origin, key=key, value=value, reason=reason, detail=detail, version="0.1.0")


def lying(letter: DeadLetter, offset: int = 0) -> Letter:
    """The same, read where it lies."""
    record = read_dead_letter(letter.key, letter.value, letter.headers)
    return Letter.of(record, record.origin.partition, offset, BEGIN)
