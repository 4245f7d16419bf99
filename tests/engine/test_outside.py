"""A worker for whom nobody vouches: it waits for a broker that is away, and ends when it is not let in any more."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import pytest

from attente.engine import outside
from attente.engine.outside import stay_in
from attente.engine.owned import Ownership
from attente.engine.rights import TRIES, Door
from attente.errors import BrokerRefused, BrokerUnreachable, Missing
from attente.security import PLAINTEXT, Security

AWAY = BrokerUnreachable("no Kafka broker at k:9092 (connection refused); start one")
REFUSED = BrokerRefused("the broker at k:9092 refuses user u")
KNOCKS = 20


class Over(Exception):  # noqa: N818 - what has come about
    """The test has seen enough."""


@dataclass
class Lease:
    """What is seen of the ownership."""

    is_leased: bool = False
    stands: tuple[int, ...] = (0,)

    def owned(self) -> tuple[int, ...]:
        return self.stands


@dataclass
class Broker:
    """What a probe finds, one after the other; the last one again and again."""

    answers: list[Exception | None]
    knocked: int = 0
    said: list[str] = field(default_factory=list)

    def probe(self, *_: object) -> None:
        answer = self.answers[min(self.knocked, len(self.answers) - 1)]
        self.knocked += 1
        if self.knocked > KNOCKS:
            raise Over
        if answer is not None:
            raise answer


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Broker]:
    """Lets a worker without a lease knock; gives what came of it."""

    def run(*answers: Exception | None, lease: Lease | None = None, door: Door | None = None) -> Broker:
        broker = Broker(list(answers))
        monkeypatch.setattr("attente.engine.rights.probe", broker.probe)
        monkeypatch.setattr(outside, "KNOCK_S", 0.0)
        monkeypatch.setattr(outside, "IDLE_S", 0.0)
        staying = stay_in(
            cast("Ownership", lease or Lease()), door or Door("k:9092", PLAINTEXT), "k:9092", broker.said.append
        )
        with contextlib.suppress(Over, TimeoutError):
            asyncio.run(asyncio.wait_for(staying, 0.2 if lease is not None and lease.is_leased else 60.0))
        return broker

    return run


def test_whoever_has_the_brokers_word_does_not_knock(ask: Callable[..., Broker]) -> None:
    assert ask(REFUSED, lease=Lease(is_leased=True)).knocked == 0


def test_a_broker_that_is_away_is_waited_for_with_one_line(ask: Callable[..., Broker]) -> None:
    broker = ask(AWAY)

    assert broker.knocked > KNOCKS
    assert broker.said == [f"waits for the broker at k:9092: {AWAY}"]


def test_whoever_is_refused_several_times_in_a_row_ends_with_that_line(ask: Callable[..., Broker]) -> None:
    for lease in (Lease(), Lease(stands=())):
        with pytest.raises(BrokerRefused, match="refuses user u"):
            ask(*[REFUSED] * (TRIES - 1), None, AWAY, REFUSED, lease=lease)


def test_a_refusal_that_passes_is_no_reason_to_end(ask: Callable[..., Broker]) -> None:
    assert ask(*([REFUSED, REFUSED, None] * KNOCKS)).knocked > KNOCKS


def test_an_open_door_alone_is_no_reason_to_end(ask: Callable[..., Broker]) -> None:
    broker = ask(None)

    assert (broker.knocked > KNOCKS, broker.said) == (True, [])


@pytest.fixture
def password(tmp_path: Path) -> Path:
    file = tmp_path / "password"
    file.write_text("before")
    return file


def door_of(password: Path) -> Door:
    door = Door("k:9092", Security(protocol="sasl", user="u", password_file=password))
    password.write_text("after")
    return door


def test_whoever_has_read_a_password_that_is_replaced_and_stays_outside_ends_to_read_it_again(
    ask: Callable[..., Broker], password: Path
) -> None:
    with pytest.raises(BrokerRefused, match=r"has been replaced since this worker has started; start it again$"):
        ask(AWAY, None, AWAY, None, None, door=door_of(password))


def test_a_replaced_password_is_no_reason_while_the_broker_is_away_nor_for_whoever_has_nothing_to_do(
    ask: Callable[..., Broker], password: Path
) -> None:
    assert ask(AWAY, None, AWAY, None, AWAY, door=door_of(password)).knocked > KNOCKS
    assert ask(None, lease=Lease(stands=()), door=door_of(password)).knocked > KNOCKS


def test_a_password_that_is_gone_is_told(ask: Callable[..., Broker], password: Path) -> None:
    door = door_of(password)
    password.unlink()

    with pytest.raises(Missing, match="cannot be read"):
        ask(None, door=door)
