"""What may be an id: of an office, a service, a kiosk, a norm, a key; and what a kiosk is called in its events."""

import re
from typing import Final

ID_LENGTH: Final = 64  # what an event's attributes may carry

_ID: Final = re.compile(rf"[a-z0-9][a-z0-9._-]{{0,{ID_LENGTH - 1}}}")


def is_id(text: str) -> bool:
    """Whether a text is an id: at most 64 of a-z, 0-9, '.', '_' and '-', of which a letter or digit comes first."""
    return _ID.fullmatch(text) is not None


def kiosk_source(office: str, kiosk: str) -> str:
    """The `source` of a kiosk's events: CloudEvents wants the URI reference of a producer."""
    return f"/offices/{office}/kiosks/{kiosk}"
