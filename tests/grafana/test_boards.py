"""The boards as Grafana gets them: stable, complete, in two languages, and made of what is recorded."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder

from attente.grafana import panels, promql
from attente.grafana.board import Board, Row
from attente.grafana.boards import BOARDS
from attente.grafana.boards.network import NETWORK
from attente.grafana.boards.office import OFFICE
from attente.grafana.build import check, dashboards
from attente.grafana.lint import lint, lint_texts, panels_of
from attente.grafana.panels import Column, Panel, Query, Spot, Stat, Table, Trend, Unit, panel_id
from attente.grafana.queries import faults, names_in
from attente.grafana.recorded import RECORDED
from attente.grafana.texts import LANGS, keys, text
from attente.grafana.vocabulary import vocabulary
from attente.metrics import catalogue

ROOT = Path(__file__).resolve().parents[2]
Json = dict[str, Any]

UNSEEN = {
    "attente:tickets_called_total": "the heat map of waits counts who was called; it lists an office's services",
    "attente:tickets_transferred_total": "shows as the difference between the readings per wait and per visit",
    "attente:tickets_requeued_total": "as a transfer",
    "attente:tickets_closed_total": "an administrative end is no statistic of service",
    "attente:services_started_total": "between called and ended; the queue is measured up to the call",
    "attente:wait_seconds_count": "the heat map shows the whole distribution",
    "attente:wait_seconds_sum": "a mean of waits hides what the percentiles show",
    "attente:region_readings": "the boards add up what is chosen, by region and office",
    "attente:network_readings": "as those of the regions",
    "attente:network_service_level": "readings are sums over the chosen regions, which are all of them by itself",
}
"""What is recorded and on no board, and why."""


@pytest.fixture(scope="module")
def english() -> dict[str, Json]:
    return dashboards("en")


def queries(boards: dict[str, Json]) -> Iterator[Json]:
    """Every query of every panel."""
    for board in boards.values():
        for panel in panels_of(board):
            yield from panel["targets"]


def test_there_are_five_boards_and_their_uids_never_change(english: dict[str, Json]) -> None:
    assert list(english) == [
        "attente-network",
        "attente-office",
        "attente-readings",
        "attente-budget",
        "attente-pipeline",
    ]


def test_the_sdk_writes_the_classic_schema_42(english: dict[str, Json]) -> None:
    assert {board["schemaVersion"] for board in english.values()} == {42}


@pytest.mark.parametrize("lang", LANGS)
def test_the_linter_has_nothing_to_say_about_the_boards(lang: str) -> None:
    assert [str(finding) for finding in lint(dashboards(lang), vocabulary())] == []


def test_every_text_of_a_board_is_there_in_every_language_and_none_is_shown_nowhere() -> None:
    assert [str(finding) for finding in lint_texts()] == []


def test_the_committed_files_are_what_the_code_generates() -> None:
    assert check(ROOT / "dashboards" / "grafana", "en") == []


def differing(one: object, other: object) -> Iterator[tuple[object, object]]:
    """The values in which two documents of the same shape differ."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in one.keys() | other.keys():
            yield from differing(one.get(key), other.get(key))
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for first, second in zip(one, other, strict=True):
            yield from differing(first, second)
    elif one != other:
        yield one, other


def test_french_differs_from_english_in_text_only(english: dict[str, Json]) -> None:
    pairs = {(text(key, "en"), text(key, "fr")) for key in keys()}
    windows = ("day", "hour", "month")
    listed = tuple(
        ", ".join(f"{text(f'boards.value.{name}', lang)} : {name}" for name in windows) for lang in ("en", "fr")
    )

    found = list(differing(english, dashboards("fr")))

    assert len(found) > 300
    assert [pair for pair in found if pair not in {*pairs, listed}] == []


def test_the_ids_and_refs_of_panels_stay_when_others_are_put_before_them(english: dict[str, Json]) -> None:
    first = NETWORK.rows[0]
    new = Stat(
        key="newcomer",
        queries=(Query("new", "vector(1)"), *first.panels[0].queries),
        unit=Unit.COUNT,
        width=24,
        empty="no_office",
    )
    longer = replace(NETWORK, rows=(Row("now", (new, *first.panels)), *NETWORK.rows[1:]))
    board = _built_with(longer, new)

    before = {panel["title"]: (panel["id"], _refs(panel)) for panel in panels_of(english["attente-network"])}
    after = {panel["title"]: (panel["id"], _refs(panel)) for panel in panels_of(board)}

    assert after.items() > before.items()
    assert len(after) == len(before) + 1


def _refs(panel: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(target["refId"] for target in panel["targets"])


def _built_with(board: Board, new: Panel) -> Json:
    """A board with a panel that the catalogue of texts does not know."""

    def words(key: str, lang: str) -> str:
        return "New" if key == "boards.legend.new" or f".{new.key}." in key else text(key, lang)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("attente.grafana.panels.text", words)
        return board.build("en")


def test_ids_are_whole_numbers_that_grafana_takes() -> None:
    ids = [panel_id(board.key, panel.key) for board in BOARDS for row in board.rows for panel in row.panels]
    assert all(1 <= number <= 1_000_000 for number in ids)
    assert len(ids) == len(set(ids))


def test_panels_that_do_not_fit_into_a_line_go_to_the_next_one_below_the_tallest() -> None:
    #  | met 8 | margin 6 | alerts 4 | desks 6 |   the line is full
    #  | waiting 8 | longest 8 | trouble 8 |
    placed = {panel["title"]: panel["gridPos"] for panel in panels_of(dashboards("en")["attente-network"])}

    assert placed["Norm kept"] == {"x": 0, "y": 1, "w": 8, "h": 4}
    assert placed["Open now"] == {"x": 18, "y": 1, "w": 6, "h": 4}
    assert placed["Waiting now"] == {"x": 0, "y": 5, "w": 8, "h": 4}
    assert placed["Norm by region"]["y"] == 10


def test_boards_link_to_each_other_and_keep_time_and_variables(english: dict[str, Json]) -> None:
    for board in english.values():
        (link,) = board["links"]
        assert link["tags"] == board["tags"] == ["attente"]
        assert link["keepTime"] is True
        assert link["includeVars"] is True
        assert "placement" not in link


def test_an_office_in_a_table_leads_to_its_own_board(english: dict[str, Json]) -> None:
    table = next(panel for panel in panels_of(english["attente-network"]) if panel["title"] == "Offices by trouble")
    properties = next(one for one in table["fieldConfig"]["overrides"] if one["matcher"]["options"] == "Office")
    (link,) = next(one["value"] for one in properties["properties"] if one["id"] == "links")

    assert link["url"] == (
        "/d/attente-office?${__url_time_range}&${datasource:queryparam}&${region:queryparam}&${norm:queryparam}"
        "&var-office=${__data.fields.office}"
    )


def test_offices_are_sorted_by_trouble_the_worst_first(english: dict[str, Json]) -> None:
    table = next(panel for panel in panels_of(english["attente-network"]) if panel["title"] == "Offices by trouble")
    assert table["options"]["sortBy"] == [{"displayName": "Times the norm", "desc": True}]


def test_a_table_names_every_column_and_hides_the_time(english: dict[str, Json]) -> None:
    table = next(panel for panel in panels_of(english["attente-network"]) if panel["title"] == "Offices by trouble")
    merge, organize = table["transformations"]

    assert merge == {"id": "merge", "options": {}}
    assert organize["options"]["excludeByName"] == {"Time": True}
    assert organize["options"]["renameByName"]["name"] == "Office"
    assert organize["options"]["renameByName"]["Value #trouble"] == "Times the norm"
    assert organize["options"]["indexByName"]["name"] == 0


def test_the_one_figure_of_a_table_is_called_value_without_a_ref() -> None:
    query, columns = Query("waiting", "vector(1)"), (Column("waiting"), Column("region"))
    table = Table(key="firing", queries=(query,), unit=Unit.COUNT, columns=columns, empty="no_office")
    built = as_json(table)

    assert built["transformations"][1]["options"]["renameByName"] == {"Value": "Waiting", "region": "Region"}


def test_a_heat_map_asks_for_the_buckets_as_a_heat_map(english: dict[str, Json]) -> None:
    (panel,) = (one for one in panels_of(english["attente-office"]) if one["type"] == "heatmap")
    (target,) = panel["targets"]

    assert (target["format"], target["legendFormat"]) == ("heatmap", "{{le}}")
    assert "sum by (le) (increase(attente:wait_seconds_bucket{" in target["expr"]
    assert panel["options"]["calculate"] is False
    assert panel["options"]["yAxis"]["unit"] == "s"


def test_what_is_now_is_asked_once_and_what_is_over_time_as_a_range(english: dict[str, Json]) -> None:
    for board in english.values():
        for panel in panels_of(board):
            over_time = panel["type"] in {"timeseries", "heatmap"}
            for target in panel["targets"]:
                assert (target["range"], target["instant"]) == (over_time, not over_time), panel["title"]


def test_every_comparison_with_a_target_takes_it_from_the_norm(english: dict[str, Json]) -> None:
    exprs = [target["expr"] for target in queries(english) if target["refId"] in {"to_target", "target"}]

    assert len(exprs) >= 10
    assert all("attente:norm_target_ratio" in expr for expr in exprs)


def test_last_week_is_the_same_figure_a_week_before(english: dict[str, Json]) -> None:
    compared = [target["expr"] for target in queries(english) if "last_week" in target["refId"]]

    assert len(compared) == 5
    assert all("offset 1w" in expr for expr in compared)


def test_everything_that_is_recorded_is_on_a_board_or_its_absence_has_a_reason(english: dict[str, Json]) -> None:
    used = {name for target in queries(english) for name in names_in(target["expr"])}
    unseen = {series.name for series in RECORDED} - used

    assert unseen == UNSEEN.keys()
    assert all(len(reason) > 10 for reason in UNSEEN.values())


def as_json(panel: Panel, board: str = "network") -> Json:
    """A panel as Grafana gets it."""
    built: Json = json.loads(JSONEncoder().encode(panel.build(Spot(board, "en")).build()))
    return built


def test_a_panel_is_about_ten_lines() -> None:
    panel = Trend(
        key="flow",
        queries=(
            Query("issued", "sum(rate(attente:tickets_issued_total[$__rate_interval]))"),
            Query("served", "sum(rate(attente:services_ended_total[$__rate_interval]))", dashed=True),
        ),
        unit=Unit.PER_SECOND,
        width=24,
        empty="no_office",
    )
    built = as_json(panel, "office")

    assert built["title"] == "Arrivals and departures"
    assert built["fieldConfig"]["overrides"] == [
        {
            "matcher": {"id": "byFrameRefID", "options": "served"},
            "properties": [{"id": "custom.lineStyle", "value": {"fill": "dash", "dash": [8, 6]}}],
        }
    ]


def test_the_panel_that_the_page_shows_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    page = (ROOT / "docs" / "dashboards.md").read_text(encoding="utf-8")
    (written,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    panel = eval(written, {**vars(panels), **vars(promql), "catalogue": catalogue})  # noqa: S307 - our own page
    shown = [key for key in panel.words("office") if key not in keys()]
    monkeypatch.setattr("attente.grafana.panels.text", lambda key, _: key)

    built = as_json(panel, "office")

    assert all(f"`{key.removeprefix('boards.')}`" in page for key in shown)
    assert [problem for target in built["targets"] for problem in faults(target["expr"], vocabulary())] == []
    assert len(written.splitlines()) <= 11


def test_the_office_board_shows_one_office_and_the_norms_that_hold_there(english: dict[str, Json]) -> None:
    variables = {one["name"]: one for one in english[OFFICE.uid]["templating"]["list"]}

    assert list(variables) == ["datasource", "region", "office", "service", "norm"]
    assert variables["office"]["multi"] is False
    assert variables["office"]["query"] == 'label_values(attente:office_info{region=~"$region"}, office)'
    assert variables["norm"]["query"] == 'label_values(attente:promise_visits{office="$office"}, norm)'
    assert variables["service"]["allValue"] == ".*"
