"""The section on a kiosk's client of `docs/benchmarks.md`."""

from collections.abc import Callable, Iterable
from statistics import median
from typing import Any, Final

from benchmarks.report import MIB, Table, markdown
from benchmarks.summary import Results

MOST_BYTES: Final = 60 * MIB  # what the client is to need at most
MOST_START_S: Final = 1.0


def kiosk_section(results: Results) -> str:
    """What was measured, and what to make of it."""
    facts, options = results["machine"], results["options"]
    memory = facts["memory_bytes"] / 1024**3
    parts = [
        "## The client of a kiosk",
        f"""\
Measured on {facts["date"]} by

    make bench-kiosk

{facts["cores"]} cores ({facts["processor"]}), {memory:.0f} GiB, {facts["python"]}, Apache Kafka {facts["kafka"]} on
the same machine, load {facts["load_before"]} before and {facts["load_after"]} at the end. Medians of
{options["rounds"]} turns, in parentheses the least and the greatest; every step in a process of its own.""",
        *(
            part
            for table in (_accepting(results), _sending(results))
            for part in (f"### {table.title}", markdown(table))
        ),
        _on_the_spool(results),
        *(
            part
            for table in (_needs(results), _signatures(results))
            for part in (f"### {table.title}", markdown(table))
        ),
        _on_signatures(results),
    ]
    return "\n\n".join(parts)


def _spread(values: Iterable[float], digits: int = 0) -> str:
    found = sorted(values)
    return f"{median(found):,.{digits}f} ({found[0]:,.{digits}f}–{found[-1]:,.{digits}f})"


def _speed(one: Results) -> float:
    return float(one["events"] / one["seconds"])


def _accepting(results: Results) -> Table:
    turns = results["turns"]

    def each(name: str) -> tuple[str, str]:
        rate = _spread(1e6 / turn[name]["mean"] for turn in turns)
        return (
            rate,
            f"{median(turn[name]['p50'] for turn in turns):,.0f} / {median(turn[name]['p99'] for turn in turns):,.0f}",
        )

    rows = [
        ("the disk alone: as many bytes appended to a file and synchronised", *each("disk")),
        ("an event after the other, one synchronisation each", *each("one")),
        (
            "four threads that share a kiosk, one synchronisation each",
            _spread(_speed(turn["threads"]) for turn in turns),
            "–",
        ),
        *(
            (f"in batches of {int(size):,}", _spread(_speed(turn["batches"][size]) for turn in turns), "–")
            for size in turns[0]["batches"]
        ),
        (
            "`attente kiosk emit`, fed through a pipe, its start included",
            _spread(_speed(turn["emit"]) for turn in turns),
            "–",
        ),
    ]
    return Table(
        "Accepting: on the disk when it returns", ("what", "events/s", "µs an event, median / 99 of 100"), rows
    )


def _sending(results: Results) -> Table:
    sent = results["sent"]

    def drained(name: str) -> tuple[str, str]:
        cpu = _spread((turn[name]["cpu_s"] / turn[name]["events"] * 1e6 for turn in sent), 1)
        return _spread(_speed(turn[name]) for turn in sent), cpu

    events = results["options"]["drained"]
    rows = [
        (f"{events:,} held, sent and acknowledged", *drained("plain")),
        (f"{events:,} held, signed, sent and acknowledged", *drained("signed")),
        (
            "accepted one by one as fast as the disk lets them, and sent meanwhile: accepted",
            _spread(turn["live"]["accepted"] / turn["live"]["seconds"] for turn in sent),
            "–",
        ),
        ("… acknowledged", _spread(turn["live"]["acknowledged"] / turn["live"]["seconds"] for turn in sent), "–"),
    ]
    return Table("Sending, in order, to a broker on the same machine", ("what", "events/s", "CPU µs an event"), rows)


def _on_the_spool(results: Results) -> str:
    few, many = results["full"]["few"], results["full"]["many"]
    left = max(turn["live"]["held"] for turn in results["sent"])
    return f"""\
With {results["options"]["held"]:,} events in the spool an event is accepted in {many["p50"]:,.0f} µs (median), with 100
in {few["p50"]:,.0f}, in turns: × {many["p50"] / few["p50"]:.2f}. While events were accepted as fast as the disk lets
them, at most {left:,} were held at the end of a turn. A large office makes one event in some seconds: what matters of
these figures is the 99 of 100, which is what a visitor waits for before the ticket is printed, and the draining, which
is how soon a network knows what an office did while its line was down."""


def _needs(results: Results) -> Table:
    turns, sent = results["turns"], results["sent"]

    def size(what: str, values: Iterable[float]) -> tuple[str, str, str]:
        found = list(values)
        return what, _spread((one / MIB for one in found), 1), f"< {MOST_BYTES // MIB}"

    def resident(name: str) -> Callable[[Any], float]:
        return lambda turn: float(turn["start"][name])

    rows = [
        size("resident after `import attente.kiosk`, MiB", map(resident("imported_bytes"), turns)),
        size("… after the first event, without a Kafka client, MiB", map(resident("accepted_bytes"), turns)),
        size("… after a drain, MiB", (turn["plain"]["resident_bytes"] for turn in sent)),
        size("… and the most in between, signing, MiB", (turn["signed"]["peak_bytes"] for turn in sent)),
        (
            "start of Python to the first accepted event, s",
            _spread((turn["start"]["seconds"] for turn in turns), 2),
            f"< {MOST_START_S:.0f}",
        ),
    ]
    return Table("What it needs", ("what", "measured", "to be"), rows)


def _signatures(results: Results) -> Table:
    found = results["verified"]
    rows = [
        (f"worker, `signatures: {mode}`", f"{cost['us']:.1f}", f"{cost['more_us']:+.1f}", f"{cost['times_off']:.2f}")
        for mode, cost in found["modes"].items()
    ]
    made = _spread((turn["sign"]["p50"] for turn in results["turns"]), 1)
    return Table(
        "Signatures",
        ("what", "µs an event", "more than `off`", "times `off`"),
        [("kiosk, making one", made, "–", "–"), *rows],
    )


def _on_signatures(results: Results) -> str:
    found = results["verified"]
    return f"""\
Worker: CPU of the {found["core"]} core from records to figures, {found["events"]:,} events of {found["bytes"]} bytes of
one office, the modes in turns in one process, medians of {found["rounds"]} rounds
(`python -m benchmarks.signatures`)."""
