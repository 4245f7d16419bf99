"""When workers are killed, which, and when they come back."""

from random import Random

import pytest

from attente.demo.kills import Kill, Killer, Kind, plan
from attente.demo.pages import Page
from demo.demo_pages import page

SEEDS = range(50)


def chance(seed: int) -> Random:
    return Random(seed)  # noqa: S311 - it has to be repeatable


# The plan


@pytest.mark.parametrize("kills", [1, 3, 10])
def test_every_kill_has_its_own_part_of_the_replay(kills: int) -> None:
    #  |3 %|--- part ---|--- part ---|--- part ---|95 %|98 %|
    for seed in SEEDS:
        gates = plan(10_000, kills, 2, chance(seed)).gates
        assert len(gates) == kills
        for number, gate in enumerate(gates):
            assert 300 + number * 9_200 / kills - 1 <= gate < 300 + (number + 1) * 9_200 / kills


def test_records_are_left_for_when_the_last_worker_is_back() -> None:
    planned = plan(10_000, 5, 2, chance(1))

    assert max(planned.gates) < planned.last == 9_800


def test_both_kinds_take_turns_and_a_hand_over_comes_first() -> None:
    assert plan(1_000, 3, 2, chance(1)).kinds == (Kind.HAND_OVER, Kind.AT_ONCE, Kind.HAND_OVER)


def test_one_worker_alone_has_nobody_to_hand_over_to() -> None:
    assert plan(1_000, 3, 1, chance(1)).kinds == (Kind.AT_ONCE,) * 3


def test_a_seed_decides_where() -> None:
    assert plan(10_000, 3, 2, chance(1)) == plan(10_000, 3, 2, chance(1))
    assert plan(10_000, 3, 2, chance(1)).gates != plan(10_000, 3, 2, chance(2)).gates


def test_the_pace_leaves_time_for_every_kill() -> None:
    planned = plan(100_000, 9, 2, chance(1))

    assert 60 < 100_000 / planned.rate < 120


# The deed


class Workers:
    """Two workers and four partitions; writes down what is done to them."""

    def __init__(self, kinds: tuple[Kind, ...], seed: int = 1) -> None:
        self.acts: list[str] = []
        self.told: list[str] = []
        self.now = 100.0
        workers = {name: _Worker(name, self.acts) for name in ("w0", "w1")}
        self.killer = Killer(workers, kinds, 4, chance(seed), self.told.append, lambda: self.now)

    def step(self, *pages: Page, announced: int = 1) -> list[str]:
        """One look at the pages, a second later; gives what was done."""
        self.now += 1
        before = len(self.acts)
        self.killer.step(announced, 500, pages)
        return self.acts[before:]

    def missing(self) -> str | None:
        """Who is dead now."""
        return self.killer.missing

    def are_busy(self) -> bool:
        """Whether a kill is under way now."""
        return self.killer.is_busy


class _Worker:
    def __init__(self, name: str, acts: list[str]) -> None:
        self.name = name
        self.acts = acts

    def kill(self) -> None:
        self.acts.append(f"kill {self.name}")

    def start(self) -> None:
        self.acts.append(f"start {self.name}")


BOTH = (page("w0", read_of={0: 1, 1: 1}), page("w1", read_of={2: 1, 3: 1}))


def victim_and_other(acts: list[str]) -> tuple[str, str]:
    victim = acts[0].removeprefix("kill ")
    return victim, "w1" if victim == "w0" else "w0"


def half(name: str) -> Page:
    return next(one for one in BOTH if one.worker == name)


def test_nobody_is_killed_before_it_is_announced() -> None:
    workers = Workers((Kind.AT_ONCE,))

    assert workers.step(*BOTH, announced=0) == []
    assert not workers.are_busy()


def test_nobody_is_killed_before_all_are_there() -> None:
    workers = Workers((Kind.AT_ONCE,))

    assert workers.step(BOTH[0]) == []
    assert workers.step(BOTH[0], page("w1", ready=False)) == []
    assert workers.step(*BOTH) != []


def test_who_is_to_restart_at_once_is_started_in_the_same_step() -> None:
    workers = Workers((Kind.AT_ONCE,))

    acts = workers.step(*BOTH)

    victim, _ = victim_and_other(acts)
    assert acts == [f"kill {victim}", f"start {victim}"]
    assert workers.missing() is None
    assert workers.are_busy()


def test_a_hand_over_leaves_a_worker_dead_until_others_show_everything() -> None:
    workers = Workers((Kind.HAND_OVER,))
    acts = workers.step(*BOTH)
    victim, other = victim_and_other(acts)
    assert acts == [f"kill {victim}"]
    assert workers.missing() == victim

    assert workers.step(half(other)) == []
    assert workers.step(page(other, ready=False)) == []
    assert workers.step(page(other, read_of=dict.fromkeys(range(4), 1))) == [f"start {victim}"]
    assert workers.missing() is None
    assert workers.are_busy()


def test_a_kill_is_over_when_all_are_back_and_ready() -> None:
    workers = Workers((Kind.HAND_OVER,))
    victim, other = victim_and_other(workers.step(*BOTH))
    workers.step(page(other, read_of=dict.fromkeys(range(4), 1)))

    workers.step(half(other), page(victim, ready=False))
    assert workers.are_busy()
    workers.step(*BOTH)

    assert not workers.are_busy()
    partitions = tuple(sorted(half(victim).shown))
    assert workers.killer.done == [Kill(victim, Kind.HAND_OVER, 500, partitions, away_s=1, back_s=3)]
    assert len(workers.told) == 3


def test_the_next_kill_waits_for_its_own_announcement() -> None:
    workers = Workers((Kind.AT_ONCE, Kind.AT_ONCE))
    workers.step(*BOTH)
    workers.step(*BOTH)

    assert workers.step(*BOTH, announced=1) == []
    assert workers.step(*BOTH, announced=2) != []


def test_after_the_last_kill_nobody_is_killed() -> None:
    workers = Workers((Kind.AT_ONCE,))
    workers.step(*BOTH)
    workers.step(*BOTH)

    assert workers.step(*BOTH, announced=9) == []


def test_each_worker_is_chosen_by_some_seed() -> None:
    victims = {victim_and_other(Workers((Kind.AT_ONCE,), seed).step(*BOTH))[0] for seed in SEEDS}

    assert victims == {"w0", "w1"}


def test_who_shows_nothing_is_not_chosen() -> None:
    alone = (page("w0", read_of=dict.fromkeys(range(4), 1)), page("w1"))

    victims = {victim_and_other(Workers((Kind.AT_ONCE,), seed).step(*alone))[0] for seed in SEEDS}

    assert victims == {"w0"}
