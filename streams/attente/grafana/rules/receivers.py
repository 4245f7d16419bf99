"""The receivers file: who is told, and by which way.

Where mail goes and which web hooks there are is known to a network alone, so it stands in a file of its own. Its
`global`, `templates` and `receivers` are Alertmanager's own and pass through as they were written; `routes` says who
gets what. Every problem is told with its place, as of a registry.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from yaml import MappingNode, Node, ScalarNode, SequenceNode

from attente.errors import Missing
from attente.registry import document, scalars
from attente.registry.entities import Registry
from attente.registry.fields import Fields, is_shape
from attente.registry.problems import Problems
from attente.registry.scalars import shown

AUDIENCES: Final = ("office", "network", "operator")
SEVERITIES: Final = ("page", "ticket")

_KEYS: Final = {
    "global": "a mapping like {smtp_smarthost: 'mail.example.org:587', smtp_from: attente@example.org}",
    "templates": "a list like [templates/*.tmpl]",
    "receivers": "a list of {name: reception, email_configs: [{to: reception@example.org}]}",
    "routes": "a list of {audiences: [office], severities: [page], receiver: reception}",
    "otherwise": "operators",
    "dead_mans_switch": "heartbeat",
    "timing": "a mapping like {page: {repeat_interval: 4h}}",
}
_ROUTE_KEYS: Final = {
    "audiences": f"a list of {', '.join(AUDIENCES)}",
    "severities": f"a list of {', '.join(SEVERITIES)}",
    "regions": "a list of regions of the registry",
    "receiver": "reception",
}
_TIMING_KEYS: Final = dict.fromkeys(SEVERITIES, "a mapping like {group_wait: 30s}")
_DEFAULT_TIMING: Final = {
    # A page is worth a look now; what comes within seconds is told together.
    "page": {"group_wait": "15s", "group_interval": "2m", "repeat_interval": "4h"},
    # A ticket is worked off in its turn. It is told again after less than a night: what ends while an office is closed
    # is not told to have ended, and the same alert next morning would pass for the one that was told the day before.
    "ticket": {"group_wait": "1m", "group_interval": "5m", "repeat_interval": "12h"},
}
_WAYS: Final = (
    "discord", "email", "incidentio", "jira", "mattermost", "msteams", "msteamsv2", "opsgenie", "pagerduty", "pushover",
    "rocketchat", "slack", "sns", "telegram", "victorops", "webex", "webhook", "wechat",
)  # fmt: skip
_RECEIVER_KEYS: Final = {"name": "reception"} | {f"{way}_configs": "a list of mappings" for way in _WAYS}
_NEEDED: Final = {"email_configs": ("to",), "webhook_configs": ("url", "url_file")}
_SECRETS: Final = frozenset({
    "api_key", "auth_password", "bearer_token", "client_secret", "credentials", "opsgenie_api_key", "password",
    "routing_key", "service_key", "slack_api_url", "smtp_auth_password", "victorops_api_key",
})  # fmt: skip
"""What Alertmanager 0.25 reads from a file, too, whose path stands under the same key with `_file`."""

_HINTS: Final = {"url": "basic_auth with username and password_file"}


class Timing(NamedTuple):
    """How long alerts of a severity are gathered, and when they are told again; in seconds."""

    group_wait: int
    group_interval: int
    repeat_interval: int


@dataclass(frozen=True, slots=True)
class Route:
    """Who gets the alerts of some audiences, severities and regions; `regions` None is all, and those of no region."""

    audiences: tuple[str, ...]
    severities: tuple[str, ...]
    regions: tuple[str, ...] | None
    receiver: str


@dataclass(frozen=True, slots=True)
class Receivers:
    """A receivers file that holds together.

    Attributes:
        name: what the file is called.
        settings: `global` and `templates` as they were written, by their keys.
        receivers: each as it was written.
        routes: the first that fits an alert is the one; together they fit every alert of the registry's offices.
        otherwise: the receiver of whatever is none of ours, or of a region that the registry did not have yet.
        dead_mans_switch: the receiver of the alert that always fires.
        timing: by severity.
    """

    name: str
    settings: dict[str, Node]
    receivers: list[Node]
    routes: tuple[Route, ...]
    otherwise: str
    dead_mans_switch: str
    timing: dict[str, Timing]


def load(path: Path, registry: Registry) -> Receivers:
    """Reads a receivers file for a network.

    Raises:
        RegistryError: the file has problems; all of them are told.
        Missing: the file is not there or cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        msg = f"{path}: the receivers cannot be read ({error.strerror}); name a readable YAML file"
        raise Missing(msg) from None
    except UnicodeDecodeError as error:
        problems = Problems(str(path))
        problems.add_at(1, 1, f"byte {error.start + 1} is not UTF-8; save the file in UTF-8")
        raise problems.error() from None
    return parse(text, str(path), registry)


def parse(text: str, name: str, registry: Registry) -> Receivers:
    """Reads receivers from their text; `name` is what messages call the file.

    Raises:
        RegistryError: the text has problems; all of them are told, unless it is no YAML at all.
    """
    problems = Problems(name)
    if all(not line.strip() or line.lstrip().startswith("#") for line in text.splitlines()):
        problems.add_at(1, 1, "the file is empty; begin with receivers: and routes:")
        raise problems.error()
    found = _Reader(document.compose(text, problems), registry, problems).receivers()
    if problems:
        raise problems.error()
    return found


class _Reader:
    """One reading of one file."""

    def __init__(self, root: Node, registry: Registry, problems: Problems) -> None:
        self.problems = problems
        self.regions = tuple(dict.fromkeys(office.region for office in registry.offices.values()))
        self.top = Fields(root, "", _KEYS, problems)

    def receivers(self) -> Receivers:
        top = self.top
        receivers = self._receivers()
        names = None if "receivers" in top.failed else tuple(name for name, _ in receivers)
        return Receivers(
            name=self.problems.file,
            settings=self._settings(),
            receivers=[node for _, node in receivers],
            routes=self._routes(names),
            otherwise=self._receiver(top, "otherwise", names),
            dead_mans_switch=self._receiver(top, "dead_mans_switch", names),
            timing=self._timing(),
        )

    def _settings(self) -> dict[str, Node]:
        found = {}
        for key, shape in (("global", MappingNode), ("templates", SequenceNode)):
            node = self.top.values.get(key)
            if node is not None and is_shape(node, shape, f"{key} ", _KEYS[key], self.problems):
                self._check(node, f"{key}: ")
                found[key] = node
        return found

    def _receivers(self) -> list[tuple[str, Node]]:
        found: dict[str, Node] = {}
        for number, node in enumerate(self.top.items("receivers"), 1):
            one = Fields(node, f"receiver number {number}: ", _RECEIVER_KEYS, self.problems)
            name = one.scalar("name", scalars.text)
            if name in found and "name" not in one.failed:
                line = found[name].start_mark.line + 1
                one.fail("name", f"name {shown(name)} is taken by line {line}; give each receiver its own")
            if "name" in one.failed:
                self.top.failed.add("receivers")
                continue
            found[name] = node
            one.where = f"receiver {shown(name)}: "
            for key in one.values.keys() - {"name"}:
                self._ways(one, key)
        return list(found.items())

    def _ways(self, one: Fields, key: str) -> None:
        """The ways of one kind by which a receiver is reached."""
        needed = _NEEDED.get(key, ())
        for node in one.items(key):
            if not is_shape(node, MappingNode, f"{one.where}{key} ", "a mapping", self.problems):
                continue
            self._check(node, f"{one.where}{key}: ")
            there = {name.value for name, _ in node.value}
            if needed and not there & set(needed):
                self.problems.add(node, f"{one.where}{key}: {needed[0]} is missing; add {' or '.join(needed)}")

    def _check(self, node: Node, where: str) -> None:
        """What passes through is Alertmanager's affair but for what YAML can hide, and for secrets."""
        if isinstance(node, SequenceNode):
            for item in node.value:
                self._check(item, where)
        elif isinstance(node, MappingNode):
            keys: dict[str, int] = {}
            for key, value in node.value:
                if not is_shape(key, ScalarNode, f"{where}a key ", "a word", self.problems):
                    continue
                if key.value in keys:
                    again = f"key {shown(key.value)} stands already in line {keys[key.value]}; keep one of them"
                    self.problems.add(key, f"{where}{again}")
                keys[key.value] = key.start_mark.line + 1
                self._check_value(key, value, where)
                self._check(value, where)
        is_shape(node, type(node), where.removesuffix(": ") + " ", "it without one", self.problems)

    def _check_value(self, key: Node, value: Node, where: str) -> None:
        if key.value == "<<":
            self.problems.add(key, f"{where}merge keys are not read; write the merged keys out")
        elif key.value in _SECRETS and isinstance(value, ScalarNode):
            remedy = f"put it into a file that Alertmanager may read, and write {key.value}_file: PATH"
            self.problems.add(key, f"{where}{key.value} is a secret; {remedy}")
        elif key.value in _HINTS and isinstance(value, ScalarNode) and _has_password(value.value):
            self.problems.add(value, f"{where}{key.value} holds a password; write {_HINTS[key.value]}")

    def _routes(self, names: tuple[str, ...] | None) -> tuple[Route, ...]:
        open_cells = dict.fromkeys(self._cells())
        found = []
        for number, node in enumerate(self.top.items("routes"), 1):
            one = Fields(node, f"route number {number}: ", _ROUTE_KEYS, self.problems)
            route = Route(
                audiences=one.selection("audiences", _numbered(AUDIENCES)),
                severities=one.selection("severities", _numbered(SEVERITIES)),
                regions=one.selection("regions", _numbered(self.regions)) if _is_chosen(one) else None,
                receiver=self._receiver(one, "receiver", names),
            )
            if one.failed:
                self.top.failed.add("routes")
                continue
            gets = [cell for cell in open_cells if _fits(route, *cell)]
            if not gets:
                remedy = "put it before the more general one, or leave it out"
                self.problems.add(node, f"{one.where}gets nothing that the routes above it do not get; {remedy}")
            for cell in gets:
                del open_cells[cell]
            found.append(route)
        if "routes" not in self.top.failed:
            self._tell_gaps(open_cells)
        return tuple(found)

    def _cells(self) -> Iterator[tuple[str, str, str]]:
        """Every audience, severity and region that alerts have; what is about no office has no region."""
        for audience in AUDIENCES:
            regions = self.regions if audience == "office" else ("", *self.regions)
            yield from ((audience, severity, region) for severity in SEVERITIES for region in regions)

    def _tell_gaps(self, cells: Iterable[tuple[str, str, str]]) -> None:
        gaps: dict[tuple[str, str], list[str]] = {}
        for audience, severity, region in cells:
            gaps.setdefault((audience, severity), []).append(region)
        for (audience, severity), regions in gaps.items():
            named = ", ".join(shown(region) for region in regions if region)
            if len(regions) == len(self.regions) + (audience != "office"):
                where, which = "", ""
            elif "" not in regions:
                where, which = f" in {named}", f", regions: [{named}]"
            else:
                where, which = f" in {named} or without a region" if named else " without a region", ""
            add = f"{{audiences: [{audience}], severities: [{severity}]{which}, receiver: NAME}}"
            self.top.fail("routes", f"nobody gets the {severity}s for audience {audience}{where}; add {add}")

    def _receiver(self, fields: Fields, key: str, names: tuple[str, ...] | None) -> str:
        name = fields.scalar(key, scalars.text)
        if key not in fields.failed and names is not None and name not in names:
            remedy = self.problems.instead(name, names, "the receivers here")
            fields.fail(key, f"{key} {shown(name)} is no receiver of this file; {remedy}")
        return name

    def _timing(self) -> dict[str, Timing]:
        stated = {}
        if "timing" in self.top.values:
            stated = Fields(self.top.values["timing"], "timing: ", _TIMING_KEYS, self.problems).values
        found = {}
        for severity, usual in _DEFAULT_TIMING.items():
            node = stated.get(severity)
            given = None if node is None else Fields(node, f"timing: {severity}: ", usual, self.problems)
            seconds = (
                _TIMES[key](text) if given is None else given.scalar(key, _TIMES[key], text)
                for key, text in usual.items()
            )
            found[severity] = Timing(*seconds)
        return found


def _fits(route: Route, audience: str, severity: str, region: str) -> bool:
    return (
        audience in route.audiences
        and severity in route.severities
        and (route.regions is None or region in route.regions)
    )


def _is_chosen(fields: Fields) -> bool:
    node = fields.values.get("regions")
    return node is not None and not (isinstance(node, ScalarNode) and node.value == "*")


def _numbered(names: Iterable[str]) -> dict[str, int]:
    return {name: number for number, name in enumerate(names)}


def _positive(value: str) -> int:
    """A stretch of time that is not nothing."""
    seconds = scalars.duration(value)
    if not seconds:
        raise scalars.Unreadable(value, "is no time at all; write 1s or more")
    return seconds


_TIMES: Final = {"group_wait": scalars.duration, "group_interval": _positive, "repeat_interval": _positive}


def _has_password(url: str) -> bool:
    authority = url.partition("://")[2].partition("/")[0]
    return ":" in authority.rpartition("@")[0]
