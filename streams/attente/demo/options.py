"""What a demo is to show."""

import math
from dataclasses import dataclass
from pathlib import Path

from attente.sources.importers import ImportOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOptions:
    """What is to be shown.

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
    keep: bool = False
    patience_s: float = 120.0
