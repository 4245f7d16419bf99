"""The command as a process of its own, and what it leaves behind."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

import attente
from attente.broker.admin import connect
from attente.broker.local import LocalBroker

HANG_S = 240
STREAMS = Path(attente.__file__).parents[1]


class Command:
    """`attente demo` in a folder, in a session of its own as in a terminal; killed at the end of the block.

    Attributes:
        folder: where it works; its data lie in `.attente` there.
        told: the lines that it has written to stderr.
    """

    def __init__(self, folder: Path, *arguments: str, **environment: str) -> None:
        self.folder = folder
        self.told: list[str] = []
        self._arguments = arguments
        self._environment = environment

    def __enter__(self) -> Self:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("ATTENTE_")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "attente", "demo", *self._arguments],
            cwd=self.folder,
            env={**kept, "PYTHONPATH": str(STREAMS), "ATTENTE_TRACEBACK": "1", **self._environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._listen, daemon=True)
        self._reader.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.kill()
        self.process.communicate()
        for pid in self.started():
            os.kill(pid, signal.SIGKILL)
        if error is not None:
            sys.stderr.write("\n".join(self.told))

    def _listen(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.told.append(line.rstrip("\n"))

    def started(self) -> dict[int, str]:
        """What it has started and still runs: all of it names a file in its folder."""
        found = {}
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                words = path.read_bytes().split(b"\0")
            except (FileNotFoundError, ProcessLookupError):
                continue
            if any(bytes(self.folder / ".attente") in word for word in words):
                found[int(path.parent.name)] = b" ".join(words).decode()
        return found

    def runs(self, what: str) -> bool:
        """Whether it has started something whose command matches, and that still runs."""
        return any(re.search(what, command) for command in self.started().values())

    def said(self, text: str) -> bool:
        """Whether it has said something like this."""
        return any(re.search(text, line) for line in list(self.told))

    def until(self, is_so: Callable[[], bool]) -> None:
        """Wait for a condition, as long as it runs."""
        limit = time.monotonic() + HANG_S
        while not is_so():
            assert time.monotonic() < limit, "it takes too long"
            assert self.process.poll() is None, f"it has ended with {self.process.returncode}"
            time.sleep(0.005)

    def signal(self, number: signal.Signals) -> None:
        """What a terminal does: everybody in the foreground hears it."""
        os.killpg(self.process.pid, number)

    def result(self) -> int:
        """Its exit code, when it has ended."""
        code = self.process.wait(HANG_S)
        self._reader.join(HANG_S)
        return code

    def output(self) -> str:
        """What it has written to stdout; it has ended."""
        assert self.process.stdout is not None
        return self.process.stdout.read()

    def errors(self) -> list[str]:
        """The lines in which it says why it failed."""
        return [line for line in self.told if line.startswith("attente: ")]

    def runs_left(self) -> list[Path]:
        """The folders of runs that it has left behind."""
        folder = self.folder / ".attente" / "demo"
        return sorted(folder.iterdir()) if folder.is_dir() else []


def demo_topics(broker: LocalBroker) -> list[str]:
    """The topics of demos on a cluster."""
    with connect(broker.bootstrap) as admin:
        return [name for name in admin.topic_names() if name.startswith("demo-")]
