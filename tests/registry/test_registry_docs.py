import re
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

import pytest

from attente.cli.main import main
from attente.model.signatures import Algorithm
from attente.registry.entities import Detail, End, Left, Per, Signatures, Start, StillWaiting
from attente.registry.hours import CALENDAR_KEYS, EXCEPTION_KEYS
from attente.registry.load import NETWORK_KEYS, OFFICE_KEYS, SERVICE_KEYS, load, parse
from attente.registry.norms import BUDGET_KEYS, CLOCK_KEYS, NORM_KEYS, POPULATION_KEYS
from attente.registry.presets import names
from attente.registry.signing import KEY_KEYS

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "registry.md").read_text(encoding="utf-8")
HOW_TO = (DOCS / "howto-define-a-norm.md").read_text(encoding="utf-8")


def test_the_documented_example_is_the_network_that_it_describes() -> None:
    registry = load(DOCS / "examples" / "registry.yaml")
    assert [(norm.id, norm.threshold_s, norm.target_milli) for norm in registry.norms.values()] == [
        ("caf-20", 1200, 90_000),
        ("conseil-30", 1800, 90_000),
    ]
    assert [norm.target_milli for norm in registry.norms["caf-20"].definitions()] == [85_000, 90_000]
    assert registry.offices["75-nation"].kiosks == ("hall-1", "hall-2")
    assert {office.calendar for office in registry.offices.values()} == {"usual", ""}
    assert {office.zone for office in registry.offices.values()} == {"Europe/Paris"}
    assert registry.norms["conseil-30"].offices == {"75-nation", "93-bobigny", "69-lyon-confluence"}
    assert registry.offices["75-nation"].services == tuple(registry.services)


def test_every_key_is_documented() -> None:
    tables = (NETWORK_KEYS, SERVICE_KEYS, OFFICE_KEYS, CALENDAR_KEYS, EXCEPTION_KEYS)
    keys = {key for table in (*tables, NORM_KEYS, CLOCK_KEYS, POPULATION_KEYS, BUDGET_KEYS, KEY_KEYS) for key in table}
    assert [key for key in sorted(keys) if f"`{key}`" not in PAGE] == []


@pytest.mark.parametrize("choice", [Detail, Start, End, Per, Left, StillWaiting, Signatures, Algorithm])
def test_every_choice_is_documented(choice: type[StrEnum]) -> None:
    assert [word for word in choice if f"`{word}`" not in PAGE] == []


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Callable[[str], str]:
    """What the command says of a documented file, on standard error and standard output."""

    def check(name: str) -> str:
        monkeypatch.chdir(DOCS / "examples")
        with pytest.raises(SystemExit):
            main(["registry", "check", name])
        out, err = capfd.readouterr()
        return err + out

    return check


def documented(name: str) -> str:
    found = re.search(rf"```console\n\$ attente registry check {re.escape(name)}\n(.*?)```", PAGE, re.DOTALL)
    assert found, name
    return found[1]


def test_the_documented_mistakes_get_the_documented_answers(told: Callable[[str], str]) -> None:
    assert told("registry-with-mistakes.yaml") == documented("registry-with-mistakes.yaml")


def test_the_documented_success_is_what_the_command_says(told: Callable[[str], str]) -> None:
    # The hash follows the zone database, so that only its form can be documented.
    hashes = "[0-9a-f]{16}"
    assert re.sub(hashes, "#", told("registry.yaml")) == re.sub(hashes, "#", documented("registry.yaml"))


NETWORK = (DOCS / "examples" / "registry.yaml").read_text(encoding="utf-8").partition("# When offices")[0]
OFFICES = "offices: [{id: 75-nation, name: N, region: Paris, size: large, zone: Europe/Paris, kiosks: [hall-1]}]\n"


@pytest.mark.parametrize("page", [PAGE, HOW_TO], ids=["registry", "how-to"])
def test_norms_and_calendars_of_the_pages_can_be_read_as_they_stand(page: str) -> None:
    blocks = [block for block in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL) if block[0] in "cn"]
    assert blocks
    for block in blocks:
        parse(NETWORK + OFFICES + block, "page")


def test_the_how_to_ends_with_the_norm_that_it_builds() -> None:
    block = re.findall(r"```yaml\n(norms:.*?)```", HOW_TO, re.DOTALL)[-1]
    (norm,) = parse(NETWORK + OFFICES + block, "page").norms.values()
    assert [(one.threshold_s, one.target_milli, one.valid_from) for one in norm.definitions()] == [
        (1800, 80_000, ""),
        (1500, 80_000, "2027-01-01"),
    ]


def test_the_how_to_lists_the_presets_as_the_command_does(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["registry", "presets"])
    assert f"$ attente registry presets\n{capfd.readouterr().out}```" in HOW_TO
    assert [name for name in names() if f"`{name}`" not in HOW_TO] == []
