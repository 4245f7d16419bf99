"""The registry: whether it is sound, what it promises, and whether the secrets that it asks for are there."""

from collections.abc import Iterator
from pathlib import Path

from attente.doctor.check import Check, fail, ok, others_reach, warn
from attente.errors import AttenteError
from attente.registry.entities import Registry
from attente.registry.keyring import keyring, wanted
from attente.registry.load import load
from attente.registry.scalars import written
from attente.settings import Settings
from attente.wording import counted


def check_registry(settings: Settings) -> Iterator[Check]:
    """The registry that a worker with these settings would have, and its norms."""
    path = settings.registry
    if path is None:
        yield warn("registry", "none is named", "a worker needs one: --registry FILE, or ATTENTE_REGISTRY")
        return
    try:
        registry = load(path)
    except AttenteError as error:
        first, *others = str(error).splitlines()
        more = f" (and {len(others)} more)" if others else ""
        yield fail("registry", f"{first}{more}", f"attente registry check {path}")
        return
    yield ok(
        "registry",
        f"{path}: {registry.network}, {counted(len(registry.offices), 'office')}, "
        f"{counted(len(registry.services), 'service')}, hash {registry.hash}",
    )
    promises = [
        f"{norm.id} ({norm.target_milli / 1000:g} % within {written(norm.threshold_s)})"
        for norm in registry.norms.values()
    ]
    if promises:
        yield ok("norms", ", ".join(promises))
    else:
        yield warn("norms", "the registry promises nothing", "add norms, or nothing is shown of them")
    yield from _check_keys(registry, settings.keys_file)


def _check_keys(registry: Registry, path: Path | None) -> Iterator[Check]:
    """The secrets of the keys that sign events: whether all are there, and nobody else may read them."""
    asked = wanted(registry)
    if not asked:
        return
    try:
        keyring(registry, path)
    except AttenteError as error:
        yield fail("keys", str(error), "a worker does not start without them")
        return
    assert path is not None  # noqa: S101 - else there would have been no keyring
    said = f"{path}: the secrets of {counted(len(asked), 'key')}"
    if others_reach(path):
        yield warn("keys", f"{said}, which others may read", f"chmod 600 {path}")
    else:
        yield ok("keys", said)
