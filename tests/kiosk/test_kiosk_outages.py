"""A broker that is away for longer than a kiosk waits for an answer: the kiosk goes on by itself, and costs no more.

The broker is stopped, killed, and suspended: then its connections stay open, and nothing comes through them. Outages
of the suite last 12 s; those of `make faults` two minutes (`ATTENTE_OUTAGE_S`), with the product's delivery time-out.
"""

import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from attente.broker.local import LocalBroker
from attente.broker.state import running
from attente.errors import Unreachable
from attente.kiosk import KioskSettings
from attente.kiosk.producer import KafkaSink
from attente.kiosk.sender import WINDOW
from attente.kiosk.spool import Spool
from attente.security import PLAINTEXT, probe
from kiosk.kiosks import EVENTS, Arrived, Program
from workers import HANG_S, content, wait_until

CAMPAIGN_S: Final = float(os.environ.get("ATTENTE_OUTAGE_S", "0"))
OUTAGE_S: Final = CAMPAIGN_S or 12.0
DELIVERY_S: Final = 30 if CAMPAIGN_S else 10
FULL_S: Final = 4.0  # a window of events is accepted in 2.5 s; then the kiosk holds as much as it ever may


def signalled(number: signal.Signals) -> Callable[[LocalBroker], None]:
    def do(broker: LocalBroker) -> None:
        state = running(broker.layout.state)
        assert state is not None
        os.kill(state.process.pid, number)

    return do


def up(broker: LocalBroker) -> None:
    broker.up()


def down(broker: LocalBroker) -> None:
    broker.down()


KINDS: Final = {
    "stopped": (down, up),
    "killed": (signalled(signal.SIGKILL), up),
    "suspended": (signalled(signal.SIGSTOP), signalled(signal.SIGCONT)),
}


@dataclass
class Outage:
    """What was seen of one.

    Attributes:
        memory_kb: of the kiosk's program: before, at most in the first half, and at most in the second.
        held_kb: how much more it held at the end than in the middle.
        resumed_s: from the first answer of the broker until an event left the spool.
    """

    memory_kb: tuple[int, int, int]
    held_kb: float
    resumed_s: float

    def __str__(self) -> str:
        before, first, second = (f"{kb / 1024:.1f}" for kb in self.memory_kb)
        memory = f"memory {before} MB before, {first} and {second} in its halves"
        return f"resumed after {self.resumed_s:.2f} s, {memory}, {self.held_kb / 1024:.1f} MB more held in the second"


def outage(kind: str, broker: LocalBroker, program: Program, spool: Spool) -> Outage:
    """Send the broker away and let it come back; returns when the kiosk has caught up."""
    go, come_back = KINDS[kind]
    bootstrap = broker.bootstrap
    before = program.figure("VmRSS")
    go(broker)
    coming_back = threading.Thread(target=come_back, args=(broker,))
    try:
        threading.Event().wait(FULL_S)
        halves = [watched(program, spool, (OUTAGE_S - FULL_S) / 2) for _ in range(2)]
        oldest = spool.after(0, 1)
    finally:
        coming_back.start()
    wait_until(lambda: answers(bootstrap), "the broker is back")
    back = time.monotonic()
    wait_until(lambda: spool.after(0, 1) != oldest, "the kiosk sends again")
    resumed_s = time.monotonic() - back
    coming_back.join(HANG_S)
    wait_until(lambda: spool.held().events <= WINDOW, "the kiosk has caught up")
    (first, middle), (second, end) = halves
    return Outage((before, first, second), (end - middle) / 1024, resumed_s)


def watched(program: Program, spool: Spool, for_s: float) -> tuple[int, int]:
    """For some seconds: the most memory that a program had, in kB, and the bytes that its spool held at last."""
    most = 0
    end = time.monotonic() + for_s
    while time.monotonic() < end:
        most = max(most, program.figure("VmRSS"))
        threading.Event().wait(0.1)
    return most, spool.held().bytes


def answers(bootstrap: str) -> bool:
    try:
        probe(bootstrap, PLAINTEXT, 0.3)
    except Unreachable:
        return False
    return True


def test_a_kiosk_outlives_every_kind_of_outage_in_the_memory_it_had_and_all_it_accepted_arrives_in_order(
    own_broker: LocalBroker, tmp_path: Path
) -> None:
    file = tmp_path / "hall-1.spool"
    # 200 events a second, 0.8 MB: what would pile up in memory would be seen.
    steady = {"together": 5, "pause": 0.1, "padding": 4_000}
    program = Program(own_broker.bootstrap, file, 0, delivery_timeout=DELIVERY_S, **steady)
    try:
        assert program.has_begun.wait(HANG_S)
        with Spool(file) as spool:
            wait_until(lambda: spool.after(WINDOW, 1), "some have been sent")
            wait_until(lambda: spool.held().events <= WINDOW, "it is at ease")
            threads = program.figure("Threads")
            seen = {kind: outage(kind, own_broker, program, spool) for kind in KINDS}
            wait_until(lambda: program.figure("Threads") <= threads, "what was thrown away has ended")
        program.end()
    finally:
        if program.process.poll() is None:
            program.kill()
    arrived = Arrived(own_broker.bootstrap)
    figures = [f"{kind}: {one}" for kind, one in seen.items()]
    figures += [f"{len(program.accepted)} accepted, {len(arrived.events)} arrived, {arrived.twice} twice"]
    print(f"outages of {OUTAGE_S:.0f} s; {'; '.join(figures)}; {len(program.said)} lines of log")
    arrived.all_are_there(program.accepted)
    for one in seen.values():
        _, first, second = one.memory_kb
        assert one.held_kb > 0, "events were accepted all the time"
        assert second - first < one.held_kb / 4, "what is held is on the disk, not in memory"
        if CAMPAIGN_S:
            assert one.resumed_s < 5.0
    assert all(line.startswith(("not sending, ", "sending again after ")) for line in program.said), program.said
    assert len(program.said) <= 4 * len(KINDS), program.said


def settings_of(broker: LocalBroker, folder: Path) -> KioskSettings:
    return KioskSettings(office="75-nation", kiosk="hall-1", spool=folder / "s", broker=broker.bootstrap, topic=EVENTS)


def test_a_producer_that_is_thrown_away_ends_and_sends_nothing_more(own_broker: LocalBroker, tmp_path: Path) -> None:
    """Else it would send what it holds while its successor begins with what is older."""
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    settings = settings_of(own_broker, tmp_path)
    sink = KafkaSink(settings)
    first = sink.send(b"first")
    wait_until(lambda: first.is_done, "the first has arrived")
    before = {thread for thread in threading.enumerate() if "network" in thread.name}
    assert before
    go, come_back = KINDS["suspended"]
    go(own_broker)
    try:
        sent = [sink.send(b"on the line")]
        threading.Event().wait(0.2)  # it is alone in its request, and there is one at a time
        sent += [sink.send(b"held") for _ in range(3)]
        sink.close()
        wait_until(lambda: all(one.is_done for one in sent), "it has given up what it holds")
        assert not any(one.succeeded() for one in sent)
        wait_until(lambda: not before & set(threading.enumerate()), "its thread has ended")
    finally:
        come_back(own_broker)
    successor = KafkaSink(settings)
    last = successor.send(b"last")
    wait_until(lambda: last.is_done, "its successor sends")
    successor.close()
    arrived = {record.value for record in content(own_broker.bootstrap, EVENTS)}
    assert arrived - {b"on the line"} == {b"first", b"last"}


def test_a_connection_that_hangs_is_waited_for_and_not_asked_for_without_a_pause(
    own_broker: LocalBroker, tmp_path: Path
) -> None:
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    sink = KafkaSink(settings_of(own_broker, tmp_path))
    first = sink.send(b"first")
    wait_until(lambda: first.is_done, "the first has arrived")
    go, come_back = KINDS["suspended"]
    go(own_broker)
    try:
        late = sink.send(b"late")
        threading.Event().wait(
            6.0
        )  # the request has been given up, and the connection is made anew: the kernel takes it
        began, taken = time.monotonic(), time.process_time()
        threading.Event().wait(3.0)
        share = (time.process_time() - taken) / (time.monotonic() - began)
    finally:
        come_back(own_broker)
    wait_until(lambda: late.is_done, "what was on its way goes on")
    assert late.succeeded()
    sink.close()
    assert share < 0.2, "a loop without a pause takes half a processor"
