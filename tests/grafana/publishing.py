"""What the tests of publishing share: a token, small dashboards, and the command against a stub."""

import copy
import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from attente.grafana.answers import Patience
from commands import Said, attente
from grafana.grafana_stub import GrafanaStub

SECRET = "glsa_5eCr3tOfNobody0123456789abcdef_0a1b2c3d"  # noqa: S105 - of the stub alone
LOGIN = "sa-1-publisher"
Json = dict[str, Any]
Command = Callable[..., Said]


class Time:
    """A clock that only moves when somebody sleeps, or with every look at it."""

    def __init__(self, by_itself: float = 0.0) -> None:
        self.now = 0.0
        self.slept: list[float] = []
        self._by_itself = by_itself

    def clock(self) -> float:
        self.now += self._by_itself
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def no_waiting(monkeypatch: pytest.MonkeyPatch) -> Time:
    """The command waits by this clock, so that no test really waits between two tries."""
    made = Time()
    monkeypatch.setattr(
        "attente.cli.dashboards_publish.Patience",
        lambda timeout_s: Patience(timeout_s=timeout_s, clock=made.clock, sleep=made.sleep),
    )
    return made


def boards(*, expr: str = "attente:waiting", title: str = "Network") -> dict[str, Json]:
    """Two dashboards as `attente.grafana.build.dashboards` gives them, small enough to be read."""
    variable = {"name": "datasource", "type": "datasource", "query": "prometheus", "current": None}
    panel = {
        "id": 7,
        "type": "timeseries",
        "title": "Waiting now",
        "targets": [{"refId": "A", "expr": expr}],
        "fieldConfig": {"defaults": {"thresholds": {"steps": [{"color": "green", "value": None}]}}},
    }
    first: Json = {
        "uid": "attente-network",
        "title": title,
        "tags": ["attente"],
        "schemaVersion": 42,
        "templating": {"list": [variable]},
        "panels": [panel, panel | {"id": 8, "title": "Longest wait"}],
    }
    return {
        board["uid"]: board for board in (first, copy.deepcopy(first) | {"uid": "attente-office", "title": "Office"})
    }


def with_token(stub: GrafanaStub, role: str = "Editor") -> GrafanaStub:
    """The stub, which knows our token and has a Prometheus."""
    stub.tokens[SECRET] = (role, LOGIN)
    stub.datasources["Prometheus"] = {
        "id": 1, "uid": "prom-1", "name": "Prometheus", "type": "prometheus", "url": "http://prometheus:9090",
    }  # fmt: skip
    return stub


def token_file(folder: Path, secret: str = SECRET, mode: int = 0o600) -> Path:
    """A file that holds a token."""
    file = folder / "grafana.token"
    file.write_text(f"{secret}\n")
    file.chmod(mode)
    return file


def command(
    stub: GrafanaStub, folder: Path, monkeypatch: pytest.MonkeyPatch, made: dict[str, Json] | None = None
) -> Command:
    """`attente dashboards publish` to a stub with our token; give it further arguments."""
    given = boards() if made is None else made
    monkeypatch.setattr("attente.cli.dashboards_publish.dashboards", lambda _: given)
    monkeypatch.delenv("ATTENTE_GRAFANA_TOKEN", raising=False)
    file = token_file(folder)

    def run(*arguments: str) -> Said:
        return attente("dashboards", "publish", "--url", stub.url, "--token-file", str(file), *arguments)

    return run


def hides_the_token(said: Said, caplog: pytest.LogCaptureFixture) -> bool:
    """Whether nothing that was printed or logged, at any level, holds the token."""
    logged = "\n".join(f"{record.getMessage()} {record.exc_text or ''} {record.__dict__}" for record in caplog.records)
    return not any(SECRET in text for text in (said.stdout, said.stderr, logged))


def log_everything(caplog: pytest.LogCaptureFixture) -> None:
    """Log at the level at which libraries tell all they know."""
    caplog.set_level(logging.DEBUG)
    for name in ("urllib3", "requests", "attente"):
        caplog.set_level(logging.DEBUG, logger=name)


def parsed(said: Said) -> Json:
    """What a command printed as JSON."""
    document: Json = json.loads(said.stdout)
    return document
