"""The linter of boards: what Grafana would accept and a reader would not.

It reads the generated JSON, so that it sees what Grafana sees. A finding is one line: the place, the value, and what to
do. Exceptions stand in `EXCEPTIONS`, each with its reason; one that nothing needs any more is a finding itself.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from attente.grafana.board import GRID_WIDTH, SCHEMA, TAG
from attente.grafana.boards import BOARDS
from attente.grafana.panels import DATASOURCE, UID_PREFIX, Colour, panel_id
from attente.grafana.queries import LEGEND_LABEL, Vocabulary, faults, keeps_name, labels_of, variables_in
from attente.grafana.texts import LANGS, keys, text

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to mend.

    Attributes:
        rule: which rule is broken.
        board: the uid of the board; "" of the catalogue of texts.
        panel: the id of the panel; 0 of the board itself.
        place: for people.
        problem: the value, and what to do.
    """

    rule: str
    board: str
    panel: int
    place: str
    problem: str

    def __str__(self) -> str:
        return f"{self.place}: {self.problem} [{self.rule}]"


@dataclass(frozen=True, slots=True)
class Excused:
    """A rule that a panel need not keep, and why."""

    rule: str
    board: str
    panel: str
    reason: str

    def covers(self, finding: Finding) -> bool:
        """Whether it is this finding that is excused."""
        where = (finding.rule, finding.board, finding.panel)
        return where == (self.rule, UID_PREFIX + self.board, panel_id(self.board, self.panel))


EXCEPTIONS: Final = (
    Excused(
        "threshold",
        "pipeline",
        "registries",
        "two registries are one too many: the 2 is a number of registries, not a norm's threshold",
    ),
)

_TURNING: Final = {None, 0, 1}
"""Where colours may turn: nowhere, just at a target, and just at a threshold or at the first one that should not be."""

_BUILT_IN: Final = frozenset({"__rate_interval", "__interval", "__range", "__url_time_range"})
_LABEL_VALUES: Final = re.compile(r"label_values\((?P<series>.+), (?P<label>\w+)\)")
_COLOUR: Final = re.compile(r"#[0-9a-fA-F]{6}")
_SHORTEST_DESCRIPTION: Final = 20
_PALETTE: Final = frozenset(Colour)


def lint(boards: Mapping[str, Json], known: Vocabulary, excused: Sequence[Excused] = EXCEPTIONS) -> list[Finding]:
    """Everything that is to be mended, in the order of the boards.

    Args:
        boards: in Grafana's classic JSON, by uid.
        known: the names of series that there are.
        excused: what need not be kept.
    """
    found = [finding for uid, board in boards.items() for finding in _board(uid, board, frozenset(boards), known)]
    kept = [finding for finding in found if not any(excuse.covers(finding) for excuse in excused)]
    for excuse in excused:
        if UID_PREFIX + excuse.board in boards and not any(excuse.covers(finding) for finding in found):
            place = f"{UID_PREFIX}{excuse.board}: {excuse.panel}"
            problem = f"is excused from the rule {excuse.rule!r} and keeps it; remove the exception"
            kept.append(Finding("exception", UID_PREFIX + excuse.board, 0, place, problem))
    return kept


def lint_texts() -> list[Finding]:
    """What is to be mended in the texts of the boards: every one in every language, and none too many."""
    shown = {key for board in BOARDS for key in board.words()}
    there = {key for key in keys() if key.startswith("boards.")}
    found = [Finding("text", "", 0, key, "is a text that no board shows; remove it") for key in sorted(there - shown)]
    for key in sorted(shown):
        problems = [problem for lang in LANGS for problem in _text_problems(key, lang)]
        found += [Finding("text", "", 0, key, problem) for problem in problems]
    return found


def _text_problems(key: str, lang: str) -> Iterator[str]:
    try:
        words = text(key, lang)
    except KeyError:
        yield f"has no words in {lang!r}; write them"
        return
    if set(LEGEND_LABEL.findall(words)) != set(LEGEND_LABEL.findall(text(key, LANGS[0]))):
        yield f"names other labels in {lang!r} than in {LANGS[0]!r}; name the same ones"


def _board(uid: str, board: Json, boards: frozenset[str], known: Vocabulary) -> Iterator[Finding]:
    for rule, problem in (*_head(uid, board), *_variables(board, known), *_ids(board), *_overlaps(board)):
        yield Finding(rule, uid, 0, uid, problem)
    names = {variable["name"] for variable in board["templating"]["list"]}
    for panel in panels_of(board):
        place = f"{uid}: {panel.get('title') or panel.get('id')}"
        for check in _PANEL_RULES:
            yield from (Finding(rule, uid, panel.get("id", 0), place, problem) for rule, problem in check(panel))
        for rule, problem in (*_queries(panel, known), *_names_used(panel, names), *_links(panel, boards, names)):
            yield Finding(rule, uid, panel.get("id", 0), place, problem)


def panels_of(board: Json) -> Iterator[Json]:
    """The panels of a board, without the headings of rows."""
    yield from (panel for panel in board["panels"] if panel["type"] != "row")


Problems = Iterator[tuple[str, str]]


def _head(uid: str, board: Json) -> Problems:
    if board.get("schemaVersion") != SCHEMA:
        yield "schema", f"schemaVersion is {board.get('schemaVersion')}; it must be {SCHEMA}"
    if board.get("uid") != uid or not uid.startswith(UID_PREFIX):
        yield "uid", f"uid is {board.get('uid')!r}; it must be {uid!r} and begin with {UID_PREFIX}"
    for field in ("title", "description"):
        if not board.get(field):
            yield field, f"has no {field}; write one"
    if TAG not in board.get("tags", ()):
        yield "link", f"has not the tag {TAG}, so that the others do not link to it"
    links = board.get("links", ())
    if not any(link.get("keepTime") and link.get("includeVars") for link in links):
        yield "link", "has no link to the others that keeps time and variables"


def _variables(board: Json, known: Vocabulary) -> Problems:
    listed = board["templating"]["list"]
    if not any(variable["type"] == "datasource" and variable["name"] == "datasource" for variable in listed):
        yield "datasource", "has no variable datasource; add one of type datasource"
    used = {name for panel in panels_of(board) for target in panel["targets"] for name in variables_in(target["expr"])}
    before: set[str] = set()
    for variable in listed:
        used |= variables_in(variable["query"]) if variable["type"] == "query" else set()
        if variable["type"] == "query":
            yield from _choice(variable, before, known)
        before.add(variable["name"])
    for name in sorted(before - used - {"datasource"}):
        yield "variable", f"nothing uses the variable ${name}; remove it"


def _choice(variable: Json, before: set[str], known: Vocabulary) -> Problems:
    if variable.get("datasource") != DATASOURCE.to_json():
        yield "datasource", f"the variable ${variable['name']} does not ask $datasource"
    parts = _LABEL_VALUES.fullmatch(variable["query"])
    if parts is None:
        yield "variable", f"${variable['name']}: {variable['query']} is not label_values(SERIES, LABEL)"
        return
    if missing := variables_in(parts["series"]) - before:
        yield (
            "variable",
            f"${variable['name']} depends on {', '.join(sorted(missing))}, which come after it or not at all",
        )
    problems = list(faults(parts["series"], known))
    yield from ((rule, f"${variable['name']}: {problem}") for rule, problem in problems)
    if not problems and parts["label"] not in labels_of(parts["series"], known):
        yield "label", f"${variable['name']}: {parts['series']} has no label {parts['label']}"


def _ids(board: Json) -> Problems:
    ids = Counter(panel.get("id") for panel in board["panels"])
    for number, times in ids.items():
        if number is None or times > 1:
            yield "id", f"{times} panels have the id {number}; give each a key of its own"


def _overlaps(board: Json) -> Problems:
    taken: dict[tuple[int, int], str] = {}
    for panel in board["panels"]:
        grid, title = panel["gridPos"], panel["title"]
        if grid["x"] < 0 or grid["y"] < 0 or grid["w"] < 1 or grid["h"] < 1 or grid["x"] + grid["w"] > GRID_WIDTH:
            yield "grid", f"{title} stands at {grid}, outside of the {GRID_WIDTH} columns"
            continue
        cells = {(grid["x"] + dx, grid["y"] + dy) for dx in range(grid["w"]) for dy in range(grid["h"])}
        for other in sorted({taken[cell] for cell in cells & taken.keys()}):
            yield "grid", f"{title} overlaps {other}"
        taken.update(dict.fromkeys(cells, title))


def _words(panel: Json) -> Problems:
    if not panel.get("title"):
        yield "title", "has no title; write one"
    if len(panel.get("description") or "") < _SHORTEST_DESCRIPTION:
        yield "description", "does not say what it shows and how to read it; write a description"
    defaults = panel["fieldConfig"]["defaults"]
    for field, rule in (("unit", "unit"), ("noValue", "no value")):
        if not defaults.get(field):
            yield rule, f"has no {field}; choose one"


def _sources(panel: Json) -> Problems:
    wanted = DATASOURCE.to_json()
    if panel.get("datasource") != wanted:
        yield "datasource", f"asks {panel.get('datasource')}; it must ask $datasource"
    if not panel.get("targets"):
        yield "query", "has no query"
    for target in panel.get("targets", ()):
        if target.get("datasource") != wanted:
            yield "datasource", f"query {target.get('refId')} asks {target.get('datasource')}; it must ask $datasource"


def _references(panel: Json) -> Problems:
    refs = Counter(target.get("refId") for target in panel["targets"])
    for ref, times in refs.items():
        if not ref or times > 1:
            yield "ref", f"{times} queries have the refId {ref!r}; give each a word of its own"


def _legends(panel: Json) -> Problems:
    """Every series has a name that is written for people: a legend, or the heading of a column."""
    if panel["type"] != "table":
        for target in panel["targets"]:
            if target.get("legendFormat") in {None, "", "__auto"}:
                yield "legend", f"query {target['refId']} has no legend; write one"
        return
    options = [step["options"] for step in panel["transformations"] if step["id"] == "organize"]
    renamed = {field for one in options for field in one["renameByName"]}
    hidden = {field for one in options for field in one["excludeByName"]}
    for target in panel["targets"]:
        field = "Value" if len(panel["targets"]) == 1 else f"Value #{target['refId']}"
        if field not in renamed | hidden:
            yield "legend", f"query {target['refId']} has no column; name one, or leave the query out"


def _colours(panel: Json) -> Problems:
    for colour in sorted({found for found in _COLOUR.findall(str(panel)) if found.upper() not in _PALETTE}):
        yield "colour", f"{colour} is not of the palette; use one of {', '.join(sorted(_PALETTE))}"
    for step in _steps(panel):
        if _COLOUR.fullmatch(step["color"]) is None:
            yield "colour", f"{step['color']} is not of the palette; use one of {', '.join(sorted(_PALETTE))}"
        if step["value"] not in _TURNING:
            yield "threshold", f"turns its colour at {step['value']}; take the figure relative to the norm in the query"


def _steps(panel: Json) -> Iterator[Json]:
    config = panel["fieldConfig"]
    yield from config["defaults"].get("thresholds", {}).get("steps", ())
    for override in config["overrides"]:
        for property_ in override["properties"]:
            if property_["id"] == "thresholds":
                yield from property_["value"]["steps"]


_PANEL_RULES: Final[tuple[Callable[[Json], Problems], ...]] = (_words, _sources, _references, _legends, _colours)


def _queries(panel: Json, known: Vocabulary) -> Problems:
    for target in panel["targets"]:
        problems = list(faults(target["expr"], known))
        yield from ((rule, f"query {target['refId']}: {problem}") for rule, problem in problems)
        if not problems:
            if panel["type"] == "table" and keeps_name(target["expr"]):
                yield "name", f"query {target['refId']} shows the name of its series as a column; sum it by its labels"
            borne = labels_of(target["expr"], known)
            for label in sorted(set(LEGEND_LABEL.findall(target.get("legendFormat", ""))) - borne):
                yield "label", f"query {target['refId']}: the legend names {label}, which no series has"


def _names_used(panel: Json, names: set[str]) -> Problems:
    for target in panel["targets"]:
        for name in sorted(variables_in(target["expr"]) - names - _BUILT_IN):
            yield "variable", f"query {target['refId']} uses ${name}, which is no variable of the board"


def _links(panel: Json, boards: frozenset[str], names: set[str]) -> Problems:
    for override in panel["fieldConfig"]["overrides"]:
        for property_ in override["properties"]:
            for link in property_["value"] if property_["id"] == "links" else ():
                if not any(link["url"].startswith(f"/d/{uid}?") for uid in boards):
                    yield "link", f"{link['url']} leads to no board"
                if "${__url_time_range}" not in link["url"] or ":queryparam}" not in link["url"]:
                    yield "link", f"{link['url']} does not keep time and variables"
                for name in sorted(variables_in(link["url"]) - names - _BUILT_IN):
                    yield "link", f"{link['url']} names ${name}, which is no variable of the board"
