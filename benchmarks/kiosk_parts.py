"""What is measured of a kiosk within one process: `python -m benchmarks.kiosk_parts PART JSON` prints JSON.

Nothing is imported here but the client and a few small modules of the standard library: the process's memory is that
of a kiosk, and so is the time it takes to start.
"""

import json
import os
import re
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from attente.kiosk import Kiosk, KioskSettings
from attente.kiosk.spool import Spool
from attente.kiosk.testing import FakeKiosk
from attente.model.signatures import SECRET_BYTES, Signer, named

OFFICE: Final = "75-nation"
KIOSK: Final = "hall-1"
KEY: Final = named(OFFICE, KIOSK, bytes(range(SECRET_BYTES)))
THREADS: Final = 4
BATCHES: Final = (10, 100, 1000)
FEW: Final = 100
"""Events in the spool beside which a full one is looked at."""
SLICES: Final = 10
"""Ways that are compared take turns so often: a disk has its moments, and each of them then falls on all ways."""
NOBODY: Final = "127.0.0.1:9"  # the port of `discard`, which nothing listens on
ROOM: Final = 1 << 40  # no bound that a benchmark comes to
FOREIGN: Final = ("faust", "mode", "aiokafka", "yaml", "rich", "click", "prometheus_client")
FOREIGN_PARTS: Final = ("attente.core", "attente.registry", "attente.engine")

_PATIENCE_S: Final = 300.0
_LOOK_S: Final = 0.005
_SETTLED_S: Final = 1.0  # after a first heartbeat comes a second, which knows the drift
_WAL_PAGES: Final = 64  # after which SQLite begins its log anew: as `attente.kiosk.room` has it
_FRAME: Final = 4096 + 24  # a page in it, and what stands before

Figures = dict[str, Any]


class Wrong(Exception):  # noqa: N818 - what has become of the part
    """What was measured is not what it should be."""


def settings(spool: Path, broker: str = NOBODY, topic: str = "attente.events", **more: Any) -> KioskSettings:
    """A kiosk's, with room for whatever a benchmark puts in."""
    known = KioskSettings(office=OFFICE, kiosk=KIOSK, spool=spool, broker=broker, topic=topic, **more)
    return replace(known, most_events=ROOM, most_bytes=ROOM)


def issue(kiosk: Any, number: int) -> None:
    """Report one of many tickets to a kiosk or a batch."""
    kiosk.ticket_issued(ticket=f"2026-11-23/{number:07d}", service="accueil")


def resident() -> tuple[int, int]:
    """Bytes of memory that this process has, and the most it has had."""
    text = Path("/proc/self/status").read_text(encoding="utf-8")
    now, most = (re.search(rf"^{name}:\s+(\d+) kB$", text, re.MULTILINE) for name in ("VmRSS", "VmHWM"))
    if now is None or most is None:
        message = "the system does not say how much memory a process has"
        raise Wrong(message)
    return int(now[1]) * 1024, int(most[1]) * 1024


def foreign(modules: Iterable[str]) -> list[str]:
    """Those of some modules that have no business in a kiosk."""
    return sorted(name for name in modules if name.partition(".")[0] in FOREIGN or name.startswith(FOREIGN_PARTS))


# ---- acceptance


class Watch:
    """Times single calls and whole slices of them.

    Attributes:
        calls: seconds of each call.
        events: taken in all slices.
        seconds: of all slices.
    """

    def __init__(self) -> None:
        self.calls: list[float] = []
        self.events = 0
        self.seconds = 0.0

    def call(self, work: Callable[[], object]) -> None:
        """Time one call."""
        began = time.perf_counter()
        work()
        self.calls.append(time.perf_counter() - began)

    @contextmanager
    def slice(self, events: int) -> Iterator[None]:
        """Time a slice in which so many events are taken."""
        began = time.perf_counter()
        yield
        self.seconds += time.perf_counter() - began
        self.events += events

    @property
    def figures(self) -> Figures:
        """Events per second of the slices; of the calls the median and what one in a hundred exceeds, in us."""
        ordered = sorted(self.calls)
        return {
            "calls": len(ordered),
            "events_per_s": self.events / self.seconds,
            "us": 1e6 * self.seconds / self.events,
            "p50_us": 1e6 * ordered[len(ordered) // 2],
            "p99_us": 1e6 * ordered[len(ordered) * 99 // 100],
        }


class Disk:
    """A file that is written as SQLite writes its log: so much, synchronised, and from the start when it is long."""

    def __init__(self, path: Path, size: int) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
        self._content = os.urandom(size)
        self._at = 0

    def write(self) -> None:
        """Write and synchronise."""
        if self._at > _WAL_PAGES * _FRAME:
            self._at = 0
        self._at += os.pwrite(self._file, self._content, self._at)
        os.fdatasync(self._file)

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)


def accept(folder: str, events: int) -> Figures:
    """Takes events one by one, by one thread and by several, in batches; and what the disk alone does meanwhile.

    Each way has a spool of its own and takes so many events.
    """
    home = Path(folder)
    each = max(1, events // SLICES)
    share = max(1, each // THREADS)
    ways = {name: Watch() for name in ("disk", "one", "threads", *map(str, BATCHES))}
    kiosks = {name: Kiosk(settings(home / f"{name}.spool"), is_sending=False) for name in ways if name != "disk"}
    size = _written(kiosks["one"], home / "one.spool-wal")
    disk = Disk(home / "disk", size)
    for _ in range(SLICES):
        with ways["disk"].slice(each):
            for _ in range(each):
                ways["disk"].call(disk.write)
        with ways["one"].slice(each):
            _one_by_one(kiosks["one"], each, ways["one"])
        with ways["threads"].slice(share * THREADS):
            _side_by_side(kiosks["threads"], share, ways["threads"])
        for together in BATCHES:
            _in_batches(kiosks[str(together)], max(1, each // together), together, ways[str(together)])
    disk.close()
    for kiosk in kiosks.values():
        kiosk.close()
    return {"written_bytes": size, "threads": THREADS, "ways": {name: watch.figures for name, watch in ways.items()}}


def _written(kiosk: Kiosk, log: Path, events: int = 8) -> int:
    """Bytes that one event makes SQLite write before it synchronises."""
    issue(kiosk, 0)
    before = log.stat().st_size
    for number in range(events):
        issue(kiosk, number)
    return (log.stat().st_size - before) // events


def _one_by_one(kiosk: Kiosk, events: int, watch: Watch) -> None:
    for number in range(events):
        watch.call(lambda number=number: issue(kiosk, number))  # type: ignore[misc]


def _side_by_side(kiosk: Kiosk, events: int, watch: Watch) -> None:
    threads = [threading.Thread(target=_one_by_one, args=(kiosk, events, watch)) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _in_batches(kiosk: Kiosk, batches: int, together: int, watch: Watch) -> None:
    def take() -> None:
        with kiosk.batch() as batch:
            for number in range(together):
                issue(batch, number)

    with watch.slice(batches * together):
        for _ in range(batches):
            watch.call(take)


def fill(spool: str, events: int) -> Figures:
    """Puts so many events into a spool and says how large they are."""
    with Kiosk(settings(Path(spool)), is_sending=False) as kiosk:
        for first in range(0, events, BATCHES[-1]):
            with kiosk.batch() as batch:
                for number in range(first, min(first + BATCHES[-1], events)):
                    issue(batch, number)
        held = kiosk.status().held
    return {"events": held.events, "bytes": held.bytes}


def full(spool: str, folder: str, events: int) -> Figures:
    """Adds to a spool that holds much, beside one that holds little; neither comes to hold more meanwhile."""
    each = max(1, events // SLICES)
    few, many = Spool(Path(folder) / "few.spool"), Spool(Path(spool), most_events=ROOM, most_bytes=ROOM)
    value = many.after(0, 1)[0].value
    few.add([value] * FEW)
    watches = {"few": Watch(), "many": Watch()}
    cpu = {"few": 0.0, "many": 0.0}
    held = many.held().events
    for _ in range(SLICES):
        for name, one in (("few", few), ("many", many)):
            began = time.process_time()
            with watches[name].slice(each):
                for _ in range(each):
                    watches[name].call(lambda one=one: one.add([value]))  # type: ignore[misc]
            cpu[name] += time.process_time() - began
            first = one.after(0, each)
            one.remove_up_to(first[-1].number)
    few.close()
    many.close()
    return {
        "few": FEW,
        "many": held,
        **{f"cpu_us_{name}": 1e6 * spent / watches[name].events for name, spent in cpu.items()},
        "ways": {name: watch.figures for name, watch in watches.items()},
    }


def signing(events: int) -> Figures:
    """What it takes to make and check an event, and to sign it; CPU time."""
    signer = Signer(KEY)
    each = max(1, events // SLICES)
    making = signed = 0.0
    size = 0
    for _ in range(SLICES):
        kiosk = FakeKiosk(OFFICE, KIOSK)
        began = time.process_time()
        for number in range(each):
            issue(kiosk, number)
        made = time.process_time()
        for value in kiosk.values:
            signer.headers(value)
        ended = time.process_time()
        making += made - began
        signed += ended - made
        size += sum(map(len, kiosk.values))
    count = each * SLICES
    return {"making_us": 1e6 * making / count, "signing_us": 1e6 * signed / count, "bytes": size / count}


# ---- the whole way


def drain(spool: str, broker: str, topic: str, is_signed: bool) -> Figures:
    """Sends what a spool holds, from the first acknowledgement to the last.

    Raises:
        Wrong: not all was acknowledged.
    """
    began = time.process_time()
    kiosk = Kiosk(settings(Path(spool), broker, topic, key=KEY if is_signed else None))
    held = kiosk.status().held.events
    first = _acknowledged(kiosk)
    connected = time.perf_counter()
    if not kiosk.drain(_PATIENCE_S):
        message = f"{kiosk.status().held.events:,} of {held:,} events were not sent: {kiosk.status().trouble}"
        raise Wrong(message)
    seconds = time.perf_counter() - connected
    cpu_us = 1e6 * (time.process_time() - began) / held
    now, most = resident()
    acknowledged = kiosk.status().acknowledged
    kiosk.close()
    return {
        "events": acknowledged,
        "events_per_s": (held - first) / seconds,
        "cpu_us": cpu_us,
        "resident_bytes": now,
        "peak_bytes": most,
    }


def _acknowledged(kiosk: Kiosk) -> int:
    """How many events are, at the moment at which the broker has answered for the first time.

    Raises:
        Wrong: it does not answer.
    """
    limit = time.monotonic() + _PATIENCE_S
    while not (status := kiosk.status()).is_connected:
        if time.monotonic() > limit:
            message = f"the broker does not answer: {status.trouble}"
            raise Wrong(message)
        time.sleep(_LOOK_S)
    return status.acknowledged


def sending(folder: str, broker: str, topic: str, events: int, single: int) -> Figures:
    """Takes events as fast as it can and sends them meanwhile, beside a kiosk that only takes; and single events."""
    home = Path(folder)
    each = max(1, events // SLICES)
    taking, both, alone = Watch(), Watch(), Watch()
    with (
        Kiosk(settings(home / "taking.spool"), is_sending=False) as keeps,
        Kiosk(settings(home / "sending.spool", broker, topic)) as sends,
    ):
        _acknowledged(sends)
        most = 0
        for _ in range(SLICES):
            with taking.slice(each):
                _one_by_one(keeps, each, taking)
            with both.slice(each):
                _one_by_one(sends, each, both)
                most = max(most, sends.status().held.events)
                _sent(sends)
        with alone.slice(single):
            for number in range(single):
                alone.call(lambda number=number: _issue_and_send(sends, number))  # type: ignore[misc]
        acknowledged = sends.status().acknowledged
    return {
        "events": acknowledged,
        "held": most,
        "ways": {"taking": taking.figures, "sending": both.figures, "single": alone.figures},
    }


def _issue_and_send(kiosk: Kiosk, number: int) -> None:
    issue(kiosk, number)
    _sent(kiosk)


def _sent(kiosk: Kiosk) -> None:
    if not kiosk.drain(_PATIENCE_S):
        message = f"not sent: {kiosk.status()}"
        raise Wrong(message)


# ---- memory and start


def imported() -> Figures:
    """The client imported, nothing done."""
    return {"resident_bytes": resident()[0]}


def connected(spool: str, broker: str, topic: str) -> Figures:
    """A kiosk that runs, has a broker and has sent an event."""
    with Kiosk(settings(Path(spool), broker, topic)) as kiosk:
        issue(kiosk, 0)
        _sent(kiosk)
        time.sleep(_SETTLED_S)
        return {"resident_bytes": resident()[0], "foreign": foreign(sys.modules)}


def holding(spool: str) -> Figures:
    """A kiosk that runs, has no broker, and whose spool holds much."""
    with Kiosk(settings(Path(spool))) as kiosk:
        limit = time.monotonic() + _PATIENCE_S
        while not (status := kiosk.status()).trouble and time.monotonic() < limit:
            time.sleep(_LOOK_S)
        issue(kiosk, 0)
        return {"resident_bytes": resident()[0], "events": status.held.events}


def first(spool: str, broker: str) -> Figures:
    """Takes one event as soon as it can; a kiosk with a broker has begun to connect to it."""
    kiosk = Kiosk(settings(Path(spool), broker or NOBODY), is_sending=bool(broker))
    issue(kiosk, 0)
    # Whoever measures reads this line; what comes after is no part of the start.
    sys.stdout.write("{}\n")
    sys.stdout.flush()
    kiosk.close()
    return {}


PARTS: Final[dict[str, Callable[..., Figures]]] = {
    part.__name__: part for part in (accept, fill, full, signing, drain, sending, imported, connected, holding, first)
}


def main(arguments: Sequence[str]) -> None:
    """Measure a part, and print what was found."""
    name, options = arguments
    print(json.dumps(PARTS[name](**json.loads(options))))


if __name__ == "__main__":
    main(sys.argv[1:])
