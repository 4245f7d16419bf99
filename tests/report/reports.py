"""Reports of logs and tapes for the tests, and the oracle's figures in the same shape."""

import functools
import json
from collections import Counter
from collections.abc import Iterable
from math import ceil
from pathlib import Path

import pytest

from attente.core.view import Counts
from attente.registry.demo import technion_registry
from attente.registry.entities import Norm, Per
from attente.report.figures import By, Figures, Table, tabulate
from attente.report.reading import Reading, read
from attente.sources.importers import IMPORTERS, ImportOptions, import_tape
from oracle import Record, Tally, instant, partition_of, reason_of_bytes

JANUARY = Path(__file__).parents[3] / "shared" / "data" / "technion_bank_1999-01.tsv.xz"
needs_january = pytest.mark.skipif(
    not JANUARY.exists(), reason=f"the tape {JANUARY.name} does not lie beside the repository"
)
HOUR_MS = 3_600_000
PLAIN = ImportOptions()
SHUFFLED = ImportOptions(offices=16, shuffle_ms=6 * HOUR_MS, duplicates=0.03, seed=4)

COUNTED = (
    "issued",
    "called",
    "served",
    "abandoned",
    "no_show",
    "closed",
    "transferred",
    "requeued",
    "turned_away",
)


@functools.cache
def january(options: ImportOptions, partitions: int) -> Reading:
    """The month, read once."""
    tape = import_tape(IMPORTERS["technion"], JANUARY, options)
    return read(tape.lines, JANUARY.name, technion_registry(options.offices), partitions)


@functools.cache
def january_table(options: ImportOptions, by: By) -> Table:
    """Its figures."""
    return tabulate(january(options, 1), by)


def archive(values: Iterable[bytes], partitions: int | None = None) -> list[Record]:
    """Lines as a replay of an archive sends them: each bears its event's time, what is no event the newest so far."""
    records = []
    newest = 0
    offsets: Counter[int] = Counter()
    for value in values:
        at, key = newest, b""
        if reason_of_bytes(value) is None:
            at = int(instant(json.loads(value)["time"]))
            newest = max(newest, at)
        try:
            body = json.loads(value)
            key = body["office"].encode() if isinstance(body["office"], str) else b""
        except (ValueError, KeyError, TypeError):
            key = b""
        partition = 0 if partitions is None else partition_of(key, partitions)
        records.append(Record(offsets[partition], at, key, value, partition))
        offsets[partition] += 1
    return records


def instant_of(value: bytes) -> int:
    """When an event took place, in milliseconds since 1970."""
    return int(instant(json.loads(value)["time"]))


def nearest_rank(waits: list[int], percent: int) -> int:
    """By the book: the value at place ceil(p n / 100) of the sorted waits."""
    return sorted(waits)[ceil(percent * len(waits) / 100) - 1]


def of(figures: Figures) -> dict[str, int]:
    """What is counted."""
    return {name: getattr(figures, name) for name in COUNTED}


def wanted_by_the_oracle(tally: Tally, office: str | None, service: str | None, day: str | None) -> dict[str, object]:
    """Counts and statistics of waits, from the oracle's tally by day."""

    def keys(name: str) -> list[tuple[int, int]]:
        return [
            (key.seconds, n)
            for key, n in tally.counts.items()
            if key.name == name
            and office in (None, key.office)
            and service in (None, key.service)
            and day in (None, key.pane)
        ]

    def count(name: str) -> int:
        return sum(n for _, n in keys(name))

    waits = [seconds for seconds, n in keys("called/issued") for _ in range(n)]
    sums = sum(
        ms
        for key, ms in tally.sums.items()
        if key.name == "called/issued"
        and office in (None, key.office)
        and service in (None, key.service)
        and day in (None, key.pane)
    )
    return {
        "issued": count("issued"),
        "called": count("called/issued"),
        "served": sum(count(f"served/{o}") for o in ("unstated", "resolved", "pending", "referred")),
        "abandoned": count("abandoned/issued"),
        "no_show": count("no_show/issued"),
        "closed": count("closed"),
        "transferred": count("transferred"),
        "requeued": count("requeued"),
        "turned_away": count("turned_away"),
        "percentiles": {p: nearest_rank(waits, p) for p in (50, 90, 95)} if waits else {},
        "max": max(waits, default=None),
        "sum_ms": sums,
    }


def of_the_report(figures: Figures) -> dict[str, object]:
    """The same of a row."""
    waits = figures.waits
    return {
        **of(figures),
        "percentiles": dict(waits.percentiles_s),
        "max": waits.max_s,
        "sum_ms": waits.sum_ms,
    }


def four(counts: Counts) -> tuple[int, int, int, int]:
    """In the oracle's order: answered, of them within, left, of them within."""
    return (
        counts.answered_within + counts.answered_beyond,
        counts.answered_within,
        counts.left_within + counts.left_beyond,
        counts.left_within,
    )


def kept(figures: Figures, norm: Norm, per: Per) -> tuple[int, int, int, int]:
    """The four counts of one norm in a row."""
    (found,) = (one for one in figures.kept if one.norm.id == norm.id)
    return four(found.counts[per])
