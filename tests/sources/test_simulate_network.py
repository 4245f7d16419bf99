"""The simulated network: what it follows from, and what its registry says."""

import re
from collections.abc import Callable
from zoneinfo import ZoneInfo

import pytest

from attente.registry.load import parse
from attente.registry.openings import open_spans
from attente.sources.simulate.gaming import TRICKS, Gaming
from attente.sources.simulate.hours import course, spans_of
from attente.sources.simulate.network import Network, mid_morning_zone
from attente.sources.simulate.registry_text import registry_text
from attente.sources.simulate.stream import simulate_day
from sources.simulated import HOUR, MONDAY


def test_one_more_office_changes_no_other() -> None:
    assert Network.generate(5, offices=9).offices[:8] == Network.generate(5, offices=8).offices


def test_another_seed_is_another_network() -> None:
    assert Network.generate(5, offices=8).offices != Network.generate(6, offices=8).offices


def test_ids_differ_also_among_many_offices() -> None:
    offices = Network.generate(0, offices=1_500).offices
    assert len({office.id for office in offices}) == len({office.name for office in offices}) == 1_500
    assert [office.id for office in offices] == sorted(office.id for office in offices)


@pytest.mark.parametrize("seed", range(5))
def test_among_forty_offices_every_trick_is_used_once_and_the_others_are_honest(seed: int) -> None:
    tricks = [office.gaming for office in Network.generate(seed, offices=40).offices]
    assert {trick: tricks.count(trick) for trick in TRICKS} == dict.fromkeys(TRICKS, 1)
    assert tricks.count(Gaming.HONEST) == 35


def test_only_the_tricks_that_are_asked_for_are_used() -> None:
    tricks = {office.gaming for office in Network.generate(0, offices=40, gaming=[Gaming.HURRIED]).offices}
    assert tricks == {Gaming.HONEST, Gaming.HURRIED}
    assert {office.gaming for office in Network.generate(0, offices=40, gaming=()).offices} == {Gaming.HONEST}


def test_where_tricks_are_the_rule_one_office_in_six_is_honest() -> None:
    tricks = [office.gaming for office in Network.generate(0, offices=12, everywhere=True).offices]
    assert {trick: tricks.count(trick) for trick in Gaming} == dict.fromkeys(Gaming, 2)


def test_an_honest_office_has_the_staff_for_its_visitors() -> None:
    offices = [office for office in Network.generate(0, offices=200).offices if office.gaming is Gaming.HONEST]
    assert all(office.usual == office.gamed for office in offices)
    mean = sum(office.usual.visitors for office in offices) / len(offices)
    assert 170 < mean < 250


def test_a_trick_begins_on_its_day() -> None:
    network = Network.generate(0, offices=12, everywhere=True, gaming_from=MONDAY + 1)
    office = next(office for office in network.offices if office.gaming is Gaming.EARLY_CALLS)
    assert office.staffing(MONDAY) == office.usual
    assert office.staffing(MONDAY + 1) == office.gamed
    assert sum(office.gamed.desks) < sum(office.usual.desks)
    assert office.usual.visitors == office.gamed.visitors


@pytest.mark.parametrize("what", ["offices", "services", "regions"])
def test_a_network_of_nothing_is_refused(what: str) -> None:
    generate: Callable[..., Network] = Network.generate
    with pytest.raises(ValueError, match=f"at least one of its {what}, not 0"):
        generate(0, **{what: 0})


@pytest.mark.parametrize("hour", range(24))
def test_a_live_network_is_where_it_is_mid_morning(hour: int) -> None:
    now = MONDAY * 24 * HOUR + hour * HOUR + 40 * 60_000
    zone = ZoneInfo(mid_morning_zone(now))
    ahead = zone.utcoffset(None)
    assert ahead is not None
    assert (hour + ahead.total_seconds() / 3600) % 24 == 10


def test_the_registry_holds_every_office_as_it_is() -> None:
    network = Network.generate(3, offices=30, services=8, regions=3)
    registry = parse(registry_text(network), "simulated.yaml")
    assert len({office.region for office in network.offices}) == 3
    for office in network.offices:
        found = registry.offices[office.id]
        assert (found.name, found.region, found.zone, found.size) == (
            office.name,
            office.region,
            office.zone,
            office.size,
        )
        assert found.services == tuple(service.id for service in office.services)
        assert found.kiosks == office.kiosks
        assert open_spans(registry, found, MONDAY) == spans_of(MONDAY, office.spans, office.zone)


def test_the_registry_tells_nobody_who_games() -> None:
    games = Network.generate(0, offices=40, everywhere=True)
    honest = Network.generate(0, offices=40, gaming=())
    assert registry_text(games) == registry_text(honest)
    assert not re.search("|".join(Gaming), registry_text(games))


def test_the_course_of_a_day_has_its_peak_in_the_morning_and_nothing_when_closed() -> None:
    day = course([(0, 4 * HOUR), (5 * HOUR, 8 * HOUR)])
    come = [day.at(n / 1_000) for n in range(1_000)]
    by_hour = [sum(hour * HOUR <= at < (hour + 1) * HOUR for at in come) for hour in range(8)]
    assert max(by_hour) in by_hour[:2]
    assert by_hour[4] == 0
    assert sum(by_hour) == 1_000


def test_a_network_under_load_makes_as_many_events_as_asked() -> None:
    now = spans_of(MONDAY, [(630, 1_000)], "Etc/GMT")[0][0]
    network = Network.generate(0, offices=10, zone="Etc/GMT").under_load(25, now)
    some = 0
    for each in simulate_day(network, MONDAY):
        if each.arrives_ms >= now + 20 * 60_000:
            break
        some += each.arrives_ms >= now + 10 * 60_000
    assert some / 600 == pytest.approx(25, rel=0.08)
