"""A server that behaves as Grafana 12 documents, for the endpoints that publishing uses, with nothing drawn.

The contract suite (test_grafana_contract.py) holds it to what a real Grafana answers; the tests of publishing make it
fail in the ways in which Grafana, and what stands before it, fail.
"""

import json
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, ClassVar, Self
from urllib.parse import parse_qs, unquote, urlsplit

Json = dict[str, Any]
Answer = tuple[int, Any]

EDITS = frozenset({
    "folders:read", "folders:create", "folders:write", "folders:delete", "dashboards:read", "dashboards:create",
    "dashboards:write", "dashboards:delete", "annotations:read", "annotations:create", "annotations:write",
    "annotations:delete", "datasources:read",
})  # fmt: skip
ROLES = {
    "Viewer": frozenset({"folders:read", "dashboards:read", "annotations:read", "datasources:read"}),
    "Editor": EDITS,
    "Admin": EDITS | {"datasources:create", "datasources:delete"},
}
TAGS_LENGTH = 500
LOGIN_PAGE = b"<!doctype html><html><title>Sign in</title><body>a message: who are you?</body></html>"


@dataclass
class Fault:
    """What happens in place of an answer, to the next so many requests that match.

    `status` with `body` answers; `hang` keeps silent until the stub closes; `drop` closes the connection, with
    `after_doing` only when the request was done.
    """

    method: str = ""
    path: str = ""
    times: int = 1
    status: int = 0
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})
    hang: bool = False
    drop: bool = False
    after_doing: bool = False
    echo: bool = False

    def matches(self, method: str, path: str) -> bool:
        return self.times > 0 and self.method in ("", method) and path.startswith(f"/api{self.path}")


class GrafanaStub:
    """The server and everything it knows. Use it as a context manager; `url` is its address."""

    def __init__(self, tls: ssl.SSLContext | None = None, path: str = "") -> None:
        self.tokens: dict[str, tuple[str, str]] = {}  # token: role, login
        self.version = "12.1.0"
        self.folders: dict[str, Json] = {}
        self.datasources: dict[str, Json] = {}
        self.dashboards: dict[str, Json] = {}
        self.notes: dict[int, Json] = {}
        self.requests: list[tuple[str, str]] = []
        self.writes: list[tuple[str, str]] = []
        self.sent: list[bytes] = []
        self.faults: list[Fault] = []
        self.before_write: Callable[[], None] | None = None
        self.keeps: Callable[[Json], Json] = lambda board: board
        self.path = path
        self._ids = 0
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"stub": self}))
        self.is_tls = tls is not None
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    @property
    def url(self) -> str:
        return f"http{'s' if self.is_tls else ''}://127.0.0.1:{self._server.server_port}{self.path}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def wait_for_the_end(self) -> None:
        self._closing.wait(60)

    def edit(self, uid: str, by: str, change: Callable[[Json], None], message: str = "") -> None:
        """Somebody saves a dashboard in the browser."""
        kept = self.dashboards[uid]
        board = json.loads(json.dumps(kept["board"]))
        change(board)
        self._keep(uid, board, kept["folder"], by, message)

    def provision(self, uid: str, file: str) -> None:
        """A dashboard is loaded from a file of the server."""
        self.dashboards[uid]["provisioned"] = file

    def answer(
        self, method: str, path: str, query: Mapping[str, list[str]], body: Any, login: str, role: str
    ) -> Answer:
        with self._lock:
            return self._route(method, path, query, body, login, role)

    def _route(  # noqa: PLR0911 - one line for each part of the API
        self, method: str, path: str, query: Mapping[str, list[str]], body: Any, login: str, role: str
    ) -> Answer:
        parts = [unquote(part) for part in path.removeprefix("/api/").split("/")]
        needed = f"{parts[0]}:{_ACTIONS.get(method, '')}"
        if parts[0] == "dashboards" and method == "POST":
            needed = "dashboards:write"
        if needed not in ROLES[role]:
            return 403, {
                "accessErrorId": "ACE0000000001",
                "message": "You'll need additional permissions to perform this action. Permissions needed: " + needed,
                "title": "Access denied",
            }
        match parts:
            case ["folders", *rest]:
                return self._folders(method, rest, body or {}, login)
            case ["datasources", *rest]:
                return self._datasources(method, rest, body or {})
            case ["dashboards", "db"] if method == "POST":
                return self._save(body, login)
            case ["dashboards", "uid", uid, *rest]:
                return self._dashboard(method, uid, rest, query)
            case ["annotations", *rest]:
                return self._annotations(method, rest, query, body or {})
        return 404, {"message": "Not found"}

    def _folders(self, method: str, rest: list[str], body: Json, login: str) -> Answer:  # noqa: PLR0911 - as above
        if method == "POST":
            if not body.get("title"):
                return 400, {"message": "folder title cannot be empty"}
            uid = body.get("uid") or f"f{self._next()}"
            if uid in self.folders:
                return 409, {"message": "a folder/dashboard with the same uid already exists"}
            self.folders[uid] = {"id": self._next(), "uid": uid, "version": 0, "createdBy": login, "created": _now()}
            return 200, self._titled(uid, body["title"], login)
        uid = rest[0]
        if uid not in self.folders:
            return 404, {"message": "folder not found", "status": "not-found"}
        if method == "GET":
            return 200, self.folders[uid]
        if method == "DELETE":
            self.dashboards = {key: kept for key, kept in self.dashboards.items() if kept["folder"] != uid}
            gone = self.folders.pop(uid)
            return 200, {"id": gone["id"], "message": f"Folder {gone['title']} deleted", "title": gone["title"]}
        if not body.get("overwrite") and body.get("version") != self.folders[uid]["version"]:
            return 412, {"message": "the folder has been changed by someone else", "status": "version-mismatch"}
        return 200, self._titled(uid, body["title"], login)

    def _titled(self, uid: str, title: str, login: str) -> Json:
        folder = self.folders[uid]
        folder |= {"title": title, "url": f"/dashboards/f/{uid}/", "updatedBy": login, "updated": _now()}
        folder["version"] += 1
        return folder

    def _datasources(self, method: str, rest: list[str], body: Json) -> Answer:
        if method == "POST":
            if body["name"] in self.datasources:
                return 409, {"message": "data source with the same name already exists"}
            if any(one["uid"] == body.get("uid") for one in self.datasources.values()):
                return 409, {"message": "data source with the same uid already exists"}
            made = {"uid": f"d{self._next()}", **body, "id": self._next(), "orgId": 1, "readOnly": False, "version": 1}
            self.datasources[body["name"]] = made
            return 200, {"datasource": made, "id": made["id"], "message": "Datasource added", "name": made["name"]}
        if rest[:1] != ["name"] or rest[1] not in self.datasources:
            return 404, {"message": "Data source not found"}
        if method == "GET":
            return 200, self.datasources[rest[1]]
        return 200, {"id": self.datasources.pop(rest[1])["id"], "message": "Data source deleted"}

    def _dashboard(self, method: str, uid: str, rest: list[str], query: Mapping[str, list[str]]) -> Answer:
        kept = self.dashboards.get(uid)
        if kept is None:
            return 404, {"message": "Dashboard not found", "status": "not-found"}
        if rest == ["versions"]:
            limit = int(query.get("limit", ["1000"])[0])
            return 200, {"continueToken": "", "versions": kept["versions"][::-1][:limit]}
        if method == "DELETE":
            del self.dashboards[uid]
            title = kept["board"]["title"]
            return 200, {"id": kept["id"], "message": f"Dashboard {title} deleted", "title": title}
        return 200, {"dashboard": kept["board"], "meta": self._meta(uid, kept)}

    def _meta(self, uid: str, kept: Json) -> Json:
        first, last = kept["versions"][0], kept["versions"][-1]
        return {
            "type": "db", "canSave": True, "canEdit": True, "canAdmin": True, "canDelete": True,
            "slug": uid, "url": f"/d/{uid}/{uid}", "version": last["version"],
            "created": first["created"], "createdBy": first["createdBy"],
            "updated": last["created"], "updatedBy": last["createdBy"],
            "folderUid": kept["folder"], "folderTitle": self.folders.get(kept["folder"], {}).get("title", "General"),
            "provisioned": bool(kept["provisioned"]), "provisionedExternalId": kept["provisioned"],
        }  # fmt: skip

    def _save(self, body: Any, login: str) -> Answer:  # noqa: PLR0911 - a refusal, a line
        board = body.get("dashboard") if isinstance(body, dict) else None
        if not isinstance(board, dict):
            return 400, {"message": "bad request data"}
        if not board.get("title"):
            return 400, {"message": "Dashboard title cannot be empty", "status": "empty-name"}
        uid = board.get("uid") or f"u{self._next()}"
        if len(uid) > 40:
            return 400, {"message": "uid too long, max 40 characters"}
        if len(body.get("message") or "") > 500:
            return 400, {"message": "message too long, max 500 characters"}
        folder = body.get("folderUid") or ""
        if folder and folder not in self.folders:
            return 400, {"message": "folder not found"}
        kept = self.dashboards.get(uid)
        if kept is None and board.get("id"):
            return 404, {"message": "Dashboard not found", "status": "not-found"}
        if kept is not None:
            if kept["provisioned"]:
                return 400, {"message": "Cannot save provisioned dashboard"}
            if not body.get("overwrite") and board.get("version") != kept["board"]["version"]:
                said = "The dashboard has been changed by someone else"
                return 412, {"message": said, "status": "version-mismatch"}
        version = self._keep(uid, board, folder, login, body.get("message") or "")
        kept = self.dashboards[uid]
        return 200, {
            "folderUid": folder, "id": kept["id"], "slug": uid, "status": "success", "uid": uid,
            "url": f"/d/{uid}/{uid}", "version": version,
        }  # fmt: skip

    def _keep(self, uid: str, board: Json, folder: str, login: str, message: str) -> int:
        old = self.dashboards.get(uid)
        number = old["id"] if old else self._next()
        version = old["board"]["version"] + 1 if old else 1
        entry = {
            "id": self._next(), "dashboardId": number, "uid": uid, "parentVersion": version - 1, "restoredFrom": 0,
            "version": version, "created": _now(), "createdBy": login, "message": message,
        }  # fmt: skip
        self.dashboards[uid] = {
            "id": number,
            "board": self.keeps(json.loads(json.dumps(board))) | {"id": number, "uid": uid, "version": version},
            "folder": folder,
            "provisioned": old["provisioned"] if old else "",
            "versions": [*(old["versions"] if old else []), entry],
        }
        return version

    def _annotations(  # noqa: PLR0911 - as above
        self, method: str, rest: list[str], query: Mapping[str, list[str]], body: Json
    ) -> Answer:
        if method == "GET":
            wanted = query.get("tags", [])
            found = [note for note in self.notes.values() if _has_tags(note["tags"], wanted)]
            limit = int(query.get("limit", ["100"])[0])
            return 200, sorted(found, key=lambda note: (-note["timeEnd"], -note["time"]))[:limit]
        if len(json.dumps(body.get("tags") or [])) > TAGS_LENGTH:
            return 400, {"message": f"tags length exceeds the maximum allowed ({TAGS_LENGTH})"}
        if method == "POST":
            if not body.get("text"):
                return 400, {"message": "Failed to save annotation"}
            number = self._next()
            begins = body.get("time") or int(datetime.now(UTC).timestamp() * 1000)
            self.notes[number] = {
                "id": number, "alertId": 0, "dashboardId": 0, "dashboardUID": None, "panelId": 0, "text": body["text"],
                "time": begins, "timeEnd": body.get("timeEnd") or begins, "tags": body.get("tags") or [], "data": {},
            }  # fmt: skip
            return 200, {"id": number, "message": "Annotation added"}
        note = self.notes.get(int(rest[0]))
        if note is None:
            return 404, {"message": "Could not find annotation"}
        if method == "DELETE":
            del self.notes[note["id"]]
            return 200, {"message": "Annotation deleted"}
        note |= {key: body[key] for key in ("text", "time", "timeEnd") if body.get(key)}
        if body.get("tags") is not None:
            note["tags"] = body["tags"]
        return 200, {"message": "Annotation patched"}

    def _next(self) -> int:
        self._ids += 1
        return self._ids


_ACTIONS = {"GET": "read", "POST": "create", "PUT": "write", "PATCH": "write", "DELETE": "delete"}


def _has_tags(tags: list[str], wanted: list[str]) -> bool:
    """Grafana's own way: a tag is a key and a value, and one without a value is met by each tag of that key."""
    met = 0
    for tag in tags:
        key, _, _ = tag.partition(":")
        met += any(want == tag if ":" in want else want == key for want in wanted)
    return not wanted or met == len(wanted)


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away, or trusts nobody, is what some tests are about."""


class _Handler(BaseHTTPRequestHandler):
    stub: ClassVar[GrafanaStub]
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self._serve()

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815 - the server's names

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the server's name
        pass

    def _serve(self) -> None:
        stub = self.stub
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        url = urlsplit(self.path)
        path = url.path.removeprefix(stub.path)
        stub.requests.append((self.command, path))
        stub.sent.append(content)
        fault = next((fault for fault in stub.faults if fault.matches(self.command, path)), None)
        if fault is not None:
            fault.times -= 1
        if fault is None or fault.after_doing:
            if self.command != "GET" and stub.before_write is not None:
                hook, stub.before_write = stub.before_write, None
                hook()
            status, answer = self._answer(path, parse_qs(url.query), content)
            if self.command != "GET" and status < 400:
                stub.writes.append((self.command, path))
            if fault is None:
                self._send(status, json.dumps(answer).encode(), {"Content-Type": "application/json"})
                return
        self._fail(fault)

    def _answer(self, path: str, query: Mapping[str, list[str]], content: bytes) -> Answer:
        stub = self.stub
        if not path.startswith("/api/"):
            return 404, {"message": "Not found"}
        if path == "/api/health":
            return 200, {"database": "ok", "version": stub.version, "commit": "0000000000"}
        role, login = stub.tokens.get(self.headers.get("Authorization", "").removeprefix("Bearer "), ("", ""))
        if not role:
            return 401, {"message": "Invalid API key", "messageId": "api-key.invalid", "statusCode": 401}
        try:
            body = json.loads(content) if content else None
        except ValueError:
            return 400, {"message": "bad request data"}
        return stub.answer(self.command, path, query, body, login, role)

    def _fail(self, fault: Fault) -> None:
        if fault.hang:
            self.stub.wait_for_the_end()
        if fault.hang or fault.drop:
            self.close_connection = True
        elif fault.echo:
            self._send(fault.status, json.dumps({"message": str(self.headers)}).encode(), fault.headers)
        else:
            self._send(fault.status, fault.body, fault.headers)

    def _send(self, status: int, content: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)
