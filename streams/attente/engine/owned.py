"""The partitions of this worker: their states, where their delivery stands, and what may be shown of them."""

import asyncio
import time
from dataclasses import dataclass
from typing import Any

from attente.core.partition import Partition
from attente.core.render import Renderer
from attente.engine.brake import Brake


class Owned:
    """One partition in memory.

    The state stays valid at its own offset whoever owns the partition meanwhile: it is a function of the log.

    Attributes:
        delivered: the offset after the last batch handed to the agent; the state follows it.
        handed, handed_at: the number of that delivery among all that the worker has handed over, and when it was
            (monotonic seconds).
        target: the end of the log when the partition was taken over; before it nothing is shown.
        epoch: batches handed over before the last rebalance or re-read belong to an older one and are dropped.
        retried: the offset at which a gap has been re-read once.
        saved, saved_at: offset of the newest checkpoint, and when it was cut (monotonic seconds).
        retry_at: before it no checkpoint is due, because the last one was refused (monotonic seconds).
        slot: where the next manifest goes; the two alternate.
        letters: dead letters on their way; a checkpoint waits for all of them.
        brake: says when too much is refused; none is before the first take-over.
        applied_at: when the last batch was applied (monotonic seconds).
    """

    def __init__(self, partition: Partition, slot: int = 0) -> None:
        self.partition = partition
        self.renderer = Renderer(partition)
        self.delivered = partition.next_offset
        self.handed = 0
        self.handed_at = 0.0
        self.target = 0
        self.epoch = 0
        self.retried = -1
        self.saved = partition.next_offset
        self.saved_at = self.applied_at = time.monotonic()
        self.retry_at = 0.0
        self.slot = slot
        self.lock = asyncio.Lock()
        self.letters: set[asyncio.Future[Any]] = set()
        self.brake = Brake(share=0, window=1, row=0)

    @property
    def number(self) -> int:
        """Which partition it is."""
        return self.partition.number

    @property
    def next_offset(self) -> int:
        """The first offset that the state has not seen."""
        return self.partition.next_offset

    def become(self, partition: Partition) -> None:
        """Go on with the same state at the same offset, derived again under another registry."""
        self.partition = partition
        self.renderer = Renderer(partition)

    def restart_delivery(self) -> None:
        """Deliver again from where the state stands; what is under way belongs to an older epoch."""
        self.epoch += 1
        self.delivered = self.next_offset
        self.retried = -1

    def now_ms(self) -> int:
        """The *now* of its figures: stream time, advanced by elapsed time while nothing comes."""
        return self.partition.stream + int((time.monotonic() - self.applied_at) * 1000)


class Ownership:
    """Which partitions are ours, and until when the broker has vouched for it.

    Attributes:
        states: what is in memory, by number of the partition.
        live: what the group has given to this worker, as far as it knows.
        settled: whether a take-over has ended since the last rebalance began.
        opening_at: when the take-over that is under way last gave a sign (monotonic seconds); None when none is.
    """

    def __init__(self, session_s: float) -> None:
        self.states: dict[int, Owned] = {}
        self.live: set[int] = set()
        self.settled = False
        self.opening_at: float | None = None
        self.session_s = session_s
        self._lease = 0.0

    def sign(self) -> None:
        """A take-over is under way and goes on: something was asked, read or derived."""
        self.opening_at = time.monotonic()

    def renew(self, since: float) -> None:
        """The broker has accepted us as a member: nobody else owns what we own before the session times out."""
        self._lease = since + self.session_s

    @property
    def is_leased(self) -> bool:
        """Whether the broker's word still holds."""
        return time.monotonic() < self._lease

    def owned(self) -> list[Owned]:
        """The states of the partitions that are ours, in order."""
        # Also asked from other threads, while the loop may be taking one out.
        found = (self.states.get(number) for number in sorted(self.live))
        return [owned for owned in found if owned is not None]

    def shown(self) -> list[Owned]:
        """What a scrape may see: owned, vouched for, caught up with the end of the log at take-over."""
        return [state for state in self.owned() if state.next_offset >= state.target] if self.is_leased else []


@dataclass
class Work:
    """What this process has done so far; the metrics of the pipeline show it."""

    checkpoints: int = 0
    checkpoint_failures: int = 0
    checkpoint_bytes: int = 0
    checkpoint_last_ms: int = 0
    checkpoint_cut_s: float = 0.0
    takeovers: int = 0
    takeover_s: float = 0.0
    fallbacks: int = 0
    batches: int = 0
    batch_records: int = 0
    batch_s: float = 0.0
    reseeks: int = 0
    gaps: int = 0
    commit_failures: int = 0
    loop_stall_s: float = 0.0
    dead_letters: int = 0
