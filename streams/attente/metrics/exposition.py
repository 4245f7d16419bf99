"""Families of metrics as text: Prometheus' format 0.0.4 and OpenMetrics 1.0.

prometheus_client writes the same bytes, and the tests hold these functions to them. It makes a dict of labels for every
sample, and validates and escapes every name and value anew, which takes eight times as long as this for text and twelve
times for OpenMetrics. It matters because the thread that renders shares the interpreter with the event loop.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from prometheus_client.metrics_core import Metric
from prometheus_client.samples import Sample
from prometheus_client.utils import floatToGoString

Families = Iterable[Metric]
Ids = dict[str, str]
"""The labels that say whose a sample is."""

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")

number: Callable[[float], str] = floatToGoString
"""A value as Prometheus writes it; integers up to 2^53 and milliseconds come back exactly."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What samples of one name have in common: the name, and the names of their labels beyond the ids."""

    name: str
    more: tuple[str, ...]


Point = tuple[Shape, Ids, tuple[str, ...], float]
"""A sample: its shape, whose it is, the values of its other labels, and its value. Owners share one dict of ids."""


class Family(Metric):
    """A family of points, which are made samples only for whoever asks for those."""

    def __init__(self, name: str, documentation: str, type_: str, unit: str, points: list[Point]) -> None:
        """Describes it, as prometheus_client does; `points` are those of one owner after those of another."""
        super().__init__(name, documentation, type_, unit)
        self.points = points

    @property
    def samples(self) -> list[Sample]:
        """The points, as prometheus_client has them."""
        return [
            Sample(shape.name, ids | dict(zip(shape.more, values, strict=True)), value)
            for shape, ids, values, value in self.points
        ]

    @samples.setter
    def samples(self, none: list[Sample]) -> None:
        """Metric's own constructor begins with none."""


def text(families: Families) -> bytes:
    """The text format 0.0.4 of families whose samples bear no timestamps and no exemplars."""
    lines: list[str] = []
    writer = _Writer()
    for family in families:
        name, kind = family.name, family.type
        if kind == "counter":
            name += "_total"
        elif kind == "info":
            name, kind = f"{name}_info", "gauge"
        escaped = family.documentation.replace("\\", r"\\").replace("\n", r"\n")
        lines.append(f"# HELP {name} {escaped}\n# TYPE {name} {kind}\n")
        lines.extend(writer.lines(family))
    return "".join(lines).encode()


def openmetrics(families: Families) -> bytes:
    """OpenMetrics 1.0 of families whose samples bear no timestamps and no exemplars."""
    lines: list[str] = []
    writer = _Writer()
    for family in families:
        lines.append(f"# HELP {family.name} {_escape(family.documentation)}\n# TYPE {family.name} {family.type}\n")
        if family.unit:
            lines.append(f"# UNIT {family.name} {family.unit}\n")
        lines.extend(writer.lines(family))
    lines.append("# EOF\n")
    return "".join(lines).encode()


class _Writer:
    """Writes the lines of samples, and remembers for one page what comes again and again."""

    def __init__(self) -> None:
        self._numbers = _Remembered(number)
        self._labels = _Remembered(_Labels)

    def lines(self, family: Metric) -> Iterator[str]:
        return self._of_points(family.points) if isinstance(family, Family) else self._of_samples(family.samples)

    def _of_points(self, points: Iterable[Point]) -> Iterator[str]:
        numbers = self._numbers
        last_shape: Shape | None = None
        last_ids: Ids | None = None
        for shape, ids, values, value in points:
            if shape is not last_shape:
                last_shape, last_ids = shape, None
                name, labels = shape.name, self._labels[shape.more]
                escaped = labels.escaped
            if ids is not last_ids:
                last_ids, template = ids, labels.template(ids)
            yield f"{name}{template % escaped[values]} {numbers[value]}\n"

    def _of_samples(self, samples: Iterable[Sample]) -> Iterator[str]:
        for sample in samples:
            labels = self._labels[()].template(sample.labels)
            yield f"{sample.name}{labels % ()} {self._numbers[sample.value]}\n"


class _Labels:
    """The labels of samples that have the same ones beyond their ids.

    Attributes:
        escaped: what goes into the places of a template, by the values as the points have them.
    """

    def __init__(self, more: tuple[str, ...]) -> None:
        order = sorted(range(len(more)), key=more.__getitem__)
        self.escaped = _Remembered[tuple[str, ...], tuple[str, ...]](
            lambda values: tuple([_escape(values[i]) for i in order])
        )
        self._more = more
        self._templates: dict[
            int, tuple[Ids, str]
        ] = {}  # with the ids themselves, or another's could be at their place

    def template(self, ids: Ids) -> str:
        """Labels sorted by name, as prometheus_client does, with places for the values of those beyond the ids."""
        found = self._templates.get(id(ids))
        if found is None:
            known = {name: _escape(value).replace("%", "%%") for name, value in ids.items()}
            labels = ",".join(f'{name}="{known.get(name, "%s")}"' for name in sorted((*ids, *self._more)))
            found = self._templates[id(ids)] = ids, f"{{{labels}}}" if labels else ""
        return found[1]


class _Remembered(dict[_Key, _Value]):
    """Calls `work` once for every key."""

    def __init__(self, work: Callable[[_Key], _Value]) -> None:
        super().__init__()
        self._work = work

    def __missing__(self, key: _Key) -> _Value:
        self[key] = result = self._work(key)
        return result


def _escape(value: str) -> str:
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
