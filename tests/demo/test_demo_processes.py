"""Programs as child processes. Most of what holds for all is shown with programs that start in no time; of workers it
is asked what only workers do, and what they need of a broker is that none is there: they wait for it until told.
"""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from attente.broker.processes import ProcessId
from attente.demo.folder import Record, RunFolder, bury_killed
from attente.demo.processes import ChildProcess, WorkerProcess, children, stop_all
from attente.errors import Missing
from attente.registry.demo import technion_yaml

HANG_S = 60
SLEEPS = ("sh", "-c", "echo ready; exec sleep 600")
DEAF = ("sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.05; done")
FAILS = ("sh", "-c", "echo 'attente: absent.yaml: there is no such file' >&2; exit 5")


@pytest.fixture
def nowhere() -> Iterator[str]:
    """An address at which nothing answers, and which nobody else can take meanwhile."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{taken.getsockname()[1]}"


@pytest.fixture
def make_child(tmp_path: Path) -> Iterator[Callable[..., ChildProcess]]:
    """Makes programs; none outlives the test."""
    made = []

    def make(name: str, command: tuple[str, ...] = SLEEPS) -> ChildProcess:
        made.append(ChildProcess("worker", name, command, tmp_path))
        return made[-1]

    yield make
    for child in made:
        child.kill()


@pytest.fixture
def worker(tmp_path: Path, nowhere: str) -> Iterator[WorkerProcess]:
    """A worker that waits for a broker."""
    registry = tmp_path / "registry.yaml"
    registry.write_text(technion_yaml(1))
    flags = ["--broker", nowhere, "--worker", "w0", "--registry", str(registry), "--metrics-port", "0"]
    made = WorkerProcess("w0", flags, tmp_path)
    yield made
    made.kill()


def until(is_so: Callable[[], bool]) -> None:
    """Wait for a condition."""
    limit = time.monotonic() + HANG_S
    while not is_so():
        assert time.monotonic() < limit
        time.sleep(0.01)


def started(child: ChildProcess) -> ChildProcess:
    """The same, running and past its first word."""
    child.start()
    until(lambda: "ready" in child.said())
    return child


MakeChild = Callable[..., ChildProcess]


def test_a_program_runs_from_its_start_to_its_death(make_child: MakeChild) -> None:
    child = make_child("w0")
    ran = child.runs
    started(child)
    assert (ran, child.runs) == (False, True)
    assert child.identity in {ProcessId.of(pid) for pid in children()}

    child.kill()
    assert not child.runs
    assert child.identity is None


def test_a_log_goes_on_over_restarts_and_says_who_wrote_it(make_child: MakeChild) -> None:
    child = make_child("w0")
    for _ in range(2):
        child.start()
        child.kill()

    assert child.log.name == "worker-w0.log"
    assert child.log.read_text().count("w0 is process ") == 2
    assert child.log.read_text().count("killed") == 2


def test_a_program_that_ends_by_itself_is_found_out_with_its_last_words(make_child: MakeChild) -> None:
    child = make_child("w0", FAILS)
    child.start()
    until(lambda: not child.runs)

    why = str(child.ended())

    assert why == f"worker w0 has ended by itself with exit code 5: absent.yaml: there is no such file; see {child.log}"


def test_a_program_that_is_killed_by_somebody_else_is_found_out_with_the_signal(make_child: MakeChild) -> None:
    child = started(make_child("w0"))
    assert child.identity is not None
    os.kill(child.identity.pid, signal.SIGKILL)
    until(lambda: not child.runs)

    assert "worker w0 has ended by itself by signal SIGKILL: ready; see" in str(child.ended())


def test_a_program_that_runs_or_was_never_started_has_not_ended(make_child: MakeChild) -> None:
    child = make_child("w0")
    assert child.ended() is None
    child.start()
    assert child.ended() is None


def test_programs_that_are_told_to_end_end(make_child: MakeChild) -> None:
    some = [make_child("w0"), make_child("w1"), make_child("never-started")]
    for child in some[:2]:
        started(child)

    assert stop_all(some, threading.Event(), grace_s=HANG_S) == []
    assert not any(child.runs for child in some)


def test_a_program_that_does_not_end_in_time_is_killed(make_child: MakeChild) -> None:
    deaf = started(make_child("w0", DEAF))

    assert stop_all([deaf], threading.Event(), grace_s=0.1) == ["worker w0"]
    assert not deaf.runs


def test_in_a_hurry_nobody_is_waited_for(make_child: MakeChild) -> None:
    deaf = started(make_child("w0", DEAF))
    hurry = threading.Event()
    hurry.set()

    assert stop_all([deaf], hurry, grace_s=HANG_S) == ["worker w0"]


def test_a_ctrl_c_in_the_terminal_does_not_reach_a_program(make_child: MakeChild) -> None:
    child = started(make_child("w0"))
    assert child.identity is not None

    # A terminal sends it to the group of processes that stands in its foreground.
    assert os.getpgid(child.identity.pid) != os.getpgrp()
    assert os.getsid(child.identity.pid) != os.getsid(0)


# What only workers do


def test_a_worker_is_the_same_program_wherever_it_is_started_and_hears_nothing_that_is_meant_for_others(
    worker: WorkerProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", "streams")  # a path that means nothing in the folder where workers work
    monkeypatch.setenv("ATTENTE_CONFIG", "absent.yaml")
    monkeypatch.setenv("ATTENTE_FETCH_BYTES", "nonsense")
    assert worker.url is None

    worker.start()
    until(lambda: "waits for the broker" in worker.said())

    assert worker.runs
    assert worker.url is None  # it serves nothing yet
    assert stop_all([worker], threading.Event(), grace_s=HANG_S) == []


def test_a_workers_address_is_the_one_that_it_tells_since_it_was_started_last(
    worker: WorkerProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    #  The program in place of a worker tells an address; the log still holds the one of the run before.
    told = "import sys, time; print('attente: worker w0 serves http://127.0.0.1:40001/metrics', flush=True)"
    monkeypatch.setattr(worker, "_command", [sys.executable, "-c", f"{told}; time.sleep(600)"])
    worker.start()
    until(lambda: worker.url == "http://127.0.0.1:40001")
    worker.kill()
    assert worker.url is None

    monkeypatch.setattr(worker, "_command", SLEEPS)
    started(worker)

    assert worker.url is None


# The folders of runs


def ended_process() -> ProcessId:
    """A process that has been and is no more."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        found = ProcessId.of(process.pid)
        assert found is not None
        process.kill()
    return found


def made(base: Path) -> RunFolder:
    folder = RunFolder(base)
    folder.make("network: one")
    return folder


def test_every_run_has_a_folder_of_its_own(tmp_path: Path) -> None:
    first, second = made(tmp_path), made(tmp_path)

    assert first.path != second.path
    assert first.prefix != second.prefix
    assert first.path.is_absolute()


def test_a_run_that_is_over_leaves_nothing(tmp_path: Path) -> None:
    made(tmp_path / "demo").leave(keep=False)

    assert list((tmp_path / "demo").iterdir()) == []


def test_a_run_that_is_kept_is_not_taken_for_a_killed_one(tmp_path: Path) -> None:
    folder = made(tmp_path)
    folder.leave(keep=True)

    assert bury_killed(tmp_path) == []
    assert folder.registry.read_text() == "network: one"


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "demo").write_text("a file")

    with pytest.raises(Missing, match=r"cannot keep the demo here: .*; name another folder with --data"):
        made(tmp_path / "demo")


def test_a_run_that_was_never_made_leaves_nothing(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "demo")
    for keep in (False, True):
        folder.leave(keep=keep)

    assert not (tmp_path / "demo").exists()


def test_a_run_that_still_goes_on_is_left_alone(tmp_path: Path, make_child: MakeChild) -> None:
    worker = make_child("w0")
    worker.start()
    folder = made(tmp_path / "demo")
    assert worker.identity is not None
    folder.remember("workers", [worker.identity])

    assert bury_killed(tmp_path / "demo") == []
    assert worker.runs
    assert folder.path.is_dir()


def test_what_runs_of_a_killed_demo_is_stopped_and_its_folder_removed(tmp_path: Path, make_child: MakeChild) -> None:
    worker, other = make_child("w0"), make_child("w1")
    worker.start()
    other.start()
    assert worker.identity is not None
    folder = made(tmp_path / "demo")
    record = Record(demo=ended_process(), children=(worker.identity, ended_process()))
    (folder.path / "run.json").write_bytes(msgspec.json.encode(record))

    assert bury_killed(tmp_path / "demo") == [folder.path.name]
    assert not worker.runs
    assert other.runs
    assert not folder.path.exists()


def test_children_of_every_kind_are_remembered_together(tmp_path: Path, make_child: MakeChild) -> None:
    worker, helper = make_child("w0"), make_child("simulator")
    folder = made(tmp_path)
    for kind, child in (("workers", worker), ("helpers", helper)):
        child.start()
        assert child.identity is not None
        folder.remember(kind, [child.identity])

    record = msgspec.json.decode((folder.path / "run.json").read_bytes(), type=Record)

    assert set(record.children) == {worker.identity, helper.identity}


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "run.json").write_text("no record of ours")

    assert bury_killed(tmp_path) == []
    assert (tmp_path / "other" / "run.json").exists()
