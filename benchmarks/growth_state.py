"""One point of growth: what a state costs, from memory, in a process of its own. Run as a program, it prints JSON.

CPU time throughout, one process, the collector set as in a worker.
"""

import argparse
import gc
import json
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from attente.core.partition import Partition
from attente.core.plan import Plan
from attente.core.render import Renderer
from attente.core.state import cut
from attente.engine.app import COLLECT
from attente.engine.checkpoints import compress
from attente.registry.load import load
from benchmarks.core import Batches, cpu_s, ingest_all, resident
from benchmarks.growth_tape import batched, crowd, one_more
from benchmarks.tape import opened


@dataclass(frozen=True, slots=True)
class Grown:
    """What the states of a whole network cost, all partitions in one process.

    Attributes:
        offices, partitions, events: what was counted.
        visits: held in the end.
        waiting: of them, those not over.
        cpu_us: CPU time per event in microseconds.
        state_bytes: resident memory by which the process grew while it counted.
        view_bytes: by which it grew again with the first view of all offices.
        first_view_s: CPU seconds of that view.
        next_view_s: of the next one, after one more event in every office.
        cut_ms: the longest cut of a partition for a checkpoint: the loop stands still meanwhile.
        encode_s: CPU seconds of a checkpoint of everything, compressed and with its checksum.
        checkpoint_bytes: its size as it is written.
    """

    offices: int
    partitions: int
    events: int
    visits: int
    waiting: int
    cpu_us: float
    state_bytes: int
    view_bytes: int
    first_view_s: float
    next_view_s: float
    cut_ms: float
    encode_s: float
    checkpoint_bytes: int


def measure(registry: Path, batches: Sequence[Batches]) -> Grown:
    """Count everything, look at it, let one more event come to every office, look again, and write a checkpoint.

    Args:
        registry: the file of the network.
        batches: of each partition, from offset 0.
    """
    plan = Plan(load(registry))
    events = sum(one.records for one in batches)
    gc.collect()
    before = resident()
    began = time.process_time()
    states = ingest_all(plan, batches)
    ingest_s = time.process_time() - began
    gc.collect()
    counted = resident()
    visits = sum(len(office.open) + len(office.closed) for state in states for office in state.offices.values())
    waiting = sum(len(office.open) for state in states for office in state.offices.values())
    renderers = [Renderer(state) for state in states]
    first_view_s = cpu_s(lambda: _view(renderers))
    viewed = resident()
    _touch(plan, states)
    next_view_s = cpu_s(lambda: _view(renderers))
    cut_s, encode_s, written = _checkpoints(states)
    return Grown(
        offices=len(plan.offices),
        partitions=len(states),
        events=events,
        visits=visits,
        waiting=waiting,
        cpu_us=ingest_s / events * 1e6,
        state_bytes=counted - before,
        view_bytes=viewed - counted,
        first_view_s=first_view_s,
        next_view_s=next_view_s,
        cut_ms=cut_s * 1e3,
        encode_s=encode_s,
        checkpoint_bytes=written,
    )


def _view(renderers: Sequence[Renderer]) -> None:
    for renderer in renderers:
        deque(renderer.offices(renderer.partition.stream), maxlen=0)


def _touch(plan: Plan, states: Sequence[Partition]) -> None:
    at = max(state.stream for state in states)
    offices = [office.id for office in plan.offices.values()]
    more = batched(one_more(offices, at, len(states)), [state.next_offset for state in states])
    for state, batches in zip(states, more, strict=True):
        for batch in batches.open():
            state.ingest(batch)


def _checkpoints(states: Sequence[Partition]) -> tuple[float, float, int]:
    """Seconds of the longest cut, seconds of all encoding, bytes of all that is written."""
    longest = encode_s = 0.0
    written = 0
    for state in states:
        marks = [time.process_time()]
        taken = cut(state)
        marks.append(time.process_time())
        data, _ = compress(taken)
        marks.append(time.process_time())
        longest = max(longest, marks[1] - marks[0])
        encode_s += marks[2] - marks[1]
        written += len(data)
    return longest, encode_s, written


def main() -> None:
    """Measure, and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="the folder of a tape, of which the network is taken")
    parser.add_argument("--waiting", type=int, help="so many wait at once, instead of the tape's records")
    options = parser.parse_args()
    gc.set_threshold(*COLLECT)
    tape = opened(options.folder)
    partitions = tape.shape.partitions
    if options.waiting is None:
        records = tape.records()
    else:
        offices = [office.id for office in load(tape.registry).offices.values()]
        records = crowd(options.waiting, offices, partitions)
    found = measure(tape.registry, batched(records, [0] * partitions))
    print(json.dumps(asdict(found)))


if __name__ == "__main__":
    main()
