"""Grafana's own files: what it loads at its start, as it documents them, and as publishing would call things."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from attente.grafana import publication

ROOT = Path(__file__).resolve().parents[2]
PROVISIONING = ROOT / "deploy" / "grafana" / "provisioning"
Json = dict[str, Any]

# What Grafana 12 reads of each; it ignores what it does not know, so that a slip of the pen would go unseen.
PROVIDER = {
    "name", "orgId", "folder", "folderUid", "type", "disableDeletion", "updateIntervalSeconds", "allowUiUpdates",
    "options",
}  # fmt: skip
DATASOURCE = {
    "name", "uid", "orgId", "type", "access", "url", "user", "database", "basicAuth", "basicAuthUser",
    "withCredentials", "isDefault", "jsonData", "secureJsonData", "version", "editable",
}  # fmt: skip


def only(kind: str, name: str) -> Json:
    """The one entry of a file."""
    document = yaml.safe_load((PROVISIONING / kind / "attente.yaml").read_text(encoding="utf-8"))
    assert document["apiVersion"] == 1
    assert set(document) == {"apiVersion", name}
    (entry,) = document[name]
    found: Json = entry
    return found


def test_the_provider_makes_the_folder_that_publishing_would_make() -> None:
    provider = only("dashboards", "providers")
    assert set(provider) <= PROVIDER
    assert provider["type"] == "file"
    assert (provider["folder"], provider["folderUid"]) == (publication.FOLDER_TITLE, publication.FOLDER_UID)


def test_the_provider_reads_one_folder_of_files_and_makes_no_folders_from_it() -> None:
    options = only("dashboards", "providers")["options"]
    assert set(options) == {"path", "foldersFromFilesStructure"}
    assert Path(options["path"]).is_absolute()
    assert options["foldersFromFilesStructure"] is False
    # The line that says how the folder is filled names the folder that is read.
    text = (PROVISIONING / "dashboards" / "attente.yaml").read_text(encoding="utf-8")
    assert f"attente dashboards build --out {options['path']}\n" in text


def test_the_data_source_is_the_one_that_publishing_would_make() -> None:
    source = only("datasources", "datasources")
    assert set(source) <= DATASOURCE
    assert (source["name"], source["uid"]) == (publication.DATASOURCE, publication.DATASOURCE_UID)
    assert (source["type"], source["access"], source["url"]) == ("prometheus", "proxy", "http://localhost:9090")


@pytest.mark.parametrize("name", ["prometheus.yaml", "prometheus-files.yaml", "prometheus-kubernetes.yaml"])
def test_the_data_source_knows_how_often_prometheus_scrapes(name: str) -> None:
    prometheus = yaml.safe_load((ROOT / "deploy" / "prometheus" / name).read_text(encoding="utf-8"))
    assert only("datasources", "datasources")["jsonData"]["timeInterval"] == prometheus["global"]["scrape_interval"]


def test_every_dashboard_that_is_loaded_has_a_uid_of_its_own_that_fits() -> None:
    boards = [json.loads(path.read_text(encoding="utf-8")) for path in (ROOT / "dashboards" / "grafana").glob("*.json")]
    uids = [board["uid"] for board in boards]
    assert uids
    assert len(set(uids)) == len(uids)
    # Grafana refuses a longer uid, and numbers dashboards itself.
    assert all(len(uid) <= 40 and board.get("id") is None for uid, board in zip(uids, boards, strict=True))
