"""The page on Grafana shows what the command really prints."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from attente.grafana.build import dashboards
from commands import Said, attente
from grafana.grafana_stub import GrafanaStub
from grafana.publishing import command, token_file, with_token

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "howto-grafana.md"
BLOCK = re.compile(r"<!-- (?P<name>[a-z-]+) -->\n```console\n\$ attente (?P<command>.*)\n(?P<output>(?:.*\n)*?)```")
CHANGED_AT = "2026-11-24T09:12:44Z"


@pytest.fixture
def stub() -> Iterator[GrafanaStub]:
    with GrafanaStub() as server:
        yield with_token(server)


def test_every_block_of_the_page_is_what_the_command_prints(
    stub: GrafanaStub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command(stub, tmp_path, monkeypatch, dashboards("en"))
    files = {"grafana.token": str(token_file(tmp_path)), "registry.yaml": str(ROOT / "docs/examples/registry.yaml")}
    files["http://127.0.0.1:3000"] = stub.url

    def printed(line: str) -> str:
        said: Said = attente(*(files.get(word, word) for word in line.split(" ")))
        return (said.stdout + said.stderr).replace(stub.url, "http://127.0.0.1:3000")

    blocks = {found["name"]: found for found in BLOCK.finditer(PAGE.read_text(encoding="utf-8"))}
    assert list(blocks) == ["dry-run", "first", "second", "changed"]
    for name, block in blocks.items():
        if name == "changed":
            stub.edit("attente-office", "marie", lambda board: board.update(title="Mine"))
            stub.dashboards["attente-office"]["versions"][-1]["created"] = CHANGED_AT
        assert block["output"] == printed(block["command"]), name
