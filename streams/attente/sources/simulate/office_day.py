"""One office on one day, event by event: visitors come, wait, are called, are served or leave, and desks go by shifts.

What happens is drawn in the order in which it happens, from randomness that belongs to the office and the day alone, so
it does not matter in how many steps the day is computed, nor by whom.
"""

import math
from bisect import bisect_right
from collections.abc import Callable
from datetime import date
from heapq import heappop, heappush
from typing import Any, Final

from attente.sources.simulate.hours import MINUTE, course, spans_of
from attente.sources.simulate.network import Shares, SimulatedOffice, seconds_a_visitor
from attente.sources.simulate.people import Desk, State, Visitor
from attente.sources.simulate.seeds import stream
from attente.sources.simulate.stamps import Stamps
from attente.sources.simulate.telling import Channel, Teller
from attente.sources.simulate.truth import OfficeTruth
from attente.sources.simulate.wire import Kiosk, Sent, Wire, kiosks

Action = Callable[[int, Any], None]

SECOND: Final = 1_000

# Shares of the visitors who are called.
_AWAY: Final = 0.015  # did not hear it
_WRONG_QUEUE: Final = 0.006  # are sent to another service before anything is done
_PAPERS: Final = 0.01  # are to wait again, with the right papers
# Shares of those who are served.
_LOGGED_OUT: Final = 0.0015  # the desk's session is ended from elsewhere
_FORGOTTEN: Final = 0.001  # nobody tells the system that they have gone
_TRANSFERRED: Final = 0.04  # go to another service from there
_REFERRED: Final = 0.015  # go there after an end
_REQUEUED: Final = 0.008  # are to wait again
_PAUSED: Final = 0.03
_MOST_LEGS: Final = 3

_PATIENCE_MS: Final = {"walkin": 65 * MINUTE, "appointment": 75 * MINUTE, "remote": 120 * MINUTE}  # medians
_PATIENCE_SIGMA: Final = 0.75
_LOOK_MS: Final = 2 * MINUTE
_SILENT: Final = 0.4  # of those who leave do not say so
_BACK: Final = 0.75  # of those who missed a call ask to be called again
_AGAIN: Final = 0.25  # of those who have gone are called once more in vain

_EARLY_MS: Final = 9 * MINUTE  # before an appointment, on average
_PUNCTUAL: Final = 0.88
_GRID_MS: Final = 5 * MINUTE
_PRIVILEGE_MS: Final = 15 * MINUTE  # an appointment is worth so much waiting

_BEAT_MS: Final = 5 * MINUTE
_AROUND_MS: Final = 20 * MINUTE  # kiosks are on before the office opens and after it has closed
_SETTLED_MS: Final = 10 * SECOND  # a kiosk whose line is back says so, and then goes on as usual

_LAST_ENTRY_MS: Final = 20 * MINUTE  # before the closing: from here on it is asked who can still be served
_STAY_MS: Final = 45 * MINUTE  # after the closing, for those who wait
_LUNCH_STAY_MS: Final = 25 * MINUTE
_ENDED_BY_SYSTEM: Final = 0.7  # of the days; on the others who still waits is left open over night


class OfficeDay:
    """One office on one day (`day` as `date.toordinal`)."""

    def __init__(self, office: SimulatedOffice, day: int, shares: Shares, truth: OfficeTruth, stamps: Stamps) -> None:
        """Nothing has happened yet.

        Args:
            office: which one.
            day: the local date.
            shares: what goes wrong on the way to the broker.
            truth: is kept up to date with what happens.
            stamps: the texts of instants in the office's zone.
        """
        self._office = office
        self._behaviour = office.behaviour(day)
        random = stream(office.seed, office.id, day)
        self._random = random.random
        self._gauss = random.gauss
        self._wire = Wire(office, day, shares, truth)
        self._tell = Teller(office, day, self._wire, truth, stamps)
        self._counts = self._tell.counts
        self._agenda: list[tuple[int, int, Action, Any]] = []
        self._planned = 0
        self._date = date.fromordinal(day).isoformat()
        self._each_ms = seconds_a_visitor(office) * self._behaviour.pace * 1000

        self._spans = spans_of(day, office.spans, office.zone)
        self._kiosks = kiosks(office, day, self._spans, shares)
        self._queues: list[list[tuple[int, int, Visitor, int]]] = [[] for _ in office.services]
        self._seated: list[tuple[int, int, Visitor]] = []
        self._waiting: dict[str, Visitor] = {}
        self._aside: dict[str, Visitor] = {}
        self._idle: list[Desk] = []
        self._open = 0
        self._tickets = 0
        self._course = course(self._spans, flat=office.flat)
        self._visitors = office.staffing(day).visitors * (0.9 + 0.2 * self._random())
        self._share = 0.0
        self._plan_the_day(office.staffing(day).desks)

    def advance(self, until: int) -> list[Sent]:
        """Let time pass up to an instant; what has reached the broker since, in order."""
        agenda = self._agenda
        while agenda and agenda[0][0] < until:
            at, _, action, subject = heappop(agenda)
            action(at, subject)
        return self._wire.arrived(until)

    @property
    def over(self) -> bool:
        """Whether nothing happens any more and everything has reached the broker."""
        return not self._agenda and self._wire.empty

    # ---- the plan

    def _at(self, at: int, action: Action, subject: Any = None) -> None:
        self._planned += 1
        heappush(self._agenda, (at, self._planned, action, subject))

    def _between(self, low: int, high: int) -> int:
        return low + int(self._random() * (high - low))

    def _plan_the_day(self, desks: tuple[int, ...]) -> None:
        for begin, end in self._spans:
            self._at(begin + self._between(0, MINUTE), self._office_opens)
            self._at(end + self._between(0, MINUTE), self._office_closes)
        self._plan_desks(desks)
        for kiosk in self._kiosks:
            self._at(self._spans[0][0] - _AROUND_MS + self._between(0, _BEAT_MS), self._beat, kiosk)
            if kiosk.silent[1]:
                self._at(kiosk.silent[1], self._back_on_line, kiosk)
        self._at(self._spans[-1][1] + _STAY_MS + 5 * MINUTE, self._clear)
        self._next_arrival()

    def _plan_desks(self, wanted: tuple[int, ...]) -> None:
        edges = self._course.edges
        ends = {end: _STAY_MS if end == self._spans[-1][1] else _LUNCH_STAY_MS for _, end in self._spans}
        for number in range(max(wanted)):
            desk = Desk(f"{number + 1:02d}", self._served_by(number))
            begun = -1
            for place, count in enumerate((*wanted, 0)):
                if count > number and begun < 0:
                    begun = place
                elif count <= number and begun >= 0:
                    begin, end = edges[begun], edges[place]
                    leaves = end + ends.get(end, 0)
                    self._at(begin + self._between(0, 3 * MINUTE), self._desk_opens, (desk, end, leaves))
                    begun = -1

    def _served_by(self, desk: int) -> tuple[int, ...]:
        """Most desks serve everybody; the first two always do."""
        every = tuple(range(len(self._queues)))
        if desk < 2 or len(every) < 3 or self._behaviour.called_ms or self._random() > 0.2:
            return every
        return every[: len(every) // 2 + 1] if desk % 2 else every[len(every) // 2 - 1 :]

    # ---- the office and its kiosks

    def _office_opens(self, at: int, _: None) -> None:
        self._tell.opens(at)

    def _office_closes(self, at: int, _: None) -> None:
        self._tell.closes(at)

    def _beat(self, at: int, kiosk: Kiosk) -> None:
        if not kiosk.silent[0] <= at < kiosk.silent[1] + _SETTLED_MS:
            self._tell.beats(at, kiosk, 0)
        if at + _BEAT_MS < self._spans[-1][1] + _AROUND_MS:
            self._at(at + _BEAT_MS, self._beat, kiosk)

    def _back_on_line(self, at: int, kiosk: Kiosk) -> None:
        self._tell.beats(at, kiosk, self._wire.spooled[kiosk.id])

    def _clear(self, at: int, _: None) -> None:
        """The day is over: who still waits is sent home, by the system or by nobody."""
        told = self._random() < _ENDED_BY_SYSTEM
        for visitor in (*self._waiting.values(), *self._aside.values()):
            at += self._between(1, 500)
            counts = self._counts[visitor.service]
            if told:
                self._tell.closed(at, visitor, "reset")
                counts.closed += 1
            else:
                counts.left_open += 1
            visitor.state = State.OVER
        for seated in self._seated:
            visitor = seated[2]
            if visitor.state is State.CALLED:
                at += self._between(1, 500)
                self._tell.closed(at, visitor, "reset")
                visitor.state = State.OVER
        self._waiting.clear()
        self._aside.clear()

    # ---- desks

    def _desk_opens(self, at: int, shift: tuple[Desk, int, int]) -> None:
        desk, closes, leaves = shift
        desk.closes, desk.leaves = closes, leaves
        self._at(closes, self._desk_is_to_close, desk)
        if not desk.open:
            self._open_desk(at, desk)
            self._at(at + self._between(SECOND, 20 * SECOND), self._next, desk)

    def _open_desk(self, at: int, desk: Desk) -> None:
        desk.open = True
        desk.since = at
        self._open += 1
        self._tell.desk_opens(at, desk)

    def _close_desk(self, at: int, desk: Desk) -> None:
        desk.open = False
        self._open -= 1
        self._tell.desk_closes(at, desk)

    def _desk_is_to_close(self, at: int, desk: Desk) -> None:
        if desk in self._idle:
            self._idle.remove(desk)
            self._close_desk(at, desk)

    def _next(self, at: int, desk: Desk) -> None:
        """A desk is free."""
        if at >= desk.leaves:
            self._close_desk(at, desk)
        elif self._seated and self._invite(at, desk):
            pass
        elif (visitor := self._chosen(at, desk)) is not None:
            self._call(at, desk, visitor)
        elif at >= desk.closes:
            self._close_desk(at, desk)
        else:
            self._idle.append(desk)

    def _free(self, at: int, desk: Desk) -> None:
        self._at(at + self._between(2 * SECOND, 26 * SECOND), self._next, desk)

    def _chosen(self, at: int, desk: Desk) -> Visitor | None:
        """Takes whoever is next for a desk out of the queue."""
        best: list[tuple[int, int, Visitor, int]] | None = None
        for service in desk.services:
            queue = self._queues[service]
            while queue and not self._can_be_called(at, *queue[0][2:]):
                heappop(queue)
            if queue and (best is None or queue[0] < best[0]):
                best = queue
        return None if best is None else heappop(best)[2]

    def _can_be_called(self, at: int, visitor: Visitor, leg: int) -> bool:
        if visitor.leg != leg or visitor.state not in _IN_QUEUE:
            return False
        limit = self._behaviour.uncalled_ms
        if limit and visitor.state is State.WAITING and at - visitor.came >= limit:
            del self._waiting[visitor.ticket]
            self._aside[visitor.ticket] = visitor
            self._at(at + self._between(3 * MINUTE, 25 * MINUTE), self._leaves, visitor)
            return False
        return True

    # ---- visitors come

    def _next_arrival(self) -> None:
        self._share -= math.log(1.0 - self._random()) / self._visitors
        if self._share < 1.0:
            self._at(self._course.at(self._share), self._comes)

    def _comes(self, at: int, _: None) -> None:
        self._next_arrival()
        office = self._office
        draw = self._random()
        # The last of the weights is 1 but for the rounding.
        service = min(bisect_right(office.weights, draw), len(office.weights) - 1)
        draw = self._random()
        channel: Channel = "walkin"
        if draw < office.remote:
            channel = "remote"
        elif draw < office.remote + office.appointments:
            channel = "appointment"
        if self._is_turned_away(at):
            self._tell.turned_away(at, service)
        elif office.door and channel != "remote":
            at_kiosk = at + self._between(15 * SECOND, 3 * MINUTE)
            self._at(at_kiosk, self._takes_ticket, (service, channel, at))
        else:
            self._takes_ticket(at, (service, channel, 0))

    def _is_turned_away(self, at: int) -> bool:
        wait = len(self._waiting) * self._each_ms / max(1, self._open)
        if self._behaviour.door_ms and wait > self._behaviour.door_ms:
            return True
        closes = self._spans[-1][1]
        return at > closes - _LAST_ENTRY_MS and at + wait > closes + _STAY_MS / 2

    def _takes_ticket(self, at: int, asked: tuple[int, Channel, int]) -> None:
        service, channel, door = asked
        kiosk = None if channel == "remote" else self._kiosks[int(self._random() * len(self._kiosks))]
        shown = at + (kiosk.drift_ms if kiosk else 0)
        self._tickets += 1
        ticket = f"{self._date}/{chr(65 + service % 26)}{self._tickets:03d}"
        due = self._due(at) if channel == "appointment" else 0
        self._tell.issued(at, kiosk, ticket, service, channel, due=due, door=door)
        came = shown - at + door if door else shown
        visitor = Visitor(ticket, service, due - _PRIVILEGE_MS if due else at, came, shown)
        patience = _PATIENCE_MS[channel] * self._behaviour.patience * math.exp(_PATIENCE_SIGMA * self._gauss(0.0, 1.0))
        visitor.leaves = at + MINUTE + int(patience)
        self._joins(at, visitor)

    def _due(self, at: int) -> int:
        """When the appointment is of somebody who comes for one now: mostly in some minutes, else it is over."""
        apart = -int(math.log(1.0 - self._random()) * _EARLY_MS)
        if self._random() < _PUNCTUAL:
            return (at + apart) // _GRID_MS * _GRID_MS + _GRID_MS
        return (at - apart // 2) // _GRID_MS * _GRID_MS

    # ---- visitors wait

    def _joins(self, at: int, visitor: Visitor) -> None:
        """A leg begins, at the issue or by a move."""
        visitor.leg += 1
        visitor.state = State.WAITING
        self._waiting[visitor.ticket] = visitor
        self._queue(at, visitor)
        self._at(at + _LOOK_MS, self._looks_at_the_clock, (visitor, visitor.leg))
        behaviour = self._behaviour
        if behaviour.moved_ms:
            self._at(at + behaviour.moved_ms + self._between(0, 2 * MINUTE), self._is_moved, (visitor, visitor.leg))
        if behaviour.called_ms:
            early = at + behaviour.called_ms + self._between(0, 4 * MINUTE)
            self._at(early, self._is_called_early, (visitor, visitor.leg))

    def _queue(self, at: int, visitor: Visitor) -> None:
        self._planned += 1
        heappush(self._queues[visitor.service], (visitor.key, self._planned, visitor, visitor.leg))
        idle = self._idle
        for place in range(len(idle) - 1, -1, -1):
            if visitor.service in idle[place].services:
                self._at(at + self._between(SECOND, 6 * SECOND), self._next, idle.pop(place))
                return

    def _looks_at_the_clock(self, at: int, subject: tuple[Visitor, int]) -> None:
        """Somebody who waits goes on waiting, or has had enough.

        Patience lasts for an hour, most waits for minutes: planned at once, an office's plan would hold everybody who
        has come within the hour.
        """
        visitor, leg = subject
        if visitor.leg != leg or visitor.state not in _PATIENT:
            return
        if at < visitor.leaves:
            self._at(min(at + _LOOK_MS, visitor.leaves), self._looks_at_the_clock, subject)
        elif visitor.ticket not in self._waiting or self._random() < _SILENT:
            visitor.gone = True  # without a word; or from before a desk, having been called
        else:
            self._leaves(at, visitor)

    def _leaves(self, at: int, visitor: Visitor) -> None:
        if visitor.state is not State.WAITING:
            return
        self._waiting.pop(visitor.ticket, None)
        self._aside.pop(visitor.ticket, None)
        visitor.state = State.OVER
        self._tell.abandoned(at, visitor)

    def _is_moved(self, at: int, subject: tuple[Visitor, int]) -> None:
        """Somebody who has waited too long is sent to another queue, where the wait begins anew."""
        visitor, leg = subject
        if visitor.leg == leg and visitor.state is State.WAITING and not visitor.gone:
            self._moves(at, visitor)

    def _is_called_early(self, at: int, subject: tuple[Visitor, int]) -> None:
        """Somebody is called though no desk is free."""
        visitor, leg = subject
        if visitor.leg == leg and visitor.state is State.WAITING:
            self._is_called(at, visitor, "")
            self._planned += 1
            heappush(self._seated, (visitor.key, self._planned, visitor))

    # ---- visitors are called

    def _is_called(self, at: int, visitor: Visitor, desk: str) -> None:
        self._waiting.pop(visitor.ticket, None)
        visitor.state = State.CALLED
        self._tell.called(at, visitor, desk)

    def _call(self, at: int, desk: Desk, visitor: Visitor) -> None:
        self._is_called(at, visitor, desk.id)
        draw = self._random()
        if visitor.gone or draw < _AWAY:
            self._at(at + self._between(45 * SECOND, 100 * SECOND), self._does_not_come, (desk, visitor))
        elif draw < _AWAY + _WRONG_QUEUE and self._may_move(visitor):
            self._at(at + self._between(15 * SECOND, 40 * SECOND), self._goes_elsewhere, (desk, visitor))
        elif draw < _AWAY + _WRONG_QUEUE + _PAPERS and self._may_move(visitor):
            self._at(at + self._between(15 * SECOND, 60 * SECOND), self._goes_back, (desk, visitor))
        else:
            self._at(at + self._between(5 * SECOND, 35 * SECOND), self._starts, (desk, visitor))

    def _invite(self, at: int, desk: Desk) -> bool:
        """Somebody who was called before comes to the desk; False when nobody is there."""
        while self._seated:
            visitor = heappop(self._seated)[2]
            if visitor.state is not State.CALLED:
                continue
            if visitor.gone:
                self._at(at + self._between(20 * SECOND, 40 * SECOND), self._does_not_come, (desk, visitor))
            else:
                self._at(at + self._between(5 * SECOND, 15 * SECOND), self._starts, (desk, visitor))
            return True
        return False

    def _does_not_come(self, at: int, pair: tuple[Desk, Visitor]) -> None:
        desk, visitor = pair
        self._tell.no_show(at, visitor)
        visitor.state = State.ABSENT
        visitor.since = max(at, visitor.issued)
        visitor.calls += 1
        if visitor.calls == 1 and self._random() < (_AGAIN if visitor.gone else _BACK):
            self._at(at + self._between(MINUTE, 5 * MINUTE), self._asks_again, visitor)
        self._free(at, desk)

    def _asks_again(self, at: int, visitor: Visitor) -> None:
        visitor.leg += 1
        self._queue(at, visitor)

    def _may_move(self, visitor: Visitor) -> bool:
        return visitor.leg < _MOST_LEGS and len(self._queues) > 1

    def _goes_elsewhere(self, at: int, pair: tuple[Desk, Visitor]) -> None:
        desk, visitor = pair
        self._moves(at, visitor)
        self._free(at, desk)

    def _goes_back(self, at: int, pair: tuple[Desk, Visitor]) -> None:
        desk, visitor = pair
        self._tell.requeued(at, visitor)
        visitor.since = max(at, visitor.issued)
        self._joins(at, visitor)
        self._free(at, desk)

    def _moves(self, at: int, visitor: Visitor) -> None:
        """To another service; where there is none, back into the same queue."""
        self._waiting.pop(visitor.ticket, None)
        count = len(self._queues)
        to = (visitor.service + 1 + int(self._random() * (count - 1))) % count
        if count > 1:
            self._tell.transferred(at, visitor, to)
        else:
            self._tell.requeued(at, visitor)
        visitor.service = to
        visitor.since = max(at, visitor.issued)
        self._joins(at, visitor)

    # ---- visitors are served

    def _starts(self, at: int, pair: tuple[Desk, Visitor]) -> None:
        desk, visitor = pair
        if visitor.state is not State.CALLED:  # sent home in the meantime
            self._free(at, desk)
            return
        visitor.state = State.SERVING
        self._tell.started(at, visitor, desk)
        self._goes_on(at, desk, visitor)

    def _goes_on(self, at: int, desk: Desk, visitor: Visitor) -> None:
        """How long the service takes and how it ends is decided when it starts."""
        service = self._office.services[visitor.service]
        scale = service.median_s * self._office.tempo * self._behaviour.pace * 1000
        length = 5 * SECOND + int(scale * math.exp(service.sigma * self._gauss(0.0, 1.0)))
        draw = self._random()
        for share, action, part in _TURNS:
            if draw < share:
                if action in _MOVES and not self._may_move(visitor):
                    break
                self._at(at + int(length * part), getattr(self, action), (desk, visitor))
                return
            draw -= share
        self._at(at + length, self._ends, (desk, visitor))

    def _ends(self, at: int, pair: tuple[Desk, Visitor]) -> None:
        desk, visitor = pair
        is_pending = self._random() < self._behaviour.pending
        self._tell.ended(at, visitor, desk, "pending" if is_pending else "resolved")
        visitor.state = State.OVER
        self._free(at, desk)

    def _is_transferred(self, at: int, pair: tuple[Desk, Visitor]) -> None:
        self._counts[pair[1].service].served["unstated"] += 1
        self._goes_elsewhere(at, pair)

    def _is_requeued(self, at: int, pair: tuple[Desk, Visitor]) -> None:
        self._counts[pair[1].service].served["unstated"] += 1
        self._goes_back(at, pair)

    def _is_referred(self, at: int, pair: tuple[Desk, Visitor]) -> None:
        desk, visitor = pair
        self._tell.ended(at, visitor, desk, "referred")
        self._at(at + self._between(SECOND, 5 * SECOND), self._goes_elsewhere, pair)

    def _pauses(self, at: int, pair: tuple[Desk, Visitor]) -> None:
        self._tell.paused(at, pair[1])
        self._at(at + self._between(30 * SECOND, 4 * MINUTE), self._resumes, pair)

    def _resumes(self, at: int, pair: tuple[Desk, Visitor]) -> None:
        self._tell.resumed(at, pair[1])
        self._at(at + self._between(MINUTE, 3 * MINUTE), self._ends, pair)

    def _is_logged_out(self, at: int, pair: tuple[Desk, Visitor]) -> None:
        """The desk's session is ended from elsewhere, and the visit with it."""
        desk, visitor = pair
        self._tell.closed(at, visitor, "forced_logout")
        visitor.state = State.OVER
        self._close_desk(at + 1, desk)
        self._at(at + self._between(MINUTE, 3 * MINUTE), self._logs_in, desk)

    def _logs_in(self, at: int, desk: Desk) -> None:
        if at < desk.closes and not desk.open:  # the next shift may have begun
            self._open_desk(at, desk)
            self._free(at, desk)

    def _is_forgotten(self, at: int, pair: tuple[Desk, Visitor]) -> None:
        """The visitor goes and the next one is called, but nobody says that it was over."""
        desk, visitor = pair
        visitor.state = State.OVER
        self._free(at, desk)


_PATIENT: Final = (State.WAITING, State.CALLED)
_IN_QUEUE: Final = (State.WAITING, State.ABSENT)
_MOVES: Final = ("_is_transferred", "_is_referred", "_is_requeued")
# What may become of a service: the share of all, what happens, and after which part of the usual time.
_TURNS: Final = (
    (_LOGGED_OUT, "_is_logged_out", 0.5),
    (_FORGOTTEN, "_is_forgotten", 1.0),
    (_TRANSFERRED, "_is_transferred", 0.4),
    (_REFERRED, "_is_referred", 0.6),
    (_REQUEUED, "_is_requeued", 0.3),
    (_PAUSED, "_pauses", 0.5),
)
