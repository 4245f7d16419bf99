"""The workers' pages: fetched all at once, each with the time between question and answer."""

import contextlib
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from typing import Final

from attente.metrics import catalogue as c
from attente.metrics.reading import NotAPage, Reading, read

# As long as a worker itself waits for its figures, and a little more to hear that it has waited in vain.
_TIMEOUT_S: Final = 12.0


@dataclass(frozen=True, slots=True)
class Page:
    """What one worker said.

    Attributes:
        worker: its name.
        reading: the page.
        asked, answered: between which instants it was true (monotonic seconds).
    """

    worker: str
    reading: Reading
    asked: float = 0.0
    answered: float = 0.0

    @property
    def is_ready(self) -> bool:
        """Whether all that the worker owns is caught up and shown."""
        return self.reading.total(c.READY) > 0

    @property
    def shown(self) -> frozenset[int]:
        """The partitions whose figures are on the page."""
        return frozenset(map(int, self.reading.by(c.EVENTS_READ, "partition")))

    @property
    def lag(self) -> int:
        """Events of its partitions that are in the log and not yet applied."""
        return int(self.reading.total(c.PARTITION_LAG))


class Scraper:
    """Asks any number of workers at once."""

    def __init__(self, at_once: int) -> None:
        """Makes as many threads as workers may be asked at once."""
        self._pool = ThreadPoolExecutor(at_once, thread_name_prefix="scrape")

    def close(self) -> None:
        """Ask nobody any more; waits for nothing."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def pages(self, urls: Mapping[str, str]) -> list[Page]:
        """The pages of those who answer, in the order of the names.

        Args:
            urls: where each worker serves, without path, by name.
        """
        asked = [self._pool.submit(_page, name, url) for name, url in sorted(urls.items())]
        return [page for one in asked if (page := one.result()) is not None]


def _page(worker: str, url: str) -> Page | None:
    """The page of a worker; None when it is gone, busy, or breaks off."""
    asked = time.monotonic()
    # Plain HTTP to the loopback: what urllib knows of proxies must not come between.
    connection = HTTPConnection(url.removeprefix("http://"), timeout=_TIMEOUT_S)
    with contextlib.closing(connection):
        try:
            connection.request("GET", "/metrics")
            answer = connection.getresponse()
            text = answer.read().decode()
            if answer.status != HTTPStatus.OK:
                return None
            return Page(worker, read(text), asked, time.monotonic())
        except (OSError, HTTPException, NotAPage):
            return None
