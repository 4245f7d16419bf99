"""Pages read back: the same numbers that prometheus_client's parser finds, and which of them never fall."""

import pytest
from prometheus_client.parser import text_string_to_metric_families

from attente.core.view import View
from attente.metrics import catalogue as c
from attente.metrics import exposition
from attente.metrics.reading import NotAPage, labels_of, read
from driver import Driver
from lives import random_log
from metrics.pages import families_of, samples_of
from metrics.views import health

PARTITIONS = 4


@pytest.fixture(scope="module")
def page() -> str:
    """What a worker serves of a random network after 600 events."""
    log = random_log(1, 600, partitions=PARTITIONS)
    driver = Driver(log.registry, PARTITIONS).feed(log.records)
    view = View(health(partitions_total=PARTITIONS), tuple(driver.views()))
    return exposition.text(families_of(log.registry, lambda: view)).decode()


def test_every_series_reads_as_prometheus_client_reads_it(page: str) -> None:
    reading = read(page)
    wanted = samples_of(text_string_to_metric_families(page))

    found = {
        (metric.full_name, frozenset(row.labels.items())): row.value
        for metric in c.CATALOGUE
        for row in reading.rows(metric)
    }

    assert len(found) > 300
    assert found.items() <= wanted.items()
    histogram = {name for name, _ in wanted if name.startswith(c.WAIT.full_name)}
    assert {name for name, _ in wanted.keys() - found.keys()} == histogram


def test_every_counter_of_the_states_is_there_and_nothing_else(page: str) -> None:
    begun_with_the_process = {
        metric.full_name for metric in c.CATALOGUE if metric.type == "counter" and "since the process" in metric.help
    }
    wanted = {
        name: sample
        for family in text_string_to_metric_families(page)
        if family.type in {"counter", "histogram"}
        for sample in family.samples
        if (name := sample.name) not in begun_with_the_process
    }

    counters = read(page).counters()

    assert {series.partition("{")[0] for series in counters} == wanted.keys()
    assert {"attente_events_read_total", "attente_wait_seconds_bucket", "attente_tickets_issued_total"} <= wanted.keys()
    assert "attente_batches_total" in begun_with_the_process


def test_the_text_of_a_counter_is_the_same_on_two_pages() -> None:
    first = read('attente_events_read_total{partition="3"} 4.0\n').counters()
    second = read('# HELP attente_events_read_total Events.\nattente_events_read_total{partition="3"} 5.0\n').counters()

    assert first.keys() == second.keys()
    assert list(second.values()) == [5.0]


PAGE = """\
# HELP attente_lifetime_tickets Tickets.
# TYPE attente_lifetime_tickets gauge
attente_lifetime_tickets{event="issued",office="a",service="x"} 3.0
attente_lifetime_tickets{event="issued",office="a",service="y"} 4.0
attente_lifetime_tickets{event="served",office="a",service="x"} 2.0
attente_lifetime_tickets{event="issued",office="b",service="x"} 10.0
attente_ready 1.0
"""


def test_a_total_is_the_sum_over_the_series_that_have_the_labels() -> None:
    reading = read(PAGE)

    assert reading.total(c.LIFETIME_TICKETS, event="issued") == 17
    assert reading.total(c.LIFETIME_TICKETS, event="issued", office="a") == 7
    assert reading.total(c.READY) == 1


def test_sums_by_a_label_leave_out_what_has_other_labels() -> None:
    assert read(PAGE).by(c.LIFETIME_TICKETS, "office", event="issued") == {"a": 7, "b": 10}


def test_what_a_page_does_not_show_is_nothing() -> None:
    reading = read("")

    assert reading.total(c.EVENTS_READ) == 0
    assert reading.by(c.EVENTS_READ, "partition") == {}
    assert reading.counters() == {}


@pytest.mark.parametrize("value", ['a "b" c', "back\\slash", "two\nlines", "é – ü", "a} 1"])
def test_a_label_may_hold_anything(value: str) -> None:
    escaped = value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")

    (row,) = read(f'attente_office_info{{name="{escaped}",office="a",region="r"}} 1.0\n').rows(c.OFFICE_INFO)

    assert row.labels == {"name": value, "office": "a", "region": "r"}
    assert row.value == 1


@pytest.mark.parametrize("line", ["attente_ready", "attente_ready one", "<html> </html>"])
def test_a_text_that_is_no_page_is_refused_with_its_line(line: str) -> None:
    with pytest.raises(NotAPage, match="line 2 is no series with a number"):
        read(f"attente_ready 1.0\n{line}\n")


@pytest.mark.parametrize("series", ["", "x{", "x{a=b}", "x y"])
def test_labels_of_what_is_no_series_are_refused(series: str) -> None:
    with pytest.raises(NotAPage, match="this is no series"):
        labels_of(series)
