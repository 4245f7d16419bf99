"""`make bench-signed`: what it costs a worker to look at the signatures of events, plain core and compiled.

Exit codes as the command has them: 0 measured, 1 a core failed, 2 wrong usage.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click
from rich.console import Console

from benchmarks.command import run_command
from benchmarks.compiled import compile_core
from benchmarks.growth_report import RESULTS
from benchmarks.machine import load, machine
from benchmarks.process import Failed
from benchmarks.report import terminal
from benchmarks.signatures_report import USUAL, signatures_table
from benchmarks.worker import SOURCES

ROOT: Final = Path(__file__).resolve().parents[1]
_console: Final = Console(stderr=True)


def say(line: str) -> None:
    """Tell what is being done."""
    _console.print(f"[dim]{line}[/dim]", highlight=False)


def measure(sources: Path, visits: int, rounds: int, *, is_compiled: bool) -> dict[str, Any]:
    """One core, in a process of its own.

    Raises:
        Failed: it ended with an error, or was another core.
    """
    command = [sys.executable, "-m", "benchmarks.signatures_core", f"--visits={visits}", f"--rounds={rounds}"]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{sources}{os.pathsep}{ROOT}"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        message = f"benchmarks.signatures_core ended with {done.returncode}: {done.stderr.strip()[-2_000:]}"
        raise Failed(message)
    found: dict[str, Any] = json.loads(done.stdout)
    if found["is_compiled"] != is_compiled:
        message = f"the core in {sources.name} is {'' if found['is_compiled'] else 'not '}compiled"
        raise Failed(message)
    return found


def _count(name: str, text: str) -> Callable[[Callable[..., int]], Callable[..., int]]:
    return click.option(f"--{name}", type=click.IntRange(1), default=USUAL[name], show_default=True, help=text)


@click.command(help=__doc__.partition("\n\n")[0])
@_count("visits", "On the tape, of four events each.")
@_count("rounds", "Of all modes.")
@click.option("--data", type=click.Path(path_type=Path), default=Path(".attente"), help="Folder for the compiled core.")
@click.option(
    "--json", "file", type=click.Path(path_type=Path), default=RESULTS / "signatures.json", help="Where the results go."
)
def signatures(data: Path, file: Path, visits: int, rounds: int) -> int:
    """Measure."""
    results: dict[str, Any] = {
        "machine": machine(),
        "options": {"visits": visits, "rounds": rounds},
        "rows": {},
        "void": {},
    }
    cores: dict[str, Callable[[], Path]] = {
        "plain": lambda: SOURCES,
        "compiled": lambda: compile_core(data.absolute() / "bench", say),
    }
    for name, sources in cores.items():
        try:
            say(f"{name} core")
            results["rows"][name] = measure(sources(), visits, rounds, is_compiled=name == "compiled")
        except Failed as error:  # without a compiler the plain core is worth measuring
            _console.print(f"[red]void:[/red] {error}", highlight=False)
            results["void"][name] = " ".join(str(error).split())
    results["machine"]["load_after"] = load()
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    Console().print(terminal(signatures_table(results)))
    return 1 if results["void"] else 0


if __name__ == "__main__":
    run_command(signatures)
