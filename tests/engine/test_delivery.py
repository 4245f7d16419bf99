"""Deliveries: whatever Faust drops, repeats or reorders, each event of the log is applied once and in its place.

The log, the fetches and the agent are played here: what the engine asks of Faust are a few callables, set by the test.
"""

import asyncio
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from attente.core.partition import Partition
from attente.core.state import digest
from attente.engine import engine as engine_module
from attente.engine.engine import Engine
from attente.engine.owned import Owned
from attente.engine.transport import Delivery
from attente.registry.entities import Registry
from attente.settings import Settings
from driver import Driver
from lives import Profile, random_log
from oracle import Record

CLEAN = Profile(broken=0)


def clean_records(registry: Registry, records: list[Record]) -> list[Record]:
    """A log of which nothing is refused: no dead letters, so no broker is needed."""
    while True:
        part = Driver(registry).feed(records).parts[0]
        refused = {dead.offset for dead in part.take_dead()}
        if not refused:
            return records
        kept = [record for record in records if record.offset not in refused]
        records = [record._replace(offset=i) for i, record in enumerate(kept)]


LOG = random_log(6, 600, profile=CLEAN, days=1)
RECORDS = clean_records(LOG.registry, LOG.records)


class Stage:
    """An engine that owns partition 0 of one, and what is behind it: a log, where it is read, and the agent's queue.

    Attributes:
        log: the records that the broker has.
        position: where the next fetch begins.
        queue: what was handed to the agent and not taken yet.
        sought: every offset to which the engine has sought back.
        said: the engine's lines.
    """

    def __init__(self, log: list[Record], held: int = 0) -> None:
        self.log = log
        self.position = held
        self.queue: deque[Delivery] = deque()
        self.sought: list[int] = []
        self.said: list[str] = []
        self.engine = Engine(Settings(worker="w0"), LOG.registry, 1, self.said.append)
        self.engine.seek_back = self._seek_back
        self.engine.generation = lambda: 1
        self.engine.highwater = lambda _: len(log)
        partition = Partition(self.engine.plan, 0, 1)
        partition.ingest(log[:held])
        self.owned = Owned(partition)
        self.engine.ownership.states = {0: self.owned}
        self.engine.ownership.live = {0}

    async def _seek_back(self, number: int, offset: int) -> None:
        assert number == 0
        self.sought.append(offset)
        self.position = offset

    def delivery(self, first: int, last: int) -> Delivery:
        """What a fetch of `[first, last]` gives."""
        return Delivery(first, last, [[record for record in self.log if first <= record.offset <= last]])

    async def hand(self, first: int, last: int) -> bool:
        """Offer a delivery, and queue it if it is accepted."""
        delivery = self.delivery(first, last)
        is_accepted = await self.engine.accept(0, delivery)
        if is_accepted:
            self.queue.append(delivery)
        return is_accepted

    async def work_off(self) -> None:
        """The agent takes everything that is queued."""
        while self.queue:
            await self.engine.apply(self.queue.popleft())

    @property
    def applied(self) -> int:
        """Where the state stands."""
        return self.owned.next_offset


def played(play: Callable[[], Coroutine[Any, Any, None]]) -> None:
    async def within() -> None:
        async with asyncio.timeout(60):
            await play()

    asyncio.run(within())


def wanted(until: int | None = None) -> str:
    """The digest of the state after so many records."""
    return Driver(LOG.registry).feed(RECORDS[:until]).digests()[0]


# --- what is accepted


def test_deliveries_that_follow_each_other_are_applied() -> None:
    async def play() -> None:
        stage = Stage(RECORDS)
        assert await stage.hand(0, 9)
        assert await stage.hand(10, 19)
        await stage.work_off()
        assert stage.applied == 20
        assert digest(stage.owned.partition) == wanted(20)
        assert stage.engine.work.batches == 2
        assert stage.engine.work.batch_records == 20

    played(play)


def test_a_delivery_that_lies_before_is_dropped() -> None:
    async def play() -> None:
        stage = Stage(RECORDS, held=20)
        assert not await stage.hand(0, 9)
        assert not await stage.hand(10, 19)
        assert stage.sought == []
        assert stage.engine.work.reseeks == 0

    played(play)


def test_of_a_delivery_that_begins_before_only_what_is_new_is_applied() -> None:
    async def play() -> None:
        stage = Stage(RECORDS, held=20)
        assert await stage.hand(15, 29)
        await stage.work_off()
        assert stage.applied == 30
        assert digest(stage.owned.partition) == wanted(30)
        assert stage.owned.partition.read == 30

    played(play)


def test_a_delivery_that_lies_beyond_is_read_again_from_where_the_one_before_ended() -> None:
    async def play() -> None:
        stage = Stage(RECORDS, held=20)
        assert not await stage.hand(30, 39)
        assert stage.sought == [20]
        assert "reads partition=0 again from 20: got 30" in stage.said
        assert await stage.hand(20, 29)
        assert await stage.hand(30, 39)
        await stage.work_off()
        assert digest(stage.owned.partition) == wanted(40)
        assert (stage.engine.work.reseeks, stage.engine.work.gaps) == (1, 0)

    played(play)


def test_a_gap_that_is_still_there_when_it_is_read_again_is_counted_and_passed_over() -> None:
    async def play() -> None:
        stage = Stage(RECORDS, held=20)
        assert not await stage.hand(30, 39)
        assert await stage.hand(30, 39)
        await stage.work_off()
        assert stage.applied == 40
        assert stage.sought == [20]
        assert (stage.engine.work.reseeks, stage.engine.work.gaps) == (1, 1)
        assert "gap partition=0 from=20 to=30: these events are gone" in stage.said
        # The state is that of the log as it is now.
        left = [record for record in RECORDS[:40] if not 20 <= record.offset < 30]
        assert digest(stage.owned.partition) == Driver(LOG.registry).feed(left).digests()[0]

    played(play)


def test_every_gap_is_read_again_by_itself() -> None:
    async def play() -> None:
        stage = Stage(RECORDS, held=20)
        for first in (30, 50):
            assert not await stage.hand(first, first + 9)
            assert await stage.hand(first, first + 9)
        await stage.work_off()
        assert stage.sought == [20, 40]
        assert (stage.engine.work.reseeks, stage.engine.work.gaps) == (2, 2)

    played(play)


def test_a_gap_at_the_end_of_a_delivery_is_no_loss() -> None:
    async def play() -> None:
        # The last records of a transaction that was aborted, and its marker: fetched, and no event.
        holes = [record for record in RECORDS if not 15 <= record.offset < 20]
        stage = Stage(holes)
        assert await stage.hand(0, 19)
        assert await stage.hand(20, 29)
        await stage.work_off()
        assert stage.applied == 30
        assert stage.engine.work.reseeks == stage.engine.work.gaps == 0

    played(play)


def test_nothing_is_accepted_of_a_partition_that_the_worker_does_not_own() -> None:
    async def play() -> None:
        stage = Stage(RECORDS)
        assert not await stage.engine.accept(1, stage.delivery(0, 9))
        stage.engine.ownership.live = set()  # revoked: the state is still in memory
        assert not await stage.hand(0, 9)
        assert stage.owned.delivered == 0

    played(play)


# --- what is applied


def test_what_was_handed_over_before_a_rebalance_is_dropped_after_it() -> None:
    async def play() -> None:
        stage = Stage(RECORDS)
        assert await stage.hand(0, 9)
        stage.owned.restart_delivery()
        assert await stage.hand(0, 4)
        await stage.work_off()
        assert stage.applied == 5
        assert stage.owned.partition.read == 5

    played(play)


def test_a_delivery_for_a_state_that_was_replaced_is_dropped() -> None:
    async def play() -> None:
        stage = Stage(RECORDS)
        assert await stage.hand(0, 9)
        other = Owned(Partition(stage.engine.plan, 0, 1))
        stage.engine.ownership.states = {0: other}
        await stage.work_off()
        assert stage.applied == other.next_offset == 0

    played(play)


def test_a_delivery_of_a_partition_that_was_revoked_meanwhile_is_dropped() -> None:
    async def play() -> None:
        stage = Stage(RECORDS)
        assert await stage.hand(0, 9)
        stage.engine.ownership.live = set()
        await stage.work_off()
        assert stage.applied == 0

    played(play)


def test_a_delivery_that_was_lost_on_its_way_to_the_agent_is_read_again_when_the_next_one_comes() -> None:
    async def play() -> None:
        stage = Stage(RECORDS)
        assert await stage.hand(0, 9)
        assert await stage.hand(10, 19)
        assert await stage.hand(20, 29)
        del stage.queue[1]
        await stage.work_off()
        assert stage.applied == 10
        assert stage.sought == [10]
        assert "reads partition=0 again from 10: a batch before was lost" in stage.said
        assert await stage.hand(10, 29)
        await stage.work_off()
        assert digest(stage.owned.partition) == wanted(30)

    played(play)


def test_a_lost_delivery_behind_a_gap_is_noticed_too() -> None:
    async def play() -> None:
        stage = Stage(RECORDS)
        assert await stage.hand(0, 9)
        assert not await stage.hand(15, 19)
        assert await stage.hand(15, 19)
        del stage.queue[0]
        await stage.work_off()
        assert stage.sought == [10, 0]
        assert stage.applied == 0

    played(play)


# --- what is lost last


class Clock:
    """The engine's monotonic clock, which stands until it is told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1_000.0
        times = SimpleNamespace(monotonic=lambda: self.now, perf_counter=time.perf_counter)
        monkeypatch.setattr(engine_module, "time", times)
        monkeypatch.setattr(engine_module, "KEEP_S", 0.0)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


async def keeping(stage: Stage, play: Callable[[], Awaitable[None]]) -> None:
    kept = asyncio.ensure_future(stage.engine.keep())
    try:
        await play()
    finally:
        kept.cancel()


async def looked() -> None:
    """Until `keep` has looked a few times."""
    for _ in range(20):
        await asyncio.sleep(0)


def test_a_lost_last_delivery_is_noticed_once_nothing_comes_any_more(clock: Clock) -> None:
    async def play() -> None:
        stage = Stage(RECORDS[:20])

        async def lose_the_last() -> None:
            assert await stage.hand(0, 9)
            await stage.work_off()
            clock.now += 1
            assert await stage.hand(10, 19)
            stage.queue.clear()
            clock.now += engine_module.LOST_S
            await looked()
            assert stage.sought == []
            clock.now += 0.1
            await looked()
            assert stage.sought == [10]
            assert "reads partition=0 again from 10: the last batch was lost" in stage.said
            assert await stage.hand(10, 19)
            await stage.work_off()
            assert digest(stage.owned.partition) == wanted(20)
            clock.now += 100
            await looked()
            assert stage.sought == [10]

        await keeping(stage, lose_the_last)

    played(play)


# --- a long delivery is applied in slices


@pytest.fixture
def slices(monkeypatch: pytest.MonkeyPatch) -> int:
    """Ten records at once, so that the log of these tests comes to sixty slices."""
    monkeypatch.setattr(engine_module, "AT_ONCE", 10)
    return 10


def test_others_run_while_a_long_delivery_is_applied(slices: int) -> None:
    async def play() -> None:
        stage = Stage(RECORDS)
        seen: list[int] = []

        async def look() -> None:
            while stage.applied < len(RECORDS):
                seen.append(stage.applied)
                await asyncio.sleep(0)

        assert await stage.hand(0, RECORDS[-1].offset)
        looking = asyncio.ensure_future(look())
        await stage.work_off()
        await looking
        assert set(range(slices, len(RECORDS), slices)) <= set(seen)
        assert stage.engine.work.batches == 1
        assert stage.engine.work.batch_records == len(RECORDS)
        assert digest(stage.owned.partition) == wanted()

    played(play)


def test_a_delivery_that_is_being_applied_is_not_taken_for_lost(clock: Clock, slices: int) -> None:
    async def play() -> None:
        stage = Stage(RECORDS)
        assert await stage.hand(0, 9)
        assert await stage.hand(10, RECORDS[-1].offset)
        await stage.engine.apply(stage.queue.popleft())

        async def apply_and_look() -> None:
            applying = asyncio.ensure_future(stage.work_off())
            looks = 0
            while not applying.done():
                await looked()
                looks += 1
            assert looks > 1
            assert stage.sought == []

        await keeping(stage, apply_and_look)
        assert digest(stage.owned.partition) == wanted()

    played(play)


def test_a_rebalance_in_the_middle_of_a_delivery_ends_it_and_no_event_is_applied_twice(slices: int) -> None:
    async def play() -> None:
        stage = Stage(RECORDS)

        async def rebalance() -> None:
            while stage.applied < 3 * slices:
                await asyncio.sleep(0)
            stage.engine.ownership.live = set()
            stage.owned.restart_delivery()
            stage.engine.ownership.live = {0}

        assert await stage.hand(0, RECORDS[-1].offset)
        rebalancing = asyncio.ensure_future(rebalance())
        await stage.work_off()
        await rebalancing
        stood = stage.applied
        assert stood < len(RECORDS)
        assert digest(stage.owned.partition) == wanted(stood)
        assert await stage.hand(0, RECORDS[-1].offset)
        await stage.work_off()
        assert digest(stage.owned.partition) == wanted()

    played(play)


def test_a_lost_last_delivery_is_noticed_as_soon_as_a_later_one_of_another_partition_is_taken(clock: Clock) -> None:
    async def play() -> None:
        stage = Stage(RECORDS)
        other = Owned(Partition(stage.engine.plan, 1, 1))
        stage.engine.ownership.states[1] = other
        stage.engine.ownership.live = {0, 1}

        async def lose_the_last() -> None:
            assert await stage.hand(0, 9)
            stage.queue.clear()
            later = Delivery(0, 0, [[]])
            assert await stage.engine.accept(1, later)
            await looked()
            assert stage.sought == []
            await stage.engine.apply(later)
            await looked()
            assert stage.sought == [0]

        await keeping(stage, lose_the_last)

    played(play)


def test_a_delivery_that_waits_behind_slow_ones_is_not_taken_for_lost(clock: Clock) -> None:
    async def play() -> None:
        stage = Stage(RECORDS[:10])
        busy = Owned(Partition(stage.engine.plan, 1, 1))
        stage.engine.ownership.states[1] = busy
        stage.engine.ownership.live = {0, 1}
        ahead = [Delivery(n, n, [[]]) for n in range(10)]

        async def wait_in_line() -> None:
            for delivery in ahead:
                assert await stage.engine.accept(1, delivery)
            assert await stage.hand(0, 9)
            for delivery in ahead:
                clock.now += 0.9 * engine_module.LOST_S
                await looked()
                await stage.engine.apply(delivery)
            await looked()
            await stage.work_off()
            assert stage.sought == []
            assert stage.applied == 10

        await keeping(stage, wait_in_line)

    played(play)


def test_the_first_delivery_after_a_long_silence_is_not_taken_for_lost(clock: Clock) -> None:
    async def play() -> None:
        stage = Stage(RECORDS[:20])

        async def be_silent() -> None:
            assert await stage.hand(0, 9)
            await stage.work_off()
            clock.now += 3_600
            assert await stage.hand(10, 19)
            await looked()
            assert stage.sought == []
            await stage.work_off()
            assert stage.applied == 20

        await keeping(stage, be_silent)

    played(play)


# --- when a checkpoint is due


def test_a_checkpoint_that_was_refused_is_not_due_again_at_once(clock: Clock) -> None:
    stage = Stage(RECORDS)
    stage.engine.settings = replace(stage.engine.settings, checkpoint_events=10)
    owned = stage.owned
    owned.partition.next_offset = 20
    assert stage.engine._is_due(owned, clock.now)
    owned.retry_at = clock.now + 5
    due = [stage.engine._is_due(owned, clock.now + elapsed) for elapsed in (0, 4.9, 5)]
    assert due == [False, False, True]


def test_a_worker_that_owns_nothing_stops_without_a_word_of_what_it_could_not_leave() -> None:
    async def play() -> None:
        stage = Stage(RECORDS)
        stage.engine.ownership.live = set()
        assert await stage.engine.stop()
        assert stage.said == ["stopped at {}"]

    played(play)


def test_a_checkpoint_is_due_after_so_many_events_or_seconds_and_once_an_hour_where_nothing_comes(
    clock: Clock,
) -> None:
    stage = Stage(RECORDS)
    stage.engine.settings = replace(stage.engine.settings, checkpoint_events=10, checkpoint_seconds=300)
    owned = stage.owned
    owned.saved_at = clock.now

    def due_after(events: int, seconds: float) -> bool:
        owned.saved = owned.next_offset - events
        return stage.engine._is_due(owned, clock.now + seconds)

    assert not due_after(events=9, seconds=299)
    assert due_after(events=10, seconds=0)
    assert due_after(events=1, seconds=300)
    assert not due_after(events=0, seconds=3_599)
    assert due_after(events=0, seconds=3_600)


# --- everything at once


class Faust:
    """What is between the broker and the agent: it loses a share of what it has fetched, before or after `accept`.

    Before it only once after a rebalance: a fetch that was under way then may still take something away with it.
    """

    def __init__(self, stage: Stage, dice: random.Random, *, lost_percent: int) -> None:
        self.stage = stage
        self.dice = dice
        self.lost_percent = lost_percent
        self.lost = 0
        self.lost_before_accept = False

    def loses(self) -> bool:
        is_lost = self.dice.randrange(100) < self.lost_percent
        self.lost += is_lost
        return is_lost

    async def fetch(self) -> None:
        stage, dice = self.stage, self.dice
        first = stage.position
        last = min(first + dice.randrange(1, 12), len(stage.log)) - 1
        if last < first:
            return
        stage.position = last + 1
        if not self.lost_before_accept and self.loses():
            self.lost_before_accept = True
            return
        delivery = stage.delivery(first, last)
        if await stage.engine.accept(0, delivery) and not self.loses():
            stage.queue.append(delivery)

    async def run(self) -> None:
        """Until everything is applied."""
        stage, dice = self.stage, self.dice
        while stage.applied < len(stage.log):
            await asyncio.sleep(0)
            for _ in range(dice.randrange(4)):
                await self.fetch()
            for _ in range(min(dice.randrange(4), len(stage.queue))):
                await stage.engine.apply(stage.queue.popleft())
            if dice.randrange(30) == 0:  # a rebalance: Faust clears its queue, the engine begins a new epoch
                if dice.randrange(2):
                    stage.queue.clear()
                stage.owned.restart_delivery()
                self.lost_before_accept = False
                stage.position = stage.applied


@pytest.mark.parametrize("seed", range(20))
def test_with_a_tenth_of_all_batches_lost_every_event_is_applied_once(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "KEEP_S", 0.001)
    monkeypatch.setattr(engine_module, "LOST_S", 0.01)

    async def play() -> None:
        stage = Stage(RECORDS)
        faust = Faust(stage, random.Random(seed), lost_percent=10)  # noqa: S311 - repeatable, not secret
        await keeping(stage, faust.run)
        assert faust.lost > 5
        assert stage.engine.work.reseeks > 3
        assert stage.engine.work.gaps == 0
        assert stage.owned.partition.read == len(RECORDS)
        assert digest(stage.owned.partition) == wanted()

    played(play)
