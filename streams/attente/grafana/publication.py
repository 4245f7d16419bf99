"""What has to change in a Grafana so that it shows what this version shows, and doing it.

First everything is looked at, then anything is written: what stands in the way is known before the first write. What
is the same is not written again, so that publishing twice writes once.
"""

import copy
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from attente import __version__
from attente.errors import BadInput
from attente.grafana.answers import GrafanaError, Refused
from attente.grafana.differences import ABSENT, Change, Json, differences, fingerprint, shown
from attente.grafana.norm_changes import OURS, NormChange
from attente.grafana.publish import Grafana

FOLDER_UID: Final = "attente"
FOLDER_TITLE: Final = "Attente"
DATASOURCE: Final = "Prometheus"
DATASOURCE_UID: Final = "attente-prometheus"
"""The uid of a data source that is created here; one that was there keeps its own."""

_TYPE: Final = "prometheus"
_SCRAPES: Final = "15s"  # how often Prometheus asks the workers (deploy/prometheus); no rate is taken over less
# The version's message: by it the next publication knows that nobody has changed the dashboard since this one.
_MESSAGE: Final = re.compile(r"attente \S+ [0-9a-f]{12}")
_CHANGED: Final = 412


class Changed(GrafanaError):  # noqa: N818 - the name is what happened
    """Somebody has changed in Grafana what is to be published."""


class Provisioned(GrafanaError):  # noqa: N818
    """A dashboard comes from a file of the Grafana server, which lets nobody else change it."""


class NoDatasource(GrafanaError):  # noqa: N818
    """There is no data source of that name, or it is no Prometheus."""


class Kind(StrEnum):
    """What is published."""

    FOLDER = "folder"
    DATASOURCE = "data source"
    DASHBOARD = "dashboard"
    ANNOTATION = "annotation"


class Action(StrEnum):
    """What has to be done."""

    CREATE = "create"
    UPDATE = "update"
    REMOVE = "remove"
    KEEP = "keep"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be in Grafana.

    Attributes:
        boards: dashboards by uid.
        folder_uid: of the folder that they are in.
        folder_title: None leaves the title of a folder that is there.
        datasource: the name of the Prometheus that they ask.
        datasource_url: where that Prometheus is, for Grafana; None: it has to be there already.
        changes: of norms; None leaves all annotations alone.
        network: the tag by which the annotations of this network are found.
        overwrite: also what somebody has changed in Grafana.
    """

    boards: Mapping[str, Json]
    folder_uid: str = FOLDER_UID
    folder_title: str | None = None
    datasource: str = DATASOURCE
    datasource_url: str | None = None
    changes: tuple[NormChange, ...] | None = None
    network: str = ""
    overwrite: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One thing of Grafana, and what has to be done to it.

    Attributes:
        kind, name: what it is.
        title: for people.
        action: what has to be done.
        changes: what an update changes.
        obstacle: why it cannot be done; None: it can.
        write: does it.
    """

    kind: Kind
    name: str
    title: str
    action: Action
    changes: tuple[Change, ...] = ()
    obstacle: GrafanaError | None = None
    write: Callable[[], object] | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """All steps in the order in which they are taken, and notes for whoever publishes."""

    steps: tuple[Step, ...]
    notes: tuple[str, ...] = ()

    @property
    def obstacle(self) -> GrafanaError | None:
        """The first thing that stands in the way."""
        return next((step.obstacle for step in self.steps if step.obstacle is not None), None)

    def carry_out(self, told: Callable[[Step], None]) -> None:
        """Take every step, and tell of each one when it is done.

        Raises:
            GrafanaError: something stands in the way, and nothing was written; or a step failed, and those before it
                are done.
        """
        if self.obstacle is not None:
            raise self.obstacle
        for step in self.steps:
            if step.write is not None:
                step.write()
            told(step)


def plan(grafana: Grafana, wanted: Wanted) -> Plan:
    """Look at everything in Grafana that is to be published.

    Raises:
        NoDatasource: there is no such Prometheus, and nobody said where it is.
        GrafanaError: Grafana does not answer, or refuses.
    """
    folder = _folder(grafana, wanted)
    source, uid, notes = _datasource(grafana, wanted)
    steps = [folder, source]
    for board_uid, board in wanted.boards.items():
        steps.append(_dashboard(grafana, wanted, {**_pinned(board, wanted.datasource, uid), "uid": board_uid}))
    if wanted.changes is not None:
        steps.extend(_annotations(grafana, wanted.changes, wanted.network))
    return Plan(tuple(steps), notes)


def check_datasource_url(url: str) -> str:
    """A URL that may be shown and stored in the open.

    Raises:
        BadInput: it holds a password, or is no URL.
    """
    found = re.fullmatch(r"https?://(?P<user>[^/@]*@)?[^/@\s]+(/\S*)?", url)
    if found is None or found["user"]:
        what = "holds a user or a password, which Grafana would show" if found else "is no URL"
        msg = f"--datasource-url {what}; write one like http://prometheus:9090, and passwords in Grafana"
        raise BadInput(msg)
    return url


def _folder(grafana: Grafana, wanted: Wanted) -> Step:
    uid, title = wanted.folder_uid, wanted.folder_title
    found = grafana.folder(uid)
    if found is None:
        made = title or FOLDER_TITLE
        return Step(Kind.FOLDER, uid, made, Action.CREATE, write=lambda: grafana.create_folder(uid, made))
    there = str(found.get("title", ""))
    if title is None or title == there:
        return Step(Kind.FOLDER, uid, there, Action.KEEP)
    version = int(found.get("version") or 0)

    def rename() -> None:
        try:
            grafana.rename_folder(uid, title, version, overwrite=wanted.overwrite)
        except Refused as error:
            if error.status != _CHANGED:
                raise
            raise _changed(grafana, f"folder {uid}", grafana.folder(uid) or {}) from None

    return Step(Kind.FOLDER, uid, title, Action.UPDATE, (Change("title", there, title),), write=rename)


def _datasource(grafana: Grafana, wanted: Wanted) -> tuple[Step, str, tuple[str, ...]]:
    """The step, the data source's uid, and notes."""
    name, url = wanted.datasource, wanted.datasource_url
    found = grafana.datasource(name)
    if found is None:
        if url is None:
            remedy = "name another with --datasource, or say with --datasource-url where Prometheus is"
            msg = f"{grafana.where}: data source {name}: there is none of that name; {remedy}"
            raise NoDatasource(msg)
        body = {
            "name": name,
            "uid": DATASOURCE_UID,
            "type": _TYPE,
            "access": "proxy",
            "url": url,
            "jsonData": {"httpMethod": "POST", "timeInterval": _SCRAPES},
        }
        create = Step(Kind.DATASOURCE, name, url, Action.CREATE, write=lambda: grafana.create_datasource(body))
        return create, DATASOURCE_UID, ()
    if found.get("type") != _TYPE:
        msg = f"{grafana.where}: data source {name}: is of type {found.get('type')}, not {_TYPE}; name another"
        raise NoDatasource(msg)
    there = re.sub(r"//[^/@]*@", "//", str(found.get("url", "")))  # an old one may have a password in it
    notes = () if url is None or url.rstrip("/") == there.rstrip("/") else (_other_url(name, there, url),)
    return Step(Kind.DATASOURCE, name, there, Action.KEEP), str(found.get("uid", "")), notes


def _other_url(name: str, there: str, url: str) -> str:
    return f"data source {name} was there and asks {there}, not {url}; it is left as it is, change it in Grafana"


def _pinned(board: Json, name: str, uid: str) -> Json:
    """A dashboard that asks one data source until its reader chooses another."""
    pinned = copy.deepcopy(board)
    for variable in pinned.get("templating", {}).get("list", []):
        if variable.get("type") == "datasource" and variable.get("query") == _TYPE:
            variable["current"] = {"text": name, "value": uid}
    return pinned


def _dashboard(grafana: Grafana, wanted: Wanted, board: Json) -> Step:
    uid, title = str(board["uid"]), str(board.get("title", ""))
    mark = fingerprint(board, wanted.folder_uid)
    message = f"attente {__version__} {mark}"

    def step(action: Action, **more: Any) -> Step:
        return Step(Kind.DASHBOARD, uid, title, action, **more)

    def write(body: Json) -> Callable[[], object]:
        return lambda: _save(grafana, body, message, wanted)

    found = grafana.dashboard(uid)
    if found is None:
        return step(Action.CREATE, write=write({**board, "id": None}))
    there, meta = found["dashboard"], found["meta"]
    changes = differences(there, board)
    if (folder := str(meta.get("folderUid") or "")) != wanted.folder_uid:
        changes = (Change("folder", folder or ABSENT, wanted.folder_uid), *changes)
    if not changes:
        return step(Action.KEEP)
    last = grafana.last_message(uid)
    # Grafana keeps some dashboards in a form of its own; one that it got from here in this very form is not changed.
    if last.endswith(mark) and not meta.get("provisioned") and folder == wanted.folder_uid:
        return step(Action.KEEP)
    obstacle = _obstacle(grafana, uid, meta, is_ours=bool(_MESSAGE.fullmatch(last)), overwrite=wanted.overwrite)
    body = {**board, "id": there.get("id"), "version": there.get("version")}
    return step(Action.UPDATE, changes=changes, obstacle=obstacle, write=write(body))


def _obstacle(grafana: Grafana, uid: str, meta: Json, *, is_ours: bool, overwrite: bool) -> GrafanaError | None:
    if meta.get("provisioned"):
        file = meta.get("provisionedExternalId") or "a file"
        said = f"{grafana.where}: dashboard {uid}: Grafana loads it from {file} and lets nobody else change it"
        return Provisioned(f"{said}; change that file, or take it out of Grafana's provisioning")
    return None if is_ours or overwrite else _changed(grafana, f"dashboard {uid}", meta)


def _changed(grafana: Grafana, what: str, meta: Json) -> Changed:
    who, when = str(meta.get("updatedBy") or "somebody"), str(meta.get("updated") or "")
    said = f"{grafana.where}: {what}: changed by {who}{f' at {when}' if when else ''}, not by this command"
    return Changed(f"{said}; see what with --dry-run, then publish over it with --overwrite")


def _save(grafana: Grafana, board: Json, message: str, wanted: Wanted) -> None:
    try:
        grafana.save_dashboard(board, wanted.folder_uid, message, overwrite=wanted.overwrite)
        return
    except Refused as error:
        if error.status != _CHANGED or error.reason == "plugin-dashboard":
            raise
    found = grafana.dashboard(board["uid"]) or {}
    raise _changed(grafana, f"dashboard {board['uid']}", found.get("meta", {}))


def _annotations(grafana: Grafana, changes: Iterable[NormChange], network: str) -> Iterator[Step]:
    found = sorted(grafana.annotations(OURS, network), key=lambda one: int(one["id"]))
    for change in changes:
        name = f"{change.norm} since {change.since}"
        same = [one for one in found if set(change.tags) <= set(one.get("tags") or ())]
        found = [one for one in found if one not in same]
        if not same:
            yield Step(Kind.ANNOTATION, name, change.text, Action.CREATE, write=_adding(grafana, name, change))
            continue
        yield _kept(grafana, name, change, same[0])
        for doubled in same[1:]:
            yield _removed(grafana, name, doubled)
    for withdrawn in found:
        yield _removed(grafana, str(withdrawn.get("id")), withdrawn)


def _adding(grafana: Grafana, name: str, change: NormChange) -> Callable[[], object]:
    return lambda: grafana.add_annotation(
        f"annotation {name}", change.begins_ms, change.ends_ms, change.tags, change.text
    )


def _kept(grafana: Grafana, name: str, change: NormChange, there: Json) -> Step:
    ends = there.get("timeEnd") or there.get("time")
    rows = (
        ("time", there.get("time"), change.begins_ms),
        ("end", ends, change.ends_ms),
        ("text", there.get("text"), change.text),
        ("tags", sorted(there.get("tags") or ()), sorted(change.tags)),
    )
    changes = tuple(Change(where, shown(before), shown(after)) for where, before, after in rows if before != after)
    if not changes:
        return Step(Kind.ANNOTATION, name, change.text, Action.KEEP)
    number = int(there["id"])

    def write() -> None:
        what = f"annotation {name}"
        grafana.change_annotation(what, number, change.begins_ms, change.ends_ms, change.tags, change.text)

    return Step(Kind.ANNOTATION, name, change.text, Action.UPDATE, changes, write=write)


def _removed(grafana: Grafana, name: str, there: Json) -> Step:
    number, title = int(there["id"]), str(there.get("text", ""))
    return Step(
        Kind.ANNOTATION,
        name,
        title,
        Action.REMOVE,
        write=lambda: grafana.remove_annotation(f"annotation {name}", number),
    )
