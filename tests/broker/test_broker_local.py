import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from attente.broker.admin import connect
from attente.broker.local import BrokerFailed, LocalBroker, Status
from attente.broker.processes import ProcessId
from attente.broker.server import HOST
from attente.broker.state import read_state, running, write_state
from attente.broker.topics import apply
from attente.errors import BrokerUnreachable
from attente.model.topics import topics

pytestmark = [pytest.mark.broker, pytest.mark.usefixtures("broker_extra")]

HANG_SECONDS = 120


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalBroker]:
    """One broker for the tests of this file, since a start takes seconds; each finds it as the one before left it."""
    described = LocalBroker(tmp_path_factory.mktemp("local") / "broker")
    yield described
    described.down()


@pytest.fixture
def standing(shared: LocalBroker) -> LocalBroker:
    """It, up."""
    shared.up()
    return shared


@pytest.fixture
def fallen(shared: LocalBroker) -> LocalBroker:
    """It, down; it has been up before."""
    if read_state(shared.layout.state) is None:
        shared.up()
    shared.down()
    return shared


def java_processes(folder: Path) -> list[int]:
    """The processes that run with a folder's settings."""
    wanted = str(folder / "server.properties").encode()
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if wanted in path.read_bytes().split(b"\0"):
                found.append(int(path.parent.name))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


# Up and down


def test_a_broker_that_is_up_answers(standing: LocalBroker) -> None:
    state = running(standing.layout.state)

    assert state is not None
    with connect(standing.bootstrap) as admin:
        assert admin.cluster_id() == state.cluster


def test_a_broker_that_is_up_already_is_left_alone(standing: LocalBroker) -> None:
    again = LocalBroker(standing.layout.folder).up()

    assert again.already
    assert again.state == running(standing.layout.state)
    assert java_processes(standing.layout.folder) == [again.state.process.pid]


def test_a_broker_listens_on_loopback_only(standing: LocalBroker) -> None:
    (pid,) = java_processes(standing.layout.folder)

    assert listening_addresses(pid) == {HOST}


def listening_addresses(pid: int) -> set[str]:
    sockets = {str(one.readlink()) for one in Path(f"/proc/{pid}/fd").iterdir() if one.is_symlink()}
    found = set()
    for table, family in (("tcp", socket.AF_INET), ("tcp6", socket.AF_INET6)):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and f"socket:[{fields[9]}]" in sockets:
                found.add(_readable(fields[1].partition(":")[0], family))
    return found


def _readable(hexadecimal: str, family: socket.AddressFamily) -> str:
    # The kernel writes words of four bytes in the machine's order.
    words = [bytes.fromhex(hexadecimal[start : start + 8]) for start in range(0, len(hexadecimal), 8)]
    text = socket.inet_ntop(family, b"".join(word[::-1] if sys.byteorder == "little" else word for word in words))
    return text.removeprefix("::ffff:")


def test_everything_lies_in_the_folder(standing: LocalBroker) -> None:
    assert {path.name for path in standing.layout.folder.iterdir()} == {
        ".lock",
        "broker.json",
        "data",
        "java.log",
        "kafka.log",
        "log4j2.properties",
        "server.properties",
    }
    assert "Kafka Server started" in standing.layout.log.read_text()
    assert standing.layout.java_log.read_text() == ""


def test_another_port_is_not_given_to_a_broker_that_is_up(standing: LocalBroker) -> None:
    state = running(standing.layout.state)
    assert state is not None
    other = state.port - 1

    with pytest.raises(BrokerFailed, match=f"is up at {state.bootstrap}; stop it before you give it port {other}"):
        LocalBroker(standing.layout.folder, port=other).up()

    assert state.process.runs()


def test_a_with_block_does_not_stop_a_broker_that_was_up_before(standing: LocalBroker) -> None:
    with LocalBroker(standing.layout.folder) as inside:
        assert inside.bootstrap == standing.bootstrap

    assert standing.status().up


def test_a_with_block_stops_the_broker_that_it_started(fallen: LocalBroker) -> None:
    with LocalBroker(fallen.layout.folder, overrides={"background.threads": "3"}) as inside:
        assert inside.status().up
        assert "background.threads=3\n" in inside.layout.properties.read_text()

    assert not java_processes(fallen.layout.folder)


def test_after_down_nothing_runs_and_up_finds_the_records_at_the_old_address(standing: LocalBroker) -> None:
    before = standing.up().state
    with connect(before.bootstrap) as admin:
        apply(admin, topics(2))

    assert standing.down()
    assert not java_processes(standing.layout.folder)
    assert standing.status() == Status(None, None)
    assert not standing.down()

    after = standing.up().state
    assert (after.bootstrap, after.cluster) == (before.bootstrap, before.cluster)
    assert standing.status().topics == tuple(sorted(spec.name for spec in topics(2)))


def test_a_connection_to_a_broker_that_has_gone_says_so(standing: LocalBroker) -> None:
    with connect(standing.bootstrap) as admin:
        where = standing.bootstrap
        standing.down()

        with pytest.raises(BrokerUnreachable, match=f"^the broker at {where} does not answer any more: "):
            admin.topic_names()


# After a crash


def test_a_broker_that_was_killed_comes_up_again_with_its_topics(standing: LocalBroker) -> None:
    before = standing.up().state
    with connect(before.bootstrap) as admin:
        apply(admin, topics(2))
    before.process.kill()
    assert standing.status() == Status(None, None)

    after = standing.up()

    assert not after.already
    assert after.state.bootstrap == before.bootstrap
    assert standing.status().topics == tuple(sorted(spec.name for spec in topics(2)))


def test_a_broker_that_is_frozen_is_said_to_run_without_answering_and_can_be_stopped(standing: LocalBroker) -> None:
    state = standing.up().state
    os.kill(state.process.pid, signal.SIGSTOP)

    assert standing.status() == Status(state, None)

    assert standing.down(grace_seconds=0)
    assert not state.process.runs()


def test_a_process_that_got_the_number_of_a_dead_broker_is_not_stopped_in_its_place(fallen: LocalBroker) -> None:
    last = read_state(fallen.layout.state)
    assert last is not None
    with subprocess.Popen(["sleep", "600"]) as innocent:
        now = ProcessId.of(innocent.pid)
        assert now is not None
        stale = msgspec.structs.replace(now, started=now.started - 1)
        write_state(fallen.layout.state, msgspec.structs.replace(last, process=stale))

        assert fallen.status() == Status(None, None)
        assert not fallen.down()
        assert not fallen.up().already

        assert now.runs()
        innocent.kill()


def test_a_state_file_that_says_nothing_is_written_anew(fallen: LocalBroker) -> None:
    fallen.layout.state.write_text("{")

    started = fallen.up()

    assert read_state(fallen.layout.state) == started.state


def test_a_data_folder_whose_making_was_broken_off_is_made_ready(fallen: LocalBroker) -> None:
    fallen.layout.meta.unlink()

    assert not fallen.up().already
    assert fallen.status().up


# Several at once


UP = "import sys; from attente.cli.main import main; main(['broker', 'up', '--json', '--data', sys.argv[1]])"


def test_two_that_start_the_same_broker_at_once_get_one(tmp_path: Path) -> None:
    command = [sys.executable, "-c", UP, str(tmp_path)]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ) for _ in range(2)]
    try:
        answers = [json.loads(process.communicate(timeout=HANG_SECONDS)[0]) for process in processes]

        assert sorted(answer["already"] for answer in answers) == [False, True]
        assert {answer["pid"] for answer in answers} == set(java_processes(tmp_path / "broker"))
    finally:
        LocalBroker(tmp_path / "broker").down()


# What keeps it from starting


@pytest.fixture
def taken() -> Iterator[int]:
    """A port on which somebody else listens."""
    with socket.create_server((HOST, 0)) as listener:
        yield int(listener.getsockname()[1])


def test_a_port_that_is_taken_is_refused_before_anything_is_started(tmp_path: Path, taken: int) -> None:
    described = LocalBroker(tmp_path / "broker", port=taken)

    with pytest.raises(BrokerFailed, match=rf"^port {taken} of 127\.0\.0\.1 is taken; .*--port"):
        described.up()

    assert not described.layout.data.exists()


def test_a_broker_that_dies_while_it_starts_is_reported_with_the_last_error_of_its_log(tmp_path: Path) -> None:
    described = LocalBroker(tmp_path / "broker")
    described.layout.data.mkdir(parents=True)
    described.layout.meta.write_text("version=1\ncluster.id=AAAAAAAAAAAAAAAAAAAAAA\nnode.id=7\n")

    with pytest.raises(BrokerFailed) as caught:
        described.up()

    message = str(caught.value)
    assert re.match(r"the broker ended while it was starting: (ERROR|FATAL) .*node id.*; see .*kafka\.log$", message)
    assert caught.value.exit_code == 4
    assert not java_processes(described.layout.folder)


def test_a_data_folder_of_no_cluster_is_refused(tmp_path: Path) -> None:
    described = LocalBroker(tmp_path / "broker")
    described.layout.data.mkdir(parents=True)
    described.layout.meta.write_text("version=1\n")

    with pytest.raises(BrokerFailed, match=r"meta\.properties names no cluster; delete .*broker to begin"):
        described.up()


def test_a_java_that_cannot_start_is_reported_with_what_it_said(tmp_path: Path) -> None:
    described = LocalBroker(tmp_path / "broker", heap="1k")

    with pytest.raises(BrokerFailed, match=r"the broker ended while it was starting: .*heap"):
        described.up()


def test_a_setting_that_kafka_does_not_take_is_reported_with_what_it_said(tmp_path: Path) -> None:
    described = LocalBroker(tmp_path / "broker", overrides={"num.io.threads": "many"})

    with pytest.raises(BrokerFailed, match=r"cannot be made ready: .*num\.io\.threads"):
        described.up()


def test_a_broker_that_does_not_answer_in_time_is_reported_and_not_left_behind(fallen: LocalBroker) -> None:
    with pytest.raises(BrokerFailed, match=r"does not answer at 127\.0\.0\.1:[0-9]+ within 0 s; .*broker down"):
        fallen.up(timeout_seconds=0)

    assert not java_processes(fallen.layout.folder)
    assert running(fallen.layout.state) is None


def test_another_kafka_at_the_address_is_not_taken_for_ours(standing: LocalBroker) -> None:
    state = running(standing.layout.state)
    assert state is not None
    write_state(standing.layout.state, msgspec.structs.replace(state, cluster="ours"))
    try:
        with pytest.raises(BrokerFailed, match=rf"another Kafka \(cluster {state.cluster}\) answers .*--port"):
            standing.up()
    finally:
        write_state(standing.layout.state, state)


def test_the_address_of_a_broker_that_is_not_up_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BrokerFailed, match=r"no broker runs in .*; start it with 'attente broker up'"):
        _ = LocalBroker(tmp_path / "broker").bootstrap


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(BrokerFailed, match="cannot keep the broker here: Not a directory"):
        LocalBroker(tmp_path / "file" / "broker").up()


def test_down_in_a_folder_without_a_broker_leaves_no_trace(tmp_path: Path) -> None:
    assert not LocalBroker(tmp_path / "broker").down()
    assert not (tmp_path / "broker").exists()


# Ctrl-C

OWNER = """
import sys, signal
from pathlib import Path
from attente.broker.local import LocalBroker
owned = LocalBroker(Path(sys.argv[1]))
owned.up()
try:
    print("up", flush=True)  # from here on the signal may come
    signal.pause()
except KeyboardInterrupt:
    print(owned.status().up, flush=True)
    owned.down()
"""


def test_ctrl_c_reaches_the_owner_and_the_broker_lives_until_the_owner_stops_it(fallen: LocalBroker) -> None:
    command = [sys.executable, "-c", OWNER, str(fallen.layout.folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == "up\n"
        (java,) = java_processes(fallen.layout.folder)
        groups = (os.getpgid(java), os.getpgid(owner.pid))

        os.killpg(owner.pid, signal.SIGINT)

        assert owner.communicate(timeout=HANG_SECONDS)[0] == "True\n"
    # A terminal sends the signal to the whole group of the program in its foreground.
    assert groups[0] != groups[1]
    assert not java_processes(fallen.layout.folder)


def test_ctrl_c_while_the_broker_is_starting_leaves_nothing_behind(fallen: LocalBroker) -> None:
    before = read_state(fallen.layout.state)
    command = [sys.executable, "-c", UP, str(fallen.layout.folder.parent)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True) as starter:
        wait_until(lambda: read_state(fallen.layout.state) != before or starter.poll() is not None)

        os.killpg(starter.pid, signal.SIGINT)

        assert starter.communicate(timeout=HANG_SECONDS)[1].strip() == ""
        assert starter.returncode == 130
    assert not java_processes(fallen.layout.folder)
    assert running(fallen.layout.state) is None


def wait_until(condition: Callable[[], bool]) -> None:
    limit = time.monotonic() + HANG_SECONDS
    while not condition():
        assert time.monotonic() < limit
        time.sleep(0.01)
