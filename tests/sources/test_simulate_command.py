"""`attente simulate`, as a user meets it; with Kafka where Kafka is the subject."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from kafka import KafkaConsumer, TopicPartition

import attente
from attente.broker.local import LocalBroker
from attente.cli.main import main
from attente.model.events import TicketIssued, decode
from attente.model.instants import milliseconds
from attente.model.partitioning import partition_of
from attente.model.signatures import HEADER, Signer
from attente.registry.load import load
from attente.sources.simulate.network import Network
from attente.sources.simulate.stream import simulate_day
from signed import key_of
from sources.simulated import HOUR, MONDAY
from sources.topic_content import content

DAY = ("--day", "2026-11-23")


def run(*arguments: str | Path) -> int:
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in ("simulate", *arguments)])
    return int(ended.value.code or 0)


def test_a_day_goes_to_standard_output_and_the_sums_to_standard_error(
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    assert run(*DAY, "--offices", "3", "--seed", "5", "--json") == 0
    out, err = capfdbinary.readouterr()
    assert out.splitlines() == [each.value for each in simulate_day(Network.generate(5, offices=3), MONDAY)]
    told = json.loads(err)
    assert (told["offices"], told["events"], told["stopped"]) == (3, len(out.splitlines()), False)


def test_the_same_command_writes_the_same_file_whatever_the_number_of_processes(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("one", "two")]
    for number, file in enumerate(files, 1):
        assert run(*DAY, "--offices", "8", "--processes", str(number), "-o", file) == 0
    assert files[0].read_bytes() == files[1].read_bytes() != b""
    assert sorted(tmp_path.iterdir()) == files


def test_the_registry_is_one_that_the_check_accepts_and_the_truth_names_the_tricks(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    registry, truth, out = (tmp_path / name for name in ("registry.yaml", "truth.json", "day.ndjson"))
    flags = ("--offices", "6", "--gaming", "all", "--registry-out", registry, "--truth", truth, "-o", out)
    assert run(*DAY, *flags) == 0
    assert "6 offices" in capfd.readouterr().out
    offices = json.loads(truth.read_bytes())["offices"]
    assert [office["office"] for office in offices] == list(load(registry).offices)
    assert len({office["gaming"] for office in offices}) == 6
    assert sum(office["events"] for office in offices) == len(out.read_bytes().splitlines())


def test_several_days_follow_each_other(tmp_path: Path) -> None:
    out = tmp_path / "days.ndjson"
    today = datetime.now(UTC).date().isoformat()
    assert run("--day", today, "--days", "2", "--offices", "2", "-o", out) == 2  # tomorrow is over nowhere
    assert run("--day", "2026-11-02", "--days", "2", "--offices", "2", "-o", out) == 0
    issued = [event for line in out.read_bytes().splitlines() if isinstance(event := decode(line), TicketIssued)]
    assert {event.ticket[:10] for event in issued} == {"2026-11-02", "2026-11-03"}


def test_a_live_network_begins_with_the_day_so_far_and_ends_when_asked(tmp_path: Path) -> None:
    registry, out = tmp_path / "registry.yaml", tmp_path / "live.ndjson"
    began = time.time_ns() // 1_000_000
    assert run("--live", "--for", "1s", "--offices", "2", "--late", "0", "--registry-out", registry, "-o", out) == 0
    zone = ZoneInfo(next(iter(load(registry).offices.values())).zone)
    assert datetime.now(UTC).astimezone(zone).hour in (10, 11)  # the hour may have changed since
    times = [milliseconds(decode(line).time) for line in out.read_bytes().splitlines()]
    assert min(times) < began - HOUR
    assert max(times) < time.time_ns() // 1_000_000 + 3_000


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        ((), "name a past day, as in --day 2026-11-23, or use --live"),
        (("--day", "yesterday"), "'yesterday' is no date; write it like 2026-11-23"),
        (("--day", "2999-01-01"), "2999-01-01 is not over; the last day can be "),
        ((*DAY, "--live"), "--live is today; leave --day out"),
        (("--live", "--days", "2"), "--days goes with --day"),
        ((*DAY, "--for", "5m"), "--for goes with --live"),
        ((*DAY, "--rate", "5"), "--rate goes with --live: a past day goes as fast as it can"),
        (("--live", "--truth", "t"), "--truth goes with --day: what is live has no end"),
        ((*DAY, "--to-kafka", "-o", "o"), "--to-kafka writes no file; leave --out out"),
        ((*DAY, "--gaming", "hurried,lying"), "'lying' is no trick; write few, all, none, or some of uncalled,"),
        ((*DAY, "--zone", "Europe/Pari"), "Europe/Paris"),
        ((*DAY, "--late", "1.5"), "1.5 is not in the range 0<=x<=1"),
        ((*DAY, "--offices", "0"), "0 is not in the range 1<=x<=9999"),
    ],
)
def test_flags_that_make_no_sense_are_wrong_usage(
    flags: tuple[str, ...], says: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(*flags) == 2
    assert says in capfd.readouterr().err


def test_a_file_that_cannot_be_written_is_told_in_one_line(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for flag in ("-o", "--registry-out", "--truth"):
        missing = tmp_path / "no" / "such" / "folder"
        assert run(*DAY, "--offices", "1", "-o", os.devnull, flag, missing) == 5
        (line,) = (line for line in capfd.readouterr().err.splitlines() if line.startswith("attente: "))
        assert line.startswith(f"attente: {missing}: cannot be written: ")


def test_a_full_disk_behind_the_standard_output_is_told_in_one_line() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no device that is always full on this system")
    with Path("/dev/full").open("wb") as full:
        process = subprocess.run(
            command(*DAY, "--offices", "3"), check=False, stdout=full, stderr=subprocess.PIPE, env=environment()
        )
    assert process.returncode == 5
    assert process.stderr.startswith(b"attente: standard output: cannot be written: No space left on device; ")
    assert len(process.stderr.splitlines()) == 1


def test_an_absent_broker_is_told_in_one_line(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(*DAY, "--to-kafka", "--broker", "127.0.0.1:1") == 4
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith("attente: no Kafka broker at 127.0.0.1:1 (connection refused); ")


def test_a_live_network_ends_in_order_at_ctrl_c() -> None:
    flags = command("--live", "--offices", "2", "--json")
    # Without a buffer of our own, or `communicate` would not see what is in it.
    with subprocess.Popen(
        flags, bufsize=0, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        process.send_signal(signal.SIGINT)
        rest, err = process.communicate(timeout=30)
    assert process.returncode == 130
    lines = (first + rest).splitlines()
    assert all(decode(line) for line in lines)
    told = json.loads(err)
    assert (told["events"], told["stopped"]) == (len(lines), True)


# ---- with Kafka


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "attente", "simulate", *arguments]


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(Path(attente.__file__).parents[1])}


def logs(broker: LocalBroker, prefix: str) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = defaultdict(list)
    for record in content(broker.bootstrap, f"{prefix}events"):
        found[record.partition].append(record)
    return found


def ends(broker: LocalBroker, prefix: str) -> int:
    """How many records there are."""
    consumer = KafkaConsumer(bootstrap_servers=broker.bootstrap)
    try:
        topic = f"{prefix}events"
        partitions = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic)]
        return sum(consumer.end_offsets(partitions).values())
    finally:
        consumer.close()


def test_an_archive_holds_the_day_with_its_own_times_the_same_whatever_the_number_of_processes(
    broker: LocalBroker, make_topics: Callable[..., str], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    network = Network.generate(2, offices=12)
    wanted: dict[int, list[tuple[bytes, bytes, int]]] = defaultdict(list)
    for each in simulate_day(network, MONDAY):
        key = network.offices[each.office].id.encode()
        wanted[partition_of(key, 4)].append((key, each.value, each.at_ms))

    prefix, truth = make_topics(archive=True), tmp_path / "truth.json"
    flags = ("--offices", "12", "--seed", "2", "--to-kafka", "--broker", broker.bootstrap, "--prefix", prefix, "--json")
    assert run(*DAY, *flags, "--processes", "2", "--truth", truth) == 0
    found = logs(broker, prefix)
    assert {p: [(r.key, r.value, r.timestamp) for r in records] for p, records in found.items()} == wanted
    told = json.loads(capfd.readouterr().out)
    assert told["events"] == sum(map(len, wanted.values()))
    assert told["partitions"] == {str(p): len(wanted[p]) for p in sorted(wanted)}
    offices = json.loads(truth.read_bytes())["offices"]
    assert [office["office"] for office in offices] == [office.id for office in network.offices]
    assert sum(office["events"] for office in offices) == told["events"]


def test_a_live_topic_is_no_archive(broker: LocalBroker, topics_prefix: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(*DAY, "--to-kafka", "--broker", broker.bootstrap, "--prefix", topics_prefix) == 4
    assert "LogAppendTime, an archive replay needs CreateTime" in capfd.readouterr().err


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
def test_a_live_network_in_two_processes_ends_in_order_when_told_and_leaves_none_behind(
    broker: LocalBroker, topics_prefix: str
) -> None:
    flags = ("--live", "--to-kafka", "--offices", "8", "--processes", "2", "--late", "0", "--duplicates", "0")
    target = ("--broker", broker.bootstrap, "--prefix", topics_prefix, "--json")
    with subprocess.Popen(
        command(*flags, *target), env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        wait_for(lambda: len(children(process.pid)) >= 2 and ends(broker, topics_prefix), "the day so far")
        started = children(process.pid)
        process.terminate()
        out, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (130, b"")
    told = json.loads(out)
    records = [record for each in logs(broker, topics_prefix).values() for record in each]
    assert (told["events"], told["stopped"]) == (len(records), True)
    assert all(milliseconds(decode(record.value).time) <= record.timestamp + 3_000 for record in records)
    wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in started), "the children's end")


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
def test_processes_end_when_the_one_that_started_them_is_killed(broker: LocalBroker, topics_prefix: str) -> None:
    flags = ("--live", "--to-kafka", "--offices", "8", "--processes", "2")
    target = ("--broker", broker.bootstrap, "--prefix", topics_prefix)
    with subprocess.Popen(command(*flags, *target), env=environment(), stdout=subprocess.DEVNULL) as process:
        wait_for(lambda: len(children(process.pid)) >= 2 and ends(broker, topics_prefix), "the day so far")
        started = children(process.pid)
        process.kill()
        process.wait()
    wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in started), "the children's end")


def children(pid: int) -> set[int]:
    return {int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}


def wait_for(condition: Callable[[], Any], what: str) -> None:
    until = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < until, f"no sign of {what}"
        time.sleep(0.05)


def test_a_simulated_network_signs_with_the_keys_that_it_is_given_whatever_process_sends(
    broker: LocalBroker, make_topics: Callable[..., str], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    prefix = make_topics(4, archive=True)
    offices = [office.id for office in Network.generate(2, offices=4).offices]
    keys = [key_of(office) for office in offices[:-1]]  # the last one has none
    file = tmp_path / "signing.keys"
    file.write_text("\n".join(key.line for key in keys))
    flags = ("--offices", "4", "--seed", "2", "--to-kafka", "--broker", broker.bootstrap, "--prefix", prefix, "--json")
    assert run(*DAY, *flags, "--processes", "2", "--keys", file) == 0
    signers = {key.office.encode(): Signer(key) for key in keys}
    found = content(broker.bootstrap, f"{prefix}events")
    assert {record.key.decode() for record in found} == set(offices)
    for record in found:
        signer = signers.get(record.key)
        assert list(record.headers) == ([] if signer is None else [(HEADER, signer.sign(record.value))])
