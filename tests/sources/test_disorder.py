"""Tapes that are put out of order, and given duplicates, on purpose."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from attente.model.events import AnyEvent
from attente.sources.disorder import Place, in_order

MINUTE = 60_000


class Times:
    """A life of which only the times matter."""

    def __init__(self, *times: int) -> None:
        self._times = sorted(times)

    def __len__(self) -> int:
        return len(self._times)

    def at(self, index: int) -> int:
        return self._times[index]

    def event(self, index: int) -> AnyEvent:
        raise AssertionError(index)


lives = st.lists(
    st.lists(st.integers(0, 100 * MINUTE), min_size=1, max_size=4).map(lambda times: Times(*times)), max_size=30
)
windows = st.sampled_from([0, 1, MINUTE, 30 * MINUTE])
shares = st.sampled_from([0.0, 0.03, 0.5, 1.0])
seeds = st.integers(0, 10)


def places(tape: list[Times], window: int, share: float, seed: int) -> list[Place]:
    return list(in_order(tape, window, share, Random(seed)))  # noqa: S311 - repeatable, not secret


def times(tape: list[Times], order: list[Place]) -> list[int]:
    return [tape[place.life].at(place.event) for place in order]


@given(lives, windows, shares, seeds)
def test_every_event_comes_once_and_the_second_copies_are_marked(
    tape: list[Times], window: int, share: float, seed: int
) -> None:
    order = places(tape, window, share, seed)
    first = [(place.life, place.event) for place in order if not place.again]
    assert sorted(first) == [(number, index) for number, life in enumerate(tape) for index in range(len(life))]


@given(lives, windows, shares, seeds)
def test_exactly_the_share_comes_a_second_time_and_nothing_a_third(
    tape: list[Times], window: int, share: float, seed: int
) -> None:
    again = [(place.life, place.event) for place in places(tape, window, share, seed) if place.again]
    assert len(again) == len(set(again)) == round(share * sum(map(len, tape)))


@given(lives, windows, shares, seeds)
def test_a_second_copy_comes_after_the_first(tape: list[Times], window: int, share: float, seed: int) -> None:
    seen = set()
    for place in places(tape, window, share, seed):
        assert place.again == ((place.life, place.event) in seen)
        seen.add((place.life, place.event))


@given(lives, windows, shares, seeds)
def test_no_event_comes_more_than_the_window_after_the_newest_one_before_it(
    tape: list[Times], window: int, share: float, seed: int
) -> None:
    #  time      a ....... b
    #  output        b ........ a        b - a <= window, copies included
    newest = 0
    for at in times(tape, places(tape, window, share, seed)):
        newest = max(newest, at)
        assert newest - at <= window


@given(lives, shares, seeds)
def test_without_a_window_the_tape_is_sorted_by_time_then_life_then_event(
    tape: list[Times], share: float, seed: int
) -> None:
    order = places(tape, 0, share, seed)
    keys = [(tape[place.life].at(place.event), *place) for place in order]
    assert keys == sorted(keys)


@given(lives, windows, shares, seeds)
def test_the_same_seed_gives_the_same_order(tape: list[Times], window: int, share: float, seed: int) -> None:
    assert places(tape, window, share, seed) == places(tape, window, share, seed)


def test_the_count_of_a_tape_is_known_before_it_is_written() -> None:
    order = in_order([Times(0, 1), Times(2), Times(3)], MINUTE, 0.5, Random(0))  # noqa: S311 - repeatable, not secret
    assert len(order) == len(list(order)) == 6


def test_another_seed_gives_another_order() -> None:
    tape = [Times(minute * MINUTE) for minute in range(100)]
    assert places(tape, 30 * MINUTE, 0.1, 1) != places(tape, 30 * MINUTE, 0.1, 2)


def test_events_use_the_whole_window() -> None:
    tape = [Times(second * 1000) for second in range(3_600)]
    order = times(tape, places(tape, 30 * MINUTE, 0.0, 3))
    furthest = max(max(order[: place + 1]) - at for place, at in enumerate(order[:2_000]))
    assert 25 * MINUTE < furthest <= 30 * MINUTE


def test_second_copies_stay_within_the_window_of_their_time_too() -> None:
    tape = [Times(second * 1000) for second in range(3_600)]
    newest = 0
    for at in times(tape, places(tape, 30 * MINUTE, 1.0, 3)):
        newest = max(newest, at)
        assert newest - at <= 30 * MINUTE


def test_duplicates_are_spread_over_the_whole_tape() -> None:
    tape = [Times(second * 1000) for second in range(10_000)]
    again = [place.life for place in places(tape, 0, 0.1, 5) if place.again]
    assert all(50 < sum(part <= life < part + 1_000 for life in again) < 150 for part in range(0, 10_000, 1_000))
