"""The budget of a norm: how many failures the target allows in a month, how many are spent, and how fast."""

from typing import Final

from attente.grafana.board import NORM, OFFICES, REGION, Board, Row
from attente.grafana.panels import ABOVE_IS_GOOD, ANY_IS_BAD, Colour, Column, Query, Stat, Table, Trend, Unit
from attente.grafana.promql import HERE, MINE, NAMED, kept, series, total, window
from attente.grafana.recorded import (
    BUDGET_SPENT,
    BURN_FACTOR,
    BURN_RATE,
    NORM_INFO,
    NORM_TARGET,
    OFFICE_INFO,
    PROMISE_FAILURES,
    PROMISE_LEVEL,
    PROMISE_VISITS,
)
from attente.grafana.rules.promql import truth
from attente.metrics import catalogue

_OFFICE: Final = 'office=~"$office"'
_CHOSEN: Final = (_OFFICE, HERE, MINE)
_MONTH: Final = window("month")
_TARGET: Final = f"max ({series(NORM_TARGET, MINE)})"
_BY_OFFICE: Final = "office, region"


def _burning(on: str) -> str:
    """The burn rate of the chosen offices together: the offices' own, weighed by their visits."""
    visits = series(PROMISE_VISITS, *_CHOSEN, window(on))
    rates = f"{series(BURN_RATE, *_CHOSEN, window(on))} * on (office, region, norm, window) {visits}"
    return f"{total(rates)} / ({total(visits)} > 0)"


_VISITS: Final = series(PROMISE_VISITS, *_CHOSEN, _MONTH)
_SPENT: Final = (
    f"{total(f'{series(BUDGET_SPENT, *_CHOSEN)} * on (office, region, norm) {_VISITS}')} / ({total(_VISITS)} > 0)"
)


def _of_office(what: str) -> str:
    return f"max by ({_BY_OFFICE}) ({what}) {NAMED}"


def _visits(outcome: str, within: str, left: str = "") -> str:
    """Some of the month's four counts by office and service, where the norm's treatment of those who left says so."""
    of = f'norm="$norm", {_OFFICE}, {_MONTH}, outcome="{outcome}", within="{within}"'
    where = f" and on (norm) {series(NORM_INFO, MINE, left)}" if left else ""
    return f"({truth(catalogue.WINDOW_VISITS, of)}{where})"


def _by_service(*counts: str) -> str:
    here = f"* on (office) group_left () {series(OFFICE_INFO, HERE)}"
    return total(f"({' or '.join(counts)}) {here}", by="service")


# As the definitions say: late answers always fail the norm; those who left late fail it unless they are left out, and
# those who left early fail it only where leaving is a failure.
_FAILED: Final = _by_service(
    _visits("answered", "beyond"),
    _visits("left", "beyond", 'left!="excluded"'),
    _visits("left", "within", 'left="failed"'),
)
_COUNTED: Final = _by_service(
    _visits("answered", "within"),
    _visits("answered", "beyond"),
    _visits("left", "beyond", 'left!="excluded"'),
    _visits("left", "within", 'left=~"failed|credited_if_within"'),
)

_MONTH_ROW: Final = Row(
    "month",
    (
        Stat(
            key="left",
            queries=(Query("left", f"1 - {_SPENT}"),),
            unit=Unit.SHARE,
            width=6,
            levels=ABOVE_IS_GOOD,
            empty="no_visit",
        ),
        Stat(
            key="met",
            queries=(Query("month", kept(*_CHOSEN, _MONTH)), Query("target", _TARGET)),
            unit=Unit.SHARE,
            width=6,
            empty="no_visit",
        ),
        Stat(
            key="failures",
            queries=(
                Query("failures", total(series(PROMISE_FAILURES, *_CHOSEN, _MONTH))),
                Query("allowed", f"{total(_VISITS)} * (1 - {_TARGET})"),
            ),
            unit=Unit.COUNT,
            width=6,
            empty="no_visit",
        ),
        Stat(
            key="burn",
            queries=tuple(Query(on, _burning(on)) for on in ("hour", "day", "month")),
            unit=Unit.FOLD,
            width=6,
            levels=ANY_IS_BAD,
            empty="no_visit",
        ),
        Trend(
            key="spent_over_time",
            queries=(
                Query("spent", _SPENT, colour=Colour.BLUE),
                Query("all_of_it", "vector(1)", colour=Colour.ORANGE, dashed=True),
            ),
            unit=Unit.SHARE,
            empty="no_visit",
        ),
        Trend(
            key="burn_over_time",
            queries=(
                Query("day", _burning("day"), colour=Colour.BLUE),
                Query("month", _burning("month"), colour=Colour.SKY),
                Query(
                    "warned", f"max ({series(BURN_FACTOR, MINE, window('day'))})", colour=Colour.VERMILION, dashed=True
                ),
                Query("just_on_target", "vector(1)", colour=Colour.ORANGE, dashed=True),
            ),
            unit=Unit.FOLD,
            empty="no_visit",
        ),
    ),
)

_WORST: Final = Row(
    "worst",
    (
        Table(
            key="offices",
            queries=(
                Query("spent", _of_office(series(BUDGET_SPENT, *_CHOSEN))),
                Query("burn_day", _of_office(series(BURN_RATE, *_CHOSEN, window("day")))),
                Query("burn_month", _of_office(series(BURN_RATE, *_CHOSEN, _MONTH))),
                Query("failures", _of_office(series(PROMISE_FAILURES, *_CHOSEN, _MONTH))),
                Query("visits", _of_office(_VISITS)),
                Query("month", _of_office(series(PROMISE_LEVEL, *_CHOSEN, _MONTH))),
            ),
            unit=Unit.COUNT,
            columns=(
                Column("name", link="office"),
                Column("region"),
                Column("spent", Unit.SHARE, levels=ANY_IS_BAD),
                Column("burn_day", Unit.FOLD, levels=ANY_IS_BAD),
                Column("burn_month", Unit.FOLD, levels=ANY_IS_BAD),
                Column("failures", Unit.COUNT),
                Column("visits", Unit.COUNT),
                Column("month", Unit.SHARE),
                Column("office", width=150),
            ),
            sort="spent",
            width=24,
            height=10,
            empty="no_visit",
        ),
        Table(
            key="services",
            queries=(
                Query("failures", _FAILED),
                Query("visits", _COUNTED),
                Query("month", f"1 - {_FAILED} / ({_COUNTED} > 0)"),
                Query("share_of_failures", f"{_FAILED} / on () group_left () (sum ({_FAILED}) > 0)"),
            ),
            unit=Unit.COUNT,
            columns=(
                Column("service"),
                Column("failures", Unit.COUNT),
                Column("share_of_failures", Unit.SHARE),
                Column("visits", Unit.COUNT),
                Column("month", Unit.SHARE),
            ),
            sort="failures",
            width=24,
            empty="no_visit",
        ),
    ),
)

BUDGET: Final = Board("budget", (_MONTH_ROW, _WORST), (REGION, OFFICES, NORM), since="now-7d", refresh="5m")
"""For whoever decides where to put people next month."""
