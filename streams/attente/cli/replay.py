"""`attente replay`: lines of events go to Kafka."""

import contextlib
import math
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from attente.cli.import_ import Duration
from attente.cli.options import json_option, with_settings
from attente.cli.signals import stop_by_signal
from attente.errors import BadInput
from attente.model.topics import EVENTS
from attente.registry.keyring import load_keys
from attente.settings import Settings
from attente.sources.files import lines_of, split
from attente.sources.replay import BadLines, ReplayReport, ReplaySettings, span_of_lines
from attente.sources.replay import replay as send
from attente.sources.target import Times
from attente.wording import counted

_STDIN: Final = Path("-")
_INTERRUPTED: Final = 130


class Speed(click.ParamType):
    """Seconds of the tape in a second, or `max`."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Text to a number above 0; `max` to infinity."""
        try:
            speed = math.inf if value == "max" else float(value)
        except ValueError:
            speed = 0.0
        if not speed > 0:  # "nan" is a float too
            self.fail(f"{value!r} is no speed; write max, or a number like 1 or 60", param, ctx)
        return speed


@click.command("replay")
@click.argument("file", type=click.Path(path_type=Path))
@with_settings("broker", "topic_prefix", "data", "keys_file")
@click.option("--archive/--live", default=True, help="Records bear the events' own time, or the events move up to now.")
@click.option("--speed", type=Speed(), default="max", metavar="NUMBER|max", help="Seconds of the tape in a second.")
@click.option("--max-rate", type=click.FloatRange(0, min_open=True), metavar="NUMBER", help="Events a second at most.")
@click.option("--from-line", type=click.IntRange(1), default=1, metavar="LINE", help="Pass over the lines before it.")
@click.option("--keep-going", is_flag=True, help="Report a line that is no event and skip it.")
@click.option("--raw", is_flag=True, help="Send also a line that is no event, as it is.")
@click.option("--partitions", type=click.IntRange(1), metavar="NUMBER", help="Refuse a topic of another number.")
@click.option("--horizon", type=Duration(), default="24h", help="The network's horizon; --live sends nothing older.")
@click.option("--shift-ms", type=int, metavar="MS", help="Move the events of --live by this, to go on with a replay.")
@click.option("--quiet", is_flag=True, help="No progress bar.")
@json_option
def replay(file: Path, settings: Settings, *, quiet: bool, as_json: bool, **options: Any) -> int:
    """Send the events of FILE, one JSON object a line, to Kafka; FILE may be compressed by xz, - is standard input.

    An archive goes into topics of `attente topics apply --archive`, where time is the events' own. With --live the
    instants of all events move by one constant: at --speed 1 the first event is now, at a greater speed the last.

    A line that is no event ends the replay with 3, after what came before it has been sent, and the message says how to
    go on; a broker that is away for two minutes ends it with 4. What is sent twice changes no figure.

    A file of events holds no signatures. With --keys what is sent is signed on its way, each event with the last key of
    its office in that file; an office without one goes unsigned.

    Example: attente replay january.ndjson --archive --speed 86400
    """
    if file != _STDIN:
        next(lines_of(file), None)  # a file that is not there is told before a broker is looked for
    asked = _asked(file, settings, options)
    console = Console(stderr=True)
    with stop_by_signal() as stop, _bar(file, console, quiet=quiet) as progress:
        told = send(_lines(file), asked, progress, stop, _tell_skipped)
    if as_json:
        click.echo(told.as_json())
    else:
        click.echo(_said(told))
    return _INTERRUPTED if told.stopped else 0


def _asked(file: Path, settings: Settings, options: dict[str, Any]) -> ReplaySettings:
    if options["raw"] and options["keep_going"]:
        msg = "--raw sends what --keep-going skips; leave one of them out"
        raise click.UsageError(msg)
    times = Times.ARCHIVE if options["archive"] else Times.LIVE
    if times is Times.ARCHIVE and options["shift_ms"] is not None:
        msg = "--shift-ms goes with --live: an archive keeps its times"
        raise click.UsageError(msg)
    asked = ReplaySettings(
        broker=settings.broker,
        security=settings.connection,
        topic=settings.topic(EVENTS),
        times=times,
        speed=options["speed"],
        max_rate=options["max_rate"] or math.inf,
        bad_lines=_bad_lines(options),
        first_line=options["from_line"],
        name=str(file),
        shift_ms=options["shift_ms"],
        horizon_ms=options["horizon"],
        partitions=options["partitions"],
        keys=load_keys(settings.keys_file) if settings.keys_file else (),
    )
    if times is Times.ARCHIVE or asked.shift_ms is not None or asked.speed == 1:
        return asked
    return _with_span(file, asked)


def _bad_lines(options: dict[str, Any]) -> BadLines:
    if options["raw"]:
        return BadLines.SEND
    return BadLines.SKIP if options["keep_going"] else BadLines.STOP


def _with_span(file: Path, asked: ReplaySettings) -> ReplaySettings:
    """A live replay that is to end now has to know the end before it begins."""
    if file == _STDIN:
        msg = "standard input can be read only once: with --live use --speed 1, or a file"
        raise click.UsageError(msg)
    span = span_of_lines(_lines(file), asked)
    return replace(asked, shift_ms=0) if span is None else replace(asked, span=span)


def _lines(file: Path) -> Iterator[bytes]:
    return split(sys.stdin.buffer, str(_STDIN)) if file == _STDIN else lines_of(file)


@contextlib.contextmanager
def _bar(file: Path, console: Console, *, quiet: bool) -> Iterator[Callable[[int], None] | None]:
    if quiet or not console.is_terminal:
        yield None
        return
    total = None if file == _STDIN else sum(1 for _ in _lines(file))
    columns = (TextColumn("replaying"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("replaying", total=total)
        yield lambda lines: bar.update(task, completed=lines)


def _tell_skipped(error: BadInput) -> None:
    click.echo(f"attente: {error}; skipped", err=True)


def _said(told: ReplayReport) -> str:
    rate = f", {told.sent / told.seconds:,.0f} a second" if told.seconds >= 1 else ""
    lines = [f"{counted(told.sent, 'event')} in {told.seconds:.1f} s{rate}"]
    if told.signed:
        lines.append(f"{told.signed:,} of them signed")
    if told.skipped:
        lines.append(f"{counted(told.skipped, 'line')} skipped")
    if told.partitions:
        lines.append("by partition: " + ", ".join(f"{where}: {count:,}" for where, count in told.partitions.items()))
    if told.stopped:
        lines.append(f"stopped; go on with --from-line {told.next_line}")
        if told.shift_ms:
            lines[-1] += f" --shift-ms {told.shift_ms}"
    return "\n".join(lines)
