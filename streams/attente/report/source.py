"""What a report is made of: a file of events, standard input, or a tape that an importer knows; and what it was."""

import hashlib
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final, cast

from attente.errors import Missing
from attente.registry.demo import technion_registry
from attente.registry.entities import Registry
from attente.sources.files import lines_of, split
from attente.sources.importers import IMPORTERS, ImportedTape, ImportOptions, import_tape

STDIN: Final = Path("-")

REGISTRIES: Final[Mapping[str, Callable[[int], Registry]]] = {"technion": technion_registry}
"""The network of each kind of tape, by the number of offices that it is dealt out to."""


@dataclass(frozen=True, slots=True)
class Origin:
    """What the figures are figures of.

    Attributes:
        file: the name of the file, without its folder; `-` is standard input.
        kind: `events`, or the importer that made events of it.
        bytes: its size.
        sha256: of its bytes.
        dropped: rows that the importer made no visit of, by reason.
    """

    file: str
    kind: str
    bytes: int
    sha256: str
    dropped: Mapping[str, int] = field(default_factory=dict)


class Source:
    """A file that is to be read.

    Attributes:
        name: what errors call it.
        rereadable: whether its lines can be had a second time.
    """

    def __init__(self, path: Path, importer: str = "", options: ImportOptions | None = None) -> None:
        """Opens nothing yet.

        Args:
            path: the file; `-` is standard input.
            importer: of the kind that the tape is; "" for events.
            options: how the tape is to be imported.
        """
        self.name = str(path)
        self.rereadable = path != STDIN
        self._path = path
        self._importer = importer
        self._options = options or ImportOptions()
        self._tape: ImportedTape | None = None
        self._stdin = _Watched(sys.stdin.buffer)

    @property
    def events(self) -> Path | None:
        """The file, if it is one of events that others can read too."""
        return None if self._importer or not self.rereadable else self._path

    @property
    def registry(self) -> Registry | None:
        """The network that a tape is of; None for events, which are of any."""
        return REGISTRIES[self._importer](self._options.offices) if self._importer else None

    def lines(self) -> Iterator[bytes]:
        """The events, one JSON object each, without line ends.

        Raises:
            Missing: there is no such file, or it cannot be read.
            BadInput: it is no such tape, or damaged; with line and column.
        """
        if self._importer:
            self._tape = import_tape(IMPORTERS[self._importer], self._path, self._options)
            return self._tape.lines
        if self._path == STDIN:
            return split(cast("IO[bytes]", self._stdin), self.name)
        return lines_of(self._path)

    def origin(self) -> Origin:
        """What it was, once all lines have been taken.

        Raises:
            Missing: it cannot be read any more.
        """
        kind = self._importer or "events"
        if self._path == STDIN:
            return Origin(self.name, kind, self._stdin.bytes, self._stdin.digest.hexdigest())
        try:
            with self._path.open("rb") as stream:
                digest = hashlib.file_digest(stream, "sha256").hexdigest()
                size = stream.tell()
        except OSError as error:
            msg = f"{self.name}: cannot be read: {error.strerror or error}; check the path and its permissions"
            raise Missing(msg) from error
        dropped = self._tape.report.dropped if self._tape else {}
        return Origin(self._path.name, kind, size, digest, dropped)


class _Watched:
    """A stream that can be read once, and what it held."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.digest = hashlib.sha256()
        self.bytes = 0
        self._stream = stream

    def readline(self, size: int) -> bytes:
        """The next line, or as much of it."""
        line = self._stream.readline(size)
        self.digest.update(line)
        self.bytes += len(line)
        return line
