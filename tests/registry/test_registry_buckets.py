from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from attente.registry.buckets import WAITS, bounds
from attente.registry.demo import technion_registry

NETWORK = technion_registry(1)
(NORM,) = NETWORK.norms.values()


def of(*thresholds: int) -> tuple[int, ...]:
    norms = {f"n{number}": replace(NORM, threshold_s=seconds) for number, seconds in enumerate(thresholds)}
    return bounds(replace(NETWORK, norms=norms))


THRESHOLDS = st.lists(st.integers(1, 86_400), max_size=12, unique=True)


@given(THRESHOLDS)
def test_bounds_are_eight_to_twelve_ascending_whole_seconds_with_every_threshold(thresholds: list[int]) -> None:
    found = of(*thresholds)
    assert 8 <= len(found) <= 12
    assert list(found) == sorted(set(found))
    assert all(type(bound) is int for bound in found)
    assert set(thresholds) <= set(found) <= set(thresholds) | set(WAITS)


@given(THRESHOLDS.flatmap(lambda them: st.tuples(st.just(them), st.permutations(them))))
def test_the_order_of_norms_does_not_move_the_bounds(orders: tuple[list[int], list[int]]) -> None:
    assert of(*orders[0]) == of(*orders[1])


def test_without_norms_the_bounds_spread_from_half_a_minute_to_two_hours() -> None:
    assert of() == (30, 60, 120, 300, 600, 900, 1200, 1800, 3600, 7200)


def test_twelve_thresholds_leave_room_for_nothing_else() -> None:
    assert of(*range(1, 13)) == tuple(range(1, 13))


def test_usual_waits_close_to_a_threshold_are_the_last_to_be_taken() -> None:
    found = of(31, 118)
    assert 31 in found
    assert 118 in found
    assert not {30, 120} & set(found)
