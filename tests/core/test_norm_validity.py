"""A norm whose definition changes: history keeps the definition that was in force."""

import json
from dataclasses import replace
from datetime import date

import pytest

from attente.core.partition import Partition
from attente.core.plan import Plan
from attente.core.render import Renderer
from attente.core.view import Counts, OfficeView, Window
from attente.registry.entities import Clock, End, Left, Norm, Per, Registry, Start, StillWaiting
from driver import Driver
from handtape import APPOINTMENT, CASH, LILLE, PAPERS, PUNE, REGISTRY, WALKIN, ms
from oracle import Record

MINUTE = 60_000


def norm(valid_from: str, minutes: int, **other: object) -> Norm:
    base = Norm(
        id="promise",
        title="Called in time",
        threshold_s=minutes * 60,
        target_milli=85_000,
        clock=Clock(Start.ISSUED, End.CALLED, Per.LEG),
        channels=frozenset({WALKIN, APPOINTMENT}),
        left=Left.EXCLUDED,
        still_waiting=StillWaiting.IGNORED,
        offices=frozenset({LILLE}),
        services=frozenset({CASH, PAPERS}),
        valid_from=valid_from,
    )
    return replace(base, **other)  # type: ignore[arg-type]


def registry(*definitions: Norm) -> Registry:
    *former, newest = definitions
    return replace(REGISTRY, norms={"promise": replace(newest, former=tuple(former))})


def visits(*days: int) -> list[Record]:
    """On each day of March one visitor waits 15 minutes for cash, and one 25 minutes for papers."""
    records: list[Record] = []
    for day in days:
        for service, wait in ((CASH, 15), (PAPERS, 25)):
            ticket = {"office": LILLE, "ticket": f"{day}/{service}"}
            begin = ms("09:00:00", day)
            for at, event in (
                (begin, {"type": "ticket.issued", "service": service, "channel": WALKIN, **ticket}),
                (begin + wait * MINUTE, {"type": "ticket.called", **ticket}),
                (begin + 40 * MINUTE, {"type": "service.started", **ticket}),
                (begin + 50 * MINUTE, {"type": "service.ended", **ticket}),
            ):
                clock = f"2026-03-{day:02d}T{at // 3_600_000 % 24:02d}:{at // MINUTE % 60:02d}:00Z"
                body = {"specversion": "1.0", "id": f"{at}{service}", "source": "/test", "time": clock, **event}
                records.append(Record(0, at, LILLE.encode(), json.dumps(body).encode()))
    records.sort(key=lambda record: record.timestamp)
    return [record._replace(offset=i) for i, record in enumerate(records)]


def lille(network: Registry, records: list[Record]) -> OfficeView:
    part = Partition(Plan(network), 0, 1)
    part.ingest(records)
    assert part.counted == len(records)
    (view, _) = Renderer(part).offices(part.stream)
    return view


def reading(view: OfficeView, window: Window, per: Per = Per.LEG) -> Counts:
    return view.readings["promise", window, per]


def test_a_month_adds_up_its_days_each_under_the_definition_in_force() -> None:
    #   10 March      11 March      12 March
    #   within 10 min |------- within 20 min -------
    network = registry(norm("", 10), norm("2026-03-11", 20))
    view = lille(network, visits(10, 11, 12))
    assert reading(view, Window.DAY) == Counts(answered_within=1, answered_beyond=1)
    assert reading(view, Window.MONTH) == Counts(answered_within=2, answered_beyond=4)
    cash, papers = view.services
    assert cash.window_visits["promise", Window.MONTH] == Counts(answered_within=2, answered_beyond=1)
    assert papers.window_visits["promise", Window.MONTH] == Counts(answered_beyond=3)


def test_the_whole_life_is_read_under_the_definition_in_force_now() -> None:
    network = registry(norm("", 10), norm("2026-03-11", 20))
    view = lille(network, visits(10, 11))
    assert view.services[0].lifetime_visits["promise"] == Counts(answered_within=2)
    before = lille(network, visits(9, 10))
    assert before.services[0].lifetime_visits["promise"] == Counts(answered_beyond=2)


def test_sealed_days_are_read_as_they_were_while_they_were_in_the_panes() -> None:
    network = registry(norm("", 10), norm("2026-03-11", 20))
    view = lille(network, visits(10, 11, 16))
    assert reading(view, Window.MONTH) == Counts(answered_within=2, answered_beyond=4)


def test_before_its_first_day_a_norm_is_not_shown() -> None:
    view = lille(registry(norm("2026-03-11", 10), norm("2026-03-13", 20)), visits(10))
    assert view.readings == {}
    assert view.services[0].window_visits == {}
    assert view.services[0].lifetime_visits == {}
    assert view.services[0].waiting_beyond == {}


def test_a_month_begins_with_the_first_day_of_a_norm_that_is_new() -> None:
    view = lille(registry(norm("2026-03-11", 20)), visits(9, 10, 11, 12))
    assert reading(view, Window.MONTH) == Counts(answered_within=2, answered_beyond=2)


def test_a_definition_of_last_month_does_not_matter_to_this_one() -> None:
    network = registry(norm("", 10), norm("2026-02-27", 20), norm("2026-04-01", 60))
    view = lille(network, visits(10, 11))
    assert reading(view, Window.MONTH) == Counts(answered_within=2, answered_beyond=2)


def test_what_a_definition_is_not_about_is_not_counted_under_it() -> None:
    elsewhere = norm("", 20, offices=frozenset({PUNE}))
    cash_only = norm("2026-03-11", 20, services=frozenset({CASH}))
    everything = norm("2026-03-12", 30)
    view = lille(registry(elsewhere, cash_only, everything), visits(10, 11, 12))
    assert reading(view, Window.MONTH) == Counts(answered_within=3)
    assert view.services[1].window_visits["promise", Window.MONTH] == Counts(answered_within=1)
    gone = lille(registry(everything, norm("2026-03-13", 30, offices=frozenset({PUNE}))), visits(12, 13))
    assert gone.readings == {}


def test_each_definition_counts_by_its_own_clock() -> None:
    network = registry(norm("", 30, clock=Clock(Start.ISSUED, End.STARTED, Per.VISIT)), norm("2026-03-11", 30))
    view = lille(network, visits(10, 11))
    assert reading(view, Window.MONTH, Per.VISIT) == Counts(answered_within=2, answered_beyond=2)
    assert view.services[0].window_visits["promise", Window.MONTH] == Counts(answered_within=1, answered_beyond=1)


@pytest.mark.parametrize("last", [10, 11, 12, 13, 31])
def test_definitions_share_out_the_days_of_a_month(last: int) -> None:
    network = registry(norm("", 10), norm("2026-03-05", 15), norm("2026-03-11", 20), norm("2026-03-13", 30))
    readings = Renderer(Driver(network).parts[0]).readings
    first, until = date(2026, 3, 1).toordinal(), date(2026, 3, last).toordinal()
    spans = readings.spans("promise", first, until)
    held = {day: one.threshold_s for one, since, end in spans for day in range(since, end + 1)}
    in_force = {day: network.norms["promise"].in_force(day) for day in range(first, until + 1)}
    assert held == {day: one.threshold_s for day, one in in_force.items() if one is not None}
