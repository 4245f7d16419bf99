"""What Alertmanager makes of a generated configuration: a plain reading of its routes and of its time intervals.

`amtool` says which receiver an alert has, but not in which route it ends, and nothing of times. Where both can speak
they are held against each other (test_alertmanager.py).
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import yaml

DAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
MATCHER = re.compile(r'(\w+)(=|!=)"((?:[^"\\]|\\.)*)"')
ESCAPE = re.compile(r"\\(.)")

Labels = dict[str, str]


@dataclass(frozen=True)
class Ended:
    """Where an alert ends: its receiver, and what the last route says of times."""

    receiver: str
    group_by: tuple[str, ...]
    active: tuple[str, ...]
    mute: tuple[str, ...]


class Configuration:
    """A configuration as text, read again."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.parts: dict[str, Any] = yaml.safe_load(text)
        named = self.parts.get("time_intervals", [])
        self.intervals: dict[str, list[dict[str, Any]]] = {one["name"]: one["time_intervals"] for one in named}
        assert len(self.intervals) == len(named)

    def ends(self, labels: Labels) -> Ended:
        """The route in which an alert ends; receiver and grouping are handed down, time intervals are not."""
        route, receiver, group_by = self.parts["route"], "", ()
        while True:
            receiver = route.get("receiver", receiver)
            group_by = tuple(route.get("group_by", group_by))
            fitting = (one for one in route.get("routes", ()) if all(matches(m, labels) for m in one["matchers"]))
            child = next(fitting, None)
            if child is None:
                times = (tuple(route.get(f"{key}_time_intervals", ())) for key in ("active", "mute"))
                return Ended(receiver, group_by, *times)
            route = child

    def is_told(self, ended: Ended, at: float) -> bool:
        """Whether what ends there is told at an instant, in seconds since 1970."""

        def within(names: tuple[str, ...]) -> bool:
            return any(contains(entry, at) for name in names for entry in self.intervals[name])

        return (not ended.active or within(ended.active)) and not within(ended.mute)

    def inhibits(self, source: Labels, target: Labels) -> bool:
        """Whether one alert silences another."""
        return any(
            fits(rule["source_matchers"], source)
            and fits(rule["target_matchers"], target)
            and all(source.get(name, "") == target.get(name, "") for name in rule.get("equal", ()))
            # Of two that are both, neither silences the other.
            and not (fits(rule["target_matchers"], source) and fits(rule["source_matchers"], target))
            for rule in self.parts["inhibit_rules"]
        )


def fits(matchers: list[str], labels: Labels) -> bool:
    return all(matches(one, labels) for one in matchers)


def matches(matcher: str, labels: Labels) -> bool:
    """Whether one matcher fits; a label that is absent is empty."""
    found = MATCHER.fullmatch(matcher)
    assert found is not None, matcher
    name, sign, value = found.groups()
    return (labels.get(name, "") == ESCAPE.sub(r"\1", value)) is (sign == "=")


def contains(entry: dict[str, Any], at: float) -> bool:
    """Whether one entry of a time interval holds at an instant, as Alertmanager's documentation has it.

    Every condition that is there must hold, of each at least one of its ranges; times are half open, the others
    include both ends; all of it by the clock of the location.
    """
    shows = datetime.fromtimestamp(at, ZoneInfo(entry["location"]))
    minute = shows.hour * 60 + shows.minute
    checks = [
        any(minutes(one["start_time"]) <= minute < minutes(one["end_time"]) for one in entry["times"]),
        "weekdays" not in entry or DAYS[shows.isoweekday() % 7] in entry["weekdays"],
        *(
            any(low <= value <= high for low, high in map(bounds, entry[key]))
            for key, value in (("days_of_month", shows.day), ("months", shows.month), ("years", shows.year))
            if key in entry
        ),
    ]
    assert entry.keys() <= {"times", "weekdays", "days_of_month", "months", "years", "location"}
    return all(checks)


def minutes(time: str) -> int:
    hour, _, minute = time.partition(":")
    return int(hour) * 60 + int(minute)


def bounds(values: str) -> tuple[int, int]:
    first, _, last = values.partition(":")
    return int(first), int(last or first)
