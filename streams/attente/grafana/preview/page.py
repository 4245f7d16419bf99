"""A dashboard as one page: no script, no font and no picture from elsewhere; the layout is Grafana's."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from importlib.resources import files
from typing import Any, Final
from xml.etree.ElementTree import Element, tostring
from zoneinfo import ZoneInfo

from attente.grafana.preview import figures, trends
from attente.grafana.preview.asking import QUERYLESS, Answer
from attente.grafana.preview.graph import Frame
from attente.grafana.preview.looks import Look
from attente.grafana.preview.tables import in_order, table_of
from attente.grafana.preview.variables import Times, Values
from attente.markup import Child, node

WIDTH: Final = 1_600
"""Of a page, in pixels of CSS."""

_COLUMNS: Final = 24
_EDGE: Final = 12
_HEADER: Final = 56
_GAP: Final = 8
_ROW: Final = 30  # px, of Grafana's grid, without the gap
_TITLE: Final = 30  # px that a panel's title takes
_PAD: Final = 8
_COLUMN: Final = (WIDTH - 2 * _EDGE + _GAP) / _COLUMNS

Body = Callable[[Mapping[str, Any], Sequence[Answer], Frame], Element]


@dataclass(frozen=True, slots=True)
class Drawn:
    """What a page is made of.

    Attributes:
        dashboard: its JSON.
        answers: by the panel's id, in the order of its queries.
        values: of the variables.
        times: from when to when.
        zone: of all times.
        failures: by the panel's id, why its queries have no answer.
    """

    dashboard: Mapping[str, Any]
    answers: Mapping[int, Sequence[Answer]]
    values: Values
    times: Times
    zone: ZoneInfo
    failures: Mapping[int, str] = field(default_factory=dict)


def as_page(drawn: Drawn, lang: str = "en") -> str:
    """The page's HTML."""
    title = str(drawn.dashboard["title"])
    panels = list(_placed(drawn.dashboard))
    bottom = max((place["y"] + place["h"] for place, _ in panels), default=0)
    boxes = [_box(drawn, panel, place) for place, panel in panels]
    height = bottom * (_ROW + _GAP)
    head = node(
        "head",
        node("meta", charset="utf-8"),
        node("meta", name="viewport", content=f"width={WIDTH}"),
        node("title", title),
        node("style", files("attente.grafana.preview").joinpath("page.css").read_text("utf-8")),
    )
    main = node("main", *boxes, style=f"height:{height}px")
    whole = str(_HEADER + height + _EDGE)
    body = node("body", _header(drawn), main, style=f"width:{WIDTH}px", data_height=whole)
    return f"<!DOCTYPE html>\n{tostring(node('html', head, body, lang=lang), encoding='unicode', method='html')}\n"


def _placed(dashboard: Mapping[str, Any]) -> Iterator[tuple[dict[str, int], dict[str, Any]]]:
    """Panels and their places; the panels of a collapsed row are put below it, and the rest is moved down."""
    moved = 0
    for panel in dashboard.get("panels", []):
        place = dict(panel["gridPos"])
        place["y"] += moved
        yield place, panel
        inside = panel.get("panels") or ()
        if inside:
            first = min(each["gridPos"]["y"] for each in inside)
            for each in inside:
                at = dict(each["gridPos"])
                at["y"] += place["y"] + 1 - first
                yield at, each
            moved += max(each["gridPos"]["y"] + each["gridPos"]["h"] for each in inside) - first


def _header(drawn: Drawn) -> Element:
    chosen = []
    for variable in drawn.dashboard.get("templating", {}).get("list", []):
        value = drawn.values.get(variable["name"])
        if value is None or variable["type"] == "datasource" or variable.get("hide") == 2:
            continue
        label = variable.get("label") or variable["name"]
        chosen.append(node("span", node("b", label), _text_of(variable, value.text), class_="variable"))
    begin, end = (datetime.fromtimestamp(at, drawn.zone) for at in (drawn.times.begin_s, drawn.times.end_s))
    when = (
        f"{begin:%Y-%m-%d %H:%M} – {end:%H:%M}"
        if begin.date() == end.date()
        else f"{begin:%Y-%m-%d %H:%M} – {end:%Y-%m-%d %H:%M}"
    )
    return node(
        "header",
        node("h1", str(drawn.dashboard["title"]), title=drawn.dashboard.get("description") or ""),
        node("div", *chosen, class_="variables"),
        node("span", f"{when} {drawn.zone.key}", class_="times"),
    )


def _text_of(variable: Mapping[str, Any], text: str) -> str:
    """What people read for a value."""
    for option in variable.get("options") or ():
        if option.get("value") == text or (text == "All" and option.get("value") == "$__all"):
            return str(option["text"])
    current = variable.get("current") or {}
    return str(current["text"]) if text == "All" and isinstance(current.get("text"), str) else text


def _box(drawn: Drawn, panel: Mapping[str, Any], place: Mapping[str, int]) -> Element:
    left, top = _EDGE + place["x"] * _COLUMN, place["y"] * (_ROW + _GAP)
    width, height = place["w"] * _COLUMN - _GAP, place["h"] * (_ROW + _GAP) - _GAP
    style = f"left:{left:.0f}px;top:{top}px;width:{width:.0f}px;height:{height}px"
    title = str(panel.get("title") or "")
    if panel["type"] == "row":
        return node("h2", title, style=style)
    description = str(panel.get("description") or "")
    about = [node("span", "i", class_="about", title=description)] if description else []
    heading = node("h3", node("span", title, class_="title", title=title), *about)
    inner = (round(width) - 2 * _PAD - 2, height - _TITLE - _PAD - 2)
    content = node(
        "div", _content(drawn, panel, *inner), class_="content", style=f"width:{inner[0]}px;height:{inner[1]}px"
    )
    return node("section", heading, content, style=style, class_=panel["type"], id=f"panel-{panel['id']}")


def _content(drawn: Drawn, panel: Mapping[str, Any], width: int, height: int) -> Element:
    if why := drawn.failures.get(panel["id"]):
        return node("p", why, class_="failed")
    kind = panel["type"]
    if kind == "text":
        return _words(str((panel.get("options") or {}).get("content") or ""))
    if kind not in _BODIES:
        return node("p", f"A panel of the type {kind} is not drawn here.", class_="empty")
    answers = drawn.answers.get(panel["id"], ())
    if not any(answer.series for answer in answers) and kind not in QUERYLESS:
        return node("p", Look.of(panel, "").empty or "No data", class_="empty")
    frame = Frame(width, height, drawn.times.begin_s, drawn.times.end_s, drawn.zone)
    return _BODIES[kind](panel, answers, frame)


# ---- tables


def _table(panel: Mapping[str, Any], answers: Sequence[Answer], _: Frame) -> Element:
    table = in_order(table_of(panel, answers), (panel.get("options") or {}).get("sortBy") or ())
    looks = {name: Look.of(panel, name, ref) for name, ref in table.fields.items()}
    shown = [name for name, look in looks.items() if not look.custom.get("hidden")]
    numeric = {name for name in shown if any(isinstance(row.get(name), float | int) for row in table.rows)}
    columns = []
    for name in shown:
        width = looks[name].custom.get("width")
        columns.append(node("col", **({"style": f"width:{width}px"} if width else {})))
    heads = [node("th", looks[name].name or name, class_="number" if name in numeric else "") for name in shown]
    rows = [node("tr", *(_cell(row.get(name), looks[name], name in numeric) for name in shown)) for row in table.rows]
    return node(
        "table", node("colgroup", *columns), node("thead", node("tr", *heads)), node("tbody", *rows), class_="table"
    )


def _cell(cell: str | float | None, look: Look, is_number: bool) -> Element:
    if cell is None:
        return node("td", "")
    shown = look.shown(cell)
    colour = shown.colour or (look.level(cell) if isinstance(cell, float | int) else "")
    how = (look.custom.get("cellOptions") or {}).get("type") or "auto"
    style = {}
    if how == "color-text" and colour:
        style["style"] = f"color:{colour}"
    elif how.startswith("color-background") and colour:
        style["style"] = f"background:{colour};color:#FFFFFF"
    inside: Child = node("span", shown.text, class_="link") if look.has_link else shown.text
    return node("td", inside, class_="number" if is_number else "", title=shown.text, **style)


# ---- words

_INLINE: Final = re.compile(r"\*\*(?P<bold>.+?)\*\*|`(?P<code>[^`]+)`|\[(?P<link>[^\]]+)\]\([^)]*\)")


def _words(markdown: str) -> Element:
    """A text panel: paragraphs, headings and lists of Markdown."""
    parts: list[Element] = []
    for block in re.split(r"\n\s*\n", markdown.strip()):
        lines = block.splitlines()
        if lines and all(each.lstrip().startswith(("- ", "* ")) for each in lines):
            parts.append(node("ul", *(node("li", *_inline(each.lstrip()[2:])) for each in lines)))
        elif block.startswith("#"):
            level = len(block) - len(block.lstrip("#"))
            parts.append(node(f"h{min(6, level + 3)}", *_inline(block.lstrip("# "))))
        else:
            parts.append(node("p", *_inline(" ".join(lines))))
    return node("div", *parts, class_="words")


def _inline(words: str) -> Iterable[Child]:
    at = 0
    for found in _INLINE.finditer(words):
        yield words[at : found.start()]
        tag = {"bold": "b", "code": "code", "link": "u"}[found.lastgroup or "bold"]
        yield node(tag, found[found.lastgroup or "bold"])
        at = found.end()
    yield words[at:]


_BODIES: Final[dict[str, Body]] = {
    "stat": lambda panel, answers, frame: figures.stat(panel, answers, frame.width, frame.height),
    "gauge": lambda panel, answers, frame: figures.dials(panel, answers, frame.width, frame.height),
    "bargauge": lambda panel, answers, frame: figures.bars(panel, answers, frame.height),
    "timeseries": trends.trend,
    "heatmap": trends.heat_map,
    "state-timeline": trends.timeline,
    "table": _table,
}
