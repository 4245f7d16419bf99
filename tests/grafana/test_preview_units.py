"""Figures in the units of Grafana."""

import math
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attente.grafana.preview.units import exact, ticks, written


@pytest.mark.parametrize(
    ("value", "unit", "decimals", "text"),
    [
        (0, "none", 0, "0"),
        (12_345, "none", 0, "12\u202f345"),
        (0.9632, "percentunit", 1, "96.3%"),
        (-0.0004, "percentunit", 1, "0.0%"),
        (42, "percent", None, "42%"),
        (0, "s", 0, "0 s"),
        (0.923, "s", 0, "923 ms"),
        (59.4, "s", 0, "59 s"),
        (59.7, "s", 0, "1 min"),
        (1_200, "s", 0, "20 mins"),
        (5_400, "s", 1, "1.5 hours"),
        (3_600, "s", 0, "1 hour"),
        (200_000, "s", None, "2.31 days"),
        (-90, "s", 1, "-1.5 mins"),
        (62_500_000, "bytes", 0, "60 MiB"),
        (830, "Bps", 0, "830 B/s"),
        (0.5, "suffix:×", 1, "0.5×"),
        (30, "suffix: /h", 0, "30 /h"),
        (3, "events", None, "3 events"),
        (7, "ops", None, "7 ops/s"),
        (math.nan, "s", 0, "NaN"),
        (math.inf, "s", 0, "+Inf"),
        (1.23456, "", None, "1.23"),
        (0.012345, "", None, "0.0123"),
        (1_500, "short", None, "1.50 K"),
    ],
)
def test_a_value_is_written_in_its_unit(value: float, unit: str, decimals: int | None, text: str) -> None:
    assert written(value, unit, decimals) == text


def test_a_date_is_written_in_its_zone() -> None:
    assert written(1_795_172_280_000, "dateTimeAsIso", zone=ZoneInfo("Europe/Paris")) == "2026-11-20 11:58:00"


@pytest.mark.parametrize(
    ("low", "high", "unit", "most", "marks"),
    [
        (0, 26, "none", 6, [0, 5, 10, 15, 20, 25, 30]),
        (0, 1, "percentunit", 5, [0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        (0, 1_700, "s", 6, [0, 300, 600, 900, 1_200, 1_500, 1_800]),
        (0, 0.004, "s", 4, [0, 0.001, 0.002, 0.003, 0.004]),
        (-3, 4, "none", 4, [-4, -2, 0, 2, 4]),
    ],
)
def test_an_axis_has_round_marks_that_cover_the_values(
    low: float, high: float, unit: str, most: int, marks: list[float]
) -> None:
    assert ticks(low, high, unit, most) == pytest.approx(marks)


@pytest.mark.parametrize(
    ("values", "unit", "texts"),
    [
        ([0, 0.25, 0.5, 0.75, 1], "none", ["0.00", "0.25", "0.50", "0.75", "1.00"]),
        ([0, 0.2, 0.4], "percentunit", ["0%", "20%", "40%"]),
        ([0, 30, 60, 90], "s", ["0.0 s", "30.0 s", "1.0 min", "1.5 mins"]),
        ([0, 1e-6, 2e-6], "percentunit", ["0.0000%", "0.0001%", "0.0002%"]),
        ([0, 1e-9, 2e-9], "none", ["0", "0.0000000010", "0.0000000020"]),
        ([0, 1_000, 2_000], "none", ["0", "1\u202f000", "2\u202f000"]),
    ],
)
def test_the_marks_of_an_axis_have_the_decimals_that_they_need(
    values: list[float], unit: str, texts: list[str]
) -> None:
    assert [written(value, unit, exact(values, unit)) for value in values] == texts


@given(
    st.floats(-1e6, 1e6),
    st.floats(1e-3, 1e6),
    st.sampled_from(["none", "s", "bytes", "percentunit"]),
    st.integers(1, 12),
)
def test_whatever_the_values_the_marks_cover_them_and_are_not_many(
    low: float, span: float, unit: str, most: int
) -> None:
    marks = ticks(low, low + span, unit, most)
    slack = 1e-6 * max(1.0, abs(low), span)
    assert marks[0] <= low + slack
    assert marks[-1] >= low + span - slack
    assert 2 <= len(marks) <= most + 3
