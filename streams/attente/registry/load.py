"""Reads and checks the one file that says what a network is and what it promises."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final, TypeVar

from yaml import MappingNode, Node, ScalarNode

from attente.errors import Missing
from attente.model.kinds import CHANNELS
from attente.registry import document, scalars, zones
from attente.registry.buckets import MOST
from attente.registry.entities import (
    OTHER,
    Clock,
    Detail,
    End,
    Left,
    Norm,
    Office,
    Per,
    Registry,
    Service,
    Start,
    StillWaiting,
)
from attente.registry.fields import Fields
from attente.registry.fingerprint import fingerprint
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
    "norms": "a list of {id: caf-20, title: Within 20 minutes, threshold: 20m, target: 0.85}",
}
SERVICE_KEYS: Final = {"id": "prestations", "title": "Benefits"}
OFFICE_KEYS: Final = {
    "id": "75-nation",
    "name": "Paris Nation",
    "region": "Paris",
    "zone": "Europe/Paris",
    "services": '"*" or a list like [prestations, logement]',
}
NORM_KEYS: Final = {
    "id": "caf-20",
    "title": "Within 20 minutes",
    "threshold": "20m",
    "target": "0.85",
    "clock": "{from: arrived, to: called, per: visit}",
    "population": "{channels: [walkin, appointment]}",
    "left": "excluded",
    "still_waiting": "ignored",
    "offices": '"*" or a list like [75-nation, 93-bobigny]',
    "services": '"*" or a list like [prestations, logement]',
    "valid_from": "2009-01-01",
}
CLOCK_KEYS: Final = {"from": "issued", "to": "called", "per": "leg"}
POPULATION_KEYS: Final = {"channels": '"*" or a list like [walkin, appointment]'}


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

    def registry(self) -> Registry:
        top = self.top
        network = top.scalar("network", scalars.text)
        cut_over = top.scalar("cut_over", scalars.clock_time, "03:00")
        horizon = top.scalar("horizon", scalars.horizon, "24h")
        detail = top.scalar("detail", scalars.choice(Detail), "service")
        services = self._services()
        offices = self._offices(_numbers(services))
        norms = self._norms(services, offices)
        self._check_zones(cut_over)
        return Registry(
            network=network,
            cut_over_min=cut_over,
            horizon_ms=horizon * 1000,
            detail=detail,
            offices=offices or {},
            services=services or {},
            norms=norms or {},
        )

    def _table(
        self,
        key: str,
        examples: Mapping[str, str],
        build: Callable[[Fields, str], T],
        at_least: int = 1,
        at_most: int | None = None,
    ) -> dict[str, T] | None:
        """The entries of a section by id; None when an id could not be read, since nothing can refer to it then."""
        noun = key.removesuffix("s")
        table: dict[str, T] = {}
        lines: dict[str, int] = {}
        for number, node in enumerate(self.top.items(key, at_least, at_most), 1):
            fields = Fields(node, f"{noun} {_label(node, number)}: ", examples, self.problems)
            identity = fields.scalar("id", scalars.identifier)
            entry = build(fields, identity)
            if "id" in fields.failed:
                self.top.failed.add(key)
            elif identity in table:
                fields.fail("id", f"id {identity} is taken by line {lines[identity]}; give each {noun} its own")
            else:
                table[identity] = entry
                lines[identity] = fields.at("id").start_mark.line + 1
        return None if key in self.top.failed else table

    def _services(self) -> dict[str, Service] | None:
        return self._table("services", SERVICE_KEYS, self._service, at_most=MOST_SERVICES)

    def _service(self, fields: Fields, identity: str) -> Service:
        if identity == OTHER:
            fields.fail("id", f"id {OTHER} is reserved for what no service is known of; choose another id")
        return Service(identity, fields.scalar("title", scalars.text))

    def _offices(self, services: Mapping[str, int] | None) -> dict[str, Office] | None:
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
            )

        return self._table("offices", OFFICE_KEYS, office, at_most=MOST_OFFICES)

    def _norms(
        self, services: Mapping[str, Service] | None, offices: Mapping[str, Office] | None
    ) -> dict[str, Norm] | None:
        if "norms" not in self.top.values:
            return {}
        known_offices = _numbers(offices)
        known_services = None if services is None else _numbers((*services, OTHER))
        thresholds: set[int] = set()
        everywhere = frozenset(offices or ())

        def norm(fields: Fields, identity: str) -> Norm:
            selected = fields.selection("offices", known_offices)
            norm = Norm(
                id=identity,
                title=fields.scalar("title", scalars.text),
                threshold_s=fields.scalar("threshold", scalars.threshold),
                target_milli=fields.scalar("target", scalars.share),
                clock=self._clock(fields),
                channels=self._channels(fields),
                left=fields.scalar("left", scalars.choice(Left), "excluded"),
                still_waiting=fields.scalar("still_waiting", scalars.choice(StillWaiting), "ignored"),
                offices=everywhere if len(selected) == len(everywhere) else frozenset(selected),
                services=frozenset(fields.selection("services", known_services)),
                valid_from=fields.scalar("valid_from", scalars.iso_date) if "valid_from" in fields.values else "",
            )
            self._check_threshold(fields, norm.threshold_s, thresholds)
            if offices is not None and services is not None:
                _check_reach(fields, norm, offices)
            return norm

        return self._table("norms", NORM_KEYS, norm, at_least=0)

    def _clock(self, norm: Fields) -> Clock:
        clock = self._inner(norm, "clock", CLOCK_KEYS)
        if clock is None:
            return Clock(Start.ISSUED, End.CALLED, Per.LEG)
        return Clock(
            start=clock.scalar("from", scalars.choice(Start), "issued"),
            end=clock.scalar("to", scalars.choice(End), "called"),
            per=clock.scalar("per", scalars.choice(Per), "leg"),
        )

    def _channels(self, norm: Fields) -> frozenset[str]:
        population = self._inner(norm, "population", POPULATION_KEYS)
        known = _numbers(CHANNELS)
        return frozenset(CHANNELS if population is None else population.selection("channels", known))

    def _inner(self, norm: Fields, key: str, examples: Mapping[str, str]) -> Fields | None:
        node = norm.values.get(key)
        return None if node is None else Fields(node, f"{norm.where}{key}: ", examples, self.problems)

    def _check_threshold(self, fields: Fields, threshold: int, known: set[int]) -> None:
        if "threshold" in fields.failed or threshold in known:
            return
        if len(known) < MOST:
            known.add(threshold)
            return
        others = ", ".join(scalars.written(seconds) for seconds in sorted(known))
        fields.fail(
            "threshold",
            f"threshold {scalars.written(threshold)} is one too many: a histogram has {MOST} buckets and needs one for "
            f"each; use one of {others}",
        )

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


def _check_reach(fields: Fields, norm: Norm, offices: Mapping[str, Office]) -> None:
    """A norm over services that none of its offices offers would be kept for ever, and measure nothing."""
    if {"offices", "services"} & fields.failed or OTHER in norm.services or not norm.offices:
        return
    if all(norm.services.isdisjoint(offices[office].services) for office in norm.offices):
        named = ", ".join(sorted(norm.services))
        fields.fail("services", f"services: none of the norm's offices offers {named}; choose others")
