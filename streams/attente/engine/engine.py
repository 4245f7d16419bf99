"""What a worker does with its partitions: take over, accept deliveries, apply them, write checkpoints, keep its lease.

The engine moves bytes and keeps order; every decision about a figure is the core's. `attente.engine.app` connects it to
Faust.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict
from itertools import islice
from typing import TYPE_CHECKING, Final

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError
from aiokafka.structs import OffsetAndMetadata
from faust.types.tuples import TP

from attente.core.partition import Partition
from attente.core.plan import Plan
from attente.core.state import digest
from attente.core.view import PartitionHealth, WorkerHealth
from attente.engine.brake import Brake
from attente.engine.checkpoints import CheckpointWriter
from attente.engine.clients import new_producer, new_reader
from attente.engine.exits import end
from attente.engine.letters import Letters
from attente.engine.logs import Seldom, named
from attente.engine.owned import Owned, Ownership, Work
from attente.engine.rights import Door, refusal
from attente.engine.takeover import TakeOver
from attente.model.signatures import NO_KEYS, Keyring
from attente.model.topics import EVENTS
from attente.registry.entities import Registry
from attente.settings import Settings

if TYPE_CHECKING:
    from attente.engine.transport import Delivery

COMMIT_S: Final = 1.0  # everybody's lag tools look at the group's offsets; also how often the lease is renewed
KEEP_S: Final = 0.05
RETRY_S: Final = 0.5  # between two tries at a broker that is away
LOST_S: Final = 5.0  # a last batch that Faust has dropped is missed by nobody else
REFRESH_S: Final = 3600.0  # an idle partition writes too, or retention would leave it without a checkpoint
# For the last checkpoints, some seconds for a million visits; then the broker is taken to be away.
FINAL_S: Final = 10.0
AT_ONCE: Final = 500  # records, about 10 ms: heartbeats, fetches and views wait meanwhile; a fetch can hold 4,000
SETTLE_S: Final = 5.0  # a client that does not close in time is left behind


class Engine:
    """The partitions of one worker process.

    Attributes:
        partitions: how many the events have.
        commit: commits offsets as a member of the group; `app` sets it.
        seek_back: makes Faust read a partition again; `app` sets it.
        generation: the group's generation now; `app` sets it.
        highwater: the end of a partition's log as last heard; `app` sets it.
        letters: keeps what is refused.
        resting: deliveries wait, because states are derived again under another registry.
    """

    def __init__(
        self,
        settings: Settings,
        registry: Registry,
        partitions: int,
        say: Callable[[str], None],
        keyring: Keyring = NO_KEYS,
    ) -> None:
        self.settings = settings
        self.registry = registry
        self.plan = Plan(registry, keyring)
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
        self._still = asyncio.Lock()  # held while a delivery is applied
        self.resting = False
        self._background: set[asyncio.Task[object]] = set()
        self._handed = 0  # deliveries handed to the agent…
        self._done = 0  # …and the number of the last one that it has done with: they come in order
        self._active_at = 0.0  # when it had last done with one
        self._unreachable = Seldom()
        self.letters = Letters(settings, self.ownership, self.work, self._complain)

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
            self._writer = CheckpointWriter(self.settings, producer, self.work, self.say)
        await self.letters.start()

    async def take_over(self, numbers: set[int]) -> None:
        """Open the states of exactly the given partitions. Awaited before anything of them is delivered.

        Another rebalance can overtake this one; then its own take-over follows and this one gives way.
        """
        began = time.monotonic()
        generation = self.generation()
        ownership = self.ownership
        for number in [number for number in ownership.states if number not in numbers]:
            del ownership.states[number]
        try:
            while True:
                plan = self.plan
                states = await self._open(sorted(numbers), generation)
                if self.plan is plan:
                    break  # else a changed registry has come into force meanwhile, and this is of the one before
        finally:
            ownership.opening_at = None
        if self.generation() != generation:
            self.say("take-over overtaken by another rebalance")
            return
        ownership.states.update(states)
        for owned in ownership.states.values():
            owned.restart_delivery()
            owned.brake = Brake(self.settings.brake_share, self.settings.brake_window, self.settings.brake_row)
            self._mark(owned)
        ownership.live = set(numbers)
        ownership.settled = True
        ownership.renew(began)  # what the broker has said since is for the first commit to find out
        at = {owned.number: owned.next_offset for owned in ownership.owned()}
        self.say(f"owns {at} until { ({o.number: o.target for o in ownership.owned()}) }")

    async def _open(self, numbers: list[int], generation: int) -> dict[int, Owned]:
        """The states of some partitions, tried until the broker answers or another rebalance has overtaken us.

        A broker that does not let us in, or not read, is not tried for ever.
        """
        seldom = Seldom()
        door = Door(self.settings.broker, self.settings.connection)
        while numbers and self.generation() == generation:
            reader = new_reader(self.settings)
            sign = self.ownership.sign
            sign()
            try:
                await self.start()
                await reader.start()
                takeover = TakeOver(self.settings, self.plan, self.partitions, reader, self.work, self.say, sign)
                return await takeover.run(numbers, self.ownership.states)
            except (KafkaError, OSError) as error:
                if refused := refusal(error):
                    raise refused from error
                why = await door.knock() or named(error)
                if seldom():
                    self.say(f"take-over tried again: {why}")
                await asyncio.sleep(RETRY_S)
            finally:
                self._behind(asyncio.wait_for(reader.stop(), SETTLE_S))
        return {}

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

    async def stop(self) -> bool:
        """The clean end: nothing is delivered any more, the membership still stands; leaves nothing to replay.

        False if the broker is away: there is nobody to leave anything with, and the next start replays from the log.
        """
        owned = self.ownership.owned()
        self.ownership.live = set()
        is_left = True
        try:
            if owned:
                await asyncio.wait_for(self._leave(owned), FINAL_S if self.ownership.is_leased else 0)
        except (KafkaError, OSError, TimeoutError) as error:
            is_left = False
            self.say(f"nothing could be left at {self.settings.broker}, which the log makes up for: {named(error)}")
        await asyncio.gather(*(self._close(producer) for producer in (self._producer, self.letters.producer)))
        self.say(f"stopped at { ({state.number: state.next_offset for state in owned}) }")
        return is_left

    async def _leave(self, owned: list[Owned]) -> None:
        await asyncio.gather(*(self._checkpoint(state, "final") for state in owned if state.next_offset > state.saved))
        await self._commit_offsets(owned)

    async def _close(self, producer: AIOKafkaProducer | None) -> None:
        if producer is not None:
            try:
                await asyncio.wait_for(producer.stop(), SETTLE_S)
            except (TimeoutError, KafkaError) as error:
                self.say(f"producer did not close: {named(error)}")

    # ---- another registry

    @asynccontextmanager
    async def at_rest(self) -> AsyncIterator[None]:
        """Within this nothing is applied: deliveries wait. Rebalances go on."""
        async with self._still:
            self.resting = True
            try:
                yield
            finally:
                self.resting = False
                self._active_at = time.monotonic()  # whoever has waited is not lost

    def adopt(self, plan: Plan, states: Mapping[Owned, Partition]) -> None:
        """Put another registry in force: all states at once, each derived again under it, at the same offset.

        Their checkpoints follow, so that from here on no restart knows of the one before.
        """
        self.registry, self.plan = plan.registry, plan
        for owned, partition in states.items():
            owned.become(partition)
            self._mark(owned)
        for owned in self.ownership.owned():
            self._behind(self._checkpoint(owned, "registry"))

    def _mark(self, owned: Owned) -> None:
        if self.settings.hash_every:
            owned.partition.mark(self.settings.hash_every, digest)

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
        self._handed += 1
        delivery.number = owned.handed = self._handed
        owned.handed_at = time.monotonic()
        owned.delivered = delivery.last + 1
        return True

    async def apply(self, delivery: "Delivery") -> None:
        """Apply a delivery to its state, unless it belongs to an older epoch or one before it was lost."""
        async with self._still:
            try:
                await self._apply(delivery)
            finally:
                self._done = delivery.number

    async def _apply(self, delivery: "Delivery") -> None:
        owned = delivery.owned
        if owned is None or not self._is_wanted(delivery):
            return
        if delivery.after > owned.next_offset:
            await self._deliver_again(owned, "a batch before was lost")
            return
        if await self._ingest(owned, delivery):
            owned.partition.next_offset = max(owned.next_offset, delivery.last + 1)
            owned.applied_at = self._active_at = time.monotonic()
            self.work.batches += 1

    async def _ingest(self, owned: Owned, delivery: "Delivery") -> bool:
        """Apply the records of a delivery and let others run meanwhile; False if it is no longer wanted before its end.

        What has been applied stays: a state is sound after every record.
        """
        partition = owned.partition
        records = iter(delivery.records())
        while some := list(islice(records, AT_ONCE)):
            began = time.perf_counter()
            before = partition.read
            partition.ingest(some)
            self.work.batch_records += partition.read - before
            self.work.batch_s += time.perf_counter() - began
            owned.applied_at = self._active_at = time.monotonic()
            self._tell_marks(owned)
            if partition.dead:  # at once: no checkpoint may pass a letter that nobody has sent
                await self.letters.bury(owned)
            if len(some) == AT_ONCE:
                await asyncio.sleep(0)
            if not self._is_wanted(delivery):
                return False
        return True

    def _tell_marks(self, owned: Owned) -> None:
        partition = owned.partition
        for offset, hashed in partition.marks:
            self.say(
                f"state partition={owned.number} offset={offset} origin={partition.origin}"
                f" registry={self.registry.hash} hash={hashed}"
            )
        partition.marks.clear()

    def _is_wanted(self, delivery: "Delivery") -> bool:
        """Whether a delivery is for a state as it is now held."""
        owned = delivery.owned
        return (
            owned is not None
            and self.ownership.states.get(owned.number) is owned
            and delivery.epoch == owned.epoch
            and owned.number in self.ownership.live
        )

    def _complain(self, line: str) -> None:
        """Say what is wrong with the broker, once a minute."""
        if self._unreachable():
            self.say(line)

    async def _deliver_again(self, owned: Owned, why: str) -> None:
        self.work.reseeks += 1
        self.say(f"reads partition={owned.number} again from {owned.next_offset}: {why}")
        owned.restart_delivery()
        await self.seek_back(owned.number, owned.next_offset)

    # ---- what runs beside

    async def keep(self) -> None:
        """Write checkpoints when they are due, and notice a lost last batch. From a timer: a tail has no next batch."""
        while True:
            await asyncio.sleep(KEEP_S)
            now = time.monotonic()
            for owned in self.ownership.owned():
                if not self.resting and self._is_lost(owned, now):
                    await self._deliver_again(owned, "the last batch was lost")
                if not owned.lock.locked() and self._is_due(owned, now):
                    self._behind(self._checkpoint(owned, "due"))

    def _is_lost(self, owned: Owned, now: float) -> bool:
        """Whether what was handed to the agent will not come: a later delivery has, or nothing has for a while.

        A delivery that waits behind slow ones is not lost: to read it again would only make it wait again.
        """
        if owned.delivered <= owned.next_offset:
            return False
        return owned.handed <= self._done or now - max(owned.handed_at, self._active_at) > LOST_S

    def _is_due(self, owned: Owned, now: float) -> bool:
        if now < owned.retry_at:
            return False
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
                if refused := refusal(error):
                    raise refused from error
                self.work.commit_failures += 1
                self._complain(f"commit failed: {named(error)}")
            else:
                self.ownership.renew(began)
                self._unreachable.reset()

    async def _commit_offsets(self, owned: list[Owned]) -> None:
        if owned:
            await self.commit(
                {
                    TopicPartition(self.settings.topic(EVENTS), state.number): OffsetAndMetadata(state.next_offset, "")
                    for state in owned
                }
            )

    def _behind(self, work: Awaitable[object]) -> None:
        """Let something run in the background. That the broker is away is its own affair; any other failure is ours."""
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
    except Exception as error:  # noqa: BLE001 - nobody else would ever hear of it
        end(error)
