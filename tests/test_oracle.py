"""The oracle itself: against the tape worked out by hand, against itself, and one behaviour at a time."""

import json
import random
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attente.model.reasons import Reason
from attente.registry.entities import Per
from handtape import EXPECTED, LILLE, PAPERS, RECORDS, REGISTRY, Four, NamedTotals, ms
from lives import Log, Profile, logs, random_log, text_of
from oracle import (
    DAY,
    ENDS,
    HOUR,
    MINUTE,
    QUARTER,
    REQUIRED,
    SECOND,
    STARTS,
    TICKET_TYPES,
    Fact,
    Figures,
    Key,
    Record,
    State,
    SumKey,
    Tally,
    Visit,
    Waiting,
    business_day,
    compute,
    contributions,
    day_begins,
    fact_of,
    instant,
    next_cut_over,
    partition_of,
    reason_of_bytes,
)
from oracle import Log as OracleLog

slowly = settings(max_examples=40, deadline=None)

# --- the tape by hand ---


@pytest.fixture(scope="module")
def tape() -> Figures:
    return compute(RECORDS, REGISTRY)


def totals(tally: Tally) -> dict[tuple[str, str], NamedTotals]:
    """Counts and sums by office, service and name, over panes, channels and seconds."""
    found: dict[tuple[str, str], NamedTotals] = {}
    for key, n in tally.counts.items():
        names = found.setdefault((key.office, key.service), {})
        names[key.name] = (names.get(key.name, (0, 0))[0] + n, tally.summed(key.name, key.office, key.service))
    return found


def test_the_account_of_the_tape_balances_as_counted_by_hand(tape: Figures) -> None:
    account = tape.account
    assert (account.read, account.counted, account.duplicate) == (
        EXPECTED.read,
        EXPECTED.counted,
        EXPECTED.duplicate,
    )
    assert account.refused == EXPECTED.refused
    assert account.read == account.counted + account.duplicate + account.dead


def test_every_count_and_sum_of_the_tape_is_the_one_worked_out_by_hand(tape: Figures) -> None:
    assert totals(tape.all) == EXPECTED.totals


def test_what_is_sealed_of_the_tape_is_what_is_older_than_the_edge(tape: Figures) -> None:
    assert totals(tape.sealed) == EXPECTED.sealed


@pytest.mark.parametrize("place", EXPECTED.by_day)
def test_a_contribution_of_the_tape_belongs_to_its_business_day(
    tape: Figures, place: tuple[str, str, str, str]
) -> None:
    office, service, day, name = place
    found = tape.by_day(tape.all).counts
    n = sum(n for k, n in found.items() if (k.office, k.service, k.pane, k.name) == (office, service, day, name))
    assert n == EXPECTED.by_day[place]


@pytest.mark.parametrize("place", EXPECTED.by_pane)
def test_a_contribution_of_the_tape_lies_in_its_pane(tape: Figures, place: tuple[str, str, int, str]) -> None:
    n = sum(n for k, n in tape.all.counts.items() if (k.office, k.service, k.pane, k.name) == place)
    assert n == EXPECTED.by_pane[place]


@pytest.mark.parametrize(("norm", "per"), EXPECTED.norms)
def test_the_four_counts_of_a_norm_over_the_tape_are_those_by_hand(tape: Figures, norm: str, per: Per) -> None:
    found = tape.counts(REGISTRY.norms[norm], per)
    assert {place: Four(*four) for place, four in found.items() if any(four)} == EXPECTED.norms[norm, per]


@pytest.mark.parametrize(("norm", "per"), EXPECTED.levels)
def test_the_four_service_levels_of_a_norm_over_the_tape_are_those_by_hand(tape: Figures, norm: str, per: Per) -> None:
    assert tape.total(REGISTRY.norms[norm], per).levels() == EXPECTED.levels[norm, per]


def test_the_contradictions_of_the_tape_are_those_by_hand(tape: Figures) -> None:
    assert tape.contradictions == EXPECTED.contradictions
    assert not tape.sealed_contradictions


def test_who_waits_and_what_is_open_at_the_end_of_the_tape_is_as_by_hand(tape: Figures) -> None:
    assert tape.waiting == EXPECTED.waiting
    assert tape.open_desks == EXPECTED.open_desks
    assert tape.open_offices == EXPECTED.open_offices


def test_desks_and_offices_of_the_tape_are_open_as_long_as_by_hand(tape: Figures) -> None:
    assert tape.desk_ms == EXPECTED.desk_ms
    assert tape.office_ms == EXPECTED.office_ms


def until(at: int) -> Figures:
    return compute([record for record in RECORDS if record.timestamp < at], REGISTRY)


def test_an_event_six_hours_late_repairs_the_morning() -> None:
    called = Key(LILLE, PAPERS, "walkin", ms("08:25:00"), "called/issued", 360)  # A014, taken to be called at its start
    assert until(ms("14:25:00")).all.counts[called] == 1
    repaired = until(ms("14:25:00.001")).all.counts
    assert repaired[called] == 0
    assert repaired[called._replace(seconds=300)] == 1


def test_a_call_after_the_cut_over_undoes_the_overnight_closing() -> None:
    closed = until(ms("21:39:00") + 1)
    assert closed.all.named("closed", "pune") == 0  # nothing tells the stream that 21:30 has passed
    tick = record(HEARTBEAT, ms("21:39:00"), office="pune")
    before = [r for r in RECORDS if r.timestamp < ms("21:39:00")]
    after = [r for r in RECORDS if r.timestamp >= ms("21:39:00")]
    assert compute([*before, tick], REGISTRY).all.named("closed", "pune") == 1
    assert compute([*before, tick, *after], REGISTRY).all.named("closed", "pune") == 0


# --- the oracle against itself ---


def told(figures: Figures) -> tuple[object, ...]:
    """Everything but the account and who was heard last."""
    return (
        figures.held,
        figures.sealed,
        figures.contradictions,
        figures.sealed_contradictions,
        sorted(figures.present, key=lambda present: present[:2]),
        figures.open_desks,
        figures.open_offices,
        figures.desk_ms,
        figures.office_ms,
        figures.stream,
    )


def _type(value: bytes | None) -> str:
    return "" if reason_of_bytes(value or b"") else str(json.loads(value or b"")["type"])


def _orderless(records: Iterable[Record]) -> list[Record]:
    """Without what the order of the log decides: the newest heartbeat, the first with an id of those turned away."""
    return [r for r in records if _type(r.value) not in ("kiosk.heartbeat", "visitor.turned_away")]


@slowly
@given(logs(), st.randoms(use_true_random=False))
def test_what_is_appended_at_one_instant_may_come_in_any_order(log: Log, rng: random.Random) -> None:
    instant = max((r.timestamp for r in log.records), default=0)
    records = [r._replace(timestamp=instant) for r in _orderless(log.records)]
    figures = compute(records, log.registry)
    rng.shuffle(records)
    shuffled = compute(records, log.registry)
    assert told(shuffled) == told(figures)
    assert shuffled.account == figures.account


@settings(max_examples=30, deadline=None)
@given(st.randoms(use_true_random=False))
def test_a_morning_may_come_in_any_order_while_nothing_of_it_is_older_than_the_horizon(rng: random.Random) -> None:
    morning = [r for r in _orderless(RECORDS) if r.timestamp <= ms("14:25:00")]
    figures = compute(morning, REGISTRY)
    rng.shuffle(morning)
    # As an archive, every record bears the time of its event, whatever came before it.
    assert told(compute(morning, REGISTRY)) == told(figures)


@slowly
@given(logs(), st.data())
def test_what_was_accepted_and_comes_again_adds_nothing_but_duplicates_and_refusals(
    log: Log, data: st.DataObject
) -> None:
    figures = Figures(log.registry)
    reading = OracleLog(figures, 0, None, reason_of_bytes)
    again: list[Record] = []
    accepted: list[Record] = []
    for one in log.records:
        dead = figures.account.dead
        reading.read(one)
        again.append(one)
        if figures.account.dead == dead:
            accepted.append(one)
        if accepted and data.draw(st.integers(0, 3)) == 3:
            copy = data.draw(st.sampled_from(accepted))
            again.append(copy._replace(timestamp=reading.stream))
    once, twice = compute(log.records, log.registry), compute(again, log.registry)
    assert told(twice) == told(once)
    assert twice.heartbeats == once.heartbeats
    assert twice.account.counted == once.account.counted
    late = Counter({Reason.TOO_LATE: twice.account.dead - once.account.dead})
    assert twice.account.refused == once.account.refused + late
    assert twice.account.read == once.account.read + len(again) - len(log.records)


@slowly
@given(logs())
def test_every_record_is_counted_or_a_duplicate_or_dead(log: Log) -> None:
    account = compute(log.records, log.registry).account
    assert account.read == len(log.records) == account.counted + account.duplicate + account.dead


@slowly
@given(logs())
def test_in_no_pane_are_there_more_no_shows_than_calls(log: Log) -> None:
    counts = compute(log.records, log.registry).all.counts
    for key, n in counts.items():
        if key.name.startswith("no_show/"):
            assert n <= counts[key._replace(name=key.name.replace("no_show", "called"))]


@slowly
@given(logs())
def test_by_the_clock_of_the_ticket_everybody_waits_as_often_as_by_any_other(log: Log) -> None:
    everything = compute(log.records, log.registry).all
    for name in ("called", "started", "abandoned", "no_show"):
        assert (
            everything.named(f"{name}/issued") == everything.named(f"{name}/arrived") == everything.named(f"{name}/due")
        )
        assert everything.summed(f"{name}/due") <= everything.summed(f"{name}/issued")
        assert everything.summed(f"{name}/issued") <= everything.summed(f"{name}/arrived")


@slowly
@given(logs(partitions=4))
def test_the_figures_of_a_topic_are_the_sums_over_its_partitions(log: Log) -> None:
    whole = compute(log.records, log.registry, partitions=4)
    parts = [
        compute([r for r in log.records if r.partition == partition], log.registry, partitions=4)
        for partition in range(4)
    ]
    counts: Counter[Key] = Counter()
    sums: Counter[SumKey] = Counter()
    for part in parts:
        counts += part.all.counts
        sums += part.all.sums
    assert (whole.all.counts, whole.all.sums) == (counts, sums)
    assert whole.account.refused == sum((part.account.refused for part in parts), Counter())
    assert len(whole.present) == sum(len(part.present) for part in parts)


@slowly
@given(logs())
def test_a_longer_horizon_refuses_no_more_as_too_late(log: Log) -> None:
    longer = replace(log.registry, horizon_ms=log.registry.horizon_ms + HOUR)
    refused = compute(log.records, log.registry).account.refused
    assert compute(log.records, longer).account.refused[Reason.TOO_LATE] <= refused[Reason.TOO_LATE]


# --- one behaviour at a time: visits ---

TYPES = {name.partition(".")[2]: name for name in TICKET_TYPES}
BEGIN = ms("09:00:00")


def life(*steps: str, due: float | None = None, arrived: float | None = None) -> Visit:
    """A visit from steps like `called@1200.4` or `called@120#42`: a type, seconds, and a sequence if there is one."""
    facts = []
    for step in steps:
        name, _, when = step.partition("@")
        seconds, _, sequence = when.partition("#")
        issued = name == "issued"
        facts.append(
            Fact(
                type=TYPES[name],
                time=_at(float(seconds)),
                sequence=int(sequence or 0),
                service={"issued": "cash", "transferred": PAPERS}.get(name, ""),
                channel=("walkin" if due is None else "appointment") if issued else "",
                due=_at(due) if issued and due is not None else None,
                arrived=_at(arrived) if issued and arrived is not None else None,
            )
        )
    return Visit(facts)


def _at(seconds: float) -> int:
    return BEGIN + round(seconds * SECOND)


def said(visit: Visit, name: str) -> list[tuple[int, int]]:
    """The contributions of one name: at which second, and of how many milliseconds."""
    return [((c.at - BEGIN) // SECOND, c.ms or 0) for c in contributions(visit) if c.name == name]


STATES = {
    State.NOT_ISSUED: (),
    State.WAITING: ("issued@0",),
    State.CALLED: ("issued@0", "called@10"),
    State.SERVING: ("issued@0", "called@10", "started@20"),
    State.PAUSED: ("issued@0", "called@10", "started@20", "paused@30"),
    State.ABSENT: ("issued@0", "called@10", "no_show@20"),
    State.OVER: ("issued@0", "called@10", "started@20", "ended@30"),
}
HAVE_A_PLACE = {
    State.NOT_ISSUED: {"issued"},
    State.WAITING: {"called", "started", "transferred", "requeued", "abandoned", "closed"},
    State.CALLED: {"no_show", "started", "ended", "transferred", "requeued", "closed"},
    State.SERVING: {"paused", "ended", "transferred", "requeued", "closed"},
    State.PAUSED: {"resumed", "ended", "transferred", "requeued", "closed"},
    State.ABSENT: {"called", "started", "transferred", "requeued"},
    State.OVER: {"transferred", "requeued"},
}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("name", TYPES)
def test_a_fact_that_has_no_place_in_a_visit_is_a_contradiction(state: State, name: str) -> None:
    assert life(*STATES[state]).state is state
    expected = Counter() if name in HAVE_A_PLACE[state] else Counter({TYPES[name]: 1})
    assert life(*STATES[state], f"{name}@60").contradictions == expected


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("name", TYPES)
def test_a_contradiction_contributes_nothing(state: State, name: str) -> None:
    before, after = life(*STATES[state]), life(*STATES[state], f"{name}@60")
    assert (contributions(after) == contributions(before)) == bool(after.contradictions) or name in {
        "paused",
        "resumed",
    }


def test_a_fact_five_seconds_before_the_issue_takes_place_at_the_issue() -> None:
    #   called   issued
    #   |--- 5 -->|
    assert said(life("called@0", "issued@5"), "called/issued") == [(5, 0)]


def test_a_fact_over_five_seconds_before_the_issue_is_a_contradiction() -> None:
    assert life("called@0", "issued@5.001").contradictions == {"ticket.called": 1}


def test_facts_before_the_issue_keep_their_order_and_come_before_those_at_its_instant() -> None:
    visit = life("started@3", "called@1", "issued@4", "ended@4#1")
    assert not visit.contradictions
    assert said(visit, "called/issued") == said(visit, "served/unstated") == [(4, 0)]


def test_at_one_instant_the_issue_comes_first_whatever_its_sequence() -> None:
    assert said(life("called@0#1", "issued@0#9"), "called/issued") == [(0, 0)]


def test_at_one_instant_a_call_comes_before_the_start_of_service_without_a_sequence() -> None:
    assert not life("issued@0", "ended@60", "started@60", "called@60").contradictions


def test_the_sequence_is_stronger_than_the_rank_of_the_type() -> None:
    visit = life("issued@0", "called@60#1", "requeued@60#2", "called@60#3")
    assert said(visit, "called/issued") == [(60, 60_000), (60, 0)]


def test_service_that_starts_without_a_call_is_called_at_its_start() -> None:
    visit = life("issued@0", "started@90")
    assert said(visit, "called/issued") == said(visit, "started/issued") == [(90, 90_000)]


def test_service_that_ends_without_a_start_is_started_at_the_call() -> None:
    visit = life("issued@0", "called@90", "ended@150")
    assert said(visit, "started/issued") == [(90, 90_000)]
    assert said(visit, "served/unstated") == [(150, 60_000)]


def test_a_pause_that_is_not_resumed_is_no_service_time() -> None:
    #  called, started    paused       ended
    #  |------- 30 ------->|............|
    assert said(life("issued@0", "started@10", "paused@40", "ended@100"), "served/unstated") == [(100, 30_000)]


def test_service_that_is_moved_is_served_up_to_the_move() -> None:
    visit = life("issued@0", "started@10", "transferred@70", "called@100")
    assert said(visit, "served/unstated") == [(70, 60_000)]
    assert said(visit, "called/issued") == [(10, 10_000), (100, 30_000)]
    assert visit.leg.service == PAPERS


def test_who_is_closed_while_served_was_not_served() -> None:
    visit = life("issued@0", "started@10", "closed@70")
    assert not visit.served
    assert said(visit, "closed") == []
    assert said(visit, "visit_answered/issued/started") == [(70, 10_000)]


def test_a_call_after_a_no_show_waits_since_the_no_show() -> None:
    visit = life("issued@0", "called@100", "no_show@150", "called@400")
    assert said(visit, "called/issued") == [(100, 100_000), (400, 250_000)]
    assert said(visit, "no_show/issued") == [(100, 100_000)]


def test_a_return_to_the_queue_after_a_no_show_waits_since_the_return() -> None:
    visit = life("issued@0", "called@100", "no_show@150", "requeued@350", "called@400")
    assert said(visit, "called/issued")[1:] == [(400, 50_000)]


def test_a_move_after_the_end_takes_the_end_back() -> None:
    ended = ("issued@0", "started@10", "ended@20")
    assert said(life(*ended), "visit_answered/issued/called") == [(20, 10_000)]
    assert said(life(*ended, "requeued@30"), "visit_answered/issued/called") == []
    assert said(life(*ended, "requeued@30", "abandoned@90"), "visit_left/issued/called") == [(90, 70_000)]


def test_who_is_moved_while_waiting_is_neither_answered_nor_left_in_the_first_leg() -> None:
    visit = life("issued@0", "transferred@60", "called@90", "ended@100")
    assert [c.name for c in contributions(visit) if c.name.startswith("first_")] == []
    assert said(visit, "visit_answered/issued/called") == [(100, 90_000)]


def test_to_the_start_of_service_a_call_that_led_nowhere_lasts_until_the_move() -> None:
    #  issued   called   requeued   started     ended
    #  |-- 60 -->|         |-- 30 -->|
    #  |------ 80 -------->|
    visit = life("issued@0", "called@60", "requeued@80", "started@110", "ended@120")
    assert said(visit, "visit_answered/issued/called") == [(120, 90_000)]
    assert said(visit, "visit_answered/issued/started") == [(120, 110_000)]


def test_called_before_the_appointment_is_no_wait_and_takes_nothing_from_the_next_leg() -> None:
    visit = life("issued@0", "called@60", "requeued@70", "called@100", "ended@110", due=600)
    assert said(visit, "called/due") == [(60, 0), (100, 30_000)]
    assert said(visit, "visit_answered/due/called") == [(110, 30_000)]


def test_an_appointment_that_was_due_before_the_ticket_counts_from_the_ticket() -> None:
    assert said(life("issued@0", "called@60", due=-600), "called/due") == [(60, 60_000)]


def test_a_due_time_without_an_appointment_moves_nothing() -> None:
    figures = of(record(ISSUED, BEGIN, due=text_of(BEGIN + 30_000)), record(CALLED, BEGIN + 60_000))
    assert figures.all.summed("called/due") == 60_000


def test_the_door_moves_the_beginning_of_the_first_leg_only() -> None:
    visit = life("issued@0", "called@60", "requeued@70", "called@100", arrived=-30)
    assert said(visit, "called/arrived") == [(60, 90_000), (100, 30_000)]


# --- one behaviour at a time: the log ---

PARIS = REGISTRY.offices[LILLE]
TICKET = {"ticket": "T1"}
ISSUED = {"type": "ticket.issued", "service": "cash", "channel": "walkin"} | TICKET
CALLED = {"type": "ticket.called"} | TICKET
ABANDONED = {"type": "ticket.abandoned"} | TICKET
HEARTBEAT = {"type": "kiosk.heartbeat", "kiosk": "k1", "spooled": 0}


def record(body: dict[str, Any], at: int, *, stamp: Any = None, office: str = LILLE, **more: Any) -> Record:
    """An event that reaches the log at once, or at `stamp`; `more` are attributes of its own."""
    common = {"specversion": "1.0", "id": "1", "source": "/s", "time": text_of(at), "office": office}
    value = json.dumps(common | body | more).encode()
    return Record(0, at if stamp is None else stamp, office.encode(), value)


def of(*records: Record, horizon_ms: int = DAY) -> Figures:
    return compute(records, replace(REGISTRY, horizon_ms=horizon_ms))


def test_a_wait_is_counted_in_whole_seconds_rounded_up_and_summed_exactly() -> None:
    figures = of(record(ISSUED, BEGIN), record(CALLED, BEGIN + 1_200_001))
    assert [key.seconds for key in figures.all.counts if key.name == "called/issued"] == [1201]
    assert figures.all.summed("called/issued") == 1_200_001


def test_what_is_exactly_five_minutes_ahead_is_accepted_and_a_millisecond_more_is_not() -> None:
    assert of(record(ISSUED, BEGIN, stamp=BEGIN - 5 * MINUTE)).account.counted == 1
    refused = of(record(ISSUED, BEGIN, stamp=BEGIN - 5 * MINUTE - 1)).account.refused
    assert refused == {Reason.FROM_THE_FUTURE: 1}


def test_what_is_exactly_as_old_as_the_horizon_is_accepted_and_a_millisecond_more_is_not() -> None:
    tick = record(HEARTBEAT, BEGIN + HOUR)
    assert of(tick, record(ISSUED, BEGIN), horizon_ms=HOUR).account.counted == 2
    assert of(tick, record(ISSUED, BEGIN - 1), horizon_ms=HOUR).account.refused == {Reason.TOO_LATE: 1}


def test_stream_time_moves_by_records_that_are_refused_too() -> None:
    broken = Record(0, BEGIN + HOUR, b"", b"")
    assert of(broken, record(ISSUED, BEGIN - 1), horizon_ms=HOUR).account.refused[Reason.TOO_LATE] == 1


@pytest.mark.parametrize(
    ("attribute", "within", "beyond"),
    [
        ("arrived", 5 * SECOND, 5 * SECOND + 1),
        ("arrived", -DAY, -DAY - 1),
        ("due", 7 * DAY, 7 * DAY + 1),
        ("due", -7 * DAY, -7 * DAY - 1),
    ],
)
def test_a_door_time_or_an_appointment_is_plausible_up_to_a_limit(attribute: str, within: int, beyond: int) -> None:
    assert of(record(ISSUED, BEGIN, **{attribute: text_of(BEGIN + within)})).account.counted == 1
    refused = of(record(ISSUED, BEGIN, **{attribute: text_of(BEGIN + beyond)})).account.refused
    assert refused == {Reason.IMPLAUSIBLE_TIME: 1}


def test_a_door_time_a_little_after_the_ticket_counts_as_the_ticket() -> None:
    figures = of(record(ISSUED, BEGIN, arrived=text_of(BEGIN + 5_000)), record(CALLED, BEGIN + 60_000))
    assert figures.all.summed("called/arrived") == 60_000


@pytest.mark.parametrize(
    ("more", "duplicates"),
    [
        ({"id": "2"}, 1),
        ({"source": "/elsewhere"}, 1),
        ({"unknown": "attribute"}, 1),
        ({"time": "2026-03-10T10:00:00+01:00"}, 1),
        ({"sequence": "0000"}, 1),
        ({"sequence": "1"}, 0),
        ({"desk": "d1"}, 0),
        ({"estimated": True}, 0),
        ({"time": text_of(BEGIN + 1)}, 0),
        ({"ticket": "T2"}, 0),
    ],
)
def test_a_fact_is_known_by_its_time_its_sequence_and_the_attributes_of_its_type(
    more: dict[str, Any], duplicates: int
) -> None:
    assert of(record(CALLED, BEGIN), record(CALLED, BEGIN, **more)).account.duplicate == duplicates


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({}, {"due": text_of(BEGIN)}),
        ({"due": text_of(BEGIN), "arrived": text_of(BEGIN)}, {"due": text_of(BEGIN + 1)}),
        ({"service": PAPERS}, {"service": "cash", "arrived": text_of(BEGIN - 1)}),
        ({"service": "ghosts"}, {"service": "cash"}),
        ({"service": "cash", "channel": "remote"}, {"service": PAPERS}),
        ({"channel": "walkin"}, {"channel": "appointment"}),
        ({"channel": "appointment"}, {"channel": "remote"}),
    ],
)
def test_of_two_issues_at_one_instant_their_attributes_decide_never_their_arrival(
    first: dict[str, Any], second: dict[str, Any]
) -> None:
    facts = [fact_of(json.loads(record(ISSUED, BEGIN, **more).value or b""), PARIS) for more in (first, second)]
    for order in (facts, facts[::-1]):
        assert Visit(order).issue == facts[0]


def test_of_two_ends_at_one_instant_the_unstated_comes_first_and_then_the_better() -> None:
    for outcomes in (["resolved"], ["pending", "resolved"], ["referred", "pending"], [None, "resolved"]):
        ends = [record({"type": "service.ended"} | TICKET, BEGIN + 9, outcome=outcome) for outcome in outcomes]
        figures = of(record(ISSUED, BEGIN), record(CALLED, BEGIN + 1), *ends)
        assert figures.all.named(f"served/{outcomes[-1] if None not in outcomes else 'unstated'}") == 1


def test_unknown_services_are_one_and_the_same() -> None:
    figures = of(record(ISSUED, BEGIN, service="ghosts"), record(ISSUED, BEGIN, service="vampires"))
    assert figures.account.duplicate == 1
    assert figures.waiting == {(LILLE, "other"): Waiting(1, BEGIN)}


def test_a_return_to_the_queue_that_names_no_service_waits_for_the_same_one() -> None:
    requeued = {"type": "ticket.requeued"} | TICKET
    figures = of(record(ISSUED, BEGIN), record(requeued, BEGIN + 60_000))
    assert figures.waiting == {(LILLE, "cash"): Waiting(1, BEGIN + 60_000)}


def test_the_same_visitors_turned_away_are_known_by_source_and_id() -> None:
    away = {"type": "visitor.turned_away"}
    figures = of(record(away, BEGIN, count=2), record(away, BEGIN + 60_000, count=5), record(away, BEGIN, source="/t"))
    assert figures.account.duplicate == 1
    assert figures.all.named("turned_away") == 3


def test_of_heartbeats_only_the_newest_is_kept() -> None:
    figures = of(*(record(HEARTBEAT, BEGIN + late, stamp=BEGIN + 9, spooled=late) for late in (1, 3, 2, 3, 4)))
    assert figures.heartbeats == {(LILLE, "k1"): (BEGIN + 4, 4)}
    assert (figures.account.counted, figures.account.duplicate) == (3, 2)


def test_a_visit_is_sealed_when_its_last_fact_is_older_than_the_horizon_at_a_full_quarter() -> None:
    #  last fact 09:00                                    10:00     10:15
    #  |----------------- horizon 1 h ------------------->|         | first full quarter at which it is older
    visit = record(ISSUED, BEGIN), record(ABANDONED, BEGIN)
    held = of(*visit, record(HEARTBEAT, BEGIN + HOUR + QUARTER - 1), horizon_ms=HOUR)
    assert (held.held.named("issued"), held.sealed.named("issued")) == (1, 0)
    ticks = record(HEARTBEAT, BEGIN + HOUR + QUARTER - 1), record(HEARTBEAT, BEGIN + HOUR + QUARTER)
    sealed = of(*visit, *ticks, horizon_ms=HOUR)
    assert (sealed.held.named("issued"), sealed.sealed.named("issued")) == (0, 1)


def test_a_visit_that_is_still_open_is_held_until_the_cut_over_has_closed_it() -> None:
    cut_over = ms("02:00:00", 11)
    still = of(record(ISSUED, BEGIN), record(HEARTBEAT, cut_over - 1), horizon_ms=HOUR)
    assert still.waiting == {(LILLE, "cash"): (1, BEGIN)}
    over = of(record(ISSUED, BEGIN), record(HEARTBEAT, cut_over), horizon_ms=HOUR)
    assert (over.waiting, over.held.named("issued"), over.held.named("closed")) == ({}, 1, 1)


@pytest.mark.parametrize(("after", "sealed"), [(HOUR + QUARTER - 1, 0), (HOUR + QUARTER, 1)])
def test_a_visit_that_a_cut_over_has_closed_is_held_for_a_horizon_from_there(after: int, sealed: int) -> None:
    cut_over = ms("02:00:00", 11)
    figures = of(record(ISSUED, BEGIN), record(HEARTBEAT, cut_over + after), horizon_ms=HOUR)
    assert (figures.sealed.named("issued"), figures.sealed.named("closed")) == (sealed, sealed)
    assert figures.all.named("closed") == 1


def test_an_event_for_a_sealed_visit_is_a_contradiction() -> None:
    records = record(ISSUED, BEGIN), record(ABANDONED, BEGIN), record(CALLED, BEGIN + HOUR + QUARTER)
    figures = of(*records, horizon_ms=HOUR)
    assert figures.contradictions == {(LILLE, "ticket.called"): 1}
    assert figures.all.named("called/issued") == 0


def test_a_ticket_that_is_issued_again_after_it_was_sealed_begins_a_new_visit() -> None:
    visit = record(ISSUED, BEGIN), record(ABANDONED, BEGIN)
    figures = of(*visit, record(ISSUED, BEGIN + HOUR + QUARTER), horizon_ms=HOUR)
    assert figures.all.named("issued") == 2
    assert not figures.contradictions


def test_who_still_waits_at_the_cut_over_is_closed_there_once_stream_time_has_reached_it() -> None:
    cut_over = ms("02:00:00", 11)
    assert of(record(ISSUED, BEGIN), record(HEARTBEAT, cut_over - 1)).all.named("closed") == 0
    closed = of(record(ISSUED, BEGIN), record(HEARTBEAT, cut_over)).all.counts
    assert closed[Key(LILLE, "cash", "walkin", cut_over, "closed", 0)] == 1


def test_a_ticket_issued_at_the_cut_over_itself_is_closed_at_the_next_one() -> None:
    cut_over = ms("02:00:00", 10)
    figures = of(record(ISSUED, cut_over), record(HEARTBEAT, cut_over + DAY - 1))
    assert figures.all.named("closed") == 0
    figures = of(record(ISSUED, cut_over), record(HEARTBEAT, cut_over + DAY))
    assert figures.all.named("closed") == 1


@pytest.mark.parametrize(
    ("evening", "hours"),
    [("2026-03-27T02:00:00Z", 24), ("2026-03-28T02:00:00Z", 23), ("2026-10-24T01:00:00Z", 25)],
)
def test_a_business_day_has_the_hours_of_the_zone(evening: str, hours: int) -> None:
    begins = instant(evening)
    assert isinstance(begins, int)
    assert next_cut_over(begins, PARIS, 180) == begins + hours * HOUR
    assert day_begins(business_day(begins, PARIS, 180), PARIS, 180) == begins
    assert day_begins(business_day(begins + hours * HOUR - 1, PARIS, 180), PARIS, 180) == begins


def desk(*events: tuple[str, int], **more: Any) -> tuple[Record, ...]:
    return tuple(record({"type": f"desk.{name}", "desk": "d1"}, at, **more) for name, at in events)


def test_a_shift_change_at_one_instant_closes_before_it_opens() -> None:
    figures = of(
        *desk(("opened", BEGIN), ("opened", BEGIN + HOUR), ("closed", BEGIN + HOUR), ("closed", BEGIN + 2 * HOUR))
    )
    assert figures.desk_ms == {(LILLE, "2026-03-10"): 2 * HOUR}
    assert not figures.contradictions


def test_a_desk_left_open_closes_at_the_cut_over_and_its_closing_later_is_a_contradiction() -> None:
    #  10 March 09:00 UTC             cut-over 02:00     closed 08:00
    #  |------------ 17 h ------------->|
    figures = of(*desk(("opened", BEGIN), ("closed", ms("08:00:00", 11))))
    assert figures.desk_ms == {(LILLE, "2026-03-10"): 17 * HOUR}
    assert figures.contradictions == {(LILLE, "desk.closed"): 1}
    assert figures.open_desks == {}


def test_closing_the_office_closes_no_desk() -> None:
    closing = record({"type": "office.closed"}, BEGIN + HOUR)
    figures = of(record({"type": "office.opened"}, BEGIN), *desk(("opened", BEGIN)), closing)
    assert figures.open_desks == {LILLE: 1}
    assert figures.open_offices == set()


def test_the_contradictions_of_a_desk_are_sealed_with_its_day() -> None:
    records = *desk(("closed", BEGIN)), record(HEARTBEAT, ms("02:00:00", 12) + QUARTER)
    figures = of(*records)
    assert not figures.contradictions
    assert figures.sealed_contradictions == {(LILLE, "desk.closed"): 1}


@pytest.mark.parametrize(
    ("key", "hashed"),
    # The vectors of Kafka's own test of its murmur2.
    [
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        (b"abc", 479470107),
    ],
)
def test_a_key_has_the_partition_that_kafka_gives_it(key: bytes, hashed: int) -> None:
    assert partition_of(key, 1 << 31) == hashed & 0x7FFFFFFF


def test_a_record_in_another_partition_than_that_of_its_key_is_refused() -> None:
    right = record(ISSUED, BEGIN)._replace(partition=partition_of(LILLE.encode(), 4))
    wrong = right._replace(partition=(right.partition + 1) % 4)
    account = compute([right, wrong], REGISTRY, partitions=4).account
    assert (account.counted, account.refused) == (1, {Reason.WRONG_PARTITION: 1})


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"", Reason.EMPTY),
        (b"\xff{}", Reason.NOT_JSON),
        (b"{", Reason.NOT_JSON),
        (b"[]", Reason.NOT_AN_OBJECT),
        ({"specversion": 1}, Reason.WRONG_SPECVERSION),
        ({"type": None}, Reason.UNKNOWN_TYPE),
        ({"type": "ticket.eaten"}, Reason.UNKNOWN_TYPE),
        ({"ticket": None}, Reason.MISSING_ATTRIBUTE),
        ({"due": None}, None),
        ({"ticket": ""}, Reason.BAD_ATTRIBUTE),
        ({"ticket": "x" * 129}, Reason.BAD_ATTRIBUTE),
        ({"channel": "pigeon"}, Reason.BAD_ATTRIBUTE),
        ({"sequence": 7}, Reason.BAD_ATTRIBUTE),
        ({"time": "2026-03-10 09:00:00Z"}, Reason.BAD_TIME),
        ({"time": "2026-02-30T09:00:00Z"}, Reason.BAD_TIME),
        ({"time": "1969-12-31T23:59:59Z"}, Reason.BAD_TIME),
        ({"due": "2026-03-10T09:60:00Z"}, Reason.BAD_TIME),
        ({"arrived": "2026-03-10T09:00:00"}, Reason.NAIVE_TIME),
        ({"extra": [1]}, None),
    ],
)
def test_bytes_that_are_no_event_have_one_reason(value: bytes | dict[str, Any], reason: Reason | None) -> None:
    whole = json.loads(record(ISSUED, BEGIN).value or b"")
    assert reason_of_bytes(value if isinstance(value, bytes) else json.dumps(whole | value).encode()) is reason


@pytest.mark.parametrize("name", ["id", "source", "time", "office", "ticket", "service", "channel"])
def test_an_attribute_that_the_type_requires_is_missed(name: str) -> None:
    whole = json.loads(record(ISSUED, BEGIN).value or b"")
    del whole[name]
    assert reason_of_bytes(json.dumps(whole).encode()) is Reason.MISSING_ATTRIBUTE


EXAMPLES = Path(__file__).parents[1] / "schemas" / "examples"
BEYOND_THE_ORACLE = {"office-twice.bin", "type-twice.bin", "too-deep.bin"}


def test_the_examples_of_the_contract_are_refused_for_the_reason_that_it_states() -> None:
    index = json.loads((EXAMPLES / "invalid" / "index.json").read_bytes())
    assert index.keys() > BEYOND_THE_ORACLE
    for name in index.keys() - BEYOND_THE_ORACLE:
        found = reason_of_bytes((EXAMPLES / "invalid" / name).read_bytes())
        # An implausible time is found out only after key, office and partition.
        assert (found or Reason.IMPLAUSIBLE_TIME) == index[name]["reason"], name


def test_the_valid_examples_of_the_contract_are_events() -> None:
    examples = sorted((EXAMPLES / "valid").glob("*.json"))
    assert {json.loads(path.read_bytes())["type"] for path in examples} == set(REQUIRED)
    assert [path.name for path in examples if reason_of_bytes(path.read_bytes())] == []


# --- the lives reach everything ---


@pytest.fixture(scope="module")
def campaign() -> list[Figures]:
    logs_ = [random_log(seed, 2500, partitions=4) for seed in range(4)]
    return [compute(log.records, log.registry, partitions=4) for log in logs_]


def test_a_random_log_is_the_same_for_the_same_seed() -> None:
    assert random_log(7, 200) == random_log(7, 200) != random_log(8, 200)


def test_random_logs_are_refused_for_every_reason(campaign: list[Figures]) -> None:
    assert {reason for figures in campaign for reason in figures.account.refused} == set(Reason) - {
        Reason.TOO_MANY_FACTS,  # no life that anybody would draw has 200
        # Nobody signs here; tests/core/test_signatures.py has an oracle of its own.
        Reason.UNSIGNED,
        Reason.UNKNOWN_KEY,
        Reason.BAD_SIGNATURE,
    }


def test_random_logs_contradict_themselves_in_every_way(campaign: list[Figures]) -> None:
    found = {type_ for figures in campaign for _, type_ in figures.contradictions + figures.sealed_contradictions}
    assert found == {*TICKET_TYPES, "desk.opened", "desk.closed", "office.opened", "office.closed"}


def test_random_logs_make_every_contribution(campaign: list[Figures]) -> None:
    found = {key.name for figures in campaign for key in figures.all.counts}
    assert found == {
        *("issued", "closed", "transferred", "requeued", "turned_away"),
        *(f"served/{outcome}" for outcome in ("unstated", "resolved", "pending", "referred")),
        *(f"{name}/{start}" for name in ("called", "started", "abandoned", "no_show") for start in STARTS),
        *(
            f"{per}_{outcome}/{start}/{end}"
            for per in ("first", "visit")
            for outcome in ("answered", "left")
            for start in STARTS
            for end in ENDS
        ),
    }


def test_random_logs_end_while_visitors_wait_and_desks_are_open(campaign: list[Figures]) -> None:
    assert any(figures.present for figures in campaign)
    assert any(figures.open_desks for figures in campaign)
    assert any(figures.open_offices for figures in campaign)
    assert all(figures.held.counts and figures.sealed.counts for figures in campaign)


def test_random_logs_without_ties_decide_no_figure_by_the_order_of_attributes() -> None:
    for seed in range(3):
        log = random_log(seed, 1500, profile=Profile(ties=False, twins=30))
        facts: dict[tuple[object, ...], set[Fact]] = {}
        for one in log.records:
            if reason_of_bytes(one.value or b"") or not (body := json.loads(one.value or b"")).get("ticket"):
                continue
            fact = fact_of(body, log.registry.offices.get(body["office"], PARIS))
            place = (body["office"], body["ticket"], fact.type, fact.time, fact.sequence)
            facts.setdefault(place, set()).add(fact)
        for rivals in facts.values():
            assert len({(f.service, f.channel, f.due, f.arrived, f.outcome) for f in rivals}) == 1
