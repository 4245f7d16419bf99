"""Workers as processes; what they need of a broker is that none is there: they wait for it until they are told."""

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
from attente.demo.processes import WorkerProcess, children, stop_all
from attente.errors import Missing
from attente.registry.demo import technion_yaml

HANG_S = 60


@pytest.fixture
def nowhere() -> Iterator[str]:
    """An address at which nothing answers, and which nobody else can take meanwhile."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{taken.getsockname()[1]}"


@pytest.fixture
def make_worker(tmp_path: Path, nowhere: str) -> Iterator[Callable[[str], WorkerProcess]]:
    """Makes workers that wait for a broker; none outlives the test."""
    registry = tmp_path / "registry.yaml"
    registry.write_text(technion_yaml(1))
    made = []

    def make(name: str, registry: Path = registry) -> WorkerProcess:
        flags = ["--broker", nowhere, "--worker", name, "--registry", str(registry), "--metrics-port", "0"]
        made.append(WorkerProcess(name, flags, tmp_path))
        return made[-1]

    yield make
    for worker in made:
        worker.kill()


def until(is_so: Callable[[], bool]) -> None:
    """Wait for a condition."""
    limit = time.monotonic() + HANG_S
    while not is_so():
        assert time.monotonic() < limit
        time.sleep(0.01)


def waits(worker: WorkerProcess) -> bool:
    return "waits for the broker" in worker.log.read_text()


MakeWorker = Callable[..., WorkerProcess]


def test_a_worker_runs_from_its_start_to_its_death(make_worker: MakeWorker) -> None:
    worker = make_worker("w0")
    assert not worker.runs

    worker.start()
    until(lambda: waits(worker))
    assert worker.runs
    assert worker.identity in {ProcessId.of(pid) for pid in children()}

    worker.kill()
    assert not worker.runs
    assert worker.identity is None


def test_a_log_goes_on_over_restarts_and_says_who_wrote_it(make_worker: MakeWorker) -> None:
    worker = make_worker("w0")
    for _ in range(2):
        worker.start()
        worker.kill()

    assert worker.log.read_text().count("w0 is process ") == 2
    assert worker.log.read_text().count("killed") == 2


def test_a_worker_that_serves_nothing_yet_has_no_address(make_worker: MakeWorker) -> None:
    worker = make_worker("w0")
    assert worker.url is None

    worker.start()
    until(lambda: waits(worker))
    assert worker.url is None


def test_a_worker_that_ends_by_itself_is_found_out_with_its_last_words(tmp_path: Path, make_worker: MakeWorker) -> None:
    worker = make_worker("w0", tmp_path / "absent.yaml")
    worker.start()
    until(lambda: not worker.runs)

    why = str(worker.ended())

    assert "worker w0 has ended by itself with exit code 5" in why
    assert "absent.yaml" in why
    assert str(worker.log) in why
    assert "\n" not in why


def test_a_worker_that_runs_or_was_never_started_has_not_ended(make_worker: MakeWorker) -> None:
    worker = make_worker("w0")
    assert worker.ended() is None
    worker.start()
    assert worker.ended() is None


def test_workers_that_are_told_to_end_end(make_worker: MakeWorker) -> None:
    workers = [make_worker("w0"), make_worker("w1"), make_worker("never-started")]
    for worker in workers[:2]:
        worker.start()
        until(lambda worker=worker: waits(worker))  # type: ignore[misc]

    assert stop_all(workers, threading.Event(), grace_s=HANG_S) == []
    assert not any(worker.runs for worker in workers)


@pytest.fixture
def deaf(make_worker: MakeWorker) -> WorkerProcess:
    """A worker that does not hear TERM."""
    worker = make_worker("w0")
    former = signal.signal(signal.SIGTERM, signal.SIG_IGN)  # what is ignored is inherited
    try:
        worker.start()
    finally:
        signal.signal(signal.SIGTERM, former)
    until(lambda: waits(worker))
    return worker


def test_a_worker_that_does_not_end_in_time_is_killed(deaf: WorkerProcess) -> None:
    assert stop_all([deaf], threading.Event(), grace_s=0.1) == ["w0"]
    assert not deaf.runs


def test_in_a_hurry_nobody_is_waited_for(deaf: WorkerProcess) -> None:
    hurry = threading.Event()
    hurry.set()

    assert stop_all([deaf], hurry, grace_s=HANG_S) == ["w0"]


def test_what_the_user_has_set_for_other_workers_does_not_reach_these(
    make_worker: MakeWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ATTENTE_CONFIG", "absent.yaml")
    monkeypatch.setenv("ATTENTE_FETCH_BYTES", "nonsense")
    worker = make_worker("w0")

    worker.start()

    until(lambda: waits(worker))


def test_a_worker_is_the_same_program_wherever_it_is_started(
    make_worker: MakeWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", "streams")  # a path that means nothing in the folder where workers work
    worker = make_worker("w0")

    worker.start()

    until(lambda: waits(worker))


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


def test_a_run_that_still_goes_on_is_left_alone(tmp_path: Path, make_worker: MakeWorker) -> None:
    worker = make_worker("w0")
    worker.start()
    folder = made(tmp_path / "demo")
    assert worker.identity is not None
    folder.remember([worker.identity])

    assert bury_killed(tmp_path / "demo") == []
    assert worker.runs
    assert folder.path.is_dir()


def test_what_runs_of_a_killed_demo_is_stopped_and_its_folder_removed(tmp_path: Path, make_worker: MakeWorker) -> None:
    worker, other = make_worker("w0"), make_worker("w1")
    worker.start()
    other.start()
    assert worker.identity is not None
    folder = made(tmp_path / "demo")
    record = Record(demo=ended_process(), workers=(worker.identity, ended_process()))
    (folder.path / "run.json").write_bytes(msgspec.json.encode(record))

    assert bury_killed(tmp_path / "demo") == [folder.path.name]
    assert not worker.runs
    assert other.runs
    assert not folder.path.exists()


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "run.json").write_text("no record of ours")

    assert bury_killed(tmp_path) == []
    assert (tmp_path / "other" / "run.json").exists()
