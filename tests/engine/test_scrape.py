"""Views for scrapes: rendered in the loop, asked for from other threads, vouched for at the moment of the answer."""

import asyncio
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import replace

import pytest

from attente.core.partition import Partition
from attente.core.plan import Plan
from attente.engine import scrape as scrape_module
from attente.engine.engine import Engine
from attente.engine.owned import Owned
from attente.engine.scrape import Scrape
from attente.metrics import catalogue as c
from attente.metrics.collector import ViewCollector
from attente.metrics.reading import read
from attente.metrics.server import MetricsServer
from attente.settings import Settings
from handtape import EXPECTED, LILLE, RECORDS, REGISTRY


class Desk:
    """An engine with the hand-made tape in partition 0, its loop in a thread, and the scrape of it."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.engine = Engine(Settings(worker="w0"), REGISTRY, 1, print)
        self.engine.highwater = lambda _: len(RECORDS) + 5
        partition = Partition(self.engine.plan, 0, 1)
        partition.ingest(RECORDS)
        self.owned = Owned(partition)
        ownership = self.engine.ownership
        ownership.states = {0: self.owned}
        ownership.live = {0}
        ownership.settled = True
        ownership.renew(self.owned.applied_at + 3_600)
        self.scrape = Scrape(self.engine, loop)


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    yield loop
    loop.call_soon_threadsafe(loop.stop)
    thread.join(30)
    loop.close()


@pytest.fixture
def desk(loop: asyncio.AbstractEventLoop) -> Desk:
    return Desk(loop)


class Block:
    """Holds the loop for as long as it is open."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._held = threading.Event()
        self._release = threading.Event()
        self._loop = loop

    def _hold(self) -> None:
        self._held.set()
        self._release.wait(60)

    def __enter__(self) -> None:
        self._loop.call_soon_threadsafe(self._hold)
        assert self._held.wait(30)

    def __exit__(self, *_: object) -> None:
        self._release.set()


def test_a_view_holds_the_figures_and_how_the_worker_is(desk: Desk) -> None:
    view = desk.scrape()
    (partition,) = view.partitions
    assert (partition.read, partition.counted, partition.duplicate) == (
        EXPECTED.read,
        EXPECTED.counted,
        EXPECTED.duplicate,
    )
    assert [office.office for office in partition.offices] == list(REGISTRY.offices)
    assert {office.office: office.open_desks for office in partition.offices if office.open_desks} == {LILLE: 1}
    (health,) = view.health.partitions
    assert (health.partition, health.shown, health.lag) == (0, True, 5)
    assert view.health.ready


def test_scrapes_that_come_close_together_share_a_view(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    first = desk.scrape()
    assert desk.scrape().partitions[0] is first.partitions[0]
    monkeypatch.setattr(scrape_module, "FRESH_S", 0.0)
    later = desk.scrape()
    assert later.partitions[0] is not first.partitions[0]
    assert later.partitions[0].read == first.partitions[0].read


def test_a_view_that_was_rendered_before_a_partition_was_lost_does_not_show_it(desk: Desk) -> None:
    assert len(desk.scrape().partitions) == 1
    desk.engine.ownership.live = set()
    view = desk.scrape()
    assert view.partitions == ()
    assert view.health.partitions == ()


def test_a_view_that_was_rendered_before_the_lease_ended_does_not_outlive_it(desk: Desk) -> None:
    assert len(desk.scrape().partitions) == 1
    desk.engine.ownership.renew(float("-inf"))
    view = desk.scrape()
    assert view.partitions == ()
    # It is still believed to be ours, and how far it is behind may be seen.
    assert [(one.partition, one.shown) for one in view.health.partitions] == [(0, False)]
    assert not view.health.ready


def test_a_partition_that_went_and_came_back_is_not_shown_from_an_older_view(desk: Desk) -> None:
    before = desk.scrape().partitions
    desk.owned.restart_delivery()  # what every take-over does
    assert len(before) == 1
    assert desk.scrape().partitions == ()


def test_a_view_under_the_registry_of_before_is_not_shown(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    changed = Partition(Plan(replace(REGISTRY, norms={}, hash="changed")), 0, 1)
    changed.ingest(RECORDS)
    assert len(desk.scrape().partitions) == 1
    desk.owned.become(changed)
    assert desk.scrape().partitions == ()
    monkeypatch.setattr(scrape_module, "FRESH_S", 0.0)
    (view,) = desk.scrape().partitions
    assert all(not office.readings for office in view.offices)


def test_a_loop_that_does_not_turn_is_told_and_works_again_afterwards(
    desk: Desk, loop: asyncio.AbstractEventLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scrape_module, "PATIENCE_S", 0.2)
    with Block(loop), pytest.raises(TimeoutError, match="the event loop has not rendered the figures within 0 s"):
        desk.scrape()
    monkeypatch.undo()
    assert len(desk.scrape().partitions) == 1


def test_the_server_answers_503_while_the_loop_does_not_turn(
    desk: Desk, loop: asyncio.AbstractEventLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    with MetricsServer(ViewCollector(REGISTRY, desk.scrape), lambda: (True, "fine")) as server:
        status, text = get(f"{server.url}/metrics")
        assert status == 200
        assert read(text).total(c.EVENTS_READ) == EXPECTED.read
        monkeypatch.setattr(scrape_module, "PATIENCE_S", 0.2)
        with Block(loop):
            for path in ("/metrics", "/readyz"):
                status, text = get(f"{server.url}{path}")
                assert status == 503
                assert "the event loop has not rendered the figures" in text
        monkeypatch.undo()
        assert get(f"{server.url}/metrics")[0] == 200


def get(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:  # noqa: S310 - our own server
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
