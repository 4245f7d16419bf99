"""A process that was started earlier, perhaps by somebody else: does it still run, and how to stop it.

A process number alone is not enough: it is given again to another process one day, which must not be killed then. The
number together with the time of its start is one process for as long as the machine runs, and the machine's boot is
part of the identity, since both begin again with it.
"""

import os
import signal
import time
from pathlib import Path
from typing import Final, Self

import msgspec

_PROC: Final = Path("/proc")
# The 22nd field of /proc/PID/stat, counted from the state, the first one behind the name in brackets.
_STATE: Final = 0
_START: Final = 19
_DEAD: Final = frozenset("ZXx")
_PAUSE_SECONDS: Final = 0.02


class ProcessId(msgspec.Struct, frozen=True):
    """One process, and no other that may come to have its number.

    Attributes:
        pid: its number.
        started: clock ticks between the machine's boot and its start.
        boot: the boot it belongs to.
    """

    pid: int
    started: int
    boot: str

    @classmethod
    def of(cls, pid: int) -> Self | None:
        """The process that has this number now; None if none runs."""
        fields = _stat(pid)
        if fields is None or fields[_STATE] in _DEAD:
            return None
        return cls(pid=pid, started=int(fields[_START]), boot=_boot())

    def runs(self) -> bool:
        """Whether it still runs; one that has ended and waits to be buried by its parent does not."""
        return ProcessId.of(self.pid) == self

    def stop(self, *, grace_seconds: float) -> None:
        """Ask it to end, wait, and kill it if it has not ended by then; returns when it is gone."""
        self._signal(signal.SIGTERM)
        if not self._ended_within(grace_seconds):
            self.kill()

    def kill(self) -> None:
        """End it at once; returns when it is gone."""
        self._signal(signal.SIGKILL)
        # The kernel ends it as soon as it leaves a system call: a full disk's queue may take its time.
        self._ended_within(grace_seconds=60)

    def _signal(self, number: signal.Signals) -> None:
        if self.runs():
            try:
                os.kill(self.pid, number)
            except ProcessLookupError:
                return

    def _ended_within(self, grace_seconds: float) -> bool:
        limit = time.monotonic() + grace_seconds
        while self.runs():
            if time.monotonic() >= limit:
                return False
            time.sleep(_PAUSE_SECONDS)
        return True


def _stat(pid: int) -> list[str] | None:
    try:
        text = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The name in brackets may hold spaces and brackets; what follows the last one does not.
    return text.rpartition(")")[2].split()


def _boot() -> str:
    return (_PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
