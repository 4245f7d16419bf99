import json
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pytest

from attente.cli.main import main
from attente.registry.load import load
from attente.registry.presets import names, preset
from registry.registry_files import RICH, SOUND, changed


@dataclass
class Result:
    exit_code: int
    stdout: str
    stderr: str


class Run(Protocol):
    def __call__(self, *arguments: object, command: str = "check") -> Result: ...


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Run:
    def check(*arguments: object, command: str = "check") -> Result:
        with pytest.raises(SystemExit) as stopped:
            main(["registry", command, *map(str, arguments)])
        assert isinstance(stopped.value.code, int)
        return Result(stopped.value.code, *capfd.readouterr())

    return check


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "registry.yaml"


def test_a_sound_file_is_summed_up_in_one_line(run: Run, path: Path) -> None:
    path.write_text(SOUND, encoding="utf-8")
    assert run(path) == Result(
        0, f"ok: 2 offices, 2 services, 1 norm, 0 calendars, 0 kiosks, hash {load(path).hash}\n", ""
    )


def test_every_problem_is_a_line_on_standard_error_and_the_exit_code_is_3(run: Run, path: Path) -> None:
    path.write_text(changed("target: 0.85", "target: 85", changed("20m", "20.5s")), encoding="utf-8")
    assert run(path) == Result(
        3,
        "",
        f"attente: {path}:24:16: norm caf-20: threshold 20.5s is not a whole number of seconds; write 20s or 21s\n"
        f'attente: {path}:25:13: norm caf-20: target 85 is not above 0 and below 1; write one like 0.85 or "85 %"\n',
    )


def test_a_file_that_is_not_there_is_one_line_and_the_exit_code_is_5(run: Run, path: Path) -> None:
    said = f"attente: {path}: the registry cannot be read (No such file or directory); name a readable YAML file\n"
    assert run(path) == Result(5, "", said)


def test_a_command_without_a_file_is_a_question_of_usage(run: Run) -> None:
    assert run().exit_code == 2


def test_calendars_and_kiosks_are_counted_and_definitions_of_one_norm_are_one_norm(run: Run, path: Path) -> None:
    path.write_text(RICH, encoding="utf-8")
    said = f"ok: 2 offices, 2 services, 1 norm, 1 calendar, 2 kiosks, hash {load(path).hash}\n"
    assert run(path) == Result(0, said, "")


SHOWN = """\
caf, hash {hash}
business days from 03:00, events up to 24h late, windows per service
2 offices, 2 services, 2 kiosks

region         offices  kiosks  with calendar
Auvergne       1        0       0
Île de France  1        2       1

size    offices  kiosks  with calendar
(none)  1        0       0
large   1        2       1

calendar usual: 1 office, 2 holidays, 2 exceptions
  mon  09:00-12:30, 13:30-17:00
  tue  09:00-12:30, 13:30-17:00
  wed  09:00-12:30, 13:30-17:00
  thu  09:00-12:30, 13:30-17:00
  fri  09:00-12:30
  sat  closed
  sun  closed

norm vingt
  from ever: Vingt minutes
    85 % within 20m, issued to called, per leg; appointment, remote, walkin; left excluded; still waiting ignored
    1 office, 2 queues: accueil, other
  from 2026-06-01: Quinze
    90 % within 15m, issued to called, per leg; appointment, remote, walkin; left excluded; still waiting ignored
    1 office, 3 queues: accueil, rdv, other
"""


def test_show_tells_what_a_file_comes_to(run: Run, path: Path) -> None:
    path.write_text(RICH, encoding="utf-8")
    assert run(path, command="show") == Result(0, SHOWN.format(hash=load(path).hash), "")


def test_show_as_json_names_the_offices_and_services_that_selectors_stand_for(run: Run, path: Path) -> None:
    path.write_text(RICH, encoding="utf-8")
    facts = json.loads(run(path, "--json", command="show").stdout)
    assert (facts["network"], facts["hash"], facts["offices"], facts["kiosks"]) == ("caf", load(path).hash, 2, 2)
    assert facts["cut_over"] == "03:00"
    assert facts["zones"] == {"Europe/Paris": 2}
    assert facts["regions"][1] == {"region": "Île de France", "offices": 1, "kiosks": 2, "with_calendar": 1}
    assert facts["calendars"][0]["weekly"]["fri"] == ["09:00-12:30"]
    assert facts["calendars"][0]["exceptions"][0] == {"from": "2026-08-03", "to": "2026-08-14", "hours": "closed"}
    (norm,) = facts["norms"]
    old, new = norm["definitions"]
    assert (old["valid_from"], new["valid_from"]) == (None, "2026-06-01")
    assert (old["threshold_seconds"], old["target"]) == (1200, 0.85)
    assert (old["offices"], old["services"], old["queues"]) == (["nation"], ["accueil", "other"], 2)
    assert new["clock"] == {"from": "issued", "to": "called", "per": "leg"}


def test_queues_are_pairs_of_an_office_and_a_service_that_it_offers(run: Run, path: Path) -> None:
    text = changed("offices: [nation]", 'offices: "*"', changed("services: [logement]", 'services: "*"'))
    path.write_text(text, encoding="utf-8")
    (norm,) = json.loads(run(path, "--json", command="show").stdout)["norms"]
    assert norm["definitions"][0]["queues"] == 2 + 1 + 2  # of one office both services, of the other one, and `other`


def test_show_tells_problems_as_check_does(run: Run, path: Path) -> None:
    path.write_text(changed("20m", "20.5s"), encoding="utf-8")
    assert run(path, command="show") == run(path)
    assert run(path, command="show").exit_code == 3
    assert run(path.parent / "none.yaml", command="show").exit_code == 5


def test_presets_are_listed_with_what_they_promise(run: Run) -> None:
    listed = run(command="presets").stdout.splitlines()
    assert [line.split()[0] for line in listed] == list(names())
    assert listed == sorted(listed)
    assert [one["name"] for one in json.loads(run("--json", command="presets").stdout)] == list(names())


def test_a_preset_is_printed_as_it_stands_in_the_package(run: Run) -> None:
    assert run("two-stage", command="presets") == Result(0, preset("two-stage"), "")
    facts = json.loads(run("two-stage", "--json", command="presets").stdout)
    assert facts["yaml"] == preset("two-stage")
    assert facts["headline"].startswith("Greeted within 5 minutes")


def test_an_unknown_preset_is_a_question_of_usage_with_the_nearest_name(run: Run) -> None:
    found = run("two-stages", command="presets")
    assert (found.exit_code, found.stdout) == (2, "")
    assert "two-stages is no preset; did you mean two-stage?" in found.stderr
    assert f"there are {', '.join(names())}" in run("x", command="presets").stderr


@pytest.mark.parametrize("command", ["check", "show", "presets"])
def test_every_command_shows_an_example(run: Run, command: str) -> None:
    assert f"Example: attente registry {command} " in run("--help", command=command).stdout
