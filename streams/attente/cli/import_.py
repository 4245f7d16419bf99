"""`attente import`: another system's file becomes events, as lines of JSON."""

import contextlib
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any, Final

import click
from rich.console import Console
from rich.progress import track
from rich.table import Table

from attente.cli.options import json_option
from attente.registry.scalars import Unreadable, duration
from attente.sources.files import whole
from attente.sources.importers import IMPORTERS, ImportedTape, ImportOptions, ImportReport, import_tape

_STDOUT: Final = Path("-")


class Duration(click.ParamType):
    """A stretch of time in milliseconds, written like 6h or 90s."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Text to milliseconds."""
        try:
            return duration(str(value)) * 1000
        except Unreadable as error:
            self.fail(str(error), param, ctx)


@click.command("import")
@click.argument("source", type=click.Choice(list(IMPORTERS)))
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default=_STDOUT,
    help="Where the events go; - is the standard output.",
    show_default=True,
)
@click.option(
    "--offices", type=click.IntRange(1, 9_999), default=1, help="Deal the rows out to so many.", show_default=True
)
@click.option(
    "--shuffle",
    "shuffle_ms",
    type=Duration(),
    default="0s",
    help="Let events be late by up to this long.",
    show_default=True,
)
@click.option(
    "--duplicates", type=click.FloatRange(0, 1), default=0.0, help="Write this share of them twice.", show_default=True
)
@click.option("--seed", type=int, default=0, help="What the random choices follow from.", show_default=True)
@click.option("--report", type=click.Path(path_type=Path, dir_okay=False), help="Write the report to a file, as JSON.")
@json_option
def import_(source: str, file: Path, output: Path, report: Path | None, *, as_json: bool, **options: Any) -> None:
    """Turn FILE, a tape of the kind SOURCE, into events: one JSON object a line, sorted by time.

    What was read and what was dropped is reported on standard error. A file that is no such tape is refused, with line
    and column, before anything is written. The same options give the same events, byte for byte.

    Example: attente import technion technion_bank_1999-01.tsv.xz -o january.ndjson
    """
    console = Console(stderr=True)
    with console.status(f"reading {file}"):
        tape = import_tape(IMPORTERS[source], file, ImportOptions(**options))
    told = tape.report
    with _opened(output) as stream:
        for line in _watched(tape, console):
            stream.write(line + b"\n")
    if report is not None:
        with whole(report) as stream:
            stream.write(told.as_json() + b"\n")
    if as_json:
        click.echo(told.as_json(), err=True)
    else:
        console.print(_table(told))


def _watched(tape: ImportedTape, console: Console) -> Iterable[bytes]:
    if not console.is_terminal:
        return tape.lines
    return track(tape.lines, "writing", total=tape.count, console=console, transient=True)


@contextlib.contextmanager
def _opened(output: Path) -> Iterator[IO[bytes]]:
    if output == _STDOUT:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
    else:
        with whole(output) as stream:
            yield stream


def _table(told: ImportReport) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column()
    table.add_column(justify="right")
    table.add_row("rows read", f"{told.rows:,}")
    table.add_row("tickets", f"{told.tickets:,}")
    for reason, count in told.dropped.items():
        table.add_row(f"dropped: {reason.replace('_', ' ')}", f"{count:,}")
    for name, count in told.events.items():
        table.add_row(name, f"{count:,}")
    table.add_row("written twice", f"{told.duplicates:,}")
    table.add_row("out of order", f"{told.displaced:,}")
    if told.displaced:
        table.add_row("at most late by", f"{told.furthest_ms / 1000:,.0f} s")
    table.add_row("events written", f"{told.written:,}", style="bold")
    return table
