"""The page before its real readers: promtool and Prometheus."""

import http.client
import json
import re
import subprocess
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from email.message import Message
from http import HTTPStatus
from pathlib import Path

import pytest

from attente.metrics import reference
from attente.metrics.collector import ViewCollector
from attente.metrics.httpd import Answer, Httpd
from attente.metrics.server import MetricsServer
from metrics.views import busy_view, norm, office, registry
from needs import program

pytestmark = pytest.mark.tools

NETWORK = registry(
    [office(), office("69-lyon", ("accueil", "rdv"), title='Lyon "Part-Dieu"\\2')],
    [norm("caf-20", ["75-nation", "69-lyon"], ["accueil", "rdv", "other"])],
)
LIMIT_S = 60


@pytest.fixture(scope="module")
def server() -> Iterator[MetricsServer]:
    """Serves a view in which everything has happened."""
    with MetricsServer(ViewCollector(NETWORK, lambda: busy_view(NETWORK, 4)), lambda: (True, "ok")) as running:
        yield running


def get(port: int, path: str) -> Answer:
    """A page on the loopback."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=LIMIT_S)) as connection:
        connection.request("GET", path)
        reply = connection.getresponse()
        return Answer(HTTPStatus(reply.status), reply.read(), reply.headers["Content-Type"])


def test_promtool_has_nothing_to_say_about_the_page(server: MetricsServer) -> None:
    promtool = program("promtool")
    get(server.port, "/metrics")  # the second page has every metric
    page = get(server.port, "/metrics")
    assert page.status == HTTPStatus.OK
    done = subprocess.run([promtool, "check", "metrics"], input=page.body, capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_promtool_does_speak_up_about_a_page_with_a_fault() -> None:
    fault = b"# HELP attente_wait_minutes Wait.\n# TYPE attente_wait_minutes gauge\nattente_wait_minutes 1\n"
    done = subprocess.run([program("promtool"), "check", "metrics"], input=fault, capture_output=True, check=False)
    assert done.returncode != 0
    assert b"attente_wait_minutes" in done.stderr


@contextmanager
def text_only(server: MetricsServer) -> Iterator[int]:
    """The port of a front that asks for the text format, whatever Prometheus asks for."""

    def answer(path: str, _: Message) -> Answer:
        return get(server.port, path)

    front = Httpd("127.0.0.1", 0, answer)
    front.start()
    yield front.port
    front.stop(LIMIT_S)


Query = Callable[[str], dict[frozenset[tuple[str, str]], float]]


@contextmanager
def prometheus(folder: Path, targets: dict[str, int]) -> Iterator[Query]:
    """A Prometheus that scrapes a target per job twice a second, and what asks it."""
    jobs = [
        {
            "job_name": job,
            "scrape_interval": "500ms",
            "scrape_timeout": "500ms",
            "static_configs": [{"targets": [f"127.0.0.1:{port}"]}],
        }
        for job, port in targets.items()
    ]
    (folder / "prometheus.yml").write_text(json.dumps({"scrape_configs": jobs}))  # JSON is YAML
    command = [
        program("prometheus"),
        f"--config.file={folder}/prometheus.yml",
        f"--storage.tsdb.path={folder}/data",
        "--web.listen-address=127.0.0.1:0",
    ]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            port = port_of(process)
            until(lambda: get(port, "/-/ready").status == HTTPStatus.OK)
            yield asks(port)
        finally:
            process.terminate()


def port_of(process: "subprocess.Popen[str]") -> int:
    """Where a Prometheus says that it listens; its log is read on until that and then left to the pipe's buffer."""
    assert process.stderr is not None
    heard = []
    for line in process.stderr:
        heard.append(line)
        found = re.search(r'"?Listening on"? address=127\.0\.0\.1:([1-9]\d*)', line)
        if found:
            return int(found[1])
    pytest.fail("prometheus ended: " + "".join(heard))


def asks(port: int) -> Query:
    def query(promql: str) -> dict[frozenset[tuple[str, str]], float]:
        answer = get(port, "/api/v1/query?" + urllib.parse.urlencode({"query": promql}))
        assert answer.status == HTTPStatus.OK, answer.body
        found = json.loads(answer.body)["data"]["result"]
        return {frozenset(series["metric"].items()): float(series["value"][1]) for series in found}

    return query


def until(condition: Callable[[], bool]) -> None:
    """Returns once something is so."""
    over = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < over
        threading.Event().wait(0.1)


@pytest.fixture(scope="module")
def query(server: MetricsServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Query]:
    """Asks a Prometheus that has scraped the server in both formats, as the jobs openmetrics and text."""
    with (
        text_only(server) as front,
        prometheus(tmp_path_factory.mktemp("prometheus"), {"openmetrics": server.port, "text": front}) as ask,
    ):
        # The page has every metric from the second scrape on.
        until(lambda: len(ask("attente_scrape_render_seconds")) == 2)
        yield ask


def by_job(found: dict[frozenset[tuple[str, str]], float]) -> dict[str, float]:
    return {dict(labels)["job"]: value for labels, value in found.items()}


def test_prometheus_reads_both_formats_and_the_figures_are_right(query: Query) -> None:
    def both(promql: str, value: float) -> None:
        assert by_job(query(promql)) == pytest.approx({"openmetrics": value, "text": value}, rel=1e-15), promql

    both("up", 1)
    both('attente_tickets_called_total{office="69-lyon",service="rdv"}', 21)
    both('attente_lifetime_wait_seconds{office="69-lyon",service="rdv",end="called"}', 947_857.123)
    both('attente_longest_waiting_since_timestamp_seconds{office="75-nation",service="other"}', 1_795_500_242.62)
    both('attente_office_info{name="Lyon \\"Part-Dieu\\"\\\\2"}', 1)
    both("sum by (job) (attente_waiting_tickets)", 15)
    both('attente_wait_seconds_bucket{office="69-lyon",service="rdv",end="called",le="+Inf"}', 99)
    both('histogram_quantile(0.05, attente_wait_seconds_bucket{office="69-lyon",service="rdv",end="called"})', 585)
    both(
        "sum by (job) (attente_events_read_total - attente_events_counted_total - attente_events_duplicate_total"
        " - on (job, partition) sum by (job, partition) (attente_events_refused_total))",
        0,
    )


def test_prometheus_understands_every_query_of_the_document(query: Query) -> None:
    reading = reference.markdown().partition("## How to read them")[2].partition("\n## ")[0]
    examples = [" ".join(code.split()) for code in re.findall(r"`([^`]+)`", reading) if "(" in code or " - " in code]
    assert len(examples) == 4
    for example in examples:
        assert query(example.replace('norm="N"', 'norm="caf-20"')), example


def test_the_level_that_the_document_computes_is_the_one_that_was_promised(query: Query) -> None:
    code = re.search(r"`(sum by \(office\)[^`]+)`", reference.markdown())
    assert code is not None
    levels = query(" ".join(code[1].split()).replace('norm="N"', 'norm="caf-20"'))
    # Both jobs have all 81 within and 82 beyond, which leaves the ratio as it is.
    assert levels == {frozenset({("office", name)}): pytest.approx(81 / 163) for name in ("75-nation", "69-lyon")}
