"""What the core really shows, on the page: the values of labels and the number of series that were promised."""

import pytest

from attente.core.plan import Plan
from attente.core.view import View
from attente.metrics.catalogue import CATALOGUE
from attente.metrics.series import series_count
from driver import Driver
from lives import random_log
from metrics.pages import Scrape, families_of, samples_of
from metrics.views import health

PARTITIONS = 4


def shown(driver: Driver) -> View:
    return View(health(partitions_total=PARTITIONS), tuple(driver.views()))


@pytest.fixture(scope="module", params=range(3))
def driver(request: pytest.FixtureRequest) -> Driver:
    """Three random networks after 600 events each, broken ones among them."""
    log = random_log(request.param, 600, partitions=PARTITIONS)
    return Driver(log.registry, PARTITIONS).feed(log.records)


def test_every_label_has_a_value_of_the_catalogue_or_an_id_of_the_registry(driver: Driver) -> None:
    network = driver.registry
    ids = {"office": network.offices.keys(), "service": {*network.services, "other"}, "norm": network.norms.keys()}
    ids["source"] = {"", *Plan(network).sources}
    by_family = {metric.family: metric for metric in CATALOGUE}
    seen = set()
    for family in families_of(network, lambda: shown(driver)):
        for label in by_family[family.name].labels:
            values = {sample.labels[label.name] for sample in family.samples}
            assert values <= set(label.values or ids.get(label.name, values)), (family.name, label.name)
            seen.add(label.name)
    assert {"office", "service", "norm", "kind", "reason", "stat", "per", "event", "end", "source"} <= seen


def test_the_series_are_no_more_than_the_formula_says(driver: Driver) -> None:
    series = samples_of(families_of(driver.registry, lambda: shown(driver)))
    assert 100 < len(series) <= series_count(driver.registry, partitions=PARTITIONS)


def test_every_account_balances_and_no_counter_is_below_its_exact_count(driver: Driver) -> None:
    page = Scrape(samples_of(families_of(driver.registry, lambda: shown(driver))))
    for partition in map(str, range(PARTITIONS)):
        accounted = sum(
            page(name, **labels)
            for name in ("events_counted_total", "events_duplicate_total", "events_refused_total")
            for labels in page.series(name, partition=partition)
        )
        assert page("events_read_total", partition=partition) == accounted
    called = page.series("tickets_called_total")
    assert sum(page("tickets_called_total", **labels) for labels in called) > 0
    for labels in called:
        exact = page("lifetime_tickets", **labels, event="called")
        assert page("tickets_called_total", **labels) >= exact
        assert page("wait_seconds_count", **labels, end="called") >= exact
