"""When events are due, and where a live replay puts them."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attente.sources.pace import Pace, Span, span_of

HOUR = 3_600_000


def test_the_span_of_a_tape_is_its_oldest_and_newest_event_and_how_far_one_lies_back() -> None:
    assert span_of([50, 10, 70, 30, 90]) == Span(first_ms=10, last_ms=90, displaced_ms=40)


def test_nothing_has_no_span() -> None:
    assert span_of([]) is None


def test_at_speed_1_the_first_event_is_now() -> None:
    span = Span(1_000, 5_000, 0)
    assert 1_000 + span.shift_ms(1, 100_000) == 100_000


def test_as_fast_as_possible_the_last_event_is_now() -> None:
    span = Span(1_000, 5_000, 0)
    assert 5_000 + span.shift_ms(math.inf, 100_000) == 100_000


def test_at_a_greater_speed_the_last_event_is_when_it_is_sent() -> None:
    #  4 h at speed 4 take an hour
    span = Span(0, 4 * HOUR, 0)
    assert 4 * HOUR + span.shift_ms(4, 100 * HOUR) == 101 * HOUR


@given(
    st.lists(st.integers(0, 48 * HOUR), min_size=1),
    st.sampled_from([1.0, 1.5, 60.0, 1e4, math.inf]),
)
def test_no_event_is_sent_before_it_happens_nor_older_than_said(times: list[int], speed: float) -> None:
    span = span_of(times)
    assert span is not None
    now = 1_000 * HOUR
    shift = span.shift_ms(speed, now)
    newest = span.first_ms
    for at in times:
        newest = max(newest, at)
        sent = max(now + (newest - span.first_ms) / speed, at + shift)
        assert -1 <= sent - (at + shift) <= span.oldest_ms(speed) + 1


def test_an_event_is_due_when_the_tape_has_reached_it() -> None:
    #  an hour of the tape in a minute
    pace = Pace(speed=60, rate=math.inf)
    assert pace.ahead_s(0, 100.0) == 0
    assert pace.ahead_s(HOUR, 100.0) == 60
    assert pace.ahead_s(HOUR, 159.0) == 1
    assert pace.ahead_s(HOUR, 170.0) == -10


def test_an_event_that_is_late_on_the_tape_waits_for_nothing_more() -> None:
    pace = Pace(speed=1, rate=math.inf)
    pace.ahead_s(10_000, 0.0)
    assert pace.ahead_s(20_000, 10.0) == 0
    assert pace.ahead_s(12_000, 10.0) == 0


def test_no_more_events_than_the_rate_are_due() -> None:
    pace = Pace(speed=math.inf, rate=100)
    for number in range(200):
        assert pace.ahead_s(number * HOUR, 5.0) == pytest.approx(number / 100)
        pace.passed()


def test_the_slower_of_speed_and_rate_decides() -> None:
    pace = Pace(speed=1, rate=1)
    pace.ahead_s(0, 0.0)
    pace.passed()
    assert pace.ahead_s(500, 0.0) == 1
    assert pace.ahead_s(2_000, 0.0) == 2


def test_without_limits_everything_is_due() -> None:
    pace = Pace(math.inf, math.inf)
    assert [pace.ahead_s(at, 3.0) for at in (0, HOUR, 5)] == [0, 0, 0]
