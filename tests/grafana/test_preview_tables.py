"""Answers as tables, and the transformations of Grafana."""

from typing import Any

import pytest

from attente.errors import BadInput
from attente.grafana.preview.tables import Table, in_order, table_of
from grafana.preview_panels import answer, panel, row

WAITING = answer(row("w", 7, office="a", region="Nord"), row("w", 3, office="b", region="Sud"), ref="waiting")
LONGEST = answer(row("l", 90, office="b", region="Sud"), ref="longest")


def made(*transformations: tuple[str, dict[str, Any]]) -> Table:
    return table_of(
        panel("table", transformations=[{"id": name, "options": options} for name, options in transformations]),
        [WAITING, LONGEST],
    )


def test_rows_that_agree_in_what_both_have_become_one() -> None:
    merged = made(("merge", {}), ("organize", {"excludeByName": {"Time": True, "__name__": True}}))
    assert [dict(each) for each in merged.rows] == [
        {"office": "a", "region": "Nord", "Value #waiting": 7},
        {"office": "b", "region": "Sud", "Value #waiting": 3},
        {"office": "b", "region": "Sud", "Value #longest": 90},
    ]


def test_what_distinguishes_the_queries_must_go_before_rows_become_one() -> None:
    plain = [
        answer(({"office": "a"}, [(0, 7)]), ({"office": "b"}, [(0, 3)]), ref="waiting"),
        answer(({"office": "b"}, [(0, 90)]), ref="longest"),
    ]
    merged = table_of(panel("table", transformations=[{"id": "merge"}]), plain)
    assert [dict(each) for each in merged.rows] == [
        {"Time": 0, "office": "a", "Value #waiting": 7},
        {"Time": 0, "office": "b", "Value #waiting": 3, "Value #longest": 90},
    ]


def test_rows_that_contradict_each_other_stay_apart() -> None:
    by_service = answer(
        ({"office": "a", "service": "x"}, [(0, 1)]), ({"office": "a", "service": "y"}, [(0, 2)]), ref="A"
    )
    by_office = answer(({"office": "a"}, [(0, 9)]), ref="B")
    merged = table_of(panel("table", transformations=[{"id": "merge"}]), [by_service, by_office])
    assert [(each["service"], each["Value #A"], each.get("Value #B")) for each in merged.rows] == [
        ("x", 1, 9),
        ("y", 2, None),
    ]


def test_columns_have_the_order_and_the_names_that_are_asked_for() -> None:
    order = {
        "excludeByName": {"Time": True, "__name__": True, "region": True},
        "indexByName": {"Value #waiting": 0, "office": 1},
        "renameByName": {"Value #waiting": "Waiting", "office": "Office"},
    }
    organized = made(("organize", order))
    assert list(organized.fields.items()) == [("Waiting", "waiting"), ("Office", "")]
    assert [dict(each) for each in organized.rows] == [{"Waiting": 7, "Office": "a"}, {"Waiting": 3, "Office": "b"}]


def test_frames_are_joined_by_a_field() -> None:
    joined = made(("joinByField", {"byField": "office", "mode": "inner"}))
    assert [(each["office"], each["Value #waiting"], each["Value #longest"]) for each in joined.rows] == [("b", 3, 90)]


def test_a_limit_keeps_the_first_rows() -> None:
    assert len(made(("sortBy", {"sort": [{"field": "Value #waiting"}]}), ("limit", {"limitField": 1})).rows) == 1


def test_rows_are_sorted_by_what_counts_most_first_and_empty_cells_come_last() -> None:
    rows: tuple[dict[str, str | float | None], ...] = (
        {"x": 1, "y": "b"},
        {"y": "c"},
        {"x": 2, "y": "B"},
        {"x": 2, "y": "a"},
    )
    ordered = in_order(
        Table({"x": "", "y": ""}, rows), [{"displayName": "x", "desc": True}, {"displayName": "y", "desc": False}]
    )
    assert [(each.get("x"), each["y"]) for each in ordered.rows] == [(2, "a"), (2, "B"), (1, "b"), (None, "c")]


def test_a_transformation_that_a_preview_does_not_know_is_refused_with_those_it_knows() -> None:
    with pytest.raises(BadInput, match=r"'heatmap' is not known.*merge"):
        made(("heatmap", {}))
