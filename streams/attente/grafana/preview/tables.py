"""Answers as tables, and what a panel's transformations make of them, as Grafana does."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from attente.errors import BadInput
from attente.grafana.preview.asking import Answer

Cell = str | float | None

TIME: Final = "Time"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under named fields, in an order.

    Attributes:
        fields: the names, each with the refId of the query that it comes from, "" where it is of all.
        rows: the cells by field; one that is absent is empty.
    """

    fields: Mapping[str, str]
    rows: tuple[Mapping[str, Cell], ...]


def table_of(panel: Mapping[str, Any], answers: Sequence[Answer]) -> Table:
    """What a table shows before its own order of rows.

    Raises:
        BadInput: a transformation that a preview does not know.
    """
    several = len(answers) > 1
    frames = [_frame(answer, f"Value #{answer.asked.ref}" if several else "Value") for answer in answers]
    for transformation in panel.get("transformations") or ():
        if transformation.get("disabled"):
            continue
        known = _TRANSFORMATIONS.get(transformation["id"])
        if known is None:
            msg = (
                f"panel {panel['title']!r}: the transformation {transformation['id']!r} is not known to a preview; "
                f"it knows {', '.join(_TRANSFORMATIONS)}"
            )
            raise BadInput(msg)
        frames = known(frames, transformation.get("options") or {})
    return frames[0] if frames else Table({}, ())


def in_order(table: Table, by: Sequence[Mapping[str, Any]]) -> Table:
    """The rows sorted by fields, the first one counting most; empty cells come last."""
    rows = list(table.rows)
    for each in reversed(by):
        name, falling = each["displayName"], bool(each.get("desc"))
        there = [row for row in rows if row.get(name) is not None]
        there.sort(key=lambda row: _rank(row[name]), reverse=falling)
        rows = there + [row for row in rows if row.get(name) is None]
    return replace(table, rows=tuple(rows))


def _rank(cell: Cell) -> tuple[bool, float, str]:
    return (True, 0.0, cell.casefold()) if isinstance(cell, str) else (False, cell or 0.0, "")


def _frame(answer: Answer, value: str) -> Table:
    """One row for each series, as the format `table` gives it."""
    labels = sorted({name for series in answer.series for name in series.labels})
    rows: list[Mapping[str, Cell]] = [
        {TIME: series.points[-1][0] * 1000, **series.labels, value: series.last} for series in answer.series
    ]
    return Table({TIME: "", **dict.fromkeys(labels, ""), value: answer.asked.ref}, tuple(rows))


# ---- transformations


Frames = list[Table]


def _merge(frames: Frames, _: Mapping[str, Any]) -> Frames:
    """One table: rows that agree in all fields that every frame has become one, unless they contradict elsewhere."""
    filled = [frame for frame in frames if frame.rows]
    if not filled:
        return frames[:1]
    fields = {name: ref for frame in filled for name, ref in frame.fields.items()}
    shared = [name for name in fields if all(name in frame.fields for frame in filled)]
    merged: dict[tuple[Cell, ...], list[dict[str, Cell]]] = {}
    for frame in filled:
        for row in frame.rows:
            rows = merged.setdefault(tuple(row.get(name) for name in shared), [])
            found = next((other for other in rows if _agree(other, row)), None)
            if found is None:
                rows.append(dict(row))
            else:
                found.update(row)
    return [Table(fields, tuple(row for rows in merged.values() for row in rows))]


def _agree(one: Mapping[str, Cell], other: Mapping[str, Cell]) -> bool:
    return all(one.get(name, cell) == cell for name, cell in other.items())


def _organize(frames: Frames, options: Mapping[str, Any]) -> Frames:
    excluded, included = options.get("excludeByName") or {}, options.get("includeByName") or {}
    order, names = options.get("indexByName") or {}, options.get("renameByName") or {}
    made = []
    for frame in frames:
        kept = [name for name in frame.fields if not excluded.get(name) and (not included or included.get(name))]
        kept.sort(key=lambda name: order.get(name, len(order) + len(frame.fields)))
        renamed = {name: names.get(name) or name for name in kept}
        fields = {renamed[name]: frame.fields[name] for name in kept}
        made.append(
            Table(fields, tuple({renamed[name]: row.get(name) for name in kept if name in row} for row in frame.rows))
        )
    return made


def _sort(frames: Frames, options: Mapping[str, Any]) -> Frames:
    by = [{"displayName": each["field"], "desc": each.get("desc")} for each in options.get("sort") or ()]
    return [in_order(frame, by) for frame in frames]


def _join(frames: Frames, options: Mapping[str, Any]) -> Frames:
    field, outer = options.get("byField") or TIME, options.get("mode", "outer") != "inner"
    with_field = [frame for frame in frames if field in frame.fields]
    fields = {name: ref for frame in with_field for name, ref in frame.fields.items()}
    rows: dict[Cell, dict[str, Cell]] = {}
    counts: dict[Cell, int] = {}
    for frame in with_field:
        for row in frame.rows:
            rows.setdefault(row.get(field), {}).update(row)
            counts[row.get(field)] = counts.get(row.get(field), 0) + 1
    kept = (row for key, row in rows.items() if outer or counts[key] == len(with_field))
    return [Table({field: "", **fields}, tuple(kept))]


def _limit(frames: Frames, options: Mapping[str, Any]) -> Frames:
    most = int(options.get("limitField") or 10)
    return [replace(frame, rows=frame.rows[:most]) for frame in frames]


def _filter_fields(frames: Frames, options: Mapping[str, Any]) -> Frames:
    names: Iterable[str] = (options.get("include") or {}).get("names") or ()
    wanted = set(names)
    return [replace(frame, fields={n: ref for n, ref in frame.fields.items() if n in wanted}) for frame in frames]


_TRANSFORMATIONS: Final[dict[str, Callable[[Frames, Mapping[str, Any]], Frames]]] = {
    "merge": _merge,
    "organize": _organize,
    "sortBy": _sort,
    "joinByField": _join,
    "limit": _limit,
    "filterFieldsByName": _filter_fields,
}
