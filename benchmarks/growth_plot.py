"""Plots of the results as plain SVG, readable on light and on dark pages."""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple
from xml.etree.ElementTree import Element, tostring

from attente.markup import line, node, picture, text

Axis = Callable[[float], float]
"""From a value to its place in pixels."""

_WIDTH: Final = 470
_HEIGHT: Final = 330
_LEFT: Final = 62
_RIGHT: Final = 18
_BOTTOM: Final = 44
_TITLE: Final = 29
_LEGEND: Final = 17  # height of a row, of which each has two entries
_HUES: Final = 6
_FEW: Final = 60  # points that each have a dot
_STEPS: Final = (1, 2, 5)

_STYLE: Final = """
svg { font: 12px system-ui, sans-serif; }
.paper { fill: #ffffff; }
text { fill: #24292f; }
.title { font-weight: 600; font-size: 13px; }
.soft { fill: #57606a; }
.grid { stroke: #d8dee4; }
.axis { stroke: #6e7781; }
.curve { fill: none; stroke-width: 2; }
.h0 { --hue: #0b5cad; } .h1 { --hue: #b04a00; } .h2 { --hue: #1a7f37; }
.h3 { --hue: #8250df; } .h4 { --hue: #bf3989; } .h5 { --hue: #57606a; }
@media (prefers-color-scheme: dark) {
  .paper { fill: #0d1117; }
  text { fill: #e6edf3; }
  .soft { fill: #9aa4af; }
  .grid { stroke: #30363d; }
  .axis { stroke: #8b949e; }
  .h0 { --hue: #6cb6ff; } .h1 { --hue: #f69d50; } .h2 { --hue: #6bc46d; }
  .h3 { --hue: #c297ff; } .h4 { --hue: #fc8dc7; } .h5 { --hue: #adbac7; }
}
.curve { stroke: var(--hue); }
.dot { fill: var(--hue); }
"""
_DASHES: Final = ("", "7 3", "2 3", "9 3 2 3", "4 2", "1 2")


class Curve(NamedTuple):
    """Points that belong together; the name says the unit. Points at or below 0 have no place on a log axis."""

    name: str
    points: Sequence[tuple[float, float]]


class Panel(NamedTuple):
    """Some curves over one quantity."""

    title: str
    across: str
    curves: Sequence[Curve]
    is_log: bool = True


def plot(title: str, says: str, panels: Sequence[Panel]) -> str:
    """A file with all panels, two in a row."""
    columns = min(2, len(panels))
    rows = -(-len(panels) // columns)
    parts = [node("style", _STYLE)]
    width, height = columns * _WIDTH, rows * _HEIGHT
    parts.append(node("rect", x=0, y=0, width=width, height=height, rx=6, class_="paper"))
    for i, panel in enumerate(panels):
        place = f"translate({i % columns * _WIDTH} {i // columns * _HEIGHT})"
        parts.append(node("g", *_panel(panel), transform=place))
    return tostring(picture(title, says, width, height, *parts), encoding="unicode") + "\n"


def _panel(panel: Panel) -> Iterable[Element]:
    curves = [
        Curve(curve.name, [(x, y) for x, y in curve.points if not panel.is_log or (x > 0 and y > 0)])
        for curve in panel.curves
    ]
    top = _TITLE + 8 + -(-len(curves) // 2) * _LEGEND
    yield text(_LEFT, 20, panel.title, kind="title")
    yield from _legend(curves)
    xs = [x for curve in curves for x, _ in curve.points]
    ys = [y for curve in curves for _, y in curve.points]
    if not xs:
        return
    ticks = decades if panel.is_log else steps
    across = ticks(min(xs) if panel.is_log else min(0.0, *xs), max(xs))
    up = ticks(min(ys) if panel.is_log else min(0.0, *ys), max(ys))
    # On a linear axis, which is one of time, the curve fills the width; decades are whole.
    ends = (across[0], across[-1]) if panel.is_log else (min(0.0, *xs), max(xs))
    x_of = scale(ends, (_LEFT, _WIDTH - _RIGHT), is_log=panel.is_log)
    y_of = scale((up[0], up[-1]), (_HEIGHT - _BOTTOM, top), is_log=panel.is_log)
    for tick in up:
        yield line(_LEFT, y_of(tick), _WIDTH - _RIGHT, y_of(tick), "grid")
        yield text(_LEFT - 6, y_of(tick) + 4, short(tick), kind="soft", anchor="end")
    for tick in across:
        if ends[0] <= tick <= ends[1]:
            yield line(x_of(tick), top, x_of(tick), _HEIGHT - _BOTTOM, "grid")
            yield text(x_of(tick), _HEIGHT - _BOTTOM + 16, short(tick), kind="soft", anchor="middle")
    yield line(_LEFT, _HEIGHT - _BOTTOM, _WIDTH - _RIGHT, _HEIGHT - _BOTTOM, "axis")
    yield text((_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 10, panel.across, kind="soft", anchor="middle")
    for i, curve in enumerate(curves):
        yield from _curve(i, [(x_of(x), y_of(y), x, y) for x, y in curve.points], curve.name)


def _curve(number: int, places: Sequence[tuple[float, float, float, float]], name: str) -> Iterable[Element]:
    hue = f"h{number % _HUES}"
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y, _, _ in places)
    dash = _DASHES[number % _HUES]
    yield node("polyline", points=points, class_=f"curve {hue}", **({"stroke_dasharray": dash} if dash else {}))
    if len(places) <= _FEW:
        for x, y, at, value in places:
            told = node("title", f"{name}: {short(value)} at {short(at)}")
            yield node("circle", told, cx=x, cy=y, r=3, class_=f"dot {hue}")


def _legend(curves: Sequence[Curve]) -> Iterable[Element]:
    for i, curve in enumerate(curves):
        x = _LEFT + i % 2 * (_WIDTH - _LEFT) / 2
        y = _TITLE + 10 + i // 2 * _LEGEND
        dash = _DASHES[i % _HUES]
        attributes = {"stroke_dasharray": dash} if dash else {}
        points = f"{x:.0f},{y - 4:.0f} {x + 22:.0f},{y - 4:.0f}"
        yield node("polyline", points=points, class_=f"curve h{i % _HUES}", **attributes)
        yield text(x + 28, y, curve.name)


# ---- axes


def scale(values: tuple[float, float], pixels: tuple[float, float], *, is_log: bool) -> Axis:
    """An axis by its two ends, in values and in pixels."""
    bend: Callable[[float], float] = math.log10 if is_log else float
    low, high = bend(values[0]), bend(values[1])
    begin, end = pixels
    length = (high - low) or 1.0
    return lambda value: begin + (bend(value) - low) / length * (end - begin)


def decades(least: float, most: float) -> list[float]:
    """The powers of ten from the one at or below the least to the one at or above the most; at least two."""
    low, high = math.floor(math.log10(least)), math.ceil(math.log10(most))
    return [10.0**power for power in range(low, max(high, low + 1) + 1)]


def steps(least: float, most: float) -> list[float]:
    """Four to eleven round values that enclose all."""
    span = (most - least) or 1.0
    power = 10.0 ** math.floor(math.log10(span / 5))
    step = next(power * factor for factor in (*_STEPS, 10) if span / (power * factor) <= 7)
    low, high = math.floor(least / step), max(math.ceil(most / step), math.floor(least / step) + 1)
    return [step * i for i in range(low, high + 1)]


def short(value: float) -> str:
    """A value as an axis shows it: 0.01, 4, 200, 10k, 1.5M."""
    for unit, size in (("M", 1e6), ("k", 1e3)):
        if abs(value) >= size * (10 if unit == "k" else 1):
            return f"{value / size:.3g}{unit}"
    return f"{value:.3g}" if abs(value) < 1_000 else f"{value:.0f}"
