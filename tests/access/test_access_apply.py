"""Rights are looked at again once they are made: a broker learns a moment later what its controller agreed to."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from attente.broker import access
from attente.broker.access import Done, apply
from attente.broker.admin import Admin
from attente.broker.grants import Found, Grant, Network, Resource

NETWORK = Network("attente.", "attente", (("nation", "hall-1"),))
GONE = "attente.kiosk/nation/hall-2"
SURPLUS = Grant(GONE, Resource.TOPIC, "attente.events", "write")
ALL = {grant for one in NETWORK.principals() for grant in one.grants}


@dataclass
class Slow:
    """A broker that shows what it was told only after it has been looked at some times; 0 is never.

    Attributes:
        after: how often.
        refused: what it does not take.
    """

    after: int = 1
    refused: frozenset[Grant] = frozenset()
    grants: set[Grant] = field(default_factory=lambda: {SURPLUS})
    users: set[str] = field(default_factory=lambda: {GONE})
    waiting: list[Callable[[], None]] = field(default_factory=list)
    looks: int = 0

    def access(self) -> Found:
        self.looks += 1
        if self.looks - 1 == self.after:
            for change in self.waiting:
                change()
        return Found(frozenset(self.grants), users=frozenset(self.users))

    def allow(self, grants: Sequence[Grant]) -> dict[Grant, str]:
        taken = [grant for grant in grants if grant not in self.refused]
        self.waiting.append(lambda: self.grants.update(taken))
        return {grant: "InvalidRequestError" if grant in self.refused else "" for grant in grants}

    def revoke(self, grants: Sequence[Grant]) -> dict[Grant, str]:
        self.waiting.append(lambda: self.grants.difference_update(grants))
        return dict.fromkeys(grants, "")

    def forget(self, users: Sequence[str]) -> dict[str, str | None]:
        self.waiting.append(lambda: self.users.difference_update(users))
        return dict.fromkeys(users)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "_VISIBLE_S", 0.2)
    monkeypatch.setattr(access, "_PAUSE_S", 0.0)


def applied(broker: Slow, **how: Any) -> list[Done]:
    return apply(cast("Admin", broker), NETWORK, **how)


def failures(done: list[Done]) -> set[tuple[str, str, str]]:
    return {(one.principal, one.what, one.failure) for one in done if one.failure}


@pytest.mark.parametrize("after", [1, 2, 9])
def test_what_is_shown_a_moment_later_is_done(after: int) -> None:
    done = applied(Slow(after))

    assert failures(done) == set()
    assert len(done) == len(ALL) + 2


def test_what_is_never_shown_is_a_failure_be_it_given_or_taken_away() -> None:
    found = failures(applied(Slow(after=0)))

    said = "the broker took it and does not show it"
    assert (GONE, "no longer write topic attente.events", said) in found
    assert (GONE, "remove the password", said) in found
    assert len(found) == len(ALL) + 2


def test_what_is_refused_is_told_with_the_brokers_word_and_not_waited_for() -> None:
    bad = Grant("attente.worker", Resource.GROUP, "attente", "read")
    broker = Slow(refused=frozenset({bad}))

    assert failures(applied(broker)) == {("attente.worker", "read group attente", "InvalidRequestError")}
    assert broker.looks == 2


def test_where_only_roles_are_provided_for_nobody_else_is_looked_at() -> None:
    broker = Slow()

    assert failures(applied(broker, roles_only=True)) == set()
    assert (SURPLUS in broker.grants, broker.users) == (True, {GONE})
