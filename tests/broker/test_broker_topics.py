from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import pytest

from attente.broker.admin import Admin, TopicState, connect
from attente.broker.local import LocalBroker
from attente.broker.topics import Change, Difference, Kind, apply, is_settled, plan, with_prefix
from attente.model.topics import TopicSpec, topics


@pytest.fixture
def admin(broker: LocalBroker) -> Iterator[Admin]:
    with connect(broker.bootstrap) as connected:
        yield connected


@pytest.fixture
def prefix(make_topics: Callable[..., str]) -> str:
    return make_topics()


def specs(prefix: str, partitions: int = 4, *, archive: bool = False, replication: int = 1) -> tuple[TopicSpec, ...]:
    return with_prefix(topics(partitions, archive=archive, replication=replication), prefix)


def kinds(changes: Sequence[Change]) -> dict[str, Kind]:
    return {change.topic.name.rpartition(".")[2]: change.kind for change in changes}


ALL = ("events", "deadletters", "checkpoints", "manifests")


# Names


def test_a_prefix_takes_the_place_of_our_own_in_every_name() -> None:
    assert [spec.name for spec in specs("city.")] == [f"city.{name}" for name in ALL]


def test_the_default_prefix_changes_nothing() -> None:
    assert specs("attente.") == topics(4)


# Create


def test_topics_that_are_missing_are_planned_and_then_created_as_specified(
    admin: Admin, prefix: str, topics_prefix: str
) -> None:
    wanted = specs(f"{prefix}more.", 3)

    assert kinds(plan(admin, wanted)) == dict.fromkeys(ALL, Kind.CREATE)
    results = apply(admin, wanted)

    assert [result.failure for result in results] == [None] * 4
    found = admin.topics(spec.name for spec in wanted)
    assert {name: state.partitions for name, state in found.items()} == {spec.name: 3 for spec in wanted}
    assert not [
        (spec.name, key)
        for spec in wanted
        for key, value in spec.config.items()
        if found[spec.name].config[key] != value
    ]


def test_a_plan_changes_nothing(admin: Admin, prefix: str) -> None:
    wanted = specs(f"{prefix}planned.")

    plan(admin, wanted)

    assert admin.topics(spec.name for spec in wanted) == {}


def test_once_applied_there_is_nothing_to_do(admin: Admin, prefix: str) -> None:
    changes = plan(admin, specs(prefix))

    assert kinds(changes) == dict.fromkeys(ALL, Kind.NOTHING)
    assert is_settled(changes)


def test_applying_twice_does_nothing_the_second_time(admin: Admin, prefix: str) -> None:
    results = apply(admin, specs(prefix))

    assert [(result.change.kind, result.failure) for result in results] == [(Kind.NOTHING, None)] * 4


def test_only_what_is_missing_is_created(admin: Admin, prefix: str) -> None:
    half, whole = specs(f"{prefix}half.")[:2], specs(f"{prefix}half.")
    apply(admin, half)

    results = apply(admin, whole)

    assert [result.change.kind for result in results] == [Kind.NOTHING, Kind.NOTHING, Kind.CREATE, Kind.CREATE]
    assert is_settled(plan(admin, whole))


def test_what_the_broker_refuses_to_create_is_a_failure_with_its_words(admin: Admin, prefix: str) -> None:
    results = apply(admin, specs(f"{prefix}copies.", replication=3))

    assert all(str(result.failure).startswith("InvalidReplicationFactorError: ") for result in results)


# Set


def test_a_setting_that_has_drifted_is_set_back_and_others_are_left(admin: Admin, prefix: str) -> None:
    name = f"{prefix}manifests"
    admin.set_config(name, {"min.cleanable.dirty.ratio": "0.9", "flush.messages": "7"})

    changes = plan(admin, specs(prefix))
    results = apply(admin, specs(prefix))

    assert kinds(changes) == {**dict.fromkeys(ALL, Kind.NOTHING), "manifests": Kind.SET}
    assert changes[3].differences == (Difference("min.cleanable.dirty.ratio", "0.9", "0.1"),)
    assert [result.failure for result in results] == [None] * 4
    config = admin.topics([name])[name].config
    assert (config["min.cleanable.dirty.ratio"], config["flush.messages"]) == ("0.1", "7")


def test_a_default_of_the_broker_that_is_what_we_want_needs_no_setting(admin: Admin, prefix: str) -> None:
    # Kafka's own default of unclean.leader.election.enable is false, as we want it.
    events = specs(f"{prefix}bare.")[0]
    config = {key: value for key, value in events.config.items() if key != "unclean.leader.election.enable"}
    admin.create([TopicState(events.name, 4, 1, config)])

    assert plan(admin, [events])[0].kind is Kind.NOTHING


def test_the_order_of_cleanup_policies_does_not_matter(admin: Admin, prefix: str) -> None:
    assert admin.set_config(f"{prefix}manifests", {"cleanup.policy": "delete,compact"}) is None

    assert is_settled(plan(admin, specs(prefix)))


@pytest.mark.parametrize("longer", ["-1", str(30 * 86_400_000)])
def test_records_that_are_kept_longer_than_we_need_are_left_to_whoever_wants_them(
    longer: str, admin: Admin, prefix: str
) -> None:
    name = f"{prefix}events"
    admin.set_config(name, {"retention.ms": longer})

    change = plan(admin, specs(prefix))[0]
    apply(admin, specs(prefix))

    assert change.kind is Kind.NOTHING
    assert change.why == f"retention.ms is {longer}, more than the 604800000 needed, and is left so"
    assert admin.topics([name])[name].config["retention.ms"] == longer


def test_records_that_are_kept_too_briefly_are_kept_longer(admin: Admin, prefix: str) -> None:
    name = f"{prefix}events"
    admin.set_config(name, {"retention.ms": "3600000"})

    apply(admin, specs(prefix))

    assert admin.topics([name])[name].config["retention.ms"] == "604800000"


def test_an_archive_that_would_forget_is_made_to_keep_for_ever(admin: Admin, make_topics: Callable[..., str]) -> None:
    prefix = make_topics(archive=True)
    name = f"{prefix}events"
    admin.set_config(name, {"retention.ms": "3600000"})

    apply(admin, specs(prefix, archive=True))

    assert admin.topics([name])[name].config["retention.ms"] == "-1"


# Refuse


def test_another_number_of_partitions_is_refused_with_the_ways_out(admin: Admin, prefix: str) -> None:
    changes = plan(admin, specs(prefix, 12))

    assert kinds(changes) == dict.fromkeys(ALL, Kind.REFUSE)
    assert changes[0].why == (
        "it has 4 partitions, not 12: their number decides which partition an office belongs to, and is for ever; ask "
        "for --partitions 4, or make a new set of topics with another --prefix and replay the events into it"
    )


def test_fewer_partitions_are_refused_too(admin: Admin, prefix: str) -> None:
    assert kinds(plan(admin, specs(prefix, 1))) == dict.fromkeys(ALL, Kind.REFUSE)


@pytest.mark.parametrize(("first", "said"), [(False, "it is a live topic"), (True, "it is an archive")])
def test_a_live_topic_and_an_archive_never_become_each_other(
    first: bool, said: str, admin: Admin, make_topics: Callable[..., str]
) -> None:
    prefix = make_topics(archive=first)
    stamped = admin.topics([f"{prefix}events"])[f"{prefix}events"].config["message.timestamp.type"]

    changes = plan(admin, specs(prefix, archive=not first))
    apply(admin, specs(prefix, archive=not first))

    assert kinds(changes) == {**dict.fromkeys(ALL, Kind.NOTHING), "events": Kind.REFUSE}
    assert changes[0].why.startswith(said)
    assert "another --prefix" in changes[0].why
    assert admin.topics([f"{prefix}events"])[f"{prefix}events"].config["message.timestamp.type"] == stamped


def test_another_number_of_copies_is_refused_with_the_flag_that_fits(admin: Admin, prefix: str) -> None:
    change = plan(admin, specs(prefix, replication=3))[0]

    assert change.kind is Kind.REFUSE
    assert "it has 1 copies of each partition, not 3: ask for --replication 1" in change.why


def test_another_cleanup_policy_is_refused_because_it_would_delete_records(admin: Admin, prefix: str) -> None:
    admin.set_config(f"{prefix}events", {"cleanup.policy": "compact"})

    change = plan(admin, specs(prefix))[0]

    assert change.kind is Kind.REFUSE
    assert change.why.startswith("cleanup.policy is compact, not delete, and changing it deletes records")


def test_when_one_topic_is_refused_none_is_touched(admin: Admin, prefix: str) -> None:
    admin.set_config(f"{prefix}manifests", {"min.cleanable.dirty.ratio": "0.9"})
    admin.create([TopicState(f"{prefix}odd", 9, 1, {})])
    odd = replace(specs(prefix)[1], name=f"{prefix}odd")
    new = replace(specs(prefix)[1], name=f"{prefix}new")

    results = apply(admin, [*specs(prefix), odd, new])

    failures = {result.change.topic.name.removeprefix(prefix): result.failure for result in results}
    untouched = "not touched, because another topic is refused"
    assert failures.pop("odd") == results[4].change.why
    assert failures == {
        "events": None,
        "deadletters": None,
        "checkpoints": None,
        "manifests": untouched,
        "new": untouched,
    }
    found = admin.topics([f"{prefix}manifests", f"{prefix}new", f"{prefix}odd"])
    assert found[f"{prefix}manifests"].config["min.cleanable.dirty.ratio"] == "0.9"
    assert found[f"{prefix}odd"].partitions == 9
    assert f"{prefix}new" not in found
