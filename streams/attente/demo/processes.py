"""The programs that a demo runs, as child processes: started, killed, started again, and in the end all gone."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Final

import attente
from attente.broker.processes import ProcessId
from attente.errors import CheckFailed
from attente.settings import foreign

GRACE_S: Final = 10.0
"""How long a worker may take to end in order; its own promise is 5 s."""

_SERVES: Final = re.compile(r"^attente: worker \S+ serves (http://\S+)/metrics$", re.MULTILINE)
_PAUSE_S: Final = 0.02
_PROC: Final = Path("/proc")
# What the user has set for workers in service is not meant for these; how to look for failures is.
_KEPT: Final = frozenset({"ATTENTE_TRACEBACK"})


class ChildEnded(CheckFailed):
    """A process has ended that nobody had told to; says with which code and which last words."""


class ChildProcess:
    """One program that the demo runs: what it is called, and the process that runs it now."""

    def __init__(
        self, kind: str, name: str, command: Sequence[str], folder: Path, secrets: Mapping[str, str] | None = None
    ) -> None:
        """Describes it; nothing is started.

        Args:
            kind: what it is, in a word.
            name: which one of them; its log is named after both.
            command: the program and its arguments, all paths in it absolute.
            folder: where it works, and where its log lies.
            secrets: what it alone finds in its environment, and nobody sees on its command line.
        """
        self.name = name
        self.title = f"{kind} {name}".rstrip()
        self.log = folder / f"{self.title.replace(' ', '-').lower()}.log"
        self._command = command
        self._folder = folder
        self._secrets = dict(secrets or {})
        self._process: subprocess.Popen[bytes] | None = None
        self._log_from = 0

    def start(self) -> None:
        """Start it; its log goes on where it was."""
        with self.log.open("ab") as output:
            self._log_from = output.tell()
            self._process = subprocess.Popen(  # noqa: S603 - our own command
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=self._folder,
                # A Ctrl-C in the terminal is the demo's affair: it stops what it has started in order.
                start_new_session=True,
                env=_environment(os.environ) | self._secrets,
            )
            self._note(f"{self.name or self.title} is process {self._process.pid}")

    @property
    def identity(self) -> ProcessId | None:
        """The process, as long as it runs."""
        return ProcessId.of(self._process.pid) if self._process is not None and self.runs else None

    @property
    def runs(self) -> bool:
        """Whether it has been started and has not ended."""
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """`kill -9`, whatever it is doing; returns when it is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._note("killed")

    def tell(self) -> None:
        """Tell it to end."""
        if self._process is not None and self.runs:
            self._process.terminate()

    def ended(self) -> ChildEnded | None:
        """Why it does not run although it was started; None while it does."""
        if self._process is None or self.runs:
            return None
        code = self._process.returncode
        words = [line for line in self.said().splitlines() if line and not line.startswith("-- ")]
        how = f"with exit code {code}" if code >= 0 else f"by signal {signal.Signals(-code).name}"
        said = f": {words[-1].removeprefix('attente: ')}" if words else ""
        return ChildEnded(f"{self.title} has ended by itself {how}{said}; see {self.log}")

    def said(self) -> str:
        """All that it has written since it was started last."""
        with self.log.open("rb") as stream:
            stream.seek(self._log_from)
            return stream.read().decode(errors="replace")

    def _note(self, text: str) -> None:
        with self.log.open("ab") as output:
            output.write(f"-- {time.strftime('%H:%M:%S')} {text}\n".encode())


class WorkerProcess(ChildProcess):
    """One worker: a name in its group, which it keeps over restarts, and the process that bears it now."""

    def __init__(
        self, name: str, arguments: Sequence[str], folder: Path, secrets: Mapping[str, str] | None = None
    ) -> None:
        """Describes it; nothing is started.

        Args:
            name: what the group knows it by.
            arguments: of `attente worker`, all paths in it absolute.
            folder: where it works, and where its log lies.
            secrets: what it finds in its environment.
        """
        super().__init__("worker", name, command_of("worker", *arguments), folder, secrets)
        self._url: str | None = None

    def start(self) -> None:
        """Start it; its log goes on where it was."""
        self._url = None
        super().start()

    @property
    def url(self) -> str | None:
        """Where it serves its page, without the path; None until it has said so, and when it does not run."""
        if self._url is None and self.runs and (found := _SERVES.search(self.said())):
            self._url = found[1]
        return self._url if self.runs else None


def command_of(*arguments: str) -> list[str]:
    """The command line of another command of this program, whatever the path says."""
    return [sys.executable, "-m", "attente", *arguments]


def stop_all(some: Collection[ChildProcess], hurry: threading.Event, grace_s: float = GRACE_S) -> list[str]:
    """End some in order, and at once those that do not within their time, or when somebody is in a hurry.

    Returns:
        What those are called that had to be killed.
    """
    for one in some:
        one.tell()
    limit = time.monotonic() + grace_s
    while any(one.runs for one in some) and time.monotonic() < limit and not hurry.is_set():
        time.sleep(_PAUSE_S)
    late = [one for one in some if one.runs]
    for one in late:
        one.kill()
    return [one.title for one in late]


def children() -> set[int]:
    """The processes that this one has started and that run; nothing where the system does not tell."""
    found = set()
    for path in _PROC.glob("[0-9]*/stat"):
        try:
            text = path.read_text(encoding="utf-8", errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            continue
        # The name in brackets may hold anything; behind the last one stand the state and the parent.
        state, parent = text.rpartition(")")[2].split()[:2]
        if int(parent) == os.getpid() and state not in "ZXx":
            found.add(int(path.parent.name))
    return found


def _environment(environ: Mapping[str, str]) -> dict[str, str]:
    kept = foreign(environ) | {name: value for name, value in environ.items() if name in _KEPT}
    # The same program as this one, wherever it lies and wherever the worker is started.
    places = [str(Path(attente.__file__).parents[1]), *filter(None, [environ.get("PYTHONPATH")])]
    return {**kept, "PYTHONPATH": os.pathsep.join(places)}
