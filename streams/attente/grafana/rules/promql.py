"""Pieces of PromQL that several rules need, put so that no state of the network makes a rule fail.

What a worker shows is read as `max by (…)`: two workers may show one office for a scrape while it moves from one to the
other, and two may hold two registries. Of an operator that joins, the side that must have one series for each group
always is such an aggregation, or a recorded series that is one; `and`, `or` and `unless` never fail.
"""

from typing import Final

from attente.grafana import recorded
from attente.metrics.metric import Metric

JOB: Final = "attente"
"""The name that the workers' job has in Prometheus' configuration."""


def truth(metric: Metric, matchers: str = "") -> str:
    """A worker's metric once for the network, by all of its labels."""
    names = ", ".join(label.name for label in metric.labels)
    return f"max by ({names}) ({metric.full_name}{f'{{{matchers}}}' if matchers else ''})"


def placed(expr: str, *also: str) -> str:
    """Gives what bears an office its region, and whatever else of the office's facts is named."""
    return f"{expr} * on (office) group_left ({', '.join(('region', *also))}) {recorded.OFFICE_INFO.name}"


def seconds(value: int) -> str:
    """A duration as Prometheus writes it, in the coarsest unit of d, h, m and s that is exact."""
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if value and value % size == 0:
            return f"{value // size}{unit}"
    return f"{value}s"


def number(value: float) -> str:
    """A number as PromQL writes it, without a fraction where it has none."""
    return str(int(value)) if float(value).is_integer() else repr(float(value))
