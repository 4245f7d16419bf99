"""The same log gives the same states: hashes at fixed offsets, whoever computes them and however often it is killed."""

import random
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final, NamedTuple

from benchmarks.drain import follow
from benchmarks.process import Failed, Process
from benchmarks.stage import Stage
from benchmarks.worker import Worker

SESSION_S: Final = 6
CHECKPOINT_EVENTS: Final = 20_000  # so that kills tear checkpoints, and states come from them
_LINE: Final = re.compile(r"state partition=(\d+) offset=(\d+) origin=\d+ registry=\w+ hash=(\w+)")


class State(NamedTuple):
    """A hash that a worker has logged."""

    partition: int
    offset: int
    hash: str


@dataclass(frozen=True, slots=True)
class Agreement:
    """What the hashes of several campaigns say.

    Attributes:
        logged: hashes in all.
        places: partitions and offsets of which there is a hash.
        compared: hashes of places that others have a hash of too.
        disagreements: places of which there are different hashes.
        kills: how often a worker was killed.
    """

    logged: int
    places: int
    compared: int
    disagreements: int
    kills: int


def states(lines: Iterable[str]) -> Iterator[State]:
    """The hashes in what a worker says."""
    for line in lines:
        if found := _LINE.search(line):
            yield State(int(found[1]), int(found[2]), found[3])


def agreement(logged: Iterable[State], kills: int) -> Agreement:
    """Compare hashes of the same place."""
    by_place: dict[tuple[int, int], list[str]] = defaultdict(list)
    for state in logged:
        by_place[state.partition, state.offset].append(state.hash)
    shared = [found for found in by_place.values() if len(found) > 1]
    return Agreement(
        logged=sum(map(len, by_place.values())),
        places=len(by_place),
        compared=sum(map(len, shared)),
        disagreements=sum(len(set(found)) > 1 for found in shared),
        kills=kills,
    )


def campaign(stage: Stage, group: str, workers: int, kills: int, every: int) -> list[State]:
    """Drain the tape with some workers, kill some of them on the way and start each again.

    Args:
        stage: where.
        group: a consumer group that nobody has used.
        workers: how many at once.
        kills: how many times one is killed, at seeded points of the tape.
        every: log the hash of a partition's state at each offset that is a multiple of it.

    Raises:
        Failed: the tape is not drained in the end.
    """
    stage.reset()
    draw = random.Random(kills * 10 + workers)  # noqa: S311 - repeatable, not secret
    total = sum(stage.tape.facts.split)
    # Not near the end: by the time that a kill is due there the workers may be done.
    points = sorted(draw.randrange(total // 20, total * 3 // 4) for _ in range(kills))
    said: list[Process] = []
    with ExitStack() as stack:
        running: list[Worker] = []

        def start(name: str) -> Worker:
            worker = stack.enter_context(
                Worker(
                    stage,
                    group,
                    name,
                    hash_every=every,
                    checkpoint_events=CHECKPOINT_EVENTS,
                    session_timeout_seconds=SESSION_S,
                )
            )
            said.append(worker)
            return worker

        running = [start(f"hashes-{n}") for n in range(workers)]
        for point in points:
            _await(stage, group, running, point)
            victim = draw.randrange(workers)
            running[victim].kill()
            running[victim] = start(running[victim].name)
        follow(stage, group, running[0], total)
        for worker in running:
            worker.stop()
    return [state for process in said for state in states(line for _, line in process.lines)]


def _await(stage: Stage, group: str, running: Sequence[Worker], point: int) -> None:
    running[0].wait_until(lambda: stage.committed(group) >= point, 300.0, f"at {point:,} events")
    if dead := [worker for worker in running if not worker.is_running]:
        message = f"{dead[0].name} ended: {dead[0].tail()}"
        raise Failed(message)
