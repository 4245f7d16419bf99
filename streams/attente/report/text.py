"""A report on a terminal, or as plain text: readable within 100 columns."""

from collections.abc import Iterator
from enum import StrEnum
from itertools import groupby
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from attente.model.instants import text_of
from attente.registry.entities import Left, Norm, Per, Registry
from attente.report.bins import cut, edges_for
from attente.report.document import DEFINITIONS, PROGRAM, Report
from attente.report.explain import Case, answered_of, left_of
from attente.report.figures import By, Figures, Kept
from attente.report.numbers import NONE, clock, hours, percent, rounded, share, size, stretch
from attente.report.source import Origin
from attente.report.versions import label, name_of, span
from attente.report.words import MEANINGS, SHORT, promise
from attente.wording import counted

_BAR: Final = 40
_MOST_LINES: Final = 60  # rows of the finest detail that is shown unasked
_NAMED: Final = 6
_BLOCKS: Final = " ▏▎▍▌▋▊▉█"


_HEADS: Final = {
    Left.CREDITED: ("credited", "if within"),
    Left.EXCLUDED: ("excluded",),
    Left.FAILED: ("failed",),
    Left.IGNORED: ("ignored", "if within"),
}


_COUNTED: Final = {Per.LEG: "waits", Per.FIRST: "first waits", Per.VISIT: "visits"}


class Detail(StrEnum):
    """How fine the rows are."""

    TOTAL = "total"
    OFFICE = "office"
    SERVICE = "service"


def render(report: Report, detail: Detail | None, *, plot: bool) -> RenderableType:
    """All of a report.

    Args:
        report: what to show.
        detail: how fine the rows are; None takes the finest that is readable.
        plot: whether the distribution of waits is drawn.
    """
    fine = detail or _readable(report)
    parts: list[RenderableType] = [
        _title(report),
        "",
        Text("Visitors", "bold"),
        _volumes(report, fine),
        "",
        Text("Waits from the ticket, or from entering the queue, to the call; m:ss", "bold"),
        _waits(report, fine),
    ]
    norms = list(_norms(report, fine))
    if norms:
        parts += ["", *norms]
    if plot and report.table.waits:
        parts += ["", Text("How long they waited", "bold"), _plot(report)]
    parts += [
        "",
        Text("Data quality", "bold"),
        _quality(report),
        "",
        _colophon(report.origin, report.registry, report.registry_from),
    ]
    if fine is not Detail.SERVICE and detail is None:
        parts.append(Text("rows are left out to be readable; --detail service shows all, --json and --csv too", "dim"))
    return Group(*parts)


def _readable(report: Report) -> Detail:
    table = report.table
    if len(table.rows) + len(table.offices) <= _MOST_LINES:
        return Detail.SERVICE
    return Detail.OFFICE if len(table.offices) <= _MOST_LINES else Detail.TOTAL


def _title(report: Report) -> Text:
    days = report.days
    when = NONE if not days else days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}, {len(days)} business days"
    title = Text.assemble((report.registry.network, "bold"), f"  {when}")
    if report.selection.words:
        title.append(f"\nonly {report.selection.words}", "yellow")
    return title


# ---- rows


def _rows(report: Report, detail: Detail) -> Iterator[tuple[list[Figures], bool]]:
    """Blocks of rows that belong together, and whether each is totals."""
    table = report.table
    if detail is Detail.SERVICE:
        totals = {(row.office, row.day): row for row in table.offices}
        for (office, day), some in groupby(table.rows, key=lambda row: (row.office, row.day)):
            rows = list(some)
            yield rows, False
            # The only service of an office is the office; the block of a single office is followed by the same totals.
            if len(rows) > 1 and len(table.offices) > 1:
                yield [totals[office, day]], True
    elif detail is Detail.OFFICE:
        yield list(table.offices), False
    if report.by is By.DAY and (detail is not Detail.SERVICE or len({row.office for row in table.offices}) > 1):
        yield list(table.days), True
    yield [table.total], True


def _table(report: Report) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    # Names alone give way where there is not enough room: they have no spaces to be wrapped at, and are cut.
    table.add_column("office", overflow="ellipsis", max_width=24)
    table.add_column("service", overflow="ellipsis", max_width=24)
    if report.by is By.DAY:
        table.add_column("day", no_wrap=True)
    return table


def _fill(table: Table, report: Report, detail: Detail, cells: "Cells") -> Table:
    for rows, is_total in _rows(report, detail):
        for row in rows:
            names = [row.office or "all", row.service or ("all" if row.office or is_total else "")]
            days = [row.day or "all"] if report.by is By.DAY else []
            style = "bold" if is_total else ""
            table.add_row(*(Text(name) for name in (*names, *days)), *cells(row), style=style)
    return table


class Cells:
    """What a table shows of a row."""

    def __init__(self, *names: str) -> None:
        self._names = names

    def __call__(self, row: Figures) -> list[str]:
        """The cells of a row."""
        return [_cell(row, name) for name in self._names]


def _cell(row: Figures, name: str) -> str:
    waits = row.waits
    if name.startswith("p") and name[1:].isdigit():
        return clock(waits.percentiles_s.get(int(name[1:])))
    if name == "mean":
        return clock(rounded(waits.mean_s))
    if name == "max":
        return clock(waits.max_s)
    if name == "open_desk_ms":
        return "" if row.open_desk_ms is None else hours(row.open_desk_ms)
    if name == "demand_met":
        return share(row.demand_met)
    count = row.transferred + row.requeued if name == "moved" else getattr(row, name)
    return f"{count:,}" if count else "·"


def _volumes(report: Report, detail: Detail) -> Table:
    heads = {"issued": "issued", "served": "served", "abandoned": "aband.", "no_show": "no-sh."}
    if report.by is By.FILE:  # the column of days takes their room
        heads |= {"closed": "closed", "moved": "moved"}
    heads["turned_away"] = "turned"
    if report.by is By.FILE:
        heads["waiting"] = "waiting"
    heads["demand_met"] = "met"
    table = _table(report)
    for head in heads.values():
        table.add_column(head, justify="right", no_wrap=True)
    return _fill(table, report, detail, Cells(*heads))


def _waits(report: Report, detail: Detail) -> Table:
    table = _table(report)
    for head in ("called", "p50", "p90", "p95", "max", "mean", "desk h"):
        table.add_column(head, justify="right", no_wrap=True)
    return _fill(table, report, detail, Cells("called", "p50", "p90", "p95", "max", "mean", "open_desk_ms"))


# ---- norms


def _norms(report: Report, detail: Detail) -> Iterator[RenderableType]:
    for kept in report.table.total.kept:
        yield _headline(report.registry, kept)
        yield _norm(kept)
        if kept.waiting_beyond:
            yield Text(f"{kept.waiting_beyond:,} wait beyond the threshold at the end of the file", "dim")
        if detail is not Detail.TOTAL and len(report.table.offices) + len(report.table.rows) > 2:
            yield _promises(report, kept.norm, detail)
        yield ""


def _headline(registry: Registry, kept: Kept) -> Text:
    norm = kept.norm
    return Text.assemble((label(registry, norm), "bold"), f"  {norm.title}: {promise(norm)}; ", _verdict(kept))


def _norm(kept: Kept) -> Table:
    norm = kept.norm
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("per", no_wrap=True)
    for head in ("answered", "within", "left", "within"):
        table.add_column(head, justify="right", no_wrap=True)
    for left in Left:
        table.add_column("\n".join((SHORT[left], *_HEADS[left])), justify="right", no_wrap=True)
    for per in Per:
        counts = kept.counts[per]
        numbers = (answered_of(counts), counts.answered_within, left_of(counts), counts.left_within)
        levels = []
        for left in Left:
            is_promise = (per, left) == (norm.clock.per, norm.left)
            text = share(kept.level(per, left), 2)
            levels.append(Text(f"▶ {text}" if is_promise else text, "bold" if is_promise else ""))
        table.add_row(per.value, *(f"{n:,}" for n in numbers), *levels)
    return table


def _verdict(kept: Kept) -> tuple[str, str]:
    if kept.is_met is None:
        return "nobody was counted", "dim"
    level = share(kept.promise, 2)
    level = level.replace(" ", "\N{NO-BREAK SPACE}")
    return (f"{level}, kept", "green") if kept.is_met else (f"{level}, not kept", "bold red")


def _promises(report: Report, norm: Norm, detail: Detail) -> Table:
    table = _table(report)
    for head in (f"{_COUNTED[norm.clock.per]} answered", "left", f"▶ {SHORT[norm.left]}", ""):
        table.add_column(head, justify="right", no_wrap=True)
    for rows, is_total in _rows(report, detail):
        for row in rows:
            found = [kept for kept in row.kept if name_of(kept.norm) == name_of(norm)]
            if not found or (found[0].is_met is None and not is_total):
                continue
            counts = found[0].counts[norm.clock.per]
            verdict = {None: Text(NONE, "dim"), True: Text("kept", "green"), False: Text("not kept", "red")}
            days = [Text(row.day or "all")] if report.by is By.DAY else []
            table.add_row(
                Text(row.office or "all"),
                Text(row.service or "all"),
                *days,
                f"{answered_of(counts):,}",
                f"{left_of(counts):,}",
                share(found[0].promise, 2),
                verdict[found[0].is_met],
                style="bold" if is_total else "",
            )
    return table


# ---- the distribution


def _plot(report: Report) -> RenderableType:
    waits = report.table.waits
    norms: dict[int, list[str]] = {}
    for norm in report.registry.definitions():
        norms.setdefault(norm.threshold_s, []).append(label(report.registry, norm))
    found = cut(waits, edges_for(norms, waits))
    most = max(one.number for one in found)
    whole = sum(waits.values())
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(no_wrap=True, width=_BAR)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    within = 0
    for one in found:
        within += one.number
        span_ = f"over {clock(one.above)}" if one.upto is None else f"to {clock(one.upto)}"
        table.add_row(
            span_, Text(bar(one.number, most, _BAR), "blue"), f"{one.number:,}", f"{within * 100 / whole:.1f} %"
        )
        if one.upto in norms:
            names = ", ".join(norms[one.upto])
            table.add_row("", Text(f"╌╌ {stretch(one.upto)}: {names} ".ljust(_BAR, "╌"), "red"), "", "")
    return table


def bar(count: int, most: int, width: int) -> str:
    """A bar of blocks, to an eighth of a column; the smallest count is still seen."""
    eighths = 0 if not count else max(1, round(count * width * 8 / most))
    return _BLOCKS[8] * (eighths // 8) + _BLOCKS[eighths % 8].strip()


# ---- quality, colophon


def _quality(report: Report) -> Table:
    account = report.account
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column()
    table.add_row("events read", f"{account.read:,}", f"{_when(account.first_ms)} to {_when(account.last_ms)}")
    table.add_row("counted", f"{account.counted:,}", "")
    table.add_row("duplicate", f"{account.duplicate:,}", "known already, counted once")
    for reason, n in sorted(account.refused.items()):
        first = account.firsts[reason]
        table.add_row(f"refused: {reason}", Text(f"{n:,}", "yellow"), Text(f"first at {first.line:,}: {first.detail}"))
    for kind, n in report.table.contradictions.items():
        table.add_row("contradictions", f"{n:,}", f"{kind}: counted, but without a place in their ticket's life")
    for reason, n in report.origin.dropped.items():
        table.add_row("rows dropped", f"{n:,}", reason.replace("_", " "))
    table.add_row(
        "estimated", f"{account.estimated:,}", f"{percent(account.estimated, max(1, account.read))} of events"
    )
    heard = len(report.selection.offices or report.registry.offices) - len(report.silent)
    named = ", ".join(report.silent[:_NAMED]) + (", …" if len(report.silent) > _NAMED else "")
    table.add_row("offices heard", f"{heard:,}", f"silent: {named}" if report.silent else "all")
    return table


def _when(at: int) -> str:
    return NONE if at < 0 else text_of(at)


def _colophon(origin: Origin, registry: Registry, registry_from: str) -> Text:
    return Text(
        f"source       {said_of(origin)}\n"
        f"registry     {registry.hash}, {registry_from}\n"
        f"definitions  {DEFINITIONS}; {PROGRAM}",
        "dim",
    )


# ---- one norm


def render_case(case: Case, registry: Registry, source: str) -> RenderableType:
    """An explained figure."""
    kept = case.kept
    norm = kept.norm
    where = f"{case.office}, {case.service or 'all services of the norm'}, {case.day}"
    parts: list[RenderableType] = [
        Text.assemble((f"{label(registry, norm)}  ", "bold"), norm.title),
        Text(where),
        "",
        _words(case),
    ]
    for per in (norm.clock.per, *(per for per in Per if per is not norm.clock.per)):
        parts += ["", _sums(case, per)]
    parts += ["", _conclusion(case), "", Text(_provenance(registry, source), "dim")]
    return Group(*parts)


def _words(case: Case) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column()
    for sentence in case.words:
        table.add_row(sentence.part, Text(sentence.text))
    return table


def _sums(case: Case, per: Per) -> Table:
    norm = case.kept.norm
    counts = case.kept.counts[per]
    within = stretch(norm.threshold_s)
    title = (
        f"per {per.value}: {answered_of(counts):,} answered, {counts.answered_within:,} of them within {within}; "
        f"{left_of(counts):,} left, {counts.left_within:,} of them within {within}"
    )
    table = Table(box=None, pad_edge=False, show_header=False, title=title, title_justify="left", title_style="bold")
    table.add_column(width=1)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    for one in case.sums[per]:
        is_promise = (per, one.left) == (norm.clock.per, norm.left)
        value = NONE if one.value is None else f"{float(one.value):.6f}"
        table.add_row(
            "▶" if is_promise else "",
            f"{SHORT[one.left]} {one.left.value}",
            f"{one.formula}\n= {one.numbers}",
            f"\n= {value}",
            style="bold" if is_promise else "",
        )
    return table


def _conclusion(case: Case) -> Text:
    kept = case.kept
    norm = kept.norm
    target = percent(norm.target_milli, 100_000)
    reading = f"per {norm.clock.per.value}, {SHORT[norm.left]} {norm.left.value} ({MEANINGS[norm.left]})"
    if kept.is_met is None:
        known = f"{case.first_day} to {case.last_day}" if case.first_day else "no day at all"
        return Text(f"▶ the promise: nobody was counted on {case.day}; of {case.office} is known: {known}", "yellow")
    told = f"▶ the promise, {reading}: {share(kept.promise, 4)}, of at least {target}: "
    return Text.assemble(told, ("kept", "bold green") if kept.is_met else ("not kept", "bold red"))


def _provenance(registry: Registry, source: str) -> str:
    return f"source       {source}\nregistry     {registry.hash}\ndefinitions  {DEFINITIONS}; {PROGRAM}"


def said_of(origin: Origin) -> str:
    """A file in two lines."""
    return f"{origin.file} ({origin.kind}), {size(origin.bytes)}\nSHA-256      {origin.sha256}"


def render_norms(registry: Registry) -> Text:
    """All definitions of a registry, two lines each."""
    text = Text()
    for norm in registry.definitions():
        clock_ = norm.clock
        every = len(norm.offices) == len(registry.offices)
        offices = "all offices" if every else counted(len(norm.offices), "office")
        text.append(label(registry, norm), "bold")
        text.append(f"  {norm.title}\n")
        text.append(
            f"  {percent(norm.target_milli, 100_000)} within {stretch(norm.threshold_s)} per {clock_.per.value}, "
            f"{clock_.start.value} → {clock_.end.value}, {SHORT[norm.left]} {norm.left.value}; {offices}; "
            f"{span(registry, norm)}\n",
            "dim",
        )
    text.append(f"{registry.network}, registry {registry.hash}, {PROGRAM}", "dim")
    return text
