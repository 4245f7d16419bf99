"""`make bench-live`: a network that lives now, workers that keep up with it, and whether lag and memory stay flat.

The simulator sends to a Kafka on this machine, workers count, each is scraped every 15 s as Prometheus does it. When
the rate is reached the measurement begins. Exit codes as the command has them: 0 flat, 1 not flat, or something failed,
2 wrong usage, 4 the broker fails, 5 something is not installed.
"""

import json
import os
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import click
from kafka import KafkaAdminClient
from rich.console import Console

from attente.broker.admin import connect
from attente.broker.local import LocalBroker
from attente.broker.state import running
from attente.broker.topics import apply, with_prefix
from attente.engine.scrape import FRESH_S
from attente.model.topics import EVENTS, topics
from attente.registry.entities import Detail
from attente.settings import prefixed
from benchmarks.command import run_command
from benchmarks.growth_report import RESULTS
from benchmarks.live_programs import Log, Program, Scraper, cpu_s
from benchmarks.live_report import USUAL, live_table, verdicts
from benchmarks.live_verdict import Sample, came
from benchmarks.machine import load, machine
from benchmarks.process import Failed
from benchmarks.report import terminal
from benchmarks.stage import HEAP
from benchmarks.worker import SOURCES

ROOT: Final = Path(__file__).resolve().parents[1]
SAMPLE_S: Final = 5.0
SCRAPE_S: Final = 15.0
RECENT: Final = 6
"""Samples over which the rate is taken before it is said to be reached."""
REACHED: Final = (0.97, 1.1)
"""Between these shares of the rate asked for it is reached: at first the simulator catches up."""
SETTLED_S: Final = 180.0
"""Before, more visits begin than end."""
SERVICES: Final = 6
_START_S: Final = 180.0
_DRAIN_S: Final = 120.0

_console: Final = Console(stderr=True)


def say(line: str) -> None:
    """Tell what is being done."""
    _console.print(f"[dim]{line}[/dim]", highlight=False)


@dataclass(frozen=True, slots=True)
class Options:
    """What is asked for.

    Attributes:
        offices, seed: of the network.
        detail: of its registry.
        rate: events a second.
        minutes: for which it is measured.
        warmup: seconds until the rate is reached, at the most.
        workers, partitions, processes: how many count, share and simulate.
    """

    offices: int
    rate: int
    minutes: float
    workers: int
    partitions: int
    processes: int
    warmup: int
    seed: int
    detail: str


class Ground:
    """A broker with empty topics, and the programs that run on it.

    Attributes:
        options: what is asked for.
        home: the folder of everything.
        prefix: of the topics, and the group.
        bootstrap: the broker's address.
    """

    def __init__(self, options: Options, home: Path, broker: LocalBroker, stack: ExitStack) -> None:
        self.options = options
        self.home = home
        self.prefix = f"live-{secrets.token_hex(3)}."
        self.bootstrap = broker.bootstrap
        self.registry = home / "registry.yaml"
        self._stack = stack
        state = running(broker.layout.state)
        if state is None:
            message = "the broker has ended"
            raise Failed(message)
        self._broker_pid = state.process.pid
        with connect(self.bootstrap) as admin:
            failures = [
                one.failure for one in apply(admin, with_prefix(topics(options.partitions), self.prefix)) if one.failure
            ]
        if failures:
            raise Failed("; ".join(failures))
        admin_client = KafkaAdminClient(bootstrap_servers=self.bootstrap, client_id="benchmark")
        stack.callback(admin_client.close)
        self.topic = prefixed(EVENTS, self.prefix)
        self.log = Log(admin_client, self.topic, options.partitions, self.prefix)
        self.simulator = self._simulator()
        self.workers = [self._worker(number) for number in range(options.workers)]
        self.scrapers = [Scraper(number, worker, SCRAPE_S) for number, worker in enumerate(self.workers)]

    def _run(self, name: str, *arguments: object) -> Program:
        program = Program([str(argument) for argument in arguments], self.home / f"{name}.log")
        return self._stack.enter_context(program)

    def _simulator(self) -> Program:
        options = self.options
        program = self._run(
            *("simulator", "simulate", "--live", "--to-kafka", "--rate", options.rate, "--offices", options.offices),
            *("--services", SERVICES, "--seed", options.seed, "--processes", options.processes),
            *("--broker", self.bootstrap, "--prefix", self.prefix, "--registry-out", self.home / "simulated.yaml"),
        )
        written = self.home / "simulated.yaml"
        program.wait_until(written.exists, _START_S, "with a registry")
        # The simulator leaves the detail to whoever reads its registry.
        self.registry.write_text(f"detail: {options.detail}\n{written.read_text(encoding='utf-8')}", encoding="utf-8")
        return program

    def _worker(self, number: int) -> Program:
        return self._run(
            *(f"worker-{number}", "worker", "--worker", f"live-{number}", "--metrics-port", 0),
            *("--broker", self.bootstrap, "--prefix", self.prefix, "--group", self.prefix, "--registry", self.registry),
        )

    def sample(self, began: float) -> Sample:
        """How it stands.

        Raises:
            Failed: a program has ended.
        """
        if not self.simulator.is_running:
            message = f"the simulator has ended: {self.simulator.tail()}"
            raise Failed(message)
        done = self.log.done()
        ends = self.log.ends()
        cpu = {f"worker {number}": worker.cpu_s for number, worker in enumerate(self.workers)}
        cpu |= {
            "simulator": self.simulator.family_cpu_s,
            "broker": cpu_s(self._broker_pid),
            "this": time.process_time(),
        }
        resident = tuple(worker.resident_bytes for worker in self.workers)
        return Sample(time.monotonic() - began, ends, done, resident, cpu)

    def samples(self, began: float) -> Iterator[Sample]:
        """One every five seconds."""
        for number in range(1_000_000):
            time.sleep(max(0.0, began + number * SAMPLE_S - time.monotonic()))
            yield self.sample(began)

    def expected(self, first: Sample, last: Sample) -> dict[str, int]:
        """What the core alone needs for the records of the fullest partition that came meanwhile.

        Raises:
            Failed: it cannot be measured.
        """
        number = max(range(len(last.ends)), key=last.ends.__getitem__)
        bounds = [str(sample.ends[number]) for sample in (first, last)]
        where = [self.bootstrap, self.topic, str(self.registry), str(len(last.ends)), str(number), *bounds]
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.live_expected", *where],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": f"{SOURCES}{os.pathsep}{ROOT}"},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            message = f"benchmarks.live_expected ended with {done.returncode}: {done.stderr.strip()[-2_000:]}"
            raise Failed(message)
        found: dict[str, int] = json.loads(done.stdout)
        return {"partition": number, **found}


@contextmanager
def on_ground(options: Options, home: Path) -> Iterator[Ground]:
    """A broker of its own and all programs; afterwards nothing runs, and the records are gone: they are gigabytes."""
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    try:
        with LocalBroker(home / "broker", heap=HEAP) as broker, ExitStack() as stack:
            yield Ground(options, home, broker, stack)
    finally:
        shutil.rmtree(home / "broker", ignore_errors=True)


def run(ground: Ground) -> dict[str, Any]:
    """Warm up, measure, let everything come to its end, and compare what was read with what was sent.

    Raises:
        Failed: a program has ended, or the workers do not come to the end of the log.
    """
    options = ground.options
    for number, scraper in enumerate(ground.scrapers):
        scraper.start(number * SCRAPE_S / len(ground.scrapers))
    say(f"until {options.rate:,} events/s are reached, {options.warmup} s at the most")
    warming = warm_up(ground)
    say(f"measuring for {options.minutes:g} min")
    began = time.monotonic()
    samples = []
    for sample in ground.samples(began):
        samples.append(sample)
        if sample.at >= options.minutes * 60:
            break
    for scraper in ground.scrapers:
        scraper.stop()
    scrapes = [
        {**asdict(one), "at": one.at - began}
        for scraper in ground.scrapers
        for one in scraper.scrapes
        if began <= one.at <= began + samples[-1].at
    ]
    loaded = load()
    say("ending the simulator, and counting what is left")
    ground.simulator.end()
    drain(ground)
    sent = sum(ground.log.ends())
    time.sleep(FRESH_S)  # until then a view from before the end may still be shown
    told = [one for scraper in ground.scrapers for one in (*scraper.scrapes, scraper.scrape())]
    for worker in ground.workers:
        worker.stop()
    say("what the core alone needs for the same records")
    return {
        "options": asdict(options),
        "warming": warming,
        "samples": [asdict(sample) for sample in samples],
        "scrapes": scrapes,
        "sent": sent,
        "read": sum(sum(worker.stopped_at().values()) for worker in ground.workers),
        "stall_s": max(one.stall_s for one in told),
        "cut_s": max(one.cut_s for one in told),
        "expected": ground.expected(samples[0], samples[-1]),
        "load_after": loaded,
    }


def warm_up(ground: Ground) -> dict[str, Any]:
    """Until the rate is reached and the workers have nothing left from before, or it has taken long enough."""
    options = ground.options
    samples: list[Sample] = []
    rate = 0.0
    for sample in ground.samples(time.monotonic()):
        samples = [*samples, sample][-RECENT:]
        if len(samples) == RECENT:
            rate = came(samples)
        is_reached = REACHED[0] <= rate / options.rate <= REACHED[1]
        is_steady = sample.at >= SETTLED_S and is_reached and max(sample.lags) < options.rate
        if is_steady or sample.at >= options.warmup:
            return {"seconds": sample.at, "rate": rate, "is_steady": is_steady}
    raise AssertionError  # the samples do not end


def drain(ground: Ground) -> None:
    """Wait until all is counted.

    Raises:
        Failed: it is not in time.
    """
    limit = time.monotonic() + _DRAIN_S
    while (left := sum(ground.log.ends()) - sum(ground.log.done())) > 0:
        if time.monotonic() > limit:
            message = f"{left:,} events are left after {_DRAIN_S:g} s"
            raise Failed(message)
        time.sleep(0.5)


@click.command(help=__doc__.partition("\n\n")[0])
@click.option(
    "--offices", type=click.IntRange(1, 9_999), default=USUAL["offices"], show_default=True, help="Of the network."
)
@click.option("--rate", type=click.IntRange(1), default=USUAL["rate"], show_default=True, help="Events a second.")
@click.option("--minutes", type=click.FloatRange(0.25), default=USUAL["minutes"], show_default=True, help="To measure.")
@click.option(
    "--workers", type=click.IntRange(1, 64), default=USUAL["workers"], show_default=True, help="Of the group."
)
@click.option(
    "--partitions", type=click.IntRange(1), default=USUAL["partitions"], show_default=True, help="Of the topics."
)
@click.option(
    "--processes", type=click.IntRange(1, 64), default=USUAL["processes"], show_default=True, help="Of the simulator."
)
@click.option(
    "--warmup",
    type=click.IntRange(0),
    default=300,
    show_default=True,
    help="Seconds until the rate is reached, at most.",
)
@click.option("--seed", type=int, default=USUAL["seed"], show_default=True, help="Of the network.")
@click.option(
    "--detail",
    type=click.Choice([one.value for one in Detail]),
    default=USUAL["detail"],
    show_default=True,
    help="Of its registry: windows by service too, or by office only.",
)
@click.option("--data", type=click.Path(path_type=Path), default=Path(".attente"), help="Folder for broker and logs.")
@click.option(
    "--json", "file", type=click.Path(path_type=Path), default=RESULTS / "live.json", help="Where the results go."
)
def live(data: Path, file: Path, **options: Any) -> int:
    """Measure."""
    facts = machine()
    with on_ground(Options(**options), data.absolute() / "bench" / "live") as ground:
        found = run(ground)
    facts["load_after"] = found.pop("load_after")
    results = {"machine": facts, **found}
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(results) + "\n", encoding="utf-8")
    Console().print(terminal(live_table(results)))
    said = verdicts(results)
    for line in said:
        Console().print(line.text, highlight=False)
    return 0 if all(line.is_so for line in said) else 1


if __name__ == "__main__":
    run_command(live)
