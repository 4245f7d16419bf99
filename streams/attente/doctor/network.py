"""The registry: whether it is sound, and what it promises."""

from collections.abc import Iterator

from attente.doctor.check import Check, fail, ok, warn
from attente.errors import AttenteError
from attente.registry.load import load
from attente.registry.scalars import written
from attente.settings import Settings


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
        f"{path}: {registry.network}, {len(registry.offices):,} offices, {len(registry.services):,} services, "
        f"hash {registry.hash}",
    )
    promises = [
        f"{norm.id} ({norm.target_milli / 1000:g} % within {written(norm.threshold_s)})"
        for norm in registry.norms.values()
    ]
    if promises:
        yield ok("norms", ", ".join(promises))
    else:
        yield warn("norms", "the registry promises nothing", "add norms, or nothing is shown of them")
