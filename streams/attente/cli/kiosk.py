"""`attente kiosk emit|status|drain|run|conform`: an office's kiosk at the command line, and what a vendor checks."""

import json
import logging
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any, Final

import click
import msgspec

from attente.cli.options import Function, json_option, with_settings
from attente.cli.signals import stop_by_signal
from attente.errors import BadInput, CheckFailed, Unreachable
from attente.kiosk import EventRefused, Kiosk, KioskSettings, SpoolFull
from attente.kiosk.conform import Finding, findings
from attente.kiosk.ids import uuid7
from attente.kiosk.making import Reporter, now
from attente.kiosk.signing import read_key
from attente.kiosk.spool import Held, Spool
from attente.model.instants import text_of
from attente.model.reasons import Reason
from attente.model.signatures import Key
from attente.model.topics import EVENTS
from attente.settings import Settings
from attente.wording import counted

_TOGETHER: Final = 200  # lines that wait in the pipe are taken with one synchronisation of the disk
_LONGEST_LINE: Final = 64 << 10


@click.group()
def kiosk() -> None:
    """Keep and send an office's events; check those of a vendor."""


def _spooling(function: Function) -> Function:
    """The settings of every command that opens a spool."""
    return with_settings("office", "kiosk", "spool", "spool_events", "spool_bytes", local_broker=False)(function)


def _sending(function: Function) -> Function:
    return with_settings(
        "office",
        "kiosk",
        "spool",
        "spool_events",
        "spool_bytes",
        "broker",
        "topic_prefix",
        "heartbeat_seconds",
        "delivery_timeout_seconds",
        "keys_file",
        "signing_key",
    )(function)


def kiosk_settings(settings: Settings) -> KioskSettings:
    """What a kiosk has to know, out of the settings of the command.

    Raises:
        BadInput: nobody says which office or which kiosk it is.
    """
    return KioskSettings(
        office=_said("office", settings.office),
        kiosk=_said("kiosk", settings.kiosk),
        spool=settings.spool,
        broker=settings.broker,
        security=settings.connection,
        topic=settings.topic(EVENTS),
        most_events=settings.spool_events,
        most_bytes=settings.spool_bytes,
        key=_key(settings),
        heartbeat_seconds=settings.heartbeat_seconds,
        delivery_timeout_seconds=settings.delivery_timeout_seconds,
    )


def _key(settings: Settings) -> Key | None:
    if settings.signing_key is not None or settings.keys_file is None:
        return settings.signing_key
    return read_key(settings.keys_file, _said("office", settings.office))


def _said(what: str, name: str | None) -> str:
    if name is None:
        msg = f"a kiosk needs its {what}; name it with --{what} ID, or in ATTENTE_{what.upper()}"
        raise BadInput(msg)
    return name


@kiosk.command()
@_spooling
def emit(settings: Settings) -> None:
    """Take events from the standard input, one JSON object a line, into the spool.

    What is left out of an event is filled in: specversion, id, source, office, and time by this machine's clock. An
    event is in the spool, on the disk, when its id is printed. A line that is no event is told on stderr and passed
    over (exit code 3 at the end). A full spool ends the command (exit code 5); `attente kiosk run` sends.

    Example: echo '{"type":"ticket.issued","ticket":"A042","service":"accueil","channel":"walkin"}' | attente kiosk emit
    --office 75-nation --kiosk hall-1
    """
    bad = 0
    with Kiosk(kiosk_settings(settings), is_sending=False) as taking:
        for number, lines in _lines(sys.stdin.buffer):
            made = []
            for i, line in enumerate(lines):
                try:
                    made.append(_event(taking, line))
                except EventRefused as refused:
                    bad += 1
                    click.echo(f"attente: line {number + i}: {refused}", err=True)
            _take(taking, made)
    if bad:
        msg = f"{counted(bad, 'line')} {'were' if bad > 1 else 'was'} no event; the others are in {settings.spool}"
        raise BadInput(msg)


def _take(taking: Kiosk, made: list[tuple[str, bytes]]) -> None:
    try:
        with taking.batch() as batch:
            for _, raw in made:
                batch.report(raw)
    except SpoolFull:  # those that there is still room for are taken, in order
        for id_, raw in made:
            taking.report(raw)
            click.echo(id_)
        return
    for id_, _ in made:
        click.echo(id_)


def _event(reporter: Reporter, line: bytes) -> tuple[str, bytes]:
    """An event of a line, filled in and checked: its id and its bytes."""
    try:
        event = msgspec.json.decode(line, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        detail = f"no JSON object: {error}; write one event a line"
        raise EventRefused(Reason.NOT_JSON.value, detail) from None
    instant = now()
    event.setdefault("specversion", "1.0")
    id_ = event.setdefault("id", uuid7(int(instant.timestamp() * 1000)))
    event.setdefault("source", reporter.source)
    event.setdefault("time", instant.isoformat(timespec="milliseconds"))
    event.setdefault("office", reporter.office)
    raw = msgspec.json.encode(event)
    reporter.check(raw)
    return str(id_), raw


def _lines(stream: IO[bytes]) -> Iterator[tuple[int, list[bytes]]]:
    """The lines of a pipe as they come: those that are there already together, with the number of the first."""
    number = 1
    rest = b""
    while block := os.read(stream.fileno(), _LONGEST_LINE):
        *lines, rest = (rest + block).split(b"\n")
        if len(rest) > _LONGEST_LINE:
            msg = f"line {number + len(lines)}: longer than {_LONGEST_LINE:,} bytes; write one event a line"
            raise BadInput(msg)
        for i in range(0, len(lines), _TOGETHER):
            yield from _without_blanks(number + i, lines[i : i + _TOGETHER])
        number += len(lines)
    yield from _without_blanks(number, [rest])


def _without_blanks(number: int, lines: list[bytes]) -> Iterator[tuple[int, list[bytes]]]:
    if all(line.strip() for line in lines):
        yield number, lines
    else:
        for i, line in enumerate(lines):
            if line.strip():
                yield number + i, [line]


@kiosk.command()
@with_settings("spool", local_broker=False)
@json_option
def status(settings: Settings, *, as_json: bool) -> None:
    """Show how much the spool holds and since when, and whether a program sends from it.

    Example: attente kiosk status --spool hall-1.spool
    """
    _must_exist(settings.spool)
    with Spool(settings.spool) as spool:
        held = spool.held()
        with spool.sender_lock() as is_ours:
            is_sent = not is_ours
    if as_json:
        click.echo(json.dumps({**_told(held), "sending": is_sent}))
        return
    since = f", the oldest since {text_of(held.oldest_ms)}" if held.events else ""
    click.echo(f"{settings.spool}: {counted(held.events, 'event')}, {counted(held.bytes, 'byte')}{since}")
    click.echo("a program sends from it" if is_sent else "no program sends from it; start `attente kiosk run`")


def _told(held: Held) -> dict[str, object]:
    return {
        "events": held.events,
        "bytes": held.bytes,
        "oldest": text_of(held.oldest_ms) if held.events else None,
    }


def _must_exist(spool: Path) -> None:
    if not spool.exists():
        msg = f"{spool}: there is no such spool; name it with --spool FILE"
        raise BadInput(msg)


@kiosk.command()
@_sending
@click.option("--timeout", "timeout_s", default=60.0, metavar="SECONDS", help="Give up after so long.  [default: 60]")
def drain(settings: Settings, *, timeout_s: float) -> None:
    """Send what the spool holds, and end when the broker has all of it.

    A broker that is away is waited for, with a line that says so; one that refuses is not. Exit code 4 when something
    is left; it stays in the spool.

    Example: attente kiosk drain --office 75-nation --kiosk hall-1 --broker 10.0.0.5:9092
    """
    _must_exist(settings.spool)
    logging.getLogger("attente.kiosk").addHandler(logging.NullHandler())  # the one line at the end says it
    with Kiosk(kiosk_settings(settings)) as sending:
        before = sending.status().held.events
        is_empty = sending.drain(
            timeout_s, lambda why: click.echo(f"attente: waits, {timeout_s:g} s at most: {why}", err=True)
        )
        after = sending.status()
    if not is_empty:
        why = after.trouble or "the broker is slow"
        msg = f"{after.held.events:,} of {before:,} events are still in {settings.spool}: {why}"
        raise Unreachable(msg)
    click.echo(f"sent {counted(before, 'event')}; {settings.spool} is empty")


@kiosk.command()
@_sending
def run(settings: Settings) -> None:
    """Send what comes into the spool, and heartbeats, until told to stop: the service of a kiosk.

    Says on stderr when sending fails and when it goes on again, not each try. SIGTERM and Ctrl-C stop it; what is left
    is sent at the next start. With --keys, or a key in ATTENTE_SIGNING_KEY, all that is sent is signed.

    Example: attente kiosk run --office 75-nation --kiosk hall-1 --broker 10.0.0.5:9092 --spool /var/lib/attente/spool
    """
    logging.basicConfig(stream=sys.stderr, format="attente: %(message)s", level=logging.WARNING)
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    known = kiosk_settings(settings)
    with stop_by_signal() as stop, Kiosk(known) as sending:
        held = sending.status().held.events
        signs = f", signs with key {known.key.id}" if known.key else ""
        told = f"attente: kiosk {known.kiosk} of {known.office} sends to {known.broker}, {held:,} held{signs}"
        click.echo(told, err=True)
        while not stop.wait(1.0):
            pass
    click.echo("attente: stopped", err=True)


# ---- for vendors


@kiosk.command()
@click.argument("file", type=click.File("rb"), metavar="FILE")
@json_option
@click.option("--office", metavar="ID", help="All events have to be of this office.")
def conform(file: IO[bytes], *, as_json: bool, office: str | None) -> None:
    """Check a vendor's events, one JSON object a line, and say line by line what is wrong.

    Beyond each event by itself it looks at what a worker would refuse or could not place: ids that come twice, clocks
    that jump, tickets that are called and were never issued. `-` reads the standard input. Exit code 1 when anything
    is wrong.

    Example: attente kiosk conform events.ndjson
    """
    lines = 0
    wrong: list[Finding] = []
    for found in findings(file, office):
        lines += 1
        wrong += found
    refused = sum(one.is_refused for one in wrong)
    if as_json:
        click.echo(json.dumps({"events": lines, "refused": refused, "findings": [asdict(one) for one in wrong]}))
    else:
        for one in wrong:
            click.echo(f"{file.name}:{one.line}: {one.code}: {one.detail}")
    if wrong:
        msg = f"{file.name}: of {lines:,} events {refused:,} would be refused, {len(wrong) - refused:,} are doubtful"
        raise CheckFailed(msg)
    if not as_json:
        click.echo(f"ok: {counted(lines, 'event')}")
