"""`attente replay`, as a user meets it."""

import io
import json
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from attente.broker.local import LocalBroker
from attente.cli.main import main
from sources.event_lines import SECOND, visits
from sources.topic_content import content

HOUR = 3_600 * SECOND


def run(*arguments: str | Path) -> int:
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in ("replay", *arguments)])
    return int(ended.value.code or 0)


def tape(folder: Path, lines: list[bytes]) -> Path:
    path = folder / "day.ndjson"
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    return path


@pytest.fixture
def archive(broker: LocalBroker, make_topics: Callable[..., str]) -> tuple[str, ...]:
    """The flags that lead to a fresh archive."""
    return "--broker", broker.bootstrap, "--prefix", make_topics(archive=True)


def values(target: tuple[str, ...]) -> Counter[bytes]:
    _, bootstrap, _, prefix = target
    return Counter(record.value for record in content(bootstrap, f"{prefix}events"))


def test_a_file_goes_into_the_topic_and_the_sums_are_told(
    tmp_path: Path, archive: tuple[str, ...], capfd: pytest.CaptureFixture[str]
) -> None:
    lines = visits(50)
    assert run(tape(tmp_path, lines), *archive) == 0
    out, err = capfd.readouterr()
    assert out.startswith("100 events in ")
    assert sum(int(count.replace(",", "")) for count in re.findall(r"\d+: ([\d,]+)", out)) == 100
    assert err == ""
    assert values(archive) == Counter(lines)


def test_the_sums_are_one_json_object_when_asked(
    tmp_path: Path, archive: tuple[str, ...], capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(tape(tmp_path, visits(50)), *archive, "--json", "--from-line", "11") == 0
    told = json.loads(capfd.readouterr().out)
    assert (told["sent"], told["skipped"], told["next_line"], told["stopped"]) == (90, 0, 101, False)
    assert sum(told["partitions"].values()) == 90


def test_a_file_may_be_compressed(tmp_path: Path, archive: tuple[str, ...]) -> None:
    lines = visits(5)
    path = tape(tmp_path, lines)
    subprocess.run([sys.executable, "-c", _PACK, str(path)], check=True)
    assert run(f"{path}.xz", *archive) == 0
    assert values(archive) == Counter(lines)


_PACK = "import lzma,sys; open(sys.argv[1]+'.xz','wb').write(lzma.compress(open(sys.argv[1],'rb').read()))"


def test_standard_input_is_a_file_too(archive: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    lines = visits(5)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\n".join(lines))))
    assert run("-", *archive) == 0
    assert values(archive) == Counter(lines)


def test_a_line_that_is_no_event_ends_with_3_its_place_and_how_to_go_on(
    tmp_path: Path, archive: tuple[str, ...], capfd: pytest.CaptureFixture[str]
) -> None:
    path = tape(tmp_path, [*visits(2), b'{"type"'])
    assert run(path, *archive) == 3
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith(f"attente: {path}:5:8: not_json: ")
    assert line.endswith("correct it: 4 events are in the topic; go on with --from-line 5")


def test_lines_that_are_no_events_are_told_and_skipped_with_keep_going(
    tmp_path: Path, archive: tuple[str, ...], capfd: pytest.CaptureFixture[str]
) -> None:
    path = tape(tmp_path, [b"[]", *visits(2)])
    assert run(path, *archive, "--keep-going") == 0
    out, err = capfd.readouterr()
    assert "1 line skipped" in out
    assert err.startswith(f"attente: {path}:1:1: not_an_object: ")
    assert err.endswith("; skipped\n")


def test_lines_that_are_no_events_are_sent_with_raw(tmp_path: Path, archive: tuple[str, ...]) -> None:
    lines = [b"[]", *visits(2)]
    assert run(tape(tmp_path, lines), *archive, "--raw") == 0
    assert values(archive) == Counter(lines)


def test_a_live_topic_is_no_archive(
    tmp_path: Path, broker: LocalBroker, topics_prefix: str, capfd: pytest.CaptureFixture[str]
) -> None:
    target = ("--broker", broker.bootstrap, "--prefix", topics_prefix)
    path = tape(tmp_path, visits(3, every_ms=HOUR))
    assert run(path, *target) == 4
    assert "LogAppendTime, an archive replay needs CreateTime; replay with --live" in capfd.readouterr().err
    assert run(path, *target, "--live") == 0
    assert values(target).total() == 6


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (["--raw", "--keep-going"], "--raw sends what --keep-going skips; leave one of them out"),
        (["--shift-ms", "5"], "--shift-ms goes with --live: an archive keeps its times"),
        (["--speed", "0"], "'0' is no speed; write max, or a number like 1 or 60"),
        (["--speed", "nan"], "'nan' is no speed"),
        (["--max-rate", "0"], "0.0 is not in the range x>0"),
        (["--horizon", "1"], "1 is no duration; write 1s"),
    ],
)
def test_flags_that_make_no_sense_are_wrong_usage(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], flags: list[str], says: str
) -> None:
    assert run(tape(tmp_path, []), *flags) == 2
    assert says in capfd.readouterr().err


def test_standard_input_cannot_end_now(capfd: pytest.CaptureFixture[str]) -> None:
    assert run("-", "--live") == 2
    assert "standard input can be read only once: with --live use --speed 1, or a file" in capfd.readouterr().err


def test_a_tape_beyond_the_horizon_is_not_sent_live(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tape(tmp_path, visits(30, every_ms=HOUR))
    assert run(path, "--live", "--broker", "127.0.0.1:1") == 3
    assert "29.5 h old when they are sent, and refused beyond the horizon of 24 h" in capfd.readouterr().err
    assert run(path, "--live", "--broker", "127.0.0.1:1", "--horizon", "48h") == 4


def test_an_empty_file_is_replayed_live_as_any_other(tmp_path: Path, broker: LocalBroker, topics_prefix: str) -> None:
    assert run(tape(tmp_path, []), "--live", "--broker", broker.bootstrap, "--prefix", topics_prefix) == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_replay_in_order_and_the_rest_can_follow(
    tmp_path: Path, archive: tuple[str, ...], number: signal.Signals
) -> None:
    lines = visits(200)
    path = tape(tmp_path, lines)
    #  the second event is due at once, the third after a second of the tape
    command = [sys.executable, "-m", "attente", "replay", str(path), *archive, "--speed", "2", "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert process.stdout is not None
    while not values(archive):
        assert process.poll() is None
    process.send_signal(number)
    told = json.loads(process.stdout.read())
    assert process.wait(30) == 130
    process.stdout.close()
    assert told["stopped"]
    assert 0 < told["sent"] < 400
    assert told["next_line"] == told["sent"] + 1
    assert run(path, *archive, "--from-line", str(told["next_line"])) == 0
    assert values(archive) == Counter(lines)


def test_a_terminal_sees_a_progress_bar_unless_it_is_to_be_quiet(tmp_path: Path, archive: tuple[str, ...]) -> None:
    path = tape(tmp_path, visits(20))
    seen = {quiet: _on_a_terminal([str(path), *archive, *quiet]) for quiet in ((), ("--quiet",))}
    assert b"replaying" in seen[()]
    assert b"replaying" not in seen["--quiet",]


def _on_a_terminal(arguments: list[str]) -> bytes:
    """What standard error shows when it is a terminal."""
    ours, theirs = os.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "attente", "replay", *arguments], stdout=subprocess.DEVNULL, stderr=theirs
    )
    os.close(theirs)
    seen = b""
    try:
        while more := os.read(ours, 65_536):
            seen += more
    except OSError:  # so a terminal tells that nobody writes any more
        pass
    finally:
        os.close(ours)
    assert process.wait(60) == 0
    return seen
