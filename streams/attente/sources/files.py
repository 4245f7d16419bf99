"""Files of lines, plain or compressed by xz: read as a stream, with line and column of what is wrong, written whole."""

import lzma
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from attente.errors import BadInput, Missing

LONGEST_LINE: Final = 1 << 20
"""Bytes of a line, as many as the events' topic takes in a record: the rest of a file without line ends is not read."""

_XZ: Final = b"\xfd7zXZ\x00"


def refusal(name: str, line: int, column: int, message: str) -> BadInput:
    """The error of a place in a file. Lines and columns are counted from 1, columns in characters."""
    return BadInput(f"{name}:{line}:{column}: {message}")


def lines_of(path: Path, name: str = "") -> Iterator[bytes]:
    """The lines of a file, without their ends.

    A file is taken for compressed when its name ends in `.xz` or its first bytes are xz's.

    Args:
        path: the file.
        name: what errors call it; the path unless given.

    Raises:
        Missing: there is no such file, or it cannot be opened.
        BadInput: it is no xz file, damaged or cut off; a line is longer than `LONGEST_LINE`.
    """
    name = name or str(path)
    try:
        with path.open("rb") as plain:
            packed = plain.read(len(_XZ)) == _XZ or path.suffix == ".xz"
            plain.seek(0)
            if packed:
                with lzma.LZMAFile(plain) as stream:
                    yield from _unpacked(stream, name)
            else:
                yield from split(plain, name)
    except OSError as error:
        msg = f"{name}: cannot be read: {error.strerror or error}; check the path and its permissions"
        raise Missing(msg) from error


def split(stream: IO[bytes], name: str) -> Iterator[bytes]:
    """The lines of an open stream, without their ends.

    Raises:
        BadInput: a line is longer than `LONGEST_LINE`.
    """
    number = 0
    while line := stream.readline(LONGEST_LINE + 3):
        number += 1
        line = line.removesuffix(b"\n").removesuffix(b"\r")
        if len(line) > LONGEST_LINE:
            msg = f"the line is longer than {LONGEST_LINE} bytes; this is no file of lines"
            raise refusal(name, number, LONGEST_LINE + 1, msg)
        yield line


def _unpacked(stream: lzma.LZMAFile, name: str) -> Iterator[bytes]:
    number = 1
    try:
        for line in split(stream, name):
            yield line
            number += 1
    except EOFError:
        msg = "the compressed file ends too early: it was cut off; fetch it again"
        raise refusal(name, number, 1, msg) from None
    except lzma.LZMAError as error:
        what = "this is no xz file, though its name says so" if number == 1 else "the compressed file is damaged"
        msg = f"{what}: {error}; fetch it again, or check it with `xz --test`"
        raise refusal(name, number, 1, msg) from None


@contextmanager
def whole(path: Path) -> Iterator[IO[bytes]]:
    """A file to write that appears under its name only when all of it is there; what had that name stays until then.

    Raises:
        Missing: it cannot be written.
    """
    try:
        if path.exists() and not path.is_file():  # a pipe or a device takes what it gets
            with path.open("wb") as stream:
                yield stream
            return
        part = path.with_name(f"{path.name}.{os.getpid()}.part")
        try:
            with part.open("wb") as stream:
                yield stream
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        msg = f"{path}: cannot be written: {error.strerror or error}; check the folder, its permissions and its space"
        raise Missing(msg) from error
