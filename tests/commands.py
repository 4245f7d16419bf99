"""The command in this process: what it says and its exit code, without the time that a new Python takes to begin."""

import contextlib
import io
from dataclasses import dataclass

from attente.cli import main


@dataclass(frozen=True)
class Said:
    """What a command has said, and how it ended."""

    returncode: int
    stdout: str
    stderr: str


def attente(*arguments: str) -> Said:
    """Run the command."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main._run(list(arguments))
    return Said(code, out.getvalue(), err.getvalue())
