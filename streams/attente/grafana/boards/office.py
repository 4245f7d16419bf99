"""One office, for the screen of its reception manager: who waits, who works, and how today goes."""

from typing import Final

from attente.grafana.board import REGION, Board, Choice, Row
from attente.grafana.panels import (
    ABOVE_IS_GOOD,
    ANY_IS_BAD,
    QUARTER,
    RATE,
    SHOWN,
    Bars,
    Colour,
    Column,
    Distribution,
    Query,
    Stat,
    Table,
    Trend,
    Unit,
)
from attente.grafana.promql import MINE, WEEK, at, counted, rate, series, total, window
from attente.grafana.recorded import (
    KIOSK_HEARD,
    LONGEST_WAIT,
    NORM_TARGET,
    NORM_THRESHOLD,
    OFFICE_INFO,
    OFFICE_OPEN,
    PROMISE_LEVEL,
    WAITING,
    WAITING_BEYOND,
)
from attente.grafana.rules.promql import truth
from attente.metrics import catalogue
from attente.metrics.metric import Metric

_OFFICE: Final = 'office="$office"'
_SERVICE: Final = 'service=~"$service"'
_CHOSEN: Final = (_OFFICE, _SERVICE)
_TARGET: Final = f"max ({series(NORM_TARGET, MINE)})"
_THRESHOLD: Final = f"max ({series(NORM_THRESHOLD, MINE)})"
_WAITS: Final = counted(catalogue.WAIT, "_bucket")
_CALLED: Final = 'end="called"'


def _kept(on: str, past: str = "") -> str:
    return f"max ({at(series(PROMISE_LEVEL, _OFFICE, MINE, window(on)), past)})"


def _an_hour(metric: Metric) -> str:
    """How many an hour there are of what a counter counts."""
    return rate(counted(metric), *_CHOSEN, per_hour=True)


def _wait(on: str, stat: str) -> str:
    matchers = ", ".join((_OFFICE, window(on), f'stat="{stat}"'))
    return f"max ({truth(catalogue.OFFICE_WINDOW_WAIT, matchers)})"


def _by_service(metric: Metric, *matchers: str) -> str:
    return f"max by (service) ({truth(metric, ', '.join((*_CHOSEN, *matchers)))})"


_NOW: Final = Row(
    "now",
    (
        Stat(
            key="name",
            queries=(Query("office", series(OFFICE_INFO, _OFFICE), "{{name}} · {{region}}"),),
            unit=Unit.WORDS,
            width=8,
            by_name=True,
            empty="no_office",
        ),
        Stat(
            key="door",
            queries=(
                Query("is_open", f"max ({series(OFFICE_OPEN, _OFFICE)})"),
                Query("should_be", f"max ({truth(catalogue.SCHEDULED_OPEN, _OFFICE)})"),
            ),
            unit=Unit.COUNT,
            width=4,
            words_for={0: "shut", 1: "open"},
            empty="no_office",
        ),
        Stat(
            key="met",
            queries=(Query("hour", _kept("hour")), Query("day", _kept("day")), Query("target", _TARGET)),
            unit=Unit.SHARE,
            width=8,
            empty="no_visit",
        ),
        Stat(
            key="margin",
            queries=(Query("to_target", f"{_kept('day')} - {_TARGET}"),),
            unit=Unit.SHARE,
            levels=ABOVE_IS_GOOD,
            empty="no_visit",
        ),
        Stat(
            key="waiting",
            queries=(
                Query("all", total(series(WAITING, _OFFICE))),
                Query("beyond", total(series(WAITING_BEYOND, _OFFICE, MINE))),
            ),
            unit=Unit.COUNT,
            width=8,
            empty="no_office",
        ),
        Stat(
            key="longest",
            queries=(
                Query("longest", f"max ({series(LONGEST_WAIT, *_CHOSEN)})"),
                Query("threshold", _THRESHOLD),
            ),
            unit=Unit.SECONDS,
            width=8,
            empty="nobody_waits",
        ),
        Stat(
            key="desks",
            queries=(Query("desks", f"max ({truth(catalogue.OPEN_DESKS, _OFFICE)})"),),
            unit=Unit.COUNT,
            empty="no_office",
        ),
        Stat(
            key="away",
            queries=(
                Query(
                    "turned_away",
                    total(f"increase({series(counted(catalogue.VISITORS_TURNED_AWAY), *_CHOSEN)}[{SHOWN}])"),
                ),
            ),
            unit=Unit.COUNT,
            empty="no_office",
        ),
    ),
)

_QUEUES: Final = Row(
    "queues",
    (
        Bars(
            key="waiting_by_service",
            queries=(Query("waiting", _by_service(catalogue.WAITING), "{{service}}"),),
            unit=Unit.COUNT,
            empty="no_office",
        ),
        Table(
            key="services",
            queries=(
                Query("waiting", _by_service(catalogue.WAITING)),
                Query("beyond", _by_service(catalogue.NORM_WAITING_BEYOND, MINE)),
                Query("longest", f"max by (service) ({series(LONGEST_WAIT, *_CHOSEN)})"),
                Query("median", _by_service(catalogue.WINDOW_WAIT, window("day"), 'stat="p50"')),
                Query("nine_of_ten", _by_service(catalogue.WINDOW_WAIT, window("day"), 'stat="p90"')),
            ),
            unit=Unit.COUNT,
            columns=(
                Column("service"),
                Column("waiting", Unit.COUNT),
                Column("beyond", Unit.COUNT, levels=ANY_IS_BAD),
                Column("longest", Unit.SECONDS),
                Column("median", Unit.SECONDS),
                Column("nine_of_ten", Unit.SECONDS),
            ),
            sort="longest",
            width=16,
            empty="no_office",
        ),
    ),
)

_TODAY: Final = Row(
    "today",
    (
        Trend(
            key="flow",
            queries=(
                Query("issued", _an_hour(catalogue.TICKETS_ISSUED), colour=Colour.BLUE),
                Query("served", _an_hour(catalogue.SERVICES_ENDED), colour=Colour.GREEN),
                Query("abandoned", _an_hour(catalogue.TICKETS_ABANDONED), colour=Colour.ORANGE),
                Query("no_show", _an_hour(catalogue.TICKETS_NO_SHOW), colour=Colour.PURPLE),
                Query("turned_away", _an_hour(catalogue.VISITORS_TURNED_AWAY), colour=Colour.VERMILION),
            ),
            unit=Unit.PER_HOUR,
            step=QUARTER,
            empty="no_office",
        ),
        Distribution(
            key="waits",
            queries=(
                Query(
                    "waits",
                    total(f"increase({series(_WAITS, *_CHOSEN, _CALLED)}[{RATE}])", by="le"),
                    "{{le}}",
                ),
            ),
            unit=Unit.COUNT,
            empty="nobody_called",
        ),
        Trend(
            key="queue_and_desks",
            queries=(
                Query("waiting", total(_by_service(catalogue.WAITING)), colour=Colour.BLUE),
                Query("desks", f"max ({truth(catalogue.OPEN_DESKS, _OFFICE)})", colour=Colour.GREEN),
            ),
            unit=Unit.COUNT,
            empty="no_office",
        ),
        Trend(
            key="waits_of_the_hour",
            queries=(
                Query("median", _wait("hour", "p50"), colour=Colour.SKY),
                Query("nine_of_ten", _wait("hour", "p90"), colour=Colour.BLUE),
                Query("greatest", _wait("hour", "max"), colour=Colour.PURPLE),
                Query("threshold", _THRESHOLD, colour=Colour.ORANGE, dashed=True),
            ),
            unit=Unit.SECONDS,
            empty="nobody_called",
        ),
        Trend(
            key="met_over_time",
            queries=(
                Query("day", _kept("day"), colour=Colour.BLUE),
                Query("last_week", _kept("day", WEEK), colour=Colour.GREY, dashed=True),
                Query("target", _TARGET, colour=Colour.ORANGE, dashed=True),
            ),
            unit=Unit.SHARE,
            least=None,
            most=1,
            empty="no_visit",
        ),
        Table(
            key="kiosks",
            queries=(
                Query("silent", f"max by (kiosk) (time() - {series(KIOSK_HEARD, _OFFICE)})"),
                Query("spooled", f"max by (kiosk) ({truth(catalogue.KIOSK_SPOOLED, _OFFICE)})"),
                Query("drift", f"max by (kiosk) ({truth(catalogue.KIOSK_DRIFT, _OFFICE)})"),
            ),
            unit=Unit.COUNT,
            columns=(
                Column("kiosk"),
                Column("silent", Unit.SECONDS),
                Column("spooled", Unit.COUNT),
                Column("drift", Unit.SECONDS),
            ),
            sort="silent",
            empty="no_kiosk",
        ),
    ),
)

OFFICE: Final = Board(
    "office",
    (_NOW, _QUEUES, _TODAY),
    (
        REGION,
        Choice("office", 'attente:office_info{region=~"$region"}'),
        Choice("service", 'attente:tickets_called_total{office="$office"}', many=True),
        Choice("norm", 'attente:promise_visits{office="$office"}'),
    ),
)
"""For a reception manager."""
