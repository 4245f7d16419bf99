"""A changed registry while the worker works: read again, refolded under, and in force from the next event of each log.

What has been sealed stays as it was, what is held is derived again, as when a checkpoint of another registry is taken
over. A registry that is not sound, or cannot be taken without a restart, is refused, and the one before stays.
"""

import asyncio
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from attente.core.partition import Partition
from attente.core.plan import Plan
from attente.core.state import Cut, cut, decode, encode
from attente.engine.engine import Engine
from attente.engine.owned import Owned
from attente.errors import AttenteError
from attente.model.signatures import Keyring
from attente.registry.entities import Registry
from attente.registry.keyring import keyring
from attente.registry.load import load

LOOK_S: Final = 0.1
YIELD_EVERY: Final = 8  # offices: compiled code does not let go of the interpreter by itself


def refolded(state: Cut, plan: Plan, number: int, partitions: int) -> Partition:
    """A state derived again under another plan; for a thread of its own, it takes 1.5 us a fact."""
    states = decode(encode(state), plan, number, partitions)
    partition = next(states)
    for i, partition in enumerate(states):  # noqa: B007 - the last one is whole
        if i % YIELD_EVERY == 0:
            time.sleep(0)
    return partition


def untakeable(old: Registry, new: Registry) -> str:
    """Why a registry cannot be taken while a worker runs, with the remedy; "" where it can."""
    if new.horizon_ms != old.horizon_ms:
        return (
            f"horizon {new.horizon_ms // 1000}s instead of {old.horizon_ms // 1000}s cannot be taken while a worker "
            "runs; set it back, or restart all workers, which then read their partitions from the log's beginning"
        )
    # Held visits would be closed overnight at other instants, and a counter of closed ones could fall.
    if new.cut_over_min != old.cut_over_min:
        return "another cut_over cannot be taken while a worker runs; set it back, or restart all workers"
    for office in old.offices.values():
        other = new.offices.get(office.id)
        if other is not None and other.zone != office.zone:
            return f"office {office.id} in another zone cannot be taken while a worker runs; restart all workers"
    return ""


def _read(registry: Path, keys: Path | None) -> tuple[Registry, Keyring]:
    """A registry and the secrets that it asks for."""
    found = load(registry)
    return found, keyring(found, keys)


class Hangup:
    """SIGHUP, which would end the process; heard from before there is anybody who could take a registry.

    Attributes:
        heard: it has come and nobody has acted on it.
    """

    def __init__(self) -> None:
        self.heard = False
        signal.signal(signal.SIGHUP, self._hear)

    def _hear(self, *_: object) -> None:
        self.heard = True


class Reload:
    """Takes the registry's file again when the process gets SIGHUP.

    Args:
        engine: whose registry it is.
        hangup: says when.
        show: told of the registry that is in force now.
    """

    def __init__(self, engine: Engine, hangup: Hangup, show: Callable[[Registry], None]) -> None:
        self._engine = engine
        self._hangup = hangup
        self._show = show

    async def run(self) -> None:
        """Take the file whenever that is wanted."""
        while True:
            await asyncio.sleep(LOOK_S)
            if self._hangup.heard:
                self._hangup.heard = False
                await self.take()

    async def take(self) -> bool:
        """Take the file now; False if the registry of before stays."""
        engine = self._engine
        path = engine.settings.registry
        assert path is not None  # noqa: S101 - a worker has one
        old = engine.registry
        try:
            registry, keys = await asyncio.to_thread(_read, path, engine.settings.keys_file)
        except AttenteError as error:
            for line in str(error).splitlines():
                engine.say(f"registry refused, {old.hash} stays: {line}")
            return False
        if registry == old:
            engine.say(f"registry unchanged: {old.hash}")
            return False
        if registry.hash == old.hash:  # calendars, closures, kiosks, sizes, budgets: no state follows from them
            engine.registry = registry
            engine.plan.name_kiosks(registry)
            self._show(registry)
            engine.say(f"registry taken: {old.hash} as before, for no figure follows from what has changed")
            return True
        if why := untakeable(old, registry):
            engine.say(f"registry refused, {old.hash} stays: {path}: {why}")
            return False
        began = time.monotonic()
        stands = await self._put_in_force(await asyncio.to_thread(Plan, registry, keys))
        self._show(registry)
        took = time.monotonic() - began
        engine.say(f"registry taken: {registry.hash} instead of {old.hash}, partitions={stands} in={took:.3f}s")
        return True

    async def _put_in_force(self, plan: Plan) -> dict[int, int]:
        """Derive all states again, while deliveries wait and the loop turns; then change all at once.

        Gives where they stand. A rebalance may go on meanwhile: what it drops is derived for nothing, what it adds
        before the change is derived too, and a take-over that the change overtakes loads again what it has loaded.
        """
        engine = self._engine
        states = engine.ownership.states
        done: dict[Owned, Partition] = {}
        async with engine.at_rest():
            while missing := [owned for owned in states.values() if owned not in done]:
                for owned in missing:
                    state = cut(owned.partition)
                    done[owned] = await asyncio.to_thread(refolded, state, plan, owned.number, engine.partitions)
            engine.adopt(plan, done)
            return {owned.number: owned.next_offset for owned in engine.ownership.owned()}
