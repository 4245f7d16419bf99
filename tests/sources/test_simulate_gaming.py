"""A trick shows where its office's readings part: before its day they agree, and those of honest offices always do."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import pytest

from attente.core.view import Counts, OfficeView, Window
from attente.model.events import ServiceEnded, ServiceStarted, decode
from attente.model.instants import milliseconds
from attente.registry.entities import Left, Per
from attente.sources.simulate.gaming import Gaming
from attente.sources.simulate.hours import instant
from attente.sources.simulate.network import Network, Shares
from attente.sources.simulate.stream import Delivery, simulate_days
from attente.sources.simulate.truth import OfficeTruth
from sources.simulated import MONDAY, counted, offices

TUESDAY = MONDAY + 1
TARGET = 0.85
TO_THE_DESK = """\
  - id: desk-20
    title: At most 20 minutes from the door to the desk
    threshold: 20m
    target: 0.85
    clock: {from: arrived, to: started, per: visit}
"""


@dataclass(frozen=True)
class Day:
    """An office's day: what the core shows of it, and what happened."""

    view: OfficeView
    truth: OfficeTruth
    service_s: float

    def level(self, left: Left, per: Per = Per.VISIT, norm: str = "within-20") -> float:
        return levels(self.view.readings[norm, Window.DAY, per])[left]

    def total(self, name: str) -> int:
        return sum(getattr(counts, name) for counts in self.truth.services.values())

    @property
    def demand_met(self) -> float:
        issued = sum(sum(counts.issued.values()) for counts in self.truth.services.values())
        return issued / (issued + self.total("turned_away"))

    @property
    def pending(self) -> float:
        served = [counts.served for counts in self.truth.services.values()]
        return sum(each["pending"] for each in served) / sum(sum(each.values()) for each in served)


def levels(counts: Counts) -> dict[Left, float]:
    answered = counts.answered_within + counts.answered_beyond
    left = counts.left_within + counts.left_beyond
    return {
        Left.CREDITED: (counts.answered_within + counts.left_within) / (answered + left),
        Left.EXCLUDED: counts.answered_within / answered,
        Left.FAILED: counts.answered_within / (answered + left),
        Left.IGNORED: counts.answered_within / (answered + counts.left_beyond),
    }


def mean_service_s(deliveries: list[Delivery]) -> float:
    started: dict[str, int] = {}
    lengths: list[int] = []
    for each in deliveries:
        event = decode(each.value)
        if isinstance(event, ServiceStarted):
            started[event.ticket] = milliseconds(event.time)
        elif isinstance(event, ServiceEnded):
            lengths.append(milliseconds(event.time) - started[event.ticket])
    return sum(lengths) / len(lengths) / 1000


def days(network: Network, day: int) -> Iterator[tuple[str, Day]]:
    stream, truths = simulate_days(network, [day])
    deliveries = list(stream)
    core = counted(network, deliveries, norms=TO_THE_DESK)
    views = offices(core, instant(day, 23 * 60, network.offices[0].zone))
    for office, truth in zip(network.offices, truths, strict=True):
        own = [each for each in deliveries if each.office == office.index]
        yield office.id, Day(views[office.id], truth, mean_service_s(own))


Before = tuple[Day, Day]


@pytest.fixture(scope="module")
def found() -> dict[Gaming, list[Before]]:
    """By trick, the offices with the day before it and its first one."""
    network = Network.generate(3, offices=18, everywhere=True, gaming_from=TUESDAY, shares=Shares(late=0, duplicates=0))
    before, with_it = dict(days(network, MONDAY)), dict(days(network, TUESDAY))
    return {
        trick: [(before[office.id], with_it[office.id]) for office in network.offices if office.gaming is trick]
        for trick in Gaming
    }


def spread(day: Day) -> float:
    """How far the four levels are apart, at most, per leg, first and visit."""
    return max(max(each) - min(each) for each in ([day.level(left, per) for left in Left] for per in Per))


def test_readings_of_an_honest_office_agree(found: dict[Gaming, list[Before]]) -> None:
    for day in (day for pair in found[Gaming.HONEST] for day in pair):
        assert spread(day) < 0.09
        for norm, left in product(("within-20", "leg-30"), Left):
            assert abs(day.level(left, Per.LEG, norm) - day.level(left, Per.VISIT, norm)) < 0.06
        assert abs(day.level(Left.EXCLUDED) - day.level(Left.EXCLUDED, norm="desk-20")) < 0.04
        assert day.demand_met > 0.95
        assert day.pending < 0.13


def test_an_honest_office_is_the_same_on_both_days(found: dict[Gaming, list[Before]]) -> None:
    for before, then in found[Gaming.HONEST]:
        assert then.truth.desk_open_ms == pytest.approx(before.truth.desk_open_ms, rel=0.1)
        assert then.service_s == pytest.approx(before.service_s, rel=0.2)


def test_an_office_is_honest_before_its_trick_begins(found: dict[Gaming, list[Before]]) -> None:
    for before, _ in (pair for pairs in found.values() for pair in pairs):
        assert spread(before) < 0.09
        assert before.demand_met > 0.95


def test_who_is_called_no_more_is_missed_by_the_level_that_excludes_who_left_and_by_no_other(
    found: dict[Gaming, list[Before]],
) -> None:
    for _, day in found[Gaming.UNCALLED]:
        for per in Per:
            assert day.level(Left.EXCLUDED, per) > 0.98
            assert max(day.level(left, per) for left in Left if left is not Left.EXCLUDED) < TARGET
        assert spread(day) > 0.15


def test_a_clock_that_is_reset_by_transfers_is_met_per_leg_and_missed_per_visit(
    found: dict[Gaming, list[Before]],
) -> None:
    for _, day in found[Gaming.TRANSFERS]:
        for norm in ("within-20", "leg-30"):
            assert day.level(Left.EXCLUDED, Per.LEG, norm) > 0.98
            # Of first legs only those remain that were not moved.
            assert day.level(Left.EXCLUDED, Per.FIRST, norm) > 0.9
            assert day.level(Left.EXCLUDED, Per.VISIT, norm) < TARGET
        assert max(day.level(left) for left in Left) < TARGET
        assert day.total("transferred") > 0.3 * day.total("called")


def test_who_is_turned_away_is_in_no_level_but_in_the_demand(found: dict[Gaming, list[Before]]) -> None:
    for _, day in found[Gaming.TURNED_AWAY]:
        assert min(day.level(left, per) for left in Left for per in Per) > TARGET
        assert day.demand_met < 0.85


def test_hurried_service_meets_every_level_and_leaves_more_pending(found: dict[Gaming, list[Before]]) -> None:
    for before, day in found[Gaming.HURRIED]:
        assert min(day.level(left, per) for left in Left for per in Per) > TARGET
        assert day.service_s < 0.65 * before.service_s
        assert day.pending > 2.5 * before.pending


def test_calls_before_a_desk_is_free_meet_the_norm_to_the_call_and_miss_the_one_to_the_desk(
    found: dict[Gaming, list[Before]],
) -> None:
    for before, day in found[Gaming.EARLY_CALLS]:
        assert min(day.level(Left.EXCLUDED, per) for per in Per) > TARGET
        assert day.level(Left.EXCLUDED, norm="desk-20") < TARGET
        assert day.truth.desk_open_ms < 0.8 * before.truth.desk_open_ms
