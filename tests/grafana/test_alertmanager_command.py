"""`attente rules alertmanager`: written, printed, compared, refused."""

from pathlib import Path

import pytest

from attente.grafana.rules.alertmanager import configuration
from attente.registry.load import load
from commands import attente
from grafana.receiver_files import SOUND, sound

REGISTRY = Path(__file__).resolve().parents[2] / "docs" / "examples" / "registry.yaml"


@pytest.fixture
def receivers(tmp_path: Path) -> Path:
    file = tmp_path / "receivers.yaml"
    file.write_text(SOUND)
    return file


def written() -> str:
    network = load(REGISTRY)
    return configuration(network, sound(network))


def command(receivers: Path, *more: str) -> tuple[str, ...]:
    return ("rules", "alertmanager", str(REGISTRY), "--receivers", str(receivers), *more)


def test_without_a_name_for_it_the_configuration_is_printed(receivers: Path) -> None:
    said = attente(*command(receivers))

    assert (said.returncode, said.stdout, said.stderr) == (0, written(), "")


def test_what_it_writes_is_current_until_the_receivers_change(receivers: Path, tmp_path: Path) -> None:
    out = tmp_path / "alertmanager.yaml"

    assert attente(*command(receivers, "--out", str(out))).returncode == 0
    assert out.read_text() == written()
    assert attente(*command(receivers, "--out", str(out), "--check")).returncode == 0
    receivers.write_text(SOUND.replace("127.0.0.1:9", "127.0.0.1:10"))
    said = attente(*command(receivers, "--out", str(out), "--check"))
    remedy = f"attente rules alertmanager {REGISTRY} --receivers {receivers} --out {out}"
    assert said.returncode == 1
    assert said.stderr == f"attente: {out}: is not what the registry and the receivers say; run {remedy}\n"
    assert out.read_text() == written()


def test_a_configuration_that_is_not_there_is_missing_when_it_is_to_be_compared(
    receivers: Path, tmp_path: Path
) -> None:
    said = attente(*command(receivers, "--out", str(tmp_path / "none.yaml"), "--check"))

    assert said.returncode == 5
    assert said.stderr.startswith(
        f"attente: {tmp_path}/none.yaml: cannot be read (No such file or directory); run attente"
    )


def test_comparing_needs_something_to_compare(receivers: Path) -> None:
    said = attente(*command(receivers, "--check"))

    assert said.returncode == 2
    assert "--check compares a file; name it with --out" in said.stderr


def test_every_problem_of_the_receivers_is_a_line_and_nothing_is_written(receivers: Path, tmp_path: Path) -> None:
    receivers.write_text(SOUND.replace("otherwise: operators", "otherwise: opertors").replace("[office]", "[ofice]"))
    out = tmp_path / "alertmanager.yaml"

    said = attente(*command(receivers, "--out", str(out)))

    assert said.returncode == 3
    assert said.stderr.splitlines() == [
        f"attente: {receivers}:9:18: route number 1: audiences: ofice is not known; did you mean office?",
        f"attente: {receivers}:11:12: otherwise opertors is no receiver of this file; did you mean operators?",
    ]
    assert not out.exists()


def test_the_help_has_an_example() -> None:
    said = attente("rules", "alertmanager", "--help")

    assert "attente rules alertmanager registry.yaml --receivers receivers.yaml --out alertmanager.yaml" in said.stdout
