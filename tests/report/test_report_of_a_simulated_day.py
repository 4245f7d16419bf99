"""A report against what the simulator says has happened: two programs that share nothing but the events."""

import json
from pathlib import Path
from typing import Any

import pytest

from report.report_files import run


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A day of a few offices, gaming ones among them: events, registry, and what happened."""
    folder = tmp_path_factory.mktemp("day")
    told = ("--registry-out", folder / "network.yaml", "--truth", folder / "truth.json", "-o", folder / "events.ndjson")
    network = ("--offices", "7", "--seed", "11", "--visitors-per-office", "80", "--gaming", "all")
    assert run("simulate", "--day", "2026-11-17", *network, "--processes", "1", *told) == 0
    return folder


@pytest.mark.parametrize("partitions", ["1", "3"])
def test_every_office_and_service_counts_what_happened(
    day: Path, partitions: str, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("--registry", day / "network.yaml", "--partitions", partitions, "--json")
    assert run("report", day / "events.ndjson", *arguments) == 0
    report = json.loads(capsys.readouterr().out)
    truth = json.loads((day / "truth.json").read_bytes())
    desks = {row["office"]: round(row["open_desk_hours"] * 3_600_000) for row in report["offices"]}
    assert desks == {office["office"]: office["desk_open_ms"] for office in truth["offices"]}
    rows = {(row["office"], row["service"]): figures(row) for row in report["rows"]}
    happened = {
        (office["office"], service): wanted(counts)
        for office in truth["offices"]
        for service, counts in office["services"].items()
        if any(wanted(counts).values())
    }
    assert rows == happened
    assert len(happened) > 20
    assert report["quality"]["duplicate"] == sum(office["duplicates"] for office in truth["offices"])


def test_several_processes_count_what_one_counts(day: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = (day / "events.ndjson").read_bytes().splitlines(keepends=True)
    lines[7:7] = [b"noise\n"] * 3
    (day / "noisy.ndjson").write_bytes(b"".join(lines))
    arguments = ("--registry", day / "network.yaml", "--partitions", "2", "--by", "day", "--json")
    reports = []
    for processes in ("1", "3"):
        assert run("report", day / "noisy.ndjson", *arguments, "--processes", processes) == 0
        reports.append(json.loads(capsys.readouterr().out))
    assert reports[0]["quality"]["refused"]["not_json"]["events"] == 3
    assert reports[0] == reports[1]


def test_a_process_that_finds_a_file_wrong_says_so_in_one_line(day: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (day / "wrong.csv").write_text("office;day\n" * 10)
    arguments = ("--registry", day / "network.yaml", "--processes", "2")
    assert run("report", day / "wrong.csv", *arguments) == 3
    err = capsys.readouterr().err
    assert err.startswith(f"attente: {day / 'wrong.csv'}:1:1: ")
    assert err.count("\n") == 1


def figures(row: dict[str, Any]) -> dict[str, int]:
    """Of a row of the report."""
    names = ("issued", "called", "no_show", "abandoned", "transferred", "requeued", "served", "turned_away")
    return {name: row[name] for name in names} | {"wait_ms": round(row["wait"]["sum_seconds"] * 1000)}


def wanted(counts: dict[str, Any]) -> dict[str, int]:
    """Of a service of the truth."""
    names = ("called", "no_show", "abandoned", "transferred", "requeued", "turned_away")
    return {name: counts[name] for name in names} | {
        "issued": sum(counts["issued"].values()),
        "served": sum(counts["served"].values()),
        "wait_ms": counts["call_wait_ms"],
    }
