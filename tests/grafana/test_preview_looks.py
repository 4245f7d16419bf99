"""How fields look: units, thresholds, words for values, and overrides."""

from typing import Any

import pytest

from attente.grafana.preview.looks import Look
from grafana.preview_panels import defaults, override, panel

STEPS = [{"value": None, "color": "#0072B2"}, {"value": 1, "color": "#D55E00"}]


def look(name: str = "field", ref: str = "A", *, overrides: tuple[dict[str, Any], ...] = (), **settings: Any) -> Look:
    return Look.of(panel(fieldConfig=defaults(overrides, **settings)), name, ref)


@pytest.mark.parametrize(("value", "colour"), [(-5, "#0072B2"), (0.99, "#0072B2"), (1, "#D55E00"), (7, "#D55E00")])
def test_a_threshold_colours_the_values_from_it_on(value: float, colour: str) -> None:
    assert look(thresholds={"mode": "absolute", "steps": STEPS}, color={"mode": "thresholds"}).colour(value) == colour


def test_a_threshold_in_percent_is_of_the_range_of_the_field() -> None:
    steps = [{"value": None, "color": "#0072B2"}, {"value": 50, "color": "#D55E00"}]
    halved = look(thresholds={"mode": "percentage", "steps": steps}, min=0, max=200)
    assert (halved.colour(99), halved.colour(100)) == ("#0072B2", "#D55E00")


def test_a_fixed_colour_is_of_all_values() -> None:
    assert look(color={"mode": "fixed", "fixedColor": "red"}).colour(3) == "#C4162A"


@pytest.mark.parametrize(
    ("matcher", "option"), [("byName", "field"), ("byFrameRefID", "A"), ("byRegexp", "/^fie/"), ("byRegexp", "ld$")]
)
def test_an_override_holds_for_the_fields_that_it_names_only(matcher: str, option: str) -> None:
    changed = override(matcher, option, unit="s", custom__width=90, displayName="Wait")
    here, elsewhere = look(overrides=(changed,), unit="none"), look("other", "B", overrides=(changed,), unit="none")
    assert (here.unit, here.custom, here.name) == ("s", {"width": 90}, "Wait")
    assert (elsewhere.unit, elsewhere.custom, elsewhere.name) == ("none", {}, "")


@pytest.mark.parametrize(
    ("value", "words"),
    [(1.0, "Open"), (0, "Closed"), (7, "busy"), (2.5, "2.50"), ("fast-lane", "Fast"), ("lane", "lane"), (None, "–")],
)
def test_a_value_has_the_words_that_its_mapping_says(value: float | str | None, words: str) -> None:
    mappings = [
        {"type": "value", "options": {"1": {"text": "Open"}, "0": {"text": "Closed"}}},
        {"type": "range", "options": {"from": 5, "to": 9, "result": {"text": "busy"}}},
        {"type": "regex", "options": {"pattern": "^fast", "result": {"text": "Fast"}}},
    ]
    assert look(mappings=mappings, noValue="–").shown(value).text == words


def test_a_mapping_may_give_a_colour_and_leave_the_words() -> None:
    shown = look(mappings=[{"type": "value", "options": {"3": {"color": "#E69F00"}}}], unit="s").shown(3)
    assert (shown.text, shown.colour) == ("3 s", "#E69F00")
