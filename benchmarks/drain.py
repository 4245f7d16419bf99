"""One worker reads the whole tape as fast as it can."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from attente.metrics import catalogue as c
from benchmarks.process import Failed
from benchmarks.progress import Point, finish
from benchmarks.stage import Stage
from benchmarks.worker import SOURCES, Worker

_LOOK_S: Final = 0.1
_LONGEST_S: Final = 900.0


@dataclass(frozen=True, slots=True)
class Drained:
    """What one drain has shown; its totals were right.

    Attributes:
        events: how many were counted.
        seconds: from the first to the last event counted.
        cpu_us: CPU time per event in microseconds, of all threads of the process, until it is idle again.
        peak_bytes: the most memory of the process while it drained.
        applying_us: of the time per event, what the event loop spent in the core.
        stall_ms: the longest time that the event loop did not turn.
        checkpoints: how many were written before the worker was told to stop; it writes one per partition then.
        written_bytes: checkpoints and manifests on the broker's disk, those of the end included.
        cut_ms: the longest time that a checkpoint held up the event loop.
        page_s: how long the first full page of metrics took.
        page_peak_bytes: the most memory, that page included.
        stop_s: from SIGTERM to the exit.
    """

    events: int
    seconds: float
    cpu_us: float
    peak_bytes: int
    applying_us: float
    stall_ms: float
    checkpoints: int
    written_bytes: int
    cut_ms: float
    page_s: float
    page_peak_bytes: int
    stop_s: float


def drain(stage: Stage, group: str, sources: Path = SOURCES, checkpoint_events: int | None = None) -> Drained:
    """Drain the tape with one worker.

    Args:
        stage: where.
        group: a consumer group that nobody has used.
        sources: the folder that holds the package `attente`.
        checkpoint_events: checkpoint a partition after so many events; None is the product's default.

    Raises:
        WrongTotals: the worker has counted wrong.
        Failed: it did not get that far.
    """
    stage.reset()
    events = sum(stage.tape.facts.split)
    settings = {} if checkpoint_events is None else {"checkpoint_events": checkpoint_events}
    with Worker(stage, group, "drain", sources, **settings) as worker:
        began = worker.owned()
        cpu_before = worker.cpu_s
        ended = finish(follow(stage, group, worker, events), events)
        cpu = worker.settle() - cpu_before
        peak = worker.peak_bytes
        asked = time.monotonic()
        page = worker.page()
        page_s = time.monotonic() - asked
        page.check(stage.tape.facts)
        page_peak = worker.peak_bytes
        stop_s = worker.stop()
        return Drained(
            events=events,
            seconds=ended - began,
            cpu_us=cpu / events * 1e6,
            peak_bytes=peak,
            applying_us=page.total(c.BATCH_TIME) / page.total(c.BATCH_RECORDS) * 1e6,
            stall_ms=page.total(c.LOOP_STALL) * 1e3,
            checkpoints=int(page.total(c.CHECKPOINTS)),
            written_bytes=stage.written_bytes(),
            cut_ms=page.total(c.CHECKPOINT_CUT) * 1e3,
            page_s=page_s,
            page_peak_bytes=page_peak,
            stop_s=stop_s,
        )


def follow(stage: Stage, group: str, worker: Worker, events: int) -> list[Point]:
    """How far the group was and when, until it has counted everything.

    The broker is asked, which costs the worker nothing; every scrape would.
    """
    points = [Point(time.monotonic(), 0)]
    limit = time.monotonic() + _LONGEST_S
    while points[-1].events < events:
        time.sleep(_LOOK_S)
        now = time.monotonic()
        done = stage.committed(group)
        if done > points[-1].events:
            points.append(Point(now, done))
        if not worker.is_running or now > limit:
            message = f"{done:,} of {events:,} events counted: {worker.tail()}"
            raise Failed(message)
    return points
