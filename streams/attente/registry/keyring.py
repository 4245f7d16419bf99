"""The secrets of a network's keys, in a file of their own, held against what the registry says of them."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from attente.errors import BadInput, Missing
from attente.model.signatures import NO_KEYS, Key, Keyring, KeysUnreadable, read_keys
from attente.registry.entities import OfficeKey, Registry, Signatures

_NAMED: Final = 3  # keys that a message names; more would only hide the others


def load_keys(path: Path) -> tuple[Key, ...]:
    """The keys of a file.

    Raises:
        BadInput: a line of it is no key; its content is not told.
        Missing: the file is not there or cannot be read.
    """
    try:
        return read_keys(path.read_bytes().decode())
    except OSError as error:
        msg = f"{path}: the keys cannot be read ({error.strerror}); name the file of `attente keys new` with --keys"
        raise Missing(msg) from None
    except UnicodeDecodeError:
        msg = f"{path}: not UTF-8; write a line for each key: KEY-ID OFFICE SECRET"
        raise BadInput(msg) from None
    except KeysUnreadable as error:
        msg = f"{path}: {error}"
        raise BadInput(msg) from None


def wanted(registry: Registry) -> dict[str, tuple[str, OfficeKey]]:
    """The keys whose secrets a reader of the log needs, with their offices: those of offices that are looked at."""
    return {
        key.id: (office.id, key)
        for office in registry.offices.values()
        if office.signatures is not Signatures.OFF
        for key in office.keys
    }


def keyring(registry: Registry, path: Path | None) -> Keyring:
    """All secrets that a registry asks for.

    Args:
        registry: the network.
        path: the file of the secrets; more than are asked for may stand there.

    Raises:
        BadInput: the file is none of keys, or a secret or an office is another one than the registry's.
        Missing: there is no such file, none is named, or it lacks a secret.
    """
    asked = wanted(registry)
    if not asked:
        return NO_KEYS
    if path is None:
        msg = f"the registry asks for signatures by {_some(asked)}; name the file of their secrets with --keys FILE"
        raise Missing(msg)
    found = {key.id: key for key in load_keys(path)}
    if absent := [key_id for key_id in asked if key_id not in found]:
        msg = f"{path}: no secret of {_some(absent)}; add the line that `attente keys new` made, or take the key out of"
        raise Missing(f"{msg} the registry")  # noqa: EM102 - two parts
    _compare(asked, found, path)
    return Keyring(found[key_id] for key_id in asked)


def _compare(asked: Mapping[str, tuple[str, OfficeKey]], found: Mapping[str, Key], path: Path) -> None:
    for key_id, (office, key) in asked.items():
        if found[key_id].office != office:
            msg = f"{path}: key {key_id} is of office {found[key_id].office}, the registry says {office}"
        elif found[key_id].fingerprint != key.fingerprint:
            msg = (
                f"{path}: key {key_id}: the secret has the fingerprint {found[key_id].fingerprint}, the registry says "
                f"{key.fingerprint}"
            )
        else:
            continue
        raise BadInput(f"{msg}; take both from the same `attente keys new`")  # noqa: EM102 - two parts


def _some(ids: Iterable[str]) -> str:
    names = list(ids)
    more = len(names) - _NAMED
    return f"key {', '.join(names[:_NAMED])}{f' and {more:,} more' if more > 0 else ''}"
