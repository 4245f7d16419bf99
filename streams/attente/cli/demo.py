"""`attente demo`: the whole system at work on this machine."""

import contextlib
import json
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import click
from rich.console import Console

from attente.cli.import_ import Duration
from attente.cli.options import CONNECTION, with_settings
from attente.cli.replay import Speed
from attente.demo.account import as_json
from attente.demo.options import DemoOptions, LiveOptions
from attente.demo.run import run, run_live
from attente.demo.screen import screen_for
from attente.demo.show import Outcome
from attente.demo.source import nearby_tape
from attente.demo.told import live_json, summary
from attente.errors import BadInput, CheckFailed, Missing
from attente.grafana.rules.build import rule_files
from attente.security import PLAINTEXT
from attente.settings import DEFAULT, FORMS, Settings
from attente.sources.files import whole
from attente.sources.importers import IMPORTERS, ImportOptions
from attente.wording import counted

_INTERRUPTED: Final = 130
_STDOUT: Final = Path("-")
_FOLDER: Final = "demo"
# At least twice as many partitions as workers, and four for two of them.
_PARTITIONS_EACH: Final = 2
_FEWEST: Final = 4
# A day in two seconds: a month that somebody looks at takes a minute.
_WATCHED: Final = 43_200.0
_TOLD: Final = 20  # violations named at the end; more of them say nothing more


def _address(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    try:
        return None if value is None else str(FORMS["broker"].parse(value))
    except ValueError as error:
        msg = f"{value!r} {error}"
        raise click.BadParameter(msg) from None


# What is said of a tape alone, by the flag that says it.
_OF_A_TAPE: Final = {
    "source": "--source",
    "shuffle": "--shuffle",
    "duplicates": "--duplicates",
    "kill": "--kill",
    "speed": "--speed",
    "once": "--once",
}
_LIVE_OFFICES: Final = 40
_LIVE_PARTITIONS: Final = 8  # so many workers can be started from the keyboard and have something to do


_EXAMPLES: Final = """\b
Examples:
  attente demo
  attente demo --offices 200 --workers 3
  attente demo --for 30s --json -
  attente demo --source technion FILE --offices 16 --kill 3 --once
"""


@click.command(epilog=_EXAMPLES)
@click.option(
    "--live/--tape",
    default=None,
    help="A simulated network that lives now, or an archive.  [default: live, unless something is said of a tape]",
)
@click.option(
    "--source",
    type=(click.Choice(list(IMPORTERS)), click.Path(path_type=Path)),
    metavar="KIND FILE",
    help=f"The tape to play, of a kind of 'attente import' ({', '.join(IMPORTERS)}); without it the one beside the "
    "checkout.",
)
@click.option(
    "--offices",
    type=click.IntRange(1, 9_999),
    help=f"How many, {_LIVE_OFFICES} unless said; a tape is dealt out to so many, one unless said.",
)
@click.option("--shuffle", type=Duration(), help="Tape: let events be late by up to this.  [default: 0s]")
@click.option("--duplicates", type=click.FloatRange(0, 1), help="Tape: send this share twice.  [default: 0]")
@click.option("--seed", type=int, default=0, help="What chance follows from, kills included.", show_default=True)
@click.option("--workers", type=click.IntRange(1, 32), default=2, help="How many.", show_default=True)
@click.option(
    "--partitions",
    type=click.IntRange(1, 1_000),
    help=f"Of the events.  [default: twice the workers, {_LIVE_PARTITIONS} or more; of a tape {_FEWEST} or more]",
)
@click.option("--kill", type=click.IntRange(0, 1_000), help="Tape: kill -9 a worker so often.  [default: 0]")
@click.option(
    "--speed",
    type=Speed(),
    metavar="NUMBER|max",
    help="Tape: its seconds in a second.  [default: 43200, a day in two seconds; max with --once]",
)
@click.option("--once", is_flag=True, help="Tape: end when every event is accounted for.")
@click.option("--for", "for_ms", type=Duration(), help="Live: end after so long, when every event is accounted for.")
@click.option("--prometheus/--no-prometheus", default=True, help="Live: start a Prometheus too, if there is one.")
@click.option(
    "--json",
    "output",
    type=click.Path(path_type=Path),
    help="With --once or --for: where the result goes; - is stdout.",
)
@click.option("--keep", is_flag=True, help="Leave records, logs and topics where they are.")
@click.option(
    "--broker",
    metavar="HOST:PORT",
    callback=_address,
    help="Use this Kafka instead of starting one; the topics are removed in the end.",
)
@with_settings("data", *CONNECTION, local_broker=False)
def demo(settings: Settings, output: Path | None, *, live: bool | None, **options: Any) -> int:
    """Show a network of offices, live, through a real Kafka and some workers; or play an archive of tickets.

    Without arguments: forty simulated offices, of which some make their norm look met. In a terminal, + starts another
    worker, k kills one by kill -9, s sorts otherwise, n shows the next norm, q ends it.

    The figures are those of the workers' /metrics and of nothing else. A run has a folder, a broker and topics of its
    own, and takes all of them away with it; Ctrl-C stops what it has started and nothing else. On a secured cluster it
    needs the rights of an administrator: give it --config admin.yaml.

    With --kill a tape's replay is slow enough for every worker that is killed to be missed, and to come back: in turns
    after others have taken over, and at once.

    Exits with 0 when every event is accounted for, or a live network was ended by q or Ctrl-C; 1 when the account does
    not balance, a counter fell or a process ended by itself; 130 when it is stopped before that; 3 for a wrong tape, 4
    without a broker, 5 when something is missing.
    """
    said_of_tape = [
        flag for name, flag in _OF_A_TAPE.items() if options[name] is not None and options[name] is not False
    ]
    if live and said_of_tape:
        msg = f"{said_of_tape[0]} goes with a tape; leave --live out"
        raise click.UsageError(msg)
    is_tape = bool(said_of_tape) or live is False
    if is_tape and options["for_ms"] is not None:
        msg = "--for goes with a live network; a tape ends with --once"
        raise click.UsageError(msg)
    if output is not None and not options["once"] and options["for_ms"] is None:
        msg = "--json goes with --once or --for: a demo that stays has no result"
        raise click.UsageError(msg)
    if output is not None and output != _STDOUT and not output.absolute().parent.is_dir():
        msg = f"{output}: there is no folder {output.absolute().parent}; make it, or name another file"
        raise Missing(msg)
    try:
        return _tape(settings, output, **options) if is_tape else _live(settings, output, **options)
    except KeyboardInterrupt:
        # Everything is put away. What may be left are threads that wait for an answer from the network, up to half a
        # minute, and Python would wait for them.
        os._exit(_INTERRUPTED)


def _tape(settings: Settings, output: Path | None, **options: Any) -> int:
    outcome = run(_tape_options(settings, **options), screen_for(Console(stderr=True)))
    _raise_if_wrong(outcome.violations)
    if output is not None:
        _write(output, as_json(outcome.figures))
    if options["once"] and output != _STDOUT:
        click.echo(_said(outcome))
    return 0


def _live(settings: Settings, output: Path | None, **options: Any) -> int:
    outcome = run_live(_live_options(settings, **options), screen_for(Console(stderr=True)))
    _raise_if_wrong(outcome.violations)
    if output is not None:
        _write(output, live_json(outcome))
    if output != _STDOUT:
        with contextlib.suppress(OSError):  # the terminal may have been closed, which is why it has ended
            click.echo(summary(outcome))
    return 0 if outcome.is_settled or options["for_ms"] is None else _INTERRUPTED


def _raise_if_wrong(violations: Sequence[str]) -> None:
    if violations:
        raise CheckFailed("\n".join(violations[:_TOLD]))


def _broker(settings: Settings, broker: str | None) -> str | None:
    """The cluster that somebody has named; None for one of the demo's own.

    Raises:
        BadInput: it is said how to connect, and not to what.
    """
    named = broker or (None if settings.origin("broker") == DEFAULT else settings.broker)
    if named is None and settings.connection != PLAINTEXT:
        said = settings.origin("security")
        msg = f"{said}: security is {settings.security}, and no cluster is named; name it with --broker, or leave out"
        raise BadInput(f"{msg} how to connect: the demo's own Kafka is open, and on loopback")  # noqa: EM102 - two parts
    return named


def _live_options(settings: Settings, **options: Any) -> LiveOptions:
    workers = options["workers"]
    for_ms = options["for_ms"]
    return LiveOptions(
        offices=options["offices"] or _LIVE_OFFICES,
        seed=options["seed"],
        workers=workers,
        partitions=options["partitions"] or max(_LIVE_PARTITIONS, _PARTITIONS_EACH * workers),
        for_s=None if for_ms is None else for_ms / 1000,
        folder=settings.data / _FOLDER,
        broker=_broker(settings, options["broker"]),
        security=settings.connection,
        keep=options["keep"],
        prometheus=options["prometheus"],
        rules=rule_files,
    )


def _tape_options(
    settings: Settings,
    *,
    source: tuple[str, Path] | None,
    workers: int,
    kill: int | None,
    speed: float | None,
    once: bool,
    **more: Any,
) -> DemoOptions:
    if kill and speed is not None:
        msg = "--kill has a pace of its own, so that kills fall into the replay; leave --speed out"
        raise click.UsageError(msg)
    importer, file = source or ("technion", nearby_tape())
    return DemoOptions(
        importer=importer,
        tape=file,
        how=ImportOptions(more["offices"] or 1, more["shuffle"] or 0, more["duplicates"] or 0.0, more["seed"]),
        workers=workers,
        partitions=more["partitions"] or max(_FEWEST, _PARTITIONS_EACH * workers),
        kills=kill or 0,
        once=once,
        speed=speed or (math.inf if once or kill else _WATCHED),
        folder=settings.data / _FOLDER,
        broker=_broker(settings, more["broker"]),
        security=settings.connection,
        keep=more["keep"],
    )


def _write(output: Path, result: dict[str, Any]) -> None:
    text = json.dumps(result, indent=2)
    if output == _STDOUT:
        click.echo(text)
        return
    with whole(output) as stream:
        stream.write(f"{text}\n".encode())


def _said(outcome: Outcome) -> str:
    """The account in a few lines."""
    figures = outcome.figures
    totals = figures.totals
    account = (
        f"{figures.read:,} events read = {figures.counted:,} counted + {figures.duplicate:,} duplicate + "
        f"{figures.refused:,} refused"
    )
    tickets = (
        f"issued {totals['issued']:,}, called {totals['called']:,}, served {totals['served']:,}, abandoned "
        f"{totals['abandoned']:,}, no-shows {totals['no_show']:,}; waits of the answered "
        f"{figures.answered_wait_ms / 1000:,.3f} s"
    )
    lines = [account, tickets]
    for norm in figures.norms:
        levels = (f"{left.value} {'–' if level is None else f'{level:.6f}'}" for left, level in norm.levels().items())
        lines.append(f"within {norm.threshold_s} s: {', '.join(levels)}")
    if outcome.kills:
        lines.append(
            f"{counted(len(outcome.kills), 'worker')} killed; in {outcome.rounds} looks at their pages no counter fell"
        )
    return "\n".join(lines)
