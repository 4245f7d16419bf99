"""A report as a whole: figures, data quality, definitions, and what it was made of and with."""

from dataclasses import dataclass
from typing import Final

from attente import __version__
from attente.registry.entities import Registry
from attente.report.counting import Counted, Task
from attente.report.figures import By, Table, table
from attente.report.reading import Account
from attente.report.source import Origin

PROGRAM: Final = f"attente {__version__}"
DEFINITIONS: Final = "docs/definitions.md"
"""Where every figure is defined."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What a report is limited to; empty is everything."""

    offices: tuple[str, ...] = ()
    services: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """In words; nothing when all is taken."""
        parts = []
        if self.offices:
            parts.append(f"office {', '.join(self.offices)}")
        if self.services:
            parts.append(f"service {', '.join(self.services)}")
        return "; ".join(parts)


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that a report says.

    Attributes:
        origin: what the figures are figures of.
        registry: the network.
        registry_from: where the registry comes from, in words.
        by: how rows are divided in time.
        selection: what the report is limited to.
        partitions: to so many the offices were assigned.
        table: the figures.
        account: what became of every line.
        silent: offices of the registry of which the file says nothing.
    """

    origin: Origin
    registry: Registry
    registry_from: str
    by: By
    selection: Selection
    partitions: int
    table: Table
    account: Account
    silent: tuple[str, ...]

    @property
    def days(self) -> tuple[str, ...]:
        """The business days on which anything was counted."""
        return tuple(row.day for row in self.table.days)


def compose(task: Task, counted: Counted, origin: Origin, registry_from: str) -> Report:
    """The report of a file that has been counted."""
    registry = task.registry
    asked = task.offices or registry.offices
    return Report(
        origin=origin,
        registry=registry,
        registry_from=registry_from,
        by=task.by,
        selection=Selection(task.offices, task.services),
        partitions=task.partitions,
        table=table(registry, counted.part),
        account=counted.account,
        silent=tuple(office for office in registry.offices if office in asked and office not in counted.part.offices),
    )
