"""Ctrl-C and TERM for commands that have something to put in order before they end."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def stop_by_signal() -> Iterator[threading.Event]:
    """Lets the first Ctrl-C, or a TERM, set the event, and the second one end the command at once."""
    stop = threading.Event()
    former = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def give_back() -> None:
        for number, handler in former.items():
            signal.signal(number, handler)

    def stop_in_order(_number: int, _frame: FrameType | None) -> None:
        stop.set()
        give_back()

    for number in former:
        signal.signal(number, stop_in_order)
    try:
        yield stop
    finally:
        give_back()
