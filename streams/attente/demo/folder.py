"""The folder of one run: its own broker, registry and logs, so that any number of demos do not know of each other.

A demo that was killed cannot put away what it has started. Its record stays in the folder, and the next demo in the
same data folder stops what still runs of it, and removes the folder.
"""

import os
import secrets
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

from attente.broker.files import write_whole
from attente.broker.local import LocalBroker
from attente.broker.processes import ProcessId
from attente.errors import Missing

_RECORD: Final = "run.json"
_BROKER: Final = "broker"
_GRACE_S: Final = 5.0


class Record(msgspec.Struct, frozen=True):
    """Who works in a folder: the demo itself and what it has started. The broker has a record of its own."""

    demo: ProcessId
    children: tuple[ProcessId, ...] = ()


class RunFolder:
    """Where one run keeps everything.

    Attributes:
        path: the folder, absolute.
        name: what tells this run from all others; its topics begin with it and its group bears it.
        registry: the file of offices, services and norms.
        broker: the folder of the local broker.
    """

    def __init__(self, base: Path) -> None:
        """Choose a name that nobody has; nothing is made yet.

        Args:
            base: where the folders of all runs lie.
        """
        self._children: dict[str, tuple[ProcessId, ...]] = {}
        self.path = base.absolute() / secrets.token_hex(4)
        self.name = f"demo-{self.path.name}"
        self.registry = self.path / "registry.yaml"
        self.broker = self.path / _BROKER

    def make(self, registry: str) -> None:
        """Make the folder, with the text of the registry in it; "" leaves that to whoever knows it later.

        Raises:
            Missing: it cannot be made.
        """
        try:
            self.path.mkdir(parents=True)
            self.remember("nobody", ())
            if registry:
                self.registry.write_text(registry, encoding="utf-8")
        except OSError as error:
            msg = f"{self.path}: cannot keep the demo here: {error.strerror}; name another folder with --data"
            raise Missing(msg) from error

    @property
    def prefix(self) -> str:
        """What the names of its topics begin with."""
        return f"{self.name}."

    def remember(self, kind: str, some: Iterable[ProcessId]) -> None:
        """Write down which children of a kind run, for the case that this process is killed."""
        self._children[kind] = tuple(some)
        me = ProcessId.of(os.getpid())
        if me is not None:
            record = Record(me, tuple(child for children in self._children.values() for child in children))
            write_whole(self.path / _RECORD, msgspec.json.encode(record).decode())

    def leave(self, *, keep: bool) -> None:
        """The run is over and nothing runs any more: remove the folder, or leave it to whoever wants to look."""
        if keep:
            (self.path / _RECORD).unlink(missing_ok=True)
        else:
            shutil.rmtree(self.path, ignore_errors=True)


def bury_killed(base: Path) -> list[str]:
    """Stop what still runs of demos that were killed, and remove their folders.

    Returns:
        The names of their folders.
    """
    buried = []
    for path in sorted(base.glob(f"*/{_RECORD}")):
        try:
            record = msgspec.json.decode(path.read_bytes(), type=Record)
        except (OSError, msgspec.DecodeError):
            continue
        if record.demo.runs():
            continue
        for child in record.children:
            child.stop(grace_seconds=_GRACE_S)
        LocalBroker(path.parent / _BROKER).down()
        shutil.rmtree(path.parent, ignore_errors=True)
        buried.append(path.parent.name)
    return buried
