"""The month of January 1999, whose exact result is known."""

from collections import Counter, defaultdict
from math import ceil

import pytest

from attente.model.events import (
    AnyEvent,
    ServiceEnded,
    ServiceStarted,
    TicketAbandoned,
    TicketCalled,
    TicketEvent,
    TicketIssued,
)
from attente.model.instants import milliseconds
from sources.technion_rows import HOUR_MS, january, january_shuffled, needs_january, of_tickets

pytestmark = needs_january


class Month:
    """Figures straight from the events: no state machine, just what each ticket's events say."""

    def __init__(self, events: list[AnyEvent]) -> None:
        at: dict[tuple[str, str], dict[type[TicketEvent], set[int]]] = defaultdict(lambda: defaultdict(set))
        for event in of_tickets(events):
            at[event.office, event.ticket][type(event)].add(milliseconds(event.time))
        self.at = at
        self.waits = sorted(self._waits(TicketCalled))
        self.left_after = self._waits(TicketAbandoned)

    def _waits(self, end: type[AnyEvent]) -> list[int]:
        return [(min(one[end]) - min(one[TicketIssued])) // 1000 for one in self.at.values() if end in one]

    def having(self, kind: type[AnyEvent]) -> int:
        return sum(kind in one for one in self.at.values())

    def percentile(self, share: float) -> int:
        return self.waits[ceil(share * len(self.waits)) - 1]


@pytest.fixture(
    scope="module", params=[january, january_shuffled], ids=["one office", "sixteen, shuffled, with duplicates"]
)
def month(request: pytest.FixtureRequest) -> Month:
    return Month(request.param()[0])


def test_so_many_were_issued_served_and_left(month: Month) -> None:
    assert month.having(TicketIssued) == len(month.at) == 30_161
    assert month.having(TicketCalled) == month.having(ServiceStarted) == month.having(ServiceEnded) == 27_060
    assert month.having(TicketAbandoned) == 3_101


def test_every_ticket_has_each_of_its_events_at_one_time(month: Month) -> None:
    assert all(len(times) == 1 for one in month.at.values() for times in one.values())


def test_the_waits_of_the_served_add_up(month: Month) -> None:
    assert sum(month.waits) == 947_857


def test_so_many_were_served_and_left_within_a_minute(month: Month) -> None:
    assert sum(wait <= 60 for wait in month.waits) == 21_442
    assert sum(wait <= 60 for wait in month.left_after) == 2_103


def test_the_four_service_levels_within_a_minute(month: Month) -> None:
    answered, left = len(month.waits), len(month.left_after)
    within, left_within = sum(w <= 60 for w in month.waits), sum(w <= 60 for w in month.left_after)
    levels = (
        (within + left_within) / (answered + left),
        within / answered,
        within / (answered + left),
        within / (answered + left - left_within),
    )
    assert [round(level, 6) for level in levels] == [0.780644, 0.792387, 0.710918, 0.764203]


def test_the_percentiles_of_the_waits(month: Month) -> None:
    assert [month.percentile(share) for share in (0.50, 0.90, 0.95)] == [3, 111, 157]
    assert max(month.waits) == 1_500


def test_the_report_accounts_for_every_row() -> None:
    report = january()[1].report
    assert (report.rows, report.tickets) == (31_599, 30_161)
    assert report.dropped == {"left_before_queueing": 1_198, "phantom": 240}
    assert report.rows == report.tickets + sum(report.dropped.values())
    assert report.events == {
        "service.ended": 27_060,
        "service.started": 27_060,
        "ticket.abandoned": 3_101,
        "ticket.called": 27_060,
        "ticket.issued": 30_161,
    }
    assert (report.duplicates, report.displaced, report.written) == (0, 0, 114_442)


def test_the_month_comes_sorted_by_time_then_row_and_then_by_the_order_of_a_life() -> None:
    events = january()[0]
    keys = [(milliseconds(event.time), event.sequence, event.kind) for event in events]
    assert keys == sorted(keys)


def test_every_event_of_the_month_has_an_id_of_its_own() -> None:
    events = january()[0]
    assert len({event.id for event in events}) == len(events)


def test_sixteen_offices_share_the_month_evenly() -> None:
    events = january_shuffled()[0]
    shares = Counter(office for office, _ in {(event.office, event.ticket) for event in of_tickets(events)})
    assert len(shares) == 16
    assert max(shares.values()) < 1.05 * min(shares.values())


def test_a_shuffled_month_is_accepted_by_the_archives_own_time() -> None:
    #  Each record is stamped with its event's time; stream time is the greatest stamp so far. So no event lies in the
    #  future of its record, and none further back than the window, which is well within the horizon of 24 h.
    events, found = january_shuffled()
    stream, furthest = 0, 0
    for event in events:
        at = milliseconds(event.time)
        stream = max(stream, at)
        furthest = max(furthest, stream - at)
    assert 5.5 * HOUR_MS < furthest <= 6 * HOUR_MS
    assert found.report.furthest_ms == furthest
    assert found.report.duplicates == round(0.03 * 114_442)
