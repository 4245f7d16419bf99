"""One short name for everything in a registry that decides a figure or a label."""

import json
from collections.abc import Iterator
from hashlib import blake2b
from typing import Final

from attente.registry import zones
from attente.registry.entities import Norm, Office, Registry, Signatures

FORMAT: Final = "attente.registry/1"
"""Raised whenever the same file comes to mean other figures."""


def fingerprint(registry: Registry) -> str:
    """16 hexadecimal digits over the canonical content.

    Comments, layout, the order of keys, `"*"` against the list it stands for and the order of such lists change
    nothing; the order of services, offices and norms does, for they are numbered by it, but not that of a norm's
    definitions, which their dates put in order. The offsets of the zones in use belong to it: they decide where a day
    begins. So do the keys of an office whose signatures are looked at: what is refused follows from them. Sizes,
    kiosks, calendars, closures and budgets do not: a size is seen in what it selects, and no figure of the core follows
    from the others, nor from keys of which no use is made.
    """
    digest = blake2b(digest_size=8)
    for part in _parts(registry):
        digest.update(json.dumps(part, ensure_ascii=False, separators=(",", ":")).encode())
        digest.update(b"\n")
    return digest.hexdigest()


def _parts(registry: Registry) -> Iterator[object]:
    yield [FORMAT, registry.network, registry.cut_over_min, registry.horizon_ms, registry.detail]
    for service in registry.services.values():
        yield ["service", service.id, service.title]
    for office in registry.offices.values():
        yield ["office", office.id, office.name, office.region, office.zone, office.services]
    for office in registry.offices.values():
        if office.signatures is not Signatures.OFF:
            yield _signatures(office)
    for norm in registry.definitions():
        yield _norm(norm)
    for name in sorted({office.zone for office in registry.offices.values()}):
        rules = zones.rules(name)
        yield ["zone", name, rules.first, [[change.at, change.before, change.after] for change in rules.changes]]


def _signatures(office: Office) -> object:
    return [
        "signatures",
        office.id,
        office.signatures,
        office.signatures_from_ms,
        sorted([key.id, key.fingerprint, key.algorithm, key.first_ms, key.end_ms] for key in office.keys),
    ]


def _norm(norm: Norm) -> object:
    return [
        "norm",
        norm.id,
        norm.title,
        norm.threshold_s,
        norm.target_milli,
        [norm.clock.start, norm.clock.end, norm.clock.per],
        sorted(norm.channels),
        norm.left,
        norm.still_waiting,
        sorted(norm.offices),
        sorted(norm.services),
        norm.valid_from,
    ]
