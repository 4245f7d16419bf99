"""What is in the spool stays there until it is taken out, whatever happens."""

import os
import re
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from attente.kiosk.errors import SpoolBroken, SpoolFull
from attente.kiosk.spool import Spool
from needs import tracer

NOON_MS = 1_795_608_000_000


def spool(path: Path, **bounds: int) -> Spool:
    return Spool(path / "hall-1.spool", now_ms=lambda: NOON_MS, **bounds)


def values(held: Spool) -> list[bytes]:
    return [event.value for event in held.after(0, 1000)]


def test_events_come_out_in_the_order_of_acceptance_and_go_when_they_are_taken_out(tmp_path: Path) -> None:
    with spool(tmp_path) as held:
        assert held.add([b"a", b"b"]) == 2
        assert held.add([b"c"]) == 3
        assert [(event.number, event.value) for event in held.after(0, 2)] == [(1, b"a"), (2, b"b")]
        assert [event.value for event in held.after(2, 10)] == [b"c"]
        held.remove_up_to(2)
        assert values(held) == [b"c"]


def test_what_it_holds_is_there_when_it_is_opened_again_and_numbers_are_never_used_twice(tmp_path: Path) -> None:
    with spool(tmp_path) as held:
        held.add([b"a", b"b"])
        held.remove_up_to(2)
    with spool(tmp_path) as held:
        assert held.held().events == 0
        assert held.add([b"c"]) == 3
        assert (held.held().events, held.held().bytes, held.held().oldest_ms) == (1, 1, NOON_MS)


def test_a_spool_that_is_full_takes_nothing_loses_nothing_and_says_how_much_it_holds(tmp_path: Path) -> None:
    with spool(tmp_path, most_events=3) as held:
        held.add([b"a", b"b"])
        with pytest.raises(
            SpoolFull, match=r"2 events, 2 bytes since 2026-11-25T12:00:00.000Z .at most 3 events"
        ) as full:
            held.add([b"c", b"d"])
        assert (full.value.events, full.value.oldest_ms) == (2, NOON_MS)
        held.add([b"c"])
        with pytest.raises(SpoolFull):
            held.add([b"d"])
        assert values(held) == [b"a", b"b", b"c"]
        held.remove_up_to(1)
        held.add([b"d"])
        assert values(held) == [b"b", b"c", b"d"]


def test_bytes_are_bounded_too(tmp_path: Path) -> None:
    with spool(tmp_path, most_bytes=10) as held:
        held.add([b"12345"])
        with pytest.raises(SpoolFull):
            held.add([b"123456"])
        held.add([b"12345"])
    with spool(tmp_path / "new", most_bytes=10) as held, pytest.raises(SpoolFull, match="the events alone are more"):
        held.add([b"12345678901"])


def test_two_programs_share_one_bound(tmp_path: Path) -> None:
    with spool(tmp_path, most_events=3) as one, spool(tmp_path, most_events=3) as other:
        one.add([b"a", b"b"])
        other.add([b"c"])
        for held in (one, other):
            with pytest.raises(SpoolFull):
                held.add([b"d"])
            assert values(held) == [b"a", b"b", b"c"]


def test_threads_share_a_spool(tmp_path: Path) -> None:
    with spool(tmp_path) as held:

        def add(name: str) -> None:
            for i in range(50):
                held.add([f"{name}{i}".encode()])

        threads = [threading.Thread(target=add, args=(name,)) for name in "abcd"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        found = values(held)
        assert len(found) == 200
        for name in "abcd":
            assert [v for v in found if v.startswith(name.encode())] == [f"{name}{i}".encode() for i in range(50)]


def test_one_program_at_a_time_sends(tmp_path: Path) -> None:
    with spool(tmp_path) as one, spool(tmp_path) as other:
        with one.sender_lock() as is_ours:
            assert is_ours
            with other.sender_lock() as is_theirs:
                assert not is_theirs
        with other.sender_lock() as is_theirs:
            assert is_theirs


def test_only_its_owner_may_read_it(tmp_path: Path) -> None:
    with spool(tmp_path / "made") as held:
        held.add([b"a"])
        for file in (tmp_path / "made").iterdir():
            if "sender" not in file.name:
                assert file.stat().st_mode & 0o077 == 0, file.name


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"not a database at all, but long enough to look like one" * 20, "put the file away"),
        (None, "no spool of this"),
    ],
)
def test_a_file_that_is_no_spool_is_refused_in_one_line_and_left_alone(
    tmp_path: Path, content: bytes | None, said: str
) -> None:
    file = tmp_path / "hall-1.spool"
    if content is None:
        with sqlite3.connect(file) as other:
            other.execute("CREATE TABLE accounts (id INTEGER)")
        other.close()
        content = file.read_bytes()
    else:
        file.write_bytes(content)
    with pytest.raises(SpoolBroken, match=said) as broken:
        spool(tmp_path)
    assert "\n" not in str(broken.value)
    assert str(file) in str(broken.value)


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SpoolBroken, match="give it a folder that can be written"):
        spool(tmp_path / "file" / "below")


def test_a_full_disk_refuses_the_event_and_keeps_the_others(tmp_path: Path) -> None:
    """A file of the disk that is as large as the system lets it be, stands for a disk that is full."""
    program = """
import resource, signal, sys
from pathlib import Path
from attente.kiosk.errors import SpoolBroken
from attente.kiosk.spool import Spool
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
held = Spool(Path(sys.argv[1]))
held.add([b"first"])
resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, resource.RLIM_INFINITY))
taken = 1
try:
    while True:
        held.add([b"x" * 10_000])
        taken += 1
except SpoolBroken as error:
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    print(taken, held.held().events, len(held.after(0, 1000)), error)
"""
    answer = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "s.spool")], capture_output=True, text=True, check=True
    )
    taken, counted, there, said = answer.stdout.split(maxsplit=3)
    assert int(taken) > 10
    assert (taken, taken) == (counted, there)
    assert "cannot be written" in said
    with Spool(tmp_path / "s.spool") as held:
        assert held.held().events == int(taken)


def test_the_disk_is_synchronised_before_an_event_is_accepted(tmp_path: Path) -> None:
    """Seen from outside, by the calls to the system: between two acceptances there is always a synchronisation."""
    strace = tracer()
    adding = """
import os, sys
from pathlib import Path
from attente.kiosk.spool import Spool
held = Spool(Path(sys.argv[1]))
for i in range(20):
    os.write(1, b"begin\\n")
    held.add([b"event"])
    os.write(1, b"accepted\\n")
"""
    trace = tmp_path / "trace"
    command = [strace, "-f", "-e", "trace=fsync,fdatasync,write", "-o", str(trace), sys.executable, "-c", adding]
    subprocess.run([*command, str(tmp_path / "s.spool")], check=True, capture_output=True, env={**os.environ})
    synchronised = 0
    accepted = 0
    for line in trace.read_text().splitlines():
        call = re.sub(r"^\d+ +", "", line)
        if call.startswith(("fsync(", "fdatasync(")) and call.rstrip().endswith("= 0"):
            synchronised += 1
        elif call.startswith('write(1, "begin'):
            synchronised = 0
        elif call.startswith('write(1, "accepted'):
            assert synchronised >= 1, f"event {accepted} was accepted before the disk had it"
            accepted += 1
    assert accepted == 20
