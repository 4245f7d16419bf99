"""Offices of a partition computed apart: of the others' records they need to know the time alone."""

import pytest

from attente.core.partition import Partition
from attente.core.plan import Plan
from attente.core.state import _canonical
from lives import random_log


@pytest.mark.parametrize("seed", range(60))
def test_an_office_is_the_same_whether_the_others_records_are_given_or_only_their_time(seed: int) -> None:
    log = random_log(seed, 120, days=1 + seed % 4)
    whole = Partition(Plan(log.registry), 0, 1)
    whole.ingest(log.records)
    for key, office in whole.offices.items():
        alone = Partition(Plan(log.registry), 0, 1)
        top = 0
        for record in log.records:
            top = max(top, record.timestamp)
            if record.key == key:
                alone.advance(top)
                alone.ingest([record])
        alone.advance(top)
        assert _canonical(alone.offices[key]) == _canonical(office)
        assert alone.stream == whole.stream
