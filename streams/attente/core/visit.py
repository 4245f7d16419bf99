"""A visit: the state machine that a ticket's facts go through, and the fold that is its reference.

The table of transitions is docs/definitions.md; each method of `Visit` is one column or row of it.
"""

from typing import Final, Protocol

from attente.core import panes
from attente.core.calendar import Calendar
from attente.core.facts import (
    ABANDONED,
    ARRIVED,
    CALLED,
    CLOSED,
    DUE,
    ENDED,
    ISSUED,
    KIND,
    LOW_42,
    LOW_TIME,
    NARROW,
    NO_SHOW,
    PAUSED,
    REQUEUED,
    RESUMED,
    STARTED,
    TIME,
    TRANSFERRED,
    order,
)
from attente.core.panes import CELL, MEASURE, PANE_MS
from attente.core.plan import Plan

SKEW_MS: Final = 5_000  # how far a desk's clock may be behind the kiosk's

# Phases. Those after PAUSE are ends: the visit is over unless a fact takes it up again.
NOT_ISSUED: Final = 0
WAITING: Final = 1
AT_CALL: Final = 2
SERVING: Final = 3
PAUSE: Final = 4
ABSENT: Final = 5
OVER: Final = 6

# What became of a leg, in one reading
NEITHER: Final = 0
ANSWERED: Final = 1
LEFT: Final = 2


class Sink(Protocol):
    """Where contributions go: an office's panes, or a `Delta` that keeps them apart."""

    def add(self, pane: int, key: int, n: int) -> None:
        """Count `n` under a key; negative only in a fold, for the visits that an office steps in place have no end."""

    def wait(self, pane: int, head: int, wait_ms: int) -> None:
        """Count one wait under the key whose seconds are left open."""


class Delta:
    """Contributions kept apart, so that two folds can be compared: (pane, key) -> count."""

    __slots__ = ("counts",)

    def __init__(self) -> None:
        self.counts: dict[tuple[int, int], int] = {}

    def add(self, pane: int, key: int, n: int) -> None:
        """Count `n` under a key."""
        at = (pane, key)
        self.counts[at] = self.counts.get(at, 0) + n

    def wait(self, pane: int, head: int, wait_ms: int) -> None:
        """Count one wait."""
        self.add(pane, head | panes.whole_seconds(wait_ms), 1)
        self.add(pane, head | panes.SUM, wait_ms)

    def net(self) -> list[tuple[int, int, int]]:
        """All that is left, as (pane, key, count), without zeros."""
        return [(pane, key, n) for (pane, key), n in self.counts.items() if n]

    def less(self, other: "Delta") -> list[tuple[int, int, int]]:
        """What this one has more than the other, as (pane, key, count), without zeros."""
        net = dict(self.counts)
        for at, n in other.counts.items():
            net[at] = net.get(at, 0) - n
        return [(pane, key, n) for (pane, key), n in net.items() if n]


class Visit:
    """What the fold of a ticket's facts has reached.

    A leg's wait has two readings: to the call, and to the start of service. `call_*` and `start_*` hold where each
    ended for the present leg; `first_*` the same for leg 1 once a later leg has begun; `rest_*` the sums over the
    finished legs after the first.
    """

    __slots__ = (
        "began",
        "call_end",
        "call_outcome",
        "called",
        "cell",
        "due",
        "ended",
        "facts",
        "first_call_end",
        "first_call_outcome",
        "first_cell",
        "first_start_end",
        "first_start_outcome",
        "issued",
        "last",
        "legs",
        "paused",
        "phase",
        "plan",
        "rest_call",
        "rest_start",
        "since",
        "start_end",
        "start_outcome",
        "walked_in",
    )

    first_cell: int
    issued: int
    walked_in: int  # where the clocks from `arrived` and from `due` start
    due: int
    since: int  # the present leg began
    called: int
    began: int  # the present service began, pauses moved out
    paused: int
    ended: int  # the visit's end, where it has one
    call_end: int
    call_outcome: int
    start_end: int
    start_outcome: int
    first_call_end: int
    first_call_outcome: int
    first_start_end: int
    first_start_outcome: int

    def __init__(self, plan: Plan) -> None:
        # What is not set here is set by the fact that makes it meaningful: a visit is made in half the time.
        self.plan = plan
        self.facts: list[int] = []
        self.last = -1  # of the last fact: itself where it is narrow, else the greatest narrow one of its instant
        self.phase = NOT_ISSUED
        self.cell = 0
        self.legs = 0
        self.rest_call = 0
        self.rest_start = 0

    # ---- one fact in order

    def step(self, fact: int, at: int, sink: Sink) -> None:  # noqa: C901, PLR0912 - the table; the usual facts first
        """Take the fact after all earlier ones. `at` is its own time, or the issue's where clocks are askew."""
        kind = fact >> KIND & 15
        phase = self.phase
        if kind == CALLED:
            if phase == WAITING:
                self._call(at, sink)
            elif phase == ABSENT:
                self._call_again(at, sink)
            else:
                self._contradict(kind, at, sink)
        elif kind == STARTED:
            if phase == WAITING:
                self._call(at, sink)
                self._start(at, sink)
            elif phase == AT_CALL:
                self._start(at, sink)
            elif phase == ABSENT:
                self._call_again(at, sink)
                self._start(at, sink)
            else:
                self._contradict(kind, at, sink)
        elif kind == ENDED:
            if AT_CALL <= phase <= PAUSE:
                if phase == AT_CALL:
                    self._start(self.called, sink)
                self._serve(fact >> 13 & 3, at, sink)
                self._end(OVER, at, sink)
            else:
                self._contradict(kind, at, sink)
        elif kind == ISSUED:
            if phase == NOT_ISSUED:
                self._issue(fact, at, sink)
            else:
                self._contradict(kind, at, sink)
        else:
            self._step_rarely(fact, kind, at, sink)

    def _step_rarely(self, fact: int, kind: int, at: int, sink: Sink) -> None:
        phase = self.phase
        if kind == ABANDONED and phase == WAITING:
            self._leave(at, sink)
        elif kind == NO_SHOW and phase == AT_CALL:
            self._miss(at, sink)
        elif kind in {TRANSFERRED, REQUEUED} and phase != NOT_ISSUED:
            self._move(fact, kind, at, sink)
        elif kind == CLOSED and WAITING <= phase <= PAUSE:
            self._close(at, sink)
        elif kind == PAUSED and phase == SERVING:
            self.phase = PAUSE
            self.paused = at
        elif kind == RESUMED and phase == PAUSE:
            self.phase = SERVING
            self.began += at - self.paused
        else:
            self._contradict(kind, at, sink)

    def overnight(self, passed: int, calendar: Calendar, sink: Sink) -> None:
        """Close a visit that is still open and has not been heard of since before `passed`, the latest cut-over."""
        if WAITING <= self.phase <= PAUSE:
            last = self.last >> TIME
            if last < passed:
                self._close(calendar.cut_over_after(last), sink)

    # ---- what a fact does

    def _contradict(self, kind: int, at: int, sink: Sink) -> None:
        sink.add(at // PANE_MS, self.cell << CELL | panes.CONTRADICTION << MEASURE | kind, 1)

    def _issue(self, fact: int, at: int, sink: Sink) -> None:
        self.phase = WAITING
        self.cell = self.first_cell = fact >> 4 & 0xFFF
        self.legs = 1
        self.issued = self.since = self.walked_in = self.due = at
        if fact > NARROW:
            self.walked_in = (fact >> ARRIVED & LOW_42) or at
            if self.cell & 3 == 1:  # an appointment
                self.due = max(fact >> DUE & LOW_42, at)
        sink.add(at // PANE_MS, self.cell << CELL | panes.ISSUED << MEASURE, 1)

    def _wait_until(self, at: int, start: int) -> int:
        """The present leg's wait in milliseconds, by the clock that starts at `start`."""
        if self.legs > 1 or start == panes.FROM_ISSUED:
            return at - self.since
        return max(0, at - (self.walked_in if start == panes.FROM_ARRIVED else self.due))

    def _call(self, at: int, sink: Sink) -> None:
        self.phase = AT_CALL
        self.called = self.call_end = at
        self.call_outcome = ANSWERED
        base = self.cell << CELL
        pane = at // PANE_MS
        sink.wait(pane, base | panes.REACHED << MEASURE, at - self.since)
        for start in self.plan.called_starts:
            sink.wait(pane, base | panes.REACHED + start * 2 << MEASURE, self._wait_until(at, start))

    def _call_again(self, at: int, sink: Sink) -> None:
        missed = self.ended
        self._take_up(sink)
        self.since = missed
        self._call(at, sink)

    def _start(self, at: int, sink: Sink) -> None:
        self.phase = SERVING
        self.began = self.start_end = at
        self.start_outcome = ANSWERED
        base = self.cell << CELL
        pane = at // PANE_MS
        sink.wait(pane, base | panes.REACHED + panes.ISSUED_TO_STARTED << MEASURE, at - self.since)
        for start in self.plan.started_starts:
            number = start * 2 + panes.TO_STARTED
            sink.wait(pane, base | panes.REACHED + number << MEASURE, self._wait_until(at, start))

    def _serve(self, outcome: int, at: int, sink: Sink) -> None:
        if self.phase == PAUSE:
            self.began += at - self.paused
        sink.wait(at // PANE_MS, self.cell << CELL | panes.SERVED + outcome << MEASURE, at - self.began)

    def _miss(self, at: int, sink: Sink) -> None:
        self.call_outcome = self.start_outcome = LEFT
        self.start_end = self.called
        self._leave_by(panes.LEFT_NO_SHOW, self.called, sink)
        self._end(ABSENT, at, sink)

    def _leave(self, at: int, sink: Sink) -> None:
        self.call_outcome = self.start_outcome = LEFT
        self.call_end = self.start_end = at
        self._leave_by(panes.LEFT_ABANDONED, at, sink)
        self._end(OVER, at, sink)

    def _leave_by(self, measure: int, at: int, sink: Sink) -> None:
        base = self.cell << CELL
        pane = at // PANE_MS
        sink.wait(pane, base | measure << MEASURE, at - self.since)
        for start in self.plan.starts:
            sink.wait(pane, base | measure + start << MEASURE, self._wait_until(at, start))

    def _close(self, at: int, sink: Sink) -> None:
        if self.phase == WAITING:
            sink.add(at // PANE_MS, self.cell << CELL | panes.CLOSED << MEASURE, 1)
        self._stop_waiting(at)
        self._end(OVER, at, sink)

    def _move(self, fact: int, kind: int, at: int, sink: Sink) -> None:
        if self.phase > PAUSE:
            self._take_up(sink)
        else:
            if self.phase >= SERVING:
                self._serve(0, at, sink)
            self._stop_waiting(at)
            self._bank()
        measure = panes.TRANSFERRED if kind == TRANSFERRED else panes.REQUEUED
        sink.add(at // PANE_MS, self.cell << CELL | measure << MEASURE, 1)
        if kind == TRANSFERRED or fact & 2:
            self.cell = (fact >> 6 & 0x3FF) << 2 | self.cell & 3
        self.phase = WAITING
        self.since = at

    def _stop_waiting(self, at: int) -> None:
        """A leg that is moved or closed: what it still waited for, it waited for in vain."""
        if self.phase == WAITING:
            self.call_end = self.start_end = at
            self.call_outcome = self.start_outcome = NEITHER
        elif self.phase == AT_CALL:
            self.start_end = at
            self.start_outcome = NEITHER

    def waited(self, now: int, start: int, end: int, per_visit: bool, per_first: bool) -> int:
        """How long a visit that waits now has waited by a clock, in milliseconds; -1 where the clock has stopped.

        Per first it has once a later leg has begun.
        """
        if not per_visit:
            return -1 if per_first and self.legs > 1 else self._wait_until(now, start)
        if self.legs == 1:
            return self._wait_until(now, start)
        begin = (self.issued, self.walked_in, self.due)[start]
        first_end = self.first_start_end if end == panes.TO_STARTED else self.first_call_end
        rest = self.rest_start if end == panes.TO_STARTED else self.rest_call
        return max(0, first_end - begin) + rest + now - self.since

    # ---- legs and the end of a visit

    def _bank(self) -> None:
        """The present leg is over and another begins."""
        if self.legs == 1:
            self.first_call_end = self.call_end
            self.first_call_outcome = self.call_outcome
            self.first_start_end = self.start_end
            self.first_start_outcome = self.start_outcome
        else:
            self.rest_call += self.call_end - self.since
            self.rest_start += self.start_end - self.since
        self.legs += 1

    def _end(self, phase: int, at: int, sink: Sink) -> None:
        self.phase = phase
        self.ended = at
        pane = at // PANE_MS
        for head, wait in self._account():
            sink.wait(pane, head, wait)

    def _take_up(self, sink: Sink) -> None:
        """The visit goes on after its end: what the end contributed is taken back."""
        pane = self.ended // PANE_MS
        for head, wait in self._account():
            sink.add(pane, head | panes.whole_seconds(wait), -1)
            sink.add(pane, head | panes.SUM, -wait)
        self._bank()

    def _account(self) -> list[tuple[int, int]]:
        """What the visit contributes at its end, as (key without seconds, wait): first and visit, by each clock."""
        out: list[tuple[int, int]] = []
        base = self.first_cell << CELL
        for number, start, to_started in self.plan.visit_clocks:
            if to_started:
                end, outcome, rest = self.start_end, self.start_outcome, self.rest_start
            else:
                end, outcome, rest = self.call_end, self.call_outcome, self.rest_call
            first_end, first_outcome = end, outcome
            if self.legs > 1:
                rest += end - self.since
                first_end = self.first_start_end if to_started else self.first_call_end
                first_outcome = self.first_start_outcome if to_started else self.first_call_outcome
            begin = self.issued
            if start:
                begin = self.walked_in if start == panes.FROM_ARRIVED else self.due
            first = max(0, first_end - begin)
            if first_outcome != NEITHER:
                measure = panes.FIRST_ANSWERED if first_outcome == ANSWERED else panes.FIRST_LEFT
                out.append((base | measure + number << MEASURE, first))
            if outcome != NEITHER:
                measure = panes.VISIT_ANSWERED if outcome == ANSWERED else panes.VISIT_LEFT
                out.append((base | measure + number << MEASURE, first + rest))
        return out


def mark_of(fact: int) -> int:
    """What `Visit.last` holds of a fact: a narrow fact after the mark is after the fact, whatever its sequence."""
    return fact if fact <= NARROW else (fact & NARROW) | LOW_TIME


def follows(fact: int, at: int, visit: Visit) -> bool:
    """Whether a wide fact lies after all that the visit has taken; `at` is its time."""
    return at << TIME > visit.last or order(fact) > order(visit.facts[-1])


def fold(facts: list[int], plan: Plan, sink: Sink) -> Visit:
    """The reference: sorted facts through the state machine, clocks askew by up to five seconds set right."""
    visit = Visit(plan)
    visit.facts = facts
    visit.last = mark_of(facts[-1])
    first = facts[0]
    issue = first if first >> KIND & 15 == ISSUED else next((f for f in facts if f >> KIND & 15 == ISSUED), None)
    if issue is None or issue is first:
        for fact in facts:
            visit.step(fact, fact >> TIME & LOW_42, sink)
        return visit
    issued = issue >> TIME & LOW_42
    place = order(issue)
    skewed = [f for f in facts if order(f) < place and f >> TIME & LOW_42 >= issued - SKEW_MS]
    for fact in facts:
        if order(fact) >= place or fact >> TIME & LOW_42 < issued - SKEW_MS:
            visit.step(fact, fact >> TIME & LOW_42, sink)
        if fact == issue:
            for early in skewed:
                visit.step(early, issued, sink)
    return visit
