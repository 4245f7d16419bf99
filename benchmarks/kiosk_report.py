"""The section on a kiosk of `docs/benchmarks.md`: what it accepts and sends, its memory and its start."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from benchmarks.kiosk_parts import BATCHES
from benchmarks.live_report import Verdict, so
from benchmarks.report import Table, markdown, spread
from benchmarks.summary import Results, Spread

USUAL: Final = {"accepted": 2_000, "emitted": 20_000, "drained": 50_000, "held": 1_000_000, "repeat": 3}
"""What a run is asked for unless it is told otherwise."""

MB: Final = 1_000_000
MOST_BYTES: Final = 60 * MB
"""Resident memory that a kiosk may take, whatever it does: it runs beside the program that prints tickets."""
MOST_START_S: Final = 1.0
"""From the start of the process to the first accepted event."""
SAME: Final = 1.25
"""By so much an event may take longer in a full spool than in an empty one, and be said to take the same."""

DRAINS: Final = {"drain": "", "drain_signed": ", signed"}
"""The rows of drained spools, and what is said of the second."""

Turns = Sequence[Mapping[str, Any]]


def over(turns: Turns, *path: str, scale: float = 1.0) -> Spread:
    """A figure of all rounds, by where it stands in each."""
    return Spread.of([_at(turn, path) * scale for turn in turns])


def times(turns: Turns, path: Sequence[str], beside: Sequence[str], others: Turns | None = None) -> Spread:
    """A figure as a multiple of another one of the same round: what disturbed a round disturbed both."""
    pairs = zip(turns, turns if others is None else others, strict=False)
    return Spread.of([_at(one, path) / _at(other, beside) for one, other in pairs])


def _at(turn: Mapping[str, Any], path: Sequence[str]) -> float:
    found: Any = turn
    for name in path:
        found = found[name]
    return float(found)


# ---- tables


def accepting(results: Results) -> Table:
    """How fast events are accepted, beside the disk alone."""
    rows: list[tuple[str, ...]] = []
    if turns := results["rows"].get("accept"):
        size, threads = turns[0]["written_bytes"], turns[0]["threads"]
        ways = {
            "disk": f"the disk alone: {size:,} bytes written and synchronised",
            "one": "one thread, one by one",
            "threads": f"{threads} threads that share a kiosk, one by one",
            **{str(n): f"one thread, {n:,} in a batch" for n in BATCHES},
        }
        rows += [(text, *_way(turns, name)) for name, text in ways.items()]
    if turns := results["rows"].get("emit"):
        rows.append(("`attente kiosk emit`, through a pipe", spread(over(turns, "events_per_s")), *["–"] * 3))
    return Table(
        "Accepting", ("what", "events/s", "a call, ms: median", "one in 100 is longer", "× the disk alone"), rows
    )


def _way(turns: Turns, name: str) -> tuple[str, ...]:
    way = ("ways", name)
    enough = over(turns, *way, "calls").least >= 100  # of fewer one in a hundred would be the longest
    ratio = times(turns, (*way, "us"), ("ways", "disk", "us"))
    return (
        spread(over(turns, *way, "events_per_s")),
        spread(over(turns, *way, "p50_us", scale=1e-3), 2),
        spread(over(turns, *way, "p99_us", scale=1e-3), 2) if enough else "–",
        "1" if name == "disk" else spread(ratio, 2),
    )


def sending(results: Results) -> Table:
    """The whole way: accepted, sent, acknowledged."""
    found = results["rows"]
    rows: list[tuple[str, ...]] = []
    for name, signed in DRAINS.items():
        if turns := found.get(name):
            text = f"draining a spool of {turns[0]['events']:,} events{signed}"
            rows.append((text, spread(over(turns, "events_per_s")), spread(over(turns, "cpu_us"), 1)))
    if turns := found.get("sending"):
        rows.append(
            (
                "accepting one by one, and sending meanwhile",
                spread(over(turns, "ways", "sending", "events_per_s")),
                "–",
            )
        )
    return Table("Sending", ("what", "events/s", "CPU per event, µs"), rows)


def needs(results: Results) -> Table:
    """Memory and start."""
    rows: list[tuple[str, ...]] = []
    if turns := results["rows"].get("memory"):
        rows.append(("memory: Python alone, MB", spread(over(turns, "bare_bytes", scale=1 / MB), 1), "–"))
    for text, turns, name in _states(results):
        rows.append((f"memory: {text}, MB", spread(over(turns, name, scale=1 / MB), 1), f"< {MOST_BYTES // MB}"))
    if turns := results["rows"].get("start"):
        for name, text in _STARTS.items():
            bound = "–" if name == "bare_s" else f"< {MOST_START_S:g}"
            rows.append((f"start: {text}, s", spread(over(turns, name), 2), bound))
    return Table("Memory and start", ("what", "measured", "bound"), rows)


_STARTS: Final = {
    "bare_s": "Python alone",
    "imported_s": "… and `import attente.kiosk`",
    "keeping_s": "… and the first event accepted, by a kiosk that only keeps",
    "sending_s": "… and the first event accepted, by a kiosk that connects meanwhile",
}


def _states(results: Results) -> list[tuple[str, Turns, str]]:
    """The states of a kiosk whose memory was measured: what they are, and where their bytes stand."""
    found = results["rows"]
    states: list[tuple[str, Turns, str]] = []
    if turns := found.get("memory"):
        states.append(("`attente.kiosk` imported", turns, "imported_bytes"))
        states.append(("a kiosk that runs, connected", turns, "connected_bytes"))
    for name, signed in DRAINS.items():
        if turns := found.get(name):
            states.append((f"the most while {turns[0]['events']:,} events are drained{signed}", turns, "peak_bytes"))
    if turns := found.get("holding"):
        states.append((f"no broker, {turns[0]['events']:,} events in the spool", turns, "resident_bytes"))
    return states


def kiosk_tables(results: Results) -> list[Table]:
    """What has been measured, for either medium."""
    return [table for table in (accepting(results), sending(results), needs(results)) if table.rows]


# ---- verdicts


def verdicts(results: Results) -> list[Verdict]:
    """Whether a kiosk keeps to its bounds, and everything acknowledged was there."""
    return [
        verdict
        for make in (_on_memory, _on_start, _on_imports, _on_full, _on_account)
        if (verdict := make(results)) is not None
    ]


def _on_memory(results: Results) -> Verdict | None:
    states = _states(results)
    if not states:
        return None
    most = max(over(turns, name).greatest for _, turns, name in states)
    is_so = most < MOST_BYTES
    text = f"Memory: at most {most / MB:.1f} MB in any state and round; under {MOST_BYTES // MB} MB it is to be: "
    return Verdict(f"{text}{so(is_so)}.", is_so)


def _on_start(results: Results) -> Verdict | None:
    turns = results["rows"].get("start")
    if not turns:
        return None
    longest = max(over(turns, name).greatest for name in _STARTS)
    is_so = longest < MOST_START_S
    text = f"Start: at most {longest:.2f} s to the first accepted event; under {MOST_START_S:g} s it is to be: "
    return Verdict(f"{text}{so(is_so)}.", is_so)


def _on_imports(results: Results) -> Verdict | None:
    turns = results["rows"].get("memory")
    if not turns:
        return None
    found = sorted({name for turn in turns for name in turn["foreign"]})
    what = ", ".join(f"`{name}`" for name in found) or "nothing of them"
    text = f"Imports: Faust, aiokafka, the core and what only commands need have no business here; {what} is imported: "
    return Verdict(f"{text}{so(not found)}.", not found)


def _on_full(results: Results) -> Verdict | None:
    turns = results["rows"].get("full")
    if not turns:
        return None
    cpu = times(turns, ("cpu_us_many",), ("cpu_us_few",))
    call = times(turns, ("ways", "many", "p50_us"), ("ways", "few", "p50_us"))
    is_so = max(cpu.middle, call.middle) <= SAME
    text = (
        f"A full spool: beside one of {turns[0]['few']:,} events, one of {turns[0]['many']:,} takes an event in "
        f"{spread(call, 2)} times the time and {spread(cpu, 2)} times the CPU; at most {SAME:g} is the same: "
    )
    return Verdict(f"{text}{so(is_so)}.", is_so)


def _on_account(results: Results) -> Verdict | None:
    turns = [turn for name in (*DRAINS, "sending") for turn in results["rows"].get(name, [])]
    if not turns:
        return None
    acknowledged, arrived = (sum(turn[name] for turn in turns) for name in ("events", "arrived"))
    twice = sum(turn["twice"] for turn in turns)
    is_so = arrived == acknowledged
    text = f"Account: {acknowledged:,} events acknowledged, {arrived:,} in the topics, {twice:,} of them twice: "
    return Verdict(f"{text}{so(is_so)}.", is_so)


# ---- the section


def command(options: Mapping[str, Any]) -> str:
    """How the run is repeated."""
    changed = " ".join(f"--{name}={options[name]}" for name in USUAL if options[name] != USUAL[name])
    return f'make bench-kiosk KIOSK_ARGS="{changed}"' if changed else "make bench-kiosk"


def kiosk_section(results: Results) -> str:
    """All tables, what they were measured on, and the verdicts."""
    facts, options = results["machine"], results["options"]
    memory = facts["memory_bytes"] / 1024**3
    parts = [
        "## A kiosk",
        f"""\
Measured on {facts["date"]} by

    {command(options)}

{facts["cores"]} cores ({facts["processor"]}), {memory:.0f} GiB, {facts["python"]}, Apache Kafka {facts["kafka"]} on the
same machine, load {facts["load_before"]} before and {facts["load_after"]} at the end. Median of {options["repeat"]}
rounds, in parentheses least and greatest; every part in a process of its own.""",
    ]
    texts = {"Accepting": _said_of_accepting, "Sending": _said_of_sending, "Memory and start": _said_of_needs}
    for table in kiosk_tables(results):
        parts += [f"### {table.title}", markdown(table), texts[table.title](results)]
    lines = [f"- {one.text}" for one in verdicts(results)]
    lines += [f"- Not measured: {name}: {why}" for name, why in results["void"].items()]
    return "\n\n".join(part for part in (*parts, "\n".join(lines)) if part)


def _said_of_accepting(results: Results) -> str:
    said = """An event is accepted when the call returns, and then it is synchronised to the disk. The disk alone writes
and synchronises as many bytes as one event makes SQLite write, on the same folder, in turns with the others; × is the
time per event as a multiple of the disk's in the same round. What comes on top is the making and checking of the event,
SQLite, and now and then the move of its log into its file. A call takes one event, or one batch of so many."""
    if turns := results["rows"].get("accept"):
        ratio = times(turns, ("ways", "threads", "events_per_s"), ("ways", "one", "events_per_s"))
        said += f""" Threads that report at once share synchronisations: {turns[0]["threads"]} of them come to
{spread(ratio, 2)} times the events of one."""
    return said


def _said_of_sending(results: Results) -> str:
    said = [
        """From the first acknowledgement to the last, one partition, `acks=all`, idempotent; everything was counted in
the topic afterwards."""
    ]
    found = results["rows"]
    if (plain := found.get("drain")) and (signed := found.get("drain_signed")):
        rate = times(signed, ("events_per_s",), ("events_per_s",), plain)
        cpu = times(signed, ("cpu_us",), ("cpu_us",), plain)
        said.append(f"Signed it is {spread(rate, 2)} times as many events/s, at {spread(cpu, 2)} times the CPU.")
    if turns := found.get("signing"):
        said.append(
            f"To make and check an event takes {spread(over(turns, 'making_us'), 1)} µs of CPU, to sign it "
            f"{spread(over(turns, 'signing_us'), 1)} µs."
        )
    if turns := found.get("sending"):
        ratio = times(turns, ("ways", "sending", "us"), ("ways", "taking", "us"))
        said.append(
            f"""Accepting and sending at once counts until all is acknowledged, and takes {spread(ratio, 2)} times as
long as accepting alone in the same round; at most {max(turn["held"] for turn in turns):,} events were in the spool when
the last was accepted. One event by itself, from the call to the broker's word for it, takes
{spread(over(turns, "ways", "single", "p50_us", scale=1e-3), 1)} ms (median), one in a hundred more than
{spread(over(turns, "ways", "single", "p99_us", scale=1e-3), 1)} ms."""
        )
    return " ".join(said)


def _said_of_needs(results: Results) -> str:
    said = "Resident memory of the whole process, in MB of 1,000,000 bytes; seconds from the start of the process."
    if turns := results["rows"].get("emit"):
        said += f" `attente kiosk emit` has accepted its first event after {spread(over(turns, 'start_s'), 2)} s."
    return said
