"""Alerts about a norm's budget: a month's allowed failures, spent too fast."""

from typing import Final

from attente.grafana import recorded
from attente.grafana.rules import limits
from attente.grafana.rules.alert import Alert, Audience, Severity
from attente.grafana.rules.queues import about_office


def _burns(window: str, visits: int) -> str:
    """Exact windows in event time need no second, shorter one to fall silent: the hour ends with the hour."""
    of = f'{{window="{window}"}}'
    factor = f"on (norm, window) group_left () {recorded.BURN_FACTOR.name}"
    enough = f"{recorded.PROMISE_VISITS.name}{of} >= {visits}"
    return about_office(f"{recorded.BURN_RATE.name}{of} > {factor} and {enough}")


ALERTS: Final = (
    Alert(
        "AttenteBudgetBurnFast",
        _burns("hour", limits.HOUR_VISITS),
        Severity.PAGE,
        Audience.OFFICE,
        for_s=300,
        keep_s=2_700,
    ),
    Alert(
        "AttenteBudgetBurnSlow",
        _burns("day", limits.DAY_VISITS),
        Severity.TICKET,
        Audience.NETWORK,
        for_s=900,
        keep_s=3_600,
    ),
)
