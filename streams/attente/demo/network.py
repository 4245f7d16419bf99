"""The simulated network of a live demo: `attente simulate` as a child, which writes the registry and sends events."""

import time
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from attente.demo.connection import flags_of, secrets_of
from attente.demo.ground import Ground
from attente.demo.options import LiveOptions
from attente.demo.processes import ChildProcess, command_of
from attente.errors import CheckFailed
from attente.registry.entities import Registry
from attente.registry.load import parse

_LOOK_EVERY_S: Final = 0.05


@dataclass(frozen=True, slots=True)
class LiveNetwork:
    """What is known of a network before any event.

    Attributes:
        title: what it is, in a few words.
        zone: whose clock its figures are read by.
        registry: what its workers know of it.
    """

    title: str
    zone: ZoneInfo
    registry: Registry


class Simulator:
    """The child that brings the network to life.

    Attributes:
        process: the child.
    """

    def __init__(self, options: LiveOptions, ground: Ground) -> None:
        """Describes it; the topics are there, and nothing is started."""
        self._registry = ground.folder.registry
        flags = {
            "offices": options.offices,
            "seed": options.seed,
            "registry-out": self._registry,
            "broker": ground.bootstrap,
            "prefix": ground.folder.prefix,
            **flags_of(ground.security),
            "processes": 1,  # one carries a thousand times what forty offices send
        }
        arguments = [text for flag, value in flags.items() for text in (f"--{flag}", str(value))]
        command = command_of("simulate", "--live", "--to-kafka", *arguments)
        self.process = ChildProcess("simulator", "", command, ground.folder.path, secrets_of(ground.security))

    def wait_for_network(self, patience_s: float) -> LiveNetwork:
        """Wait until the child has written its registry, which it does before anything else.

        Raises:
            CheckFailed: it has ended, or has written nothing for so long.
        """
        limit_s = time.monotonic() + patience_s
        while not self._registry.exists():
            if (why := self.process.ended()) is not None:
                raise why
            if time.monotonic() > limit_s:
                msg = f"the simulator has written no registry within {patience_s:.0f} s; see {self.process.log}"
                raise CheckFailed(msg)
            time.sleep(_LOOK_EVERY_S)
        registry = parse(self._registry.read_text(encoding="utf-8"), str(self._registry))
        offices = list(registry.offices.values())
        regions = len({office.region for office in offices})
        return LiveNetwork(
            title=f"{len(offices)} offices in {regions} regions",
            zone=ZoneInfo(offices[0].zone),
            registry=registry,
        )
