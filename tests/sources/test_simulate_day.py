"""A simulated day: repeatable to the byte, of valid events, in the order in which a broker would see it."""

import json
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from attente.model.events import TYPES, KioskHeartbeat, TicketIssued, decode
from attente.model.instants import milliseconds
from attente.model.refusals import decode_event
from attente.sources.simulate.hours import instant
from attente.sources.simulate.network import Network, Shares
from attente.sources.simulate.pool import Pool
from attente.sources.simulate.stream import Delivery, Runs, beginning, simulate_day, simulate_days
from attente.sources.simulate.wire import DRIFT_MS, kiosks
from sources.simulated import HOUR, MONDAY

SCHEMA = Path(__file__).parents[2] / "schemas" / "json" / "event.json"
FLAWLESS = Shares(late=0, duplicates=0, drift=0)
NETWORK = Network.generate(
    1, offices=12, everywhere=True, visitors=100, shares=Shares(late=0.3, duplicates=0.01, drift=0.5)
)


@pytest.fixture(scope="module")
def day() -> list[Delivery]:
    return list(simulate_day(NETWORK, MONDAY))


def test_the_same_seed_is_the_same_day_in_one_process_and_in_two(day: list[Delivery]) -> None:
    pool = Pool(NETWORK, [MONDAY], processes=2)
    assert [delivery for each in pool.slices() for delivery in each] == day
    _, truths = simulate_days(NETWORK, [MONDAY])
    alone = Pool(NETWORK, [MONDAY])
    assert [delivery for each in alone.slices() for delivery in each] == day
    assert alone.truths == pool.truths != truths  # the last have not been lived yet


def test_another_seed_is_another_day(day: list[Delivery]) -> None:
    other = simulate_day(Network.generate(2, offices=12, everywhere=True, visitors=100), MONDAY)
    assert {each.value for each in other}.isdisjoint(each.value for each in day)


def test_an_office_lives_the_same_day_whoever_else_is_in_the_network(day: list[Delivery]) -> None:
    alone = replace(NETWORK, offices=NETWORK.offices[3:4])
    assert list(simulate_day(alone, MONDAY)) == [each for each in day if each.office == 3]


def test_two_offices_that_are_alike_do_not_live_the_same_day() -> None:
    first = NETWORK.offices[0]
    twins = replace(NETWORK, offices=(first, replace(first, id="twin", index=1)), shares=FLAWLESS)
    times: dict[int, set[int]] = defaultdict(set)
    for each in simulate_day(twins, MONDAY):
        times[each.office].add(each.at_ms)
    assert len(times[0] & times[1]) < len(times[0]) / 100


def test_it_does_not_matter_in_which_steps_time_passes(day: list[Delivery]) -> None:
    runs = Runs(NETWORK, [MONDAY], NETWORK.offices)
    at = beginning(NETWORK, MONDAY)
    found = []
    while not runs.over:
        at += 7_000 if at % 11 else 40 * 60_000 + 1
        found += runs.advance(at)
    assert found == day


def test_events_come_in_the_order_of_their_arrival_and_none_before_it_has_happened(day: list[Delivery]) -> None:
    assert [each.arrives_ms for each in day] == sorted(each.arrives_ms for each in day)
    assert all(each.at_ms <= each.arrives_ms + DRIFT_MS for each in day)


def test_every_event_is_valid_and_says_when_it_happens(day: list[Delivery]) -> None:
    for each in day:
        event, at = decode_event(each.value)
        assert at == each.at_ms
        assert event.office == NETWORK.offices[each.office].id


def test_every_type_of_event_occurs_and_matches_the_schema(day: list[Delivery]) -> None:
    validator = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_bytes()))
    of_a_type: dict[str, list[bytes]] = defaultdict(list)
    for each in day:
        of_a_type[json.loads(each.value)["type"]].append(each.value)
    assert set(of_a_type) == set(TYPES)
    for values in of_a_type.values():
        for value in values[:: max(1, len(values) // 10)]:
            validator.validate(json.loads(value))


def test_an_id_is_used_once_and_again_only_by_its_second_copy(day: list[Delivery]) -> None:
    values: dict[tuple[str, str], set[bytes]] = defaultdict(set)
    for each in day:
        event = decode(each.value)
        values[event.source, event.id].add(each.value)
    assert all(len(found) == 1 for found in values.values())
    assert 0.005 < 1 - len(values) / len(day) < 0.02


def test_visitors_come_through_the_door_before_they_have_a_ticket_and_early_for_their_appointment() -> None:
    issued = [event for each in simulate_day(NETWORK, MONDAY) if isinstance(event := decode(each.value), TicketIssued)]
    waits = [milliseconds(event.time) - milliseconds(event.arrived) for event in issued if event.arrived]
    assert min(waits) > 0
    early = [milliseconds(event.due) - milliseconds(event.time) for event in issued if event.due]
    assert {event.channel for event in issued if event.due} == {"appointment"}
    assert 0.8 < sum(ms > 0 for ms in early) / len(early) < 0.95


def test_a_kiosk_that_loses_its_line_sends_what_it_kept_in_one_burst_when_the_line_is_back() -> None:
    network = replace(NETWORK, shares=replace(FLAWLESS, late=1.0))
    days = list(simulate_day(network, MONDAY))
    office = network.offices[0]
    spans = [(instant(MONDAY, begin, office.zone), instant(MONDAY, end, office.zone)) for begin, end in office.spans]
    kiosk = kiosks(office, MONDAY, spans, network.shares)[0]
    lost, back = kiosk.silent
    sent = [(each, event) for each in days if (event := decode(each.value)).source == kiosk.source]
    kept = [each for each, event in sent if lost <= each.at_ms < back and isinstance(event, TicketIssued)]
    assert kept
    assert all(back < each.arrives_ms < back + 60_000 for each in kept)
    assert [each.at_ms for each in kept] == sorted(each.at_ms for each in kept)
    assert not [each for each, _ in sent if lost + 1_000 < each.arrives_ms < back]
    (beat,) = (event for each, event in sent if isinstance(event, KioskHeartbeat) and back <= each.at_ms < back + 1_000)
    assert beat.spooled == len(kept)


def test_what_goes_wrong_on_the_way_changes_nothing_that_happens() -> None:
    def services(shares: Shares) -> list[object]:
        deliveries, truths = simulate_days(replace(NETWORK, shares=shares), [MONDAY])
        assert list(deliveries)
        return [truth.services for truth in truths]

    assert services(FLAWLESS) == services(replace(FLAWLESS, late=1.0, duplicates=0.2))


def test_without_flaws_nothing_is_late_or_comes_twice() -> None:
    deliveries, truths = simulate_days(replace(NETWORK, shares=FLAWLESS), [MONDAY])
    values = [each.value for each in deliveries]
    assert len(set(values)) == len(values) == sum(truth.events for truth in truths)
    assert sum(truth.late + truth.duplicates for truth in truths) == 0


def test_a_kiosk_says_how_far_its_clock_is_off_and_its_tickets_bear_that_clock() -> None:
    network = replace(NETWORK, shares=replace(FLAWLESS, drift=1.0))
    beats = [event for each in simulate_day(network, MONDAY) if isinstance(event := decode(each.value), KioskHeartbeat)]
    drifts = {beat.source: beat.driftms for beat in beats}
    assert all(abs(drift) <= DRIFT_MS for drift in drifts.values())
    assert len(set(drifts.values())) > len(drifts) // 2
    # Its own clock is what it writes: less its drift, every beat comes when the broker gets it, within the transport.
    for each in simulate_day(network, MONDAY):
        event = decode(each.value)
        if event.source in drifts:
            assert 0 < each.arrives_ms - (each.at_ms - drifts[event.source]) < 1_000


def test_days_follow_each_other_and_what_is_still_on_the_way_comes_in_the_next_morning() -> None:
    network = replace(NETWORK, shares=Shares(late=1.0))
    deliveries = list(simulate_days(network, [MONDAY, MONDAY + 1])[0])
    assert deliveries == sorted(deliveries)
    tuesday = instant(MONDAY + 1, 0, network.offices[0].zone)
    over_night = [each for each in deliveries if each.at_ms < tuesday - 3 * HOUR and each.arrives_ms > tuesday]
    assert over_night
    assert max(each.arrives_ms - each.at_ms for each in deliveries) < 24 * HOUR
    numbers: dict[int, list[int]] = defaultdict(list)
    for each in deliveries:
        numbers[each.office].append(each.number)
    assert all(found == list(range(len(found))) for found in numbers.values())
