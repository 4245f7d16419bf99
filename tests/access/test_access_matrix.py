"""The table of docs/security.md against the broker: every cell is tried."""

import re
from pathlib import Path

import pytest
from kafka import KafkaProducer
from secured import KIOSK, TRIES, UNLISTED, Client, Secured, is_allowed

from attente.broker.admin import TopicState, connect
from attente.clients import opened

PAGE = Path(__file__).resolve().parents[2] / "docs" / "security.md"
PRINCIPALS = {
    "kiosk": KIOSK,
    "worker": "worker",
    "reader": "reader",
    "sender": "sender",
    "unlisted": UNLISTED,
    "admin": "admin",
}
pytestmark = pytest.mark.broker


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


def test_the_page_names_every_operation_and_every_principal() -> None:
    rows = table()

    assert set(rows) == set(TRIES)
    assert all(set(row) == set(PRINCIPALS) for row in rows.values())


# The administrator comes last: only then is there a topic to delete.
@pytest.mark.parametrize("principal", PRINCIPALS)
def test_a_principal_may_do_what_the_page_says_and_nothing_else(principal: str, filled: Secured) -> None:
    client = Client(filled.broker.bootstrap, filled.security(PRINCIPALS[principal]))
    try:
        found = {operation: is_allowed(client, operation) for operation in TRIES}
    finally:
        client.close()

    assert found == {operation: row[principal] for operation, row in table().items()}


def test_a_certificate_gives_the_rights_of_its_name(filled: Secured) -> None:
    client = Client(filled.tls, filled.security("sender.tls"))
    try:
        assert is_allowed(client, "write attente.events")
        assert not is_allowed(client, "write attente.checkpoints")
    finally:
        client.close()
