"""The same day through Kafka and two workers, and through `attente report`: every figure of every service is equal."""

import json
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from attente.broker.local import LocalBroker
from attente.core.view import Tally
from attente.metrics import catalogue as c
from attente.metrics.reading import Reading
from commands import attente
from workers import Crew

PARTITIONS = 4
FOUR = {
    ("answered", "within"): "answered_within",
    ("answered", "beyond"): "answered_beyond",
    ("left", "within"): "left_within",
    ("left", "beyond"): "left_beyond",
}


def done(*arguments: str) -> str:
    said = attente(*arguments)
    assert said.returncode == 0, said.stderr
    return said.stdout


def reported(row: dict[str, Any]) -> dict[str, float]:
    """The counts of a row of the report, by the names that metrics have."""
    found = {tally.value: row[tally.value] for tally in Tally if tally is not Tally.STARTED}
    found["wait"] = row["wait"]["sum_seconds"]
    for norm in row["norms"]:
        for name in FOUR.values():
            found[f"{norm['norm']}/{name}"] = norm["readings"][norm["promise"]["per"]][name]
    return found


def other_than_zero(counts: dict[str, float]) -> dict[str, float]:
    return {name: n for name, n in counts.items() if n}


def shown(readings: list[Reading]) -> dict[tuple[str, str], dict[str, float]]:
    """The same of the pages of all workers, by office and service."""
    found: dict[tuple[str, str], dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for row in (row for reading in readings for row in reading.rows(c.LIFETIME_TICKETS)):
        found[row.labels["office"], row.labels["service"]][row.labels["event"]] += row.value
    for row in (row for reading in readings for row in reading.rows(c.LIFETIME_WAIT, end="called")):
        found[row.labels["office"], row.labels["service"]]["wait"] += row.value
    for row in (row for reading in readings for row in reading.rows(c.LIFETIME_VISITS)):
        name = FOUR[row.labels["outcome"], row.labels["within"]]
        found[row.labels["office"], row.labels["service"]][f"{row.labels['norm']}/{name}"] += row.value
    for counts in found.values():
        counts.pop(Tally.STARTED.value, None)  # which a report does not tell
    return found


def test_a_day_of_two_hundred_offices_is_the_same_on_the_pages_and_in_the_report(
    broker: LocalBroker, make_topics: Callable[..., str], tmp_path: Path
) -> None:
    events, registry = str(tmp_path / "day.ndjson"), str(tmp_path / "registry.yaml")
    day = ("--day", "2026-11-20", "--offices", "200", "--visitors-per-office", "30", "--seed", "4")
    done("simulate", *day, "--late", "0.2", "--duplicates", "0.03", "--registry-out", registry, "--out", events)
    report = json.loads(done("report", events, "--registry", registry, "--partitions", str(PARTITIONS), "--json"))
    prefix = make_topics(PARTITIONS, archive=True)
    done("replay", events, "--broker", broker.bootstrap, "--prefix", prefix, "--quiet")

    with Crew(broker.bootstrap, prefix, Path(registry)) as crew:
        for name in ("w0", "w1"):
            crew.start(name)
        crew.wait_for(PARTITIONS, report["quality"]["read"])
        readings = crew.readings()

    assert len(report["offices"]) == 200
    assert len(report["rows"]) > 600
    pages = shown(readings)
    for row in report["rows"]:
        place = (row["office"], row["service"])
        assert other_than_zero(pages.pop(place)) == other_than_zero(reported(row)), place
    assert not any(other_than_zero(counts) for counts in pages.values())
    assert sum(reading.total(c.CORRECTIONS) for reading in readings) > 100  # late facts have taken something back
    assert sum(reading.total(c.EVENTS_DUPLICATE) for reading in readings) == report["quality"]["duplicate"] > 100
