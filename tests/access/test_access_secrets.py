"""No secret comes to light: not in what a command says, not in what it starts, not in what it leaves behind."""

import json
import os
import signal
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from access.secured import KIOSK, OF_OTHERS, Secured
from attente.broker.certificates import Authority
from attente.broker.state import read_state
from attente.grafana.preview.pictures import picture
from attente.kiosk import Kiosk, KioskSettings
from attente.model.signatures import Key
from attente.settings import load
from commands import attente
from forks import Forks, Run, forks
from needs import program
from signed import key_of

pytestmark = [pytest.mark.broker, pytest.mark.timeout(180)]

KEY = key_of("nation")


def forms(password: str, key: Key) -> list[bytes]:
    """How a password and a key's secret look wherever they may be written."""
    raw = repr(key.secret)[2:-1]
    return [text.encode() for text in (password, password[:16], key.secret.hex(), key.secret.hex()[:16], raw[:16])]


def shown(secrets: list[bytes], *texts: str | bytes) -> list[bytes]:
    whole = b"\n".join(text.encode() if isinstance(text, str) else text for text in texts)
    return [secret for secret in secrets if secret in whole]


def files_in(folder: Path) -> dict[Path, bytes]:
    """All files but Kafka's indices, which are 10 MB of nothing each."""
    indices = {".index", ".timeindex"}
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.suffix not in indices}


# What a command says and leaves behind

COMMANDS: dict[str, tuple[tuple[str, ...], ...]] = {
    "admin": (("topics", "plan", "--partitions", "2"), ("access", "plan", "--registry", "REGISTRY", "--json")),
    "reader": (
        ("doctor", "--registry", "REGISTRY", "--keys", "KEYS"),
        ("doctor", "--registry", "REGISTRY", "--keys", "KEYS", "--json"),
        ("deadletters", "list"),
    ),
    "sender": (
        ("simulate", "--live", "--to-kafka", "--for", "1s", "--offices", "2", "--processes", "2", "--keys", "KEYS"),
        ("replay", "EVENTS", "--live", "--speed", "1", "--keys", "KEYS"),
        ("deadletters", "replay", "--dry-run"),
    ),
    "worker": (("worker", "--registry", "REGISTRY", "--keys", "KEYS", "--metrics-port", "0", "--group", "attente"),),
    KIOSK: (
        ("kiosk", "emit", "--spool", "SPOOL"),
        ("kiosk", "status", "--spool", "SPOOL"),
        ("kiosk", "drain", "--spool", "SPOOL"),
        ("kiosk", "run", "--spool", "SPOOL"),
    ),
}
STAYS = {"worker": "is a member of", "kiosk run": "sends to"}


@pytest.fixture(scope="module")
def runs() -> Iterator[Forks]:
    with forks() as started:
        yield started


@pytest.fixture
def files(network: Secured, tmp_path: Path) -> dict[str, str]:
    """What commands are called with."""
    registry = tmp_path / "registry.yaml"
    entry = f"signatures: report, keys: [{{id: {KEY.id}, fingerprint: {KEY.fingerprint}}}], "
    registry.write_text(network.registry.read_text().replace("{id: nation, ", f"{{id: nation, {entry}"))
    keys = tmp_path / "workers.keys"
    keys.write_text(f"{KEY.line}\n")
    keys.chmod(0o600)
    spool = tmp_path / "hall-1.spool"
    with Kiosk(KioskSettings(office="nation", kiosk="hall-1", spool=spool), is_sending=False) as kiosk:
        kiosk.ticket_issued(ticket="A1", service="accueil")
    events = tmp_path / "events.ndjson"
    body = {"specversion": "1.0", "id": "1", "source": "/nation/hall-1", "type": "ticket.issued", "office": "nation"}
    body |= {"time": "2026-03-10T08:00:00Z", "ticket": "A1", "service": "accueil", "channel": "walkin"}
    events.write_text(json.dumps(body))
    return {"REGISTRY": str(registry), "KEYS": str(keys), "SPOOL": str(spool), "EVENTS": str(events)}


def says(run: Run, word: str | None) -> bool:
    return word is not None and word in run.told


@pytest.mark.parametrize("principal", COMMANDS)
def test_nothing_that_a_command_says_or_leaves_behind_shows_a_secret(
    principal: str, network: Secured, runs: Forks, files: dict[str, str], tmp_path: Path
) -> None:
    password = network.security(principal).secret()
    secrets = forms(password, KEY)
    given = {"ATTENTE_SASL_PASSWORD": password, "ATTENTE_SIGNING_KEY": KEY.line, "ATTENTE_TRACEBACK": "1"}
    for number, command in enumerate(COMMANDS[principal]):
        words = [files.get(word, word) for word in command]
        run = runs.start([*words, "--config", network.config(principal)], tmp_path / f"run{number}", given)
        goes_on = next((said for name, said in STAYS.items() if " ".join(command).startswith(name)), None)
        run.until(partial(says, run, goes_on))
        run.kill(signal.SIGTERM)
        assert "Traceback" not in run.told, run.told
        assert run.code in {0, None}, run.told
        assert shown(secrets, run.said, run.told) == [], command
        assert [path for path, raw in files_in(run.folder).items() if shown(secrets, raw)] == []
    assert shown(secrets, Path(files["SPOOL"]).read_bytes()) == []


def test_nothing_of_a_secured_broker_but_its_folder_of_secrets_shows_one(network: Secured) -> None:
    layout = network.broker.layout
    passwords = [file.read_bytes().strip() for file in network.secrets.rglob("*.password")]
    keys = [file.read_bytes().splitlines()[1] for file in network.secrets.rglob("*.key")]
    secrets = [*passwords, *keys, *(text.split()[-1].encode() for text in OF_OTHERS.values())]
    assert len(passwords) >= 8
    assert len(keys) >= 5

    files = files_in(layout.folder)
    showing = [path for path, raw in files.items() if shown(secrets, raw)]

    assert layout.data / "__cluster_metadata-0" in {path.parent for path in files}
    assert {path.relative_to(network.secrets).parts[0] for path in showing} >= {"admin.password", "ca.key"}
    assert {oct(path.stat().st_mode & 0o777) for path in showing} == {"0o600"}


def test_what_a_secured_broker_keeps_is_read_by_asking_it_and_by_nobody_on_the_machine(network: Secured) -> None:
    layout = network.broker.layout

    # Events, and by what passwords are proved: whoever reads the files needs no right of the broker's.
    assert oct(layout.data.stat().st_mode & 0o777) == "0o700"


# What a command starts


def environ_of(pid: int) -> bytes:
    return Path(f"/proc/{pid}/environ").read_bytes()


def test_the_broker_is_given_nothing_of_what_whoever_starts_it_has_in_the_environment(network: Secured) -> None:
    state = read_state(network.broker.layout.state)
    assert state is not None
    found = environ_of(state.process.pid)

    assert b"PATH=" in found
    assert b"ATTENTE_" not in found
    assert shown([text.split()[-1].encode() for text in OF_OTHERS.values()], found) == []


@pytest.fixture
def spy(tmp_path: Path) -> Callable[[str], Path]:
    """Makes a program that writes down its environment and then is another one."""

    def make(behind: str) -> Path:
        file = tmp_path / "spied" / Path(behind).name
        file.parent.mkdir()
        file.write_text(f'#!/bin/sh\nenv > {tmp_path}/environment\nexec {behind} "$@"\n')
        file.chmod(0o755)
        return file

    return make


def test_a_program_that_makes_certificates_or_pictures_is_given_none_either(
    spy: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    openssl = spy(program("openssl"))
    for name, secret in (*OF_OTHERS.items(), ("ATTENTE_GRAFANA_TOKEN", "parrot")):
        monkeypatch.setenv(name, secret)
    monkeypatch.setenv("PATH", f"{openssl.parent}:{os.environ['PATH']}")
    Authority(tmp_path).make("ours")
    told = [(tmp_path / "environment").read_text()]

    (tmp_path / "page.html").write_text('<body data-height="10">')
    browser = openssl.with_name("browser")
    browser.write_text(f"#!/bin/sh\nenv > {tmp_path}/environment\ntouch {tmp_path}/picture.png\n")
    browser.chmod(0o755)
    picture(tmp_path / "page.html", tmp_path / "picture.png", str(browser))
    told.append((tmp_path / "environment").read_text())

    for environment in told:
        assert "PATH=" in environment
        assert "ATTENTE_" not in environment


def test_what_is_refused_of_a_secret_does_not_show_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each way in which a secret can be wrong, in a command that reads it, and with a traceback asked for."""
    secret = "parrot-of-the-admiral"  # noqa: S105 - nobody has it
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ATTENTE_TRACEBACK", "1")
    (tmp_path / "two-lines").write_text(f"{secret}\n{secret}\n")
    (tmp_path / "no-text").write_bytes(b"\xff" + secret.encode())
    (tmp_path / "key").write_text(f"id office {secret}\n")
    (tmp_path / "spool").touch()
    sasl = ("--security", "sasl", "--sasl-user", "u", "--broker", "127.0.0.1:1")
    kiosk = ("kiosk", "drain", "--spool", "spool", "--office", "nation", "--kiosk", "hall-1", "--broker", "127.0.0.1:1")
    cases: list[tuple[dict[str, str], tuple[str, ...]]] = [
        ({"ATTENTE_SASL_PASSWORD": f"{secret}\n{secret}"}, ("topics", "plan", *sasl)),
        ({"ATTENTE_SASL_PASSWORD": secret}, ("topics", "plan", "--broker", "127.0.0.1:1")),
        ({"ATTENTE_SASL_PASSWORD": secret}, ("topics", "plan", *sasl)),
        ({"ATTENTE_SIGNING_KEY": secret}, ("topics", "plan", "--broker", "127.0.0.1:1")),
        ({"ATTENTE_SASL_PASSWORT": secret}, ("topics", "plan")),
        ({}, ("topics", "plan", *sasl, "--sasl-password-file", "two-lines")),
        ({}, ("topics", "plan", *sasl, "--sasl-password-file", "no-text")),
        ({}, ("doctor", *sasl, "--sasl-password-file", "two-lines")),
        ({}, ("replay", "key", "--keys", "key", "--broker", "127.0.0.1:1")),
        ({}, (*kiosk, "--keys", "key")),
        ({}, ("keys", "show", "key")),
    ]
    for environ, command in cases:
        with monkeypatch.context() as patch:
            for name, text in environ.items():
                patch.setenv(name, text)
            found = attente(*command)
        assert found.returncode in {1, 3, 4}, command
        assert secret not in found.stdout + found.stderr, command


def test_a_settings_object_of_a_command_is_shown_and_pickled_without_its_secrets_in_sight(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given = {"ATTENTE_SASL_PASSWORD": "parrot", "ATTENTE_SIGNING_KEY": KEY.line, "ATTENTE_SASL_USER": "u"}
    settings = load({"security": "sasl"}, given)

    assert shown(forms("parrot", KEY), f"{settings} {settings!r} {settings.connection!r}") == []
