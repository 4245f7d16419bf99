"""The topics: what each carries, who writes and reads it, and the settings that its promises need.

`schemas/topics.yaml` is generated from here, and `attente topics plan|apply` compares this with a broker.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

EVENTS: Final = "attente.events"
DEADLETTERS: Final = "attente.deadletters"
CHECKPOINTS: Final = "attente.checkpoints"
MANIFESTS: Final = "attente.manifests"

LARGEST_CHUNK: Final = 512 * 1024
"""The greatest value of a record of `attente.checkpoints`, in bytes."""

_HOUR_MS: Final = 3_600_000
_DAY_MS: Final = 24 * _HOUR_MS
_MIB: Final = 1024 * 1024
_ANY_MS: Final = str((1 << 63) - 1)

_EVENTS_MAX: Final = _MIB
# A refused event travels once more, whole, with its reason and origin in headers, and must not be refused for its size.
_DEADLETTERS_MAX: Final = 2 * _MIB
_EVENTS_DAYS: Final = 7
_DEADLETTERS_DAYS: Final = 30
# A state's business-day figures reach back 40 days. While the workers stand still, so long may a checkpoint be worth
# more than the log; while they run, the bound in bytes is met long before.
_CHECKPOINTS_DAYS: Final = 40
# Two whole checkpoints of a partition that holds 8 million visits (15 bytes each).
_CHECKPOINTS_BYTES: Final = 256 * _MIB
# A manifest is worth nothing without its chunks, but chunks without their manifest are a lost state.
_MANIFESTS_DAYS: Final = _CHECKPOINTS_DAYS + 1

# The broker's clock stamps what attente writes and what kiosks send, so that stream time is the broker's, retention is
# as long as it says, and a kiosk's clock that is an hour ahead does not fail its whole batch.
_BY_BROKER: Final = {"message.timestamp.type": "LogAppendTime"}
_LIVE: Final = {
    "retention.ms": str(_EVENTS_DAYS * _DAY_MS),
    # Only closed segments expire: with segments of a day, 7 days are at most 8.
    "segment.ms": str(_DAY_MS),
    **_BY_BROKER,
}
_ARCHIVE: Final = {
    "retention.ms": "-1",
    # Nothing expires, and years of days would be as many open files.
    "segment.ms": _ANY_MS,
    "message.timestamp.type": "CreateTime",
    # An archive, or a simulated year, may lie anywhere in time.
    "message.timestamp.after.max.ms": _ANY_MS,
    "message.timestamp.before.max.ms": _ANY_MS,
}


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """What a topic has to be.

    Attributes:
        name: its name at the broker.
        partitions: how many; for the topics of one network always the same number, because what belongs to partition
            p of the events lies in partition p of the others. The number of the events' partitions is for ever.
        replication: copies of every partition.
        config: settings of the topic by Kafka's names; what is not named is the broker's choice.
        key: what the key of a record is.
        description: what it carries, in one or two sentences.
        producers: who writes to it.
        consumers: who reads it.
    """

    name: str
    partitions: int
    replication: int
    config: Mapping[str, str]
    key: str
    description: str
    producers: tuple[str, ...]
    consumers: tuple[str, ...]


def topics(partitions: int, *, archive: bool = False, replication: int = 1) -> tuple[TopicSpec, ...]:
    """Every topic of one network, the events first.

    Args:
        partitions: at least twice as many as workers ever; the number can never be changed.
        archive: events that are stamped with their own time and kept without end, instead of live ones.
        replication: copies of every partition; with three or more, an acknowledged record is on all but one.

    Raises:
        ValueError: a number below one.
    """
    if partitions < 1 or replication < 1:
        msg = f"{partitions} partitions with {replication} copies: both must be at least 1"
        raise ValueError(msg)
    return (
        _events(partitions, replication, archive=archive),
        _deadletters(partitions, replication),
        _checkpoints(partitions, replication),
        _manifests(partitions, replication),
    )


def _config(replication: int, settings: Mapping[str, str]) -> dict[str, str]:
    return {
        **settings,
        # With acks=all an acknowledged record survives the loss of a broker, and one broker may be away.
        "min.insync.replicas": str(max(1, replication - 1)),
        # A leader that lacks records would take acknowledged ones back.
        "unclean.leader.election.enable": "false",
    }


def _events(partitions: int, replication: int, *, archive: bool) -> TopicSpec:
    settings = {
        "cleanup.policy": "delete",
        "retention.bytes": "-1",
        **(_ARCHIVE if archive else _LIVE),
        "max.message.bytes": str(_EVENTS_MAX),
    }
    return TopicSpec(
        name=EVENTS,
        partitions=partitions,
        replication=replication,
        config=_config(replication, settings),
        key="office",
        description="Every event of every office, one CloudEvents 1.0 object in JSON each. The partition is Kafka's "
        "murmur2 of the key (vectors/partitions.json).",
        producers=("kiosk", "replay", "deadletters"),
        consumers=("worker",),
    )


def _deadletters(partitions: int, replication: int) -> TopicSpec:
    settings = {
        "cleanup.policy": "delete",
        "retention.ms": str(_DEADLETTERS_DAYS * _DAY_MS),
        "retention.bytes": "-1",
        "segment.ms": str(_DAY_MS),
        **_BY_BROKER,
        "max.message.bytes": str(_DEADLETTERS_MAX),
    }
    return TopicSpec(
        name=DEADLETTERS,
        partitions=partitions,
        replication=replication,
        config=_config(replication, settings),
        key="topic/partition/offset of the event",
        description="Every event that was refused: its original bytes, in headers why and where it came from. What was "
        "refused in partition p lies in partition p; one that was delivered twice has the same key twice, and so has "
        "one whose event was sent again, which the copy says.",
        producers=("worker", "deadletters"),
        consumers=("deadletters",),
    )


def _checkpoints(partitions: int, replication: int) -> TopicSpec:
    settings = {
        "cleanup.policy": "delete",
        "retention.ms": str(_CHECKPOINTS_DAYS * _DAY_MS),
        "retention.bytes": str(_CHECKPOINTS_BYTES),
        # Retention drops whole segments: small ones keep close to the bound.
        "segment.bytes": str(32 * _MIB),
        "segment.ms": str(_DAY_MS),
        **_BY_BROKER,
        # Twice a chunk: room for headers, none for a batch that makes a follower wait.
        "max.message.bytes": str(2 * LARGEST_CHUNK),
    }
    return TopicSpec(
        name=CHECKPOINTS,
        partitions=partitions,
        replication=replication,
        config=_config(replication, settings),
        key="chunk id",
        description="Chunks of the checkpoints of partition p in partition p. A cache of the log: without it a worker "
        "reads the events again from the log's start.",
        producers=("worker",),
        consumers=("worker",),
    )


def _manifests(partitions: int, replication: int) -> TopicSpec:
    settings = {
        "cleanup.policy": "compact,delete",
        "retention.ms": str(_MANIFESTS_DAYS * _DAY_MS),
        "retention.bytes": "-1",
        # A segment is compacted only once it is closed, and it is closed only by the append after its time: without
        # these two, months of manifests would be read at every take-over.
        "segment.ms": "60000",
        "min.cleanable.dirty.ratio": "0.1",
        **_BY_BROKER,
        "max.message.bytes": str(_MIB),
    }
    return TopicSpec(
        name=MANIFESTS,
        partitions=partitions,
        replication=replication,
        config=_config(replication, settings),
        key="partition/worker/slot",
        description="One record for every whole checkpoint: where its chunks lie and what they must add up to.",
        producers=("worker",),
        consumers=("worker",),
    )
