"""`make bench-growth`: how CPU and memory grow with offices, open tickets and partitions, and what a scrape costs.

Everything from memory, without Kafka; every point in a process of its own, so that its resident memory is its own.
Exit codes as the command has them: 0 measured, 1 a point failed, 2 wrong usage.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, Final, NamedTuple

import click
from rich.console import Console

from attente.metrics.series import series_count
from benchmarks.command import run_command
from benchmarks.growth_report import RESULTS, USUAL, growth_tables
from benchmarks.growth_scrape import network as network_of
from benchmarks.machine import load, machine
from benchmarks.process import Failed
from benchmarks.report import terminal
from benchmarks.tape import FEWEST_PER_OFFICE, Shape, ensure
from benchmarks.worker import SOURCES

ROOT: Final = Path(__file__).resolve().parents[1]
PARTITIONS: Final = 4
SCRAPED_EVENTS: Final = 2_000
"""Events of an office in a day whose pages are scraped: half before, half while."""
_console: Final = Console(stderr=True)


class Point(NamedTuple):
    """What is measured in one process.

    Attributes:
        axis: what grows.
        x: how many there are of it.
        shape: of the tape that it needs.
        command: the program and its arguments but for the tape's folder.
    """

    axis: str
    x: int
    shape: Shape
    command: tuple[str, ...]


def say(line: str) -> None:
    """Tell what is being done."""
    _console.print(f"[dim]{line}[/dim]", highlight=False)


def offices_for(series: int) -> int:
    """How many offices of the benchmark's network have a page of about so many series: the nearest, at least one."""
    one = series_count(network_of(1, PARTITIONS), partitions=PARTITIONS)
    each = series_count(network_of(2, PARTITIONS), partitions=PARTITIONS) - one
    return max(1, round((series - (one - each)) / each))


def points(axes: dict[str, tuple[int, ...]], events: int, offices: int) -> Iterator[Point]:
    """What is to be measured: an equal number of events everywhere but where tickets or series grow.

    Args:
        axes: the numbers of each.
        events: on the tapes; more, where the most offices need more.
        offices: of the network where offices do not grow.
    """
    equal = max(events, FEWEST_PER_OFFICE * max((offices, *axes.get("offices", ()))))
    usual = Shape(events=equal, offices=offices, partitions=PARTITIONS)
    state = "benchmarks.growth_state"
    for x in axes.get("offices", ()):
        yield Point("offices", x, Shape(events=equal, offices=x, partitions=PARTITIONS), (state,))
    for x in axes.get("waiting", ()):
        yield Point("waiting", x, usual, (state, "--waiting", str(x)))
    for x in axes.get("partitions", ()):
        yield Point("partitions", x, Shape(events=equal, offices=offices, partitions=x), (state,))
    for x in axes.get("series", ()):
        found = offices_for(x)
        shape = Shape(events=SCRAPED_EVENTS * found, offices=found, partitions=PARTITIONS)
        yield Point("series", x, shape, ("benchmarks.growth_scrape",))


def make_tapes(shapes: Iterable[Shape], home: Path) -> None:
    """Make the tapes that are not there yet, as many at once as there are processors: nothing is measured meanwhile."""
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for done in [pool.submit(ensure, shape, home, say) for shape in dict.fromkeys(shapes)]:
            done.result()


def measure(point: Point, home: Path) -> dict[str, Any]:
    """One point, in a process of its own.

    Raises:
        Failed: the process ended with an error.
    """
    module, *arguments = point.command
    folder = ensure(point.shape, home, say).path.parent
    done = subprocess.run(
        [sys.executable, "-m", module, str(folder), *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{SOURCES}{os.pathsep}{ROOT}"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.stderr.write(done.stderr)  # all of it for whoever looks on; what it comes to, without places, for the page
        message = f"{module} ended with {done.returncode}: {done.stderr.strip().rpartition(chr(10))[2]}"
        raise Failed(message)
    found: dict[str, Any] = json.loads(done.stdout)
    return {"x": point.x, **found}


def _numbers(axis: str) -> Callable[[click.Context, click.Parameter, str], tuple[int, ...]]:
    def parse(_context: click.Context, _parameter: click.Parameter, value: str) -> tuple[int, ...]:
        try:
            numbers = tuple(int(text.replace("_", "")) for text in value.split(",") if text.strip())
        except ValueError:
            numbers = (0,)
        if any(number < 1 for number in numbers):
            message = f"{value!r} is no list of whole numbers above 0; write for example {USUAL[axis]}"
            raise click.BadParameter(message)
        return numbers

    return parse


def _axis(name: str, text: str) -> Callable[[Callable[..., int]], Callable[..., int]]:
    return click.option(
        f"--{name}", callback=_numbers(name), default=USUAL[name], show_default=True, metavar="N,…", help=text
    )


def _count(name: str, text: str) -> Callable[[Callable[..., int]], Callable[..., int]]:
    return click.option(f"--{name}", type=click.IntRange(1), default=int(USUAL[name]), show_default=True, help=text)


@click.command(help=__doc__.partition("\n\n")[0])
@_axis("offices", "Numbers of offices; an empty list measures none.")
@_axis("waiting", "Numbers of visits that wait at once.")
@_axis("partitions", "Numbers of partitions.")
@_axis("series", "About how many series a page has.")
@_count("events", "Of each tape, at least.")
@_count("network", "Offices where others grow.")
@_count("repeat", "Turns of all points.")
@click.option("--data", type=click.Path(path_type=Path), default=Path(".attente"), help="Folder for the tapes.")
@click.option(
    "--json", "file", type=click.Path(path_type=Path), default=RESULTS / "growth.json", help="Where the results go."
)
def growth(data: Path, file: Path, events: int, network: int, repeat: int, **axes: tuple[int, ...]) -> int:
    """Measure."""
    home = data.absolute() / "bench"
    results: dict[str, Any] = {
        "machine": machine(),
        "options": {"events": events, "network": network, "repeat": repeat, **axes},
        "points": {},
        "void": {},
    }
    wanted = list(points(axes, events, network))
    make_tapes((point.shape for point in wanted), home)
    for turn in range(1, repeat + 1):
        for point in wanted:
            say(f"{point.axis} {point.x:,}, turn {turn} of {repeat}")
            try:
                results["points"].setdefault(point.axis, []).append(measure(point, home))
            except Failed as error:  # one point that cannot be measured must not stop the others
                _console.print(f"[red]void:[/red] {error}", highlight=False)
                results["void"][f"{point.axis} {point.x:,}"] = " ".join(str(error).split())
    results["machine"]["load_after"] = load()
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    for table in growth_tables(results):
        Console().print(terminal(table))
    return 1 if results["void"] else 0


if __name__ == "__main__":
    run_command(growth)
