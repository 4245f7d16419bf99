"""`attente norms explain` without a file: the events are those of the broker's topic."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from attente.broker.local import LocalBroker
from attente.model.partitioning import partition_of
from report.report_files import NATION, registry, run, write
from signed import key_of


def test_what_the_topic_holds_explains_what_the_file_explains(
    broker: LocalBroker, make_topics: Callable[..., str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prefix = make_topics(4, archive=True)
    file, network = write(tmp_path), registry(tmp_path)
    where = ("--broker", broker.bootstrap, "--prefix", prefix)
    asked = ("--registry", network, "--office", NATION, "--date", "2026-11-23")
    assert run("replay", file, *where, "--quiet") == 0
    capsys.readouterr()

    def explained(*arguments: str | Path) -> dict[str, Any]:
        assert run("norms", "explain", "call-20", *arguments, *asked, "--json") == 0
        found: dict[str, Any] = json.loads(capsys.readouterr().out)
        return found

    by_topic, by_file = explained(*where), explained(file)
    source = by_topic.pop("source")
    del by_file["source"]
    assert by_topic == by_file
    assert by_topic["readings"]["visit"]["answered_within"] == 2
    partition = partition_of(NATION.encode(), 4)
    assert (source["topic"], source["partition"], source["first_offset"]) == (f"{prefix}events", partition, 0)
    # A topic that is not there
    assert run("norms", "explain", "call-20", *asked, "--broker", broker.bootstrap, "--prefix", "nobodys.") == 4
    assert capsys.readouterr().err == (
        f"attente: {broker.bootstrap}: there is no topic nobodys.events; create it with `attente topics apply`\n"
    )


def test_a_topic_of_signed_events_is_read_as_the_workers_read_it(
    broker: LocalBroker, make_topics: Callable[..., str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, network = write(tmp_path), registry(tmp_path)
    key = key_of(NATION)
    keys = tmp_path / "signing.keys"
    keys.write_text(key.line)
    entry = f"keys: [{{id: {key.id}, fingerprint: {key.fingerprint}}}], signatures: require, "
    text = Path(network).read_text().replace(f"{{id: {NATION}, ", f"{{id: {NATION}, {entry}")
    assert entry in text
    Path(network).write_text(text)
    unsigned, signed = (("--broker", broker.bootstrap, "--prefix", make_topics(1, archive=True)) for _ in range(2))
    asked = ("norms", "explain", "call-20", "--registry", network, "--office", NATION, "--date", "2026-11-23")

    def answered(*where: str) -> int:
        assert run(*asked, *where, "--keys", keys, "--json") == 0
        found: dict[str, Any] = json.loads(capsys.readouterr().out)
        return int(found["readings"]["visit"]["answered_within"])

    assert run("replay", file, *unsigned, "--quiet") == 0
    capsys.readouterr()
    assert run(*asked, *unsigned) == 5
    assert "name the file of their secrets with --keys FILE" in capsys.readouterr().err
    assert answered(*unsigned) == 0
    assert run("replay", file, *signed, "--quiet", "--keys", keys) == 0
    assert "of them signed" in capsys.readouterr().out
    assert answered(*signed) == 2
