"""A kiosk that is killed again and again, while the broker comes and goes: nothing accepted is lost or reordered.

The suite kills eight times; `make faults` a hundred (`ATTENTE_KILLS`).
"""

import json
import os
import random
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from attente.broker.admin import connect
from attente.broker.local import LocalBroker
from attente.broker.topics import apply, with_prefix
from attente.errors import Missing
from attente.model.events import KioskHeartbeat, decode
from attente.model.topics import topics
from needs import cannot_run
from workers import HANG_S, content

ROOT = Path(__file__).resolve().parents[2]
KILLS = int(os.environ.get("ATTENTE_KILLS", "8"))
PREFIX = "kills."


@pytest.fixture
def own_broker(broker_extra: None, tmp_path: Path) -> Iterator[LocalBroker]:
    """A Kafka that comes and goes: nobody else's."""
    one = LocalBroker(tmp_path / "broker")
    try:
        one.up()
    except Missing as error:
        cannot_run(str(error))
    with connect(one.bootstrap) as admin:
        assert all(not result.failure for result in apply(admin, with_prefix(topics(4), PREFIX)))
    try:
        yield one
    finally:
        one.down()


class Program:
    """A kiosk's program, and what it says it has accepted."""

    def __init__(self, bootstrap: str, spool: Path, run: int, pause_s: float) -> None:
        self.accepted: list[str] = []
        self.has_begun = threading.Event()
        program = [sys.executable, str(ROOT / "tests" / "kiosk" / "kiosk_program.py")]
        self.process = subprocess.Popen(
            [*program, bootstrap, f"{PREFIX}events", str(spool), str(run), str(pause_s)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(ROOT / "streams")},
        )
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.endswith(b"\n"):  # a line cut off by the kill may have been accepted or not
                self.accepted.append(line.decode().strip())
            self.has_begun.set()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(HANG_S)
        self._listener.join(HANG_S)

    def end(self) -> None:
        """Tell it to send all it can and to end."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        code = self.process.wait(HANG_S)
        assert self.process.stderr is not None
        assert code == 0, self.process.stderr.read().decode()
        self._listener.join(HANG_S)


def test_what_was_accepted_is_on_the_topic_in_order_whenever_the_kiosk_is_killed(
    own_broker: LocalBroker, tmp_path: Path
) -> None:
    dice = random.Random(7)  # noqa: S311 - repeatable, not secret
    spool = tmp_path / "hall-1.spool"
    accepted: list[str] = []
    is_up = True
    bootstrap = own_broker.bootstrap  # the same after every start
    for run in range(KILLS):
        if run % 6 == 2:
            own_broker.down()
            is_up = False
        elif not is_up and run % 6 == 4:
            own_broker.up()
            is_up = True
        program = Program(bootstrap, spool, run, pause_s=0.001 if run % 2 else 0.0)
        assert program.has_begun.wait(HANG_S)
        threading.Event().wait(dice.random() * 0.6)  # the moment of the kill is what is random
        program.kill()
        accepted += program.accepted
    if not is_up:
        own_broker.up()
    last = Program(bootstrap, spool, KILLS, pause_s=0.001)
    assert last.has_begun.wait(HANG_S)
    last.end()
    accepted += last.accepted

    arrived: dict[str, bytes] = {}
    doubles = 0
    for record in content(bootstrap, f"{PREFIX}events"):
        event = decode(record.value)
        if isinstance(event, KioskHeartbeat):
            continue
        assert record.key == b"75-nation"
        ticket = json.loads(record.value)["ticket"]
        doubles += ticket in arrived
        assert arrived.setdefault(ticket, record.value) == record.value, "what comes twice is the same to the byte"
    assert len(accepted) > 10 * KILLS  # else the test would prove nothing
    missing = [ticket for ticket in accepted if ticket not in arrived]
    assert missing == []
    order = {ticket: place for place, ticket in enumerate(arrived)}
    places = [order[ticket] for ticket in accepted]
    assert places == sorted(places), "first arrivals are in the order of acceptance"
    # Not printed before the kill, but accepted: at most one of each life that was killed.
    assert len(arrived) - len(accepted) <= KILLS
    print(f"{KILLS} kills, {len(accepted)} accepted, {len(arrived)} arrived, {doubles} twice")
