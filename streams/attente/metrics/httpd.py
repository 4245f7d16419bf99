"""A small HTTP server for answers of one line or one page: GET and HEAD, one thread a request, no log of requests."""

import logging
import socket
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from email.message import Message
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer, ThreadingMixIn
from typing import Any, Final

import attente
from attente.errors import Missing

log = logging.getLogger(__name__)

_CLIENT_TIMEOUT_S: Final = 30  # a client that neither asks nor reads for so long is gone
_POLL_S: Final = 0.05  # how soon the accepting thread sees that it is to stop
_BACKLOG: Final = 64  # the default of 5 turns scrapers away that all come on the same second

_Request = socket.socket | tuple[bytes, socket.socket]


class CannotListen(Missing):
    """The address is taken, not this machine's, or not allowed; the command exits with 5."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a client gets."""

    status: HTTPStatus
    body: bytes
    content_type: str = "text/plain; charset=utf-8"
    is_gzip: bool = False


def line(status: HTTPStatus, text: str) -> Answer:
    """An answer for people."""
    return Answer(status, f"{text}\n".encode())


class Httpd(ThreadingMixIn, TCPServer):
    """Listens from its making on, and answers once `start` was called.

    It is a TCPServer and no HTTPServer, because that one looks its host's name up when it binds, which takes seconds
    where no name server answers.

    Args:
        host: name or address to listen on.
        port: 0 takes any free one.
        answer: from path and headers of a GET to the answer; called in many threads, must not raise.

    Raises:
        CannotListen: when the address cannot be had.
    """

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = _BACKLOG

    def __init__(self, host: str, port: int, answer: Callable[[str, Message], Answer]) -> None:
        self.answer = answer
        self._busy = 0
        self._change = threading.Condition()
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
            self.address_family, _, _, _, where = found[0]
            super().__init__((str(where[0]), port), _Handler)
        except (OSError, OverflowError, UnicodeError) as error:
            why = error.strerror if isinstance(error, OSError) and error.strerror else error
            message = (
                f"cannot serve metrics on {host}:{port}: {why}; choose another address, or port 0 for any free one"
            )
            raise CannotListen(message) from error

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self.server_address[1])

    def start(self) -> None:
        """Answers from now on, in threads of its own."""
        threading.Thread(target=self.serve_forever, args=(_POLL_S,), name="metrics-http", daemon=True).start()

    def stop(self, grace_s: float) -> None:
        """Accepts nothing more, and waits up to `grace_s` seconds for the answers on their way."""
        self.shutdown()
        self.server_close()
        with self._change:
            self._change.wait_for(lambda: not self._busy, grace_s)

    def process_request(self, request: _Request, client_address: Any) -> None:
        """Begins a request, in the accepting thread."""
        with self._change:
            self._busy += 1
        super().process_request(request, client_address)

    def process_request_thread(self, request: _Request, client_address: Any) -> None:
        """Answers a request, in its own thread."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._change:
                self._busy -= 1
                self._change.notify_all()

    def handle_error(self, request: _Request, client_address: Any) -> None:  # noqa: ARG002 - socketserver's signature
        """Says nothing of a client that went away; the rest is logged with its place."""
        error = sys.exception()
        level = logging.DEBUG if isinstance(error, OSError) else logging.ERROR
        log.log(level, "a request could not be answered", exc_info=error)


class _Handler(BaseHTTPRequestHandler):
    server: Httpd
    timeout = _CLIENT_TIMEOUT_S
    error_message_format = "%(message)s\n"
    error_content_type = "text/plain; charset=utf-8"

    def __getattr__(self, name: str) -> Callable[[], None]:
        """One way for every method: http.server looks for `do_` and the method's name."""
        if name.startswith("do_"):
            return self._answer
        raise AttributeError(name)

    def _answer(self) -> None:
        if self.command in ("GET", "HEAD"):
            answer = self.server.answer(self.path.partition("?")[0], self.headers)
        else:
            answer = line(HTTPStatus.METHOD_NOT_ALLOWED, f"{self.command} is not served here; use GET or HEAD")
        self.send_response(answer.status)
        if answer.status is HTTPStatus.METHOD_NOT_ALLOWED:
            self.send_header("Allow", "GET, HEAD")
        if answer.is_gzip:
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Vary", "Accept, Accept-Encoding")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    def version_string(self) -> str:
        return f"attente/{attente.__version__}"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        """Says nothing: a line for every scrape would bury the others."""
