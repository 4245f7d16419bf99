"""`attente topics plan|apply`: what the topics of a broker have to become, and making them so."""

import json
from collections.abc import Callable, Sequence
from typing import Any

import click

from attente.broker.admin import connect
from attente.broker.topics import Change, Kind, Result, is_settled, with_prefix
from attente.broker.topics import apply as apply_changes
from attente.broker.topics import plan as plan_changes
from attente.cli.options import Function, json_option, with_settings
from attente.model.topics import TopicSpec
from attente.model.topics import topics as specified
from attente.settings import Settings


@click.group()
def topics() -> None:
    """Compare the topics of a broker with what they must be, and make them so.

    Changed is only what is safe: topics are created and settings set, but never is a topic deleted, its number of
    partitions changed, or a live topic made an archive.
    """


def _wanted_options(function: Function) -> Function:
    options: Sequence[Callable[[Function], Function]] = (
        with_settings("broker", "topic_prefix", "data"),
        click.option(
            "--partitions",
            type=click.IntRange(1, 10_000),
            default=12,
            show_default=True,
            help="At least twice as many as workers ever; the number can never be changed.",
        ),
        click.option("--archive", is_flag=True, help="Events keep their own time and stay for ever: for replays."),
        click.option(
            "--replication",
            type=click.IntRange(1, 100),
            default=1,
            show_default=True,
            help="Copies of every partition.",
        ),
        json_option,
    )
    for option in reversed(options):
        function = option(function)
    return function


@topics.command()
@_wanted_options
def plan(settings: Settings, partitions: int, replication: int, *, archive: bool, as_json: bool) -> int:
    """Say what has to be done; exits with 1 when it is more than nothing.

    Example: attente topics plan --broker 127.0.0.1:9092 --partitions 12
    """
    specs = _specs(settings, partitions, replication, archive=archive)
    with connect(settings.broker, settings.connection) as admin:
        changes = plan_changes(admin, specs)
    if as_json:
        click.echo(json.dumps([_facts(change) for change in changes], indent=2))
    else:
        _print([(change, change.kind, _details(change)) for change in changes])
    return 0 if is_settled(changes) else 1


@topics.command()
@_wanted_options
def apply(settings: Settings, partitions: int, replication: int, *, archive: bool, as_json: bool) -> int:
    """Do what has to be done; exits with 1 when something is refused or fails.

    Example: attente topics apply --partitions 12 --archive --prefix january.
    """
    specs = _specs(settings, partitions, replication, archive=archive)
    with connect(settings.broker, settings.connection) as admin:
        results = apply_changes(admin, specs)
    if as_json:
        click.echo(json.dumps([_facts(one.change) | {"failure": one.failure} for one in results], indent=2))
    else:
        _print([(one.change, _outcome(one), one.failure or _details(one.change)) for one in results])
    return 0 if all(one.failure is None for one in results) else 1


def _specs(settings: Settings, partitions: int, replication: int, *, archive: bool) -> tuple[TopicSpec, ...]:
    return with_prefix(specified(partitions, archive=archive, replication=replication), settings.topic_prefix)


_DONE = {Kind.CREATE: "created", Kind.SET: "set", Kind.NOTHING: "as it must be"}


def _outcome(result: Result) -> str:
    if result.change.kind is Kind.REFUSE:
        return "refused"
    return "failed" if result.failure else _DONE[result.change.kind]


def _details(change: Change) -> str:
    if change.kind is Kind.CREATE:
        return f"partitions: {change.topic.partitions}; copies of each: {change.topic.replication}"
    if change.kind is Kind.SET:
        settings = [f"{one.setting}: {one.found or 'unknown'} → {one.wanted}" for one in change.differences]
        return "; ".join([*settings, *([change.why] if change.why else [])])
    return change.why


def _facts(change: Change) -> dict[str, Any]:
    return {
        "topic": change.topic.name,
        "action": str(change.kind),
        "partitions": change.topic.partitions,
        "replication": change.topic.replication,
        "settings": {one.setting: {"found": one.found, "wanted": one.wanted} for one in change.differences},
        "why": change.why or None,
    }


def _print(rows: Sequence[tuple[Change, str, str]]) -> None:
    name_width = max(len(change.topic.name) for change, _, _ in rows)
    action_width = max(len(action) for _, action, _ in rows)
    for change, action, details in rows:
        click.echo(f"{change.topic.name:{name_width}}  {action:{action_width}}  {details}".rstrip())
