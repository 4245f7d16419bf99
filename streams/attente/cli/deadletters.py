"""`attente deadletters list|show|replay`: what was refused, and how what can count after all is sent again."""

import functools
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, Final

import click

from attente.cli.options import Function, json_option, with_settings
from attente.errors import CheckFailed
from attente.model.instants import milliseconds, text_of
from attente.model.reasons import REASONS, Refusal, shown
from attente.model.records import DeadLetterRecord
from attente.model.signatures import signature_in
from attente.model.topics import DEADLETTERS, EVENTS
from attente.registry.load import load
from attente.registry.scalars import Unreadable, duration
from attente.settings import Settings
from attente.sources.deadletters.letters import Group, Letter, Survey, Wanted, grouped
from attente.sources.deadletters.mailbox import Mailbox
from attente.sources.deadletters.replay import Courier, Order, Report
from attente.sources.deadletters.replay import replay as send_again
from attente.sources.deadletters.verdict import Verdict
from attente.sources.target import look_at
from attente.wording import counted

_ROWS: Final = 20
_HEX_WIDTH: Final = 16


class Instant(click.ParamType):
    """An instant in milliseconds since 1970: RFC 3339, or how long ago."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Text to milliseconds."""
        if isinstance(value, int):
            return value
        try:
            return time.time_ns() // 1_000_000 - duration(value) * 1000
        except Unreadable:
            pass
        try:
            return milliseconds(value)
        except Refusal as refusal:
            self.fail(f"{refusal.detail}; or how long ago, like 2h", param, ctx)


class OriginName(click.ParamType):
    """Where an event stands: topic/partition/offset, or partition/offset in the events of the network."""

    name = "origin"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, int, int]:
        """Text to topic ("" is the network's), partition and offset."""
        if isinstance(value, tuple):
            return value
        *topic, partition, offset = f"/{value}".split("/")[-3:]
        if value.count("/") > 2 or not (partition.isdecimal() and offset.isdecimal()):
            self.fail(f"{value!r} is no place; write attente.events/3/4711, or 3/4711", param, ctx)
        return "".join(topic), int(partition), int(offset)


@dataclass(frozen=True, slots=True)
class _Filters:
    """Which letters a command is about."""

    wanted: Wanted
    partitions: frozenset[int]


def _filters(function: Function) -> Function:
    """The flags that say which letters are meant, together as the argument `filters`."""

    @functools.wraps(function)
    def call(*args: Any, partition: tuple[int, ...], **options: Any) -> Any:
        wanted = Wanted(
            reasons=frozenset(options.pop("reason")),
            offices=frozenset(options.pop("office")),
            sources=frozenset(options.pop("source")),
            since_ms=options.pop("since"),
            until_ms=options.pop("until"),
        )
        return function(*args, filters=_Filters(wanted, frozenset(partition)), **options)

    flags: list[Callable[[Function], Function]] = [
        click.option(
            "--reason",
            multiple=True,
            type=click.Choice([reason.value for reason in REASONS]),
            metavar="REASON",
            help="Refused for this reason; may be given again.",
        ),
        click.option("--office", multiple=True, metavar="OFFICE", help="Of this office, by the event or else its key."),
        click.option("--source", multiple=True, metavar="SOURCE", help="Whose event names this source."),
        click.option("--from", "since", type=Instant(), metavar="TIME", help="Not before it: RFC 3339, or 2h ago."),
        click.option("--to", "until", type=Instant(), metavar="TIME", help="Before it."),
        click.option(
            "--partition", multiple=True, type=click.IntRange(0), metavar="NUMBER", help="Of this partition only."
        ),
    ]
    decorated: Function = call
    for flag in reversed(flags):
        decorated = flag(decorated)
    return decorated


@click.group()
def deadletters() -> None:
    """Look at what was refused, and send again what can count after all."""


@deadletters.command("list")
@with_settings("broker", "topic_prefix", "data")
@_filters
@click.option("--limit", type=click.IntRange(1), default=_ROWS, show_default=True, help="At most so many groups.")
@json_option
def list_(settings: Settings, filters: _Filters, limit: int, *, as_json: bool) -> None:
    """Count the dead letters by reason and office, and show the newest of each, the newest first.

    A letter that lies there twice counts once. --from and --to go by the time at which the event came into the log.

    Example: attente deadletters list --from 24h --reason unknown_office
    """
    survey, unreadable = _survey(settings, filters.partitions)
    found = survey.matching(filters.wanted)
    groups = grouped(found, survey.replayed)
    if as_json:
        facts = {
            "letters": len(found),
            "groups": [_group_facts(group) for group in groups[:limit]],
            "more_groups": max(0, len(groups) - limit),
            "unreadable": unreadable[0],
        }
        click.echo(json.dumps(facts, indent=2))
        return
    _print_groups(groups[:limit])
    shown_of = f", {limit:,} of them shown; --limit shows more" if len(groups) > limit else ""
    click.echo(f"{counted(len(found), 'dead letter')} in {counted(len(groups), 'group')}{shown_of}")
    if unreadable[0]:
        click.echo(f"passed over, being no dead letter: {counted(unreadable[0], 'record')}, the last {unreadable[1]}")


@deadletters.command()
@click.argument("origin", type=OriginName())
@with_settings("broker", "topic_prefix", "data")
@json_option
def show(origin: tuple[str, int, int], settings: Settings, *, as_json: bool) -> None:
    """Show the dead letter of the event at ORIGIN whole, with the event's bytes.

    ORIGIN is topic/partition/offset, as `list` tells it, or partition/offset. Exits with 1 when there is no such
    letter: it was never refused, or the letter is older than the topic keeps.

    Example: attente deadletters show attente.events/3/4711
    """
    topic, partition, offset = origin
    name = f"{topic or settings.topic(EVENTS)}/{partition}/{offset}"
    found: list[Letter] = []
    with Mailbox(settings.broker, settings.topic(DEADLETTERS), settings.connection) as mailbox:
        if partition in mailbox.partitions:
            found = [letter for letter in mailbox.read(partition) if letter.origin == name]
    if not found:
        msg = f"{settings.broker}: no dead letter of {name}; `attente deadletters list --partition {partition}` tells"
        raise CheckFailed(f"{msg} which there are")  # noqa: EM102 - two parts
    letter = found[-1]
    sent_to = next((one.record.replayed_to for one in reversed(found) if one.record.replayed_to), "")
    facts = _letter_facts(letter) | {"replayed_to": sent_to or None, "written": len(found)}
    if as_json:
        click.echo(
            json.dumps(facts | {"key": _bytes(letter.record.key), "value": _bytes(letter.record.value)}, indent=2)
        )
        return
    for label, text in facts.items():
        if text not in {None, ""}:
            click.echo(f"{label.replace('_', ' '):12} {text}")
    click.echo(f"{'key':12} {'(none)' if letter.record.key is None else _bytes_text(letter.record.key)}")
    click.echo(f"{'value':12} {_size(letter.record)}")
    if letter.record.value:
        click.echo(_bytes_text(letter.record.value))


@deadletters.command()
@with_settings("broker", "topic_prefix", "registry", "data")
@_filters
@click.option("--limit", type=click.IntRange(1), help="At most so many events.")
@click.option("--again", is_flag=True, help="Also what was refused once more after it had been sent again.")
@click.option("--dry-run", is_flag=True, help="Send nothing; say what would be sent.")
@json_option
def replay(
    settings: Settings, filters: _Filters, limit: int | None, *, again: bool, dry_run: bool, as_json: bool
) -> None:
    """Send refused events again, key, bytes and headers as they were, and say what was done.

    No event is sent twice, however often the command is given. Left out is what would be refused again: what key or
    bytes are wrong of, what is too late and, if --registry names the workers' registry, what it has no place for. An
    event in the wrong partition goes to the right one.

    Example: attente deadletters replay --reason unknown_office --registry registry.yaml --dry-run
    """
    registry = load(settings.registry) if settings.registry else None
    events = settings.topic(EVENTS)
    order = Order(wanted=filters.wanted, partitions=filters.partitions, limit=limit, again=again, is_dry=dry_run)
    with Mailbox(settings.broker, settings.topic(DEADLETTERS), settings.connection) as mailbox:
        partitions, times = look_at(settings.broker, events, settings.connection)
        verdict = Verdict(times, registry, lambda: time.time_ns() // 1_000_000)
        if dry_run:
            report = send_again(mailbox, None, order, verdict, partitions)
        else:
            with Courier(settings.broker, events, mailbox.topic, settings.connection) as courier:
                report = send_again(mailbox, courier, order, verdict, partitions)
    if as_json:
        told = {one.name: getattr(report, one.name) for one in fields(report)}
        click.echo(json.dumps({"dry_run": dry_run, "topic": events, **told}, indent=2))
    else:
        for line in _told(report, events, dry_run=dry_run):
            click.echo(line)


def _survey(settings: Settings, partitions: frozenset[int]) -> tuple[Survey, tuple[int, str]]:
    survey = Survey()
    with Mailbox(settings.broker, settings.topic(DEADLETTERS), settings.connection) as mailbox:
        for number in mailbox.partitions:
            if not partitions or number in partitions:
                survey.add(mailbox.read(number))
        return survey, mailbox.unreadable


# ---- what is told


def _print_groups(groups: list[Group]) -> None:
    if not groups:
        return
    rows = [("letters", "sent again", "reason", "office", "newest event")]
    for group in groups:
        newest = f"{text_of(group.newest.at_ms)}  {group.newest.origin}"
        rows.append((f"{group.count:,}", f"{group.replayed:,}", group.reason, shown(group.office) or "-", newest))
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row, detail in zip(rows, ["", *(group.newest.record.detail for group in groups)], strict=True):
        cells = [
            text.rjust(width) if i < 2 else text.ljust(width)
            for i, (text, width) in enumerate(zip(row, widths, strict=True))
        ]
        click.echo("  ".join(cells).rstrip())
        if detail:
            click.echo(f"    {detail}")


def _group_facts(group: Group) -> dict[str, Any]:
    return {
        "reason": group.reason,
        "office": group.office,
        "letters": group.count,
        "sent_again": group.replayed,
        "first_event": text_of(group.first_ms),
        "newest": _letter_facts(group.newest),
    }


def _letter_facts(letter: Letter) -> dict[str, Any]:
    record = letter.record
    return {
        "origin": letter.origin,
        "reason": record.reason,
        "detail": record.detail,
        "office": letter.office,
        "source": letter.source,
        "topic": record.origin.topic,
        "partition": record.origin.partition,
        "offset": record.origin.offset,
        "time": text_of(letter.at_ms),
        "refused": text_of(letter.written_ms),
        "by_version": record.version,
        "signed_by": _signed_by(record),
    }


def _signed_by(record: DeadLetterRecord) -> str | None:
    """The id of the key that the event's signature names; whose it is, the registry says."""
    signature = signature_in(record.headers)
    return None if signature is None else shown(signature.partition(b":")[0].decode("utf-8", "backslashreplace"))


def _told(report: Report, topic: str, *, dry_run: bool) -> list[str]:
    spread = ", ".join(f"{count:,} in partition {number}" for number, count in sorted(report.partitions.items()))
    did = "would send" if dry_run else "sent"
    lines = [
        f"{counted(report.matching, 'dead letter')} match",
        f"{did} {counted(report.sent, 'event')} to {topic}{f': {spread}' if spread else ''}",
    ]
    if report.before:
        lines.append(f"left out {report.before:,}: sent again before")
    if report.replays:
        lines.append(f"left out {report.replays:,}: refused once more after being sent again; --again sends them")
    if report.hopeless:
        why = ", ".join(f"{reason} {count:,}" for reason, count in sorted(report.hopeless.items()))
        lines.append(f"left out {report.hopeless.total():,}: would be refused again ({why})")
    if report.beyond:
        lines.append(f"left out {report.beyond:,}: beyond --limit")
    if report.gone:
        lines.append(f"left out {report.gone:,}: the letters are no longer kept")
    return lines


def _bytes(raw: bytes | None) -> dict[str, str] | None:
    if raw is None:
        return None
    try:
        return {"text": raw.decode()}
    except UnicodeDecodeError:
        return {"hex": raw.hex()}


def _bytes_text(raw: bytes) -> str:
    """Bytes as a text where they are one, else as lines of hexadecimal digits."""
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        text = ""
    if text and all(c.isprintable() or c in "\n\t" for c in text):
        return text
    rows = [raw[at : at + _HEX_WIDTH] for at in range(0, len(raw), _HEX_WIDTH)]
    return "\n".join(
        f"{i * _HEX_WIDTH:08x}  {row.hex(' '):{3 * _HEX_WIDTH - 1}}  "
        + "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
        for i, row in enumerate(rows)
    )


def _size(record: DeadLetterRecord) -> str:
    return "(none)" if record.value is None else counted(len(record.value), "byte")
