"""The live network in words: a line now and then, the account at the end, and all of it for machines."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from attente.demo.account import Account, Figures, as_json
from attente.demo.board import Row, Totals
from attente.demo.conflicts import percent
from attente.demo.instants import local_second
from attente.demo.offices import Promise
from attente.demo.panel import LiveSnapshot, minutes
from attente.wording import counted


@dataclass(frozen=True, slots=True)
class LiveOutcome:
    """What the pages said last.

    Attributes:
        figures: of everything.
        promise: the norm that was looked at.
        rows: of every office, the greatest trouble first.
        totals: of all offices.
        killed: workers that were killed.
        rounds: how often all pages were looked at.
        violations: what the pages showed that must not be.
        is_settled: whether the network had been stopped, and every event of the log was accounted for.
    """

    figures: Figures
    promise: Promise | None
    rows: tuple[Row, ...]
    totals: Totals
    killed: int
    rounds: int
    violations: tuple[str, ...]
    is_settled: bool = False


def line(snapshot: LiveSnapshot) -> str:
    """How things stand, in one line."""
    totals, account = snapshot.totals, snapshot.account
    norm = "" if snapshot.promise is None else f"; {snapshot.promise.norm}: {_levels(totals)}"
    doubts = sum(bool(row.conflicts) for row in snapshot.rows)
    age = f" (not all partitions for {snapshot.age_s:.0f} s)" if snapshot.age_s else ""
    lag = sum(worker.lag or 0 for worker in snapshot.workers)
    return (
        f"{local_second(snapshot.clock_ms, snapshot.zone)}{age}: {snapshot.state}, "
        f"issued {totals.tickets.get('issued', 0):,}, waiting {totals.waiting:,}, {totals.beyond:,} of them beyond, "
        f"longest {minutes(totals.longest_ms)}, {totals.desks:,} desks in {totals.open} open offices{norm}; "
        f"{doubts} offices read better than they are; {account}; {snapshot.rate:,.0f} events/s, lag {lag:,}, "
        f"partitions shown {snapshot.shown} of {snapshot.partitions}"
    )


def summary(outcome: LiveOutcome) -> str:
    """What is left to say when the screen is gone."""
    figures, totals = outcome.figures, outcome.totals
    account = Account(figures.read, figures.counted, figures.duplicate, figures.refused)
    every = ", and that is every record of the log" if outcome.is_settled else ""
    issued, served = (totals.tickets.get(event, 0) for event in ("issued", "served"))
    tickets = f"issued {issued:,}, served {served:,}, waiting {totals.waiting:,} in {counted(totals.offices, 'office')}"
    lines = [f"{account}{every}", tickets]
    if outcome.promise is not None:
        lines.append(f"{outcome.promise.norm}: {_levels(totals)}")
    doubts = [row for row in outcome.rows if row.conflicts]
    lines.extend(f"{row.figures.name} reads better than it is: {_reasons(row)}" for row in doubts)
    lines.append(f"workers killed: {outcome.killed}; in {outcome.rounds:,} looks at the pages no counter fell")
    return "\n".join(lines)


def live_json(outcome: LiveOutcome) -> dict[str, Any]:
    """What `attente demo --for 30s --json` writes."""
    figures, promise = as_json(outcome.figures), outcome.promise
    return {
        "events": figures["events"],
        "settled": outcome.is_settled,
        "killed": outcome.killed,
        "looks": outcome.rounds,
        "totals": figures["totals"],
        "norms": {
            norm.norm: {
                "threshold_seconds": norm.threshold_s,
                "target": norm.target,
                "promise": norm.promise.value,
                "service_levels": {left.value: level for left, level in norm.levels().items()},
            }
            for norm in outcome.figures.norms
        },
        "norm": None if promise is None else promise.norm,
        "offices": [_office(row) for row in outcome.rows],
    }


def _office(row: Row) -> dict[str, Any]:
    figures = row.figures
    longest_ms = figures.longest_ms
    return {
        "office": figures.office,
        "region": figures.region,
        "open": figures.is_open,
        "desks": figures.desks,
        "waiting": figures.waiting,
        "beyond": row.beyond,
        "longest_wait_seconds": None if longest_ms is None else longest_ms / 1000,
        "today": {left.value: _number(level) for left, level in row.levels.items()},
        "promised_today": {per.value: _number(level) for per, level in row.by_clock.items()},
        "reads_better": [{"label": one.label, "reason": one.reason} for one in row.conflicts],
    }


def _number(level: Fraction | None) -> float | None:
    return None if level is None else round(float(level), 6)


def _levels(totals: Totals) -> str:
    return ", ".join(f"{left.value} {percent(level)}" for left, level in totals.levels.items())


def _reasons(row: Row) -> str:
    return "; ".join(f"{one.label} ({one.reason})" for one in row.conflicts)
