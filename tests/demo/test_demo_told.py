"""What is left of a live network when the screen is gone: a summary, and everything for machines."""

from attente.core.view import Counts
from attente.demo.account import figures_of
from attente.demo.board import Board, Order
from attente.demo.told import LiveOutcome, live_json, summary
from demo.live_pages import PROMISE, Place, pages_of

PLACES = [
    Place("a", waiting=3, beyond=1, longest_s=1_500, visit=Counts(95, 5, 0, 40)),
    Place("b", desks=2),
]


def outcome(places: list[Place] | None = None, *, is_settled: bool = True) -> LiveOutcome:
    pages = pages_of(PLACES if places is None else places)
    board = Board()
    board.observe(pages, 0.0)
    return LiveOutcome(
        figures=figures_of(pages),
        promise=PROMISE,
        rows=tuple(board.rows(PROMISE, Order.TROUBLE, 0.0)),
        totals=board.totals(PROMISE),
        killed=1,
        rounds=42,
        violations=(),
        is_settled=is_settled,
    )


def test_a_summary_says_the_account_the_levels_and_who_reads_better_than_he_is() -> None:
    assert summary(outcome()).splitlines() == [
        "2,000 events read = 2,000 counted + 0 duplicate + 0 refused, and that is every record of the log",
        "issued 200, served 180, waiting 3 in 2 offices",
        "within-20: credited_if_within 77%, excluded 92%, failed 77%, ignored_if_within 77%",
        "A reads better than it is: left excluded (95% without those who left, 67% with them)",
        "workers killed: 1; in 42 looks at the pages no counter fell",
    ]


def test_a_network_that_was_not_stopped_first_promises_nothing_about_the_whole_log() -> None:
    assert "every record" not in summary(outcome(is_settled=False))


def test_everything_is_there_for_machines_the_greatest_trouble_first() -> None:
    told = live_json(outcome())

    assert told["events"] == {"read": 2_000, "counted": 2_000, "duplicate": 0, "dead": 0}
    assert (told["settled"], told["killed"], told["looks"], told["norm"]) == (True, 1, 42, "within-20")
    assert told["norms"]["within-20"]["target"] == 0.85
    first, second = told["offices"]
    assert second["office"] == "b"
    assert first == {
        "office": "a",
        "region": "Nord",
        "open": True,
        "desks": 3,
        "waiting": 3,
        "beyond": 1,
        "longest_wait_seconds": 1_500.0,
        "today": {
            "credited_if_within": 0.678571,
            "excluded": 0.95,
            "failed": 0.678571,
            "ignored_if_within": 0.678571,
        },
        "promised_today": {"leg": 0.95, "first": 0.95, "visit": 0.95},
        "reads_better": [{"label": "left excluded", "reason": "95% without those who left, 67% with them"}],
    }


def test_where_nobody_is_counted_a_level_is_null_for_machines() -> None:
    (office,) = live_json(outcome([Place("a", visit=Counts())]))["offices"]

    assert set(office["today"].values()) == {None}
    assert office["longest_wait_seconds"] is None
