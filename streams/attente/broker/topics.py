"""What has to change at a broker so that its topics are what they must be; only what is safe is ever changed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from attente.broker.admin import Admin, TopicState
from attente.model.topics import TopicSpec
from attente.settings import prefixed

_TIMESTAMPS: Final = "message.timestamp.type"
_CLEANUP: Final = "cleanup.policy"
_RETENTION: Final = frozenset({"retention.ms", "retention.bytes"})
_FOR_EVER: Final = -1
_LIVE: Final = "LogAppendTime"
_ANOTHER_SET: Final = "a new set of topics with another --prefix and replay the events into it"


class Kind(StrEnum):
    """What is to be done with a topic."""

    CREATE = "create"
    SET = "set"
    NOTHING = "nothing"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class Difference:
    """One setting whose value at the broker is not the wanted one; None is a setting that the broker does not know."""

    setting: str
    found: str | None
    wanted: str


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be done with one topic.

    Attributes:
        kind: the action.
        topic: what the topic has to be.
        differences: the settings to set.
        why: for a refusal what is wrong and what to do instead; for `nothing` what was left as it is, if anything.
    """

    kind: Kind
    topic: TopicSpec
    differences: tuple[Difference, ...] = ()
    why: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a change.

    Attributes:
        change: what was to be done.
        failure: what the broker said against it, or what was found afterwards; None when the topic is as it must be.
    """

    change: Change
    failure: str | None


def with_prefix(specs: Iterable[TopicSpec], prefix: str) -> tuple[TopicSpec, ...]:
    """The same topics with names that begin otherwise; the default prefix is `attente.`."""
    return tuple(replace(spec, name=prefixed(spec.name, prefix)) for spec in specs)


def plan(admin: Admin, specs: Sequence[TopicSpec]) -> list[Change]:
    """Compare topics with the broker; nothing is changed.

    Raises:
        Unreachable: the broker is gone or refuses to tell.
    """
    found = admin.topics(spec.name for spec in specs)
    return [_change(spec, found.get(spec.name)) for spec in specs]


def is_settled(changes: Iterable[Change]) -> bool:
    """Whether there is nothing to do."""
    return all(change.kind is Kind.NOTHING for change in changes)


def apply(admin: Admin, specs: Sequence[TopicSpec]) -> list[Result]:
    """Make the topics what they must be, and look again whether they are.

    When one of them has to be refused none is touched: what belongs to partition p of the events lies in partition p of
    the others, so that half a set of topics is worth less than none.

    Raises:
        Unreachable: the broker is gone or refuses to tell.
    """
    changes = plan(admin, specs)
    if any(change.kind is Kind.REFUSE for change in changes):
        return [Result(change, change.why if change.kind is Kind.REFUSE else _untouched(change)) for change in changes]
    refusals = admin.create(_ordered(change.topic) for change in changes if change.kind is Kind.CREATE)
    for change in changes:
        if change.kind is Kind.SET:
            wanted = {one.setting: one.wanted for one in change.differences}
            refusals[change.topic.name] = admin.set_config(change.topic.name, wanted)
    after = plan(admin, specs)
    return [_result(change, refusals.get(change.topic.name), now) for change, now in zip(changes, after, strict=True)]


def _ordered(spec: TopicSpec) -> TopicState:
    return TopicState(spec.name, spec.partitions, spec.replication, spec.config)


def _untouched(change: Change) -> str | None:
    return None if change.kind is Kind.NOTHING else "not touched, because another topic is refused"


def _result(change: Change, refusal: str | None, now: Change) -> Result:
    if refusal is not None or now.kind is Kind.NOTHING:
        return Result(change, refusal)
    still = ", ".join(f"{one.setting} is {one.found}" for one in now.differences)
    return Result(change, f"the broker agreed, but it is not so: {still or now.why or 'the topic is not there'}")


def _change(spec: TopicSpec, found: TopicState | None) -> Change:
    if found is None:
        return Change(Kind.CREATE, spec)
    refusal = _shape_refusal(spec, found) or _settings_refusal(spec, found.config)
    if refusal is not None:
        return Change(Kind.REFUSE, spec, why=refusal)
    differences = _differences(spec, found.config)
    kept = [one for one in differences if _keeps_longer(one)]
    needed = tuple(one for one in differences if one not in kept)
    why = "; ".join(f"{one.setting} is {one.found}, more than the {one.wanted} needed, and is left so" for one in kept)
    return Change(Kind.SET if needed else Kind.NOTHING, spec, needed, why)


def _shape_refusal(spec: TopicSpec, found: TopicState) -> str | None:
    if found.partitions != spec.partitions:
        return (
            f"it has {found.partitions} partitions, not {spec.partitions}: their number decides which partition an "
            f"office belongs to, and is for ever; ask for --partitions {found.partitions}, or make {_ANOTHER_SET}"
        )
    if found.replication != spec.replication:
        return (
            f"it has {found.replication} copies of each partition, not {spec.replication}: ask for "
            f"--replication {found.replication}, or have Kafka's own tools reassign the partitions first"
        )
    return None


def _settings_refusal(spec: TopicSpec, found: Mapping[str, str]) -> str | None:
    for one in _differences(spec, found):
        if one.setting == _TIMESTAMPS and one.found == _LIVE:
            return (
                "it is a live topic, stamped by the broker's clock, beside which an archive's records would all be "
                f"too late; make {_ANOTHER_SET}"
            )
        if one.setting == _TIMESTAMPS:
            return (
                "it is an archive, stamped by the events' own time, and live records need the broker's clock; make "
                f"{_ANOTHER_SET}"
            )
        if one.setting == _CLEANUP:
            return (
                f"{one.setting} is {one.found}, not {one.wanted}, and changing it deletes records; make {_ANOTHER_SET}"
            )
    return None


def _differences(spec: TopicSpec, found: Mapping[str, str]) -> list[Difference]:
    return [
        Difference(setting, found.get(setting), wanted)
        for setting, wanted in spec.config.items()
        if _normal(setting, found.get(setting)) != _normal(setting, wanted)
    ]


def _normal(setting: str, value: str | None) -> object:
    if setting == _CLEANUP and value is not None:
        return frozenset(word.strip() for word in value.split(","))
    return value


def _keeps_longer(one: Difference) -> bool:
    """Whether the broker keeps more than we need: making that less would delete records that somebody wants."""
    if one.setting not in _RETENTION or one.found is None:
        return False
    found, wanted = int(one.found), int(one.wanted)
    return found == _FOR_EVER or (wanted != _FOR_EVER and found > wanted)
