"""Replay: lines of events to Kafka, an archive by its own time or live as if it happened now."""

import math
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Final

import msgspec

from attente.errors import BadInput, Unreachable
from attente.model.signatures import Key, Signer
from attente.model.topics import EVENTS
from attente.security import PLAINTEXT, Security
from attente.sources.outbox import Outbox
from attente.sources.pace import Pace, Span, span_of
from attente.sources.records import Record, Records
from attente.sources.target import Times, check_topic

_LOOK_EVERY_S: Final = 0.1  # how often answers are taken and progress is told
_SHORTEST_WAIT_S: Final = 0.002  # to wait costs 0.1 ms: events closer to each other than this go together
_HOUR_MS: Final = 3_600_000


class BadLines(StrEnum):
    """What becomes of a line that is no event: the replay stops, skips it, or sends it as it is."""

    STOP = "stop"
    SKIP = "skip"
    SEND = "send"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplaySettings:
    """How lines are replayed.

    Attributes:
        broker: HOST:PORT, or several with commas between.
        topic: the events' topic, by its name at the broker.
        times: whose time the records bear.
        speed: seconds of the tape in a second, above 0, and 1 or more for a live replay; `math.inf` is as fast as
            possible.
        max_rate: events a second at most; `math.inf` for no limit.
        bad_lines: what becomes of a line that is no event.
        first_line: lines before this one are passed over.
        name: what errors call the lines.
        span: the times of all lines; a live replay at a speed above 1 needs it.
        shift_ms: by how much a live replay moves the events; None to work it out.
        horizon_ms: how late an event may arrive, by the network's registry: a live replay of older ones is refused.
        partitions: how many partitions the topic must have, if that matters.
        delivery_timeout_s: how long a record may go without an answer.
        security: how it connects to the broker.
        keys: sign what is sent; the events of an office that has no key among them go without.
    """

    broker: str
    topic: str = EVENTS
    times: Times = Times.ARCHIVE
    speed: float = math.inf
    max_rate: float = math.inf
    bad_lines: BadLines = BadLines.STOP
    first_line: int = 1
    name: str = "-"
    span: Span | None = None
    shift_ms: int | None = None
    horizon_ms: int = 24 * _HOUR_MS
    partitions: int | None = None
    delivery_timeout_s: float = 120.0
    security: Security = PLAINTEXT
    keys: tuple[Key, ...] = ()


@dataclass(frozen=True, slots=True)
class ReplayReport:
    """What a replay did.

    Attributes:
        sent: records that the broker has acknowledged.
        skipped: lines that were no events and were not sent.
        partitions: records by partition.
        seconds: how long it took.
        next_line: the line from which to go on.
        stopped: whether it was stopped before the end.
        shift_ms: by how much the events were moved, 0 in an archive.
        signed: how many were given a signature on their way.
    """

    sent: int
    skipped: int
    partitions: dict[int, int]
    seconds: float
    next_line: int
    stopped: bool
    shift_ms: int
    signed: int = 0

    def as_json(self) -> bytes:
        """The report as one JSON object."""
        return msgspec.json.encode(asdict(self))


def replay(
    lines: Iterable[bytes],
    settings: ReplaySettings,
    progress: Callable[[int], None] | None = None,
    stop: threading.Event | None = None,
    refused: Callable[[BadInput], None] | None = None,
) -> ReplayReport:
    """Sends every line, one event each, and returns when the broker has acknowledged all of them.

    Lines keep their order within a partition. The key is the office, the partition Kafka's own choice for it.

    Args:
        lines: the events, without line ends.
        settings: how.
        progress: told now and then how many lines have been read.
        stop: set it from another thread to end the replay early; what is on its way is still waited for, a few seconds
            if the broker is silent.
        refused: told of every line that is skipped.

    Raises:
        BadInput: a line is no event; those before it have been sent. Or a live replay would send events that are older
            than the horizon.
        Unreachable: the broker does not answer, refuses, has no such topic, or lost a record; the message says from
            which line to go on. What is sent twice is a duplicate to the workers and changes no figure.
    """
    stop = stop or threading.Event()
    settings = _with_shift(settings)
    partitions = check_topic(settings.broker, settings.topic, settings.times, settings.partitions, settings.security)
    with Outbox(settings.broker, settings.topic, settings.delivery_timeout_s, stop, settings.security) as outbox:
        run = _Run(settings, outbox, Records(settings.name, partitions), stop)
        try:
            return run.through(lines, progress or _ignore, refused or _ignore)
        except Unreachable as error:
            msg = f"{error}; {run.remedy(outbox.oldest or run.line)}"
            raise Unreachable(msg) from error
        except BadInput as error:
            outbox.settle()
            msg = f"{error}; correct it: {run.remedy(run.line)}"
            raise BadInput(msg) from None


def _ignore(_: object) -> None:
    """Nobody wants to be told."""


def span_of_lines(lines: Iterable[bytes], settings: ReplaySettings) -> Span | None:
    """The times of all events among some lines, None when there are none.

    Raises:
        BadInput: a line is no event, where such lines stop the replay.
    """
    return span_of(_times(lines, settings))


def _times(lines: Iterable[bytes], settings: ReplaySettings) -> Iterator[int]:
    records = Records(settings.name, 1)
    for number, raw in enumerate(lines, 1):
        try:
            yield records.record(number, raw).at_ms
        except BadInput:
            if settings.bad_lines is BadLines.STOP:
                raise


def _with_shift(settings: ReplaySettings) -> ReplaySettings:
    if settings.times is Times.ARCHIVE or settings.shift_ms is not None:
        return settings
    if settings.speed < 1:
        msg = f"a live replay at speed {settings.speed:g} would send events before they happen; use --speed 1 or more"
        raise BadInput(msg)
    if settings.span is None:
        if settings.speed == 1:
            return settings  # the first event is now, whatever follows
        msg = "a live replay at a speed above 1 needs the span of its lines"
        raise ValueError(msg)
    oldest = settings.span.oldest_ms(settings.speed)
    if oldest > settings.horizon_ms:
        msg = (
            f"{settings.name}: at this speed its first events would be {oldest / _HOUR_MS:.1f} h old when they are "
            f"sent, and refused beyond the horizon of {settings.horizon_ms / _HOUR_MS:g} h; use --speed 1, --archive, "
            "or a shorter file"
        )
        raise BadInput(msg)
    return replace(settings, shift_ms=settings.span.shift_ms(settings.speed, _wall_ms()))


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000


class _Run:
    """One replay on its way."""

    def __init__(self, settings: ReplaySettings, outbox: Outbox, records: Records, stop: threading.Event) -> None:
        self._settings = settings
        self._outbox = outbox
        self._records = records
        self._stop = stop
        self._live = settings.times is Times.LIVE
        self._shift_ms = settings.shift_ms
        paced = self._live or not (math.isinf(settings.speed) and math.isinf(settings.max_rate))
        self._pace = Pace(settings.speed, settings.max_rate) if paced else None
        self._skipped = 0
        self._signers = {key.office.encode(): Signer(key) for key in settings.keys}
        self._signed = 0
        self.line = settings.first_line  # the next one to deal with

    def through(
        self, lines: Iterable[bytes], progress: Callable[[int], None], refused: Callable[[BadInput], None]
    ) -> ReplayReport:
        """Sends the lines and waits for the answers."""
        began = looked = time.monotonic()
        for number, raw in enumerate(lines, 1):
            if number < self._settings.first_line:
                continue
            if self._stop.is_set():
                break
            record = self._read(number, raw, refused)
            if record is not None and not self._send(number, record):
                break
            self.line = number + 1
            now = time.monotonic()
            if now - looked >= _LOOK_EVERY_S:
                looked = now
                self._outbox.take_answers()
                progress(number)
        self._outbox.settle()
        progress(self.line - 1)
        return self._report(time.monotonic() - began)

    def remedy(self, line: int) -> str:
        """What has been sent, and how to go on from a line."""
        flags = f"--from-line {line}"
        if self._live and self._shift_ms is not None:
            flags += f" --shift-ms {self._shift_ms}"  # or an event that is sent again would be no duplicate
        return f"{self._outbox.acknowledged} events are in the topic; go on with {flags}"

    def _read(self, number: int, raw: bytes, refused: Callable[[BadInput], None]) -> Record | None:
        """The record of a line, None of one that is skipped."""
        try:
            return self._event(number, raw)
        except BadInput as error:
            if self._settings.bad_lines is BadLines.STOP:
                raise
            if self._settings.bad_lines is BadLines.SEND:
                return self._records.anything(number, raw)
            self._skipped += 1
            refused(error)
            return None

    def _event(self, number: int, raw: bytes) -> Record:
        record = self._records.record(number, raw)
        if not self._live:
            return record
        if self._shift_ms is None:
            self._shift_ms = _wall_ms() - record.at_ms
        return self._records.moved(number, record, self._shift_ms)

    def _send(self, number: int, record: Record) -> bool:
        """Sends a record when it is due; False when the replay has been stopped before."""
        # A line that is no event, before the first one that is, has no time to wait for.
        if self._pace is not None and record.at_ms:
            while (ahead := self._ahead_s(self._pace, record.at_ms)) > _SHORTEST_WAIT_S:
                if self._stop.wait(min(ahead, _LOOK_EVERY_S)):
                    return False
                self._outbox.take_answers()
            self._pace.passed()
        timestamp = None if self._live else record.at_ms
        headers: list[tuple[str, bytes]] = []
        if (signer := self._signers.get(record.key)) is not None:
            headers = signer.headers(record.value)
            self._signed += 1
        self._outbox.send(number, record.partition, record.key, record.value, timestamp, headers)
        return True

    def _ahead_s(self, pace: Pace, at_ms: int) -> float:
        ahead = pace.ahead_s(at_ms, time.monotonic())
        if self._shift_ms is None:
            return ahead
        return max(ahead, (at_ms + self._shift_ms - _wall_ms()) / 1000)

    def _report(self, seconds: float) -> ReplayReport:
        return ReplayReport(
            sent=self._outbox.acknowledged,
            skipped=self._skipped,
            partitions=dict(sorted(self._outbox.partitions.items())),
            seconds=seconds,
            next_line=self._outbox.oldest or self.line,
            stopped=self._stop.is_set(),
            shift_ms=self._shift_ms or 0,
            signed=self._signed,
        )
