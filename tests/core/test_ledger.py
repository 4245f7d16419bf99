"""A ledger is told of everything that is sealed, and changes nothing by it."""

from collections import Counter
from collections.abc import Mapping

import pytest

from attente.core import panes
from attente.core.partition import Partition
from attente.core.plan import Plan
from driver import Driver
from handtape import EXPECTED, RECORDS, REGISTRY
from lives import random_log

OPEN_DESKS = panes.key_of(0, panes.OPEN_DESK_MS, panes.SUM)
OPEN_OFFICE = panes.key_of(0, panes.OPEN_OFFICE_MS, panes.SUM)


class Book:
    """Everything that was told."""

    def __init__(self) -> None:
        self.told: Counter[tuple[str, int, int]] = Counter()

    def sealed(self, office: str, counts: Mapping[tuple[int, int], int]) -> None:
        for (pane, key), n in counts.items():
            self.told[office, pane, key] += n


def by_day(driver: Driver, told: Counter[tuple[str, int, int]]) -> Counter[tuple[str, int, int]]:
    """What was told, by business day in place of the pane."""
    found: Counter[tuple[str, int, int]] = Counter()
    for (office, pane, key), n in told.items():
        found[office, driver.plan.offices[office.encode()].calendar.day_of(pane * panes.PANE_MS), key] += n
    return found


@pytest.mark.parametrize("seed", range(40))
def test_what_a_ledger_was_told_is_what_the_days_hold_and_the_state_is_the_same_without_one(seed: int) -> None:
    log = random_log(seed, 120, days=1 + seed % 4)
    driver, book = Driver(log.registry), Book()
    plain = Driver(log.registry).feed(log.records)
    driver.parts = [Partition(driver.plan, 0, 1, ledger=book)]
    driver.feed(log.records)

    held = Counter(
        {
            (office.id, day, key): n
            for _, office in driver.offices()
            for day in office.days.all()
            for key, n in office.days.row(day).items()
        }
    )
    assert by_day(driver, book.told) == held
    assert driver.digests() == plain.digests()


def test_the_days_that_an_office_forgets_are_in_the_ledger() -> None:
    book = Book()
    partition = Partition(Plan(REGISTRY), 0, 1, ledger=book)
    partition.ingest(RECORDS)
    # Two records, a year later and the day after: the first seals all that is left, the second finds it too old.
    last = RECORDS[-1]
    for days in (365, 366):
        late = last.timestamp + days * 86_400_000
        partition.ingest([last._replace(offset=last.offset + days, timestamp=late)])

    assert not any(office.days.all() for office in partition.offices.values())
    assert not any(office.panes for office in partition.offices.values())
    issued = Counter(
        office for (office, _, key), n in book.told.items() if panes.measure_of(key) == panes.ISSUED for _ in range(n)
    )
    wanted: Counter[str] = Counter()
    for (office, _), totals in EXPECTED.totals.items():
        wanted[office] += totals["issued"][0]
    assert issued == wanted


def test_open_time_comes_under_the_pane_in_which_its_business_day_begins() -> None:
    book = Book()
    partition = Partition(Plan(REGISTRY), 0, 1, ledger=book)
    partition.ingest(RECORDS)
    last = RECORDS[-1]
    partition.ingest([last._replace(offset=last.offset + 1, timestamp=last.timestamp + 5 * 86_400_000)])

    day = partition.plan.offices[b"lille"].calendar
    begin = day.start_of(day.day_of(RECORDS[0].timestamp)) // panes.PANE_MS
    assert book.told["lille", begin, OPEN_DESKS] == EXPECTED.desk_ms["lille", "2026-03-10"]
    assert book.told["lille", begin, OPEN_OFFICE] == EXPECTED.office_ms["lille", "2026-03-10"]
