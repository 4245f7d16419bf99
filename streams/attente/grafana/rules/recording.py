"""What is computed for every recorded series (`attente.grafana.recorded`), as PromQL.

Rules of one group are evaluated one after the other at one instant, so that a rule may use what those before it have
just recorded; groups are independent. The counters are a group of their own for they depend on nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from attente.grafana import recorded
from attente.grafana.recorded import Recorded
from attente.grafana.rules.budget import factors
from attente.grafana.rules.promql import number, placed, truth
from attente.metrics import catalogue
from attente.metrics.metric import PREFIX, Metric
from attente.registry.entities import Left, Registry

REMEMBERED_S: Final = 4 * 86_400
"""How long a silent kiosk is remembered: over a week-end with a bank holiday. Workers forget it after the horizon."""


@dataclass(frozen=True, slots=True)
class Recording:
    """One recording rule: a series, its expression, and labels that the rule adds."""

    series: Recorded
    expr: str
    labels: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Group:
    """Recording rules that are evaluated one after the other."""

    name: str
    rules: tuple[Recording, ...]


def groups(registry: Registry) -> tuple[Group, ...]:
    """All recording rules of a network."""
    figures = (*_facts(), *_levels(), *_waiting(), *_promise(), *_budget(registry))
    return Group("attente-counters", tuple(_counters())), Group("attente-figures", figures)


def _counters() -> Iterator[Recording]:
    for series in recorded.TRUTHS:
        served = PREFIX + series.name.removeprefix(recorded.RECORDED_PREFIX)
        yield Recording(series, f"max by ({series.by}) ({served})")
    refused = catalogue.EVENTS_REFUSED
    # Summed over the sources first: a source is there from its first refusal on, and increase() would not see that.
    yield Recording(
        recorded.EVENTS_REFUSED, f"max by ({recorded.EVENTS_REFUSED.by}) (sum without (source) ({refused.full_name}))"
    )
    of_kiosks = f'max by (partition, source, reason) ({refused.full_name}{{source!=""}})'
    yield Recording(recorded.SOURCE_REFUSED, f"sum by ({recorded.SOURCE_REFUSED.by}) ({of_kiosks})")


def _facts() -> Iterator[Recording]:
    for series, metric in (
        (recorded.OFFICE_INFO, catalogue.OFFICE_INFO),
        (recorded.NORM_INFO, catalogue.NORM_INFO),
    ):
        # Two workers with two registries have two sets of facts; of any office or norm one set alone must join.
        yield Recording(series, f"topk by ({series.labels[0]}) (1, {_by(metric, series)})")
    yield Recording(recorded.NORM_THRESHOLD, truth(catalogue.NORM_THRESHOLD))
    yield Recording(recorded.NORM_TARGET, truth(catalogue.NORM_TARGET))


def _by(metric: Metric, series: Recorded) -> str:
    return f"max by ({series.by}) ({metric.full_name})"


# ---- service levels

_LEVELS: Final = (
    (recorded.SERVICE_LEVEL, recorded.READINGS),
    (recorded.REGION_SERVICE_LEVEL, recorded.REGION_READINGS),
    (recorded.NETWORK_SERVICE_LEVEL, recorded.NETWORK_READINGS),
)
_WITHIN: Final = 'outcome="answered",within="within"'
_LEFT_WITHIN: Final = 'outcome="left",within="within"'


def _levels() -> Iterator[Recording]:
    yield Recording(recorded.READINGS, placed(truth(catalogue.WINDOW_READINGS)))
    # Sums of sums: each of the twelve levels of a region would otherwise go through the counts of all offices again.
    for whole, part in (
        (recorded.REGION_READINGS, recorded.READINGS),
        (recorded.NETWORK_READINGS, recorded.REGION_READINGS),
    ):
        yield Recording(whole, f"sum by ({whole.by}) ({part.name})")
    for series, readings in _LEVELS:
        by = ", ".join(label for label in series.labels if label != "left")
        for left, (kept, counted) in _formulas(by, readings).items():
            yield Recording(series, f"{kept} / ({counted} > 0)", {"left": left.value})


def _formulas(by: str, readings: Recorded) -> dict[Left, tuple[str, str]]:
    """What each service level divides by what (docs/definitions.md), of sums by some labels."""

    def total(matchers: str = "") -> str:
        return f"sum by ({by}) ({readings.name}{f'{{{matchers}}}' if matchers else ''})"

    return {
        Left.CREDITED: (total('within="within"'), total()),
        Left.EXCLUDED: (total(_WITHIN), total('outcome="answered"')),
        Left.FAILED: (total(_WITHIN), total()),
        Left.IGNORED: (total(_WITHIN), f"({total()} - {total(_LEFT_WITHIN)})"),
    }


# ---- who waits now


def _waiting() -> Iterator[Recording]:
    now = truth(catalogue.AS_OF)
    by_its_hours = f"{truth(catalogue.SCHEDULED_OPEN)} * on (office) ({truth(catalogue.OPEN_DESKS)} > bool 0)"
    said = truth(catalogue.OFFICE_OPEN)
    opened = f"clamp_max({said} + on (office) (({by_its_hours}) or {said} * 0), 1)"
    yield Recording(recorded.OFFICE_OPEN, placed(opened))
    yield Recording(
        recorded.KIOSK_HEARD,
        f"{truth(catalogue.KIOSK_HEARD)} or ({recorded.KIOSK_HEARD.name} > time() - {REMEMBERED_S})",
    )
    yield Recording(
        recorded.LONGEST_WAIT,
        placed(f"clamp_min({now} - on (office) group_right () {truth(catalogue.WAITING_SINCE)}, 0)"),
    )
    yield Recording(recorded.WAITING, placed(f"sum by (office) ({truth(catalogue.WAITING)})"))
    yield Recording(recorded.WAITING_BEYOND, placed(f"sum by (office, norm) ({truth(catalogue.NORM_WAITING_BEYOND)})"))
    # The gauge of who waits beyond a norm is there for each service for which the norm holds, at 0 too.
    holds = f"{truth(catalogue.NORM_WAITING_BEYOND)} * 0 + 1"
    yield Recording(
        recorded.OFFICE_TROUBLE,
        f"max by ({recorded.OFFICE_TROUBLE.by}) ("
        f"({holds}) * on (office, service) group_left (region) {recorded.LONGEST_WAIT.name}"
        f" / on (norm) group_left () {recorded.NORM_THRESHOLD.name}"
        f") or {recorded.WAITING.name} * 0",
    )


# ---- the promise


def _promise() -> Iterator[Recording]:
    visits, failures = recorded.PROMISE_VISITS, recorded.PROMISE_FAILURES
    yield Recording(visits, _promised(visits, _COUNTED))
    yield Recording(failures, _promised(failures, _BROKEN))
    for series in (recorded.PROMISE_LEVEL, recorded.REGION_PROMISE_LEVEL, recorded.NETWORK_PROMISE_LEVEL):
        broken, counted = (f"sum by ({series.by}) ({each.name})" for each in (failures, visits))
        # One division of whole numbers: a level that is just the target is then the same number as the target.
        yield Recording(series, f"({counted} - {broken}) / ({counted} > 0)")


_COUNTED: Final = {
    'outcome="answered"': "",
    'outcome="left",within="beyond"': f'left!="{Left.EXCLUDED}"',
    'outcome="left",within="within"': f'left=~"{Left.CREDITED}|{Left.FAILED}"',
}
"""Which readings the promise counts, and under which norms: `left` is what the norm says of those who left."""

_BROKEN: Final = {
    'outcome="answered",within="beyond"': "",
    'outcome="left",within="beyond"': f'left!="{Left.EXCLUDED}"',
    'outcome="left",within="within"': f'left="{Left.FAILED}"',
}
"""Which of them break it."""


def _promised(series: Recorded, parts: dict[str, str]) -> str:
    """A sum over the readings of the norm's own `per`, and over who waits beyond the norm now where it counts them.

    What it counts of whom is joined by the facts of the norm that is in force, so that a norm that changes over night
    is read under its new definition without new rules. Who waits now is a reading of now, and not of a month.
    """
    read = [
        f"({recorded.READINGS.name}{{{matchers}}}"
        f" and on (norm, per) {recorded.NORM_INFO.name}{f'{{{norms}}}' if norms else ''})"
        for matchers, norms in parts.items()
    ]
    still = [
        f'(label_replace({recorded.WAITING_BEYOND.name}, "window", "{window}", "", "")'
        f' and on (norm) {recorded.NORM_INFO.name}{{still_waiting="failed_if_over"}})'
        for window in ("hour", "day")
    ]
    return f"sum by ({series.by}) ({' or '.join((*read, *still))})"


# ---- the budget


def _budget(registry: Registry) -> Iterator[Recording]:
    allowed = f"(1 - {recorded.NORM_TARGET.name})"
    share = f"{recorded.PROMISE_FAILURES.name} / ({recorded.PROMISE_VISITS.name} > 0)"
    yield Recording(recorded.BURN_RATE, f"{share} / on (norm) group_left () {allowed}")
    # The business month begins at the cut-over; Prometheus counts days in UTC, so the share is exact to a day.
    day = f"({truth(catalogue.AS_OF)} - {number(registry.cut_over_min * 60)})"
    elapsed = f"(day_of_month({day}) / days_in_month({day}))"
    yield Recording(
        recorded.BUDGET_SPENT,
        f'sum by ({recorded.BUDGET_SPENT.by}) ({recorded.BURN_RATE.name}{{window="month"}})'
        f" * on (office) group_left () {elapsed}",
    )
    for factor in factors(registry):
        labels = {"norm": factor.norm} if factor.norm else {}
        yield Recording(recorded.BURN_FACTOR, factor.expr, {**labels, "window": factor.window})
