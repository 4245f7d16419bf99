"""Reads and checks the one file that says what a network is and what it promises."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final, TypeVar

from yaml import MappingNode, Node, ScalarNode

from attente.errors import Missing
from attente.registry import document, hours, scalars, signing, zones
from attente.registry.entities import OTHER, Detail, Norm, Office, OpeningCalendar, Registry, Service
from attente.registry.fields import Fields
from attente.registry.fingerprint import fingerprint
from attente.registry.norms import NORM_KEYS, Norms, by_id
from attente.registry.problems import Problem, Problems, RegistryError

__all__ = ["Problem", "RegistryError", "load", "parse"]

T = TypeVar("T")

MOST_SERVICES: Final = 1_000  # a packed fact numbers its service, `other` included, with ten bits
MOST_OFFICES: Final = 100_000

# What a remedy proposes for each key; a reader of the key must be able to read it.
NETWORK_KEYS: Final = {
    "network": "caf-demo",
    "cut_over": "03:00",
    "horizon": "24h",
    "detail": "service",
    "services": "a list of {id: prestations, title: Benefits}",
    "offices": "a list of {id: 75-nation, name: Paris Nation, region: Paris, zone: Europe/Paris}",
    "calendars": f"a list of {{id: weekdays, weekly: {hours.WEEKLY}}}",
    "norms": "a list of {id: caf-20, title: Within 20 minutes, threshold: 20m, target: 0.85}",
    "signatures": "report",
    "signatures_from": signing.INSTANT,
}
SERVICE_KEYS: Final = {"id": "prestations", "title": "Benefits"}
OFFICE_KEYS: Final = {
    "id": "75-nation",
    "name": "Paris Nation",
    "region": "Paris",
    "zone": "Europe/Paris",
    "services": '"*" or a list like [prestations, logement]',
    "size": "large",
    "kiosks": "a list like [kiosk-1, kiosk-2]",
    "calendar": "weekdays",
    "closures": "a list of {date: 2026-12-24, hours: closed}",
    "keys": f"a list of {{id: 75-nation.0123456789ab, fingerprint: {signing.FINGERPRINT}}}",
    "signatures": "report",
    "signatures_from": signing.INSTANT,
}


def load(path: Path) -> Registry:
    """Reads a registry file.

    Raises:
        RegistryError: the file has problems; all of them are told.
        Missing: the file is not there or cannot be read.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        msg = f"{path}: the registry cannot be read ({error.strerror}); name a readable YAML file"
        raise Missing(msg) from None
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode()
        place = document.place(before, len(before))
        message = f"byte 0x{raw[error.start]:02X} is not UTF-8; save the file in UTF-8"
        raise RegistryError((Problem(str(path), *place, message),)) from None
    return parse(text, str(path))


def parse(text: str, name: str) -> Registry:
    """Reads a registry from its text; `name` is what messages call the file.

    Raises:
        RegistryError: the text has problems; all of them are told, unless it is no YAML at all.
    """
    problems = Problems(name)
    registry = _Reader(document.compose(text, problems), problems).registry()
    if problems:
        raise problems.error()
    return replace(registry, hash=fingerprint(registry))


class _Reader:
    """One reading of one file: the sections in the order in which they refer to each other."""

    def __init__(self, root: Node, problems: Problems) -> None:
        self.problems = problems
        self.top = Fields(root, "", NETWORK_KEYS, problems)
        self.spans: dict[tuple[str, ...], tuple[str, ...]] = {}  # offices with equal services share one tuple
        self.zones: dict[str, Fields] = {}  # the office that names a zone first
        self.signing = signing.Reader(self.top)

    def registry(self) -> Registry:
        top = self.top
        network = top.scalar("network", scalars.text)
        cut_over = top.scalar("cut_over", scalars.clock_time, "03:00")
        horizon = top.scalar("horizon", scalars.horizon, "24h")
        detail = top.scalar("detail", scalars.choice(Detail), "service")
        services = self._services()
        calendars = self._calendars()
        offices = self._offices(_numbers(services), calendars)
        norms = self._norms(services, offices, calendars)
        self._check_zones(cut_over)
        return Registry(
            network=network,
            cut_over_min=cut_over,
            horizon_ms=horizon * 1000,
            detail=detail,
            offices=offices or {},
            services=services or {},
            norms=norms,
            calendars=calendars or {},
        )

    def _entries(
        self,
        key: str,
        examples: Mapping[str, str],
        build: Callable[[Fields, str], T],
        at_least: int = 1,
        at_most: int | None = None,
    ) -> Iterator[tuple[str, T, Fields]]:
        """The entries of a section with their ids; those whose id cannot be read make the section fail."""
        noun = key.removesuffix("s")
        for number, node in enumerate(self.top.items(key, at_least, at_most), 1):
            fields = Fields(node, f"{noun} {_label(node, number)}: ", examples, self.problems)
            identity = fields.scalar("id", scalars.identifier)
            entry = build(fields, identity)
            if "id" in fields.failed:
                self.top.failed.add(key)
            else:
                yield identity, entry, fields

    def _table(self, key: str, entries: Iterable[tuple[str, T, Fields]]) -> dict[str, T] | None:
        """The entries of a section by id; None when an id could not be read, since nothing can refer to it then."""
        table: dict[str, T] = {}
        lines: dict[str, int] = {}
        for identity, entry, fields in entries:
            if identity in table:
                noun = key.removesuffix("s")
                fields.fail("id", f"id {identity} is taken by line {lines[identity]}; give each {noun} its own")
            else:
                table[identity] = entry
                lines[identity] = fields.at("id").start_mark.line + 1
        return None if key in self.top.failed else table

    def _services(self) -> dict[str, Service] | None:
        return self._table("services", self._entries("services", SERVICE_KEYS, self._service, at_most=MOST_SERVICES))

    def _service(self, fields: Fields, identity: str) -> Service:
        if identity == OTHER:
            fields.fail("id", f"id {OTHER} is reserved for what no service is known of; choose another id")
        return Service(identity, fields.scalar("title", scalars.text))

    def _calendars(self) -> dict[str, OpeningCalendar] | None:
        if "calendars" not in self.top.values:
            return {}
        return self._table("calendars", self._entries("calendars", hours.CALENDAR_KEYS, hours.calendar, at_least=0))

    def _offices(
        self, services: Mapping[str, int] | None, calendars: Mapping[str, OpeningCalendar] | None
    ) -> dict[str, Office] | None:
        def office(fields: Fields, identity: str) -> Office:
            zone = fields.scalar("zone", zones.zone_name)
            if "zone" not in fields.failed:
                self.zones.setdefault(zone, fields)
            span = fields.selection("services", services)
            return Office(
                id=identity,
                name=fields.scalar("name", scalars.text),
                region=fields.scalar("region", scalars.text),
                zone=zone,
                services=self.spans.setdefault(span, span),
                size=fields.scalar("size", scalars.identifier) if "size" in fields.values else "",
                kiosks=fields.names("kiosks", scalars.identifier) if "kiosks" in fields.values else (),
                calendar=self._calendar(fields, calendars),
                closures=hours.exceptions(fields, "closures"),
                **self.signing.office(fields),
            )

        return self._table("offices", self._entries("offices", OFFICE_KEYS, office, at_most=MOST_OFFICES))

    def _calendar(self, office: Fields, calendars: Mapping[str, OpeningCalendar] | None) -> str:
        if "calendar" not in office.values:
            if "closures" in office.values:
                known = next(iter(calendars or ()), "weekdays")
                office.fail(
                    "closures", f"closures say when a calendar does not hold, and there is none; add calendar: {known}"
                )
            return ""
        name = office.scalar("calendar", scalars.identifier)
        if calendars is not None and "calendar" not in office.failed and name not in calendars:
            known = self.problems.instead(name, calendars, "the calendars here")
            remedy = f"; {known}" if calendars else ", for the file has none; add calendars:"
            office.fail("calendar", f"calendar {name} is not known{remedy}")
        return name

    def _norms(
        self,
        services: Mapping[str, Service] | None,
        offices: Mapping[str, Office] | None,
        calendars: Mapping[str, OpeningCalendar] | None,
    ) -> dict[str, Norm]:
        if "norms" not in self.top.values:
            return {}
        norms = Norms(services, offices, calendars)
        return by_id(self._entries("norms", NORM_KEYS, norms.norm, at_least=0))

    def _check_zones(self, cut_over: int) -> None:
        barred: dict[str, Mapping[int, zones.Clash]] = {}
        for name, office in self.zones.items():
            rules = zones.rules(name)
            barred[name] = zones.clashes(rules)
            odd = zones.off_grid(rules)
            if odd is not None:
                office.fail("zone", f"zone {name} was {odd} s off UTC, no whole number of 5 min; write another zone")
        if "cut_over" in self.top.failed:
            return
        for name, office in self.zones.items():
            flaw = zones.flaw(name, cut_over, barred)
            if flaw is not None and "cut_over" in self.top.values:
                self.problems.add(self.top.at("cut_over"), f"cut_over {scalars.time_of_day(cut_over)} {flaw}")
            elif flaw is not None:
                office.fail("zone", f"zone: the default cut_over {scalars.time_of_day(cut_over)} {flaw}")


def _label(node: Node, number: int) -> str:
    """How messages call an entry: by its id when that can be read, else by its place in the list."""
    if isinstance(node, MappingNode):
        for key, value in node.value:
            if key.value == "id" and isinstance(value, ScalarNode) and value.value:
                return scalars.shown(value.value)
    return f"number {number}"


def _numbers(ids: Iterable[str] | None) -> dict[str, int] | None:
    return None if ids is None else {identity: number for number, identity in enumerate(ids)}
