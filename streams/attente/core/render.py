"""From state to view: what a scrape may see of a partition, computed from what has changed since the last one.

The renderer's memory is no state: it can be thrown away at any time and is built again from the panes.
"""

from collections.abc import Iterator
from dataclasses import replace

from attente.core.figures import Memory
from attente.core.office import Office
from attente.core.partition import Partition
from attente.core.plan import Plan
from attente.core.portrait import heard_ms, kiosks, portray
from attente.core.sums import Readings
from attente.core.view import OfficeView, PartitionView
from attente.model.partitioning import partition_of


class Renderer:
    """Renders a partition, office by office."""

    def __init__(self, partition: Partition) -> None:
        self.partition = partition
        self.plan: Plan = partition.plan
        self.readings = Readings(self.plan)
        self.memory: dict[bytes, Memory] = {}
        self.views: dict[bytes, OfficeView] = {}  # as they were rendered last
        # An office is shown before its first event: a counter that appears at 1 out of nowhere has no increase.
        self.silent = {
            key: Office(self.plan, office, partition.stream)
            for key, office in self.plan.offices.items()
            if partition_of(key, partition.partitions) == partition.number
        }

    def offices(self, now: int) -> Iterator[OfficeView]:
        """The view of each office as of `now` (ms): stream time, advanced by elapsed time while nothing comes.

        Each office is rendered in one go, so its figures are of one instant; between offices events may be applied.
        """
        for key in list(self.silent):
            yield self.office(key, now)

    def partition_view(self, offices: tuple[OfficeView, ...]) -> PartitionView:
        """The whole partition's, given its offices."""
        part = self.partition
        return PartitionView(
            part.number,
            self.plan.bounds,
            offices,
            part.read,
            part.counted,
            part.duplicate,
            dict(part.refused),
            dict(part.signatures),
            {source: dict(counts) for source, counts in part.refused_of.items()},
        )

    def office(self, key: bytes, now: int) -> OfficeView:
        """The view of one office."""
        office = self.partition.offices.get(key) or self.silent[key]
        memory = self.memory.get(key)
        if memory is None:
            memory = self.memory[key] = Memory(self.plan)
        day = office.calendar.day_of(now)
        hour = office.calendar.hour_of(now)
        touched = office.look()
        still = not office.open and not office.sessions
        if still and not touched and memory.moment == (day, hour):
            return replace(self.views[key], as_of_ms=now, heard_ms=heard_ms(office), kiosks=kiosks(office))
        figures = memory.figures(office, day, hour, touched)
        view = self.views[key] = portray(self.readings, office, now, day, figures)
        return view
