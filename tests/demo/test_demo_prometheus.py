"""The scrape configuration, held against the tools themselves."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from attente.demo.prometheus import Prometheus, find_prometheus, scrape_configuration, target_list
from conftest import cannot_run


@pytest.fixture
def promtool() -> str:
    program = shutil.which("promtool")
    if program is None:
        cannot_run("promtool is not installed")
    assert program is not None
    return program


@pytest.mark.tools
def test_promtool_finds_nothing_wrong_with_the_configuration(promtool: str, tmp_path: Path) -> None:
    targets = tmp_path / "targets.json"
    targets.write_text(target_list(["http://127.0.0.1:9646"]))
    file = tmp_path / "prometheus.yaml"
    file.write_text(scrape_configuration(targets))

    done = subprocess.run([promtool, "check", "config", str(file)], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "SUCCESS" in done.stdout


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
