"""The watch: what no page may show, and what it has to take for right."""

import pytest

from attente.demo.watch import Watch
from demo.demo_pages import page

ISSUED = 'tickets_issued_total{channel="walkin",office="a",service="x"}'
BUCKET = 'wait_seconds_bucket{end="called",le="60",office="a",service="x"}'
COUNT = 'wait_seconds_count{end="called",office="a",service="x"}'
SUM = 'wait_seconds_sum{end="called",office="a",service="x"}'
REFUSED = 'events_refused_total{partition="0",reason="not_json"}'


@pytest.mark.parametrize("series", [ISSUED, BUCKET, COUNT, SUM, REFUSED])
def test_a_counter_that_falls_is_told(series: str) -> None:
    watch = Watch()
    watch.observe([page("w0", f"{series} 12")])

    found = watch.observe([page("w1", f"{series} 11")])

    assert found == [f"attente_{series} fell from 12 to 11 on the page of w1"]
    assert watch.violations == found


def test_counters_that_grow_or_stand_are_right() -> None:
    watch = Watch()
    for value in (1, 1, 2, 5):
        watch.observe([page("w0", f"{ISSUED} {value}")])

    assert (watch.violations, watch.rounds) == ([], 4)


def test_an_absence_is_no_fall() -> None:
    watch = Watch()
    for pages in ([page("w0", f"{ISSUED} 7")], [page("w0")], [], [page("w1", f"{ISSUED} 7")]):
        watch.observe(pages)

    assert not watch.violations


def test_a_fall_behind_an_absence_is_one() -> None:
    watch = Watch()
    for pages in ([page("w0", f"{ISSUED} 7")], [], [page("w1", f"{ISSUED} 6")]):
        watch.observe(pages)

    assert len(watch.violations) == 1


def test_the_greatest_value_of_all_pages_is_what_counts() -> None:
    #  An old page in the round of a hand-over is no fall.
    watch = Watch()
    watch.observe([page("w0", f"{ISSUED} 7")])
    watch.observe([page("w0", f"{ISSUED} 6"), page("w1", f"{ISSUED} 8")])

    assert not watch.violations


@pytest.mark.parametrize("series", ["batches_total", "checkpoints_total", 'waiting_tickets{office="a",service="x"}'])
def test_what_begins_with_the_process_and_what_is_exact_now_may_fall(series: str) -> None:
    watch = Watch()
    watch.observe([page("w0", f"{series} 7")])

    assert not watch.observe([page("w0", f"{series} 1")])


def test_many_that_fall_together_are_one_line() -> None:
    watch = Watch()
    watch.observe([page("w0", f"{ISSUED} 7", f"{COUNT} 7", f"{SUM} 7")])

    (found,) = watch.observe([page("w0", f"{ISSUED} 6", f"{COUNT} 6", f"{SUM} 6")])

    assert found.endswith("fell from 7 to 6 on the page of w0, and 2 other series with it")


def test_a_fall_is_told_once() -> None:
    watch = Watch()
    for value in (7, 6, 6, 7):
        watch.observe([page("w0", f"{ISSUED} {value}")])

    assert len(watch.violations) == 1


# Two at once


def test_a_partition_on_two_pages_round_after_round_is_told_once() -> None:
    watch = Watch()
    both = [page("w0", read_of={0: 1, 3: 5}), page("w1", read_of={3: 5})]
    for _ in range(3):
        watch.observe(both)

    assert watch.violations == ["partition 3 was shown by w0 and w1 at once"]


def test_a_partition_that_changes_hands_within_a_round_is_right() -> None:
    #  w0 answers, lets go, w1 takes over and answers: both pages are true, each of its instant.
    watch = Watch()
    watch.observe([page("w0", read_of={3: 5}), page("w1")])
    watch.observe([page("w0", read_of={3: 5}), page("w1", read_of={3: 5})])
    assert watch.is_in_doubt
    watch.observe([page("w0"), page("w1", read_of={3: 6})])

    assert not watch.violations
    assert not watch.is_in_doubt


def test_two_partitions_that_change_hands_one_after_the_other_are_right() -> None:
    watch = Watch()
    watch.observe([page("w0", read_of={3: 5}), page("w1", read_of={3: 5})])
    watch.observe([page("w0", read_of={2: 5}), page("w1", read_of={2: 5, 3: 5})])

    assert not watch.violations


def test_two_hand_overs_of_one_partition_among_three_workers_are_right() -> None:
    watch = Watch()
    watch.observe([page("w0", read_of={3: 5}), page("w1", read_of={3: 5}), page("w2")])
    watch.observe([page("w0"), page("w1", read_of={3: 5}), page("w2", read_of={3: 5})])

    assert not watch.violations
