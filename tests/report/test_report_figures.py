"""The figures of a report: those of the January tape, those of the oracle, those of the tape by hand."""

import random
from collections import Counter

import pytest

from attente.registry.entities import Left, Per
from attente.report.figures import By, Part, Table, count, table, tabulate
from attente.report.reading import Share, read, read_log
from handtape import EXPECTED, RECORDS, REGISTRY
from lives import Profile, random_log
from oracle import Figures as Oracle
from oracle import compute
from report.reports import (
    PLAIN,
    SHUFFLED,
    archive,
    instant_of,
    january,
    january_table,
    kept,
    needs_january,
    of,
    of_the_report,
    wanted_by_the_oracle,
)

# ---- the month of January 1999, whose exact result is known


@pytest.fixture(params=[PLAIN, SHUFFLED], ids=["one office", "sixteen, shuffled, with duplicates"])
def month(request: pytest.FixtureRequest) -> Table:
    return january_table(request.param, By.FILE)


@needs_january
def test_the_month_of_january_is_exact(month: Table) -> None:
    total = month.total
    assert (total.issued, total.called, total.served, total.abandoned) == (30_161, 27_060, 27_060, 3_101)
    assert (total.no_show, total.closed, total.transferred, total.requeued, total.turned_away) == (0, 0, 0, 0, 0)
    assert total.waits.sum_ms == 947_857_000
    assert total.waits.percentiles_s == {50: 3, 90: 111, 95: 157}
    assert total.waits.max_s == 1_500
    (norm,) = total.kept
    assert norm.counts[Per.LEG].answered_within == 21_442
    assert norm.counts[Per.LEG].left_within == 2_103
    for per in Per:  # no transfers: a visit is a leg
        assert {left: round(float(norm.level(per, left) or 0), 6) for left in Left} == {
            Left.CREDITED: 0.780644,
            Left.EXCLUDED: 0.792387,
            Left.FAILED: 0.710918,
            Left.IGNORED: 0.764203,
        }
    assert norm.is_met is False


@needs_january
def test_the_account_of_the_month() -> None:
    plain, shuffled = january(PLAIN, 1).account, january(SHUFFLED, 1).account
    assert (plain.read, plain.counted, plain.duplicate, plain.refused) == (114_442, 114_442, 0, {})
    assert (shuffled.counted, shuffled.duplicate, shuffled.refused) == (114_442, 3_433, {})


@needs_january
def test_a_report_by_day_adds_up_to_the_report_by_file() -> None:
    by_day, by_file = january_table(PLAIN, By.DAY), january_table(PLAIN, By.FILE)
    assert {row.day for row in by_day.rows} == {day.day for day in by_day.days} == {day.day for day in by_file.days}
    assert len(by_day.days) > 28
    assert by_day.total == by_file.total
    for row in by_file.rows:
        days = [day for day in by_day.rows if (day.office, day.service) == (row.office, row.service)]
        added: Counter[str] = Counter()
        for day in days:
            added.update(of(day))
        assert added == Counter(of(row))
        assert sum(day.waits.sum_ms for day in days) == row.waits.sum_ms
        assert max(day.waits.max_s or 0 for day in days) == row.waits.max_s


# ---- the oracle


def assert_equals_the_oracle(found: Table, by: By, oracle: Oracle) -> None:
    tally = oracle.by_day(oracle.all)
    for row in (*found.rows, *found.offices, *found.services, *found.days, found.total):
        wanted = wanted_by_the_oracle(tally, row.office or None, row.service or None, row.day or None)
        assert of_the_report(row) == wanted, (row.office, row.service, row.day)
    issued = Counter({(key.office, key.service) for key in oracle.all.counts})
    assert {(row.office, row.service) for row in found.rows} >= set(issued)
    if by is By.FILE:
        waiting = {(row.office, row.service): row.waiting for row in found.rows if row.waiting}
        assert waiting == {place: one.visits for place, one in oracle.waiting.items()}
        for norm in oracle.registry.norms.values():
            for per in Per:
                places = {(row.office, row.service): row for row in found.rows}
                for place, wanted_four in oracle.counts(norm, per).items():
                    if place in places:
                        assert kept(places[place], norm, per) == tuple(wanted_four), (place, norm.id, per)
                    else:
                        assert not any(wanted_four)
                assert kept(found.total, norm, per) == tuple(oracle.total(norm, per))
    opened: Counter[str] = Counter()
    for (office, _), ms in oracle.desk_ms.items():
        opened[office] += ms
    open_ms: Counter[str] = Counter()
    for row in found.offices:
        open_ms[row.office] += row.open_desk_ms or 0
    assert open_ms == opened


@pytest.mark.parametrize("by", By)
@pytest.mark.parametrize("seed", range(25))
def test_a_report_of_a_random_log_equals_the_oracle(seed: int, by: By) -> None:
    log = random_log(seed, 90, days=1 + seed % 4)
    reading = read_log([record[:4] for record in log.records], log.registry, 0, 1, log.registry.offices)
    oracle = compute(log.records, log.registry)
    assert_equals_the_oracle(tabulate(reading, by), by, oracle)
    account = reading.account
    assert (account.read, account.counted, account.duplicate) == (
        oracle.account.read,
        oracle.account.counted,
        oracle.account.duplicate,
    )
    assert account.refused == {reason.value: n for reason, n in oracle.account.refused.items()}
    contradictions: Counter[str] = Counter()
    for (_, type_), n in (oracle.contradictions + oracle.sealed_contradictions).items():
        contradictions[type_] += n
    assert tabulate(reading).contradictions == contradictions


@pytest.mark.parametrize("seed", range(25))
def test_a_report_of_a_file_counts_each_line_at_its_events_own_time(seed: int) -> None:
    log = random_log(seed, 90, days=1 + seed % 4)
    partitions = 1 + seed % 3
    values = [record.value for record in log.records if record.value and b"\n" not in record.value]
    reading = read(values, "log.ndjson", log.registry, partitions)
    oracle = compute(archive(values, partitions), log.registry, partitions=partitions)
    assert_equals_the_oracle(tabulate(reading), By.FILE, oracle)
    assert reading.account.refused == {reason.value: n for reason, n in oracle.account.refused.items()}


def test_five_days_with_a_horizon_of_one_are_exact_after_all_but_the_last_has_been_sealed() -> None:
    log = random_log(7, 600, days=5)
    assert log.registry.horizon_ms == 24 * 3_600_000
    reading = read_log([record[:4] for record in log.records], log.registry, 0, 1, log.registry.offices)
    oracle = compute(log.records, log.registry)
    assert sum(oracle.sealed.counts.values()) > 2 * sum(oracle.held.counts.values())
    for by in By:
        assert_equals_the_oracle(tabulate(reading, by), by, oracle)


@pytest.mark.parametrize("seed", range(6))
def test_a_shuffled_file_with_duplicates_gives_the_same_figures(seed: int) -> None:
    log = random_log(seed, 200, profile=Profile(horizons=(24 * 3_600_000,), broken=0), days=1)
    values = sorted((record.value for record in log.records if record.value), key=instant_of)
    dice = random.Random(seed)  # noqa: S311 - repeatable, not secret
    mixed = [value for value in values for _ in range(1 + (dice.random() < 0.2))]
    for begin in range(0, len(mixed), 30):
        part = mixed[begin : begin + 30]
        dice.shuffle(part)
        mixed[begin : begin + 30] = part
    plain, again = read(values, "log.ndjson", log.registry), read(mixed, "log.ndjson", log.registry)
    for by in By:
        assert tabulate(again, by) == tabulate(plain, by)
    assert again.account.counted == plain.account.counted
    assert again.account.duplicate > plain.account.duplicate


@pytest.mark.parametrize("seed", range(20))
def test_shares_of_the_offices_add_up_to_the_whole(seed: int) -> None:
    log = random_log(seed, 120, days=1 + seed % 3)
    values = [record.value for record in log.records if record.value and b"\n" not in record.value]
    partitions = 1 + seed % 2
    shares = [Share(number, 2) for number in range(2)]
    for by in By:
        whole = read(values, "log.ndjson", log.registry, partitions)
        readings = [read(values, "log.ndjson", log.registry, partitions, share=share) for share in shares]
        part = Part()
        for reading in readings:
            part.add(count(reading, by))
        assert table(log.registry, part) == tabulate(whole, by)
        for name in ("counted", "duplicate", "corrections"):
            assert sum(getattr(one.account, name) for one in readings) == getattr(whole.account, name)
        refused: Counter[str] = Counter()
        for reading in readings:
            refused.update(reading.account.refused)
        assert refused == whole.account.refused


# ---- the tape by hand


@pytest.fixture(scope="module")
def by_hand() -> Table:
    return tabulate(read_log([record[:4] for record in RECORDS], REGISTRY, 0, 1, REGISTRY.offices))


def test_the_tape_by_hand_is_counted_as_with_pencil_and_paper(by_hand: Table) -> None:
    for row in by_hand.rows:
        totals = EXPECTED.totals[row.office, row.service]

        def count(*names: str, totals: dict[str, tuple[int, int]] = totals) -> int:
            return sum(totals.get(name, (0, 0))[0] for name in names)

        served = [f"served/{outcome}" for outcome in ("unstated", "resolved", "pending", "referred")]
        assert of(row) == {
            "issued": count("issued"),
            "called": count("called/issued"),
            "served": count(*served),
            "abandoned": count("abandoned/issued"),
            "no_show": count("no_show/issued"),
            "closed": count("closed"),
            "transferred": count("transferred"),
            "requeued": count("requeued"),
            "turned_away": count("turned_away"),
        }
        assert row.waits.sum_ms == totals["called/issued"][1]
    assert {(row.office, row.service) for row in by_hand.rows} == set(EXPECTED.totals)


def test_the_norms_of_the_tape_by_hand_per_leg_first_and_visit(by_hand: Table) -> None:
    rows = {(row.office, row.service): row for row in by_hand.rows}
    for (norm, per), places in EXPECTED.norms.items():
        for place, wanted in places.items():
            assert kept(rows[place], REGISTRY.norms[norm], per) == tuple(wanted), (norm, per, place)
        (total,) = (one for one in by_hand.total.kept if one.norm.id == norm)
        assert {left.value: total.level(per, left) for left in Left} == EXPECTED.levels[norm, per]


def test_open_desks_demand_and_who_waits_at_the_end_of_the_tape_by_hand(by_hand: Table) -> None:
    lille, pune = by_hand.offices
    assert lille.open_desk_ms == 61_200_000 + 1_830_000
    assert pune.open_desk_ms == 7_200_000
    assert (lille.waiting, pune.waiting) == (2, 0)
    assert lille.demand_met is not None
    assert (lille.demand_met.numerator, lille.demand_met.denominator) == (
        14,
        25,
    )  # 7 + 7 of 15 + 7 issued, 3 turned away


def test_a_filter_by_office_and_service_leaves_the_rest_out_of_rows_and_totals() -> None:
    reading = read_log([record[:4] for record in RECORDS], REGISTRY, 0, 1, REGISTRY.offices)
    only = tabulate(reading, offices={"lille"}, services={"papers"})
    assert [(row.office, row.service) for row in only.rows] == [("lille", "papers")]
    assert only.total.issued == only.rows[0].issued == 7
    assert only.total.waits == only.rows[0].waits
