"""The page that Prometheus scrapes, and how the worker is: an HTTP server in threads of its own.

Nothing here runs in the event loop, and nothing waits for ever: a request that cannot be answered in time gets one
line that says so.
"""

import logging
from collections.abc import Callable
from email.message import Message
from http import HTTPStatus
from types import TracebackType
from typing import Final, Self

from prometheus_client.exposition import gzip_accepted

import attente
from attente.core.view import WorkerHealth
from attente.metrics.collector import ViewCollector
from attente.metrics.httpd import Answer, CannotListen, Httpd, line
from attente.metrics.pages import Pages, Shared, TookTooLongError
from attente.registry.entities import Registry

__all__ = ["CannotListen", "MetricsServer", "missing"]

log = logging.getLogger(__name__)

TIMEOUT_S: Final = 10.0
"""How long a request waits for the figures that does not say how long it would: Prometheus' own default."""

_LONGEST_S: Final = 60.0
_MARGIN_S: Final = 0.5  # what is left of a scraper's patience to bring it the page, or the line that says why not
_PATIENCE: Final = "X-Prometheus-Scrape-Timeout-Seconds"

_NAMED: Final = 3  # as many partitions as a line can name and stay a line

_INDEX: Final = f"""attente {attente.__version__}
/metrics  what Prometheus scrapes: text, or OpenMetrics by the Accept header
/healthz  200 while the process does its work
/readyz   200 once everything that this worker owns is caught up and shown"""


class MetricsServer:
    """Serves `/metrics`, `/healthz` and `/readyz`.

    A scrape that arrives while a page of its format is being rendered gets that page, and only one page is rendered
    at a time. `collector.source` is called in threads of the server's own, never in more than two at once.

    Args:
        collector: what is shown.
        healthy: whether the process does its work, and one line about it; it must not wait.
        host: the address to listen on; the loopback unless told otherwise.
        port: 0 takes any free one.
        timeout_s: how long a request waits for the figures before it is refused with 503, unless it says how long it
            can wait itself, as Prometheus does.
    """

    def __init__(
        self,
        collector: ViewCollector,
        healthy: Callable[[], tuple[bool, str]],
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self._healthy = healthy
        self._host = host
        self._port = port
        self._timeout_s = timeout_s
        self._collector = collector
        self._pages = Pages(collector)
        self._view = Shared(collector.source)
        self._httpd: Httpd | None = None
        self._routes: dict[str, Callable[[Message], Answer]] = {
            "/": lambda _: line(HTTPStatus.OK, _INDEX),
            "/metrics": self._metrics,
            "/healthz": self._healthz,
            "/readyz": self._readyz,
        }

    def start(self) -> None:
        """Listens, and returns at once.

        Raises:
            CannotListen: when the address cannot be had.
        """
        if self._httpd is None:
            self._httpd = Httpd(self._host, self._port, self._answer)
            self._httpd.start()

    def show(self, registry: Registry) -> None:
        """From now on the facts of another registry are on the page."""
        self._collector.registry = registry

    def stop(self, grace_s: float = 2.0) -> None:
        """Accepts nothing more and waits up to `grace_s` seconds for the answers on their way. May be called twice."""
        if self._httpd is not None:
            self._httpd.stop(grace_s)
            self._httpd = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def port(self) -> int:
        """The port that it listens on; before `start` the one that it was told."""
        return self._httpd.port if self._httpd else self._port

    @property
    def url(self) -> str:
        """Where it is, without a path."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self.port}"

    def _answer(self, path: str, headers: Message) -> Answer:
        route = self._routes.get(path)
        if route is None:
            return line(HTTPStatus.NOT_FOUND, f"nothing at {path!a}; there are {', '.join(self._routes)}")
        try:
            return route(headers)
        except TookTooLongError:
            why = f"no figures within {self._patience(headers):.3g} s: the worker is busy or stuck"
        except Exception as error:
            log.exception("no answer at %s", path)
            why = " ".join(f"no answer: {type(error).__name__}: {error}".split())
        return line(HTTPStatus.SERVICE_UNAVAILABLE, why)

    def _metrics(self, headers: Message) -> Answer:
        page = self._pages.get(headers.get("Accept", ""), self._patience(headers))
        return page.answer(is_gzip=gzip_accepted(headers.get("Accept-Encoding", "")))

    def _patience(self, headers: Message) -> float:
        """How long a request waits: as long as a scraper says that it does, so that a long time-out of it is of use."""
        told = headers.get(_PATIENCE, "")
        try:
            limit_s = float(told) - _MARGIN_S
        except ValueError:
            return self._timeout_s
        return min(limit_s, _LONGEST_S) if limit_s > 0 else self._timeout_s

    def _healthz(self, _: Message) -> Answer:
        is_healthy, why = self._healthy()
        return line(HTTPStatus.OK if is_healthy else HTTPStatus.SERVICE_UNAVAILABLE, why)

    def _readyz(self, _: Message) -> Answer:
        health = self._view.get(self._timeout_s).health
        if health.ready:
            return line(HTTPStatus.OK, "ready")
        return line(HTTPStatus.SERVICE_UNAVAILABLE, f"not ready: {missing(health)}")


def missing(health: WorkerHealth) -> str:
    """What a worker that is not ready waits for, in one line."""
    if not health.partitions:
        return f"none of {health.partitions_total} partitions is assigned yet"
    behind = [partition for partition in health.partitions if not partition.shown]
    if not behind:
        return "every partition is caught up, but the group has not settled"
    named = ", ".join(f"{partition.partition} ({partition.lag} events behind)" for partition in behind[:_NAMED])
    more = f" and {len(behind) - _NAMED} more" if len(behind) > _NAMED else ""
    return f"{len(behind)} of {len(health.partitions)} owned partitions not shown yet: {named}{more}"
