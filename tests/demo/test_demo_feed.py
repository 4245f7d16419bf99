"""The feed: lines in their order, held back so that what was announced is over in time."""

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from attente.demo.feed import Feed

LINES = [str(number).encode() for number in range(20)]
HANG_S = 30


class Taker(threading.Thread):
    """Takes all that a feed gives, as the replay does."""

    def __init__(self, feed: Feed) -> None:
        super().__init__(daemon=True)
        self.feed = feed
        self.taken: list[bytes] = []

    def run(self) -> None:
        for line in self.feed:
            self.taken.append(line)

    def ended(self) -> bool:
        self.join(HANG_S)
        return not self.is_alive()


@pytest.fixture
def taken() -> Iterator[list[Taker]]:
    """Takers that are told to end after the test."""
    takers: list[Taker] = []
    yield takers
    for taker in takers:
        taker.feed.close()
        assert taker.ended()


def take(feed: Feed, taken: list[Taker]) -> Taker:
    taker = Taker(feed)
    taken.append(taker)
    taker.start()
    return taker


def test_without_gates_every_line_comes_once_and_in_order() -> None:
    feed = Feed(LINES)

    assert list(feed) == LINES
    assert (feed.given, feed.announced) == (20, 0)


def test_the_first_gate_announces_and_holds_nothing_back(taken: list[Taker]) -> None:
    #  0 ... 4 | 5 ... 14 | 15 ...        gates before 5 and 15; the second waits for what the first announced
    feed = Feed(LINES, gates=(5, 15), last=18)
    taker = take(feed, taken)

    assert feed.wake.wait(HANG_S)
    until(lambda: feed.given == 15)

    assert feed.announced == 1
    assert taker.taken == LINES[:15]


def test_the_next_gate_opens_when_the_former_thing_is_over(taken: list[Taker]) -> None:
    feed = Feed(LINES, gates=(5, 15), last=18)
    taker = take(feed, taken)
    until(lambda: feed.given == 15)

    feed.over(1)
    until(lambda: feed.given == 18)

    assert feed.announced == 2
    assert taker.taken == LINES[:18]


def test_the_last_lines_come_when_everything_is_over(taken: list[Taker]) -> None:
    feed = Feed(LINES, gates=(5, 15), last=18)
    taker = take(feed, taken)

    feed.over(2)

    assert taker.ended()
    assert taker.taken == LINES
    assert feed.announced == 2


def test_two_gates_at_one_line_are_passed_one_after_the_other(taken: list[Taker]) -> None:
    feed = Feed(LINES, gates=(5, 5), last=18)
    take(feed, taken)
    until(lambda: feed.given == 5)

    assert feed.announced == 1
    feed.over(1)
    until(lambda: feed.given == 18)
    assert feed.announced == 2


def test_a_feed_that_is_closed_at_a_gate_ends(taken: list[Taker]) -> None:
    feed = Feed(LINES, gates=(5, 15), last=18)
    taker = take(feed, taken)
    until(lambda: feed.given == 15)

    feed.close()

    assert taker.ended()
    assert taker.taken == LINES[:15]


def test_a_feed_that_is_closed_while_it_waits_for_its_pace_ends(taken: list[Taker]) -> None:
    feed = Feed(LINES, rate=0.001)
    taker = take(feed, taken)
    until(lambda: feed.given == 1)

    feed.close()

    assert taker.ended()
    assert taker.taken == LINES[:1]


def test_lines_come_no_faster_than_the_rate() -> None:
    began = time.monotonic()

    assert list(Feed(LINES, rate=100)) == LINES

    # The last of 20 lines is due after 0.19 s; lines within 0.01 s go together.
    assert time.monotonic() - began > 0.17


def until(is_so: Callable[[], bool]) -> None:
    """Wait for a condition."""
    limit = time.monotonic() + HANG_S
    while not is_so():
        assert time.monotonic() < limit
        time.sleep(0.001)
