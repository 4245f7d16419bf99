"""Graphs: lines and bars over time, with axes."""

import colorsys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from xml.etree.ElementTree import Element
from zoneinfo import ZoneInfo

from attente.grafana.preview.prometheus import Point
from attente.grafana.preview.units import exact, ticks, written
from attente.markup import SVG_NS, line, node, text

Scale = Callable[[float], float]
"""Gives the place of a value in a drawing, in pixels."""

LETTER: Final = 6.1
"""How wide a letter of 11 px is, on average."""

_BOTTOM: Final = 20
_TOP: Final = 8
_RIGHT: Final = 10
_LINE_HEIGHT: Final = 34  # between two lines of the axis, at least
_TIME_LABEL: Final = 74
_GAP: Final = 1.5  # steps without a value, until a line is broken
_TIME_STEPS_S: Final = (10, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400, 604_800)


@dataclass(frozen=True, slots=True)
class Curve:
    """A series as it is drawn.

    Attributes:
        name: in the legend.
        colour: of its line.
        points: what is drawn; where they lie more than a step apart the line is broken.
        step_s: how far they lie apart.
        unit, decimals: of its values.
        width: of its line.
        dash: lengths of dashes and gaps; empty is solid.
        fill: how opaque the ground below is, from 0 to 100.
        is_bars: bars in place of a line.
        is_stepped: values hold until the next one.
        shows_points: a dot at each value.
    """

    name: str
    colour: str
    points: tuple[Point, ...]
    step_s: float
    unit: str = ""
    decimals: int | None = None
    width: float = 1.0
    dash: tuple[float, ...] = ()
    fill: float = 0.0
    is_bars: bool = False
    is_stepped: bool = False
    shows_points: bool = False

    def runs(self) -> Iterable[tuple[Point, ...]]:
        """The points without gaps."""
        run: list[Point] = []
        for point in self.points:
            if run and point[0] - run[-1][0] > _GAP * self.step_s:
                yield tuple(run)
                run = []
            run.append(point)
        if run:
            yield tuple(run)


@dataclass(frozen=True, slots=True)
class Frame:
    """Where a graph is drawn, and what it covers.

    Attributes:
        width, height: of the whole drawing.
        begin_s, end_s: from when to when.
        zone: of its times.
        least, most: of the axis, where the panel says so.
        levels: lines at values, each with its colour.
    """

    width: int
    height: int
    begin_s: float
    end_s: float
    zone: ZoneInfo
    least: float | None = None
    most: float | None = None
    levels: tuple[tuple[float, str], ...] = ()

    def x(self, at_s: float, left: float) -> float:
        """Where an instant lies."""
        return left + (at_s - self.begin_s) / max(1e-9, self.end_s - self.begin_s) * (self.width - left - _RIGHT)


def graph(curves: Sequence[Curve], frame: Frame, title: str, *, stacked: bool = False) -> Element:
    """A graph of curves that share an axis."""
    drawn = _stacked(curves) if stacked else [(curve, {}) for curve in curves]
    unit = curves[0].unit if curves else ""
    marks = _marks(drawn, frame, unit)
    names = [written(mark, unit, exact(marks, unit)) for mark in marks]
    left = 12 + LETTER * max(map(len, names), default=0)
    plot_height = frame.height - _TOP - _BOTTOM

    def y(value: float) -> float:
        return _TOP + plot_height * (1 - (value - marks[0]) / (marks[-1] - marks[0]))

    parts: list[Element] = []
    for mark, name in zip(marks, names, strict=True):
        parts.append(line(left, y(mark), frame.width - _RIGHT, y(mark), "grid"))
        parts.append(text(left - 6, y(mark) + 4, name, kind="axis", anchor="end"))
    parts += time_axis(frame, left, frame.height - _BOTTOM)
    for value, colour in frame.levels:
        if marks[0] <= value <= marks[-1]:
            at = y(value)
            parts.append(node("line", x1=left, x2=frame.width - _RIGHT, y1=at, y2=at, stroke=colour, class_="level"))
    for curve, below in drawn:
        parts += _bars(curve, frame, left, y, below) if curve.is_bars else _lines(curve, frame, left, y, below)
    return svg(frame.width, frame.height, title, parts)


def svg(width: int, height: int, title: str, parts: Iterable[Element]) -> Element:
    """A drawing in its own size."""
    return node("svg", *parts, width=width, height=height, xmlns=SVG_NS, role="img", aria_label=title)


def time_axis(frame: Frame, left: float, bottom: float) -> Iterable[Element]:
    """Lines at round local times, and the times."""
    room = max(1.0, (frame.width - left - _RIGHT) / _TIME_LABEL)
    span = frame.end_s - frame.begin_s
    step = next((step for step in _TIME_STEPS_S if span / step <= room), _TIME_STEPS_S[-1])
    form = "%H:%M:%S" if step < 60 else "%H:%M" if span <= 86_400 else "%d %b" if step >= 86_400 else "%d %b %H:%M"
    midnight = datetime.fromtimestamp(frame.begin_s, frame.zone).replace(hour=0, minute=0, second=0, microsecond=0)
    at = midnight
    while (stamp := at.timestamp()) <= frame.end_s:
        if stamp >= frame.begin_s:
            x = frame.x(stamp, left)
            yield line(x, _TOP, x, bottom, "grid")
            words = at.strftime(form)
            half = len(words) * LETTER / 2
            if left - 4 <= x - half and x + half <= frame.width:
                yield text(x, bottom + 15, words, kind="axis", anchor="middle")
        at = (at + timedelta(seconds=step)) if step < 86_400 else at + timedelta(days=step // 86_400)


def shades(colour: str, count: int) -> list[str]:
    """So many shades of a colour, from itself to a lighter one, as Grafana's mode `shades` gives."""
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    hue, light, saturation = colorsys.rgb_to_hls(red, green, blue)
    made = []
    for number in range(count):
        lighter = light + (0.82 - light) * (number / max(1, count - 1)) if count > 1 else light
        rgb = colorsys.hls_to_rgb(hue, lighter, saturation)
        made.append("#" + "".join(f"{round(part * 255):02X}" for part in rgb))
    return made


def _marks(drawn: Sequence[tuple[Curve, dict[float, float]]], frame: Frame, unit: str) -> list[float]:
    tops = [value + below.get(at, 0.0) for curve, below in drawn for at, value in curve.points]
    if any(curve.is_bars or curve.fill for curve, _ in drawn):
        tops.append(0.0)  # what has a ground stands on it
    low = min(tops, default=0.0) if frame.least is None else frame.least
    high = max([*tops, low]) if frame.most is None else frame.most
    if high - low < 1e-9 * max(1.0, abs(high)):
        high = low + 1
    return ticks(low, high, unit, max(1, int((frame.height - _TOP - _BOTTOM) / _LINE_HEIGHT)))


def _stacked(curves: Sequence[Curve]) -> list[tuple[Curve, dict[float, float]]]:
    """Each curve with what lies below it."""
    so_far: dict[float, float] = {}
    found = []
    for curve in curves:
        found.append((curve, dict(so_far)))
        for at, value in curve.points:
            so_far[at] = so_far.get(at, 0.0) + value
    return found


def _lines(curve: Curve, frame: Frame, left: float, y: Scale, below: dict[float, float]) -> Iterable[Element]:
    for run in curve.runs():
        places = [(frame.x(at, left), y(value + below.get(at, 0.0))) for at, value in run]
        if curve.is_stepped:
            places = [
                place for a, b in zip(places, [*places[1:], places[-1]], strict=True) for place in (a, (b[0], a[1]))
            ]
        drawn = " ".join(f"{x:.1f},{at:.1f}" for x, at in places)
        if curve.fill and len(run) > 1:
            ground = [(frame.x(at, left), y(below.get(at, 0.0))) for at, _ in reversed(run)]
            area = drawn + " " + " ".join(f"{x:.1f},{at:.1f}" for x, at in ground)
            yield node("polygon", points=area, fill=curve.colour, fill_opacity=curve.fill / 100)
        dash = {"stroke_dasharray": " ".join(f"{length:g}" for length in curve.dash)} if curve.dash else {}
        if len(run) > 1:
            yield node("polyline", points=drawn, stroke=curve.colour, stroke_width=curve.width, class_="curve", **dash)
        if curve.shows_points or len(run) == 1:
            yield from (node("circle", cx=x, cy=at, r=2, fill=curve.colour) for x, at in places)


def _bars(curve: Curve, frame: Frame, left: float, y: Scale, below: dict[float, float]) -> Iterable[Element]:
    width = max(1.0, (frame.x(curve.step_s, left) - frame.x(0.0, left)) * 0.8)
    for at, value in curve.points:
        foot, head = y(below.get(at, 0.0)), y(value + below.get(at, 0.0))
        opacity = max(curve.fill, 10) / 100
        yield node(
            "rect",
            x=frame.x(at, left) - width / 2,
            y=min(foot, head),
            width=width,
            height=abs(foot - head),
            fill=curve.colour,
            fill_opacity=opacity,
        )
