"""Names that somebody asks for: of offices, services and norms; a wrong one is told with what was meant."""

import difflib
from collections.abc import Collection, Sequence
from typing import ClassVar, Final

from attente.errors import AttenteError
from attente.registry.entities import OTHER, Norm, Registry

_LISTED: Final = 8
_SUGGESTED_FROM: Final = 5_000


class UnknownName(AttenteError):  # noqa: N818 - the name is what happened
    """There is nothing of that name in the registry: wrong usage."""

    exit_code: ClassVar[int] = 2


def norm_of(registry: Registry, norm: str) -> Norm:
    """The newest definition of a norm.

    Raises:
        UnknownName: there is no such norm.
    """
    _check("norm", (norm,), registry.norms)
    return registry.norms[norm]


def check_offices(registry: Registry, offices: Sequence[str]) -> None:
    """See that the registry has some offices.

    Raises:
        UnknownName: it has not.
    """
    _check("office", offices, registry.offices)


def check_services(registry: Registry, services: Sequence[str]) -> None:
    """See that the registry has some services; `other` always exists.

    Raises:
        UnknownName: it has not.
    """
    _check("service", services, (*registry.services, OTHER))


def _check(noun: str, names: Sequence[str], known: Collection[str]) -> None:
    for name in names:
        if name not in known:
            msg = f"{noun} {name!r}: the registry has no such {noun}; {_instead(noun, name, known)}"
            raise UnknownName(msg)


def _instead(noun: str, name: str, known: Collection[str]) -> str:
    if not known:
        return f"it has no {noun}s at all"
    near = difflib.get_close_matches(name, known, n=1) if len(known) <= _SUGGESTED_FROM else []
    if near:
        return f"did you mean {near[0]}?"
    some = list(known)[:_LISTED]
    return f"its {noun}s are {', '.join(some)}{', …' if len(known) > len(some) else ''}"
