"""The core alone: the tape from memory, without Kafka, Faust or a loop. Run as a program, it prints JSON.

CPU time throughout, one process, the collector set as in a worker.
"""

import argparse
import gc
import json
import signal
import struct
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise, zip_longest
from pathlib import Path
from types import CodeType, FrameType
from typing import Final, NamedTuple

from aiokafka.record.default_records import DefaultRecordBatch, DefaultRecordBatchBuilder

import attente.core.visit
from attente.core.partition import Partition
from attente.core.plan import Plan
from attente.core.render import Renderer
from attente.core.state import cut, decode, digest, encode
from attente.engine.app import COLLECT
from attente.model.events import KioskHeartbeat
from attente.model.events import decode as decode_event
from attente.model.events import encode as encode_event
from attente.model.instants import milliseconds, text_of
from attente.registry.load import load
from benchmarks.lives import HOUR
from benchmarks.tape import Record, Tape, opened

BATCH: Final = 800  # records: what 256 kB hold
_SAMPLE_S: Final = 0.001
_MAGIC: Final = 2
_ROOM: Final = 1 << 20


class Step(NamedTuple):
    """Something that is done to so many records."""

    name: str
    records: int
    work: Callable[[], object]


class Batches:
    """The records of one partition as the broker would hand them out: whole batches of bytes."""

    def __init__(self, first: int = 0) -> None:
        self.raw: list[bytes] = []
        self.records = 0
        self._next = first
        self._pending: list[Record] = []

    def add(self, record: Record) -> None:
        """Append a record."""
        self._pending.append(record)
        if len(self._pending) == BATCH:
            self.close()

    def close(self) -> "Batches":
        """No more records follow, or none for now."""
        if self._pending:
            builder = DefaultRecordBatchBuilder(_MAGIC, 0, 0, -1, -1, -1, _ROOM)
            for i, record in enumerate(self._pending):
                builder.append(i, record.timestamp, record.key, record.value, [])
            # The broker writes the offset of a batch's first record into its first eight bytes.
            self.raw.append(struct.pack(">q", self._next + self.records) + bytes(builder.build())[8:])
            self.records += len(self._pending)
            self._pending.clear()
        return self

    def open(self) -> Iterator[DefaultRecordBatch]:
        """The batches, their records not parsed yet."""
        return (DefaultRecordBatch(raw) for raw in self.raw)


class Core:
    """What is measured."""

    def __init__(self, tape: Tape) -> None:
        self.tape = tape
        self.plan = Plan(load(tape.registry))
        self.partitions = tape.shape.partitions
        # One by one: a heap full of holes would make the states look smaller than they are.
        self.batches = [Batches() for _ in range(self.partitions)]
        for record in tape.records():
            self.batches[record.partition].add(record)
        for batches in self.batches:
            batches.close()

    def ordered(self) -> Batches:
        """The first partition's records without what comes late or twice."""
        once = dict.fromkeys(record for record in self.tape.records() if record.partition == 0)
        batches = Batches()
        for record in sorted(once, key=lambda record: record.timestamp):
            batches.add(record)
        return batches.close()

    def steps(self) -> list[Step]:
        """What is done to the first partition's records, each step including the one before."""
        first, ordered = self.batches[0], self.ordered()
        return [
            Step("parse", first.records, lambda: _parse(first)),
            Step("decode", first.records, lambda: _decode(first)),
            Step("time", first.records, lambda: _decode_and_time(first)),
            Step("ingest", first.records, lambda: self.ingest(first)),
            Step("ingest_in_order", ordered.records, lambda: self.ingest(ordered)),
        ]

    def ingest(self, batches: Batches) -> Partition:
        """One partition, from nothing."""
        partition = Partition(self.plan, 0, self.partitions)
        for batch in batches.open():
            partition.ingest(batch)
        return partition

    def ingest_all(self) -> list[Partition]:
        """All partitions."""
        return ingest_all(self.plan, self.batches)


def ingest_all(plan: Plan, batches: Sequence[Batches]) -> list[Partition]:
    """All partitions in turns, as a worker does that owns them all."""
    states = [Partition(plan, number, len(batches)) for number in range(len(batches))]
    turns = [one.open() for one in batches]
    for turn in zip_longest(*turns):
        for state, batch in zip(states, turn, strict=True):
            if batch is not None:
                state.ingest(batch)
    return states


def _parse(batches: Batches) -> None:
    for batch in batches.open():
        for record in batch:
            record.offset, record.timestamp, record.key, record.value  # noqa: B018 - parsed when asked for


def _decode(batches: Batches) -> None:
    for batch in batches.open():
        for record in batch:
            record.offset, record.timestamp, record.key  # noqa: B018
            decode_event(record.value)


def _decode_and_time(batches: Batches) -> None:
    for batch in batches.open():
        for record in batch:
            record.offset, record.timestamp, record.key  # noqa: B018
            milliseconds(decode_event(record.value).time)


def cpu_s(work: Callable[[], object]) -> float:
    """CPU seconds of some work; what it returns is thrown away afterwards."""
    began = time.process_time()
    result = work()
    took = time.process_time() - began
    del result
    gc.collect()
    return took


def measure(steps: list[Step]) -> dict[str, float]:
    """Microseconds per record of each step."""
    return {step.name: cpu_s(step.work) / step.records * 1e6 for step in steps}


def sample(work: Callable[[], object]) -> Counter[tuple[str, str]]:
    """Which function was at work, by (module, function), looked at with every tick of the kernel's clock.

    What a function lets C code do for it is its own. Compiled functions are not seen.
    """
    seen: Counter[CodeType] = Counter()

    def look(_number: int, frame: FrameType | None) -> None:
        if frame is not None:
            seen[frame.f_code] += 1

    former = signal.signal(signal.SIGPROF, look)
    signal.setitimer(signal.ITIMER_PROF, _SAMPLE_S, _SAMPLE_S)
    try:
        work()
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, former)
    found: Counter[tuple[str, str]] = Counter()
    for code, n in seen.items():
        found[_module(code.co_filename), code.co_qualname.removesuffix(".<locals>.<genexpr>")] += n
    return found


def _module(path: str) -> str:
    parts = Path(path).with_suffix("").parts
    return ".".join(parts[parts.index("attente") :]) if "attente" in parts else parts[-1]


@dataclass(frozen=True, slots=True)
class Whole:
    """What is measured of the states of the whole tape, all partitions.

    Attributes:
        ingest_us: per event.
        bytes_per_visit: resident memory by which the process grew, per visit held.
        visits: how many the states hold.
        cut_ms: the longest cut of a partition: the loop stands still meanwhile.
        encode_s, decode_s: a checkpoint of everything, without compression; decoding folds every visit again.
        encoded_bytes: its size before compression.
        render_s: the view of everything for a first scrape.
        seal_us: per event, moving all visits to the figures of their day once they are older than the horizon.
        digests: hashes of the states, which must not depend on who computes them.
    """

    ingest_us: float
    bytes_per_visit: float
    visits: int
    cut_ms: float
    encode_s: float
    decode_s: float
    encoded_bytes: int
    render_s: float
    seal_us: float
    digests: list[str]


def whole(core: Core) -> Whole:
    """Measure what happens to the states of the whole tape."""
    events = sum(core.tape.facts.split)
    gc.collect()
    before = resident()
    began = time.process_time()
    states = core.ingest_all()
    ingest_s = time.process_time() - began
    gc.collect()
    grown = resident() - before
    visits = sum(len(office.open) + len(office.closed) for state in states for office in state.offices.values())
    digests = [digest(state) for state in states]
    costs = [_costs(core, state) for state in states]
    return Whole(
        ingest_us=ingest_s / events * 1e6,
        bytes_per_visit=grown / visits,
        visits=visits,
        cut_ms=max(cost.cut_s for cost in costs) * 1e3,
        encode_s=sum(cost.encode_s for cost in costs),
        decode_s=sum(cost.decode_s for cost in costs),
        encoded_bytes=sum(cost.encoded_bytes for cost in costs),
        render_s=sum(cost.render_s for cost in costs),
        seal_us=sum(cost.seal_s for cost in costs) / events * 1e6,
        digests=digests,
    )


class _Costs(NamedTuple):
    """CPU seconds of what happens to one state, and its size."""

    cut_s: float
    encode_s: float
    encoded_bytes: int
    decode_s: float
    render_s: float
    seal_s: float


def _costs(core: Core, state: Partition) -> _Costs:
    marks = [time.process_time()]

    def mark() -> None:
        marks.append(time.process_time())

    taken = cut(state)
    mark()
    data = encode(taken)
    mark()
    deque(decode(data, core.plan, state.number, core.partitions), maxlen=0)
    mark()
    deque(Renderer(state).offices(state.stream), maxlen=0)
    mark()
    _seal(core, state)
    mark()
    cut_s, encode_s, decode_s, render_s, seal_s = (after - before for before, after in pairwise(marks))
    return _Costs(cut_s, encode_s, len(data), decode_s, render_s, seal_s)


def resident() -> int:
    """Bytes of memory that this process has now."""
    pages = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1])
    return pages * 4096


def _seal(core: Core, state: Partition) -> None:
    """Let stream time pass the horizon, by a heartbeat two days later."""
    office = next(iter(state.offices.values())).id
    at = state.stream + core.plan.horizon + 24 * HOUR
    beat = KioskHeartbeat(specversion="1.0", id="1", source="/", time=text_of(at), office=office, kiosk="1", spooled=0)
    batches = Batches(state.next_offset)
    batches.add(Record(state.number, at, office.encode(), encode_event(beat)))
    for batch in batches.close().open():
        state.ingest(batch)


def main() -> None:
    """Measure, and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tape", type=Path, help="the folder of a tape")
    options = parser.parse_args()
    gc.set_threshold(*COLLECT)
    core = Core(opened(options.tape))
    is_compiled = not attente.core.visit.__file__.endswith(".py")
    report = {
        "is_compiled": is_compiled,
        "whole": asdict(whole(core)),
        "steps": measure(core.steps()),
        "samples": [] if is_compiled else [[*name, n] for name, n in sample(core.ingest_all).most_common()],
    }
    print(json.dumps(report))


if __name__ == "__main__":
    main()
