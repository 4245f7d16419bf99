import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from attente.broker.local import LocalBroker


def run(*arguments: str, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "attente", *arguments],
        cwd=cwd,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )


def test_a_broker_that_is_not_up_is_no_error_but_an_answer(tmp_path: Path) -> None:
    found = run("broker", "status", cwd=tmp_path)

    assert (found.returncode, found.stderr) == (1, "")
    assert found.stdout == "no Kafka is up in .attente/broker; start it with 'attente broker up'\n"
    assert not (tmp_path / ".attente").exists()


def test_stopping_what_is_not_up_is_no_error(tmp_path: Path) -> None:
    found = run("broker", "down", "--data", "d", cwd=tmp_path)

    assert (found.returncode, found.stdout) == (0, "no Kafka was up in d/broker\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--heap", "lots"], "'lots' is no amount of memory; write for example 512m or 2g"),
        (["--port", "70000"], "--port"),
        (["--data", ""], "'' is not a path"),
    ],
)
def test_a_flag_that_makes_no_sense_is_a_usage_error(arguments: list[str], said: str, tmp_path: Path) -> None:
    found = run("broker", "up", *arguments, cwd=tmp_path)

    assert found.returncode == 2
    assert said in found.stderr


TOPICS = ["attente.checkpoints", "attente.deadletters", "attente.events", "attente.manifests"]


@dataclass(frozen=True)
class Life:
    """What each command said during the life of one broker, in the order in which they were given."""

    up: subprocess.CompletedProcess[str]
    bootstrap: str
    up_again: subprocess.CompletedProcess[str]
    plan: subprocess.CompletedProcess[str]
    apply: subprocess.CompletedProcess[str]
    plan_from_elsewhere: subprocess.CompletedProcess[str]
    plan_elsewhere: subprocess.CompletedProcess[str]
    status: subprocess.CompletedProcess[str]
    status_json: subprocess.CompletedProcess[str]
    down: subprocess.CompletedProcess[str]
    status_after: subprocess.CompletedProcess[str]
    folder: Path


@pytest.fixture(scope="module")
def life(broker_extra: None, tmp_path_factory: pytest.TempPathFactory) -> Life:
    here = tmp_path_factory.mktemp("life")
    local = LocalBroker(here / ".attente" / "broker")
    try:
        up = run("broker", "up", cwd=here)
        assert up.returncode == 0, up.stderr
        return Life(
            up=up,
            bootstrap=local.bootstrap,
            up_again=run("broker", "up", "--json", cwd=here),
            plan=run("topics", "plan", "--partitions", "3", cwd=here),
            apply=run("topics", "apply", "--partitions", "3", cwd=here),
            plan_from_elsewhere=run("topics", "plan", "--partitions", "3", "--data", str(here / ".attente")),
            plan_elsewhere=run("topics", "plan", cwd=here, ATTENTE_BROKER="127.0.0.1:1"),
            status=run("broker", "status", cwd=here),
            status_json=run("broker", "status", "--json", cwd=here),
            down=run("broker", "down", cwd=here),
            status_after=run("broker", "status", cwd=here),
            folder=local.layout.folder,
        )
    finally:
        local.down()


@pytest.mark.broker
def test_up_says_where_the_broker_is_and_where_its_files_are(life: Life) -> None:
    assert life.up.stdout.startswith(f"Kafka 4.3.1 is up at {life.bootstrap} (pid ")
    assert life.up.stdout.endswith("; its files: .attente/broker\n")


@pytest.mark.broker
def test_up_again_says_that_it_was_up(life: Life) -> None:
    said = json.loads(life.up_again.stdout)

    assert (said["already"], said["bootstrap"]) == (True, life.bootstrap)


@pytest.mark.broker
def test_the_local_broker_is_the_one_that_is_meant_when_nobody_names_one(life: Life) -> None:
    assert (life.plan.returncode, life.apply.returncode, life.plan_from_elsewhere.returncode) == (1, 0, 0)


@pytest.mark.broker
def test_a_broker_that_is_named_beats_the_local_one(life: Life) -> None:
    assert life.plan_elsewhere.returncode == 4
    assert life.plan_elsewhere.stderr.startswith("attente: no Kafka broker at 127.0.0.1:1 (connection refused); ")


@pytest.mark.broker
def test_status_lists_the_topics(life: Life) -> None:
    as_json = json.loads(life.status_json.stdout)

    assert life.status.returncode == 0
    assert life.status.stdout.splitlines()[1:] == [f"  {name}" for name in TOPICS]
    assert (as_json["up"], as_json["topics"], as_json["version"]) == (True, TOPICS, "4.3.1")


@pytest.mark.broker
def test_down_stops_the_broker_and_keeps_its_records(life: Life) -> None:
    assert (life.down.returncode, life.down.stdout) == (0, "Kafka is down; its records stay in .attente/broker\n")
    assert life.status_after.returncode == 1
    assert (life.folder / "data" / "attente.events-0").is_dir()
