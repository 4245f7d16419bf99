"""The network at a glance: is the norm kept, where is trouble, what does last week say."""

from typing import Final

from attente.grafana.board import NORM, REGION, Board, Row
from attente.grafana.panels import (
    ABOVE_IS_GOOD,
    ANY_IS_BAD,
    Colour,
    Column,
    Query,
    Stat,
    Table,
    Trend,
    Unit,
)
from attente.grafana.promql import HERE, MINE, NAMED, PLACED, WEEK, at, kept, series, window
from attente.grafana.recorded import (
    LONGEST_WAIT,
    NETWORK_PROMISE_LEVEL,
    NORM_TARGET,
    NORM_THRESHOLD,
    OFFICE_INFO,
    OFFICE_OPEN,
    OFFICE_TROUBLE,
    PROMISE_LEVEL,
    REGION_PROMISE_LEVEL,
    WAITING,
    WAITING_BEYOND,
)
from attente.grafana.rules.promql import truth
from attente.metrics import catalogue

# An alert of the pipeline has no region, and concerns all of them.
_FIRING: Final = 'ALERTS{alertname=~"Attente.*", alertstate="firing", severity=~"page|ticket", region=~"$region|"}'
# Always there while Prometheus evaluates the rules: without it, no alert does not mean that all is well.
_RULES_WORK: Final = 'max (ALERTS{alertname="AttenteDeadMansSwitch"})'
_SHOWN: Final = "max by (severity, alertname, audience, region, name, service, norm)"
_ALERTS: Final = f"max by (severity, alertname, audience, region, office, service, norm) ({_FIRING})"

_TARGET: Final = f"max ({series(NORM_TARGET, MINE)})"
_MET_TODAY: Final = kept(HERE, MINE, window("day"))


def _regions_kept(on: str, past: str = "") -> str:
    """The promise of each region; `max` drops the labels that the table has chosen anyway."""
    return f"max by (region) ({at(series(REGION_PROMISE_LEVEL, HERE, MINE, window(on)), past)})"


def _offices_kept(on: str) -> str:
    return f"max by (office, region) ({series(PROMISE_LEVEL, HERE, MINE, window(on))})"


_NOW: Final = Row(
    "now",
    (
        Stat(
            key="met",
            queries=(
                Query("hour", kept(HERE, MINE, window("hour"))),
                Query("day", _MET_TODAY),
                Query("target", _TARGET),
            ),
            unit=Unit.SHARE,
            width=8,
            empty="no_visit",
        ),
        Stat(
            key="margin",
            queries=(
                Query("to_target", f"({_MET_TODAY}) - {_TARGET}"),
                Query("to_last_week", f"({_MET_TODAY}) - ({kept(HERE, MINE, window('day'), past=WEEK)})"),
            ),
            unit=Unit.SHARE,
            width=6,
            levels=ABOVE_IS_GOOD,
            empty="no_visit",
        ),
        Stat(
            key="alerts",
            queries=(Query("firing", f"count ({_FIRING}) or 0 * {_RULES_WORK}"),),
            unit=Unit.COUNT,
            width=4,
            levels=ANY_IS_BAD,
            empty="no_rules",
        ),
        Stat(
            key="desks",
            queries=(
                Query("desks", f"sum ({truth(catalogue.OPEN_DESKS)} {PLACED})"),
                Query("offices", f"sum ({series(OFFICE_OPEN, HERE)})"),
            ),
            unit=Unit.COUNT,
            width=6,
            empty="no_office",
        ),
        Stat(
            key="waiting",
            queries=(
                Query("all", f"sum ({series(WAITING, HERE)})"),
                Query("beyond", f"sum ({series(WAITING_BEYOND, HERE, MINE)})"),
            ),
            unit=Unit.COUNT,
            width=8,
            empty="no_office",
        ),
        Stat(
            key="longest",
            queries=(
                Query("longest", f"max ({series(LONGEST_WAIT, HERE)})"),
                Query("threshold", f"max ({series(NORM_THRESHOLD, MINE)})"),
            ),
            unit=Unit.SECONDS,
            width=8,
            empty="nobody_waits",
        ),
        Stat(
            key="trouble",
            queries=(Query("offices_in_trouble", f"sum ({series(OFFICE_TROUBLE, HERE)} > bool 1)"),),
            unit=Unit.COUNT,
            width=8,
            levels=ANY_IS_BAD,
            empty="no_office",
        ),
    ),
)

_REGIONS: Final = Row(
    "regions",
    (
        Table(
            key="regions",
            queries=(
                Query("hour", _regions_kept("hour")),
                Query("day", _regions_kept("day")),
                Query("to_target", f"{_regions_kept('day')} - scalar({_TARGET})"),
                Query("last_week", _regions_kept("day", WEEK)),
                Query("waiting", f"sum by (region) ({series(WAITING, HERE)})"),
                Query("longest", f"max by (region) ({series(LONGEST_WAIT, HERE)})"),
            ),
            unit=Unit.COUNT,
            columns=(
                Column("region"),
                Column("hour", Unit.SHARE),
                Column("day", Unit.SHARE),
                Column("to_target", Unit.SHARE, levels=ABOVE_IS_GOOD),
                Column("last_week", Unit.SHARE),
                Column("waiting", Unit.COUNT),
                Column("longest", Unit.SECONDS),
            ),
            sort="to_target",
            ascending=True,
            width=14,
            empty="no_office",
        ),
        Trend(
            key="met_over_time",
            queries=(
                Query("network", series(NETWORK_PROMISE_LEVEL, MINE, window("day")), colour=Colour.BLUE),
                Query(
                    "last_week",
                    f"{series(NETWORK_PROMISE_LEVEL, MINE, window('day'))} {WEEK}",
                    colour=Colour.GREY,
                    dashed=True,
                ),
                Query("target", _TARGET, colour=Colour.ORANGE, dashed=True),
            ),
            unit=Unit.SHARE,
            width=10,
            least=None,
            most=1,
            empty="no_visit",
        ),
    ),
)

_OFFICES: Final = Row(
    "offices",
    (
        Table(
            key="offices",
            queries=(
                Query("trouble", f"{series(OFFICE_TROUBLE, HERE)} {NAMED}"),
                Query("waiting", f"{series(WAITING, HERE)} {NAMED}"),
                Query("beyond", f"sum by (office, region) ({series(WAITING_BEYOND, HERE, MINE)}) {NAMED}"),
                Query("longest", f"max by (office, region) ({series(LONGEST_WAIT, HERE)}) {NAMED}"),
                Query("desks", f"{truth(catalogue.OPEN_DESKS)} {PLACED}"),
                Query("hour", f"{_offices_kept('hour')} {NAMED}"),
                Query("day", f"{_offices_kept('day')} {NAMED}"),
                Query("to_target", f"({_offices_kept('day')} - scalar({_TARGET})) {NAMED}"),
            ),
            unit=Unit.COUNT,
            columns=(
                Column("name", link="office"),
                Column("region"),
                Column("trouble", Unit.FOLD, levels=ANY_IS_BAD),
                Column("waiting", Unit.COUNT),
                Column("beyond", Unit.COUNT),
                Column("longest", Unit.SECONDS),
                Column("desks", Unit.COUNT),
                Column("hour", Unit.SHARE),
                Column("day", Unit.SHARE),
                Column("to_target", Unit.SHARE, levels=ABOVE_IS_GOOD),
                Column("office", width=150),
            ),
            sort="trouble",
            width=24,
            height=12,
            empty="no_office",
        ),
    ),
)

_WATCH: Final = Row(
    "watch",
    (
        Table(
            key="firing",
            queries=(
                # An alert that is about no office has no name to join.
                Query("firing", f"{_SHOWN} ({_ALERTS} {NAMED} or ({_ALERTS} unless on (office) {OFFICE_INFO.name}))"),
            ),
            unit=Unit.COUNT,
            columns=(
                Column("severity", words_for=("page", "ticket")),
                Column("alertname", width=250),
                Column("region"),
                Column("name"),
                Column("service"),
                Column("norm"),
                Column("audience", words_for=("office", "network", "operator")),
            ),
            sort="severity",
            ascending=True,
            width=14,
            empty="no_alert",
        ),
        Trend(
            key="waiting_over_time",
            queries=(
                Query("waiting", f"sum ({series(WAITING, HERE)})", colour=Colour.BLUE),
                Query("last_week", f"sum ({series(WAITING, HERE)} {WEEK})", colour=Colour.GREY, dashed=True),
            ),
            unit=Unit.COUNT,
            width=10,
            empty="no_office",
        ),
    ),
)

NETWORK: Final = Board("network", (_NOW, _REGIONS, _OFFICES, _WATCH), (REGION, NORM))
"""For whoever answers for the network."""
