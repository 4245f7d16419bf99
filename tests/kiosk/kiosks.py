"""Real kiosks: programs that tests start, listen to and kill, and what has arrived of their events."""

import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from attente.model.events import AnyEvent, KioskHeartbeat, decode
from workers import HANG_S, ROOT, content

PREFIX = "kiosks."
EVENTS = f"{PREFIX}events"
PARTITIONS = 4


class Program:
    """A process of kiosk_program.py.

    Attributes:
        accepted: the ids of the events that it says it has accepted.
        said: the lines of its log.
        has_begun: it has accepted something, or has ended.
    """

    def __init__(self, bootstrap: str, spool: Path, run: int, **flags: float) -> None:
        self.accepted: list[str] = []
        self.said: list[str] = []
        self.has_begun = threading.Event()
        program = [sys.executable, str(ROOT / "tests" / "kiosk" / "kiosk_program.py")]
        more = [text for name, value in flags.items() for text in (f"--{name.replace('_', '-')}", f"{value}")]
        self.process = subprocess.Popen(
            [*program, bootstrap, EVENTS, str(spool), str(run), *more],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(ROOT / "streams")},
        )
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        self._listeners = [
            threading.Thread(target=self._listen, args=(self.process.stdout, self.accepted), daemon=True),
            threading.Thread(target=self._listen, args=(self.process.stderr, self.said), daemon=True),
        ]
        for listener in self._listeners:
            listener.start()

    def _listen(self, stream: IO[bytes], lines: list[str]) -> None:
        for line in stream:
            if line.endswith(b"\n"):  # a line cut off by the kill may have been accepted or not
                lines.append(line.decode().rstrip("\n"))
            if lines is self.accepted:
                self.has_begun.set()
        self.has_begun.set()

    def kill(self) -> None:
        """`kill -9`."""
        self.process.kill()
        self._wait()

    def end(self) -> None:
        """Tell it to send all it can and to end."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        assert self._wait() == 0, "\n".join(self.said)

    def _wait(self) -> int:
        code = self.process.wait(HANG_S)
        for listener in self._listeners:
            listener.join(HANG_S)
        return code

    def figure(self, name: str) -> int:
        """What the kernel says of the process: `Threads`, or `VmRSS` in kB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith(f"{name}:"))


class Arrived:
    """What lies on the topic.

    Attributes:
        records: all of it.
        events: the events of the kiosk without its heartbeats by their ids, in the order in which they first came.
        twice: how many came again.
    """

    def __init__(self, bootstrap: str) -> None:
        self.records: list[Any] = content(bootstrap, EVENTS)
        self.events: dict[str, AnyEvent] = {}
        self.twice = 0
        values: dict[str, bytes] = {}
        for record in self.records:
            event = decode(record.value)
            if isinstance(event, KioskHeartbeat):
                continue
            assert record.key == event.office.encode()
            self.twice += event.id in values
            assert values.setdefault(event.id, record.value) == record.value, "what comes twice is the same to the byte"
            self.events.setdefault(event.id, event)

    def all_are_there(self, accepted: Sequence[str]) -> None:
        """Every accepted event has arrived, and first arrivals are in the order of acceptance."""
        missing = [id_ for id_ in accepted if id_ not in self.events]
        assert missing == []
        place = {id_: number for number, id_ in enumerate(self.events)}
        places = [place[id_] for id_ in accepted]
        assert places == sorted(places), "first arrivals are in the order of acceptance"
