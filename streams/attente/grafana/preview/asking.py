"""What the panels of a dashboard ask, and what they are answered."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from attente.grafana.preview.prometheus import Prometheus, Series
from attente.grafana.preview.variables import Times, Values, filled, interval_values, seconds

QUERYLESS: Final = frozenset({"row", "text", "alertlist", "dashlist", "news"})
"""Types of panels that ask Prometheus nothing by a query of their own."""

_LABEL: Final = re.compile(r"\{\{\s*([^}]+?)\s*\}\}")


@dataclass(frozen=True, slots=True)
class Asked:
    """A query of a panel with the variables in place.

    Attributes:
        ref: its refId.
        promql: as Prometheus is asked.
        legend: the template of the names of its series; "" for none.
        form: time_series, table or heatmap.
        is_instant: whether it is asked for one instant, the end.
        step_s: between two points.
    """

    ref: str
    promql: str
    legend: str
    form: str
    is_instant: bool
    step_s: float


@dataclass(frozen=True, slots=True)
class Answer:
    """What a query was answered; series of a heat map ascend by their upper bound."""

    asked: Asked
    series: tuple[Series, ...]

    def name(self, series: Series) -> str:
        """What a series is called in the legend."""
        legend, labels = self.asked.legend, series.labels
        if legend and legend != "__auto":
            return _LABEL.sub(lambda place: labels.get(place[1], ""), legend)
        inside = ", ".join(f'{name}="{text}"' for name, text in sorted(labels.items()) if name != "__name__")
        own = labels.get("__name__", "")
        if legend == "__auto" and len(labels) == 1:
            return next(iter(labels.values()))
        return f"{own}{{{inside}}}" if inside else own or self.asked.ref


def panels_of(dashboard: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The panels of a dashboard in their order, those of a collapsed row too; the rows are among them."""
    for panel in dashboard.get("panels", []):
        yield panel
        yield from panel.get("panels") or ()


def queries(panel: Mapping[str, Any], values: Values, times: Times) -> list[Asked]:
    """What a panel asks.

    Raises:
        BadInput: a query names a variable that there is not.
    """
    if panel["type"] in QUERYLESS:
        return []
    found = []
    for target in panel.get("targets") or ():
        if target.get("hide"):
            continue
        least = seconds(filled(target.get("interval") or panel.get("interval") or "", values))
        points = panel.get("maxDataPoints")
        looked = times if points is None else Times(times.begin_s, times.end_s, times.scrape_s, int(points))
        step_s = looked.step_s(least)
        within = {**values, **interval_values(looked, step_s)}
        promql = filled(target["expr"], within)
        form = target.get("format") or "time_series"
        is_instant = bool(target.get("instant")) and not target.get("range")
        found.append(Asked(target["refId"], promql, target.get("legendFormat") or "", form, is_instant, step_s))
    return found


def ask(asked: Asked, prometheus: Prometheus, times: Times) -> Answer:
    """Ask.

    Raises:
        QueryRefused: Prometheus refuses the query.
        Unreachable: it does not answer.
    """
    if asked.is_instant:
        found = prometheus.instant(asked.promql, times.end_s)
    else:
        # Grafana asks on multiples of the step, so that a graph does not change its shape with every second.
        begin = times.begin_s // asked.step_s * asked.step_s
        found = prometheus.range(asked.promql, begin, times.end_s, asked.step_s)
    if asked.form == "heatmap":
        found.sort(key=lambda series: float(series.labels.get("le", "+Inf")))
    return Answer(asked, tuple(found))
