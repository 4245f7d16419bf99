"""What a run stands on: a folder of its own, a Kafka, topics that nobody else has."""

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from attente.broker.admin import connect
from attente.broker.jars import kafka_version
from attente.broker.local import LocalBroker
from attente.broker.topics import apply, with_prefix
from attente.demo.folder import RunFolder, bury_killed
from attente.demo.screen import Progress, Screen
from attente.errors import BrokerRefused, Unreachable
from attente.model.topics import EVENTS, topics
from attente.security import PLAINTEXT, Security
from attente.settings import prefixed

# A local broker stops in 0.4 s; its records are about to be thrown away.
_GRACE_S: Final = 10.0
_MEGABYTE: Final = 1_000_000
_FORBIDDEN: Final = "AuthorizationFailed"
_RIGHTS: Final = (
    "a demo makes topics and a group of its own, so give it the settings of the cluster's administrator (docs/demo.md "
    "lists the rights)"
)


class Ground:
    """Laid before the workers start, cleared after they have ended.

    Attributes:
        folder: the run's folder.
        bootstrap: HOST:PORT of the broker, once it is known.
        security: how everybody connects to it.
        created: the topics that were created.
    """

    def __init__(self, base: Path, broker: str | None, security: Security = PLAINTEXT) -> None:
        """Nothing is done yet.

        Args:
            base: where the folders of all runs lie.
            broker: HOST:PORT of a cluster; None starts a local one, which is open.
            security: how to connect to that cluster.
        """
        self.folder = RunFolder(base)
        self.bootstrap = broker or ""
        self.security = security
        self.created: list[str] = []
        self._base = base
        self._is_foreign = broker is not None
        self._local: LocalBroker | None = None

    def lay(self, registry: str, partitions: int, screen: Screen, *, archive: bool = True) -> None:
        """Make the folder, start the broker, create the topics.

        Args:
            registry: the text of the registry; "" where it is not known yet.
            partitions: of the events.
            screen: told of every stage.
            archive: the events are stamped with their own time, not with the broker's.

        Raises:
            Missing: the folder cannot be made; what the local broker needs is not there.
            Unreachable: there is no broker, or it refuses.
        """
        for name in bury_killed(self._base):
            screen.say(f"removed what a demo that was killed had left: {name}")
        self.folder.make(registry)
        if not self._is_foreign:
            self._start_broker(screen)
        with screen.stage("creating topics"):
            self._create_topics(partitions, archive=archive)

    def _start_broker(self, screen: Screen) -> None:
        # Known before it is up, so that whatever becomes of the start, it is put away.
        self._local = LocalBroker(self.folder.broker)
        with screen.stage("starting Kafka") as progress:
            started = self._local.up(report=functools.partial(_fetching, progress))
        self.bootstrap = started.state.bootstrap

    def _create_topics(self, partitions: int, *, archive: bool) -> None:
        specs = with_prefix(topics(partitions, archive=archive), self.folder.prefix)
        with connect(self.bootstrap, self.security) as admin, self._asking_for_rights():
            results = apply(admin, specs)
        self.created = [one.change.topic.name for one in results if one.failure is None]
        for one in results:
            if one.failure is not None:
                msg = f"{self.bootstrap}: topic {one.change.topic.name} cannot be created: {one.failure}"
                raise Unreachable(f"{msg}; {_RIGHTS}" if _FORBIDDEN in one.failure else msg)

    @contextmanager
    def _asking_for_rights(self) -> Iterator[None]:
        try:
            yield
        except BrokerRefused as error:
            msg = f"{error}; {_RIGHTS}"
            raise BrokerRefused(msg) from error

    @property
    def events(self) -> str:
        """The name of the events' topic."""
        return prefixed(EVENTS, self.folder.prefix)

    def log(self) -> dict[int, int]:
        """How many records each partition of the events holds.

        Raises:
            Unreachable: the broker is gone.
        """
        with connect(self.bootstrap, self.security) as admin:
            return {partition: end - first for partition, (first, end) in admin.offsets(self.events).items()}

    def remove_topics(self) -> None:
        """Remove the topics from a cluster that stays; a local broker takes them with it.

        Raises:
            Unreachable: the broker is gone, or refuses.
        """
        if not self._is_foreign or not self.created:
            return
        with connect(self.bootstrap, self.security) as admin:
            refusals = admin.delete(self.created)
        for name, why in refusals.items():
            if why is not None:
                msg = f"{self.bootstrap}: topic {name} stays: {why}"
                raise Unreachable(msg)

    def stop_broker(self) -> None:
        """Stop the broker if it was started here."""
        if self._local is not None:
            self._local.down(grace_seconds=_GRACE_S)


def _fetching(progress: Progress, done: int, total: int) -> None:
    progress(f"fetching Kafka {kafka_version()}, this once: {done // _MEGABYTE} of {total // _MEGABYTE} MB")
