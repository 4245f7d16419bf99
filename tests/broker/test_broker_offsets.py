"""How long the log of a topic is, and deleting one."""

from collections.abc import Callable

from kafka import KafkaProducer

from attente.broker.admin import connect
from attente.broker.local import LocalBroker


def test_offsets_tell_how_many_records_each_partition_holds(
    broker: LocalBroker, make_topics: Callable[..., str]
) -> None:
    topic = f"{make_topics(3)}events"
    producer = KafkaProducer(bootstrap_servers=broker.bootstrap)
    for partition in (0, 0, 2):
        producer.send(topic, b"{}", partition=partition).get(30)
    producer.close()

    with connect(broker.bootstrap) as admin:
        assert admin.offsets(topic) == {0: (0, 2), 1: (0, 0), 2: (0, 1)}


def test_a_topic_that_is_deleted_is_gone_and_its_neighbours_are_not(
    broker: LocalBroker, make_topics: Callable[..., str]
) -> None:
    prefix = make_topics()
    with connect(broker.bootstrap) as admin:
        assert admin.delete([f"{prefix}events"]) == {f"{prefix}events": None}

        left = [name for name in admin.topic_names() if name.startswith(prefix)]
    assert left == [f"{prefix}{name}" for name in ("checkpoints", "deadletters", "manifests")]


def test_deleting_what_is_not_there_is_told(broker: LocalBroker) -> None:
    with connect(broker.bootstrap) as admin:
        (why,) = admin.delete(["nobody.has.made.this"]).values()

    assert why is not None
    assert "UnknownTopicOrPartition" in why
