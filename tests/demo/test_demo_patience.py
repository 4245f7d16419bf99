"""Patience: a slow machine is no reason to give up, one that stands still is."""

from attente.demo.patience import Patience


class Clock:
    """Seconds that the test sets."""

    now = 50.0

    def __call__(self) -> float:
        return self.now


def test_patience_ends_when_nothing_changes() -> None:
    clock = Clock()
    patience = Patience(10, clock)

    assert not patience.is_over("same")
    clock.now += 10
    assert not patience.is_over("same")
    clock.now += 0.1
    assert patience.is_over("same")


def test_every_change_begins_it_anew() -> None:
    clock = Clock()
    patience = Patience(10, clock)
    for step in range(100):
        clock.now += 9
        assert not patience.is_over(step)
