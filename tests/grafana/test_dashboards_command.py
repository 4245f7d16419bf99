"""`attente dashboards build|check`, as it is typed."""

import json
from pathlib import Path

import pytest

from attente.grafana.build import dashboards
from commands import attente

NAMES = {"network.json", "office.json", "readings.json", "budget.json", "pipeline.json"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of boards, in English."""
    made = tmp_path / "boards"
    assert attente("dashboards", "build", "--out", str(made)).returncode == 0
    return made


def test_build_writes_a_file_for_every_board_and_names_it(tmp_path: Path) -> None:
    said = attente("dashboards", "build", "--out", str(tmp_path / "new" / "boards"))

    assert (said.returncode, said.stderr) == (0, "")
    assert {Path(line).name for line in said.stdout.splitlines()} == NAMES
    assert all(Path(line).is_file() for line in said.stdout.splitlines())


def test_what_was_built_is_what_is_published(folder: Path) -> None:
    files = {path.name: json.loads(path.read_text(encoding="utf-8")) for path in folder.iterdir()}
    assert {board["uid"]: board for board in files.values()} == dashboards("en")


def test_building_again_changes_no_byte(folder: Path) -> None:
    before = {path: path.read_bytes() for path in folder.iterdir()}
    attente("dashboards", "build", "--out", str(folder))
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_a_board_that_is_no_more_is_removed_and_other_files_are_left_alone(folder: Path) -> None:
    (folder / "old.json").write_text('{"uid": "attente-old"}')
    (folder / "theirs.json").write_text('{"uid": "theirs"}')
    (folder / "broken.json").write_text("{")

    assert f"{folder / 'old.json'}: is generated no more" in attente("dashboards", "check", str(folder)).stderr
    attente("dashboards", "build", "--out", str(folder))

    assert {path.name for path in folder.iterdir()} == NAMES | {"theirs.json", "broken.json"}
    assert attente("dashboards", "check", str(folder)).returncode == 0


def test_check_has_nothing_to_say_about_what_was_built(folder: Path) -> None:
    said = attente("dashboards", "check", str(folder))
    assert (said.returncode, said.stdout, said.stderr) == (0, f"ok: {folder}\n", "")


def test_check_knows_the_languages_apart(folder: Path) -> None:
    attente("dashboards", "build", "--out", str(folder), "--lang", "fr")

    assert attente("dashboards", "check", str(folder), "--lang", "fr").returncode == 0
    said = attente("dashboards", "check", str(folder))
    assert said.returncode == 1
    assert said.stderr.count("is not what the code generates; run attente dashboards build --out") == len(NAMES)


def test_a_file_for_another_name_of_a_metric_is_one_line_that_says_which(folder: Path) -> None:
    file = folder / "network.json"
    file.write_text(file.read_text(encoding="utf-8").replace("attente:longest_wait_seconds", "attente:longest_wait"))

    said = attente("dashboards", "check", str(folder))

    assert said.returncode == 1
    assert (
        f"attente: {file}: is not what the code generates; run attente dashboards build --out {folder}\n" in said.stderr
    )
    assert (
        "attente: attente-network: Longest wait now: query longest: "
        "attente:longest_wait is neither in the catalogue of metrics nor recorded [metric]\n"
    ) in said.stderr


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"panels": []}', '{"panels": 3, "templating": {"list": []}}', "\xff"]
)
def test_a_file_that_is_no_board_is_one_line(content: str, folder: Path) -> None:
    (folder / "office.json").write_text(content, encoding="latin-1")

    said = attente("dashboards", "check", str(folder))

    assert said.returncode == 1
    assert f"attente: {folder / 'office.json'}: is not what the code generates" in said.stderr
    assert "internal failure" not in said.stderr


def test_a_missing_file_is_one_line(folder: Path) -> None:
    (folder / "budget.json").unlink()

    said = attente("dashboards", "check", str(folder))

    remedy = f"run attente dashboards build --out {folder}"
    assert (said.returncode, said.stderr) == (1, f"attente: {folder / 'budget.json'}: is missing; {remedy}\n")


def test_a_folder_that_is_not_there_is_one_line_and_5(tmp_path: Path) -> None:
    said = attente("dashboards", "check", str(tmp_path / "none"))

    assert said.returncode == 5
    assert said.stderr == (
        f"attente: {tmp_path / 'none'}: there is no such folder; "
        f"write it with attente dashboards build --out {tmp_path / 'none'}\n"
    )


def test_a_language_that_there_is_not_is_a_usage_error(tmp_path: Path) -> None:
    assert attente("dashboards", "build", "--out", str(tmp_path), "--lang", "de").returncode == 2
