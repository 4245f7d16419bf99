"""Alerts about whether the figures can be right: every event accounted for, state kept, one registry."""

from typing import Final

from attente.grafana import recorded
from attente.grafana.rules import limits
from attente.grafana.rules.alert import Alert, Audience, Severity
from attente.grafana.rules.promql import number, seconds
from attente.metrics import catalogue
from attente.metrics.metric import Metric


def _grown(metric: Metric, over_s: int) -> str:
    """What a counter of a process has grown by; it begins with the process, so here every process is its own."""
    return f"max by (instance) (increase({metric.full_name}[{seconds(over_s)}]))"


def _checkpoints_fail() -> str:
    failed = f"{_grown(catalogue.CHECKPOINT_FAILURES, limits.FAILURES_S)} > {limits.CHECKPOINT_FAILURES}"
    last = f"max by (instance) ({catalogue.CHECKPOINT_LAST.full_name})"
    return f"({failed}) or (time() - {last} > {limits.CHECKPOINT_AGE_S})"


def _refused() -> str:
    refused = recorded.name_of(catalogue.EVENTS_REFUSED)
    return f"sum by (reason) (increase({refused}[{seconds(limits.FAILURES_S)}])) > {limits.REFUSED}"


def _unbalanced() -> str:
    """The account of each page by itself: pages of two workers are of two instants."""
    read, counted, duplicate, refused = (
        f"sum by (instance, partition) ({metric.full_name})"
        for metric in (
            catalogue.EVENTS_READ,
            catalogue.EVENTS_COUNTED,
            catalogue.EVENTS_DUPLICATE,
            catalogue.EVENTS_REFUSED,
        )
    )
    return f"{read} - {counted} - {duplicate} - {refused} != 0"


def _registries() -> str:
    registry = catalogue.REGISTRY_INFO
    return f"count(count by (hash) ({registry.full_name})) > 1"


ALERTS: Final = (
    Alert(
        "AttenteConservationBroken",
        _unbalanced(),
        Severity.PAGE,
        Audience.OPERATOR,
        for_s=60,
        keep_s=600,
        blinds=True,
    ),
    Alert(
        "AttenteGapInLog",
        f"{_grown(catalogue.GAPS, limits.GAP_S)} > {number(0)}",
        Severity.PAGE,
        Audience.OPERATOR,
        for_s=0,
        keep_s=600,
        blinds=True,
    ),
    Alert(
        "AttenteCommitsFailing",
        f"{_grown(catalogue.COMMIT_FAILURES, limits.COMMITS_S)} > {limits.COMMIT_FAILURES}",
        Severity.PAGE,
        Audience.OPERATOR,
        for_s=60,
        keep_s=300,
        blinds=True,
    ),
    Alert("AttenteCheckpointsFailing", _checkpoints_fail(), Severity.TICKET, Audience.OPERATOR, for_s=300, keep_s=900),
    Alert("AttenteEventsRefused", _refused(), Severity.TICKET, Audience.OPERATOR, for_s=300, keep_s=1_800),
    # Workers are told of a new registry one after the other; ten minutes is a slow roll-out.
    Alert("AttenteRegistriesDiffer", _registries(), Severity.TICKET, Audience.OPERATOR, for_s=600, keep_s=300),
)
