"""A fact as one integer: what is known of a ticket or a desk is a sorted list of such integers.

The low 62 bits say when, what and which; what most events do not have stands above them:

    sequence (60) | due (42) | arrived (42) || time (42) | kind (4) | attribute (16)

A fact without sequence, due and door time is *narrow*: an int of 62 bits that sorts as definitions.md orders facts.
Narrow facts take 8 bytes when packed (a wide one 32) and fit a machine word when the core is compiled.
"""

from array import array
from collections.abc import Callable, Mapping
from typing import Any, Final
from zlib import crc32

from attente.model.events import (
    ServiceEnded,
    ServiceStarted,
    TicketAbandoned,
    TicketCalled,
    TicketClosed,
    TicketEvent,
    TicketIssued,
    TicketRequeued,
    TicketTransferred,
)

# The kinds of `attente.model.kinds`, once more as constants that a compiler can fold; a test holds them equal.
ISSUED: Final = 0
CALLED: Final = 1
NO_SHOW: Final = 2
STARTED: Final = 3
PAUSED: Final = 4
RESUMED: Final = 5
ENDED: Final = 6
TRANSFERRED: Final = 7
REQUEUED: Final = 8
ABANDONED: Final = 9
CLOSED: Final = 10
# Desks and offices: a fact list of their own, in which closing ranks before opening.
SESSION_CLOSED: Final = 0
SESSION_OPENED: Final = 1

TIME: Final = 20  # shifts
KIND: Final = 16
WIDE: Final = 62
ARRIVED: Final = 62
DUE: Final = 104
SEQUENCE: Final = 146
NARROW: Final = (1 << WIDE) - 1  # masks
LOW_42: Final = (1 << 42) - 1
LOW_TIME: Final = (1 << TIME) - 1
WIDE_MARK: Final = 1 << 62  # in packed form: three more words follow

CHANNEL: Final = {"walkin": 0, "appointment": 1, "remote": 2}
OUTCOME: Final[dict[str | None, int]] = {None: 0, "resolved": 1, "pending": 2, "referred": 3}
CLOSE_REASON: Final = {"reset": 0, "forced_logout": 1, "overnight": 2}

_CHECKSUMS_KEPT: Final = 10_000
_checksums: dict[str, int] = {}


def checksum(text: str) -> int:
    """Twelve bits that stand for a desk or a free text, which are not kept: enough to tell two facts apart."""
    found = _checksums.get(text)
    if found is None:
        if len(_checksums) >= _CHECKSUMS_KEPT:
            _checksums.clear()
        found = _checksums[text] = crc32(text.encode("utf-8", "surrogatepass")) & 0xFFF
    return found


Numbers = Mapping[str, int]
"""The numbers of the services that an office offers; every other service is 0, `other`."""


# The 16 bits that say which: whatever tells two facts of one kind and instant apart, or changes a figure. What decides
# a figure stands above what does not, so that facts that differ in nothing else have one order, whichever came first.


def _issued(event: TicketIssued, numbers: Numbers) -> int:
    return numbers.get(event.service, 0) << 6 | CHANNEL[event.channel] << 4 | event.estimated


def _at_desk(event: TicketCalled | ServiceStarted, _: Numbers) -> int:
    return checksum(event.desk) << 1 | event.estimated


def _ended(event: ServiceEnded, _: Numbers) -> int:
    return OUTCOME[event.outcome] << 13 | checksum(event.desk) << 1 | event.estimated


def _transferred(event: TicketTransferred, numbers: Numbers) -> int:
    return numbers.get(event.toservice, 0) << 6 | event.estimated


def _requeued(event: TicketRequeued, numbers: Numbers) -> int:
    return numbers.get(event.service, 0) << 6 | (2 if event.service else 0) | event.estimated


def _abandoned(event: TicketAbandoned, _: Numbers) -> int:
    return checksum(event.reason) << 1 | event.estimated


def _closed(event: TicketClosed, _: Numbers) -> int:
    return CLOSE_REASON[event.reason] << 1 | event.estimated


def _plain(event: TicketEvent, _: Numbers) -> int:
    return event.estimated


ATTRIBUTE: Final[tuple[Callable[[Any, Numbers], int], ...]] = (
    _issued,
    _at_desk,
    _plain,  # no_show
    _at_desk,
    _plain,  # paused
    _plain,  # resumed
    _ended,
    _transferred,
    _requeued,
    _abandoned,
    _closed,
)
"""By kind, the function that makes an event's attribute: a table takes half the time of a chain of tests."""


def order(fact: int) -> tuple[int, bool, int, int, int]:
    """The place of a fact among those of its ticket: time, the issue first, sequence, rank of kind, attributes."""
    kind = fact >> KIND & 15
    return fact >> TIME & LOW_42, kind != ISSUED, fact >> SEQUENCE, kind, fact


def session_order(fact: int) -> tuple[int, int, int, int]:
    """The same for a desk or an office: time, sequence, closing before opening, attributes."""
    return fact >> TIME & LOW_42, fact >> SEQUENCE, fact >> KIND & 15, fact


def pack(facts: list[int]) -> bytes:
    """Facts as little-endian words: one for a narrow fact, four for a wide one."""
    try:
        return array("q", facts).tobytes()
    except OverflowError:
        words: list[int] = []
        for fact in facts:
            if fact <= NARROW:
                words.append(fact)
            else:
                words += (fact & NARROW | WIDE_MARK, fact >> SEQUENCE, fact >> DUE & LOW_42, fact >> ARRIVED & LOW_42)
        return array("q", words).tobytes()


def unpack(packed: bytes) -> list[int]:
    """The inverse of `pack`."""
    words = array("q")
    words.frombytes(packed)
    if max(words) < WIDE_MARK:
        return words.tolist()
    facts = []
    i = 0
    while i < len(words):
        word = words[i]
        if word < WIDE_MARK:
            facts.append(word)
            i += 1
        else:
            sequence, due, arrived = words[i + 1 : i + 4]
            facts.append(sequence << SEQUENCE | due << DUE | arrived << ARRIVED | word & NARROW)
            i += 4
    return facts
