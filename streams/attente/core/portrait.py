"""The view of one office, from its state and the figures that have been added up for it."""

from collections.abc import Sequence
from datetime import date
from typing import Final

from attente.core import panes
from attente.core.figures import Figures
from attente.core.levels import percentiles
from attente.core.office import Office
from attente.core.panes import CELL, MEASURE, SUM, Row
from attente.core.plan import ENDS as ENDS_OF_CLOCKS
from attente.core.plan import STARTS
from attente.core.sums import ALL_CHANNELS, WAITS, Readings, Sums, add_up, added
from attente.core.view import Counts, Histogram, KioskView, OfficeView, ServiceView, Tally, WaitEnd, WaitStats, Window
from attente.core.visit import WAITING, Visit
from attente.model.events import AnyEvent
from attente.model.kinds import CHANNELS, OUTCOMES
from attente.registry.entities import OTHER, Detail, Norm, Per

TYPES: Final[dict[int, str]] = {struct.kind: str(struct.__struct_config__.tag) for struct in AnyEvent.__args__}
"""The type of event by its kind."""

ENDS: Final = {
    WaitEnd.CALLED: WAITS,
    WaitEnd.ABANDONED: panes.LEFT_ABANDONED,
    WaitEnd.NO_SHOW: panes.LEFT_NO_SHOW,
}
TIMED: Final = {Tally.CALLED: WAITS, Tally.ABANDONED: panes.LEFT_ABANDONED, Tally.NO_SHOW: panes.LEFT_NO_SHOW}
PLAIN: Final = {
    Tally.TRANSFERRED: panes.TRANSFERRED,
    Tally.REQUEUED: panes.REQUEUED,
    Tally.CLOSED: panes.CLOSED,
    Tally.TURNED_AWAY: panes.TURNED_AWAY,
}
STARTED: Final = panes.REACHED + panes.ISSUED_TO_STARTED


def portray(readings: Readings, office: Office, now: int, day: int, figures: Figures) -> OfficeView:
    """The view of an office.

    Args:
        readings: how norms are read from sums.
        office: whose.
        now: the instant of the view, in ms.
        day: the business day that holds it.
        figures: added up as of that instant.
    """
    return _Portrait(readings, office, now, day, figures).view()


def heard_ms(office: Office) -> int | None:
    """When an office was last heard, by the facts that every worker holds: older ones some have sealed already."""
    return office.heard if office.heard >= max(1, office.cut) else None


def kiosks(office: Office) -> dict[str, KioskView]:
    """The kiosks of an office by their newest heartbeats."""
    return {kiosk: KioskView(at, spooled, drift) for kiosk, (at, spooled, drift, _) in office.beats.items()}


class _Portrait:
    """One office at one instant."""

    def __init__(self, readings: Readings, office: Office, now: int, day: int, figures: Figures) -> None:
        self.plan = readings.plan
        self.readings = readings
        self.office = office
        self.now = now
        self.day = day
        self.total, self.windows, self.spans, self.opened, self._of_days = figures
        self.norms = readings.in_force(office.id, day)
        self.month = office.calendar.month_of(day)
        self._pieces: dict[str, list[tuple[Norm, Sums]]] = {}  # of a month in which a norm's definition has changed
        self.waiting: dict[int, list[Visit]] = {}  # by the service of the present leg
        self.first_asked: dict[int, list[Visit]] = {}  # the same visits by the service first asked for
        for visit in office.open.values():
            if visit.phase == WAITING:
                self.waiting.setdefault(visit.cell >> 2, []).append(visit)
                self.first_asked.setdefault(visit.first_cell >> 2, []).append(visit)
        self.seen = {head >> 10 for head, n in self.total.counts.items() if n}
        self.seen |= self.waiting.keys() | self.first_asked.keys()
        self.seen |= {key >> CELL >> 2 for key in office.deficits}  # a counter does not vanish when its count does

    def view(self) -> OfficeView:
        """All of it."""
        office = self.office
        registry = self.plan.registry
        fine = registry.detail is Detail.SERVICE
        offered = sorted(office.services.items(), key=lambda item: self.readings.order[item[0]])
        services = [self._service(name, [number], fine) for name, number in offered]
        rest = sorted(self.seen - {number for _, number in offered})
        if rest:
            services.append(self._service(OTHER, rest, fine))
        now_open = {one.desk for one in self.opened if one.day == self.day and one.is_open(self.now)}
        every = sorted(self.seen)
        return OfficeView(
            office=office.id,
            as_of_ms=self.now,
            services=tuple(services),
            is_open="" in now_open,
            open_desks=len(now_open - {""}),
            open_desk_ms=self._open_desk_ms(),
            contradictions={TYPES[kind]: n for kind, n in self._contradictions().items()},
            corrections=office.corrections,
            window_waits={window: self._stats(window, every) for window in Window},
            readings=self._readings(every),
            heard_ms=heard_ms(office),
            kiosks=kiosks(office),
        )

    def _readings(self, numbers: list[int]) -> dict[tuple[str, Window, Per], Counts]:
        out = {}
        for norm in self.norms:
            for window in Window:
                pieces = [
                    (definition, sums, self._of_norm(definition, numbers))
                    for definition, sums in self._definitions(norm, window)
                ]
                for per in Per:
                    out[norm.id, window, per] = self._added(pieces, per)
        return out

    def _added(self, pieces: list[tuple[Norm, Sums, list[int]]], per: Per | None = None) -> Counts:
        """The four counts over pieces of a window, each under its definition, by its own `per` unless one is given."""
        read = [
            self.readings.of(definition, per or definition.clock.per).counts(sums, numbers)
            for definition, sums, numbers in pieces
        ]
        return read[0] if len(read) == 1 else added(read)

    def _definitions(self, norm: Norm, window: Window) -> list[tuple[Norm, Sums]]:
        """Under which definition which part of a window is read: history keeps the one that was in force."""
        if window is not Window.MONTH or norm.valid_from <= date.fromordinal(self.month).isoformat():
            return [(norm, self.windows[window])]
        if norm.id not in self._pieces:
            self._pieces[norm.id] = [
                (definition, self._of_days(first, last))
                for definition, first, last in self.readings.spans(norm.id, self.month, self.day)
                if self.office.id in definition.offices
            ]
        return self._pieces[norm.id]

    def _open_desk_ms(self) -> dict[Window, int]:
        of_desks = [one.open_ms(self.now, self.spans) for one in self.opened if one.desk and one.day >= self.month]
        open_ms = {window: sum(ms[i] for ms in of_desks) for i, window in enumerate(Window)}
        open_ms[Window.MONTH] += self.windows[Window.MONTH].sums.get(panes.OPEN_DESK_MS, 0)
        return open_ms

    def _of_norm(self, norm: Norm, numbers: list[int]) -> list[int]:
        names = self.readings.names
        offered = self.office.services
        return [n for n in numbers if (names[n] if names[n] in offered else OTHER) in norm.services]

    def _contradictions(self) -> Row:
        return {kind: n for kind, n in self.total.contradictions.items() if n}

    # ---- one service; `numbers` are those that are shown under its name

    def _service(self, name: str, numbers: list[int], fine: bool) -> ServiceView:
        norms = [norm for norm in self.norms if name in norm.services]
        own = {norm.id: self.readings.of(norm, norm.clock.per) for norm in norms}
        waiting = [leg for number in numbers for leg in self.waiting.get(number, ())]
        total = self.total
        lifetime = {tally: total.count(numbers, measure) for tally, measure in (TIMED | PLAIN).items()}
        greatest = {t: n + self._deficit(numbers, TIMED[t], panes.BEYOND) for t, n in lifetime.items() if t in TIMED}
        greatest |= {t: n + self._deficit(numbers, PLAIN[t], 0) for t, n in lifetime.items() if t in PLAIN}
        lifetime[Tally.STARTED] = total.count(numbers, STARTED)
        greatest[Tally.STARTED] = lifetime[Tally.STARTED] + self._deficit(numbers, STARTED, 0)
        lifetime[Tally.ISSUED] = total.count(numbers, panes.ISSUED)
        served = [total.count(numbers, panes.SERVED + outcome) for outcome in range(len(OUTCOMES))]
        lifetime[Tally.SERVED] = sum(served)
        return ServiceView(
            service=name,
            greatest_issued={channel: self._issued(numbers, i) for i, channel in enumerate(CHANNELS)},
            greatest=greatest,
            greatest_served={
                outcome: served[i] + self._deficit(numbers, panes.SERVED + i, 0) for i, outcome in enumerate(OUTCOMES)
            },
            greatest_waits={end: self._histogram(numbers, measure) for end, measure in ENDS.items()},
            waiting=len(waiting),
            waiting_since_ms=min((visit.since for visit in waiting), default=None),
            waiting_beyond={norm.id: self._beyond(norm, numbers) for norm in norms},
            lifetime=lifetime,
            lifetime_wait_ms={end: total.sum_ms(numbers, measure) for end, measure in ENDS.items()},
            lifetime_visits={norm: reading.counts(total, numbers) for norm, reading in own.items()},
            window_waits={window: self._stats(window, numbers) for window in Window} if fine else {},
            window_visits={
                (norm.id, window): self._visits(norm, window, name, numbers) for norm in norms for window in Window
            }
            if fine
            else {},
        )

    def _visits(self, norm: Norm, window: Window, name: str, numbers: list[int]) -> Counts:
        pieces = self._definitions(norm, window)
        return self._added([(one, sums, numbers) for one, sums in pieces if name in one.services])

    def _issued(self, numbers: list[int], channel: int) -> int:
        counts, deficits = self.total.counts, self.office.deficits
        heads = [(number << 2 | channel) << 8 | panes.ISSUED for number in numbers]
        return sum(counts.get(head, 0) + deficits.get(head << MEASURE, 0) for head in heads)

    def _deficit(self, numbers: list[int], measure: int, seconds: int) -> int:
        deficits = self.office.deficits
        if not deficits:
            return 0
        return sum(deficits.get(number << 2 << CELL | measure << MEASURE | seconds, 0) for number in numbers)

    def _histogram(self, numbers: list[int], measure: int) -> Histogram:
        counts, buckets = self.total.counts, self.total.buckets
        every = ((number << 2 | channel) << 8 | measure for number in numbers for channel in ALL_CHANNELS)
        heads = [head << MEASURE for head in every if head in counts]
        if not heads and not self.office.deficits:
            return self.readings.nothing
        has_deficits = bool(self.office.deficits)
        cumulative = []
        below = 0
        for bound in self.plan.bounds:
            for head in heads:
                below += buckets.get(head | bound, 0)
            cumulative.append(below + self._deficit(numbers, measure, bound) if has_deficits else below)
        return Histogram(
            tuple(cumulative),
            self.total.count(numbers, measure) + self._deficit(numbers, measure, panes.BEYOND),
            self.total.sum_ms(numbers, measure) + self._deficit(numbers, measure, SUM),
        )

    def _beyond(self, norm: Norm, numbers: list[int]) -> int:
        """How many have by now waited longer than a norm allows; per first or visit, of the service first asked for."""
        start, end = STARTS[norm.clock.start], ENDS_OF_CLOCKS[norm.clock.end]
        per = norm.clock.per
        limit = norm.threshold_s * 1000
        waiting = self.waiting if per is Per.LEG else self.first_asked
        return sum(
            visit.waited(self.now, start, end, per_visit=per is Per.VISIT, per_first=per is Per.FIRST) > limit
            for number in numbers
            for visit in waiting.get(number, ())
            if CHANNELS[visit.cell & 3] in norm.channels
        )

    def _stats(self, window: Window, numbers: Sequence[int]) -> WaitStats:
        sums = self.windows[window]
        count = sums.count(numbers, WAITS)
        sum_ms = sums.sum_ms(numbers, WAITS)
        if window is Window.MONTH:
            return WaitStats(count, sum_ms, {}, None)
        waits: Row = {}
        for number in numbers:
            if number in sums.waits:
                add_up(waits, sums.waits[number])
        return WaitStats(count, sum_ms, percentiles(waits), max(waits, default=None))
