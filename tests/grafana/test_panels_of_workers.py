"""Every panel while a network lives: through Kafka, two workers and a real Prometheus, and one of them is killed."""

import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from attente.broker.local import LocalBroker
from attente.grafana.preview.prometheus import Prometheus
from attente.grafana.preview.variables import Times
from attente.grafana.rules.build import rule_files
from attente.registry.entities import Registry
from attente.registry.load import load
from grafana.panel_queries import ask_all
from tsdb import running
from workers import SESSION_S, Crew, content, wait_until

pytestmark = pytest.mark.tools

PARTITIONS = 4
SCRAPE_S = 1
RATE_S = 12
"""What a rate looks back over: longer than the figures of a killed worker are on no page."""


@dataclass(frozen=True)
class Live:
    """A network that lives."""

    prometheus: Prometheus
    crew: Crew
    registry: Registry

    def scalar(self, promql: str) -> float:
        """The value of a query now; 0 where there is none."""
        found = self.prometheus.instant(promql, time.time())
        return found[0].last if found else 0.0


@pytest.fixture
def live(broker: LocalBroker, make_topics: Callable[..., str], tmp_path: Path) -> Iterator[Live]:
    prefix = make_topics(PARTITIONS)
    registry = tmp_path / "registry.yaml"
    network = ("--offices", "6", "--visitors-per-office", "1500", "--seed", "7", "--registry-out", str(registry))
    simulate = [sys.executable, "-m", "attente", "simulate", "--live", "--to-kafka", "--for", "5m", "--processes", "1"]
    where = ("--broker", broker.bootstrap, "--prefix", prefix)
    with ExitStack() as stack:
        simulator = stack.enter_context(subprocess.Popen([*simulate, *network, *where], stderr=subprocess.DEVNULL))
        stack.callback(simulator.terminate)
        wait_until(registry.exists, "the simulator has written its registry")
        crew = stack.enter_context(Crew(broker.bootstrap, prefix, registry))
        for name in ("w0", "w1"):
            crew.start(name)
        addresses = [worker.url.removeprefix("http://") for worker in crew.workers]
        read = load(registry)
        for name, text in rule_files(read).items():
            (tmp_path / name).write_text(text)
        configuration = yaml.safe_dump(
            {
                "global": {"scrape_interval": f"{SCRAPE_S}s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
                "rule_files": [f"{tmp_path}/{name}" for name in rule_files(read)],
                "scrape_configs": [{"job_name": "attente", "static_configs": [{"targets": addresses}]}],
            }
        )
        prometheus = stack.enter_context(running(tmp_path / "data", 300, configuration))
        yield Live(prometheus, crew, read)


def test_every_panel_is_answered_while_workers_count_and_no_rate_jumps_when_one_is_killed(
    broker: LocalBroker, live: Live
) -> None:
    #  the day so far      two workers      one is killed    on no page    one worker
    #  |##################|----------------|X               |~~~~~~~~~~~~|--------------|
    whole = f"min(count_over_time(attente:events_read_total[{RATE_S}s])) >= {RATE_S - 3}"
    settled = (
        f"{whole} and sum(rate(attente:events_read_total[{RATE_S}s])) < 30 and sum(attente:events_read_total) > 1000"
    )
    wait_until(lambda: live.scalar(f"count(attente:events_read_total) == {PARTITIONS}"), "all partitions are recorded")
    wait_until(lambda: live.scalar(settled), "the day so far lies behind what a rate looks back over")
    begin = time.time()
    survivor, victim = live.crew.workers
    lost = len(victim.owned())
    assert 0 < lost < PARTITIONS
    victim.kill()
    wait_until(lambda: live.scalar("count(attente:events_read_total)") < PARTITIONS, "its figures vanish")
    wait_until(lambda: len(survivor.shown()) == PARTITIONS, "the other one has taken over", within_s=SESSION_S * 10)
    wait_until(lambda: live.scalar(whole), "a rate looks back over the new worker alone")
    end = time.time()

    times = Times(begin, end, scrape_s=RATE_S / 4, points=100)
    asked = list(ask_all(live.prometheus, times))  # Prometheus refuses none
    arrived = [record.timestamp / 1000 for record in content(broker.bootstrap, live.crew.events)]
    most = sum(begin - RATE_S <= at <= end for at in arrived)  # what was counted late after the kill included
    assert 10 < most < len(arrived) / 10
    looked = 0
    for each in asked:
        query = each.answer.asked
        if query.is_instant or not re.search(r"(rate|increase)\(attente:", query.promql):
            continue
        # A panel that looks back over a quarter of an hour would see the whole day so far.
        promql = re.sub(r"\[\w+\]", f"[{RATE_S}s]", query.promql)
        bound = most if "increase(" in promql else most / RATE_S * (3600 if "* 3600" in promql else 1)
        found = live.prometheus.range(promql, begin, end, SCRAPE_S)
        looked += bool(found)
        for series in found:
            assert max(value for _, value in series.points) <= bound, (each.place, series.labels)
    assert looked > 8
