"""Before a worker starts: is the broker there, are the topics, do their partitions agree."""

import asyncio
import re
import socket
import uuid
from collections.abc import Callable, Iterable
from dataclasses import replace

import pytest

from attente.broker.admin import TopicState, connect
from attente.broker.local import LocalBroker
from attente.engine import preflight
from attente.engine.preflight import count_partitions
from attente.errors import Missing
from attente.model.topics import CHECKPOINTS, DEADLETTERS, EVENTS, MANIFESTS
from attente.settings import Settings, prefixed


def create(broker: LocalBroker, prefix: str, partitions: dict[str, int]) -> None:
    with connect(broker.bootstrap) as admin:
        admin.create(TopicState(prefixed(name, prefix), count, 1, {}) for name, count in partitions.items())


def counted(broker: LocalBroker, prefix: str, said: list[str] | None = None) -> int:
    settings = Settings(broker=broker.bootstrap, topic_prefix=prefix, worker="w0")
    told = [] if said is None else said
    return asyncio.run(asyncio.wait_for(count_partitions(settings, told.append), 60))


def refusal(broker: LocalBroker, prefix: str) -> str:
    with pytest.raises(Missing) as refused:
        counted(broker, prefix)
    assert refused.value.exit_code == 5
    return str(refused.value)


def fresh() -> str:
    return f"p{uuid.uuid4().hex[:10]}."


def test_the_number_of_partitions_is_that_of_the_events(broker: LocalBroker, make_topics: Callable[..., str]) -> None:
    said: list[str] = []
    assert counted(broker, make_topics(3), said) == 3
    assert said == []


def test_topics_that_are_not_there_are_named_with_the_remedy(broker: LocalBroker) -> None:
    prefix = fresh()
    names = ", ".join(prefixed(name, prefix) for name in (EVENTS, DEADLETTERS, CHECKPOINTS, MANIFESTS))
    assert refusal(broker, prefix) == (
        f"no topic {names} at {broker.bootstrap}; "
        f"run: attente topics apply --broker {broker.bootstrap} --prefix {prefix}"
    )


@pytest.mark.parametrize("absent", [EVENTS, DEADLETTERS, CHECKPOINTS, MANIFESTS])
def test_one_topic_that_is_not_there_is_enough(broker: LocalBroker, absent: str) -> None:
    prefix = fresh()
    create(broker, prefix, dict.fromkeys(others(absent), 2))
    assert refusal(broker, prefix).startswith(f"no topic {prefixed(absent, prefix)} at ")


@pytest.mark.parametrize("short", [DEADLETTERS, CHECKPOINTS, MANIFESTS])
def test_a_topic_with_fewer_partitions_than_the_events_is_refused(broker: LocalBroker, short: str) -> None:
    prefix = fresh()
    create(broker, prefix, dict.fromkeys(others(short), 3) | {short: 2})
    assert refusal(broker, prefix) == (
        f"{prefixed(short, prefix)} has 2 partitions, the events have 3; "
        f"run: attente topics apply --broker {broker.bootstrap} --prefix {prefix}"
    )


def test_more_partitions_than_the_events_have_do_no_harm(broker: LocalBroker) -> None:
    prefix = fresh()
    create(broker, prefix, {EVENTS: 2, DEADLETTERS: 3, CHECKPOINTS: 2, MANIFESTS: 4})
    assert counted(broker, prefix) == 2


def others(absent: str) -> Iterable[str]:
    return [name for name in (EVENTS, DEADLETTERS, CHECKPOINTS, MANIFESTS) if name != absent]


def test_a_broker_that_is_away_is_waited_for_with_a_line_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "REMIND_S", 0.5)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    said: list[str] = []
    heard = asyncio.Event()

    def say(line: str) -> None:
        said.append(line)
        if len(said) == 2:
            heard.set()

    async def wait() -> None:
        waiting = asyncio.ensure_future(count_partitions(replace(Settings(worker="w0"), broker=address), say))
        await asyncio.wait_for(heard.wait(), 60)
        assert not waiting.done()
        waiting.cancel()

    asyncio.run(wait())
    assert all(re.fullmatch(rf"waits for the broker at {address}: \S.*", line) for line in said)
