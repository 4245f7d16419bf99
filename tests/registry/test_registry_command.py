from dataclasses import dataclass
from pathlib import Path

import pytest
from registry_files import SOUND, changed

from attente.cli.main import main
from attente.registry.load import load


@dataclass
class Result:
    exit_code: int
    stdout: str
    stderr: str


@pytest.fixture
def run(capfd):
    def check(*arguments: object) -> Result:
        with pytest.raises(SystemExit) as stopped:
            main(["registry", "check", *map(str, arguments)])
        return Result(stopped.value.code, *capfd.readouterr())

    return check


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "registry.yaml"


def test_a_sound_file_is_summed_up_in_one_line(run, path) -> None:
    path.write_text(SOUND, encoding="utf-8")
    assert run(path) == Result(0, f"ok: 2 offices, 2 services, 1 norm, hash {load(path).hash}\n", "")


def test_every_problem_is_a_line_on_standard_error_and_the_exit_code_is_3(run, path) -> None:
    path.write_text(changed("target: 0.85", "target: 85", changed("20m", "20.5s")), encoding="utf-8")
    assert run(path) == Result(
        3,
        "",
        f"attente: {path}:24:16: norm caf-20: threshold 20.5s is not a whole number of seconds; write 20s or 21s\n"
        f'attente: {path}:25:13: norm caf-20: target 85 is not above 0 and below 1; write one like 0.85 or "85 %"\n',
    )


def test_a_file_that_is_not_there_is_one_line_and_the_exit_code_is_5(run, path) -> None:
    said = f"attente: {path}: the registry cannot be read (No such file or directory); name a readable YAML file\n"
    assert run(path) == Result(5, "", said)


def test_a_command_without_a_file_is_a_question_of_usage(run) -> None:
    assert run().exit_code == 2
