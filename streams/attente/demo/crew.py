"""The workers of a run, and what their pages say together."""

import threading
from collections.abc import Mapping
from typing import Final

from attente.demo.ground import Ground
from attente.demo.pages import Page, Scraper
from attente.demo.processes import WorkerProcess, stop_all
from attente.demo.watch import Watch

_HOST: Final = "127.0.0.1"

CALM: Final[Mapping[str, int]] = {"checkpoint-events": 20_000}
"""A month has fewer events than a worker usually puts into a checkpoint; so there are some to be seen."""

HARD: Final[Mapping[str, int]] = {
    "checkpoint-events": 5_000,
    "checkpoint-chunk-bytes": 4_096,
    "fetch-bytes": 64 * 1024,
    "session-timeout-seconds": 6,
}
"""Workers that are killed should be in the middle of something: of batches, of checkpoints and their chunks. The
session is the shortest that Kafka allows."""


class Crew:
    """Some workers with one group.

    Attributes:
        workers: by name.
        watch: what all rounds of pages have been looked at by.
    """

    def __init__(self, ground: Ground, count: int, settings: Mapping[str, int]) -> None:
        """Nothing is started yet.

        Args:
            ground: where they work.
            count: how many.
            settings: of every worker, by flag.
        """
        self.workers: dict[str, WorkerProcess] = {}
        self.watch = Watch()
        self._ground = ground
        self._scraper = Scraper(count)
        folder = ground.folder
        for number in range(count):
            name = f"w{number}"
            flags = {
                "broker": ground.bootstrap,
                "prefix": folder.prefix,
                "group": folder.name,
                "registry": folder.registry,
                "worker": name,
                "metrics-host": _HOST,
                "metrics-port": 0,
                **settings,
            }
            arguments = [text for flag, value in flags.items() for text in (f"--{flag}", str(value))]
            self.workers[name] = WorkerProcess(name, arguments, folder.path)

    def start(self) -> None:
        """Start all of them."""
        for worker in self.workers.values():
            worker.start()
        self.remember()

    def remember(self) -> None:
        """Write down who runs now."""
        self._ground.folder.remember(one for worker in self.workers.values() if (one := worker.identity) is not None)

    def pages(self) -> list[Page]:
        """The pages of all who answer; each round is watched, and one that leaves a doubt is taken again at once."""
        pages = self._round()
        return self._round() if self.watch.is_in_doubt else pages

    def _round(self) -> list[Page]:
        urls = {name: url for name, worker in self.workers.items() if (url := worker.url) is not None}
        pages = self._scraper.pages(urls)
        self.watch.observe(pages)
        return pages

    def check(self, missing: str | None) -> None:
        """See whether all run but the one that may be missing.

        Raises:
            WorkerEnded: one has ended by itself.
        """
        for name, worker in self.workers.items():
            if name != missing and (why := worker.ended()) is not None:
                raise why

    def stop(self, hurry: threading.Event) -> list[str]:
        """End all of them; gives the names of those that had to be killed."""
        self._scraper.close()
        return stop_all(list(self.workers.values()), hurry)
