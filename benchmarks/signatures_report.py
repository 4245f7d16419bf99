"""The section on signed events of `docs/benchmarks.md`: what it costs a worker to look at signatures."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from benchmarks.report import Table, markdown, spread
from benchmarks.summary import Results, Spread

USUAL: Final = {"visits": 20_000, "rounds": 7}
"""What a run is asked for unless it is told otherwise."""
CORES: Final = {"plain": "plain core", "compiled": "compiled core"}
MODES: Final = ("report", "require")


def signatures_table(results: Results) -> Table:
    """Each core under each mode."""
    rows: list[tuple[str, ...]] = []
    for name, text in CORES.items():
        if found := results["rows"].get(name):
            rounds = found["rounds"]
            more = [spread(_more(rounds, mode), 2) for mode in MODES]
            times = [spread(Spread.of([one[mode] / one["off"] for one in rounds]), 2) for mode in MODES]
            rows.append((text, spread(Spread.of([one["off"] for one in rounds]), 1), *more, *times))
    return Table(
        "Signed events",
        ("what", "`off`, µs an event", *(f"`{mode}`, µs more" for mode in MODES), *(f"`{mode}`, ×" for mode in MODES)),
        rows,
    )


def _more(rounds: Sequence[Mapping[str, Any]], mode: str) -> Spread:
    return Spread.of([one[mode] - one["off"] for one in rounds])


def command(options: Mapping[str, Any]) -> str:
    """How the run is repeated."""
    changed = " ".join(f"--{name}={options[name]}" for name in USUAL if options[name] != USUAL[name])
    return f'make bench-signed SIGNED_ARGS="{changed}"' if changed else "make bench-signed"


def signatures_section(results: Results) -> str:
    """The table, and what it was measured on."""
    facts, rows = results["machine"], results["rows"]
    memory = facts["memory_bytes"] / 1024**3
    table = signatures_table(results)
    void = "\n".join(f"- Not measured: {name}: {why}" for name, why in results["void"].items())
    tape = next(iter(rows.values()), {"events": 0, "bytes": 0})
    parts = [
        "## Signed events",
        f"""\
Measured on {facts["date"]} by

    {command(results["options"])}

{facts["cores"]} cores ({facts["processor"]}), {memory:.0f} GiB, {facts["python"]}, load {facts["load_before"]} before
and {facts["load_after"]} at the end. One tape ({tape["events"]:,} events of {tape["bytes"]:.0f} bytes, one office)
through the core under each mode of [signatures](signed-events.md), in turns in one process; CPU time, median of
{results["options"]["rounds"]} rounds, in parentheses least and greatest, each beside `off` of the same round.""",
        markdown(table) if table.rows else "",
        void,
    ]
    return "\n\n".join(part for part in parts if part)
