"""`make bench-kiosk`: what the client of an office's kiosk takes and gives, each event on the disk before it is taken.

Every step is a process of its own. Where two things are compared they take turns, and the ratio is taken within a turn.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median, quantiles
from typing import Any, Final

import click

from attente.broker.admin import connect
from attente.broker.local import LocalBroker
from attente.broker.topics import apply, with_prefix
from attente.model.topics import EVENTS, topics
from attente.settings import prefixed
from benchmarks.command import run_command
from benchmarks.growth_report import IMAGES, RESULTS, write
from benchmarks.kiosk_report import kiosk_section
from benchmarks.machine import load, machine
from benchmarks.process import Failed
from benchmarks.report import PAGE

ROOT: Final = Path(__file__).resolve().parents[1]
BATCHES: Final = (10, 100, 1_000)
THREADS: Final = 4
OFFERED: Final = '{"type":"ticket.issued","ticket":"A%d","service":"accueil","channel":"walkin"}\n'
STEP_S: Final = 1_200.0


class Steps:
    """Runs steps of `benchmarks.kiosk_step`, each in a process and a folder of its own.

    Attributes:
        home: where the folders are made: on the disk that is measured.
    """

    def __init__(self, home: Path) -> None:
        self.home = home

    def __call__(self, step: str, *arguments: object, folder: bool = True) -> Any:
        """What a step has measured.

        Raises:
            Failed: it ended with another code than 0.
        """
        with tempfile.TemporaryDirectory(prefix="bench-kiosk-", dir=self.home) as made:
            where = [made] if folder else []
            done = self._run("benchmarks.kiosk_step", step, *where, *map(str, arguments))
        if done.returncode:
            message = f"step {step} ended with {done.returncode}: {done.stderr.strip()[-500:]}"
            raise Failed(message)
        return json.loads(done.stdout)

    def _run(self, module: str, *arguments: str, said: str | None = None) -> subprocess.CompletedProcess[str]:
        # A broker or a spool that somebody has set for the product must not change what is measured.
        clean = {name: value for name, value in os.environ.items() if not name.startswith("ATTENTE_")}
        return subprocess.run(
            [sys.executable, "-m", module, *arguments],
            cwd=ROOT,
            env={**clean, "PYTHONPATH": str(ROOT / "streams")},
            input=said,
            capture_output=True,
            text=True,
            timeout=STEP_S,
            check=False,
        )

    def verified(self) -> Any:
        """What signatures cost a worker (`benchmarks.signatures`)."""
        return json.loads(self._run("benchmarks.signatures", "--json").stdout)

    def started(self) -> dict[str, Any]:
        """The step `start`, and the seconds from its start to the first accepted event."""
        began = time.perf_counter()
        found: dict[str, Any] = self("start")
        return {"seconds": time.perf_counter() - began, **found}

    def emitted(self, events: int) -> dict[str, float]:
        """So many events through a pipe into `attente kiosk emit`."""
        lines = "".join(OFFERED % number for number in range(events))
        with tempfile.TemporaryDirectory(prefix="bench-kiosk-", dir=self.home) as made:
            who = ["--office", "75-nation", "--kiosk", "hall-1", "--spool", f"{made}/spool"]
            began = time.perf_counter()
            done = self._run("attente", "kiosk", "emit", *who, said=lines)
            seconds = time.perf_counter() - began
        if done.returncode or len(done.stdout.splitlines()) != events:
            message = f"attente kiosk emit ended with {done.returncode}: {done.stderr.strip()[-500:]}"
            raise Failed(message)
        return {"seconds": seconds, "events": events}


@contextmanager
def topic(home: Path) -> Iterator[tuple[str, str]]:
    """A broker of its own, and a topic for events on it."""
    prefix = f"bench-kiosk-{time.time_ns():x}."
    with LocalBroker(home / "broker") as broker:
        with connect(broker.bootstrap) as admin:
            failures = [one.failure for one in apply(admin, with_prefix(topics(4), prefix)) if one.failure]
        if failures:
            raise Failed("; ".join(failures))
        yield broker.bootstrap, prefixed(EVENTS, prefix)


def spread(times_ns: list[int]) -> dict[str, float]:
    """Microseconds: the mean, the median, and what 99 of 100 stay under."""
    hundredths = quantiles(times_ns, n=100)
    return {"mean": sum(times_ns) / len(times_ns) / 1e3, "p50": median(times_ns) / 1e3, "p99": hundredths[98] / 1e3}


def turn(steps: Steps, events: int) -> dict[str, Any]:
    """Everything that needs no broker, once."""
    return {
        "disk": spread(steps("disk", events)),
        "one": spread(steps("accept", events)),
        "threads": steps("threads", events // THREADS, THREADS),
        "batches": {str(size): steps("batch", 10 * events, size) for size in BATCHES},
        "emit": steps.emitted(10 * events),
        "start": steps.started(),
        "sign": spread(steps("sign", 10 * events, folder=False)),
    }


def sent(steps: Steps, address: tuple[str, str], events: int, seconds: float) -> dict[str, Any]:
    """Everything that needs a broker, once."""
    return {
        "plain": steps("drain", *address, events, "plain"),
        "signed": steps("drain", *address, events, "signed"),
        "live": steps("live", *address, seconds),
    }


@click.command()
@click.option("--rounds", default=5, metavar="N", help="Turns of everything.  [default: 5]")
@click.option("--events", default=2_000, metavar="N", help="Accepted one by one in a turn.  [default: 2000]")
@click.option("--drained", default=50_000, metavar="N", help="Held, then sent.  [default: 50000]")
@click.option("--held", default=990_000, metavar="N", help="In a spool that is nearly full.  [default: 990000]")
@click.option("--seconds", default=10.0, metavar="S", help="Of accepting and sending at once.  [default: 10]")
@click.option(
    "--home",
    type=click.Path(path_type=Path),
    default=ROOT / ".attente" / "bench-kiosk",
    metavar="FOLDER",
    help="On the disk that is measured.  [default: .attente/bench-kiosk]",
)
@click.option("--json", "to", type=click.Path(path_type=Path), default=RESULTS / "kiosk.json", metavar="FILE")
def kiosk(rounds: int, events: int, drained: int, held: int, seconds: float, home: Path, to: Path) -> None:
    """Measure the kiosk's client, and write the results and their section of docs/benchmarks.md."""
    home.mkdir(parents=True, exist_ok=True)
    steps = Steps(home)
    facts = machine()
    turns = [turn(steps, events) for _ in range(rounds)]
    with topic(home) as address:
        ways = [sent(steps, address, drained, seconds) for _ in range(rounds)]
    full = {name: spread(times) for name, times in steps("full", events, held).items()}
    options = {"rounds": rounds, "events": events, "drained": drained, "held": held, "seconds": seconds}
    results = {
        "machine": facts | {"load_after": load()},
        "options": options,
        "turns": turns,
        "sent": ways,
        "full": full,
        "verified": steps.verified(),
    }
    to.parent.mkdir(parents=True, exist_ok=True)
    to.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    if to.parent == RESULTS:
        write(RESULTS, PAGE, IMAGES)
    click.echo(kiosk_section(results))


if __name__ == "__main__":
    run_command(kiosk)
