"""Alerts about what visitors of an open office meet now: waits beyond the norm, queues, visitors turned away."""

from typing import Final

from attente.grafana import recorded
from attente.grafana.rules import limits
from attente.grafana.rules.alert import Alert, Audience, Severity
from attente.grafana.rules.promql import number, placed, seconds, truth
from attente.metrics import catalogue
from attente.metrics.metric import Metric

OPEN: Final = f"on (office) {recorded.OFFICE_OPEN.name} == 1"
"""What follows `and`: of a closed office nobody is told what its figures look like."""

FACTS: Final = ("name", "calendar", "zone")
"""What an alert about an office bears beyond its region: for people, and for the hours in which they are told."""


def about_office(expr: str) -> str:
    """An expression of offices, while they are open, with the facts of the office."""
    return placed(f"({expr} and {OPEN})", *FACTS)


def _beyond() -> str:
    return about_office(f"{truth(catalogue.NORM_WAITING_BEYOND)} > 0")


def _hour_under_target() -> str:
    visits = f'{recorded.PROMISE_VISITS.name}{{window="hour"}} >= {limits.HOUR_VISITS}'
    level = f'{recorded.PROMISE_LEVEL.name}{{window="hour"}}'
    return about_office(f"{level} < on (norm) group_left () {recorded.NORM_TARGET.name} and {visits}")


def _queue_grows() -> str:
    before = f"offset {seconds(limits.TREND_S)}"
    growing = f"{recorded.WAITING.name} > {number(limits.GROWTH)} * ({recorded.WAITING.name} {before})"
    desks = catalogue.OPEN_DESKS
    fewer = f"{truth(desks)} < max by (office) ({desks.full_name} {before})"
    crowd = f"{recorded.WAITING.name} >= {limits.CROWD}"
    return about_office(f"({growing}) and ({crowd}) and on (office) ({fewer})")


def _turned_away() -> str:
    away, came = (_increase(metric) for metric in (catalogue.VISITORS_TURNED_AWAY, catalogue.TICKETS_ISSUED))
    share = f"{away} / ({away} + {came}) > {limits.TURNED_AWAY_RATIO}"
    return about_office(f"{away} > {limits.TURNED_AWAY} and ({share})")


def _increase(metric: Metric) -> str:
    return f"sum by (office) (increase({recorded.name_of(metric)}[{seconds(limits.SURGE_S)}]))"


ALERTS: Final = (
    Alert("AttenteWaitBeyondNorm", _beyond(), Severity.TICKET, Audience.OFFICE, for_s=60, keep_s=300),
    # An hour begins at no visits: an office with 40 an hour is judged again after half of it.
    Alert("AttenteHourUnderTarget", _hour_under_target(), Severity.TICKET, Audience.OFFICE, for_s=300, keep_s=2_700),
    Alert("AttenteQueueGrowsWhileDesksClose", _queue_grows(), Severity.PAGE, Audience.OFFICE, for_s=120, keep_s=600),
    Alert("AttenteTurnedAwaySurge", _turned_away(), Severity.PAGE, Audience.OFFICE, for_s=60, keep_s=900),
)
