"""How a worker starts, and how it lives with a broker that is not there: one line, no traceback, the right code."""

import re
import socket
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from attente.broker.admin import TopicState, connect
from attente.broker.local import LocalBroker
from attente.broker.topics import apply, with_prefix
from attente.core.state import digest
from attente.metrics import catalogue as c
from attente.model.topics import CHECKPOINTS, DEADLETTERS, EVENTS, MANIFESTS, topics
from attente.registry.load import parse
from attente.settings import prefixed
from driver import Driver
from handtape import EXPECTED, RECORDS, REGISTRY
from workers import Crew, Worker, wait_until, write, written

MakeCrew = Callable[..., Crew]


# --- what it refuses to start with


def refusals(worker: Worker, code: int) -> list[str]:
    """All that a worker has said, which ends with a code."""
    assert worker.exit_code() == code, worker.story
    assert all(line.startswith("attente: ") for line in worker.lines), worker.story
    return [line.removeprefix("attente: ") for line in worker.lines]


def test_what_a_worker_cannot_start_with_is_told_in_a_line(broker: LocalBroker, tmp_path: Path) -> None:
    sound, bad = tmp_path / "registry.yaml", tmp_path / "bad.yaml"
    sound.write_text(written(REGISTRY))
    threshold = f"threshold: {next(iter(REGISTRY.norms.values())).threshold_s}s"
    bad.write_text(written(REGISTRY).replace(threshold, "threshold: 20.5s", 1).replace("Asia/Kolkata", "Asia/Poona"))
    places = {value: place(bad.read_text(), value) for value in ("20.5s", "Asia/Poona")}
    absent, short = (f"p{uuid.uuid4().hex[:10]}." for _ in range(2))
    with connect(broker.bootstrap) as admin:
        counts = {EVENTS: 3, DEADLETTERS: 3, CHECKPOINTS: 2, MANIFESTS: 3}
        admin.create(TopicState(prefixed(name, short), count, 1, {}) for name, count in counts.items())
    apply_ = f"run: attente topics apply --broker {broker.bootstrap} --prefix"
    with socket.create_server(("127.0.0.1", 0)) as taken, Crew(broker.bootstrap, absent, sound) as crew:
        port = str(taken.getsockname()[1])
        # All at once: most of the time goes into loading the programs.
        none = Crew(broker.bootstrap, absent, None).start("none")
        missing = Crew(broker.bootstrap, absent, tmp_path / "nowhere.yaml").start("missing")
        wrong = Crew(broker.bootstrap, absent, bad).start("wrong")
        no_topics = crew.start("no-topics")
        few = Crew(broker.bootstrap, short, sound).start("few")
        unknown = crew.start("unknown", "--speed", "9")
        (told,) = refusals(none, 3)
        assert told == "a worker needs a registry; name it with --registry FILE"
        (told,) = refusals(missing, 5)
        assert told.startswith(f"{tmp_path / 'nowhere.yaml'}: the registry cannot be read")
        told_of_both = refusals(wrong, 3)
        assert len(told_of_both) == 2
        assert any(
            line.startswith(f"{bad}:{places['20.5s']}: ") and "20.5s is not a whole number of seconds" in line
            for line in told_of_both
        ), told_of_both
        assert any(line.startswith(f"{bad}:{places['Asia/Poona']}: ") for line in told_of_both), told_of_both
        (told,) = refusals(no_topics, 5)
        assert told.startswith(f"no topic {prefixed(EVENTS, absent)}, ")
        assert told.endswith(f"; {apply_} {absent}")
        (told,) = refusals(few, 5)
        wanted = f"{prefixed(CHECKPOINTS, short)} has 2 partitions, the events have 3; {apply_} {short}"
        assert told == wanted
        assert unknown.exit_code() == 2
        assert "Traceback" not in unknown.story

        with connect(broker.bootstrap) as admin:
            assert not any(one.failure for one in apply(admin, with_prefix(topics(1), absent)))
        (told,) = refusals(crew.start("port", "--metrics-port", port), 5)
        assert told.startswith(f"cannot serve metrics on 127.0.0.1:{port}: ")


def place(text: str, value: str) -> str:
    """Line and column of a value."""
    before = text[: text.index(value)]
    return f"{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))}"


# --- a broker that comes and goes


@pytest.fixture(scope="module")
def own_broker(broker_extra: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalBroker]:
    """A broker that may be stopped and started; it keeps its port."""
    with LocalBroker(tmp_path_factory.mktemp("own")) as broker:
        yield broker


@pytest.fixture
def crew(own_broker: LocalBroker, tmp_path: Path) -> Iterator[Crew]:
    """Workers of that broker, on a partition of their own."""
    prefix = f"t{uuid.uuid4().hex[:10]}."
    with connect(own_broker.bootstrap) as admin:
        assert not any(one.failure for one in apply(admin, with_prefix(topics(1, archive=True), prefix)))
    registry = tmp_path / "registry.yaml"
    registry.write_text(written(REGISTRY))
    with Crew(own_broker.bootstrap, prefix, registry) as crew:
        yield crew


def test_a_worker_waits_for_a_broker_that_is_away_when_it_starts(own_broker: LocalBroker, crew: Crew) -> None:
    write(crew.bootstrap, crew.events, RECORDS)
    own_broker.down()
    try:
        worker = crew.start("w0")
        worker.hears(rf"waits for the broker at {re.escape(crew.bootstrap)}: ")
        assert worker.is_running
    finally:
        own_broker.up()
    crew.wait_for(1, EXPECTED.read)
    assert worker.scrape().total(c.EVENTS_COUNTED) == EXPECTED.counted
    assert worker.stop() == 0, worker.story


def test_a_broker_that_goes_away_in_the_middle_costs_nothing(own_broker: LocalBroker, crew: Crew) -> None:
    half = len(RECORDS) // 2
    write(crew.bootstrap, crew.events, RECORDS[:half])
    with Crew(crew.bootstrap, crew.prefix, crew.registry) as others:
        worker = crew.start("w0", "--hash-every", "10")
        other = others.start("w1", group="others")
        for one in (crew, others):
            one.wait_for(1, half)
        own_broker.down()
        try:
            # One that is told to stop does not wait for the broker's return.
            assert other.stop() == 0, other.story
            assert "Traceback" not in other.story
            # Nobody vouches for the figures of the other any more: they vanish, and it goes on.
            wait_until(lambda: worker.shown() == set(), "the end of the lease")
            assert worker.owned() == {0}
            assert worker.get("/healthz")[0] == 200
            assert worker.get("/readyz")[0] == 503
        finally:
            own_broker.up()
    write(crew.bootstrap, crew.events, RECORDS[half:])
    crew.wait_for(1, EXPECTED.read)
    assert worker.is_running
    assert worker.scrape().total(c.EVENTS_COUNTED) == EXPECTED.counted
    # The producer of letters may find its broker again later than the fetcher does.
    letters = sum(EXPECTED.refused.values())
    wait_until(lambda: worker.scrape().total(c.DEAD_LETTERS) == letters, "every letter is written")
    driver = Driver(parse(written(REGISTRY), "registry.yaml"), 1)
    driver.parts[0].mark(10, digest)
    wanted = {(0, offset): hashed for offset, hashed in driver.feed(RECORDS).parts[0].marks}
    assert worker.hashes() == wanted
    assert sum("commit failed" in line for line in worker.lines) == 1
    assert worker.stop() == 0, worker.story
