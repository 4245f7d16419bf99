"""How a kiosk sends: in order, again after a failure, and never a thing out of the spool that has no answer.

The way to the broker is made by hand here; tests/kiosk/test_kiosk_kills.py goes to a real one.
"""

import json
import logging
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from attente.errors import BrokerRefused, BrokerUnreachable
from attente.kiosk import Kiosk, KioskSettings
from attente.kiosk.drift import Drift
from attente.kiosk.errors import SpoolBroken
from attente.kiosk.spool import Spool
from workers import wait_until

STAMPED_MS = 1_795_500_000_000


@dataclass
class Answer:
    """What a record's future is."""

    timestamp: int = STAMPED_MS
    is_done: bool = False
    exception: Exception | None = None

    def succeeded(self) -> bool:
        return self.exception is None

    @property
    def value(self) -> "Answer":
        return self


@dataclass
class Way:
    """A way to a broker, whose answers the test decides.

    Attributes:
        here: whether a producer can be made.
        answers: whether what is sent is acknowledged at once.
        arrived: what was sent over all producers, without heartbeats.
        beats: the heartbeats.
        made, closed: how many producers were.
        looked: how often somebody looked why there is no answer.
        why: what is seen then.
    """

    here: bool = True
    answers: bool = True
    failing: Exception | None = None
    arrived: list[bytes] = field(default_factory=list)
    beats: list[dict[str, Any]] = field(default_factory=list)
    waiting: list[Answer] = field(default_factory=list)
    made: int = 0
    closed: int = 0
    looked: int = 0
    why: Exception | None = None

    def connect(self) -> "Way":
        if not self.here:
            message = "nobody is there"
            raise ConnectionError(message)
        self.made += 1
        return self

    def send(self, value: bytes) -> Answer:
        if b"kiosk.heartbeat" in value:
            self.beats.append(json.loads(value))
        else:
            self.arrived.append(value)
        answer = Answer(is_done=self.answers, exception=self.failing)
        if not answer.is_done:
            self.waiting.append(answer)
        return answer

    def check(self) -> None:
        self.looked += 1
        if self.why is not None:
            raise self.why

    def close(self) -> None:
        self.closed += 1


def tickets(values: list[bytes]) -> list[str]:
    return [json.loads(value)["ticket"] for value in values]


@contextmanager
def kiosk_on(way: Way, folder: Path, **settings: Any) -> Iterator[Kiosk]:
    known = KioskSettings(office="75-nation", kiosk="hall-1", spool=folder / "s.spool", **settings)
    with Kiosk(known, connect=way.connect) as kiosk:
        yield kiosk


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("attente.kiosk.sender.RETRY_S", 0.01)
    monkeypatch.setattr("attente.kiosk.sender.POLL_S", 0.01)


def report(kiosk: Kiosk, *names: str) -> None:
    for name in names:
        kiosk.ticket_issued(ticket=name, service="accueil")


def test_what_is_reported_is_sent_in_order_and_leaves_the_spool(tmp_path: Path) -> None:
    way = Way()
    with kiosk_on(way, tmp_path) as kiosk:
        report(kiosk, *"abcdef")
        assert kiosk.drain(10)
        assert tickets(way.arrived) == list("abcdef")
        status = kiosk.status()
        assert (status.acknowledged, status.is_connected, status.trouble) == (6, True, "")
    assert way.closed == way.made == 1


def test_what_has_no_answer_stays_in_the_spool_and_is_sent_again_by_the_next(tmp_path: Path) -> None:
    way = Way(answers=False)
    with kiosk_on(way, tmp_path) as kiosk:
        report(kiosk, *"abc")
        wait_until(lambda: len(way.arrived) == 3, "all on their way")
        assert kiosk.status().held.events == 3
    again = Way()
    with kiosk_on(again, tmp_path) as kiosk:
        report(kiosk, "d")
        assert kiosk.drain(10)
    assert tickets(again.arrived) == list("abcd")


def test_after_a_failure_everything_without_an_answer_is_sent_again_by_a_new_producer(tmp_path: Path) -> None:
    way = Way(answers=False)
    with kiosk_on(way, tmp_path) as kiosk:
        report(kiosk, *"abcd")
        wait_until(lambda: len(way.arrived) == 4, "all on their way")
        beat, a, b, *_ = way.waiting
        beat.is_done = a.is_done = True
        wait_until(lambda: kiosk.status().held.events == 3, "the first is acknowledged")
        way.answers = True
        b.exception = TimeoutError("expired")
        b.is_done = True
        assert kiosk.drain(10)
    assert tickets(way.arrived) == [*"abcd", *"bcd"]
    assert way.made == way.closed == 2


def test_a_producer_that_says_nothing_any_more_is_thrown_away(tmp_path: Path) -> None:
    way = Way(answers=False)
    with kiosk_on(way, tmp_path, delivery_timeout_seconds=0) as kiosk:
        report(kiosk, "a")
        wait_until(lambda: way.closed, "the first producer is given up")
        assert kiosk.status().trouble == "the broker has not answered for 0 s"
        way.answers = True
        assert kiosk.drain(10)
    assert set(tickets(way.arrived)) == {"a"}


def test_a_broker_that_comes_late_costs_nothing_and_the_log_is_not_flooded(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    way = Way(here=False)
    tries = 0

    def connect() -> Way:
        nonlocal tries
        tries += 1
        return way.connect()

    with (
        caplog.at_level(logging.INFO, "attente.kiosk"),
        Kiosk(KioskSettings(office="o", kiosk="k", spool=tmp_path / "s"), connect=connect) as kiosk,
    ):
        report(kiosk, *"abc")
        wait_until(lambda: tries > 20, "many tries")
        assert kiosk.status().trouble == "ConnectionError: nobody is there"
        assert kiosk.status().held.events == 3
        way.here = True
        assert kiosk.drain(10)
        wait_until(lambda: not kiosk.status().trouble, "the trouble is over")
    first, last = (record.getMessage() for record in caplog.records)
    assert first.startswith("not sending, ")
    assert last.startswith("sending again after ")
    assert tickets(way.arrived) == list("abc")


def test_of_two_programs_on_one_spool_the_other_sends_when_the_first_has_ended(tmp_path: Path) -> None:
    first, second = Way(), Way()
    with kiosk_on(first, tmp_path) as one:
        report(one, "a")
        assert one.drain(10)
        with kiosk_on(second, tmp_path) as two:
            wait_until(lambda: "another program" in two.status().trouble, "it waits for its turn")
            report(two, "b")
            wait_until(lambda: tickets(first.arrived) == ["a", "b"], "the first sends what the other has added")
            assert second.arrived == []
            one.close()
            report(two, "c")
            assert two.drain(10)
            assert tickets(second.arrived) == ["c"]


def test_a_spool_that_cannot_be_locked_is_told_and_tried_again(tmp_path: Path) -> None:
    way = Way()
    stranger = tmp_path / "s.spool-sender"
    stranger.mkdir()
    with kiosk_on(way, tmp_path) as kiosk:
        report(kiosk, "a")
        wait_until(lambda: "the spool cannot be locked: " in kiosk.status().trouble, "it says so")
        assert way.made == 0
        stranger.rmdir()
        assert kiosk.drain(10)
    assert tickets(way.arrived) == ["a"]


@contextmanager
def stuck_spool() -> Iterator[list[int]]:
    """Nothing can be taken out of spools; gives the numbers up to which it was tried."""
    tries: list[int] = []

    def fails(_: Spool, number: int) -> None:
        tries.append(number)
        message = "s.spool: the spool cannot be written: the disk is broken"
        raise SpoolBroken(message)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Spool, "remove_up_to", fails)
        yield tries


def test_what_cannot_be_taken_out_of_the_spool_is_told_once_and_does_not_keep_the_rest(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    way = Way()
    with caplog.at_level(logging.INFO, "attente.kiosk"), kiosk_on(way, tmp_path) as kiosk:
        with stuck_spool() as tries:
            report(kiosk, *"abc")
            wait_until(lambda: len(tries) > 5, "many tries")
            report(kiosk, "d")
            wait_until(lambda: tickets(way.arrived) == list("abcd"), "sending goes on")
            wait_until(lambda: tries[-1] == 4, "a try to take out all of it")
            status = kiosk.status()
            assert status.trouble == "s.spool: the spool cannot be written: the disk is broken"
            assert (status.held.events, status.acknowledged, status.is_connected) == (4, 4, True)
        assert kiosk.drain(10)
        wait_until(lambda: not kiosk.status().trouble, "the trouble is over, though no event comes any more")
    first, last = (record.getMessage() for record in caplog.records)
    assert re.match(r"what is sent stays in the spool, \d events are kept: s\.spool: the spool cannot be", first)
    assert last.startswith("sending again after ")


def test_what_the_broker_has_is_not_sent_again_by_the_next_producer_though_it_is_in_the_spool_still(
    tmp_path: Path,
) -> None:
    way = Way()
    with kiosk_on(way, tmp_path, heartbeat_seconds=0) as kiosk:
        with stuck_spool() as tries:
            report(kiosk, *"abc")
            wait_until(lambda: 3 in tries, "all are acknowledged")
            way.failing = ConnectionError("gone")
            wait_until(lambda: way.made > 2, "other producers")
            way.failing = None
            report(kiosk, "d")
            wait_until(lambda: 4 in tries, "the next one goes on")
        assert kiosk.drain(10)
    assert tickets(way.arrived) == list("abcd")


def test_a_kiosk_that_only_keeps_sends_nothing(tmp_path: Path) -> None:
    way = Way()
    settings = KioskSettings(office="o", kiosk="k", spool=tmp_path / "s")
    with Kiosk(settings, connect=way.connect, is_sending=False) as kiosk:
        report(kiosk, "a")
        assert kiosk.status().held.events == 1
    assert way.made == 0


def test_a_heartbeat_says_how_much_is_held_and_how_far_the_clock_is_off(tmp_path: Path) -> None:
    way = Way(here=False)
    with kiosk_on(way, tmp_path, heartbeat_seconds=0) as kiosk:
        report(kiosk, *"abc")
        way.here = True
        wait_until(lambda: any(beat["driftms"] for beat in way.beats if "driftms" in beat), "one that knows the drift")
        drift = kiosk.status().drift_ms
    assert way.beats[0]["spooled"] == 3
    assert way.beats[0]["kiosk"] == "hall-1"
    assert drift is not None
    assert drift > 0  # the way stamps with an instant that is past
    assert "spooled" in way.beats[-1]


def test_a_heartbeat_is_never_spooled(tmp_path: Path) -> None:
    way = Way(answers=False)
    with kiosk_on(way, tmp_path, heartbeat_seconds=0) as kiosk:
        wait_until(lambda: len(way.beats) > 3, "some")
        assert kiosk.status().held.events == 0


def test_many_threads_report_at_once_and_each_ones_order_is_kept(tmp_path: Path) -> None:
    way = Way()
    with kiosk_on(way, tmp_path) as kiosk:
        threads = [threading.Thread(target=report, args=(kiosk, *(f"{name}{i}" for i in range(40)))) for name in "abcd"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert kiosk.drain(10)
    found = tickets(way.arrived)
    assert len(found) == 160
    for name in "abcd":
        assert [ticket for ticket in found if ticket[0] == name] == [f"{name}{i}" for i in range(40)]


@pytest.mark.parametrize(
    ("samples", "drift"),
    [
        ([(1000, 1000, 1000)], 0),
        ([(1000, 0, 1000)], 1000),
        ([(1000, 8_200_100, 1200)], -8_199_000),
        ([(0, 0, 10_000), (20_000, 19_900, 20_100)], 150),  # the short way is believed
        ([(5000, 0, 1000)], None),  # the clock was set back meanwhile
    ],
)
def test_drift_is_that_of_the_shortest_way(samples: list[tuple[int, int, int]], drift: int | None) -> None:
    learned = Drift()
    for sent, stamped, answered in samples:
        learned.learn(sent, stamped, answered)
    assert learned.ms == drift
    learned.forget()
    assert learned.ms is None


# Silence


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("attente.kiosk.sender.QUIET_S", 0.05)


@pytest.mark.usefixtures("impatient")
def test_silence_of_a_broker_that_is_away_is_told_at_once_and_what_is_on_its_way_is_left_there(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "attente.kiosk")
    way = Way(answers=False, why=BrokerUnreachable("no Kafka broker at k:9092 (connection refused); start one"))
    with kiosk_on(way, tmp_path) as kiosk:
        report(kiosk, "a")
        wait_until(lambda: way.looked >= 3, "somebody looks more than once")
        status = kiosk.status()
        assert (status.trouble, status.is_connected) == (str(way.why), False)
        assert [one.getMessage() for one in caplog.records] == [f"not sending, 1 events are kept: {way.why}"]

        way.answers = True
        for answer in way.waiting:
            answer.is_done = True
        assert kiosk.drain(60)
        assert kiosk.status().trouble == ""
    assert (way.made, tickets(way.arrived)) == (1, ["a"])
    assert "sending again after" in caplog.records[-1].getMessage()


@pytest.mark.usefixtures("impatient")
def test_silence_of_a_broker_that_lets_us_in_no_more_is_the_end_of_the_producer_and_not_of_the_kiosk(
    tmp_path: Path,
) -> None:
    way = Way(answers=False, why=BrokerRefused("the broker at k:9092 refuses user u"))
    with kiosk_on(way, tmp_path) as kiosk:
        report(kiosk, "a")
        wait_until(lambda: way.closed >= 1, "the producer is thrown away")
        assert kiosk.status().trouble == str(way.why)
        assert not kiosk.drain(60)  # nobody waits for who refuses

        way.answers, way.why = True, None
        for answer in way.waiting:  # of those who have been thrown away, and of one that has just been made
            answer.is_done, answer.exception = True, ConnectionError()
        wait_until(lambda: not kiosk.status().held.events, "it is sent by another one")
    assert way.made >= 2
    assert set(tickets(way.arrived)) == {"a"}


@pytest.mark.usefixtures("impatient")
def test_silence_of_a_broker_that_is_there_is_waited_for(tmp_path: Path) -> None:
    way = Way(answers=False)
    with kiosk_on(way, tmp_path) as kiosk:
        report(kiosk, "a")
        wait_until(lambda: way.looked >= 3, "somebody looks more than once")
        assert (kiosk.status().trouble, way.made) == ("", 1)


def test_whoever_learns_that_a_kiosk_is_refused_finds_the_line_that_says_why(tmp_path: Path) -> None:
    way = Way(answers=False)
    found: list[tuple[bool, str]] = []

    class Asks(logging.Handler):
        """Asks while the sender is about to say it."""

        def emit(self, _: logging.LogRecord) -> None:
            found.append((kiosk.drain(0), kiosk.status().trouble if kiosk._sender.progress.is_refused else "not yet"))

    asks = Asks()
    with kiosk_on(way, tmp_path) as kiosk:
        logging.getLogger("attente.kiosk").addHandler(asks)
        try:
            report(kiosk, "a")
            wait_until(lambda: way.waiting, "it is on its way")
            way.failing = BrokerRefused("the broker at k:9092 refuses user u")
            for answer in way.waiting:
                answer.is_done, answer.exception = True, way.failing
            assert not kiosk.drain(60)
            assert kiosk.status().trouble == str(way.failing)
        finally:
            logging.getLogger("attente.kiosk").removeHandler(asks)
    assert found
    assert all(trouble for _, trouble in found)
