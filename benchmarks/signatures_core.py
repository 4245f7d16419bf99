"""What it costs the core to look at signatures: run as a program it prints JSON, of the core that it finds.

One tape under `off`, `report` and `require`, in turns in one process, so that what disturbs one of them disturbs all;
CPU time.
"""

import argparse
import gc
import json
import struct
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from aiokafka.record.default_records import DefaultRecordBatch, DefaultRecordBatchBuilder

import attente.core.signing
from attente.core.partition import Partition
from attente.core.plan import Plan
from attente.engine.app import COLLECT
from attente.model.instants import text_of
from attente.model.signatures import SECRET_BYTES, Keyring, Signer, named
from attente.registry.entities import OfficeKey, Registry, Signatures
from attente.registry.load import parse

OFFICE: Final = "75-nation"
KEY: Final = named(OFFICE, "hall-1", bytes(range(SECRET_BYTES)))
NETWORK: Final = f"""\
network: one office
services: [{{id: accueil, title: Accueil}}]
offices: [{{id: {OFFICE}, name: Nation, region: Paris, zone: Europe/Paris}}]
"""
BEGIN: Final = 1_773_129_600_000  # 2026-03-10T08:00Z
EVERY_MS: Final = 1_000
BATCH: Final = 800  # records: what 256 kB hold
_LIFE: Final[tuple[tuple[str, dict[str, str]], ...]] = (
    ("ticket.issued", {"service": "accueil", "channel": "walkin"}),
    ("ticket.called", {"desk": "d1"}),
    ("service.started", {}),
    ("service.ended", {"outcome": "resolved"}),
)
_MAGIC: Final = 2
_ROOM: Final = 1 << 20


def events(visits: int) -> Iterator[tuple[int, bytes]]:
    """Visits of four events each, with the events' times."""
    for visit in range(visits):
        for n, (kind, more) in enumerate(_LIFE):
            at = BEGIN + visit * EVERY_MS + n
            body = {
                "specversion": "1.0",
                "id": f"01993f6e-0000-7000-8000-{4 * visit + n:012d}",
                "source": f"/offices/{OFFICE}/kiosks/hall-1",
                "type": kind,
                "time": text_of(at),
                "office": OFFICE,
                "ticket": f"2026-03-10/{visit}",
            }
            yield at, json.dumps(body | more, separators=(",", ":")).encode()


def batches(tape: list[tuple[int, bytes]]) -> list[bytes]:
    """The tape as the broker would hand it out, signed."""
    signer = Signer(KEY)
    out = []
    for first in range(0, len(tape), BATCH):
        builder = DefaultRecordBatchBuilder(_MAGIC, 0, 0, -1, -1, -1, _ROOM)
        for i, (at, value) in enumerate(tape[first : first + BATCH]):
            builder.append(i, at, OFFICE.encode(), value, signer.headers(value))
        out.append(struct.pack(">q", first) + bytes(builder.build())[8:])
    return out


def network(mode: Signatures) -> Registry:
    """One office, asked for signatures in a way."""
    registry = parse(NETWORK, "network")
    office = replace(registry.offices[OFFICE], keys=(OfficeKey(KEY.id, KEY.fingerprint),), signatures=mode)
    return replace(registry, offices={OFFICE: office})


def cost_us(plan: Plan, raw: list[bytes], events_: int) -> float:
    """CPU microseconds an event, from records to figures."""
    part = Partition(plan, 0, 1)
    began = time.process_time()
    for batch in raw:
        part.ingest(DefaultRecordBatch(batch))
    took = time.process_time() - began
    if part.counted != events_:
        message = f"{part.counted} of {events_} events counted: {part.refused}"
        raise SystemExit(message)
    del part
    gc.collect()
    return took / events_ * 1e6


def main() -> None:
    """Measure, and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--visits", type=int, required=True, help="on the tape, of four events each")
    parser.add_argument("--rounds", type=int, required=True)
    options = parser.parse_args()
    gc.set_threshold(*COLLECT)
    tape = list(events(options.visits))
    raw = batches(tape)
    plans = {mode: Plan(network(mode), Keyring([KEY])) for mode in Signatures}
    found = {
        "is_compiled": not attente.core.signing.__file__.endswith(".py"),
        "events": len(tape),
        "bytes": sum(len(value) for _, value in tape) / len(tape),
        "rounds": [
            {mode.value: cost_us(plan, raw, len(tape)) for mode, plan in plans.items()} for _ in range(options.rounds)
        ],
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
