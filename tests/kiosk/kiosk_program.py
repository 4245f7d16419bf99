"""A kiosk's program that tests kill: it reports tickets until it is told to end, and says which were accepted.

`python kiosk_program.py BROKER TOPIC SPOOL RUN PAUSE_S`: prints the ticket of every event when the method has returned.
Ends at the end of its standard input, after it has sent all it can.
"""

import logging
import sys
import threading
import time
from pathlib import Path

from attente.kiosk import Kiosk, KioskSettings

OFFICE = "75-nation"


def main() -> None:
    broker, topic, spool, run, pause_s = sys.argv[1:]
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    settings = KioskSettings(
        office=OFFICE, kiosk="hall-1", spool=Path(spool), broker=broker, topic=topic, delivery_timeout_seconds=10
    )
    told_to_end = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), told_to_end.set()), daemon=True).start()
    with Kiosk(settings) as kiosk:
        number = 0
        while not told_to_end.is_set():
            ticket = f"{run}/{number}"
            kiosk.ticket_issued(ticket=ticket, service="cash")
            sys.stdout.write(f"{ticket}\n")
            sys.stdout.flush()
            number += 1
            time.sleep(float(pause_s))
        if not kiosk.drain(60):
            sys.exit(f"not sent: {kiosk.status()}")


if __name__ == "__main__":
    main()
