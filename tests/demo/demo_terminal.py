"""The command in a terminal of its own, with somebody who types."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import threading
from types import TracebackType
from typing import Any, Self

from demo.demo_command import HANG_S, STREAMS, Command

# Escape sequences: colours, places, modes; what is left is what was written.
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>]")

# The first of a session that opens a terminal, or asks for one, has it as its own, and stands in its foreground.
_AS_FOREGROUND = """
import fcntl, runpy, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
sys.argv = ["attente", "demo", *sys.argv[1:]]
runpy.run_module("attente", run_name="__main__", alter_sys=True)
"""


class TerminalCommand(Command):
    """`attente demo` as the foreground of a new terminal of 120 × 40.

    Attributes:
        typist: the end of whoever sits there.
        before: the terminal's modes before anything ran in it.
        raw: all that has been written to it.
    """

    def __enter__(self) -> Self:
        self.typist, self._program = pty.openpty()
        fcntl.ioctl(self._program, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        self.before = self.modes()
        self.raw = ""
        # COLUMNS and LINES, which pytest-xdist sets, would count for more than the terminal's own size.
        ours = ("ATTENTE_", "COLUMNS", "LINES")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        self.process = subprocess.Popen(
            [sys.executable, "-c", _AS_FOREGROUND, *self._arguments],
            cwd=self.folder,
            env={**kept, "PYTHONPATH": str(STREAMS), "ATTENTE_TRACEBACK": "1", "TERM": "xterm", **self._environment},
            stdin=self._program,
            stdout=subprocess.PIPE,
            stderr=self._program,
            text=True,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._look, daemon=True)
        self._reader.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        super().__exit__(kind, error, trace)
        for end in (self.typist, self._program):
            try:
                os.close(end)
            except OSError:
                continue
        if error is not None:
            sys.stderr.write(_CONTROL.sub("", self.raw)[-20_000:])

    def _look(self) -> None:
        while True:
            try:
                data = os.read(self.typist, 65_536)
            except OSError:
                return
            if not data:
                return
            self.raw += data.decode(errors="replace")

    def result(self) -> int:
        """Its exit code, when it has ended."""
        return self.process.wait(HANG_S)

    def modes(self) -> list[Any]:
        """The terminal's modes now."""
        return termios.tcgetattr(self._program)

    def types(self, keys: str) -> None:
        """Press keys."""
        os.write(self.typist, keys.encode())

    def shows(self, pattern: str) -> bool:
        """Whether something like this has stood on the screen."""
        return re.search(pattern, _CONTROL.sub("", self.raw)) is not None

    def hang_up(self) -> None:
        """Close the terminal, as somebody who closes its window."""
        os.close(self._program)
        os.close(self.typist)
