"""`attente access plan|apply`: who may do what at a broker, from the registry; and their passwords."""

import json
from pathlib import Path
from typing import Any

import click

from attente.broker.access import Done, Keys
from attente.broker.access import apply as apply_access
from attente.broker.access import plan as plan_access
from attente.broker.admin import connect
from attente.broker.grants import Difference, Grant, Network
from attente.cli.options import json_option, with_settings
from attente.errors import BadInput
from attente.registry.load import load
from attente.settings import Settings


@click.group()
def access() -> None:
    """Compare the rights at a broker with what they must be, and make them so.

    Every kiosk of the registry may write events, and nothing else; worker, reader and sender have the rights of their
    role. Only rules about them are made and taken away; what is unknown is shown and left alone. Takes the settings of
    the broker's administrator.
    """


@access.command()
@with_settings("broker", "topic_prefix", "group", "registry", "data")
@json_option
def plan(settings: Settings, *, as_json: bool) -> int:
    """Say what has to be done; exits with 1 when it is more than nothing.

    Example: attente access plan --config admin.yaml --registry registry.yaml
    """
    network = _network(settings)
    with connect(settings.broker, settings.connection) as admin:
        found = plan_access(admin, network)
    if as_json:
        click.echo(json.dumps(_facts(found), indent=2))
    else:
        _print(found)
    return 0 if found.is_settled else 1


@access.command()
@with_settings("broker", "topic_prefix", "group", "registry", "data")
@click.option(
    "--secrets",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Give everybody who has none a password, and put it and a file of settings there, readable for you alone.",
)
@click.option("--renew", multiple=True, metavar="PRINCIPAL", help="A new password for one who has one; with --secrets.")
@json_option
def apply(settings: Settings, secrets: Path | None, renew: tuple[str, ...], *, as_json: bool) -> int:
    """Do what has to be done, and look whether it is so; exits with 1 when something is refused.

    Example: attente access apply --config admin.yaml --registry registry.yaml --secrets kiosks
    """
    network = _network(settings)
    if renew and secrets is None:
        msg = "--renew goes with --secrets FOLDER: the new password must go somewhere"
        raise click.UsageError(msg)
    unknown = set(renew) - {one.name for one in network.principals()}
    if unknown:
        msg = f"--renew {min(unknown)}: is no principal of this network; `attente access plan --json` lists them"
        raise BadInput(msg)
    keys = None if secrets is None else Keys(secrets, settings.tls_ca, renew)
    with connect(settings.broker, settings.connection) as admin:
        done = apply_access(admin, network, keys)
    if as_json:
        click.echo(json.dumps([_done(one) for one in done], indent=2))
    else:
        for one in done:
            click.echo(f"{'failed' if one.failure else 'done':6}  {one.principal}  {_with(one)}")
        if not done:
            click.echo("all rights are as they must be")
    return 1 if any(one.failure for one in done) else 0


def _network(settings: Settings) -> Network:
    if settings.registry is None:
        msg = "the kiosks stand in the registry; name it with --registry FILE"
        raise BadInput(msg)
    offices = load(settings.registry).offices.values()
    return Network(
        settings.topic_prefix, settings.group, tuple((one.id, kiosk) for one in offices for kiosk in one.kiosks)
    )


def _with(done: Done) -> str:
    return f"{done.what}: {done.failure}" if done.failure else done.what


def _done(done: Done) -> dict[str, Any]:
    return {"principal": done.principal, "what": done.what, "failure": done.failure or None}


def _facts(found: Difference) -> dict[str, Any]:
    return {
        "missing": [_grant(one) for one in found.missing],
        "surplus": [_grant(one) for one in found.surplus],
        "gone": list(found.gone),
        "without_password": [one.name for one in found.without],
        "unknown": list(found.unknown),
        "kept": found.kept,
    }


def _grant(grant: Grant) -> dict[str, str]:
    return {"principal": grant.principal, "right": str(grant)}


def _print(found: Difference) -> None:
    for grant in found.missing:
        click.echo(f"missing  {grant.principal}  {grant}")
    for grant in found.surplus:
        click.echo(f"surplus  {grant.principal}  {grant}")
    for user in found.gone:
        click.echo(f"surplus  {user}  has a password, and is not in the registry")
    for line in found.unknown:
        click.echo(f"unknown  {line}; left alone")
    click.echo(f"{found.kept:,} rights are as they must be")
    if found.without:
        names = ", ".join(one.name for one in found.without[:3]) + (", …" if len(found.without) > 3 else "")
        remedy = "`attente access apply --secrets FOLDER` gives them one"
        click.echo(f"{len(found.without):,} have no password ({names}); {remedy}")
