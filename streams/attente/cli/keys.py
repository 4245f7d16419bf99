"""`attente keys new|show`: the keys with which offices sign their events."""

import json
import os
import secrets
from pathlib import Path
from typing import Final

import click

from attente.cli.options import json_option
from attente.errors import BadInput
from attente.model.signatures import SECRET_BYTES, Key, named
from attente.registry.keyring import load_keys
from attente.registry.scalars import Unreadable, identifier

_MODE: Final = 0o600


@click.group()
def keys() -> None:
    """Make and show the keys with which offices sign their events."""


class _Id(click.ParamType):
    """An id of the registry."""

    name = "id"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Text to itself, if it is one."""
        try:
            return identifier(str(value))
        except Unreadable as error:
            self.fail(str(error), param, ctx)


@keys.command()
@click.option("--office", type=_Id(), required=True, metavar="ID", help="The office whose events it signs.")
@click.option("--kiosk", type=_Id(), metavar="ID", help="The kiosk that alone will have it.")
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, metavar="FILE", help="A new file for the secret."
)
@json_option
def new(office: str, kiosk: str | None, out: Path, *, as_json: bool) -> None:
    """Make a key, write its secret to a new file that only its owner may read, and print its entry in the registry.

    The entry goes under `keys:` of the office; it is no secret. The file goes to the kiosk, and its line into the
    workers' file of keys as well. The key's name follows from the office, the kiosk and the secret.

    Example: attente keys new --office 75-nation --kiosk hall-1 --out hall-1.key
    """
    key = named(office, kiosk or "", secrets.token_bytes(SECRET_BYTES))
    try:
        handle = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _MODE)
    except FileExistsError:
        msg = f"{out}: is there already; a key is never written over another: name a new file"
        raise BadInput(msg) from None
    except OSError as error:
        msg = f"{out}: cannot be written ({error.strerror}); name a file in a folder that can be"
        raise BadInput(msg) from None
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(f"{key.line}\n")
        file.flush()
        os.fsync(file.fileno())
    click.echo(json.dumps(_facts(key)) if as_json else _entry(key))


@keys.command()
@click.argument("file", type=click.Path(path_type=Path))
@json_option
def show(file: Path, *, as_json: bool) -> None:
    """Show the entries in the registry of all keys in FILE, never their secrets.

    Example: attente keys show workers.keys
    """
    found = load_keys(file)
    if as_json:
        click.echo(json.dumps([_facts(key) for key in found]))
        return
    for key in found:
        click.echo(f"{_entry(key)}  # of {key.office}")


def _facts(key: Key) -> dict[str, str]:
    return {"id": key.id, "office": key.office, "fingerprint": key.fingerprint}


def _entry(key: Key) -> str:
    return f"- {{id: {key.id}, fingerprint: {key.fingerprint}}}"
