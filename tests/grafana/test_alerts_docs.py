"""docs/howto-alerts.md says what its commands say: each is run, but for those that need a running Alertmanager."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from needs import program

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "howto-alerts.md").read_text()
GAP = "  - {receiver: operators}\n"

BLOCKS = re.findall(r"```console\n(.*?)```", TEXT, re.DOTALL)
COMMANDS = [
    (command.removeprefix("$ ").strip(), said)
    for block in BLOCKS
    for command, said in re.findall(r"^(\$ (?:[^'\n]|'[^']*')*\n)((?:(?!\$ ).*\n)*)", block, re.MULTILINE)
]
RUN = [(command, said) for command, said in COMMANDS if "--alertmanager.url" not in command]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the reader has: the registry, and copies of both folders; and receivers without the last route."""
    folder = tmp_path_factory.mktemp("howto")
    shutil.copy(ROOT / "docs" / "examples" / "registry.yaml", folder)
    for name in ("prometheus", "alertmanager"):
        shutil.copytree(ROOT / "deploy" / name, folder, dirs_exist_ok=True)
    receivers = (folder / "receivers.yaml").read_text()
    assert receivers.count(GAP) == 1
    (folder / "gap.yaml").write_text(receivers.replace(GAP, ""))
    return folder


def run(command: str, folder: Path) -> list[str]:
    """The lines that a command of the page prints."""
    attente = f"{sys.executable} -m attente"
    command = command.replace("attente rules", f"{attente} rules").replace("python -c", f"{sys.executable} -c")
    environment = os.environ | {"PYTHONPATH": str(ROOT / "streams")}
    done = subprocess.run(
        ["bash", "-c", f"{command} 2>&1"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return [line.rstrip() for line in done.stdout.splitlines() if line.strip() and not line.startswith("Warning: ")]


@pytest.mark.tools
def test_every_command_says_what_the_page_says(folder: Path) -> None:
    program("amtool")
    program("promtool")

    for command, said in RUN:
        lines = [line.rstrip() for line in said.splitlines() if line.strip()]
        found = run(command, folder)[: len(lines)]
        if command.startswith("python"):  # how many series there are grows with the catalogue
            assert found[0].isdecimal()
            assert lines[0].isdecimal()
            continue
        assert found == lines, command
        assert lines or command.startswith("attente rules alertmanager"), command


def test_the_page_has_commands_of_every_program() -> None:
    assert len(RUN) == 8
    assert len(COMMANDS) == 9
    assert {command.split()[0] for command, _ in COMMANDS} == {"attente", "amtool", "promtool", "python"}


def test_every_alert_that_the_page_names_has_a_runbook() -> None:
    named = set(re.findall(r"\bAttente[A-Z]\w+", TEXT))

    assert len(named) > 3
    assert not {name for name in named if not (ROOT / "docs" / "runbooks" / f"{name}.md").is_file()}


def test_the_receivers_of_the_page_are_those_of_the_sample() -> None:
    (routes,) = re.findall(r"```yaml\n(routes:.*?)```", TEXT, re.DOTALL)
    sample = (ROOT / "deploy" / "alertmanager" / "receivers.yaml").read_text()
    plain = "\n".join(line for line in sample.splitlines() if line and not line.startswith("#"))

    assert routes.strip() in plain
