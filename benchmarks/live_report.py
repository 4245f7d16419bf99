"""The section on a live network of `docs/benchmarks.md`, and its plot."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from statistics import median
from typing import Any, Final, NamedTuple

from benchmarks.growth_plot import Curve, Panel, plot
from benchmarks.live_verdict import (
    BASE_BYTES,
    MIB,
    RATE,
    SLACK_S,
    SURPLUS,
    MemoryVerdict,
    Sample,
    applied,
    came,
    lag_verdict,
    lags_s,
    memory_verdict,
    shares,
    third,
)
from benchmarks.report import Table, markdown
from benchmarks.summary import Results

USUAL: Final = {
    "offices": 2_000,
    "rate": 10_000,
    "minutes": 10.0,
    "workers": 2,
    "partitions": 12,
    "processes": 2,
    "warmup": 300,
    "seed": 1,
    "detail": "office",
}
_THIRDS: Final = ("first third", "second third", "last third")
_OK: Final = 200


class Verdict(NamedTuple):
    """A criterion, in words with its figures, and whether it is met."""

    text: str
    is_so: bool


def samples_of(results: Results) -> list[Sample]:
    """The samples as they were taken."""
    return [
        Sample(one["at"], tuple(one["ends"]), tuple(one["done"]), tuple(one["resident"]), one["cpu"])
        for one in results["samples"]
    ]


def expected_bytes(results: Results, samples: Sequence[Sample]) -> tuple[float, float]:
    """Bytes per visit of the core alone, and the visits that all workers have come to hold meanwhile."""
    found = results["expected"]
    events = sum(samples[-1].ends) - sum(samples[0].ends)
    return found["bytes"] / found["visits"], found["visits"] / found["events"] * events


def memory_of(results: Results, samples: Sequence[Sample]) -> MemoryVerdict:
    """The verdict on memory."""
    each, visits = expected_bytes(results, samples)
    return memory_verdict(samples, each * visits)


def verdicts(results: Results) -> list[Verdict]:
    """Whether the load was the one asked for, lag and memory are flat, and everything sent was read."""
    samples = samples_of(results)
    rate, asked = came(samples), results["options"]["rate"]
    lag, memory = lag_verdict(samples), memory_of(results, samples)
    each, visits = expected_bytes(results, samples)
    failed = len(results["scrapes"]) - len(answered(results["scrapes"]))
    return [
        Verdict(
            f"Load: {rate:,.0f} events/s came of {asked:,} asked for, and {applied(samples):,.0f} were applied; "
            f"at least {RATE:.0%} were to come: {so(rate >= RATE * asked)}.",
            rate >= RATE * asked,
        ),
        Verdict(
            f"Lag: at most {lag.first_s:.2f} s of a partition's traffic in the first third, {lag.last_s:.2f} s in the "
            f"last; flat is at most {SLACK_S:g} s more: {so(lag.is_flat)}.",
            lag.is_flat,
        ),
        Verdict(
            f"Memory: the workers have grown by {memory.grown_bytes / MIB:,.0f} MiB together. They have come to hold "
            f"{visits:,.0f} visits more, and {each:,.0f} bytes per visit is what the core alone takes for the same "
            f"records, which makes {memory.expected_bytes / MIB:,.0f} MiB; flat is at most {SURPLUS:.0%} and "
            f"{BASE_BYTES // MIB} MiB a worker over that, {memory.allowed_bytes / MIB:,.0f} MiB: "
            f"{so(memory.is_flat)}.",
            memory.is_flat,
        ),
        Verdict(
            f"Account: {results['sent']:,} events sent; the states of the workers stood at {results['read']:,} in the "
            f"end: {so(results['sent'] == results['read'])}.",
            results["sent"] == results["read"],
        ),
        Verdict(
            f"Scrapes: {len(results['scrapes']):,}, of which {failed:,} were not answered: {so(not failed)}.",
            not failed,
        ),
    ]


def so(is_so: bool) -> str:
    """How a verdict ends."""
    return "it is so" if is_so else "**it is not so**"


def live_table(results: Results) -> Table:
    """How it stood in each third of the time."""
    samples = samples_of(results)
    lags = lags_s(samples)
    rows: dict[str, list[str]] = {}
    for number in range(len(_THIRDS)):
        place = third(samples, number)
        some = samples[place.start : place.stop + 1]  # with the next one, so that the thirds join
        asked = [one for one in results["scrapes"] if some[0].at <= one["at"] < some[-1].at]
        pages = answered(asked)
        seconds = [one["seconds"] for one in pages]
        cells = {
            "events/s that came": f"{came(some):,.0f}",
            "events/s applied": f"{applied(some):,.0f}",
            "greatest lag of a partition, events": f"{max(max(one.lags) for one in samples[place]):,}",
            "… in seconds of its traffic": f"{max(lags[place]):.2f}",
            **{
                f"resident memory of worker {worker} at the end, MiB": f"{size / MIB:,.0f}"
                for worker, size in enumerate(some[-1].resident)
            },
            **{f"processors taken: {name}": f"{share:.2f}" for name, share in shares(some).items() if name != "this"},
            "scrapes": f"{len(asked):,}",
            "… not answered": f"{len(asked) - len(pages):,}",
            "… median of the others, s": f"{median(seconds):.2f}" if pages else "–",
            "… longest of the others, s": f"{max(seconds):.2f}" if pages else "–",
            "page, compressed, MiB": f"{max(one['bytes'] for one in pages) / MIB:.2f}" if pages else "–",
            "longest stall of the event loop so far, ms": (
                f"{max(one['stall_s'] for one in pages) * 1e3:,.0f}" if pages else "–"
            ),
        }
        for name, cell in cells.items():
            rows.setdefault(name, []).append(cell)
    return Table("A live network", ("what", *_THIRDS), [(name, *cells) for name, cells in rows.items()])


def answered(scrapes: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Those that have brought a page."""
    return [one for one in scrapes if one["status"] == _OK]


def command(options: Mapping[str, Any]) -> str:
    """How the run is repeated."""
    changed = " ".join(f"--{name}={_plain(options[name])}" for name in USUAL if options[name] != USUAL[name])
    return f'make bench-live LIVE_ARGS="{changed}"' if changed else "make bench-live"


def _plain(value: str | float) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def live_section(results: Results) -> str:
    """What it was, how it went, and the verdicts."""
    facts, options, warming = results["machine"], results["options"], results["warming"]
    memory = facts["memory_bytes"] / 1024**3
    reached = "was" if warming["is_steady"] else "was **not**"
    said = "\n".join(f"- {one.text}" for one in verdicts(results))
    return f"""\
## A live network

Measured on {facts["date"]} by

    {command(options)}

{options["offices"]:,} offices with six services live at
{options["rate"]:,} events/s for {options["minutes"]:g} minutes, `detail: {options["detail"]}` in the registry.
{options["workers"]} workers share
{options["partitions"]} partitions; simulator ({options["processes"]} processes), Kafka and scrapes are on the same
machine: {facts["cores"]} cores ({facts["processor"]}), {memory:.0f} GiB, load {facts["load_before"]} before and
{facts["load_after"]} at the end. The rate {reached} reached after {warming["seconds"]:.0f} s; what came before is not
in the figures. Every worker is scraped every 15 s as Prometheus asks, compressed; lag is what the broker knows, sampled
every 5 s, and workers tell it once a second.

![Lag, events and memory over time](images/live.svg)

{markdown(live_table(results))}

The longest stall of an event loop was {results["stall_s"] * 1e3:,.0f} ms in all, the longest cut for a checkpoint
{results["cut_s"] * 1e3:,.1f} ms.

{said}"""


def live_pictures(results: Results) -> dict[str, str]:
    """The plot, by the name of its file."""
    samples = samples_of(results)
    minutes = [one.at / 60 for one in samples]
    across = "minutes"
    pages = answered(results["scrapes"])
    each, _ = expected_bytes(results, samples)
    per_event = results["expected"]["visits"] / results["expected"]["events"]
    begin = sum(samples[0].resident)
    held = [begin + each * per_event * (sum(one.ends) - sum(samples[0].ends)) for one in samples]
    pairs = list(pairwise(samples))
    workers = [
        Curve(f"worker {n}", [(at, one.resident[n] / MIB) for at, one in zip(minutes, samples, strict=True)])
        for n in range(len(samples[0].resident))
    ]
    panels = [
        Panel(
            "Greatest lag of a partition, seconds of its traffic",
            across,
            [Curve("lag", list(zip(minutes, lags_s(samples), strict=True)))],
            is_log=False,
        ),
        Panel(
            "Events per second",
            across,
            [
                Curve("came", [(after.at / 60, came([before, after])) for before, after in pairs]),
                Curve("applied", [(after.at / 60, applied([before, after])) for before, after in pairs]),
            ],
            is_log=False,
        ),
        Panel(
            "Resident memory, MiB",
            across,
            [
                *workers,
                Curve("all", [(at, sum(one.resident) / MIB) for at, one in zip(minutes, samples, strict=True)]),
                Curve("start + visits held", [(at, size / MIB) for at, size in zip(minutes, held, strict=True)]),
            ],
            is_log=False,
        ),
        Panel(
            "Scrapes, seconds",
            across,
            [
                Curve(f"worker {n}", [(one["at"] / 60, one["seconds"]) for one in pages if one["worker"] == n])
                for n in range(len(samples[0].resident))
            ],
            is_log=False,
        ),
    ]
    says = "; ".join(panel.title for panel in panels) + ", over the minutes of the measurement"
    return {"live.svg": plot("A live network", says, panels)}
