"""A process under measurement: what it says and when, the CPU time it takes, the memory it has needed."""

import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

_TICKS: Final = os.sysconf("SC_CLK_TCK")
_LOOK_S: Final = 0.02
_GRACE_S: Final = 30.0
_TAIL: Final = 5  # lines that an error shows
# A registry, a broker or a traceback that somebody has set for the product must not change what is measured.
_FOREIGN: Final = re.compile(r"ATTENTE_|FAUST_")


class Failed(Exception):  # noqa: N818 - what has become of the measurement
    """A process ended or was silent where it should have worked, or said something wrong."""


def cpu_of(stat: str) -> float:
    """CPU seconds, user and system, from the content of `/proc/PID/stat`."""
    # The second field is the name in parentheses, which may hold spaces and parentheses itself.
    fields = stat.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def peak_of(status: str) -> int:
    """The greatest resident size in bytes, from the content of `/proc/PID/status`."""
    found = re.search(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)
    return int(found[1]) * 1024 if found else 0


class Process:
    """Starts a program and listens to it; leaving the context ends it, whatever has happened.

    Attributes:
        started: when it was started (monotonic seconds).
        lines: (when, text) of every line it has said on either stream.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], log: Path, cwd: Path) -> None:
        clean = {name: value for name, value in os.environ.items() if not _FOREIGN.match(name)}
        log.parent.mkdir(parents=True, exist_ok=True)
        self.lines: list[tuple[float, str]] = []
        self._log = log
        self._changed = threading.Condition()
        self._is_silent = False
        self.started = time.monotonic()
        self._popen = subprocess.Popen(
            command,
            env={**clean, **environment},
            cwd=cwd,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,  # Ctrl-C is for the benchmark, which ends what it has started itself
        )
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def _listen(self) -> None:
        assert self._popen.stdout is not None  # noqa: S101 - it is a pipe
        with self._log.open("a", encoding="utf-8") as log:
            for line in self._popen.stdout:
                now = time.monotonic()
                log.write(line)
                log.flush()
                with self._changed:
                    self.lines.append((now, line.rstrip("\n")))
                    self._changed.notify_all()
        with self._changed:
            self._is_silent = True
            self._changed.notify_all()

    def hear(self, pattern: str, within_s: float, since: int = 0) -> tuple[float, re.Match[str]]:
        """When it says a line that holds the pattern, and the match; `since` passes over so many lines.

        Raises:
            Failed: it does not within the time, or has ended before.
        """
        wanted = re.compile(pattern)
        limit = time.monotonic() + within_s
        at = since
        with self._changed:
            while True:
                for when, line in self.lines[at:]:
                    if found := wanted.search(line):
                        return when, found
                at = len(self.lines)
                left = limit - time.monotonic()
                if self._is_silent or left <= 0:
                    why = "ended" if self._is_silent else f"did not within {within_s:g} s"
                    message = f"a process should have said {pattern!r} and {why}: {self.tail()}"
                    raise Failed(message)
                self._changed.wait(left)

    def tail(self) -> str:
        """The last lines it has said, in one line."""
        return " | ".join(line for _, line in self.lines[-_TAIL:]) or "it has said nothing"

    @property
    def is_running(self) -> bool:
        """Whether it runs."""
        return self._popen.poll() is None

    @property
    def cpu_s(self) -> float:
        """CPU seconds that it has taken so far; of all its threads.

        Raises:
            Failed: it runs no more.
        """
        return cpu_of(self._proc("stat"))

    @property
    def peak_bytes(self) -> int:
        """The most memory it has had so far.

        Raises:
            Failed: it runs no more.
        """
        return peak_of(self._proc("status"))

    def _proc(self, name: str) -> str:
        if not self.is_running:
            message = f"a process ended with {self._popen.returncode}: {self.tail()}"
            raise Failed(message)
        return Path(f"/proc/{self._popen.pid}/{name}").read_text(encoding="utf-8")

    def settle(self, within_s: float = 30.0, quiet_s: float = 0.5, share: float = 0.2) -> float:
        """Wait until it takes less than a share of a processor, and give its CPU seconds: its work is done."""
        limit = time.monotonic() + within_s
        before = self.cpu_s
        while True:
            time.sleep(quiet_s)
            now = self.cpu_s
            if now - before < share * quiet_s or time.monotonic() > limit:
                return now
            before = now

    def wait_until(self, is_so: Callable[[], bool], within_s: float, what: str) -> float:
        """When something has become so, looked at some 50 times a second.

        Raises:
            Failed: it has not in time, or the process has ended.
        """
        limit = time.monotonic() + within_s
        while not is_so():
            if not self.is_running:
                message = f"a process ended before {what}: {self.tail()}"
                raise Failed(message)
            if time.monotonic() > limit:
                message = f"not {what} within {within_s:g} s: {self.tail()}"
                raise Failed(message)
            time.sleep(_LOOK_S)
        return time.monotonic()

    def kill(self) -> None:
        """End it without notice (`kill -9`), if it runs."""
        if self.is_running:
            self._popen.kill()
        self._popen.wait()
        self._listener.join(_GRACE_S)

    def stop(self) -> float:
        """Ask it to end (SIGTERM) and give the seconds that it took.

        Raises:
            Failed: it does not end in time, or with another code than 0.
        """
        asked = time.monotonic()
        self._popen.send_signal(signal.SIGTERM)
        try:
            code = self._popen.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            message = f"a process has not ended within {_GRACE_S:g} s of SIGTERM: {self.tail()}"
            raise Failed(message) from None
        took = time.monotonic() - asked
        self._listener.join(_GRACE_S)
        if code:
            message = f"a process ended with {code} after SIGTERM: {self.tail()}"
            raise Failed(message)
        return took
