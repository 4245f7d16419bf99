"""`attente worker` under measurement."""

import re
import sys
import time
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from typing import Final

import attente
from benchmarks.page import Page
from benchmarks.process import Failed, Process
from benchmarks.stage import Stage

SOURCES: Final = Path(attente.__file__).resolve().parents[1]
"""The folder of the plain product."""

_START_S: Final = 120.0
_SCRAPE_S: Final = 180.0
_SERVES: Final = r" serves http://(\S+):(\d+)/metrics$"
_BEHIND: Final = re.compile(r"(\d+) \((\d+) events behind\)")


class Worker(Process):
    """One worker of a group, with a port of its own for its metrics."""

    def __init__(self, stage: Stage, group: str, name: str, sources: Path = SOURCES, **settings: object) -> None:
        """Start it.

        Args:
            stage: where it works.
            group: the consumer group.
            name: its own name.
            sources: the folder that holds the package `attente`.
            settings: further settings of the product by name, as in `checkpoint_events=50_000`.
        """
        options = {
            "broker": stage.bootstrap,
            "prefix": stage.prefix,
            "group": group,
            "worker": name,
            "registry": stage.tape.registry.resolve(),
            "metrics_port": 0,
            **settings,
        }
        flags = [text for key, value in options.items() for text in (f"--{key.replace('_', '-')}", str(value))]
        super().__init__(
            [sys.executable, "-m", "attente", "worker", *flags],
            {"PYTHONPATH": str(sources.resolve())},
            stage.home / "logs" / f"{group}-{name}.log",
            stage.home,
        )
        self.name = name

    def owned(self, least: int = 1, most: int = 9_999, since: int = 0) -> float:
        """When it owned so many partitions, their states open.

        Args:
            least: how many at least.
            most: how many at most.
            since: pass over so many lines of what it has said.
        """
        # attente: owns {0: 250519, 2: 249049} until {0: 250519, 2: 249049}
        return self.hear(rf"^attente: owns {{(?:\d+: \d+(?:, )?){{{least},{most}}}}} until ", _START_S, since)[0]

    def _address(self) -> tuple[str, int]:
        found = self.hear(_SERVES, _START_S)[1]
        return found[1], int(found[2])

    def page(self) -> Page:
        """What it says on `/metrics`.

        Raises:
            Failed: nothing, for longer than a page can take.
        """
        limit = time.monotonic() + _SCRAPE_S
        while True:
            status, text = self._get("/metrics")
            if status == HTTPStatus.OK:
                return Page(text)
            if time.monotonic() > limit or not self.is_running:
                message = f"no page of metrics, but {text!r}: {self.tail()}"
                raise Failed(message)
            time.sleep(0.1)

    def ready(self) -> tuple[bool, dict[int, int]]:
        """Whether everything it owns is shown, and the lag of the first few partitions that are not."""
        status, text = self._get("/readyz")
        return status == HTTPStatus.OK, {int(p): int(lag) for p, lag in _BEHIND.findall(text)}

    def _get(self, path: str) -> tuple[int, str]:
        """Status and text; 0 where nobody answers."""
        connection = HTTPConnection(*self._address(), timeout=_SCRAPE_S)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        except OSError as error:
            return 0, str(error)
        finally:
            connection.close()
