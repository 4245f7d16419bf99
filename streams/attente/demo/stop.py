"""The wish to stop: the first signal interrupts what is being done, later ones hurry what is being put away."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

# A terminal that is closed says HUP: what was started must not outlive it either.
SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stop:
    """Whether somebody wants an end.

    Attributes:
        asked: a signal has come; it has raised KeyboardInterrupt unless `disarm` was called before.
        hurry: another one has come: whoever puts things away waits for nothing any more.
    """

    def __init__(self) -> None:
        self.asked = False
        self.hurry = threading.Event()
        self._armed = True

    def disarm(self) -> None:
        """From now on a signal interrupts nothing: putting away must not end half-way."""
        self._armed = False

    def handle(self, _number: int, _frame: FrameType | None) -> None:
        """What a signal does.

        Raises:
            KeyboardInterrupt: at the first one.
        """
        if self.asked or not self._armed:
            self.hurry.set()
        first, self.asked = not self.asked, True
        if first and self._armed:
            raise KeyboardInterrupt


@contextmanager
def stopping() -> Iterator[Stop]:
    """Handles the signals inside the block; one that was ignored (`nohup`, a job in the background) stays so."""
    stop = Stop()
    former = {number: signal.getsignal(number) for number in SIGNALS}
    heard = [number for number, handler in former.items() if handler is not signal.SIG_IGN]
    for number in heard:
        signal.signal(number, stop.handle)
    try:
        yield stop
    finally:
        for number in heard:
            signal.signal(number, former[number])
