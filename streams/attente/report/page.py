"""A report as one page: no network, no script; plots, tables and definitions, on a screen or on paper."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib.resources import files
from typing import Final
from xml.etree.ElementTree import Element, tostring

from attente.markup import Child, node
from attente.model.instants import text_of
from attente.registry.entities import Left, Norm, Per, Registry
from attente.report import charts
from attente.report.document import DEFINITIONS, PROGRAM, Report
from attente.report.explain import answered_of, left_of
from attente.report.figures import By, Figures, Kept
from attente.report.numbers import NONE, clock, hours, percent, rounded, share, size
from attente.report.versions import label, name_of
from attente.report.words import MEANINGS, SHORT, definition, promise
from attente.wording import counted

_MOST_ROWS: Final = 2_000
"""Rows of the finest table that a page holds; where there are more, it holds those of offices, or of services."""

_VOLUMES: Final = (
    ("issued", "issued"),
    ("served", "served"),
    ("abandoned", "abandoned"),
    ("no_show", "no-shows"),
    ("closed", "closed"),
    ("transferred", "transferred"),
    ("requeued", "requeued"),
    ("turned_away", "turned away"),
    ("waiting", "waiting"),
)


def as_page(report: Report) -> str:
    """The page's HTML."""
    title = f"{report.registry.network}: waits, {_when(report)}"
    head = node(
        "head",
        node("meta", charset="utf-8"),
        node("meta", name="viewport", content="width=device-width, initial-scale=1"),
        node("meta", name="generator", content=PROGRAM),
        node("title", title),
        node("style", files("attente.report").joinpath("page.css").read_text("utf-8")),
    )
    body = node("body", *_body(report))
    page = node("html", head, body, lang="en")
    return f"<!DOCTYPE html>\n{tostring(page, encoding='unicode', method='html')}\n"


def _when(report: Report) -> str:
    days = report.days
    if not days:
        return "no day"
    return days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"


def _body(report: Report) -> Iterator[Element]:
    table = report.table
    yield node("h1", report.registry.network)
    yield node("p", _subtitle(report), class_="soft")
    yield _tiles(table.total)
    if table.waits or table.left:
        yield node("h2", "How long visitors waited")
        drawn = charts.distribution(table.waits, table.left, report.registry)
        yield _figure(
            drawn, "Every leg by itself: from the ticket, or from entering a queue, to the call or to leaving."
        )
    if any(report.table.hours.values()):
        yield node("h2", "When they waited")
        norm = next((kept.norm for kept in table.total.kept), None)
        words = f"Local time of the call. Fewer than {charts.FEWEST} calls show no figure."
        yield _figure(charts.week(report.table.hours, norm), words)
    if len(table.days) > 1:
        yield node("h2", "From day to day")
        yield _figure(charts.days(table.days), "Waits of those called on a business day.")
    yield from _norms(report)
    yield from _rows(report)
    yield from _definitions(report.registry, [kept.norm for kept in table.total.kept])
    yield node("h2", "Data quality")
    yield _quality(report)
    yield _footer(report)


def _subtitle(report: Report) -> str:
    days = len(report.days)
    heard = len({row.office for row in report.table.offices})
    parts = [
        _when(report),
        counted(days, "business day"),
        counted(heard, "office"),
    ]
    if report.selection.words:
        parts.append(f"only {report.selection.words}")
    return "; ".join(parts)


def _figure(drawn: Element, words: str) -> Element:
    return node("figure", node("div", drawn, class_="wide"), node("figcaption", words))


def _tiles(total: Figures) -> Element:
    entries: list[tuple[str, str, str]] = [
        ("issued", f"{total.issued:,}", ""),
        ("served", f"{total.served:,}", ""),
        ("abandoned", f"{total.abandoned:,}", ""),
        ("no-shows", f"{total.no_show:,}", ""),
        ("turned away", f"{total.turned_away:,}", ""),
        ("median wait", clock(total.waits.percentiles_s.get(50)), ""),
        ("p90 wait", clock(total.waits.percentiles_s.get(90)), ""),
        ("demand met", share(total.demand_met), ""),
    ]
    for kept in total.kept:
        verdict = {None: "", True: "kept", False: "broken"}[kept.is_met]
        mark = {None: "", True: " ✓", False: " ✗"}[kept.is_met]
        entries.append(
            (
                f"{kept.norm.id}, target {percent(kept.norm.target_milli, 100_000)}",
                f"{share(kept.promise)}{mark}",
                verdict,
            )
        )
    return node(
        "dl",
        *(node("div", node("dt", name), node("dd", value, class_=kind)) for name, value, kind in entries),
        class_="tiles",
    )


# ---- norms


def _norms(report: Report) -> Iterator[Element]:
    if not report.table.total.kept:
        return
    yield node("h2", "How the norms read")
    words = (
        "The same waits under each of the four service levels of the field, per leg, per first leg and per visit. "
        "The norm names the one that is its promise; the others say what the promise does not."
    )
    yield node("p", words)
    for kept in report.table.total.kept:
        yield node("h3", f"{label(report.registry, kept.norm)}: {kept.norm.title}")
        yield node("p", f"{promise(kept.norm)}: ", _verdict(kept))
        meaning = f"{SHORT[kept.norm.left]} {kept.norm.left.value}: {MEANINGS[kept.norm.left]}."
        yield _figure(charts.readings(report.registry, kept), f"The promise is {meaning}")
        yield _counts(kept)


def _verdict(kept: Kept) -> Element:
    if kept.is_met is None:
        return node("span", "nobody was counted", class_="soft")
    words = f"{share(kept.promise, 2)}, {'kept' if kept.is_met else 'not kept'}"
    return node("strong", words, class_="kept" if kept.is_met else "broken")


def _counts(kept: Kept) -> Element:
    norm = kept.norm
    heads = ["per", "answered", "within", "left", "within", *(f"{SHORT[left]} {left.value}" for left in Left)]
    rows = []
    for per in Per:
        counts = kept.counts[per]
        numbers = (answered_of(counts), counts.answered_within, left_of(counts), counts.left_within)
        cells: list[Child] = [per.value, *(f"{n:,}" for n in numbers)]
        for left in Left:
            words = share(kept.level(per, left), 2)
            is_promise = (per, left) == (norm.clock.per, norm.left)
            cells.append(node("span", f"▶ {words}", class_="promise") if is_promise else words)
        rows.append(_row(cells, names=1))
    caption = f"Counts of {norm.id}"
    if kept.waiting_beyond:
        caption += f"; {kept.waiting_beyond:,} wait beyond the threshold at the end of the file"
    return _table(caption, heads, rows, names=1)


# ---- rows


def _rows(report: Report) -> Iterator[Element]:
    table = report.table
    rows: Sequence[Figures] = table.rows
    words = "by office and service"
    if len(rows) > _MOST_ROWS:
        rows, words = table.offices, "by office; the rows of services are too many for a page: see --csv"
    if len(rows) > _MOST_ROWS:
        rows, words = table.services, "by service; the rows of offices are too many for a page: see --csv"
    many = len({row.office for row in table.rows}) > 1 and rows is table.rows
    by_day = report.by is By.DAY
    names = ["office", "service", *(["day"] if by_day else [])]
    totals = [*(table.offices if many else ()), *(table.days if by_day else ()), table.total]
    norms = [kept.norm for kept in table.total.kept]
    heads = [f"{label(report.registry, norm)} ▶ {SHORT[norm.left]} per {norm.clock.per.value}" for norm in norms]
    yield node("h2", "Visitors")
    yield _figures(
        words, [*names, *(head for _, head in _VOLUMES), "demand met", "desk hours"], rows, totals, names, _volumes
    )
    yield node("h2", "Waits and norms")
    yield _figures(
        f"{words}; from the ticket, or from entering the queue, to the call, m:ss",
        [*names, "called", "p50", "p90", "p95", "max", "mean", *heads],
        rows,
        totals,
        names,
        lambda row: _waits(row, norms),
    )


def _figures(
    caption: str,
    heads: Sequence[str],
    rows: Sequence[Figures],
    totals: Sequence[Figures],
    names: Sequence[str],
    cells: Callable[[Figures], list[Child]],
) -> Element:
    def name(row: Figures) -> list[Child]:
        days: list[Child] = [row.day or "all days"] if "day" in names else []
        return [row.office or "all offices", row.service or "all services", *days]

    made = [_row([*name(row), *cells(row)], names=len(names)) for row in rows]
    made += [_row([*name(row), *cells(row)], names=len(names), kind="total") for row in totals]
    return node("div", _table(caption, heads, made, names=len(names)), class_="wide")


def _volumes(row: Figures) -> list[Child]:
    return [
        *(f"{getattr(row, name):,}" for name, _ in _VOLUMES),
        share(row.demand_met),
        "" if row.open_desk_ms is None else hours(row.open_desk_ms),
    ]


def _waits(row: Figures, norms: Sequence[Norm]) -> list[Child]:
    waits = row.waits
    cells: list[Child] = [f"{row.called:,}", *(clock(waits.percentiles_s.get(rank)) for rank in (50, 90, 95))]
    cells += [clock(waits.max_s), clock(rounded(waits.mean_s))]
    kept = {name_of(one.norm): one for one in row.kept}
    for norm in norms:
        found = kept.get(name_of(norm))
        if found is None or found.is_met is None:
            cells.append("" if found is None else NONE)
            continue
        mark, kind = ("✓", "kept") if found.is_met else ("✗", "broken")
        cells.append(node("span", f"{share(found.promise)} {mark}", class_=kind))
    return cells


def _table(caption: str, heads: Sequence[str], rows: Iterable[Element], *, names: int) -> Element:
    head = [node("th", words, scope="col", class_="name" if i < names else "") for i, words in enumerate(heads)]
    return node("table", node("caption", caption), node("thead", node("tr", *head)), node("tbody", *rows))


def _row(cells: Sequence[Child], *, names: int, kind: str = "") -> Element:
    made = []
    for i, cell in enumerate(cells):
        # A name that is cut off is shown whole to who points at it.
        more = {"class_": "name", "title": cell} if i < names and isinstance(cell, str) else {}
        made.append(node("td", cell, **more))
    return node("tr", *made, class_=kind)


# ---- definitions, quality


def _definitions(registry: Registry, norms: Sequence[Norm]) -> Iterator[Element]:
    if norms:
        yield node("h2", "Definitions")
    for norm in norms:
        yield node("h3", f"{label(registry, norm)}: {norm.title}")
        sentences = definition(registry, norm)
        yield node(
            "dl",
            *(part for one in sentences for part in (node("dt", one.part), node("dd", one.text))),
            class_="words",
        )


def _quality(report: Report) -> Element:
    account = report.account
    entries: list[tuple[str, int, str]] = [
        ("events read", account.read, f"{_instant(account.first_ms)} to {_instant(account.last_ms)}"),
        ("counted", account.counted, ""),
        ("duplicate", account.duplicate, "known already, counted once"),
    ]
    for reason, n in sorted(account.refused.items()):
        first = account.firsts[reason]
        entries.append((f"refused: {reason}", n, f"first at line {first.line:,}: {first.detail}"))
    for kind, n in report.table.contradictions.items():
        entries.append((f"contradictions: {kind}", n, "counted, but without a place in their ticket's life"))
    for reason, n in report.origin.dropped.items():
        entries.append((f"rows dropped: {reason.replace('_', ' ')}", n, "of the tape; they became no visit"))
    entries.append(("estimated", account.estimated, "events that somebody reconstructed"))
    entries.append(("silent offices", len(report.silent), ", ".join(report.silent[:20])))
    rows = [
        node("tr", node("td", name, class_="name"), node("td", f"{n:,}"), node("td", words, class_="text"))
        for name, n, words in entries
    ]
    return node("table", node("tbody", *rows))


def _instant(at: int) -> str:
    return NONE if at < 0 else text_of(at)


def _footer(report: Report) -> Element:
    origin = report.origin
    entries = (
        ("source", f"{origin.file} ({origin.kind}), {size(origin.bytes)}, SHA-256 {origin.sha256}"),
        ("registry", f"{report.registry.hash}, {report.registry_from}"),
        ("definitions", f"{DEFINITIONS} of {PROGRAM}"),
        ("program", PROGRAM),
    )
    return node(
        "footer",
        node(
            "dl", *(part for name, words in entries for part in (node("dt", name), node("dd", words))), class_="words"
        ),
    )
