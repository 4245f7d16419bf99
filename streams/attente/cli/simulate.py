"""`attente simulate`: a network from a seed, as the events that its offices would send."""

import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import IO, Any, Final

import click
import msgspec
from rich.console import Console

from attente.cli.import_ import Duration
from attente.cli.options import Zone, json_option, with_settings
from attente.cli.signals import stop_by_signal
from attente.errors import Missing
from attente.model.topics import EVENTS
from attente.registry.keyring import load_keys
from attente.settings import Settings
from attente.sources.files import whole
from attente.sources.simulate.crew import collecting_less, cores
from attente.sources.simulate.gaming import TRICKS, Gaming
from attente.sources.simulate.live import Live
from attente.sources.simulate.network import Network, Shares, mid_morning_zone
from attente.sources.simulate.pool import Pool
from attente.sources.simulate.registry_text import registry_text
from attente.sources.simulate.sending import SendSettings, send
from attente.sources.simulate.stream import Delivery
from attente.sources.simulate.truth import OfficeTruth, truth_of
from attente.wording import counted

_STDOUT: Final = Path("-")
_ZONE: Final = "Europe/Paris"
_FEW_OFFICES: Final = 50  # a process takes longer to start than these take to be simulated
_INTERRUPTED: Final = 130


class Day(click.ParamType):
    """A date, as `date.toordinal`."""

    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Text to a day."""
        try:
            return value if isinstance(value, int) else date.fromisoformat(value).toordinal()
        except ValueError:
            self.fail(f"{value!r} is no date; write it like 2026-11-23", param, ctx)


class Tricks(click.ParamType):
    """Which tricks offices use, and whether everywhere."""

    name = "tricks"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[tuple[Gaming, ...], bool]:
        """Text to the tricks, and whether they are the rule."""
        if isinstance(value, tuple):
            return value
        if value in {"few", "all", "none"}:
            return () if value == "none" else TRICKS, value == "all"
        named = value.split(",")
        unknown = [name for name in named if name not in set(TRICKS)]
        if unknown:
            self.fail(f"{unknown[0]!r} is no trick; write few, all, none, or some of {','.join(TRICKS)}", param, ctx)
        return tuple(Gaming(name) for name in named), False


_SHARE: Final = click.FloatRange(0, 1)


def _shaping(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options that shape the network."""
    defaults = Shares()
    options = (
        click.option("--offices", type=click.IntRange(1, 9_999), default=40, help="How many.", show_default=True),
        click.option("--services", type=click.IntRange(1, 100), default=6, help="How many.", show_default=True),
        click.option("--regions", type=click.IntRange(1, 100), default=4, help="How many.", show_default=True),
        click.option("--seed", type=int, default=0, help="What everything follows from.", show_default=True),
        click.option(
            "--visitors-per-office",
            "visitors",
            type=click.FloatRange(1, 1e6),
            default=208.0,
            help="In a day, on average over small and large ones.",
            show_default=True,
        ),
        click.option(
            "--zone",
            type=Zone(),
            metavar="ZONE",
            help=f"Of all offices.  [default: {_ZONE}; with --live one in which it is ten in the morning]",
        ),
        click.option(
            "--gaming",
            type=Tricks(),
            default="few",
            metavar="few|all|none|TRICK,…",
            show_default=True,
            help=f"Which offices make the norm look met, and how: {', '.join(TRICKS)}.",
        ),
        click.option("--gaming-from", type=Day(), metavar="DATE", help="They begin on this day.  [default: always]"),
        click.option(
            "--late",
            type=_SHARE,
            default=defaults.late,
            show_default=True,
            help="Share of the kiosks that lose their line in a day, and send what they kept when it is back.",
        ),
        click.option(
            "--duplicates",
            type=_SHARE,
            default=defaults.duplicates,
            show_default=True,
            help="Share of the events that are delivered twice.",
        ),
        click.option(
            "--drift",
            type=_SHARE,
            default=defaults.drift,
            show_default=True,
            help="Share of the kiosks whose clock is off, by up to 3 s.",
        ),
    )
    for option in reversed(options):
        function = option(function)
    return function


_EXAMPLES: Final = """\b
Examples:
  attente simulate --day 2026-11-23 --registry-out registry.yaml -o day.ndjson
  attente simulate --day 2026-11-23 --to-kafka   # topics of `topics apply --archive`
  attente simulate --live --to-kafka             # topics of `topics apply`
  attente simulate --live --to-kafka --offices 2000 --rate 10000 --for 10m
"""


@click.command("simulate", epilog=_EXAMPLES)
@click.option("--day", type=Day(), metavar="DATE", help="A past day, as fast as possible.")
@click.option("--days", type=click.IntRange(1, 400), metavar="NUMBER", help="So many days from --day on.  [default: 1]")
@click.option("--live", is_flag=True, help="Today: the day so far at once, then in real time, until Ctrl-C.")
@click.option("--for", "for_ms", type=Duration(), help="With --live: end after so long.")
@click.option(
    "--rate",
    type=click.FloatRange(1, 1e6),
    metavar="NUMBER",
    help="With --live: as many visitors as make so many events a second; a test of load.",
)
@_shaping
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Where the events go.  [default: standard output]")
@click.option("--to-kafka", is_flag=True, help="Send them to Kafka instead.")
@with_settings("broker", "topic_prefix", "data", "keys_file")
@click.option("--processes", type=click.IntRange(1, 64), help="How many compute.  [default: by cores and offices]")
@click.option(
    "--registry-out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the network's registry.",
)
@click.option(
    "--truth",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write what happened, as JSON: by office its trick, by service its counts.",
)
@json_option
def simulate(settings: Settings, **options: Any) -> int:
    """Simulate a network of offices that does not exist, as the events that it would send, one JSON object a line.

    The same options give the same events, byte for byte, in the order in which a broker would see them: kiosks lose
    their line and come back, events come twice, clocks are off. Some offices make their norm look met.
    """
    _check(options)
    network = _network(options)
    if options["registry_out"] is not None:
        with whole(options["registry_out"]) as stream:
            stream.write(registry_text(network).encode())
    with stop_by_signal() as stop, collecting_less():
        summary, truths = (_sent if options["to_kafka"] else _written)(network, settings, options, stop)
    if options["truth"] is not None and not summary.stopped:
        with whole(options["truth"]) as stream:
            stream.write(truth_of(truths) + b"\n")
    # Beside the events there is no room for anything else on the standard output.
    click.echo(msgspec.json.encode(summary) if options["as_json"] else _said(summary), err=_out(options) == _STDOUT)
    return _INTERRUPTED if summary.stopped else 0


class Summary(msgspec.Struct):
    """What the command did."""

    network: str
    offices: int
    events: int
    seconds: float
    stopped: bool
    duplicates: int | None = None
    late: int | None = None
    partitions: dict[int, int] | None = None


def _out(options: dict[str, Any]) -> Path | None:
    """Where the events are written; None when they go to Kafka."""
    return None if options["to_kafka"] else options["out"] or _STDOUT


def _check(options: dict[str, Any]) -> None:
    """Refuse what makes no sense together.

    Raises:
        click.UsageError: it does not.
    """
    live = options["live"]
    wrong = {
        "name a past day, as in --day 2026-11-23, or use --live": options["day"] is None and not live,
        "--live is today; leave --day out": options["day"] is not None and live,
        "--days goes with --day": options["days"] is not None and live,
        "--for goes with --live": options["for_ms"] is not None and not live,
        "--rate goes with --live: a past day goes as fast as it can": options["rate"] is not None and not live,
        "--truth goes with --day: what is live has no end": options["truth"] is not None and live,
        "--to-kafka writes no file; leave --out out": options["to_kafka"] and options["out"] is not None,
    }
    for message, is_so in wrong.items():
        if is_so:
            raise click.UsageError(message)
    if not live and (last := options["day"] + (options["days"] or 1) - 1) >= (
        today := datetime.now(UTC).date().toordinal()
    ):
        msg = f"{date.fromordinal(last)} is not over; the last day can be {date.fromordinal(today - 1)}, or use --live"
        raise click.UsageError(msg)


def _network(options: dict[str, Any]) -> Network:
    now_ms = time.time_ns() // 1_000_000
    kinds, everywhere = options["gaming"]
    network = Network.generate(
        options["seed"],
        options["offices"],
        options["services"],
        regions=options["regions"],
        zone=options["zone"] or (mid_morning_zone(now_ms) if options["live"] else _ZONE),
        gaming=kinds,
        everywhere=everywhere,
        gaming_from=options["gaming_from"] or 0,
        visitors=options["visitors"],
        shares=Shares(options["late"], options["duplicates"], options["drift"]),
    )
    return network if options["rate"] is None else network.under_load(options["rate"], now_ms)


def _days(options: dict[str, Any]) -> range:
    return range(0) if options["live"] else range(options["day"], options["day"] + (options["days"] or 1))


def _seconds(options: dict[str, Any]) -> float | None:
    return None if options["for_ms"] is None else options["for_ms"] / 1000


def _sent(
    network: Network, settings: Settings, options: dict[str, Any], stop: threading.Event
) -> tuple[Summary, list[OfficeTruth]]:
    asked = SendSettings(
        broker=settings.broker,
        security=settings.connection,
        topic=settings.topic(EVENTS),
        days=_days(options),
        seconds=_seconds(options),
        processes=options["processes"] or cores(),
        keys=load_keys(settings.keys_file) if settings.keys_file else (),
    )
    with _status() as told:
        report = send(network, asked, told, stop)
    summary = Summary(
        network.name, len(network.offices), report.sent, report.seconds, report.stopped, partitions=report.partitions
    )
    return summary, report.truths


def _written(
    network: Network, _settings: Settings, options: dict[str, Any], stop: threading.Event
) -> tuple[Summary, list[OfficeTruth]]:
    began = time.monotonic()
    count = 0
    pool = live = None
    if options["live"]:
        live = Live(network)
        slices = live.slices(stop, _seconds(options))
    else:
        by_size = 1 if len(network.offices) < _FEW_OFFICES else cores()
        pool = Pool(network, _days(options), options["processes"] or by_size)
        slices = pool.slices()
    with _stream(_out(options) or _STDOUT) as stream, _status() as told:
        for deliveries in slices:
            if live is None and stop.is_set():
                raise KeyboardInterrupt  # a day that is not whole is no day
            stream.write(_lines(deliveries))
            if live is not None:
                stream.flush()
            count += len(deliveries)
            told(count)
    truths = pool.truths if pool is not None else live.runs.truths if live is not None else []
    summary = Summary(network.name, len(network.offices), count, time.monotonic() - began, stop.is_set())
    summary.duplicates = sum(truth.duplicates for truth in truths)
    summary.late = sum(truth.late for truth in truths)
    return summary, truths


def _lines(deliveries: list[Delivery]) -> bytes:
    return b"".join([delivery.value + b"\n" for delivery in deliveries])


@contextlib.contextmanager
def _stream(out: Path) -> Iterator[IO[bytes]]:
    if out != _STDOUT:
        with whole(out) as stream:
            yield stream
        return
    try:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # or Python would try once more at its end, and complain
        msg = f"standard output: cannot be written: {error.strerror or error}; check where it goes, and its space"
        raise Missing(msg) from error


@contextlib.contextmanager
def _status() -> Iterator[Callable[[int], None]]:
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _: None
        return
    with console.status("simulating") as status:
        yield lambda count: status.update(f"simulating: {count:,} events")


def _said(summary: Summary) -> str:
    rate = f", {summary.events / summary.seconds:,.0f} a second" if summary.seconds >= 1 else ""
    lines = [
        f"{counted(summary.events, 'event')} of {counted(summary.offices, 'office')} in {summary.seconds:.1f} s{rate}"
    ]
    if summary.duplicates is not None:
        lines.append(f"{summary.duplicates:,} of them twice, {summary.late:,} late")
    if summary.partitions:
        lines.append("by partition: " + ", ".join(f"{where}: {n:,}" for where, n in summary.partitions.items()))
    if summary.stopped:
        lines.append("stopped")
    return "\n".join(lines)
