"""Every rule of the linter has a board that breaks it, and names what is wrong and where."""

import copy
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from attente.grafana import lint as linter
from attente.grafana import queries
from attente.grafana.build import dashboards
from attente.grafana.lint import EXCEPTIONS, Excused, lint, lint_texts, panels_of
from attente.grafana.queries import faults, names_in
from attente.grafana.recorded import RECORDED
from attente.grafana.texts import keys
from attente.grafana.vocabulary import STANDARD, vocabulary
from attente.metrics.catalogue import CATALOGUE
from attente.metrics.metric import Metric

Json = dict[str, Any]
KNOWN = vocabulary()
BOARD = "attente-network"


@pytest.fixture(scope="module")
def sound() -> dict[str, Json]:
    """All boards, without a fault."""
    return dashboards("en")


def panel(board: Json, title: str) -> Json:
    """A panel by its title."""
    return next(one for one in board["panels"] if one["title"] == title)


def kept(board: Json) -> Json:
    """The panel that most cases spoil: several queries with legends."""
    return panel(board, "Norm kept")


@dataclass(frozen=True)
class Case:
    """A way to spoil the network's board, and what the linter has to say then."""

    rule: str
    spoil: Callable[[Json], object]
    says: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.says}"


def expr(text: str) -> Callable[[Json], object]:
    """Put a query in place of the first one."""
    return lambda board: kept(board)["targets"][0].update(expr=text)


def of_a_table(text: str) -> Callable[[Json], object]:
    """Put a query in place of a table's."""

    def spoil(board: Json) -> None:
        (query,) = (one for one in panel(board, "Norm by region")["targets"] if one["refId"] == "day")
        query.update(expr=text)

    return spoil


def variable(which: str, /, **changes: Any) -> Callable[[Json], object]:
    """Change a variable."""
    return lambda board: next(one for one in board["templating"]["list"] if one["name"] == which).update(changes)


def link_to(url: str) -> Callable[[Json], object]:
    """Change where the offices lead to."""

    def spoil(board: Json) -> None:
        for override in panel(board, "Offices by trouble")["fieldConfig"]["overrides"]:
            for one in override["properties"]:
                if one["id"] == "links":
                    one["value"][0]["url"] = url

    return spoil


def step(**changes: Any) -> Callable[[Json], object]:
    """Change where a figure turns its colour."""
    return lambda board: kept(board)["fieldConfig"]["defaults"]["thresholds"]["steps"].append(
        {"value": 1, "color": "#0072B2"} | changes
    )


SOUND_LINK = "/d/attente-office?${__url_time_range}&${region:queryparam}"

CASES = (
    Case("schema", lambda board: board.update(schemaVersion=41), "schemaVersion is 41; it must be 42"),
    Case("uid", lambda board: board.update(uid="network"), "uid is 'network'; it must be 'attente-network'"),
    Case("title", lambda board: board.update(title=""), "attente-network: has no title; write one"),
    Case("description", lambda board: board.pop("description"), "attente-network: has no description; write one"),
    Case("link", lambda board: board.update(tags=[]), "has not the tag attente"),
    Case("link", lambda board: board["links"][0].update(keepTime=False), "no link to the others that keeps time"),
    Case("link", lambda board: board["links"][0].update(includeVars=False), "no link to the others that keeps time"),
    Case("link", link_to("/d/attente-offices?x"), "/d/attente-offices?x leads to no board"),
    Case("link", link_to("/d/attente-office?${region:queryparam}"), "does not keep time and variables"),
    Case("link", link_to("/d/attente-office?${__url_time_range}"), "does not keep time and variables"),
    Case("link", link_to(f"{SOUND_LINK}&${{desk:queryparam}}"), "names $desk, which is no variable of the board"),
    Case("datasource", variable("datasource", name="source"), "has no variable datasource"),
    Case("datasource", variable("region", datasource={"uid": "p"}), "the variable $region does not ask $datasource"),
    Case("datasource", lambda board: kept(board).update(datasource={"uid": "p"}), "Norm kept: asks {'uid': 'p'}"),
    Case(
        "datasource",
        lambda board: kept(board)["targets"][1].pop("datasource"),
        "Norm kept: query day asks None; it must ask $datasource",
    ),
    Case("variable", variable("norm", query="query_result(x)"), "$norm: query_result(x) is not label_values("),
    Case(
        "variable",
        lambda board: board["templating"]["list"].append(
            {"type": "custom", "name": "unused", "query": "a", "current": {}}
        ),
        "nothing uses the variable $unused; remove it",
    ),
    Case(
        "variable",
        variable("region", query='label_values(attente:office_info{name="$norm"}, region)'),
        "$region depends on norm, which come after it or not at all",
    ),
    Case("variable", expr("sum(attente:waiting{region=~'$district'})"), "query hour uses $district"),
    Case("metric", variable("norm", query="label_values(attente:norms, norm)"), "$norm: attente:norms is neither in"),
    Case("label", variable("norm", query="label_values(attente:norm_info, region)"), "has no label region"),
    Case("id", lambda board: kept(board).pop("id"), "1 panels have the id None"),
    Case("id", lambda board: kept(board).update(id=board["panels"][2]["id"]), "2 panels have the id"),
    Case("grid", lambda board: kept(board)["gridPos"].update(x=1), "overlaps Norm kept"),
    Case("grid", lambda board: kept(board)["gridPos"].update(w=25), "outside of the 24 columns"),
    Case("title", lambda board: kept(board).update(title=""), "has no title; write one"),
    Case("description", lambda board: kept(board).update(description="Norm kept."), "write a description"),
    Case("unit", lambda board: kept(board)["fieldConfig"]["defaults"].pop("unit"), "has no unit; choose one"),
    Case("no value", lambda board: kept(board)["fieldConfig"]["defaults"].pop("noValue"), "has no noValue"),
    Case("query", lambda board: kept(board).update(targets=[]), "Norm kept: has no query"),
    Case("ref", lambda board: kept(board)["targets"][0].update(refId="day"), "2 queries have the refId 'day'"),
    Case("legend", lambda board: kept(board)["targets"][0].pop("legendFormat"), "query hour has no legend"),
    Case("legend", lambda board: kept(board)["targets"][0].update(legendFormat="__auto"), "query hour has no legend"),
    Case(
        "legend",
        lambda board: panel(board, "Norm by region")["transformations"][1]["options"]["renameByName"].pop("Value #day"),
        "Norm by region: query day has no column",
    ),
    Case("label", lambda board: kept(board)["targets"][0].update(legendFormat="{{desk}}"), "the legend names desk"),
    Case("colour", step(color="red"), "red is not of the palette"),
    Case("colour", step(color="#00FF00"), "#00FF00 is not of the palette"),
    Case("threshold", step(value=0.85), "turns its colour at 0.85; take the figure relative to the norm"),
    Case("promql", expr("sum(attente:waiting"), "does not parse: unclosed left parenthesis"),
    Case("metric", expr("sum(attente:waitings)"), "attente:waitings is neither in the catalogue of metrics nor"),
    Case(
        "metric",
        expr("sum(rate(attente_tickets_issued_total[$__rate_interval]))"),
        "attente_tickets_issued_total is a process's; use attente:tickets_issued_total",
    ),
    Case(
        "metric",
        expr("sum by (le) (increase(attente_wait_seconds_bucket[$__rate_interval]))"),
        "use attente:wait_seconds_bucket",
    ),
    Case("label", expr('sum(attente:waiting{service="x"})'), "attente:waiting has no label service"),
    Case("label", expr("sum by (desk) (attente:waiting)"), "no series of the query has the label desk"),
    Case("label", expr("attente:waiting * on (kiosk) attente:waiting"), "no series of the query has the label kiosk"),
    Case("window", expr("sum(rate(attente:tickets_issued_total[5m]))"), "attente:tickets_issued_total[5m]: write"),
    Case("window", expr("max_over_time(attente:waiting[1h])"), "attente:waiting[1h]: write $__rate_interval or"),
    *(
        Case("name", of_a_table(text), "query day shows the name of its series as a column; sum it by its labels")
        for text in (
            "attente:waiting",
            "(attente:waiting > 0)",
            "attente:waiting unless attente:office_open",
            "sum by (region) (attente:waiting) or attente:waiting",
            "topk(3, attente:waiting)",
        )
    ),
    Case("rate", expr("rate(attente:waiting[$__rate_interval])"), "rate of attente:waiting, which is no counter"),
    Case("twice", expr("sum(attente_open_desks)"), "on two pages during a hand-over; read max by (office) of it"),
    Case("twice", expr("max by (office) (attente_waiting_tickets)"), "read max by (office, service) of it"),
    Case("twice", expr("sum by (office) (attente_open_desks)"), "read max by (office) of it"),
    Case("twice", expr("max without (office) (attente_open_desks)"), "read max by (office) of it"),
    Case(
        "twice",
        expr("sum(attente_open_desks) - sum(max by (office) (attente_open_desks))"),
        "read max by (office) of it",
    ),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_board_that_breaks_a_rule_is_found_with_the_place_and_the_remedy(case: Case, sound: dict[str, Json]) -> None:
    boards = {BOARD: copy.deepcopy(sound[BOARD]), "attente-office": sound["attente-office"]}
    case.spoil(boards[BOARD])

    found = lint(boards, KNOWN)

    assert found, "nothing was found"
    assert any(finding.rule == case.rule and case.says in str(finding) for finding in found), "\n".join(map(str, found))
    assert all(finding.board == BOARD and str(finding).startswith(BOARD) for finding in found)
    assert all("\n" not in str(finding) for finding in found)


def test_every_rule_of_the_linter_has_a_case() -> None:
    sources = [Path(module.__file__).read_text(encoding="utf-8") for module in (linter, queries) if module.__file__]
    rules = set(re.findall(r'yield "([a-z ]+)",', "\n".join(sources)))

    # Those two loops give the field's own name to the rule; exceptions and texts have tests of their own.
    assert len(rules) > 15
    assert rules | {"title", "description", "unit", "no value"} == {case.rule for case in CASES}


def test_what_no_rule_speaks_against_is_no_finding() -> None:
    fine = (
        'sum by (region) (attente:waiting{region=~"$region"})',
        "sum(rate(attente:tickets_issued_total[$__rate_interval])) * 3600",
        "sum(increase(attente:tickets_issued_total[$__range]))",
        "sum by (instance) (rate(attente_batches_total[$__rate_interval]))",
        "sum(max by (office) (attente_open_desks) * on (office) group_left (region) attente:office_info)",
        'label_replace(sum(attente:waiting), "what", "$1", "", "(.*)") * on (what) group_left () vector(1)',
        'max(scrape_duration_seconds{job="attente"})',
        "attente:waiting offset 1w",
    )
    assert [problem for query in fine for problem in faults(query, KNOWN)] == []


# Exceptions


def test_a_finding_that_is_excused_is_none(sound: dict[str, Json]) -> None:
    assert lint(sound, KNOWN) == []
    unexcused = lint(sound, KNOWN, excused=())
    assert [(finding.rule, finding.place) for finding in unexcused] == [
        ("threshold", "attente-pipeline: Registries in force")
    ]


def test_an_exception_that_nothing_needs_any_more_is_a_finding(sound: dict[str, Json]) -> None:
    needless = Excused("unit", "network", "met", "it had none once")

    (finding,) = lint(sound, KNOWN, excused=(*EXCEPTIONS, needless))

    assert str(finding) == (
        "attente-network: met: is excused from the rule 'unit' and keeps it; remove the exception [exception]"
    )


def test_an_exception_excuses_one_panel_from_one_rule_only(sound: dict[str, Json]) -> None:
    boards = sound | {BOARD: copy.deepcopy(sound[BOARD])}
    for title in ("Norm kept", "Waiting now"):
        panel(boards[BOARD], title)["fieldConfig"]["defaults"].pop("unit")
    kept(boards[BOARD])["fieldConfig"]["defaults"].pop("noValue")

    found = lint(boards, KNOWN, excused=(*EXCEPTIONS, Excused("unit", "network", "met", "it counts nothing")))

    assert {(finding.rule, finding.place) for finding in found} == {
        ("unit", "attente-network: Waiting now"),
        ("no value", "attente-network: Norm kept"),
    }


def test_every_exception_has_a_reason() -> None:
    assert EXCEPTIONS
    assert all(len(excuse.reason) > 20 for excuse in EXCEPTIONS)


# Names


def used(boards: Mapping[str, Json]) -> set[str]:
    """The names of all series on the boards."""
    return {
        name
        for board in boards.values()
        for one in panels_of(board)
        for t in one["targets"]
        for name in names_in(t["expr"])
    }


def directly_used(boards: Mapping[str, Json]) -> list[Metric]:
    """The metrics of the catalogue that boards read themselves."""
    names = used(boards)
    return [metric for metric in CATALOGUE if metric.full_name in names]


def test_a_metric_renamed_in_the_catalogue_is_found_on_every_board_that_reads_it(sound: dict[str, Json]) -> None:
    read = directly_used(sound)
    assert len(read) > 20
    for metric in read:
        renamed = [replace(one, name=f"new_{one.name}") if one is metric else one for one in CATALOGUE]
        found = lint(sound, vocabulary(renamed))
        problem = f"{metric.full_name} is neither in the catalogue of metrics nor recorded"
        assert any(problem in str(finding) for finding in found), metric.full_name


def test_a_recorded_series_that_is_renamed_is_found(sound: dict[str, Json]) -> None:
    read = [series for series in RECORDED if series.name in used(sound)]
    assert len(read) > 20
    for series in read:
        renamed = [replace(one, name=f"{one.name}_new") if one is series else one for one in RECORDED]
        found = lint(sound, vocabulary(series=renamed))
        assert any(f"{series.name} is neither in" in str(finding) for finding in found), series.name


def test_a_label_that_a_metric_loses_is_found(sound: dict[str, Json]) -> None:
    metric = next(one for one in CATALOGUE if one.name == "office_window_wait_seconds")
    poorer = [replace(one, labels=one.labels[:-1]) if one is metric else one for one in CATALOGUE]

    found = [str(finding) for finding in lint(sound, vocabulary(poorer))]

    assert any("attente_office_window_wait_seconds has no label stat" in finding for finding in found)


def test_counters_of_offices_are_known_only_as_what_is_recorded_of_them() -> None:
    assert KNOWN["attente_tickets_issued_total"].instead == "attente:tickets_issued_total"
    assert KNOWN["attente_wait_seconds_bucket"].instead == "attente:wait_seconds_bucket"
    assert KNOWN["attente_events_read_total"].instead == "attente:events_read_total"
    assert KNOWN["attente_batches_total"].instead == ""
    assert KNOWN["attente_open_desks"].instead == ""
    assert "le" in KNOWN["attente:wait_seconds_bucket"].labels
    assert "le" not in KNOWN["attente:wait_seconds_count"].labels


def test_every_name_that_is_not_ours_is_used(sound: dict[str, Json]) -> None:
    assert STANDARD.keys() <= used(sound)


# Texts


def test_a_text_that_is_missing_in_one_language_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def words(key: str, lang: str) -> str:
        if key == "boards.network.met.title" and lang == "fr":
            raise KeyError(key)
        return "{{instance}}" if key == "boards.legend.target" and lang == "en" else "words"

    monkeypatch.setattr(linter, "text", words)

    assert {str(finding) for finding in lint_texts()} == {
        "boards.network.met.title: has no words in 'fr'; write them [text]",
        "boards.legend.target: names other labels in 'fr' than in 'en'; name the same ones [text]",
    }


def test_a_text_that_no_board_shows_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    there = keys()
    monkeypatch.setattr(linter, "keys", lambda: there | {"boards.legend.old"})

    assert [str(finding) for finding in lint_texts()] == [
        "boards.legend.old: is a text that no board shows; remove it [text]"
    ]
