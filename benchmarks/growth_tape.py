"""Records for the points of growth that no day of a tape has: everybody waits, or one more event comes everywhere."""

import random
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from attente.model.events import TicketIssued, encode
from attente.model.instants import text_of
from attente.model.partitioning import partition_of
from benchmarks.core import Batches
from benchmarks.lives import CHANNELS, HOUR, OPENING
from benchmarks.network import SERVICES
from benchmarks.tape import Record

WITHIN: Final = 2 * HOUR
"""In which all those who wait have taken their tickets."""
_DAY: Final = "2026-01-13"


def crowd(count: int, offices: Sequence[str], partitions: int, seed: int = 1) -> Iterator[Record]:
    """So many tickets, one after the other within two hours, as many in one office as in another; nobody is called."""
    draw = random.Random(seed)  # noqa: S311 - repeatable, not secret
    channels = draw.choices(list(CHANNELS), list(CHANNELS.values()), k=count)
    for number, channel in enumerate(channels):
        at = OPENING + number * WITHIN // count
        office = offices[number % len(offices)]
        yield _issued(office, f"W{number:06d}", at, draw.choice(SERVICES), channel, partitions)


def one_more(offices: Iterable[str], at: int, partitions: int) -> Iterator[Record]:
    """A ticket in every office at one instant."""
    for number, office in enumerate(offices):
        yield _issued(office, f"M{number:06d}", at, SERVICES[0], "walkin", partitions)


def _issued(office: str, ticket: str, at: int, service: str, channel: str, partitions: int) -> Record:
    event = TicketIssued(
        specversion="1.0",
        id=f"{office}/{ticket}",
        source=f"/offices/{office}/kiosks/1",
        time=text_of(at),
        office=office,
        ticket=f"{_DAY}/{ticket}",
        service=service,
        channel=channel,  # type: ignore[arg-type]  # the tape's channels are the model's
    )
    return Record(partition_of(office.encode(), partitions), at, office.encode(), encode(event))


def batched(records: Iterable[Record], firsts: Sequence[int]) -> list[Batches]:
    """Records as batches of their partitions, of which each begins at an offset."""
    found = [Batches(first) for first in firsts]
    for record in records:
        found[record.partition].add(record)
    for batches in found:
        batches.close()
    return found
