import json
import os
import subprocess
import sys
from collections.abc import Callable

import pytest

from attente.broker.local import LocalBroker


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "attente", "topics", *arguments],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_a_plan_shows_what_would_be_created_and_exits_with_one(broker: LocalBroker, topics_prefix: str) -> None:
    found = run("plan", "--broker", broker.bootstrap, "--prefix", f"{topics_prefix}new.", "--partitions", "3")

    assert (found.returncode, found.stderr) == (1, "")
    assert found.stdout.splitlines() == [
        f"{topics_prefix}new.events       create  partitions: 3; copies of each: 1",
        f"{topics_prefix}new.deadletters  create  partitions: 3; copies of each: 1",
        f"{topics_prefix}new.checkpoints  create  partitions: 3; copies of each: 1",
        f"{topics_prefix}new.manifests    create  partitions: 3; copies of each: 1",
    ]


def test_after_apply_a_plan_has_nothing_to_do_and_exits_with_zero(broker: LocalBroker, topics_prefix: str) -> None:
    common = ("--broker", broker.bootstrap, "--prefix", f"{topics_prefix}new.", "--archive")

    applied = run("apply", *common)
    settled = run("plan", *common)

    assert applied.returncode == 0
    assert [line.split()[1] for line in applied.stdout.splitlines()] == ["created"] * 4
    assert settled.returncode == 0
    assert [line.split()[1] for line in settled.stdout.splitlines()] == ["nothing"] * 4
    assert json.loads(run("plan", *common, "--json").stdout)[0]["partitions"] == 12


def test_what_is_refused_is_explained_and_apply_exits_with_one(broker: LocalBroker, topics_prefix: str) -> None:
    found = run("apply", "--broker", broker.bootstrap, "--prefix", topics_prefix, "--partitions", "8")

    assert found.returncode == 1
    first = found.stdout.splitlines()[0]
    assert first.startswith(f"{topics_prefix}events       refused  it has 4 partitions, not 8: ")
    assert "--partitions 4" in first


def test_json_tells_each_difference(broker: LocalBroker, make_topics: Callable[..., str]) -> None:
    prefix = make_topics(archive=True)

    found = run("plan", "--json", "--partitions", "4", ATTENTE_BROKER=broker.bootstrap, ATTENTE_TOPIC_PREFIX=prefix)

    changes = json.loads(found.stdout)
    assert found.returncode == 1
    assert [change["action"] for change in changes] == ["refuse", "nothing", "nothing", "nothing"]
    assert changes[0]["topic"] == f"{prefix}events"
    assert changes[0]["why"].startswith("it is an archive")
    assert changes[1]["why"] is None


@pytest.mark.timeout(60)
def test_a_broker_that_is_not_there_is_one_line_and_exit_code_four() -> None:
    found = run("plan", "--broker", "127.0.0.1:1")

    assert (found.returncode, found.stdout) == (4, "")
    assert found.stderr == (
        "attente: no Kafka broker at 127.0.0.1:1 (connection refused); start a local one with 'attente broker up', or "
        "name another with --broker HOST:PORT\n"
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--broker", "localhost"], "Invalid value for '--broker': 'localhost' is not HOST:PORT"),
        (["--partitions", "0"], "Invalid value for '--partitions'"),
        (["--prefix", "a b"], "'a b' has characters that Kafka does not allow"),
    ],
)
def test_a_flag_that_makes_no_sense_is_a_usage_error(arguments: list[str], said: str) -> None:
    found = run("plan", *arguments)

    assert found.returncode == 2
    assert said in found.stderr


def test_a_variable_that_makes_no_sense_is_bad_input() -> None:
    found = run("plan", ATTENTE_BROKER="localhost")

    assert found.returncode == 3
    assert found.stderr.startswith("attente: ATTENTE_BROKER: broker 'localhost' is not HOST:PORT")
