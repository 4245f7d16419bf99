"""A network into Kafka: past days into an archive as fast as it takes them, or live, as it happens."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from typing import Final

import msgspec

from attente.errors import Unreachable
from attente.model.partitioning import partition_of
from attente.model.signatures import Key, Signer
from attente.model.topics import EVENTS
from attente.security import PLAINTEXT, Security
from attente.sources.outbox import Outbox
from attente.sources.simulate.crew import Member, members, stop_on_word
from attente.sources.simulate.live import Live
from attente.sources.simulate.network import Network, SimulatedOffice
from attente.sources.simulate.stream import Delivery, Runs, beginning
from attente.sources.simulate.truth import OfficeTruth
from attente.sources.target import Times, check_topic

_LOOK_EVERY_S: Final = 0.25  # how often progress is told
_LOOK_AT: Final = 256  # events, between two looks at the clock
_DELIVERY_TIMEOUT_S: Final = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SendSettings:
    """How a network is sent.

    Attributes:
        broker: HOST:PORT, or several with commas between.
        topic: the events' topic, by its name at the broker.
        days: the local dates (`date.toordinal`) that go into an archive; empty for a live network.
        seconds: for how long a live network lives; None until it is stopped.
        processes: how many, at most one for each partition; with one, this process sends (some 15,000 events/s).
        security: how it connects to the broker.
        keys: sign what is sent, as in a replay.
    """

    broker: str
    topic: str = EVENTS
    days: range = range(0)
    seconds: float | None = None
    processes: int = 1
    security: Security = PLAINTEXT
    keys: tuple[Key, ...] = ()

    @property
    def times(self) -> Times:
        """Whose time the records bear."""
        return Times.ARCHIVE if self.days else Times.LIVE


class SendReport(msgspec.Struct):
    """What was sent.

    Attributes:
        sent: records that the broker has acknowledged.
        partitions: how many of them lie in which partition.
        seconds: how long it took.
        stopped: whether it was stopped before the end.
        truths: what has happened, by office; of an archive that was not stopped it is what was sent.
    """

    sent: int = 0
    partitions: dict[int, int] = msgspec.field(default_factory=dict)
    seconds: float = 0.0
    stopped: bool = False
    truths: list[OfficeTruth] = msgspec.field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Share:
    """What one process sends: the offices of some partitions, so that one partition has one order."""

    network: Network
    settings: SendSettings
    places: dict[int, tuple[bytes, int]]  # by the office's number: key and partition


def send(
    network: Network,
    settings: SendSettings,
    progress: Callable[[int], None] | None = None,
    stop: threading.Event | None = None,
) -> SendReport:
    """Sends a network's events and returns when the broker has acknowledged all of them.

    The log of a partition is the same whatever the number of processes: each process has whole partitions.

    Args:
        network: which one.
        settings: how.
        progress: told now and then how many events have been acknowledged.
        stop: set it from another thread, or a signal's handler, to end early and in order.

    Raises:
        Unreachable: the broker does not answer, refuses, has no such topic or one of another kind, or lost a record.
    """
    began = time.monotonic()
    stop = stop or threading.Event()
    partitions = check_topic(settings.broker, settings.topic, settings.times, security=settings.security)
    shares = _dealt(network, settings, partitions)
    if len(shares) == 1:
        report = _Sending(shares[0], stop, progress or _ignore).run()
    else:
        with members(_send_share, shares) as crew:
            report = _watched(crew, progress or _ignore, stop)
    report.seconds = time.monotonic() - began
    report.stopped = stop.is_set()
    order = {office.id: office.index for office in network.offices}
    report.truths.sort(key=lambda truth: order[truth.office])
    return report


def _ignore(_: int) -> None:
    """Nobody wants to be told."""


def _dealt(network: Network, settings: SendSettings, partitions: int) -> list[_Share]:
    """The offices by partition, the partitions by process: the fullest first, each to whoever has the least."""
    by_partition: dict[int, list[SimulatedOffice]] = {}
    for office in network.offices:
        by_partition.setdefault(partition_of(office.id.encode(), partitions), []).append(office)
    weights = {p: sum(office.usual.visitors for office in offices) for p, offices in by_partition.items()}
    dealt: list[dict[int, tuple[bytes, int]]] = [{} for _ in range(min(settings.processes, len(by_partition)))]
    loads = [0.0] * len(dealt)
    for partition in sorted(weights, key=lambda p: (-weights[p], p)):
        least = loads.index(min(loads))
        loads[least] += weights[partition]
        dealt[least].update((office.index, (office.id.encode(), partition)) for office in by_partition[partition])
    return [
        _Share(replace(network, offices=tuple(o for o in network.offices if o.index in places)), settings, places)
        for places in dealt
    ]


# ---- the parent


def _watched(crew: list[Member], progress: Callable[[int], None], stop: threading.Event) -> SendReport:
    """Collects what the processes say until each has reported."""
    working = {member.pipe: member for member in crew}
    sent = dict.fromkeys(working, 0)
    whole = SendReport()
    told = False
    while working:
        if stop.is_set() and not told:
            told = True
            for member in working.values():
                member.tell()
        for pipe in wait(list(working), _LOOK_EVERY_S):
            said = working[pipe].receive()  # type: ignore[index]
            if isinstance(said, int):
                sent[pipe] = said  # type: ignore[index]
            else:
                _add(whole, msgspec.msgpack.decode(said, type=SendReport))
                del working[pipe]  # type: ignore[arg-type]
        progress(sum(sent.values()))
    return whole


def _add(whole: SendReport, part: SendReport) -> None:
    whole.sent += part.sent
    whole.partitions = dict(sorted((Counter(whole.partitions) + Counter(part.partitions)).items()))
    whole.truths += part.truths


# ---- a process


def _send_share(pipe: Connection, share: _Share) -> None:
    stop = stop_on_word(pipe)

    def progress(sent: int) -> None:
        pipe.send(sent)

    pipe.send(msgspec.msgpack.encode(_Sending(share, stop, progress).run()))


class _Sending:
    """A share on its way."""

    def __init__(self, share: _Share, stop: threading.Event, progress: Callable[[int], None]) -> None:
        self._share = share
        self._stop = stop
        self._progress = progress
        self._number = 0
        self._looked = time.monotonic()
        seconds = share.settings.seconds
        self._until = None if seconds is None else self._looked + seconds

    def run(self) -> SendReport:
        """Sends it and waits for the answers."""
        settings = self._share.settings
        network = self._share.network
        live = None if settings.days else Live(network)
        runs = live.runs if live else Runs(network, settings.days, network.offices)
        slices = (
            live.slices(self._stop, settings.seconds) if live else runs.slices(beginning(network, settings.days[0]))
        )
        with Outbox(settings.broker, settings.topic, _DELIVERY_TIMEOUT_S, self._stop, settings.security) as outbox:
            try:
                self._through(slices, outbox)
                outbox.settle()
            except Unreachable as error:
                msg = f"{error}; {outbox.acknowledged} events are in the topic; {_remedy(settings)}"
                raise Unreachable(msg) from error
            self._progress(outbox.acknowledged)
            partitions = dict(sorted(outbox.partitions.items()))
            return SendReport(outbox.acknowledged, partitions, stopped=self._stop.is_set(), truths=runs.truths)

    def _through(self, slices: Iterator[list[Delivery]], outbox: Outbox) -> None:
        archive = bool(self._share.settings.days)
        signers = {key.office.encode(): Signer(key) for key in self._share.settings.keys}
        for deliveries in slices:
            for delivery in deliveries:
                self._number += 1
                if self._number % _LOOK_AT == 0 and not self._look(outbox):
                    return
                key, partition = self._share.places[delivery.office]
                stamp = delivery.at_ms if archive else None
                signer = signers.get(key)
                headers = [] if signer is None else signer.headers(delivery.value)
                outbox.send(self._number, partition, key, delivery.value, stamp, headers)
            if not self._look(outbox):
                return

    def _look(self, outbox: Outbox) -> bool:
        """Takes answers and tells progress, now and then; False when it is time to stop."""
        now = time.monotonic()
        if now - self._looked >= _LOOK_EVERY_S:
            self._looked = now
            outbox.take_answers()
            self._progress(outbox.acknowledged)
        # A producer that falls behind ends in time as well.
        return not self._stop.is_set() and (self._until is None or now < self._until)


def _remedy(settings: SendSettings) -> str:
    if settings.days:
        return "run it again with the same arguments: what is sent twice is a duplicate"
    return "run it again when the broker is back"
