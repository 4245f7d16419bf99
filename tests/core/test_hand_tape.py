"""The core on the hand-computed tape: every figure that was worked out with pencil and paper."""

from datetime import date

import pytest

from attente.core import panes
from attente.core.levels import service_level
from attente.core.sessions import fold_sessions
from attente.core.view import Counts, OfficeView, ServiceView, Window
from attente.registry.entities import Left
from driver import Driver, in_use, running_names
from handtape import EXPECTED, LILLE, RECORDS, REGISTRY
from oracle import Tally


@pytest.fixture(scope="module")
def driver() -> Driver:
    return Driver(REGISTRY).feed(RECORDS)


@pytest.fixture(scope="module")
def offices(driver: Driver) -> dict[str, OfficeView]:
    (view,) = driver.views()
    return {office.office: office for office in view.offices}


@pytest.fixture(scope="module")
def services(offices: dict[str, OfficeView]) -> dict[tuple[str, str], ServiceView]:
    return {(name, service.service): service for name, office in offices.items() for service in office.services}


def test_every_record_is_counted_or_a_duplicate_or_refused_for_its_reason(driver: Driver) -> None:
    refused = {reason.value: n for reason, n in EXPECTED.refused.items()}
    assert driver.account() == (EXPECTED.read, EXPECTED.counted, EXPECTED.duplicate, refused)


def test_what_is_refused_is_told_by_the_kiosk_that_it_names(driver: Driver) -> None:
    (view,) = driver.views()
    named = {reason.value: n for reason, n in EXPECTED.refused_of_lille.items()}
    assert view.refused_of == {f"/offices/{LILLE}/kiosks/1": named}


def test_counts_and_sums_per_office_and_service(driver: Driver) -> None:
    everything = in_use(driver.held(), driver.plan) + in_use(driver.sealed_by_day(), driver.plan)
    for (office, service), totals in EXPECTED.totals.items():
        for name, wanted in totals.items():
            if name not in running_names(driver.plan):
                continue
            count, ms = wanted
            assert everything.named(name, office, service) == count, (office, service, name)
            assert everything.summed(name, office, service) == ms, (office, service, name)


def test_counts_per_pane(driver: Driver) -> None:
    held = driver.held()
    for (office, service, pane, name), wanted in EXPECTED.by_pane.items():
        sealed = Tally()
        found = sum(
            n
            for key, n in (held + sealed).counts.items()
            if (key.office, key.service, key.pane, key.name) == (office, service, pane, name)
        )
        by_day = sum(
            n
            for key, n in driver.sealed_by_day().counts.items()
            if (key.office, key.service, key.name) == (office, service, name)
        )
        assert found <= wanted <= found + by_day, (office, service, pane, name)


def test_the_four_counts_of_every_norm(services: dict[tuple[str, str], ServiceView]) -> None:
    for norm in REGISTRY.norms.values():
        for place, wanted in EXPECTED.norms[norm.id, norm.clock.per].items():
            assert four(services[place].lifetime_visits[norm.id]) == tuple(wanted), (norm.id, place)


def test_every_norm_is_read_per_leg_first_and_visit_with_its_four_service_levels(
    offices: dict[str, OfficeView],
) -> None:
    # Both days of the tape lie in the month of its end.
    for (norm, per), places in EXPECTED.norms.items():
        total = Counts()
        for name in {office for office, _ in places}:
            reading = offices[name].readings[norm, Window.MONTH, per]
            wanted = [tuple(counts) for (office, _), counts in places.items() if office == name]
            assert four(reading) == tuple(map(sum, zip(*wanted, strict=True))), (norm, per, name)
            total = plus(total, reading)
        assert {left.value: service_level(total, left) for left in Left} == EXPECTED.levels[norm, per], (norm, per)


def test_who_waits_now_and_what_is_open_now(
    offices: dict[str, OfficeView], services: dict[tuple[str, str], ServiceView]
) -> None:
    waiting = {place: (s.waiting, s.waiting_since_ms) for place, s in services.items() if s.waiting}
    assert waiting == EXPECTED.waiting
    assert {name: office.open_desks for name, office in offices.items() if office.open_desks} == EXPECTED.open_desks
    assert {name for name, office in offices.items() if office.is_open} == EXPECTED.open_offices


def test_contradictions_of_the_facts_held(offices: dict[str, OfficeView]) -> None:
    found = {(name, type_): n for name, office in offices.items() for type_, n in office.contradictions.items()}
    assert found == EXPECTED.contradictions


def test_how_long_desks_and_offices_were_open(driver: Driver) -> None:
    desks: dict[tuple[str, str], int] = {}
    houses: dict[tuple[str, str], int] = {}
    for part, office in driver.offices():
        for (day, desk), facts in office.sessions.items():
            end = office.calendar.start_of(day + 1)
            opened = sum(until - since for since, until in fold_sessions(facts).until(part.stream, end))
            place = (office.id, date.fromordinal(day).isoformat())
            into = desks if desk else houses
            into[place] = into.get(place, 0) + opened
        for day in office.days.all():
            row = office.days.row(day)
            place = (office.id, date.fromordinal(day).isoformat())
            for into, measure in ((desks, panes.OPEN_DESK_MS), (houses, panes.OPEN_OFFICE_MS)):
                if ms := row.get(panes.key_of(0, measure, panes.SUM)):
                    into[place] = into.get(place, 0) + ms
    assert {place: ms for place, ms in desks.items() if ms} == EXPECTED.desk_ms
    assert {place: ms for place, ms in houses.items() if ms} == EXPECTED.office_ms


def test_the_tape_through_a_checkpoint_gives_the_same_state(driver: Driver) -> None:
    again = Driver(REGISTRY).feed(RECORDS[:60]).reload().feed(RECORDS)
    assert again.digests() == driver.digests()


def four(counts: Counts) -> tuple[int, int, int, int]:
    """In the oracle's order: answered, of them within, left, of them within."""
    answered = counts.answered_within + counts.answered_beyond
    return (answered, counts.answered_within, counts.left_within + counts.left_beyond, counts.left_within)


def plus(one: Counts, other: Counts) -> Counts:
    """Both together."""
    return Counts(
        one.answered_within + other.answered_within,
        one.answered_beyond + other.answered_beyond,
        one.left_within + other.left_within,
        one.left_beyond + other.left_beyond,
    )
