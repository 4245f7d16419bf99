"""The demo in the terminal: one live screen, or plain lines where there is no terminal."""

import contextlib
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Final, Protocol
from zoneinfo import ZoneInfo

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.progress_bar import ProgressBar
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from attente.demo.account import NormFigures
from attente.demo.snapshot import Snapshot, WorkerState
from attente.registry.entities import Left

_LINE_EVERY_S: Final = 5.0
_BAR_WIDTH: Final = 16

_MEANINGS: Final = {
    Left.CREDITED: "who left in time counts as kept",
    Left.EXCLUDED: "who left does not count",
    Left.FAILED: "who left counts as broken",
    Left.IGNORED: "who left in time does not count",
}
_STYLES: Final = {"ready": "green", "killed": "bold red"}

Progress = Callable[[str], None]
"""Takes a new text for the stage that is under way."""


class Screen(Protocol):
    """Where the demo shows itself."""

    def stage(self, text: str) -> AbstractContextManager[Progress]:
        """Something of the start-up is under way inside the block; what it gives takes other words for it."""

    def say(self, text: str) -> None:
        """A line that stays."""

    def live(self) -> AbstractContextManager[None]:
        """Snapshots are shown inside the block."""

    def show(self, snapshot: Snapshot) -> None:
        """How things stand now."""


class TerminalScreen:
    """A live screen."""

    def __init__(self, console: Console) -> None:
        """Shows on a console that is a terminal."""
        self._console = console
        self._live: Live | None = None

    @contextlib.contextmanager
    def stage(self, text: str) -> Iterator[Progress]:
        """A spinner beside the text."""
        with self._console.status(text) as status:
            yield status.update

    def say(self, text: str) -> None:
        """A line above the live screen."""
        self._console.print(Text(text))

    @contextlib.contextmanager
    def live(self) -> Iterator[None]:
        """The last screen stays when the block ends."""
        # Each snapshot is drawn when it comes; between them four times a second for a terminal that changes its size.
        with Live(console=self._console, vertical_overflow="crop") as live:
            self._live = live
            try:
                yield
            finally:
                self._live = None

    def show(self, snapshot: Snapshot) -> None:
        """Draw it."""
        if self._live is not None:
            self._live.update(render(snapshot), refresh=True)


class PlainScreen:
    """Lines now and then."""

    def __init__(self, write: Callable[[str], None]) -> None:
        """Hands every line to a function."""
        self._write = write
        self._is_live = False
        self._told_s = float("-inf")
        self._told: tuple[str, ...] = ()

    @contextlib.contextmanager
    def stage(self, text: str) -> Iterator[Progress]:
        """A line at the beginning, and one more for the first other words."""
        self._write(text)
        said: list[str] = []

        def progress(more: str) -> None:
            if not said:
                said.append(more)
                self._write(more)

        yield progress

    def say(self, text: str) -> None:
        """One line."""
        self._write(text)

    @contextlib.contextmanager
    def live(self) -> Iterator[None]:
        """Before and after the block a snapshot is worth no line."""
        self._is_live = True
        try:
            yield
        finally:
            self._is_live = False

    def show(self, snapshot: Snapshot) -> None:
        """A line for every note, and every few seconds one about how things stand."""
        if not self._is_live:
            return
        fresh = [note for note in snapshot.notes if note not in self._told]
        for note in fresh:
            self._write(note)
        self._told = snapshot.notes
        now = time.monotonic()
        if now - self._told_s >= _LINE_EVERY_S:
            self._told_s = now
            self._write(line(snapshot))


def screen_for(console: Console) -> Screen:
    """The screen that suits where it is shown."""
    if console.is_terminal and not console.is_dumb_terminal:
        return TerminalScreen(console)
    return PlainScreen(lambda text: console.print(Text(text), soft_wrap=True))


def line(snapshot: Snapshot) -> str:
    """How things stand, in one line."""
    figures = snapshot.figures
    totals = figures.totals
    levels = "".join(f"; within {norm.threshold_s} s: {_shares(norm)}" for norm in figures.norms)
    lag = sum(worker.lag or 0 for worker in snapshot.workers)
    age = f" (figures of {snapshot.age_s:.0f} s ago)" if snapshot.age_s else ""
    return (
        f"{instant(figures.stream_ms, snapshot.zone)}{age}: {snapshot.state}, "
        f"{snapshot.given:,} of {snapshot.records:,} records; "
        f"issued {totals['issued']:,}, waiting {figures.waiting:,}, served {totals['served']:,}, "
        f"abandoned {totals['abandoned']:,}{levels}; "
        f"{snapshot.rate:,.0f} events/s, lag {lag:,}, partitions shown {_shown(snapshot)} of {snapshot.partitions}"
    )


def instant(at_ms: int | None, zone: ZoneInfo) -> str:
    """Stream time in the words of the offices' clock."""
    if at_ms is None:
        return "no time yet"
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(zone):%a %d %b %Y %H:%M}"


def render(snapshot: Snapshot) -> RenderableType:
    """The whole screen; it fits into 80 columns and, with two workers and one norm, into 24 lines."""
    parts: list[RenderableType] = [
        Rule(Text.assemble(("attente demo", "bold"), f" · {snapshot.title}"), align="left", style="dim"),
        _clock(snapshot),
        Text(),
        _tickets(snapshot),
        Text(),
        *(_levels(norm) for norm in snapshot.figures.norms),
        Text(),
        _workers(snapshot),
        Text(),
        _events(snapshot),
    ]
    parts.extend(Text(note, style="dim", overflow="ellipsis", no_wrap=True) for note in snapshot.notes)
    if snapshot.is_done:
        parts.append(Text("Ctrl-C ends the demo", style="bold"))
    parts.extend(Text(f"WRONG: {text}", style="bold red") for text in snapshot.violations)
    return Padding(Group(*parts), (0, 1))


def _clock(snapshot: Snapshot) -> RenderableType:
    grid = Table.grid(expand=True)
    grid.add_column()
    grid.add_column(justify="right")
    bar = Table.grid(padding=(0, 1))
    style = "green" if snapshot.is_done else "yellow"
    bar.add_row(
        Text(snapshot.state, style=style),
        ProgressBar(total=max(1, snapshot.records), completed=snapshot.given, width=_BAR_WIDTH),
        f"{snapshot.given / max(1, snapshot.records):4.0%}",
    )
    now = Text.assemble((instant(snapshot.figures.stream_ms, snapshot.zone), "bold"), (f" {snapshot.zone.key}", "dim"))
    grid.add_row(now, bar)
    return grid


def _tickets(snapshot: Snapshot) -> RenderableType:
    totals = snapshot.figures.totals
    table = Table.grid(expand=True)
    answered = totals["called"] - totals["no_show"]
    mean = f"{snapshot.figures.answered_wait_ms / answered / 1000:,.1f} s" if answered else "–"
    cells = {
        "issued": f"{totals['issued']:,}",
        "waiting now": f"{snapshot.figures.waiting:,}",
        "served": f"{totals['served']:,}",
        "abandoned": f"{totals['abandoned']:,}",
        "mean wait": mean,
    }
    for _ in cells:
        table.add_column(justify="center", ratio=1)
    style = "cyan" if snapshot.age_s else "bold cyan"
    table.add_row(*(Text(value, style=style) for value in cells.values()))
    table.add_row(*(Text(name, style="dim") for name in cells))
    return table


def _levels(norm: NormFigures) -> RenderableType:
    table = Table.grid(padding=(0, 2))
    table.add_column(min_width=19)
    table.add_column(justify="right")
    table.add_column()
    table.add_row(
        Text(f"within {norm.threshold_s} s", style="bold"), Text(f"{norm.target:.0%}", style="dim"), _goal(norm)
    )
    for left, level in norm.levels().items():
        is_promise = left is norm.promise
        style = "" if level is None or not is_promise else ("bold green" if level >= norm.target else "bold red")
        meaning = Text(_MEANINGS[left] + ("  ← the promise" if is_promise else ""), style="" if is_promise else "dim")
        table.add_row(left.value, Text(_percent(level), style=style), meaning)
    return table


def _goal(norm: NormFigures) -> Text:
    return Text(f"is the target: {norm.title}", style="dim")


def _workers(snapshot: Snapshot) -> RenderableType:
    table = Table(box=None, pad_edge=False, padding=(0, 1), collapse_padding=True, header_style="dim", expand=True)
    for name in ("worker", "state", "shows", "lag", "checkpoints", "metrics"):
        is_number = name in {"lag", "checkpoints"}
        table.add_column(name, justify="right" if is_number else "left", no_wrap=True)
    for worker in snapshot.workers:
        table.add_row(*_worker(worker))
    return table


def _worker(worker: WorkerState) -> tuple[RenderableType, ...]:
    return (
        worker.name,
        Text(worker.state, style=_STYLES.get(worker.state, "yellow")),
        " ".join(map(str, worker.shown)) or "–",
        _count(worker.lag),
        _count(worker.checkpoints),
        Text(f"{worker.url}/metrics" if worker.url else "–", style="dim"),
    )


def _events(snapshot: Snapshot) -> RenderableType:
    figures = snapshot.figures
    account = (
        f"{figures.read:,} events read = {figures.counted:,} counted + {figures.duplicate:,} duplicate "
        f"+ {figures.refused:,} refused"
    )
    grid = Table.grid(expand=True)
    grid.add_column()
    grid.add_column(justify="right", no_wrap=True)
    grid.add_row(_where(snapshot), Text(f"{snapshot.rate:,.0f} events/s", style="bold"))
    return Group(Text(account), grid)


def _where(snapshot: Snapshot) -> Text:
    """Where Kafka is; or why the figures are not of now."""
    shown = f"{_shown(snapshot)} of {snapshot.partitions}"
    if snapshot.age_s:
        return Text(f"figures of {snapshot.age_s:.0f} s ago, while partitions change hands: {shown} shown", "yellow")
    over, planned = snapshot.kills
    kills = f" · kills {over} of {planned}" if planned else ""
    return Text(f"Kafka {snapshot.broker} · partitions shown {shown}{kills}", style="dim")


def _shares(norm: NormFigures) -> str:
    return ", ".join(f"{left.value} {_percent(level)}" for left, level in norm.levels().items())


def _percent(level: float | None) -> str:
    return "–" if level is None else f"{level:.1%}"


def _count(number: int | None) -> str:
    return "–" if number is None else f"{number:,}"


def _shown(snapshot: Snapshot) -> int:
    return len({partition for worker in snapshot.workers for partition in worker.shown})
