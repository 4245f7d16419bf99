"""The generated files are what the code says, the same every time, and a drift is named."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
import yaml

from attente.model.events import TYPES
from attente.model.reasons import Reason
from attente.model.schemas import artefacts, build, drift
from attente.model.schemas.__main__ import main
from attente.model.schemas.text import json_text, yaml_text
from attente.model.topics import EVENTS, topics
from model.model_files import OBJECTS, SCHEMAS


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the folder as it is in the repository."""
    return Path(shutil.copytree(SCHEMAS, tmp_path / "schemas"))


def json_file(name: str) -> dict[str, object]:
    found: dict[str, object] = json.loads((SCHEMAS / name).read_bytes())
    return found


# ---- drift


def test_the_files_in_the_repository_are_what_the_code_generates() -> None:
    assert list(drift(SCHEMAS, artefacts(SCHEMAS))) == []


def test_everything_generated_is_named() -> None:
    assert set(artefacts(SCHEMAS)) == {
        "asyncapi.yaml",
        "topics.yaml",
        "vectors/partitions.json",
        "vectors/signatures.json",
        "json/event.json",
        *(f"json/{kind}.json" for kind in TYPES),
    }


def test_build_writes_everything_anew(folder: Path) -> None:
    for part in ("json", "vectors"):
        shutil.rmtree(folder / part)
    (folder / "asyncapi.yaml").unlink()
    (folder / "topics.yaml").write_text("partitions: 3\n")
    assert main(["build", str(folder)]) == 0
    assert list(drift(folder, artefacts(SCHEMAS))) == []


def test_check_is_silent_about_files_that_are_right(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(folder)]) == 0
    assert capsys.readouterr() == ("", "")


def test_check_names_every_file_that_drifted_and_changes_none(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "topics.yaml").write_text("partitions: 3\n")
    (folder / "json" / "event.json").unlink()
    (folder / "json" / "ticket.lost.json").write_text("{}")
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert main(["check", str(folder)]) == 1
    remedy = f"run: python -m attente.model.schemas build {folder}"
    assert capsys.readouterr().err.splitlines() == [
        f"attente: {folder}/json/event.json is missing; {remedy}",
        f"attente: {folder}/topics.yaml is not what the code generates; {remedy}",
        f"attente: {folder}/json/ticket.lost.json is generated no more; {remedy}",
    ]
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_build_removes_what_is_generated_no_more_and_nothing_else(folder: Path) -> None:
    (folder / "json" / "ticket.lost.json").write_text("{}")
    mine = folder / "notes.txt"
    mine.write_text("mine")
    build(folder, artefacts(folder))
    assert not (folder / "json" / "ticket.lost.json").exists()
    assert mine.exists()
    assert (folder / "examples" / "invalid" / "index.json").exists()


def test_an_example_that_is_no_event_is_named_and_nothing_is_written(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = folder / "examples" / "valid" / "ticket.lost.json"
    bad.write_text("{}")
    (folder / "topics.yaml").unlink()
    assert main(["build", str(folder)]) == 3
    assert capsys.readouterr().err == (
        f'attente: {bad}: wrong_specversion: specversion (missing) is not "1.0"; send CloudEvents 1.0\n'
    )
    assert not (folder / "topics.yaml").exists()


def test_a_word_that_is_neither_build_nor_check_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exited:
        main(["biuld"])
    assert exited.value.code == 2
    assert "biuld" in capsys.readouterr().err


def test_the_files_do_not_depend_on_the_order_of_hashes(tmp_path: Path) -> None:
    written = []
    for seed in ("1", "2"):
        target = tmp_path / seed
        shutil.copytree(SCHEMAS / "examples", target / "examples")
        subprocess.run(
            [sys.executable, "-m", "attente.model.schemas", "build", str(target)],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(SCHEMAS.parent / "streams")},
            check=True,
            timeout=60,
        )
        written.append({path.relative_to(target): path.read_bytes() for path in target.rglob("*") if path.is_file()})
    assert written[0] == written[1]


# ---- JSON Schema


@pytest.mark.parametrize("name", ["event", *TYPES])
def test_a_schema_is_a_good_schema_of_draft_2020_12_that_needs_no_other_file(name: str) -> None:
    schema = json_file(f"json/{name}.json")
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["title"] == name
    assert schema["description"]
    references = [line for line in json_text(schema).splitlines() if "$ref" in line]
    assert all('"#/$defs/' in line for line in references)


def test_no_two_schemas_have_one_id() -> None:
    ids = [json_file(f"json/{name}.json")["$id"] for name in ("event", *TYPES)]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("kind", TYPES)
def test_a_schema_quotes_every_valid_example_of_its_type(kind: str) -> None:
    quoted = json_file(f"json/{kind}.json")["examples"]
    assert quoted == [event for event in OBJECTS.values() if event["type"] == kind]


@pytest.mark.parametrize("kind", TYPES)
def test_every_attribute_is_described_and_unknown_ones_are_welcome(kind: str) -> None:
    schema = json_file(f"json/{kind}.json")
    assert schema["additionalProperties"] is True
    properties = schema["properties"]
    assert isinstance(properties, dict)
    for name, attribute in properties.items():
        assert "description" in attribute or "const" in attribute, name


# ---- AsyncAPI and the list of topics


def test_every_reference_of_the_asyncapi_document_leads_somewhere() -> None:
    document = yaml.safe_load((SCHEMAS / "asyncapi.yaml").read_bytes())
    references = list(_references(document))
    assert len(references) > 2 * len(TYPES)
    for reference in references:
        if reference.startswith("#/"):
            place = document
            for step in reference[2:].split("/"):
                place = place[step]
        else:
            assert (SCHEMAS / reference).is_file(), reference


def _references(tree: object) -> list[str]:
    if isinstance(tree, dict):
        own = [tree["$ref"]] if "$ref" in tree else []
        return own + [found for value in tree.values() for found in _references(value)]
    return [found for item in tree for found in _references(item)] if isinstance(tree, list) else []


def test_the_asyncapi_document_knows_every_topic_and_every_type() -> None:
    document = yaml.safe_load((SCHEMAS / "asyncapi.yaml").read_bytes())
    assert document["asyncapi"] == "3.0.0"
    assert {channel["address"] for channel in document["channels"].values()} == {topic.name for topic in topics(1)}
    assert set(document["channels"][EVENTS]["messages"]) == set(TYPES)
    reasons = document["components"]["messages"]["deadletter"]["headers"]["properties"]["reason"]["enum"]
    assert reasons == [reason.value for reason in Reason]


def test_the_list_of_topics_has_their_settings_and_how_an_archive_differs() -> None:
    listed = {topic["name"]: topic for topic in yaml.safe_load((SCHEMAS / "topics.yaml").read_bytes())["topics"]}
    for live, archive in zip(topics(1), topics(1, archive=True), strict=True):
        assert listed[live.name]["config"] == live.config
        assert {**live.config, **listed[live.name].get("archive", {})} == archive.config
        assert listed[live.name]["key"] == live.key


# ---- for people


def test_the_page_for_vendors_lists_every_reason_in_the_order_in_which_they_are_looked_for() -> None:
    page = (SCHEMAS / "README.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `([a-z_]+)` \|", page.partition("## Reasons for a refusal")[2], re.MULTILINE)
    of_bytes = list(Reason)[: list(Reason).index(Reason.IMPLAUSIBLE_TIME)]
    placed = [Reason.WRONG_KEY, Reason.UNKNOWN_OFFICE, Reason.WRONG_PARTITION]
    signed = [Reason.UNSIGNED, Reason.UNKNOWN_KEY, Reason.BAD_SIGNATURE]
    by_time = [Reason.IMPLAUSIBLE_TIME, Reason.FROM_THE_FUTURE, Reason.TOO_LATE]
    assert listed == [*of_bytes, *placed, *signed, *by_time, Reason.TOO_MANY_FACTS]
    assert set(listed) == set(Reason)


# ---- text


def test_json_on_paper_is_the_same_value_with_short_things_on_one_line() -> None:
    value = {"é": [1, None, True], "long": ["x" * 60, "y" * 60, {"deep": ["z" * 110]}], "empty": {}, "none": []}
    assert json.loads(json_text(value)) == value
    assert '  "é": [1, null, true],\n' in json_text(value)
    assert max(len(line) for line in json_text(value).splitlines()) < 130


def test_yaml_on_paper_is_the_same_value_without_aliases() -> None:
    twice = {"a": ["b"]}
    value = {"one": twice, "two": twice, "text": "no: yes", "number": "007"}
    assert yaml.safe_load(yaml_text(value)) == value
    assert "&" not in yaml_text(value)
    assert yaml_text(value).startswith("# Generated by: python -m attente.model.schemas build.")
