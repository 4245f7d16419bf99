"""What a worker owns, and until when the broker has vouched for it."""

from types import SimpleNamespace

import pytest

from attente.core.partition import Partition
from attente.core.plan import Plan
from attente.engine import owned as owned_module
from attente.engine.owned import Owned, Ownership
from handtape import RECORDS, REGISTRY

PLAN = Plan(REGISTRY)


class Clock:
    """A monotonic clock that stands until it is told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1_000.0
        monkeypatch.setattr(owned_module, "time", SimpleNamespace(monotonic=lambda: self.now))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def owned(number: int = 0, records: int = 0, target: int = 0) -> Owned:
    partition = Partition(PLAN, number, 2)
    partition.ingest(RECORDS[:records])
    one = Owned(partition)
    one.target = target
    return one


def numbers(states: list[Owned]) -> list[int]:
    return [state.number for state in states]


def test_the_lease_lasts_a_session_from_the_beginning_of_what_the_broker_has_answered(clock: Clock) -> None:
    ownership = Ownership(session_s=6)
    began = clock.now
    leased = [ownership.is_leased]
    clock.now += 2  # the commit took so long
    ownership.renew(began)
    for elapsed in (2, 5.999, 6):
        clock.now = began + elapsed
        leased.append(ownership.is_leased)
    assert leased == [False, True, True, False]


def test_nothing_is_shown_once_the_lease_has_ended_though_it_is_still_owned(clock: Clock) -> None:
    ownership = Ownership(session_s=6)
    ownership.states = {0: owned(0), 1: owned(1)}
    ownership.live = {0, 1}
    ownership.renew(clock.now)
    assert numbers(ownership.shown()) == [0, 1]
    clock.now += 6
    assert ownership.shown() == []
    assert numbers(ownership.owned()) == [0, 1]
    ownership.renew(clock.now)
    assert numbers(ownership.shown()) == [0, 1]


def test_a_partition_is_shown_only_when_it_has_caught_up_with_the_end_that_the_log_had(clock: Clock) -> None:
    ownership = Ownership(session_s=6)
    ownership.states = {0: owned(0, records=9, target=10), 1: owned(1, records=0, target=0)}
    ownership.live = {0, 1}
    ownership.renew(clock.now)
    assert numbers(ownership.shown()) == [1]
    ownership.states[0].partition.ingest(RECORDS[:10])
    assert numbers(ownership.shown()) == [0, 1]


def test_a_state_in_memory_is_not_owned_unless_the_group_has_given_it(clock: Clock) -> None:
    ownership = Ownership(session_s=6)
    ownership.states = {0: owned(0), 1: owned(1)}
    ownership.renew(clock.now)
    assert ownership.owned() == ownership.shown() == []
    ownership.live = {1, 7}  # 7 was given, and its state is not there yet
    assert numbers(ownership.owned()) == numbers(ownership.shown()) == [1]


def test_delivery_starts_again_where_the_state_stands() -> None:
    state = owned(records=10)
    state.delivered, state.retried = 30, 20
    state.restart_delivery()
    assert (state.delivered, state.retried, state.epoch) == (10, -1, 1)


def test_now_is_stream_time_advanced_by_the_time_in_which_nothing_came(clock: Clock) -> None:
    state = owned(records=10)
    assert state.now_ms() == RECORDS[9].timestamp
    clock.now += 12.5
    assert state.now_ms() == RECORDS[9].timestamp + 12_500
    state.applied_at = clock.now
    assert state.now_ms() == RECORDS[9].timestamp
