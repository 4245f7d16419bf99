"""The cost of a scrape: how much of the event loop it takes, how long it holds it, and what the server's thread does.

A real loop with the worker's own scrape over its own engine, first at rest, then while deliveries are being applied.
Run as a program, it prints JSON.
"""

import argparse
import asyncio
import gc
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from itertools import chain, repeat, zip_longest
from pathlib import Path
from types import TracebackType
from typing import Final, NamedTuple, Self

from attente.core.partition import Partition
from attente.core.view import View
from attente.engine.app import COLLECT
from attente.engine.engine import Engine
from attente.engine.owned import Owned
from attente.engine.scrape import Scrape
from attente.engine.transport import Delivery
from attente.metrics import exposition
from attente.metrics.collector import ViewCollector
from attente.registry.entities import Registry
from attente.registry.load import parse
from attente.settings import Settings
from benchmarks.core import BATCH, Batches
from benchmarks.growth_tape import batched, one_more
from benchmarks.network import offices_of, registry_yaml
from benchmarks.process import Failed
from benchmarks.tape import Record, opened

FETCH: Final = 4_000 // BATCH
"""Batches in a delivery: as many as a full fetch of one partition holds."""
_TICK_S: Final = 0.001
_ALONE: Final = 4  # deliveries that are applied before anybody scrapes
_LEASE_S: Final = 86_400.0
_ENOUGH: Final = 3_000_000
"""Records for the loop to be busy with: some seconds."""


class Gaps:
    """How long the loop did not turn, by a task that wants its turn every millisecond."""

    def __init__(self) -> None:
        self.longest_s = 0.0
        self._task: asyncio.Task[None] | None = None

    async def _tick(self) -> None:
        before = time.perf_counter()
        while True:
            await asyncio.sleep(_TICK_S)
            now = time.perf_counter()
            self.longest_s = max(self.longest_s, now - before - _TICK_S)
            before = now

    async def __aenter__(self) -> Self:
        self._task = asyncio.ensure_future(self._tick())
        await asyncio.sleep(_TICK_S)  # it must have begun before what is measured does
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._task is not None  # noqa: S101 - set when the context was entered
        await asyncio.sleep(2 * _TICK_S)  # the last gap ends with a turn
        self._task.cancel()


@dataclass(frozen=True, slots=True)
class Viewed:
    """One view.

    Attributes:
        seconds: from the scrape's question to its answer.
        loop_s: CPU seconds of the loop's thread meanwhile; of all it does, if it does anything else.
        held_ms: the longest time that the loop did not turn.
    """

    seconds: float
    loop_s: float
    held_ms: float


@dataclass(frozen=True, slots=True)
class Written:
    """One page made of a view, in another thread than the loop's.

    Attributes:
        seconds: how long it took.
        cpu_s: CPU seconds of the thread.
        held_ms: the longest time that the loop did not turn: there is one interpreter for both.
        bytes: of the page.
    """

    seconds: float
    cpu_s: float
    held_ms: float
    bytes: int


@dataclass(frozen=True, slots=True)
class Scraped:
    """What scrapes of one worker cost.

    Attributes:
        offices, events: of the network, and how many had been counted.
        series: on the page, with all of its offices.
        first, next, same: views of everything, after one more event in every office, after nothing.
        text, openmetrics: pages at rest.
        applying_held_ms: the longest time that the loop did not turn while it applied deliveries and nobody scraped.
        busy_next, busy_text, busy_openmetrics: the same while it applied deliveries.
    """

    offices: int
    events: int
    series: int
    first: Viewed
    next: Viewed
    same: Viewed
    text: Written
    openmetrics: Written
    applying_held_ms: float
    busy_next: Viewed
    busy_text: Written
    busy_openmetrics: Written


class Parts(NamedTuple):
    """The records of a tape in three parts, which follow each other in the log.

    Attributes:
        before: counted before anybody scrapes.
        touch: one more event in every office.
        after: for the loop to be busy with.
    """

    before: list[Batches]
    touch: list[Batches]
    after: list[Batches]


def parted(records: Sequence[Record], registry: Registry, partitions: int) -> Parts:
    """The first half of a tape, an event in every office, the second half.

    When the second half is over it comes again and again, so that a small network keeps the loop busy as long as a
    large one, and its offices have no more visits than one has in a day.
    """
    half = len(records) // 2
    before = batched(records[:half], [0] * partitions)
    at = max(record.timestamp for record in records[:half])
    touch = batched(one_more(registry.offices, at, partitions), [one.records for one in before])
    ends = [one.records + other.records for one, other in zip(before, touch, strict=True)]
    rest = records[half:]
    return Parts(before, touch, batched(chain.from_iterable(repeat(rest, -(-_ENOUGH // len(rest)))), ends))


class Desk:
    """An engine with states as after a take-over, and the scrape of it."""

    def __init__(self, registry: Registry, partitions: int) -> None:
        self.registry = registry
        self.engine = Engine(Settings(worker="growth"), registry, partitions, _say_nothing)
        self.owned = [Owned(Partition(self.engine.plan, number, partitions)) for number in range(partitions)]
        self.engine.highwater = lambda number: self.owned[number].next_offset
        ownership = self.engine.ownership
        ownership.states = {one.number: one for one in self.owned}
        ownership.live = set(ownership.states)
        ownership.settled = True
        ownership.renew(time.monotonic() + _LEASE_S)

    def ingest(self, parts: Sequence[Batches]) -> None:
        """Count records at once, before or between scrapes."""
        for one, batches in zip(self.owned, parts, strict=True):
            one.partition.ingest(chain.from_iterable(batches.open()))
            one.restart_delivery()
            one.applied_at = time.monotonic()

    async def apply(self, parts: Sequence[Batches], is_enough: Callable[[], bool]) -> None:
        """Apply deliveries of all partitions in turns, as they come from a full fetch, until it is enough.

        Raises:
            Failed: there were too few.
        """
        starts = [list(range(0, len(batches.raw), FETCH)) for batches in parts]
        for turn in zip_longest(*starts):
            for number, (batches, start) in enumerate(zip(parts, turn, strict=True)):
                if start is None:
                    continue
                if is_enough():
                    return
                await self._deliver(number, list(batches.open())[start : start + FETCH])
        if not is_enough():
            message = "all deliveries were applied before the scrape was over; let the tape have more events"
            raise Failed(message)

    async def _deliver(self, number: int, batches: list[object]) -> None:
        first = batches[0].base_offset  # type: ignore[attr-defined]
        last = batches[-1].next_offset - 1  # type: ignore[attr-defined]
        delivery = Delivery(first, last, batches)  # type: ignore[arg-type]
        if not await self.engine.accept(number, delivery):
            message = f"the engine does not take {first} to {last} of partition {number}"
            raise Failed(message)
        await self.engine.apply(delivery)

    async def view(self) -> tuple[View, Viewed]:
        """A view, and what it cost. By a scrape of its own: no view of a moment ago does for it."""
        scrape = Scrape(self.engine, asyncio.get_running_loop())
        async with Gaps() as gaps:
            began, cpu = time.perf_counter(), time.thread_time()
            view = await asyncio.to_thread(scrape)
            seconds, loop_s = time.perf_counter() - began, time.thread_time() - cpu
        return view, Viewed(seconds, loop_s, gaps.longest_s * 1e3)

    async def write(self, view: View, form: Callable[[exposition.Families], bytes]) -> Written:
        """A page of a view, and what it cost."""
        collector = ViewCollector(self.registry, lambda: view)
        async with Gaps() as gaps:
            seconds, cpu_s, size = await asyncio.to_thread(_written, collector, form)
        return Written(seconds, cpu_s, gaps.longest_s * 1e3, size)


def _say_nothing(_line: str) -> None:
    """What a worker would say."""


def _written(collector: ViewCollector, form: Callable[[exposition.Families], bytes]) -> tuple[float, float, int]:
    began, cpu = time.perf_counter(), time.thread_time()
    size = len(form(collector.collect()))
    return time.perf_counter() - began, time.thread_time() - cpu, size


async def measure(registry: Registry, records: Sequence[Record], partitions: int) -> Scraped:
    """Scrape a worker at rest, then one that is at work.

    Raises:
        Failed: the tape has too few events for the loop to be busy until the scrape is over.
    """
    parts = parted(records, registry, partitions)
    desk = Desk(registry, partitions)
    desk.ingest(parts.before)
    gc.collect()
    _, first = await desk.view()
    desk.ingest(parts.touch)
    view, following = await desk.view()
    _, same = await desk.view()
    collector = ViewCollector(registry, lambda: view)
    series = sum(len(family.samples) for family in collector.collect())
    text = await desk.write(view, exposition.text)
    openmetrics = await desk.write(view, exposition.openmetrics)
    applying, busy = await _busy(desk, parts.after)
    return Scraped(
        offices=len(registry.offices),
        events=sum(one.records for one in (*parts.before, *parts.touch)),
        series=series,
        first=first,
        next=following,
        same=same,
        text=text,
        openmetrics=openmetrics,
        applying_held_ms=applying,
        busy_next=busy.view,
        busy_text=busy.text,
        busy_openmetrics=busy.openmetrics,
    )


class _Busy(NamedTuple):
    view: Viewed
    text: Written
    openmetrics: Written


async def _busy(desk: Desk, after: Sequence[Batches]) -> tuple[float, _Busy]:
    """The longest hold by deliveries alone, and what a scrape costs while they are applied."""
    over = False
    applying = asyncio.ensure_future(desk.apply(after, lambda: over))
    try:
        async with Gaps() as gaps:
            while desk.engine.work.batches < _ALONE and not applying.done():
                await asyncio.sleep(_TICK_S)
        view, viewed = await desk.view()
        found = _Busy(viewed, await desk.write(view, exposition.text), await desk.write(view, exposition.openmetrics))
    finally:
        over = True
    await applying
    return gaps.longest_s * 1e3, found


def network(offices: int, partitions: int) -> Registry:
    """The registry of so many offices."""
    return parse(registry_yaml(offices_of(offices, partitions)), "registry.yaml")


def main() -> None:
    """Measure, and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="the folder of a tape")
    options = parser.parse_args()
    gc.set_threshold(*COLLECT)
    tape = opened(options.folder)
    partitions = tape.shape.partitions
    found = asyncio.run(measure(network(tape.shape.offices, partitions), list(tape.records()), partitions))
    print(json.dumps(asdict(found)))


if __name__ == "__main__":
    main()
