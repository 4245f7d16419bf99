"""What a partition does with records: refusals, marks, renewal under another registry, retention."""

import json
import random
from collections.abc import Iterator
from dataclasses import astuple, replace
from datetime import UTC, datetime
from itertools import chain

import pytest

from attente.core import panes
from attente.core.office import MOST_FACTS
from attente.core.partition import Partition
from attente.core.plan import Plan
from attente.core.render import Renderer
from attente.core.state import StateError, cut, decode, digest, encode
from attente.core.view import Tally, Window
from attente.model.partitioning import partition_of
from attente.model.reasons import Reason
from attente.registry.entities import Registry, Service
from attente.registry.load import parse
from driver import Driver, reloaded
from handtape import CASH, LILLE, PAPERS, PUNE, RECORDS, REGISTRY
from lives import random_log
from oracle import Record

HOUR = 3_600_000
DAY = 24 * HOUR
START = 1_773_129_600_000  # 2026-03-10T08:00Z


def text(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds")


def event(type_: str, at: int, office: str = LILLE, **attributes: object) -> bytes:
    body = {"specversion": "1.0", "id": f"{type_}{at}", "source": "/test", "type": type_, "time": text(at)}
    return json.dumps(body | {"office": office} | attributes).encode()


def record(offset: int, value: bytes | None, at: int, key: bytes | None = LILLE.encode()) -> Record:
    return Record(offset, at, key, value)


def issued(at: int, office: str = LILLE, **attributes: object) -> bytes:
    return event("ticket.issued", at, office, **({"ticket": "A1", "service": CASH, "channel": "walkin"} | attributes))


def refusals(*records: Record, number: int = 0, partitions: int = 1) -> list[Reason]:
    part = Partition(Plan(REGISTRY), number, partitions)
    part.ingest(records)
    assert part.read == part.counted + part.duplicate + sum(part.refused.values())
    return [dead.reason for dead in part.take_dead()]


def test_a_refused_record_is_handed_over_whole_and_once() -> None:
    part = Partition(Plan(REGISTRY), 0, 1)
    part.ingest([record(5, b"{", START, b"any")])
    (dead,) = part.take_dead()
    assert (dead.offset, dead.timestamp, dead.key, dead.value, dead.reason) == (5, START, b"any", b"{", Reason.NOT_JSON)
    assert part.take_dead() == []


def test_an_office_in_another_partition_than_its_own_is_refused() -> None:
    home = partition_of(LILLE.encode(), 12)
    assert refusals(record(0, issued(START), START), number=home, partitions=12) == []
    assert refusals(record(0, issued(START), START), number=(home + 1) % 12, partitions=12) == [Reason.WRONG_PARTITION]


def test_an_event_without_a_key_or_with_another_offices_is_refused() -> None:
    assert refusals(record(0, issued(START), START, None), record(1, issued(START), START, b"pune")) == [
        Reason.WRONG_KEY,
        Reason.WRONG_KEY,
    ]


def test_a_key_that_is_known_does_not_let_another_offices_event_in() -> None:
    other = issued(START).replace(b'"lille"', b'"pune"')
    assert refusals(record(0, issued(START), START), record(1, other, START)) == [Reason.WRONG_KEY]


def test_an_event_is_refused_under_the_first_reason_it_has() -> None:
    late = START + 30 * HOUR
    implausible = issued(START, arrived=text(START + HOUR))
    unreadable = issued(START, due="tomorrow, I think")
    assert refusals(record(0, implausible, late)) == [Reason.IMPLAUSIBLE_TIME]
    assert refusals(record(0, implausible, START, b"pune")) == [Reason.WRONG_KEY]
    assert refusals(record(0, unreadable, START, b"pune")) == [Reason.BAD_TIME]
    assert refusals(record(0, implausible, START)) == [Reason.IMPLAUSIBLE_TIME]


@pytest.mark.parametrize(("ahead", "reasons"), [(300_000, []), (300_001, [Reason.FROM_THE_FUTURE])])
def test_a_clock_may_be_five_minutes_ahead(ahead: int, reasons: list[Reason]) -> None:
    assert refusals(record(0, issued(START + ahead), START)) == reasons


@pytest.mark.parametrize(("late", "reasons"), [(DAY, []), (DAY + 1, [Reason.TOO_LATE])])
def test_an_event_may_come_a_horizon_late(late: int, reasons: list[Reason]) -> None:
    assert refusals(record(0, issued(START), START + late)) == reasons


@pytest.mark.parametrize(("timestamp", "reasons"), [(START * 1000, [Reason.BAD_TIME]), (-1, [Reason.FROM_THE_FUTURE])])
def test_a_timestamp_that_is_no_instant_ends_nothing_and_moves_no_time(timestamp: int, reasons: list[Reason]) -> None:
    part = Partition(Plan(REGISTRY), 0, 1)
    part.ingest([record(0, issued(START), START), record(1, issued(START, ticket="A2"), timestamp)])
    assert [dead.reason for dead in part.take_dead()] == reasons
    assert part.stream == START
    part.ingest([record(2, issued(START, ticket="A3"), START)])
    assert (part.read, part.counted) == (3, 2)


LIVES_OF_ONE = {
    "calls of a ticket that was never issued": lambda at: event("ticket.called", at, ticket="0000"),
    "a ticket that is issued again and again": lambda at: issued(at, ticket="0000"),
    "a visit that is paused for ever": lambda at: event("service.paused", at, ticket="A1"),
    "a desk that opens again and again": lambda at: event("desk.opened", at, desk="1"),
    "an office that closes again and again": lambda at: event("office.closed", at),
}


@pytest.mark.parametrize("life", LIVES_OF_ONE)
@pytest.mark.parametrize("backwards", [False, True])
def test_of_one_name_so_many_facts_are_held_and_the_rest_is_refused(life: str, *, backwards: bool) -> None:
    part = Partition(Plan(REGISTRY), 0, 1)
    part.ingest([record(0, issued(START - 1), START)])
    times = range(START, START + 300_000, 1000)
    tape = [LIVES_OF_ONE[life](at) for at in (reversed(times) if backwards else times)]
    part.ingest(record(offset, value, START + DAY // 2) for offset, value in enumerate(tape, 1))
    refused = part.refused.pop(Reason.TOO_MANY_FACTS)
    assert not part.refused
    assert 100 <= refused <= 101
    assert part.counted == 301 - refused
    before = digest(part)
    part.ingest(record(offset, value, START + DAY // 2) for offset, value in enumerate(tape[:100], 301))
    assert part.duplicate == 100
    part.next_offset, part.read, part.duplicate = 301, 301, 0
    assert digest(part) == before


def test_a_name_that_was_full_is_taken_again_a_horizon_later() -> None:
    part = Partition(Plan(REGISTRY), 0, 1)
    full = [event("ticket.called", START + i, ticket="0000") for i in range(MOST_FACTS + 1)]
    part.ingest(record(offset, value, START + 60_000) for offset, value in enumerate(full))
    assert part.refused == {Reason.TOO_MANY_FACTS: 1}
    later = START + DAY + HOUR
    part.ingest([record(len(full), issued(later, ticket="0000"), later)])
    assert part.refused == {Reason.TOO_MANY_FACTS: 1}
    assert part.counted == MOST_FACTS + 1


def test_records_that_were_applied_are_passed_over() -> None:
    part = Partition(Plan(REGISTRY), 0, 1)
    part.ingest(RECORDS)
    before = digest(part)
    part.ingest(RECORDS)
    assert digest(part) == before
    assert part.read == len(RECORDS)


def test_a_mark_in_a_hole_of_the_log_is_the_same_however_the_hole_was_reached() -> None:
    def marks(*, told_of_the_hole: bool) -> list[tuple[int, str]]:
        part = Partition(Plan(REGISTRY), 0, 1)
        part.mark(5, digest)
        part.ingest(record(offset, issued(START, ticket=f"A{offset}"), START) for offset in range(4))
        if told_of_the_hole:
            part.next_offset = 5  # a delivery ended with a control record
        part.ingest(record(offset, issued(START, ticket=f"A{offset}"), START) for offset in (7, 8))
        return part.marks

    assert marks(told_of_the_hole=True) == marks(told_of_the_hole=False)


def test_marks_are_the_states_before_every_so_many_offsets() -> None:
    part = Partition(Plan(REGISTRY), 0, 1)
    part.mark(50, digest)
    part.ingest(RECORDS)
    for offset, hashed in part.marks:
        prefix = Partition(Plan(REGISTRY), 0, 1)
        prefix.ingest(RECORDS[:offset])
        assert hashed == digest(prefix)
    assert [offset for offset, _ in part.marks] == [50, 100]


def test_a_state_that_changes_hands_at_a_multiple_is_marked_there_by_its_new_owner() -> None:
    part = Partition(Plan(REGISTRY), 0, 1)
    part.ingest(RECORDS[:50])
    at_50 = digest(part)
    part.mark(50, digest)
    part.ingest(RECORDS[50:])
    assert part.marks[0] == (50, at_50)
    assert [offset for offset, _ in part.marks] == [50, 100]


# ---- checkpoints


def loaded(part: Partition, registry: Registry) -> Partition:
    return reloaded(part, Plan(registry))


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "no state"),
        (b"\x93garbage", "no state"),
    ],
)
def test_bytes_that_are_no_state_are_refused(data: bytes, why: str) -> None:
    with pytest.raises(StateError, match=why):
        list(decode(data, Plan(REGISTRY), 0, 1))


def test_a_damaged_office_is_refused() -> None:
    state = cut(Driver(REGISTRY).feed(RECORDS).parts[0])
    whole = encode(state)
    at = whole.index(b"A018") - 40
    with pytest.raises(StateError):
        list(decode(whole[:at] + b"\xc1" * 20 + whole[at + 20 :], Plan(REGISTRY), 0, 1))


@pytest.mark.parametrize(
    ("registry", "number", "partitions"),
    [(replace(REGISTRY, horizon_ms=HOUR), 0, 1), (REGISTRY, 1, 1), (REGISTRY, 0, 2)],
)
def test_a_state_of_another_horizon_or_partition_is_refused(registry: Registry, number: int, partitions: int) -> None:
    data = encode(cut(Partition(Plan(REGISTRY), 0, 1)))
    with pytest.raises(StateError, match="format, horizon, partition"):
        list(decode(data, Plan(registry), number, partitions))


def test_under_another_registry_the_facts_held_are_folded_anew() -> None:
    norms = {name: replace(norm, threshold_s=60) for name, norm in REGISTRY.norms.items()}
    stricter = replace(REGISTRY, norms=norms, hash="stricter", horizon_ms=REGISTRY.horizon_ms)
    tape = RECORDS[:40]  # before anything is sealed
    old = Driver(REGISTRY).feed(tape).parts[0]
    new = Driver(stricter).feed(tape).parts[0]
    assert old.offices[LILLE.encode()].days.lifetime == {}
    assert digest(loaded(old, stricter)) == digest(new)


def test_services_keep_their_figures_when_others_come_and_go() -> None:
    grown = replace(
        REGISTRY,
        services={"advice": Service("advice", "Advice"), **REGISTRY.services, "zeal": Service("zeal", "Zeal")},
        hash="grown",
    )
    for seed_tape in (RECORDS[:40], RECORDS):
        old = Driver(REGISTRY).feed(seed_tape).parts[0]
        there = loaded(old, grown)
        assert digest(loaded(there, REGISTRY)) == digest(old)
        if seed_tape is RECORDS[:40]:
            assert digest(there) == digest(Driver(grown).feed(seed_tape).parts[0])


def test_an_office_that_is_gone_has_its_figures_again_when_it_is_back() -> None:
    without = replace(REGISTRY, offices={LILLE: REGISTRY.offices[LILLE]}, hash="without")
    lille = replace(REGISTRY.offices[LILLE], services=(CASH,))
    fewer = replace(REGISTRY, offices={LILLE: lille}, services={CASH: REGISTRY.services[CASH]}, norms={}, hash="fewer")
    part = Driver(REGISTRY).feed(RECORDS).parts[0]
    assert PUNE.encode() in part.offices
    gone = loaded(part, without)
    assert list(gone.offices) == [LILLE.encode()]
    assert digest(loaded(gone, REGISTRY)) == digest(part)
    back = loaded(loaded(loaded(gone, without), fewer), REGISTRY)
    pune = back.offices[PUNE.encode()], part.offices[PUNE.encode()]  # it offers nothing but cash
    assert pune[0].days.lifetime == pune[1].days.lifetime
    assert pune[0].panes == pune[1].panes


def test_a_service_that_is_gone_becomes_other_and_an_office_that_is_gone_is_not_shown() -> None:
    lille = replace(REGISTRY.offices[LILLE], services=(CASH,))
    smaller = replace(
        REGISTRY,
        offices={LILLE: lille},
        services={CASH: REGISTRY.services[CASH]},
        hash="smaller",
        norms={name: norm for name, norm in REGISTRY.norms.items() if name == "ticket-to-call"},
    )
    driver = Driver(smaller)
    driver.parts = [loaded(Driver(REGISTRY).feed(RECORDS).parts[0], smaller)]
    (view,) = driver.views()
    (office,) = view.offices
    assert [service.service for service in office.services] == [CASH, "other"]
    before = Driver(REGISTRY).feed(RECORDS).views()[0].offices[0].services
    by_name = {service.service: service for service in before}
    assert office.services[1].lifetime == by_name[PAPERS].lifetime


def test_no_sealed_visit_is_lost_when_the_bounds_of_the_histogram_change() -> None:
    odd = {name: replace(norm, threshold_s=77 + i) for i, (name, norm) in enumerate(REGISTRY.norms.items())}
    before = replace(REGISTRY, norms=odd, hash="odd")
    assert not set(Plan(before).bounds) >= set(Plan(REGISTRY).bounds)
    days = list(three_months(random.Random(2)))[:4]  # noqa: S311 - repeatable, not secret
    part = Partition(Plan(before), 0, 1)
    part.ingest(record(offset, value, at) for offset, (at, value) in enumerate(chain.from_iterable(days)))
    (old, _) = Renderer(part).offices(part.stream)
    (new, _) = Renderer(loaded(part, REGISTRY)).offices(part.stream)
    (old_cash, new_cash) = (view.services[0] for view in (old, new))
    assert sum(part.offices[LILLE.encode()].days.lifetime.values()) > 0
    assert new_cash.lifetime == old_cash.lifetime
    assert new_cash.greatest == old_cash.greatest
    for end, histogram in old_cash.greatest_waits.items():
        assert (new_cash.greatest_waits[end].count, new_cash.greatest_waits[end].sum_ms) == (
            histogram.count,
            histogram.sum_ms,
        )
    for norm, counts in new_cash.lifetime_visits.items():
        assert sum(astuple(counts)) == sum(astuple(old_cash.lifetime_visits[norm])), norm


def test_random_states_come_back_the_same_under_a_registry_with_more_services() -> None:
    for seed in range(40):
        log = random_log(seed, 60, days=2)
        part = Driver(log.registry).feed(log.records).parts[0]
        services = {"a-first": Service("a-first", ""), **log.registry.services, "n-middle": Service("n-middle", "")}
        grown = replace(log.registry, services=services)
        assert digest(loaded(loaded(part, grown), log.registry)) == digest(part), seed


# ---- retention


def test_a_cut_over_within_a_quarter_of_an_hour_closes_visits_and_has_nothing_to_seal() -> None:
    #  03:01 first event of the office   03:05 cut-over   03:06 next event
    #  |--------- waiting -------------------|            |           one quarter: 03:00 to 03:15 local
    registry = replace(REGISTRY, cut_over_min=185)
    part = Partition(Plan(registry), 0, 1)
    first = START - 6 * HOUR + 60_000  # 03:01 in Lille
    part.ingest([record(0, issued(first), first), record(1, issued(first, ticket="A2"), first + 240_000 - 1)])
    office = part.offices[LILLE.encode()]
    assert (len(office.open), len(office.closed)) == (2, 0)
    sealed = office.cut
    part.ingest([record(2, issued(first + 300_000, ticket="A3"), first + 300_000)])
    assert (len(office.open), len(office.closed), office.cut) == (1, 2, sealed)


def three_months(dice: random.Random) -> Iterator[list[tuple[int, bytes]]]:
    """Each day the same tape of 60 visits, some unfinished, with desks, visitors turned away and a heartbeat."""
    visits = [(dice.randrange(8 * 60) * 60_000, dice.randrange(30) * 60_000, dice.random()) for _ in range(60)]
    for day in range(90):
        begin = START + day * DAY
        out = [(begin, event("desk.opened", begin, desk="1")), (begin, event("office.opened", begin))]
        out.append((begin + HOUR, event("visitor.turned_away", begin + HOUR, count=2)))
        out.append((begin + 2 * HOUR, event("kiosk.heartbeat", begin + 2 * HOUR, kiosk="k1", spooled=0)))
        for i, (at, wait, luck) in enumerate(visits):
            ticket = f"{day}/{i}"
            out.append((begin + at, issued(begin + at, ticket=ticket)))
            if luck > 0.1:
                called = begin + at + wait
                out.append((called, event("ticket.called", called, ticket=ticket, desk="1")))
                out.append((called + HOUR // 6, event("service.ended", called + HOUR // 6, ticket=ticket)))
        yield sorted(out)


def test_after_three_months_no_more_is_held_than_after_one() -> None:
    """Tickets, panes and the rest are bounded by the horizon; only day figures are kept, for 40 days."""
    part = Partition(Plan(REGISTRY), 0, 1)
    renderer = Renderer(part)
    offset = 0
    held = []
    for number, day in enumerate(three_months(random.Random(1))):  # noqa: S311 - repeatable, not secret
        for at, value in day:
            part.ingest([record(offset, value, at)])
            offset += 1
        if number % 4 == 0:  # a renderer that remembers, over days that rest, are forgotten, and months that end
            assert list(renderer.offices(part.stream)) == list(Renderer(part).offices(part.stream))
        office = part.offices[LILLE.encode()]
        held.append(
            {
                "tickets": len(office.open) + len(office.closed),
                "panes": len(office.panes),
                "entries": sum(map(len, office.panes.values())),
                "filed": sum(map(len, office.due.values())),
                "sessions": len(office.sessions),
                "turned": len(office.turned),
                "beats": len(office.beats),
                "moving": len(office.days.moving),
            }
        )
        assert len(office.days.all()) <= 41
    assert part.refused == {}
    (lille, _) = Renderer(part).offices(part.stream)
    # 90 days from 10 March end on 7 June; day figures of May are kept too, and are not June's.
    called = lille.services[0].lifetime[Tally.CALLED]
    assert called % 90 == 0
    assert lille.window_waits[Window.MONTH].count == called // 90 * 7
    for name, first in held[20].items():
        assert max(day[name] for day in held[60:]) <= max(1.1 * first, first + 1), name
    assert len(part.offices[LILLE.encode()].days.all()) >= 39


def test_a_day_that_rests_and_changes_again_is_added_up_anew() -> None:
    part = Partition(Plan(REGISTRY), 0, 1)
    part.ingest(RECORDS)
    office = part.offices[LILLE.encode()]
    days, today = office.days, office.calendar.day_of(part.stream)
    called = panes.key_of(part.plan.services[CASH] << 2, panes.REACHED + panes.ISSUED_TO_CALLED, 60)
    renderer = Renderer(part)
    counts = []
    for _ in range(2):
        days.add(today - 1, called, 1, part.plan.bounds)
        days.rest(today, today)
        view = renderer.office(office.id.encode(), part.stream)
        assert view == Renderer(part).office(office.id.encode(), part.stream)
        counts.append(view.window_waits[Window.MONTH].count)
    assert counts[1] == counts[0] + 1


def test_what_a_fast_clock_puts_into_the_next_hour_is_not_in_this_hours_window() -> None:
    part = Partition(Plan(REGISTRY), 0, 1)
    ahead = START + HOUR + 60_000
    called = event("ticket.called", ahead, ticket="A1")
    part.ingest([record(0, issued(START), START), record(1, called, ahead - 120_000)])
    renderer = Renderer(part)
    waits = {now: renderer.office(LILLE.encode(), now).window_waits for now in (part.stream, ahead)}
    assert [waits[now][Window.HOUR].count for now in waits] == [0, 1]
    assert [waits[now][Window.DAY].count for now in waits] == [1, 1]


def test_what_a_fast_clock_puts_into_the_next_business_day_is_in_none_of_todays_windows() -> None:
    part = Partition(Plan(REGISTRY), 0, 1)
    cut_over = START - 6 * HOUR  # 03:00 in Lille
    part.ingest([record(0, issued(cut_over - HOUR), cut_over - HOUR)])
    part.ingest([record(1, event("ticket.called", cut_over + 60_000, ticket="A1"), cut_over - 60_000)])
    renderer = Renderer(part)
    waits = {now: renderer.office(LILLE.encode(), now).window_waits for now in (part.stream, cut_over + 60_000)}
    assert [[waits[now][window].count for window in Window] for now in waits] == [[0, 0, 0], [1, 1, 1]]


def test_a_late_fact_that_undoes_an_overnight_closing_seals_at_the_same_time_with_and_without_a_checkpoint() -> None:
    #  20:00 issued     03:00 closed overnight     20:30 looked at, kept for its closing     21:15 sealed
    evening = START + 11 * HOUR  # 20:00 in Lille
    late = evening + DAY
    part = Partition(Plan(REGISTRY), 0, 1)
    part.ingest(
        [record(0, issued(evening), evening), record(1, issued(late + HOUR // 2, ticket="B"), late + HOUR // 2)]
    )
    called, ended = evening + 45 * 60_000, evening + 50 * 60_000
    part.ingest([record(2, event("ticket.called", called, ticket="A1"), late + 40 * 60_000)])
    part.ingest([record(3, event("service.ended", ended, ticket="A1"), late + 41 * 60_000)])
    again = loaded(part, REGISTRY)
    held = []
    for state in (part, again):
        for offset, minute in ((4, 55), (5, 75)):
            at = late + minute * 60_000
            state.ingest([record(offset, issued(at, ticket=f"C{offset}"), at)])
            held.append("A1" in state.offices[LILLE.encode()].closed)
    assert held == [True, False] * 2
    assert digest(again) == digest(part)


# ---- whose the refused events are

_HALL = "/offices/75-nation/kiosks/hall-1"
_OF_KIOSKS = """\
network: one
services: [{id: cash, title: Cash}]
offices:
  - {id: 75-nation, name: Nation, region: Paris, zone: Europe/Paris, kiosks: [hall-1, hall-2]}
  - {id: 69-lyon, name: Lyon, region: Lyon, zone: Europe/Paris, kiosks: [hall-1]}
"""


def of(source: str, office: str = "75-nation", **attributes: object) -> bytes:
    return issued(START, office, source=source, **attributes)


def put(part: Partition, *values: bytes, key: bytes = b"75-nation") -> Partition:
    part.ingest([record(part.next_offset + i, value, START, key) for i, value in enumerate(values)])
    return part


def test_what_is_refused_is_counted_by_the_kiosk_that_it_names() -> None:
    part = put(
        Partition(Plan(parse(_OF_KIOSKS, "registry.yaml")), 0, 1),
        of(_HALL, time="2026-03-10T08:00:00"),
        of(_HALL, time="2026-03-10T08:00:01"),
        of(_HALL, office="69-lyon"),
        of(f"{_HALL[:-1]}2", ticket=7),
        of(_HALL),  # counts
        of(_HALL, ticket=None).replace(b'"type"', b'"source":"/else","type"'),  # the last of two names is read
        b'{"source":"' + _HALL.encode() + b'"}',
    )
    assert part.refused_of == {
        _HALL: {Reason.NAIVE_TIME: 2, Reason.WRONG_KEY: 1, Reason.WRONG_SPECVERSION: 1},
        f"{_HALL[:-1]}2": {Reason.BAD_ATTRIBUTE: 1},
    }
    assert sum(part.refused.values()) == 6


@pytest.mark.parametrize(
    "value",
    [
        b"no JSON",
        b"",
        b"[" * 100_000,
        b'{"source":"/offices/75-nation/kiosks/hall-9"}',
        b'{"source":"/offices/13-nowhere/kiosks/hall-1"}',
        b'{"source":["/offices/75-nation/kiosks/hall-1"]}',
        b'{"source":"\xff"}',
        b'{"source":"/offices/75-nation/desks"}',
        b"{}",
    ],
)
def test_no_source_that_is_no_kiosk_of_the_registry_makes_a_count_of_its_own(value: bytes) -> None:
    part = put(Partition(Plan(parse(_OF_KIOSKS, "registry.yaml")), 0, 1), value)
    assert sum(part.refused.values()) == 1
    assert part.refused_of == {}


def test_a_kiosk_is_counted_in_the_partition_of_its_office_alone_so_that_nobody_can_make_more_counts_than_kiosks() -> (
    None
):
    plan = Plan(parse(_OF_KIOSKS, "registry.yaml"))
    parts = [put(Partition(plan, number, 16), of(_HALL, time="never")) for number in range(16)]
    home = partition_of(b"75-nation", 16)
    assert [part.number for part in parts if part.refused_of] == [home]


def test_a_kiosk_whose_events_come_into_another_offices_partition_or_without_a_key_is_named_there() -> None:
    plan = Plan(parse(_OF_KIOSKS, "registry.yaml"))
    elsewhere = 15 - partition_of(b"75-nation", 16)
    misplaced = put(Partition(plan, elsewhere, 16), of(_HALL), of(_HALL, time="never"))
    put(misplaced, of(_HALL), key=b"")
    assert misplaced.refused == {Reason.WRONG_PARTITION: 1, Reason.BAD_TIME: 1, Reason.WRONG_KEY: 1}
    assert misplaced.refused_of == {_HALL: {Reason.WRONG_PARTITION: 1, Reason.WRONG_KEY: 1}}


def test_a_kiosk_that_came_into_the_registry_is_counted_from_then_on_and_no_hash_of_a_state_differs() -> None:
    whole = parse(_OF_KIOSKS, "registry.yaml")
    part, other = (Partition(Plan(parse(_OF_KIOSKS.replace(", hall-2", ""), "r.yaml")), 0, 1) for _ in range(2))
    assert part.plan.registry.hash == whole.hash
    late = of(f"{_HALL[:-1]}2", time="never")
    put(part, late)
    part.plan.name_kiosks(whole)
    put(part, late)
    put(other, late, late)
    assert (part.refused, part.refused_of) == ({Reason.BAD_TIME: 2}, {f"{_HALL[:-1]}2": {Reason.BAD_TIME: 1}})
    assert (other.refused_of, digest(other)) == ({}, digest(part))


def test_whose_the_refused_events_are_is_kept_in_the_state() -> None:
    plan = Plan(parse(_OF_KIOSKS, "registry.yaml"))
    part = put(Partition(plan, 0, 1), of(_HALL, time="never"))
    state = cut(part)
    put(part, of(_HALL, time="never"))
    *_, again = decode(encode(state), plan, 0, 1)
    assert again.refused_of == {_HALL: {Reason.BAD_TIME: 1}}
    assert Renderer(part).partition_view(()).refused_of == {_HALL: {Reason.BAD_TIME: 2}}


# ---- when an office and its kiosks were last heard


def heard(part: Partition, now: int) -> tuple[int | None, dict[str, tuple[int, int, int]]]:
    (lille, _) = Renderer(part).offices(now)
    return lille.heard_ms, {kiosk: (of.heard_ms, of.spooled, of.drift_ms) for kiosk, of in lille.kiosks.items()}


def test_an_office_was_heard_at_its_newest_fact_whatever_came_last_and_heartbeats_tell_of_the_kiosk_alone() -> None:
    part = Partition(Plan(REGISTRY), 0, 1)
    assert heard(part, START) == (None, {})
    tape = [
        issued(START + 60_000),
        event("ticket.called", START + 30_000, ticket="A0"),
        issued(START + 60_000),  # known already
        event("kiosk.heartbeat", START + 90_000, kiosk="k1", spooled=3, driftms=-1500),
        event("kiosk.heartbeat", START + 80_000, kiosk="k1", spooled=9),
    ]
    part.ingest(record(offset, value, START + 120_000) for offset, value in enumerate(tape))
    assert heard(part, START + 120_000) == (START + 60_000, {"k1": (START + 90_000, 3, -1500)})
    more = [event("desk.opened", START + 130_000, desk="1"), event("visitor.turned_away", START + 140_000, count=2)]
    for offset, (value, at) in enumerate(zip(more, (130_000, 140_000), strict=True), len(tape)):
        part.ingest([record(offset, value, START + at)])
        assert heard(part, START + at)[0] == START + at


def test_a_remembering_renderer_shows_a_heartbeat_that_changes_nothing_else() -> None:
    part = Partition(Plan(REGISTRY), 0, 1)
    renderer = Renderer(part)
    for i in range(3):
        beat = event("kiosk.heartbeat", START + i * 1000, kiosk="k1", spooled=i)
        part.ingest([record(i, beat, START + i * 1000)])
        (lille, _) = renderer.offices(START + 5000)
        assert (lille.kiosks["k1"].heard_ms, lille.kiosks["k1"].spooled, lille.heard_ms) == (START + i * 1000, i, None)


def test_who_was_not_heard_within_the_horizon_was_never_heard() -> None:
    part = Partition(Plan(REGISTRY), 0, 1)
    tape = [issued(START), event("kiosk.heartbeat", START, kiosk="k1", spooled=0)]
    part.ingest(record(offset, value, START) for offset, value in enumerate(tape))
    late = START + REGISTRY.horizon_ms
    part.ingest([record(2, issued(late, office=PUNE), late, PUNE.encode())])
    assert heard(part, late) == (START, {"k1": (START, 0, 0)})
    late += HOUR
    part.ingest([record(3, issued(late, office=PUNE, ticket="A2"), late, PUNE.encode())])
    assert heard(part, late) == (None, {})


def test_a_state_that_was_loaded_has_heard_what_the_one_that_went_on_has() -> None:
    known = 0
    for seed in range(20):
        log = random_log(seed, 60, days=3)
        driver = Driver(log.registry)
        part = driver.parts[0]
        for i in range(0, len(log.records), 9):
            driver.feed(log.records[i : i + 9])
            went_on, anew = (
                [(office.heard_ms, office.kiosks) for office in Renderer(one).offices(part.stream)]
                for one in (part, loaded(part, log.registry))
            )
            assert anew == went_on, (seed, i)
            known += sum(at is not None for at, _ in went_on)
    assert known > 150  # else the test would prove nothing
