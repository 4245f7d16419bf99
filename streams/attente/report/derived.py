"""A registry for events that come without one: the offices and services that occur, and what is stated besides."""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from attente.model.events import TicketIssued, TicketRequeued, TicketTransferred, VisitorTurnedAway, decode
from attente.registry.entities import OTHER, Registry
from attente.registry.load import MOST_SERVICES, parse
from attente.registry.scalars import Unreadable, identifier, share, threshold, written
from attente.report.wrong import WrongFile

NAME: Final = "derived from the events"
UTC: Final = "UTC"

_PROMISE: Final = re.compile(r"(.+?)\s*:\s*(.+)")


@dataclass(frozen=True, slots=True)
class Promise:
    """A norm without a registry: within `threshold_s` for `target`, from the issue to the call, per leg."""

    threshold_s: int
    target: str


def promise(text: str) -> Promise:
    """Reads a promise, written as `20m:85%`.

    Raises:
        ValueError: it is none; says what to write.
    """
    found = _PROMISE.fullmatch(text)
    if found is None:
        msg = f"{text!r} is no promise; write a threshold and a target, like 20m:85% or 90s:0.8"
        raise ValueError(msg)
    try:
        share(found[2])
        return Promise(threshold(found[1]), found[2])
    except Unreadable as error:
        msg = f"{error}; a promise is a threshold and a target, like 20m:85%"
        raise ValueError(msg) from None


def derive(lines: Iterable[bytes], name: str, zone: str = UTC, promises: Sequence[Promise] = ()) -> Registry:
    """The registry of the network that some events come from.

    Every office that occurs is an office, under its id, in one region, and offers the services that occurred in it;
    what cannot be an id of a registry counts as `other`, like an event without a service.

    Args:
        lines: the events; what is none is passed over.
        name: what errors call them.
        zone: of all offices, for business days and hours.
        promises: the norms.

    Raises:
        BadInput: no line is an event, or the zone is unknown.
    """
    offered: dict[str, dict[str, None]] = {}
    wrong = WrongFile(name)
    for raw in lines:
        try:
            event = decode(raw)
        except ValueError:
            wrong.refuse(raw)
            continue
        wrong.accept()
        services = offered.setdefault(event.office, {})
        if isinstance(event, TicketTransferred):
            services.setdefault(event.toservice)
        elif isinstance(event, TicketIssued | TicketRequeued | VisitorTurnedAway):
            services.setdefault(event.service)
    offices = {office: services for office, services in offered.items() if _is_id(office)}
    wrong.check()
    return parse(_text(offices, zone, promises), f"registry {NAME}")


def _is_id(text: str) -> bool:
    try:
        return bool(identifier(text))
    except Unreadable:
        return False


def _text(offices: dict[str, dict[str, None]], zone: str, promises: Sequence[Promise]) -> str:
    """As the text of a file: it is checked and hashed like any other registry. JSON is YAML too."""
    occurring = {service for services in offices.values() for service in services}
    services = sorted(service for service in occurring if service != OTHER and _is_id(service))[:MOST_SERVICES]
    known = set(services)
    document: dict[str, Any] = {
        "network": NAME,
        # A registry has a service; where none occurs, everything is `other`.
        "services": [{"id": service, "title": service} for service in services or ["none"]],
        "offices": [_office(office, zone, sorted(known & offices[office].keys())) for office in sorted(offices)],
        "norms": [_norm(one) for one in dict.fromkeys(promises)],
    }
    return json.dumps(document, ensure_ascii=False)


def _office(office: str, zone: str, services: list[str]) -> dict[str, Any]:
    entry: dict[str, Any] = {"id": office, "name": office, "region": "all", "zone": zone}
    return entry | ({"services": services} if services else {})


def _norm(one: Promise) -> dict[str, Any]:
    within = written(one.threshold_s)
    return {
        "id": f"within-{within}",
        "title": f"Called within {within} of the ticket",
        "threshold": within,
        "target": one.target,
        "clock": {"from": "issued", "to": "called", "per": "leg"},
        "left": "excluded",
    }
