"""An office: the facts held about its tickets, desks, kiosks, and the figures that follow from them.

State is what cannot be folded again (sealed figures, deficits of counters, corrections) and the facts held. Panes are
derived: a function of the facts, kept up to date by what each new fact changes.
"""

from bisect import insort
from hashlib import blake2b
from typing import Final

from attente.core import panes
from attente.core.days import Days
from attente.core.facts import (
    KIND,
    LOW_42,
    NARROW,
    NO_SHOW,
    REQUEUED,
    SEQUENCE,
    SESSION_OPENED,
    TIME,
    TRANSFERRED,
    checksum,
    order,
    pack,
    session_order,
    unpack,
)
from attente.core.ledger import Ledger
from attente.core.panes import CELL, MEASURE, PANE_MS, SECONDS, SUM, Row, change
from attente.core.plan import OfficePlan, Plan
from attente.core.sessions import Sessions, fold_sessions
from attente.core.visit import NOT_ISSUED, PAUSE, Delta, Sink, Visit, fold, follows, mark_of
from attente.model.events import DeskClosed, DeskOpened, KioskHeartbeat, OfficeClosed, OfficeOpened, VisitorTurnedAway
from attente.model.kinds import Kind
from attente.model.reasons import Reason, Refusal, shown

QUARTER_MS: Final = 900_000  # the grain of sealing
MOST_FACTS: Final = 200
"""Of one ticket, or one desk on one day: a life has ten or twenty. A fact out of order folds all of them again, so a
ticket that everything is sent under would cost 26 ms an event at 6,000 facts, and hold a worker up a day later."""
LONGEST_MS: Final = panes.BEYOND * 1000
SESSION_KINDS: Final = (
    (int(Kind.OFFICE_CLOSED), int(Kind.OFFICE_OPENED)),
    (int(Kind.DESK_CLOSED), int(Kind.DESK_OPENED)),
)
COUNTED: Final = frozenset(
    {
        panes.ISSUED,
        panes.TRANSFERRED,
        panes.REQUEUED,
        panes.CLOSED,
        panes.TURNED_AWAY,
        panes.REACHED + panes.ISSUED_TO_STARTED,
        *range(panes.SERVED, panes.SERVED + 4),
    }
)
"""Measures that a counter shows by their count alone."""
_NOT_KEPT: Final[Row] = {}
TIMED: Final = frozenset({panes.REACHED, panes.LEFT_ABANDONED, panes.LEFT_NO_SHOW})
"""Measures that a counter shows as a histogram too."""
TAKEN_UP: Final = frozenset({NO_SHOW, TRANSFERRED, REQUEUED})
"""Kinds of facts after which a visit that was over may go on; without one nothing of a visit is ever taken back."""

SessionEvent = DeskOpened | DeskClosed | OfficeOpened | OfficeClosed
Turned = tuple[int, int, int]
"""Instant, number of the service, count of visitors turned away."""
Beat = tuple[int, int, int, str]
"""Instant, events spooled, drift in milliseconds, version of a kiosk's newest heartbeat."""


def identity(source: str, id_: str) -> int:
    """64 bits that stand for an event's source and id."""
    text = f"{len(source)}:{source}{id_}".encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "big")


def _too_many(what: str, name: str) -> str:
    return f"of {what} {shown(name)} {MOST_FACTS} events are known within the horizon; is it one name for many?"


class Office:
    """One office of a partition.

    Attributes:
        open, closed: visits by ticket; open ones live, those over (or closed overnight) as packed facts.
        panes: pane -> row of counts; derived.
        due: quarter of an hour -> tickets whose last fact lay there or later when they were filed; an index.
        cut: what lies before it has been sealed: the last full quarter of an hour of stream time less the horizon.
        passed: the latest cut-over that stream time has reached.
        sessions: facts of desks and of the office by business day and desk ("" is the office itself).
        behind: the services whose counters have deficits; derived.
        deficits: series of a counter -> by how much its exact count is below the greatest it has had.
        signing: what its signatures are held against; None where they are not looked at.
        heard: the time of the newest fact; derived, and so known only of facts that are held.
        touched: panes changed since the view last looked, those before `summed` with the row as it then was; not state.
        summed: the pane before which the view has added up the rows that it saw; not state.
        ledger: who is told of what is sealed; not state.
    """

    def __init__(self, plan: Plan, office: OfficePlan, stream: int, ledger: Ledger | None = None) -> None:
        self.plan = plan
        self.ledger = ledger
        self.id = office.id
        self.calendar = office.calendar
        self.services = office.services
        self.signing = office.signing
        self.cut = stream // QUARTER_MS * QUARTER_MS - plan.horizon
        self.passed = office.calendar.cut_over_before(stream)
        self.next_cut_over = office.calendar.cut_over_after(stream)
        self.open: dict[str, Visit] = {}
        self.closed: dict[str, bytes] = {}
        self.due: dict[int, list[str]] = {}
        self.panes: dict[int, Row] = {}
        self.touched: dict[int, Row] = {}
        self.summed = -1
        self.sessions: dict[tuple[int, str], list[int]] = {}
        self.turned: dict[int, Turned] = {}
        self.beats: dict[str, Beat] = {}
        self.days = Days()
        self.deficits: dict[int, int] = {}
        self.behind: set[int] = set()
        self.corrections = 0
        self.heard = 0
        self._pane = -1
        self._row: Row = {}
        self._took_back = False

    # ---- the sink of contributions: in place, for the fast path

    def _turn_to(self, pane: int) -> Row:
        row = self.panes.get(pane)
        if row is None:
            row = self.panes[pane] = {}
        if pane not in self.touched:
            self.touched[pane] = row.copy() if pane < self.summed else _NOT_KEPT
        self._pane = pane
        self._row = row
        return row

    def look(self) -> dict[int, Row]:
        """The panes changed since the last look, with their rows at that time where they were before `summed`."""
        touched = self.touched
        self.touched = {}
        self._pane = -1
        return touched

    def add(self, pane: int, key: int, n: int) -> None:
        """Count `n` under a key."""
        row = self._row if pane == self._pane else self._turn_to(pane)
        row[key] = row.get(key, 0) + n

    def wait(self, pane: int, head: int, wait_ms: int) -> None:
        """Count one wait."""
        row = self._row if pane == self._pane else self._turn_to(pane)
        key = head - (-wait_ms // 1000 if wait_ms < LONGEST_MS else -panes.BEYOND)
        row[key] = row.get(key, 0) + 1
        if wait_ms:
            key = head | SUM
            row[key] = row.get(key, 0) + wait_ms

    def _change(self, pane: int, key: int, by: int) -> None:
        """Change a count either way; a pane without counts is no pane."""
        row = self._row if pane == self._pane else self._turn_to(pane)
        change(row, key, by)
        if not row:
            del self.panes[pane]
            self._pane = -1

    def _apply(self, net: list[tuple[int, int, int]]) -> None:
        """Changes of one event, whatever their sign: panes, deficits of counters, corrections."""
        for pane, key, n in net:
            self._change(pane, key, n)
            if n < 0:
                self._took_back = True
        if self._took_back or self.deficits:
            self._settle(net)

    def _settle(self, net: list[tuple[int, int, int]]) -> None:
        """Keep each counter's greatest value: a fall of the exact count deepens its deficit, a rise fills it first."""
        series: Row = {}
        for _, key, n in net:
            for name in self._series_of(key):
                series[name] = series.get(name, 0) + n
        for name, n in series.items():
            deficit = self.deficits.get(name, 0) - n
            if deficit > 0:
                self.deficits[name] = deficit
            else:
                self.deficits.pop(name, None)
        self.behind = {name >> CELL >> 2 for name in self.deficits}

    def load_deficits(self, deficits: dict[int, int]) -> None:
        """Take the deficits of a checkpoint."""
        self.deficits = deficits
        self.behind = {name >> CELL >> 2 for name in deficits}

    def _series_of(self, key: int) -> list[int]:
        """The counter series that an entry of a pane is part of, named by keys of coarse rows, cumulative."""
        measure = key >> MEASURE & 255
        if measure == panes.ISSUED:
            return [key]
        head = key >> CELL >> 2 << 2 << CELL | measure << MEASURE  # all channels together
        seconds = key & SECONDS
        if measure in TIMED:
            if seconds == SUM:
                return [head | SUM]
            return [*(head | bound for bound in self.plan.bounds if bound >= seconds), head | panes.BEYOND]
        return [head] if measure in COUNTED and seconds != SUM else []

    # ---- tickets

    def learn(self, ticket: str, fact: int, at: int) -> bool:
        """Take a fact about a ticket; False where it was known. Raises `Refusal` where more is known than a life has.

        The fast path moves the live visit in place: the fact lies after all known ones, the ticket was issued, and the
        last cut-over lies before the fact. All else is a refold.
        """
        visit = self.open.get(ticket)
        if visit is None:
            if at < self.passed or fact >> KIND & 15 or ticket in self.closed:
                return self._refold(ticket, fact)
            visit = self.open[ticket] = Visit(self.plan)
            self._file(ticket, at)
            service = fact >> 6 & 0x3FF
        elif (
            at < self.passed
            or visit.phase == NOT_ISSUED
            or not (fact > visit.last if fact <= NARROW else follows(fact, at, visit))
        ):
            return self._refold(ticket, fact)
        else:
            service = visit.cell >> 2
            if len(visit.facts) >= MOST_FACTS:
                raise Refusal(Reason.TOO_MANY_FACTS, _too_many("ticket", ticket))
        visit.facts.append(fact)
        visit.last = fact if fact <= NARROW else mark_of(fact)
        if service in self.behind:
            delta = Delta()
            visit.step(fact, at, delta)
            self._apply(delta.net())
        else:
            visit.step(fact, at, self)
        if visit.phase > PAUSE:
            del self.open[ticket]
            self.closed[ticket] = pack(visit.facts)
        return True

    def _refold(self, ticket: str, fact: int) -> bool:
        """f(facts + fact) - f(facts), whatever the order of arrival."""
        visit = self.open.get(ticket)
        if visit is not None:
            facts = visit.facts
        else:
            packed = self.closed.get(ticket)
            facts = [] if packed is None else unpack(packed)
        if fact in facts:
            return False
        if len(facts) >= MOST_FACTS:
            raise Refusal(Reason.TOO_MANY_FACTS, _too_many("ticket", ticket))
        before = Delta()
        if facts:
            self._fold(facts, before)
        else:
            self._file(ticket, fact >> TIME & LOW_42)
        facts = facts[:]
        insort(facts, fact, key=order)
        after = Delta()
        self._hold(ticket, facts, self._fold(facts, after))
        self._apply(after.less(before))
        if self._took_back:
            self.corrections += 1
            self._took_back = False
        return True

    def _fold(self, facts: list[int], sink: Sink) -> Visit:
        visit = fold(facts, self.plan, sink)
        visit.overnight(self.passed, self.calendar, sink)
        return visit

    def _hold(self, ticket: str, facts: list[int], visit: Visit) -> None:
        if visit.phase > PAUSE:
            self.open.pop(ticket, None)
            self.closed[ticket] = pack(facts)
        else:
            self.closed.pop(ticket, None)
            self.open[ticket] = visit

    def _file(self, ticket: str, at: int) -> None:
        self.due.setdefault(at // QUARTER_MS, []).append(ticket)

    def load_ticket(self, ticket: str, packed: bytes) -> None:
        """Take a ticket from a checkpoint: its contributions are derived again."""
        facts = unpack(packed)
        if TAKEN_UP.isdisjoint([fact >> KIND & 15 for fact in facts]):
            visit = self._fold(facts, self)  # nothing is taken back, so it may count in place: half the time
        else:
            delta = Delta()
            visit = self._fold(facts, delta)
            for (pane, key), n in delta.counts.items():
                self._change(pane, key, n)
        if visit.phase > PAUSE:
            self.closed[ticket] = packed
        else:
            self.open[ticket] = visit
        self._file(ticket, visit.last >> TIME)
        self.heard = max(self.heard, facts[-1] >> TIME & LOW_42)

    # ---- desks and the office itself

    def learn_session(self, event: SessionEvent, at: int, sequence: int) -> bool:
        """Take a fact about a desk or the office; False where it was known. Raises `Refusal` as `learn`."""
        desk = event.desk if isinstance(event, DeskOpened | DeskClosed) else ""
        kind = SESSION_OPENED if isinstance(event, DeskOpened | OfficeOpened) else 1 - SESSION_OPENED
        attribute = checksum(event.services) << 1 if isinstance(event, DeskOpened) else 0
        fact = sequence << SEQUENCE | at << TIME | kind << KIND | attribute | event.estimated
        name = (self.calendar.day_of(at), desk)
        facts = self.sessions.get(name, [])
        if fact in facts:
            return False
        if len(facts) >= MOST_FACTS:
            raise Refusal(Reason.TOO_MANY_FACTS, _too_many("desk" if desk else "office", desk or self.id))
        before = fold_sessions(facts)
        facts = facts[:]
        insort(facts, fact, key=session_order)
        self.sessions[name] = facts
        after = fold_sessions(facts)
        net = Delta()
        self._contradict(desk, after, net, 1)
        self._contradict(desk, before, net, -1)
        self._apply(net.net())
        if self._took_back or not set(before.closed) <= set(after.closed):
            self.corrections += 1
            self._took_back = False
        return True

    @staticmethod
    def _contradict(desk: str, sessions: Sessions, sink: Delta, n: int) -> None:
        for kind, at in sessions.contradictions:
            name = SESSION_KINDS[1 if desk else 0][kind]
            sink.add(at // PANE_MS, panes.CONTRADICTION << MEASURE | name, n)

    def load_session(self, day: int, desk: str, facts: list[int]) -> None:
        """Take a desk's day from a checkpoint."""
        self.sessions[day, desk] = facts
        self.heard = max(self.heard, *(fact >> TIME & LOW_42 for fact in facts))
        net = Delta()
        self._contradict(desk, fold_sessions(facts), net, 1)
        for (pane, key), n in net.counts.items():
            self.add(pane, key, n)

    # ---- visitors turned away, kiosks

    def learn_turned(self, event: VisitorTurnedAway, at: int, service: int) -> bool:
        """Take a turning away; False where it was known."""
        name = identity(event.source, event.id)
        if name in self.turned:
            return False
        self.load_turned(name, (at, service, event.count))
        if self.deficits:
            self._settle([(0, service << 2 << CELL | panes.TURNED_AWAY << MEASURE, event.count)])
        return True

    def load_turned(self, name: int, turned: Turned) -> None:
        """Take a turning away from a checkpoint."""
        at, service, count = turned
        self.turned[name] = turned
        self.heard = max(self.heard, at)
        self.add(at // PANE_MS, service << 2 << CELL | panes.TURNED_AWAY << MEASURE, count)

    def learn_beat(self, event: KioskHeartbeat, at: int) -> bool:
        """Take a heartbeat; False where a newer one, or this one, is known."""
        known = self.beats.get(event.kiosk)
        if known is not None and known[0] >= at:
            return False
        self.beats[event.kiosk] = (at, event.spooled, event.driftms, event.version)
        return True

    # ---- what stream time brings

    def turn(self, stream: int, cut: int) -> None:
        """Stream time has reached a new quarter of an hour or a cut-over; what is before `cut` can no longer change."""
        if stream >= self.next_cut_over:
            self.passed = self.calendar.cut_over_before(stream)
            self.next_cut_over = self.calendar.cut_over_after(stream)
            delta = Delta()
            for ticket, visit in list(self.open.items()):
                visit.overnight(self.passed, self.calendar, delta)
                if visit.phase > PAUSE:
                    del self.open[ticket]
                    self.closed[ticket] = pack(visit.facts)
            self._apply(delta.net())
            self.days.rest(self.calendar.day_of(cut), self.calendar.day_of(stream))
        if cut > self.cut:
            self.cut = cut
            self._seal(cut)

    def _seal(self, cut: int) -> None:
        self._seal_tickets(cut)
        self._seal_sessions(cut)
        self._seal_turned(cut)
        for kiosk in [kiosk for kiosk, beat in self.beats.items() if beat[0] < cut]:
            del self.beats[kiosk]

    def _seal_tickets(self, cut: int) -> None:
        end = cut // QUARTER_MS
        for quarter in sorted(quarter for quarter in self.due if quarter < end):
            for ticket in self.due.pop(quarter):
                visit = self.open.get(ticket)
                facts = unpack(self.closed[ticket]) if visit is None else visit.facts
                last = facts[-1] >> TIME & LOW_42
                # Who still waits or is served is held until the cut-over closes the visit, so that every visit ends.
                if last >= cut or (visit is not None and visit.phase != NOT_ISSUED):
                    self._file(ticket, last)
                    continue
                gone = Delta()
                folded = self._fold(facts, gone)
                if folded.phase > PAUSE and folded.ended >= cut:
                    # Closed overnight: its last pane is younger than its last fact. Filed by the fact all the same: a
                    # late one may undo the closing, and when a visit is sealed must follow from its facts alone.
                    self._file(ticket, last)
                    continue
                self._move(gone)
                if visit is None:
                    del self.closed[ticket]
                else:
                    del self.open[ticket]

    def _seal_sessions(self, cut: int) -> None:
        for day, desk in [name for name in self.sessions if self.calendar.start_of(name[0] + 1) < cut]:
            end = self.calendar.start_of(day + 1)
            sessions = fold_sessions(self.sessions.pop((day, desk)))
            gone = Delta()
            self._contradict(desk, sessions, gone, 1)
            self._move(gone)
            measure = panes.OPEN_DESK_MS if desk else panes.OPEN_OFFICE_MS
            opened = sum(until - since for since, until in sessions.until(end, end))
            self.days.add(day, measure << MEASURE | SUM, opened, self.plan.bounds)
            if self.ledger is not None:
                begin = self.calendar.start_of(day) // PANE_MS
                self.ledger.sealed(self.id, {(begin, measure << MEASURE | SUM): opened})

    def _seal_turned(self, cut: int) -> None:
        for name in [name for name, turned in self.turned.items() if turned[0] < cut]:
            at, service, count = self.turned.pop(name)
            gone = Delta()
            gone.add(at // PANE_MS, service << 2 << CELL | panes.TURNED_AWAY << MEASURE, count)
            self._move(gone)

    def _move(self, gone: Delta) -> None:
        """Contributions that can no longer change go from panes to the figures of their business day."""
        for (pane, key), n in gone.counts.items():
            if n:
                self._change(pane, key, -n)
                self.days.add(self.calendar.day_of(pane * PANE_MS), key, n, self.plan.bounds)
        if self.ledger is not None:
            self.ledger.sealed(self.id, gone.counts)
