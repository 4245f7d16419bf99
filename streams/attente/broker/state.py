"""The local broker's state file: which process runs in a folder, and where it listens."""

from pathlib import Path

import msgspec

from attente.broker.files import write_whole
from attente.broker.processes import ProcessId


class BrokerState(msgspec.Struct, frozen=True):
    """A broker that was started.

    Attributes:
        process: who it is.
        bootstrap: HOST:PORT for clients.
        controller_port: the port that the node uses for itself.
        cluster: the id of its cluster, by which it is told from another broker on the same port.
        version: of Kafka.
        tls_port: of a secured broker, where clients connect with a certificate; 0 for an open one.
    """

    process: ProcessId
    bootstrap: str
    controller_port: int
    cluster: str
    version: str
    tls_port: int = 0

    @property
    def port(self) -> int:
        """The port for clients."""
        return int(self.bootstrap.rpartition(":")[2])


def read_state(file: Path) -> BrokerState | None:
    """The state that was written last; None if there is none, or it is no state."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=BrokerState)
    except (FileNotFoundError, NotADirectoryError, msgspec.DecodeError):
        return None


def running(file: Path) -> BrokerState | None:
    """The state if its process still runs."""
    state = read_state(file)
    return state if state is not None and state.process.runs() else None


def write_state(file: Path, state: BrokerState) -> None:
    """Keep a state."""
    text = msgspec.json.format(msgspec.json.encode(state)).decode()
    write_whole(file, text + "\n")
