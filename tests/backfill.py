"""Simulated days as a Prometheus would have kept them: every page that two workers would have served, with its time.

The events of a simulated network go through the core, and at every step the page of each worker is rendered as it is
served. Around noon the second worker dies and the first takes its partitions over; a quarter of an hour later it is
back. Beside the pages stands what a Prometheus adds to every scrape. The result are files in the OpenMetrics format
for `promtool tsdb create-blocks-from openmetrics`.
"""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import IO, NamedTuple

from attente.core.partition import Partition
from attente.core.plan import Plan
from attente.core.render import Renderer
from attente.core.state import cut, encode
from attente.core.view import PartitionHealth, View, WorkerHealth
from attente.metrics import exposition
from attente.metrics.collector import ViewCollector
from attente.model.names import kiosk_source
from attente.model.partitioning import partition_of
from attente.registry.entities import Registry
from attente.registry.load import parse
from attente.sources.simulate.network import Network
from attente.sources.simulate.registry_text import registry_text
from attente.sources.simulate.stream import simulate_days
from oracle import Record

SECOND = 1000
MINUTE = 60 * SECOND
BLOCK_MS = 120 * MINUTE  # what Prometheus puts in one block; promtool reads a file anew for each block that it touches
PARTITIONS = 4
CHECKPOINT_MS = 5 * MINUTE
AWAY_MS = 15 * MINUTE
SAMPLE_S = 4e-6  # what a sample costs a worker (docs/metrics.md): a clock would make every run another one

# What reaches a real topic beside events: somebody's test, an office of another network, a kiosk without its zone.
NOISE = (
    b"hello",
    b'{"specversion":"1.0","id":"n1","source":"/x","type":"office.opened","time":"2026-11-20T09:00:00Z","office":"x"}',
    b'{"specversion":"1.0","id":"n2","source":"%s","type":"office.opened","time":"1970-01-01T00:00:07","office":"%s"}',
)
NOISE_EVERY = 700


class Stretch(NamedTuple):
    """A stretch of time that is kept, in milliseconds since 1970, both ends included where a step falls on them."""

    begin: int
    end: int


@dataclass(frozen=True)
class Days:
    """Some days of a simulated network.

    Attributes:
        network: which one.
        days: the local dates (`date.toordinal`), in order; figures of a month need those before the ones looked at.
        stretches: what is kept of them, in order, apart from each other.
        step_ms: how often pages are kept.
        dies_ms: when the second worker dies; None for never.
        noise_every: after how many events something comes that is none.
        is_seamless: a partition that moves is on one page at every step: the hand-over fell between two scrapes.
    """

    network: Network
    days: tuple[int, ...]
    stretches: tuple[Stretch, ...]
    step_ms: int = MINUTE
    dies_ms: int | None = None
    noise_every: int = NOISE_EVERY
    is_seamless: bool = False

    @cached_property
    def registry(self) -> Registry:
        """Of the network."""
        return parse(registry_text(self.network), "simulated.yaml")

    @cached_property
    def records(self) -> list[Record]:
        """The log as a live topic has it, in the order of arrival, noise included; offsets count per partition."""
        keys = {office.index: office.id.encode() for office in self.network.offices}
        offsets = [0] * PARTITIONS
        records = []

        def put(at: int, key: bytes, value: bytes) -> None:
            partition = partition_of(key, PARTITIONS)
            records.append(Record(offsets[partition], at, key, value, partition))
            offsets[partition] += 1

        for number, each in enumerate(simulate_days(self.network, self.days)[0]):
            if each.arrives_ms > self.stretches[-1].end:
                break
            put(each.arrives_ms, keys[each.office], each.value)
            if number % self.noise_every == self.noise_every // 2:
                put(each.arrives_ms, *self._noise(number // self.noise_every, keys[each.office]))
        return records

    def _noise(self, number: int, office: bytes) -> tuple[bytes, bytes]:
        """Key and value of the next thing that is no event."""
        *strange, broken = NOISE
        number %= len(NOISE)
        if number < len(strange):
            return b"x", strange[number]
        kiosk = self.registry.offices[office.decode()].kiosks[0]
        return office, broken % (kiosk_source(office.decode(), kiosk).encode(), office)

    def before(self, at: int) -> list[Record]:
        """What has arrived by an instant."""
        return [record for record in self.records if record.timestamp <= at]

    def steps(self) -> Iterator[int]:
        """The instants at which pages are kept."""
        for begin, end in self.stretches:
            yield from range(begin, end + 1, self.step_ms)


@dataclass
class Instance:
    """A worker: what its process has done so far. One that is started again begins anew."""

    name: str
    address: str
    page: ViewCollector
    health: WorkerHealth
    owned: frozenset[int] = frozenset()
    shown: frozenset[int] = frozenset()
    is_up: bool = True
    series: int = 0
    rendered_s: float = 0.0
    view: View = field(init=False)

    def process(self) -> str:
        """What every exporter tells of its process."""
        cpu_s = 4.0 + self.health.batch_s * 3 + self.rendered_s
        memory = 62_000_000 + self.health.batch_records * 210 + self.series * 900
        return f"process_cpu_seconds_total {cpu_s:.2f}\nprocess_resident_memory_bytes {memory}\n"


def _owners(days: Days, at: int) -> tuple[frozenset[int] | None, frozenset[int] | None]:
    """What each of the two workers owns; None for one that is away."""
    every, half = frozenset(range(PARTITIONS)), frozenset(range(PARTITIONS // 2))
    if days.dies_ms is None or not days.dies_ms <= at < days.dies_ms + AWAY_MS:
        return half, every - half
    return every, None


class Pages:
    """The pages of two workers through the days; each step is rendered once."""

    def __init__(self, days: Days) -> None:
        self.days = days
        plan = Plan(days.registry)
        self.parts = [Partition(plan, number, PARTITIONS) for number in range(PARTITIONS)]
        self.renderers = [Renderer(part) for part in self.parts]
        self.instances = [self._started(number) for number in (1, 2)]
        self._checkpoint_at = 0

    def _started(self, number: int) -> Instance:
        name = f"w{number}"
        health = WorkerHealth(worker=name, partitions_total=PARTITIONS, partitions=(), ready=False, loop_stall_s=0.004)
        collector = ViewCollector(self.days.registry, lambda: made.view)
        made = Instance(name, f"worker-{number}:9646", collector, health)
        return made

    def through(self) -> Iterator[tuple[int, list[Instance]]]:
        """Each step's instant, and the workers whose pages can then be rendered."""
        records = iter(self.days.records)
        ahead = next(records, None)
        for at in self.days.steps():
            batch: list[list[Record]] = [[] for _ in self.parts]
            while ahead is not None and ahead.timestamp <= at:
                batch[ahead.partition].append(ahead)
                ahead = next(records, None)
            for part, some in zip(self.parts, batch, strict=True):
                part.ingest(some)
            self._own(at)
            self._work(at, [len(some) for some in batch], [len(part.take_dead()) for part in self.parts])
            yield at, self.instances

    def _own(self, at: int) -> None:
        """Who owns and who shows what.

        What a worker has lost by dying is on no page for a step. What it gets back is on two: the other one's last
        page was scraped just before, and its own just after, as happens when both scrapes lie around a hand-over.
        """
        for number, owned in enumerate(_owners(self.days, at)):
            one = self.instances[number]
            if owned is None:
                one.is_up = False
                continue
            is_back = not one.is_up
            if is_back:
                one = self.instances[number] = self._started(number + 1)
            taken, lost = owned - one.owned, one.owned - owned
            if self.days.is_seamless or is_back or at == self.days.stretches[0].begin:
                one.shown = owned
            else:
                one.shown = owned - taken | lost
            one.owned = owned
            if taken:
                one.health = replace(one.health, takeovers=one.health.takeovers + 1, takeover_s=1.9)

    def _work(self, at: int, read: list[int], dead: list[int]) -> None:
        """What the processes have done in this step."""
        save = at >= self._checkpoint_at
        if save:
            self._checkpoint_at = at + CHECKPOINT_MS
        sizes = [len(encode(cut(part))) if save else 0 for part in self.parts]
        for one in self.instances:
            if not one.is_up:
                continue
            records = sum(read[number] for number in one.owned)
            health = one.health
            one.health = replace(
                health,
                partitions=tuple(
                    PartitionHealth(
                        number,
                        shown=number in one.shown,
                        lag=0 if number in one.shown else read[number],
                        stream_time_ms=self.parts[number].stream,
                    )
                    for number in sorted(one.owned)
                ),
                ready=one.owned == one.shown,
                batches=health.batches + sum(bool(read[number]) for number in one.owned),
                batch_records=health.batch_records + records,
                batch_s=health.batch_s + records * 1.4e-5,
                dead_letters=health.dead_letters + sum(dead[number] for number in one.owned),
                checkpoints=health.checkpoints + save * len(one.owned),
                checkpoint_bytes=health.checkpoint_bytes + sum(sizes[number] for number in one.owned),
                checkpoint_last_ms=at if save else health.checkpoint_last_ms,
                checkpoint_cut_s=0.003 if save else health.checkpoint_cut_s,
            )

    def render(self, one: Instance, at: int) -> bytes:
        """The page that a worker serves at this step."""
        shown = [self.renderers[number] for number in sorted(one.shown)]
        one.view = View(one.health, tuple(each.partition_view(tuple(each.offices(at))) for each in shown))
        page = exposition.openmetrics(one.page.collect())
        one.page.last_render_s = round(page.count(b"\n") * SAMPLE_S, 4)
        return page


class _Lines:
    """Turns pages into lines that bear job, instance and time; of each series the name and labels are made once."""

    def __init__(self, instance: str) -> None:
        self._target = f'instance="{instance}",job="attente"'
        self._made: dict[str, str] = {}

    def of(self, page: bytes, at: int) -> Iterator[str]:
        stamp = f" {at / 1000:.3f}\n"
        made = self._made
        for line in page.decode().splitlines():
            if line[0] == "#":
                continue
            series, _, value = line.rpartition(" ")
            if (named := made.get(series)) is None:
                named = made[series] = self.named(series)
            yield f"{named} {value}{stamp}"

    def named(self, series: str) -> str:
        """With the labels of the target."""
        return f"{series[:-1]},{self._target}}}" if series[-1] == "}" else f"{series}{{{self._target}}}"


def write(days: Days, folder: Path) -> list[Path]:
    """Write the days as OpenMetrics, one file for each block's time.

    Returns:
        The files, in order of time.
    """
    pages = Pages(days)
    lines: dict[str, _Lines] = {}
    files: dict[int, IO[str]] = {}
    with ExitStack() as stack:
        for at, instances in pages.through():
            block = at // BLOCK_MS
            if block not in files:
                files[block] = stack.enter_context((folder / f"{block}.om").open("w", encoding="utf-8"))
            for one in instances:
                to = lines.setdefault(one.address, _Lines(one.address))
                files[block].writelines(_scraped(pages, one, to, at))
        for file in files.values():
            file.write("# EOF\n")
    return [Path(file.name) for file in files.values()]


def _scraped(pages: Pages, one: Instance, lines: _Lines, at: int) -> Iterator[str]:
    """A scrape as Prometheus keeps it; of a worker that is away only that it is."""
    about: Mapping[str, float] = {"up": 0, "scrape_duration_seconds": 0.0, "scrape_samples_scraped": 0}
    if one.is_up:
        page = pages.render(one, at)
        samples = sum(not line.startswith(b"#") for line in page.splitlines())
        about = {
            "up": 1,
            "scrape_duration_seconds": 0.004 + samples * SAMPLE_S,
            "scrape_samples_scraped": samples,
            "scrape_samples_post_metric_relabeling": samples,
            "scrape_series_added": max(0, samples - one.series),
        }
        one.series = samples
        one.rendered_s += samples * SAMPLE_S
        yield from lines.of(page, at)
        yield from lines.of(one.process().encode(), at)
    yield from lines.of("".join(f"{name} {value}\n" for name, value in about.items()).encode(), at)
