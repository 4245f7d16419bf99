"""A board: its variables, its links to the others, and its rows of panels laid out from left to right."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, cast

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models import common
from grafana_foundation_sdk.models import dashboard as models

from attente.grafana.norm_changes import OURS
from attente.grafana.panels import DATASOURCE, UID_PREFIX, Colour, Panel, Spot, panel_id
from attente.grafana.texts import text

GRID_WIDTH: Final = 24
"""Columns of Grafana's grid."""

TAG: Final = "attente"
"""Of all boards: the links between them are the boards that have it."""

SCHEMA: Final = 42
"""The version of the classic form of dashboards that is written."""

_ALL: Final = ".*"


@dataclass(frozen=True, slots=True)
class Choice:
    """A variable whose values are those of a label of a series.

    Attributes:
        name: the label, and the variable.
        series: whose label it is, with matchers by the variables before it.
        many: whether several can be chosen, and all of them.
    """

    name: str
    series: str
    many: bool = False

    def build(self, lang: str) -> Builder[models.VariableModel]:
        """Grafana's variable."""
        variable = dashboard.QueryVariable(self.name).label(text(f"boards.variable.{self.name}", lang))
        variable.query(f"label_values({self.series}, {self.name})").datasource(DATASOURCE)
        variable.refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED).sort(models.VariableSort.ALPHABETICAL_ASC)
        variable.multi(self.many).include_all(self.many)
        # Without a value of its own, "all" would be a list of two thousand offices in every query.
        return variable.all_value(_ALL).current(_everything(lang)) if self.many else variable

    def words(self) -> Iterator[str]:
        """The keys of all texts that it shows."""
        yield f"boards.variable.{self.name}"
        if self.many:
            yield "boards.value.all"


@dataclass(frozen=True, slots=True)
class Fixed:
    """A variable with a closed list of values; the first one is chosen."""

    name: str
    values: tuple[str, ...]

    def build(self, lang: str) -> Builder[models.VariableModel]:
        """Grafana's variable."""
        options = [
            models.VariableOption(text=text(f"boards.value.{value}", lang), value=value, selected=index == 0)
            for index, value in enumerate(self.values)
        ]
        variable = dashboard.CustomVariable(self.name).label(text(f"boards.variable.{self.name}", lang))
        listed = ", ".join(f"{option.text} : {option.value}" for option in options)
        return variable.values(listed).options(options).current(options[0])

    def words(self) -> Iterator[str]:
        """The keys of all texts that it shows."""
        yield f"boards.variable.{self.name}"
        yield from (f"boards.value.{value}" for value in self.values)


REGION: Final = Choice("region", "attente:office_info", many=True)
OFFICES: Final = Choice("office", 'attente:office_info{region=~"$region"}', many=True)
NORM: Final = Choice("norm", "attente:norm_info")


@dataclass(frozen=True, slots=True)
class Row:
    """A heading and the panels under it."""

    key: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True, slots=True)
class Board:
    """A board.

    Attributes:
        key: its name; its uid is `attente-` and it, its texts are under `boards.<key>`.
        variables: besides the data source.
        rows: from the top.
        since: the beginning of the period that is shown, as Grafana writes it.
        refresh: how often it asks anew.
    """

    key: str
    rows: tuple[Row, ...]
    variables: tuple[Choice | Fixed, ...] = ()
    since: str = "now-12h"
    refresh: str = "30s"

    @property
    def uid(self) -> str:
        """What links and publishing know it by."""
        return UID_PREFIX + self.key

    def build(self, lang: str) -> dict[str, Any]:
        """The board as Grafana's classic JSON."""
        board = dashboard.Dashboard(text(f"boards.{self.key}.title", lang)).uid(self.uid).tags([TAG])
        board.description(text(f"boards.{self.key}.description", lang)).editable().timezone("browser")
        board.time(self.since, "now").refresh(self.refresh).tooltip(models.DashboardCursorSync.CROSSHAIR)
        board.link(_links(lang)).with_variable(_datasource(lang)).annotation(_norm_changes(lang))
        for variable in self.variables:
            board.with_variable(variable.build(lang))
        y = 0
        for row in self.rows:
            y = self._place(board, row, y, lang)
        built: dict[str, Any] = json.loads(JSONEncoder().encode(board.build()))
        for link in built["links"]:
            # The SDK puts every link into a menu, where nobody finds the way to the other boards.
            del link["placement"]
        return built

    def words(self) -> Iterator[str]:
        """The keys of all texts that it shows."""
        yield from (f"boards.{self.key}.title", f"boards.{self.key}.description")
        yield from ("boards.variable.datasource", "boards.link.others", "boards.annotation.norms")
        for variable in self.variables:
            yield from variable.words()
        for row in self.rows:
            yield f"boards.{self.key}.row.{row.key}"
            for panel in row.panels:
                yield from panel.words(self.key)

    def _place(self, board: dashboard.Dashboard, row: Row, y: int, lang: str) -> int:
        """Lay a row's panels out, as words on a page; returns where the next row begins."""
        heading = dashboard.Row(text(f"boards.{self.key}.row.{row.key}", lang)).id(panel_id(self.key, f"row/{row.key}"))
        board.with_row(heading.grid_pos(models.GridPos(x=0, y=y, w=GRID_WIDTH, h=1)))
        x, y, tallest = 0, y + 1, 0
        for panel in row.panels:
            if x + panel.width > GRID_WIDTH:
                x, y, tallest = 0, y + tallest, 0
            board.with_panel(panel.build(Spot(self.key, lang, x, y)))
            x, tallest = x + panel.width, max(tallest, panel.height)
        return y + tallest


def _everything(lang: str) -> models.VariableOption:
    return models.VariableOption(text=text("boards.value.all", lang), value="$__all", selected=True)


def _datasource(lang: str) -> Builder[models.VariableModel]:
    return dashboard.DatasourceVariable("datasource").label(text("boards.variable.datasource", lang)).type("prometheus")


def _links(lang: str) -> dashboard.DashboardLink:
    link = dashboard.DashboardLink(text("boards.link.others", lang)).type(models.DashboardLinkType.DASHBOARDS)
    return link.tags([TAG]).as_dropdown(as_dropdown=False).keep_time(keep_time=True).include_vars(include_vars=True)


def _norm_changes(lang: str) -> dashboard.AnnotationQuery:
    """Marks where a norm began to mean something else, from what publishing has written into Grafana itself."""
    name = text("boards.annotation.norms", lang)
    query = dashboard.AnnotationQuery().name(name).enable(enable=True).icon_color(Colour.ORANGE)
    query.datasource(common.DataSourceRef(type_val="grafana", uid="-- Grafana --"))
    tags = dashboard.AnnotationTarget().type("tags").tags([OURS]).limit(100).match_any(match_any=False)
    # The SDK types a target as a query of a data source; Grafana's own annotations are asked by tags.
    return query.target(cast("Builder[Dataquery]", tags))
