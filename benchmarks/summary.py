"""What the turns of a run say together: medians, ratios within a turn, shares of the time."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Final

Results = Mapping[str, Any]
"""What `benchmarks.run` writes."""

AROUND: Final = "around the core: fetching, checksums, Faust, the event loop, commits"
GROUPS: Final = {
    "attente.model.events": "decoding the JSON into a struct, checked",
    "attente.model.instants": "`time` to milliseconds",
    "attente.core.partition": "parsing the record, its place, acceptance",
    "attente.core.facts": "facts as integers",
    "attente.core.visit": "lives: state machine, folds of late facts",
    "attente.core.office": "tickets, panes, counters that never fall",
    "attente.core.panes": "tickets, panes, counters that never fall",
}
OTHER: Final = "all else in the core"


@dataclass(frozen=True, slots=True)
class Spread:
    """Some measurements of one thing: their median, least and greatest."""

    middle: float
    least: float
    greatest: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """Of at least one value."""
        return cls(median(values), min(values), max(values))


@dataclass(frozen=True, slots=True)
class Row:
    """A way of counting the tape; what was not measured of it is None."""

    events_per_s: Spread
    cpu_us: Spread
    peak_bytes: float
    written_per_event: float | None
    stall_ms: float | None
    checkpoints: float | None


def row(turns: Sequence[Mapping[str, Any]]) -> Row:
    """The row of all its turns; of stalls the longest counts."""

    def middle(name: str) -> float | None:
        return median(turn[name] for turn in turns) if name in turns[0] else None

    written = middle("written_bytes")
    return Row(
        events_per_s=Spread.of([turn["events"] / turn["seconds"] for turn in turns]),
        cpu_us=Spread.of([turn["cpu_us"] for turn in turns]),
        peak_bytes=max(turn["peak_bytes"] for turn in turns),
        written_per_event=None if written is None else written / turns[0]["events"],
        stall_ms=max(turn["stall_ms"] for turn in turns) if "stall_ms" in turns[0] else None,
        checkpoints=middle("checkpoints"),
    )


@dataclass(frozen=True, slots=True)
class Ratio:
    """How many times one row is better than another, turn by turn: what disturbs a turn disturbs both."""

    events_per_s: Spread
    cpu: Spread


def ratio(ours: Sequence[Mapping[str, Any]], theirs: Sequence[Mapping[str, Any]]) -> Ratio:
    """Ours by theirs, of the turns that both have."""
    pairs = list(zip(ours, theirs, strict=False))
    return Ratio(
        events_per_s=Spread.of(
            [(one["events"] / one["seconds"]) / (other["events"] / other["seconds"]) for one, other in pairs]
        ),
        cpu=Spread.of([other["cpu_us"] / one["cpu_us"] for one, other in pairs]),
    )


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the time per event."""

    name: str
    us: float
    share: float


def parts(results: Results) -> list[Part]:
    """Where the time per event goes, the most first: around the core is what a drain takes more than the core alone.

    Empty when a row that it needs is missing.
    """
    drains, cores = results["rows"].get("drain"), results["rows"].get("core")
    if not drains or not cores:
        return []
    whole = median(turn["cpu_us"] for turn in drains)
    # Within a turn, because from turn to turn a busy machine may take twice as long for the same work.
    inside = median(
        min(1.0, core["whole"]["ingest_us"] / drain["cpu_us"]) for drain, core in zip(drains, cores, strict=False)
    )
    shares = {AROUND: 1 - inside}
    for (module, _), share in _sampled(cores).items():
        name = GROUPS.get(module, OTHER)
        shares[name] = shares.get(name, 0.0) + share * inside
    return sorted((Part(name, share * whole, share) for name, share in shares.items()), key=lambda part: -part.share)


def hottest(results: Results, most: int) -> list[Part]:
    """The functions of the core in which most of its time is spent."""
    cores = results["rows"].get("core")
    if not cores:
        return []
    ingest = median(core["whole"]["ingest_us"] for core in cores)
    found = sorted(_sampled(cores).items(), key=lambda one: -one[1])
    return [
        Part(f"{module.removeprefix('attente.')}.{function}", share * ingest, share)
        for (module, function), share in found[:most]
    ]


def _sampled(cores: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str], float]:
    """The share of each (module, function) in the samples of all turns."""
    counts: Counter[tuple[str, str]] = Counter()
    for core in cores:
        for module, function, n in core["samples"]:
            counts[module, function] += n
    return {name: n / counts.total() for name, n in counts.items()}
