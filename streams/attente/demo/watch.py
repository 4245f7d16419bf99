"""Watching the pages of all workers: no counter falls, and no partition is on two pages at once."""

from collections.abc import Sequence
from typing import Final

from attente.demo.pages import Page

_NAMED: Final = 1  # series named in a line; hundreds fall together when one partition is wrong


class Watch:
    """Looks at one round of pages after the other.

    Attributes:
        rounds: how many it has looked at.
        violations: what must not be, one line each, in the order in which it was seen.
    """

    def __init__(self) -> None:
        self.rounds = 0
        self.violations: list[str] = []
        self._greatest: dict[str, float] = {}
        self._doubles: dict[int, frozenset[str]] = {}

    @property
    def is_in_doubt(self) -> bool:
        """Whether the last round showed a partition twice: the next one, taken at once, tells what that meant."""
        return bool(self._doubles)

    def observe(self, pages: Sequence[Page]) -> list[str]:
        """Look at the pages of one round.

        A series of the union is what Prometheus sees by `max without (instance)`: the greatest value on any page. A
        partition that is handed over is on no page for some seconds, and that is no fall.

        Pages of one round are not of one instant: one worker may have let go of a partition after it answered and the
        other one have taken it over before. So a partition counts as shown twice at once only when the same two
        workers show it again in the next round: in between, it cannot have changed hands twice.

        Returns:
            What is wrong that was not known before.
        """
        self.rounds += 1
        # What is shown twice goes on for a while; it is told once.
        found = [*self._falls(pages), *(one for one in self._seen_twice(pages) if one not in self.violations)]
        self.violations.extend(found)
        return found

    def _falls(self, pages: Sequence[Page]) -> list[str]:
        union: dict[str, tuple[float, str]] = {}
        for page in pages:
            for series, value in page.reading.counters().items():
                if series not in union or value > union[series][0]:
                    union[series] = value, page.worker
        fallen = []
        for series, (value, worker) in union.items():
            before = self._greatest.get(series, value)
            if value < before:
                fallen.append(f"{series} fell from {before:,.10g} to {value:,.10g} on the page of {worker}")
            # Also downwards: a fall is told once, and what falls further afterwards is another one.
            self._greatest[series] = value
        if len(fallen) > _NAMED:
            return [f"{fallen[0]}, and {len(fallen) - _NAMED:,} other series with it"]
        return fallen

    def _seen_twice(self, pages: Sequence[Page]) -> list[str]:
        showing: dict[int, set[str]] = {}
        for page in pages:
            for partition in page.shown:
                showing.setdefault(partition, set()).add(page.worker)
        doubles = {partition: frozenset(workers) for partition, workers in showing.items() if len(workers) > 1}
        found = [
            f"partition {partition} was shown by {' and '.join(sorted(workers & self._doubles[partition]))} at once"
            for partition, workers in sorted(doubles.items())
            if len(workers & self._doubles.get(partition, frozenset())) > 1
        ]
        self._doubles = doubles
        return found
