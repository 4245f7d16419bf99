"""Tapes of the Technion's kind, made row by row, and the real one where it lies beside the repository."""

import functools
import lzma
from pathlib import Path

import pytest

from attente.model.events import AnyEvent, TicketEvent, decode
from attente.sources.importers import IMPORTERS, ImportedTape, ImportOptions, import_tape

HEADER = (
    "vru+line\tcall_id\tcustomer_id\tpriority\ttype\tdate\tvru_entry\tvru_exit\tvru_time\tq_start\tq_exit\tq_time\t"
    "outcome\tser_start\tser_exit\tser_time\tserver"
)
COLUMNS = HEADER.split("\t")

JANUARY = Path(__file__).parents[3] / "shared" / "data" / "technion_bank_1999-01.tsv.xz"
needs_january = pytest.mark.skipif(
    not JANUARY.exists(), reason=f"the tape {JANUARY.name} does not lie beside the repository"
)

HOUR_MS = 3_600_000
PLAIN = ImportOptions()
SHUFFLED = ImportOptions(offices=16, shuffle_ms=6 * HOUR_MS, duplicates=0.03, seed=4)

# A call that waits 17 s for an agent and is served for 54 s.
ANSWERED = {
    "vru+line": "AA0101",
    "call_id": "33118",
    "customer_id": "27997683",
    "priority": "2",
    "type": "PS",
    "date": "990101",
    "vru_entry": "6:55:20",
    "vru_exit": "6:55:26",
    "vru_time": "6",
    "q_start": "6:55:26",
    "q_exit": "6:55:43",
    "q_time": "17",
    "outcome": "AGENT",
    "ser_start": "6:55:42",
    "ser_exit": "6:56:36",
    "ser_time": "54",
    "server": "AGENT01",
}
NEVER = {"ser_start": "0:00:00", "ser_exit": "0:00:00", "ser_time": "0", "server": "NO_SERVER"}
HUNG_UP = {**ANSWERED, **NEVER, "call_id": "33116", "outcome": "HANG"}
LEFT = {**HUNG_UP, "call_id": "33117", "q_start": "0:00:00", "q_exit": "0:00:00", "q_time": "0"}


def row(**changes: str) -> str:
    """The answered call with some columns changed; `line` stands for the column `vru+line`."""
    return as_row({**ANSWERED, **{"vru+line" if name == "line" else name: text for name, text in changes.items()}})


def of_tickets(events: list[AnyEvent]) -> list[TicketEvent]:
    """The same events, every one of which is of a ticket."""
    found: list[TicketEvent] = []
    for event in events:
        assert isinstance(event, TicketEvent), event
        found.append(event)
    return found


def as_row(columns: dict[str, str]) -> str:
    return "\t".join(columns[name] for name in COLUMNS)


def tape(folder: Path, *rows: str, header: str = HEADER, name: str = "tape.tsv") -> Path:
    path = folder / name
    text = "".join(f"{line}\n" for line in (header, *rows)).encode()
    path.write_bytes(lzma.compress(text) if path.suffix == ".xz" else text)
    return path


@functools.cache
def january() -> tuple[list[AnyEvent], ImportedTape]:
    """The month as one office."""
    return imported(JANUARY)


@functools.cache
def january_shuffled() -> tuple[list[AnyEvent], ImportedTape]:
    """The month as 16 offices, shuffled within six hours, with 3 % duplicates."""
    return imported(JANUARY, SHUFFLED)


def imported(path: Path, options: ImportOptions = PLAIN) -> tuple[list[AnyEvent], ImportedTape]:
    """The events of a tape in the order of the output, each through our own decoder, and what was reported."""
    found = import_tape(IMPORTERS["technion"], path, options)
    events = [decode(line) for line in found.lines]
    return events, found
