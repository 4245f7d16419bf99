"""Many runs of the command at once, each a process of its own, without the second that a new Python takes to import.

One process has imported everything, and is forked for each run; it has no threads, so that nothing can hang in them.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from workers import ROOT, wait_until

_MODULES: Final = ("access", "deadletters", "demo", "doctor", "kiosk", "main", "replay", "simulate", "topics", "worker")


@dataclass(frozen=True)
class Run:
    """One run.

    Attributes:
        pid: its process.
        folder: where it works; what it says lies there.
    """

    pid: int
    folder: Path

    @property
    def said(self) -> str:
        """What it has written to stdout so far."""
        return (self.folder / "stdout").read_text()

    @property
    def told(self) -> str:
        """What it has written to stderr so far."""
        return (self.folder / "stderr").read_text()

    @property
    def code(self) -> int | None:
        """Its exit code, once it has ended."""
        file = self.folder / "code"
        return int(file.read_text()) if file.exists() else None

    @property
    def has_ended(self) -> bool:
        """Whether it is gone."""
        return not Path(f"/proc/{self.pid}").exists()

    def until(self, is_so: Callable[[], bool]) -> None:
        """Wait until something is so, or it has ended; one that hangs ends the test."""
        wait_until(lambda: self.has_ended or is_so(), f"{self.folder} says something, or ends")

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        """Send it a signal, and wait until it is gone."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)
        wait_until(lambda: self.has_ended, f"{self.folder} ends")


class Forks:
    """Starts runs."""

    def __init__(self, server: "subprocess.Popen[str]") -> None:
        self._server = server

    def start(self, arguments: Sequence[str], folder: Path, environ: Mapping[str, str] | None = None) -> Run:
        """Begin a run of `attente` in a folder of its own, with some more of an environment."""
        folder.mkdir(parents=True)
        for name in ("stdout", "stderr"):
            (folder / name).touch()  # they can be read before it has begun
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        order = {"arguments": list(arguments), "folder": str(folder), "environ": dict(environ or {})}
        self._server.stdin.write(f"{json.dumps(order)}\n")
        self._server.stdin.flush()
        return Run(int(self._server.stdout.readline()), folder)


@contextmanager
def forks() -> Iterator[Forks]:
    """The process that is forked."""
    path = os.pathsep.join([str(ROOT / "streams"), str(ROOT / "tests")])
    environ = {name: value for name, value in os.environ.items() if not name.startswith("ATTENTE_")}
    server = subprocess.Popen(
        [sys.executable, __file__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**environ, "PYTHONPATH": path},
    )
    try:
        yield Forks(server)
    finally:
        server.communicate()


def _serve() -> None:
    for name in _MODULES:
        __import__(f"attente.cli.{name}")
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody has to bury them
    for line in sys.stdin:
        order = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _run(order)
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()


def _run(order: Any) -> None:
    from attente.cli.main import main  # noqa: PLC0415 - the process of the tests has no need of it

    code: Any = None
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.chdir(order["folder"])
        for name, number in (("stdout", 1), ("stderr", 2)):
            os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_APPEND), number)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.environ.update(order["environ"])
        main(order["arguments"])
    except SystemExit as ended:
        code = ended.code
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        Path(".code").write_text(str(code or 0))
        Path(".code").rename("code")
        os._exit(int(code or 0))


if __name__ == "__main__":
    _serve()
