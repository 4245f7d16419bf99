"""The server, asked over HTTP as Prometheus asks it."""

import gzip
import http.client
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field

import pytest
from prometheus_client.parser import text_string_to_metric_families as parse_text

from attente.core.view import PartitionHealth, View
from attente.errors import AttenteError
from attente.metrics.collector import ViewCollector
from attente.metrics.server import CannotListen, MetricsServer, missing
from metrics.pages import parse_openmetrics, samples_of
from metrics.views import NOW_MS, busy_view, norm, office, registry, view

NETWORK = registry([office()], [norm("caf-20", ["75-nation"], ["accueil"])])
BUSY = busy_view(NETWORK)
LIMIT_S = 30  # nothing here takes a tenth of that; it is there so that what hangs fails
TEXT = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
PROMETHEUS_ASKS = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"


@dataclass
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def line(self) -> str:
        text = self.body.decode()
        assert text.count("\n") == 1
        assert text.endswith("\n")
        return text[:-1]


def ask(server: MetricsServer, path: str, method: str = "GET", **headers: str) -> Reply:
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=LIMIT_S)) as connection:
        connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        reply = connection.getresponse()
        return Reply(reply.status, dict(reply.headers.items()), reply.read())


def serve(
    source: Callable[[], View] = lambda: BUSY,
    healthy: Callable[[], tuple[bool, str]] = lambda: (True, "the loop turns"),
    *,
    timeout_s: float = LIMIT_S,
) -> MetricsServer:
    return MetricsServer(ViewCollector(NETWORK, source), healthy, timeout_s=timeout_s)


def exchange(server: MetricsServer, request: bytes) -> bytes:
    """All that comes back for some bytes; http.client would hide a body that must not be."""
    with socket.create_connection(("127.0.0.1", server.port), LIMIT_S) as client:
        client.sendall(request)
        with client.makefile("rb") as reply:
            return reply.read()


def until(condition: Callable[[], bool]) -> None:
    """Returns once something is so."""
    over = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < over
        threading.Event().wait(0.001)


@dataclass
class Gate:
    """A source of views that waits until it is opened, and counts who is in it."""

    entered: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    opened: threading.Event = field(default_factory=threading.Event)
    calls: int = 0

    def __call__(self) -> View:
        self.calls += 1
        self.entered.release()
        assert self.opened.wait(LIMIT_S)
        return BUSY

    def wait_until_entered(self) -> None:
        assert self.entered.acquire(timeout=LIMIT_S)


@pytest.fixture
def gate() -> Iterator[Gate]:
    """Opened at the end whatever happens, so that no thread stays behind."""
    made = Gate()
    yield made
    made.opened.set()


@pytest.fixture
def in_background() -> Iterator[Callable[..., "Future[Reply]"]]:
    """Asks in other threads."""
    with ThreadPoolExecutor() as pool:
        yield lambda *arguments, **headers: pool.submit(ask, *arguments, **headers)


# ---- /metrics


def test_a_scrape_gets_the_text_format_unless_it_asks_for_another() -> None:
    with serve() as server:
        reply = ask(server, "/metrics")
    assert (reply.status, reply.headers["Content-Type"]) == (200, TEXT)
    page = samples_of(parse_text(reply.body.decode()))
    assert page["attente_waiting_tickets", frozenset({("office", "75-nation"), ("service", "accueil")})] == 3


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        (PROMETHEUS_ASKS, OPENMETRICS),
        ("application/openmetrics-text", OPENMETRICS),
        ("application/openmetrics-text; version=99.0.0", OPENMETRICS),
        ("application/openmetrics-text; version=0.0.1", TEXT),
        ("application/openmetrics-text; version=nonsense", TEXT),
        ("text/plain;version=1.0.0;escaping=allow-utf-8", TEXT),
        ("text/html, */*", TEXT),
        ("", TEXT),
    ],
)
def test_the_format_follows_the_accept_header(accept: str, content_type: str) -> None:
    with serve() as server:
        reply = ask(server, "/metrics", Accept=accept)
    assert (reply.status, reply.headers["Content-Type"]) == (200, content_type)


def test_openmetrics_and_text_say_the_same() -> None:
    with serve() as server:
        text = samples_of(parse_text(ask(server, "/metrics").body.decode()))
        openmetrics = samples_of(parse_openmetrics(ask(server, "/metrics", Accept=OPENMETRICS).body.decode()))
    assert len(text) > 100

    def ours(page: dict[tuple[str, frozenset[tuple[str, str]]], float]) -> object:
        return {key: n for key, n in page.items() if key[0].startswith("attente_") and "scrape" not in key[0]}

    assert ours(text) == ours(openmetrics)


def test_a_page_is_compressed_for_who_accepts_that() -> None:
    with serve() as server:
        plain = ask(server, "/metrics")
        packed = ask(server, "/metrics", Accept_Encoding="deflate, gzip;q=0.9")
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert len(packed.body) < len(plain.body) / 4
    assert gzip.decompress(packed.body).splitlines()[:3] == plain.body.splitlines()[:3]


def test_a_page_has_no_series_about_when_a_counter_was_created_and_no_timestamps() -> None:
    with serve() as server:
        page = ask(server, "/metrics").body.decode()
    assert "_created" not in page
    assert all(len(line.rpartition("}")[2].split()) == 1 for line in page.splitlines() if "}" in line)


def test_the_second_page_says_how_long_the_first_took() -> None:
    with serve() as server:
        first, second = (samples_of(parse_text(ask(server, "/metrics").body.decode())) for _ in range(2))
    key = ("attente_scrape_render_seconds", frozenset[tuple[str, str]]())
    assert key not in first
    assert 0 < second[key] < LIMIT_S


def test_a_page_ends_with_the_memory_and_cpu_time_of_the_process() -> None:
    with serve() as server:
        page = samples_of(parse_text(ask(server, "/metrics").body.decode()))
    assert page["process_resident_memory_bytes", frozenset()] > 1_000_000
    assert page["process_cpu_seconds_total", frozenset()] > 0


# ---- trouble


def test_a_source_that_fails_makes_a_503_of_one_line_and_the_next_scrape_is_served() -> None:
    answers: list[View | Exception] = [ValueError("two\nlines"), BUSY]

    def source() -> View:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    with serve(source) as server:
        failed = ask(server, "/metrics")
        assert (failed.status, failed.line) == (503, "no answer: ValueError: two lines")
        assert ask(server, "/metrics").status == 200


def test_a_source_that_gives_up_by_itself_is_told_apart_from_one_that_hangs() -> None:
    def source() -> View:
        message = "the loop did not answer"
        raise TimeoutError(message)

    with serve(source) as server:
        assert ask(server, "/metrics").line == "no answer: TimeoutError: the loop did not answer"


def test_a_scrape_of_a_source_that_hangs_is_refused_when_its_time_is_over(gate: Gate) -> None:
    with serve(gate, timeout_s=0.1) as server:
        for path in ("/metrics", "/readyz"):
            reply = ask(server, path)
            assert (reply.status, reply.line) == (503, "no figures within 0.1 s: the worker is busy or stuck")


@pytest.mark.parametrize(
    ("told", "waits"),
    [("0.6", "0.1"), ("0.7", "0.2"), ("", "0.3"), ("0.5", "0.3"), ("-3", "0.3"), ("nan", "0.3"), ("soon", "0.3")],
)
def test_a_scraper_that_says_how_long_it_waits_is_answered_in_time(gate: Gate, told: str, waits: str) -> None:
    with serve(gate, timeout_s=0.3) as server:
        reply = ask(server, "/metrics", X_Prometheus_Scrape_Timeout_Seconds=told)
        assert (reply.status, reply.line) == (503, f"no figures within {waits} s: the worker is busy or stuck")


def test_a_scraper_that_is_patient_gets_a_page_that_takes_longer_than_the_default(
    gate: Gate, in_background: Callable[..., "Future[Reply]"]
) -> None:
    with serve(gate, timeout_s=0.1) as server:
        scrape = in_background(server, "/metrics", X_Prometheus_Scrape_Timeout_Seconds=str(LIMIT_S))
        gate.wait_until_entered()
        assert ask(server, "/metrics").status == 503
        gate.opened.set()
        assert scrape.result(LIMIT_S).status == 200


def test_scrapes_that_come_while_a_page_is_rendered_start_no_other_rendering(gate: Gate) -> None:
    with serve(gate, timeout_s=0.1) as server:
        assert [ask(server, "/metrics").status for _ in range(3)] == [503, 503, 503]
        assert ask(server, "/metrics", Accept=OPENMETRICS).status == 503
        assert gate.calls == 1
        gate.opened.set()
        until(lambda: all(thread.name != "metrics-work" for thread in threading.enumerate()))
    assert gate.calls == 2  # one for each format


def test_scrapes_that_wait_for_the_same_page_all_get_it(
    gate: Gate, in_background: Callable[..., "Future[Reply]"]
) -> None:
    with serve(gate) as server:
        first = in_background(server, "/metrics")
        gate.wait_until_entered()
        others = [in_background(server, "/metrics", Accept_Encoding=e) for e in ("gzip", "identity", "gzip")]
        gate.opened.set()
        replies = [future.result(LIMIT_S) for future in (first, *others)]
    assert {reply.status for reply in replies} == {200}
    pages = [gzip.decompress(r.body) if "Content-Encoding" in r.headers else r.body for r in replies]
    assert all(b"attente_waiting_tickets" in page for page in pages)


def test_after_a_source_came_back_scrapes_are_served_again(gate: Gate) -> None:
    with serve(gate, timeout_s=0.1) as server:
        assert ask(server, "/metrics").status == 503
        gate.opened.set()
        server._timeout_s = LIMIT_S
        assert ask(server, "/metrics").status == 200


def test_health_is_answered_while_the_source_hangs(gate: Gate, in_background: Callable[..., "Future[Reply]"]) -> None:
    with serve(gate) as server:
        scrape = in_background(server, "/metrics")
        gate.wait_until_entered()
        assert ask(server, "/healthz").line == "the loop turns"
        assert not scrape.done()
        gate.opened.set()
        assert scrape.result(LIMIT_S).status == 200


# ---- the other paths


def test_healthz_says_whether_the_process_does_its_work() -> None:
    with serve(healthy=lambda: (True, "the loop turned 0.1 s ago")) as server:
        reply = ask(server, "/healthz")
        assert (reply.status, reply.line) == (200, "the loop turned 0.1 s ago")
    with serve(healthy=lambda: (False, "the loop has not turned for 61 s")) as server:
        reply = ask(server, "/healthz")
        assert (reply.status, reply.line) == (503, "the loop has not turned for 61 s")


def test_healthz_is_not_healthy_when_it_cannot_tell() -> None:
    def healthy() -> tuple[bool, str]:
        message = "no heartbeat"
        raise LookupError(message)

    with serve(healthy=healthy) as server:
        reply = ask(server, "/healthz")
    assert (reply.status, reply.line) == (503, "no answer: LookupError: no heartbeat")


def test_readyz_says_ready_when_the_view_is() -> None:
    with serve(view) as server:
        reply = ask(server, "/readyz")
    assert (reply.status, reply.line) == (200, "ready")


def test_readyz_says_what_is_missing() -> None:
    lagging = PartitionHealth(3, shown=False, lag=12, stream_time_ms=NOW_MS)
    with serve(lambda: view(ready=False, partitions_total=4, partitions=(lagging,))) as server:
        reply = ask(server, "/readyz")
    assert reply.status == 503
    assert reply.line == "not ready: 1 of 1 owned partitions not shown yet: 3 (12 events behind)"


def test_what_is_missing_is_one_line_however_many_partitions_there_are() -> None:
    def health(shown: int, owned: int) -> str:
        partitions = tuple(PartitionHealth(n, shown=n < shown, lag=n, stream_time_ms=0) for n in range(owned))
        return missing(view(ready=False, partitions_total=64, partitions=partitions).health)

    assert health(0, 0) == "none of 64 partitions is assigned yet"
    assert health(2, 2) == "every partition is caught up, but the group has not settled"
    assert health(1, 3) == ("2 of 3 owned partitions not shown yet: 1 (1 events behind), 2 (2 events behind)")
    assert health(1, 64) == (
        "63 of 64 owned partitions not shown yet: "
        "1 (1 events behind), 2 (2 events behind), 3 (3 events behind) and 60 more"
    )


def test_the_index_names_the_pages() -> None:
    with serve() as server:
        reply = ask(server, "/?from=a+browser")
    assert reply.status == 200
    assert [line.split()[0] for line in reply.body.decode().splitlines()] == [
        "attente",
        "/metrics",
        "/healthz",
        "/readyz",
    ]


@pytest.mark.parametrize("path", ["/metrics/", "/metric", "/%2e%2e/etc/passwd", "/<b>"])
def test_any_other_path_is_not_found(path: str) -> None:
    with serve() as server:
        reply = ask(server, path)
    assert reply.status == 404
    assert reply.line == f"nothing at {path!r}; there are /, /metrics, /healthz, /readyz"


@pytest.mark.parametrize("path", ["/", "/metrics", "/healthz", "/readyz", "/nothing"])
def test_head_gets_the_headers_of_get_and_no_body(path: str) -> None:
    with serve() as server:
        ask(server, "/metrics")  # so that both pages below have the same lines
        head, get = ask(server, path, "HEAD"), ask(server, path)
        assert exchange(server, f"HEAD {path} HTTP/1.0\r\n\r\n".encode()).partition(b"\r\n\r\n")[2] == b""
    assert head.status == get.status
    assert head.headers["Content-Type"] == get.headers["Content-Type"]
    assert int(get.headers["Content-Length"]) == len(get.body)
    assert abs(int(head.headers["Content-Length"]) - len(get.body)) < 100  # times have not always as many digits


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"])
def test_any_other_method_is_refused_with_those_that_are_allowed(method: str) -> None:
    with serve() as server:
        reply = ask(server, "/metrics", method)
    assert reply.status == 405
    assert reply.headers["Allow"] == "GET, HEAD"
    assert reply.line == f"{method} is not served here; use GET or HEAD"


def test_no_request_is_written_to_the_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    with serve() as server:
        for path in ("/metrics", "/nothing", "/readyz"):
            ask(server, path)
        ask(server, "/", "POST")
        assert b"Bad request" in exchange(server, b"no HTTP at all\r\n\r\n")
        with socket.create_connection(("127.0.0.1", server.port), LIMIT_S) as client:
            client.sendall(b"GET /met")
    assert capfd.readouterr() == ("", "")


# ---- listening


def test_the_server_listens_on_the_loopback_at_the_port_that_it_reports() -> None:
    with serve() as server:
        assert server.port > 0
        assert server.url == f"http://127.0.0.1:{server.port}"


def test_a_server_can_be_asked_for_on_ipv6() -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")
    with MetricsServer(ViewCollector(NETWORK, lambda: BUSY), lambda: (True, "ok"), host="::1") as server:
        assert server.url == f"http://[::1]:{server.port}"
        with socket.create_connection(("::1", server.port), LIMIT_S) as client:
            client.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
            assert client.recv(1000).startswith(b"HTTP/1.0 200 ")


def test_a_port_that_is_taken_is_said_in_one_line() -> None:
    with serve() as first:
        taken = first.port
        second = MetricsServer(ViewCollector(NETWORK, lambda: BUSY), lambda: (True, "ok"), port=taken)
        with pytest.raises(CannotListen) as error:
            second.start()
    assert isinstance(error.value, AttenteError)
    assert error.value.exit_code == 5
    assert str(error.value) == (
        f"cannot serve metrics on 127.0.0.1:{taken}: Address already in use; "
        "choose another address, or port 0 for any free one"
    )


@pytest.mark.parametrize(
    ("host", "port"), [("192.0.2.1", 0), ("127.0.0.1", 70_000), ("no such host", 0), ("a" * 70, 0)]
)
def test_an_address_that_cannot_be_had_is_said_in_one_line(host: str, port: int) -> None:
    server = MetricsServer(ViewCollector(NETWORK, lambda: BUSY), lambda: (True, "ok"), host=host, port=port)
    with pytest.raises(
        CannotListen, match=rf"^cannot serve metrics on {host}:{port}: .+; choose another address"
    ) as error:
        server.start()
    assert "\n" not in str(error.value)


def test_a_stopped_server_accepts_nobody_and_its_port_can_be_had_again() -> None:
    server = serve()
    server.start()
    port = server.port
    server.stop()
    server.stop()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), LIMIT_S)
    again = MetricsServer(ViewCollector(NETWORK, lambda: BUSY), lambda: (True, "ok"), port=port)
    with again:
        assert ask(again, "/healthz").status == 200


def test_stopping_lets_a_scrape_on_its_way_end(gate: Gate, in_background: Callable[..., "Future[Reply]"]) -> None:
    server = serve(gate)
    server.start()
    httpd = server._httpd
    assert httpd is not None
    scrape = in_background(server, "/metrics")
    gate.wait_until_entered()
    stopping = threading.Thread(target=server.stop, args=(LIMIT_S,))
    stopping.start()
    until(lambda: httpd.socket.fileno() == -1)
    assert stopping.is_alive()
    assert not scrape.done()
    gate.opened.set()
    stopping.join(LIMIT_S)
    assert scrape.result(LIMIT_S).status == 200


def test_stopping_does_not_wait_for_a_source_that_hangs(
    gate: Gate, in_background: Callable[..., "Future[Reply]"]
) -> None:
    server = serve(gate)
    server.start()
    scrape = in_background(server, "/metrics")
    gate.wait_until_entered()
    server.stop(grace_s=0.05)
    assert not scrape.done()
    gate.opened.set()
    scrape.result(LIMIT_S)
