"""Signals: the first one interrupts, and putting away is never interrupted."""

import os
import signal
from collections.abc import Iterator

import pytest

from attente.demo.stop import SIGNALS, stopping


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """The handlers of the test run are given back, whatever happens."""
    former = {number: signal.getsignal(number) for number in SIGNALS}
    yield
    for number, handler in former.items():
        signal.signal(number, handler)


def send(number: signal.Signals) -> None:
    os.kill(os.getpid(), number)


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
def test_the_first_signal_interrupts_what_is_being_done(number: signal.Signals) -> None:
    with stopping() as stop:
        with pytest.raises(KeyboardInterrupt):
            send(number)
        assert stop.asked
        assert not stop.hurry.is_set()


def test_the_second_signal_interrupts_nothing_and_makes_haste() -> None:
    with stopping() as stop:
        with pytest.raises(KeyboardInterrupt):
            send(signal.SIGTERM)
        send(signal.SIGINT)
        assert stop.hurry.is_set()


def test_after_the_end_of_the_work_a_signal_only_makes_haste() -> None:
    with stopping() as stop:
        stop.disarm()
        send(signal.SIGINT)
        assert stop.hurry.is_set()


def test_a_signal_that_was_ignored_stays_ignored() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with stopping() as stop:
        send(signal.SIGHUP)
        assert not stop.asked


def test_afterwards_signals_mean_what_they_meant_before() -> None:
    before = [signal.getsignal(number) for number in SIGNALS]
    with stopping():
        assert [signal.getsignal(number) for number in SIGNALS] != before
    assert [signal.getsignal(number) for number in SIGNALS] == before
