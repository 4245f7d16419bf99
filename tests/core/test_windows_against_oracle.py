"""What a scrape shows of an hour, a day, a month and of those who wait, against the oracle's contributions."""

import math
import random
from collections import Counter
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from attente.core.render import Renderer
from attente.core.view import Counts as Shown
from attente.core.view import OfficeView, Tally, WaitStats, Window
from attente.registry.entities import Norm, Office, Per
from driver import Driver
from lives import Log, random_log
from oracle import HOUR, Counts, Figures, _counted, _plus, business_day, compute

LIFETIME = {
    Tally.ISSUED: "issued",
    Tally.CALLED: "called/issued",
    Tally.ABANDONED: "abandoned/issued",
    Tally.NO_SHOW: "no_show/issued",
    Tally.STARTED: "started/issued",
    Tally.CLOSED: "closed",
    Tally.TRANSFERRED: "transferred",
    Tally.REQUEUED: "requeued",
    Tally.TURNED_AWAY: "turned_away",
}


class Looking:
    """An office at an instant, as the oracle's contributions have it."""

    def __init__(self, log: Log, figures: Figures, office: Office, now: int) -> None:
        self.log = log
        self.figures = figures
        self.office = office
        self.now = now
        offset = datetime.fromtimestamp(now / 1000, UTC).astimezone(ZoneInfo(office.zone)).utcoffset()
        assert offset is not None
        self.hour = now - (now + int(offset.total_seconds()) * 1000) % HOUR
        self.day = business_day(now, office, log.registry.cut_over_min)
        own = [(key, n) for key, n in figures.all.counts.items() if key.office == office.id]
        self.contributions = {
            window: [(key, n) for key, n in own if self.is_in(window, int(key.pane))] for window in Window
        }

    def is_in(self, window: Window, pane: int) -> bool:
        if window is Window.HOUR:
            return self.hour <= pane < self.hour + HOUR
        day = business_day(pane, self.office, self.log.registry.cut_over_min)
        return day == self.day if window is Window.DAY else self.day.replace(day=1) <= day <= self.day

    def readings(self, norm: Norm, window: Window, per: Per) -> Counter[str]:
        """The four counts by service, in one Counter of `service/name`."""
        found: dict[str, Counts] = {}
        for key, n in self.contributions[window]:
            if key.channel in norm.channels and key.service in norm.services:
                found[key.service] = _plus(found.get(key.service, Counts()), _counted(norm, per, key, n))
        return Counter(
            {f"{service}/{name}": n for service, four in found.items() for name, n in four._asdict().items()}
        )

    def waits(self, window: Window, service: str | None) -> WaitStats:
        of_service = [
            (key, n)
            for key, n in self.contributions[window]
            if key.name == "called/issued" and service in (None, key.service)
        ]
        waits = sorted(key.seconds for key, n in of_service for _ in range(n))
        sums = self.figures.all.sums.items()
        sum_ms = sum(
            ms
            for key, ms in sums
            if key[0] == self.office.id
            and key.name == "called/issued"
            and service in (None, key.service)
            and self.is_in(window, int(key.pane))
        )
        if window is Window.MONTH or not waits:
            return WaitStats(len(waits), sum_ms, {}, None)
        ranks = {p: waits[math.ceil(p * len(waits) / 100) - 1] for p in (50, 90, 95)}
        return WaitStats(len(waits), sum_ms, ranks, waits[-1])

    def beyond(self, norm: Norm, service: str) -> int:
        clock = norm.clock
        start, end = clock.start.value, clock.end.value
        found = 0
        for one in self.figures.present:
            if one.office != self.office.id or one.channel not in norm.channels:
                continue
            if (one.service if clock.per is Per.LEG else one.first) != service:
                continue
            if clock.per is Per.FIRST and one.legs > 1:
                continue
            waited = max(0, self.now - one.began[start])
            if clock.per is Per.VISIT:
                waited += one.before[start, end]
            found += waited > norm.threshold_s * 1000
        return found


def four(shown: Shown) -> Counts:
    return Counts(
        shown.answered_within + shown.answered_beyond,
        shown.answered_within,
        shown.left_within + shown.left_beyond,
        shown.left_within,
    )


def total(readings: Counter[str]) -> Counts:
    return Counts(*(sum(n for key, n in readings.items() if key.endswith(f"/{name}")) for name in Counts._fields))


def assert_readings(view: OfficeView, looking: Looking, norm: Norm, where: object) -> None:
    for window in Window:
        for per in Per:
            wanted = looking.readings(norm, window, per)
            assert four(view.readings[norm.id, window, per]) == total(wanted), (where, norm.id, window, per)
            if per is not norm.clock.per:
                continue
            for service in view.services:
                if (norm.id, window) in service.window_visits:
                    own = Counter({key: n for key, n in wanted.items() if key.startswith(f"{service.service}/")})
                    assert four(service.window_visits[norm.id, window]) == total(own), (where, norm.id, window, service)


def assert_office(view: OfficeView, looking: Looking, where: object) -> None:
    for norm in looking.log.registry.norms.values():
        if looking.office.id in norm.offices:
            assert_readings(view, looking, norm, where)
            for service in view.services:
                if service.service in norm.services:
                    assert service.waiting_beyond[norm.id] == looking.beyond(norm, service.service), (where, norm.id)
    for window in Window:
        assert view.window_waits[window] == looking.waits(window, None), (where, window)
        for service in view.services:
            if service.window_waits:
                assert service.window_waits[window] == looking.waits(window, service.service), (where, window)
    for service in view.services:
        for tally, name in LIFETIME.items():
            wanted = looking.figures.all.named(name, view.office, service.service)
            assert service.lifetime[tally] == wanted, (where, tally)
    contradictions = looking.figures.contradictions
    assert view.contradictions == {type_: n for (office, type_), n in contradictions.items() if office == view.office}


def assert_open_desks(view: OfficeView, looking: Looking, where: object) -> None:
    opened = looking.figures.desk_ms
    first = looking.day.replace(day=1)
    assert view.open_desk_ms[Window.DAY] == opened[view.office, looking.day.isoformat()], where
    of_month = [
        ms for (office, day), ms in opened.items() if office == view.office and first <= _date(day) <= looking.day
    ]
    assert view.open_desk_ms[Window.MONTH] == sum(of_month), where


def _date(text: str) -> date:
    return date.fromisoformat(text)


@pytest.mark.parametrize("block", [0, *(pytest.param(block, marks=pytest.mark.no_cover) for block in range(1, 4))])
def test_every_window_of_a_random_log_equals_the_oracles(block: int) -> None:
    for seed in range(block * 40, block * 40 + 40):
        log = random_log(seed, 60, days=1 + seed % 4)
        driver = Driver(log.registry, log.partitions).feed(log.records)
        figures = compute(log.records, log.registry, partitions=log.partitions)
        later = 1000 * random.Random(seed).randrange(8 * 3600)  # noqa: S311 - repeatable, not secret
        for part in driver.parts:
            renderer = Renderer(part)
            for now in (part.stream, part.stream + later):
                for view in renderer.offices(now):
                    looking = Looking(log, figures, log.registry.offices[view.office], now)
                    assert_office(view, looking, (seed, view.office, now))
                    if now == part.stream:
                        assert_open_desks(view, looking, (seed, view.office))
