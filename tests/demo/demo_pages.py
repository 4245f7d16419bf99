"""Workers' pages made up for the tests: only the lines that matter."""

from collections.abc import Iterable, Mapping

from attente.demo.pages import Page
from attente.metrics.reading import read


def page(
    worker: str,
    *lines: str,
    ready: bool = True,
    read_of: Mapping[int, int] | None = None,
    lag: int = 0,
) -> Page:
    """The page of a worker.

    Args:
        worker: its name.
        lines: series without the prefix.
        ready: what it says of itself.
        read_of: events read, by partition that it shows; all of them are counted.
        lag: of every partition that it shows.
    """
    shown = [
        line
        for number, count in (read_of or {}).items()
        for line in (
            f'events_read_total{{partition="{number}"}} {count}',
            f'events_counted_total{{partition="{number}"}} {count}',
            f'partition_lag_events{{partition="{number}"}} {lag}',
        )
    ]
    return Page(worker, read(text([f"ready {int(ready)}", *shown, *lines])))


def text(lines: Iterable[str]) -> str:
    """Series as a page has them."""
    return "".join(f"attente_{line}\n" for line in lines)
