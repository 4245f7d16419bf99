"""`make bench-kiosk`: what a kiosk accepts and sends in a second, what its disk has to do with it, memory and start.

Every part in a process of its own, in several rounds; the broker is on this machine. Exit codes as the command has
them: 0 measured and within the bounds, 1 a part failed or a bound is not held, 2 wrong usage, 4 the broker fails, 5
something is not installed.
"""

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from statistics import median
from typing import IO, Any, Final

import click
from kafka import KafkaConsumer, TopicPartition
from rich.console import Console

from attente.broker.admin import connect
from attente.broker.local import LocalBroker
from attente.broker.topics import apply, with_prefix
from attente.model.topics import EVENTS, topics
from attente.settings import prefixed
from benchmarks.command import run_command
from benchmarks.growth_report import RESULTS
from benchmarks.kiosk_parts import KIOSK, OFFICE
from benchmarks.kiosk_report import USUAL, kiosk_tables, verdicts
from benchmarks.machine import load, machine
from benchmarks.process import Failed
from benchmarks.report import terminal
from benchmarks.stage import HEAP
from benchmarks.worker import SOURCES

ROOT: Final = Path(__file__).resolve().parents[1]
SINGLE: Final = 200
"""Events that are sent one at a time."""
STARTS: Final = 5
"""In each round."""
_LINE: Final = b'{"type":"ticket.issued","ticket":"%d","service":"accueil","channel":"walkin"}\n'
_BARE: Final = "import re; print(re.search(r'VmRSS:\\s+(\\d+)', open('/proc/self/status').read())[1], flush=True)"
_IMPORT: Final = "import attente.kiosk; print(flush=True)"
_POLL_MS: Final = 1_000
_SILENCE: Final = 30  # polls without a record

_console: Final = Console(stderr=True)


def say(line: str) -> None:
    """Tell what is being done."""
    _console.print(f"[dim]{line}[/dim]", highlight=False)


# ---- processes


def environment() -> dict[str, str]:
    """Of every process that is measured: nothing that somebody has set for a kiosk."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("ATTENTE_")}
    return {**clean, "PYTHONPATH": f"{SOURCES}{os.pathsep}{ROOT}"}


def run_part(name: str, **options: Any) -> dict[str, Any]:
    """What a part finds, in a process of its own.

    Raises:
        Failed: it ended with an error.
    """
    done = subprocess.run(
        _part(name, options), cwd=ROOT, env=environment(), capture_output=True, text=True, check=False
    )
    if done.returncode:
        message = f"{name} ended with {done.returncode}: {done.stderr.strip().rpartition(chr(10))[2]}"
        raise Failed(message)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _part(name: str, options: dict[str, Any]) -> list[str]:
    told = json.dumps(options, default=str)
    return [sys.executable, "-m", "benchmarks.kiosk_parts", name, told]


def seconds_to_a_line(command: list[str]) -> tuple[float, str]:
    """How long a program takes from its start to its first line, and the line.

    Raises:
        Failed: it ends with an error.
    """
    began = time.perf_counter()
    with subprocess.Popen(command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        line = process.stdout.readline()
        took = time.perf_counter() - began
        process.stdout.read()
    if process.returncode:
        message = f"{command[1:3]} ended with {process.returncode}"
        raise Failed(message)
    return took, line.strip()


def emit(spool: Path, events: int) -> dict[str, float]:
    """`attente kiosk emit` fed through a pipe: from its start to the first id, and from there to the last.

    Raises:
        Failed: it has not accepted all.
    """
    command = [sys.executable, "-m", "attente", "kiosk", "emit"]
    command += ["--office", OFFICE, "--kiosk", KIOSK, "--spool", str(spool)]
    began = time.perf_counter()
    with subprocess.Popen(
        command, cwd=ROOT, env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None  # noqa: S101 - both are pipes
        assert process.stdout is not None  # noqa: S101
        process.stdin.write(_LINE % 0)
        process.stdin.flush()
        process.stdout.readline()
        first = time.perf_counter()
        feeder = threading.Thread(target=_feed, args=(process.stdin, events))
        feeder.start()
        ids = sum(1 for _ in process.stdout)
        ended = time.perf_counter()
        feeder.join()
    if process.returncode or ids != events:
        message = f"attente kiosk emit ended with {process.returncode} and accepted {ids:,} of {events:,} events"
        raise Failed(message)
    return {"start_s": first - began, "events_per_s": events / (ended - first)}


def _feed(pipe: IO[bytes], events: int) -> None:
    with suppress(BrokenPipeError), pipe:  # whoever has ended is asked for its exit code
        for number in range(1, events + 1):
            pipe.write(_LINE % number)


# ---- the broker


class Topics:
    """Topics for events on a broker, a new one for each part, and what is in them in the end."""

    def __init__(self, bootstrap: str) -> None:
        """Makes none yet."""
        self.bootstrap = bootstrap
        self._made = 0

    def make(self) -> str:
        """The name of a topic that is new and empty.

        Raises:
            Failed: the broker makes none.
        """
        self._made += 1
        prefix = f"kiosk-{os.getpid()}-{self._made}."
        with connect(self.bootstrap) as admin:
            failures = [one.failure for one in apply(admin, with_prefix(topics(1), prefix)) if one.failure]
        if failures:
            raise Failed("; ".join(failures))
        return prefixed(EVENTS, prefix)

    def tickets(self, topic: str) -> tuple[int, int]:
        """How many tickets there are in a topic, and how many that are not the same.

        Raises:
            Failed: the broker is silent before the end.
        """
        place = TopicPartition(topic, 0)
        consumer = KafkaConsumer(bootstrap_servers=self.bootstrap, enable_auto_commit=False)
        all_, seen, silent = 0, set(), 0
        try:
            consumer.assign([place])
            consumer.seek_to_beginning(place)
            end = consumer.end_offsets([place])[place]
            while consumer.position(place) < end:
                records = consumer.poll(timeout_ms=_POLL_MS).get(place, [])
                silent = 0 if records else silent + 1
                if silent > _SILENCE:
                    message = f"{topic} says nothing before {end}"
                    raise Failed(message)
                values = [record.value for record in records if b'"ticket.issued"' in record.value]
                all_ += len(values)
                seen.update(values)
        finally:
            consumer.close()
        return all_, len(seen)


# ---- rounds


class Run:
    """All rounds.

    Attributes:
        results: what was found, as it is written to the file.
    """

    def __init__(self, home: Path, options: dict[str, int]) -> None:
        """Nothing is measured yet.

        Args:
            home: the folder of all spools; on the disk that is to be measured.
            options: as `USUAL`.
        """
        self._home = home
        self._options = options
        self._folders = 0
        self._held = home / "held.spool"
        self.results: dict[str, Any] = {"machine": machine(), "options": options, "rows": {}, "void": {}}

    def run(self) -> None:
        """Measure everything."""
        options = self._options
        say(f"filling a spool with {options['held']:,} events")
        run_part("fill", spool=self._held, events=options["held"])
        self._rounds(
            {
                "accept": lambda: run_part("accept", folder=self._folder(), events=options["accepted"]),
                "emit": lambda: emit(self._folder() / "s.spool", options["emitted"]),
                "full": lambda: run_part("full", spool=self._held, folder=self._folder(), events=options["accepted"]),
                "signing": lambda: run_part("signing", events=options["emitted"]),
                "holding": lambda: run_part("holding", spool=self._held),
            }
        )
        with LocalBroker(self._home / "broker", heap=HEAP) as broker:
            on = Topics(broker.bootstrap)
            self._rounds(
                {
                    "drain": lambda: self._drain(on, is_signed=False),
                    "drain_signed": lambda: self._drain(on, is_signed=True),
                    "sending": lambda: self._sending(on),
                    "memory": lambda: self._memory(on),
                    "start": lambda: self._start(broker.bootstrap),
                }
            )
        self.results["machine"]["load_after"] = load()

    def _rounds(self, parts: dict[str, Callable[[], dict[str, Any]]]) -> None:
        rows, void = self.results["rows"], self.results["void"]
        for turn in range(1, self._options["repeat"] + 1):
            for name, part in parts.items():
                say(f"{name}, round {turn} of {self._options['repeat']}")
                try:
                    rows.setdefault(name, []).append(part())
                except Failed as error:  # one part that cannot be measured must not stop the others
                    _console.print(f"[red]void:[/red] {error}", highlight=False)
                    void[name] = " ".join(str(error).split())
        for name in void:
            rows.pop(name, None)

    def _folder(self) -> Path:
        self._folders += 1
        folder = self._home / str(self._folders)
        folder.mkdir()
        return folder

    def _drain(self, on: Topics, *, is_signed: bool) -> dict[str, Any]:
        spool, topic, events = self._folder() / "s.spool", on.make(), self._options["drained"]
        filled = run_part("fill", spool=spool, events=events)
        found = run_part("drain", spool=spool, broker=on.bootstrap, topic=topic, is_signed=is_signed)
        all_, different = on.tickets(topic)
        if different != events:
            message = f"{events:,} events were to be sent, {different:,} are in the topic"
            raise Failed(message)
        return {**found, "bytes": filled["bytes"] / events, "arrived": different, "twice": all_ - different}

    def _sending(self, on: Topics) -> dict[str, Any]:
        topic = on.make()
        found = run_part(
            "sending",
            folder=self._folder(),
            broker=on.bootstrap,
            topic=topic,
            events=self._options["accepted"],
            single=SINGLE,
        )
        all_, different = on.tickets(topic)
        if different != found["events"]:
            message = f"{found['events']:,} events were acknowledged, {different:,} are in the topic"
            raise Failed(message)
        return {**found, "arrived": different, "twice": all_ - different}

    def _memory(self, on: Topics) -> dict[str, Any]:
        _, bare = seconds_to_a_line([sys.executable, "-c", _BARE])
        runs = run_part("connected", spool=self._folder() / "s.spool", broker=on.bootstrap, topic=on.make())
        return {
            "bare_bytes": int(bare) * 1024,
            "imported_bytes": run_part("imported")["resident_bytes"],
            "connected_bytes": runs["resident_bytes"],
            "foreign": runs["foreign"],
        }

    def _start(self, bootstrap: str) -> dict[str, Any]:
        def middle(command: Callable[[], list[str]]) -> float:
            return median(seconds_to_a_line(command())[0] for _ in range(STARTS))

        def accepting(broker: str) -> list[str]:
            return _part("first", {"spool": self._folder() / "s.spool", "broker": broker})

        return {
            "bare_s": middle(lambda: [sys.executable, "-c", "print(flush=True)"]),
            "imported_s": middle(lambda: [sys.executable, "-c", _IMPORT]),
            "keeping_s": middle(lambda: accepting("")),
            "sending_s": middle(lambda: accepting(bootstrap)),
        }


@contextmanager
def in_folder(home: Path) -> Iterator[Path]:
    """An empty folder, which is gone afterwards: a spool of a million events is not worth keeping."""
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    try:
        yield home
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _count(name: str, text: str) -> Callable[[Callable[..., int]], Callable[..., int]]:
    return click.option(f"--{name}", type=click.IntRange(1), default=USUAL[name], show_default=True, help=text)


@click.command(help=__doc__.partition("\n\n")[0])
@_count("accepted", "Events that each way of accepting takes in a round.")
@_count("emitted", "Events through the pipe.")
@_count("drained", "Events in a spool that is drained.")
@_count("held", "Events in a spool that is full.")
@_count("repeat", "Rounds.")
@click.option(
    "--data", type=click.Path(path_type=Path), default=Path(".attente"), help="Folder on the disk to measure."
)
@click.option(
    "--json", "file", type=click.Path(path_type=Path), default=RESULTS / "kiosk.json", help="Where the results go."
)
def kiosk(data: Path, file: Path, **options: int) -> int:
    """Measure."""
    with in_folder(data.absolute() / "bench" / "kiosk") as home:
        run = Run(home, options)
        run.run()
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(run.results, indent=1) + "\n", encoding="utf-8")
    for table in kiosk_tables(run.results):
        Console().print(terminal(table))
    said = verdicts(run.results)
    for line in said:
        Console().print(line.text, highlight=False)
    return 0 if all(line.is_so for line in said) and not run.results["void"] else 1


if __name__ == "__main__":
    run_command(kiosk)
