"""The watchdog: a worker that cannot make progress ends, one that has nothing to do or no broker does not."""

import asyncio
import os
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from attente.engine.engine import Engine
from attente.engine.owned import Work
from attente.engine.watchdog import Watchdog

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 60.0


@dataclass
class Stand:
    """Where a partition stands."""

    number: int
    next_offset: int
    lag: int


@dataclass
class Seen:
    """What the watchdog sees of an engine, and a watchdog of it; the loop has turned at 0."""

    stands: list[Stand] = field(default_factory=list)
    is_leased: bool = True
    resting: bool = False
    opening_at: float | None = None
    work: Work = field(default_factory=Work)
    seen: dict[int, tuple[int, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.watchdog = Watchdog(cast("Engine", self), PATIENCE_S)
        self.watchdog._turned = 0.0

    @property
    def ownership(self) -> "Seen":
        return self

    def owned(self) -> list[Stand]:
        return self.stands

    def lag(self, stand: Stand) -> int:
        return stand.lag

    def verdict(self, now: float, *, turned: float | None = None) -> str:
        self.watchdog._turned = now if turned is None else turned
        return self.watchdog.verdict(self.seen, now)


def test_no_progress_with_events_to_read_ends_the_worker() -> None:
    engine = Seen([Stand(3, 100, lag=7)])
    assert engine.verdict(1000.0) == ""
    assert engine.verdict(1059.0) == ""
    assert engine.verdict(1061.0) == "partition 3 stands at 100 for 60 s with 7 events to read"


def test_progress_however_slow_does_not() -> None:
    engine = Seen([Stand(3, 100, lag=7)])
    for i in range(10):
        engine.stands[0].next_offset += 1
        assert engine.verdict(1000.0 + 59 * i) == ""


def test_states_that_are_derived_again_under_another_registry_may_stand_as_long_as_that_takes() -> None:
    engine = Seen([Stand(3, 100, lag=7)], resting=True)
    for i in range(10):
        assert engine.verdict(1000.0 + 59 * i) == ""
    engine.resting = False
    assert engine.verdict(1000.0 + 59 * 9 + 59) == ""
    assert engine.verdict(1000.0 + 59 * 9 + 61) != ""


def test_a_partition_without_events_to_read_may_stand_for_ever() -> None:
    engine = Seen([Stand(3, 100, lag=0)])
    for i in range(10):
        assert engine.verdict(1000.0 + 59 * i) == ""
    # From when there is something to read the time counts, not from when it began to stand.
    engine.stands[0].lag = 1
    assert engine.verdict(1000.0 + 59 * 9 + 30) == ""
    assert engine.verdict(1000.0 + 59 * 9 + 61) != ""


def test_a_broker_that_is_away_is_no_reason_to_end() -> None:
    engine = Seen([Stand(3, 100, lag=7)], is_leased=False)
    for i in range(10):
        assert engine.verdict(1000.0 + 59 * i) == ""
    engine.is_leased = True
    assert engine.verdict(1000.0 + 59 * 9 + 59) == ""
    assert engine.verdict(1000.0 + 59 * 9 + 61) != ""


def test_one_partition_that_stands_is_enough() -> None:
    engine = Seen([Stand(0, 100, lag=7), Stand(1, 100, lag=7)])
    assert engine.verdict(1000.0) == ""
    engine.stands[0].next_offset = 200
    assert engine.verdict(1061.0) == "partition 1 stands at 100 for 60 s with 7 events to read"


def test_a_partition_that_was_given_away_is_forgotten() -> None:
    engine = Seen([Stand(0, 100, lag=7)])
    assert engine.verdict(1000.0) == ""
    engine.stands = []
    assert engine.verdict(2000.0) == ""


def test_a_loop_that_does_not_turn_ends_the_worker_broker_or_not() -> None:
    for is_leased in (True, False):
        engine = Seen(is_leased=is_leased)
        assert engine.verdict(1059.0, turned=1000.0) == ""
        assert engine.verdict(1061.0, turned=1000.0) == "the event loop has not turned for 60 s"


def test_a_take_over_may_last_as_long_as_it_gives_signs() -> None:
    for is_leased in (True, False):
        engine = Seen(is_leased=is_leased, opening_at=1000.0)
        for i in range(10):
            assert engine.verdict(1000.0 + 59 * i + 59) == ""
            engine.opening_at = 1000.0 + 59 * (i + 1)
        assert engine.verdict(1000.0 + 590 + 61) == "a take-over of partitions has given no sign for 60 s"
        engine.opening_at = None
        assert engine.verdict(1000.0 + 590 + 61) == ""


def test_health_is_lost_at_half_the_patience() -> None:
    engine = Seen()
    watchdog = Watchdog(cast("Engine", engine), patience_s=0.2)
    assert watchdog.healthy == (True, "the event loop turns")
    watchdog._turned -= 0.15
    is_healthy, why = watchdog.healthy
    assert not is_healthy
    assert why.startswith("the event loop has not turned for ")


def test_the_longest_stall_of_the_loop_is_measured() -> None:
    engine = Seen()

    async def stall() -> None:
        turning = asyncio.ensure_future(engine.watchdog.turn())
        async with asyncio.timeout(30):
            while engine.watchdog._turned == 0.0:
                await asyncio.sleep(0)
            threading.Event().wait(0.3)  # nobody sets it: the loop stands
            while engine.work.loop_stall_s == 0.0:
                await asyncio.sleep(0.01)
        turning.cancel()

    asyncio.run(stall())
    assert engine.work.loop_stall_s >= 0.2


STUCK = """
import asyncio, sys, threading
from attente.engine.engine import Engine
from attente.engine.watchdog import Watchdog
from attente.registry.demo import technion_registry
from attente.settings import Settings

async def work():
    engine = Engine(Settings(worker="w0"), technion_registry(1), 1, print)
    watchdog = Watchdog(engine, patience_s=1.0)
    asyncio.ensure_future(watchdog.turn())
    watchdog.start()
    {trouble}

def never_ends():
    threading.Event().wait()

asyncio.run(work())
"""


def ended(trouble: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", STUCK.format(trouble=trouble)],
        env={**os.environ, "PYTHONPATH": str(ROOT / "streams")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_stuck_worker_leaves_all_its_stacks_and_a_code_that_is_not_zero() -> None:
    run = ended("never_ends()")
    assert run.returncode == 70
    assert "in never_ends" in run.stderr
    assert "in _watch" in run.stderr  # the watchdog's own thread
    assert run.stderr.splitlines()[-1] == "attente: worker stops: the event loop has not turned for 1 s"


HANGS = """
    from attente.engine import engine as module

    class Reader:
        async def start(self):
            await asyncio.Event().wait()

        async def stop(self):
            pass

    async def start():
        pass

    module.new_reader = lambda _: Reader()
    engine.start = start
    engine.generation = lambda: 1
    await engine.take_over({0})
"""


def test_a_first_take_over_that_never_ends_ends_the_worker() -> None:
    run = ended(HANGS.strip())
    assert run.returncode == 70
    assert run.stderr.splitlines()[-1] == "attente: worker stops: a take-over of partitions has given no sign for 1 s"


def test_a_watchdog_that_fails_itself_ends_the_worker_too() -> None:
    run = ended("engine.ownership = None; await asyncio.Event().wait()")
    assert run.returncode == 70
    last = run.stderr.splitlines()[-1]
    assert last.startswith("attente: worker stops: internal failure: AttributeError: ")


def test_a_watchdog_that_was_stopped_ends_nobody() -> None:
    run = ended("watchdog.stop(); threading.Event().wait(2.0); print('done')")
    assert (run.returncode, run.stdout, run.stderr) == (0, "done\n", "")
