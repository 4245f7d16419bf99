"""What publishing relies on in Grafana's HTTP API.

Runs against the stub, so that the stub says what Grafana says; and, when GRAFANA_URL and GRAFANA_TOKEN (of a service
account with the role Admin) are set, against a real Grafana with the same assertions, in a folder of its own that is
taken away afterwards.
"""

import json
import os
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from attente.grafana.address import address
from attente.grafana.publication import Action, Step, Wanted, plan
from attente.grafana.publish import Grafana
from attente.grafana.token import Token
from grafana.grafana_stub import GrafanaStub

Json = dict[str, Any]


@dataclass(frozen=True)
class Server:
    """A Grafana, asked without any package, and a name that nobody else uses in it."""

    url: str
    token: str
    name: str

    def ask(self, method: str, path: str, body: Json | None = None, token: str | None = None) -> tuple[int, Any]:
        content = None if body is None else json.dumps(body).encode()
        bearer = f"Bearer {self.token if token is None else token}"
        headers = {"Authorization": bearer, "Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.url}/api{path}", content, headers, method=method)  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=20) as response:  # noqa: S310 - http by what is set
                return response.status, json.loads(response.read())
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read() or b"null")

    def client(self) -> Grafana:
        return Grafana(address(self.url), Token(self.token))

    def board(self, title: str = "a board") -> Json:
        panel = {"id": 1, "type": "stat", "title": "one", "gridPos": {"h": 4, "w": 6, "x": 0, "y": 0}, "targets": []}
        return {"uid": self.name, "title": title, "tags": ["t"], "schemaVersion": 42, "panels": [panel]}

    def save(self, board: Json, *, overwrite: bool = False, message: str = "") -> tuple[int, Any]:
        body = {"dashboard": board, "folderUid": self.name, "overwrite": overwrite, "message": message}
        return self.ask("POST", "/dashboards/db", body)


REAL = ("GRAFANA_URL", "GRAFANA_TOKEN")


@pytest.fixture(params=["stub", "real"] if all(os.environ.get(name) for name in REAL) else ["stub"])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    name = f"attente-test-{uuid.uuid4().hex[:12]}"
    if request.param == "stub":
        with GrafanaStub() as stub:
            stub.tokens["glsa_admin"] = ("Admin", "sa-publisher")
            yield Server(stub.url, "glsa_admin", name)
        return
    url, token = (os.environ[name] for name in REAL)
    found = Server(url.rstrip("/"), token, name)
    try:
        yield found
    finally:
        found.ask("DELETE", f"/datasources/name/{name}")
        found.ask("DELETE", f"/dashboards/uid/{name}")
        found.ask("DELETE", f"/folders/{name}")
        for note in found.ask("GET", f"/annotations?tags=run:{name}&limit=100")[1]:
            found.ask("DELETE", f"/annotations/{note['id']}")


@pytest.fixture
def folder(server: Server) -> str:
    status, _ = server.ask("POST", "/folders", {"uid": server.name, "title": server.name})
    assert status == 200
    return server.name


def test_health_is_told_without_a_token_and_names_the_database(server: Server) -> None:
    status, health = server.ask("GET", "/health", token="")
    assert status == 200
    assert health["database"] == "ok"


def test_a_wrong_token_is_answered_401_with_a_message(server: Server) -> None:
    status, answer = server.ask("GET", f"/folders/{server.name}", token=f"{server.token}x")
    assert status == 401
    assert answer["message"]


@pytest.mark.parametrize("path", ["/folders/{}", "/dashboards/uid/{}", "/datasources/name/{}"])
def test_what_is_not_there_is_answered_404_in_json(server: Server, path: str) -> None:
    status, answer = server.ask("GET", path.format(server.name))
    assert status == 404
    assert answer["message"]


def test_a_folder_is_found_again_by_its_uid_with_title_and_version(server: Server, folder: str) -> None:
    status, found = server.ask("GET", f"/folders/{folder}")
    assert status == 200
    assert (found["uid"], found["title"]) == (folder, folder)
    assert isinstance(found["version"], int)


def test_a_second_folder_of_the_same_uid_is_a_conflict(server: Server, folder: str) -> None:
    status, answer = server.ask("POST", "/folders", {"uid": folder, "title": "another"})
    assert status in {409, 412}
    assert answer["message"]


def test_a_folder_is_renamed_with_its_version_and_not_with_another(server: Server, folder: str) -> None:
    version = server.ask("GET", f"/folders/{folder}")[1]["version"]
    status, answer = server.ask("PUT", f"/folders/{folder}", {"title": "older", "version": version + 7})
    assert (status, answer["status"]) == (412, "version-mismatch")
    status, answer = server.ask("PUT", f"/folders/{folder}", {"title": f"{folder} b", "version": version})
    assert (status, answer["title"]) == (200, f"{folder} b")


def test_a_saved_dashboard_is_given_back_as_it_was_with_numbers_of_its_own(server: Server, folder: str) -> None:
    status, saved = server.save(server.board() | {"id": None}, message="first")
    assert (status, saved["uid"], saved["status"]) == (200, server.name, "success")
    status, found = server.ask("GET", f"/dashboards/uid/{server.name}")
    assert status == 200
    assert found["meta"]["folderUid"] == folder
    assert not found["meta"]["provisioned"]
    given = found["dashboard"]
    assert isinstance(given["id"], int)
    assert isinstance(given["version"], int)
    assert {key: given[key] for key in server.board()} == server.board()


def test_a_dashboard_is_saved_over_the_version_that_was_seen_and_over_no_other(server: Server, folder: str) -> None:
    server.save(server.board())
    seen = server.ask("GET", f"/dashboards/uid/{server.name}")[1]["dashboard"]
    assert server.save(seen | {"title": "second"})[0] == 200
    status, answer = server.save(seen | {"title": "third"})
    assert (status, answer["status"]) == (412, "version-mismatch")
    assert server.save(seen | {"title": "third"}, overwrite=True)[0] == 200


def test_a_new_dashboard_does_not_replace_one_that_is_there(server: Server, folder: str) -> None:
    server.save(server.board())
    status, answer = server.save(server.board("another") | {"id": None})
    assert status == 412
    assert answer["status"] in {"version-mismatch", "name-exists"}


def test_the_newest_version_comes_first_with_its_message(server: Server, folder: str) -> None:
    server.save(server.board(), message="first")
    seen = server.ask("GET", f"/dashboards/uid/{server.name}")[1]["dashboard"]
    server.save(seen | {"title": "second"}, message="second")
    status, answer = server.ask("GET", f"/dashboards/uid/{server.name}/versions?limit=1")
    assert status == 200
    assert [version["message"] for version in answer["versions"]] == ["second"]


def test_a_dashboard_without_a_title_or_in_no_folder_is_refused_400(server: Server, folder: str) -> None:
    assert server.save(server.board(""))[0] == 400
    body = {"dashboard": server.board(), "folderUid": f"{folder}-not"}
    assert server.ask("POST", "/dashboards/db", body)[0] in {400, 404, 412}


def test_a_data_source_is_found_by_its_name_and_made_once(server: Server) -> None:
    source = {"name": server.name, "uid": server.name, "type": "prometheus", "access": "proxy", "url": "http://p:9090"}
    status, answer = server.ask("POST", "/datasources", source)
    assert status == 200
    assert (answer["datasource"]["uid"], answer["datasource"]["type"]) == (server.name, "prometheus")
    assert server.ask("POST", "/datasources", source)[0] == 409
    assert server.ask("GET", f"/datasources/name/{server.name}")[1]["url"] == "http://p:9090"


def test_annotations_are_found_by_all_of_their_tags_and_changed_in_place(server: Server) -> None:
    mine = f"run:{server.name}"
    for since in ("2026-01-01", "2027-01-01"):
        note = {
            "time": 1_767_225_600_000,
            "timeEnd": 1_767_225_600_000,
            "text": since,
            "tags": [mine, f"since:{since}"],
        }
        assert server.ask("POST", "/annotations", note)[0] == 200
    found = server.ask("GET", f"/annotations?tags={mine}&tags=since:2027-01-01&limit=100")[1]
    assert [note["text"] for note in found] == ["2027-01-01"]
    number = found[0]["id"]
    status, _ = server.ask("PATCH", f"/annotations/{number}", {"text": "moved", "tags": [mine, "since:2028-01-01"]})
    assert status == 200
    found = server.ask("GET", f"/annotations?tags={mine}&tags=since:2028-01-01")[1]
    assert [(note["text"], note["time"], note["timeEnd"]) for note in found] == [("moved", *[1_767_225_600_000] * 2)]
    assert server.ask("DELETE", f"/annotations/{number}")[0] == 200
    assert len(server.ask("GET", f"/annotations?tags={mine}")[1]) == 1


def test_what_is_published_is_unchanged_when_it_is_looked_at_again(server: Server) -> None:
    def wanted(title: str) -> Wanted:
        return Wanted(
            boards={server.name: server.board(title)},
            folder_uid=server.name,
            folder_title=server.name,
            datasource=server.name,
            datasource_url="http://p:9090",
        )

    publish_twice(server, lambda: wanted("one"), Action.CREATE)
    publish_twice(server, lambda: wanted("two"), Action.UPDATE)


def publish_twice(server: Server, wanted: Callable[[], Wanted], first: Action) -> None:
    with server.client() as grafana:
        made = plan(grafana, wanted())
        assert made.steps[-1].action is first
        told: list[Step] = []
        made.carry_out(told.append)
        assert {step.action for step in plan(grafana, wanted()).steps} == {Action.KEEP}
