"""What a worker does with its partitions: take over, accept deliveries, apply them, write checkpoints, keep its lease.

The engine moves bytes and keeps order; every decision about a figure is the core's. `attente.engine.app` connects it to
Faust.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Final

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError
from aiokafka.structs import OffsetAndMetadata
from faust.types.tuples import TP

import attente
from attente.core.plan import Plan
from attente.core.state import digest
from attente.core.view import PartitionHealth, WorkerHealth
from attente.engine.checkpoints import CheckpointWriter
from attente.engine.clients import new_producer, new_reader
from attente.engine.owned import Owned, Ownership, Work
from attente.engine.takeover import TakeOver
from attente.model.records import Origin, dead_letter
from attente.model.topics import DEADLETTERS, EVENTS
from attente.registry.entities import Registry
from attente.settings import Settings

if TYPE_CHECKING:
    from attente.engine.transport import Delivery

COMMIT_S: Final = 1.0  # everybody's lag tools look at the group's offsets; also how often the lease is renewed
KEEP_S: Final = 0.05
LOST_S: Final = 5.0  # a last batch that Faust has dropped is missed by nobody else
REFRESH_S: Final = 3600.0  # an idle partition writes too, or retention would leave it without a checkpoint
SETTLE_S: Final = 5.0  # a client that does not close in time is left behind


class Engine:
    """The partitions of one worker process.

    Attributes:
        partitions: how many the events have.
        commit: commits offsets as a member of the group; `app` sets it.
        seek_back: makes Faust read a partition again; `app` sets it.
        generation: the group's generation now; `app` sets it.
        highwater: the end of a partition's log as last heard; `app` sets it.
    """

    def __init__(self, settings: Settings, registry: Registry, partitions: int, say: Callable[[str], None]) -> None:
        self.settings = settings
        self.registry = registry
        self.plan = Plan(registry)
        self.partitions = partitions
        self.ownership = Ownership(settings.session_timeout_seconds)
        self.work = Work()
        self.say = say
        self.commit: Callable[[dict[TopicPartition, OffsetAndMetadata]], Awaitable[None]]
        self.seek_back: Callable[[int, int], Awaitable[None]]
        self.generation: Callable[[], int]
        self.highwater: Callable[[int], int | None]
        self._producer: AIOKafkaProducer | None = None
        self._writer: CheckpointWriter | None = None
        self._background: set[asyncio.Task[object]] = set()

    def place(self, number: int) -> TP:
        """A partition of the events, as Faust names it."""
        return TP(self.settings.topic(EVENTS), number)

    # ---- becoming and ceasing to be the owner

    async def start(self) -> None:
        """Connect what writes; may be called again."""
        if self._producer is None:
            producer = new_producer(self.settings)
            await producer.start()
            self._producer = producer
            self._writer = CheckpointWriter(self.settings, self.registry.hash, producer, self.work, self.say)

    async def take_over(self, numbers: set[int]) -> None:
        """Open the states of exactly the given partitions. Awaited before anything of them is delivered.

        Another rebalance can overtake this one; then its own take-over follows and this one gives way.
        """
        await self.start()
        generation = self.generation()
        ownership = self.ownership
        for number in [number for number in ownership.states if number not in numbers]:
            del ownership.states[number]
        reader = new_reader(self.settings)
        try:
            while numbers:
                try:
                    await reader.start()
                    takeover = TakeOver(self.settings, self.plan, self.partitions, reader, self.work, self.say)
                    states = await takeover.run(sorted(numbers), ownership.states)
                except (KafkaError, OSError) as error:
                    self.say(f"take-over tried again: {error!r}")
                    await asyncio.sleep(0.5)
                    states = {}
                if self.generation() != generation:
                    self.say("take-over overtaken by another rebalance")
                    return
                if states:
                    ownership.states.update(states)
                    break
        finally:
            self._behind(asyncio.wait_for(reader.stop(), SETTLE_S))
        for owned in ownership.states.values():
            owned.restart_delivery()
            if self.settings.hash_every:
                owned.partition.mark(self.settings.hash_every, digest)
        ownership.live = set(numbers)
        ownership.settled = True
        ownership.renew(time.monotonic())
        at = {owned.number: owned.next_offset for owned in ownership.owned()}
        self.say(f"owns {at} until { ({o.number: o.target for o in ownership.owned()}) }")

    async def give_up(self) -> None:
        """A rebalance begins: figures vanish now, and a last checkpoint spares the next owner the replay."""
        self.ownership.live = set()
        self.ownership.settled = False
        tasks = [
            asyncio.ensure_future(self._checkpoint(owned, "revoked"))
            for owned in self.ownership.states.values()
            if owned.next_offset > owned.saved
        ]
        if tasks:
            await asyncio.wait(tasks, timeout=self.settings.session_timeout_seconds / 3)

    async def stop(self) -> None:
        """The clean end: nothing is delivered any more, the membership still stands; leaves nothing to replay."""
        owned = self.ownership.owned()
        self.ownership.live = set()
        changed = [state for state in owned if state.next_offset > state.saved]
        await asyncio.gather(*(self._checkpoint(state, "final") for state in changed))
        try:
            await self._commit_offsets(owned)
        except (KafkaError, OSError) as error:
            self.say(f"last commit failed, which only lag tools notice: {error!r}")
        if self._producer is not None:
            try:
                await asyncio.wait_for(self._producer.stop(), SETTLE_S)
            except (TimeoutError, KafkaError) as error:
                self.say(f"producer did not close: {error!r}")
        self.say(f"stopped at { ({state.number: state.next_offset for state in owned}) }")

    # ---- deliveries

    async def accept(self, number: int, delivery: "Delivery") -> bool:
        """Whether a delivery goes to the agent; it is made to follow the one before, or read again."""
        owned = self.ownership.states.get(number)
        if owned is None or number not in self.ownership.live or delivery.last < owned.delivered:
            return False
        if delivery.first > owned.delivered:
            if owned.retried != owned.delivered:
                owned.retried = owned.delivered
                self.work.reseeks += 1
                self.say(f"reads partition={number} again from {owned.delivered}: got {delivery.first}")
                await self.seek_back(number, owned.delivered)
                return False
            self.work.gaps += 1
            self.say(f"gap partition={number} from={owned.delivered} to={delivery.first}: these events are gone")
        delivery.owned = owned
        delivery.epoch = owned.epoch
        delivery.after = owned.delivered
        owned.delivered = delivery.last + 1
        return True

    async def apply(self, delivery: "Delivery") -> None:
        """Apply a delivery to its state, unless it belongs to an older epoch or one before it was lost."""
        owned = delivery.owned
        if owned is None or self.ownership.states.get(owned.number) is not owned or delivery.epoch != owned.epoch:
            return
        if owned.number not in self.ownership.live:
            return
        if delivery.after > owned.next_offset:
            await self._deliver_again(owned, "a batch before was lost")
            return
        began = time.perf_counter()
        partition = owned.partition
        before = partition.read
        partition.ingest(delivery.records())
        partition.next_offset = max(partition.next_offset, delivery.last + 1)
        owned.applied_at = time.monotonic()
        self.work.batches += 1
        self.work.batch_records += partition.read - before
        self.work.batch_s += time.perf_counter() - began
        for offset, hashed in partition.marks:
            self.say(
                f"state partition={owned.number} offset={offset} origin={partition.origin}"
                f" registry={self.registry.hash} hash={hashed}"
            )
        partition.marks.clear()
        if partition.dead:
            await self._bury(owned)

    async def _bury(self, owned: Owned) -> None:
        """Send what was refused to the dead letters; the next checkpoint waits until they are there."""
        assert self._producer is not None  # noqa: S101 - started before anything is delivered
        for dead in owned.partition.take_dead():
            letter = dead_letter(
                Origin(self.settings.topic(EVENTS), owned.number, dead.offset, dead.timestamp),
                key=dead.key,
                value=dead.value,
                reason=dead.reason,
                detail=dead.detail,
                version=attente.__version__,
            )
            sent = await self._producer.send(
                self.settings.topic(DEADLETTERS),
                letter.value,
                key=letter.key,
                partition=owned.number,
                headers=list(letter.headers),
            )
            self.work.dead_letters += 1
            owned.letters.add(sent)
            sent.add_done_callback(owned.letters.discard)

    async def _deliver_again(self, owned: Owned, why: str) -> None:
        self.work.reseeks += 1
        self.say(f"reads partition={owned.number} again from {owned.next_offset}: {why}")
        owned.restart_delivery()
        await self.seek_back(owned.number, owned.next_offset)

    # ---- what runs beside

    async def keep(self) -> None:
        """Write checkpoints when they are due, and notice a lost last batch. From a timer: a tail has no next batch."""
        seen: dict[int, tuple[int, float]] = {}
        while True:
            await asyncio.sleep(KEEP_S)
            now = time.monotonic()
            for owned in self.ownership.owned():
                at, since = seen.get(owned.number, (-1, now))
                if at != owned.next_offset:
                    seen[owned.number] = (owned.next_offset, now)
                elif owned.delivered > owned.next_offset and now - since > LOST_S:
                    seen[owned.number] = (at, now)
                    await self._deliver_again(owned, "the last batch was lost")
                if not owned.lock.locked() and self._is_due(owned, now):
                    self._behind(self._checkpoint(owned, "due"))

    def _is_due(self, owned: Owned, now: float) -> bool:
        fresh = owned.next_offset - owned.saved
        age = now - owned.saved_at
        settings = self.settings
        return (
            fresh >= settings.checkpoint_events
            or (fresh > 0 and age >= settings.checkpoint_seconds)
            or age >= REFRESH_S
        )

    async def _checkpoint(self, owned: Owned, why: str) -> bool:
        return self._writer is not None and await self._writer.write(owned, why)

    async def commits(self) -> None:
        """Commit the applied offsets each second: lag for the tools, and the broker's word that we are a member."""
        while True:
            await asyncio.sleep(COMMIT_S)
            owned = self.ownership.owned()
            if not owned:
                continue
            began = time.monotonic()
            try:
                await asyncio.wait_for(self._commit_offsets(owned), self.ownership.session_s)
            except (KafkaError, OSError, TimeoutError) as error:
                self.work.commit_failures += 1
                self.say(f"commit failed: {error!r}")
            else:
                self.ownership.renew(began)

    async def _commit_offsets(self, owned: list[Owned]) -> None:
        if owned:
            await self.commit(
                {
                    TopicPartition(self.settings.topic(EVENTS), state.number): OffsetAndMetadata(state.next_offset, "")
                    for state in owned
                }
            )

    def _behind(self, work: Awaitable[object]) -> None:
        """Let something run in the background; its failures are its own."""
        task = asyncio.ensure_future(_quietly(work))
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    # ---- how it is

    def lag(self, owned: Owned) -> int:
        """Events of a partition that are known and not applied."""
        end = max(owned.target, self.highwater(owned.number) or 0)
        return max(0, end - owned.next_offset)

    def health(self) -> WorkerHealth:
        """How this worker is."""
        owned = self.ownership.owned()
        shown = {state.number for state in self.ownership.shown()}
        return WorkerHealth(
            worker=self.settings.worker,
            partitions_total=self.partitions,
            partitions=tuple(
                PartitionHealth(state.number, state.number in shown, self.lag(state), state.partition.stream)
                for state in owned
            ),
            ready=self.ownership.settled and len(shown) == len(owned),
            **asdict(self.work),
        )


async def _quietly(work: Awaitable[object]) -> object:
    try:
        return await work
    except (KafkaError, OSError, TimeoutError):
        return None
