"""Instants: the fast way, the way by datetime, and a third reading that shares nothing with them."""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from attente.model import instants
from attente.model.instants import LATEST, milliseconds, parse, text_of
from attente.model.reasons import Reason, Refusal

GOOD = "2026-11-23T09:14:03.120+01:00"
MONTHS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


@pytest.fixture(autouse=True)
def _an_empty_cache() -> None:
    instants._minutes.clear()


def outcome(reader: Callable[[str], int], text: str) -> int | Reason:
    try:
        return reader(text)
    except Refusal as refusal:
        return refusal.reason


# ---- the third reading: letter by letter, without a pattern and without datetime


def digits(text: str) -> int | None:
    return int(text) if text and all("0" <= c <= "9" for c in text) else None


def is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def days_before(year: int, month: int, day: int) -> int:
    """Days from 1970-01-01."""
    whole = sum(366 if is_leap(y) else 365 for y in range(1970, year))
    whole -= sum(366 if is_leap(y) else 365 for y in range(year, 1970))
    return whole + sum(MONTHS[: month - 1]) + (1 if month > 2 and is_leap(year) else 0) + day - 1


def offset_minutes(text: str) -> int | None:
    if text in ("Z", "z"):
        return 0
    if len(text) != 6 or text[0] not in "+-" or text[3] != ":":
        return None
    hours, minutes = digits(text[1:3]), digits(text[4:])
    if hours is None or minutes is None or hours > 23 or minutes > 59:
        return None
    return (hours * 60 + minutes) * (-1 if text[0] == "-" else 1)


def read(text: str) -> int | Reason:
    date = read_date(text[:19])
    if date is None:
        return Reason.BAD_TIME
    rest, ms = text[19:], 0
    if rest.startswith("."):
        fraction = rest[1:].rstrip("Zz").split("+")[0].split("-")[0]
        if digits(fraction) is None or len(fraction) > 9:
            return Reason.BAD_TIME
        rest, ms = rest[1 + len(fraction) :], int((fraction + "00")[:3])
    offset = offset_minutes(rest) if rest else 0
    if offset is None:
        return Reason.BAD_TIME
    at = (date - offset * 60) * 1000 + ms
    if not 0 <= at < LATEST:
        return Reason.BAD_TIME
    return at if rest else Reason.NAIVE_TIME


def read_date(text: str) -> int | None:
    """`YYYY-MM-DDThh:mm:ss` as seconds since 1970, taken as UTC."""
    fields = [digits(text[i:j]) for i, j in ((0, 4), (5, 7), (8, 10), (11, 13), (14, 16), (17, 19))]
    marks = text[4:5], text[7:8], text[10:11].upper(), text[13:14], text[16:17]
    if None in fields or len(text) != 19 or marks != ("-", "-", "T", ":", ":"):
        return None
    year, month, day, hour, minute, second = (field or 0 for field in fields)
    if not (year >= 1 and 1 <= month <= 12 and hour < 24 and minute < 60 and second < 60):
        return None
    if not 1 <= day <= MONTHS[month - 1] + (1 if month == 2 and is_leap(year) else 0):
        return None
    return ((days_before(year, month, day) * 24 + hour) * 60 + minute) * 60 + second


# ---- texts


@st.composite
def written(draw: st.DrawFn) -> str:
    """An instant in one of the layouts that RFC 3339 has, sometimes outside our years or naive."""
    at = draw(st.datetimes(min_value=datetime(1969, 12, 30), max_value=datetime(2109, 6, 1)))  # noqa: DTZ001 - the zone follows
    fraction = draw(st.one_of(st.just(""), st.from_regex(r"\.[0-9]{1,9}", fullmatch=True), st.just(".120")))
    minutes = draw(st.integers(-1439, 1439))
    sign, hours = "-" if minutes < 0 else "+", abs(minutes)
    offset = draw(st.sampled_from(["Z", "z", "", "+00:00", "-00:00", f"{sign}{hours // 60:02d}:{hours % 60:02d}"]))
    return f"{at:%Y-%m-%d}{draw(st.sampled_from('TTTt'))}{at:%H:%M:%S}{fraction}{offset}"


@st.composite
def spoilt(draw: st.DrawFn) -> str:
    """An instant with a few letters changed, removed or put in: mostly none any more."""
    text = draw(st.one_of(st.just(GOOD), written()))
    for _ in range(draw(st.integers(1, 3))):
        i = draw(st.integers(0, len(text)))
        with_ = draw(
            st.sampled_from([*"0123456789+-:.TtZz _/", "", "٣", "３", "²", "\n", "\x00", "é", "24", "60", "99", "é"])
        )
        text = text[:i] + with_ + text[i + draw(st.integers(0, 2)) :]
    return text


# ---- properties


@given(written() | spoilt() | st.text(max_size=40))
@example("2026-11-23T09:14:03.120+01:60")
@example("2026-11-23T09:14:60.000Z")
@example("2026-11-23T24:00:00.000Z")
@example("2024-02-29T00:00:00.000Z")
@example("2026-02-29T00:00:00.000Z")
@example("2100-02-29T00:00:00.000Z")
@example("2026-11-23T09:14:03.120+01:00\n")
@example("٢026-11-23T09:14:03.120+01:00")
@example("2026-11-23T09:14:0٣.120+01:00")
@example("2026-11-23T09:14:03.12٣+01:00")
@example("0000-01-01T00:00:00Z")
@example("0001-01-01T00:00:00+23:59")
@example("9999-12-31T23:59:59-23:59")
def test_both_ways_read_every_text_as_the_third_one_does(text: str) -> None:
    assert outcome(parse, text) == read(text)
    assert outcome(milliseconds, text) == read(text)
    assert outcome(milliseconds, text) == read(text), "and again, with what the first time has remembered"


@given(st.lists(written() | spoilt(), min_size=2, max_size=8), st.randoms(use_true_random=False))
def test_what_was_read_before_changes_no_answer(texts: list[str], order: random.Random) -> None:
    # The same second, thousandth and offset in every minute, and the same minute with everything else.
    mixed = [*texts, *(text[:17] + GOOD[17:] for text in texts), *(GOOD[:17] + text[17:] for text in texts)]
    order.shuffle(mixed)
    assert [outcome(milliseconds, text) for text in mixed] == [read(text) for text in mixed]


@given(
    st.datetimes(min_value=datetime(1970, 1, 2), max_value=datetime(2109, 5, 14)),  # noqa: DTZ001 - the zone follows
    st.integers(-1439, 1439),
)
def test_an_instant_is_the_milliseconds_that_datetime_counts(local: datetime, minutes: int) -> None:
    at = local.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    expected = (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    assert milliseconds(at.isoformat(timespec="milliseconds")) == expected
    assert milliseconds(at.isoformat(timespec="microseconds")) == expected


@given(st.integers(0, LATEST - 1))
def test_an_instant_that_is_written_is_read_back(at: int) -> None:
    assert milliseconds(text_of(at)) == at
    assert parse(text_of(at)) == at


# ---- the cache of minutes


NEIGHBOURS = [
    GOOD[:17] + "60" + GOOD[19:],
    GOOD[:17] + "6" + GOOD[19:],
    GOOD[:17] + "99" + GOOD[19:],
    GOOD[:17] + "0٣" + GOOD[19:],
    GOOD[:17] + " 3" + GOOD[19:],
    GOOD[:19] + "," + GOOD[20:],
    GOOD[:20] + "12x" + GOOD[23:],
    GOOD[:20] + "+12" + GOOD[23:],
    GOOD[:20] + "12" + GOOD[23:] + "0",
    GOOD[:23] + "+01:0",
    GOOD[:23] + "+01:000",
    GOOD[:23] + "01:00",
    GOOD[:16] + GOOD[17:],
    GOOD + " ",
    " " + GOOD,
    GOOD[:10] + " " + GOOD[11:],
]


@pytest.mark.parametrize("bad", NEIGHBOURS)
def test_a_bad_text_is_refused_before_and_after_its_good_neighbour(bad: str) -> None:
    assert outcome(milliseconds, bad) == Reason.BAD_TIME
    assert milliseconds(GOOD) == 1_795_421_643_120
    assert outcome(milliseconds, bad) == Reason.BAD_TIME


def test_a_naive_text_is_refused_as_naive_after_its_neighbour_with_an_offset() -> None:
    milliseconds(GOOD)
    assert outcome(milliseconds, GOOD[:23]) == Reason.NAIVE_TIME
    assert outcome(milliseconds, GOOD[:19]) == Reason.NAIVE_TIME


def test_the_last_instant_is_the_last_whatever_was_read_of_its_minute() -> None:
    #  2109-05-15T07:35:  00.000 ......... 11.103 | 11.104 ......... 59.999
    #                     valid                   | 2**42 ms and more
    for text, valid in (
        ("2109-05-15T07:35:11.103Z", True),
        ("2109-05-15T07:35:11.104Z", False),
        ("2109-05-15T07:35:59.000Z", False),
        ("2109-05-15T07:35:00.000Z", True),
        ("2109-05-15T07:35:30.000Z", False),
        ("2109-05-15T07:36:00.000Z", False),
    ):
        assert (outcome(milliseconds, text) != Reason.BAD_TIME) is valid, text
    assert milliseconds("2109-05-15T07:35:11.103Z") == LATEST - 1


def test_the_first_instant_is_the_first_in_every_offset() -> None:
    assert milliseconds("1970-01-01T00:00:00.000Z") == 0
    assert milliseconds("1970-01-01T05:45:00.001+05:45") == 1
    assert outcome(milliseconds, "1970-01-01T00:00:00.000+00:01") == Reason.BAD_TIME
    assert outcome(milliseconds, "1969-12-31T23:59:59.999Z") == Reason.BAD_TIME


def test_only_so_many_minutes_are_remembered_and_all_are_read_right() -> None:
    # Two minutes more than fit; digits finer than milliseconds would make as many keys of one minute.
    minutes = instants._CACHED_MINUTES + 2
    for n in range(minutes):
        assert milliseconds(text_of(n * 60_000 + 7)) == n * 60_000 + 7
        assert len(instants._minutes) <= instants._CACHED_MINUTES
    assert milliseconds(text_of(7)) == 7


def test_digits_finer_than_a_millisecond_are_cut_off_and_not_rounded() -> None:
    assert milliseconds("2026-11-23T09:14:03.1209+01:00") == milliseconds(GOOD)
    assert milliseconds("2026-11-23T09:14:03.120999999+01:00") == milliseconds(GOOD)
    assert milliseconds("2026-11-23T09:14:03.12+01:00") == milliseconds(GOOD)


def test_one_instant_in_two_offsets_is_one_number() -> None:
    assert milliseconds("2026-11-23T08:14:03.120Z") == milliseconds(GOOD)
    assert milliseconds("2026-11-22T23:14:03.120-09:00") == milliseconds(GOOD)


def test_a_date_that_does_not_exist_is_worse_than_a_missing_offset() -> None:
    assert outcome(milliseconds, "2026-02-30T09:14:03") == Reason.BAD_TIME


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        (GOOD[:23], '"2026-11-23T09:14:03.120" carries no offset; append Z or one like +01:00'),
        ("2026-02-30T00:00:00Z", '"2026-02-30T00:00:00Z" does not exist; send a date and a time that do'),
        ("1969-01-01T00:00:00Z", '"1969-01-01T00:00:00Z" lies outside the years 1970 to 2109; set the clock'),
        ("noon\n", '"noon\\n" is no RFC 3339 instant; write 2026-11-23T09:14:03.120+01:00'),
    ],
)
def test_a_refusal_names_the_value_and_the_remedy_in_one_line(text: str, detail: str) -> None:
    with pytest.raises(Refusal) as refused:
        milliseconds(text)
    assert refused.value.detail == detail
