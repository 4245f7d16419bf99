"""Panels that show one figure for each series: large figures, bars and dials."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from xml.etree.ElementTree import Element

from attente.grafana.preview.asking import Answer
from attente.grafana.preview.graph import svg
from attente.grafana.preview.looks import PALETTE, PLAIN, Look, Shown
from attente.grafana.preview.prometheus import Series
from attente.markup import node, text

_NAME_HEIGHT: Final = 20
_LARGEST: Final = 52  # px: larger figures look like a poster
_WIDE: Final = 0.62  # of its height, a digit is wide


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure: its name, its value, and how it is shown."""

    name: str
    value: float
    shown: Shown
    look: Look
    colour: str


def figures_of(panel: Mapping[str, Any], answers: Sequence[Answer]) -> list[Figure]:
    """The figures of a panel, reduced as it says, in the order of its queries."""
    calculation = (((panel.get("options") or {}).get("reduceOptions") or {}).get("calcs") or ["lastNotNull"])[0]
    found: list[Figure] = []
    for answer in answers:
        for series in answer.series:
            name = answer.name(series)
            look = Look.of(panel, name, answer.asked.ref)
            value = reduced(series, calculation)
            shown = look.shown(value)
            colour = shown.colour or look.colour(value) or PALETTE[len(found) % len(PALETTE)]
            found.append(Figure(look.name or name, value, shown, look, colour))
    return found


def reduced(series: Series, calculation: str) -> float:
    """One value of a series, by one of Grafana's names of calculations; NaN where it is not known."""
    values = [value for _, value in series.points if not math.isnan(value)]
    if not values:
        return math.nan
    known = {
        "last": values[-1],
        "lastNotNull": values[-1],
        "first": values[0],
        "firstNotNull": values[0],
        "max": max(values),
        "min": min(values),
        "mean": sum(values) / len(values),
        "sum": sum(values),
        "count": float(len(values)),
        "range": max(values) - min(values),
        "diff": values[-1] - values[0],
    }
    return known.get(calculation, math.nan)


def stat(panel: Mapping[str, Any], answers: Sequence[Answer], width: int, height: int) -> Element:
    """Large figures, side by side where the panel is wide."""
    found = figures_of(panel, answers)
    options = panel.get("options") or {}
    mode = options.get("textMode") or "auto"
    with_name = mode in {"value_and_name", "name"} or (mode == "auto" and len(found) > 1)
    across = width >= height
    cell_width = width / len(found) if across and found else width
    cell_height = height if across or not found else height / len(found)
    is_ground = str(options.get("colorMode", "")).startswith("background")
    named = with_name and mode != "name"
    texts = [figure.name if mode == "name" else "" if mode == "none" else figure.shown.text for figure in found]
    # All figures of a panel are of one size, that of the longest, or a short one would seem to matter more.
    room = (cell_height - (_NAME_HEIGHT if named else 0) - 8) * 0.8
    size = max(11.0, min(_LARGEST, room, (cell_width - 20) / max([1, *map(len, texts)]) / _WIDE))
    cells = []
    for figure, words in zip(found, texts, strict=True):
        colour = "#FFFFFF" if is_ground else figure.colour if options.get("colorMode") != "none" else PLAIN
        value = node("div", words, class_="figure", style=f"font-size:{size:.0f}px;color:{colour}")
        name = [node("div", figure.name, class_="named", title=figure.name)] if named else []
        ground = f";background:{figure.colour}" if is_ground else ""
        style = f"width:{cell_width:.0f}px;height:{cell_height:.0f}px{ground}"
        cells.append(node("div", *name, value, class_="stat", style=style))
    return node("div", *cells, class_="stats" if across else "stats down")


def bars(panel: Mapping[str, Any], answers: Sequence[Answer], height: int) -> Element:
    """A bar for each figure, with its name before and its value behind it."""
    found = figures_of(panel, answers)
    least = min([figure.look.least for figure in found if figure.look.least is not None], default=None)
    low = min([0.0, *(figure.value for figure in found)]) if least is None else least
    high = max([figure.value for figure in found if not math.isnan(figure.value)], default=1.0)
    high = max([high, *(figure.look.most for figure in found if figure.look.most is not None)])
    each = max(18, min(40, height // max(1, len(found))))
    rows = []
    for figure in found:
        share = 0.0 if math.isnan(figure.value) or high <= low else (figure.value - low) / (high - low)
        fill = node(
            "div", class_="fill", style=f"width:{max(0.0, min(1.0, share)) * 100:.1f}%;background:{figure.colour}"
        )
        rows.append(
            node(
                "div",
                node("div", figure.name, class_="name", title=figure.name),
                node("div", fill, class_="track"),
                node("div", figure.shown.text, class_="value", style=f"color:{figure.colour}"),
                class_="bar",
                style=f"height:{each}px",
            )
        )
    return node("div", *rows, class_="bars")


def dials(panel: Mapping[str, Any], answers: Sequence[Answer], width: int, height: int) -> Element:
    """A half-circle for each figure."""
    found = figures_of(panel, answers)
    each = width // max(1, len(found))
    return node("div", *(_dial(figure, each, height) for figure in found), class_="stats")


def _dial(figure: Figure, width: int, height: int) -> Element:
    least, most = figure.look.least or 0.0, 1.0 if figure.look.unit == "percentunit" else 100.0
    most = figure.look.most if figure.look.most is not None else most
    share = 0.0 if math.isnan(figure.value) else max(0.0, min(1.0, (figure.value - least) / (most - least)))
    radius = max(10.0, min(width / 2 - 16, height - 44))
    x, y = width / 2, radius + 8

    def arc(to: float, colour: str) -> Element:
        end_x, end_y = x - radius * math.cos(math.pi * to), y - radius * math.sin(math.pi * to)
        path = f"M {x - radius:.1f} {y:.1f} A {radius:.1f} {radius:.1f} 0 0 1 {end_x:.1f} {end_y:.1f}"
        return node("path", d=path, stroke=colour, stroke_width=14, fill="none")

    parts = [
        arc(1, "#E4E7EA"),
        arc(share, figure.colour),
        text(x, y - 4, figure.shown.text, kind="dial", anchor="middle"),
        text(x, y + 18, figure.name, kind="axis", anchor="middle"),
    ]
    return svg(width, height, figure.name, parts)
