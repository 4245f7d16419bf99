"""A kiosk's program that tests kill: it reports visits until it is told to end, and says what was accepted.

Prints the id of every event when the kiosk's method has returned. Ends at the end of its standard input, after it has
sent all it can.
"""

import argparse
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from attente.kiosk import Kiosk, KioskSettings
from attente.kiosk.making import Reporter
from attente.kiosk.testing import FakeKiosk

OFFICE = "75-nation"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("broker")
    parser.add_argument("topic")
    parser.add_argument("spool", type=Path)
    parser.add_argument("run", help="what its tickets begin with")
    parser.add_argument("--pause", type=float, default=0.0, help="seconds between two visits, or two batches")
    parser.add_argument("--together", type=int, default=0, help="visits taken at once; 0 takes each event alone")
    parser.add_argument("--padding", type=int, default=0, help="bytes that events taken at once are longer")
    parser.add_argument("--delivery-timeout", type=int, default=10)
    known = parser.parse_args()
    settings = KioskSettings(
        office=OFFICE,
        kiosk="hall-1",
        spool=known.spool,
        broker=known.broker,
        topic=known.topic,
        delivery_timeout_seconds=known.delivery_timeout,
    )
    told_to_end = threading.Event()

    def listen() -> None:
        sys.stdin.read()
        told_to_end.set()

    threading.Thread(target=listen, daemon=True).start()
    with Kiosk(settings) as kiosk:
        number = 0
        while not told_to_end.is_set():
            if known.together:
                tickets = [f"{known.run}/{number + i}" for i in range(known.together)]
                say(*take(kiosk, tickets, known.padding))
            else:
                tickets = [f"{known.run}/{number}"]
                for event in visit(kiosk, *tickets):
                    say(event)
            number += len(tickets)
            time.sleep(known.pause)
        if not kiosk.drain(60):
            sys.exit(f"not sent: {kiosk.status()}")


def visit(reporter: Reporter, ticket: str) -> Iterator[str]:
    """All that happens to a visitor; the id of each event when it is taken."""
    yield reporter.ticket_issued(ticket=ticket, service="accueil")
    yield reporter.ticket_called(ticket=ticket, desk="1")
    yield reporter.service_started(ticket=ticket)
    yield reporter.service_ended(ticket=ticket, outcome="resolved")


def take(kiosk: Kiosk, tickets: list[str], padding: int) -> list[str]:
    """Report visits all at once, each event with an attribute that makes it longer."""
    made = FakeKiosk(OFFICE, "hall-1")
    ids = [id_ for ticket in tickets for id_ in visit(made, ticket)]
    with kiosk.batch() as batch:
        for value in made.values:
            batch.report(value[:-1] + b',"padding":"' + b"x" * padding + b'"}')
    return ids


def say(*ids: str) -> None:
    sys.stdout.write("".join(f"{id_}\n" for id_ in ids))
    sys.stdout.flush()


if __name__ == "__main__":
    main()
