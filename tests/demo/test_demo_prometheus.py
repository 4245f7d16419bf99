"""The scrape configuration, held against the tools themselves."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from attente.demo.prometheus import Prometheus, find_prometheus, scrape_configuration, target_list
from attente.grafana.rules.build import rule_files
from attente.registry.load import parse
from attente.sources.simulate.network import Network
from attente.sources.simulate.registry_text import registry_text
from needs import program


@pytest.fixture
def promtool() -> str:
    return program("promtool")


@pytest.mark.tools
def test_promtool_finds_nothing_wrong_with_the_configuration(promtool: str, tmp_path: Path) -> None:
    targets = tmp_path / "targets.json"
    targets.write_text(target_list(["http://127.0.0.1:9646"]))
    file = tmp_path / "prometheus.yaml"
    file.write_text(scrape_configuration(targets))

    done = subprocess.run([promtool, "check", "config", str(file)], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "SUCCESS" in done.stdout


@pytest.mark.tools
def test_promtool_finds_the_rules_of_the_demos_network_behind_its_configuration(promtool: str, tmp_path: Path) -> None:
    network = parse(registry_text(Network.generate(0, 8)), "registry.yaml")
    made = Prometheus(shutil.which("true") or "true", tmp_path, rule_files(network))

    made.start()

    made.process.kill()
    file = tmp_path / "prometheus" / "prometheus.yaml"
    done = subprocess.run([promtool, "check", "config", str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 rule files found" in done.stdout
    found = {name: int(rules) for name, rules in re.findall(r"rules/(\w+)\.yaml\n +SUCCESS: (\d+) rules", done.stdout)}
    assert found.keys() == {"recording", "alerts"}
    assert min(found.values()) > 10


def test_rules_are_evaluated_as_often_as_workers_are_scraped(tmp_path: Path) -> None:
    configuration = yaml.safe_load(scrape_configuration(tmp_path / "targets.json", [tmp_path / "a.yaml"], "7s"))

    assert configuration["global"] == {"scrape_interval": "7s", "evaluation_interval": "7s"}
    assert configuration["rule_files"] == [str(tmp_path / "a.yaml")]


def test_workers_are_targets_without_scheme_and_path_in_one_order() -> None:
    (group,) = json.loads(target_list(["http://127.0.0.1:2", "http://127.0.0.1:1"]))

    assert group == {"targets": ["127.0.0.1:1", "127.0.0.1:2"]}


def test_everything_of_a_prometheus_lies_in_the_runs_folder_and_listens_on_loopback(tmp_path: Path) -> None:
    made = Prometheus(shutil.which("true") or "true", tmp_path)

    made.start()

    made.scrape(["http://127.0.0.1:9646"])
    configuration = yaml.safe_load((tmp_path / "prometheus" / "prometheus.yaml").read_text())
    (file,) = configuration["scrape_configs"][0]["file_sd_configs"][0]["files"]
    assert json.loads(Path(file).read_text()) == [{"targets": ["127.0.0.1:9646"]}]
    assert Path(file).is_relative_to(tmp_path)
    assert made.url.startswith("http://127.0.0.1:")
    made.process.kill()
    assert not made.is_ready


def test_two_runs_have_two_ports(tmp_path: Path) -> None:
    assert Prometheus("true", tmp_path).url != Prometheus("true", tmp_path).url


def test_a_machine_without_the_program_has_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    assert find_prometheus() is None
