"""The programs of a live network under measurement: simulator, workers, scrapers, and what the broker knows."""

import contextlib
import gzip
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Final

from kafka import KafkaAdminClient, TopicPartition
from kafka.errors import KafkaError

from attente.metrics import catalogue as c
from benchmarks.page import Page
from benchmarks.process import Failed, Process, cpu_of
from benchmarks.worker import SOURCES

_GRACE_S: Final = 60.0
_START_S: Final = 120.0
_SAID_S: Final = 10.0
_TIMEOUT_S: Final = 15.0
_STOPPED: Final = {0, 130}
"""Exit codes of a program that was told to end."""
_ASKED: Final = {
    # As Prometheus asks.
    "Accept": "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
    "Accept-Encoding": "gzip",
}
_LOOKED_AT: Final = (c.LOOP_STALL, c.CHECKPOINT_CUT)
_LINES: Final = re.compile(
    rb"^(?:%b)[ {].*$" % b"|".join(metric.full_name.encode() for metric in _LOOKED_AT), re.MULTILINE
)


class Program(Process):
    """A command of attente, with all the processes that it starts."""

    def __init__(self, arguments: Sequence[str], log: Path) -> None:
        super().__init__([sys.executable, "-m", "attente", *arguments], {"PYTHONPATH": str(SOURCES)}, log, log.parent)

    @property
    def family_cpu_s(self) -> float:
        """CPU seconds that it and the processes that it has started have taken so far, as long as they run."""
        return sum(cpu_of(stat) for stat in map(_stat, family(self._popen.pid)) if stat)

    @property
    def resident_bytes(self) -> int:
        """The memory that it has now.

        Raises:
            Failed: it runs no more.
        """
        return resident_of(self._proc("status"))

    def stopped_at(self) -> dict[int, int]:
        """The offset at which each state of a worker stood in the end, as it says: so many events it has read.

        Raises:
            Failed: it has said nothing of it.
        """
        said = self.hear(r"stopped at {(.*)}$", _SAID_S)[1][1]
        return {int(number): int(offset) for number, offset in re.findall(r"(\d+): (\d+)", said)}

    def kill(self) -> None:
        """End it and what it has started, without notice, if they run."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._popen.pid, signal.SIGKILL)  # it leads a session of its own
        super().kill()

    def end(self) -> None:
        """Ask it to end (SIGTERM), and wait for it.

        Raises:
            Failed: it does not end in time, or not in order.
        """
        self._popen.send_signal(signal.SIGTERM)
        try:
            code = self._popen.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            message = f"a program has not ended within {_GRACE_S:g} s of SIGTERM: {self.tail()}"
            raise Failed(message) from None
        if code not in _STOPPED:
            message = f"a program ended with {code}: {self.tail()}"
            raise Failed(message)


def family(pid: int) -> Iterator[int]:
    """A process and those that it has started, and so on."""
    yield pid
    for file in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in file.read_text(encoding="utf-8").split():
                yield from family(int(child))


def _stat(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return ""


def cpu_s(pid: int) -> float:
    """CPU seconds of a process that runs."""
    return cpu_of(_stat(pid))


def resident_of(status: str) -> int:
    """The resident size in bytes, from the content of `/proc/PID/status`."""
    found = re.search(r"^VmRSS:\s+(\d+) kB$", status, re.MULTILINE)
    return int(found[1]) * 1024 if found else 0


@dataclass(frozen=True, slots=True)
class Scraped:
    """One scrape.

    Attributes:
        at: when it was asked for (monotonic seconds).
        worker: number of the worker.
        status: HTTP's; 0 where nobody answered in time.
        seconds: until the last byte.
        bytes: of the page, as it came: compressed.
        stall_s: the longest time so far that the worker's loop did not turn.
        cut_s: the longest that a checkpoint has held it.
    """

    at: float
    worker: int
    status: int
    seconds: float
    bytes: int
    stall_s: float = 0.0
    cut_s: float = 0.0


class Scraper:
    """Scrapes a worker at regular intervals, as Prometheus does, in a thread of its own."""

    def __init__(self, worker: int, program: Program, every_s: float) -> None:
        found = program.hear(r" serves http://(\S+):(\d+)/metrics$", _START_S)[1]
        self._address = found[1], int(found[2])
        self._worker = worker
        self._every_s = every_s
        self._after_s = 0.0
        self._stopped = threading.Event()
        self.scrapes: list[Scraped] = []
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self, after_s: float) -> None:
        """Begin after so long: several workers are not scraped at the same instant."""
        self._after_s = after_s
        self._thread.start()

    def stop(self) -> None:
        """No more; waits for the one that is under way."""
        self._stopped.set()
        self._thread.join(2 * _TIMEOUT_S)

    def _run(self) -> None:
        due = time.monotonic() + self._after_s
        while not self._stopped.wait(max(0.0, due - time.monotonic())):
            self.scrapes.append(self.scrape())
            due += self._every_s

    def scrape(self) -> Scraped:
        """One page, now."""
        began = time.monotonic()
        connection = HTTPConnection(*self._address, timeout=_TIMEOUT_S)
        try:
            connection.request("GET", "/metrics", headers=_ASKED)
            answer = connection.getresponse()
            body = answer.read()
        except (OSError, HTTPException):
            return Scraped(began, self._worker, 0, time.monotonic() - began, 0)
        finally:
            connection.close()
        seconds = time.monotonic() - began
        if answer.status != HTTPStatus.OK:
            return Scraped(began, self._worker, answer.status, seconds, len(body))
        whole = gzip.decompress(body) if answer.headers["Content-Encoding"] == "gzip" else body
        page = Page(b"\n".join(_LINES.findall(whole)).decode())
        return Scraped(
            at=began,
            worker=self._worker,
            status=answer.status,
            seconds=seconds,
            bytes=len(body),
            stall_s=page.total(c.LOOP_STALL),
            cut_s=page.total(c.CHECKPOINT_CUT),
        )


class Log:
    """What the broker knows of a topic and of the group that reads it; to ask costs the workers nothing."""

    def __init__(self, admin: KafkaAdminClient, topic: str, partitions: int, group: str) -> None:
        self._admin = admin
        self._places = [TopicPartition(topic, number) for number in range(partitions)]
        self._group = group

    def done(self) -> tuple[int, ...]:
        """Of each partition, how many events are applied; the workers tell once a second."""
        try:
            found = self._admin.list_group_offsets({self._group: self._places})[self._group]
        except KafkaError:
            return (0,) * len(self._places)  # the group is not there yet
        return tuple(max(0, found[place].offset) if place in found else 0 for place in self._places)

    def ends(self) -> tuple[int, ...]:
        """Of each partition, how many events there are."""
        found = self._admin.list_partition_offsets(dict.fromkeys(self._places, -1))
        return tuple(found[place].offset for place in self._places)
