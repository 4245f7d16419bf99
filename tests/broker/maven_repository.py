"""A Maven repository on loopback, as small as a test needs it, that can be told to misbehave."""

import hashlib
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from attente.broker.jars import Jar


def jar(name: str, content: bytes) -> Jar:
    """What a lock says of a jar with this content."""
    return Jar("org.example", name, "1.0", len(content), hashlib.sha256(content).hexdigest())


def wait_until(condition: Callable[[], bool]) -> None:
    limit = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < limit
        time.sleep(0.01)


class Repository:
    """The jars that are served, by name, how often each was asked for, and what an answer waits for."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.contents: dict[str, bytes] = {}
        self.broken_off: set[str] = set()
        self.asked: Counter[str] = Counter()
        self.answers_when: Callable[[], bool] = lambda: True

    def settings(self, folder: Path) -> dict[str, str]:
        """The environment in which jgo asks this repository and no other."""
        file = folder / "jgo.conf"
        file.write_text(f"[repositories]\ncentral = {self.url}\n")
        return {"JGO_CONFIG_FILE": str(file)}


@contextmanager
def serving() -> Iterator[Repository]:
    """Serve until the end of the block."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            file = self.path.rpartition("/")[2]
            name = file.removesuffix("-1.0.jar")
            if name not in repository.contents or name == file:
                self.send_error(404)
                return
            content = repository.contents[name]
            repository.asked[name] += 1
            wait_until(repository.answers_when)
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if name in repository.broken_off:
                repository.broken_off.remove(name)
                content = content[: len(content) // 2]
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name it has in the library
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    repository = Repository(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield repository
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
