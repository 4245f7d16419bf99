"""Randomness that is repeatable: a stream of its own for everything that decides for itself."""

import hashlib
from random import Random


def stream(*names: object) -> Random:
    """The random numbers that belong to some names, the same on every machine.

    Whatever has its own names, an office or an office's day, draws nothing from anybody else: another office in the
    network, or another process that computes it, changes nothing for it.
    """
    return Random("/".join(map(str, names)))  # noqa: S311 - repeatable, not secret


def tag(*names: object) -> str:
    """Eight hexadecimal digits that belong to some names."""
    return hashlib.blake2b("/".join(map(str, names)).encode(), digest_size=4).hexdigest()
