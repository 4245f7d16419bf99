"""What a demo is to show: an archive that is played, or a network that lives now."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from attente.registry.entities import Registry
from attente.security import PLAINTEXT, Security
from attente.sources.importers import ImportOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOptions:
    """An archive.

    Attributes:
        importer: the kind of tape.
        tape: its file.
        how: how it is imported; its seed decides about the kills too.
        workers: how many.
        partitions: of the events.
        kills: how many workers are killed on the way.
        once: end when every event is accounted for, instead of staying.
        speed: seconds of the tape in a second; a replay with kills has a pace of its own.
        folder: where the folders of all runs lie.
        broker: HOST:PORT of a cluster; None starts a local one.
        security: how everybody connects to that cluster.
        keep: leave what the run has written where it is.
        patience_s: how long nothing may change before something is wrong.
    """

    importer: str
    tape: Path
    how: ImportOptions
    workers: int = 2
    partitions: int = 4
    kills: int = 0
    once: bool = False
    speed: float = math.inf
    folder: Path
    broker: str | None = None
    security: Security = PLAINTEXT
    keep: bool = False
    patience_s: float = 120.0


def _no_rules(_: Registry) -> Mapping[str, str]:
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveOptions:
    """A simulated network.

    Attributes:
        offices: how many it has.
        seed: what everything in it follows from.
        workers: how many there are to begin with.
        partitions: of the events; also how many workers there may ever be.
        for_s: after how many seconds it ends by itself; None is never.
        folder: where the folders of all runs lie.
        broker: HOST:PORT of a cluster; None starts a local one.
        security: how everybody connects to that cluster.
        keep: leave what the run has written where it is.
        prometheus: start a Prometheus too, where there is one.
        rules: what it records and alerts about, as files by their names, made from the network's registry.
        patience_s: how long nothing may change before something is wrong.
    """

    offices: int = 40
    seed: int = 0
    workers: int = 2
    partitions: int = 8
    for_s: float | None = None
    folder: Path
    broker: str | None = None
    security: Security = PLAINTEXT
    keep: bool = False
    prometheus: bool = True
    rules: Callable[[Registry], Mapping[str, str]] = _no_rules
    patience_s: float = 120.0
