"""Publishing to a Grafana: what is written, and that nothing is written twice."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attente.grafana import norm_changes as attente_norm_changes
from attente.grafana.differences import ABSENT, Change, differences, fingerprint, normalised
from attente.grafana.norm_changes import norm_changes
from attente.grafana.texts import keys
from attente.registry.load import load
from grafana.grafana_stub import GrafanaStub
from grafana.publishing import (
    LOGIN,
    SECRET,
    Command,
    boards,
    command,
    hides_the_token,
    log_everything,
    parsed,
    with_token,
)

REGISTRY = Path(__file__).resolve().parents[2] / "docs" / "examples" / "registry.yaml"


@pytest.fixture
def stub() -> Iterator[GrafanaStub]:
    with GrafanaStub() as server:
        yield with_token(server)


@pytest.fixture
def publish(stub: GrafanaStub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    return command(stub, tmp_path, monkeypatch)


def test_the_first_publication_makes_folder_dashboards_and_annotations(stub: GrafanaStub, publish: Command) -> None:
    said = publish("--registry", str(REGISTRY))
    assert (said.returncode, said.stderr) == (0, "")
    assert stub.folders["attente"]["title"] == "Attente"
    assert {uid: kept["folder"] for uid, kept in stub.dashboards.items()} == {
        "attente-network": "attente",
        "attente-office": "attente",
    }
    assert len(stub.notes) == 2
    assert said.stdout.splitlines()[1:] == [
        "created      folder attente  Attente",
        "unchanged    data source Prometheus  http://prometheus:9090",
        "created      dashboard attente-network  Network",
        "created      dashboard attente-office  Office",
        *(
            f"created      annotation caf-20 since {change.since}  {change.text}"
            for change in norm_changes(load(REGISTRY), "en")
        ),
        "5 created, 1 unchanged",
    ]


def test_publishing_twice_writes_nothing_the_second_time(stub: GrafanaStub, publish: Command) -> None:
    publish("--registry", str(REGISTRY))
    written = len(stub.writes)
    assert written == 5
    said = publish("--registry", str(REGISTRY))
    assert said.returncode == 0
    assert said.stdout.splitlines()[-1] == "6 unchanged"
    assert len(stub.writes) == written


def test_the_real_dashboards_are_published_once_in_both_languages(
    stub: GrafanaStub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from attente.grafana.build import dashboards  # noqa: PLC0415 - only this test needs the extra

    for lang in ("en", "fr"):
        publish = command(stub, tmp_path, monkeypatch, dashboards(lang))
        assert publish("--lang", lang).returncode == 0
        written = len(stub.writes)
        assert publish("--lang", lang).stdout.splitlines()[-1].endswith("unchanged")
        assert len(stub.writes) == written
        titles = {uid: kept["board"]["title"] for uid, kept in stub.dashboards.items()}
        assert titles == {uid: board["title"] for uid, board in dashboards(lang).items()}


def test_only_the_dashboard_that_changed_is_written_again(
    stub: GrafanaStub, publish: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish()
    before = len(stub.writes)
    changed = boards() | {"attente-network": boards(title="The network")["attente-network"]}
    said = command(stub, tmp_path, monkeypatch, changed)()
    assert said.stdout.splitlines()[-1] == "1 updated, 3 unchanged"
    assert stub.writes[before:] == [("POST", "/api/dashboards/db")]
    assert stub.dashboards["attente-network"]["board"]["title"] == "The network"


def test_each_version_says_which_program_wrote_what(stub: GrafanaStub, publish: Command) -> None:
    publish()
    (version,) = stub.dashboards["attente-network"]["versions"]
    board = stub.dashboards["attente-network"]["board"]
    program, number, mark = version["message"].split(" ")
    assert (program, number.count("."), mark) == ("attente", 2, fingerprint(board, "attente"))


def test_a_dashboard_that_grafana_keeps_in_a_form_of_its_own_is_not_written_again(
    stub: GrafanaStub, publish: Command
) -> None:
    stub.keeps = lambda board: board | {"graphTooltip": 0, "links": []}
    publish()
    written = len(stub.writes)
    assert publish().stdout.splitlines()[-1] == "4 unchanged"
    assert len(stub.writes) == written


def test_a_dashboard_that_was_moved_by_this_command_to_another_folder_is_moved_back(
    stub: GrafanaStub, publish: Command
) -> None:
    publish()
    publish("--folder-uid", "elsewhere", "--folder", "Elsewhere")
    assert stub.dashboards["attente-network"]["folder"] == "elsewhere"
    said = publish("--dry-run")
    assert "    folder\n      - elsewhere\n      + attente\n" in said.stdout
    publish()
    assert stub.dashboards["attente-network"]["folder"] == "attente"


def test_dashboards_ask_the_data_source_that_was_named(stub: GrafanaStub, publish: Command) -> None:
    stub.datasources["Mimir"] = stub.datasources["Prometheus"] | {"name": "Mimir", "uid": "mimir-9"}
    assert publish("--datasource", "Mimir").returncode == 0
    (variable,) = stub.dashboards["attente-network"]["board"]["templating"]["list"]
    assert variable["current"] == {"text": "Mimir", "value": "mimir-9"}


def test_a_data_source_is_made_where_its_url_is_given_and_there_is_none(stub: GrafanaStub, publish: Command) -> None:
    stub.datasources.clear()
    stub.tokens[SECRET] = ("Admin", LOGIN)
    said = publish("--datasource-url", "http://prometheus:9090")
    assert said.returncode == 0
    made = stub.datasources["Prometheus"]
    assert (made["uid"], made["type"], made["url"]) == ("attente-prometheus", "prometheus", "http://prometheus:9090")
    (variable,) = stub.dashboards["attente-network"]["board"]["templating"]["list"]
    assert variable["current"]["value"] == made["uid"]
    assert publish("--datasource-url", "http://prometheus:9090").stdout.splitlines()[-1] == "4 unchanged"


def test_a_data_source_with_another_url_is_left_alone_and_told(stub: GrafanaStub, publish: Command) -> None:
    stub.datasources["Prometheus"]["url"] = "http://user:pw@old:9090"
    said = publish("--datasource-url", "http://new:9090")
    assert said.returncode == 0
    assert said.stderr == (
        "attente: warning: data source Prometheus was there and asks http://old:9090, not http://new:9090; "
        "it is left as it is, change it in Grafana\n"
    )
    assert stub.datasources["Prometheus"]["url"] == "http://user:pw@old:9090"
    assert "pw" not in said.stdout


def test_a_folder_keeps_the_title_somebody_gave_it_unless_one_is_named(stub: GrafanaStub, publish: Command) -> None:
    publish()
    stub.folders["attente"]["title"] = "Our waits"
    assert publish().stdout.splitlines()[-1] == "4 unchanged"
    assert publish("--folder", "Attente 2").stdout.splitlines()[-1] == "1 updated, 3 unchanged"
    assert stub.folders["attente"]["title"] == "Attente 2"


def test_an_annotation_is_changed_in_place_and_never_doubled(
    stub: GrafanaStub, publish: Command, tmp_path: Path
) -> None:
    publish("--registry", str(REGISTRY))
    numbers = set(stub.notes)
    other = tmp_path / "registry.yaml"
    other.write_text(REGISTRY.read_text().replace("target: 90 %", "target: 92 %"))
    said = publish("--registry", str(other))
    assert said.stdout.splitlines()[-1] == "1 updated, 5 unchanged"
    assert set(stub.notes) == numbers
    assert [note["text"] for note in stub.notes.values() if "92 %" in note["text"]]


def test_an_annotation_of_a_day_that_was_called_off_is_taken_away(
    stub: GrafanaStub, publish: Command, tmp_path: Path
) -> None:
    publish("--registry", str(REGISTRY))
    other = tmp_path / "registry.yaml"
    other.write_text(REGISTRY.read_text().replace("valid_from: 2027-01-01", "valid_from: 2027-03-01"))
    assert publish("--registry", str(other)).stdout.splitlines()[-1] == "1 created, 1 removed, 5 unchanged"
    assert sorted(tag for note in stub.notes.values() for tag in note["tags"] if tag.startswith("since:")) == [
        "since:2009-01-01",
        "since:2027-03-01",
    ]


def test_an_annotation_that_is_there_twice_is_left_once(stub: GrafanaStub, publish: Command) -> None:
    publish("--registry", str(REGISTRY))
    first = stub.notes[min(stub.notes)]
    stub.notes[900] = first | {"id": 900}
    assert publish("--registry", str(REGISTRY)).stdout.splitlines()[-1] == "1 removed, 6 unchanged"
    assert 900 not in stub.notes


def test_annotations_of_another_network_and_of_people_are_left_alone(stub: GrafanaStub, publish: Command) -> None:
    for number, tags in ((901, ["attente:norm", "norm:caf-20", "network:another"]), (902, ["attente:norm", "mine:1"])):
        stub.notes[number] = {"id": number, "time": 1, "timeEnd": 1, "text": "theirs", "tags": tags}
    publish("--registry", str(REGISTRY))
    publish("--registry", str(REGISTRY))
    assert {901, 902} <= set(stub.notes)
    assert len(stub.notes) == 4


def test_without_a_registry_no_annotation_is_touched_or_asked_for(stub: GrafanaStub, publish: Command) -> None:
    publish()
    assert not [path for _, path in stub.requests if "annotations" in path]


def test_a_norm_of_two_zones_begins_to_change_in_the_first_and_ends_in_the_last(tmp_path: Path) -> None:
    file = tmp_path / "registry.yaml"
    file.write_text(REGISTRY.read_text().replace("zone: Europe/Paris", "zone: America/Cayenne", 1))
    change = norm_changes(load(file), "en")[1]
    assert change.since == "2027-01-01"
    assert change.begins_ms == 1_798_768_800_000  # 03:00 in Paris is 02:00 UTC
    assert change.ends_ms - change.begins_ms == 4 * 3_600_000  # Cayenne is four hours behind Paris in winter


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_an_annotation_says_what_of_the_norm_changes(lang: str) -> None:
    first, second = norm_changes(load(REGISTRY), lang)
    assert "85 %" in first.text
    assert "85 %" in second.text
    assert "90 %" in second.text
    assert {"en": "which visitors count", "fr": "les visiteurs pris en compte"}[lang] in second.text


def test_every_text_of_annotations_is_used() -> None:
    source = Path(str(attente_norm_changes.__file__)).read_text(encoding="utf-8")
    ours = {key for key in keys() if key.startswith("annotations.")}
    assert ours
    assert all(f'"{key}"' in source for key in ours)


def test_a_dry_run_writes_nothing_and_shows_what_would_change(
    stub: GrafanaStub, publish: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish()
    before = len(stub.writes)
    changed = command(stub, tmp_path, monkeypatch, boards(expr="max by (office) (attente:waiting)"))
    said = changed("--dry-run")
    assert said.returncode == 0
    assert len(stub.writes) == before
    assert said.stdout.splitlines()[3:10] == [
        "would update dashboard attente-network  Network",
        "    panels Waiting now.targets A.expr",
        "      - attente:waiting",
        "      + max by (office) (attente:waiting)",
        "    panels Longest wait.targets A.expr",
        "      - attente:waiting",
        "      + max by (office) (attente:waiting)",
    ]
    assert said.stdout.splitlines()[-1] == "2 would update, 2 unchanged"


def test_a_dry_run_shows_the_first_changes_of_many_and_json_shows_all(
    stub: GrafanaStub, publish: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish()
    made = boards()
    made["attente-network"] |= {f"key{number:02}": number for number in range(25)}
    changed = command(stub, tmp_path, monkeypatch, made)
    shown = changed("--dry-run").stdout
    assert "    key19\n" in shown
    assert "    key20\n" not in shown
    assert "    and 5 more; --json lists them all\n" in shown
    assert len(parsed(changed("--dry-run", "--json"))["steps"][2]["changes"]) == 25


def test_a_dry_run_of_the_first_publication_writes_nothing(stub: GrafanaStub, publish: Command) -> None:
    said = publish("--dry-run", "--registry", str(REGISTRY))
    assert said.stdout.splitlines()[-1] == "5 would create, 1 unchanged"
    assert not stub.writes


def test_json_names_every_step_and_its_changes(stub: GrafanaStub, publish: Command) -> None:
    publish()
    document = parsed(publish("--json", "--dry-run", "--folder", "Waits"))
    assert document["grafana"] == {"url": stub.url, "version": "12.1.0"}
    assert document["dry_run"] is True
    assert document["steps"][0] == {
        "kind": "folder",
        "name": "attente",
        "title": "Waits",
        "action": "update",
        "changes": [{"where": "title", "before": "Attente", "after": "Waits"}],
        "obstacle": None,
    }
    assert [step["action"] for step in document["steps"][1:]] == ["keep"] * 3


def test_a_change_in_the_browser_stops_everything_and_names_who_and_when(stub: GrafanaStub, publish: Command) -> None:
    publish()
    stub.edit("attente-office", "marie", lambda board: board["panels"].pop())
    when = stub.dashboards["attente-office"]["versions"][-1]["created"]
    before = len(stub.writes)
    said = publish("--folder", "Renamed")
    assert said.returncode == 4
    assert said.stderr == (
        f"attente: {stub.url}: dashboard attente-office: changed by marie at {when}, not by this command; "
        "see what with --dry-run, then publish over it with --overwrite\n"
    )
    assert len(stub.writes) == before


def test_a_dry_run_shows_what_was_changed_in_the_browser_and_says_that_it_stands_in_the_way(
    stub: GrafanaStub, publish: Command
) -> None:
    publish()
    stub.edit("attente-office", "marie", lambda board: board.update(title="Mine"))
    said = publish("--dry-run")
    assert "    title\n      - Mine\n      + Office\n" in said.stdout
    assert said.returncode == 4
    assert "changed by marie" in said.stderr


def test_overwrite_publishes_over_a_change_in_the_browser(stub: GrafanaStub, publish: Command) -> None:
    publish()
    stub.edit("attente-office", "marie", lambda board: board.update(title="Mine"))
    assert publish("--overwrite").returncode == 0
    assert stub.dashboards["attente-office"]["board"]["title"] == "Office"


def test_a_change_between_the_look_and_the_write_is_not_lost(
    stub: GrafanaStub, publish: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish()
    changed = command(stub, tmp_path, monkeypatch, boards(title="Newer"))
    stub.before_write = lambda: stub.edit("attente-network", "paul", lambda board: board.update(title="Paul's"))
    said = changed()
    assert said.returncode == 4
    assert "dashboard attente-network: changed by paul at 20" in said.stderr
    assert stub.dashboards["attente-network"]["board"]["title"] == "Paul's"


def test_a_folder_that_is_renamed_between_the_look_and_the_write_keeps_its_title_unless_overwritten(
    stub: GrafanaStub, publish: Command
) -> None:
    publish()
    folder = stub.folders["attente"]

    def rename() -> None:
        folder.update(title="Paul's", version=folder["version"] + 1, updatedBy="paul")

    stub.before_write = rename
    said = publish("--folder", "Ours")
    assert said.returncode == 4
    assert "folder attente: changed by paul at 20" in said.stderr
    assert folder["title"] == "Paul's"
    stub.before_write = rename
    assert publish("--folder", "Ours", "--overwrite").returncode == 0
    assert folder["title"] == "Ours"


def test_a_provisioned_dashboard_is_not_touched_and_its_file_is_named(
    stub: GrafanaStub, publish: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish()
    stub.provision("attente-network", "attente-network.json")
    assert publish().returncode == 0
    said = command(stub, tmp_path, monkeypatch, boards(title="Newer"))("--overwrite")
    assert said.returncode == 4
    assert "dashboard attente-network: Grafana loads it from attente-network.json" in said.stderr


def test_the_token_may_come_from_the_environment_and_is_nowhere_to_be_read(
    stub: GrafanaStub, publish: Command, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from commands import attente  # noqa: PLC0415 - the fixture has set the dashboards

    log_everything(caplog)
    monkeypatch.setenv("ATTENTE_GRAFANA_TOKEN", f" {SECRET}\n")
    said = attente("dashboards", "publish", "--url", stub.url, "--registry", str(REGISTRY))
    assert said.returncode == 0
    assert [record for record in caplog.records if record.name.startswith("urllib3")]
    assert hides_the_token(said, caplog)
    assert not any(SECRET.encode() in content for content in stub.sent)


def test_differences_name_panels_and_queries_as_people_know_them() -> None:
    before, after = boards()["attente-network"], boards(expr="up")["attente-network"]
    after["panels"].reverse()
    after["panels"].append({"id": 9, "title": "New"})
    after["tags"] = ["attente", "fr"]
    assert [change.where for change in differences(before, after)] == [
        "tags",
        "panels Longest wait.targets A.expr",
        "panels Waiting now.targets A.expr",
        "panels New",
        "order of panels",
    ]


def test_differences_see_what_equals_only_in_python() -> None:
    assert differences({"a": {"b": 1}}, {"a": {"b": True}}) == (Change("a.b", "1", "true"),)
    assert differences({"a": 1, "c": None}, {"a": 1.0}) == ()
    assert differences({"a": [1]}, {"b": [1]}) == (Change("b", ABSENT, "[1]"), Change("a", "[1]", ABSENT))


JSONS = st.recursive(
    st.none() | st.booleans() | st.integers(0, 2) | st.sampled_from(["", "a"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "name", "x"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None)
@given(JSONS, JSONS)
def test_there_is_a_difference_exactly_where_two_dashboards_say_something_else(before: Any, after: Any) -> None:
    first, second = normalised({"board": before}), normalised({"board": after})
    is_same = json.dumps(first, sort_keys=True) == json.dumps(second, sort_keys=True)
    assert (differences({"board": before}, {"board": after}) == ()) is is_same


def test_a_fingerprint_is_of_what_is_said_and_not_of_how_or_where_it_is_numbered() -> None:
    board = boards()["attente-network"]
    assert fingerprint(board, "f") == fingerprint(json.loads(json.dumps(board, sort_keys=True)) | {"version": 9}, "f")
    assert fingerprint(board, "f") != fingerprint(board, "g")
    assert fingerprint(board, "f") != fingerprint(board | {"title": "another"}, "f")
