"""Importers by name, and how the tape of any of them becomes canonical NDJSON."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random
from typing import Final

import msgspec

from attente.model.events import encode
from attente.sources.disorder import Place, in_order
from attente.sources.lives import Account, Importer, Life
from attente.sources.technion import TECHNION

IMPORTERS: Final = {importer.name: importer for importer in (TECHNION,)}
"""A new kind of tape is one module with an `Importer`, and its name here."""


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How a tape is to be imported.

    Attributes:
        offices: how many offices its rows are dealt to.
        shuffle_ms: events leave out of order, by up to this long.
        duplicates: the share of events that come a second time, 0 to 1.
        seed: what the random choices follow from.
    """

    offices: int = 1
    shuffle_ms: int = 0
    duplicates: float = 0.0
    seed: int = 0


@dataclass(slots=True)
class ImportReport:
    """What came in and what went out: `rows = tickets + dropped`, `written = events + duplicates`.

    Attributes:
        rows: rows of the tape.
        tickets: visits made of them.
        dropped: rows that became no visit, by reason.
        events: events by type, each counted once.
        duplicates: events written a second time.
        displaced: lines whose event is older than one written before it.
        furthest_ms: how far the most displaced one lies behind the newest event before it.
    """

    rows: int = 0
    tickets: int = 0
    dropped: dict[str, int] = field(default_factory=dict)
    events: dict[str, int] = field(default_factory=dict)
    duplicates: int = 0
    displaced: int = 0
    furthest_ms: int = 0

    @property
    def written(self) -> int:
        """Lines of the output."""
        return sum(self.events.values()) + self.duplicates

    def as_json(self) -> bytes:
        """The report as one JSON object."""
        return msgspec.json.encode({**asdict(self), "written": self.written})


@dataclass(frozen=True, slots=True)
class ImportedTape:
    """A tape that has been read, and its events as they are asked for.

    Attributes:
        lines: canonical events in the order of the output, one JSON object each, without line ends.
        count: how many they are.
        report: complete when the last line has been taken.
    """

    lines: Iterator[bytes]
    count: int
    report: ImportReport


def import_tape(importer: Importer, path: Path, options: ImportOptions) -> ImportedTape:
    """Reads a whole tape; its events are made one by one as they are taken.

    So a wrong file leaves no half output, and a year of calls fits into memory.

    Raises:
        Missing: there is no such file.
        BadInput: it is no such tape; with line and column.
    """
    account = Account()
    lives = list(importer.read(path, options.offices, account))
    report = ImportReport(account.rows, account.tickets, dict(sorted(account.dropped.items())))
    random = Random(options.seed)  # noqa: S311 - a test tape has to be repeatable, not secret
    places = in_order(lives, options.shuffle_ms, options.duplicates, random)
    return ImportedTape(_lines(lives, places, report), len(places), report)


def _lines(lives: Sequence[Life], places: Iterable[Place], report: ImportReport) -> Iterator[bytes]:
    newest = 0
    for place in places:
        life = lives[place.life]
        at = life.at(place.event)
        if at < newest:
            report.displaced += 1
            report.furthest_ms = max(report.furthest_ms, newest - at)
        newest = max(newest, at)
        event = life.event(place.event)
        if place.again:
            report.duplicates += 1
        else:
            name = str(event.__struct_config__.tag)
            report.events[name] = report.events.get(name, 0) + 1
        yield encode(event)
    report.events = dict(sorted(report.events.items()))
