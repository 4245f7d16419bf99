"""Lives of visitors and offices over one day, and the totals that follow from them by docs/definitions.md.

Nothing of the core takes part: what a life contributes is added up where it is drawn, so that the totals can tell
whether a program counted right.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from benchmarks.network import APPOINTMENT_NORM, APPOINTMENT_S, SERVICES, WAIT_NORM, WAIT_S

SECOND: Final = 1_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE

MIDNIGHT: Final = 1_768_258_800_000  # of 13 January 2026, a Tuesday, in Paris
OPENING: Final = MIDNIGHT + 8 * HOUR + 30 * MINUTE
BUSIEST: Final = MIDNIGHT + 10 * HOUR
CLOSING: Final = MIDNIGHT + 17 * HOUR
LONGEST_WAIT: Final = HOUR
DESKS: Final = 2  # for an office of size 1

CHANNELS: Final = {"walkin": 0.70, "appointment": 0.22, "remote": 0.08}
OUTCOMES: Final = {"resolved": 0.75, "pending": 0.17, "referred": 0.08}


class Happening(NamedTuple):
    """Something that happened; `attributes` as JSON, beyond what every event carries."""

    at: int
    type: str
    office: str
    attributes: str


@dataclass
class Totals:
    """What a program that counts right must find.

    Attributes:
        tickets: by the names of `lifetime_tickets{event}`.
        wait_ms: by the names of `lifetime_wait_seconds{end}`.
        norms: by norm, the counts of `lifetime_visits{outcome,within}` under `answered_within` and so on.
    """

    tickets: dict[str, int] = field(default_factory=dict)
    wait_ms: dict[str, int] = field(default_factory=dict)
    norms: dict[str, dict[str, int]] = field(default_factory=dict)

    def count(self, name: str) -> None:
        """One more."""
        self.tickets[name] = self.tickets.get(name, 0) + 1

    def wait(self, end: str, wait_ms: int) -> None:
        """A leg's wait is over."""
        self.count(end)
        self.wait_ms[end] = self.wait_ms.get(end, 0) + wait_ms

    def judge(self, norm: str, outcome: str, wait_ms: int, threshold_s: int) -> None:
        """A leg or a visit is over, as far as a norm is concerned."""
        counts = self.norms.setdefault(norm, {})
        # In whole seconds, rounded up; thresholds are whole seconds, so that milliseconds say the same.
        name = f"{outcome}_{'within' if wait_ms <= threshold_s * SECOND else 'beyond'}"
        counts[name] = counts.get(name, 0) + 1


# What may follow the issue, and how often: called, started, ended, moved, no-show, queued again, abandoned.
PATHS: Final = {"cse": 0.86, "a": 0.07, "csmcse": 0.04, "cn": 0.02, "cqcse": 0.01}
_SHORTEST: Final = "a"
_SHORT: Final = "cn"


def _weighted(shares: dict[str, float]) -> tuple[list[str], list[float]]:
    return list(shares), list(shares.values())


class Lives:
    """Draws lives, one after the other, and keeps their totals."""

    def __init__(self, seed: int, sizes: dict[str, int]) -> None:
        self._random = random.Random(seed)  # noqa: S311 - repeatable, not secret
        self._offices = list(sizes)
        self._shares = list(sizes.values())
        self._sizes = sizes
        self._visits = 0
        self.totals = Totals()

    def day(self, events: int) -> list[Happening]:
        """Exactly so many events: every office and its desks open and close, and visitors come in between."""
        found = [event for office in self._offices for event in self._sessions(office)]
        chosen = self._choices()
        while (left := events - len(found)) > 0:
            path, office, service, channel = next(chosen)
            rest = left - 1 - len(path)
            if rest < 0 or rest == 1:  # no life has a single event
                path = _SHORT if left == len(_SHORT) + 1 else _SHORTEST
            found += self._visit(path, office, service, channel)
        return found

    def _choices(self) -> Iterator[tuple[str, str, str, str]]:
        """Draws in bulk: one by one it takes three times as long."""
        draw = self._random.choices
        while True:
            n = 10_000
            yield from zip(
                draw(*_weighted(PATHS), k=n),
                draw(self._offices, self._shares, k=n),
                draw(SERVICES, k=n),
                draw(*_weighted(CHANNELS), k=n),
                strict=True,
            )

    def _sessions(self, office: str) -> Iterator[Happening]:
        between = self._random.randrange
        yield Happening(OPENING - between(15 * MINUTE), "office.opened", office, "")
        yield Happening(CLOSING + between(15 * MINUTE), "office.closed", office, "")
        for desk in range(1, self._sizes[office] * DESKS + 1):
            yield Happening(OPENING - between(10 * MINUTE), "desk.opened", office, f',"desk":"d{desk}"')
            yield Happening(CLOSING + between(2 * HOUR), "desk.closed", office, f',"desk":"d{desk}"')

    def _visit(self, path: str, office: str, service: str, channel: str) -> list[Happening]:
        self._visits += 1
        life = _Life(self._random, self.totals, office, f"2026-01-13/{channel[0].upper()}{self._visits:06d}")
        life.desks = self._sizes[office] * DESKS
        life.issue(service, channel)
        for step in path:
            life.steps[step]()
        life.end()
        return life.events


class _Life:
    """One visit while it is drawn."""

    def __init__(self, draw: random.Random, totals: Totals, office: str, ticket: str) -> None:
        self._random = draw
        self._totals = totals
        self._office = office
        self._ticket = f',"ticket":"{ticket}"'
        self.desks = 1
        self.events: list[Happening] = []
        self._is_appointment = False
        self._desk = ""
        self._at = self._since = self._due = 0
        self._leg_wait = self._leg_wait_due = 0
        self._waits: list[int] = []
        self._outcome = ""
        self.steps = {
            "c": self._call,
            "s": self._start,
            "e": self._serve,
            "m": self._transfer,
            "q": self._requeue,
            "n": self._miss,
            "a": self._abandon,
        }

    def _happen(self, type_: str, more: str = "") -> None:
        self.events.append(Happening(self._at, type_, self._office, self._ticket + more))

    def issue(self, service: str, channel: str) -> None:
        """The visitor takes a ticket."""
        draw = self._random
        self._at = self._since = self._due = int(draw.triangular(OPENING, CLOSING, BUSIEST))
        more = f',"service":"{service}","channel":"{channel}"'
        if channel == "appointment":
            self._is_appointment = True
            # Appointments lie on whole five minutes; most visitors come before, some after.
            due = (self._at + draw.randrange(-10 * MINUTE, 20 * MINUTE)) // (5 * MINUTE) * 5 * MINUTE
            self._due = max(self._at, due)
            more += f',"due":"{rfc3339(due)}"'
        self._happen("ticket.issued", more)
        self._totals.count("issued")

    def _call(self) -> None:
        self._at += min(int(self._random.expovariate(1 / (10 * MINUTE))), LONGEST_WAIT)
        self._desk = f',"desk":"d{self._random.randrange(1, self.desks + 1)}"'
        self._happen("ticket.called", self._desk)
        self._outcome = "answered"
        self._leg_over("called")

    def _start(self) -> None:
        self._at += self._random.randrange(5 * SECOND, MINUTE)
        self._happen("service.started", self._desk)
        self._totals.count("started")

    def _serve(self) -> None:
        self._at += int(self._random.lognormvariate(12.5, 0.7))  # half of them under 4.5 minutes
        outcome = self._random.choices(*_weighted(OUTCOMES))[0]
        self._happen("service.ended", f'{self._desk},"outcome":"{outcome}"')
        self._totals.count("served")

    def _transfer(self) -> None:
        self._at += self._random.randrange(MINUTE, 5 * MINUTE)
        self._happen("ticket.transferred", f',"toservice":"{self._random.choice(SERVICES)}"')
        self._totals.count("served")  # up to here, outcome unstated
        self._totals.count("transferred")
        self._new_leg()

    def _requeue(self) -> None:
        self._at += self._random.randrange(5 * SECOND, MINUTE)
        self._happen("ticket.requeued")
        self._totals.count("requeued")
        self._new_leg()

    def _miss(self) -> None:
        self._at += self._random.randrange(MINUTE, 3 * MINUTE)
        self._happen("ticket.no_show")
        self._outcome = "left"
        self._totals.wait("no_show", self._leg_wait)

    def _abandon(self) -> None:
        self._at += min(int(self._random.expovariate(1 / (15 * MINUTE))), LONGEST_WAIT)
        self._happen("ticket.abandoned")
        self._outcome = "left"
        self._leg_over("abandoned")

    def _leg_over(self, end: str) -> None:
        self._leg_wait = self._at - self._since
        self._leg_wait_due = max(0, self._at - self._due) if not self._waits else self._leg_wait
        self._totals.wait(end, self._leg_wait)

    def _new_leg(self) -> None:
        self._judge_leg()
        self._waits.append(self._leg_wait)
        self._since = self._at

    def _judge_leg(self) -> None:
        if self._is_appointment:
            self._totals.judge(APPOINTMENT_NORM, self._outcome, self._leg_wait_due, APPOINTMENT_S)

    def end(self) -> None:
        """The visit is over."""
        self._judge_leg()
        self._totals.judge(WAIT_NORM, self._outcome, sum(self._waits) + self._leg_wait, WAIT_S)


_minutes: dict[int, str] = {}


def rfc3339(at: int) -> str:
    """An instant of the day as producers in Paris write it; by datetime it would take five times as long."""
    minute, ms = divmod(at - MIDNIGHT, MINUTE)
    text = _minutes.get(minute)
    if text is None:
        text = _minutes[minute] = f"2026-01-13T{minute // 60:02d}:{minute % 60:02d}:"
    return f"{text}{ms // 1000:02d}.{ms % 1000:03d}+01:00"
