"""One measurement of a kiosk in a process of its own: `python -m benchmarks.kiosk_step STEP …` prints JSON.

Nothing is imported but what a vendor's program imports, so that memory and start are a kiosk's.
"""

import json
import os
import re
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, Final

from attente.kiosk import Kiosk, KioskSettings
from attente.kiosk.testing import FakeKiosk
from attente.model.signatures import SECRET_BYTES, Key, Signer, named

OFFICE: Final = "75-nation"
KIOSK: Final = "hall-1"
BYTES: Final = 260  # of an event, about
AT_ONCE: Final = 1_000  # when a spool is only filled
DRAIN_S: Final = 600.0


def main() -> None:
    """Take the step that the first argument names."""
    step, *arguments = sys.argv[1:]
    print(json.dumps(STEPS[step](*arguments)), flush=True)


def opened(folder: str, broker: str = "", topic: str = "", key: Key | None = None) -> Kiosk:
    """A kiosk with a spool in the folder; without a broker it only keeps."""
    settings = KioskSettings(office=OFFICE, kiosk=KIOSK, spool=Path(folder) / "kiosk.spool", key=key)
    if broker:
        settings = KioskSettings(
            office=OFFICE,
            kiosk=KIOSK,
            spool=settings.spool,
            key=key,
            broker=broker,
            topic=topic,
            heartbeat_seconds=3600,
        )
    return Kiosk(settings, is_sending=bool(broker))


def fill(kiosk: Kiosk, events: int) -> None:
    """Put so many events into the spool."""
    for first in range(0, events, AT_ONCE):
        with kiosk.batch() as batch:
            for number in range(first, min(first + AT_ONCE, events)):
                batch.ticket_issued(ticket=f"held/{number}", service="accueil")


def timed(act: Callable[[], object], times: int) -> list[int]:
    """How long each of so many times took, in nanoseconds."""
    found = []
    for _ in range(times):
        began = time.perf_counter_ns()
        act()
        found.append(time.perf_counter_ns() - began)
    return found


def memory(name: str = "VmRSS") -> int:
    """Bytes of this process: resident, or with `VmHWM` the most that ever were."""
    found = re.search(rf"^{name}:\s+(\d+) kB$", Path("/proc/self/status").read_text(encoding="utf-8"), re.MULTILINE)
    return int(found[1]) * 1024 if found else 0


# ---- the steps


def disk(folder: str, times: str) -> list[int]:
    """What the disk takes by itself: as many bytes appended to a file and synchronised."""
    with (Path(folder) / "plain").open("wb", buffering=0) as file:

        def write() -> None:
            file.write(b"x" * BYTES)
            os.fdatasync(file.fileno())

        return timed(write, int(times))


def accept(folder: str, times: str, held: str = "0") -> list[int]:
    """An event after the other is accepted, with so many in the spool before."""
    with opened(folder) as kiosk:
        fill(kiosk, int(held))
        numbers = count()
        return timed(lambda: kiosk.ticket_issued(ticket=f"A{next(numbers)}", service="accueil"), int(times))


def threads(folder: str, times: str, threads_: str) -> dict[str, float]:
    """Several threads share a kiosk; seconds for all events together."""
    with opened(folder) as kiosk:

        def act(name: int) -> None:
            for number in range(int(times)):
                kiosk.ticket_issued(ticket=f"{name}/{number}", service="accueil")

        every = [threading.Thread(target=act, args=(name,)) for name in range(int(threads_))]
        began = time.perf_counter()
        for one in every:
            one.start()
        for one in every:
            one.join()
        return {"seconds": time.perf_counter() - began, "events": int(times) * len(every)}


def batch(folder: str, events: str, size: str) -> dict[str, float]:
    """Events are accepted in batches; seconds for all of them."""
    with opened(folder) as kiosk:
        numbers = count()

        def act() -> None:
            with kiosk.batch() as some:
                for _ in range(int(size)):
                    some.ticket_issued(ticket=f"A{next(numbers)}", service="accueil")

        batches = max(1, int(events) // int(size))
        return {"seconds": sum(timed(act, batches)) / 1e9, "events": batches * int(size)}


def full(folder: str, times: str, held: str) -> dict[str, list[int]]:
    """The same with few and with many events held, in turns, so that what disturbs the disk disturbs both."""
    with opened(f"{folder}/few") as few, opened(f"{folder}/many") as many:
        fill(few, 100)
        fill(many, int(held))
        found: dict[str, list[int]] = {"few": [], "many": []}
        for number in range(int(times)):
            for name, kiosk in (("few", few), ("many", many)):
                report = partial(kiosk.ticket_issued, ticket=f"A{number}", service="accueil")
                found[name] += timed(report, 1)
        return found


def start(folder: str) -> dict[str, int]:
    """The first event of a program that has just been started, and its memory."""
    imported = memory()
    with opened(folder) as kiosk:
        kiosk.ticket_issued(ticket="A1", service="accueil")
        return {
            "imported_bytes": imported,
            "accepted_bytes": memory(),
            "faust": sum("faust" in name for name in sys.modules),
        }


def drain(folder: str, broker: str, topic: str, events: str, signs: str) -> dict[str, float]:
    """What is held is sent until the broker has acknowledged all of it."""
    key = named(OFFICE, KIOSK, bytes(range(SECRET_BYTES))) if signs == "signed" else None
    with opened(folder) as keeping:
        fill(keeping, int(events))
    with opened(folder, broker, topic, key) as kiosk:
        while not kiosk.status().acknowledged:  # connecting is not sending
            time.sleep(0.001)
        sent, cpu, began = kiosk.status().acknowledged, time.process_time(), time.perf_counter()
        if not kiosk.drain(DRAIN_S):
            sys.exit(f"not drained: {kiosk.status().trouble}")
        seconds = time.perf_counter() - began
        return {
            "seconds": seconds,
            "cpu_s": time.process_time() - cpu,
            "events": int(events) - sent,
            "resident_bytes": memory(),
            "peak_bytes": memory("VmHWM"),
        }


def live(folder: str, broker: str, topic: str, seconds: str) -> dict[str, float]:
    """Events are accepted one after the other, as fast as the disk lets them, and sent meanwhile."""
    with opened(folder, broker, topic) as kiosk:
        kiosk.ticket_issued(ticket="first", service="accueil")
        if not kiosk.drain(DRAIN_S):
            sys.exit(f"not sent: {kiosk.status().trouble}")
        before, began, accepted = kiosk.status().acknowledged, time.perf_counter(), 0
        while time.perf_counter() - began < float(seconds):
            kiosk.ticket_issued(ticket=f"A{accepted}", service="accueil")
            accepted += 1
        took = time.perf_counter() - began
        status = kiosk.status()
        held, acknowledged = status.held.events, status.acknowledged - before
        kiosk.drain(DRAIN_S)
        return {"seconds": took, "accepted": accepted, "acknowledged": acknowledged, "held": held, "bytes": memory()}


def sign(times: str) -> list[int]:
    """A signature, made."""
    fake = FakeKiosk(OFFICE, KIOSK)
    fake.ticket_issued(ticket="2026-12-01/A042", service="accueil")
    (value,) = fake.values
    signer = Signer(named(OFFICE, KIOSK, bytes(range(SECRET_BYTES))))
    return timed(lambda: signer.headers(value), int(times))


STEPS: Final[dict[str, Callable[..., Any]]] = {
    step.__name__: step for step in (disk, accept, threads, batch, full, start, drain, live, sign)
}

if __name__ == "__main__":
    main()
