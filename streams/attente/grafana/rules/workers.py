"""Alerts about the workers and what they own: who is up, what is read, what is shown."""

from typing import Final

from attente.grafana.rules import limits
from attente.grafana.rules.alert import Alert, Audience, Severity
from attente.grafana.rules.promql import JOB, seconds, truth
from attente.metrics import catalogue

_UP: Final = f'up{{job="{JOB}"}}'
_SHOWN: Final = catalogue.PARTITION_SHOWN
_OWNED: Final = truth(catalogue.PARTITION_OWNED)


def _without_owner() -> str:
    """How many partitions nobody owns: they have no series of their own that could say so."""
    owned = f"(count({_OWNED} == 1) or vector(0))"
    return f"(max({catalogue.PARTITIONS.full_name}) - {owned}) > 0"


def _lag_grows() -> str:
    lag = catalogue.PARTITION_LAG
    before = f"max by (partition) ({lag.full_name} offset {seconds(limits.LAG_S)})"
    return f"({truth(lag)} > {limits.LAG}) and ({truth(lag)} > {before})"


def _not_measured() -> str:
    """Nothing that a worker shows can say that no worker shows anything: what is absent has to be asked for."""
    return f"absent({_UP} == 1) or absent({_SHOWN.full_name} == 1)"


ALERTS: Final = (
    Alert(
        "AttenteNotMeasured",
        _not_measured(),
        Severity.PAGE,
        Audience.OPERATOR,
        # With a scrape and an evaluation every 15 s somebody is told within two minutes of the last worker's end; a
        # worker that is started again at once is back before.
        for_s=45,
        keep_s=60,
        blinds=True,
    ),
    Alert("AttenteWorkerDown", f"{_UP} == 0", Severity.TICKET, Audience.OPERATOR, for_s=60, keep_s=120),
    Alert(
        "AttentePartitionWithoutOwner",
        _without_owner(),
        Severity.PAGE,
        Audience.OPERATOR,
        for_s=120,
        keep_s=120,
        blinds=True,
    ),
    Alert(
        "AttentePartitionNotShown",
        f"({_OWNED} == 1) unless on (partition) ({truth(_SHOWN)} == 1)",
        Severity.PAGE,
        Audience.OPERATOR,
        for_s=180,  # a take-over of the largest partition takes seconds, one without a checkpoint a minute or two
        keep_s=120,
        blinds=True,
    ),
    Alert("AttenteLagGrowing", _lag_grows(), Severity.PAGE, Audience.OPERATOR, for_s=300, keep_s=300, blinds=True),
    Alert(
        "AttenteScrapeSlow",
        f'max by (instance) (scrape_duration_seconds{{job="{JOB}"}}) > {limits.SCRAPE_S}',
        Severity.TICKET,
        Audience.OPERATOR,
        for_s=300,
        keep_s=300,
    ),
    Alert("AttenteDeadMansSwitch", "vector(1)", Severity.NONE, Audience.OPERATOR, for_s=0, keep_s=0),
)
