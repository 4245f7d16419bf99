"""`attente broker up|down|status`: a real Kafka on this machine."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from attente.broker.access import Keys
from attente.broker.access import apply as give
from attente.broker.admin import connect
from attente.broker.grants import Network, Role
from attente.broker.jars import Report, kafka_version
from attente.broker.local import LocalBroker
from attente.broker.secure import ADMIN
from attente.broker.state import BrokerState
from attente.cli.options import json_option, local_broker_folder, with_settings
from attente.errors import BrokerRefused
from attente.settings import Settings


@click.group()
def broker() -> None:
    """Run a real Kafka on this machine, without installing Java.

    Its records, settings and logs lie in the folder `broker` of the data folder, which may be deleted when it is down.
    """


def _heap(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    if re.fullmatch(r"[1-9][0-9]*[mMgG]", value) is None:
        msg = f"{value!r} is no amount of memory; write for example 512m or 2g"
        raise click.BadParameter(msg)
    return value


@broker.command()
@with_settings("data", "topic_prefix", "group")
@click.option(
    "--port", type=click.IntRange(0, 65_535), default=0, help="For clients; 0 takes last time's, or a free one."
)
@click.option("--heap", default="512m", show_default=True, callback=_heap, help="Memory of the broker.")
@click.option("--secure", is_flag=True, help="With TLS, passwords and access control; for good.")
@json_option
def up(settings: Settings, port: int, heap: str, *, secure: bool, as_json: bool) -> None:
    """Start the broker, or say that it is up.

    With --secure nobody may do anything but who has a right to it; the settings files of the administrator and of each
    role lie in the folder `access` of the broker. One that was made so stays so.

    Example: attente broker up --port 9092
    """
    folder = local_broker_folder(settings)
    local = LocalBroker(folder, port=port, heap=heap, secure=secure)
    with download_bar() as report:
        started = local.up(report=report)
    if local.is_secure:
        provide(local, started.state, Network(settings.topic_prefix, settings.group))
    if as_json:
        click.echo(json.dumps(_facts(started.state, folder, up=True) | {"already": started.already}))
        return
    said = "was already up" if started.already else "is up"
    state = started.state
    click.echo(f"Kafka {state.version} {said} at {state.bootstrap} (pid {state.process.pid}); its files: {folder}")
    if local.is_secure:
        click.echo(f"secured; the settings of each role: {local.access.folder}/{{{','.join(_ROLES)}}}.yaml")


_ROLES = (ADMIN, Role.WORKER, Role.READER, Role.SENDER)


def provide(local: LocalBroker, state: BrokerState, network: Network) -> None:
    """Give every role of a network its rights, its password, and its settings files.

    Raises:
        BrokerRefused: the broker did not take one of them.
    """
    access = local.access
    keys = Keys(access.folder, access.authority.cert)
    with connect(state.bootstrap, local.admin) as admin:
        # What kiosks have is an affair of the registry, and left to `attente access apply`.
        failed = [one for one in give(admin, network, keys, roles_only=True) if one.failure]
    if failed:
        msg = f"the broker did not take: {failed[0].principal}: {failed[0].what}: {failed[0].failure}"
        raise BrokerRefused(msg)
    access.write_settings(state.bootstrap, state.tls_port, ADMIN, {"sasl_user": ADMIN})
    for one in network.principals():
        access.write_settings(state.bootstrap, state.tls_port, one.file, {"sasl_user": one.name, **dict(one.settings)})


@broker.command()
@with_settings("data")
@json_option
def down(settings: Settings, *, as_json: bool) -> None:
    """Stop the broker; its records stay.

    Example: attente broker down
    """
    folder = local_broker_folder(settings)
    stopped = LocalBroker(folder).down()
    if as_json:
        click.echo(json.dumps({"up": False, "stopped": stopped, "folder": str(folder)}))
    elif stopped:
        click.echo(f"Kafka is down; its records stay in {folder}")
    else:
        click.echo(f"no Kafka was up in {folder}")


@broker.command()
@with_settings("data")
@json_option
def status(settings: Settings, *, as_json: bool) -> int:
    """Say whether the broker is up; exits with 1 when it is not.

    Example: attente broker status --json
    """
    folder = local_broker_folder(settings)
    found = LocalBroker(folder).status()
    if as_json:
        click.echo(json.dumps(_facts(found.state, folder, up=found.up) | {"topics": list(found.topics or ())}))
    elif found.state is None:
        click.echo(f"no Kafka is up in {folder}; start it with 'attente broker up'")
    else:
        said = "is up" if found.up else "runs, but does not answer,"
        click.echo(f"Kafka {found.state.version} {said} at {found.state.bootstrap} (pid {found.state.process.pid})")
        for name in found.topics or ():
            click.echo(f"  {name}")
    return 0 if found.up else 1


def _facts(state: BrokerState | None, folder: Path, *, up: bool) -> dict[str, Any]:
    return {
        "up": up,
        "bootstrap": state.bootstrap if state else None,
        "pid": state.process.pid if state else None,
        "version": state.version if state else None,
        "folder": str(folder),
    }


@contextmanager
def download_bar() -> Iterator[Report]:
    """A progress bar on stderr for the broker's jars, which appears only when something has to be fetched.

    Where stderr is no terminal one line says what takes so long.
    """
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        title = f"fetching Kafka {kafka_version()}"
        task = progress.add_task(title, visible=False)
        said: list[str] = []

        def report(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total, visible=True)
            if progress.disable and not said:
                said.append(f"{title} ({total / 1_000_000:.0f} MB)")
                click.echo(said[0], err=True)

        yield report
