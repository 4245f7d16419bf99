"""The budget of a norm: every factor can be exceeded, or the registry says why it cannot."""

import re
from dataclasses import replace
from fractions import Fraction

import pytest

from attente.grafana.rules.budget import factors
from attente.grafana.rules.build import rule_files
from attente.registry import budgets
from attente.registry.budgets import Month, default_factor, factor, greatest_share, highest, month
from attente.registry.entities import Budget, Registry
from attente.registry.load import parse
from registry.registry_files import MARK, RICH, SOUND, changed, complaint

TARGETS = range(50_000, 99_001, 500)
"""From 0.5 to 0.99, in steps of half a percent."""

LONG_WEEK = Month(Fraction(168) * budgets.WEEKS, Fraction(7) * budgets.WEEKS)
SHORT_WEEK = Month(Fraction(3) * budgets.WEEKS, Fraction(1) * budgets.WEEKS)
MONTHS = [month([], {}), LONG_WEEK, SHORT_WEEK]


@pytest.mark.parametrize("speed", ["fast", "slow"])
@pytest.mark.parametrize("over", MONTHS, ids=["unknown", "always", "three hours a week"])
def test_every_default_factor_can_be_exceeded_and_is_beyond_what_is_promised(over: Month, speed: str) -> None:
    for target in TARGETS:
        assert 1 < default_factor(target, speed, over) < highest(target), target


@pytest.mark.parametrize("target", TARGETS)
def test_every_factor_that_is_written_can_be_exceeded(target: int) -> None:
    registry = parse(SOUND.replace("target: 0.85", f"target: {target / 1000} %"), "registry.yaml")
    for each in factors(registry):
        found = re.fullmatch(
            r"clamp_max\(1 \+ ([\d.]+) \* \(1 / \(1 - attente:norm_target_ratio\S+\) - 1\), ([\d.]+)\)", each.expr
        )
        assert found, each.expr
        cap, ceiling = found.groups()
        possible = 1 / (1 - target / 100_000)
        assert 1 < min(1 + float(cap) * (possible - 1), float(ceiling)) < possible


def test_a_factor_is_the_share_of_the_budget_times_the_windows_of_a_month() -> None:
    of_the_example = parse(RICH, "registry.yaml")
    over = month(of_the_example.offices.values(), of_the_example.calendars)
    # 31.5 hours on 5 days in Paris, 35 hours on 5 days in Thiers, which has no calendar: 33.25 hours, 5 days a week.
    assert float(over.hours) == pytest.approx(33.25 * 365.2425 / 12 / 7)
    assert float(over.days) == pytest.approx(5 * 365.2425 / 12 / 7)
    assert factor(2_000, "fast", over) == over.hours / 50
    assert factor(10_000, "slow", over) == over.days / 10


def test_a_low_target_lowers_the_factor_and_the_files_say_so() -> None:
    head = rule_files(parse(SOUND.replace("target: 0.85", "target: 50 %"), "registry.yaml"))["recording.yaml"]
    assert (
        "#   caf-20 from 2009-01-01, hour: 2 % of 152.2 hours open a month = 3.0436, brought to 1.75: 1.15 %; "
        "at a target of 50 % at most 2 is possible\n"
    ) in head


def test_nobody_is_told_of_what_keeps_the_promise_where_an_office_is_hardly_ever_open() -> None:
    assert default_factor(85_000, "fast", SHORT_WEEK) == Fraction(6, 5)


# ---- shares of one's own

TARGET = "    target: 0.85\n"


def own(budget: str, target: str = "0.85") -> str:
    return changed(TARGET, f"    target: {target}\n    budget: {budget}\n")


def budget_of(text: str) -> Budget:
    return parse(text, "registry.yaml").norms["caf-20"].budget


def test_a_norm_may_say_which_shares_of_its_budget_are_to_be_told() -> None:
    assert budget_of(own("{fast: 1.5 %, slow: 0.08}")) == Budget(fast_milli=1_500, slow_milli=8_000)
    assert budget_of(own("{slow: 5 %}")) == Budget(slow_milli=5_000)
    assert budget_of(SOUND) == Budget()


def test_shares_of_ones_own_hold_as_they_are_and_for_the_definition_that_has_them() -> None:
    text = changed("left: excluded", "left: excluded\n    budget: {fast: 3 %}")
    newer = (
        text + "  - {id: caf-20, title: N, threshold: 20m, target: 90 %, offices: [nation], valid_from: 2027-01-01}\n"
    )
    hour, _ = (each for each in factors(parse(newer, "registry.yaml")) if each.norm == "caf-20")
    assert hour.expr == (
        '(attente:norm_target_ratio{norm="caf-20"} == 0.85) * 0 + 4.5655 or '
        'clamp_max(1 + 0.75 * (1 / (1 - attente:norm_target_ratio{norm="caf-20"}) - 1), 3.0436)'
    )


def test_a_share_that_no_hour_could_spend_is_refused_with_the_reason_and_one_that_could() -> None:
    assert complaint(own("{fast: " + MARK + "2 %}", "50 %")) == (
        "norm caf-20: budget: fast 2 % of a month of 152 open hours is a burn rate of 3.04 in an hour, but at a target "
        "of 50 % none can be over 2.00; write 1.3 % or less"
    )
    assert budget_of(own("{fast: 1.3 %}", "50 %")) == Budget(fast_milli=1_300)


def test_a_share_that_no_day_could_spend_is_refused_too() -> None:
    assert complaint(own("{fast: 1 %, slow: " + MARK + "0.31}")) == (
        "norm caf-20: budget: slow 31 % of a month of 22 open days is a burn rate of 6.74 in a day, but at a target "
        "of 85 % none can be over 6.67; write 30.6 % or less"
    )


@pytest.mark.parametrize("speed", ["fast", "slow"])
@pytest.mark.parametrize("over", MONTHS, ids=["unknown", "always", "three hours a week"])
def test_the_share_that_a_remedy_proposes_can_be_spent(over: Month, speed: str) -> None:
    for target in TARGETS:
        share = greatest_share(target, speed, over)
        assert 0 < share < 100_000
        assert factor(share, speed, over) < highest(target)


def test_what_is_no_share_is_refused_where_it_stands() -> None:
    assert complaint(own("{fast: " + MARK + "120 %}")).startswith("norm caf-20: budget: fast 120 % is not above 0")
    assert complaint(own("{" + MARK + "hour: 2 %}")).startswith("norm caf-20: budget: unknown key hour; ")
    assert complaint(own(MARK + "2 %")).startswith("norm caf-20: budget is a single value, but must be a mapping")


def test_a_budget_is_no_part_of_the_hash() -> None:
    def registry(text: str) -> Registry:
        return parse(text, "registry.yaml")

    assert registry(own("{fast: 1 %}")).hash == registry(SOUND).hash
    assert registry(own("{fast: 1 %}")) != registry(SOUND)
    assert (
        replace(registry(SOUND).norms["caf-20"], budget=Budget(1_000)) == registry(own("{fast: 1 %}")).norms["caf-20"]
    )
