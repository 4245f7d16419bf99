"""Real workers: processes of `attente worker` that tests start, listen to, scrape, pause, stop and kill."""

import http.client
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition

from attente.metrics import catalogue as c
from attente.metrics.reading import Reading, read
from attente.model.instants import LATEST, text_of
from attente.model.topics import EVENTS
from attente.registry import scalars
from attente.registry.entities import Norm, Office, OfficeKey, Registry, Signatures
from attente.settings import prefixed
from oracle import Record

ROOT = Path(__file__).resolve().parents[1]
HANG_S = 90.0  # nothing here takes so long, unless it never ends
SESSION_S = 6  # the least that a broker takes
UNBRAKED = ("--brake-share", "0", "--brake-row", "0")  # most tapes of the tests are full of what must be refused


def wait_until(condition: Callable[[], Any], what: str, within_s: float = HANG_S) -> Any:
    """What a condition gives once it gives something; a hang ends the test."""
    limit = time.monotonic() + within_s
    while not (found := condition()):
        assert time.monotonic() < limit, f"still waiting after {within_s:.0f} s: {what}"
        time.sleep(0.02)
    return found


class Worker:
    """One process of `attente worker`.

    Attributes:
        name: what it is called in its group.
        flags: what it was started with beside what all are.
        lines: what it has said on stderr so far.
    """

    def __init__(self, name: str, command: Sequence[str], flags: Sequence[str] = ()) -> None:
        self.name = name
        self.flags = flags
        self.lines: list[str] = []
        self._begun = time.monotonic()
        self._heard_at: list[float] = []
        self._said = threading.Condition()
        self._ended = False
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(ROOT / "streams"), "PYTHONUNBUFFERED": "1"},
            cwd=ROOT,
        )
        assert self.process.stderr is not None
        self._listener = threading.Thread(target=self._listen, args=(self.process.stderr,), daemon=True)
        self._listener.start()

    def _listen(self, stderr: IO[bytes]) -> None:
        for line in stderr:
            with self._said:
                self._heard_at.append(time.monotonic() - self._begun)
                self.lines.append(line.decode(errors="replace").rstrip("\n"))
                self._said.notify_all()
        with self._said:
            self._ended = True
            self._said.notify_all()

    # ---- what it says

    def hears(self, pattern: str, count: int = 1, within_s: float = HANG_S) -> re.Match[str]:
        """The match of the `count`-th line that matches; one that never comes ends the test."""
        limit = time.monotonic() + within_s
        with self._said:
            while len(found := self.matches(pattern)) < count:
                left = limit - time.monotonic()
                assert left > 0, f"{self.name} has not said {pattern!r} {count} times in {within_s:.0f} s\n{self.story}"
                assert not self._ended, f"{self.name} has ended without saying {pattern!r}\n{self.story}"
                self._said.wait(left)
        return found[count - 1]

    def matches(self, pattern: str) -> list[re.Match[str]]:
        """The matches of all lines so far."""
        return [found for line in list(self.lines) if (found := re.search(pattern, line))]

    @property
    def story(self) -> str:
        """Everything that it has said and after how many seconds, for a failure's message."""
        told = (f"{at:8.2f} {line}" for at, line in zip(self._heard_at, self.lines, strict=False))
        return "\n".join([f"--- {self.name} (exit code {self.process.poll()})", *told])

    # ---- what it shows

    @property
    def url(self) -> str:
        """Where it is scraped."""
        return self.hears(r"serves (http://\S+)/metrics")[1]

    def get(self, path: str, within_s: float = HANG_S) -> tuple[int, str]:
        """Status and text of a page."""
        try:
            with urllib.request.urlopen(f"{self.url}{path}", timeout=within_s) as answer:  # noqa: S310 - our own
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def scrape(self, within_s: float = HANG_S) -> Reading:
        """Its metrics now."""
        status, text = self.get("/metrics", within_s)
        assert status == 200, text
        return read(text)

    def owned(self) -> set[int]:
        """The partitions that it says it owns."""
        return {int(row.labels["partition"]) for row in self.scrape().rows(c.PARTITION_OWNED) if row.value}

    def shown(self) -> set[int]:
        """The partitions whose figures it shows."""
        return {int(row.labels["partition"]) for row in self.scrape().rows(c.EVENTS_READ)}

    def hashes(self) -> dict[tuple[int, int], str]:
        """The state hashes that it has said, by partition and offset; two of one place must be equal."""
        found: dict[tuple[int, int], str] = {}
        for line in self.matches(r"state partition=(\d+) offset=(\d+) .*hash=(\w+)"):
            place = int(line[1]), int(line[2])
            assert found.setdefault(place, line[3]) == line[3], place
        return found

    # ---- what is done to it

    @property
    def is_running(self) -> bool:
        """Whether the process is there."""
        return self.process.poll() is None

    def exit_code(self, within_s: float = HANG_S) -> int:
        """How it has ended; waits for it, and for all that it has said."""
        try:
            code = self.process.wait(within_s)
        except subprocess.TimeoutExpired:
            msg = f"{self.name} has not ended within {within_s:.0f} s\n{self.story}"
            raise AssertionError(msg) from None
        self._listener.join(within_s)
        return code

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.exit_code()

    def kill(self) -> None:
        """`kill -9`."""
        self.process.kill()
        self.exit_code()

    def pause(self) -> None:
        """SIGSTOP: it lives, and does nothing."""
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT."""
        self.process.send_signal(signal.SIGCONT)


class Crew:
    """The workers of one set of topics; those that still run at the end are killed."""

    def __init__(self, bootstrap: str, prefix: str, registry: Path | None) -> None:
        self.bootstrap = bootstrap
        self.prefix = prefix
        self.registry = registry
        self.workers: list[Worker] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self.workers:
            if worker.is_running:
                worker.kill()
        if error is not None:
            for worker in self.workers:
                print(worker.story, file=sys.stderr)

    def start(self, name: str, *flags: str, group: str = "attente", brake: tuple[str, ...] = UNBRAKED) -> Worker:
        """Start a worker; it may not be ready yet. With `brake=()` it has the brake that every worker has."""
        registry = [] if self.registry is None else ["--registry", str(self.registry)]
        command = [
            *(sys.executable, "-m", "attente", "worker"),
            *("--broker", self.bootstrap, "--prefix", self.prefix, "--group", f"{self.prefix}{group}"),
            *registry,
            *("--worker", name, "--metrics-port", "0", "--session-timeout-seconds", str(SESSION_S)),
            *brake,
            *flags,
        ]
        self.workers.append(Worker(name, command, flags))
        return self.workers[-1]

    @property
    def events(self) -> str:
        """The topic of the events."""
        return prefixed(EVENTS, self.prefix)

    def running(self) -> list[Worker]:
        """Those that have not ended."""
        return [worker for worker in self.workers if worker.is_running]

    def readings(self) -> list[Reading]:
        """A scrape of each that runs."""
        return [worker.scrape() for worker in self.running()]

    def total(self, metric: Any, **labels: str) -> float:
        """The sum of a metric over all workers."""
        return sum(reading.total(metric, **labels) for reading in self.readings())

    def wait_for(self, partitions: int, events: int) -> None:
        """Until every partition is shown by exactly one worker, and so many events have been read of them."""

        def is_there() -> bool:
            shown = [int(row.labels["partition"]) for r in self.readings() for row in r.rows(c.EVENTS_READ)]
            return sorted(shown) == list(range(partitions)) and self.total(c.EVENTS_READ) == events

        wait_until(is_there, f"{partitions} partitions shown with {events} events")


class Watch:
    """Scrapes a crew over and over: no counter of the union may ever fall.

    The union is what a query sees: of each series the greatest value over the workers that show it; a series that
    nobody shows for a while has not fallen.

    Attributes:
        rounds: how often all workers were scraped.
        falls: what has fallen, in words.
    """

    def __init__(self, crew: Crew) -> None:
        self.crew = crew
        self.rounds = 0
        self.falls: list[str] = []
        self._greatest: dict[str, float] = {}
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join(HANG_S)
        assert not self._thread.is_alive()

    def _watch(self) -> None:
        while not self._stopped.wait(0.1):
            union: dict[str, float] = {}
            for worker in self.crew.running():
                for series, value in self._counters(worker).items():
                    union[series] = max(value, union.get(series, value))
            for series, value in union.items():
                before = self._greatest.get(series, value)
                if value < before:
                    self.falls.append(f"{series}: {before} -> {value}")
                self._greatest[series] = max(value, before)
            self.rounds += 1

    def _counters(self, worker: Worker) -> dict[str, float]:
        try:
            return worker.scrape(within_s=2.0).counters()
        except (OSError, AssertionError, http.client.HTTPException):
            return {}  # killed, paused or not listening yet


# ---- the log


def write(bootstrap: str, topic: str, records: Iterable[Record], **settings: Any) -> None:
    """Write records to their partitions with their timestamps; they must come to lie at their offsets."""
    with producer(bootstrap, **settings) as sender:
        sent = [
            (
                record,
                sender.send(
                    topic,
                    record.value,
                    record.key,
                    list(record.headers),
                    partition=record.partition,
                    timestamp_ms=record.timestamp,
                ),
            )
            for record in records
        ]
        sender.flush(HANG_S)
        for record, future in sent:
            assert future.get(HANG_S).offset == record.offset


@contextmanager
def producer(bootstrap: str, **settings: Any) -> Iterator[KafkaProducer]:
    """A producer of kafka-python, closed afterwards."""
    one = KafkaProducer(
        bootstrap_servers=bootstrap, batch_size=64 << 10, linger_ms=5, metrics_enabled=False, **settings
    )
    try:
        yield one
    finally:
        one.close(timeout=HANG_S)


def content(bootstrap: str, topic: str) -> list[Any]:
    """Every record of a topic, partition after partition, each in the order of its offsets."""
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False, auto_offset_reset="earliest")
    try:
        partitions = [TopicPartition(topic, number) for number in sorted(consumer.partitions_for_topic(topic))]
        consumer.assign(partitions)
        ends = consumer.end_offsets(partitions)
        found: list[Any] = []
        while any(consumer.position(partition) < ends[partition] for partition in partitions):
            for records in consumer.poll(timeout_ms=500).values():
                found.extend(records)
    finally:
        consumer.close()
    return sorted(found, key=lambda record: (record.partition, record.offset))


def delete_before(bootstrap: str, topic: str, offsets: dict[int, int]) -> None:
    """Delete what lies before an offset of some partitions, as retention does."""
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        admin.delete_records({TopicPartition(topic, number): offset for number, offset in offsets.items()})
    finally:
        admin.close()


# ---- the registry as a file


def written(registry: Registry) -> str:
    """A registry as the YAML file that reads back as the same one."""
    hours, minutes = divmod(registry.cut_over_min, 60)
    lines = [
        f"network: {registry.network}",
        f'cut_over: "{hours:02d}:{minutes:02d}"',
        f"horizon: {registry.horizon_ms // 1000}s",
        f"detail: {registry.detail.value}",
        "services:",
        *(f"  - {{id: {service.id}, title: {service.title!r}}}" for service in registry.services.values()),
        "offices:",
        *(
            f"  - {{id: {office.id}, name: {office.name!r}, region: {office.region}, zone: {office.zone},"
            f" services: [{', '.join(office.services)}]{_kiosks(office)}{_signing(office)}}}"
            for office in registry.offices.values()
        ),
        "norms:",
        *(line for norm in registry.norms.values() for line in _norm(norm)),
    ]
    return "\n".join(lines) + "\n"


def _kiosks(office: Office) -> str:
    return f", kiosks: [{', '.join(map(repr, office.kiosks))}]" if office.kiosks else ""


def _signing(office: Office) -> str:
    if office.signatures is Signatures.OFF:
        return ""
    keys = ", ".join(
        f'{{id: {key.id}, fingerprint: {key.fingerprint}, from: "{text_of(key.first_ms)}", until: "{_until(key)}"}}'
        for key in office.keys
    )
    since = text_of(office.signatures_from_ms)
    return f', signatures: {office.signatures.value}, signatures_from: "{since}", keys: [{keys}]'


def _until(key: OfficeKey) -> str:
    return text_of(min(key.end_ms, LATEST - 1))


def _norm(norm: Norm) -> Iterator[str]:
    clock = norm.clock
    yield f"  - id: {norm.id}"
    yield f"    title: {norm.title!r}"
    yield f"    threshold: {norm.threshold_s}s"
    yield f"    target: {norm.target_milli / scalars.WHOLE}"
    yield f"    clock: {{from: {clock.start.value}, to: {clock.end.value}, per: {clock.per.value}}}"
    yield f"    population: {{channels: [{', '.join(sorted(norm.channels))}]}}"
    yield f"    left: {norm.left.value}"
    yield f"    still_waiting: {norm.still_waiting.value}"
    yield f"    offices: [{', '.join(sorted(norm.offices))}]"
    yield f"    services: [{', '.join(sorted(norm.services))}]"
