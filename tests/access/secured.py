"""A network behind a secured Kafka: its folder, its settings files, and everything that a client may try."""

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import (
    ACLFilter,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    ConfigResource,
    ConfigResourceType,
    ResourcePatternFilter,
    ResourceType,
    UserScramCredentialUpsertion,
)
from kafka.errors import KafkaError, for_code
from kafka.structs import OffsetAndMetadata

from attente.broker.local import LocalBroker
from attente.broker.secure import settings_text, write_private
from attente.clients import opened
from attente.security import Security
from attente.settings import load
from commands import attente
from workers import UNBRAKED, Worker

REGISTRY: Final = """\
network: caf
services: [{id: accueil, title: Accueil}]
offices:
  - {id: nation, name: Nation, region: Paris, zone: Europe/Paris, services: [accueil], kiosks: [hall-1, hall-2]}
  - {id: thiers, name: Thiers, region: Auvergne, zone: Europe/Paris, services: [accueil], kiosks: [hall-1]}
"""
KIOSK: Final = "kiosk/nation/hall-1"
UNLISTED: Final = "stranger"
"""Somebody who has a password and no right at all."""

OF_OTHERS: Final = {
    "ATTENTE_SASL_PASSWORD": "parrot-of-the-admiral",
    "ATTENTE_SIGNING_KEY": f"nation.k1 nation {'5ec2e7' * 10}ffff",
}
"""What whoever started the broker had in the environment, and the broker has no use for."""

_DENIED: Final = "AuthorizationFailed"
_ANSWER_S: Final = 30.0


@dataclass(frozen=True)
class Secured:
    """The network.

    Attributes:
        folder: where its registry lies.
        broker: its Kafka.
        tls: HOST:PORT where clients connect with a certificate.
    """

    folder: Path
    broker: LocalBroker
    tls: str
    registry: Path = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "registry", self.folder / "registry.yaml")
        self.registry.write_text(REGISTRY)

    @property
    def secrets(self) -> Path:
        """The folder of certificates, passwords and settings files."""
        return self.broker.access.folder

    def config(self, principal: str) -> str:
        """The settings file of a principal."""
        return str(self.secrets / f"{principal}.yaml")

    def security(self, principal: str) -> Security:
        """How a principal connects."""
        return load(file=Path(self.config(principal))).connection

    def add_stranger(self, password: str) -> None:
        """Give somebody a password and no right."""
        write_private(self.secrets / f"{UNLISTED}.password", password + "\n")
        settings = {"broker": self.broker.bootstrap, "security": "sasl", "tls_ca": "ca.pem", "sasl_user": UNLISTED}
        text = settings_text({**settings, "sasl_password_file": f"{UNLISTED}.password"})
        write_private(self.secrets / f"{UNLISTED}.yaml", text)


def applied(network: Secured, *more: str) -> int:
    """`attente access apply`: its exit code."""
    command = ("access", "apply", "--config", network.config("admin"), "--registry", str(network.registry))
    return attente(*command, *more).returncode


@contextmanager
def working(network: Secured, name: str, principal: str) -> Iterator[Worker]:
    """A worker of the network; killed at the end if it still runs."""
    command = (sys.executable, "-m", "attente", "worker", "--config", network.config(principal))
    own = ("--registry", str(network.registry), "--worker", name, "--metrics-port", "0", *UNBRAKED)
    worker = Worker(name, [*command, *own, "--session-timeout-seconds", "6"])
    try:
        yield worker
    finally:
        if worker.is_running:
            worker.kill()


class Client:
    """A principal that tries things: each method returns when the broker has let it, and raises when it has not."""

    def __init__(self, broker: str, security: Security) -> None:
        self._broker = broker
        self._security = security
        self._open: list[Any] = []
        self._admin = self._opened(KafkaAdminClient)
        self._producer = self._opened(KafkaProducer, enable_idempotence=False, metrics_enabled=False, retries=0)

    def _opened(self, kind: Callable[..., Any], **settings: Any) -> Any:
        self._open.append(opened(kind, self._broker, self._security, **settings))
        return self._open[-1]

    def close(self) -> None:
        for one in self._open:
            one.close()

    def write(self, topic: str) -> None:
        self._producer.send(topic, b"{}", key=b"nation", partition=0).get(_ANSWER_S)

    def read(self, topic: str) -> None:
        self.describe(topic)  # without it no client learns whom to ask, and kafka-python asks for ever
        consumer = self._opened(KafkaConsumer, metrics_enabled=False, enable_auto_commit=False)
        place = TopicPartition(topic, 0)
        consumer.assign([place])
        consumer.seek(place, 0)
        limit = time.monotonic() + _ANSWER_S
        while not consumer.poll(timeout_ms=500):
            assert time.monotonic() < limit, f"neither records of {topic} nor a refusal"

    def describe(self, topic: str) -> None:
        (found,) = self._admin.describe_topics([topic])
        if found["error_code"]:
            raise for_code(found["error_code"])

    def describe_settings(self, topic: str) -> None:
        if not self._admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])["topic"][topic]:
            raise KafkaError(_DENIED)  # what the broker answers to whoever may not know

    def commit(self, group: str, topic: str) -> None:
        consumer = self._opened(KafkaConsumer, group_id=group, metrics_enabled=False, enable_auto_commit=False)
        place = TopicPartition(topic, 0)
        consumer.assign([place])
        consumer.commit({place: OffsetAndMetadata(0, "", -1)}, timeout_ms=10_000)

    def transact(self, transaction: str) -> None:
        producer = self._opened(KafkaProducer, transactional_id=transaction, metrics_enabled=False, max_block_ms=10_000)
        producer.init_transactions()

    def create(self, topic: str) -> None:
        answer = self._admin.create_topics({topic: {"num_partitions": 1, "replication_factor": 1}}, raise_errors=False)
        _raise_first(answer["topics"])

    def delete(self, topic: str) -> None:
        _raise_first(self._admin.delete_topics([topic], raise_errors=False)["topics"])

    def see_rights(self) -> None:
        every = ResourcePatternFilter(ResourceType.ANY, None, ACLResourcePatternType.ANY)
        self._admin.describe_acls(ACLFilter(None, None, ACLOperation.ANY, ACLPermissionType.ANY, every))

    def set_password(self, user: str) -> None:
        answer = self._admin.alter_user_scram_credentials([UserScramCredentialUpsertion(user, 2, "x" * 20)])
        if answer[user]:
            msg = f"{_DENIED}: {answer[user]}"
            raise KafkaError(msg)


def _raise_first(answers: list[Mapping[str, Any]]) -> None:
    for one in answers:
        if one["error_code"]:
            raise for_code(one["error_code"])


TOPICS: Final = ("events", "deadletters", "checkpoints", "manifests")


def _to_each_topic(what: str, do: Callable[[Client, str], None]) -> dict[str, Callable[[Client], None]]:
    def to(topic: str) -> Callable[[Client], None]:
        return lambda client: do(client, topic)

    return {f"{what} attente.{name}": to(f"attente.{name}") for name in TOPICS}


TRIES: Final[dict[str, Callable[[Client], None]]] = {
    **_to_each_topic("write", Client.write),
    **_to_each_topic("read", Client.read),
    **_to_each_topic("describe", Client.describe),
    **_to_each_topic("see the settings of", Client.describe_settings),
    "write another topic": lambda client: client.write("other"),
    "read another topic": lambda client: client.read("other"),
    "commit for the group attente": lambda client: client.commit("attente", "attente.events"),
    "commit for another group": lambda client: client.commit("other", "attente.events"),
    "transactions under attente…": lambda client: client.transact("attente-0"),
    "transactions under another id": lambda client: client.transact("other-0"),
    "create a topic": lambda client: client.create("new"),
    "delete a topic": lambda client: client.delete("new"),
    "see who has which right": lambda client: client.see_rights(),
    "set a password": lambda client: client.set_password("somebody"),
}
"""Every operation of the table, and how it is tried."""


def is_allowed(client: Client, operation: str) -> bool:
    """Whether the broker lets a client do something; any other failure than a refusal is one of the test."""
    try:
        TRIES[operation](client)
    except KafkaError as error:
        said = f"{type(error).__name__} {error}"
        assert _DENIED in said, f"{operation}: {said}"
        return False
    return True
