"""`attente demo`: the whole system at work on this machine."""

import json
import math
import os
from pathlib import Path
from typing import Any, Final

import click
from rich.console import Console

from attente.cli.import_ import Duration
from attente.cli.options import with_settings
from attente.cli.replay import Speed
from attente.demo.account import as_json
from attente.demo.options import DemoOptions
from attente.demo.run import run
from attente.demo.screen import screen_for
from attente.demo.show import Outcome
from attente.demo.source import nearby_tape
from attente.errors import CheckFailed, Missing
from attente.settings import DEFAULT, FORMS, Settings
from attente.sources.files import whole
from attente.sources.importers import IMPORTERS, ImportOptions

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


@click.command()
@click.option(
    "--source",
    type=(click.Choice(list(IMPORTERS)), click.Path(path_type=Path)),
    metavar="KIND FILE",
    help=f"The tape to play, of a kind of 'attente import' ({', '.join(IMPORTERS)}); without it the one beside the "
    "checkout.",
)
@click.option("--offices", type=click.IntRange(1, 9_999), default=1, help="Deal it out to so many.", show_default=True)
@click.option("--shuffle", type=Duration(), default="0s", help="Let events be late by up to this.", show_default=True)
@click.option(
    "--duplicates", type=click.FloatRange(0, 1), default=0.0, help="Send this share twice.", show_default=True
)
@click.option("--seed", type=int, default=0, help="What chance follows from, kills included.", show_default=True)
@click.option("--workers", type=click.IntRange(1, 32), default=2, help="How many.", show_default=True)
@click.option(
    "--partitions", type=click.IntRange(1, 1_000), help="Of the events.  [default: twice the workers, 4 or more]"
)
@click.option("--kill", type=click.IntRange(0, 1_000), default=0, help="kill -9 a worker so often.", show_default=True)
@click.option(
    "--speed",
    type=Speed(),
    metavar="NUMBER|max",
    help="Seconds of the tape in a second.  [default: 43200, a day in two seconds; max with --once]",
)
@click.option("--once", is_flag=True, help="End when every event is accounted for.")
@click.option(
    "--json", "output", type=click.Path(path_type=Path), help="With --once: where the result goes; - is stdout."
)
@click.option("--keep", is_flag=True, help="Leave records, logs and topics where they are.")
@click.option(
    "--broker",
    metavar="HOST:PORT",
    callback=_address,
    help="Play through this Kafka instead of starting one; the topics are removed in the end.",
)
@with_settings("data", local_broker=False)
def demo(settings: Settings, output: Path | None, *, once: bool, **options: Any) -> int:
    """Play a month of tickets through a real Kafka and some workers, and show what they make of it.

    The figures are those of the workers' /metrics and of nothing else. A run has a folder, a broker and topics of its
    own, and takes all of them away with it; Ctrl-C stops what it has started and nothing else.

    With --kill the replay is slow enough for every worker that is killed to be missed, and to come back: in turns after
    others have taken over, and at once.

    Exits with 0 when every event is accounted for, 1 when the account does not balance, a counter fell or a worker
    ended by itself, 130 when it is stopped before that; 3 for a wrong tape, 4 without a broker, 5 when something is
    missing.
    """
    if output is not None and not once:
        msg = "--json goes with --once: a demo that stays has no result"
        raise click.UsageError(msg)
    if output is not None and output != _STDOUT and not output.absolute().parent.is_dir():
        msg = f"{output}: there is no folder {output.absolute().parent}; make it, or name another file"
        raise Missing(msg)
    asked = _asked(settings, once=once, **options)
    try:
        outcome = run(asked, screen_for(Console(stderr=True)))
    except KeyboardInterrupt:
        # Everything is put away. What may be left are threads that wait for an answer from the network, up to half a
        # minute, and Python would wait for them.
        os._exit(_INTERRUPTED)
    if outcome.violations:
        raise CheckFailed("\n".join(outcome.violations[:_TOLD]))
    if output is not None:
        _write(output, outcome)
    if once and output != _STDOUT:
        click.echo(_said(outcome))
    return 0


def _asked(
    settings: Settings,
    *,
    source: tuple[str, Path] | None,
    workers: int,
    partitions: int | None,
    kill: int,
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
        how=ImportOptions(more["offices"], more["shuffle"], more["duplicates"], more["seed"]),
        workers=workers,
        partitions=partitions or max(_FEWEST, _PARTITIONS_EACH * workers),
        kills=kill,
        once=once,
        speed=speed or (math.inf if once or kill else _WATCHED),
        folder=settings.data / _FOLDER,
        broker=more["broker"] or (None if settings.origin("broker") == DEFAULT else settings.broker),
        keep=more["keep"],
    )


def _write(output: Path, outcome: Outcome) -> None:
    text = json.dumps(as_json(outcome.figures), indent=2)
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
        lines.append(f"{len(outcome.kills)} workers killed; in {outcome.rounds} looks at their pages no counter fell")
    return "\n".join(lines)
