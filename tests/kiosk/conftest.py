"""A Kafka that comes and goes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from attente.broker.admin import connect
from attente.broker.local import LocalBroker
from attente.broker.topics import apply, with_prefix
from attente.errors import Missing
from attente.model.topics import topics
from kiosk.kiosks import PARTITIONS, PREFIX
from needs import cannot_run


@pytest.fixture
def own_broker(broker_extra: None, tmp_path: Path) -> Iterator[LocalBroker]:
    """A Kafka of the test's own, with topics; after every start it has the same address."""
    one = LocalBroker(tmp_path / "broker")
    try:
        one.up()
    except Missing as error:
        cannot_run(str(error))
    with connect(one.bootstrap) as admin:
        assert all(not result.failure for result in apply(admin, with_prefix(topics(PARTITIONS), PREFIX)))
    try:
        yield one
    finally:
        one.down()
