"""`attente kiosk`: what goes in, what comes out, and what is told when it does not go."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from attente.broker.local import LocalBroker
from attente.kiosk.spool import Spool
from attente.model.events import TicketIssued, decode
from workers import HANG_S, ROOT, content, wait_until

WHO = ("--office", "75-nation", "--kiosk", "hall-1")
ISSUED = '{"type":"ticket.issued","ticket":"A042","service":"accueil","channel":"walkin"}'


def attente(*arguments: str, said: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "attente", "kiosk", *arguments],
        input=said,
        capture_output=True,
        text=True,
        timeout=HANG_S,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT / "streams")},
    )


def emit(spool: Path, said: str, *more: str) -> subprocess.CompletedProcess[str]:
    return attente("emit", *WHO, "--spool", str(spool), *more, said=said)


def test_what_is_emitted_is_filled_in_and_kept(tmp_path: Path) -> None:
    spool = tmp_path / "s.spool"
    done = emit(spool, f'{ISSUED}\n\n{{"type":"office.opened"}}')
    assert (done.returncode, done.stderr) == (0, "")
    with Spool(spool) as held:
        issued, opened = (decode(event.value) for event in held.after(0, 10))
    assert done.stdout.splitlines() == [issued.id, opened.id]
    assert isinstance(issued, TicketIssued)
    assert (issued.ticket, issued.office, issued.source) == ("A042", "75-nation", "/offices/75-nation/kiosks/hall-1")


def test_a_line_that_is_no_event_is_told_with_its_number_and_the_others_are_kept(tmp_path: Path) -> None:
    spool = tmp_path / "s.spool"
    done = emit(spool, f'{ISSUED}\n[]\n{{"type":"ticket.called"}}\n{{"type":"office.opened","office":"x"}}\n{ISSUED}\n')
    assert done.returncode == 3
    not_json, missing, other, last = done.stderr.splitlines()
    assert not_json.startswith("attente: line 2: not_json: ")
    assert missing == "attente: line 3: missing_attribute: ticket.called: ticket is missing; the type requires it"
    assert other == "attente: line 4: wrong_key: the event is of office 'x', this kiosk stands in '75-nation'"
    assert last == f"attente: 3 lines were no event; the others are in {spool}"
    assert len(done.stdout.splitlines()) == 2


def test_a_full_spool_takes_what_there_is_room_for_and_ends_with_a_line(tmp_path: Path) -> None:
    spool = tmp_path / "s.spool"
    done = emit(spool, f"{ISSUED}\n" * 5, "--spool-events", "3")
    assert done.returncode == 5
    assert len(done.stdout.splitlines()) == 3
    (said,) = done.stderr.splitlines()
    assert "the spool is full: 3 events" in said
    status = json.loads(attente("status", "--spool", str(spool), "--json").stdout)
    assert (status["events"], status["sending"]) == (3, False)


def test_who_it_is_has_to_be_said(tmp_path: Path) -> None:
    done = attente("emit", "--office", "75-nation", "--spool", str(tmp_path / "s"), said=ISSUED)
    assert done.returncode == 3
    assert done.stderr == "attente: a kiosk needs its kiosk; name it with --kiosk ID, or in ATTENTE_KIOSK\n"
    assert attente("emit", "--office", "Paris", said=ISSUED).returncode == 2


@pytest.mark.parametrize("command", [("status",), ("drain", *WHO)])
def test_a_spool_that_is_not_there_is_one_line_and_is_not_made(tmp_path: Path, command: tuple[str, ...]) -> None:
    done = attente(*command, "--spool", str(tmp_path / "s"))
    assert (done.returncode, done.stderr) == (
        3,
        f"attente: {tmp_path / 's'}: there is no such spool; name it with --spool FILE\n",
    )
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_sent_in_time_stays_and_is_told(tmp_path: Path) -> None:
    spool = tmp_path / "s.spool"
    emit(spool, ISSUED)
    done = attente("drain", *WHO, "--spool", str(spool), "--broker", "127.0.0.1:9", "--timeout", "0.2")
    assert done.returncode == 4
    assert done.stderr.splitlines()[-1].startswith(f"attente: 1 of 1 events are still in {spool}: ")


@pytest.mark.parametrize(("tape", "code"), [(ISSUED, 1), ("", 0)])
def test_conform_says_what_is_wrong_and_by_its_exit_code_whether(tmp_path: Path, tape: str, code: int) -> None:
    file = tmp_path / "events.ndjson"
    file.write_text(tape)
    done = attente("conform", str(file))
    assert done.returncode == code
    if code:
        assert done.stdout.startswith(f"{file}:1: wrong_specversion: ")
        told = json.loads(attente("conform", str(file), "--json").stdout)
        assert (told["events"], told["refused"], told["findings"][0]["code"]) == (1, 1, "wrong_specversion")


@pytest.mark.broker
def test_the_service_sends_what_others_put_into_its_spool_and_ends_when_told(
    broker: LocalBroker, make_topics: Callable[..., str], tmp_path: Path
) -> None:
    prefix = make_topics()
    spool = tmp_path / "s.spool"
    where = ("--spool", str(spool), "--broker", broker.bootstrap, "--prefix", prefix)
    service = subprocess.Popen(
        [sys.executable, "-m", "attente", "kiosk", "run", *WHO, *where],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / "streams")},
    )
    try:
        wait_until(spool.exists, "the service has made its spool")
        done = emit(spool, f"{ISSUED}\n{ISSUED}\n")
        assert done.returncode == 0
        with Spool(spool) as held:
            wait_until(lambda: held.held().events == 0, "all is sent")
        assert json.loads(attente("status", "--spool", str(spool), "--json").stdout)["sending"] is True
    finally:
        service.send_signal(signal.SIGTERM)
        _, said = service.communicate(timeout=HANG_S)
    assert service.returncode == 0
    assert said.splitlines() == [
        f"attente: kiosk hall-1 of 75-nation sends to {broker.bootstrap}, 0 held",
        "attente: stopped",
    ]
    sent = [decode(record.value) for record in content(broker.bootstrap, f"{prefix}events")]
    assert [event.id for event in sent if event.kind < 20] == done.stdout.splitlines()


def test_the_client_is_small_and_knows_neither_faust_nor_the_core() -> None:
    program = (
        "import pathlib, sys; import attente.kiosk, attente.kiosk.producer;"
        "(resident,) = (line.split()[1] for line in pathlib.Path('/proc/self/status').read_text().splitlines()"
        " if line.startswith('VmRSS'));"
        "print(resident, *sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / "streams")},
    )
    kilobytes, *modules = done.stdout.split()
    roots = {name.partition(".")[0] for name in modules}
    assert not roots & {"faust", "mode", "aiokafka", "yaml", "rich", "click", "prometheus_client"}
    assert not [name for name in modules if name.startswith(("attente.core", "attente.registry"))]
    assert int(kilobytes) < 60 * 1024
