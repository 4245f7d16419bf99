import logging
import re
import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from attente.broker.admin import TopicState, connect
from attente.broker.local import LocalBroker
from attente.errors import BrokerUnreachable

# Hang limits; each of these takes 5 s at most, on a machine that has time for it.
pytestmark = pytest.mark.timeout(60)


@pytest.fixture(autouse=True)
def _quiet() -> None:
    logging.getLogger("kafka").setLevel(logging.CRITICAL)


@pytest.fixture
def mute() -> Iterator[str]:
    """An address that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture
def no_kafka() -> Iterator[str]:
    """An address where something else than Kafka answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(100)
                    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def threads_of_clients() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("kafka-io")]


# Nobody there


def test_an_address_that_refuses_connections_is_named_with_what_to_do() -> None:
    with pytest.raises(BrokerUnreachable) as caught:
        connect("127.0.0.1:1")

    assert str(caught.value) == (
        "no Kafka broker at 127.0.0.1:1 (connection refused); start a local one with 'attente broker up', or name "
        "another with --broker HOST:PORT"
    )
    assert caught.value.exit_code == 4


def test_a_host_that_does_not_exist_is_named() -> None:
    with pytest.raises(BrokerUnreachable, match=r"^no Kafka broker at nowhere\.invalid:9092 \("):
        connect("nowhere.invalid:9092")


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("mute", "answers at {} within 1 s, though something listens there"),
        ("no_kafka", "at {} (a web server answers there)"),
    ],
)
def test_what_is_no_kafka_is_given_up_in_bounded_time_and_leaves_no_thread_behind(
    address: str, why: str, request: pytest.FixtureRequest
) -> None:
    where = request.getfixturevalue(address)
    before = threads_of_clients()

    with pytest.raises(BrokerUnreachable, match=re.escape(why.format(where))):
        connect(where, timeout_seconds=1)

    assert threads_of_clients() == before


def test_every_address_of_several_is_tried(broker: LocalBroker) -> None:
    with connect(f"127.0.0.1:1,{broker.bootstrap}") as admin:
        assert admin.cluster_id()


# Somebody there


def test_a_closed_connection_leaves_no_thread_behind(broker: LocalBroker) -> None:
    before = threads_of_clients()
    with connect(broker.bootstrap):
        assert len(threads_of_clients()) == len(before) + 1

    assert threads_of_clients() == before


def test_the_topics_are_ours_and_not_those_that_the_broker_keeps_for_itself(
    broker: LocalBroker, make_topics: Callable[..., str]
) -> None:
    prefix = make_topics()

    with connect(broker.bootstrap) as admin:
        names = admin.topic_names()

    assert [name.removeprefix(prefix) for name in names if name.startswith(prefix)] == [
        "checkpoints",
        "deadletters",
        "events",
        "manifests",
    ]
    assert not [name for name in names if name.startswith("__")]


def test_a_topic_is_described_with_every_setting_in_force(broker: LocalBroker, topics_prefix: str) -> None:
    name = f"{topics_prefix}events"

    with connect(broker.bootstrap) as admin:
        found = admin.topics([name, f"{topics_prefix}nothing"])

    assert set(found) == {name}
    assert (found[name].partitions, found[name].replication) == (4, 1)
    assert found[name].config["message.timestamp.type"] == "LogAppendTime"  # set for the topic
    assert found[name].config["compression.type"] == "producer"  # the broker's default


def test_what_the_broker_says_against_a_topic_is_kept_and_the_others_are_made(broker: LocalBroker) -> None:
    good = TopicState("admin-good", 2, 1, {"retention.ms": "1000"})
    too_many_copies = TopicState("admin-copies", 2, 3, {})
    bad_setting = TopicState("admin-setting", 2, 1, {"retention.ms": "soon"})

    with connect(broker.bootstrap) as admin:
        said = admin.create([good, too_many_copies, bad_setting])
        found = admin.topics(said)

    assert said["admin-good"] is None
    assert str(said["admin-copies"]).startswith("InvalidReplicationFactorError: ")
    assert str(said["admin-setting"]).startswith("InvalidConfigurationError: ")
    assert {name: state.config["retention.ms"] for name, state in found.items()} == {"admin-good": "1000"}


def test_setting_one_setting_leaves_the_others_of_the_topic(broker: LocalBroker, topics_prefix: str) -> None:
    name = f"{topics_prefix}events"

    with connect(broker.bootstrap) as admin:
        before = admin.topics([name])[name].config
        assert admin.set_config(name, {"segment.ms": "3600000"}) is None
        after = admin.topics([name])[name].config

    assert {key: value for key, value in after.items() if before.get(key) != value} == {"segment.ms": "3600000"}


def test_a_setting_that_the_broker_does_not_take_is_answered_with_what_it_said(
    broker: LocalBroker, topics_prefix: str
) -> None:
    with connect(broker.bootstrap) as admin:
        said = admin.set_config(f"{topics_prefix}events", {"segment.ms": "soon"})

    assert said is not None
    assert "segment.ms" in said
