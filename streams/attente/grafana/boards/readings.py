"""One norm, read by every definition side by side: how much of a figure is the definition, and how much the queue."""

from typing import Final

from attente.grafana.board import NORM, OFFICES, REGION, Board, Fixed, Row
from attente.grafana.panels import Colour, Column, Query, Stat, Table, Trend, Unit
from attente.grafana.promql import HERE, MINE, NAMED, series, total
from attente.grafana.recorded import (
    NORM_INFO,
    NORM_TARGET,
    NORM_THRESHOLD,
    REGION_SERVICE_LEVEL,
    SERVICE_LEVEL,
    WAITING_BEYOND,
    Recorded,
)
from attente.grafana.recorded import READINGS as COUNTS
from attente.registry.entities import Left, Per

_WINDOW: Final = 'window="$window"'
_OFFICE: Final = 'office=~"$office"'
_CHOSEN: Final = (_OFFICE, HERE, MINE, _WINDOW)
_FACTS: Final = series(NORM_INFO, MINE)
_OWN: Final = f"* on (norm, per) group_left () {_FACTS}"
"""Keeps what the norm's own clock times: leg, first or visit."""

# Who waits beyond the norm now belongs to this hour and this day; of a month it would be a dip that comes and goes.
_NOT_A_MONTH: Final = series(COUNTS, *_CHOSEN, 'window!="month"')
_STILL_WAITING: Final = f"({total(series(WAITING_BEYOND, _OFFICE, HERE, MINE))} and on () {_NOT_A_MONTH} or vector(0))"

_ANSWERED: Final = 'outcome="answered"'
_LEFT: Final = 'outcome="left"'
_WITHIN: Final = 'within="within"'


def _level(left: Left, *matchers: str, by: str = "", own: bool = False, waiting: bool = False) -> str:
    """A service level of the chosen offices, by the formulas of the definitions.

    Args:
        left: what becomes of those who left.
        matchers: which clock.
        by: labels to keep.
        own: by the norm's own clock.
        waiting: count those who wait beyond the norm now as failed.
    """

    def count(*of: str) -> str:
        counts = series(COUNTS, *_CHOSEN, *matchers, *of)
        return total(f"{counts} {_OWN}" if own else counts, by)

    kept, counted = {
        Left.CREDITED: (count(_WITHIN), count()),
        Left.EXCLUDED: (count(_ANSWERED, _WITHIN), count(_ANSWERED)),
        Left.FAILED: (count(_ANSWERED, _WITHIN), count()),
        Left.IGNORED: (count(_ANSWERED, _WITHIN), f"{count()} - {count(_LEFT, _WITHIN)}"),
    }[left]
    return f"{kept} / ({counted}{f' + {_STILL_WAITING}' if waiting else ''} > 0)"


def _all_levels(*matchers: str, by: str = "", own: bool = False, waiting: bool = False) -> str:
    """The four service levels, told apart by the label `left`."""
    return " or ".join(
        f'label_replace({_level(left, *matchers, by=by, own=own, waiting=waiting)}, "left", "{left}", "", "")'
        for left in Left
    )


def _spread(levels: str, by: str = "") -> str:
    """How far apart the greatest and the least of some service levels are."""
    grouping = f" by ({by})" if by else ""
    return f"max{grouping} ({levels}) - min{grouping} ({levels})"


def _recorded(what: Recorded, by: str, matchers: tuple[str, ...]) -> tuple[Query, ...]:
    """A query for each service level of the norm's own clock, and one for the spread between them."""
    join = f" {NAMED}" if "office" in what.labels else ""
    levels = []
    for left in Left:
        level = series(what, *matchers, f'left="{left}"')
        levels.append(Query(left, f"max by ({by}) ({level} {_OWN}){join}"))
    every = f"{series(what, *matchers)} {_OWN}"
    return (*levels, Query("spread", f"({_spread(every, by)}){join}"))


_LEVELS: Final = (*(Column(left, Unit.SHARE) for left in Left), Column("spread", Unit.SHARE))
_EVERY_LEVEL: Final = _all_levels(by="per")

_NORM: Final = Row(
    "norm",
    (
        Table(
            key="norm",
            queries=tuple(
                Query(ref, f"max by (title, from, to, per, left) ({_FACTS} * on (norm) group_left () {what.name})")
                for ref, what in (("threshold", NORM_THRESHOLD), ("target", NORM_TARGET))
            ),
            unit=Unit.COUNT,
            columns=(
                Column("title", width=440),
                Column("threshold", Unit.SECONDS),
                Column("target", Unit.SHARE),
                Column("from", words_for=("issued", "arrived", "due")),
                Column("to", words_for=("called", "started")),
                Column("per", words_for=tuple(Per), width=260),
                Column("left", words_for=tuple(Left), width=340),
            ),
            width=24,
            height=4,
            empty="no_norm",
        ),
    ),
)

_SIDE_BY_SIDE: Final = Row(
    "side_by_side",
    (
        Table(
            key="levels",
            queries=(
                *(Query(per, _all_levels(f'per="{per}"')) for per in Per),
                Query("spread", _spread(_EVERY_LEVEL, "left")),
                Query("own", _all_levels(own=True)),
                Query("with_waiting", _all_levels(own=True, waiting=True)),
            ),
            unit=Unit.SHARE,
            columns=(
                Column("left", words_for=tuple(Left), width=330),
                *(Column(per, Unit.SHARE, name=f"by_{per}") for per in Per),
                Column("spread", Unit.SHARE),
                Column("own", Unit.SHARE, width=150),
                Column("with_waiting", Unit.SHARE, width=190),
            ),
            width=18,
            height=7,
            empty="no_visit",
        ),
        Stat(
            key="spread",
            queries=(Query("spread", _spread(_EVERY_LEVEL)),),
            unit=Unit.SHARE,
            width=6,
            height=7,
            empty="no_visit",
        ),
        Table(
            key="counts",
            queries=tuple(
                Query(per, total(series(COUNTS, *_CHOSEN, f'per="{per}"'), by="outcome, within")) for per in Per
            ),
            unit=Unit.COUNT,
            columns=(
                Column("outcome", words_for=("answered", "left")),
                Column("within", words_for=("within", "beyond")),
                *(Column(per, Unit.COUNT, name=f"by_{per}") for per in Per),
            ),
            width=8,
            empty="no_visit",
        ),
        Trend(
            key="over_time",
            queries=(
                *(
                    Query(left, _level(left, own=True), colour=colour)
                    for left, colour in zip(Left, (Colour.GREEN, Colour.BLUE, Colour.PURPLE, Colour.SKY), strict=True)
                ),
                Query("target", f"max ({series(NORM_TARGET, MINE)})", colour=Colour.ORANGE, dashed=True),
            ),
            unit=Unit.SHARE,
            width=16,
            least=None,
            most=1,
            empty="no_visit",
        ),
    ),
)

_WHERE: Final = Row(
    "where",
    (
        Table(
            key="regions",
            queries=_recorded(REGION_SERVICE_LEVEL, "region", (HERE, MINE, _WINDOW)),
            unit=Unit.SHARE,
            columns=(Column("region"), *_LEVELS),
            sort="spread",
            width=10,
            height=10,
            empty="no_visit",
        ),
        Table(
            key="offices",
            queries=_recorded(SERVICE_LEVEL, "office, region", _CHOSEN),
            unit=Unit.SHARE,
            columns=(Column("name", link="office"), Column("region"), *_LEVELS, Column("office", width=150)),
            sort="spread",
            width=14,
            height=10,
            empty="no_visit",
        ),
    ),
)

READINGS: Final = Board(
    "readings",
    (_NORM, _SIDE_BY_SIDE, _WHERE),
    (REGION, OFFICES, NORM, Fixed("window", ("day", "hour", "month"))),
)
"""For whoever has to say what a figure means."""
