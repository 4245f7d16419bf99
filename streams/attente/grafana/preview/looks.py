"""How a panel shows a field: what it says of all its fields, and in overrides of some."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self

from attente.grafana.preview.units import written

PALETTE: Final = (
    "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#8B6D00", "#6A3D9A", "#1B7837", "#A6361C",
    "#7F7F7F", "#3B5BA9",
)  # fmt: skip
"""For series that no panel gives a colour: those of Okabe and Ito first, so that anybody tells a few series apart."""

NAMED: Final = {
    "green": "#1A7F37", "red": "#C4162A", "yellow": "#C79100", "orange": "#D9690B", "blue": "#1F60C4",
    "purple": "#8F3BB8", "text": "#24292E", "transparent": "transparent", "semi-dark-green": "#37872D",
    "semi-dark-red": "#C4162A", "semi-dark-orange": "#E0752D", "dark-red": "#AD0317", "dark-green": "#19730E",
}  # fmt: skip
"""What Grafana's names of colours are on a light ground."""

PLAIN: Final = "#24292E"


def colour_of(name: str) -> str:
    """A colour as a page writes it."""
    return NAMED.get(name, name)


@dataclass(frozen=True, slots=True)
class Step:
    """A threshold: from `start` on (None from the beginning) the colour."""

    start: float | None
    colour: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A value as it is shown: its words, and the colour that a mapping gives it, or ""."""

    text: str
    colour: str = ""


@dataclass(frozen=True, slots=True)
class Look:
    """How a field is shown.

    Attributes:
        unit, decimals: see `units.written`.
        name: in place of the field's own; "" for none.
        empty: what stands where there is no value.
        least, most: of axes and bars; None is as the values are.
        colour: Grafana's mode and its fixed colour.
        steps: thresholds, ascending.
        mappings: words for values, as Grafana has them.
        custom: what only some types of panels have.
        has_link: whether a value leads somewhere.
    """

    unit: str = ""
    decimals: int | None = None
    name: str = ""
    empty: str = ""
    least: float | None = None
    most: float | None = None
    colour_mode: str = ""
    fixed_colour: str = ""
    steps: tuple[Step, ...] = ()
    mappings: tuple[Mapping[str, Any], ...] = ()
    custom: Mapping[str, Any] = field(default_factory=dict)
    has_link: bool = False
    steps_are_shares: bool = False

    @classmethod
    def of(cls, panel: Mapping[str, Any], name: str, ref: str = "") -> Self:
        """The look of a field.

        Args:
            panel: its JSON.
            name: of the field, as people see it.
            ref: of the query that it comes from.
        """
        config = panel.get("fieldConfig", {})
        settings = dict(config.get("defaults", {}))
        settings["custom"] = dict(settings.get("custom") or {})
        for override in config.get("overrides", []):
            if _matches(override["matcher"], name, ref):
                for each in override["properties"]:
                    _set(settings, each["id"], each.get("value"))
        colour = settings.get("color") or {}
        thresholds = settings.get("thresholds") or {}
        return cls(
            unit=settings.get("unit") or "",
            decimals=None if settings.get("decimals") is None else int(settings["decimals"]),
            name=settings.get("displayName") or "",
            empty=settings.get("noValue") or "",
            least=settings.get("min"),
            most=settings.get("max"),
            colour_mode=colour.get("mode") or "",
            fixed_colour=colour_of(colour.get("fixedColor") or ""),
            steps=tuple(Step(step.get("value"), colour_of(step["color"])) for step in thresholds.get("steps") or ()),
            mappings=tuple(settings.get("mappings") or ()),
            custom=settings["custom"],
            has_link=bool(settings.get("links")),
            steps_are_shares=thresholds.get("mode") == "percentage",
        )

    def shown(self, value: float | str | None) -> Shown:
        """A value in words."""
        mapped = self._mapped(value)
        if mapped is not None and (mapped.text or mapped.colour):
            return Shown(mapped.text or self._written(value), mapped.colour)
        return Shown(self._written(value))

    def colour(self, value: float | None) -> str:
        """What a value is coloured with by itself; "" where its look has no colour for values."""
        if value is None:
            return ""
        if self.colour_mode in {"thresholds", ""} or self.colour_mode.startswith("continuous"):
            return self.level(value)
        return self.fixed_colour

    def level(self, value: float) -> str:
        """The colour of the thresholds at a value."""
        found = ""
        for step in self.steps:
            start = step.start
            if start is not None and self.steps_are_shares:
                least, most = self.least or 0.0, 100.0 if self.most is None else self.most
                start = least + (most - least) * start / 100
            if start is None or value >= start:
                found = step.colour
        return found

    def _written(self, value: float | str | None) -> str:
        if value is None:
            return self.empty
        return value if isinstance(value, str) else written(value, self.unit, self.decimals)

    def _mapped(self, value: float | str | None) -> Shown | None:
        for mapping in self.mappings:
            options = mapping["options"]
            if mapping["type"] == "value":
                key = f"{value:g}" if isinstance(value, float | int) else str(value)
                result = options.get(key)
            elif mapping["type"] == "range" and isinstance(value, float | int):
                low, high = options.get("from"), options.get("to")
                inside = (low is None or value >= low) and (high is None or value <= high)
                result = options["result"] if inside else None
            elif mapping["type"] == "regex" and isinstance(value, str):
                result = options["result"] if re.search(options["pattern"].strip("/"), value) else None
            elif mapping["type"] == "special":
                is_null = value is None and options["match"] in {"null", "null+nan"}
                result = options["result"] if is_null else None
            else:
                result = None
            if result is not None:
                return Shown(result.get("text") or "", colour_of(result.get("color") or ""))
        return None


def _matches(matcher: Mapping[str, Any], name: str, ref: str) -> bool:
    kind, option = matcher["id"], matcher.get("options")
    if kind == "byName":
        return bool(option == name)
    if kind == "byFrameRefID":
        return bool(option == ref)
    if kind == "byRegexp":
        return re.search(str(option).strip("/"), name) is not None
    return False


def _set(settings: dict[str, Any], name: str, value: object) -> None:
    if name.startswith("custom."):
        settings["custom"][name.removeprefix("custom.")] = value
    else:
        settings[name] = value
