"""A Grafana, by its HTTP API: the one place that knows the package grafana_api.

What that package does badly is made good here. It meets a page of HTML with a TypeError and an empty body with a
ValueError, follows a redirect by turning a POST into a GET, puts names into paths as they stand, and repeats a token
that cannot be sent in the error. So `Judge` sees every response first, paths are quoted, and tokens are checked.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Self
from urllib.parse import quote

from grafana_api.grafana_face import GrafanaFace

from attente import __version__
from attente.grafana.address import Address, trusted
from attente.grafana.answers import (
    Answered,
    GrafanaError,
    Judge,
    NotGrafana,
    Patience,
    Refused,
    Trouble,
    final,
    may_repeat,
)
from attente.grafana.differences import Json
from attente.grafana.token import Token

_MOST_ANNOTATIONS: Final = 10_000  # a norm changes some times in a decade; Grafana's own default is 100


class Grafana:
    """A connection to a Grafana as one service account.

    Every method raises `NotReached`, `NotGrafana` or `Refused`; those that look for one thing give None where Grafana
    says that it is not there.

    Args:
        where: its address.
        token: of the service account.
        ca_file: the certificates to trust in place of the usual ones.
        patience: how long to wait, and how often to try.

    Raises:
        BadInput: the file of certificates holds none.
        Missing: the file of certificates cannot be read.
    """

    def __init__(
        self, where: Address, token: Token, ca_file: Path | None = None, patience: Patience | None = None
    ) -> None:
        self.where = where
        self._judge = Judge(token)
        self._patience = patience or Patience()
        self._face = GrafanaFace(
            auth=token.reveal(),
            host=where.host,
            port=where.port,
            url_path_prefix=where.path,
            protocol=where.scheme,
            verify=True if ca_file is None else trusted(ca_file),
            timeout=self._patience.timeout_s,
        )
        session = self._face.api.s
        session.headers.update({"User-Agent": f"attente/{__version__}", "Accept": "application/json"})
        session.hooks["response"].append(self._judge.see)

    def __repr__(self) -> str:
        return f"Grafana({self.where})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._face.api.s.close()

    def version(self) -> str:
        """Its version; "" where it keeps that to itself.

        Raises:
            NotGrafana: what answers is no Grafana.
        """
        what = "health"
        health = self._ask(what, lambda: self._face.api.GET("/health"))
        if not isinstance(health, dict) or "database" not in health:
            raise self._strange(what)
        return str(health.get("version") or "")

    def folder(self, uid: str) -> Json | None:
        """A folder."""
        return self._find(f"folder {uid}", lambda: self._face.folder.get_folder(_quoted(uid)))

    def create_folder(self, uid: str, title: str) -> Json:
        """Make a folder."""
        return self._write(f"folder {uid}", lambda: self._face.folder.create_folder(title, uid))

    def rename_folder(self, uid: str, title: str, version: int, *, overwrite: bool) -> Json:
        """Give a folder another title; without `overwrite` only while it has the version that was seen."""
        seen = None if overwrite else version
        return self._write(
            f"folder {uid}",
            lambda: self._face.folder.update_folder(_quoted(uid), title, version=seen, overwrite=overwrite),
        )

    def datasource(self, name: str) -> Json | None:
        """A data source by its name."""
        return self._find(f"data source {name}", lambda: self._face.datasource.get_datasource_by_name(_quoted(name)))

    def create_datasource(self, source: Json) -> Json:
        """Make a data source, and give it as Grafana keeps it."""
        what = f"data source {source['name']}"
        created = self._write(what, lambda: self._face.datasource.create_datasource(source)).get("datasource")
        if not isinstance(created, dict):
            raise self._strange(what)
        return created

    def dashboard(self, uid: str) -> Json | None:
        """A dashboard: `dashboard` is what it says, `meta` where it is and who changed it last."""
        what = f"dashboard {uid}"
        found = self._find(what, lambda: self._face.dashboard.get_dashboard(_quoted(uid)))
        if found is not None and not all(isinstance(found.get(part), dict) for part in ("dashboard", "meta")):
            raise self._strange(what)
        return found

    def last_message(self, uid: str) -> str:
        """The message of a dashboard's newest version; "" where it has none."""
        what = f"versions of dashboard {uid}"
        url = f"/dashboards/uid/{_quoted(uid)}/versions?limit=1"
        answer = self._ask(what, lambda: self._face.api.GET(url))
        # A list until Grafana 11, since then a page of a list; the newest comes first.
        versions = answer.get("versions") if isinstance(answer, dict) else answer
        if not isinstance(versions, list) or not all(isinstance(version, dict) for version in versions):
            raise self._strange(what)
        return str(versions[0].get("message") or "") if versions else ""

    def save_dashboard(self, board: Json, folder_uid: str, message: str, *, overwrite: bool) -> Json:
        """Save a dashboard; without `overwrite` only as the successor of the version that `board` names."""
        body = {"dashboard": board, "folderUid": folder_uid, "message": message, "overwrite": overwrite}
        return self._write(f"dashboard {board['uid']}", lambda: self._face.dashboard.update_dashboard(body))

    def annotations(self, *tags: str) -> list[Json]:
        """The annotations that have all of some tags."""
        what = "annotations"
        quoted = [_quoted(tag) for tag in tags]
        found = self._ask(what, lambda: self._face.annotations.get_annotation(tags=quoted, limit=_MOST_ANNOTATIONS))
        if not isinstance(found, list) or not all(isinstance(one, dict) and "id" in one for one in found):
            raise self._strange(what)
        return found

    def add_annotation(self, what: str, begins_ms: int, ends_ms: int, tags: tuple[str, ...], text: str) -> None:
        """Set an annotation of the whole organisation."""
        said = {"time_from": begins_ms, "time_to": ends_ms, "tags": list(tags), "text": text}
        self._write(what, lambda: self._face.annotations.add_annotation(**said))

    def change_annotation(
        self, what: str, number: int, begins_ms: int, ends_ms: int, tags: tuple[str, ...], text: str
    ) -> None:
        """Change an annotation; all of it is sent, since the package empties what is left out."""
        said = {"time_from": begins_ms, "time_to": ends_ms, "tags": list(tags), "text": text}
        self._write(what, lambda: self._face.annotations.partial_update_annotation(number, **said))

    def remove_annotation(self, what: str, number: int) -> None:
        """Take an annotation away."""
        self._write(what, lambda: self._face.annotations.delete_annotations_by_id(number))

    def _find(self, what: str, ask: Callable[[], Any]) -> Json | None:
        try:
            found = self._ask(what, ask)
        except Refused as error:
            # Only Grafana itself knows what it has not got; a proxy's 404 means that the way is wrong.
            if error.status == 404 and error.is_grafanas:
                return None
            raise
        if not isinstance(found, dict):
            raise self._strange(what)
        return found

    def _write(self, what: str, ask: Callable[[], Any]) -> Json:
        answer = self._ask(what, ask, writes=True)
        if not isinstance(answer, dict):
            raise self._strange(what)
        return answer

    def _ask(self, what: str, ask: Callable[[], Any], *, writes: bool = False) -> Any:
        doing = f"{self.where}: {what}"
        patience = self._patience
        started = patience.clock()
        failed = 0
        while True:
            answer, trouble = self._once(doing, ask)
            if trouble is None:
                return answer
            failed += 1
            wait = patience.pause(failed, trouble)
            is_late = patience.clock() - started + wait > patience.total_s
            if failed >= patience.tries or is_late or not may_repeat(trouble, writes=writes):
                # Raised here and not where it was caught: no error then carries the request and its header.
                raise final(doing, trouble, failed, writes=writes)
            patience.sleep(wait)

    def _once(self, doing: str, ask: Callable[[], Any]) -> tuple[Any, Trouble | None]:
        try:
            return ask(), None
        except (Answered, GrafanaError, OSError, ValueError) as error:  # all that requests raises is an OSError
            return None, self._judge.trouble(doing, error, self._patience.timeout_s)

    def _strange(self, what: str) -> NotGrafana:
        return NotGrafana(f"{self.where}: {what}: answered with JSON that is not what Grafana's API gives")


def _quoted(name: str) -> str:
    return quote(name, safe="")
