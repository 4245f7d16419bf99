"""One thing that was looked at, and how it is."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

_OTHERS: Final = 0o077


class Verdict(StrEnum):
    """How a thing is."""

    OK = "ok"
    WARN = "warn"
    """It works, and somebody should know."""
    FAIL = "fail"
    """It is not as it must be."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    Attributes:
        name: what.
        verdict: how it is.
        said: what was found, in one line.
        remedy: what to do about it; "" when there is nothing to do.
    """

    name: str
    verdict: Verdict
    said: str
    remedy: str = ""


def ok(name: str, said: str) -> Check:
    """All is well."""
    return Check(name, Verdict.OK, said)


def warn(name: str, said: str, remedy: str) -> Check:
    """It works, and somebody should know."""
    return Check(name, Verdict.WARN, said, remedy)


def fail(name: str, said: str, remedy: str) -> Check:
    """It is not as it must be."""
    return Check(name, Verdict.FAIL, said, remedy)


def others_reach(file: Path) -> bool:
    """Whether anybody but its owner may do anything with a file; of one that holds a secret nobody should."""
    return bool(file.stat().st_mode & _OTHERS)
