import re
from pathlib import Path

import pytest

from attente.cli.main import main
from attente.registry import load as loading
from attente.registry.entities import Detail, End, Left, Per, Start, StillWaiting
from attente.registry.load import load

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "registry.md").read_text(encoding="utf-8")


def test_the_documented_example_is_the_network_that_it_describes() -> None:
    registry = load(DOCS / "examples" / "registry.yaml")
    assert [(norm.id, norm.threshold_s, norm.target_milli) for norm in registry.norms.values()] == [
        ("caf-20", 1200, 85_000),
        ("conseil-30", 1800, 90_000),
    ]
    assert {office.zone for office in registry.offices.values()} == {"Europe/Paris"}
    assert registry.norms["conseil-30"].offices == {"75-nation", "93-bobigny", "69-lyon-confluence"}
    assert registry.offices["75-nation"].services == tuple(registry.services)


def test_every_key_is_documented() -> None:
    tables = ("NETWORK_KEYS", "SERVICE_KEYS", "OFFICE_KEYS", "NORM_KEYS", "CLOCK_KEYS", "POPULATION_KEYS")
    keys = {key for table in tables for key in getattr(loading, table)}
    assert [key for key in sorted(keys) if f"`{key}`" not in PAGE] == []


@pytest.mark.parametrize("choice", [Detail, Start, End, Per, Left, StillWaiting])
def test_every_choice_is_documented(choice) -> None:
    assert [word for word in choice if f"`{word}`" not in PAGE] == []


@pytest.fixture
def told(monkeypatch, capfd):
    """What the command says of a documented file, on standard error and standard output."""

    def check(name: str) -> str:
        monkeypatch.chdir(DOCS / "examples")
        with pytest.raises(SystemExit):
            main(["registry", "check", name])
        out, err = capfd.readouterr()
        return err + out

    return check


def documented(name: str) -> str:
    return re.search(rf"```console\n\$ attente registry check {re.escape(name)}\n(.*?)```", PAGE, re.DOTALL)[1]


def test_the_documented_mistakes_get_the_documented_answers(told) -> None:
    assert told("registry-with-mistakes.yaml") == documented("registry-with-mistakes.yaml")


def test_the_documented_success_is_what_the_command_says(told) -> None:
    # The hash follows the zone database, so that only its form can be documented.
    hashes = "[0-9a-f]{16}"
    assert re.sub(hashes, "#", told("registry.yaml")) == re.sub(hashes, "#", documented("registry.yaml"))
