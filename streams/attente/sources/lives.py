"""What an importer hands over: lives of visits, and an account of what it read and dropped."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from attente.model.events import AnyEvent


class Life(Protocol):
    """The events of one visit, made only when they are asked for: a year of visits fits into memory, its events less.

    Events are numbered in the order in which they take place at equal times. The lives of a tape come in the order of
    their `sequence`.
    """

    def __len__(self) -> int:
        """How many events it has."""

    def at(self, index: int) -> int:
        """When an event took place, in milliseconds since 1970."""

    def event(self, index: int) -> AnyEvent:
        """The event itself."""


@dataclass(slots=True)
class Account:
    """What an importer read, and what became of it: `rows = tickets + dropped`.

    Attributes:
        rows: lines of the tape, its header not counted.
        tickets: rows that became a visit.
        dropped: rows that became none, by reason.
    """

    rows: int = 0
    tickets: int = 0
    dropped: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Importer:
    """One kind of tape.

    Attributes:
        name: what the command calls it.
        title: what it reads, in a few words.
        read: the lives of a tape, dealt to as many offices as asked for, with the account kept while they are read;
            raises `BadInput` with line and column, `Missing` without a file.
    """

    name: str
    title: str
    read: Callable[[Path, int, Account], Iterator[Life]]
