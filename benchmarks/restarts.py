"""How soon a worker counts, is back after a kill, is gone when told to, and is replaced by another."""

import re
import time
from dataclasses import dataclass
from typing import Final

from benchmarks.drain import follow
from benchmarks.progress import finish
from benchmarks.stage import Stage
from benchmarks.worker import Worker

CHECKPOINT_EVENTS: Final = 50_000
_PATIENCE_S: Final = 180.0
_FIRST_COMMIT_S: Final = 3.0
_LOOK_S: Final = 0.05
_LOADED: Final = re.compile(r" loaded partition=\d+ offset=(\d+) .* visits=(\d+) ")


@dataclass(frozen=True, slots=True)
class Restarts:
    """Seconds, each from the moment the thing was done.

    Attributes:
        first_count_s: from the start of a worker on a broker that is up to the first event counted; no state yet.
        busy_stop_s: from SIGTERM to the exit while it drains.
        open_s: from the start after a `kill -9` to the states open, taken from checkpoints.
        caught_up_s: from that start until what was not in the checkpoints is counted again.
        ready_s: from that start to `/readyz`, the first view rendered.
        replayed: how many events had to be counted again.
        visits: how many the checkpoints held.
        stop_s: from SIGTERM to the exit of a worker that is idle, checkpoints of all that was new written.
        stop_take_over_s: from the SIGTERM of one of two workers until the other has its partitions open.
        kill_take_over_s: the same from a `kill -9`, after which the session has to time out first.
        session_s: after how long it does.
    """

    first_count_s: float
    busy_stop_s: float
    open_s: float
    caught_up_s: float
    ready_s: float
    replayed: int
    visits: int
    stop_s: float
    stop_take_over_s: float
    kill_take_over_s: float
    session_s: int


def restarts(stage: Stage, group: str, session_s: int) -> Restarts:
    """Measure all of it, once.

    Args:
        stage: where.
        group: what the names of the consumer groups begin with; nobody has used them.
        session_s: the session time-out of the workers.

    Raises:
        Failed: something that should have happened has not.
    """
    first_count_s, busy_stop_s = _start(stage, f"{group}-start")
    visits, replayed, open_s, caught_up_s, ready_s, stop_s = _kill(stage, f"{group}-kill")
    stop_take_over_s, kill_take_over_s = _take_over(stage, f"{group}-pair", session_s)
    return Restarts(
        first_count_s=first_count_s,
        busy_stop_s=busy_stop_s,
        open_s=open_s,
        caught_up_s=caught_up_s,
        ready_s=ready_s,
        replayed=replayed,
        visits=visits,
        stop_s=stop_s,
        stop_take_over_s=stop_take_over_s,
        kill_take_over_s=kill_take_over_s,
        session_s=session_s,
    )


def _start(stage: Stage, group: str) -> tuple[float, float]:
    stage.reset()
    split = stage.tape.facts.split
    with Worker(stage, group, "one") as worker:

        def has_counted() -> bool:
            is_ready, lag = worker.ready()
            return is_ready or any(events < split[partition] for partition, events in lag.items())

        first = worker.wait_until(has_counted, _PATIENCE_S, "the first event")
        third = sum(split) // 3
        worker.wait_until(lambda: stage.committed(group) > third, _PATIENCE_S, "a third of the tape")
        return first - worker.started, worker.stop()


def _kill(stage: Stage, group: str) -> tuple[int, int, float, float, float, float]:
    """Leaves the checkpoints of a clean stop."""
    stage.reset()
    total = sum(stage.tape.facts.split)
    with Worker(stage, group, "one", checkpoint_events=CHECKPOINT_EVENTS) as worker:
        worker.owned()
        follow(stage, group, worker, total)
        worker.settle()
        worker.kill()
    with Worker(stage, group, "one", checkpoint_events=CHECKPOINT_EVENTS) as worker:
        opened = worker.owned()
        counted = _counted_again(stage, group, worker, total, opened)
        ready = worker.wait_until(lambda: worker.ready()[0], _PATIENCE_S, "ready")
        loaded = [found for _, line in worker.lines if (found := _LOADED.search(line))]
        offsets, visits = sum(int(found[1]) for found in loaded), sum(int(found[2]) for found in loaded)
        began = worker.started
        return visits, total - offsets, opened - began, counted - began, ready - began, worker.stop()


def _counted_again(stage: Stage, group: str, worker: Worker, total: int, opened: float) -> float:
    """When the worker was where the one before had been; with its first commit the group's offsets fall back."""
    limit = time.monotonic() + _FIRST_COMMIT_S
    while stage.committed(group) >= total:
        if time.monotonic() > limit:
            return opened  # there was less to count than takes a second
        time.sleep(_LOOK_S)
    return finish(follow(stage, group, worker, total), total)


def _take_over(stage: Stage, group: str, session_s: int) -> tuple[float, float]:
    """Begins with the checkpoints that the last worker has left."""
    partitions = stage.tape.shape.partitions

    def worker(name: str) -> Worker:
        return Worker(stage, group, name, session_timeout_seconds=session_s)

    def joined(stays: Worker, goes: Worker) -> int:
        """Wait until two share the partitions; gives how much the first has said by then."""
        since = len(stays.lines)
        goes.owned(most=partitions - 1)
        stays.owned(most=partitions - 1, since=since)
        return len(stays.lines)

    with worker("stays") as stays:
        stays.owned()
        with worker("goes") as goes:
            since = joined(stays, goes)
            asked = time.monotonic()
            goes.stop()
            stopped = stays.owned(least=partitions, since=since) - asked
        with worker("goes") as goes:
            since = joined(stays, goes)
            asked = time.monotonic()
            goes.kill()
            killed = stays.owned(least=partitions, since=since) - asked
        stays.stop()
    return stopped, killed
