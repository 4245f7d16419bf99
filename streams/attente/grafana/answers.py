"""What a Grafana, or something in its place, answers, and what goes wrong on the way: each in one line, without token.

A read is repeated after a broken connection or 429, 502, 503, 504; a write only after 429, or when no connection was
made at all. Whoever publishes looks before writing, so that repeating the whole command is safe where repeating a
request is not.
"""

import json
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final
from urllib.parse import urlsplit

import requests

from attente.errors import Unreachable
from attente.grafana.token import Token

_SLOW_DOWN: Final = 429
_OF_A_PROXY: Final = frozenset({502, 503, 504})
_SAID: Final = 300  # characters of a server's own words that an error repeats


class GrafanaError(Unreachable):
    """Grafana does not answer, or refuses; the message is one line that says what to do."""


class NotReached(GrafanaError):  # noqa: N818 - the name is what happened, as in attente.errors
    """No answer: no connection, no trust in the certificate, or too slow."""


class NotGrafana(GrafanaError):  # noqa: N818
    """Something answered that is not Grafana's API: a login page, a redirect, an empty body."""


class Refused(GrafanaError):  # noqa: N818
    """Grafana answered no.

    Attributes:
        status: of the response.
        reason: Grafana's own word for it, as `version-mismatch`; "" where it gave none.
        said: its message, shortened, without the token.
        is_grafanas: whether the answer was JSON, as Grafana's own always is.
    """

    remedies: ClassVar[Mapping[int, str]] = {
        401: "the token is wrong, expired or of another organisation; make a new one for the service account",
        403: "the service account needs the role Editor, and Admin to create a data source",
        404: "it is not there, or the address of Grafana lacks a path",
        409: "another one has this name or uid; choose another, or rename that one",
        412: "somebody changed it in the meantime; run it again, or with --overwrite",
        429: "Grafana asks to slow down; run it again later",
    }

    def __init__(self, doing: str, answer: "Answered", doubt: str = "") -> None:
        self.status = answer.status
        self.reason = answer.reason
        self.said = answer.said
        self.is_grafanas = answer.is_grafanas
        words = f"{doing}: refused ({self.status}{f' {self.reason}' if self.reason else ''})"
        remedy = doubt or self.remedies.get(self.status, "Grafana's log says more" if self.status >= 500 else "")
        super().__init__("; ".join(part for part in (f"{words}: {self.said}" if self.said else words, remedy) if part))


class Answered(Exception):  # noqa: N818
    """One request was answered no."""

    def __init__(self, status: int, reason: str, said: str, retry_after: float | None, *, is_grafanas: bool) -> None:
        super().__init__(status)
        self.status = status
        self.reason = reason
        self.said = said
        self.retry_after = retry_after
        self.is_grafanas = is_grafanas


class NotSent(Exception):  # noqa: N818
    """No connection was made, so nothing was done."""


class Broken(Exception):  # noqa: N818
    """The connection broke; what was asked may have been done or not."""


Trouble = Answered | NotSent | Broken | GrafanaError
"""Why one request failed; the last is final."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait and how often to try.

    Attributes:
        timeout_s: for a connection, and for each silence of the server.
        tries: of one request, the first included.
        pause_s: before the second try; each later one waits twice as long.
        longest_pause_s: whatever the server asks for in Retry-After.
        total_s: no new try begins later than this after the first.
        clock: seconds that only grow.
        sleep: waits for so many seconds.
    """

    timeout_s: float = 10.0
    tries: int = 4
    pause_s: float = 0.5
    longest_pause_s: float = 30.0
    total_s: float = 60.0
    clock: Callable[[], float] = field(default=time.monotonic, repr=False)
    sleep: Callable[[float], None] = field(default=time.sleep, repr=False)

    def pause(self, failed: int, trouble: Trouble) -> float:
        """How long to wait after so many failures, of which this was the last."""
        asked = trouble.retry_after if isinstance(trouble, Answered) else None
        wanted = self.pause_s * 2 ** (failed - 1) if asked is None else asked
        return min(wanted, self.longest_pause_s)


@dataclass(frozen=True, slots=True)
class Judge:
    """Sees every response before grafana_api does, and puts errors into words that hold no token."""

    token: Token

    def see(self, response: requests.Response, **_: object) -> None:
        """Pass a response that holds JSON; its signature is that of a hook of requests.

        Raises:
            Answered: a status that says no.
            NotGrafana: a redirect, an empty body, something else than JSON.
        """
        status = response.status_code
        if 300 <= status < 400:
            target = urlsplit(self.words(response.headers.get("Location", "")))
            whither = f"{target.scheme}://{target.netloc}{target.path}" if target.netloc else target.path or "nowhere"
            remedy = "give --url Grafana's own address, the one without a redirect or a login before it"
            msg = f"{_asked(response)}: sent on to {whither} ({status}); {remedy}"
            raise NotGrafana(msg)
        if status >= 400:
            raise self._no(response)
        if not response.content.strip():
            msg = f"{_asked(response)}: answered {status} with an empty body; does a proxy answer in Grafana's place?"
            raise NotGrafana(msg)
        if not _parsed(response.content):
            kind = self.words(response.headers.get("Content-Type", "something").partition(";")[0])
            cause = "does a proxy or its login page answer in Grafana's place?"
            msg = f"{_asked(response)}: answered {status} with {kind}, not with JSON; {cause}"
            raise NotGrafana(msg)

    def words(self, text: str) -> str:
        """A server's words on one line, short, printable, without the token."""
        hidden = self.token.hide_in(text)
        line = " ".join("".join(char if char.isprintable() else " " for char in hidden).split())
        return line if len(line) <= _SAID else f"{line[: _SAID - 1]}…"

    def trouble(self, doing: str, error: Exception, timeout_s: float) -> Trouble:
        """What an error of requests means."""
        if isinstance(error, Answered | GrafanaError):
            return error.with_traceback(None)
        causes = list(_causes(error))
        if isinstance(error, requests.exceptions.SSLError):
            return NotReached(f"{doing}: {_distrust(causes)}")
        if any(type(one).__name__ in _UNCONNECTED or isinstance(one, _UNCONNECTED_TYPES) for one in causes):
            return NotSent(_cause(causes) or f"no connection within {timeout_s:g} s")
        # While a body is read requests calls it a ConnectionError, with the time-out underneath.
        if any(type(one).__name__ in _TOO_SLOW for one in causes):
            remedy = "give it more time with --timeout, or look whether Grafana is well"
            return NotReached(f"{doing}: no answer within {timeout_s:g} s; {remedy}")
        if isinstance(error, requests.exceptions.ConnectionError | requests.exceptions.ChunkedEncodingError):
            return Broken(_cause(causes) or "the connection broke off")
        # Certificates that REQUESTS_CA_BUNDLE names and that are not there; a proxy that cannot be understood.
        return NotReached(f"{doing}: {type(error).__name__}: {self.words(str(error))}")

    def _no(self, response: requests.Response) -> Answered:
        parsed = _parsed(response.content)
        reason, said = "", ""
        if not parsed:
            is_page = "html" in response.headers.get("Content-Type", "")
            said = "a page, not Grafana's words" if is_page else self.words(response.text) or "an empty body"
        elif isinstance(parsed[0], dict):
            reason, said = (self.words(str(parsed[0].get(key) or "")) for key in ("status", "message"))
        return Answered(response.status_code, reason, said, _retry_after(response), is_grafanas=bool(parsed))


def may_repeat(trouble: Trouble, *, writes: bool) -> bool:
    """Whether the same request may be sent again."""
    if isinstance(trouble, Answered):
        return trouble.status == _SLOW_DOWN or (trouble.status in _OF_A_PROXY and not writes)
    return isinstance(trouble, NotSent) or (isinstance(trouble, Broken) and not writes)


def final(doing: str, trouble: Trouble, tried: int, *, writes: bool) -> GrafanaError:
    """The error after so many tries."""
    if isinstance(trouble, GrafanaError):
        return trouble
    times = f" ({tried} times)" if tried > 1 else ""
    # Whoever wrote and got no clear answer must know that doing it again is safe.
    doubt = "whether it was written is not known: run it again, it looks before it writes" if writes else ""
    if isinstance(trouble, Answered):
        return Refused(f"{doing}{times}", trouble, doubt if trouble.status in _OF_A_PROXY else "")
    if isinstance(trouble, NotSent):
        doubt = ""
    return NotReached(f"{doing}{times}: {trouble}; {doubt or 'is the address right, and is Grafana running?'}")


_UNCONNECTED: Final = frozenset({"NewConnectionError", "NameResolutionError", "ConnectTimeout", "ConnectTimeoutError"})
_UNCONNECTED_TYPES: Final = (ConnectionRefusedError, socket.gaierror)
_TOO_SLOW: Final = frozenset({"ReadTimeout", "ReadTimeoutError"})


def _asked(response: requests.Response) -> str:
    parts = urlsplit(response.url)
    return f"{response.request.method or 'GET'} {parts.scheme}://{parts.netloc}{parts.path}"


def _parsed(content: bytes) -> tuple[Any, ...]:
    """The JSON of a body, alone in a tuple; nothing where it is none, and no error that would keep the body."""
    try:
        return (json.loads(content),)
    except ValueError:
        return ()


def _retry_after(response: requests.Response) -> float | None:
    asked = response.headers.get("Retry-After", "")
    return float(asked) if asked.isascii() and asked.isdigit() else None


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An error and what lies under it: requests and urllib3 wrap one in another."""
    waiting, seen = [error], set[int]()
    while waiting:
        one = waiting.pop(0)
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        inner = (one.__cause__, one.__context__, getattr(one, "reason", None), *one.args)
        waiting.extend(found for found in inner if isinstance(found, BaseException))


def _cause(causes: list[BaseException]) -> str:
    """Why there is no connection, in the system's words; never those of requests, which repeat what was asked."""
    named = (
        one.strerror
        for one in causes
        if isinstance(one, OSError) and not isinstance(one, requests.exceptions.RequestException)
    )
    return next((str(words) for words in named if words), "")


def _distrust(causes: list[BaseException]) -> str:
    for one in causes:
        if isinstance(one, ssl.SSLCertVerificationError):
            remedy = "name the authority that signed it with --ca-file"
            return f"its certificate is not trusted: {one.verify_message or 'not valid'}; {remedy}"
    reasons = (one.reason for one in causes if isinstance(one, ssl.SSLError))
    why = next((str(reason) for reason in reasons if reason), "broken off")
    return f"no TLS with it ({why}); does it speak https?"
