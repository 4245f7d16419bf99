"""Norms ready to be taken into a registry, each with what is published of it and what is the network's choice."""

from importlib.resources import files
from typing import Final

_FOLDER: Final = "presets"
_SUFFIX: Final = ".yaml"


def names() -> tuple[str, ...]:
    """The presets there are, in the order of the alphabet."""
    found = (entry.name for entry in files("attente.registry").joinpath(_FOLDER).iterdir())
    return tuple(sorted(name.removesuffix(_SUFFIX) for name in found if name.endswith(_SUFFIX)))


def preset(name: str) -> str:
    """The text of one: a comment, then `norms:` as a registry file holds it.

    Raises:
        KeyError: there is none of that name.
    """
    if name not in names():
        raise KeyError(name)
    return files("attente.registry").joinpath(_FOLDER, name + _SUFFIX).read_text(encoding="utf-8")


def headline(name: str) -> str:
    """What a preset promises, in one line: the first of its text."""
    return preset(name).partition("\n")[0].removeprefix("# ")
