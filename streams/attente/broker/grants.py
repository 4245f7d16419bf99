"""Who may do what at the broker: one principal for each kiosk, one for each role; whatever is not named is refused.

`docs/security.md` shows the same as a table, and a test tries every cell of it.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from attente.model.topics import CHECKPOINTS, DEADLETTERS, EVENTS, MANIFESTS
from attente.settings import prefixed


class Role(StrEnum):
    """What a principal does.

    `kiosk` sends the events of one office; `worker` counts them; `reader` looks (doctor, dead letters, explanations);
    `sender` brings in what no kiosk has sent: replays, simulations, dead letters sent again.
    """

    KIOSK = "kiosk"
    WORKER = "worker"
    READER = "reader"
    SENDER = "sender"


class Resource(StrEnum):
    """What a right is about."""

    TOPIC = "topic"
    GROUP = "group"
    TRANSACTION = "transactional_id"
    CLUSTER = "cluster"


@dataclass(frozen=True, slots=True, order=True)
class Grant:
    """One right that a principal has, from every host.

    Attributes:
        principal: who, without Kafka's `User:`.
        resource: about what.
        name: which one.
        operation: Kafka's name of what may be done, in small letters.
        is_prefix: `name` is what the names begin with.
    """

    principal: str
    resource: Resource
    name: str
    operation: str
    is_prefix: bool = False

    def __str__(self) -> str:
        """As it is shown: `read topic attente.events`."""
        return f"{self.operation} {self.resource} {self.name}{'*' if self.is_prefix else ''}"


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody who may connect.

    Attributes:
        name: as the broker knows it: the user of a password, the common name of a certificate.
        file: what its files are called.
        role: what it does.
        grants: all that it may do.
        settings: what its settings file says besides how to connect.
    """

    name: str
    file: str
    role: Role
    grants: tuple[Grant, ...]
    settings: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Network:
    """What the names of a network's principals, topics and groups are made of.

    Attributes:
        prefix: what the names of topics, and of principals, begin with.
        group: the consumer group of the workers.
        kiosks: office and kiosk of each.
    """

    prefix: str
    group: str
    kiosks: tuple[tuple[str, str], ...] = ()

    def principals(self) -> tuple[Principal, ...]:
        """Everybody who may connect, roles first."""
        return (*self._roles(), *(self._kiosk(office, kiosk) for office, kiosk in self.kiosks))

    def owns(self, principal: str) -> bool:
        """Whether a principal is one of this network's, there or no longer: the name tells."""
        rest = principal.removeprefix(self.prefix)
        if not principal.startswith(self.prefix):
            return False
        return rest in _ROLES or _KIOSK.fullmatch(rest) is not None

    def _roles(self) -> tuple[Principal, ...]:
        shared = (("topic_prefix", self.prefix),)
        return (
            self._principal(Role.WORKER, self._worker(), (*shared, ("group", self.group))),
            self._principal(Role.READER, self._reader(), shared),
            self._principal(Role.SENDER, self._sender(), shared),
        )

    def _principal(self, role: Role, grants: Iterable[Grant], settings: tuple[tuple[str, str], ...]) -> Principal:
        return Principal(self.prefix + role, role, role, tuple(grants), settings)

    def _kiosk(self, office: str, kiosk: str) -> Principal:
        name = f"{Role.KIOSK}/{office}/{kiosk}"
        return Principal(
            self.prefix + name,
            name,
            Role.KIOSK,
            tuple(self._on(self.prefix + name, EVENTS, "write", "describe")),
            (("topic_prefix", self.prefix), ("office", office), ("kiosk", kiosk)),
        )

    def _worker(self) -> Iterable[Grant]:
        who = self.prefix + Role.WORKER
        yield from self._on(who, EVENTS, "read", "describe")
        yield from self._on(who, DEADLETTERS, "write", "describe")
        for topic in (CHECKPOINTS, MANIFESTS):
            yield from self._on(who, topic, "read", "write", "describe")
        for operation in ("read", "describe"):
            yield Grant(who, Resource.GROUP, self.group, operation)
        for operation in ("write", "describe"):
            yield Grant(who, Resource.TRANSACTION, self.group, operation, is_prefix=True)

    def _reader(self) -> Iterable[Grant]:
        who = self.prefix + Role.READER
        for topic in (EVENTS, DEADLETTERS, CHECKPOINTS, MANIFESTS):
            yield from self._on(who, topic, "read", "describe", "describe_configs")
        yield Grant(who, Resource.GROUP, self.group, "describe")

    def _sender(self) -> Iterable[Grant]:
        who = self.prefix + Role.SENDER
        yield from self._on(who, EVENTS, "write", "describe", "describe_configs")
        yield from self._on(who, DEADLETTERS, "read", "write", "describe")

    def _on(self, who: str, topic: str, *operations: str) -> Iterable[Grant]:
        for operation in operations:
            yield Grant(who, Resource.TOPIC, prefixed(topic, self.prefix), operation)


_ROLES: Final = frozenset({Role.WORKER, Role.READER, Role.SENDER})
_KIOSK: Final = re.compile(rf"{Role.KIOSK}/[a-z0-9][a-z0-9._-]*/[a-z0-9][a-z0-9._-]*")


@dataclass(frozen=True, slots=True)
class Found:
    """What a broker has.

    Attributes:
        grants: the rights that somebody has, as far as we can say them ourselves.
        others: the rules beyond that, in words: denials, rules for some hosts only, rules for everybody.
        users: who has a password.
    """

    grants: frozenset[Grant]
    others: tuple[str, ...] = ()
    users: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Difference:
    """What has to be done.

    Attributes:
        missing: rights to grant.
        surplus: rights of our principals that they should not have.
        gone: our principals who have a password and are no longer in the network.
        without: our principals who have no password; those who connect with a certificate need none.
        unknown: rules about somebody else, and rules that we do not make; left alone.
        kept: how many rights are as they must be.
    """

    missing: tuple[Grant, ...]
    surplus: tuple[Grant, ...]
    gone: tuple[str, ...]
    without: tuple[Principal, ...]
    unknown: tuple[str, ...]
    kept: int

    @property
    def is_settled(self) -> bool:
        """Whether nothing has to be done."""
        return not (self.missing or self.surplus or self.gone)


def difference(network: Network, found: Found) -> Difference:
    """What has to be done at a broker, so that everybody of the network has the rights of its role and no others."""
    principals = network.principals()
    wanted = {grant for principal in principals for grant in principal.grants}
    names = {principal.name for principal in principals}
    ours = {grant for grant in found.grants if network.owns(grant.principal)}
    foreign = sorted(found.grants - ours)
    return Difference(
        missing=tuple(sorted(wanted - ours)),
        surplus=tuple(sorted(ours - wanted)),
        gone=tuple(sorted(user for user in found.users - names if network.owns(user))),
        without=tuple(one for one in principals if one.name not in found.users),
        unknown=(*(f"{grant.principal} may {grant}" for grant in foreign), *found.others),
        kept=len(wanted & ours),
    )
