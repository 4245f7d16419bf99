"""The idiomatic Faust worker under measurement."""

import json
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from attente.model.instants import milliseconds
from benchmarks.page import WrongTotals
from benchmarks.process import Process
from benchmarks.progress import Point, finish
from benchmarks.stage import Stage
from benchmarks.tape import Record

TABLES: Final = ("tickets", "issued", "called", "served", "abandoned", "wait_ms")
"""The tables of `benchmarks/idiomatic.py`."""
ROOT: Final = Path(__file__).resolve().parents[1]
_START_S: Final = 300.0
_SEEN: Final = r'"seen": (\d+)'
_STANDSTILL_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Idled:
    """What one run of the idiomatic worker has shown; it counted what a program of its kind counts.

    Attributes:
        events: how many it counted from its first word on.
        seconds: the time that these took.
        cpu_us: CPU time per event in microseconds, until it is idle again.
        peak_bytes: the most memory of the process.
    """

    events: int
    seconds: float
    cpu_us: float
    peak_bytes: int


def expected(records: Iterable[Record]) -> dict[str, int]:
    """What the idiomatic worker finds: what comes twice counts twice, and what comes before its issue not at all."""
    totals = dict.fromkeys(("issued", "called", "served", "abandoned", "wait_ms"), 0)
    tickets: dict[tuple[str, str], int] = {}
    for record in records:
        event: dict[str, Any] = json.loads(record.value)
        name = (event["office"], event.get("ticket", ""))
        at = milliseconds(event["time"])
        kind = event["type"]
        if kind == "ticket.issued":
            totals["issued"] += 1
            tickets[name] = at
        elif kind == "ticket.called" and name in tickets:
            totals["called"] += 1
            totals["wait_ms"] += at - tickets[name]
        elif kind == "service.ended" and name in tickets:
            totals["served"] += 1
            del tickets[name]
        elif kind == "ticket.abandoned" and name in tickets:
            totals["abandoned"] += 1
            del tickets[name]
    return totals


def idle(stage: Stage, topic: str, app: str, records: list[Record]) -> Idled:
    """Let the idiomatic worker count a sample.

    Args:
        stage: where.
        topic: which holds the records and nothing else.
        app: a name that nobody has used; it names the group and the changelog topics, which are deleted afterwards.
        records: the sample.

    Raises:
        WrongTotals: it has counted something else than it should.
        Failed: it did not get that far.
    """
    command = [sys.executable, "-m", "benchmarks.idiomatic", "--datadir", str(stage.home / "idiomatic")]
    environment = {
        "PYTHONPATH": f"{ROOT}",
        "PEER_BROKER": stage.bootstrap,
        "PEER_TOPIC": topic,
        "PEER_APP": app,
        "PEER_PARTITIONS": str(stage.tape.shape.partitions),
    }
    total = len(records)
    # Faust makes them itself, but a worker that meets one half made counts into a table without partitions.
    stage.make_changelogs(f"{app}-{table}-changelog" for table in TABLES)
    try:
        log = stage.home / "logs" / f"{app}.log"
        with Process([*command, "worker", "--without-web"], environment, log, stage.home) as process:
            process.hear(_SEEN, _START_S)
            cpu_before, began = process.cpu_s, _points(process)[-1]
            found = _totals(process, total)
            cpu = process.settle() - cpu_before
            if found != (wanted := expected(records)):
                message = f"the idiomatic worker: {found}, not {wanted}"
                raise WrongTotals(message)
            counted = total - began.events
            return Idled(
                events=counted,
                seconds=finish(_points(process), total) - began.at,
                cpu_us=cpu / counted * 1e6,
                peak_bytes=process.peak_bytes,
            )
    finally:
        stage.forget(f"{app}-")


def _totals(process: Process, total: int) -> dict[str, int]:
    """What it has counted once it has seen everything.

    Raises:
        Failed: it stands still before.
    """
    since = 0
    while True:
        process.hear(_SEEN, _STANDSTILL_S, since)
        lines = [line for _, line in process.lines[since:]]
        since += len(lines)
        for line in lines:
            if found := re.search(rf'"seen": {total}, "totals": ({{.*}})}}', line):
                totals: dict[str, int] = json.loads(found[1])
                return totals


def _points(process: Process) -> list[Point]:
    """What it has said of its progress; it says so four times a second."""
    found = ((at, re.search(_SEEN, line)) for at, line in process.lines)
    return [Point(at, int(match[1])) for at, match in found if match]
