"""Reports for machines: JSON of a documented, stable shape, and a CSV with one row for each office, service and day."""

import csv
import io
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any, Final

import msgspec

from attente.model.instants import text_of
from attente.registry.entities import Left, Norm, Per, Registry
from attente.report.document import DEFINITIONS, PROGRAM, Report
from attente.report.explain import Case
from attente.report.figures import Figures, Kept
from attente.report.source import Origin
from attente.report.versions import label, name_of, span
from attente.report.words import SHORT, definition

FORMAT: Final = "attente.report/1"
"""Raised whenever something of the shape changes its name or its meaning; new members do not raise it."""
CASE_FORMAT: Final = "attente.norm/1"

_DECIMALS: Final = 6


def as_json(report: Report) -> str:
    """The whole report as one JSON object, as docs/report.md describes it."""
    return _written(_document(report))


def _written(document: dict[str, Any]) -> str:
    """As text for people and machines; four times as fast as `json`, which matters from some hundred offices on."""
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode()


def _document(report: Report) -> dict[str, Any]:
    table = report.table
    registry = report.registry
    return {
        "format": FORMAT,
        "program": PROGRAM,
        "definitions": DEFINITIONS,
        "source": _origin(report.origin),
        "registry": {"network": registry.network, "hash": registry.hash, "from": report.registry_from},
        "partitions": report.partitions,
        "by": report.by.value,
        "selection": {"offices": list(report.selection.offices), "services": list(report.selection.services)},
        "norms": [_norm(registry, norm) for norm in registry.definitions()],
        "total": _figures(registry, table.total),
        "services": [_figures(registry, row) for row in table.services],
        "offices": [_figures(registry, row) for row in table.offices],
        "rows": [_figures(registry, row) for row in table.rows],
        "days": [_figures(registry, row) for row in table.days],
        "waits": {str(seconds): n for seconds, n in sorted(table.waits.items())},
        "abandoned_waits": {str(seconds): n for seconds, n in sorted(table.left.items())},
        "hours": {str(hour): _histogram(waits) for hour, waits in sorted(report.table.hours.items()) if waits},
        "quality": _quality(report),
    }


def _origin(origin: Origin) -> dict[str, Any]:
    return {
        "file": origin.file,
        "kind": origin.kind,
        "bytes": origin.bytes,
        "sha256": origin.sha256,
        "dropped": dict(origin.dropped),
    }


def _norm(registry: Registry, norm: Norm) -> dict[str, Any]:
    return {
        "norm": label(registry, norm),
        "id": norm.id,
        "title": norm.title,
        "threshold_seconds": norm.threshold_s,
        "target": norm.target_milli / 100_000,
        "clock": {"from": norm.clock.start.value, "to": norm.clock.end.value, "per": norm.clock.per.value},
        "channels": sorted(norm.channels),
        "left": norm.left.value,
        "still_waiting": norm.still_waiting.value,
        "valid_from": norm.valid_from or None,
        "in_force": span(registry, norm),
        "offices": len(norm.offices),
        "services": sorted(norm.services),
        "definition": {sentence.part: sentence.text for sentence in definition(registry, norm)},
    }


def _histogram(waits: Mapping[int, int]) -> dict[str, int]:
    return {str(seconds): n for seconds, n in sorted(waits.items())}


def _figures(registry: Registry, row: Figures) -> dict[str, Any]:
    waits = row.waits
    return {
        "office": row.office or None,
        "service": row.service or None,
        "day": row.day or None,
        "issued": row.issued,
        "called": row.called,
        "served": row.served,
        "abandoned": row.abandoned,
        "no_show": row.no_show,
        "closed": row.closed,
        "transferred": row.transferred,
        "requeued": row.requeued,
        "turned_away": row.turned_away,
        "outcomes": dict(row.outcomes),
        "waiting": row.waiting,
        "wait": {
            "count": waits.count,
            "sum_seconds": waits.sum_ms / 1000,
            "mean_seconds": _decimal(waits.mean_s, 3),
            "p50_seconds": waits.percentiles_s.get(50),
            "p90_seconds": waits.percentiles_s.get(90),
            "p95_seconds": waits.percentiles_s.get(95),
            "max_seconds": waits.max_s,
        },
        "open_desk_hours": None if row.open_desk_ms is None else row.open_desk_ms / 3_600_000,
        "demand_met": _decimal(row.demand_met),
        "norms": [_kept(registry, kept) for kept in row.kept],
    }


def _kept(registry: Registry, kept: Kept) -> dict[str, Any]:
    norm = kept.norm
    return {
        "norm": label(registry, norm),
        "promise": {"per": norm.clock.per.value, "left": norm.left.value, "level": _decimal(kept.promise)},
        "met": kept.is_met,
        "waiting_beyond": kept.waiting_beyond,
        "readings": {per.value: _reading(kept, per) for per in Per},
    }


def _reading(kept: Kept, per: Per) -> dict[str, Any]:
    counts = kept.counts[per]
    return {
        "answered_within": counts.answered_within,
        "answered_beyond": counts.answered_beyond,
        "left_within": counts.left_within,
        "left_beyond": counts.left_beyond,
        "levels": {left.value: _decimal(kept.level(per, left)) for left in Left},
    }


def _decimal(value: Fraction | None, decimals: int = _DECIMALS) -> float | None:
    return None if value is None else round(float(value), decimals)


def _quality(report: Report) -> dict[str, Any]:
    account = report.account
    return {
        "read": account.read,
        "counted": account.counted,
        "duplicate": account.duplicate,
        "refused": {
            reason: {"events": n, "first_line": account.firsts[reason].line, "detail": account.firsts[reason].detail}
            for reason, n in sorted(account.refused.items())
        },
        "contradictions": dict(report.table.contradictions),
        "corrections": account.corrections,
        "estimated": account.estimated,
        "first_event": None if account.first_ms < 0 else text_of(account.first_ms),
        "last_event": None if account.last_ms < 0 else text_of(account.last_ms),
        "business_days": len(report.table.days),
        "office_days": report.table.days_heard,
        "offices": len(report.registry.offices),
        "silent_offices": list(report.silent),
    }


# ---- CSV

_PLAIN: Final = (
    "issued",
    "called",
    "served",
    "abandoned",
    "no_show",
    "closed",
    "transferred",
    "requeued",
    "turned_away",
    "waiting",
)
_WAITS: Final = ("sum", "mean", "p50", "p90", "p95", "max")
_COUNTS: Final = ("answered_within", "answered_beyond", "left_within", "left_beyond")


def as_csv(report: Report) -> str:
    """One row for each office, service and day (empty for the whole file); totals are in the other outputs.

    Percentiles cannot be added up, and rows that are sums of others have no place among rows to be added up.
    """
    norms = tuple(report.registry.definitions())
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_header(report, norms))
    told = (PROGRAM, report.registry.hash, report.origin.file, report.origin.sha256)
    for row in report.table.rows:
        writer.writerow([*_cells(row, norms), *told])
    return out.getvalue()


def _header(report: Report, norms: tuple[Norm, ...]) -> list[str]:
    columns = ["office", "service", "day", *_PLAIN, *(f"wait_{name}_seconds" for name in _WAITS), "demand_met"]
    for norm in norms:
        name = label(report.registry, norm)
        columns += [f"{name}/{field}" for field in ("threshold_seconds", "target", "promise", "met")]
        columns += [
            f"{name}/{per.value}/{field}" for per in Per for field in (*_COUNTS, *(left.value for left in Left))
        ]
    return [*columns, "program", "registry", "file", "sha256"]


def _cells(row: Figures, norms: tuple[Norm, ...]) -> Iterator[object]:
    waits = row.waits
    yield from (row.office, row.service, row.day)
    yield from (getattr(row, name) for name in _PLAIN)
    yield from (waits.sum_ms / 1000, _decimal(waits.mean_s, 3))
    yield from (waits.percentiles_s.get(rank) for rank in (50, 90, 95))
    yield from (waits.max_s, _decimal(row.demand_met))
    kept = {name_of(one.norm): one for one in row.kept}
    for norm in norms:
        yield from _norm_cells(norm, kept.get(name_of(norm)))


def _norm_cells(norm: Norm, kept: Kept | None) -> Iterator[object]:
    if kept is None:
        yield from [""] * (4 + len(Per) * (len(_COUNTS) + len(Left)))
        return
    reading = f"{norm.clock.per.value} {SHORT[norm.left]} {norm.left.value}"
    yield from (norm.threshold_s, norm.target_milli / 100_000, reading, {None: "", True: 1, False: 0}[kept.is_met])
    for per in Per:
        counts = kept.counts[per]
        yield from (getattr(counts, name) for name in _COUNTS)
        yield from (_decimal(kept.level(per, left)) for left in Left)


# ---- one norm, explained


def case_as_json(case: Case, registry: Registry, source: Mapping[str, Any]) -> str:
    """An explained figure as one JSON object."""
    kept = case.kept
    document = {
        "format": CASE_FORMAT,
        "program": PROGRAM,
        "definitions": DEFINITIONS,
        "source": dict(source),
        "registry": {"network": registry.network, "hash": registry.hash},
        "office": case.office,
        "service": case.service or None,
        "day": case.day,
        "known_days": [case.first_day, case.last_day] if case.first_day else [],
        **_norm(registry, kept.norm),
        "promise": {
            "per": kept.norm.clock.per.value,
            "left": kept.norm.left.value,
            "level": _decimal(kept.promise),
            "met": kept.is_met,
        },
        "readings": {
            per.value: {
                **_reading(kept, per),
                "arithmetic": {
                    one.left.value: {"formula": one.formula, "numbers": one.numbers, "value": _decimal(one.value)}
                    for one in case.sums[per]
                },
            }
            for per in Per
        },
    }
    return _written(document)


def origin_as_json(origin: Origin) -> dict[str, Any]:
    """What an explained figure comes from, where that is a file."""
    return _origin(origin)


def norms_as_json(registry: Registry) -> str:
    """All definitions of a registry as one JSON object."""
    document = {
        "format": "attente.norms/1",
        "program": PROGRAM,
        "registry": {"network": registry.network, "hash": registry.hash},
        "norms": [_norm(registry, norm) for norm in registry.definitions()],
    }
    return _written(document)
