import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from attente.broker.processes import ProcessId

STUBBORN = (
    "import signal, sys; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); signal.pause()"
)
MEEK = "import signal; print('ready', flush=True); signal.pause()"


@contextmanager
def child(program: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        try:
            yield process
        finally:
            process.kill()


def identity(process: subprocess.Popen[str]) -> ProcessId:
    found = ProcessId.of(process.pid)
    assert found is not None
    return found


def test_a_process_that_was_started_runs_until_it_is_stopped() -> None:
    with child(MEEK) as process:
        who = identity(process)
        assert who.runs()

        who.stop(grace_seconds=30)

        assert not who.runs()
        assert process.wait() == -signal.SIGTERM


def test_a_process_that_does_not_end_when_asked_is_killed() -> None:
    with child(STUBBORN) as process:
        identity(process).stop(grace_seconds=0.1)

        assert process.wait() == -signal.SIGKILL


def test_a_process_that_has_ended_and_is_not_buried_does_not_run() -> None:
    with child(MEEK) as process:
        who = identity(process)
        process.send_signal(signal.SIGKILL)

        # Nobody has waited for it, so that its number is still taken.
        who.stop(grace_seconds=30)

        assert not who.runs()
        assert ProcessId.of(process.pid) is None


@pytest.mark.parametrize("other", ["started", "boot"])
def test_another_process_with_the_number_of_an_old_one_is_not_taken_for_it(other: str) -> None:
    with child(MEEK) as process:
        now = identity(process)
        old = ProcessId(
            pid=now.pid,
            started=now.started - 1 if other == "started" else now.started,
            boot="another boot" if other == "boot" else now.boot,
        )

        assert not old.runs()
        old.stop(grace_seconds=0.1)
        old.kill()

        assert now.runs()


def test_a_number_that_no_process_has_is_nobody() -> None:
    with child(MEEK) as process:
        pid = process.pid
    assert process.wait() is not None

    assert ProcessId.of(pid) is None
