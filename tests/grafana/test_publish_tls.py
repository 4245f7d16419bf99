"""Publishing over TLS: a Grafana that a private authority vouches for, and one that nobody does."""

import ssl
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from grafana.grafana_stub import GrafanaStub
from grafana.publishing import Command, command, hides_the_token, log_everything, no_waiting, with_token
from needs import program

pytestmark = pytest.mark.tools


@dataclass(frozen=True)
class Authority:
    """A private authority, and the certificate and key that it gave to 127.0.0.1."""

    ca: Path
    certificate: Path
    key: Path


def openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True, timeout=60)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    program("openssl")
    folder = tmp_path_factory.mktemp("tls")
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    for name in ("ca", "other"):
        openssl(
            folder, "req", "-x509", *curve, "-days", "2", "-subj", f"/CN=attente test {name}",
            "-keyout", f"{name}.key", "-out", f"{name}.pem",
        )  # fmt: skip
    openssl(folder, "req", *curve, "-subj", "/CN=127.0.0.1", "-keyout", "server.key", "-out", "server.csr")
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1\n")
    openssl(
        folder, "x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
        "-days", "2", "-extfile", "names", "-out", "server.pem",
    )  # fmt: skip
    return Authority(folder / "ca.pem", folder / "server.pem", folder / "server.key")


@pytest.fixture
def stub(authority: Authority) -> Iterator[GrafanaStub]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.certificate, authority.key)
    with GrafanaStub(context) as server:
        yield with_token(server)


@pytest.fixture
def publish(stub: GrafanaStub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    no_waiting(monkeypatch)
    return command(stub, tmp_path, monkeypatch)


def test_a_grafana_of_a_private_authority_is_published_to(
    stub: GrafanaStub, publish: Command, authority: Authority
) -> None:
    said = publish("--ca-file", str(authority.ca))
    assert (said.returncode, said.stderr) == (0, "")
    assert publish("--ca-file", str(authority.ca)).stdout.splitlines()[-1] == "4 unchanged"


@pytest.mark.parametrize("name", ["", "other.pem"])
def test_a_certificate_that_is_not_trusted_is_one_line_and_nothing_is_sent(
    name: str, stub: GrafanaStub, publish: Command, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    log_everything(caplog)
    said = publish(*(("--ca-file", str(authority.ca.with_name(name))) if name else ()))
    assert said.returncode == 4
    assert said.stderr.count("\n") == 1
    assert f"attente: {stub.url}: health: its certificate is not trusted: " in said.stderr
    assert said.stderr.endswith("; name the authority that signed it with --ca-file\n")
    assert not stub.requests
    assert hides_the_token(said, caplog)


def test_a_certificate_of_another_name_is_not_trusted(
    stub: GrafanaStub, publish: Command, authority: Authority
) -> None:
    said = publish("--ca-file", str(authority.ca), "--url", stub.url.replace("127.0.0.1", "localhost"))
    assert said.returncode == 4
    assert "its certificate is not trusted: Hostname mismatch" in said.stderr


def test_https_to_a_server_without_tls_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    log_everything(caplog)
    with GrafanaStub() as plain:
        publish = command(with_token(plain), tmp_path, monkeypatch)
        said = publish("--url", plain.url.replace("http:", "https:"))
    assert said.returncode == 4
    assert "health: no TLS with it (" in said.stderr
    assert said.stderr.count("\n") == 1
    assert hides_the_token(said, caplog)


def test_http_to_a_server_with_tls_is_one_line(stub: GrafanaStub, publish: Command) -> None:
    said = publish("--url", stub.url.replace("https:", "http:"), "--timeout", "1")
    assert said.returncode == 4
    assert said.stderr.count("\n") == 1


@pytest.mark.parametrize(("content", "code"), [(None, 5), ("no certificate", 3)])
def test_a_file_of_certificates_that_is_not_there_or_holds_none_is_told(
    content: str | None, code: int, publish: Command, tmp_path: Path
) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content)
    said = publish("--ca-file", str(file))
    assert said.returncode == code
    assert said.stderr.startswith(f"attente: {file}: ")
    assert said.stderr.count("\n") == 1
