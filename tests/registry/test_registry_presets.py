import re

import pytest

from attente.registry.entities import Clock, End, Left, Norm, Per, Start, StillWaiting
from attente.registry.load import parse
from attente.registry.presets import headline, names, preset
from registry.registry_files import SOUND

NETWORK = SOUND.partition("norms:")[0]
DOOR_TO_CALL = Clock(Start.ARRIVED, End.CALLED, Per.VISIT)
TICKET_TO_CALL = Clock(Start.ISSUED, End.CALLED, Per.VISIT)
TICKET_TO_SERVICE = Clock(Start.ISSUED, End.STARTED, Per.VISIT)
FIRST_CALL = Clock(Start.ISSUED, End.CALLED, Per.FIRST)


def norms_of(name: str) -> list[Norm]:
    return list(parse(NETWORK + preset(name), name).norms.values())


def test_there_are_four_presets() -> None:
    assert names() == ("family-branch-20", "in-person-25", "state-services-30", "two-stage")


@pytest.mark.parametrize(
    ("name", "promises"),
    [
        ("family-branch-20", [(1200, 85_000, DOOR_TO_CALL, Left.EXCLUDED)]),
        ("in-person-25", [(1500, 80_000, TICKET_TO_SERVICE, Left.EXCLUDED)]),
        ("state-services-30", [(1800, 90_000, TICKET_TO_CALL, Left.FAILED)]),
        ("two-stage", [(300, 90_000, FIRST_CALL, Left.FAILED), (1200, 85_000, TICKET_TO_SERVICE, Left.FAILED)]),
    ],
)
def test_a_preset_promises_what_its_name_says(name: str, promises: list[object]) -> None:
    found = [(norm.threshold_s, norm.target_milli, norm.clock, norm.left) for norm in norms_of(name)]
    assert found == promises


def test_the_family_branch_counts_who_waits_too_long_now() -> None:
    (norm,) = norms_of("family-branch-20")
    assert norm.channels == {"walkin", "appointment"}
    assert norm.still_waiting is StillWaiting.FAILED


@pytest.mark.parametrize("name", names())
def test_a_preset_says_what_is_published_and_what_is_the_networks_choice(name: str) -> None:
    text = preset(name)
    assert re.findall(r"^# (Published|The network's choice): \S", text, re.MULTILINE) == [
        "Published",
        "The network's choice",
    ]
    assert text.startswith(f"# {headline(name)}\n")
    assert len(headline(name)) <= 90


@pytest.mark.parametrize("name", names())
def test_the_norms_of_a_preset_can_stand_beside_those_of_all_others(name: str) -> None:
    others = {norm.id for other in names() if other != name for norm in norms_of(other)}
    assert not others & {norm.id for norm in norms_of(name)}


def test_a_preset_that_there_is_not_is_a_key_error() -> None:
    with pytest.raises(KeyError, match="none"):
        preset("none")
    with pytest.raises(KeyError):
        preset("../presets/two-stage")
