"""A connection to a broker for looking at and changing topics: the only place that knows the admin client."""

import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, NoReturn, Self

from kafka import KafkaAdminClient, TopicPartition
from kafka.admin import (
    ACL,
    ACLFilter,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    ConfigResource,
    ConfigResourceType,
    OffsetSpec,
    ResourcePattern,
    ResourcePatternFilter,
    ResourceType,
    ScramMechanism,
    UserScramCredentialDeletion,
    UserScramCredentialUpsertion,
)
from kafka.errors import (
    KafkaConnectionError,
    KafkaError,
    KafkaTimeoutError,
    NodeNotReadyError,
    NoError,
    SecurityDisabledError,
    TopicAuthorizationFailedError,
    for_code,
)

from attente.broker.grants import Found, Grant, Resource
from attente.clients import opened
from attente.errors import BrokerRefused, BrokerUnreachable
from attente.security import PLAINTEXT, PROBE_SECONDS, Security

_REQUEST_MS: Final = 10_000
_VISIBLE_SECONDS: Final = 10
_PAUSE_SECONDS: Final = 0.02
_TOGETHER: Final = 200  # rules in one request
_ITERATIONS: Final = 8_192  # of SCRAM: some milliseconds for each connection; our passwords are random, not guessable
_USER: Final = "User:"


@dataclass(frozen=True, slots=True)
class TopicState:
    """A topic as the broker has it.

    Attributes:
        name: its name.
        partitions: how many.
        replication: copies of every partition.
        config: every setting in force by Kafka's names, whether it was set for the topic or is the broker's default.
    """

    name: str
    partitions: int
    replication: int
    config: Mapping[str, str]


class Admin:
    """A connection to a cluster; close it, or use it as a context manager."""

    def __init__(self, bootstrap: str, client: KafkaAdminClient) -> None:
        self.bootstrap = bootstrap
        self._client = client

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def cluster_id(self) -> str:
        """What tells this cluster from every other one."""
        with self._refusals():
            return str(self._client.describe_cluster()["cluster_id"])

    def version(self) -> str:
        """The version of Kafka, as far as the requests that it knows tell; "" if they do not."""
        found = self._client._manager.broker_version  # noqa: SLF001 - the client keeps it to itself
        return ".".join(map(str, found)) if found else ""

    def newest_ms(self, topic: str) -> int | None:
        """The greatest timestamp of a topic's records, in milliseconds since 1970; None where it has none."""
        with self._refusals():
            (found,) = self._client.describe_topics([topic])
            places = [TopicPartition(topic, one["partition_index"]) for one in found["partitions"]]
            newest = self._client.list_partition_offsets(dict.fromkeys(places, OffsetSpec.MAX_TIMESTAMP))
        return max((one.timestamp for one in newest.values() if one.timestamp >= 0), default=None)

    def topic_names(self) -> list[str]:
        """The names of all topics but the broker's own, sorted."""
        with self._refusals():
            return sorted(name for name in self._client.list_topics() if not name.startswith("__"))

    def topics(self, names: Iterable[str]) -> dict[str, TopicState]:
        """Those of some topics that exist, by name, with all their settings."""
        wanted = set(names)
        with self._refusals():
            described = self._client.describe_topics(sorted(wanted))
            if hidden := [
                str(one["name"]) for one in described if one["error_code"] == TopicAuthorizationFailedError.errno
            ]:
                self._not_told(f"describe {', '.join(hidden)}; it takes Describe")
            found = [one for one in described if one["error_code"] == 0]
            configs = self._configs([str(one["name"]) for one in found])
        return {str(one["name"]): _state(one, configs[one["name"]]) for one in found}

    def offsets(self, topic: str) -> dict[int, tuple[int, int]]:
        """Where the log of every partition of a topic begins and ends: the first offset, and the next one to come."""
        with self._refusals():
            (found,) = self._client.describe_topics([topic])
            places = [TopicPartition(topic, one["partition_index"]) for one in found["partitions"]]
            first = self._client.list_partition_offsets(dict.fromkeys(places, OffsetSpec.EARLIEST))
            last = self._client.list_partition_offsets(dict.fromkeys(places, OffsetSpec.LATEST))
        return {place.partition: (first[place].offset, last[place].offset) for place in places}

    def delete(self, topics: Iterable[str]) -> dict[str, str | None]:
        """Delete topics with all that they hold, and wait until nobody sees them any more.

        Returns:
            By name of the topic what the broker said against it; None where it is gone.
        """
        with self._refusals():
            answer = self._client.delete_topics(list(topics), raise_errors=False)
            refusals = {str(one["name"]): _refusal(one) for one in answer["topics"]}
            deleted = {name for name, why in refusals.items() if why is None}
            limit = time.monotonic() + _VISIBLE_SECONDS
            while deleted & set(self._client.list_topics()) and time.monotonic() < limit:
                time.sleep(_PAUSE_SECONDS)
        return refusals

    def create(self, topics: Iterable[TopicState]) -> dict[str, str | None]:
        """Create topics and wait until every partition has a leader.

        Returns:
            By name of the topic what the broker said against it; None where it was created.
        """
        orders = {
            one.name: {
                "num_partitions": one.partitions,
                "replication_factor": one.replication,
                "configs": dict(one.config),
            }
            for one in topics
        }
        if not orders:
            return {}
        with self._refusals():
            answer = self._client.create_topics(orders, raise_errors=False)
            refusals = {str(one["name"]): _refusal(one) for one in answer["topics"]}
            self._client.wait_for_topics(
                [name for name, why in refusals.items() if why is None], _VISIBLE_SECONDS * 1000
            )
        return refusals

    def set_config(self, topic: str, config: Mapping[str, str]) -> str | None:
        """Set some settings of a topic, leave its others as they are, and wait until the new ones are in force.

        Returns:
            What the broker said against it; None when it is done.
        """
        resource = ConfigResource(ConfigResourceType.TOPIC, topic, dict(config))
        with self._refusals():
            answer = self._client.alter_configs([resource], raise_on_unknown=False, incremental=True)
            result = str(answer["topic"][topic])
            return self._not_in_force(topic, config) if result == "OK" else _without_number(result)

    # ---- rights and passwords

    def access(self) -> Found:
        """Every rule of the broker, and who has a password."""
        every = ResourcePatternFilter(ResourceType.ANY, None, ACLResourcePatternType.ANY)
        with self._refusals():
            rules, _ = self._client.describe_acls(ACLFilter(None, None, ACLOperation.ANY, ACLPermissionType.ANY, every))
            users = self._client.describe_user_scram_credentials()
        said = {rule: _grant(rule) for rule in rules}
        return Found(
            grants=frozenset(grant for grant in said.values() if grant is not None),
            others=tuple(sorted(_in_words(rule) for rule, grant in said.items() if grant is None)),
            users=frozenset(
                name
                for name, one in users.items()
                if any(info["mechanism"] == ScramMechanism.SCRAM_SHA_512 for info in one["credential_infos"])
            ),
        )

    def allow(self, grants: Sequence[Grant]) -> dict[Grant, str]:
        """Grant some rights; gives of each what the broker said against it, "" where it was granted."""
        said: dict[Grant, str] = {}
        for some in _slices(grants):
            failed = self._create(some)
            if not failed:
                said |= dict.fromkeys(some, "")
                continue
            # kafka-python tells what failed, not which; granting one twice does no harm.
            for grant in some:
                said[grant] = " ".join(self._create([grant]))
        return said

    def _create(self, grants: Sequence[Grant]) -> list[str]:
        rules = [ACL(f"{_USER}{grant.principal}", "*", *_operation(grant), _pattern(grant)) for grant in grants]
        with self._refusals():
            answer = self._client.create_acls(rules)
        return [kind.__name__ for kind in answer["failed"]]

    def revoke(self, grants: Sequence[Grant]) -> dict[Grant, str]:
        """Take some rights away; gives of each what the broker said against it, "" where it is gone."""
        said: dict[Grant, str] = {}
        for some in _slices(grants):
            filters = [
                ACLFilter(f"{_USER}{grant.principal}", "*", *_operation(grant), _pattern(grant)) for grant in some
            ]
            with self._refusals():
                answers = self._client.delete_acls(filters)
            for grant, (_, matching, error) in zip(some, answers, strict=True):
                said[grant] = "" if error is NoError and matching else _name_of(error, "there was no such rule")
        return said

    def set_password(self, user: str, password: str) -> str | None:
        """Give a user a password (SCRAM-SHA-512), in place of the one it has; what the broker said against it."""
        wanted = UserScramCredentialUpsertion(user, ScramMechanism.SCRAM_SHA_512, password, iterations=_ITERATIONS)
        with self._refusals():
            said: str | None = self._client.alter_user_scram_credentials([wanted])[user]
        return said

    def forget(self, users: Sequence[str]) -> dict[str, str | None]:
        """Take the passwords of users away; gives of each what the broker said against it, None where it is gone."""
        if not users:
            return {}
        deletions = [UserScramCredentialDeletion(user, ScramMechanism.SCRAM_SHA_512) for user in users]
        with self._refusals():
            return dict(self._client.alter_user_scram_credentials(deletions))

    def _not_in_force(self, topic: str, config: Mapping[str, str]) -> str | None:
        # The controller has agreed; the broker learns of it a moment later, and tells the old values until then.
        limit = time.monotonic() + _VISIBLE_SECONDS
        while True:
            found = self._configs([topic])[topic]
            late = [f"{name} is still {found.get(name)}" for name, value in config.items() if found.get(name) != value]
            if not late or time.monotonic() >= limit:
                return ", ".join(late) or None
            time.sleep(_PAUSE_SECONDS)

    def _configs(self, names: list[str]) -> dict[str, dict[str, str]]:
        if not names:
            return {}
        resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
        answer = self._client.describe_configs(resources, config_filter="all")["topic"]
        if hidden := [name for name in names if not answer[name]]:
            self._not_told(f"tell the settings of {', '.join(hidden)}; it takes DescribeConfigs")
        return {
            name: {str(key): str(one["value"]) for key, one in answer[name].items() if one["value"] is not None}
            for name in names
        }

    def _not_told(self, what: str) -> NoReturn:
        # To whoever may not know the broker answers as if there were nothing.
        msg = f"the broker at {self.bootstrap} refuses to {what}"
        raise BrokerRefused(msg)

    @contextmanager
    def _refusals(self) -> Iterator[None]:
        try:
            yield
        except (KafkaConnectionError, KafkaTimeoutError, NodeNotReadyError) as error:
            msg = f"the broker at {self.bootstrap} does not answer any more: {_said(error)}"
            raise BrokerUnreachable(msg) from error
        except SecurityDisabledError as error:
            msg = f"the broker at {self.bootstrap} has no access control (authorizer.class.name); everybody may do all"
            raise BrokerRefused(msg) from error
        except KafkaError as error:
            msg = f"the broker at {self.bootstrap} refused: {_said(error)}"
            raise BrokerRefused(msg) from error


def connect(bootstrap: str, security: Security = PLAINTEXT, *, timeout_seconds: float = PROBE_SECONDS) -> Admin:
    """Connect to a cluster; returns once a broker has answered a request for its metadata.

    Args:
        bootstrap: HOST:PORT, or several with commas between.
        security: how to connect.
        timeout_seconds: how long to try. When every address refuses the connection there is nothing to wait for.

    Raises:
        BrokerUnreachable: no answer, or not that of a Kafka broker.
        BrokerRefused: an answer, and the line says why there is no more than that.
    """
    client = opened(
        KafkaAdminClient,
        bootstrap,
        security,
        within_s=timeout_seconds,
        client_id="attente-admin",
        request_timeout_ms=_REQUEST_MS,
    )
    return Admin(bootstrap, client)


def _slices(grants: Sequence[Grant]) -> Iterator[Sequence[Grant]]:
    for first in range(0, len(grants), _TOGETHER):
        yield grants[first : first + _TOGETHER]


def _operation(grant: Grant) -> tuple[ACLOperation, ACLPermissionType]:
    return ACLOperation[grant.operation.upper()], ACLPermissionType.ALLOW


def _pattern(grant: Grant) -> ResourcePattern:
    kind = ACLResourcePatternType.PREFIXED if grant.is_prefix else ACLResourcePatternType.LITERAL
    return ResourcePattern(ResourceType[grant.resource.upper()], grant.name, kind)


def _grant(rule: ACL) -> Grant | None:
    """A rule as one that we could have made; None for what we never make."""
    pattern = rule.resource_pattern
    resource = pattern.resource_type.name.lower()
    is_plain = rule.host == "*" and rule.permission_type == ACLPermissionType.ALLOW and pattern.resource_name != "*"
    if not is_plain or not rule.principal.startswith(_USER) or resource not in set(Resource):
        return None
    return Grant(
        rule.principal.removeprefix(_USER),
        Resource(resource),
        pattern.resource_name,
        rule.operation.name.lower(),
        is_prefix=pattern.pattern_type == ACLResourcePatternType.PREFIXED,
    )


def _in_words(rule: ACL) -> str:
    pattern = rule.resource_pattern
    what = f"{rule.operation.name} {pattern.resource_type.name} {pattern.resource_name}".lower()
    end = "*" if pattern.pattern_type == ACLResourcePatternType.PREFIXED else ""
    may = "may" if rule.permission_type == ACLPermissionType.ALLOW else "may not"
    where = "" if rule.host == "*" else f" from {rule.host}"
    return f"{rule.principal.removeprefix(_USER)} {may} {what}{end}{where}"


def _name_of(error: type[KafkaError], otherwise: str) -> str:
    return otherwise if error is NoError else error.__name__


def _state(found: Mapping[str, Any], config: Mapping[str, str]) -> TopicState:
    partitions = found["partitions"]
    # While a reassignment is under way partitions differ; the fewest copies are what one can rely on.
    replication = min(len(one["replica_nodes"]) for one in partitions)
    return TopicState(str(found["name"]), len(partitions), replication, config)


def _refusal(answer: Mapping[str, Any]) -> str | None:
    if answer["error_code"] == 0:
        return None
    return _said(for_code(answer["error_code"])(answer["error_message"]))


def _said(error: KafkaError) -> str:
    return _without_number(" ".join(str(error).split()))


def _without_number(text: str) -> str:
    # kafka-python begins with "[Error 38] NameOfTheError: "; the name says what the number does.
    # The broker prints its own request where it says what right it takes.
    return re.sub(r"Request Request\(.*\) needs", "it needs the cluster's", re.sub(r"^\[Error -?[0-9]+\] ", "", text))
