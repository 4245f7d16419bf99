"""Pages: where panels stand, and what is drawn in them."""

import re
from typing import Any
from xml.etree.ElementTree import Element, tostring
from zoneinfo import ZoneInfo

import pytest

from attente.grafana.preview.asking import Answer
from attente.grafana.preview.figures import figures_of, reduced
from attente.grafana.preview.graph import Curve, Frame, graph, shades
from attente.grafana.preview.page import Drawn, as_page
from attente.grafana.preview.pictures import height_of
from attente.grafana.preview.prometheus import Series
from attente.grafana.preview.trends import curves_of, heat_map, timeline, trend
from attente.grafana.preview.variables import Times, Value
from grafana.preview_panels import answer, defaults, override, panel, row

PARIS = ZoneInfo("Europe/Paris")
BEGIN_S = 1_795_158_000.0  # 2026-11-20 08:00 in Paris
FRAME = Frame(600, 240, BEGIN_S, BEGIN_S + 3_600, PARIS)


def page(*panels: dict[str, Any], answers: dict[int, list[Answer]] | None = None, **more: Any) -> str:
    board = {"title": "A & B", "panels": list(panels), "templating": {"list": more.pop("variables", [])}}
    values = more.pop("values", {})
    return as_page(Drawn(board, answers or {}, values, Times(BEGIN_S, BEGIN_S + 3_600), PARIS, **more))


def styles(html: str, number: int = 1) -> dict[str, float]:
    """Where a panel stands, in pixels."""
    found = re.search(rf'style="([^"]*)" (?:class="[^"]*" )?id="panel-{number}"', html)
    assert found is not None
    return {name: float(px) for name, px in re.findall(r"(\w+):([\d.]+)px", found[1])}


def text(element: Element) -> str:
    return tostring(element, encoding="unicode")


# ---- layout


def test_panels_stand_on_a_grid_of_twenty_four_columns() -> None:
    html = page(
        panel(gridPos={"x": 0, "y": 0, "w": 12, "h": 4}),
        panel(id=2, gridPos={"x": 12, "y": 0, "w": 12, "h": 4}),
        panel(id=3, gridPos={"x": 0, "y": 4, "w": 24, "h": 8}),
    )
    left, right, below = (styles(html, number) for number in (1, 2, 3))
    assert left["left"] + left["width"] + 8 == right["left"]
    assert right["left"] + right["width"] == below["left"] + below["width"] == 1_588
    assert below["top"] == left["height"] + 8 == 4 * 38
    assert height_of(html) == 56 + 12 * 38 + 12


def test_the_panels_of_a_collapsed_row_are_opened_and_what_is_below_gives_way() -> None:
    inside = panel(id=2, gridPos={"x": 0, "y": 9, "w": 12, "h": 5})
    html = page(
        panel("row", id=1, gridPos={"x": 0, "y": 0, "w": 24, "h": 1}, panels=[inside]),
        panel(id=3, gridPos={"x": 0, "y": 1, "w": 24, "h": 4}),
    )
    assert styles(html, 2)["top"] == 38
    assert styles(html, 3)["top"] == 6 * 38


def test_names_are_no_markup_and_a_page_has_no_script() -> None:
    html = page(panel(title="<b>Waits</b>", description='"how" to read'))
    assert "<b>Waits" not in html
    assert "&lt;b&gt;Waits&lt;/b&gt;" in html
    assert "<script" not in html
    assert "http" not in html.replace("http://www.w3.org/2000/svg", "")


def test_what_is_chosen_stands_on_the_page_in_the_words_of_the_board() -> None:
    window = {"type": "custom", "name": "window", "label": "Window", "options": [{"text": "Today", "value": "day"}]}
    html = page(panel(), variables=[window], values={"window": Value(("day",), "day")})
    assert "<b>Window</b>Today" in html
    assert "2026-11-20 08:00 – 09:00 Europe/Paris" in html


def test_a_panel_without_a_value_says_the_boards_own_words() -> None:
    html = page(panel(fieldConfig=defaults(noValue="Nobody waits")), answers={1: [answer()]})
    assert "Nobody waits" in html


def test_a_query_that_failed_is_told_in_its_panel() -> None:
    assert "answers 400" in page(panel(), failures={1: "Prometheus answers 400"})


def test_a_type_of_panel_that_is_not_drawn_is_named() -> None:
    assert "A panel of the type geomap is not drawn here." in page(panel("geomap"))


def test_a_text_panel_shows_its_markdown() -> None:
    html = page(panel("text", options={"content": "# Head\n\nOne **bold** `code`.\n\n- a\n- [b](x)"}))
    assert "<h4>Head</h4><p>One <b>bold</b> <code>code</code>.</p><ul><li>a</li><li><u>b</u></li></ul>" in html


# ---- figures and tables


def test_figures_bear_the_names_of_their_queries_and_the_colours_of_their_values() -> None:
    steps = [{"value": None, "color": "#0072B2"}, {"value": 1, "color": "#D55E00"}]
    config = defaults(
        unit="s", decimals=0, color={"mode": "thresholds"}, thresholds={"mode": "absolute", "steps": steps}
    )
    some = [answer(row("x", 720, office="a"), legend="Longest in {{office}}"), answer(row("y", 0.5), legend="Norm")]
    found = figures_of(panel(fieldConfig=config), some)
    assert [(each.name, each.shown.text, each.colour) for each in found] == [
        ("Longest in a", "12 mins", "#D55E00"),
        ("Norm", "500 ms", "#0072B2"),
    ]


@pytest.mark.parametrize(
    ("calculation", "value"), [("lastNotNull", 2), ("max", 5), ("min", 1), ("mean", 2.75), ("sum", 11), ("range", 4)]
)
def test_a_series_is_reduced_to_one_value(calculation: str, value: float) -> None:
    assert reduced(Series({}, ((0, 1), (1, 5), (2, 3), (3, 2), (4, float("nan")))), calculation) == value


def test_all_figures_of_a_panel_are_of_one_size() -> None:
    some = [answer(row("x", 1)), answer(row("y", 123_456_789))]
    html = page(panel(options={"textMode": "value_and_name"}), answers={1: some})
    assert len(set(re.findall(r"font-size:(\d+)px", html))) == 1


def test_a_bar_is_as_long_as_its_share_of_the_longest() -> None:
    some = [answer(row("x", 2, service="a"), row("x", 8, service="b"), legend="{{service}}")]
    html = page(panel("bargauge", fieldConfig=defaults(min=0)), answers={1: some})
    assert re.findall(r"width:([\d.]+)%", html) == ["25.0", "100.0"]


def test_a_table_aligns_numbers_colours_cells_and_underlines_links() -> None:
    colour = {"steps": [{"value": None, "color": "#D55E00"}]}
    config = defaults(
        [
            override(
                "byName",
                "Value",
                unit="percentunit",
                decimals=0,
                thresholds=colour,
                custom__cellOptions={"type": "color-text"},
            ),
            override("byName", "office", links=[{"url": "/d/x"}]),
        ]
    )
    html = page(panel("table", fieldConfig=config), answers={1: [answer(({"office": "a"}, [(0, 0.25)]), form="table")]})
    assert '<td class="number" title="25%" style="color:#D55E00">25%</td>' in html
    assert '<span class="link">a</span>' in html


# ---- over time


def line(*points: tuple[float, float], **more: Any) -> Curve:
    return Curve("a", "#0072B2", tuple((BEGIN_S + at, value) for at, value in points), 60, **more)


def test_a_line_is_broken_where_values_are_missing() -> None:
    drawn = text(graph([line((0, 1), (60, 2), (120, 2), (240, 3), (300, 3))], FRAME, "A graph"))
    assert drawn.count("<polyline") == 2


def test_a_value_alone_is_a_dot() -> None:
    assert text(graph([line((0, 1), (600, 2))], FRAME, "A graph")).count("<circle") == 2


def test_times_are_those_of_the_zone() -> None:
    assert re.findall(r">(\d\d:\d\d)<", text(graph([line((0, 1))], FRAME, ""))) == [
        "08:10",
        "08:20",
        "08:30",
        "08:40",
        "08:50",
    ]


def test_a_curve_of_the_greatest_value_lies_below_the_top_and_one_of_zero_on_the_ground() -> None:
    drawn = text(graph([line((0, 0), (60, 10))], FRAME, ""))
    found = re.search(r'points="[\d.]+,([\d.]+) [\d.]+,([\d.]+)"', drawn)
    assert found, drawn
    first, last = found.groups()
    assert (float(first), float(last)) == (220.0, 8.0)


def test_stacked_curves_stand_on_each_other() -> None:
    drawn = text(graph([line((0, 4), (60, 4), fill=10), line((0, 6), (60, 6), fill=10)], FRAME, "", stacked=True))
    heights = [float(height) for height in re.findall(r'<polyline points="[\d.]+,([\d.]+)', drawn)]
    assert heights[1] == 8.0
    assert heights[0] == pytest.approx(220 - 0.4 * 212)


def test_targets_are_dashed_in_the_graph_and_in_the_legend() -> None:
    dashed = override("byFrameRefID", "target", custom__lineStyle={"fill": "dash", "dash": [8, 6]})
    some = [answer(row("x", 1), legend="Norm kept"), answer(row("y", 2), ref="target", legend="Target")]
    curves = curves_of(panel("timeseries", fieldConfig=defaults([dashed])), some)
    assert [curve.dash for curve in curves] == [(), (8, 6)]
    drawn = text(trend(panel("timeseries", fieldConfig=defaults([dashed])), some, FRAME))
    assert drawn.count("border-top-style:dashed") == 1
    assert "Norm kept" in drawn


def test_shades_run_from_the_colour_itself_to_a_lighter_one() -> None:
    made = shades("#0072B2", 3)
    assert made[0] == "#0072B2"
    assert len(set(made)) == 3
    assert [int(each[5:], 16) for each in made] == sorted(int(each[5:], 16) for each in made)


def test_a_heat_map_shows_what_lies_in_each_bucket_alone() -> None:
    #  le 60      5 of 5: drawn 5
    #  le 1200    5 of 5: drawn 0, which is nothing
    #  +Inf       6 of 6: drawn 1
    some = [
        answer(*(({"le": le}, [(BEGIN_S + 900, n)]) for le, n in (("60", 5), ("1200", 5), ("+Inf", 6))), step_s=900)
    ]
    drawn = text(heat_map(panel("heatmap", options={"yAxis": {"unit": "s"}}), some, FRAME))
    assert re.findall(r"<title>([^<]*)</title>", drawn) == ["≤ 1 min: 5", "&gt; 20 mins: 1"]
    assert "≤ 20 mins" in drawn


def test_a_band_holds_as_long_as_its_value() -> None:
    points = [(BEGIN_S, 1.0), (BEGIN_S + 60, 1.0), (BEGIN_S + 120, 0.0)]
    words = [{"type": "value", "options": {"1": {"text": "Open"}, "0": {"text": "Closed"}}}]
    drawn = text(timeline(panel("state-timeline", fieldConfig=defaults(mappings=words)), [answer(({}, points))], FRAME))
    widths = [float(width) for width in re.findall(r'<rect x="[\d.]+" y="[\d.]+" width="([\d.]+)"', drawn)]
    assert widths[0] == pytest.approx(2 * widths[1], rel=0.01)
