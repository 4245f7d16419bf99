"""`attente import`, as a user meets it."""

import json
import lzma
import subprocess
import sys
from pathlib import Path

import pytest

from attente.cli.main import main
from attente.model.events import decode
from sources.technion_rows import HUNG_UP, LEFT, as_row, row, tape


def run(*arguments: str | Path) -> int:
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in ("import", *arguments)])
    return int(ended.value.code or 0)


def test_events_go_to_standard_output_and_the_report_to_standard_error(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert run("technion", tape(tmp_path, row(), as_row(HUNG_UP), as_row(LEFT))) == 0
    out, err = capfdbinary.readouterr()
    assert [type(decode(line)).__name__ for line in out.splitlines()] == [
        "TicketIssued",
        "TicketIssued",
        "TicketCalled",
        "ServiceStarted",
        "TicketAbandoned",
        "ServiceEnded",
    ]
    told = {" ".join(line.split()) for line in err.decode().splitlines()}
    assert {
        "rows read 3",
        "tickets 2",
        "dropped: left before queueing 1",
        "ticket.issued 2",
        "events written 6",
    } <= told


def test_the_report_is_one_json_object_when_asked(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert run("technion", tape(tmp_path, row()), "--json", "--report", tmp_path / "report.json") == 0
    told = json.loads(capfdbinary.readouterr().err)
    assert told == {
        "rows": 1,
        "tickets": 1,
        "dropped": {},
        "events": {"service.ended": 1, "service.started": 1, "ticket.called": 1, "ticket.issued": 1},
        "duplicates": 0,
        "displaced": 0,
        "furthest_ms": 0,
        "written": 4,
    }
    assert json.loads((tmp_path / "report.json").read_bytes()) == told


def test_the_options_reach_the_importer(tmp_path: Path) -> None:
    rows = [row(call_id=str(number), q_start=f"7:{number:02d}:00") for number in range(50)]
    out, report = tmp_path / "events.ndjson", tmp_path / "report.json"
    options = ("--offices", "3", "--shuffle", "30m", "--duplicates", "0.1", "--seed", "5", "--report", str(report))
    assert run("technion", tape(tmp_path, *rows), "-o", out, *options) == 0
    events = [decode(line) for line in out.read_bytes().splitlines()]
    told = json.loads(report.read_bytes())
    assert {event.office for event in events} == {"bank-01", "bank-02", "bank-03"}
    assert len(events) == told["written"] == 220
    assert told["duplicates"] == 20
    assert told["displaced"] > 100
    assert 0 < told["furthest_ms"] <= 30 * 60_000


def test_the_same_options_give_the_same_bytes(tmp_path: Path) -> None:
    path = tape(tmp_path, *(row(call_id=str(number), q_start=f"7:{number:02d}:00") for number in range(50)))
    written = {}
    for name, seed in (("first", "8"), ("second", "8"), ("other", "9")):
        out = tmp_path / name
        assert run("technion", path, "-o", out, "--shuffle", "1h", "--duplicates", "0.1", "--seed", seed) == 0
        written[name] = out.read_bytes()
    assert written["first"] == written["second"] != written["other"]


def test_a_wrong_file_is_one_line_with_its_place_and_writes_nothing(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    path, out = tape(tmp_path, row(), row(q_time="soon")), tmp_path / "events.ndjson"
    assert run("technion", path, "-o", out) == 3
    (line,) = capfdbinary.readouterr().err.decode().splitlines()
    column = row(q_time="soon").index("soon") + 1
    assert line == f'attente: {path}:3:{column}: q_time "soon" is no whole number; fetch the tape again'
    assert not out.exists()


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["technion", "nowhere.tsv"], 5, "attente: nowhere.tsv: cannot be read: No such file or directory; check"),
        (["warsaw", "x"], 2, "'warsaw' is not 'technion'"),
        (["technion", "x", "--shuffle", "6"], 2, "6 is no duration; write 6s"),
        (["technion", "x", "--duplicates", "3"], 2, "3.0 is not in the range 0<=x<=1"),
        (["technion", "x", "--offices", "0"], 2, "0 is not in the range 1<=x<=9999"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line_with_its_exit_code(
    capfdbinary: pytest.CaptureFixture[bytes], arguments: list[str], code: int, says: str
) -> None:
    assert run(*arguments) == code
    assert says in capfdbinary.readouterr().err.decode()


def test_an_output_that_cannot_be_written_is_said_so(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert run("technion", tape(tmp_path, row()), "-o", tmp_path / "no" / "x") == 5
    assert b"cannot be written: No such file or directory; check the folder" in capfdbinary.readouterr().err


def test_a_reader_that_goes_away_is_no_failure_of_the_import(tmp_path: Path) -> None:
    path = tape(tmp_path, *(row(call_id=str(number)) for number in range(5_000)), name="tape.tsv.xz")
    assert lzma.decompress(path.read_bytes()).count(b"\n") == 5_001
    process = subprocess.Popen(
        [sys.executable, "-m", "attente", "import", "technion", str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline().startswith(b'{"type":"ticket.issued"')
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait(60) == 141
    process.stderr.close()
