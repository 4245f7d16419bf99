"""Taking partitions over: the best state known of each, or the log's beginning.

Best is the longest history, then the greatest offset. The order in which manifests were written, compaction and who
wrote them play no part, so a zombie's older manifest does no harm; what does not verify is passed over for the next.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import cramjam
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from attente.core.partition import Partition
from attente.core.plan import Plan
from attente.core.state import FORMAT, StateError, decode
from attente.engine.checkpoints import checksum, decompress
from attente.engine.logs import named
from attente.engine.owned import Owned, Work
from attente.model.records import Manifest, read_manifest
from attente.model.topics import CHECKPOINTS, EVENTS, MANIFESTS
from attente.settings import Settings

Spans = Mapping[TopicPartition, tuple[int, int]]

QUIET_S: Final = 10.0  # a broker that is there answers a fetch within a second


class Unusable(Exception):  # noqa: N818 - what the checkpoint is
    """A checkpoint that cannot be taken; says why."""


@dataclass(frozen=True)
class Log:
    """Where the three topics begin and end, asked for at once: each question costs 0.2 s."""

    low: Mapping[TopicPartition, int]
    end: Mapping[TopicPartition, int]


class TakeOver:
    """One take-over of some partitions."""

    def __init__(
        self,
        settings: Settings,
        plan: Plan,
        partitions: int,
        reader: AIOKafkaConsumer,
        work: Work,
        say: Callable[[str], None],
        sign: Callable[[], None] = lambda: None,
    ) -> None:
        """Describes it.

        Args:
            settings: the topics, and the worker's name.
            plan: under which states are derived.
            partitions: how many the events have.
            reader: started; it is assigned and paused as needed.
            work: counts what is taken over and passed over.
            say: told of each state in one line.
            sign: called whenever it goes on, so that one that has stopped in the middle is noticed.
        """
        self._settings = settings
        self._plan = plan
        self._partitions = partitions
        self._reader = reader
        self._work = work
        self._say = say
        self._sign = sign

    async def run(self, numbers: list[int], held: Mapping[int, Owned]) -> dict[int, Owned]:
        """The states of the given partitions; one held in memory is kept when no checkpoint is beyond it.

        Raises:
            KafkaError: the broker does not answer; nothing has changed.
        """
        began = time.perf_counter()
        log = await self._log(numbers)
        best = await self._manifests(numbers, log)
        found: dict[int, Owned] = {}
        while best:
            wanted = self._choose(best, held, log)
            spans = {self._at(CHECKPOINTS, p): (m.first, m.last + 1) for p, m in wanted.items()}
            chunks = await read(self._reader, spans, self._sign)
            for number, manifest in wanted.items():
                owned = await self._load(manifest, chunks[self._at(CHECKPOINTS, number)])
                if owned is not None:
                    found[number] = owned
                    del best[number]
        for number in numbers:
            if number not in found:
                found[number] = held.get(number) or self._scratch(number, log)
            self._step_over_what_is_gone(found[number], log)
            found[number].target = log.end[self._at(EVENTS, number)]
        self._work.takeovers += 1
        self._work.takeover_s = time.perf_counter() - began
        return found

    def _step_over_what_is_gone(self, owned: Owned, log: Log) -> None:
        """Retention has passed the state: nothing may ever come from there, so nobody else would notice."""
        low = log.low[self._at(EVENTS, owned.number)]
        if owned.next_offset < low:
            self._work.gaps += 1
            self._say(f"gap partition={owned.number} from={owned.next_offset} to={low}: these events are gone")
            owned.partition.next_offset = low

    def _at(self, topic: str, number: int) -> TopicPartition:
        return TopicPartition(self._settings.topic(topic), number)

    async def _log(self, numbers: list[int]) -> Log:
        every = [self._at(topic, number) for topic in (EVENTS, CHECKPOINTS, MANIFESTS) for number in numbers]
        return Log(await self._reader.beginning_offsets(every), await self._reader.end_offsets(every))

    async def _manifests(self, numbers: list[int], log: Log) -> dict[int, list[Manifest]]:
        """The manifests of each partition, best last."""
        places = [self._at(MANIFESTS, number) for number in numbers]
        spans = {place: (log.low[place], log.end[place]) for place in places}
        records = await read(self._reader, spans, self._sign)
        out: dict[int, list[Manifest]] = {}
        for number, place in zip(numbers, places, strict=True):
            found = []
            for record in records[place]:
                try:
                    manifest = read_manifest(record.value)
                except ValueError as error:
                    self._say(f"manifest partition={number} at={record.offset} passed over: {error}")
                    continue
                if manifest.partition == number:
                    found.append(manifest)
            out[number] = sorted(found, key=lambda m: (-m.origin, m.offset))
        return out

    def _choose(self, best: dict[int, list[Manifest]], held: Mapping[int, Owned], log: Log) -> dict[int, Manifest]:
        """The next manifest to try of each partition; partitions that have none left are taken out of `best`."""
        wanted: dict[int, Manifest] = {}
        for number, manifests in list(best.items()):
            while manifests and number not in wanted:
                manifest = manifests.pop()
                known = held.get(number)
                if known is not None and (-known.partition.origin, known.next_offset) >= (
                    -manifest.origin,
                    manifest.offset,
                ):
                    manifests.clear()
                elif why := self._objection(manifest, log):
                    self._pass_over(manifest, why)
                else:
                    wanted[number] = manifest
            if number not in wanted:
                del best[number]
        return wanted

    def _objection(self, manifest: Manifest, log: Log) -> str:
        """Why a checkpoint cannot be taken, as far as its manifest tells."""
        events = self._at(EVENTS, manifest.partition)
        chunks = self._at(CHECKPOINTS, manifest.partition)
        if manifest.format != FORMAT:
            return f"format {manifest.format}, not {FORMAT}"
        if manifest.horizon != self._plan.horizon:
            return f"horizon {manifest.horizon} ms, not {self._plan.horizon} ms"
        if manifest.offset > log.end[events]:
            return f"beyond the log's end {log.end[events]}"
        if manifest.first < log.low[chunks] or manifest.last >= log.end[chunks]:
            return f"chunks {manifest.first} to {manifest.last} outside {log.low[chunks]} to {log.end[chunks]}"
        return ""

    def _pass_over(self, manifest: Manifest, why: str) -> None:
        self._work.fallbacks += 1
        self._say(f"fallback partition={manifest.partition} offset={manifest.offset} from={manifest.worker}: {why}")

    async def _load(self, manifest: Manifest, records: list[ConsumerRecord]) -> Owned | None:
        began = time.perf_counter()
        try:
            data = _whole(manifest, records)
            partition = await self._decode(manifest, data)
        except (Unusable, StateError, cramjam.DecompressionError) as error:
            self._pass_over(manifest, str(error))
            return None
        except Exception as error:  # noqa: BLE001 - whatever is wrong with a cache, the log is there
            self._pass_over(manifest, named(error))
            return None
        slot = 1 - manifest.slot if manifest.worker == self._settings.worker else 0
        owned = Owned(partition, slot)
        visits = sum(len(office.open) + len(office.closed) for office in partition.offices.values())
        self._say(
            f"loaded partition={manifest.partition} offset={manifest.offset} origin={manifest.origin}"
            f" from={manifest.worker} bytes={manifest.size} visits={visits} in={time.perf_counter() - began:.3f}s"
        )
        return owned

    async def _decode(self, manifest: Manifest, data: bytes) -> Partition:
        states = decode(decompress(data), self._plan, manifest.partition, self._partitions)
        partition = next(states)
        for i, partition in enumerate(states):  # noqa: B007 - the last one is whole
            if i % 8 == 0:
                self._sign()
                await asyncio.sleep(0)  # heartbeats go on while a large state is folded
        if partition.next_offset != manifest.offset:
            message = f"the state stands at {partition.next_offset}"
            raise Unusable(message)
        return partition

    def _scratch(self, number: int, log: Log) -> Owned:
        first = log.low[self._at(EVENTS, number)]
        self._say(f"scratch partition={number} from={first}")
        return Owned(Partition(self._plan, number, self._partitions, first))


def _whole(manifest: Manifest, records: list[ConsumerRecord]) -> bytes:
    """The bytes of a checkpoint from the chunks found, verified."""
    prefix = f"{manifest.id}/".encode()
    parts = {record.key[len(prefix) :]: record.value for record in records if (record.key or b"").startswith(prefix)}
    names = [str(i).encode() for i in range(manifest.chunks)]
    missing = sum(name not in parts for name in names)
    if missing:
        message = f"{missing} of {manifest.chunks} chunks missing"
        raise Unusable(message)
    data = b"".join(parts[name] or b"" for name in names)
    if checksum(data) != manifest.checksum:
        message = "the checksum is another one"
        raise Unusable(message)
    return data


async def read(
    reader: AIOKafkaConsumer, spans: Spans, sign: Callable[[], None] = lambda: None
) -> dict[TopicPartition, list[ConsumerRecord]]:
    """Everything in the given spans (first, end) of partitions, all at once; `sign` is called at each part of it."""
    out: dict[TopicPartition, list[ConsumerRecord]] = {place: [] for place in spans}
    ends = {place: end for place, (first, end) in spans.items() if first < end}
    if not ends:
        return out
    reader.assign(list(ends))
    for place in ends:
        reader.seek(place, spans[place][0])
    heard = time.monotonic()
    while ends:
        for place, records in (await reader.getmany(*ends, timeout_ms=500)).items():
            out[place] += [record for record in records if record.offset < spans[place][1]]
            heard = time.monotonic()
            sign()
        for place in list(ends):
            if await reader.position(place) >= ends[place]:
                del ends[place]
                reader.pause(place)
        if time.monotonic() - heard > QUIET_S:
            message = f"nothing read for {QUIET_S:.0f} s from {sorted(ends)}"
            raise KafkaError(message)
    return out
