"""What the rules of a network cost a Prometheus: CPU of one evaluation, and how long each group of rules takes.

The page of a network at the middle of a day is served to a real Prometheus, once with the rules and once without. The
difference of its CPU is what the rules cost; it hardly depends on how busy the machine is, while durations do.
"""

import json
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import chain
from pathlib import Path
from typing import Any, Final

import click
import yaml

from attente.core.partition import Partition
from attente.core.plan import Plan
from attente.core.render import Renderer
from attente.core.view import PartitionHealth, View, WorkerHealth
from attente.demo.prometheus import find_prometheus
from attente.grafana.rules.build import rule_files
from attente.metrics import exposition
from attente.metrics.collector import ViewCollector
from attente.registry.entities import Registry
from attente.registry.load import parse
from benchmarks.command import run_command
from benchmarks.growth_tape import batched
from benchmarks.network import offices_of, registry_yaml
from benchmarks.process import Failed, Process
from benchmarks.tape import Shape, draw

INTERVAL_S: Final = 15
WARM: Final = 5  # evaluations: the first ones create the series
PARTITIONS: Final = 8
EVENTS: Final = 60  # an office


@dataclass(frozen=True, slots=True)
class Cost:
    """What a Prometheus did.

    Attributes:
        cpu_s: of one interval.
        groups_s: how long the last evaluation of each group took.
        series: in its memory.
    """

    cpu_s: float
    groups_s: dict[str, float]
    series: int


def page_of(registry: Registry) -> bytes:
    """A worker's page at the middle of a day."""
    offices = tuple(registry.offices)
    records, _ = draw(Shape(events=EVENTS * len(offices), offices=len(offices), partitions=PARTITIONS), offices)
    parts = []
    for number, batches in enumerate(batched(records[: len(records) // 2], [0] * PARTITIONS)):
        partition = Partition(Plan(registry), number, PARTITIONS)
        partition.ingest(chain.from_iterable(batches.open()))
        renderer = Renderer(partition)
        parts.append(renderer.partition_view(tuple(renderer.offices(partition.stream))))
    owned = tuple(PartitionHealth(number, shown=True, lag=0, stream_time_ms=0) for number in range(PARTITIONS))
    view = View(WorkerHealth("bench", PARTITIONS, owned, ready=True), tuple(parts))
    return exposition.text(ViewCollector(registry, lambda: view).collect())


@contextmanager
def serving(page: bytes) -> Iterator[str]:
    """HOST:PORT of a server that answers everything with a page."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def measure(program: str, page: bytes, rules: dict[str, str], intervals: int, folder: Path) -> Cost:
    """What a Prometheus does in an interval that scrapes a page and evaluates some rules."""
    folder.mkdir()
    for name, text in rules.items():
        (folder / name).write_text(text)
    with serving(page) as target:
        configuration = {
            "global": {"scrape_interval": f"{INTERVAL_S}s", "evaluation_interval": f"{INTERVAL_S}s"},
            "rule_files": [str(folder / name) for name in rules],
            "scrape_configs": [{"job_name": "attente", "static_configs": [{"targets": [target]}]}],
        }
        (folder / "prometheus.yaml").write_text(yaml.safe_dump(configuration))
        command = [
            program,
            f"--config.file={folder / 'prometheus.yaml'}",
            f"--storage.tsdb.path={folder / 'data'}",
            "--web.listen-address=127.0.0.1:0",
        ]
        with Process(command, {}, folder / "log", folder) as process:
            _, found = process.hear(r"msg=\"Listening on\" address=(\S+)", 30)
            time.sleep(WARM * INTERVAL_S)
            before = process.cpu_s
            time.sleep(intervals * INTERVAL_S)
            cpu_s = (process.cpu_s - before) / intervals
            return Cost(cpu_s, _groups(found[1]), _series(found[1]))


def _ask(address: str, path: str) -> Any:
    with urllib.request.urlopen(f"http://{address}/api/v1/{path}") as answer:
        return json.load(answer)["data"]


def _groups(address: str) -> dict[str, float]:
    groups = _ask(address, "rules")["groups"]
    for group in groups:
        for rule in group["rules"]:
            if rule["health"] != "ok":
                message = f"rule {rule['name']} is {rule['health']}: {rule.get('lastError', '')}"
                raise Failed(message)
    return {group["name"]: group["evaluationTime"] for group in groups}


def _series(address: str) -> int:
    return int(_ask(address, "status/tsdb")["headStats"]["numSeries"])


@click.command()
@click.option("--offices", default=100, metavar="N", help="How many, of seven services and two norms.  [default: 100]")
@click.option("--intervals", default=4, metavar="N", help="How many of 15 s are measured.  [default: 4]")
def rules(offices: int, intervals: int) -> None:
    """Measure what the rules cost, beside a Prometheus without them, and print JSON."""
    program = find_prometheus()
    if program is None:
        message = "no prometheus on this machine; install it (Debian: apt-get install prometheus)"
        raise Failed(message)
    registry = parse(registry_yaml(offices_of(offices, PARTITIONS)), "registry.yaml")
    page = page_of(registry)
    with tempfile.TemporaryDirectory() as folder:
        with_rules = measure(program, page, rule_files(registry), intervals, Path(folder) / "with")
        without = measure(program, page, {}, intervals, Path(folder) / "without")
    cost_s = with_rules.cpu_s - without.cpu_s
    found = {
        "offices": offices,
        "samples": sum(not line.startswith(b"#") for line in page.splitlines()),
        "with": asdict(with_rules),
        "without": asdict(without),
        "rules_cpu_s": cost_s,
        "rules_cpu_ms_an_office": 1000 * cost_s / offices,
    }
    click.echo(json.dumps(found, indent=1))


if __name__ == "__main__":
    run_command(rules)
