"""`make bench`: measures the product beside an idiomatic Faust worker, on one tape, in one run.

Rows take turns, so that whatever else the machine does touches all of them; medians and ratios count, not seconds.
A row whose totals are wrong is void. Exit codes as the command has them: 0 all rows measured, 1 a row is void, 2 wrong
usage, 4 the broker fails, 5 something is not installed.
"""

import itertools
import json
import os
import secrets
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import click
from rich.console import Console

from benchmarks import tape as tapes
from benchmarks.command import run_command
from benchmarks.compiled import compile_core, run_oracle
from benchmarks.drain import drain
from benchmarks.hashes import agreement, campaign
from benchmarks.machine import load, machine
from benchmarks.peer import ROOT, idle
from benchmarks.process import Failed
from benchmarks.report import USUAL, tables
from benchmarks.restarts import restarts
from benchmarks.stage import Stage, on_stage
from benchmarks.worker import SOURCES

ROWS: Final = ("drain", "checkpoints", "idiomatic", "compiled", "core", "hashes", "restarts")
OFTEN: Final = 50_000
"""Events between two checkpoints of a partition, in the row that writes many."""
CAMPAIGNS: Final = ((1, 0), (3, 0), (1, 3), (3, 6))
"""Workers and kills of each drain whose state hashes are compared."""
SESSION_S: Final = 10

_console: Final = Console(stderr=True)


def say(line: str) -> None:
    """Tell what is being done."""
    _console.print(f"[dim]{line}[/dim]", highlight=False)


class Bench:
    """One run.

    Attributes:
        results: what has been measured, as it goes into the file.
    """

    def __init__(self, stage: Stage, options: dict[str, Any]) -> None:
        self._stage = stage
        self._options = options
        self._name = f"bench-{secrets.token_hex(3)}"
        self._numbers = itertools.count(1)
        self._compiled: Path | None = None
        self.results: dict[str, Any] = {
            "machine": machine(),
            "options": {name: value for name, value in options.items() if name not in {"data", "json"}},
            "tape": asdict(stage.tape.facts),
            "rows": {},
            "void": {},
        }

    def run(self, rows: tuple[str, ...]) -> None:
        """Measure some rows."""
        if "compiled" in rows:
            self._try("compiled", self._compile)
        turns: dict[str, Callable[[], Any]] = {
            "drain": lambda: drain(self._stage, self._group()),
            "idiomatic": self._idle,
            "checkpoints": lambda: drain(self._stage, self._group(), checkpoint_events=OFTEN),
            "compiled": lambda: drain(self._stage, self._group(), self._compiled or SOURCES),
            "core": lambda: self._core(SOURCES),
            "core_compiled": lambda: self._core(self._compiled or SOURCES),
            "restarts": lambda: restarts(self._stage, self._group(), SESSION_S),
        }
        if "core" in rows and self._compiled is not None:
            rows = (*rows, "core_compiled")
        for turn in range(1, self._options["repeat"] + 1):
            for name, work in turns.items():
                if name in rows and name not in self.results["void"]:
                    say(f"{name}, turn {turn} of {self._options['repeat']}")
                    self._try(name, lambda name=name, work=work: self._add(name, work()))  # type: ignore[misc]
        if "hashes" in rows:
            self._try("hashes", self._hashes)
        self.results["machine"]["load_after"] = load()

    def _group(self) -> str:
        return f"{self._name}-{next(self._numbers)}"

    def _add(self, row: str, result: Any) -> None:
        self.results["rows"].setdefault(row, []).append(result if isinstance(result, dict) else asdict(result))

    def _try(self, row: str, work: Callable[[], None]) -> None:
        """A row that cannot be measured, or has counted wrong, must not stop the others."""
        try:
            work()
        except Failed as error:
            _console.print(f"[red]{row} is void:[/red] {error}", highlight=False)
            self.results["void"][row] = " ".join(str(error).split())
            self.results["rows"].pop(row, None)

    # ---- rows

    def _compile(self) -> None:
        self._compiled = compile_core(self._stage.home, say)
        say("holding the compiled core equal to the oracle")
        self.results["oracle"] = run_oracle(self._compiled)

    def _idle(self) -> Any:
        records = list(self._stage.tape.records(self._options["sample"]))
        topic = self._stage.load_sample(records)
        return idle(self._stage, topic, self._group(), records)

    def _core(self, sources: Path) -> Any:
        command = [sys.executable, "-m", "benchmarks.core", str(self._stage.tape.path.parent)]
        done = subprocess.run(
            command,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": f"{sources}{os.pathsep}{ROOT}"},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            message = f"benchmarks.core ended with {done.returncode}: {done.stderr[-2_000:]}"
            raise Failed(message)
        found = json.loads(done.stdout)
        digests = self.results.setdefault("digests", found["whole"]["digests"])
        if found["whole"]["digests"] != digests:
            message = f"the states of the core in {sources.name} are not those of the core measured before"
            raise Failed(message)
        return found

    def _hashes(self) -> None:
        logged = []
        for workers, kills in CAMPAIGNS:
            say(f"hashes, {workers} workers and {kills} kills")
            logged += campaign(self._stage, self._group(), workers, kills, self._options["hash_every"])
        self._add("hashes", agreement(logged, sum(kills for _, kills in CAMPAIGNS)))


def _rows(_context: click.Context, _parameter: click.Parameter, value: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in value.split(","))
    if unknown := [name for name in names if name not in ROWS]:
        message = f"{', '.join(unknown)}: no such row; there are {', '.join(ROWS)}"
        raise click.BadParameter(message)
    return names


def _count(name: str, text: str) -> Callable[[Callable[..., int]], Callable[..., int]]:
    flag = f"--{name.replace('_', '-')}"
    return click.option(flag, type=click.IntRange(1), default=USUAL[name], show_default=True, help=text)


@click.command(help=__doc__.partition("\n\n")[0])
@_count("events", "Events on the tape.")
@_count("offices", "Offices of the network.")
@_count("sample", "Events of the idiomatic row.")
@_count("repeat", "Turns of each row.")
@_count("hash_every", "Offsets from one state hash to the next.")
@click.option("--seed", type=int, default=tapes.Shape().seed, show_default=True, help="Of the tape.")
@click.option("--only", callback=_rows, default=",".join(ROWS), metavar="ROW,…", help=f"Rows: {', '.join(ROWS)}.")
@click.option("--data", type=click.Path(path_type=Path), default=Path(".attente"), help="Folder for tape and broker.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write the results to a file.")
def bench(data: Path, json_file: Path | None, only: tuple[str, ...], **options: Any) -> int:
    """Measure."""
    home = data.absolute() / "bench"
    shape = tapes.Shape(events=options["events"], offices=options["offices"], seed=options["seed"])
    try:
        tape = tapes.ensure(shape, home, say)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    options["sample"] = min(options["sample"], shape.events)
    with on_stage(tape, home, say) as stage:
        run = Bench(stage, {**options, "only": only})
        run.run(only)
    if json_file is not None:
        json_file.write_text(json.dumps(run.results, indent=1), encoding="utf-8")
    for table in tables(run.results):
        Console().print(table)
    return 1 if run.results["void"] else 0


if __name__ == "__main__":
    run_command(bench)
