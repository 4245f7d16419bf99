"""The tape: a day of events in the order in which they reach the log, with some twice and some late, and its totals.

It is a file to look into, one record a line: partition, timestamp, key and value with tabs between.
"""

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final, NamedTuple, Self

from attente.model.partitioning import partition_of
from benchmarks.lives import HOUR, MINUTE, SECOND, Happening, Lives, Totals, rfc3339
from benchmarks.network import offices_of, registry_yaml, sizes_of

FORMAT: Final = 1
"""Raised whenever the same shape comes to mean another tape."""

REPEATED_WITHIN: Final = 10 * MINUTE
LATE_BY: Final = HOUR
_TOLD: Final = "facts.json"  # written last, so that where it is there is a whole tape
FEWEST_PER_OFFICE: Final = 30  # opening and closing an office and its desks takes up to 18


class Record(NamedTuple):
    """A record of the log that is to be."""

    partition: int
    timestamp: int
    key: bytes
    value: bytes


@dataclass(frozen=True, slots=True)
class Shape:
    """What a tape is made of. Equal shapes are equal tapes, byte for byte."""

    events: int = 1_000_000
    offices: int = 1_000
    partitions: int = 4
    seed: int = 20_260_113
    repeated: float = 0.02
    late: float = 0.05

    @property
    def id(self) -> str:
        """A short name for it."""
        said = json.dumps([FORMAT, asdict(self)], sort_keys=True)
        return blake2b(said.encode(), digest_size=4).hexdigest()


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a tape: how many records lie where, and what they add up to."""

    split: tuple[int, ...]
    duplicates: int
    late: int
    bytes: int
    totals: Totals

    @classmethod
    def of(cls, values: dict[str, Any]) -> Self:
        """From a file."""
        return cls(**{**values, "split": tuple(values["split"]), "totals": Totals(**values["totals"])})


class Tape:
    """A tape on disk.

    Attributes:
        shape: what it is made of.
        facts: what is known of it.
        path: the file.
        registry: the file of its network.
    """

    def __init__(self, shape: Shape, folder: Path, facts: Facts) -> None:
        self.shape = shape
        self.facts = facts
        self.path = folder / "tape.tsv"
        self.registry = folder / "registry.yaml"

    def records(self, first: int | None = None) -> Iterator[Record]:
        """All records, or the first so many, in the order of their arrival."""
        with self.path.open("rb") as file:
            for number, line in enumerate(file):
                if number == first:
                    return
                partition, timestamp, key, value = line.rstrip(b"\n").split(b"\t", 3)
                yield Record(int(partition), int(timestamp), key, value)


def ensure(shape: Shape, home: Path, say: Callable[[str], None]) -> Tape:
    """The tape of a shape, made if it is not there yet. It may be deleted at any time."""
    folder = home / f"tape-{shape.id}"
    if (folder / _TOLD).exists():
        return opened(folder)
    say(f"making a tape of {shape.events:,} events")
    folder.mkdir(parents=True, exist_ok=True)
    offices = offices_of(shape.offices, shape.partitions)
    (folder / "registry.yaml").write_text(registry_yaml(offices), encoding="utf-8")
    records, facts = draw(shape, offices)
    with (folder / "tape.tsv").open("wb") as file:
        file.writelines(b"%d\t%d\t%b\t%b\n" % record for record in records)
    told = {"shape": asdict(shape), "facts": asdict(facts)}
    (folder / _TOLD).write_text(json.dumps(told, indent=1), encoding="utf-8")
    return Tape(shape, folder, facts)


def opened(folder: Path) -> Tape:
    """A tape that has been made."""
    told = json.loads((folder / _TOLD).read_text(encoding="utf-8"))
    return Tape(Shape(**told["shape"]), folder, Facts.of(told["facts"]))


def draw(shape: Shape, offices: tuple[str, ...]) -> tuple[list[Record], Facts]:
    """The records of a tape and what is known of them.

    Raises:
        ValueError: too few events for so many offices.
    """
    if shape.events < FEWEST_PER_OFFICE * shape.offices:
        message = (
            f"{shape.events:,} events are too few for {shape.offices:,} offices; "
            f"take {FEWEST_PER_OFFICE * shape.offices:,} or more, or fewer offices"
        )
        raise ValueError(message)
    copies = round(shape.events * shape.repeated)
    lives = Lives(shape.seed, sizes_of(offices, shape.partitions))
    happened = lives.day(shape.events - copies)
    homes = {office: partition_of(office.encode(), shape.partitions) for office in offices}
    draw = random.Random(shape.seed + 1)  # noqa: S311 - repeatable, not secret
    late = set(draw.sample(range(len(happened)), round(shape.events * shape.late)))
    again = draw.sample(range(len(happened)), copies)
    arrivals = [event.at + (draw.randrange(SECOND, LATE_BY) if i in late else 0) for i, event in enumerate(happened)]
    order = [(arrival, i) for i, arrival in enumerate(arrivals)]
    order += [(arrivals[i] + draw.randrange(SECOND, REPEATED_WITHIN), i) for i in again]
    order.sort()
    values: dict[int, bytes] = {}
    records = []
    for _, i in order:
        event = happened[i]
        value = values.pop(i, None)
        if value is None:
            value = values[i] = _value(event, i, draw)
        records.append(Record(homes[event.office], event.at, event.office.encode(), value))
    split = [0] * shape.partitions
    for record in records:
        split[record.partition] += 1
    size = sum(len(record.value) for record in records)
    return records, Facts(tuple(split), copies, len(late), size, lives.totals)


def _value(event: Happening, number: int, draw: random.Random) -> bytes:
    """The event as a producer writes it: CloudEvents 1.0 in JSON, named by a UUID of version 7."""
    stamp = f"{event.at:012x}"
    noise = f"{draw.getrandbits(36):09x}{number:09x}"
    name = f"{stamp[:8]}-{stamp[8:]}-7{noise[:3]}-8{noise[3:6]}-{noise[6:]}"
    return (
        f'{{"specversion":"1.0","id":"{name}","source":"/offices/{event.office}/kiosks/1","type":"{event.type}",'
        f'"time":"{rfc3339(event.at)}","office":"{event.office}"{event.attributes}}}'
    ).encode()
