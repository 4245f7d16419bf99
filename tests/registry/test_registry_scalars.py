import re
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attente.registry import scalars
from attente.registry.entities import Left
from attente.registry.scalars import Unreadable

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def why(read: Callable[[str], object], value: str) -> str:
    with pytest.raises(Unreadable) as refused:
        read(value)
    return str(refused.value)


def proposals(message: str) -> list[str]:
    return message.rpartition("write ")[2].removeprefix("one like ").replace('"', "").split(" or ")


@given(st.integers(0, 999_999), st.sampled_from(sorted(SECONDS)))
def test_a_whole_duration_is_its_number_times_its_unit(number: int, unit: str) -> None:
    assert scalars.duration(f"{number}{unit}") == number * SECONDS[unit]


@given(st.integers(0, 10**6), st.sampled_from(sorted(SECONDS)))
def test_a_decimal_duration_is_read_only_when_it_is_whole_seconds(thousandths: int, unit: str) -> None:
    exact = Fraction(thousandths, 1000) * SECONDS[unit]
    written = f"{thousandths // 1000}.{thousandths % 1000:03d}{unit}"
    if exact.denominator == 1:
        assert scalars.duration(written) == exact
    else:
        near = [scalars.duration(proposal) for proposal in proposals(why(scalars.duration, written))]
        assert near == [n for n in (int(exact), int(exact) + 1) if n > 0]


@given(st.integers(0, 10**7))
def test_a_duration_that_is_written_is_read_as_itself(seconds: int) -> None:
    assert scalars.duration(scalars.written(seconds)) == seconds


@pytest.mark.parametrize(
    ("value", "proposal"),
    [
        ("90", "90s"),
        ("20min", "20m"),
        ("20 minutes", "20m"),
        ("2 Hours", "2h"),
        ("1h30m", "90m"),
        ("1m 1s", "61s"),
        ("3 months", "90s"),
        ("-20m", "90s"),
        ("20M", "90s"),
        ("1e3s", "90s"),
        ("٣m", "90s"),
        ("20,5s", "90s"),
    ],
)
def test_what_is_no_duration_is_answered_with_the_likely_one(value: str, proposal: str) -> None:
    assert proposals(why(scalars.duration, value).replace(", 20m", ""))[0] == proposal


def test_a_threshold_lies_between_a_second_and_a_day() -> None:
    assert [scalars.threshold(value) for value in ("1s", "24h", "1d")] == [1, 86_400, 86_400]
    assert "0s is not between" in why(scalars.threshold, "0s")
    assert "86401s is not between" in why(scalars.threshold, "86401s")


def test_a_horizon_lies_between_an_hour_and_a_week() -> None:
    assert [scalars.horizon(value) for value in ("1h", "7d")] == [3600, 604_800]
    assert "write 1h" in why(scalars.horizon, "45m")
    assert "write 7d" in why(scalars.horizon, "604801s")


@given(st.integers(3601, 604_799).filter(lambda seconds: seconds % 900))
def test_a_horizon_off_the_quarter_is_answered_with_its_neighbours(seconds: int) -> None:
    below, above = (scalars.horizon(proposal) for proposal in proposals(why(scalars.horizon, f"{seconds}s")))
    assert below < seconds < above == below + 900


@given(st.integers(1, 99_999))
def test_a_target_is_exact_as_a_share_and_in_percent(thousandths: int) -> None:
    share, percent = Decimal(thousandths) / 100_000, Decimal(thousandths) / 1000
    assert (
        scalars.share(f"{share:f}") == scalars.share(f"{percent:f} %") == scalars.share(f"{percent:f}%") == thousandths
    )


@given(st.decimals(min_value=0, max_value=1, places=8))
def test_a_target_that_is_too_fine_is_answered_with_a_near_one_that_can_be_read(share: Decimal) -> None:
    try:
        assert Decimal(scalars.share(f"{share:f}")) / 100_000 == share
    except Unreadable as refused:
        near = Decimal(scalars.share(proposals(str(refused))[0])) / 100_000
        if "finer" in str(refused):
            assert abs(near - share) <= Decimal("0.00001")
        else:
            assert share in {0, 1}


def test_the_shortest_ways_to_write_a_target_are_read() -> None:
    assert (
        scalars.share(".85")
        == scalars.share("0.850000")
        == scalars.share("85%")
        == scalars.share("85.0\u202f%")
        == 85_000
    )


@pytest.mark.parametrize("value", [".", "%", "85 percent", "8.5e-1", "1/2", "٠.٥", "0.85.", "nan", "inf"])
def test_what_is_no_share_is_refused(value: str) -> None:
    assert 'is no share; write 0.85 or "85 %"' in why(scalars.share, value)


@given(st.integers(0, 287).map(lambda n: n * 5))
def test_a_time_of_day_that_is_written_is_read_as_itself(minutes: int) -> None:
    assert scalars.clock_time(scalars.time_of_day(minutes).strip('"')) == minutes


@given(st.integers(0, 1439).filter(lambda minutes: minutes % 5))
def test_a_time_off_the_grid_is_answered_with_its_neighbours(minutes: int) -> None:
    near = [
        scalars.clock_time(p) for p in proposals(why(scalars.clock_time, f"{minutes // 60:02d}:{minutes % 60:02d}"))
    ]
    assert near == [minutes - minutes % 5, (minutes - minutes % 5 + 5) % 1440]


@pytest.mark.parametrize(
    ("value", "proposal"),
    [("3:00", "03:00"), ("3h", "03:00"), ("4h30", "04:30"), ("03:00:00", "03:00"), ("3.15", "03:15"), ("180", "03:00")],
)
def test_a_time_in_another_layout_is_answered_with_the_right_one(value: str, proposal: str) -> None:
    assert proposals(why(scalars.clock_time, value)) == [proposal]


@given(st.text(max_size=90))
def test_a_refused_id_comes_with_one_that_is_accepted(value: str) -> None:
    try:
        assert re.fullmatch("[a-z0-9][a-z0-9._-]{0,63}", scalars.identifier(value), re.ASCII)
    except Unreadable as refused:
        (proposal,) = proposals(str(refused))
        assert scalars.identifier(proposal) == proposal


@pytest.mark.parametrize("value", ["caf-20", "0", "a.b_c-d", "a" * 64, "no"])
def test_an_id_of_letters_digits_and_the_three_signs_is_taken_as_it_is(value: str) -> None:
    assert scalars.identifier(value) == value


@pytest.mark.parametrize("value", ["a\nb", "a\tb", "a\u2028b", "a\x85b", "a\x1b[31m"])
def test_a_name_is_one_line_without_control_characters(value: str) -> None:
    assert "write it on one line" in why(scalars.text, value)


def test_a_name_may_use_any_language_and_the_spaces_of_good_typography() -> None:
    for value in ("Attente à l'accueil ≤\u00a020\u202fminutes", "מרכז העיר", "x" * 200, '"quoted"'):
        assert scalars.text(value) == value


@given(st.dates().map(lambda day: day.isoformat()))
def test_every_date_of_the_calendar_is_taken_as_it_is(value: str) -> None:
    assert scalars.iso_date(value) == value


@pytest.mark.parametrize(
    "value", ["2009-1-1", "01/01/2009", "20090101", "2009-W01-1", "2009-01-01T00:00", "٢٠٠٩-01-01"]
)
def test_a_date_in_another_layout_is_refused(value: str) -> None:
    assert "is no date" in why(scalars.iso_date, value)


def test_a_date_that_does_not_exist_is_refused() -> None:
    assert "is not in the calendar" in why(scalars.iso_date, "2009-02-29")


def test_a_choice_is_answered_with_the_nearest_word_or_all_of_them() -> None:
    assert scalars.choice(Left)("failed") is Left.FAILED
    assert "did you mean failed?" in why(scalars.choice(Left), "faild")
    assert "write one of credited_if_within, excluded, failed, ignored_if_within" in why(scalars.choice(Left), "zzz")


@given(st.text())
def test_whatever_a_value_is_a_message_shows_it_on_one_short_line(value: str) -> None:
    line = scalars.shown(value)
    assert line.splitlines() == [line]
    assert len(line) < 700
