"""The bricks of which boards are made: a panel is about ten lines, and looks and reads like all others.

A board declares panels as values of this module; `Panel.build` turns one into Grafana's. Every text comes from the
catalogue of texts: of panel `longest` on board `network` the title is `boards.network.longest.title`, the description
`boards.network.longest.description`. What is shown where there is nothing to show is `boards.empty.…`, legends are
`boards.legend.…`, names of columns `boards.column.…`.

No threshold of a norm is written here or in a board. A norm's threshold or target is plotted from its metric, or a
figure is taken relative to it in the query, so that what turns the colour is 0 (just at the target) or 1 (just at the
threshold).
"""

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar, Final

from grafana_foundation_sdk.builders import (
    bargauge,
    common,
    dashboard,
    heatmap,
    prometheus,
    stat,
    table,
    timeseries,
)
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import common as common_models
from grafana_foundation_sdk.models import dashboard as models
from grafana_foundation_sdk.models.heatmap import HeatmapColorMode
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from attente.grafana.texts import text

UID_PREFIX: Final = "attente-"
"""Of every board's uid: a board is found by it whatever its title and folder."""

RATE: Final = "$__rate_interval"
"""The window of every `rate` and `increase` that is drawn over time: never shorter than four scrapes."""

SHOWN: Final = "$__range"
"""The window of an `increase` over the whole period that is shown."""

QUARTER: Final = "15m"
"""The finest step at which visits to an office are drawn: fewer than a handful come in less."""

DATASOURCE: Final = common_models.DataSourceRef(type_val="prometheus", uid="$datasource")


class Unit(StrEnum):
    """How a figure is written, by Grafana's names."""

    COUNT = "none"
    SHARE = "percentunit"
    SECONDS = "s"
    BYTES = "bytes"
    BYTES_PER_SECOND = "Bps"
    PER_HOUR = "suffix: /h"
    PER_SECOND = "suffix: /s"
    FOLD = "suffix:×"
    WORDS = "string"


class Colour(StrEnum):
    """The colours of Okabe and Ito, which all readers tell apart whatever their colour vision."""

    BLUE = "#0072B2"
    SKY = "#56B4E9"
    GREEN = "#009E73"
    ORANGE = "#E69F00"
    VERMILION = "#D55E00"
    PURPLE = "#CC79A7"
    GREY = "#999999"


GOOD: Final = Colour.BLUE
BAD: Final = Colour.VERMILION
"""Blue and vermilion differ in lightness as well as in hue; green and red would be one colour to one man in twelve."""


@dataclass(frozen=True, slots=True)
class Level:
    """From a value on, a colour. `start` None is from the beginning."""

    start: float | None
    colour: Colour


ABOVE_IS_GOOD: Final = (Level(None, BAD), Level(0, GOOD))
"""For figures relative to a target: below it, and at it or above."""

ANY_IS_BAD: Final = (Level(None, GOOD), Level(1, BAD))
"""For counts of what should not be, and for multiples of a norm: up to and from 1 on."""

PLAIN: Final = (Level(None, Colour.BLUE),)
"""One colour: the figure is neither good nor bad by itself."""

# None for lengths of time: without decimals an hour and a half would be "2 hours".
_DECIMALS: Final = {Unit.SHARE: 1, Unit.FOLD: 1, Unit.COUNT: 0, Unit.PER_HOUR: 0, Unit.PER_SECOND: 1}


@dataclass(frozen=True, slots=True)
class Query:
    """A query of a panel.

    Attributes:
        ref: its refId: a word of its own, so that it stays what it is when others are added before it.
        expr: PromQL.
        legend: a template as `{{region}}`, or the name of a text under `boards.legend`. Empty is `ref`.
        colour: of its series; without one they are shades of blue.
        dashed: for targets, thresholds and comparisons, as opposed to what is measured.
    """

    ref: str
    expr: str
    legend: str = ""
    colour: Colour | None = None
    dashed: bool = False

    def legend_in(self, lang: str) -> str:
        """The legend's template in a language."""
        return self.legend if "{{" in self.legend else text(f"boards.legend.{self.legend or self.ref}", lang)


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a panel stands on the grid of its board, which board that is, and in which language."""

    board: str
    lang: str
    x: int = 0
    y: int = 0

    def grid(self, width: int, height: int) -> models.GridPos:
        """The place in Grafana's form."""
        return models.GridPos(x=self.x, y=self.y, w=width, h=height)


def panel_id(board: str, key: str) -> int:
    """The id of a panel: a hash of its name, so that it does not change when other panels come or go.

    Two names of a board that hash to one id are found by the linter; rename one.
    """
    return zlib.crc32(f"{board}/{key}".encode()) % 1_000_000 + 1


_AnyPanel = Any  # the SDK generates a builder for each type of panel, and no class that has what they share


@dataclass(frozen=True, kw_only=True)
class Panel:
    """What all panels have.

    Attributes:
        key: its name on the board; texts and id hang on it.
        queries: in the order of drawing.
        unit: how its figures are written.
        empty: the name of a text under `boards.empty`, shown where there is no value.
        width, height: in cells of the grid.
        levels: the colours of values.
        step: the least step of its queries, where the shortest possible would show noise.
    """

    key: str
    queries: tuple[Query, ...]
    unit: Unit
    empty: str
    width: int = 12
    height: int = 8
    levels: tuple[Level, ...] = PLAIN
    step: str = ""

    is_instant: ClassVar[bool] = False
    format: ClassVar[PromQueryFormat] = PromQueryFormat.TIME_SERIES
    is_of_one_unit: ClassVar[bool] = True

    def build(self, spot: Spot) -> Builder[models.Panel]:
        """Grafana's panel."""
        builder = self._builder(spot)
        name = f"boards.{spot.board}.{self.key}"
        builder.title(text(f"{name}.title", spot.lang)).description(text(f"{name}.description", spot.lang))
        builder.id(panel_id(spot.board, self.key)).grid_pos(spot.grid(self.width, self.height)).datasource(DATASOURCE)
        builder.unit(self.unit).no_value(text(f"boards.empty.{self.empty}", spot.lang)).thresholds(steps(self.levels))
        if self.is_of_one_unit and self.unit in _DECIMALS:
            builder.decimals(_DECIMALS[self.unit])
        if self.step:
            builder.interval(self.step)
        for query in self.queries:
            builder.with_target(self._target(query, spot.lang))
        built: Builder[models.Panel] = builder
        return built

    def words(self, board: str) -> Iterator[str]:
        """The keys of all texts that it shows."""
        yield from (f"boards.{board}.{self.key}.title", f"boards.{board}.{self.key}.description")
        yield f"boards.empty.{self.empty}"
        if self.format is not PromQueryFormat.TABLE:
            yield from (f"boards.legend.{q.legend or q.ref}" for q in self.queries if "{{" not in q.legend)

    def _builder(self, spot: Spot) -> _AnyPanel:
        raise NotImplementedError

    def _target(self, query: Query, lang: str) -> prometheus.Dataquery:
        target = prometheus.Dataquery().ref_id(query.ref).expr(query.expr).datasource(DATASOURCE)
        target.format(self.format)
        # A table is read by its headings; a legend would rename the fields by which its columns are found.
        if self.format is not PromQueryFormat.TABLE:
            target.legend_format(query.legend_in(lang))
        return target.instant() if self.is_instant else target.range()


@dataclass(frozen=True, kw_only=True)
class Stat(Panel):
    """Large figures, one for each query, as of now.

    Attributes:
        words_for: names of texts under `boards.value` by value, where words say more than 0 and 1.
        by_name: show the legend in place of the value.
    """

    width: int = 4
    height: int = 4
    words_for: Mapping[int, str] = field(default_factory=dict)
    by_name: bool = False

    is_instant: ClassVar[bool] = True

    def words(self, board: str) -> Iterator[str]:
        """The keys of all texts that it shows."""
        yield from super().words(board)
        yield from (f"boards.value.{name}" for name in self.words_for.values())

    def _builder(self, spot: Spot) -> _AnyPanel:
        mode = common_models.BigValueTextMode
        text_mode = mode.NAME if self.by_name else mode.VALUE_AND_NAME if len(self.queries) > 1 else mode.VALUE
        return (
            stat.Panel()
            .reduce_options(_last())
            .text_mode(text_mode)
            .graph_mode(common_models.BigValueGraphMode.NONE)
            .color_mode(common_models.BigValueColorMode.VALUE)
            .color_scheme(_by_levels())
            .mappings(_value_words(self.words_for, spot.lang))
        )


@dataclass(frozen=True, kw_only=True)
class Trend(Panel):
    """Lines over time.

    Attributes:
        least, most: the ends of the axis; None lets it follow the values, which shows small differences.
        as_bars: bars instead of lines: for what happened in each step.
    """

    least: float | None = 0
    most: float | None = None
    as_bars: bool = False

    def _builder(self, spot: Spot) -> _AnyPanel:  # noqa: ARG002 - the others need the spot
        legend = common.VizLegendOptions().show_legend(show_legend=True)
        legend.display_mode(common_models.LegendDisplayMode.LIST).placement(common_models.LegendPlacement.BOTTOM)
        tooltip = common.VizTooltipOptions().mode(common_models.TooltipDisplayMode.MULTI)
        style = common_models.GraphDrawStyle
        builder = (
            timeseries.Panel()
            .legend(legend)
            .tooltip(tooltip)
            .draw_style(style.BARS if self.as_bars else style.LINE)
            .line_width(2)
            .fill_opacity(60 if self.as_bars else 0)
            .show_points(common_models.VisibilityMode.NEVER)
            .color_scheme(dashboard.FieldColor().mode(models.FieldColorModeId.SHADES).fixed_color(Colour.BLUE))
        )
        if self.least is not None:
            builder.min(self.least)
        if self.most is not None:
            builder.max(self.most)
        for query in self.queries:
            if properties := _line(query):
                builder.override_by_query(query.ref, properties)
        return builder


@dataclass(frozen=True, kw_only=True)
class Bars(Panel):
    """One bar for each series, as of now."""

    width: int = 8

    is_instant: ClassVar[bool] = True

    def _builder(self, spot: Spot) -> _AnyPanel:  # noqa: ARG002 - the others need the spot
        return (
            bargauge.Panel()
            .reduce_options(_last())
            .orientation(common_models.VizOrientation.HORIZONTAL)
            .display_mode(common_models.BarGaugeDisplayMode.BASIC)
            .value_mode(common_models.BarGaugeValueMode.TEXT)
            .show_unfilled(show_unfilled=False)
            .color_scheme(_by_levels())
            .min(0)
        )


@dataclass(frozen=True, kw_only=True)
class Distribution(Panel):
    """A heat map of a classic histogram over time; its query gives the increase of the buckets by `le`."""

    step: str = QUARTER
    scale: Unit = Unit.SECONDS

    format: ClassVar[PromQueryFormat] = PromQueryFormat.HEATMAP

    def _builder(self, spot: Spot) -> _AnyPanel:  # noqa: ARG002 - the others need the spot
        # Cividis runs from dark to light in one direction, in hues that all readers see alike.
        colour = heatmap.HeatmapColorOptions().mode(HeatmapColorMode.SCHEME).scheme("Cividis").steps(64)
        return (
            heatmap.Panel()
            .calculate(calculate=False)
            .color(colour)
            .y_axis(heatmap.YAxisConfig().unit(self.scale))
            .cell_values(heatmap.CellValues().unit(self.unit).decimals(0))
        )


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Attributes:
        source: a label, or the ref of a query.
        unit: how its figures are written.
        name: of the text under `boards.column` that heads it; empty is `source`.
        levels: the colours of its values; none leaves them plain.
        link: the board that a click on a value leads to; the row's office goes with it.
        words_for: names of texts under `boards.value` by what stands in the column.
        width: in pixels; 0 lets Grafana share the room.
    """

    source: str
    unit: Unit = Unit.WORDS
    name: str = ""
    levels: tuple[Level, ...] = ()
    link: str = ""
    words_for: tuple[str, ...] = ()
    width: int = 0

    @property
    def heading(self) -> str:
        """The key of the text that heads it."""
        return f"boards.column.{self.name or self.source}"


@dataclass(frozen=True, kw_only=True)
class Table(Panel):
    """Rows of labels and figures as of now. The queries bear the same labels, and are merged by them.

    Attributes:
        columns: in their order; what is not among them is not shown.
        sort: the source of the column by which rows are sorted.
        ascending: least first; most tables have what matters most at the top.
    """

    columns: tuple[Column, ...]
    sort: str = ""
    ascending: bool = False

    is_instant: ClassVar[bool] = True
    format: ClassVar[PromQueryFormat] = PromQueryFormat.TABLE
    # A column of lengths of time could not take back the decimals of the whole panel.
    is_of_one_unit: ClassVar[bool] = False

    def words(self, board: str) -> Iterator[str]:
        """The keys of all texts that it shows."""
        yield from super().words(board)
        for column in self.columns:
            yield column.heading
            yield from (f"boards.value.{word}" for word in column.words_for)
            if column.link:
                yield f"boards.link.{column.link}"

    def _builder(self, spot: Spot) -> _AnyPanel:
        builder = table.Panel().show_header(show_header=True).cell_height(common_models.TableCellHeight.SM)
        # One query needs no merge, but a board reads the same whether a table has one or seven.
        builder.with_transformation(models.DataTransformerConfig(id_val="merge", options={}))
        builder.with_transformation(models.DataTransformerConfig(id_val="organize", options=self._order(spot.lang)))
        for column in self.columns:
            builder.override_by_name(text(column.heading, spot.lang), list(self._properties(column, spot.lang)))
        if self.sort:
            heading = next(column.heading for column in self.columns if column.source == self.sort)
            by = common.TableSortByFieldState().display_name(text(heading, spot.lang)).desc(not self.ascending)
            builder.sort_by([by])
        return builder

    def _field(self, column: Column) -> str:
        """The field's name in what the data source gives: a label, `Value` of one query, `Value #ref` of many."""
        if column.source not in {query.ref for query in self.queries}:
            return column.source
        return "Value" if len(self.queries) == 1 else f"Value #{column.source}"

    def _order(self, lang: str) -> dict[str, Any]:
        fields = {self._field(column): column for column in self.columns}
        values = {"Value"} if len(self.queries) == 1 else {f"Value #{query.ref}" for query in self.queries}
        return {
            "excludeByName": dict.fromkeys(sorted({"Time", *values} - fields.keys()), True),
            "indexByName": {name: index for index, name in enumerate(fields)},
            "renameByName": {name: text(column.heading, lang) for name, column in fields.items()},
        }

    def _properties(self, column: Column, lang: str) -> Iterator[models.DynamicConfigValue]:
        yield models.DynamicConfigValue(id_val="unit", value=column.unit)
        if column.unit in _DECIMALS:
            yield models.DynamicConfigValue(id_val="decimals", value=_DECIMALS[column.unit])
        if column.width:
            yield models.DynamicConfigValue(id_val="custom.width", value=column.width)
        if column.words_for:
            yield models.DynamicConfigValue(id_val="mappings", value=_value_words(column.words_for, lang))
        if column.levels:
            yield models.DynamicConfigValue(id_val="thresholds", value=steps(column.levels).build())
            yield models.DynamicConfigValue(id_val="color", value=_by_levels().build())
            cell = {"type": common_models.TableCellDisplayMode.COLOR_TEXT}
            yield models.DynamicConfigValue(id_val="custom.cellOptions", value=cell)
        if column.link:
            yield models.DynamicConfigValue(id_val="links", value=[_office_link(column.link, lang)])


def steps(levels: Sequence[Level]) -> dashboard.ThresholdsConfig:
    """Levels in Grafana's form."""
    return (
        dashboard.ThresholdsConfig()
        .mode(models.ThresholdsMode.ABSOLUTE)
        .steps([models.Threshold(value=level.start, color=level.colour) for level in levels])
    )


def _last() -> common.ReduceDataOptions:
    return common.ReduceDataOptions().calcs(["lastNotNull"]).values(values=False).fields("")


def _by_levels() -> dashboard.FieldColor:
    return dashboard.FieldColor().mode(models.FieldColorModeId.THRESHOLDS)


def _line(query: Query) -> list[models.DynamicConfigValue]:
    properties = []
    if query.colour is not None:
        colour = {"mode": models.FieldColorModeId.FIXED, "fixedColor": query.colour}
        properties.append(models.DynamicConfigValue(id_val="color", value=colour))
    if query.dashed:
        style = {"fill": "dash", "dash": [8, 6]}
        properties.append(models.DynamicConfigValue(id_val="custom.lineStyle", value=style))
    return properties


def _value_words(names: Mapping[int, str] | Sequence[str], lang: str) -> list[models.ValueMapping]:
    words = names if isinstance(names, Mapping) else {name: name for name in names}
    if not words:
        return []
    options = {
        str(value): models.ValueMappingResult(text=text(f"boards.value.{name}", lang), index=index)
        for index, (value, name) in enumerate(words.items())
    }
    return [models.ValueMap(options=options)]


def _office_link(board: str, lang: str) -> dict[str, Any]:
    """A link from a row to a board that keeps the time and the variables, and takes the row's office along."""
    kept = "&".join(f"${{{name}:queryparam}}" for name in ("datasource", "region", "norm"))
    url = f"/d/{UID_PREFIX}{board}?${{__url_time_range}}&{kept}&var-office=${{__data.fields.office}}"
    return {"title": text(f"boards.link.{board}", lang), "url": url, "targetBlank": False}
