"""A partition without a broker: feed records, look at figures in the oracle's shapes."""

from collections import Counter
from collections.abc import Iterable
from datetime import date

from attente.core import panes
from attente.core.office import Office
from attente.core.panes import PANE_MS
from attente.core.partition import Partition
from attente.core.plan import Plan
from attente.core.portrait import TYPES
from attente.core.render import Renderer
from attente.core.state import cut, decode, digest, encode
from attente.core.view import PartitionView
from attente.model.kinds import CHANNELS, OUTCOMES
from attente.registry.entities import Registry
from oracle import Key, Record, SumKey, Tally

STARTS = ("issued", "arrived", "due")
CLOCKS = [(start, end) for start in STARTS for end in ("called", "started")]
NAMES = {
    panes.ISSUED: "issued",
    panes.TRANSFERRED: "transferred",
    panes.REQUEUED: "requeued",
    panes.CLOSED: "closed",
    panes.TURNED_AWAY: "turned_away",
    **{panes.SERVED + i: f"served/{outcome}" for i, outcome in enumerate(OUTCOMES)},
    **{panes.LEFT_ABANDONED + i: f"abandoned/{start}" for i, start in enumerate(STARTS)},
    **{panes.LEFT_NO_SHOW + i: f"no_show/{start}" for i, start in enumerate(STARTS)},
    **{panes.REACHED + i: f"{end}/{start}" for i, (start, end) in enumerate(CLOCKS)},
    **{panes.FIRST_ANSWERED + i: f"first_answered/{start}/{end}" for i, (start, end) in enumerate(CLOCKS)},
    **{panes.FIRST_LEFT + i: f"first_left/{start}/{end}" for i, (start, end) in enumerate(CLOCKS)},
    **{panes.VISIT_ANSWERED + i: f"visit_answered/{start}/{end}" for i, (start, end) in enumerate(CLOCKS)},
    **{panes.VISIT_LEFT + i: f"visit_left/{start}/{end}" for i, (start, end) in enumerate(CLOCKS)},
}


class Driver:
    """One partition, or several with each record in its own."""

    def __init__(self, registry: Registry, partitions: int | None = None) -> None:
        self.registry = registry
        self.plan = Plan(registry)
        self.parts = [Partition(self.plan, p, partitions or 1) for p in range(partitions or 1)]

    def feed(self, records: Iterable[Record]) -> "Driver":
        """Apply records, each to its partition."""
        by_partition: dict[int, list[Record]] = {}
        for record in records:
            by_partition.setdefault(record.partition, []).append(record)
        for number, some in by_partition.items():
            self.parts[number].ingest(some)
        return self

    def reload(self) -> "Driver":
        """Put every state through a checkpoint and take it from there."""
        self.parts = [reloaded(part, self.plan) for part in self.parts]
        return self

    def offices(self) -> list[tuple[Partition, Office]]:
        """All offices with their partitions."""
        return [(part, office) for part in self.parts for office in part.offices.values()]

    def account(self) -> tuple[int, int, int, dict[str, int]]:
        """Read, counted, duplicate, refused by reason."""
        refused: Counter[str] = Counter()
        for part in self.parts:
            refused.update(part.refused)
        return (
            sum(p.read for p in self.parts),
            sum(p.counted for p in self.parts),
            sum(p.duplicate for p in self.parts),
            dict(refused),
        )

    def held(self) -> Tally:
        """The panes, with the pane's beginning in ms as the oracle has it."""
        tally = Tally()
        for part, office in self.offices():
            for pane, row in office.panes.items():
                _tell(tally, part, office, pane * PANE_MS, row)
        return tally

    def sealed_by_day(self) -> Tally:
        """The sealed day figures, with the ISO date in place of the pane."""
        tally = Tally()
        for part, office in self.offices():
            for day in office.days.all():
                _tell(tally, part, office, date.fromordinal(day).isoformat(), office.days.row(day))
        return tally

    def contradictions(self) -> Counter[tuple[str, str]]:
        """Of the facts held, by office and type."""
        found: Counter[tuple[str, str]] = Counter()
        for _, office in self.offices():
            for row in office.panes.values():
                for key, n in row.items():
                    if panes.measure_of(key) == panes.CONTRADICTION:
                        found[office.id, TYPES[panes.seconds_of(key)]] += n
        return found

    def digests(self) -> list[str]:
        """The state hash of each partition."""
        return [digest(part) for part in self.parts]

    def views(self, now: int | None = None) -> list[PartitionView]:
        """What a scrape may see, as of stream time unless told."""
        out = []
        for part in self.parts:
            renderer = Renderer(part)
            out.append(renderer.partition_view(tuple(renderer.offices(part.stream if now is None else now))))
        return out


def reloaded(part: Partition, plan: Plan) -> Partition:
    """A partition as it comes out of a checkpoint of itself."""
    *_, whole = decode(encode(cut(part)), plan, part.number, part.partitions)
    return whole


def _tell(tally: Tally, part: Partition, office: Office, pane: int | str, row: panes.Row) -> None:
    services = list(part.plan.services)
    for key, n in row.items():
        measure = panes.measure_of(key)
        if measure not in NAMES:
            continue
        cell = panes.cell_of(key)
        service = services[cell >> 2]
        channel = "" if measure == panes.TURNED_AWAY else CHANNELS[cell & 3]
        seconds = panes.seconds_of(key)
        if seconds == panes.SUM:
            tally.sums[SumKey(office.id, service, channel, pane, NAMES[measure])] += n
        else:
            tally.counts[Key(office.id, service, channel, pane, NAMES[measure], seconds)] += n


def running_names(plan: Plan) -> set[str]:
    """The names of the contributions that the plan's clocks make."""
    running = {f"called/{STARTS[i]}" for i in (0, *plan.called_starts)}
    running |= {f"started/{STARTS[i]}" for i in (0, *plan.started_starts)}
    running |= {f"{kind}/{STARTS[i]}" for kind in ("abandoned", "no_show") for i in (0, *plan.starts)}
    for start, end in (CLOCKS[number] for number, _, _ in plan.visit_clocks):
        running |= {f"{per}_{what}/{start}/{end}" for per in ("first", "visit") for what in ("answered", "left")}
    return running | {name for name in NAMES.values() if "/" not in name or name.startswith("served/")}


def in_use(tally: Tally, plan: Plan) -> Tally:
    """The oracle's tally without the clocks that the plan does not run."""
    names = running_names(plan)
    return Tally(
        Counter({key: n for key, n in tally.counts.items() if key.name in names}),
        Counter({key: n for key, n in tally.sums.items() if key.name in names and n}),
    )
