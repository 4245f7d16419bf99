"""What a query of a board must keep to: it parses, knows its names, and counts nothing twice."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any, Final, NamedTuple

import promql_parser as promql

from attente.grafana.panels import RATE, SHOWN
from attente.grafana.vocabulary import Known
from attente.metrics.metric import BUSINESS

# Lengths that nobody writes: after parsing they tell which of Grafana's windows stood there.
_WINDOWS: Final = {RATE: "7m13s", SHOWN: "2h46m41s"}
_WINDOW_S: Final = {promql.parse_duration(length) for length in _WINDOWS.values()}
_COUNTERS_ONLY: Final = frozenset({"rate", "increase", "irate"})
_FILTERS: Final = frozenset({"==", "!=", ">", "<", ">=", "<=", "and", "or", "unless"})
_CHOICES: Final = frozenset({"topk", "bottomk"})
VARIABLE: Final = re.compile(r"\$(?:\{(\w+)(?::\w+)?\}|(\w+))")
LEGEND_LABEL: Final = re.compile(r"\{\{\s*(\w+)\s*\}\}")

Vocabulary = Mapping[str, Known]


def variables_in(expr: str) -> set[str]:
    """The names of Grafana's variables in a text."""
    return {braced or plain for braced, plain in VARIABLE.findall(expr)}


def filled(expr: str) -> str:
    """A query as Prometheus could get it, with a word for every variable."""
    for window, length in _WINDOWS.items():
        expr = expr.replace(window, length)
    # `$1` of label_replace begins with a digit and is none of Grafana's.
    return VARIABLE.sub(lambda found: found[0] if (found[1] or found[2])[0].isdigit() else "x", expr)


def names_in(expr: str) -> set[str]:
    """The names of all series of a query.

    Raises:
        ValueError: it does not parse.
    """
    return {one.name for one in _selectors(_nodes(expr))}


def faults(expr: str, known: Vocabulary) -> Iterator[tuple[str, str]]:
    """What is wrong with a query, each as the name of the rule and what to do.

    Args:
        expr: the query, with Grafana's variables.
        known: the names that there are.
    """
    try:
        nodes = _nodes(expr)
    except ValueError as error:
        yield "promql", f"does not parse: {' '.join(str(error).split())}: {expr}"
        return
    yield from _names(nodes, known)
    yield from _labels(nodes, known)
    yield from _windows(nodes, known)
    yield from _doubles(nodes, known)


def labels_of(expr: str, known: Vocabulary) -> set[str]:
    """The labels that can occur in a query: those of its series, and those that it makes itself.

    Raises:
        ValueError: it does not parse.
    """
    return _borne(_nodes(expr), known)


def keeps_name(expr: str) -> bool:
    """Whether what a query gives still bears the name of its series, which a table shows as a column.

    Raises:
        ValueError: it does not parse.
    """
    return _keeps_name(promql.parse(filled(expr)))


def _keeps_name(node: promql.Expr) -> bool:
    if isinstance(node, promql.VectorSelector):
        return True
    if isinstance(node, promql.ParenExpr):
        return _keeps_name(node.expr)
    if isinstance(node, promql.BinaryExpr):
        op = str(node.op)
        is_filter = op in _FILTERS and not (node.modifier is not None and node.modifier.return_bool)
        return (is_filter and _keeps_name(node.lhs)) or (op == "or" and _keeps_name(node.rhs))
    if isinstance(node, promql.AggregateExpr):
        return str(node.op) in _CHOICES and _keeps_name(node.expr)
    return False


@cache
def _nodes(expr: str) -> tuple[Any, ...]:
    """Every node of a query. Several rules look at one, and boards ask the same things."""
    return _walked(promql.parse(filled(expr)))


def _walked(tree: promql.Expr) -> tuple[Any, ...]:
    found: list[Any] = []
    promql.walk(tree, pre_visit=found.append)
    return tuple(found)


class _Selector(NamedTuple):
    """A series that a query selects: its name, the labels that it matches, and all of it as text."""

    name: str
    matched: tuple[str, ...]
    text: str


def _selectors(nodes: Iterable[Any]) -> Iterator[_Selector]:
    for node in nodes:
        if isinstance(node, promql.VectorSelector):
            matched = tuple(matcher.name for matcher in node.matchers.matchers)
            yield _Selector(node.name or "a series without a name", matched, str(node))


def _borne(nodes: Iterable[Any], known: Vocabulary) -> set[str]:
    borne = {label for one in _selectors(nodes) if one.name in known for label in known[one.name].labels}
    made = {call.args[1].val for call in nodes if isinstance(call, promql.Call) and call.func.name == "label_replace"}
    return borne | made


def _names(nodes: Iterable[Any], known: Vocabulary) -> Iterator[tuple[str, str]]:
    for one in _selectors(nodes):
        if one.name not in known:
            yield "metric", f"{one.name} is neither in the catalogue of metrics nor recorded"
        elif known[one.name].instead:
            yield "metric", f"{one.name} is a process's; use {known[one.name].instead}, which is the network's"


def _labels(nodes: Iterable[Any], known: Vocabulary) -> Iterator[tuple[str, str]]:
    for one in _selectors(nodes):
        for label in one.matched:
            if one.name in known and label not in known[one.name].labels:
                yield "label", f"{one.name} has no label {label}"
    borne = _borne(nodes, known)
    for name in sorted(_grouped(nodes) - borne):
        yield "label", f"no series of the query has the label {name}"


def _grouped(nodes: Iterable[Any]) -> set[str]:
    """The labels by which a query groups or joins."""
    grouped: set[str] = set()
    for node in nodes:
        modifier = getattr(node, "modifier", None)
        if isinstance(node, promql.AggregateExpr) and modifier is not None:
            grouped.update(modifier.labels)
        elif isinstance(node, promql.BinaryExpr) and modifier is not None:
            grouped.update(modifier.matching.labels if modifier.matching is not None else ())
            grouped.update(modifier.group_labels or ())
    return grouped


def _windows(nodes: Iterable[Any], known: Vocabulary) -> Iterator[tuple[str, str]]:
    for node in nodes:
        if isinstance(node, promql.MatrixSelector) and node.range not in _WINDOW_S:
            window = promql.display_duration(node.range)
            yield "window", f"{node.vector_selector.name}[{window}]: write {' or '.join(_WINDOWS)} for the window"
        if isinstance(node, promql.Call) and node.func.name in _COUNTERS_ONLY:
            for one in _selectors(_walked(node.args[0])):
                if one.name in known and not known[one.name].is_counter:
                    yield "rate", f"{node.func.name} of {one.name}, which is no counter"


def _doubles(nodes: Iterable[Any], known: Vocabulary) -> Iterator[tuple[str, str]]:
    """A worker's gauge of an office that would count twice while the office moves to another worker."""
    merged = Counter((str(node.expr), _labels_kept(node)) for node in nodes if isinstance(node, promql.AggregateExpr))
    for one in _selectors(nodes):
        metric = known[one.name].metric if one.name in known else None
        if metric is None or metric.group not in BUSINESS:
            continue
        own = [label.name for label in metric.labels]
        merge = (one.text, frozenset(own))
        merged[merge] -= 1
        if merged[merge] < 0:
            yield "twice", f"{one.name} is on two pages during a hand-over; read max by ({', '.join(own)}) of it"


def _labels_kept(node: promql.AggregateExpr) -> frozenset[str]:
    """The labels that a `max by` keeps; none of any other aggregation."""
    is_max_by = str(node.op) == "max" and node.modifier is not None and node.modifier.type == promql.AggModifierType.By
    return frozenset(node.modifier.labels) if is_max_by and node.modifier is not None else frozenset()
