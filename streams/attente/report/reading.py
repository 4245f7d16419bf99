"""A whole file of events through the core, as an archive replay would bring it to the workers."""

import gc
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final, NamedTuple
from zlib import crc32

from attente.core.partition import Partition
from attente.core.plan import Plan
from attente.errors import BadInput
from attente.model.events import AnyEvent, TicketIssued, decode
from attente.model.instants import milliseconds
from attente.model.partitioning import partition_of
from attente.model.signatures import Headers, Keyring
from attente.registry.entities import Registry
from attente.report.book import Book
from attente.report.wrong import WrongFile
from attente.sources.records import LARGEST, Records

_BATCH: Final = 2_000  # lines between two looks at what was refused
_SURELY_FITS: Final = LARGEST - 1_000  # bytes of a line that are no more than a record holds, whatever its key
_PLACES_KEPT: Final = 100_000
# The state is millions of long-lived objects without cycles: with the default thresholds the collector takes a fifth.
_COLLECT: Final = (100_000, 50, 1_000)


class Line(NamedTuple):
    """A line of the file as a record of the log; `offset` is its place in the file, from 0."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Headers = ()


@dataclass(frozen=True, slots=True)
class Refused:
    """The first line that was refused for one reason.

    Attributes:
        line: its number, from 1.
        detail: what is wrong with it and what to do.
    """

    line: int
    detail: str


@dataclass(slots=True)
class Account:
    """What became of every line: `read = counted + duplicate + all refused`.

    Attributes:
        read, counted, duplicate: lines.
        refused: by reason.
        firsts: the first one of each reason.
        estimated: events that somebody reconstructed, among those that can be read.
        corrections: events that took something back.
        first_ms, last_ms: the instants of the earliest and the latest event that can be read; -1 without any.
    """

    read: int = 0
    counted: int = 0
    duplicate: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    firsts: dict[str, Refused] = field(default_factory=dict)
    estimated: int = 0
    corrections: int = 0
    first_ms: int = -1
    last_ms: int = -1


@dataclass(frozen=True, slots=True)
class Reading:
    """A file that has been read.

    Attributes:
        plan: the registry, compiled.
        partitions: the states at the end of the file.
        book: everything that was counted.
        account: what became of every line.
    """

    plan: Plan
    partitions: tuple[Partition, ...]
    book: Book
    account: Account

    @property
    def registry(self) -> Registry:
        """The network."""
        return self.plan.registry


@dataclass(frozen=True, slots=True)
class Share:
    """Offices that are computed here: those whose hash is `number` of `of`. What is of no office has a hash as well."""

    number: int = 0
    of: int = 1

    def __contains__(self, office: object) -> bool:
        return self.of == 1 or (isinstance(office, str) and crc32(office.encode()) % self.of == self.number)


def read(
    lines: Iterable[bytes],
    name: str,
    registry: Registry,
    partitions: int = 1,
    *,
    offices: Container[str] | None = None,
    services: Container[str] | None = None,
    share: Container[str] | None = None,
    progress: Callable[[int], None] | None = None,
) -> Reading:
    """Read a whole file. Every line is a record whose timestamp is its event's time, in the office's partition.

    Args:
        lines: one event each, without line ends.
        name: what errors call them.
        registry: the network.
        partitions: to so many the offices are assigned, as Kafka would.
        offices: keep the figures of these alone; None keeps all.
        services: the services whose waits are kept by hour of the week; None takes all.
        share: compute these offices alone: of the others' events only the time counts; None computes all.
        progress: told now and then how many lines have been read.

    Raises:
        BadInput: no line is an event, or one is longer than a record may be; with line and column.
    """
    plan = Plan(registry)
    numbers = None if services is None else {n for service, n in plan.services.items() if service in services}
    book = Book(plan, registry.offices if offices is None else offices, numbers)
    states = tuple(Partition(plan, number, partitions, ledger=book) for number in range(partitions))
    feed = _Feed(name, states, Share() if share is None else share)
    account = feed.account
    with _collecting_less():
        for batch in _batches(lines):
            feed.take(batch)
            for state in states:
                _note_refused(state, account)
            if progress is not None:
                progress(account.read)
        feed.check()
        for state in states:
            book.close(state)
    account.counted = sum(state.counted for state in states)
    account.duplicate = sum(state.duplicate for state in states)
    account.corrections = sum(office.corrections for state in states for office in state.offices.values())
    return Reading(plan, states, book, account)


def _batches(lines: Iterable[bytes]) -> Iterator[list[bytes]]:
    rest = iter(lines)
    while batch := list(islice(rest, _BATCH)):
        yield batch


def _note_refused(state: Partition, account: Account) -> None:
    for dead in state.take_dead():
        reason = dead.reason.value
        account.refused[reason] = account.refused.get(reason, 0) + 1
        if reason not in account.firsts:
            account.firsts[reason] = Refused(dead.offset + 1, dead.detail)


class _Place(NamedTuple):
    """Where an office's events go; `lines` is None where somebody else computes it."""

    key: bytes
    partition: int
    lines: list[Line] | None


class _Feed:
    """Makes records of lines, as a replay of an archive does with --raw, and gives them to their partitions."""

    def __init__(self, name: str, states: Sequence[Partition], share: Container[str]) -> None:
        self.account = Account()
        self._states = states
        self._share = share
        self._records = Records(name, len(states))
        self._wrong = WrongFile(name)
        self._places: dict[str, _Place] = {}
        self._lines: list[list[Line]] = [[] for _ in states]
        self._tops = [0] * len(states)  # the greatest timestamp of a partition so far, whoever computes the office
        self._given = [0] * len(states)  # the greatest one that the partition knows of, or will when it has its lines

    def take(self, batch: list[bytes]) -> None:  # noqa: C901 - a call for each line costs more than all that it does
        """The next lines."""
        account = self.account
        places = self._places
        tops = self._tops
        given = self._given
        number = account.read
        first, last = account.first_ms, account.last_ms
        for raw in batch:
            number += 1
            try:
                event, at = self._event(number, raw)
            except (ValueError, BadInput):
                self._wrong.refuse(raw)
                self._as_it_is(number, raw, max(0, last))
                continue
            if at > last:
                if last < 0:
                    self._wrong.accept()
                last = at
            if at < first or first < 0:
                first = at
            if event.estimated:
                account.estimated += 1
            key, partition, lines = places.get(event.office) or self._place(event.office)
            top = tops[partition]
            if at > top:
                tops[partition] = at
            elif lines is not None and given[partition] < top:
                self._advance(partition)
            if lines is not None:
                lines.append(Line(number - 1, at, key, raw))
                given[partition] = max(given[partition], at)
        account.read, account.first_ms, account.last_ms = number, first, last
        for partition in range(len(tops)):
            self._advance(partition)

    def _advance(self, partition: int) -> None:
        """Give a partition its lines, and the time that others have reached."""
        state, lines = self._states[partition], self._lines[partition]
        state.ingest(lines)
        lines.clear()
        state.advance(self._tops[partition])
        self._given[partition] = self._tops[partition]

    def _event(self, number: int, raw: bytes) -> tuple[AnyEvent, int]:
        """What `Records.record` accepts, in a third of the time, since the same event is decoded again in the core."""
        if len(raw) > _SURELY_FITS:
            self._records.record(number, raw)
        event = decode(raw)
        at = milliseconds(event.time)
        if isinstance(event, TicketIssued):
            if event.arrived:
                milliseconds(event.arrived)
            if event.due:
                milliseconds(event.due)
        return event, at

    def _as_it_is(self, number: int, raw: bytes, newest: int) -> None:
        """A line that is no event: its time is that of the newest event before it."""
        record = self._records.anything(number, raw)
        partition = record.partition
        is_mine = record.key.decode() in self._share
        if is_mine and self._given[partition] < self._tops[partition]:
            self._advance(partition)
        self._tops[partition] = max(self._tops[partition], newest)
        if is_mine:
            self._lines[partition].append(Line(number - 1, newest, record.key, raw))
            self._given[partition] = max(self._given[partition], newest)

    def _place(self, office: str) -> _Place:
        if len(self._places) >= _PLACES_KEPT:
            self._places.clear()
        key = office.encode()
        partition = partition_of(key, len(self._states))
        place = _Place(key, partition, self._lines[partition] if office in self._share else None)
        self._places[office] = place
        return place

    def check(self) -> None:
        """See that the file is one of events.

        Raises:
            BadInput: none of its lines is one.
        """
        self._wrong.check()


@contextmanager
def _collecting_less() -> Iterator[None]:
    former = gc.get_threshold()
    gc.set_threshold(*_COLLECT)
    try:
        yield
    finally:
        gc.set_threshold(*former)


def read_log(
    records: Iterable[tuple[Any, ...]],
    registry: Registry,
    number: int,
    partitions: int,
    offices: Container[str],
    keyring: Keyring | None = None,
) -> Reading:
    """Read one partition of the log itself, as the workers see it.

    Args:
        records: offset, timestamp, key, value and headers of each, from the beginning of the log, in order.
        registry: the network.
        number: which partition it is.
        partitions: how many the topic has.
        offices: keep the figures of these alone.
        keyring: the secrets of the network's keys; without it no signatures are looked at.
    """
    plan = Plan(registry, keyring)
    book = Book(plan, offices)
    account = Account()
    state = Partition(plan, number, partitions, ledger=book)
    with _collecting_less():
        rest = (Line(*record) for record in records)
        while batch := list(islice(rest, _BATCH)):
            state.ingest(batch)
            _note_refused(state, account)
            _note_instants(batch, account)
        book.close(state)
    account.read, account.counted, account.duplicate = state.read, state.counted, state.duplicate
    account.corrections = sum(office.corrections for office in state.offices.values())
    return Reading(plan, (state,), book, account)


def _note_instants(batch: list[Line], account: Account) -> None:
    for line in batch:
        try:
            event = decode(line.value)  # type: ignore[arg-type]  # None is refused like any other bad value
            at = milliseconds(event.time)
        except (ValueError, TypeError):
            continue
        account.last_ms = max(account.last_ms, at)
        account.first_ms = at if account.first_ms < 0 else min(account.first_ms, at)
        account.estimated += event.estimated
