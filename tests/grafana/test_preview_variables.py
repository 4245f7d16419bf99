"""Variables in queries, as Grafana puts them there."""

from typing import Any

import pytest

from attente.errors import BadInput
from attente.grafana.preview.prometheus import Prometheus
from attente.grafana.preview.variables import Times, Value, duration, filled, interval_values, resolve, seconds

NOWHERE = Prometheus("http://127.0.0.1:1")  # nothing here asks it


def board(*variables: dict[str, Any]) -> dict[str, Any]:
    return {"title": "A board", "templating": {"list": list(variables)}}


def custom(name: str, query: str, **more: Any) -> dict[str, Any]:
    return {"type": "custom", "name": name, "query": query, **more}


ONE = Value(("75-nation",), "75-nation")
MANY = Value(("a.b", "c|d"), "a.b, c|d", is_multi=True)
ALL = Value(("a", "b"), "All", is_multi=True, all_value=".*", is_all=True)


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ('x{office="$one"}', 'x{office="75-nation"}'),
        ('x{office=~"${many}"}', r'x{office=~"(a\\.b|c\\|d)"}'),
        ('x{office=~"$all"}', 'x{office=~".*"}'),
        ("[[one]] ${many:pipe} ${many:raw} ${many:text}", "75-nation a.b|c|d a.b,c|d a.b, c|d"),
        ('label_replace(x, "a", "$1", "b", "(.*)")', 'label_replace(x, "a", "$1", "b", "(.*)")'),
    ],
)
def test_a_variable_stands_in_a_query_as_prometheus_needs_it(query: str, told: str) -> None:
    assert filled(query, {"one": ONE, "many": MANY, "all": ALL}) == told


def test_one_of_several_needs_no_brackets() -> None:
    assert filled("$many", {"many": Value(("a.b",), "a.b", is_multi=True)}) == r"a\\.b"


def test_a_quote_in_a_value_does_not_end_the_string() -> None:
    assert filled('x{name="$name"}', {"name": Value(('a"b\\',), "")}) == 'x{name="a\\"b\\\\"}'


def test_a_query_that_names_no_variable_of_the_board_is_refused() -> None:
    with pytest.raises(BadInput, match=r"\$ofice"):
        filled('x{office="$ofice"}', {"office": ONE})


def test_a_rate_looks_back_over_four_scrapes_at_least() -> None:
    times = Times(0, 3_600, scrape_s=15, points=240)
    step_s = times.step_s()
    assert step_s == 15
    values = interval_values(times, step_s)
    assert filled("$__rate_interval $__interval $__range", values) == "60s 15s 3600s"


def test_a_rate_over_wide_steps_leaves_nothing_out_between_two_of_them() -> None:
    times = Times(0, 86_400, scrape_s=15, points=100)
    assert times.step_s() == 900
    assert times.rate_s(900) == 915


def test_a_panel_that_asks_for_wider_steps_gets_them() -> None:
    assert Times(0, 3_600, scrape_s=15).step_s(seconds("15m")) == 900


@pytest.mark.parametrize(("text", "of_s"), [("15m", 900), ("1m30s", 90), ("250ms", 0.25), ("1w", 604_800), ("", 0)])
def test_durations_are_read_as_prometheus_writes_them(text: str, of_s: float) -> None:
    assert seconds(text) == of_s
    assert seconds(duration(of_s)) == of_s


def test_the_choice_of_the_board_is_what_counts_unless_told_otherwise() -> None:
    window = custom("window", "Today : day, This hour : hour", current={"value": "hour"})
    assert resolve(board(window), NOWHERE, Times(0, 60))["window"].written() == "hour"
    assert resolve(board(window), NOWHERE, Times(0, 60), {"window": ["day"]})["window"].written() == "day"


def test_all_values_are_chosen_where_the_board_chooses_all() -> None:
    region = custom("region", "Nord,Sud", multi=True, includeAll=True, allValue=".*", current={"value": "$__all"})
    chosen = resolve(board(region), NOWHERE, Times(0, 60))["region"]
    assert (chosen.written(), chosen.chosen, chosen.is_all) == (".*", ("Nord", "Sud"), True)


@pytest.mark.parametrize(("given", "said"), [({"window": ["week"]}, "window=week"), ({"windw": ["day"]}, "windw")])
def test_a_choice_that_there_is_not_is_refused_with_what_there_is(given: dict[str, list[str]], said: str) -> None:
    with pytest.raises(BadInput, match=said):
        resolve(board(custom("window", "day,hour")), NOWHERE, Times(0, 60), given)


def test_a_kind_of_variable_that_a_preview_does_not_know_is_refused() -> None:
    with pytest.raises(BadInput, match="'groupby'"):
        resolve(board({"type": "groupby", "name": "by"}), NOWHERE, Times(0, 60))
