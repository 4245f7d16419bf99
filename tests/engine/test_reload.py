"""A changed registry comes into force while a worker works: what is held is derived again, and nothing is lost.

The broker and Faust are played here; `tests/integration/test_worker_reload.py` has real ones.
"""

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from attente.core.partition import Partition
from attente.core.plan import Plan
from attente.core.state import Cut, digest
from attente.engine import engine as engine_module
from attente.engine import reload as reload_module
from attente.engine import scrape as scrape_module
from attente.engine.engine import Engine
from attente.engine.owned import Owned
from attente.engine.reload import Hangup, Reload
from attente.engine.scrape import Scrape
from attente.engine.transport import Delivery
from attente.registry.entities import Clock, End, Per, Registry, Start
from attente.registry.load import parse
from attente.settings import Settings
from driver import Driver
from lives import Profile, random_log
from oracle import Record
from workers import written

HOUR = 3_600_000
# In order and whole: then no count ever falls, and what a counter remembers does not depend on the registry either.
IN_ORDER = Profile(odd=0, gaps=0, held_back=0, repeated=0, twins=0, broken=0, cut=0, horizons=(24 * HOUR,))
LOG = random_log(6, 600, profile=IN_ORDER, days=1)
OLD = parse(written(LOG.registry), "registry.yaml")


def sound(records: list[Record]) -> list[Record]:
    """A log of which nothing is refused: no dead letters, so no broker is needed."""
    part = Driver(OLD).feed(records).parts[0]
    refused = {dead.offset for dead in part.take_dead()}
    kept = [record for record in records if record.offset not in refused]
    return [record._replace(offset=i) for i, record in enumerate(kept)]


RECORDS = sound(LOG.records)


def changed() -> Registry:
    """Another norm, another threshold and clock of one that was there, one more service and office."""
    norm = next(iter(LOG.registry.norms.values()))
    other = replace(norm, threshold_s=420, clock=Clock(Start.ARRIVED, End.STARTED, Per.VISIT))
    office = replace(next(iter(LOG.registry.offices.values())), id="annex", name="Annex")
    service = replace(next(iter(LOG.registry.services.values())), id="aaa", title="First of all")
    return parse(
        written(
            replace(
                LOG.registry,
                offices=LOG.registry.offices | {office.id: office},
                services={service.id: service} | LOG.registry.services,
                norms=LOG.registry.norms | {norm.id: other, "new": replace(norm, id="new", threshold_s=840)},
            )
        ),
        "registry.yaml",
    )


NEW = changed()


class Stage:
    """An engine that owns partition 0 of one, with so many records applied, and its registry's file.

    Attributes:
        said: the engine's lines.
        shown: the registries of which whoever shows them was told.
    """

    def __init__(self, file: Path, held: int = 0) -> None:
        self.file = file
        self.file.write_text(written(LOG.registry))
        self.said: list[str] = []
        self.shown: list[Registry] = []
        self.sought: list[int] = []
        self.engine = Engine(Settings(worker="w0", registry=file), OLD, 1, self.said.append)
        self.engine.generation = lambda: 1
        self.engine.highwater = lambda _: len(RECORDS)
        self.engine.seek_back = self._seek_back
        self.owned = self.own(held)
        self.engine.ownership.live = {0}
        self.hangup = Hangup()
        self.reload = Reload(self.engine, self.hangup, self.shown.append)

    async def _seek_back(self, _: int, offset: int) -> None:
        self.sought.append(offset)

    def own(self, held: int, plan: Plan | None = None) -> Owned:
        """Hold the state after so many records."""
        partition = Partition(plan or self.engine.plan, 0, 1)
        partition.ingest(RECORDS[:held])
        self.engine.ownership.states[0] = Owned(partition)
        return self.engine.ownership.states[0]

    def change(self) -> None:
        """Put the new registry into the file."""
        self.file.write_text(written_new())

    async def hand(self, first: int, end: int) -> Delivery:
        """Offer a delivery."""
        delivery = Delivery(first, end - 1, [RECORDS[first:end]])
        assert await self.engine.accept(0, delivery)
        return delivery


def written_new() -> str:
    return written(NEW)


def fresh(until: int, registry: Registry) -> str:
    """The digest of a state that has known no other registry."""
    return Driver(registry).feed(RECORDS[:until]).digests()[0]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    before = signal.getsignal(signal.SIGHUP)
    yield Stage(tmp_path / "registry.yaml", held=400)
    signal.signal(signal.SIGHUP, before)


def played(play: Callable[[], Coroutine[Any, Any, None]]) -> None:
    async def within() -> None:
        async with asyncio.timeout(60):
            await play()

    asyncio.run(within())


# --- what is taken


def test_what_is_held_becomes_what_it_would_be_had_the_new_registry_always_been_there(stage: Stage) -> None:
    before = stage.owned.partition

    async def play() -> None:
        stage.change()
        assert await stage.reload.take()
        await stage.engine.apply(await stage.hand(400, 500))

    played(play)
    assert OLD.hash != NEW.hash
    assert stage.engine.registry.hash == stage.engine.plan.registry.hash == NEW.hash
    assert [registry.hash for registry in stage.shown] == [NEW.hash]
    assert stage.said[0].startswith(f"registry taken: {NEW.hash} instead of {OLD.hash}, partitions={{0: 400}} in=")
    assert digest(before) == fresh(400, OLD)  # whoever still looks at it sees what was
    assert stage.owned.partition.read == 500
    assert digest(stage.owned.partition) == fresh(500, NEW)


def test_the_figures_that_are_shown_are_those_of_the_new_registry(stage: Stage) -> None:
    stage.change()
    played(lambda: taken(stage))
    renderer = stage.owned.renderer
    offices = list(renderer.offices(stage.owned.now_ms()))
    assert {view.office for view in offices} == set(NEW.offices)
    assert {norm for view in offices for norm, *_ in view.readings} == set(NEW.norms)
    assert renderer.partition_view(tuple(offices)).bounds == Plan(NEW).bounds


async def taken(stage: Stage) -> None:
    assert await stage.reload.take()


def test_a_hash_is_told_at_the_same_offsets_after_the_change(stage: Stage) -> None:
    stage.engine.settings = replace(stage.engine.settings, hash_every=50)

    async def play() -> None:
        stage.change()
        await stage.reload.take()
        await stage.engine.apply(await stage.hand(400, 460))

    played(play)
    assert [line for line in stage.said if line.startswith("state ")] == [
        # 400 is where it stood when it was derived again: under the new registry nobody has told that place yet.
        f"state partition=0 offset={offset} origin=0 registry={NEW.hash} hash={fresh(offset, NEW)}"
        for offset in (400, 450)
    ]


def test_the_signal_makes_the_worker_take_its_file(stage: Stage) -> None:
    async def play() -> None:
        stage.change()
        running = asyncio.ensure_future(stage.reload.run())
        os.kill(os.getpid(), signal.SIGHUP)
        while not stage.shown:
            await asyncio.sleep(0.01)
        running.cancel()
        assert not stage.hangup.heard

    played(play)


# --- what is refused


def test_a_registry_with_mistakes_is_refused_with_a_line_for_each_and_the_old_one_stays(stage: Stage) -> None:
    before = stage.owned.partition
    text = written_new().replace("threshold: 420s", "threshold: 420.5s").replace("zone: ", "zone: X", 1)
    stage.file.write_text(text)

    async def play() -> None:
        assert not await stage.reload.take()

    played(play)
    assert len(stage.said) == 2
    for line in stage.said:
        assert line.startswith(f"registry refused, {OLD.hash} stays: {stage.file}:")
    assert any("420.5s is not a whole number of seconds" in line for line in stage.said)
    assert stage.engine.registry is OLD
    assert stage.owned.partition is before
    assert stage.shown == []


def test_a_file_that_is_gone_a_horizon_that_has_changed_and_a_file_that_has_not_leave_all_as_it_was(
    stage: Stage,
) -> None:
    async def play() -> None:
        assert not await stage.reload.take()
        stage.file.write_text("# a comment\n" + written(LOG.registry))
        assert not await stage.reload.take()
        stage.file.write_text(written(replace(NEW, horizon_ms=12 * HOUR)))
        assert not await stage.reload.take()
        stage.file.unlink()
        assert not await stage.reload.take()

    played(play)
    assert stage.said[:2] == [f"registry unchanged: {OLD.hash}"] * 2
    assert stage.said[2] == (
        f"registry refused, {OLD.hash} stays: {stage.file}: horizon 43200s instead of 86400s cannot be taken while a "
        "worker runs; set it back, or restart all workers, which then read their partitions from the log's beginning"
    )
    assert stage.said[3].startswith(f"registry refused, {OLD.hash} stays: {stage.file}: the registry cannot be read")
    assert stage.engine.registry is OLD


def test_hours_and_kiosks_that_change_no_figure_are_taken_at_once_and_leave_the_states_alone(stage: Stage) -> None:
    before = stage.owned.partition
    text = written(LOG.registry)
    first = next(iter(OLD.offices))
    with_kiosk = text.replace("kiosks: ['1']", "kiosks: [hall-1]", 1)
    assert with_kiosk != text

    async def play() -> None:
        stage.file.write_text(with_kiosk)
        assert await stage.reload.take()
        assert not await stage.reload.take()

    played(play)
    assert stage.said == [
        f"registry taken: {OLD.hash} as before, for no figure follows from what has changed",
        f"registry unchanged: {OLD.hash}",
    ]
    assert stage.engine.registry.offices[first].kiosks == ("hall-1",)
    assert [registry.offices[first].kiosks for registry in stage.shown] == [("hall-1",)]
    assert before.plan.sources == {f"/offices/{first}/kiosks/hall-1": first.encode()}
    assert stage.owned.partition is before


def another_cut_over(registry: Registry) -> Registry:
    return replace(registry, cut_over_min=270 if registry.cut_over_min != 270 else 180)


def another_zone(registry: Registry) -> Registry:
    first, *rest = registry.offices.values()
    moved = replace(first, zone="UTC" if first.zone != "UTC" else "Asia/Kolkata")
    return replace(registry, offices={office.id: office for office in (moved, *rest)})


@pytest.mark.parametrize("change", [another_cut_over, another_zone])
def test_what_would_close_held_visits_at_other_instants_needs_a_restart(
    stage: Stage, change: Callable[[Registry], Registry]
) -> None:
    stage.file.write_text(written(change(NEW)))

    async def play() -> None:
        assert not await stage.reload.take()

    played(play)
    (line,) = stage.said
    assert line.startswith(f"registry refused, {OLD.hash} stays: {stage.file}: ")
    assert "cannot be taken while a worker runs; " in line
    assert line.endswith("restart all workers")
    assert stage.engine.registry is OLD


# --- what happens meanwhile


class Held:
    """Keeps states from being derived until it lets go."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.let_go = threading.Event()
        self.begun = 0
        real = reload_module.refolded

        def slowly(state: Cut, plan: Plan, number: int, partitions: int) -> Partition:
            self.begun += 1
            assert self.let_go.wait(60)
            return real(state, plan, number, partitions)

        monkeypatch.setattr(reload_module, "refolded", slowly)

    async def has_begun(self, times: int = 1) -> None:
        while self.begun < times:
            await asyncio.sleep(0.01)


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Held:
    return Held(monkeypatch)


def test_deliveries_wait_until_the_change_is_done_and_are_not_taken_for_lost(
    stage: Stage, held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "KEEP_S", 0.0)
    monkeypatch.setattr(engine_module, "LOST_S", -1.0)  # whatever waits at all has waited too long

    async def play() -> None:
        stage.change()
        taking = asyncio.ensure_future(stage.reload.take())
        await held.has_begun()
        delivery = await stage.hand(400, 450)
        keeping = asyncio.ensure_future(stage.engine.keep())
        applying = asyncio.ensure_future(stage.engine.apply(delivery))
        for _ in range(50):
            await asyncio.sleep(0)
        assert not applying.done()
        assert stage.owned.next_offset == 400
        keeping.cancel()
        held.let_go.set()
        assert await taking
        await applying

    played(play)
    assert stage.sought == []
    assert digest(stage.owned.partition) == fresh(450, NEW)


def test_a_change_waits_for_the_delivery_that_is_being_applied(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "AT_ONCE", 10)

    async def play() -> None:
        delivery = await stage.hand(400, 500)
        applying = asyncio.ensure_future(stage.engine.apply(delivery))
        await asyncio.sleep(0)
        assert 400 < stage.owned.next_offset < 500  # in the midst of it
        stage.change()
        assert await stage.reload.take()
        await applying

    played(play)
    assert stage.said[0].startswith(f"registry taken: {NEW.hash} instead of {OLD.hash}, partitions={{0: 500}}")
    assert digest(stage.owned.partition) == fresh(500, NEW)


def test_a_state_that_a_rebalance_brings_meanwhile_is_changed_too(stage: Stage, held: Held) -> None:
    async def play() -> None:
        stage.change()
        taking = asyncio.ensure_future(stage.reload.take())
        await held.has_begun()
        stage.engine.ownership.live = set()
        brought = stage.own(300)
        held.let_go.set()
        assert await taking
        assert stage.engine.ownership.states[0] is brought
        assert digest(brought.partition) == fresh(300, NEW)

    played(play)
    assert held.begun == 2


def test_a_view_that_is_being_rendered_stays_one_of_the_registry_before(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scrape_module, "SLICE_S", -1.0)  # the loop turns after every office
    views = []

    async def play() -> None:
        stage.change()
        scrape = Scrape(stage.engine, asyncio.get_running_loop())
        rendering = asyncio.ensure_future(scrape._partition(stage.owned))
        await asyncio.sleep(0)
        stage.engine.adopt(Plan(NEW), {stage.owned: Partition(Plan(NEW), 0, 1)})
        views.append(await rendering)

    played(play)
    (rendered,) = views
    assert not rendered.is_valid
    view = rendered.view
    assert view.bounds == Plan(OLD).bounds != Plan(NEW).bounds
    assert {office.office for office in view.offices} == set(OLD.offices)
    assert view.read == 400


def test_a_take_over_that_a_change_overtakes_loads_again(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[Plan] = []

    async def play() -> None:
        stage.change()

        async def open_(numbers: list[int], generation: int) -> dict[int, Owned]:
            opened.append(stage.engine.plan)
            partition = Partition(stage.engine.plan, 0, 1)
            if len(opened) == 1:
                assert await stage.reload.take()
            partition.ingest(RECORDS[:100])
            return {0: Owned(partition)}

        monkeypatch.setattr(stage.engine, "_open", open_)
        await stage.engine.take_over({0})

    played(play)
    assert [plan.registry.hash for plan in opened] == [OLD.hash, NEW.hash]
    assert digest(stage.engine.ownership.states[0].partition) == fresh(100, NEW)
