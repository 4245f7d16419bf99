"""Checkpoints: a state as chunks on one topic, and one manifest that says they are all there.

No transaction and no fence: a checkpoint is a cache of the log, so it does not matter who writes it; a torn one has no
manifest, and a damaged one is found by its checksum and passed over.
"""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from hashlib import blake2b
from typing import Any, Final

import cramjam
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from attente.core.state import FORMAT, Cut, cut, encode
from attente.engine.logs import Seldom, named
from attente.engine.owned import Owned, Work
from attente.engine.rights import refusal
from attente.model.records import Manifest, encode_manifest
from attente.model.topics import CHECKPOINTS, MANIFESTS
from attente.settings import Settings

LEVEL: Final = 1  # of zstd: higher ones cost twice the time for a tenth of the size
CHECKSUM_BYTES: Final = 16
AGAIN_S: Final = 5.0  # after a refusal: a cut holds the loop, and one refused at once would be tried 20 times a second


def compress(state: Cut) -> tuple[bytes, str]:
    """A cut as the bytes that chunks carry, and their checksum."""
    data = bytes(cramjam.zstd.compress(encode(state), level=LEVEL))
    return data, checksum(data)


def decompress(data: bytes) -> bytes:
    """The inverse of `compress`; raises `cramjam.DecompressionError` on damaged bytes."""
    return bytes(cramjam.zstd.decompress(data))


def checksum(data: bytes) -> str:
    """What a manifest says of all chunks together."""
    return blake2b(data, digest_size=CHECKSUM_BYTES).hexdigest()


class CheckpointWriter:
    """Writes checkpoints of owned partitions, encoding in a thread of its own."""

    def __init__(self, settings: Settings, producer: AIOKafkaProducer, work: Work, say: Callable[[str], None]) -> None:
        self._settings = settings
        self._producer = producer
        self._work = work
        self._say = say
        self._seldom = Seldom()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="checkpoint")

    async def write(self, owned: Owned, why: str) -> bool:
        """Write one checkpoint; False, and nothing lost, when the broker does not take it.

        Raises:
            BrokerRefused: we may not write there.
        """
        async with owned.lock:
            began = time.perf_counter()
            letters = list(owned.letters)
            state = cut(owned.partition)
            cut_s = time.perf_counter() - began
            owned.saved_at = time.monotonic()
            try:
                manifest = await self._send(owned, state, letters)
            except (KafkaError, OSError) as error:
                if refused := refusal(error):
                    raise refused from error
                self._work.checkpoint_failures += 1
                owned.retry_at = time.monotonic() + AGAIN_S
                if self._seldom():
                    at = state.head.next_offset
                    self._say(f"checkpoint of partition {owned.number} at {at} failed: {named(error)}; tried again")
                return False
            self._seldom.reset()
            owned.saved = manifest.offset
            owned.slot ^= 1
            self._work.checkpoints += 1
            self._work.checkpoint_bytes += manifest.size
            self._work.checkpoint_last_ms = int(time.time() * 1000)
            self._work.checkpoint_cut_s = max(self._work.checkpoint_cut_s, cut_s)
            self._say(
                f"checkpoint partition={owned.number} offset={manifest.offset} chunks={manifest.chunks}"
                f" bytes={manifest.size} cut={cut_s * 1000:.1f}ms all={time.perf_counter() - began:.2f}s {why}"
            )
            return True

    async def _send(self, owned: Owned, state: Cut, letters: list[asyncio.Future[Any]]) -> Manifest:
        data, digest = await asyncio.get_running_loop().run_in_executor(self._pool, compress, state)
        # The log up to the checkpoint is not read again: what was refused there has to be kept before.
        if letters:
            await asyncio.wait(letters)  # which, unlike `gather`, does not cancel them when we are
            for letter in letters:
                letter.result()
        head = state.head
        ident = f"{self._settings.worker[:80]}-{owned.number}-{head.next_offset}-{time.time_ns()}"
        size = self._settings.checkpoint_chunk_bytes
        chunks = [data[at : at + size] for at in range(0, len(data), size)]
        topic = self._settings.topic(CHECKPOINTS)
        sent = [
            await self._producer.send(topic, chunk, key=f"{ident}/{i}".encode(), partition=owned.number)
            for i, chunk in enumerate(chunks)
        ]
        offsets = [done.offset for done in await asyncio.gather(*sent)]
        manifest = Manifest(
            partition=owned.number,
            offset=head.next_offset,
            origin=head.origin,
            first=min(offsets),
            last=max(offsets),
            chunks=len(chunks),
            checksum=digest,
            size=len(data),
            format=FORMAT,
            horizon=head.horizon,
            registry=head.registry,
            worker=self._settings.worker,
            id=ident,
            stream=head.stream,
            slot=owned.slot,
        )
        await self._producer.send_and_wait(
            self._settings.topic(MANIFESTS), encode_manifest(manifest), key=manifest.key, partition=owned.number
        )
        return manifest
