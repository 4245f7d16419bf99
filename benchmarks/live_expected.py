"""What the core alone needs for the same records: run as a program on one partition of a log, it prints JSON.

A worker holds a visit until it is older than the horizon, so under load its memory must grow; by how much, a process
that does nothing but count says: its resident memory at two offsets of the partition, and the visits between.
"""

import argparse
import gc
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from kafka import KafkaConsumer, TopicPartition

from attente.core.partition import Partition
from attente.core.plan import Plan
from attente.engine.app import COLLECT
from attente.registry.load import load
from benchmarks.core import resident
from benchmarks.process import Failed

_POLL_MS: Final = 1_000
_SILENCE: Final = 30  # polls without a record


@dataclass(frozen=True, slots=True)
class Expected:
    """From one offset of a partition to another.

    Attributes:
        events: between them.
        visits: by which the state holds more.
        bytes: by which the process has grown.
    """

    events: int
    visits: int
    bytes: int


def grow(bootstrap: str, place: TopicPartition, partition: Partition, bounds: tuple[int, int]) -> Expected:
    """Count a partition up to the second offset, and look at the first and at the second.

    Raises:
        Failed: the log ends before.
    """
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    marks: list[tuple[int, int, int]] = []
    silent = 0
    try:
        consumer.assign([place])
        consumer.seek(place, 0)
        while len(marks) < len(bounds):
            records = consumer.poll(timeout_ms=_POLL_MS).get(place, [])
            silent = 0 if records else silent + 1
            if silent > _SILENCE:
                message = f"partition {place.partition} ends at {partition.next_offset}, before {bounds[len(marks)]}"
                raise Failed(message)
            partition.ingest(records)
            del records
            while len(marks) < len(bounds) and partition.next_offset >= bounds[len(marks)]:
                gc.collect()
                visits = sum(len(office.open) + len(office.closed) for office in partition.offices.values())
                marks.append((partition.read, visits, resident()))
    finally:
        consumer.close()
    before, after = marks
    return Expected(*(last - first for first, last in zip(before, after, strict=True)))


def main() -> None:
    """Count, and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bootstrap", help="HOST:PORT of the broker")
    parser.add_argument("topic")
    parser.add_argument("registry", type=Path)
    parser.add_argument("partitions", type=int, help="how many the topic has")
    parser.add_argument("number", type=int, help="the one to count")
    parser.add_argument("bounds", type=int, nargs=2, help="the two offsets")
    options = parser.parse_args()
    gc.set_threshold(*COLLECT)
    partition = Partition(Plan(load(options.registry)), options.number, options.partitions)
    place = TopicPartition(options.topic, options.number)
    print(json.dumps(asdict(grow(options.bootstrap, place, partition, tuple(options.bounds)))))


if __name__ == "__main__":
    main()
