"""Where the demo shows itself: a terminal, or plain lines where there is none."""

import contextlib
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final, Protocol

from rich.console import Console, RenderableType
from rich.live import Live
from rich.text import Text

_LINE_EVERY_S: Final = 5.0
_HEIGHT: Final = 24  # where there is no terminal

Progress = Callable[[str], None]
"""Takes a new text for the stage that is under way."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What there is to be seen now.

    Attributes:
        picture: for a terminal.
        line: for where there is none.
        notes: what has happened lately, the newest last.
    """

    picture: RenderableType
    line: str
    notes: tuple[str, ...] = ()


class Screen(Protocol):
    """Where the demo shows itself."""

    @property
    def height(self) -> int:
        """How many lines there are."""

    @property
    def is_terminal(self) -> bool:
        """Whether somebody can look at it, and press keys."""

    def stage(self, text: str) -> AbstractContextManager[Progress]:
        """Something of the start-up is under way inside the block; what it gives takes other words for it."""

    def say(self, text: str) -> None:
        """A line that stays."""

    def live(self, *, whole: bool = False) -> AbstractContextManager[None]:
        """Sights are shown inside the block; `whole` takes all of a terminal, and gives it back as it was."""

    def show(self, sight: Sight) -> None:
        """How things stand now."""


class TerminalScreen:
    """A live screen."""

    is_terminal = True

    def __init__(self, console: Console) -> None:
        """Shows on a console that is a terminal."""
        self._console = console
        self._live: Live | None = None

    @property
    def height(self) -> int:
        """How many lines the terminal has now."""
        return self._console.height

    @contextlib.contextmanager
    def stage(self, text: str) -> Iterator[Progress]:
        """A spinner beside the text."""
        with self._console.status(text) as status:
            yield status.update

    def say(self, text: str) -> None:
        """A line above the live screen."""
        self._console.print(Text(text))

    @contextlib.contextmanager
    def live(self, *, whole: bool = False) -> Iterator[None]:
        """The last screen stays when the block ends, unless it was the whole terminal."""
        # Each sight is drawn when it comes; a part of a terminal that changes its size is drawn anew in between.
        live = Live(console=self._console, vertical_overflow="crop", screen=whole, auto_refresh=not whole)
        try:
            live.start()
            self._live = live
            yield
        finally:
            self._live = None
            # A terminal that has been closed takes nothing any more, and nothing is lost with it.
            with contextlib.suppress(OSError):
                live.stop()

    def show(self, sight: Sight) -> None:
        """Draw it."""
        if self._live is not None:
            with contextlib.suppress(OSError):  # as above; whoever closed it has sent a signal too
                self._live.update(sight.picture, refresh=True)


class PlainScreen:
    """Lines now and then."""

    is_terminal = False
    height = _HEIGHT

    def __init__(self, write: Callable[[str], None]) -> None:
        """Hands every line to a function."""
        self._write = write
        self._is_live = False
        self._told_s = float("-inf")
        self._told: tuple[str, ...] = ()

    @contextlib.contextmanager
    def stage(self, text: str) -> Iterator[Progress]:
        """A line at the beginning, and one more for the first other words."""
        self._write(text)
        said: list[str] = []

        def progress(more: str) -> None:
            if not said:
                said.append(more)
                self._write(more)

        yield progress

    def say(self, text: str) -> None:
        """One line."""
        self._write(text)

    @contextlib.contextmanager
    def live(self, *, whole: bool = False) -> Iterator[None]:  # noqa: ARG002 - lines are lines
        """Before and after the block a sight is worth no line."""
        self._is_live = True
        try:
            yield
        finally:
            self._is_live = False

    def show(self, sight: Sight) -> None:
        """A line for every note, and every few seconds one about how things stand."""
        if not self._is_live:
            return
        fresh = [note for note in sight.notes if note not in self._told]
        for note in fresh:
            self._write(note)
        self._told = sight.notes
        now = time.monotonic()
        if now - self._told_s >= _LINE_EVERY_S:
            self._told_s = now
            self._write(sight.line)


def screen_for(console: Console) -> Screen:
    """The screen that suits where it is shown."""
    if console.is_terminal and not console.is_dumb_terminal:
        return TerminalScreen(console)
    return PlainScreen(lambda text: console.print(Text(text), soft_wrap=True))
