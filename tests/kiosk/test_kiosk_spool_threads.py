"""Threads that add to a spool at once share a synchronisation of the disk, and nothing else."""

import re
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from attente.kiosk.errors import SpoolBroken, SpoolFull
from attente.kiosk.spool import Spool
from needs import program
from workers import HANG_S, wait_until


class Rush:
    """One thread is just writing while others come: they stand in line behind it, in the order of `come`.

        one     |--- writes --------------->|
        others      come   come   come      |--- write together --->|

    Attributes:
        held: the spool.
        writes: how many transactions there were.
        first, said: what the first and each of the others got, a number or an error.
    """

    def __init__(self, folder: Path, **bounds: int) -> None:
        self.writes = 0
        self.first: list[int | Exception] = []
        self.said: list[list[int | Exception]] = []
        self._may_go_on = threading.Event()
        self._threads: list[threading.Thread] = []
        self.held = Spool(folder / "s.spool", now_ms=self._now_ms, **bounds)
        self._start([b"first"], self.first)
        wait_until(lambda: self.writes, "the first writes")

    def _now_ms(self) -> int:
        self.writes += 1
        assert self._may_go_on.wait(HANG_S)  # the clock is read in the middle of the first transaction
        return 0

    def _start(self, values: Sequence[Any], said: list[int | Exception]) -> None:
        def add() -> None:
            try:
                said.append(self.held.add(values))
            except (SpoolBroken, SpoolFull) as error:
                said.append(error)

        self._threads.append(threading.Thread(target=add))
        self._threads[-1].start()

    def come(self, *values: Any) -> None:
        self.said.append([])
        self._start(values, self.said[-1])
        wait_until(lambda: len(self.held._waiting) == len(self.said), "it stands in line")

    def go_on(self) -> None:
        self._may_go_on.set()
        for thread in self._threads:
            thread.join(HANG_S)

    @property
    def values(self) -> list[bytes]:
        return [event.value for event in self.held.after(0, 100)]


def test_those_that_come_while_another_writes_are_written_together_in_their_order(tmp_path: Path) -> None:
    rush = Rush(tmp_path)
    rush.come(b"a")
    rush.come(b"b1", b"b2")
    rush.come(b"c")
    rush.go_on()
    assert rush.values == [b"first", b"a", b"b1", b"b2", b"c"]
    assert (rush.first, rush.said) == ([1], [[2], [4], [5]])
    assert rush.writes == 2
    assert rush.held.add([b"later"]) == 6


def test_one_that_there_is_no_room_for_is_refused_whole_and_the_others_are_not(tmp_path: Path) -> None:
    rush = Rush(tmp_path, most_events=4)
    for values in ([b"a"], [b"b1", b"b2", b"b3"], [b"c"], [b"d"], [b"e"]):
        rush.come(*values)
    rush.go_on()
    assert rush.values == [b"first", b"a", b"c", b"d"]
    a, (b,), c, d, (e,) = rush.said
    assert (a, c, d) == ([2], [3], [4])
    for full, events in ((b, 2), (e, 4)):
        assert isinstance(full, SpoolFull)
        assert full.events == events, "how it stood when its turn came"
    assert b is not e


def test_one_that_cannot_be_written_is_told_and_the_others_are_written(tmp_path: Path) -> None:
    rush = Rush(tmp_path)
    rush.come(b"a")
    rush.come(b"b", ())  # what SQLite does not take stands for what the disk does not
    rush.come(b"c")
    rush.go_on()
    assert sorted(rush.values) == [b"a", b"c", b"first"]
    assert rush.held.held().events == 3
    (a,), (b,), (c,) = rush.said
    assert isinstance(b, SpoolBroken)
    assert {a, c} == {2, 3}


def test_when_nothing_can_be_written_everybody_is_told(tmp_path: Path) -> None:
    rush = Rush(tmp_path)
    for value in (b"a", b"b", b"c"):
        rush.come(value)
    rush.held._adding.execute("PRAGMA query_only=ON")
    rush.go_on()
    said = [*rush.first, *(one for (one,) in rush.said)]
    assert all(isinstance(one, SpoolBroken) for one in said)
    assert len({id(one) for one in said}) == 4
    rush.held._adding.execute("PRAGMA query_only=OFF")
    assert rush.held.add([b"later"]) == 1
    assert rush.values == [b"later"]


def test_a_spool_that_another_program_holds_is_waited_for_once_by_everybody(tmp_path: Path) -> None:
    rush = Rush(tmp_path)
    rush.come(b"a")
    rush.come(b"b")
    tries = []

    def write(together: Sequence[Any]) -> None:
        tries.append(len(together))
        error = sqlite3.OperationalError("database is locked")
        error.sqlite_errorcode = sqlite3.SQLITE_BUSY
        raise error

    rush.held._write = write  # type: ignore[method-assign]
    rush.go_on()
    assert tries == [2, 1]
    assert all("another program holds it" in str(said) for (said,) in rush.said)


def test_what_was_interrupted_while_it_stood_in_line_is_not_taken_later(tmp_path: Path) -> None:
    class Interrupted:
        def __enter__(self) -> None:
            raise KeyboardInterrupt

        def __exit__(self, *_: object) -> None: ...

    with Spool(tmp_path / "s.spool") as held:
        lock, held._lock = held._lock, Interrupted()  # type: ignore[assignment]
        with pytest.raises(KeyboardInterrupt):
            held.add([b"a"])
        held._lock = lock
        assert held.add([b"b"]) == 1
        assert [event.value for event in held.after(0, 10)] == [b"b"]


def test_an_event_is_accepted_when_a_synchronisation_has_begun_and_ended_since_it_was_there(tmp_path: Path) -> None:
    """As seen from outside, with threads that share synchronisations: one that was under way is none for who comes."""
    strace = program("strace")
    if subprocess.run([strace, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this system lets nobody trace a process")
    adding = """
import os, sys, threading
from pathlib import Path
from attente.kiosk.spool import Spool
held = Spool(Path(sys.argv[1]))
def add(name):
    for i in range(40):
        os.write(1, f"begin {name}\\n".encode())
        held.add([f"{name}{i}".encode()])
        os.write(1, f"accepted {name}\\n".encode())
threads = [threading.Thread(target=add, args=(name,)) for name in "abcd"]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""
    trace = tmp_path / "trace"
    command = [strace, "-f", "-e", "trace=fsync,fdatasync,write", "-o", str(trace), sys.executable, "-c", adding]
    subprocess.run([*command, str(tmp_path / "s.spool")], check=True, capture_output=True)
    begun: dict[str, int] = {}  # by name, the line at which its event was there
    under_way: dict[str, int] = {}  # by process, the line at which a synchronisation began
    last = -1  # the line at which the latest one began that has ended
    accepted = synchronised = 0
    for number, line in enumerate(trace.read_text().splitlines()):
        process, call = re.split(r" +", line, maxsplit=1)
        if call.startswith(("fsync(", "fdatasync(")):
            under_way[process] = number
        if re.match(r"(<\.\.\. )?f(data)?sync\b", call) and call.rstrip().endswith("= 0"):
            last = max(last, under_way.pop(process))
            synchronised += 1
        elif found := re.match(r'write\(1, "(begin|accepted) (\w)', call):
            what, name = found.groups()
            if what == "begin":
                begun[name] = number
            else:
                assert last > begun[name], f"an event of {name} was accepted before the disk had it"
                accepted += 1
    assert accepted == 160
    assert synchronised < 140, "they share none"
