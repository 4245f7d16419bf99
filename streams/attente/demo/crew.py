"""The workers of a run, and what their pages say together."""

import threading
from collections.abc import Mapping
from typing import Final

from attente.demo.connection import flags_of, secrets_of
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

LIVE: Final[Mapping[str, int]] = {"checkpoint-seconds": 60, "session-timeout-seconds": 6}
"""Somebody who kills a worker by a key waits for the session to end, and wants to see checkpoints used."""


class Crew:
    """Some workers with one group; more can be started, and some be killed for good.

    Attributes:
        workers: by name, those that have been killed for good left out.
        watch: what all rounds of pages have been looked at by.
    """

    def __init__(self, ground: Ground, count: int, settings: Mapping[str, int], most: int = 0) -> None:
        """Nothing is started yet.

        Args:
            ground: where they work.
            count: how many.
            settings: of every worker, by flag.
            most: how many there may ever be at once; 0 is `count`.
        """
        self.workers: dict[str, WorkerProcess] = {}
        self.watch = Watch()
        self._ground = ground
        self._settings = settings
        self._hired = 0
        self._scraper = Scraper(max(count, most))
        for _ in range(count):
            self._hire()

    def start(self) -> None:
        """Start all of them."""
        for worker in self.workers.values():
            worker.start()
        self.remember()

    def add(self) -> WorkerProcess:
        """Start one more, under a name that none has had."""
        worker = self._hire()
        worker.start()
        self.remember()
        return worker

    def kill(self, name: str) -> WorkerProcess:
        """`kill -9` one that will not come back."""
        worker = self.workers.pop(name)
        worker.kill()
        self.remember()
        return worker

    def remember(self) -> None:
        """Write down who runs now."""
        self._ground.folder.remember(
            "workers", (one for worker in self.workers.values() if (one := worker.identity) is not None)
        )

    def pages(self) -> list[Page]:
        """The pages of all who answer; each round is watched, and one that leaves a doubt is taken again at once."""
        pages = self._round()
        return self._round() if self.watch.is_in_doubt else pages

    def _round(self) -> list[Page]:
        # A list: somebody may be added or killed meanwhile.
        urls = {name: url for name, worker in list(self.workers.items()) if (url := worker.url) is not None}
        pages = self._scraper.pages(urls)
        self.watch.observe(pages)
        return pages

    def check(self, missing: str | None = None) -> None:
        """See whether all run but the one that may be missing.

        Raises:
            ChildEnded: one has ended by itself.
        """
        for name, worker in self.workers.items():
            if name != missing and (why := worker.ended()) is not None:
                raise why

    def stop(self, hurry: threading.Event) -> list[str]:
        """End all of them; gives the titles of those that had to be killed."""
        self._scraper.close()
        return stop_all(list(self.workers.values()), hurry)

    def _hire(self) -> WorkerProcess:
        name, folder = f"w{self._hired}", self._ground.folder
        self._hired += 1
        flags = {
            "broker": self._ground.bootstrap,
            "prefix": folder.prefix,
            "group": folder.name,
            "registry": folder.registry,
            "worker": name,
            "metrics-host": _HOST,
            "metrics-port": 0,
            **flags_of(self._ground.security),
            **self._settings,
        }
        arguments = [text for flag, value in flags.items() for text in (f"--{flag}", str(value))]
        self.workers[name] = worker = WorkerProcess(name, arguments, folder.path, secrets_of(self._ground.security))
        return worker
