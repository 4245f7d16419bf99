"""The variables of a dashboard: their values as Grafana finds them, and queries with the values in place."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from attente.errors import BadInput
from attente.grafana.preview.prometheus import Prometheus

ALL: Final = "$__all"
"""How a dashboard writes that all values of a variable are chosen."""

_LABEL_VALUES: Final = re.compile(
    r"^\s*label_values\(\s*(?:(?P<selector>.+?)\s*,\s*)?(?P<label>[A-Za-z_]\w*)\s*\)\s*$", re.DOTALL
)
_QUERY_RESULT: Final = re.compile(r"^\s*query_result\((?P<query>.+)\)\s*$", re.DOTALL)
# $name, ${name}, ${name:format} and [[name]]; a name never begins with a digit, so `$1` of label_replace stays.
_PLACE: Final = re.compile(
    r"\$(?P<plain>[A-Za-z_]\w*)|\$\{(?P<braced>[A-Za-z_]\w*)(?::(?P<form>\w+))?\}|\[\[(?P<old>\w+)\]\]"
)
_REGEX_SIGNS: Final = re.compile(r"[\\^$*+?.()|[\]{}]")
_STEPS_S: Final = (1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1200, 1800, 3600, 7200, 10800, 21600, 43200, 86400)


@dataclass(frozen=True, slots=True)
class Times:
    """What a dashboard looks at.

    Attributes:
        begin_s, end_s: from when to when, in Unix seconds.
        scrape_s: how often Prometheus scrapes, as the data source says.
        points: how many points a graph has room for.
    """

    begin_s: float
    end_s: float
    scrape_s: float = 15.0
    points: int = 240

    @property
    def range_s(self) -> float:
        """How long that is."""
        return self.end_s - self.begin_s

    def step_s(self, least_s: float = 0.0) -> float:
        """`$__interval`: between two points, as Grafana rounds it, and never less than the scrapes lie apart."""
        wanted = self.range_s / self.points
        rounded = next((step for step in _STEPS_S if step >= wanted), _STEPS_S[-1])
        return max(rounded, least_s, self.scrape_s)

    def rate_s(self, step_s: float) -> float:
        """`$__rate_interval`: long enough that a rate always finds two points in it."""
        return max(step_s + self.scrape_s, 4 * self.scrape_s)


@dataclass(frozen=True, slots=True)
class Value:
    """What a variable is.

    Attributes:
        chosen: its values; several, or of a query all that there are.
        text: for people.
        is_multi: whether it may have several, so that it is written as a regular expression.
        all_value: what stands for all of them in a query, if the dashboard says so.
        is_all: whether all are chosen.
    """

    chosen: tuple[str, ...]
    text: str
    is_multi: bool = False
    all_value: str = ""
    is_all: bool = False

    def written(self, form: str = "") -> str:
        """As it stands in a query.

        Args:
            form: the format that the query asks for; "" is what suits Prometheus.
        """
        if self.is_all and self.all_value:
            return self.all_value
        if form == "raw":
            return ",".join(self.chosen)
        if form == "pipe":
            return "|".join(self.chosen)
        if form == "text":
            return self.text
        if self.is_multi or form == "regex":
            escaped = [_REGEX_SIGNS.sub(lambda sign: "\\\\" + sign[0], value) for value in self.chosen]
            return escaped[0] if len(escaped) == 1 else f"({'|'.join(escaped)})"
        return self.chosen[0].replace("\\", "\\\\").replace('"', '\\"') if self.chosen else ""


Values = Mapping[str, Value]


def seconds(text: str) -> float:
    """How long a duration of Prometheus is; 0 where it is none.

    >>> seconds("1m30s")
    90.0
    """
    units = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800, "y": 31_536_000}
    return float(sum(int(n) * units[unit] for n, unit in re.findall(r"(\d+)(ms|[smhdwy])", text)))


def duration(of_s: float) -> str:
    """A length of time as Prometheus writes it."""
    return f"{of_s:.0f}s" if of_s == int(of_s) else f"{of_s * 1000:.0f}ms"


def interval_values(times: Times, step_s: float) -> dict[str, Value]:
    """The variables that Grafana has by itself."""
    known = {
        "__interval": duration(step_s),
        "__interval_ms": f"{step_s * 1000:.0f}",
        "__rate_interval": duration(times.rate_s(step_s)),
        "__range": duration(times.range_s),
        "__range_s": f"{times.range_s:.0f}",
        "__range_ms": f"{times.range_s * 1000:.0f}",
        "__from": f"{times.begin_s * 1000:.0f}",
        "__to": f"{times.end_s * 1000:.0f}",
    }
    return {name: Value((text,), text) for name, text in known.items()}


def filled(text: str, values: Values) -> str:
    """A text with every variable's value in its place.

    Raises:
        BadInput: it names one that there is not.
    """

    def value(place: re.Match[str]) -> str:
        name = place["plain"] or place["braced"] or place["old"]
        if name not in values:
            msg = f"the variable ${name} in {text!r} is none of the dashboard's ({', '.join(sorted(values))})"
            raise BadInput(msg)
        return values[name].written(place["form"] or "")

    return _PLACE.sub(value, text)


def resolve(
    dashboard: Mapping[str, Any], prometheus: Prometheus, times: Times, given: Mapping[str, Sequence[str]] | None = None
) -> dict[str, Value]:
    """The value of every variable of a dashboard, each with those before it in place.

    Args:
        dashboard: its JSON.
        prometheus: where the values of queries come from.
        times: from when to when values are looked for.
        given: what is chosen by name, in place of what the dashboard chooses.

    Raises:
        BadInput: a value that is given does not exist, or the query of a variable is not understood.
        Unreachable: Prometheus does not answer.
    """
    values: dict[str, Value] = {}
    for variable in dashboard.get("templating", {}).get("list", []):
        name = variable["name"]
        within = {**values, **interval_values(times, times.step_s())}
        options = _options(variable, within, prometheus, times)
        values[name] = _chosen(variable, options, tuple((given or {}).get(name, ())))
    unknown = sorted(set(given or {}) - set(values))
    if unknown and given is not None:
        msg = f"--var {unknown[0]}: {dashboard['title']!r} has no such variable; it has {', '.join(values) or 'none'}"
        raise BadInput(msg)
    return values


def _options(variable: Mapping[str, Any], values: Values, prometheus: Prometheus, times: Times) -> list[str]:
    kind = variable["type"]
    if kind == "datasource":
        return ["prometheus"]
    if kind in {"custom", "interval"}:
        text = variable["query"]
        return [part.strip().rpartition(" : ")[2] for part in re.split(r"(?<!\\),", text) if part.strip()]
    if kind in {"constant", "textbox"}:
        return [variable.get("query", "")]
    if kind != "query":
        msg = f"the variable {variable['name']} is of the type {kind!r}, which a preview does not know"
        raise BadInput(msg)
    found = _asked(variable, values, prometheus, times)
    if pattern := variable.get("regex"):
        found = list(_matching(pattern, found))
    ordered = list(dict.fromkeys(found))
    sort: dict[int, Callable[[list[str]], list[str]]] = {
        1: sorted,
        2: lambda some: sorted(some, reverse=True),
        5: lambda some: sorted(some, key=str.casefold),
        6: lambda some: sorted(some, key=str.casefold, reverse=True),
    }
    return sort.get(variable.get("sort", 0), list)(ordered)


def _asked(variable: Mapping[str, Any], values: Values, prometheus: Prometheus, times: Times) -> list[str]:
    query = variable["query"]
    text = filled(query if isinstance(query, str) else query["query"], values)
    if found := _LABEL_VALUES.match(text):
        selector, label = found["selector"] or '{__name__!=""}', found["label"]
        rows = prometheus.series(selector, times.begin_s, times.end_s)
        return sorted({row[label] for row in rows if label in row})
    if found := _QUERY_RESULT.match(text):
        return [_as_text(series.labels, series.last) for series in prometheus.instant(found["query"], times.end_s)]
    msg = f"the variable {variable['name']} asks {text!r}; a preview knows label_values and query_result"
    raise BadInput(msg)


def _as_text(labels: Mapping[str, str], value: float) -> str:
    inside = ",".join(f'{name}="{text}"' for name, text in labels.items() if name != "__name__")
    return f"{labels.get('__name__', '')}{{{inside}}} {value:g}"


def _matching(pattern: str, found: Iterable[str]) -> Iterable[str]:
    expression = re.compile(re.sub(r"\(\?<(?=[A-Za-z])", "(?P<", pattern.strip("/")))
    for text in found:
        if match := expression.search(text):
            groups = match.groupdict()
            yield groups.get("value") or groups.get("text") or next(iter(match.groups()), None) or match[0]


def _chosen(variable: Mapping[str, Any], options: list[str], given: tuple[str, ...]) -> Value:
    name, multi = variable["name"], bool(variable.get("multi"))
    all_value = variable.get("allValue") or ""
    if missing := [value for value in given if value not in options]:
        msg = f"--var {name}={missing[0]}: there is no such value; there are {', '.join(options[:20]) or 'none'}"
        raise BadInput(msg)
    if given:
        return Value(given if multi else given[:1], ", ".join(given), multi)
    current = (variable.get("current") or {}).get("value")
    wanted = [current] if isinstance(current, str) else list(current or [])
    has_all = bool(variable.get("includeAll"))
    if has_all and (ALL in wanted or (not set(wanted) & set(options) and multi)):
        return Value(tuple(options), "All", is_multi=True, all_value=all_value, is_all=True)
    kept = tuple(value for value in wanted if value in options) or tuple(options[:1])
    return Value(kept, ", ".join(kept), multi)
