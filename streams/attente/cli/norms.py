"""`attente norms`: what the promises of a registry are, and how a figure of one comes about."""

from datetime import date
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from attente.cli.options import json_option, with_settings
from attente.cli.report import asked_for, plain_console, registry_for, source_options, waiting
from attente.model.topics import EVENTS
from attente.registry.entities import Registry
from attente.registry.keyring import keyring
from attente.registry.load import load
from attente.report.explain import Case, applicable, explain
from attente.report.export import case_as_json, norms_as_json, origin_as_json
from attente.report.reading import read, read_log
from attente.report.selection import check_offices, check_services, norm_of
from attente.report.text import render_case, render_norms, said_of
from attente.settings import Settings
from attente.sources.log import Log


class Day(click.ParamType):
    """A calendar date."""

    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """Text to a date."""
        if isinstance(value, date):
            return value
        try:
            return date.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is no date; write one like 2026-11-23", param, ctx)


@click.group()
def norms() -> None:
    """List the norms of a registry; explain a figure of one."""


@norms.command("list")
@click.option(
    "--registry", "file", type=click.Path(path_type=Path), required=True, metavar="FILE", help="The network's registry."
)
@json_option
def list_(file: Path, *, as_json: bool) -> None:
    """List every definition of every norm, the former ones too.

    Example: attente norms list --registry network.yaml
    """
    registry = load(file)
    if as_json:
        click.echo(norms_as_json(registry))
    elif registry.norms:
        plain_console().print(render_norms(registry))
    else:
        click.echo(f"{file}: the registry has no norms")


@norms.command("explain")
@click.argument("norm")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option("--office", required=True, metavar="OFFICE", help="Of which office.")
@click.option("--date", "day", type=Day(), required=True, metavar="DATE", help="On which business day.")
@click.option("--service", default="", metavar="SERVICE", help="Of which service.  [default: all of the norm]")
@source_options
@with_settings("broker", "topic_prefix", "data", "keys_file")
@json_option
def explain_(
    norm: str,
    file: Path | None,
    office: str,
    day: date,
    service: str,
    settings: Settings,
    *,
    as_json: bool,
    **options: Any,
) -> None:
    """Explain how NORM was kept by an office on a day: its definition in words, the counts, and the arithmetic.

    The events are those of FILE, or without one those that the broker's topic still holds of the office's partition;
    both need the --registry, a tape (--from) has its own. All four service levels are told per leg, first and visit,
    the one that is the promise is marked.

    Exits with 0 when it is explained, 1 when the norm is not in force or does not apply, 2 for an unknown norm, office
    or service, 3 when FILE or the registry is wrong, 4 without a broker, 5 when a file is not there.

    Example: attente norms explain caf-20 --office 75-nation --date 2026-11-23 events.ndjson --registry network.yaml
    """
    if file is None:
        case, registry, source, told = _from_broker(norm, office, day, service, settings, options)
    else:
        asked = asked_for(file, **options)
        with waiting(Console(stderr=True), asked.source.name) as progress:
            registry, _ = registry_for(asked)
            newest = norm_of(registry, norm)
            _check(registry, office, service)
            applicable(newest, office, day, service)
            only = (office,)  # of the others' events only the time matters
            lines, name = asked.source.lines(), asked.source.name
            reading = read(lines, name, registry, asked.partitions, offices=only, share=only, progress=progress)
            case = explain(reading, newest, office, day, service)
        origin = asked.source.origin()
        source, told = origin_as_json(origin), said_of(origin)
    if as_json:
        click.echo(case_as_json(case, registry, source))
    else:
        plain_console().print(render_case(case, registry, told))


def _check(registry: Registry, office: str, service: str) -> None:
    check_offices(registry, (office,))
    check_services(registry, (service,) if service else ())


def _from_broker(
    norm: str, office: str, day: date, service: str, settings: Settings, options: dict[str, Any]
) -> tuple[Case, Registry, dict[str, Any], str]:
    if options["registry_file"] is None:
        msg = "the events of a broker need the network's --registry; or name a FILE of events"
        raise click.UsageError(msg)
    if options["importer"] or options["partitions"] != 1:
        msg = "--from and --partitions go with a FILE; the broker's topic has its own"
        raise click.UsageError(msg)
    registry = load(options["registry_file"])
    newest = norm_of(registry, norm)
    _check(registry, office, service)
    applicable(newest, office, day, service)
    keys = keyring(registry, settings.keys_file)
    with Log(settings.broker, settings.topic(EVENTS), office, settings.connection) as log:
        reading = read_log(log.records(), registry, log.partition, log.partitions, (office,), keys)
        told = (
            f"topic {log.topic} at {settings.broker}, partition {log.partition}, offsets {log.begin:,} to {log.end:,}"
        )
        source = {
            "topic": log.topic,
            "broker": settings.broker,
            "partition": log.partition,
            "first_offset": log.begin,
            "end_offset": log.end,
        }
    if log.begin:
        told += " (older records are gone)"
    return explain(reading, newest, office, day, service), registry, source, told
