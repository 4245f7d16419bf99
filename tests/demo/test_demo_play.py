"""A whole demo against a real Kafka: exact figures, from the workers' pages, also when workers are killed."""

import json
import os
import re
import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaProducer

from attente.broker.admin import connect
from attente.broker.local import LocalBroker
from attente.demo.options import DemoOptions
from attente.demo.run import run
from attente.demo.screen import PlainScreen
from attente.errors import CheckFailed
from attente.sources.importers import ImportOptions
from demo.demo_command import Command, demo_topics
from demo.demo_tape import Tape, january, made_up
from sources.technion_rows import JANUARY

pytestmark = pytest.mark.broker

ALONE = ("--workers", "1")
TORN = ("--offices", "16", "--shuffle", "6h", "--duplicates", "0.03", "--seed", "5", "--workers", "2", "--kill", "2")


@pytest.fixture
def played(tmp_path: Path) -> Tape:
    """The real month where it lies beside the repository, else one that is smaller."""
    return january() if JANUARY.exists() else made_up(tmp_path, calls=4_000)


def source(tape: Tape) -> tuple[str, ...]:
    return ("--source", "technion", str(tape.file))


def result_of(command: Command) -> Any:
    assert command.result() == 0
    return json.loads(command.output())


def test_a_tape_through_a_kafka_of_its_own_is_exact_and_leaves_nothing(broker_extra: None, tmp_path: Path) -> None:
    tape = made_up(tmp_path, calls=500)

    with Command(tmp_path, *source(tape), "--once", "--json", "-") as command:
        assert result_of(command) == tape.result()
        assert not command.started()
        assert not command.runs_left()


@pytest.mark.timeout(600)
def test_a_month_of_sixteen_offices_out_of_order_with_duplicates_and_killed_workers_is_exact(
    broker: LocalBroker, tmp_path: Path, played: Tape
) -> None:
    out = tmp_path / "out.json"

    with Command(
        tmp_path, *source(played), *TORN, "--broker", broker.bootstrap, "--once", "--json", str(out)
    ) as command:
        assert command.result() == 0
        assert json.loads(out.read_text()) == played.result(duplicates=0.03)
        assert "2 workers killed; in " in command.output()
        assert command.said(r"kill -9 .* hand-over")
        assert command.said(r"kill -9 .* restart at once")
        assert not command.started()


def test_a_run_that_is_to_be_kept_leaves_its_topics_and_logs(broker: LocalBroker, tmp_path: Path) -> None:
    tape = made_up(tmp_path, calls=20)

    with Command(tmp_path, *source(tape), *ALONE, "--broker", broker.bootstrap, "--once", "--keep") as command:
        assert command.result() == 0
        (kept,) = command.runs_left()

    names = [name for name in demo_topics(broker) if kept.name in name]
    with connect(broker.bootstrap) as admin:
        admin.delete(names)
    assert sorted(names) == [
        f"demo-{kept.name}.{name}" for name in ("checkpoints", "deadletters", "events", "manifests")
    ]
    assert (kept / "registry.yaml").exists()
    # It was told to end, and left nothing to replay.
    assert "attente: stopped at {" in (kept / "worker-w0.log").read_text()


# What does not balance


def test_a_record_of_somebody_else_cannot_be_accounted_for(broker: LocalBroker, tmp_path: Path) -> None:
    tape = made_up(tmp_path, calls=20)
    out = tmp_path / "out.json"

    arguments = (*source(tape), *ALONE, "--broker", broker.bootstrap, "--once", "--json", str(out))
    with Command(tmp_path, *arguments) as command:
        command.until(lambda: command.said("starting workers"))  # the topics are there, and nothing has been sent
        (run_folder,) = command.runs_left()
        producer = KafkaProducer(bootstrap_servers=broker.bootstrap)
        producer.send(f"demo-{run_folder.name}.events", b"{}", key=b"bank", partition=0).get(30)
        producer.close()

        assert command.result() == 1
        (why,) = command.errors()
        assert "partition 0: the log holds" in why
        assert not out.exists()
        assert not command.started()
        assert (run_folder / "worker-w0.log").exists()


def test_a_worker_that_dies_by_itself_ends_the_demo(broker: LocalBroker, tmp_path: Path) -> None:
    tape = made_up(tmp_path, calls=20)

    with Command(tmp_path, *source(tape), "--broker", broker.bootstrap, "--once") as command:
        command.until(lambda: command.runs("--worker w1 "))
        (pid,) = [pid for pid, words in command.started().items() if "--worker w1 " in words]
        os.kill(pid, signal.SIGKILL)

        assert command.result() == 1
        (why,) = command.errors()
        assert "worker w1 has ended by itself by signal SIGKILL" in why
        assert not command.started()


class Listener:
    """Takes the lines of a demo, and stops its worker as soon as that is a member of the group."""

    def __init__(self, folder: Path) -> None:
        self.told: list[str] = []
        self._folder = folder

    def __call__(self, text: str) -> None:
        self.told.append(text)
        if text == "starting workers":
            threading.Thread(target=self._stop_one, daemon=True).start()

    def _stop_one(self) -> None:
        found = None
        while found is None:
            time.sleep(0.01)
            said = "".join(path.read_text() for path in self._folder.glob("*/worker-w0.log"))
            found = re.search(r"w0 is process (\d+)\n(?s:.*)is a member of", said)
        os.kill(int(found[1]), signal.SIGSTOP)


@pytest.mark.timeout(300)
def test_a_worker_that_stands_still_is_told_of_and_put_away(broker: LocalBroker, tmp_path: Path) -> None:
    tape = made_up(tmp_path, calls=20)
    listener = Listener(tmp_path / "demo")
    options = DemoOptions(
        importer="technion",
        tape=tape.file,
        how=ImportOptions(),
        workers=1,
        once=True,
        speed=20_000.0,  # the week of the tape takes half a minute
        folder=tmp_path / "demo",
        broker=broker.bootstrap,
        patience_s=11.0,  # a start takes some seconds in which nothing is to be seen, a look at who stands still 12
    )

    with pytest.raises(CheckFailed, match=r"^(worker|the replay|partition) .*, and for 11 s nothing has changed$"):
        run(options, PlainScreen(listener))

    assert "worker w0 had to be killed" in listener.told
