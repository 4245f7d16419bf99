"""Panels and answers made up for the pure tests of the preview."""

from collections.abc import Mapping, Sequence
from typing import Any

from attente.grafana.preview.asking import Answer, Asked
from attente.grafana.preview.prometheus import Series


def answer(
    *series: tuple[Mapping[str, str], Sequence[tuple[float, float]]],
    ref: str = "A",
    legend: str = "",
    form: str = "time_series",
    step_s: float = 60,
) -> Answer:
    """What a query was answered: series of labels and points."""
    found = tuple(Series(labels, tuple(points)) for labels, points in series)
    return Answer(Asked(ref, "x", legend, form, is_instant=False, step_s=step_s), found)


def row(ref: str, value: float, **labels: str) -> tuple[Mapping[str, str], Sequence[tuple[float, float]]]:
    """A series of one value."""
    return {**labels, "__name__": ref}, [(0.0, value)]


def panel(kind: str = "stat", **more: Any) -> dict[str, Any]:
    """A panel of a type."""
    grid = {"x": 0, "y": 0, "w": 12, "h": 8}
    return {"id": 1, "type": kind, "title": "A panel", "gridPos": grid, "fieldConfig": {"defaults": {}}, **more}


def defaults(overrides: Sequence[Mapping[str, Any]] = (), **settings: Any) -> dict[str, Any]:
    """A panel's configuration of fields."""
    return {"defaults": settings, "overrides": list(overrides)}


def override(matcher: str, option: str, **properties: Any) -> dict[str, Any]:
    """Properties of some fields."""
    found = [{"id": name.replace("__", "."), "value": value} for name, value in properties.items()]
    return {"matcher": {"id": matcher, "options": option}, "properties": found}
