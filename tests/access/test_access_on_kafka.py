"""Access control against a secured Kafka: the table of docs/security.md, what is refused and how, and who works there.

All in one file, so that one Kafka is enough.
"""

import contextlib
import json
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from kafka import KafkaProducer

from access.secured import KIOSK, REGISTRY, TRIES, UNLISTED, Client, Secured, applied, is_allowed, working
from attente.broker.admin import TopicState, connect
from attente.broker.certificates import Authority, Pair
from attente.broker.grants import Grant, Resource
from attente.broker.local import BrokerFailed, LocalBroker
from attente.clients import opened
from attente.errors import BrokerRefused, BrokerUnreachable, Unreachable
from attente.kiosk import Kiosk, KioskSettings
from attente.metrics import catalogue as c
from attente.security import Security, probe
from commands import attente
from workers import wait_until

PAGE = Path(__file__).resolve().parents[2] / "docs" / "security.md"
PRINCIPALS = {
    "kiosk": KIOSK,
    "worker": "worker",
    "reader": "reader",
    "sender": "sender",
    "unlisted": UNLISTED,
    "admin": "admin",
}
pytestmark = [pytest.mark.broker, pytest.mark.timeout(120)]


def table() -> dict[str, dict[str, bool]]:
    """Of each operation of the page: for each principal whether it may."""
    found = re.search(r"^\| operation \|(.+)\|\n\|[-| :]+\|\n((?:\|.+\|\n)+)", PAGE.read_text(), re.MULTILINE)
    assert found is not None
    names = [name.strip() for name in found[1].split("|")]
    rows = {}
    for line in found[2].splitlines():
        operation, *cells = (cell.strip() for cell in line.strip("|").split("|"))
        assert set(cells) <= {"yes", "–"}, line
        rows[operation.replace("`", "")] = dict(zip(names, (cell == "yes" for cell in cells), strict=True))
    return rows


@pytest.fixture(scope="module")
def filled(network: Secured) -> Secured:
    """The network with a record in every topic, and a topic of somebody else."""
    with connect(network.broker.bootstrap, network.broker.admin) as admin:
        assert admin.create([TopicState("other", 1, 1, {})]) == {"other": None}
        topics = admin.topic_names()
    producer = opened(KafkaProducer, network.broker.bootstrap, network.broker.admin)
    for topic in topics:
        producer.send(topic, b"{}", key=b"nation", partition=0).get(30)
    producer.close()
    return network


# The table


def test_the_page_names_every_operation_and_every_principal() -> None:
    rows = table()

    assert set(rows) == set(TRIES)
    assert all(set(row) == set(PRINCIPALS) for row in rows.values())


@pytest.fixture(scope="module")
def tried(filled: Secured) -> dict[str, dict[str, bool]]:
    """Every operation, tried by every principal; all principals at once, most of the time is waiting."""

    def all_of(principal: str) -> dict[str, bool]:
        client = Client(filled.broker.bootstrap, filled.security(PRINCIPALS[principal]))
        try:
            return {operation: is_allowed(client, operation) for operation in TRIES}
        finally:
            client.close()

    with ThreadPoolExecutor(len(PRINCIPALS)) as threads:
        return dict(zip(PRINCIPALS, threads.map(all_of, PRINCIPALS), strict=True))


@pytest.mark.parametrize("principal", PRINCIPALS)
def test_a_principal_may_do_what_the_page_says_and_nothing_else(
    principal: str, tried: dict[str, dict[str, bool]]
) -> None:
    assert tried[principal] == {operation: row[principal] for operation, row in table().items()}


def test_a_certificate_gives_the_rights_of_its_name(filled: Secured) -> None:
    client = Client(filled.tls, filled.security("sender.tls"))
    try:
        assert is_allowed(client, "write attente.events")
        assert not is_allowed(client, "write attente.checkpoints")
    finally:
        client.close()


# Why a client does not come to its broker: the other side is asked, and one line says it


def said(broker: str, **parts: object) -> str:
    with pytest.raises(Unreachable) as refused:
        probe(broker, Security(**parts))  # type: ignore[arg-type]
    assert "\n" not in str(refused.value)
    assert isinstance(refused.value, BrokerUnreachable if "no Kafka broker" in str(refused.value) else BrokerRefused)
    return str(refused.value)


@pytest.fixture(scope="module")
def stranger(network: Secured, tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """An authority that the broker does not know."""
    authority = Authority(tmp_path_factory.mktemp("stranger"))
    authority.make("somebody else")
    return authority


@pytest.fixture
def signed(tmp_path: Path) -> Callable[..., dict[str, object]]:
    """A client certificate of an authority, as the parts of a connection."""

    def sign(authority: Authority, days: int = 1) -> dict[str, object]:
        pair = Pair(tmp_path / "client.crt", tmp_path / "client.key")
        authority.issue("attente.worker", pair, days=days)
        return {"protocol": "tls", "cert": pair.cert, "key": pair.key}

    return sign


def password_of(network: Secured, **other: object) -> dict[str, object]:
    ca = network.broker.access.authority.cert
    file = network.secrets / "worker.password"
    return {"protocol": "sasl", "ca": ca, "user": "attente.worker", "password_file": file, **other}


def test_a_wrong_password_and_an_unknown_user_are_refused_by_name(network: Secured) -> None:
    at = network.broker.bootstrap
    why = "unknown there, or the password is another"

    wrong = password_of(network, password_file=None, password="wrong")  # noqa: S106 - it is
    assert said(at, **wrong) == f"the broker at {at} refuses user attente.worker: {why}"
    assert said(at, **password_of(network, user="nobody")) == f"the broker at {at} refuses user nobody: {why}"


def test_a_connection_in_the_open_is_refused_at_either_port(network: Secured) -> None:
    for at in (network.broker.bootstrap, network.tls):
        assert said(at).startswith(f"the broker at {at} speaks TLS; say --security tls or sasl")


def test_tls_towards_a_broker_without_it_is_told_apart(broker: LocalBroker, network: Secured) -> None:
    assert said(broker.bootstrap, protocol="tls") == (
        f"the broker at {broker.bootstrap} speaks no TLS; say --security plaintext, or name its TLS listener with "
        "--broker"
    )


def test_a_password_towards_a_broker_without_access_control_is_told_apart(
    broker: LocalBroker, network: Secured
) -> None:
    assert "speaks no TLS" in said(broker.bootstrap, **password_of(network))


def test_a_broker_of_an_unknown_authority_is_refused_by_the_client(network: Secured, stranger: Authority) -> None:
    at = network.broker.bootstrap

    assert said(at, **password_of(network, ca=stranger.cert)) == (
        f"the broker at {at} has a certificate that no authority of {stranger.cert} has signed; name its authority "
        "with --tls-ca FILE"
    )


@contextmanager
def listener(authority: Authority, folder: Path, host: str, days: int) -> Iterator[str]:
    """Something that shows a certificate and hears no more than that: nobody who verifies it says anything."""
    pair = Pair(folder / "server.crt", folder / "server.key")
    authority.issue("broker", pair, hosts=[host], days=days)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.cert, pair.key)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with contextlib.suppress(OSError):
                context.wrap_socket(server.accept()[0], server_side=True).close()

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"127.0.0.1:{server.getsockname()[1]}"
        thread.join()


@pytest.mark.parametrize(
    ("host", "days", "why"),
    [
        (
            "DNS:kafka.example",
            1,
            "has a certificate of another name than 127.0.0.1; name the broker as its certificate",
        ),
        ("IP:127.0.0.1", -1, "has a certificate that has expired; have it renewed"),
    ],
)
def test_a_certificate_that_does_not_hold_is_told_with_its_reason(
    host: str, days: int, why: str, stranger: Authority, tmp_path: Path
) -> None:
    with listener(stranger, tmp_path, host, days) as at:
        assert said(at, protocol="tls", ca=stranger.cert).startswith(f"the broker at {at} {why}")


def test_a_client_without_a_certificate_is_told_to_name_one(network: Secured) -> None:
    line = said(network.tls, protocol="tls", ca=network.broker.access.authority.cert)

    assert line.startswith(f"the broker at {network.tls} wants a client certificate")


def test_a_client_certificate_of_an_unknown_authority_is_refused(
    network: Secured, stranger: Authority, signed: Callable[..., dict[str, object]]
) -> None:
    parts = signed(stranger)

    line = said(network.tls, ca=network.broker.access.authority.cert, **parts)

    assert line.startswith(f"the broker at {network.tls} refuses the client certificate {parts['cert']} (")
    assert line.endswith(": no authority that it knows has signed it")


def test_a_client_certificate_that_has_expired_is_refused_with_its_date(
    network: Secured, signed: Callable[..., dict[str, object]]
) -> None:
    authority = network.broker.access.authority
    parts = signed(authority, days=-1)

    line = said(network.tls, ca=authority.cert, **parts)

    assert re.search(r"refuses the client certificate \S+: it expired on .+ GMT; have it renewed$", line)


def test_each_port_says_which_way_to_connect_is_the_others(network: Secured) -> None:
    ca = network.broker.access.authority.cert

    assert "asks for a user and a password" in said(network.broker.bootstrap, protocol="tls", ca=ca)
    with_both = network.security("worker.tls")
    parts = password_of(network, cert=with_both.cert, key=with_both.key)
    assert "asks for no password at this port" in said(network.tls, **parts)


def test_a_broker_that_is_down_is_no_refusal(network: Secured) -> None:
    assert said("127.0.0.1:1", **password_of(network)).startswith("no Kafka broker at 127.0.0.1:1 (connection refused)")


def spooled(network: Secured, folder: Path) -> Path:
    """A spool that holds an event of the office."""
    settings = KioskSettings(office="nation", kiosk="hall-1", spool=folder / "spool")
    with Kiosk(settings, is_sending=False) as kiosk:
        kiosk.ticket_issued(ticket="A1", service="accueil")
    return settings.spool


@pytest.mark.parametrize(
    "command",
    [
        ("topics", "plan"),
        ("access", "plan", "--registry", "REGISTRY"),
        ("deadletters", "list"),
        ("replay", "EVENTS", "--archive"),
        ("kiosk", "drain", "--timeout", "600", "--spool", "SPOOL", "--office", "nation", "--kiosk", "hall-1"),
    ],
    ids=lambda command: " ".join(command[:2]),
)
def test_every_command_says_the_same_line_of_a_wrong_password(
    command: tuple[str, ...], network: Secured, tmp_path: Path
) -> None:
    (tmp_path / "events").write_text("{}\n")
    (tmp_path / "password").write_text("wrong")
    files = {"REGISTRY": network.registry, "EVENTS": tmp_path / "events", "SPOOL": spooled(network, tmp_path)}
    wrong = ("--config", network.config("worker"), "--sasl-password-file", str(tmp_path / "password"))

    found = attente(*(str(files.get(word, word)) for word in command), *wrong)

    assert found.returncode == 4
    assert found.stderr.count("\n") == 1
    assert f"the broker at {network.broker.bootstrap} refuses user attente.worker: unknown there" in found.stderr


@pytest.mark.parametrize(
    ("principal", "command", "why"),
    [
        ("reader", ("access", "plan", "--registry", "REGISTRY"), "it needs the cluster's DESCRIBE permission"),
        ("worker", ("topics", "plan"), "refuses to tell the settings of attente.checkpoints"),
        (KIOSK, ("topics", "plan"), "refuses to describe attente.checkpoints"),
        (KIOSK, ("deadletters", "list"), "no topic attente.deadletters that user attente.kiosk/nation/hall-1 may see"),
        ("worker", ("replay", "EVENTS", "--archive"), "it takes DescribeConfigs"),
        (
            "reader",
            ("kiosk", "drain", "--timeout", "600", "--spool", "SPOOL", "--office", "nation", "--kiosk", "x"),
            "may not write",
        ),
    ],
)
def test_what_a_principal_may_not_do_is_one_line_that_says_so(
    principal: str, command: tuple[str, ...], why: str, network: Secured, tmp_path: Path
) -> None:
    (tmp_path / "events").write_text("{}\n")
    files = {"REGISTRY": network.registry, "EVENTS": tmp_path / "events", "SPOOL": spooled(network, tmp_path)}

    found = attente(*(str(files.get(word, word)) for word in command), "--config", network.config(principal))

    assert (found.returncode, found.stderr.count("\n")) == (4, 1)
    assert why in found.stderr


# Those who work there


@contextmanager
def without(network: Secured, *rights: Grant) -> Iterator[None]:
    """A worker's rights taken away, and given back by `attente access apply`."""
    with connect(network.broker.bootstrap, network.broker.admin) as admin:
        assert not any(admin.revoke(rights).values())
    try:
        yield
    finally:
        assert applied(network) == 0


def read(topic: str) -> Grant:
    return Grant("attente.worker", Resource.TOPIC, topic, "read")


def test_a_kiosk_sends_a_worker_counts_and_no_secret_is_seen_anywhere(network: Secured, tmp_path: Path) -> None:
    sent = attente("kiosk", "drain", "--config", network.config(KIOSK), "--spool", str(spooled(network, tmp_path)))
    assert sent.returncode == 0, sent.stderr
    with working(network, "w1", "worker") as worker:
        wait_until(
            lambda: worker.owned() == {0, 1} and worker.scrape().total(c.EVENTS_READ) >= 1, "an event is counted"
        )
        told = attente("doctor", "--config", network.config("reader"), "--registry", str(network.registry), "--json")
        commands = [file.read_bytes() for file in Path("/proc").glob("[0-9]*/cmdline") if file.parent.exists()]
        assert worker.stop() == 0
    assert json.loads(told.stdout)["ok"], told.stdout
    assert any(b"--worker\0w1" in command for command in commands)
    layout = network.broker.layout
    seen = b"\n".join(
        [*commands, told.stdout.encode(), sent.stdout.encode(), "\n".join(worker.lines).encode()]
        + [file.read_bytes() for file in (layout.log, layout.java_log, layout.properties, layout.state)]
    )
    secrets = [file.read_bytes().strip() for file in network.secrets.rglob("*.password")]
    assert len(secrets) >= 8
    assert not [secret for secret in secrets if secret in seen]


def test_no_secret_can_be_read_by_others(network: Secured) -> None:
    files = [path for path in network.secrets.rglob("*") if path.is_file()]

    assert {path.suffix for path in files} >= {".pem", ".key", ".crt", ".password", ".yaml"}
    assert {oct(path.stat().st_mode & 0o777) for path in files} == {"0o600"}
    folders = [network.secrets, *(path for path in network.secrets.rglob("*") if path.is_dir())]
    assert {oct(path.stat().st_mode & 0o777) for path in folders} == {"0o700"}


def test_a_worker_that_loses_a_right_while_it_works_ends_with_one_line(network: Secured) -> None:
    with working(network, "w2", "worker.tls") as worker:
        worker.hears("is a member of")
        with without(network, read("attente.events")):
            assert worker.exit_code() == 4
    (line,) = [line for line in worker.lines if "worker stops" in line]
    assert "the broker refuses: TopicAuthorizationFailedError: attente.events; `attente access plan`" in line


def test_a_worker_that_may_not_read_what_it_takes_over_ends_instead_of_trying_for_ever(filled: Secured) -> None:
    with without(filled, read("attente.manifests")), working(filled, "w3", "worker") as worker:
        assert worker.exit_code() == 4
    assert "TopicAuthorizationFailedError: attente.manifests" in worker.lines[-1]


def test_a_worker_with_the_rights_of_a_reader_ends_with_one_line(network: Secured) -> None:
    with working(network, "w4", "reader") as worker:
        assert worker.exit_code() == 4
    assert "the broker refuses: GroupAuthorizationFailedError: attente" in worker.lines[-1]


def test_a_worker_with_a_wrong_password_does_not_wait_for_the_broker(network: Secured, tmp_path: Path) -> None:
    password = network.secrets / "worker.password"
    kept = password.read_text()
    password.write_text("wrong")
    try:
        with working(network, "w5", "worker") as worker:
            assert worker.exit_code() == 4
    finally:
        password.write_text(kept)
    (line,) = worker.lines
    assert line.startswith(f"attente: the broker at {network.broker.bootstrap} refuses user attente.worker")


# Rights and passwords over time


def plan(network: Secured) -> tuple[int, dict[str, list[object]]]:
    command = ("access", "plan", "--json", "--config", network.config("admin"), "--registry", str(network.registry))
    found = attente(*command)
    return found.returncode, json.loads(found.stdout)


def test_what_is_applied_is_settled_and_rules_about_others_stay(network: Secured) -> None:
    theirs = Grant("payroll", Resource.TOPIC, "attente.events", "read")
    with connect(network.broker.bootstrap, network.broker.admin) as admin:
        assert admin.allow([theirs]) == {theirs: ""}

        assert applied(network) == 0

        assert theirs in admin.access().grants
    code, facts = plan(network)
    assert code == 0
    assert facts["unknown"] == ["payroll may read topic attente.events"]


def test_a_rule_that_the_broker_does_not_take_is_told_and_the_others_are_made(network: Secured) -> None:
    good = Grant("somebody", Resource.TOPIC, "attente.events", "read")
    bad = Grant("somebody", Resource.CLUSTER, "another", "alter")  # a cluster has but one name
    with connect(network.broker.bootstrap, network.broker.admin) as admin:
        told = admin.allow([good, bad])
        assert admin.revoke([good]) == {good: ""}

    assert told[good] == ""
    assert told[bad] == "InvalidRequestError"


def test_a_kiosk_that_leaves_the_registry_is_shut_out(network: Secured) -> None:
    gone = network.security("kiosk/nation/hall-2")
    probe(network.broker.bootstrap, gone)
    network.registry.write_text(REGISTRY.replace(", hall-2", ""))
    try:
        code, facts = plan(network)
        assert (code, facts["gone"], len(facts["surplus"])) == (1, ["attente.kiosk/nation/hall-2"], 2)

        assert applied(network) == 0

        with pytest.raises(BrokerRefused, match=r"refuses user attente\.kiosk/nation/hall-2"):
            probe(network.broker.bootstrap, gone)
    finally:
        network.registry.write_text(REGISTRY)
    assert applied(network, "--secrets", str(network.secrets)) == 0
    probe(network.broker.bootstrap, network.security("kiosk/nation/hall-2"))


def test_a_renewed_password_replaces_the_one_before(network: Secured) -> None:
    before = network.security(KIOSK).secret()
    renew = ("--secrets", str(network.secrets), "--renew", "attente.kiosk/nation/hall-1")

    assert applied(network, *renew) == 0

    probe(network.broker.bootstrap, network.security(KIOSK))
    old = password_of(network, user="attente.kiosk/nation/hall-1", password_file=None, password=before)
    assert "refuses user" in said(network.broker.bootstrap, **old)


def test_a_broker_that_was_made_without_access_control_does_not_get_it_later(broker: LocalBroker) -> None:
    with pytest.raises(BrokerFailed, match="was made without access control; stop it and delete that folder"):
        LocalBroker(broker.layout.folder, secure=True).up()


def test_a_broker_without_access_control_is_told(broker: LocalBroker, network: Secured) -> None:
    found = attente("access", "plan", "--broker", broker.bootstrap, "--registry", str(network.registry))

    assert found.returncode == 4
    assert found.stderr.startswith(f"attente: the broker at {broker.bootstrap} has no access control (authorizer")


@pytest.mark.parametrize(
    "command", [("topics", "plan"), ("access", "plan", "--registry", "REGISTRY"), ("doctor",), ("deadletters", "list")]
)
def test_whoever_does_not_say_who_they_are_to_the_broker_of_their_folder_is_told_with_which_files(
    command: tuple[str, ...], network: Secured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ATTENTE_BROKER", raising=False)
    words = [str(network.registry) if word == "REGISTRY" else word for word in command]

    found = attente(*words, "--data", str(network.folder))

    folder = network.broker.layout.folder
    assert found.returncode == 3
    assert found.stderr == (
        f"attente: the broker in {folder} is secured; say who you are: --config {network.secrets / 'admin.yaml'}, or "
        "another file there (worker.yaml, reader.yaml, sender.yaml)\n"
    )
    assert attente("broker", "status", "--data", str(network.folder)).returncode == 0
