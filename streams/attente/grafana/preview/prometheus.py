"""What a Prometheus answers, over its HTTP API."""

import http.client
import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from attente.errors import Unreachable

TIMEOUT_S: Final = 60.0

Point = tuple[float, float]
"""An instant in Unix seconds, and a value."""


class QueryRefused(Unreachable):
    """Prometheus does not understand a query, or gave it up."""


@dataclass(frozen=True, slots=True)
class Series:
    """One series of an answer: its labels, `__name__` among them where it has one, and its points in order of time."""

    labels: Mapping[str, str]
    points: tuple[Point, ...]

    @property
    def last(self) -> float:
        """The newest value."""
        return self.points[-1][1]


class Prometheus:
    """Asks one Prometheus.

    Attributes:
        url: where it is, with the path under which it serves, if any.
    """

    def __init__(self, url: str, timeout_s: float = TIMEOUT_S) -> None:
        """Nothing is asked yet.

        Args:
            url: as in http://127.0.0.1:9090.
            timeout_s: how long an answer may take.
        """
        self.url = url.rstrip("/")
        self._timeout_s = timeout_s

    def instant(self, promql: str, at_s: float) -> list[Series]:
        """The value of every series at an instant.

        Raises:
            QueryRefused: it is no query, or took too long.
            Unreachable: nothing that is a Prometheus answers.
        """
        data = self._get("query", {"query": promql, "time": f"{at_s:.3f}"})
        if data["resultType"] == "scalar":
            return [Series({}, (_point(data["result"]),))]
        return [Series(row["metric"], (_point(row["value"]),)) for row in data["result"]]

    def range(self, promql: str, begin_s: float, end_s: float, step_s: float) -> list[Series]:
        """The values of every series from one instant to another; raises as `instant` does."""
        asked = {"query": promql, "start": f"{begin_s:.3f}", "end": f"{end_s:.3f}", "step": f"{step_s:.3f}"}
        data = self._get("query_range", asked)
        return [Series(row["metric"], tuple(map(_point, row["values"]))) for row in data["result"]]

    def series(self, selector: str, begin_s: float, end_s: float) -> list[dict[str, str]]:
        """The labels of the series that a selector finds in a stretch of time; raises as `instant` does."""
        found: list[dict[str, str]] = self._get(
            "series", {"match[]": selector, "start": f"{begin_s:.3f}", "end": f"{end_s:.3f}"}
        )
        return found

    def names(self, begin_s: float, end_s: float) -> list[str]:
        """The names of all metrics in a stretch of time; raises as `instant` does."""
        found: list[str] = self._get("label/__name__/values", {"start": f"{begin_s:.3f}", "end": f"{end_s:.3f}"})
        return found

    def _get(self, what: str, asked: Mapping[str, str]) -> Any:
        body = urllib.parse.urlencode(asked).encode()
        # Queries outgrow what an address may hold; the values of labels can only be asked for with GET.
        get = what.startswith("label/")
        where = f"{self.url}/api/v1/{what}" + (f"?{body.decode()}" if get else "")
        if not where.startswith(("http://", "https://")):
            msg = f"{self.url!r} is no address of a Prometheus; write it like http://127.0.0.1:9090"
            raise Unreachable(msg)
        try:
            request = urllib.request.Request(where, None if get else body)  # noqa: S310 - http or https
            with urllib.request.urlopen(request, timeout=self._timeout_s) as answer:  # noqa: S310 - http or https
                return self._data(answer.read())
        except urllib.error.HTTPError as error:
            raise self._refused(error, asked.get("query", "")) from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            why = getattr(error, "reason", None) or error
            msg = f"Prometheus at {self.url} does not answer: {why}; check --prometheus and whether it runs"
            raise Unreachable(msg) from error

    def _data(self, body: bytes) -> Any:
        try:
            return json.loads(body)["data"]
        except (ValueError, KeyError, TypeError) as error:
            msg = f"{self.url} answers, but not as a Prometheus does; check --prometheus"
            raise Unreachable(msg) from error

    def _refused(self, error: urllib.error.HTTPError, query: str) -> Unreachable:
        try:
            said = json.loads(error.read())["error"]
        except (ValueError, KeyError, TypeError, OSError):
            return Unreachable(f"{self.url} answers {error.code} {error.reason}; check --prometheus")
        asked = f" asked {' '.join(query.split())!r}" if query else ""
        return QueryRefused(f"Prometheus at {self.url}{asked} answers {error.code}: {' '.join(str(said).split())}")


def _point(pair: tuple[float, str]) -> Point:
    return float(pair[0]), float(pair[1])
