"""The same count as Faust's documentation would have it: records, an agent, tables, nothing tuned.

Run as a program; the environment says where: PEER_BROKER, PEER_TOPIC, PEER_APP, PEER_PARTITIONS.
"""

import json
import os
from datetime import datetime

import faust

app = faust.App(
    os.environ["PEER_APP"],
    broker=f"kafka://{os.environ['PEER_BROKER']}",
    topic_partitions=int(os.environ["PEER_PARTITIONS"]),  # Faust wants a table's topic to have as many as the source
)


# Faust's own parser of dates takes milliseconds for microseconds; the documentation shows how to name another one.
class Event(faust.Record, coerce=True, date_parser=datetime.fromisoformat):  # type: ignore[call-arg, misc]
    """An event of the topic."""

    specversion: str
    id: str
    source: str
    type: str
    time: datetime
    office: str
    ticket: str = ""
    service: str = ""
    channel: str = ""
    desk: str = ""
    outcome: str = ""


class Ticket(faust.Record, coerce=True, date_parser=datetime.fromisoformat):  # type: ignore[call-arg, misc]
    """Who waits, for what, since when."""

    service: str
    issued: datetime


events = app.topic(os.environ["PEER_TOPIC"], key_type=str, value_type=Event)

tickets = app.Table("tickets", value_type=Ticket)
issued = app.Table("issued", default=int)
called = app.Table("called", default=int)
served = app.Table("served", default=int)
abandoned = app.Table("abandoned", default=int)
wait_ms = app.Table("wait_ms", default=int)

TABLES = {"issued": issued, "called": called, "served": served, "abandoned": abandoned, "wait_ms": wait_ms}

seen = 0
told = (0, False)


@app.agent(events)  # type: ignore[untyped-decorator]
async def count(stream: faust.Stream[Event]) -> None:
    """Count what happens to tickets, by office and service."""
    global seen  # noqa: PLW0603 - what the benchmark looks at, not part of the job
    async for event in stream:
        seen += 1
        ticket = f"{event.office}/{event.ticket}"
        if event.type == "ticket.issued":
            issued[f"{event.office}/{event.service}"] += 1
            tickets[ticket] = Ticket(service=event.service, issued=event.time)
        elif event.type in {"ticket.called", "service.ended", "ticket.abandoned"}:
            known = tickets.get(ticket)
            if known is None:
                continue
            key = f"{event.office}/{known.service}"
            if event.type == "ticket.called":
                called[key] += 1
                wait_ms[key] += round((event.time - known.issued).total_seconds() * 1000)
                continue
            if event.type == "service.ended":
                served[key] += 1
            else:
                abandoned[key] += 1
            tickets.pop(ticket)


@app.timer(0.25)  # type: ignore[untyped-decorator]
async def tell() -> None:
    """Say how far it is, and the totals once it stands still."""
    global told  # noqa: PLW0603
    said, is_over = told
    if seen > said:
        told = (seen, False)
        print(json.dumps({"seen": seen}), flush=True)
    elif seen and not is_over:
        told = (seen, True)
        totals = {name: sum(table.values()) for name, table in TABLES.items()}
        print(json.dumps({"seen": seen, "totals": totals}), flush=True)


if __name__ == "__main__":
    app.main()
