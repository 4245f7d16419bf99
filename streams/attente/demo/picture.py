"""The archive that is played, as a screen and as a line."""

from typing import Final

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.progress_bar import ProgressBar
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from attente.demo.account import NormFigures
from attente.demo.instants import local_minute
from attente.demo.screen import Sight
from attente.demo.snapshot import Snapshot, WorkerState
from attente.registry.entities import Left

_BAR_WIDTH: Final = 16

_MEANINGS: Final = {
    Left.CREDITED: "who left in time counts as kept",
    Left.EXCLUDED: "who left does not count",
    Left.FAILED: "who left counts as broken",
    Left.IGNORED: "who left in time does not count",
}
_STYLES: Final = {"ready": "green", "killed": "bold red"}


def sight_of(snapshot: Snapshot) -> Sight:
    """A snapshot for any screen."""
    return Sight(render(snapshot), line(snapshot), snapshot.notes)


def line(snapshot: Snapshot) -> str:
    """How things stand, in one line."""
    figures = snapshot.figures
    totals = figures.totals
    levels = "".join(f"; within {norm.threshold_s} s: {_shares(norm)}" for norm in figures.norms)
    lag = sum(worker.lag or 0 for worker in snapshot.workers)
    age = f" (figures of {snapshot.age_s:.0f} s ago)" if snapshot.age_s else ""
    return (
        f"{local_minute(figures.stream_ms, snapshot.zone)}{age}: {snapshot.state}, "
        f"{snapshot.given:,} of {snapshot.records:,} records; "
        f"issued {totals['issued']:,}, waiting {figures.waiting:,}, served {totals['served']:,}, "
        f"abandoned {totals['abandoned']:,}{levels}; "
        f"{snapshot.rate:,.0f} events/s, lag {lag:,}, partitions shown {_shown(snapshot)} of {snapshot.partitions}"
    )


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
    now = Text.assemble(
        (local_minute(snapshot.figures.stream_ms, snapshot.zone), "bold"), (f" {snapshot.zone.key}", "dim")
    )
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
