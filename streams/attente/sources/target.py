"""The topic that events are replayed into: whether it is there, and keeps time as the replay means to."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Final

from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient
from kafka.errors import KafkaError

from attente.clients import opened
from attente.errors import BrokerRefused, Unreachable
from attente.security import PLAINTEXT, Security

_BY_EVENT: Final = "CreateTime"
_BY_BROKER: Final = "LogAppendTime"
_UNKNOWN_TOPIC: Final = 3


class Times(StrEnum):
    """Whose time the records bear.

    `archive`: the event's, in a topic that keeps it, so that a worker reads years as they went. `live`: the broker's;
    the events are moved up to now.
    """

    ARCHIVE = "archive"
    LIVE = "live"


def check_topic(
    broker: str, topic: str, times: Times, partitions: int | None = None, security: Security = PLAINTEXT
) -> int:
    """How many partitions the topic has.

    Archived events in a live topic would all be too late, and live ones in an archive would make its time theirs.

    Args:
        broker: HOST:PORT, or several with commas between.
        topic: its name at the broker.
        times: whose time its records are to bear.
        partitions: how many it must have, if that matters.
        security: how to connect.

    Raises:
        Unreachable: the broker does not answer or refuses, or the topic is not there or another kind.
    """
    with _admin(broker, security) as admin:
        found = _partitions(admin, broker, topic, times)
        if partitions is not None and found != partitions:
            msg = f"{broker}: topic {topic} has {found} partitions, not {partitions}; the number is for ever: leave"
            raise Unreachable(f"{msg} --partitions out, or replay into a topic under another --prefix")  # noqa: EM102 - two parts
        _check_kind(_settings(admin, topic), broker, topic, times)
    return found


def look_at(broker: str, topic: str, security: Security = PLAINTEXT) -> tuple[int, Times]:
    """How many partitions the topic has, and whose time its records bear.

    Raises:
        Unreachable: the broker does not answer or refuses, or the topic is not there.
    """
    with _admin(broker, security) as admin:
        found = _partitions(admin, broker, topic, Times.LIVE)
        is_archive = _settings(admin, topic).get("message.timestamp.type") == _BY_EVENT
    return found, Times.ARCHIVE if is_archive else Times.LIVE


@contextmanager
def _admin(broker: str, security: Security) -> Iterator[KafkaAdminClient]:
    admin = opened(KafkaAdminClient, broker, security)
    try:
        yield admin
    except KafkaError as error:
        msg = f"{broker}: refuses to tell about its topics: {error}; it takes Describe and DescribeConfigs"
        raise BrokerRefused(msg) from error
    finally:
        admin.close()


def _partitions(admin: KafkaAdminClient, broker: str, topic: str, times: Times) -> int:
    (found,) = admin.describe_topics([topic])
    if found["error_code"] == _UNKNOWN_TOPIC:
        msg = f"{broker}: there is no topic {topic}; create it with `{_apply(times)}`"
        raise Unreachable(msg)
    if found["error_code"]:
        msg = f"{broker}: topic {topic} cannot be described (Kafka's error {found['error_code']}); it takes Describe"
        raise Unreachable(msg)
    return len(found["partitions"])


def _settings(admin: KafkaAdminClient, topic: str) -> dict[str, str]:
    found = admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)], config_filter="all")
    settings = {name: setting["value"] for name, setting in found["topic"][topic].items()}
    if not settings:  # what the broker answers to whoever may not know
        msg = f"the settings of topic {topic} are not told to us; it takes DescribeConfigs"
        raise BrokerRefused(msg)
    return settings


def _check_kind(settings: dict[str, str], broker: str, topic: str, times: Times) -> None:
    wanted = _BY_EVENT if times is Times.ARCHIVE else _BY_BROKER
    found = settings.get("message.timestamp.type", "(unknown)")
    if found != wanted:
        other = Times.LIVE if times is Times.ARCHIVE else Times.ARCHIVE
        msg = (
            f"{broker}: topic {topic} stamps records with {found}, {_an(times)} replay needs {wanted}; replay with "
            f"--{other}, or into a topic of its own: `{_apply(times)} --prefix NAME.`, then --prefix NAME."
        )
        raise Unreachable(msg)
    kept = settings.get("retention.ms", "(unknown)")
    if times is Times.ARCHIVE and kept != "-1":
        msg = (
            f"{broker}: topic {topic} deletes what is older than {kept} ms (retention.ms), by the events' own time: an "
            f"archive would be gone at once; `{_apply(times)}` makes topics that keep it"
        )
        raise Unreachable(msg)


def _apply(times: Times) -> str:
    return "attente topics apply --archive" if times is Times.ARCHIVE else "attente topics apply"


def _an(times: Times) -> str:
    return "an archive" if times is Times.ARCHIVE else "a live"
