"""The topics hold what the rest of the program promises."""

import re

import pytest

from attente.model.topics import CHECKPOINTS, DEADLETTERS, EVENTS, LARGEST_CHUNK, MANIFESTS, TopicSpec, topics

HOUR = 3_600_000
DAY = 24 * HOUR


def named(*, archive: bool = False, replication: int = 1) -> dict[str, TopicSpec]:
    return {topic.name: topic for topic in topics(12, archive=archive, replication=replication)}


def number(topic: TopicSpec, setting: str) -> int:
    return int(topic.config[setting])


def test_there_are_four_topics_with_the_names_that_everybody_uses() -> None:
    assert [topic.name for topic in topics(4)] == [EVENTS, DEADLETTERS, CHECKPOINTS, MANIFESTS]
    assert [topic.name for topic in topics(4)] == [
        "attente.events",
        "attente.deadletters",
        "attente.checkpoints",
        "attente.manifests",
    ]


def test_all_topics_have_as_many_partitions_as_the_events() -> None:
    assert {topic.partitions for topic in topics(12)} == {12}


def test_every_topic_says_what_it_is_for() -> None:
    for topic in topics(4):
        assert topic.key
        assert topic.description.endswith(".")
        assert topic.producers
        assert topic.consumers


def test_settings_are_texts_with_the_names_of_kafka() -> None:
    for topic in (*topics(4), *topics(4, archive=True)):
        for name, value in topic.config.items():
            assert re.fullmatch(r"[a-z.]+", name), name
            assert isinstance(value, str)
            assert value


def test_live_events_are_stamped_by_the_broker_and_kept_seven_days() -> None:
    events = named()[EVENTS]
    assert events.config["message.timestamp.type"] == "LogAppendTime"
    assert events.config["cleanup.policy"] == "delete"
    assert number(events, "retention.ms") == 7 * DAY
    assert number(events, "retention.bytes") == -1


def test_an_archive_is_stamped_by_its_own_time_wherever_that_lies_and_kept_without_end() -> None:
    events = named(archive=True)[EVENTS]
    assert events.config["message.timestamp.type"] == "CreateTime"
    assert number(events, "retention.ms") == -1
    assert number(events, "retention.bytes") == -1
    assert number(events, "segment.ms") > 100 * 365 * DAY, "years of segments of a day would be as many open files"
    assert number(events, "message.timestamp.before.max.ms") == 2**63 - 1
    assert number(events, "message.timestamp.after.max.ms") == 2**63 - 1


def test_an_archive_differs_in_its_events_only() -> None:
    live, archive = named(), named(archive=True)
    assert [name for name in live if live[name] != archive[name]] == [EVENTS]


def test_whatever_attente_writes_is_stamped_by_the_broker() -> None:
    # Records stamped with an archive's own time would be deleted as soon as they are written.
    for topic in topics(4, archive=True)[1:]:
        assert topic.config["message.timestamp.type"] == "LogAppendTime", topic.name


def test_a_dead_letter_has_room_for_the_largest_event_its_key_and_its_reason() -> None:
    found = named()
    room = number(found[DEADLETTERS], "max.message.bytes") - number(found[EVENTS], "max.message.bytes")
    assert room >= 100_000
    assert number(found[DEADLETTERS], "retention.ms") == 30 * DAY


def test_a_chunk_fits_its_topic_with_its_headers() -> None:
    assert LARGEST_CHUNK == 512 * 1024
    assert number(named()[CHECKPOINTS], "max.message.bytes") > LARGEST_CHUNK + 10_000


def test_a_checkpoint_is_kept_at_least_as_long_as_the_events_that_follow_it() -> None:
    found = named()
    assert number(found[CHECKPOINTS], "retention.ms") >= number(found[EVENTS], "retention.ms")
    assert found[CHECKPOINTS].config["cleanup.policy"] == "delete"


def test_the_bytes_kept_of_checkpoints_hold_two_large_ones_and_are_counted_in_small_segments() -> None:
    checkpoints = named()[CHECKPOINTS]
    of_8_million_visits = 8_000_000 * 15
    assert number(checkpoints, "retention.bytes") >= 2 * of_8_million_visits
    assert number(checkpoints, "segment.bytes") * 8 <= number(checkpoints, "retention.bytes")
    assert number(checkpoints, "segment.bytes") >= 2**20, "the least that Kafka 4 allows"


def test_a_manifest_outlives_its_chunks() -> None:
    found = named()
    assert number(found[MANIFESTS], "retention.ms") > number(found[CHECKPOINTS], "retention.ms")


def test_manifests_are_compacted_soon() -> None:
    manifests = named()[MANIFESTS]
    assert manifests.config["cleanup.policy"] == "compact,delete"
    assert number(manifests, "segment.ms") == 60_000
    assert manifests.config["min.cleanable.dirty.ratio"] == "0.1"


def test_what_expires_expires_within_a_day_of_its_time() -> None:
    for topic in topics(4):
        assert number(topic, "segment.ms") <= DAY, topic.name


@pytest.mark.parametrize(("copies", "in_sync"), [(1, 1), (2, 1), (3, 2), (5, 4)])
def test_an_acknowledged_record_survives_the_loss_of_a_broker_where_there_are_three(copies: int, in_sync: int) -> None:
    for topic in named(replication=copies).values():
        assert topic.replication == copies
        assert number(topic, "min.insync.replicas") == in_sync
        assert topic.config["unclean.leader.election.enable"] == "false"


@pytest.mark.parametrize(("partitions", "copies"), [(0, 1), (-1, 1), (4, 0)])
def test_less_than_one_partition_or_copy_is_refused(partitions: int, copies: int) -> None:
    with pytest.raises(ValueError, match=f"^{partitions} partitions with {copies} copies: both must be at least 1$"):
        topics(partitions, replication=copies)
