"""Panels over time: graphs, heat maps of histograms, and bands of states."""

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any, Final
from xml.etree.ElementTree import Element

from attente.grafana.preview.asking import Answer
from attente.grafana.preview.figures import reduced
from attente.grafana.preview.graph import LETTER, Curve, Frame, graph, shades, svg, time_axis
from attente.grafana.preview.looks import PALETTE, Look
from attente.grafana.preview.prometheus import Point, Series
from attente.grafana.preview.units import written
from attente.markup import node, text

_LEGEND_LINE: Final = 20
_LEGEND_SHARE: Final = 0.35  # of the panel at most, as in Grafana
_SWATCH: Final = 40  # px of a legend's entry besides its words
_AXIS: Final = 20  # px below a heat map for its times
_SCALE: Final = 26  # px below that for its colours

_SCHEMES: Final = {
    "cividis": "00224E 123570 3B496C 575D6D 707173 8A8678 A59C74 C3B369 E1CC55 FEE838",
    "viridis": "440154 482878 3E4A89 31688E 26828E 1F9E89 35B779 6DCD59 B4DE2C FDE725",
    "blues": "F7FBFF DEEBF7 C6DBEF 9ECAE1 6BAED6 4292C6 2171B5 08519C 08306B",
    "oranges": "FFF5EB FEE6CE FDD0A2 FDAE6B FD8D3C F16913 D94801 A63603 7F2704",
}
"""Grafana's schemes of colours, from few to many on a dark ground."""

_TURNED: Final = frozenset({"cividis", "viridis"})
"""On a light ground Grafana turns these around: what is many stands out from the ground."""


def curves_of(panel: Mapping[str, Any], answers: Sequence[Answer]) -> list[Curve]:
    """The series of a graph, with the colours that the panel gives them."""
    named = [(answer, series, answer.name(series)) for answer in answers for series in answer.series]
    looks = [Look.of(panel, name, answer.asked.ref) for answer, _, name in named]
    shaded = [index for index, look in enumerate(looks) if look.colour_mode == "shades"]
    own = dict(zip(shaded, shades(looks[shaded[0]].fixed_colour, len(shaded)), strict=True)) if shaded else {}
    made = []
    for index, ((answer, series, name), look) in enumerate(zip(named, looks, strict=True)):
        colour = own.get(index) or (look.fixed_colour if look.colour_mode == "fixed" else "")
        style = look.custom.get("lineStyle") or {}
        made.append(
            Curve(
                name=look.name or name,
                colour=colour or PALETTE[index % len(PALETTE)],
                points=tuple(point for point in series.points if math.isfinite(point[1])),
                step_s=answer.asked.step_s,
                unit=look.unit,
                decimals=look.decimals,
                width=float(look.custom.get("lineWidth", 1)),
                dash=tuple(style.get("dash") or (10, 10)) if style.get("fill") in {"dash", "dot"} else (),
                fill=float(look.custom.get("fillOpacity", 0)),
                is_bars=look.custom.get("drawStyle") == "bars",
                is_stepped=look.custom.get("lineInterpolation") in {"stepAfter", "stepBefore"},
                shows_points=look.custom.get("showPoints") == "always",
            )
        )
    return made


def trend(panel: Mapping[str, Any], answers: Sequence[Answer], frame: Frame) -> Element:
    """A graph with its legend."""
    curves = curves_of(panel, answers)
    look = Look.of(panel, "")
    custom = look.custom
    legend = _legend(panel, answers, curves, frame)
    style = (custom.get("thresholdsStyle") or {}).get("mode", "off")
    levels = tuple((step.start, step.colour) for step in look.steps if step.start is not None) if style != "off" else ()
    inner = Frame(
        frame.width,
        frame.height - (legend.height if legend else 0),
        frame.begin_s,
        frame.end_s,
        frame.zone,
        look.least,
        look.most,
        levels,
    )
    stacked = (custom.get("stacking") or {}).get("mode") in {"normal", "percent"}
    parts = [graph(curves, inner, panel.get("title") or "", stacked=stacked)]
    return node("div", *parts, *([legend.element] if legend else []), class_="trend")


class _Legend:
    """A legend, and how high it is."""

    def __init__(self, element: Element, height: int) -> None:
        self.element = element
        self.height = height


def _legend(
    panel: Mapping[str, Any], answers: Sequence[Answer], curves: Sequence[Curve], frame: Frame
) -> _Legend | None:
    options = (panel.get("options") or {}).get("legend") or {}
    if not options.get("showLegend", True) or not curves:
        return None
    calculations = list(options.get("calcs") or ())
    all_series = [series for answer in answers for series in answer.series]
    entries, total, lines = [], 0.0, 1
    for curve, series in zip(curves, all_series, strict=True):
        words = [curve.name, *(_calculated(curve, series, each) for each in calculations)]
        wide = _SWATCH + LETTER * 1.08 * sum(len(word) + 2 for word in words)
        if total and total + wide > frame.width:
            total, lines = 0.0, lines + 1
        total += wide
        style = f"border-top-color:{curve.colour};border-top-style:{'dashed' if curve.dash else 'solid'}"
        mark = node("span", class_="swatch", style=style)
        entries.append(node("span", mark, *(node("span", word) for word in words), class_="entry"))
    most = max(1, int(frame.height * _LEGEND_SHARE / _LEGEND_LINE))
    height = min(lines, most) * _LEGEND_LINE
    return _Legend(node("div", *entries, class_="legend", style=f"height:{height}px"), height)


def _calculated(curve: Curve, series: Series, calculation: str) -> str:
    return f"{calculation}: {written(reduced(series, calculation), curve.unit, curve.decimals)}"


# ---- heat maps


def heat_map(panel: Mapping[str, Any], answers: Sequence[Answer], frame: Frame) -> Element:
    """How many lie in each bucket at each step, from the cumulative buckets of a histogram."""
    options = panel.get("options") or {}
    unit = (options.get("yAxis") or {}).get("unit") or ""
    decimals = (options.get("yAxis") or {}).get("decimals")
    look = Look.of(panel, "")
    answer = answers[0]
    rows = list(_apart(answer.series))
    step_s = answer.asked.step_s
    most = max((value for _, points in rows for _, value in points), default=0.0)
    names = _bounds([bound for bound, _ in rows], unit, decimals)
    left = 12 + LETTER * max(map(len, names), default=0)
    height = frame.height - _SCALE
    each = (height - 8 - _AXIS) / max(1, len(rows))
    colours = _scheme(options.get("color") or {})
    parts = list(time_axis(Frame(frame.width, height, frame.begin_s, frame.end_s, frame.zone), left, height - _AXIS))
    for number, (name, (_, points)) in enumerate(zip(names, rows, strict=True)):
        y = height - _AXIS - (number + 1) * each
        parts.append(text(left - 6, y + each / 2 + 4, name, kind="axis", anchor="end"))
        for at, value in points:
            if value <= 0:
                continue
            begin, end = frame.x(max(frame.begin_s, at - step_s), left), frame.x(at, left)
            told = node("title", f"{name}: {look.shown(value).text}")
            fill = _shade(colours, value / most)
            parts.append(node("rect", told, x=begin, y=y, width=max(0.5, end - begin - 1), height=each - 1, fill=fill))
    parts += _colour_scale(colours, most, look, frame.height - 14, left)
    return svg(frame.width, frame.height, panel.get("title") or "", parts)


def _apart(series: Sequence[Series]) -> Iterable[tuple[str, list[Point]]]:
    """What lies in each bucket alone: of the cumulative ones the differences."""
    before: dict[float, float] = {}
    for each in series:
        now = dict(each.points)
        yield each.labels.get("le", ""), [(at, value - before.get(at, 0.0)) for at, value in each.points]
        before = now


def _bounds(bounds: Sequence[str], unit: str, decimals: int | None) -> list[str]:
    """What buckets are called; the last has no upper bound, and is called by that of the one before."""
    words = [written(float(bound or "nan"), unit, decimals) for bound in bounds]
    pairs = zip(bounds, words, [words[0], *words], strict=False)
    return [f"> {before}" if bound == "+Inf" else f"≤ {word}" for bound, word, before in pairs]


def _scheme(color: Mapping[str, Any]) -> tuple[str, ...]:
    name = str(color.get("scheme", "")).lower()
    found = tuple(f"#{each}" for each in _SCHEMES.get(name, _SCHEMES["oranges"]).split())
    return found[::-1] if bool(color.get("reverse")) != (name in _TURNED) else found


def _shade(colours: Sequence[str], share: float) -> str:
    place = max(0.0, min(1.0, share)) * (len(colours) - 1)
    low = min(int(place), len(colours) - 2)
    mixed = (
        round(
            int(colours[low][i : i + 2], 16) * (low + 1 - place) + int(colours[low + 1][i : i + 2], 16) * (place - low)
        )
        for i in (1, 3, 5)
    )
    return "#" + "".join(f"{part:02X}" for part in mixed)


def _colour_scale(colours: Sequence[str], most: float, look: Look, y: float, left: float) -> Iterable[Element]:
    count = 24
    yield text(left, y + 10, "1", kind="axis", anchor="end")
    for number in range(count):
        fill = _shade(colours, number / (count - 1))
        yield node("rect", x=left + 6 + number * 8, y=y + 1, width=8.3, height=10, fill=fill)
    yield text(left + 12 + count * 8, y + 10, look.shown(most).text, kind="axis")


# ---- bands of states


def timeline(panel: Mapping[str, Any], answers: Sequence[Answer], frame: Frame) -> Element:
    """A band for each series, coloured by its value."""
    named = [(answer, series, answer.name(series)) for answer in answers for series in answer.series]
    left = min(frame.width * 0.3, 12 + LETTER * max((len(name) for _, _, name in named), default=0))
    each = (frame.height - 8 - _AXIS) / max(1, len(named))
    parts = list(time_axis(frame, left, frame.height - _AXIS))
    for number, (answer, series, name) in enumerate(named):
        look = Look.of(panel, name, answer.asked.ref)
        y = 8 + number * each
        parts.append(text(left - 6, y + each / 2 + 4, name, kind="axis", anchor="end"))
        for value, run in groupby(series.points, key=lambda point: point[1]):
            points = list(run)
            begin, end = (
                frame.x(points[0][0], left),
                frame.x(min(frame.end_s, points[-1][0] + answer.asked.step_s), left),
            )
            shown = look.shown(value)
            fill = shown.colour or look.colour(value) or PALETTE[number % len(PALETTE)]
            band = node("rect", x=begin, y=y + each * 0.1, width=max(0.5, end - begin), height=each * 0.8, fill=fill)
            parts.append(band)
            if end - begin > LETTER * (len(shown.text) + 1):
                parts.append(text((begin + end) / 2, y + each / 2 + 4, shown.text, kind="band", anchor="middle"))
    return svg(frame.width, frame.height, panel.get("title") or "", parts)
