"""What test_kiosk_full_disk.py runs where it may mount: each test has a file system of two megabytes to itself."""

import os
import random
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from attente.broker.admin import connect
from attente.broker.topics import apply, with_prefix
from attente.kiosk import Kiosk, KioskSettings, SpoolBroken
from attente.kiosk.producer import KafkaSink
from attente.kiosk.sender import Producer
from attente.kiosk.spool import Spool
from attente.model.events import KioskHeartbeat, decode
from attente.model.topics import topics
from workers import HANG_S, ROOT, content

WHO: Final = ("--office", "75-nation", "--kiosk", "hall-1")
ISSUED: Final = '{"type":"ticket.issued","ticket":"A042","service":"accueil","channel":"walkin"}\n'
REMEDY: Final = "; make room on the disk; what was accepted is kept"


@pytest.fixture
def disk(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A small disk, in memory; of two megabytes, or as many as the parameter says."""
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={getattr(request, 'param', 2)}m,mode=700", "none", folder], check=True
    )
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.fixture
def settings(disk: Path) -> KioskSettings:
    """A kiosk whose spool is on the small disk, and which has a topic to itself."""
    bootstrap = os.environ["ATTENTE_TEST_BROKER"]
    prefix = f"t{uuid.uuid4().hex[:12]}."
    with connect(bootstrap) as admin:
        assert not any(result.failure for result in apply(admin, with_prefix(topics(1), prefix)))
    return KioskSettings(
        office="75-nation", kiosk="hall-1", spool=disk / "s", broker=bootstrap, topic=f"{prefix}events"
    )


def arrived(settings: KioskSettings) -> list[str]:
    """The ids of the events on the topic, as they lie there."""
    events = [decode(record.value) for record in content(settings.broker, settings.topic)]
    return [event.id for event in events if not isinstance(event, KioskHeartbeat)]


def free(disk: Path) -> int:
    state = os.statvfs(disk)
    return state.f_bavail * state.f_frsize


def fill(disk: Path, but: int) -> None:
    """What somebody else writes to the disk, until so many bytes are left."""
    (disk / "a-log").write_bytes(b"x" * (free(disk) - but))


def until_it_is_full(kiosk: Kiosk) -> list[str]:
    """Report until nothing is accepted any more; the ids of what was."""
    accepted: list[str] = []
    said = ""
    while not said:
        assert len(accepted) < 20_000, "the disk is never full"
        try:
            accepted.append(kiosk.ticket_issued(ticket=f"A{len(accepted)}", service="accueil"))
        except SpoolBroken as full:
            said = str(full)
    assert said.endswith(REMEDY)
    assert "\n" not in said
    return accepted


def emit(spool: Path, said: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "attente", "kiosk", "emit", *WHO, "--spool", str(spool)],
        input=said,
        capture_output=True,
        text=True,
        timeout=HANG_S,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT / "streams")},
    )


@pytest.mark.parametrize("left", [None, 200_000], ids=["by the spool", "by somebody else"])
def test_a_kiosk_whose_disk_is_full_sends_all_it_holds_when_the_broker_is_back_and_accepts_again(
    disk: Path, settings: KioskSettings, left: int | None
) -> None:
    is_back = threading.Event()

    def producer() -> Producer:
        if not is_back.is_set():
            message = "the broker is away"
            raise ConnectionError(message)
        return KafkaSink(settings)

    with Kiosk(settings, connect=producer) as kiosk:
        accepted = [kiosk.office_opened()]
        if left is not None:
            fill(disk, but=left)
        accepted += until_it_is_full(kiosk)
        for _ in range(3):
            with pytest.raises(SpoolBroken):
                kiosk.ticket_issued(ticket="refused", service="accueil")
        assert len(accepted) > 50
        assert kiosk.status().held.events == len(accepted)
        is_back.set()
        assert kiosk.drain(HANG_S), kiosk.status()
        accepted += [kiosk.ticket_issued(ticket=f"B{number}", service="accueil") for number in range(300)]
        assert kiosk.drain(HANG_S), kiosk.status()
        assert kiosk.status().trouble == ""
    assert arrived(settings) == accepted


def test_a_kiosk_that_starts_on_a_full_disk_sends_what_it_holds(disk: Path, settings: KioskSettings) -> None:
    with Kiosk(settings, is_sending=False) as kiosk:
        accepted = until_it_is_full(kiosk)
    fill(disk, but=0)
    with Kiosk(settings) as kiosk:
        assert kiosk.status().held.events == len(accepted)
        assert kiosk.drain(HANG_S), kiosk.status()
    assert arrived(settings) == accepted


def test_it_accepts_again_before_all_is_taken_away(disk: Path) -> None:
    with Spool(disk / "s") as spool:
        while free(disk) > 100_000:
            spool.add([b"x" * 300])
        fill(disk, but=0)
        with pytest.raises(SpoolBroken):
            spool.add([b"x" * 300] * 1_000)
        last = spool.held().events
        for number in range(last // 2):  # one by one, so that room is needed for it often
            spool.remove_up_to(number)
        assert not (disk / "s-reserve").exists()
        assert spool.add([b"x" * 300]) == last + 1
        spool.remove_up_to(last + 1)
        assert (disk / "s-reserve").exists()


@pytest.mark.parametrize("disk", [4], indirect=True)
def test_much_can_be_taken_away_at_once(disk: Path) -> None:
    with Spool(disk / "s") as spool:
        while free(disk) > 600_000:
            spool.add([b"x" * 4_000] * 5)
        fill(disk, but=0)
        last = spool.held().events
        assert last > 450  # of which SQLite writes two megabytes while it takes them away
        spool.remove_up_to(last)
        assert spool.held().events == 0


def test_of_what_is_emitted_onto_a_full_disk_what_was_printed_is_in_the_spool_and_nothing_else(disk: Path) -> None:
    done = emit(disk / "s", ISSUED * 5_000)
    assert done.returncode == 5
    (said,) = done.stderr.splitlines()
    assert said.startswith(f"attente: {disk / 's'}: the spool cannot be written: ")
    assert said.endswith(REMEDY)
    printed = done.stdout.splitlines()
    assert len(printed) > 200
    with Spool(disk / "s") as spool:
        assert [decode(event.value).id for event in spool.after(0, 10_000)] == printed
    fill(disk, but=0)
    again = emit(disk / "s", ISSUED * 300)
    assert (again.returncode, again.stdout) == (5, "")


@pytest.mark.parametrize("left", [0, 100_000, 900_000])
def test_a_disk_that_is_full_from_the_start_is_one_line(disk: Path, left: int) -> None:
    fill(disk, but=left)
    done = emit(disk / "s", ISSUED)
    assert (done.returncode, done.stdout) == (5, "")
    (said,) = done.stderr.splitlines()
    assert said.endswith(REMEDY)


@pytest.mark.parametrize("disk", [4], indirect=True)
def test_of_events_that_are_taken_at_once_no_more_are_accepted_than_can_be_taken_away_again(disk: Path) -> None:
    with Spool(disk / "s") as spool:
        spool.add([b"first"])
        room = free(disk)
        for share in range(9, 0, -1):  # tenths of the room there is
            try:
                spool.add([b"x" * 300] * (room * share // 10 // 300))
            except SpoolBroken:
                continue
            break
        last = spool.held().events
        assert last * 300 > room / 10
        fill(disk, but=0)
        for number in (*range(0, last, 500), last):
            spool.remove_up_to(number)
        assert spool.add([b"x"]) == last + 1


@pytest.mark.parametrize("seed", range(24))
def test_whatever_comes_and_goes_on_a_small_disk_can_be_taken_away_and_an_empty_spool_accepts(
    disk: Path, seed: int
) -> None:
    dice = random.Random(seed)  # noqa: S311 - repeatable, not secret
    size = dice.choice((100, 600, 2_000, 10_000, 16_000))
    with Spool(disk / "s") as one, Spool(disk / "s") as other:
        model = [(one.add([b"first"]), 5)]  # number and length of what is held
        fill(disk, but=dice.randrange(30_000, 500_000))
        for _ in range(300):
            spool = dice.choice((one, other))
            if dice.random() < 0.7:
                values = [b"x" * dice.randrange(1, size) for _ in range(dice.choice((1, 1, 1, 1, 10, 100)))]
                try:
                    last = spool.add(values)
                except SpoolBroken:
                    assert model or len(values) > 1, "an empty spool accepts an event"
                else:
                    model += [(last + 1 - len(values) + i, len(value)) for i, value in enumerate(values)]
            elif model and dice.random() < 0.6:
                taken = dice.randrange(1, min(500, len(model)) + 1) if dice.random() < 0.8 else len(model)
                spool.remove_up_to(model[taken - 1][0])
                del model[:taken]
            held = spool.held()
            assert (held.events, held.bytes) == (len(model), sum(length for _, length in model))
        assert [(event.number, len(event.value)) for event in one.after(0, 10_000)] == model
