"""The plug is pulled while a kiosk adds to its spool: what was accepted is there when it is opened again.

Two imitations. One copies the files of a program that is halted at any moment, and cuts the `-wal` short behind what is
committed. The other listens to what a program tells the disk, and makes the files that a power cut may leave: what was
written before a file was last synchronised is there; of what was written to it since any part may be, to a sector.

They show that the spool synchronises what it must in the right order, and that SQLite finds its way through what is
left. They do not show what becomes of it on a disk that says that it has synchronised and has not, or that spoils other
sectors than those being written: against that no program can do anything.
"""

import os
import random
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest

from attente.kiosk.spool import Spool
from kiosk.power_cut_program import value_of
from needs import tracer
from workers import ROOT, wait_until

PROGRAM: Final = [sys.executable, str(ROOT / "tests" / "kiosk" / "power_cut_program.py")]
SECTOR: Final = 512
WAL_HEADER: Final = 32
WAL_FRAME: Final = 24 + 4_096


@dataclass
class Marks:
    """What the program had told.

    Attributes:
        accepted: the last event that was accepted.
        removing: up to where events were to be taken away, done or not.
        ends: the last numbers of what was added at once, done or not.
    """

    accepted: int = 0
    removing: int = 0
    ends: set[int] = field(default_factory=lambda: {0})

    def take(self, line: str) -> None:
        what, *numbers = line.split()
        if what == "adding":
            self.ends.add(int(numbers[1]))
        elif what == "accepted":
            self.accepted = int(numbers[0])
        else:
            self.removing = max(self.removing, int(numbers[0]))


def holds_what_was_accepted(spool: Path, marks: Marks) -> None:
    """Opened again, a spool has all events between two numbers as they were added, and takes more."""
    with Spool(spool) as held:
        events = held.after(0, 1_000_000)
        last = held.add([b"another"]) - 1
        first = last + 1 - len(events)
    assert [event.number for event in events] == list(range(first, last + 1))
    assert all(event.value == value_of(event.number) for event in events)
    assert last in marks.ends, "of what was added at once all or nothing is there"
    assert last >= marks.accepted, "what was accepted is there"
    assert first <= marks.removing + 1, "and nothing of it was taken away that was not to be"


def test_the_files_of_a_program_that_is_halted_hold_what_it_has_accepted_also_when_they_are_cut_short(
    tmp_path: Path,
) -> None:
    dice = random.Random(3)  # noqa: S311 - repeatable, not secret
    there = tmp_path / "there"
    there.mkdir()
    process = subprocess.Popen(
        [*PROGRAM, str(there / "s"), str(there / "marks"), "1", "1000000"],
        env={**os.environ, "PYTHONPATH": str(ROOT / "streams")},
    )
    try:
        wait_until(lambda: (there / "marks").exists() and (there / "marks").stat().st_size, "it has begun")
        for number in range(20):
            threading.Event().wait(dice.random() * 0.1)
            copy = tmp_path / str(number)
            process.send_signal(signal.SIGSTOP)
            os.waitpid(process.pid, os.WUNTRACED)
            shutil.copytree(there, copy)
            process.send_signal(signal.SIGCONT)
            marks = Marks()
            for line in (copy / "marks").read_text().splitlines():
                marks.take(line)
            cut = tmp_path / f"{number}-cut"
            shutil.copytree(copy, cut)
            size = (copy / "s-wal").stat().st_size
            os.truncate(cut / "s-wal", dice.randint(min(size, committed(copy)), size))
            for folder in (copy, cut):
                holds_what_was_accepted(folder / "s", marks)
                shutil.rmtree(folder)
    finally:
        process.kill()
        process.wait()


def committed(folder: Path) -> int:
    """The bytes of a `-wal` that its `-shm` knows of: an addition is told there when it is synchronised."""
    frames = int.from_bytes((folder / "s-shm").read_bytes()[16:20], sys.byteorder)
    return WAL_HEADER + frames * WAL_FRAME


class Disk:
    """What a disk has surely of a file, and what it was told of it since."""

    def __init__(self) -> None:
        self.sure = bytearray()
        self._since: list[tuple[int, bytes | None]] = []  # data at an offset; None is a cut

    def write(self, offset: int, data: bytes) -> None:
        self._since += [(offset + i, data[i : i + SECTOR]) for i in range(0, len(data), SECTOR)]

    def cut(self, size: int) -> None:
        self._since.append((size, None))

    def synchronise(self) -> None:
        self.sure = self.after_a_power_cut(None)
        self._since.clear()

    def after_a_power_cut(self, dice: random.Random | None) -> bytearray:
        """With a part of what it was told since; without dice with all of it."""
        share = 1.0 if dice is None else dice.choice((0.0, 0.1, 0.5, 0.9, 1.0))
        content = bytearray(self.sure)
        for offset, data in self._since:
            if dice is not None and dice.random() >= share:
                continue
            if data is None:
                del content[offset:]
            else:
                content.extend(bytes(max(0, offset - len(content))))
                content[offset : offset + len(data)] = data
        return content


CALL: Final = re.compile(r"^\d+ +(\w+)\(\d+<([^>]*)>(?:, (.*))?\) += (\d+)$")


def calls(trace: Path) -> Iterator[tuple[str, str, str]]:
    """The calls of a trace that have succeeded: their names, the names of their files, and the other arguments."""
    with trace.open() as lines:
        for line in lines:
            if "resumed>" in line or "unfinished ..." in line:
                pytest.fail(f"two calls at once: {line[:200]}")
            if call := CALL.match(line):
                yield call[1], Path(data_of(call[2]).decode()).name, call[3] or ""


def data_of(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))


@pytest.mark.parametrize("seed", range(2))
def test_whatever_part_of_what_was_not_synchronised_is_lost_what_was_accepted_is_there(
    tmp_path: Path, seed: int
) -> None:
    strace = tracer()
    spool, marked, trace = tmp_path / "s", tmp_path / "marks", tmp_path / "trace"
    files = [flag for file in (spool, Path(f"{spool}-wal"), marked) for flag in ("-P", str(file))]
    listening = [strace, "-f", "-y", "-xx", "-s", "100000", "-o", str(trace), *files]
    listening += ["-e", "trace=write,pwrite64,ftruncate,fsync,fdatasync"]
    subprocess.run(
        [*listening, *PROGRAM, str(spool), str(marked), str(seed), "200"],
        check=True,
        capture_output=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / "streams")},
    )
    left = tmp_path / "left"
    left.mkdir()
    dice = random.Random(seed)  # noqa: S311 - repeatable, not secret
    disks = {"s": Disk(), "s-wal": Disk()}
    marks = Marks()
    cuts = 0
    for what, name, more in calls(trace):
        if name == "marks":
            marks.take(data_of(more.split('"')[1]).decode())
            continue
        disk = disks[name]
        if what == "pwrite64":
            _, data, rest = more.split('"')
            disk.write(int(rest.split(", ")[2]), data_of(data))
        elif what == "ftruncate":
            disk.cut(int(more))
        else:
            disk.synchronise()
        if marks.accepted and dice.random() < 0.1:
            for one, its in disks.items():
                (left / one).write_bytes(its.after_a_power_cut(dice))
            holds_what_was_accepted(left / "s", marks)
            cuts += 1
    assert marks.accepted > 200
    assert cuts > 100
