"""Results as tables for the terminal, and as `docs/benchmarks.md`: `python -m benchmarks.report RESULTS.json`."""

import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import median
from typing import Any, Final, NamedTuple

from rich.table import Table as RichTable

from benchmarks.growth_sections import carry
from benchmarks.summary import Ratio, Results, Row, Spread, hottest, parts, ratio, row

PAGE: Final = Path(__file__).resolve().parents[1] / "docs" / "benchmarks.md"
MIB: Final = 1024 * 1024
GOAL_RATIO: Final = 15
HOTTEST: Final = 12
USUAL: Final = {"events": 1_000_000, "offices": 1_000, "sample": 100_000, "repeat": 3, "hash_every": 50_000}
"""What a run is asked for unless it is told otherwise."""

DRAINS: Final = {
    "drain": "one worker, checkpoints at their default (every 500,000 events or 300 s)",
    "checkpoints": "one worker, a checkpoint of a partition every 50,000 events",
    "compiled": "one worker, core compiled by mypyc, checkpoints at their default",
    "idiomatic": "idiomatic Faust worker",
}
RESTARTS: Final = (
    ("first_count_s", "start of a worker on a broker that is up → first event counted", 3),
    ("open_s", "start after `kill -9` → states open, from checkpoints", None),
    ("caught_up_s", "start after `kill -9` → what was not in the checkpoints counted again", 6),
    ("ready_s", "start after `kill -9` → `/readyz`, the first view of all offices rendered", None),
    ("stop_s", "SIGTERM → exit, idle", 5),
    ("busy_stop_s", "SIGTERM → exit, in the middle of a drain", 5),
    ("stop_take_over_s", "SIGTERM of one of two workers → its partitions open at the other", None),
    ("kill_take_over_s", "`kill -9` of one of two workers → its partitions open at the other", None),
)
CORE: Final = (
    ("steps", "parse", "parsing a record out of its batch", "µs/event", 2, 1),
    ("steps", "decode", "… and decoding the event", "µs/event", 2, 1),
    ("steps", "time", "… and its time to milliseconds", "µs/event", 2, 1),
    ("steps", "ingest", "everything: the whole core", "µs/event", 2, 1),
    ("steps", "ingest_in_order", "everything, of a tape without late and repeated events", "µs/event", 2, 1),
    ("whole", "ingest_us", "everything, all partitions in turns", "µs/event", 2, 1),
    ("whole", "seal_us", "sealing, once what is held is older than the horizon", "µs/event", 2, 1),
    ("whole", "bytes_per_visit", "memory of the states", "B/visit held", 0, 1),
    ("whole", "cut_ms", "longest cut of a partition for a checkpoint", "ms", 1, 1),
    ("whole", "encode_s", "encoding all states for checkpoints", "s", 2, 1),
    ("whole", "encoded_bytes", "their size before compression", "MiB", 1, MIB),
    ("whole", "decode_s", "decoding them again, every visit folded anew", "s", 2, 1),
    ("whole", "render_s", "the first view of all offices for a scrape", "s", 2, 1),
)


class Table(NamedTuple):
    """A table for either medium."""

    title: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


# ---- figures as text


def number(value: float | None, digits: int = 0) -> str:
    """A figure; what was not measured is a dash."""
    return "–" if value is None else f"{value:,.{digits}f}"


def spread(found: Spread, digits: int = 0) -> str:
    """A figure of several turns: the median, in parentheses the least and the greatest."""
    if found.least == found.greatest:
        return number(found.middle, digits)
    return f"{found.middle:,.{digits}f} ({found.least:,.{digits}f}–{found.greatest:,.{digits}f})"


# ---- tables


def drains(results: Results) -> Table:
    """Every way of counting the tape."""
    found = [(text, row(results["rows"][name])) for name, text in DRAINS.items() if name in results["rows"]]
    return Table(
        "Counting the tape",
        (
            "what",
            "events/s",
            "CPU per event, µs",
            "peak memory, MiB",
            "written, B/event",
            "longest stall, ms",
            "checkpoints",
        ),
        [(text, *_drain_cells(one)) for text, one in found],
    )


def _drain_cells(one: Row) -> tuple[str, ...]:
    return (
        spread(one.events_per_s),
        spread(one.cpu_us, 1),
        number(one.peak_bytes / MIB),
        number(one.written_per_event, 1),
        number(one.stall_ms),
        number(one.checkpoints),
    )


def ratios(results: Results) -> Table:
    """The product beside the idiomatic worker."""
    rows = results["rows"]
    found: list[tuple[str, Ratio]] = [
        (DRAINS[name], ratio(rows[name], rows["idiomatic"]))
        for name in ("drain", "checkpoints", "compiled")
        if name in rows and "idiomatic" in rows
    ]
    return Table(
        "How many times the idiomatic worker",
        ("what", "events/s", "CPU per event"),
        [(text, f"{spread(one.events_per_s, 1)} ×", f"{spread(one.cpu, 1)} × less") for text, one in found],
    )


def where(results: Results) -> Table:
    """Where the time goes, plain core."""
    return Table(
        "Where the time goes (plain core)",
        ("part", "µs per event", "share"),
        [(part.name, number(part.us, 2), f"{part.share:.0%}") for part in parts(results)],
    )


def functions(results: Results) -> Table:
    """The functions of the core that take the most."""
    return Table(
        "The functions of the core that take most of its time",
        ("function", "µs per event", "share of the core"),
        [(f"`{part.name}`", number(part.us, 2), f"{part.share:.1%}") for part in hottest(results, HOTTEST)],
    )


def core(results: Results) -> Table:
    """The core from memory, plain and compiled."""
    found = [results["rows"].get(name, []) for name in ("core", "core_compiled")]
    lines = [
        (text, unit, *(number(_middle(turns, part, name, scale), digits) for turns in found))
        for part, name, text, unit, digits, scale in CORE
        if any(found)
    ]
    return Table("The core alone, from memory", ("what", "unit", "plain", "compiled"), lines)


def _middle(turns: Sequence[Any], part: str, name: str, scale: float) -> float | None:
    return median(turn[part][name] for turn in turns) / scale if turns else None


def hashes(results: Results) -> Table:
    """Whether states agree."""
    lines = [
        (
            number(one["places"]),
            number(one["compared"]),
            number(one["kills"]),
            number(one["disagreements"]),
        )
        for one in results["rows"].get("hashes", [])
    ]
    return Table(
        "State hashes at the same offsets, of one worker and three, with and without kill -9",
        ("places in the log", "hashes compared", "kill -9", "disagreements"),
        lines,
    )


def restart(results: Results) -> Table:
    """How soon a worker is there, back, gone, replaced."""
    found = results["rows"].get("restarts", [])
    return Table(
        "Starting, restarting, stopping",
        ("from → to", "seconds", "goal"),
        [
            (text, spread(Spread.of([turn[name] for turn in found]), 1), f"< {goal}" if goal else "–")
            for name, text, goal in RESTARTS
            if found
        ],
    )


TABLES: Final = (drains, ratios, where, functions, core, hashes, restart)


def tables(results: Results) -> Iterable[RichTable]:
    """All tables that have rows, for the terminal."""
    return (terminal(table) for table in (make(results) for make in TABLES) if table.rows)


def terminal(table: Table) -> RichTable:
    """A table for the terminal."""
    out = RichTable(title=table.title, title_justify="left")
    for i, column in enumerate(table.columns):
        out.add_column(column, justify="left" if i == 0 else "right")
    for cells in table.rows:
        out.add_row(*(cell.replace("`", "") for cell in cells))
    return out


# ---- the page


def markdown(table: Table) -> str:
    """A table for a page."""

    def line(cells: Sequence[str]) -> str:
        return f"| {' | '.join(cells)} |"

    rule = ["---", *("---:" for _ in table.columns[1:])]
    return "\n".join(line(cells) for cells in (table.columns, rule, *table.rows))


def page(results: Results) -> str:
    """`docs/benchmarks.md`."""
    sections = [_head(results), _machine(results)]
    texts = {
        drains: _on_drains,
        ratios: _on_ratios,
        where: _on_where,
        functions: lambda _: "",
        core: _on_core,
        hashes: _on_hashes,
        restart: _on_restarts,
    }
    for make, text in texts.items():
        table = make(results)
        if table.rows:
            said = text(results)
            sections.append("\n\n".join(part for part in (f"## {table.title}", markdown(table), said) if part))
    if results["void"]:
        void = "\n".join(f"- {name}: {why}" for name, why in results["void"].items())
        sections.append(f"## Void\n\nThese rows could not be measured or counted wrong:\n\n{void}")
    sections.append(METHOD)
    return "\n\n".join(sections) + "\n"


def _head(results: Results) -> str:
    tape = results["tape"]
    options = results["options"]
    events = sum(tape["split"])
    shares = ", ".join(f"{n / events:.1%}" for n in tape["split"])
    return f"""\
# Benchmarks

Measured on {results["machine"]["date"]} by

    {command(options)}

and written by `python -m benchmarks.report`; run both again to have your own. The figures are those of one machine in
one hour: compare rows of one run with each other, never seconds of two machines.

The tape is one day of {options["offices"]:,} offices with six services: {events:,} CloudEvents of
{tape["bytes"] / events:.0f} bytes on the average, {tape["totals"]["tickets"]["issued"]:,} visits, clocks with
milliseconds, two norms (one of them on appointments). {tape["duplicates"] / events:.0%} of the events come twice,
{tape["late"] / events:.0%} up to an hour late. Its four partitions hold {shares} of the events. Whoever makes the tape
adds up what must come of it; a worker whose lifetime figures are others is not timed but reported."""


def command(options: dict[str, Any]) -> str:
    """How the run is repeated."""
    changed = [f"--{name.replace('_', '-')} {options[name]}" for name in USUAL if options[name] != USUAL[name]]
    return f'make bench BENCH_ARGS="{" ".join([*changed, "--json RESULTS.json"])}"'


def _machine(results: Results) -> str:
    facts = results["machine"]
    packages = ", ".join(f"{name} {version}" for name, version in facts["packages"].items())
    memory = facts["memory_bytes"] / 1024**3
    return f"""\
Machine: {facts["cores"]} cores ({facts["processor"]}), {memory:.0f} GiB, {facts["system"]}; load {facts["load_before"]}
before the run, {facts["load_after"]} at its end. {facts["python"]}; Apache Kafka {facts["kafka"]} on the same machine;
attente {facts["attente"]}; {packages}."""


def _on_drains(results: Results) -> str:
    turns = results["rows"].get("drain", [])
    pages = f" The first full page of metrics took {median(turn['page_s'] for turn in turns):.1f} s." if turns else ""
    return f"""\
Median of {results["options"]["repeat"]} turns, in parentheses least and greatest; of memory and stalls the greatest.
*Written* is what lies on the broker's disk after a clean stop, which writes one more checkpoint per partition;
*checkpoints* are those before it. With 250,000 events in each partition the default writes none while it drains. The
idiomatic worker counts the first {results["options"]["sample"]:,} events, the others all.{pages}"""


def _on_ratios(results: Results) -> str:
    rows = results["rows"]
    found = ratio(rows["drain"], rows["idiomatic"]) if "drain" in rows else None
    verdict = ""
    if found is not None:
        least = min(found.events_per_s.middle, found.cpu.middle)
        verdict = f"\n\nThe full core in plain Python is to be at least {GOAL_RATIO} times the idiomatic worker: " + (
            "it is." if least >= GOAL_RATIO else f"**it is not** ({least:.1f})."
        )
    return f"""\
Ratios within a turn, so that what disturbed a turn disturbed both. The idiomatic worker (`benchmarks/idiomatic.py`) is
written as Faust's documentation teaches it: records, an agent, tables with changelogs, default settings; only the
parser of dates is named, because Faust's own takes milliseconds for microseconds. It counts five figures by office and
service and does no more: it knows no duplicates, no late events, no transfers, and its figures double after a
crash.{verdict}"""


def _on_where(results: Results) -> str:
    del results
    return """\
*Around the core* is what a drain takes more than the core does from memory in the same turn; the rest is split by the
module that was at work at each tick of the kernel's clock. A module's time includes what it lets C code do for it:
parsing, decoding, dictionaries."""


def _on_core(results: Results) -> str:
    oracle = results.get("oracle")
    tested = (
        f" Compiled, it passes the tests against the oracle ({oracle}) and computes the same state hashes on this tape."
        if oracle
        else ""
    )
    return f"""\
CPU time of one process, without Kafka; the steps are those of one partition, each including the ones above it. Sealing
is paid once per event, a horizon later, and not in any drain above, because the tape is shorter than the
horizon.{tested}"""


def _on_hashes(results: Results) -> str:
    return f"""\
Hashes of the whole state, panes included, at each partition's every {results["options"]["hash_every"]:,}th offset."""


def _on_restarts(results: Results) -> str:
    found = results["rows"]["restarts"]
    first = found[0]
    replayed = ", ".join(f"{turn['replayed']:,}" for turn in found)
    return f"""\
The restarted worker took {first["visits"]:,} visits from its checkpoints and counted {replayed} events again. The
session time-out was {first["session_s"]} s: members are static, so that a worker that comes back within it finds its
partitions waiting, and one that does not leaves them to the others only when it is over, however it has ended."""


METHOD: Final = """\
## Method, and what to make of it

- One Kafka node on the same machine, on loopback: the broker takes CPU too, and with two cores a worker does not have
  one for itself alone. CPU per event does not suffer from that, events per second do; but on a busy machine CPU time
  grows as well (caches, threads that share a core), which is why rows take turns and ratios are taken within a turn.
- Events per second: from the worker's word that it owns its partitions to the last event applied, by the offsets that
  it commits each second; what was left after the last commit but one is taken to have gone at the same speed. Nobody
  scrapes meanwhile. CPU: user and system time of the whole process from then until it is idle, checkpoints included.
- Peak memory is the process's high-water mark at the end of the drain, before the first page of metrics.
- The topic holds batches of 256 kB. A live topic's batches are smaller, and each batch has a price.
- Draining is the best case for checkpoints and the worst for latency. It says how soon a worker is back, not what a
  worker needs while 300 events come in a second.
"""


def main() -> None:
    """Write the page from a file of results."""
    if len(sys.argv) != 2:
        sys.exit("usage: python -m benchmarks.report RESULTS.json")
    old = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    new = page(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
    PAGE.write_text(carry(old, new), encoding="utf-8")


if __name__ == "__main__":
    main()
