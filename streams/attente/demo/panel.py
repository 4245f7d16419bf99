"""The live network in a terminal of any size from 80 × 24 on: every line is cut to the width, none is wrapped.

Colour only repeats what a sign or a word says: ✓ kept, ✗ missed, ◆ promised. Cyan and yellow are told apart by nearly
everybody.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final
from zoneinfo import ZoneInfo

from rich.cells import set_cell_size
from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from attente.demo.account import Account
from attente.demo.board import Order, Row, Totals
from attente.demo.conflicts import percent
from attente.demo.instants import local_second
from attente.demo.offices import Promise
from attente.demo.snapshot import WorkerState
from attente.registry.entities import Left, Per

WIDE: Final = 110
"""From this width on there is room for regions, bars, the three clocks, and the numbers behind a mark."""

TALL: Final = 32
"""From this height on there is room for the legend and for more than one note."""

_KEPT: Final = "cyan"
_MISSED: Final = "bold yellow"
_WRONG: Final = "bold reverse"
_DIM: Final = "dim"
_NAME: Final = 15
_REGION: Final = 8
_BAR: Final = 6
_CLOCKS: Final = (Per.LEG, Per.VISIT)
"""The clocks that a row has room for; on the first leg both agree."""
_FEWEST_ROWS: Final = 3
_NAMES: Final = {Left.CREDITED: "SL1", Left.EXCLUDED: "SL2", Left.FAILED: "SL3", Left.IGNORED: "SL4"}
_LEGEND: Final = "◆ promised ✓ kept ✗ missed  SL2 leaves out who left, SL3 counts them as missed"
_LONG_LEGEND: Final = (
    "◆ promised ✓ kept ✗ missed · who left: SL1 kept if in time, SL2 not counted, SL3 missed, SL4 counted if too late"
)
_KEYS: Final = "+ worker  k kill -9  s sort  n norm  ↑↓ scroll  q quit"
_LONG_KEYS: Final = "+ starts a worker   k kills one (kill -9)   s sorts   n next norm   ↑↓ PgUp PgDn scroll   q quits"

Span = tuple[str, str]


@dataclass(frozen=True, slots=True)
class LiveSnapshot:
    """How the network stands.

    Attributes:
        title: what is shown.
        state: what the demo is doing, in a few words.
        clock_ms: the newest now of an office; None before the first.
        zone: whose clock that is told by.
        promise: the norm that is looked at; None before the first page.
        norms: which one it is, and how many there are.
        order: what the rows are sorted by.
        rows: all offices.
        first: the row at the top of the list.
        totals: all offices together.
        workers: by name, killed ones as long as their partitions are missed.
        account: of all events, when all partitions were shown last.
        age_s: how long ago that was, in seconds; 0 is now.
        rate: events that all workers read in a second, lately.
        shown, partitions: how many partitions are shown, of how many.
        rounds: how often all pages were looked at.
        links: what can be opened, by its name.
        notes: what has happened lately, the newest last.
        violations: what must not have happened.
        has_keys: whether keys are listened to.
    """

    title: str
    state: str
    clock_ms: int | None
    zone: ZoneInfo
    promise: Promise | None
    norms: tuple[int, int]
    order: Order
    rows: tuple[Row, ...]
    first: int
    totals: Totals
    workers: tuple[WorkerState, ...]
    account: Account
    age_s: float
    rate: float
    shown: int
    partitions: int
    rounds: int
    links: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    violations: tuple[str, ...] = ()
    has_keys: bool = True


class Panel:
    """A snapshot as something that rich draws, as large as the terminal is then."""

    def __init__(self, snapshot: LiveSnapshot) -> None:
        """Draws nothing yet."""
        self._snapshot = snapshot

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Lines of exactly the width, as many as the terminal has."""
        yield from lines_of(self._snapshot, options.max_width, options.height or console.height)


def room(height: int, workers: int, violations: int = 0) -> int:
    """How many offices a terminal of some lines shows."""
    more = 1 if height >= TALL else 0
    around = 3 + 2 + 1 + 1 + _worker_lines(height, workers) + 2 + _note_lines(height, violations) + 1
    return max(_FEWEST_ROWS, height - around - 2 * more)


def lines_of(snapshot: LiveSnapshot, width: int, height: int) -> Iterator[Text]:
    """The whole screen."""
    blank = [_line(width)] if height >= TALL else []
    rows = room(height, len(snapshot.workers), len(snapshot.violations))
    first = min(snapshot.first, max(0, len(snapshot.rows) - rows))
    shown = snapshot.rows[first : first + rows]
    yield from _head(snapshot, width)
    yield from blank
    yield from _table(snapshot, shown, width)
    for _ in range(rows - len(shown)):
        yield _line(width)
    yield _line(width, (f" {_LONG_LEGEND if width >= WIDE + 10 else _LEGEND}", _DIM))
    yield from blank
    yield from _workers(snapshot, width, height)
    yield _account(snapshot, width)
    yield _where(snapshot, width)
    yield from _notes(snapshot, width, _note_lines(height, len(snapshot.violations)))
    yield _keys(snapshot, first, len(shown), width)


# ---- the parts


def _head(snapshot: LiveSnapshot, width: int) -> Iterator[Text]:
    totals, promise = snapshot.totals, snapshot.promise
    yield _ends(
        width,
        [(" attente demo", "bold"), (f" · {snapshot.title}", "")],
        [(local_second(snapshot.clock_ms, snapshot.zone), "bold"), (f" {snapshot.state} ", _KEPT)],
    )
    count = totals.tickets.get
    yield _line(
        width,
        (f" today: issued {count('issued', 0):,}", ""),
        (f" · served {count('served', 0):,} · left {count('abandoned', 0):,} · no-show {count('no_show', 0):,}", ""),
        (f" · turned away {count('turned_away', 0):,}", ""),
    )
    if promise is None:
        yield _line(width, (" no figures yet", _DIM))
        return
    number, norms = snapshot.norms
    which = f" ({number} of {norms})" if norms > 1 else ""
    what = f"{percent(promise.target)} in {_threshold(promise.threshold_s)} {_PER[promise.per]}"
    title = f" · {promise.title}" if width >= WIDE else ""
    clocks = [span for per in Per for span in _clock(per, totals.by_clock.get(per), promise)]
    yield _ends(width, [(f" {promise.norm}", "bold"), (f"{which}: {what}{title}", "")], [(" ", ""), *clocks])


_PER: Final = {Per.LEG: "per leg", Per.FIRST: "first leg", Per.VISIT: "per visit"}


def _clock(per: Per, level: Fraction | None, promise: Promise) -> list[Span]:
    mark = "◆" if per is promise.per else ""
    return [(f"{mark}{per.value} ", "bold" if mark else ""), _level(level, promise, 4), (" ", "")]


def _table(snapshot: LiveSnapshot, rows: Sequence[Row], width: int) -> Iterator[Text]:
    promise = snapshot.promise
    is_wide = width >= WIDE
    beyond = f">{_threshold(promise.threshold_s)}" if promise else "late"
    heads = ["".join(("◆" if promise and left is promise.left else "", name)) for left, name in _NAMES.items()]
    yield _line(
        width,
        (f" {set_cell_size('office', _office_width(is_wide=is_wide))}", "bold"),
        (f"wait {beyond:>5} longest desks ", "bold"),
        ("".join(f"{head:>5}" for head in heads), "bold"),
        (f" {_clock_heads(promise)}" if is_wide else "", "bold"),
        ("  reads better by", "bold"),
    )
    totals = snapshot.totals
    yield _line(
        width,
        (f" {set_cell_size(f'all {totals.offices} offices', _office_width(is_wide=is_wide))}", "bold"),
        *_queue(totals.waiting, totals.beyond, totals.longest_ms, totals.desks),
        *(_level(totals.levels.get(left), promise, 5) for left in Left),
        *((_level(totals.by_clock.get(per), promise, 6) for per in _CLOCKS) if is_wide else ()),
        (f"  {sum(bool(row.conflicts) for row in snapshot.rows)} of them", ""),
    )
    most = max((row.figures.waiting for row in snapshot.rows), default=0)
    for row in rows:
        yield _row(row, promise, width, most)


def _clock_heads(promise: Promise | None) -> str:
    names = [f"{'◆' if promise and per is promise.per else ''}{per.value}" for per in _CLOCKS]
    return "".join(f"{name:>6}" for name in names).removeprefix(" ")


def _office_width(*, is_wide: bool) -> int:
    return _NAME + 1 + (_REGION + 1 + _BAR + 1 if is_wide else 0)


def _row(row: Row, promise: Promise | None, width: int, most: int) -> Text:
    figures = row.figures
    is_wide = width >= WIDE
    name = _cut(figures.name, _NAME)
    more = f" {_cut(figures.region, _REGION)} " if is_wide else " "
    bar = (f"{_bar(figures.waiting, row.beyond, most)} ", "") if is_wide else ("", "")
    if figures.as_of_ms is None:
        return _line(width, (f" {name}{more}", _DIM), ("  nothing of it yet", _DIM))
    line: list[Span] = [
        (f" {name}", "" if figures.is_open else _DIM),
        (more, _DIM),
        bar,
        *_queue(figures.waiting, row.beyond, figures.longest_ms, figures.desks),
        *(_level(row.levels[left], promise, 5) for left in Left),
        *((_level(row.by_clock[per], promise, 6) for per in _CLOCKS) if is_wide else ()),
        ("  ", ""),
    ]
    space = width - sum(len(text) for text, _ in line)
    return _line(width, *line, *_mark(row, space), style=_DIM if row.age_s else "")


def _queue(waiting: int, beyond: int, longest_ms: int | None, desks: int) -> list[Span]:
    return [
        (f"{waiting:>4} ", ""),
        (f"{beyond or '·':>5}", _MISSED if beyond else _DIM),
        (f" {minutes(longest_ms):>7} {desks:>5} ", ""),
    ]


def _bar(waiting: int, beyond: int, most: int) -> str:
    """Who waits as a bar, who waits beyond the norm as its solid part."""
    whole = -(-waiting * _BAR // most) if most else 0
    solid = -(-beyond * _BAR // most) if most else 0
    return f"{'█' * solid}{'░' * (whole - solid)}".ljust(_BAR)


def _mark(row: Row, space: int) -> list[Span]:
    """Why an office reads better than it is, in as many words as there is space for."""
    if row.age_s:
        return [(f"seen {row.age_s:.0f} s ago", "")]
    if not row.conflicts:
        return [("" if row.figures.is_open else "closed", _DIM)]
    labels = [one.label for one in row.conflicts]
    more = f" +{len(labels) - 1}" if len(labels) > 1 else ""
    told = ("; ".join(f"{one.label}: {one.short}" for one in row.conflicts), ", ".join(labels), f"{labels[0]}{more}")
    return [(next((text for text in told if len(text) <= space), told[-1]), "bold")]


def _workers(snapshot: LiveSnapshot, width: int, height: int) -> Iterator[Text]:
    yield _line(width, (" who  state       partitions        lag  ev/s  page", "bold"))
    room_for = _worker_lines(height, len(snapshot.workers))
    listed = snapshot.workers if len(snapshot.workers) <= room_for else snapshot.workers[: room_for - 1]
    for worker in listed:
        shown = _cut(" ".join(map(str, worker.shown)) or "–", 15)
        rate = "–" if worker.rate is None else f"{worker.rate:,.0f}"
        lag = "–" if worker.lag is None else f"{worker.lag:,}"
        yield _line(
            width,
            (f" {_cut(worker.name, 4)} ", ""),
            (f"{_cut(worker.state, 11)} ", _KEPT if worker.state == "ready" else _MISSED),
            (f"{shown} {lag:>5} {rate:>5}  ", ""),
            (f"{worker.url}/metrics" if worker.url else "–", ""),
        )
    rest = snapshot.workers[len(listed) :]
    if rest:
        lag_of_rest = sum(worker.lag or 0 for worker in rest)
        ready = sum(worker.state == "ready" for worker in rest)
        yield _line(width, (f" and {len(rest)} more, {ready} of them ready, lag {lag_of_rest:,}", ""))


def _account(snapshot: LiveSnapshot, width: int) -> Text:
    account = snapshot.account
    sign = "✓" if account.is_balanced else "≠ WRONG"
    equation = (
        f" read {account.read:,} = counted {account.counted:,} + duplicate {account.duplicate:,} "
        f"+ refused {account.refused:,} {sign}"
    )
    looks = "WRONG" if snapshot.violations else "no counter fell"
    watched = f"{snapshot.rounds:,} looks: {looks} " if width >= WIDE else f"{looks} "
    style = _WRONG if snapshot.violations or not account.is_balanced else ""
    return _ends(width, [(equation, style)], [(watched, style)])


def _where(snapshot: LiveSnapshot, width: int) -> Text:
    rate = f"{snapshot.rate:,.0f} events/s "
    if snapshot.age_s:
        shown = f"{snapshot.shown} of {snapshot.partitions} shown"
        text = f" … partitions change hands, {shown}; what is not is of {snapshot.age_s:.0f} s ago"
        return _ends(width, [(text, _MISSED)], [(rate, "")])
    links = " · ".join(f"{name} {address}" for name, address in snapshot.links)
    return _ends(width, [(f" {links}", "")], [(rate, "")])


def _notes(snapshot: LiveSnapshot, width: int, lines: int) -> Iterator[Text]:
    told = [(f" WRONG: {text}", _WRONG) for text in snapshot.violations[-lines:]]
    notes = [(f" {text}", _DIM) for text in snapshot.notes]
    told = (notes + told)[-lines:]
    yield from (_line(width, one) for one in told)
    yield from (_line(width) for _ in range(lines - len(told)))


def _keys(snapshot: LiveSnapshot, first: int, shown: int, width: int) -> Text:
    keys = (_LONG_KEYS if width >= WIDE + 10 else _KEYS) if snapshot.has_keys else "Ctrl-C ends the demo"
    where = f"{first + 1}–{first + shown}/{len(snapshot.rows)} by {snapshot.order.value} "
    return _ends(width, [(f" {keys}", "bold")], [(where, _DIM)])


# ---- their pieces


def minutes(duration_ms: int | None) -> str:
    """Minutes and seconds; a dash for nobody."""
    if duration_ms is None:
        return "–"
    return f"{duration_ms // 60_000}:{duration_ms // 1_000 % 60:02}"


def _level(level: Fraction | None, promise: Promise | None, width: int) -> Span:
    if level is None or promise is None:
        return f"{'–':>{width}}", _DIM
    is_kept = level >= promise.target
    return f"{percent(level)[:-1] + ('✓' if is_kept else '✗'):>{width}}", _KEPT if is_kept else _MISSED


def _threshold(seconds: int) -> str:
    return f"{seconds // 60}m" if seconds % 60 == 0 else f"{seconds}s"


def _worker_lines(height: int, workers: int) -> int:
    return min(workers, max(2, height // 8))


def _note_lines(height: int, violations: int) -> int:
    return (3 if height >= TALL else 1) + min(violations, 2)


def _cut(text: str, width: int) -> str:
    """Text of exactly some cells; what is cut away is said to be."""
    return set_cell_size(text, width) if len(text) <= width else f"{set_cell_size(text, width - 1)}…"


def _line(width: int, *spans: Span, style: str = "") -> Text:
    """One line, cut to the width."""
    line = Text.assemble(*spans, style=style, no_wrap=True, overflow="ellipsis")
    line.truncate(width, overflow="ellipsis", pad=True)
    return line


def _ends(width: int, left: Sequence[Span], right: Sequence[Span]) -> Text:
    """One line whose right part stands at the end; the left one is cut where both do not fit."""
    end = Text.assemble(*right, no_wrap=True)
    line = Text.assemble(*left, no_wrap=True)
    line.truncate(max(0, width - end.cell_len), overflow="ellipsis", pad=True)
    line.append_text(end)
    line.truncate(width, overflow="crop")
    return line
