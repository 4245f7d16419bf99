"""Counting a file: by this process, or by several that each compute a share of the offices."""

import multiprocessing
import os
from collections.abc import Callable, Container
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from attente.errors import AttenteError
from attente.registry.entities import Registry
from attente.report.figures import By, Part, count
from attente.report.reading import Account, Share, read
from attente.report.source import Source

_WORTH_BYTES: Final = 24 << 20
"""A file of fewer bytes for each process is counted sooner by one: a process takes a second to start."""
_MOST: Final = 8


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be counted, and how.

    Attributes:
        registry: the network.
        partitions: to so many the offices are assigned.
        by: how rows are divided in time.
        offices, services: these alone; empty takes all.
    """

    registry: Registry
    partitions: int = 1
    by: By = By.FILE
    offices: tuple[str, ...] = ()
    services: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Counted:
    """A file that has been counted."""

    part: Part
    account: Account


def count_source(
    source: Source, task: Task, processes: int = 0, progress: Callable[[int], None] | None = None
) -> Counted:
    """Count a file; the figures do not depend on how many processes do it.

    Args:
        source: the file.
        task: what is to be counted.
        processes: how many take part; 0 decides by cores and size. Standard input and tapes are read by this one.
        progress: told now and then how many lines this process has read.

    Raises:
        BadInput: no line is an event; with line and column.
        Missing: the file cannot be read.
    """
    path = source.events
    wanted = processes or _suitable(path)
    if path is None or wanted == 1:
        return _counted(source, task, None, progress)
    # Spawned, not forked: a terminal's progress is told by a thread, and what threads hold a fork would hold for ever.
    context = multiprocessing.get_context("spawn")
    shares = [Share(number, wanted) for number in range(wanted)]
    with ProcessPoolExecutor(wanted - 1, mp_context=context) as pool:
        others = [pool.submit(_share_of, path, task, share) for share in shares[1:]]
        try:
            counted = _counted(source, task, shares[0], progress)
            for other in others:
                _join(counted, other.result())
        except BrokenProcessPool:
            msg = f"{source.name}: a process that counted it ended; there may be too little memory: use --processes 1"
            raise AttenteError(msg) from None
    return counted


def _suitable(path: Path | None) -> int:
    try:
        size = 0 if path is None else path.stat().st_size
    except OSError:
        return 1  # whoever reads it says why it cannot be read
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(cores, _MOST, size // _WORTH_BYTES))


def _share_of(path: Path, task: Task, share: Share) -> Counted:
    return _counted(Source(path), task, share, None)


def _counted(
    source: Source, task: Task, share: Container[str] | None, progress: Callable[[int], None] | None
) -> Counted:
    reading = read(
        source.lines(),
        source.name,
        task.registry,
        task.partitions,
        offices=frozenset(task.offices) or None,
        services=frozenset(task.services) or None,
        share=share,
        progress=progress,
    )
    return Counted(count(reading, task.by, task.offices or None, task.services or None), reading.account)


def _join(mine: Counted, theirs: Counted) -> None:
    """Add another share; each has read every line, and counted those of its offices."""
    mine.part.add(theirs.part)
    account, other = mine.account, theirs.account
    account.counted += other.counted
    account.duplicate += other.duplicate
    account.corrections += other.corrections
    for reason, n in other.refused.items():
        account.refused[reason] = account.refused.get(reason, 0) + n
        first = other.firsts[reason]
        known = account.firsts.get(reason)
        account.firsts[reason] = first if known is None or first.line < known.line else known
