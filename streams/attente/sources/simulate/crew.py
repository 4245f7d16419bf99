"""Processes that compute shares of a network: each ends when it has done so, is told to, or its parent is gone."""

import gc
import multiprocessing
import os
import signal
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from typing import Any, Final

from attente.errors import AttenteError

GRACE_S: Final = 8.0
"""How long a process that is to end may take; a producer whose broker is silent gives up after five seconds."""

_TRACEBACK: Final = "ATTENTE_TRACEBACK"  # as for the command itself

Target = Callable[[Connection, Any], None]


class Member:
    """One process, and the parent's end of the pipe to it."""

    def __init__(self, target: Target, share: Any) -> None:
        """Starts it.

        Args:
            target: what it does, given its end of the pipe and its share; a function of a module.
            share: can be pickled.
        """
        # A fork would copy the threads' locks of whoever uses this as a library.
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self._process = context.Process(target=_run, args=(target, theirs, share), daemon=True)
        self._process.start()
        theirs.close()

    def tell(self) -> None:
        """Tell it to end."""
        with suppress(OSError):
            self.pipe.send(None)

    def receive(self) -> Any:
        """What it says next; waits for it.

        Raises:
            AttenteError: it has failed, and says why, or has ended without a word.
        """
        try:
            said = self.pipe.recv()
        except (EOFError, ConnectionError):
            self._process.join(GRACE_S)
            msg = f"a process of the simulation has ended by itself (exit code {self._process.exitcode}); run it again"
            raise AttenteError(msg) from None
        if isinstance(said, AttenteError):
            raise said
        return said

    def end(self) -> None:
        """See to it that it is gone."""
        self.pipe.close()  # whoever writes to it or listens to it ends now
        self._process.join(GRACE_S)
        if self._process.exitcode is None:
            self._process.kill()
            self._process.join()


@contextmanager
def members(target: Target, shares: Sequence[Any]) -> Iterator[list[Member]]:
    """A process for every share; all of them are gone when the block is left."""
    crew: list[Member] = []
    try:
        for share in shares:
            crew.append(Member(target, share))  # noqa: PERF401 - those started must be known when the next one fails
        yield crew
    finally:
        for member in crew:
            member.end()


def stop_on_word(pipe: Connection) -> threading.Event:
    """An event that is set when the parent says so, or is gone."""
    stop = threading.Event()

    def listen() -> None:
        with suppress(EOFError, OSError):
            pipe.recv()
        stop.set()

    threading.Thread(target=listen, name="parent", daemon=True).start()
    return stop


@contextmanager
def collecting_less() -> Iterator[None]:
    """Lets the interpreter look for cycles less often inside the block.

    Offices make many small objects and few cycles: that saves a tenth to a fifth of the CPU.
    """
    former = gc.get_threshold()
    gc.set_threshold(100_000, 20, 20)
    try:
        yield
    finally:
        gc.set_threshold(*former)


def _run(target: Target, pipe: Connection, share: Any) -> None:
    # A Ctrl-C in the terminal reaches every process; what comes of it is the parent's affair.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(BrokenPipeError, ConnectionResetError), collecting_less():  # a parent that is gone needs no answer
        try:
            target(pipe, share)
        except AttenteError as error:
            pipe.send(error)
        except (BrokenPipeError, ConnectionResetError):
            raise
        except Exception as error:  # noqa: BLE001 - the parent tells the user, in one line
            if _TRACEBACK in os.environ:
                traceback.print_exc()
            pipe.send(AttenteError(f"a process of the simulation has failed: {type(error).__name__}: {error}"))
    pipe.close()


def cores() -> int:
    """How many processes can compute at once."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
