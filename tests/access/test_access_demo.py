"""A demo on a secured cluster: the rights that it takes, who gets the password, and what it says without them."""

import os
import time
from pathlib import Path

import pytest

from access.secured import KIOSK, UNLISTED, Secured
from attente.broker.admin import connect
from attente.broker.grants import Grant, Resource
from commands import attente
from demo.demo_command import Command
from needs import program

pytestmark = [pytest.mark.broker, pytest.mark.timeout(180)]

PAGE = Path(__file__).resolve().parents[2] / "docs" / "demo.md"
TOPICS = {
    "Create": "create",
    "Delete": "delete",
    "Describe": "describe",
    "DescribeConfigs": "describe_configs",
    "Read": "read",
    "Write": "write",
}
GROUPS = {"Read": "read", "Describe": "describe"}


def and_(names: dict[str, str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}"


def rights() -> list[Grant]:
    text = PAGE.read_text()
    assert f"{and_(TOPICS)} on the topics that begin with `demo-`, and {and_(GROUPS)} on the groups that begin" in text
    return [
        *(Grant(UNLISTED, Resource.TOPIC, "demo-", one, is_prefix=True) for one in TOPICS.values()),
        *(Grant(UNLISTED, Resource.GROUP, "demo-", one, is_prefix=True) for one in GROUPS.values()),
    ]


def environ(pid: int) -> bytes:
    """A program's environment once it is that program; b"" when it is gone."""
    try:
        return Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return b""


def test_whoever_has_the_rights_of_the_page_has_a_demo_and_its_programs_alone_get_the_password(
    network: Secured, tmp_path: Path
) -> None:
    program("prometheus")
    secret = network.security(UNLISTED).secret()
    ca = str(network.broker.access.authority.cert)
    where = ("--broker", network.broker.bootstrap, "--security", "sasl", "--tls-ca", os.path.relpath(ca, tmp_path))
    arguments = ("--sasl-user", UNLISTED, "--offices", "3", "--workers", "1", "--for", "2s", "--json", "-")
    with connect(network.broker.bootstrap, network.broker.admin) as admin:
        assert not any(admin.allow(rights()).values())
        kinds = {"--worker w0": True, "simulate": True, "prometheus": False}
        seen: dict[str, set[bool]] = {kind: set() for kind in kinds}
        commands: set[str] = set()
        with Command(tmp_path, *where, *arguments, ATTENTE_SASL_PASSWORD=secret) as demo:
            while demo.process.poll() is None:
                for pid, command in demo.started().items():
                    commands.add(command)
                    for kind in kinds:
                        if kind in command and (found := environ(pid)):
                            seen[kind].add(secret.encode() in found)
                time.sleep(0.05)
            assert demo.result() == 0, demo.told
            assert '"read"' in demo.output()
        left = [name for name in admin.topic_names() if name.startswith("demo-")]
        assert not any(admin.revoke(rights()).values())

    assert seen == {kind: {has} for kind, has in kinds.items()}
    assert not [text for text in (*commands, *demo.told) if secret in text]
    assert left == []
    assert not demo.runs_left()


@pytest.mark.parametrize("principal", ["worker", KIOSK, UNLISTED])
def test_whoever_may_not_make_topics_is_told_what_a_demo_takes(
    network: Secured, principal: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    found = attente("demo", "--config", network.config(principal), "--for", "1s")

    assert found.returncode == 4
    (line,) = [line for line in found.stderr.splitlines() if line.startswith("attente: ")]
    assert line.startswith(f"attente: the broker at {network.broker.bootstrap} refuses to describe demo-")
    assert "so give it the settings of the cluster's administrator (docs/demo.md" in line


def test_whoever_may_see_the_topics_of_a_demo_and_not_make_them_is_told_so_too(
    network: Secured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    seeing = [one for one in rights() if one.operation.startswith("describe")]
    with connect(network.broker.bootstrap, network.broker.admin) as admin:
        assert not any(admin.allow(seeing).values())
        found = attente("demo", "--config", network.config(UNLISTED), "--for", "1s")
        assert not any(admin.revoke(seeing).values())

    (line,) = [line for line in found.stderr.splitlines() if line.startswith("attente: ")]
    assert "cannot be created: TopicAuthorizationFailedError" in line
    assert "so give it the settings of the cluster's administrator (docs/demo.md" in line


def test_how_to_connect_is_refused_where_no_cluster_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ATTENTE_BROKER", raising=False)

    line = (
        "attente: --security: security is tls, and no cluster is named; name it with --broker, or leave out how to "
        "connect: the demo's own Kafka is open, and on loopback\n"
    )

    for live in (("--for", "1s"), ("--once", "--source", "technion", "absent")):
        found = attente("demo", "--security", "tls", *live)
        assert (found.returncode, found.stderr) == (3, line)
