"""A small network over two days, its events as a file, and the commands as a user meets them."""

import json
from pathlib import Path
from typing import Any

import pytest

from attente.cli.main import main

NATION, BOBIGNY = "75-nation", "93-bobigny"

REGISTRY = """\
network: "<b>Two & more</b>"
services:
  - {id: accueil, title: Accueil}
  - {id: prestations, title: Prestations}
offices:
  - {id: 75-nation, name: Paris Nation, region: Paris, zone: Europe/Paris}
  - {id: 93-bobigny, name: Bobigny, region: Paris, zone: Europe/Paris}
  - {id: 77-melun, name: Melun, region: Paris, zone: Europe/Paris}
norms:
  - id: call-20
    title: Called within 20 minutes
    threshold: 20m
    target: 0.5
    clock: {from: issued, to: called, per: visit}
    left: failed
    still_waiting: failed_if_over
    valid_from: 2026-01-01
  - id: call-20
    title: Called within 10 minutes
    threshold: 10m
    target: 0.5
    clock: {from: issued, to: called, per: visit}
    left: failed
    valid_from: 2026-11-24
  - id: nation-5
    title: Started within 5 minutes
    threshold: 5m
    target: 0.9
    clock: {from: arrived, to: started, per: first}
    population: {channels: [walkin, appointment]}
    left: excluded
    offices: [75-nation]
    services: [accueil]
"""


def event(type_: str, at: str, office: str = NATION, **more: Any) -> bytes:
    """An event at a local time like `23T09:00`."""
    body = {"specversion": "1.0", "id": f"{type_}/{at}/{more.get('ticket', '')}", "source": f"/offices/{office}"}
    return json.dumps(body | {"type": type_, "time": f"2026-11-{at}:00+01:00", "office": office} | more).encode()


def visit(ticket: str, office: str = NATION, service: str = "accueil", **steps: str) -> list[bytes]:
    """What happened to a ticket: issued, called, started, ended, abandoned, by its local time."""
    types = {
        "issued": "ticket.issued",
        "called": "ticket.called",
        "started": "service.started",
        "ended": "service.ended",
        "abandoned": "ticket.abandoned",
    }
    return [
        event(
            types[step],
            at,
            office,
            ticket=ticket,
            **({"service": service, "channel": "walkin"} if step == "issued" else {}),
        )
        for step, at in steps.items()
    ]


LINES = [
    event("desk.opened", "23T08:30", desk="d1"),
    # Nation, the 23rd.   A1 |- 5 min -> called, served    A2 |--- 25 min ---> called, served    A3 |- 2 min -> left
    *visit("A1", issued="23T09:00", called="23T09:05", started="23T09:05", ended="23T09:10"),
    *visit("A2", issued="23T09:00", called="23T09:25", started="23T09:26", ended="23T09:30"),
    *visit("A3", issued="23T09:10", abandoned="23T09:12"),
    # A4 |- 4 min -> moved to prestations |- 8 min -> called, served: 12 min in all
    *visit("A4", issued="23T10:00"),
    event("ticket.transferred", "23T10:04", ticket="A4", toservice="prestations"),
    event("ticket.called", "23T10:12", ticket="A4"),
    event("service.started", "23T10:12", ticket="A4"),
    event("service.ended", "23T10:20", ticket="A4"),
    event("visitor.turned_away", "23T11:00", service="accueil", count=2),
    event("desk.closed", "23T12:30", desk="d1"),
    # Bobigny, the 23rd: 1 min
    *visit("B1", BOBIGNY, "prestations", issued="23T09:00", called="23T09:01", started="23T09:01", ended="23T09:05"),
    # Nation, the 24th: 12 min, and one who still waits at 09:30
    *visit("A5", issued="24T09:00", called="24T09:12", started="24T09:12", ended="24T09:20"),
    *visit("A6", issued="24T09:05"),
    event("kiosk.heartbeat", "24T09:30", kiosk="k1", spooled=0),
]


def write(folder: Path, lines: list[bytes] | None = None, name: str = "events.ndjson") -> Path:
    """The events as a file, sorted by time as an importer writes them."""
    path = folder / name
    kept = sorted(LINES, key=lambda line: json.loads(line)["time"]) if lines is None else lines
    path.write_bytes(b"".join(line + b"\n" for line in kept))
    return path


def registry(folder: Path, text: str = REGISTRY) -> Path:
    """The network as a file."""
    path = folder / "network.yaml"
    path.write_text(text)
    return path


def run(*arguments: str | Path) -> int:
    """The command; its exit code."""
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    return int(ended.value.code or 0)
