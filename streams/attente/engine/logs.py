"""Log lines of the libraries: to stderr, and no flood while a broker is away."""

import logging
import sys
import time
from typing import Final

EVERY_S: Final = 60.0
NOISY: Final = ("aiokafka", "faust", "mode", "kafka", "asyncio")


class OncePerMinute(logging.Filter):
    """Lets each kind of line of a logger through once a minute: aiokafka writes 15,000 in an outage of two minutes."""

    def __init__(self, every_s: float = EVERY_S) -> None:
        super().__init__()
        self._every_s = every_s
        self._told: dict[tuple[str, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a line is let through."""
        kind = (record.name, str(record.msg)[:80])
        now = time.monotonic()
        if now - self._told.get(kind, float("-inf")) < self._every_s:
            return False
        self._told[kind] = now
        return True


class Seldom:
    """True at first, and then once a minute: for what is tried each second while a broker is away."""

    def __init__(self, every_s: float = EVERY_S) -> None:
        self._every_s = every_s
        self._told = float("-inf")

    def __call__(self) -> bool:
        """Whether it is time to say it again."""
        now = time.monotonic()
        if now - self._told < self._every_s:
            return False
        self._told = now
        return True

    def reset(self) -> None:
        """The trouble is over: the next one is told at once."""
        self._told = float("-inf")


def named(error: BaseException) -> str:
    """An error on one line: its class, and the last thing it says (aiokafka begins some with a page of advice)."""
    said = " ".join(str(error.args[-1]).split()) if error.args else ""
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


def setup(level: int = logging.WARNING) -> None:
    """Send warnings of the libraries to stderr, each kind once a minute, without tracebacks."""
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(OncePerMinute())
    handler.setFormatter(_OneLine("attente: %(name)s: %(message)s"))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in NOISY:
        logging.getLogger(name).setLevel(level)


class _OneLine(logging.Formatter):
    """A record as one line: what a library thinks of a lost connection fills pages otherwise."""

    def format(self, record: logging.LogRecord) -> str:
        error = record.exc_info[1] if record.exc_info else None
        record.exc_info = None
        record.exc_text = None
        line = " ".join(super().format(record).split())
        return f"{line}: {error!r}" if error is not None else line
