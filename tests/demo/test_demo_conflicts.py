"""By which stated rules an office reads better than it is, and when no rule may speak."""

from dataclasses import replace
from fractions import Fraction

import pytest

from attente.core.view import Counts
from attente.demo.conflicts import Usual, conflicts_of, percent, usual_of
from attente.demo.offices import OfficeFigures
from attente.registry.entities import End, Left, Per
from demo.live_pages import PROMISE

HONEST = Counts(90, 10, 3, 2)
USUAL = Usual(pending=Fraction(8, 100), desk_s=Fraction(600))


def office(
    visit: Counts = HONEST,
    leg: Counts | None = None,
    turned_away: int = 0,
    pending: int = 8,
    desk_s: float = 60_000.0,
    issued: int = 100,
) -> OfficeFigures:
    """An office of a hundred visitors; what is not said is as in an honest one."""
    return OfficeFigures(
        "a",
        desk_s=desk_s,
        readings={(PROMISE.norm, Per.VISIT): visit, (PROMISE.norm, Per.LEG): leg or visit},
        tickets={"issued": issued, "turned_away": turned_away},
        ended={"resolved": 100 - pending, "pending": pending},
    )


def labels(figures: OfficeFigures, usual: Usual = USUAL) -> list[str]:
    return [one.label for one in conflicts_of(figures, PROMISE, usual)]


def test_an_honest_office_reads_as_it_is() -> None:
    assert labels(office()) == []


def test_an_office_that_misses_its_norm_honestly_reads_as_it_is() -> None:
    bad = office(Counts(50, 40, 0, 30), turned_away=50, pending=50, desk_s=10_000)

    assert labels(bad) == []


def test_who_keeps_the_norm_only_without_those_who_left_is_marked_with_both_levels() -> None:
    #  answered: 90 of 100 within (SL2 90 %); with the 30 who left: 90 of 130 (SL3 69 %); target 85 %
    (found,) = conflicts_of(office(Counts(90, 10, 0, 30)), PROMISE, USUAL)

    assert (found.label, found.short) == ("left excluded", "SL2 90 SL3 69")
    assert found.reason == "90% without those who left, 69% with them"


def test_so_few_who_left_that_both_levels_keep_the_norm_are_no_mark() -> None:
    assert labels(office(Counts(96, 4, 0, 5))) == []


def test_who_keeps_the_norm_per_leg_and_breaks_it_per_visit_is_marked() -> None:
    (found,) = conflicts_of(office(Counts(70, 30, 0, 0), leg=Counts(130, 10, 0, 0)), PROMISE, USUAL)

    assert (found.label, found.short) == ("clock reset", "leg 92 visit 70")


def test_a_norm_per_leg_is_compared_with_the_visit_too() -> None:
    per_leg = replace(PROMISE, per=Per.LEG)

    found = conflicts_of(office(Counts(70, 30, 0, 0), leg=Counts(130, 10, 0, 0)), per_leg, USUAL)

    assert [one.label for one in found] == ["clock reset"]


@pytest.mark.parametrize(("turned_away", "found"), [(5, []), (6, ["turns away"]), (40, ["turns away"])])
def test_who_keeps_the_norm_while_five_in_a_hundred_are_turned_away_is_marked(
    turned_away: int, found: list[str]
) -> None:
    #  5 of 105 are 4.8 %, 6 of 106 are 5.7 %
    assert labels(office(turned_away=turned_away)) == found


@pytest.mark.parametrize(("pending", "found"), [(24, []), (25, ["left pending"])])
def test_who_leaves_a_quarter_pending_where_others_do_not_is_marked(pending: int, found: list[str]) -> None:
    assert labels(office(pending=pending)) == found


def test_many_pending_are_no_mark_where_the_others_have_as_many() -> None:
    assert labels(office(pending=30), replace(USUAL, pending=Fraction(16, 100))) == []


def test_who_calls_before_a_desk_is_free_is_marked_where_a_norm_ends_at_the_start_of_service() -> None:
    until_service = replace(PROMISE, norm="served-20", end=End.STARTED)
    figures = office()
    figures.readings["served-20", Per.VISIT] = Counts(60, 40, 3, 2)

    (found,) = conflicts_of(figures, PROMISE, USUAL, (PROMISE, until_service))

    assert (found.label, found.short) == ("called early", "call 90 start 60")
    other_threshold = replace(until_service, threshold_s=1_800)
    assert conflicts_of(figures, PROMISE, USUAL, (PROMISE, other_threshold)) == ()


def test_who_keeps_the_norm_with_far_less_desk_time_than_the_others_is_marked() -> None:
    assert labels(office(desk_s=39_000)) == ["few desk hours"]  # 390 s a visitor, under two thirds of 600
    assert labels(office(desk_s=41_000)) == []


def test_several_rules_may_speak_and_the_plainest_comes_first() -> None:
    assert labels(office(Counts(90, 10, 0, 30), turned_away=50)) == ["left excluded", "turns away"]


def test_under_twenty_visits_nobody_is_marked() -> None:
    assert labels(office(Counts(16, 1, 0, 2), issued=19)) == []
    assert labels(office(Counts(16, 1, 0, 3), issued=20, desk_s=12_000)) == ["left excluded"]


def test_a_norm_that_does_not_hold_marks_nobody() -> None:
    assert conflicts_of(office(Counts(90, 10, 0, 30)), replace(PROMISE, norm="another"), USUAL) == ()


def test_what_is_usual_is_the_median_of_the_offices_that_are_busy() -> None:
    shares = [office(pending=pending) for pending in (4, 8, 40)]
    quiet = office(pending=100, issued=19)

    assert usual_of([*shares, quiet]) == Usual(Fraction(8, 100), Fraction(600))


def test_two_offices_are_too_few_to_say_what_is_usual() -> None:
    assert usual_of([office(), office()]) == Usual()


def test_a_share_is_never_told_as_more_than_it_is() -> None:
    assert percent(Fraction(8_499, 10_000)) == "84%"
    assert percent(Fraction(85, 100)) == "85%"
    assert percent(None) == "–"


def test_the_promise_decides_by_which_definition_the_clocks_are_compared() -> None:
    #  SL3 counts who left as missed: per visit 70 of 100, per leg 90 of 100
    figures = office(Counts(70, 0, 0, 30), leg=Counts(90, 0, 0, 10))

    (found,) = conflicts_of(figures, replace(PROMISE, left=Left.FAILED), USUAL)[1:]

    assert (found.label, found.short) == ("clock reset", "leg 90 visit 70")


def test_a_target_that_is_just_reached_is_kept() -> None:
    assert labels(office(Counts(85, 15, 0, 30))) == ["left excluded"]
    assert labels(office(Counts(84, 16, 0, 30))) == []
