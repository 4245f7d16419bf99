"""Records on their way to Kafka are bounded, and every one is answered for."""

import threading
from collections import Counter

import pytest

from attente.broker.local import LocalBroker
from attente.model.topics import EVENTS
from attente.settings import prefixed
from attente.sources import outbox as module
from attente.sources.outbox import Outbox
from sources.topic_content import content


@pytest.fixture
def topic(topics_prefix: str) -> str:
    return prefixed(EVENTS, topics_prefix)


def opened(broker: LocalBroker, topic: str) -> Outbox:
    return Outbox(broker.bootstrap, topic, 30.0, threading.Event())


def test_no_more_records_are_on_their_way_than_allowed(
    broker: LocalBroker, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_MOST_RECORDS", 100)
    with opened(broker, topic) as outbox:
        for line in range(1, 2_001):
            outbox.send(line, line % 4, b"key", b"%d" % line, None)
            assert len(outbox._pending) <= 100
        outbox.settle()
        assert outbox.acknowledged == 2_000
        assert outbox.partitions == dict.fromkeys(range(4), 500)
    assert Counter(record.value for record in content(broker.bootstrap, topic)) == Counter(
        b"%d" % line for line in range(1, 2_001)
    )


def test_no_more_bytes_are_on_their_way_than_allowed(
    broker: LocalBroker, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_MOST_BYTES", 10_000)
    with opened(broker, topic) as outbox:
        for line in range(1, 101):
            outbox.send(line, 0, b"key", b"x" * 1_000, None)
            assert sum(size for _, _, size, _ in outbox._pending) <= 10_000
        outbox.settle()
        assert outbox.acknowledged == 100


def test_the_oldest_line_without_an_answer_is_known(broker: LocalBroker, topic: str) -> None:
    with opened(broker, topic) as outbox:
        assert outbox.oldest == 0
        outbox.send(7, 0, b"key", b"value", None)
        outbox.send(9, 1, b"key", b"value", None)
        assert outbox.oldest == 7
        outbox.settle()
        assert outbox.oldest == 0


def test_an_outbox_that_is_left_in_a_hurry_sends_nothing_later(broker: LocalBroker, topic: str) -> None:
    with opened(broker, topic) as outbox:
        for line in range(1, 1_001):
            outbox.send(line, 0, b"key", b"value", None)
        sender = outbox._producer._sender
    assert not sender.is_alive()
