"""What the workers' pages say together, and what does not balance."""

import pytest

from attente.demo.account import as_json, figures_of, imbalance, overcount, unaccounted, unready
from attente.demo.pages import Page
from demo.demo_pages import page

NORM = (
    'norm_info{from="issued",left="excluded",norm="within-60",per="leg",title="In a minute",to="called"} 1',
    'norm_threshold_seconds{norm="within-60"} 60',
    'norm_target_ratio{norm="within-60"} 0.8',
)


def visits(office: str, answered: tuple[int, int], left: tuple[int, int]) -> list[str]:
    labels = f'norm="within-60",office="{office}",service="x"'
    return [
        f'lifetime_visits{{outcome="{outcome}",within="{within}",{labels}}} {count}'
        for outcome, counts in (("answered", answered), ("left", left))
        for within, count in zip(("within", "beyond"), counts, strict=True)
    ]


FIRST = page(
    "w0",
    *NORM,
    'lifetime_tickets{event="issued",office="a",service="x"} 10',
    'lifetime_tickets{event="called",office="a",service="x"} 8',
    'lifetime_tickets{event="no_show",office="a",service="x"} 1',
    'lifetime_tickets{event="served",office="a",service="x"} 7',
    'lifetime_tickets{event="abandoned",office="a",service="x"} 2',
    'lifetime_tickets{event="requeued",office="a",service="x"} 5',
    'lifetime_wait_seconds{end="called",office="a",service="x"} 100.4',
    'lifetime_wait_seconds{end="no_show",office="a",service="x"} 30.1',
    'lifetime_wait_seconds{end="abandoned",office="a",service="x"} 500',
    'waiting_tickets{office="a",service="x"} 2',
    'events_refused_total{partition="0",reason="not_json"} 3',
    'events_refused_total{partition="0",reason="too_late"} 1',
    'stream_time_timestamp_seconds{partition="0"} 915148800.5',
    *visits("a", (6, 1), (1, 2)),
    read_of={0: 40},
)
SECOND = page(
    "w1",
    *NORM,
    'lifetime_tickets{event="issued",office="b",service="x"} 1',
    'lifetime_tickets{event="called",office="b",service="x"} 1',
    'lifetime_tickets{event="served",office="b",service="x"} 1',
    'lifetime_wait_seconds{end="called",office="b",service="x"} 0.3',
    'events_duplicate_total{partition="1"} 2',
    'stream_time_timestamp_seconds{partition="1"} 915148700',
    *visits("b", (1, 0), (0, 0)),
    read_of={1: 5},
)


def test_the_result_has_exactly_this_form_and_sums_over_the_workers() -> None:
    assert as_json(figures_of([FIRST, SECOND])) == {
        "events": {"read": 45, "counted": 45, "duplicate": 2, "dead": 4},
        "totals": {
            "issued": 11,
            "called": 9,
            "served": 8,
            "abandoned": 2,
            "no_show": 1,
            "wait_sum_seconds": 70.6,  # 100.4 + 0.3 of the called, less 30.1 of one who did not come
        },
        "within": {"60": {"answered": 7, "left": 1}},
        "service_levels": {
            "60": {
                "credited_if_within": 0.727273,  # (7 + 1) of (8 + 3)
                "excluded": 0.875,  # 7 of 8
                "failed": 0.636364,  # 7 of (8 + 3)
                "ignored_if_within": 0.7,  # 7 of (8 + 3 - 1)
            }
        },
    }


def test_a_sum_of_whole_seconds_is_a_whole_number() -> None:
    halves = [page("w0", f'lifetime_wait_seconds{{end="called",office="{o}",service="x"}} 0.5') for o in "ab"]

    total = as_json(figures_of(halves))["totals"]["wait_sum_seconds"]

    assert total == 1
    assert isinstance(total, int)


def test_tenths_of_seconds_add_up_exactly() -> None:
    tenths = [f'lifetime_wait_seconds{{end="called",office="o{n}",service="x"}} 0.1' for n in range(3)]

    assert as_json(figures_of([page("w0", *tenths)]))["totals"]["wait_sum_seconds"] == 0.3


def test_a_service_level_of_nobody_is_none() -> None:
    levels = as_json(figures_of([page("w0", *NORM)]))["service_levels"]["60"]

    assert set(levels.values()) == {None}


def test_who_waits_and_the_newest_stream_time_are_read_too() -> None:
    figures = figures_of([FIRST, SECOND])

    assert (figures.waiting, figures.stream_ms) == (2, 915_148_800_500)


def test_without_pages_there_are_no_figures() -> None:
    figures = figures_of(())

    assert (figures.read, figures.totals["issued"], figures.norms, figures.stream_ms) == (0, 0, (), None)


# Whether everybody is there


def test_nothing_is_missing_when_all_workers_are_ready_and_show_everything_once() -> None:
    assert not unready([page("w0", read_of={0: 1, 2: 0}), page("w1", read_of={1: 1})], ["w0", "w1"], 3)


@pytest.mark.parametrize(
    ("pages", "why"),
    [
        ([page("w0", read_of={0: 1, 1: 1})], "worker w1 does not answer"),
        ([page("w0", read_of={0: 1}), page("w1", ready=False)], "worker w1 is not ready"),
        ([page("w0", read_of={0: 1}), page("w1")], "partition 1 is shown by no worker"),
        ([page("w0", read_of={0: 1, 1: 1}), page("w1", read_of={1: 1})], "partition 1 is shown by w0 and w1"),
    ],
)
def test_what_is_missing_is_told(pages: list[Page], why: str) -> None:
    assert unready(pages, ["w0", "w1"], 2) == why


# Whether every record is accounted for


def test_an_account_balances_when_all_that_was_sent_is_counted() -> None:
    assert not imbalance([page("w0", read_of={0: 10, 1: 0}), page("w1", read_of={2: 5})], {0: 10, 1: 0, 2: 5})


def test_duplicates_and_refusals_are_accounted_for() -> None:
    mixed = page(
        "w0",
        'events_read_total{partition="0"} 10',
        'events_counted_total{partition="0"} 6',
        'events_duplicate_total{partition="0"} 3',
        'events_refused_total{partition="0",reason="not_json"} 1',
    )

    assert not imbalance([mixed], {0: 10})


def test_records_that_were_not_read_are_told() -> None:
    assert imbalance([page("w0", read_of={0: 10, 1: 1_000})], {0: 10, 1: 1_200}) == (
        "partition 1: 1,000 of 1,200 events read"
    )


def test_events_that_are_neither_counted_nor_anything_else_are_told() -> None:
    wrong = page("w0", 'events_read_total{partition="0"} 10', 'events_counted_total{partition="0"} 9')

    assert imbalance([wrong], {0: 10}) == "partition 0: 10 events read is not 9 counted + 0 duplicate + 0 refused"


def test_a_lag_is_told_though_all_is_read() -> None:
    assert imbalance([page("w0", read_of={0: 10}, lag=2)], {0: 10}) == (
        "partition 0: a lag of 2 events, though all have been read"
    )


def test_more_read_than_sent_is_told_at_once() -> None:
    assert overcount([page("w0", read_of={0: 11})], {0: 10}) == (
        "partition 0: 11 events read, though only 10 were sent"
    )


def test_less_read_than_sent_is_worth_waiting_for() -> None:
    assert not overcount([page("w0", read_of={0: 9})], {0: 10})


def test_a_partition_seen_on_two_pages_of_a_round_is_no_overcount() -> None:
    #  One worker let go of it after it had answered, the other one took it over before it answered.
    assert not overcount([page("w0", read_of={0: 9}), page("w1", read_of={0: 10})], {0: 10})


def test_an_account_that_does_not_balance_on_its_page_is_told_with_partition_and_worker() -> None:
    whole = page("w0", read_of={0: 10, 1: 3})
    wrong = page("w1", 'events_read_total{partition="2"} 10', 'events_counted_total{partition="2"} 9')

    assert unaccounted([whole, wrong]) == [
        "partition 2: 10 events read is not 9 counted + 0 duplicate + 0 refused on the page of w1"
    ]
