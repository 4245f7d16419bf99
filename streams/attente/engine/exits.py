"""How a worker that cannot go on ends: one line that says why, and an exit code that is not zero."""

import os
import sys
import threading
import traceback
from typing import Final, NoReturn

from attente.engine.rights import refusal
from attente.errors import AttenteError

INTERNAL: Final = 70
TRACEBACK: Final = "ATTENTE_TRACEBACK"


def leave_within(seconds: float) -> None:
    """End the process with 0 unless it has ended by then: all is done, but Faust's consumer waits for its broker."""
    timer = threading.Timer(seconds, os._exit, (0,))
    timer.daemon = True
    timer.start()


def end(error: BaseException) -> NoReturn:
    """End the process at once.

    An exception in a Faust callback is only logged, and one in an agent restarts it without the event; a worker that
    goes on after either would be wrong in silence. `os._exit` asks nobody, so nothing can keep the process alive.
    """
    error = refusal(error) or error
    code = error.exit_code if isinstance(error, AttenteError) else INTERNAL
    said = " ".join(str(error).split())
    line = said if isinstance(error, AttenteError) else f"internal failure: {type(error).__name__}: {said}"
    if os.environ.get(TRACEBACK):
        traceback.print_exception(error)
    sys.stdout.flush()
    sys.stderr.write(f"attente: worker stops: {line}\n")
    sys.stderr.flush()
    os._exit(code)
