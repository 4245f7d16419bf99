"""The small parts of the core, one behaviour a test."""

from datetime import UTC, datetime
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attente.core import facts, panes
from attente.core.calendar import Calendar
from attente.core.days import DAYS_KEPT, Days, coarse_key, pack_row, unpack_row
from attente.core.facts import DUE, NARROW, SEQUENCE, WIDE_MARK, order, pack, unpack
from attente.core.levels import percentiles, service_level
from attente.core.office import Office
from attente.core.panes import SECONDS, SUM, key_of, pane_of, whole_seconds
from attente.core.plan import Plan
from attente.core.sessions import fold_sessions, overlap_ms
from attente.core.view import Counts
from attente.model.kinds import Kind
from attente.registry.entities import Left
from handtape import LILLE, REGISTRY

PARIS = Calendar(ZoneInfo("Europe/Paris"), 180)


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)


# ---- facts

narrow = st.integers(0, (1 << 42) - 1).flatmap(
    lambda at: st.builds(
        lambda kind, attribute: at << facts.TIME | kind << facts.KIND | attribute,
        st.integers(0, 10),
        st.integers(0, (1 << 16) - 1),
    )
)
wide = st.builds(
    lambda fact, sequence, due: fact | sequence << SEQUENCE | due << DUE,
    narrow,
    st.integers(0, 10**18 - 1),
    st.integers(0, (1 << 42) - 1),
)


@given(st.lists(narrow | wide, min_size=1, max_size=20))
def test_packed_facts_unpack_to_themselves(known: list[int]) -> None:
    assert unpack(pack(known)) == known


@given(st.lists(narrow, min_size=1))
def test_a_narrow_fact_takes_eight_bytes_and_sorts_as_the_definitions_say(known: list[int]) -> None:
    assert len(pack(known)) == 8 * len(known)
    assert sorted(known) == sorted(known, key=order)


@given(narrow)
def test_a_narrow_fact_leaves_the_bit_that_marks_a_wide_one(fact: int) -> None:
    assert fact <= NARROW < WIDE_MARK


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind < 16])
def test_the_cores_kinds_are_the_models(kind: Kind) -> None:
    assert getattr(facts, kind.name) == kind


def test_many_texts_do_not_fill_the_memory_of_checksums() -> None:
    first = facts.checksum("desk 1")
    for i in range(facts._CHECKSUMS_KEPT + 1):
        facts.checksum(f"text {i}")
    assert len(facts._checksums) <= facts._CHECKSUMS_KEPT
    assert facts.checksum("desk 1") == first


# ---- panes


def test_an_event_on_the_boundary_opens_the_later_pane() -> None:
    assert pane_of(299_999) == 0
    assert pane_of(300_000) == 1


def test_a_wait_that_is_over_the_threshold_by_less_than_a_second_breaks_the_norm() -> None:
    #  issued                                  called
    #  |-------------- 1200.4 s --------------->|        threshold 1200 s
    assert whole_seconds(1_200_400) == 1201
    assert whole_seconds(1_200_000) == 1200
    assert whole_seconds(0) == 0


def test_a_wait_longer_than_can_be_told_is_counted_as_the_longest() -> None:
    office = Office(Plan(REGISTRY), Plan(REGISTRY).offices[LILLE.encode()], 0)
    endless = panes.BEYOND * 1000 + 1
    office.wait(7, key_of(0, panes.REACHED), endless)
    assert office.panes[7] == {
        key_of(0, panes.REACHED, panes.BEYOND): 1,
        key_of(0, panes.REACHED, SUM): endless,
    }


# ---- calendar


def test_the_night_that_loses_an_hour_has_a_day_of_23_hours() -> None:
    day = PARIS.day_of(ms("2026-03-28T12:00:00+01:00"))
    assert PARIS.start_of(day + 1) - PARIS.start_of(day) == 23 * 3_600_000


def test_the_night_that_repeats_an_hour_has_a_day_of_25_hours() -> None:
    day = PARIS.day_of(ms("2026-10-24T12:00:00+02:00"))
    assert PARIS.start_of(day + 1) - PARIS.start_of(day) == 25 * 3_600_000


def test_the_cut_over_belongs_to_the_new_day() -> None:
    cut_over = ms("2026-03-10T03:00:00+01:00")
    assert PARIS.cut_over_before(cut_over) == cut_over
    assert PARIS.cut_over_after(cut_over - 1) == cut_over
    assert PARIS.cut_over_after(cut_over) == ms("2026-03-11T03:00:00+01:00")


@given(st.integers(0, 4_000_000_000_000), st.sampled_from(["Europe/Paris", "Asia/Kolkata", "America/St_Johns", "UTC"]))
def test_every_instant_lies_in_its_day_and_its_hour(at: int, zone: str) -> None:
    calendar = Calendar(ZoneInfo(zone), 180)
    day = calendar.day_of(at)
    assert calendar.start_of(day) <= at < calendar.start_of(day + 1)
    assert at - 3_600_000 < calendar.hour_of(at) <= at
    local = datetime.fromtimestamp(calendar.hour_of(at) / 1000, UTC).astimezone(ZoneInfo(zone))
    assert (local.minute, local.second) == (0, 0)


def test_a_month_begins_with_its_first_business_day() -> None:
    first = PARIS.day_of(ms("2026-03-01T12:00:00+01:00"))
    assert PARIS.month_of(PARIS.day_of(ms("2026-04-01T02:59:00+02:00"))) == first
    assert PARIS.month_of(PARIS.day_of(ms("2026-04-01T03:00:00+02:00"))) == first + 31


# ---- levels

COUNTS = Counts(answered_within=21_442, answered_beyond=5_618, left_within=2_103, left_beyond=998)


@pytest.mark.parametrize(
    ("left", "level"),
    [
        (Left.CREDITED, Fraction(23_545, 30_161)),
        (Left.EXCLUDED, Fraction(21_442, 27_060)),
        (Left.FAILED, Fraction(21_442, 30_161)),
        (Left.IGNORED, Fraction(21_442, 28_058)),
    ],
)
def test_the_four_service_levels_of_a_month(left: Left, level: Fraction) -> None:
    assert service_level(COUNTS, left) == level


@pytest.mark.parametrize("left", list(Left))
def test_a_level_whose_denominator_is_0_does_not_exist(left: Left) -> None:
    assert service_level(Counts(), left) is None


def test_percentiles_are_the_least_wait_that_so_many_do_not_exceed() -> None:
    assert percentiles({10: 1, 20: 1, 30: 1, 40: 1}, (25, 26, 50, 100)) == {25: 10, 26: 20, 50: 20, 100: 40}
    assert percentiles({}) == {}


@given(st.lists(st.integers(0, 50), min_size=1, max_size=60), st.integers(1, 100))
def test_a_percentile_is_that_of_the_sorted_list(waits: list[int], rank: int) -> None:
    nearest = sorted(waits)[-(-rank * len(waits) // 100) - 1]
    assert percentiles({w: waits.count(w) for w in waits}, (rank,)) == {rank: nearest}


# ---- days

rows = st.dictionaries(st.integers(0, (1 << 44) - 1), st.integers(-(10**9), 10**9).filter(bool))


@given(rows)
def test_a_packed_row_unpacks_to_itself(row: dict[int, int]) -> None:
    assert unpack_row(pack_row(row)) == row


def test_a_resting_day_that_changes_moves_until_it_rests_again() -> None:
    days = Days()
    key = key_of(4, panes.ISSUED)
    days.add(100, key, 2, (60,))
    days.rest(before=101, today=101)
    assert (days.moving, days.row(100)) == ({}, {key: 2})
    days.add(100, key, 3, (60,))
    assert (list(days.resting), days.row(100)) == ([], {key: 5})
    assert days.lifetime == {key: 5}


def test_a_day_is_kept_for_forty_days_and_the_lifetime_for_ever() -> None:
    days = Days()
    key = key_of(4, panes.ISSUED)
    days.add(100, key, 1, (60,))
    days.rest(before=101, today=99 + DAYS_KEPT)
    assert days.all() == [100]
    days.rest(before=101, today=100 + DAYS_KEPT)
    assert days.all() == []
    assert days.row(100) == {}
    assert days.lifetime == {key: 1}


@pytest.mark.parametrize(("seconds", "bound"), [(0, 60), (60, 60), (61, 1200), (1200, 1200), (1201, panes.BEYOND)])
def test_a_wait_falls_into_the_bucket_whose_bound_it_does_not_exceed(seconds: int, bound: int) -> None:
    key = key_of(8, panes.REACHED, seconds)
    assert coarse_key(key, (60, 1200)) & SECONDS == bound


# ---- sessions


def session(*steps: tuple[str, int]) -> list[int]:
    kinds = {"open": facts.SESSION_OPENED, "close": facts.SESSION_CLOSED}
    return [at << facts.TIME | kinds[kind] << facts.KIND for kind, at in steps]


def test_a_session_that_nobody_closes_ends_at_the_cut_over() -> None:
    sessions = fold_sessions(session(("open", 10)))
    assert sessions.until(now=50, day_end=40) == [(10, 40)]
    assert sessions.until(now=30, day_end=40) == [(10, 30)]
    assert sessions.is_open(30, 40)
    assert not sessions.is_open(40, 40)


def test_a_session_that_begins_after_now_is_not_there_yet() -> None:
    assert fold_sessions(session(("open", 10))).until(now=5, day_end=40) == []


def test_open_time_is_shared_out_to_the_panes_that_it_crosses() -> None:
    #       |  pane 0  |  pane 1  |  pane 2  |
    #           |open ------------- close|
    sessions = fold_sessions(session(("open", 100_000), ("close", 700_000))).until(900_000, 10**9)
    shares = [overlap_ms(sessions, n * panes.PANE_MS, (n + 1) * panes.PANE_MS) for n in range(4)]
    assert shares == [200_000, 300_000, 100_000, 0]
