"""Publishing when something is wrong: one line, an exit code, few tries, and the token nowhere."""

import json
import logging
import pickle
import socket
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from attente.errors import BadInput, Missing
from attente.grafana.address import address
from attente.grafana.answers import GrafanaError, NotReached, Patience, Refused
from attente.grafana.publish import Grafana
from attente.grafana.token import Token, find_token
from commands import attente
from grafana.grafana_stub import LOGIN_PAGE, Fault, GrafanaStub
from grafana.publishing import (
    LOGIN,
    SECRET,
    Command,
    Time,
    boards,
    command,
    hides_the_token,
    log_everything,
    no_waiting,
    token_file,
    with_token,
)

HTML = {"Content-Type": "text/html; charset=utf-8"}
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def stub() -> Iterator[GrafanaStub]:
    with GrafanaStub() as server:
        yield with_token(server)


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    return no_waiting(monkeypatch)


@pytest.fixture
def publish(stub: GrafanaStub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, time: Time) -> Command:
    return command(stub, tmp_path, monkeypatch)


USUAL = Patience()


def client(url: str, time: Time, patience: Patience = USUAL) -> Grafana:
    return Grafana(address(url), Token(SECRET), patience=replace(patience, clock=time.clock, sleep=time.sleep))


def unknown(stub: GrafanaStub) -> None:
    stub.tokens.clear()


def viewer(stub: GrafanaStub) -> None:
    stub.tokens[SECRET] = ("Viewer", LOGIN)


def no_source(stub: GrafanaStub) -> None:
    stub.datasources.clear()


def another_kind_of_source(stub: GrafanaStub) -> None:
    stub.datasources["Prometheus"]["type"] = "loki"


def hidden_folder(stub: GrafanaStub) -> None:
    stub.folders["attente"] = {"uid": "attente", "title": "theirs"}
    stub.faults.append(Fault(method="GET", path="/folders", status=404, body=b'{"message": "folder not found"}'))


def answers(
    *,
    method: str = "",
    status: int = 0,
    body: bytes = b"",
    headers: Mapping[str, str] = JSON,
    drop: bool = False,
    echo: bool = False,
) -> Callable[[GrafanaStub], None]:
    """Requests for a folder are met so."""
    return lambda stub: stub.faults.append(
        Fault(method, "/folders", times=9, status=status, body=body, headers=headers, drop=drop, echo=echo)
    )


FAILURES: dict[str, tuple[Callable[[GrafanaStub], None], str]] = {
    "an unknown token": (unknown, "folder attente: refused (401): Invalid API key; the token is wrong, expired"),
    "too small a role": (viewer, "refused (403): You'll need additional permissions"),
    "a role that may make no source": (no_source, "data source Prometheus: there is none of that name; name another"),
    "a source that is no Prometheus": (another_kind_of_source, "is of type loki, not prometheus"),
    "a folder that others hide": (hidden_folder, "folder attente: refused (409): a folder/dashboard with the same uid"),
    "a proxy's 404": (
        answers(method="GET", status=404, body=LOGIN_PAGE, headers=HTML),
        "(404): a page, not Grafana's words; it is",
    ),
    "a login page": (answers(status=200, body=LOGIN_PAGE, headers=HTML), "answered 200 with text/html, not with JSON"),
    "a login page with 401": (answers(status=401, body=LOGIN_PAGE, headers=HTML), "refused (401): a page, not Grafana"),
    "an empty body": (answers(status=200, body=b""), "answered 200 with an empty body"),
    "an empty refusal": (answers(status=403, body=b"", headers={}), "refused (403): an empty body"),
    "a refusal that is a list": (answers(status=400, body=b'["message"]'), "folder attente: refused (400)"),
    "a refusal that is null": (answers(status=500, body=b"null"), "refused (500); Grafana's log says more"),
    "a list for a folder": (answers(status=200, body=b"[]"), "answered with JSON that is not what Grafana's API gives"),
    "a redirect": (
        answers(status=302, headers={"Location": "https://login.example.org/start?next=x"}),
        "sent on to https://login.example.org/start (302)",
    ),
    "a broken connection": (answers(drop=True), "folder attente (4 times): the connection broke off"),
    "a bad gateway": (answers(status=502, body=LOGIN_PAGE, headers=HTML), "(4 times): refused (502): a page, not"),
    "a gateway that waits": (answers(status=504, body=b""), "(4 times): refused (504): an empty body"),
    "too many requests": (answers(status=429, body=b"{}"), "(4 times): refused (429); Grafana asks to slow down"),
    "a server that repeats the token": (answers(status=500, echo=True), "Authorization: Bearer [token]"),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_every_failure_is_one_line_and_exit_4_without_a_write_or_the_token(
    failure: str, stub: GrafanaStub, publish: Command, caplog: pytest.LogCaptureFixture
) -> None:
    log_everything(caplog)
    arrange, words = FAILURES[failure]
    arrange(stub)
    said = publish()
    assert said.returncode == 4
    assert words in said.stderr
    assert said.stderr.count("\n") == 1
    assert said.stderr.startswith(f"attente: {stub.url}") or "GET http" in said.stderr
    assert not stub.writes
    assert hides_the_token(said, caplog)


def test_a_token_that_may_not_make_a_data_source_is_told_which_role_it_needs(
    stub: GrafanaStub, publish: Command
) -> None:
    no_source(stub)
    said = publish("--datasource-url", "http://prometheus:9090")
    assert said.returncode == 4
    assert "Permissions needed: datasources:create; the service account needs the role Editor, and Admin" in said.stderr


def test_something_else_than_a_grafana_is_told_apart(stub: GrafanaStub, publish: Command) -> None:
    stub.faults.append(Fault(path="/health", status=200, body=b'{"status": "ok"}'))
    assert "health: answered with JSON that is not what Grafana's API gives" in publish().stderr
    stub.faults.append(Fault(path="/health", status=404, body=b"404 page not found", headers={}))
    assert "health: refused (404): 404 page not found; it is not there, or the address of Grafana" in publish().stderr


def test_nobody_who_listens_is_one_line_after_a_few_tries(
    stub: GrafanaStub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, time: Time
) -> None:
    command(stub, tmp_path, monkeypatch)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        said = attente("dashboards", "publish", "--url", url, "--token-file", str(token_file(tmp_path)))
    assert said.returncode == 4
    assert said.stderr == (
        f"attente: {url}: health (4 times): Connection refused; is the address right, and is Grafana running?\n"
    )
    assert time.slept == [0.5, 1.0, 2.0]


def test_a_name_that_is_nowhere_is_one_line(time: Time) -> None:
    with client("http://grafana.invalid", time) as grafana, pytest.raises(NotReached, match=r"health \(4 times\): "):
        grafana.version()


def test_a_server_that_keeps_silent_is_left_after_the_time_given(stub: GrafanaStub, publish: Command) -> None:
    stub.faults.append(Fault(path="/folders", hang=True))
    said = publish("--timeout", "0.2")
    assert said.returncode == 4
    assert "folder attente: no answer within 0.2 s; give it more time with --timeout" in said.stderr
    assert stub.requests.count(("GET", "/api/folders/attente")) == 1


def test_a_server_that_is_busy_for_a_moment_is_asked_again(stub: GrafanaStub, publish: Command, time: Time) -> None:
    stub.faults.append(Fault(path="/folders", times=1, status=503, body=b"", headers={}))
    stub.faults.append(Fault(path="/dashboards", times=1, drop=True))
    assert publish().returncode == 0
    assert time.slept == [0.5, 0.5]


def test_the_server_says_how_long_to_wait_within_bounds(stub: GrafanaStub, time: Time) -> None:
    for asked in ("7", "86400", "soon"):
        stub.faults.append(Fault(path="/folders", times=1, status=429, headers={"Retry-After": asked}))
    with client(stub.url, time) as grafana:
        assert grafana.folder("attente") is None
    assert time.slept == [7.0, 30.0, 2.0]


def test_no_try_begins_after_the_total_time(stub: GrafanaStub) -> None:
    stub.faults.append(Fault(path="/folders", times=99, status=503))
    time = Time(by_itself=10.0)
    with client(stub.url, time, Patience(tries=50, total_s=35.0)) as grafana, pytest.raises(Refused):
        grafana.folder("attente")
    assert len(stub.requests) == 4


@pytest.mark.parametrize("fault", [Fault(status=502), Fault(status=503), Fault(status=504), Fault(drop=True)])
def test_a_write_that_may_have_been_done_is_not_sent_again(fault: Fault, stub: GrafanaStub, publish: Command) -> None:
    fault.method, fault.path, fault.after_doing, fault.times = "POST", "/dashboards", True, 1
    stub.faults.append(fault)
    said = publish()
    assert said.returncode == 4
    assert "whether it was written is not known: run it again, it looks before it writes" in said.stderr
    assert stub.requests.count(("POST", "/api/dashboards/db")) == 1
    assert publish().stdout.splitlines()[-1] == "1 created, 3 unchanged"


def test_a_write_that_was_put_off_is_sent_again(stub: GrafanaStub, publish: Command, time: Time) -> None:
    stub.faults.append(Fault(method="POST", path="/dashboards", times=2, status=429))
    assert publish().returncode == 0
    assert stub.requests.count(("POST", "/api/dashboards/db")) == 4
    assert time.slept == [0.5, 1.0]


def test_a_refusal_is_not_asked_for_twice(stub: GrafanaStub, publish: Command, time: Time) -> None:
    unknown(stub)
    publish()
    assert stub.requests.count(("GET", "/api/folders/attente")) == 1
    assert not time.slept


def test_steps_before_a_failure_are_told_as_done(stub: GrafanaStub, publish: Command) -> None:
    stub.faults.append(Fault(method="POST", path="/dashboards", status=500, body=b'{"message": "disk full"}'))
    said = publish()
    assert "refused (500): disk full; Grafana's log says more" in said.stderr
    assert said.stdout.splitlines()[1:] == [
        "created      folder attente  Attente",
        "unchanged    data source Prometheus  http://prometheus:9090",
    ]


def test_a_grafana_under_a_path_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with GrafanaStub(path="/graphs/waits") as stub:
        with_token(stub)
        publish = command(stub, tmp_path, monkeypatch)
        assert publish().returncode == 0
        assert publish().stdout.splitlines()[-1] == "4 unchanged"


def test_names_with_blanks_and_slashes_reach_grafana_as_they_are(stub: GrafanaStub, publish: Command) -> None:
    stub.datasources["a/b c?d"] = stub.datasources.pop("Prometheus")
    assert publish("--datasource", "a/b c?d").returncode == 0


def test_a_token_file_that_others_can_read_is_told_and_used(
    stub: GrafanaStub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, time: Time
) -> None:
    publish = command(stub, tmp_path, monkeypatch)
    file = token_file(tmp_path, mode=0o644)
    said = publish()
    assert said.returncode == 0
    assert said.stderr == (
        f"attente: warning: {file}: others on this machine can read the token (mode 0644); chmod 600 {file}\n"
    )


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "is empty"),
        ("glsa_one\nglsa_two\n", "is no token: it has blanks, line ends"),
        ("glsa_é", "is no token"),
        ("x" * 5000, "has more than 4096 bytes"),
    ],
)
def test_a_file_that_holds_no_token_is_refused_without_being_repeated(
    content: str, words: str, stub: GrafanaStub, tmp_path: Path, publish: Command
) -> None:
    file = token_file(tmp_path, content)
    said = publish()
    assert said.returncode == 3
    assert f"{file}: {words}" in said.stderr
    assert not stub.requests
    assert "glsa_" not in said.stderr.replace("glsa_ token", "")


def test_a_token_that_is_nowhere_is_asked_for(
    stub: GrafanaStub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, publish: Command
) -> None:
    said = attente("dashboards", "publish", "--url", stub.url)
    assert (said.returncode, said.stderr) == (
        5,
        "attente: no token for Grafana: name a file with --token-file, or set ATTENTE_GRAFANA_TOKEN\n",
    )
    absent = tmp_path / "none"
    said = attente("dashboards", "publish", "--url", stub.url, "--token-file", str(absent))
    assert said.returncode == 5
    assert f"{absent}: No such file or directory" in said.stderr


def test_a_file_goes_before_the_environment(tmp_path: Path) -> None:
    file = token_file(tmp_path, "glsa_of_the_file")
    environ = {"ATTENTE_GRAFANA_TOKEN": "glsa_of_the_environment"}
    assert find_token(file, environ).token.reveal() == "glsa_of_the_file"
    assert find_token(None, environ).token.reveal() == "glsa_of_the_environment"
    with pytest.raises(BadInput, match="ATTENTE_GRAFANA_TOKEN: is no token"):
        find_token(None, {"ATTENTE_GRAFANA_TOKEN": "two words"})
    with pytest.raises(Missing):
        find_token(None, {"ATTENTE_GRAFANA_TOKEN": " "})


@pytest.mark.parametrize(
    "url",
    [
        "grafana.example.org",
        "ftp://grafana.example.org",
        f"http://admin:{SECRET}@127.0.0.1:3000",
        f"http://127.0.0.1:3000/?token={SECRET}",
        "http://127.0.0.1:port",
        "http://[::1",
    ],
)
def test_an_address_that_is_none_is_refused_without_being_repeated(url: str, tmp_path: Path) -> None:
    said = attente("dashboards", "publish", "--url", url, "--token-file", str(token_file(tmp_path)))
    assert said.returncode == 2
    assert "Invalid value for '--url': what is given" in said.stderr
    assert SECRET not in said.stderr


@pytest.mark.parametrize(
    ("url", "shown", "is_overheard"),
    [
        ("http://127.0.0.1:3000/", "http://127.0.0.1:3000", False),
        ("https://Grafana.example.org/a/b/", "https://grafana.example.org/a/b", False),
        ("http://[::1]:3000", "http://[::1]:3000", False),
        ("http://grafana.example.org", "http://grafana.example.org", True),
    ],
)
def test_an_address_is_shown_as_it_is_used(url: str, shown: str, is_overheard: bool) -> None:
    assert (str(address(url)), address(url).is_overheard) == (shown, is_overheard)


@pytest.mark.parametrize("url", ["http://user:pw@prometheus:9090", "prometheus:9090"])
def test_a_data_source_that_would_show_a_password_is_refused(url: str, publish: Command, stub: GrafanaStub) -> None:
    said = publish("--datasource-url", url)
    assert said.returncode == 3
    assert said.stderr.startswith("attente: --datasource-url ")
    assert "pw" not in said.stderr
    assert not stub.requests


def test_a_registry_with_problems_is_told_before_grafana_is_asked(
    stub: GrafanaStub, publish: Command, tmp_path: Path
) -> None:
    file = tmp_path / "registry.yaml"
    file.write_text("network: x\n")
    said = publish("--registry", str(file))
    assert said.returncode == 3
    assert not stub.requests


def test_a_token_has_no_representation() -> None:
    token = Token(SECRET)
    with client("http://127.0.0.1:1", Time()) as grafana:
        shown = f"{token} {token!r} {[token]} {grafana!r}"
    assert SECRET not in shown
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(token)


def test_no_error_leads_back_to_the_request_that_held_the_token(stub: GrafanaStub) -> None:
    for fault in (Fault(status=401, body=b"{}"), Fault(status=200, body=b"x"), Fault(drop=True), Fault(hang=True)):
        stub.faults = [fault]
        fault.path, fault.times = "/folders", 9
        with client(stub.url, Time(), Patience(timeout_s=0.1)) as grafana, pytest.raises(GrafanaError) as caught:
            grafana.folder("attente")
        error = caught.value
        assert error.__context__ is None
        assert error.__cause__ is None
        assert SECRET not in "".join(traceback.format_exception(error))
        assert SECRET not in repr(vars(error))


def test_the_traceback_of_an_internal_failure_does_not_hold_the_token(
    publish: Command,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    log_everything(caplog)
    monkeypatch.setenv("ATTENTE_TRACEBACK", "1")
    monkeypatch.setattr("attente.cli.dashboards_publish.plan", lambda *_: 1 // 0)
    said = publish()
    assert said.returncode == 70
    assert "ZeroDivisionError" in said.stderr
    assert hides_the_token(said, caplog)


def test_logging_of_libraries_is_seen_by_these_tests(
    stub: GrafanaStub, publish: Command, caplog: pytest.LogCaptureFixture
) -> None:
    log_everything(caplog)
    publish()
    assert any(record.levelno == logging.DEBUG and record.name.startswith("urllib3") for record in caplog.records)


def test_what_is_sent_is_what_was_made(stub: GrafanaStub, publish: Command) -> None:
    publish()
    bodies = [json.loads(content) for content in stub.sent if b'"dashboard"' in content]
    assert [body["dashboard"]["uid"] for body in bodies] == list(boards())
    assert {body["overwrite"] for body in bodies} == {False}
    assert {body["folderUid"] for body in bodies} == {"attente"}
