"""Keys, each as soon as it is pressed, from a terminal that is given back as it was."""

import contextlib
import os
import select
import sys
import termios
import time
from collections.abc import Iterator
from enum import StrEnum
from typing import Any, Final, Protocol

_READ_BYTES: Final = 64
_ESCAPE: Final = b"\x1b"
# What a terminal sends for a key of its own is an escape, a bracket or O, perhaps digits, and a last letter or tilde.
_INTRODUCERS: Final = (b"[", b"O")
_LOCAL: Final = 3  # where termios keeps the local modes, and the control characters
_CHARACTERS: Final = 6


class Key(StrEnum):
    """What a key means."""

    MORE = "more"
    KILL = "kill"
    SORT = "sort"
    NORM = "norm"
    UP = "up"
    DOWN = "down"
    PAGE_UP = "page up"
    PAGE_DOWN = "page down"
    FIRST = "first"
    LAST = "last"
    QUIT = "quit"


_MEANINGS: Final = {
    b"+": Key.MORE,
    b"=": Key.MORE,  # the same key without shift
    b"k": Key.KILL,
    b"s": Key.SORT,
    b"n": Key.NORM,
    b"q": Key.QUIT,
    b" ": Key.PAGE_DOWN,
    b"\x1b[A": Key.UP,
    b"\x1bOA": Key.UP,
    b"\x1b[B": Key.DOWN,
    b"\x1bOB": Key.DOWN,
    b"\x1b[5~": Key.PAGE_UP,
    b"\x1b[6~": Key.PAGE_DOWN,
    b"\x1b[H": Key.FIRST,
    b"\x1bOH": Key.FIRST,
    b"\x1b[1~": Key.FIRST,
    b"\x1b[F": Key.LAST,
    b"\x1bOF": Key.LAST,
    b"\x1b[4~": Key.LAST,
}


class Keyboard(Protocol):
    """Where keys come from."""

    @property
    def listens(self) -> bool:
        """Whether there will ever be a key."""

    def keys(self, wait_s: float) -> list[Key]:
        """Waits until keys have been pressed, or for so long; gives those that mean something."""


class NoKeyboard:
    """Nobody is there to press a key."""

    listens = False

    def keys(self, wait_s: float) -> list[Key]:
        """Waits in vain."""
        time.sleep(wait_s)
        return []


class TerminalKeyboard:
    """A terminal that passes every key on at once."""

    listens = True

    def __init__(self, terminal: int) -> None:
        """Reads from a file descriptor."""
        self._terminal = terminal
        self._rest = b""

    def keys(self, wait_s: float) -> list[Key]:
        """Waits until keys have been pressed, or for so long; gives those that mean something."""
        if not self.listens:
            time.sleep(wait_s)
            return []
        ready, _, _ = select.select([self._terminal], [], [], wait_s)
        if not ready:
            # An escape that nothing follows was the key of that name, and means nothing.
            self._rest = b""
            return []
        try:
            data = os.read(self._terminal, _READ_BYTES)
        except OSError:
            data = b""
        if not data:
            self.listens = False  # the terminal has been closed
            return []
        found, self._rest = parse(self._rest + data)
        return found


def parse(data: bytes) -> tuple[list[Key], bytes]:
    """The keys in what a terminal has sent, and the beginning of one whose end has not come yet."""
    found = []
    while data:
        length = _length(data)
        if not length:
            break
        key = _MEANINGS.get(data[:length]) or _MEANINGS.get(data[:length].lower())
        if key is not None:
            found.append(key)
        data = data[length:]
    return found, data


def _length(data: bytes) -> int:
    """How many bytes the first key has; 0 where its end has not come yet."""
    if not data.startswith(_ESCAPE):
        return 1
    if data[1:2] not in _INTRODUCERS:
        return 1 if len(data) > 1 else 0
    for number, byte in enumerate(data[2:], 3):
        if 0x40 <= byte <= 0x7E:  # what may end such a sequence
            return number
    return 0


@contextlib.contextmanager
def keyboard(*, wanted: bool) -> Iterator[Keyboard]:
    """The keyboard of this process inside the block; afterwards the terminal is as it was, whatever has happened.

    Ctrl-C stays a signal. Ctrl-Z does nothing: a demo that is stopped would leave its screen behind and its workers
    alone.

    Args:
        wanted: somebody sees what the keys do. Otherwise, where standard input is no terminal, and in the background,
            whose processes are stopped when they read from it, nobody is listened to.
    """
    terminal = _terminal() if wanted else None
    if terminal is None:
        yield NoKeyboard()
        return
    former = termios.tcgetattr(terminal)
    try:
        termios.tcsetattr(terminal, termios.TCSANOW, _at_once(former))
        yield TerminalKeyboard(terminal)
    finally:
        with contextlib.suppress(termios.error):  # it has been closed
            # What was typed and not read is not meant for the shell.
            termios.tcsetattr(terminal, termios.TCSAFLUSH, former)


def _terminal() -> int | None:
    """Standard input, if it is a terminal and this process stands in its foreground."""
    try:
        number = sys.stdin.fileno()
        return number if os.isatty(number) and os.tcgetpgrp(number) == os.getpgrp() else None
    except (AttributeError, OSError, ValueError):
        return None  # closed, or put in place of it by somebody


def _at_once(attributes: list[Any]) -> list[Any]:
    changed = list(attributes)
    changed[_LOCAL] &= ~(termios.ICANON | termios.ECHO)
    changed[_CHARACTERS] = list(changed[_CHARACTERS])
    for place, value in ((termios.VMIN, 1), (termios.VTIME, 0), (termios.VSUSP, b"\0")):
        changed[_CHARACTERS][place] = value
    return changed
