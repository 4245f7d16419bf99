"""However a demo ends, nothing of it goes on."""

import json
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from attente.broker.local import LocalBroker
from attente.broker.processes import ProcessId
from demo.demo_command import Command, demo_topics
from demo.demo_tape import made_up

pytestmark = [pytest.mark.broker, pytest.mark.usefixtures("broker_extra")]

Stage = Callable[[Command], bool]

# From the first moment on: what has come to be by then, as seen from outside.
STAGES: dict[str, Stage] = {
    "the tape is read": lambda demo: demo.said("^reading "),
    "Kafka's folder is made ready": lambda demo: demo.runs(r"kafka\.tools\.StorageTool"),
    "Kafka starts": lambda demo: demo.runs(r"kafka\.Kafka "),
    "a worker is born": lambda demo: demo.runs("--worker w0 "),
}


@pytest.fixture
def tape(tmp_path: Path) -> tuple[str, ...]:
    return ("--source", "technion", str(made_up(tmp_path, calls=2_000).file))


@pytest.fixture
def few(tmp_path: Path) -> tuple[str, ...]:
    """A tape that is over in no time."""
    return ("--source", "technion", str(made_up(tmp_path, calls=20).file))


@pytest.fixture
def silent_repository(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment in which the only Maven repository takes every connection and says nothing."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        file = tmp_path / "jgo.conf"
        file.write_text(f"[repositories]\ncentral = http://127.0.0.1:{server.getsockname()[1]}\n")
        yield {"JGO_CONFIG_FILE": str(file), "ATTENTE_CACHE": str(tmp_path / "cache")}


@pytest.mark.parametrize("stage", STAGES)
def test_ctrl_c_leaves_nothing_at_any_stage(tmp_path: Path, tape: tuple[str, ...], stage: str) -> None:
    with Command(tmp_path, *tape, "--once", "--kill", "2") as demo:
        demo.until(lambda: STAGES[stage](demo))
        demo.signal(signal.SIGINT)

        assert demo.result() == 130
        assert not demo.started()
        assert not demo.runs_left()
        assert not demo.errors()


def test_ctrl_c_while_the_tape_is_played_leaves_nothing(
    broker: LocalBroker, tmp_path: Path, tape: tuple[str, ...]
) -> None:
    with Command(tmp_path, *tape, "--workers", "1", "--once", "--kill", "2", "--broker", broker.bootstrap) as demo:
        demo.until(lambda: demo.said(": replaying, "))
        demo.signal(signal.SIGINT)

        assert demo.result() == 130
        assert not demo.started()
        assert not demo.runs_left()
        assert not demo.errors()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_a_demo_that_is_told_to_end_or_loses_its_terminal_leaves_nothing(
    broker: LocalBroker, tmp_path: Path, few: tuple[str, ...], number: signal.Signals
) -> None:
    with Command(tmp_path, *few, "--once", "--broker", broker.bootstrap) as demo:
        demo.until(lambda: demo.runs("--worker w1 "))
        demo.signal(number)

        assert demo.result() == 130
        assert not demo.started()


def test_ctrl_c_twice_leaves_nothing_either(broker: LocalBroker, tmp_path: Path, few: tuple[str, ...]) -> None:
    with Command(tmp_path, *few, "--once", "--broker", broker.bootstrap) as demo:
        demo.until(lambda: demo.runs("--worker w1 "))
        demo.signal(signal.SIGINT)
        demo.signal(signal.SIGINT)

        assert demo.result() == 130
        assert not demo.started()


def test_a_demo_that_has_shown_everything_stays_until_ctrl_c_and_ends_well(broker: LocalBroker, tmp_path: Path) -> None:
    tape = made_up(tmp_path, calls=20)
    arguments = (
        "--source",
        "technion",
        str(tape.file),
        "--speed",
        "max",
        "--workers",
        "1",
        "--broker",
        broker.bootstrap,
    )
    with Command(tmp_path, *arguments) as demo:
        demo.until(lambda: demo.said("all accounted for"))
        assert demo.runs("--worker w0 ")
        demo.signal(signal.SIGINT)

        assert demo.result() == 0
        assert not demo.started()


def test_ctrl_c_while_kafka_is_fetched_does_not_wait_for_the_network(
    tmp_path: Path, few: tuple[str, ...], silent_repository: dict[str, str]
) -> None:
    with Command(tmp_path, *few, "--once", **silent_repository) as demo:
        demo.until(lambda: demo.said("fetching Kafka"))
        demo.signal(signal.SIGINT)

        assert demo.result() == 130
        assert not demo.started()


def test_what_a_killed_demo_leaves_is_put_away_by_the_next(
    broker: LocalBroker, tmp_path: Path, few: tuple[str, ...]
) -> None:
    with Command(tmp_path, *few, "--once") as first:
        first.until(lambda: first.runs("--worker w1 "))
        first.process.kill()
        first.process.wait()
        orphans = [ProcessId.of(pid) for pid in first.started()]
        assert len(orphans) == 3  # Kafka and two workers

        with Command(tmp_path, *few, "--workers", "1", "--broker", broker.bootstrap, "--once") as second:
            assert second.result() == 0
            assert second.said("removed what a demo that was killed had left")

        assert not [one for one in orphans if one is not None and one.runs()]
        assert not second.runs_left()


def test_two_demos_in_one_folder_do_not_know_of_each_other_and_leave_nothing_on_a_cluster_that_stays(
    broker: LocalBroker, tmp_path: Path
) -> None:
    before = demo_topics(broker)
    tape = made_up(tmp_path, calls=200)
    which = ("--source", "technion", str(tape.file), "--workers", "1", "--broker", broker.bootstrap)
    arguments = (*which, "--once", "--json", "-")
    with Command(tmp_path, *arguments) as first, Command(tmp_path, *arguments) as second:
        assert (first.result(), second.result()) == (0, 0)
        assert json.loads(first.output()) == json.loads(second.output()) == tape.result()
        assert not first.runs_left()

    assert demo_topics(broker) == before
    assert broker.status().up
