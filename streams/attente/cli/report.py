"""`attente report`: the figures of a file, without a broker."""

import contextlib
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click
from rich.console import Console

from attente.cli.options import Zone, json_option
from attente.registry.entities import Registry
from attente.registry.load import load
from attente.report import export
from attente.report.counting import Task, count_source
from attente.report.derived import NAME, UTC, Promise, derive, promise
from attente.report.document import Report, compose
from attente.report.figures import By
from attente.report.page import as_page
from attente.report.selection import check_offices, check_services
from attente.report.source import STDIN, Source
from attente.report.text import Detail, render
from attente.sources.files import whole
from attente.sources.importers import IMPORTERS, ImportOptions
from attente.wording import counted

_PLAIN_WIDTH: Final = 100  # of what goes into a file or a pipe


class PromiseType(click.ParamType):
    """A threshold and a target, like 20m:85%."""

    name = "promise"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Promise:
        """Text to a promise."""
        try:
            return promise(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be read, and as what."""

    source: Source
    registry_file: Path | None
    zone: str | None
    promises: tuple[Promise, ...]
    partitions: int


def source_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say what FILE is."""
    decorators = (
        click.option(
            "--from",
            "importer",
            type=click.Choice(list(IMPORTERS)),
            help="FILE is a tape of this kind of `attente import`.",
        ),
        click.option(
            "--offices", type=click.IntRange(1, 9_999), default=1, help="With --from: deal it out to so many offices."
        ),
        click.option(
            "--registry",
            "registry_file",
            type=click.Path(path_type=Path),
            metavar="FILE",
            help="The network.  [default: the tape's own, or the offices and services that occur in the events]",
        ),
        click.option("--partitions", type=click.IntRange(1, 10_000), default=1, help="Assign offices to so many."),
    )
    for decorate in reversed(decorators):
        function = decorate(function)
    return function


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@source_options
@click.option(
    "--zone", type=Zone(), metavar="ZONE", help="Without a registry: the time zone of all offices.  [default: UTC]"
)
@click.option(
    "--norm",
    "promises",
    type=PromiseType(),
    multiple=True,
    metavar="THRESHOLD:TARGET",
    help="Without a registry: a norm, like 20m:85%; it may be given several times.",
)
@click.option("--by", type=click.Choice([by.value for by in By]), default="file", help="What a row is of.")
@click.option("--office", "only_offices", multiple=True, metavar="OFFICE", help="Only this one; or several times.")
@click.option("--service", "only_services", multiple=True, metavar="SERVICE", help="Only this one; or several times.")
@click.option(
    "--processes",
    type=click.IntRange(1, 64),
    metavar="NUMBER",
    help="How many count a large file.  [default: by cores and size]",
)
@click.option("--detail", type=click.Choice([fine.value for fine in Detail]), help="How fine the text's rows are.")
@json_option
@click.option("--csv", "as_table", is_flag=True, help="Print CSV instead: a row for each office, service and day.")
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), help="Write a page with plots to this file.")
@click.option("--plot/--no-plot", default=None, help="Draw the waits in the text.  [default: in a terminal]")
def report(
    file: Path,
    *,
    by: str,
    only_offices: tuple[str, ...],
    only_services: tuple[str, ...],
    as_json: bool,
    **options: Any,
) -> None:
    """Report on FILE: visits, waits and norms by office and service, counted exactly as workers count them.

    FILE holds events, one JSON object a line, plain or compressed by xz; - is standard input. No broker is needed.

    \b
    attente report events.ndjson --registry network.yaml --by day --html report.html
    attente report --from technion technion_bank_1999-01.tsv.xz
    attente simulate --day 2026-11-23 | attente report - --registry network.yaml --json

    Exits with 0 when the report is made, 2 for an office or a service that is not in the registry, 3 when FILE or the
    registry is wrong, 5 when a file is not there or cannot be written.
    """  # noqa: D301 - click's mark against wrapping
    detail = options["detail"]
    if as_json and options["as_table"]:
        msg = "--json and --csv are two outputs; ask for one of them"
        raise click.UsageError(msg)
    asked = asked_for(file, **{name: options[name] for name in _ASKED})
    console = Console(stderr=True)
    with waiting(console, asked.source.name) as progress:
        registry, origin_of_registry = registry_for(asked)
        check_offices(registry, only_offices)
        check_services(registry, only_services)
        task = Task(registry, asked.partitions, By(by), only_offices, only_services)
        counted = count_source(asked.source, task, options["processes"] or 0, progress)
        made = compose(task, counted, asked.source.origin(), origin_of_registry)
    if options["html"] is not None:
        with whole(options["html"]) as stream:
            stream.write(as_page(made).encode())
        click.echo(f"written: {options['html']}", err=True)
    _show(made, None if detail is None else Detail(detail), options["plot"], json=as_json, csv=options["as_table"])


_ASKED: Final = ("importer", "offices", "registry_file", "partitions", "zone", "promises")


def asked_for(
    file: Path,
    *,
    importer: str | None,
    offices: int,
    registry_file: Path | None,
    partitions: int,
    zone: str | None = None,
    promises: tuple[Promise, ...] = (),
) -> Asked:
    """The options, seen to go together."""
    if offices != 1 and not importer:
        msg = "--offices deals out the rows of a tape; it goes with --from"
        raise click.UsageError(msg)
    if importer and file == STDIN:
        msg = "a tape is read from a file; name it, or pipe its events: attente import … | attente report -"
        raise click.UsageError(msg)
    if (zone or promises) and (registry_file is not None or importer):
        msg = "--zone and --norm stand in for a registry; with one, write them there"
        raise click.UsageError(msg)
    if file == STDIN and registry_file is None:
        msg = "standard input can be read only once, and the offices are not known before; name a --registry"
        raise click.UsageError(msg)
    source = Source(file, importer or "", ImportOptions(offices=offices))
    return Asked(source, registry_file, zone, promises, partitions)


def registry_for(asked: Asked) -> tuple[Registry, str]:
    """The network, and in words where it comes from.

    Raises:
        BadInput: the registry's file is wrong, or no line is an event.
        Missing: a file is not there.
    """
    if asked.registry_file is not None:
        return load(asked.registry_file), f"from {asked.registry_file.name}"
    own = asked.source.registry
    if own is not None:
        return own, "the tape's own"
    zone = asked.zone or UTC
    found = derive(asked.source.lines(), asked.source.name, zone, asked.promises)
    stated = (
        f"{counted(len(asked.promises), 'norm')} as given"
        if asked.promises
        else "no norms: name some with --norm or --registry"
    )
    return found, f"{NAME}: the offices and services that occur, zone {zone}, {stated}"


@contextlib.contextmanager
def waiting(console: Console, name: str) -> Iterator[Callable[[int], None] | None]:
    """Tells in a terminal how far the reading has come."""
    if not console.is_terminal:
        yield None
        return
    with console.status(f"reading {name}") as status:
        yield lambda lines: status.update(f"reading {name}: {lines:,} lines")


def plain_console() -> Console:
    """Where text goes: a terminal as wide as it is; anything else as wide as a page."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=_PLAIN_WIDTH)


def _show(made: Report, detail: Detail | None, plot: bool | None, *, json: bool, csv: bool) -> None:
    if json:
        click.echo(export.as_json(made))
    elif csv:
        click.echo(export.as_csv(made), nl=False)
    else:
        console = plain_console()
        console.print(render(made, detail, plot=console.is_terminal if plot is None else plot))
        sys.stdout.flush()
