"""The way of an alert with nothing put in its place: Prometheus, Alertmanager, and a web hook that hears it."""

import json
import re
import subprocess
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

import yaml

from attente.grafana.rules import receivers
from attente.grafana.rules.alertmanager import configuration
from attente.grafana.rules.build import ALERTS, rule_files
from attente.registry.entities import Registry
from needs import program

SHIPPED = Path(__file__).resolve().parents[1] / "deploy" / "prometheus" / "prometheus-files.yaml"


@dataclass(frozen=True)
class Pace:
    """How much faster than it is shipped an alert is told.

    Attributes:
        every: how often Prometheus scrapes and evaluates.
        resend: how often Prometheus tells Alertmanager of an alert that goes on; what it tells before it has found an
            Alertmanager, some seconds after its start, is lost until then.
        divided: what `for` and `keep_firing_for` of the shipped alerts are divided by; never below a second.
        timing: what the receivers file says of gathering.
    """

    every: str
    resend: str
    divided: int
    timing: str


AS_SHIPPED = Pace("15s", "1m", 1, "{}")
QUICK = Pace(
    "1s",
    "2s",
    30,
    "{page: {group_wait: 1s, group_interval: 1s}, ticket: {group_wait: 1s, group_interval: 1s}}",
)


@dataclass(frozen=True)
class Told:
    """One message that the hook has got: when, for whom, and of which alerts."""

    at: float
    receiver: str
    status: str
    alerts: tuple[dict[str, Any], ...]

    def is_about(self, alert: str, office: str | None = None) -> bool:
        """Whether one of its alerts is this one."""
        names = ((one["labels"]["alertname"], one["labels"].get("office")) for one in self.alerts)
        return any(name == alert and office in {None, where} for name, where in names)


class Hook:
    """A web hook that remembers everything that it is told."""

    def __init__(self) -> None:
        told = self.told = list[Told]()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                told.append(Told(time.time(), message["receiver"], message["status"], tuple(message["alerts"])))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Says nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def heard(self, alert: str, status: str, office: str | None = None) -> list[Told]:
        """The messages so far about an alert, and an office, with a status."""
        return [one for one in list(self.told) if one.status == status and one.is_about(alert, office)]


@contextmanager
def listening(command: list[str], log: Path) -> Iterator[str]:
    """A program that says where it listens; the address, until it is told to end."""
    with log.open("wb") as stderr, subprocess.Popen(command, stderr=stderr) as process:
        try:
            limit = time.monotonic() + 60
            while (address := ready(log.read_text())) is None:
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < limit, log.read_text()
                time.sleep(0.02)
            yield address
        finally:
            process.terminate()


def ready(log: str) -> str | None:
    """Where a program says that it listens, once it answers there."""
    found = re.search(r'"?Listening on"? address=(127\.0\.0\.1:[1-9]\d*)', log)
    if found is None:
        return None
    try:
        with urllib.request.urlopen(f"http://{found[1]}/-/ready", timeout=60):
            return found[1]
    except OSError:  # it loads, or does not accept yet
        return None


@contextmanager
def alertmanager(folder: Path, registry: Registry, hook: Hook, pace: Pace) -> Iterator[str]:
    """An Alertmanager with the configuration of a network; its address."""
    ways = "".join(
        f"  - {{name: {name}, webhook_configs: [{{url: '{hook.url}'}}]}}\n"
        for name in ("reception", "operators", "heartbeat")
    )
    text = (
        f"receivers:\n{ways}routes:\n  - {{audiences: [office], receiver: reception}}\n  - {{receiver: operators}}\n"
        f"otherwise: operators\ndead_mans_switch: heartbeat\ntiming: {pace.timing}\n"
    )
    folder.mkdir()
    file = folder / "alertmanager.yaml"
    file.write_text(configuration(registry, receivers.parse(text, "receivers.yaml", registry)))
    command = [
        program("prometheus-alertmanager", "alertmanager"),
        f"--config.file={file}",
        f"--storage.path={folder}/data",
        "--web.listen-address=127.0.0.1:0",
        "--cluster.listen-address=",
    ]
    with listening(command, folder / "log") as address:
        yield address


@contextmanager
def prometheus(folder: Path, registry: Registry, targets: list[str], alertmanager: str, pace: Pace) -> Iterator[str]:
    """A Prometheus with the configuration that is shipped and the rules of a network; its address.

    Of the configuration only the intervals and the addresses are others.
    """
    (folder / "rules").mkdir(parents=True)
    (folder / "targets").mkdir()
    (folder / "targets" / "attente.yaml").write_text(yaml.safe_dump([{"targets": targets}]))
    for name, text in rule_files(registry).items():
        (folder / "rules" / name).write_text(quickened(text, pace.divided) if name == ALERTS else text)
    parts = yaml.safe_load(SHIPPED.read_text())
    parts["global"] = {"scrape_interval": pace.every, "evaluation_interval": pace.every}
    (job,) = parts["scrape_configs"]
    job["scrape_timeout"] = min(pace.every, job["scrape_timeout"], key=lambda time: int(time.removesuffix("s")))
    parts["alerting"]["alertmanagers"] = [{"static_configs": [{"targets": [alertmanager]}]}]
    file = folder / "prometheus.yaml"
    file.write_text(yaml.safe_dump(parts))
    command = [
        program("prometheus"),
        f"--config.file={file}",
        f"--storage.tsdb.path={folder}/data",
        f"--rules.alert.resend-delay={pace.resend}",
        "--web.listen-address=127.0.0.1:0",
    ]
    with listening(command, folder / "log") as address:
        yield address


def quickened(alerts: str, divided: int) -> str:
    """A file of alerts with all that has to last lasting that much less long, and a second at least."""
    parts = yaml.safe_load(alerts)
    for group in parts["groups"]:
        for rule in group["rules"]:
            for key in ("for", "keep_firing_for"):
                rule[key] = f"{-(-seconds(rule[key]) // divided)}s"
    return yaml.safe_dump(parts, allow_unicode=True)


def seconds(duration: str) -> int:
    return int(duration[:-1]) * {"s": 1, "m": 60, "h": 3600}[duration[-1]]


def query(prometheus: str, promql: str) -> list[dict[str, str]]:
    """The labels of every series that a query finds now."""
    asked = urllib.parse.urlencode({"query": promql})
    with urllib.request.urlopen(f"http://{prometheus}/api/v1/query?{asked}", timeout=60) as answer:
        return [one["metric"] for one in json.load(answer)["data"]["result"]]


def known(alertmanager: str, **labels: str) -> list[dict[str, Any]]:
    """The alerts that an Alertmanager holds with these labels, each with its status."""
    with urllib.request.urlopen(f"http://{alertmanager}/api/v2/alerts", timeout=60) as answer:
        found = json.load(answer)
    return [one for one in found if labels.items() <= one["labels"].items()]
