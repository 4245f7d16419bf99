"""Sending again what was refused: key, bytes and headers as they were, each event at most once."""

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Final, Self

from kafka import KafkaProducer
from kafka.errors import KafkaError

from attente.clients import opened
from attente.errors import Unreachable
from attente.model.partitioning import partition_of
from attente.model.records import Origin, replayed
from attente.security import PLAINTEXT, Security
from attente.sources.deadletters.letters import Letter, Survey, Wanted
from attente.sources.deadletters.mailbox import Mailbox
from attente.sources.deadletters.verdict import Verdict

_TOGETHER: Final = 500  # events that are sent, and noted as sent, together
_TOGETHER_BYTES: Final = 8 << 20
_ANSWER_S: Final = 60.0
_ANY_SIZE: Final = (1 << 31) - 1  # before compression; the topics have their own limit on what it is afterwards


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be sent again.

    Attributes:
        wanted: which letters are meant.
        partitions: of which partitions of the events; all of them if empty.
        limit: at most so many, partition after partition; None is all.
        again: also events that were refused once more after they had been sent again.
        is_dry: nothing is sent.
    """

    wanted: Wanted = field(default_factory=Wanted)
    partitions: frozenset[int] = frozenset()
    limit: int | None = None
    again: bool = False
    is_dry: bool = False


@dataclass(slots=True)
class Report:
    """What was done, in numbers of letters.

    Attributes:
        matching: letters that are meant.
        sent: events that stand in the log again (or would, when nothing is sent); by partition in `partitions`.
        before: left out, because the event has been sent again before.
        replays: left out, because the event was itself sent again and refused once more.
        beyond: left out, because of the limit.
        hopeless: left out, because the event would be refused again, by reason.
        gone: left out, because the letter was deleted meanwhile.
    """

    matching: int = 0
    sent: int = 0
    partitions: Counter[int] = field(default_factory=Counter)
    before: int = 0
    replays: int = 0
    beyond: int = 0
    hopeless: Counter[str] = field(default_factory=Counter)
    gone: int = 0


def replay(
    mailbox: Mailbox,
    courier: "Courier | None",
    order: Order,
    verdict: Verdict,
    partitions: int,
    progress: Callable[[int], None] = lambda _: None,
) -> Report:
    """Send events of dead letters again.

    What was sent is noted beside its letter, once the broker has it; so a second replay sends nothing that a first one
    has sent. When the two are cut apart by a crash the event is sent twice, and is a duplicate to the workers.

    Args:
        mailbox: the letters.
        courier: sends; not needed when the order is dry.
        order: what is meant.
        verdict: tells what would be refused again.
        partitions: how many the events have.
        progress: told how many letters have been dealt with.

    Raises:
        Unreachable: the broker has gone away or refuses; the message says how many events have been sent.
    """
    survey = Survey()
    for number in mailbox.partitions:
        survey.add(mailbox.read(number))
    report = Report()
    chosen = _chosen(survey, order, report)
    together: list[tuple[Letter, int]] = []
    size = 0
    for letter in _whole(mailbox, chosen, report):
        if (refusal := verdict.against(letter.record)) is not None:
            report.hopeless[refusal.reason.value] += 1
            continue
        if order.limit is not None and report.sent + len(together) >= order.limit:
            report.beyond += 1
            continue
        together.append((letter, partition_of(letter.record.key or b"", partitions)))
        size += len(letter.record.value or b"")
        if len(together) >= _TOGETHER or size >= _TOGETHER_BYTES:
            _send(courier, order, together, report)
            size = 0
            progress(report.sent)
    _send(courier, order, together, report)
    return report


def _chosen(survey: Survey, order: Order, report: Report) -> list[Letter]:
    chosen = []
    for letter in survey.matching(order.wanted):
        if order.partitions and letter.record.origin.partition not in order.partitions:
            continue
        report.matching += 1
        if letter.origin in survey.replayed:
            report.before += 1
        elif letter.origin in survey.replays and not order.again:
            report.replays += 1
        else:
            chosen.append(letter)
    return chosen


def _whole(mailbox: Mailbox, chosen: list[Letter], report: Report) -> Iterator[Letter]:
    """The chosen letters with their events, partition after partition, each in the order of its events."""
    by_partition: dict[int, dict[int, Letter]] = {}
    for letter in chosen:
        by_partition.setdefault(letter.partition, {})[letter.offset] = letter
    for number, letters in by_partition.items():
        for letter in mailbox.read(number):
            if letters.pop(letter.offset, None) is not None:
                yield letter
        report.gone += len(letters)


def _send(courier: "Courier | None", order: Order, together: list[tuple[Letter, int]], report: Report) -> None:
    if courier is not None and not order.is_dry:
        courier.deliver(together)
    report.sent += len(together)
    report.partitions.update(partition for _, partition in together)
    together.clear()


class Courier:
    """Brings events back into the log and notes it beside their letters. Use it with `with`.

    Attributes:
        delivered: how many the broker has.
    """

    def __init__(self, broker: str, events: str, letters: str, security: Security = PLAINTEXT) -> None:
        """Connects.

        Args:
            broker: HOST:PORT, or several with commas between.
            events: their topic, by its name at the broker.
            letters: the topic of the dead letters, likewise.
            security: how to connect.

        Raises:
            Unreachable: no broker answers.
        """
        self.delivered = 0
        self._broker = broker
        self._events = events
        self._letters = letters
        self._producer = opened(
            KafkaProducer,
            broker,
            security,
            acks="all",
            enable_idempotence=True,
            allow_auto_create_topics=False,
            # What was small only while it was compressed has to fit once more.
            compression_type="gzip",
            max_request_size=_ANY_SIZE,
            linger_ms=5,
            metrics_enabled=False,
        )

    def deliver(self, together: list[tuple[Letter, int]]) -> None:
        """Send some events, each to its partition, and note where they stand now.

        Raises:
            Unreachable: the broker did not take all of them, or the notes.
        """
        stands = self._sent(
            self._events,
            [
                (letter.record.key, letter.record.value, partition, letter.at_ms, letter.record.headers)
                for letter, partition in together
            ],
        )
        self.delivered += len(together)
        notes = []
        for (letter, _), at in zip(together, stands, strict=True):
            note = replayed(letter.record, Origin(self._events, at.partition, at.offset, letter.at_ms))
            notes.append((note.key, note.value, letter.partition, None, note.headers))
        self._sent(self._letters, notes)

    def _sent(self, topic: str, records: list[tuple[Any, ...]]) -> list[Any]:
        """Where some records (key, value, partition, timestamp, headers) have come to lie."""
        try:
            futures = [
                self._producer.send(
                    topic, value, key=key, partition=partition, timestamp_ms=timestamp, headers=list(headers)
                )
                for key, value, partition, timestamp, headers in records
            ]
            self._producer.flush(_ANSWER_S)
            return [future.get(_ANSWER_S) for future in futures]
        except (KafkaError, ValueError) as error:
            said = " ".join(str(error).split()) or type(error).__name__
            msg = (
                f"{self._broker}: topic {topic} did not take a record: {said}; it takes Write. {self.delivered} events "
                "have been sent; give the same command again, what was sent twice changes no figure"
            )
            raise Unreachable(msg) from error

    def close(self) -> None:
        """Ends the connection."""
        with contextlib.suppress(KafkaError):
            self._producer.close(timeout=5)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
