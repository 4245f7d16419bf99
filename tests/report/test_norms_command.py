"""`attente norms`, as a user meets it."""

import json
from pathlib import Path

import pytest

from attente.registry.load import load
from report.report_files import BOBIGNY, NATION, registry, run, write

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def explain(tmp_path: Path) -> tuple[str | Path, ...]:
    return ("norms", "explain", "call-20", write(tmp_path), "--registry", registry(tmp_path), "--date", "2026-11-23")


def squeezed(text: str) -> str:
    return " ".join(text.split())


def test_an_explanation_says_the_definition_the_counts_and_the_arithmetic(
    explain: tuple[str | Path, ...], tmp_path: Path, capsys: Captured
) -> None:
    assert run(*explain, "--office", NATION) == 0
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 100
    said = squeezed(out)
    assert "promise at least 50 % of all visits are over within 20 min (1,200 s)" in said
    assert "clock starts when the ticket is issued" in said
    assert "per visit: the waits of all legs of a visit are added up" in said
    assert "counts as broken, however short the wait" in said
    assert "in force from 2026-01-01 to 2026-11-23" in said
    # A1 5 min, A2 25 min, A4 4 + 8 min; A3 left after 2 min
    assert "per visit: 3 answered, 2 of them within 20 min; 1 left, 1 of them within 20 min" in said
    assert (
        "SL1 credited_if_within (answered within + left within) / (answered + left) = (2 + 1) / (3 + 1) = 0.750000"
        in said
    )
    assert "SL2 excluded answered within / answered = 2 / 3 = 0.666666" in said.replace("0.666667", "0.666666")
    assert "▶ SL3 failed answered within / (answered + left) = 2 / (3 + 1) = 0.500000" in said
    assert "answered within / (answered + left - left within) = 2 / (3 + 1 - 1) = 0.666667" in said
    assert "per leg: 3 answered, 2 of them within 20 min" in said
    assert "50.0000 %, of at least 50 %: kept" in said
    assert load(tmp_path / "network.yaml").hash in out


def test_an_explanation_as_json_has_the_same_figures(explain: tuple[str | Path, ...], capsys: Captured) -> None:
    assert run(*explain, "--office", NATION, "--service", "accueil", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["format"] == "attente.norm/1"
    assert (document["office"], document["service"], document["day"]) == (NATION, "accueil", "2026-11-23")
    assert document["norm"] == "call-20@2026-01-01"
    assert document["promise"] == {"per": "visit", "left": "failed", "level": 0.5, "met": True}
    reading = document["readings"]["visit"]
    assert (reading["answered_within"], reading["answered_beyond"]) == (2, 1)
    assert reading["arithmetic"]["failed"] == {
        "formula": "answered within / (answered + left)",
        "numbers": "2 / (3 + 1)",
        "value": 0.5,
    }
    assert document["definition"]["clock stops"].startswith("when the visitor is called")
    assert document["known_days"] == ["2026-11-23", "2026-11-24"]


def test_the_definition_is_the_one_in_force_on_that_day(tmp_path: Path, capsys: Captured) -> None:
    arguments = ("norms", "explain", "call-20", write(tmp_path), "--registry", registry(tmp_path), "--office", NATION)
    assert run(*arguments, "--date", "2026-11-24", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["threshold_seconds"], document["promise"]["met"]) == (600, False)


def test_a_day_without_visits_says_which_days_are_known(tmp_path: Path, capsys: Captured) -> None:
    arguments = ("norms", "explain", "call-20", write(tmp_path), "--registry", registry(tmp_path), "--office", NATION)
    assert run(*arguments, "--date", "2026-11-20") == 0
    said = squeezed(capsys.readouterr().out)
    assert "nobody was counted on 2026-11-20; of 75-nation is known: 2026-11-23 to 2026-11-24" in said


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["call-2", "--office", NATION], 2, "norm 'call-2': the registry has no such norm; did you mean call-20?"),
        (["call-20", "--office", "75-nations"], 2, "did you mean 75-nation?"),
        (["call-20", "--office", NATION, "--service", "acueil"], 2, "did you mean accueil?"),
        (["call-20", "--office", NATION, "--date", "2026-13-01"], 2, "is no date; write one like 2026-11-23"),
        (["call-20", "--office", NATION, "--date", "2025-12-31"], 1, "it begins on 2026-01-01"),
        (["nation-5", "--office", BOBIGNY], 1, "does not apply to office 93-bobigny"),
        (["nation-5", "--office", NATION, "--service", "prestations"], 1, "its services are accueil"),
    ],
)
def test_what_cannot_be_explained_is_told_in_one_line(
    arguments: list[str], code: int, said: str, tmp_path: Path, capsys: Captured
) -> None:
    date = [] if "--date" in arguments else ["--date", "2026-11-23"]
    norm, *rest = arguments
    assert run("norms", "explain", norm, write(tmp_path), "--registry", registry(tmp_path), *rest, *date) == code
    captured = capsys.readouterr()
    assert said in captured.err
    assert captured.out == ""


def test_without_a_file_a_registry_is_needed_and_nothing_about_a_tape(tmp_path: Path, capsys: Captured) -> None:
    arguments = ("norms", "explain", "call-20", "--office", NATION, "--date", "2026-11-23")
    assert run(*arguments) == 2
    assert "need the network's --registry" in capsys.readouterr().err
    assert run(*arguments, "--registry", registry(tmp_path), "--partitions", "4") == 2
    assert "go with a FILE" in capsys.readouterr().err


def test_a_broker_that_does_not_answer_is_told_in_one_line(tmp_path: Path, capsys: Captured) -> None:
    arguments = ("norms", "explain", "call-20", "--office", NATION, "--date", "2026-11-23")
    assert run(*arguments, "--registry", registry(tmp_path), "--broker", "127.0.0.1:1") == 4
    err = capsys.readouterr().err
    assert err.startswith("attente: no Kafka broker at 127.0.0.1:1 (connection refused); ")
    assert err.count("\n") == 1


def test_the_list_names_every_definition_of_every_norm(tmp_path: Path, capsys: Captured) -> None:
    assert run("norms", "list", "--registry", registry(tmp_path)) == 0
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 100
    assert "SL3" in out
    assert run("norms", "list", "--registry", registry(tmp_path), "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert [norm["norm"] for norm in document["norms"]] == ["call-20@2026-01-01", "call-20@2026-11-24", "nation-5"]
    assert document["norms"][2]["offices"] == 1
    assert document["norms"][2]["services"] == ["accueil"]


def test_a_registry_without_norms_says_so(tmp_path: Path, capsys: Captured) -> None:
    text = "network: n\nservices: [{id: a, title: A}]\noffices: [{id: o, name: O, region: r, zone: UTC}]\n"
    assert run("norms", "list", "--registry", registry(tmp_path, text)) == 0
    assert "has no norms" in capsys.readouterr().out


def test_every_command_shows_an_example(capsys: Captured) -> None:
    for command in (["report"], ["norms", "list"], ["norms", "explain"]):
        assert run(*command, "--help") == 0
        assert f"attente {' '.join(command)} " in capsys.readouterr().out.partition("Options")[0].partition("\n")[2]
