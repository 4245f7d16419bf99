"""The sections of `docs/benchmarks.md` with results of their own: `python -m benchmarks.growth_report`.

They are made of the files in `benchmarks/results` that are there, and so are the plots in `docs/images`.
"""

import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any, Final, NamedTuple

from benchmarks.growth_plot import Curve, Panel, plot
from benchmarks.growth_sections import flow, put
from benchmarks.kiosk_report import kiosk_section
from benchmarks.live_report import live_pictures, live_section
from benchmarks.report import MIB, PAGE, Table, markdown
from benchmarks.signatures_report import signatures_section
from benchmarks.summary import Results

RESULTS: Final = Path(__file__).resolve().parent / "results"
IMAGES: Final = PAGE.parent / "images"
NAMES: Final = {"offices": "offices", "waiting": "visits waiting at once", "partitions": "partitions"}

USUAL: Final = {
    "events": "200000",
    "network": "1000",
    "repeat": "1",
    "offices": "10,100,1000,10000",
    "waiting": "1000,10000,100000,300000",
    "partitions": "1,4,12,64",
    "series": "1000,10000,50000",
}
"""What a run is asked for unless it is told otherwise, as it is written."""

Line = Mapping[str, Any]
"""What was measured at one point."""


class Column(NamedTuple):
    """A figure of a point."""

    name: str
    of: Callable[[Line], float]
    digits: int = 0


STATE: Final = (
    Column("events", lambda one: one["events"]),
    Column("visits held", lambda one: one["visits"]),
    Column("CPU per event, µs", lambda one: one["cpu_us"], 1),
    Column("memory of the states, MiB", lambda one: one["state_bytes"] / MIB),
    Column("B per visit held", lambda one: one["state_bytes"] / one["visits"]),
    Column("first view, s", lambda one: one["first_view_s"], 2),
    Column("… and its memory, MiB", lambda one: one["view_bytes"] / MIB),
    Column("view after one more event in every office, s", lambda one: one["next_view_s"], 2),
    Column("longest cut, ms", lambda one: one["cut_ms"], 1),
    Column("encoding, s", lambda one: one["encode_s"], 2),
    Column("checkpoints, MiB", lambda one: one["checkpoint_bytes"] / MIB, 2),
)
REST: Final = (
    Column("offices", lambda one: one["offices"]),
    Column("series", lambda one: one["series"]),
    Column("first view in the loop, s", lambda one: one["first"]["loop_s"], 3),
    Column("after one more event in every office, s", lambda one: one["next"]["loop_s"], 3),
    Column("after nothing, s", lambda one: one["same"]["loop_s"], 3),
    Column("loop held, ms", lambda one: max(one[view]["held_ms"] for view in ("first", "next", "same")), 1),
    Column("page as text, s", lambda one: one["text"]["seconds"], 3),
    Column("as OpenMetrics, s", lambda one: one["openmetrics"]["seconds"], 3),
    Column("loop held meanwhile, ms", lambda one: max(one[form]["held_ms"] for form in ("text", "openmetrics")), 1),
    Column("page, MiB", lambda one: one["text"]["bytes"] / MIB, 2),
)
BUSY: Final = (
    Column("series", lambda one: one["series"]),
    Column("loop held by deliveries alone, ms", lambda one: one["applying_held_ms"], 1),
    Column("view, s", lambda one: one["busy_next"]["seconds"], 3),
    Column("loop held meanwhile, ms", lambda one: one["busy_next"]["held_ms"], 1),
    Column("page as text, s", lambda one: one["busy_text"]["seconds"], 3),
    Column("as OpenMetrics, s", lambda one: one["busy_openmetrics"]["seconds"], 3),
    Column(
        "loop held meanwhile, ms",
        lambda one: max(one[f"busy_{form}"]["held_ms"] for form in ("text", "openmetrics")),
        1,
    ),
)


# ---- tables


def medians(lines: Iterable[Line], columns: Sequence[Column]) -> list[tuple[int, list[float]]]:
    """By x the median of every figure over the turns."""
    by_x: dict[int, list[Line]] = {}
    for one in lines:
        by_x.setdefault(one["x"], []).append(one)
    return [(x, [median(column.of(one) for one in found) for column in columns]) for x, found in sorted(by_x.items())]


def _table(title: str, first: str, lines: Iterable[Line], columns: Sequence[Column]) -> Table:
    found = medians(lines, columns)
    rows = [
        (column.name, *(f"{values[i]:,.{column.digits}f}" for _, values in found)) for i, column in enumerate(columns)
    ]
    return Table(title, (first, *(f"{x:,}" for x, _ in found)), rows)


def growth_tables(results: Results) -> list[Table]:
    """What has been measured, for either medium."""
    points = results["points"]
    found = [_table(f"With {name}", name, points[axis], STATE) for axis, name in NAMES.items() if axis in points]
    if "series" in points:
        found.append(_table("A scrape, the worker at rest", "series, about", points["series"], REST))
        found.append(_table("A scrape, the worker applying deliveries", "series, about", points["series"], BUSY))
    return found


def times(lines: Sequence[Line]) -> str:
    """How much the figures grow from the least to the most."""
    found = medians(lines, STATE)
    if len(found) < 2:
        return ""
    (least, before), (most, after) = found[0], found[-1]
    grown = {
        column.name: later / sooner
        for column, sooner, later in zip(STATE, before, after, strict=True)
        if sooner > 0 and column.name.partition(",")[0] in {"CPU per event", "memory of the states", "first view"}
    }
    said = ", ".join(f"{name.partition(',')[0]} × {ratio:.1f}" for name, ratio in grown.items())
    return f"From {least:,} to {most:,} (× {most / least:,.0f}): {said}."


# ---- the section


def growth_section(results: Results) -> str:
    """All tables on growth, what they were measured on, and the picture."""
    facts, options, points = results["machine"], results["options"], results["points"]
    memory = facts["memory_bytes"] / 1024**3
    parts = [
        "## Growth",
        f"""\
Measured on {facts["date"]} by

    {command(options)}

from memory, without Kafka, every point in a process of its own;
{facts["cores"]} cores ({facts["processor"]}), {memory:.0f} GiB, {facts["python"]}, load {facts["load_before"]} before
and {facts["load_after"]} at the end. CPU time of one process, medians of {options["repeat"]} turns. All partitions are
in that one process: what several workers share, each has its part of.""",
        "![Growth of CPU, memory and views, log-log](images/growth.svg)",
    ]
    for table in growth_tables(results):
        axis = next((axis for axis, name in NAMES.items() if table.title == f"With {name}"), "")
        said = _SAID.get(axis or table.title, "")
        grown = times(points[axis]) if axis else ""
        parts += [f"### {table.title}", markdown(table), " ".join(one for one in (grown, said) if one)]
    parts += [f"- Not measured: {name}: {why}" for name, why in results["void"].items()]
    return "\n\n".join(part for part in parts if part)


_SAID: Final = {
    "offices": """The number of events is equal, so that many offices have few visits each: what they then cost is the
offices themselves, and of the events more open and close offices and desks.""",
    "waiting": """Every event is a ticket, and nobody is called; the offices are always as many. What waits is held
unpacked, because the next event may change it.""",
    "partitions": "The same offices and about the same events, in more and more states.",
    "A scrape, the worker at rest": """A view is rendered in the event loop, in slices after each of which others have
their turn: *held* is the longest time that they had none. The page is written in a thread of the server's, which
shares the interpreter with the loop.""",
    "A scrape, the worker applying deliveries": """The same scrapes while the loop applies deliveries of full fetches as
fast as it can, which no live worker has to: seconds from the question to the answer.""",
}


def command(options: Mapping[str, Any]) -> str:
    """How the run is repeated."""
    said = {
        name: ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
        for name, value in options.items()
    }
    changed = " ".join(f"--{name}={value}" for name, value in said.items() if value != USUAL[name])
    return f'make bench-growth GROWTH_ARGS="{changed}"' if changed else "make bench-growth"


def growth_pictures(results: Results) -> dict[str, str]:
    """The plot, by the name of its file."""
    points = results["points"]
    shown = (("CPU per event, µs", 2), ("memory of the states, MiB", 3), ("first view, s", 5), ("next view, s", 7))
    panels = [
        Panel(f"With {name}", name, _curves(points[axis], STATE, shown))
        for axis, name in NAMES.items()
        if axis in points
    ]
    if "series" in points:
        chosen = (("view in the loop, s", 3), ("page as text, s", 6), ("loop held, ms", 5), ("page, MiB", 9))
        panels.append(Panel("A scrape at rest", "series", _curves(points["series"], REST, chosen, across=1)))
    says = "; ".join(
        f"{panel.title}: {', '.join(curve.name for curve in panel.curves)} over {panel.across}" for panel in panels
    )
    return {"growth.svg": plot("Growth", says, panels)} if panels else {}


def _curves(
    lines: Sequence[Line], columns: Sequence[Column], shown: Sequence[tuple[str, int]], across: int | None = None
) -> list[Curve]:
    found = medians(lines, columns)
    return [
        Curve(name, [(x if across is None else values[across], values[number]) for x, values in found])
        for name, number in shown
    ]


def no_pictures(_: Results) -> dict[str, str]:
    """Of a section that has none."""
    return {}


SECTIONS: Final[dict[str, tuple[Callable[[Results], str], Callable[[Results], dict[str, str]]]]] = {
    "growth": (growth_section, growth_pictures),
    "live": (live_section, live_pictures),
    "kiosk": (kiosk_section, no_pictures),
    "signatures": (signatures_section, no_pictures),
}
"""By the name of the results' file what is made of it."""


def write(results: Path, page: Path, images: Path) -> list[str]:
    """Put a section into the page for every file of results that is there, and draw its plots.

    Returns:
        The names of the sections.
    """
    written = []
    for name, (section, pictures) in SECTIONS.items():
        file = results / f"{name}.json"
        if not file.exists():
            continue
        found = json.loads(file.read_text(encoding="utf-8"))
        old = page.read_text(encoding="utf-8") if page.exists() else ""
        page.write_text(put(old, name, flow(section(found))), encoding="utf-8")
        images.mkdir(exist_ok=True)
        for image, drawn in pictures(found).items():
            (images / image).write_text(drawn, encoding="utf-8")
        written.append(name)
    return written


def main() -> None:
    """Write what there are results of."""
    if not (written := write(RESULTS, PAGE, IMAGES)):
        sys.exit("attente: no results in benchmarks/results; run make bench-growth or make bench-live first")
    print(f"{PAGE.name}: {', '.join(written)}")


if __name__ == "__main__":
    main()
