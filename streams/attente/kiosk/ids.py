"""Ids of events: UUIDs of version 7 (RFC 9562), which sort by the millisecond in which they were made."""

import secrets
from typing import Final

_VERSION: Final = 0x7 << 76
_VARIANT: Final = 0b10 << 62


def uuid7(at_ms: int, random_bits: int | None = None) -> str:
    """An id.

    Args:
        at_ms: the millisecond, since 1970.
        random_bits: 74 bits that nobody has drawn before; None draws them.
    """
    bits = secrets.randbits(74) if random_bits is None else random_bits
    number = (at_ms & (1 << 48) - 1) << 80 | _VERSION | bits >> 62 << 64 | _VARIANT | bits & (1 << 62) - 1
    text = f"{number:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
