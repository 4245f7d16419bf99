"""Panes, and the integer keys of what is counted in them.

A pane is a dict from key to count. A key says under which service and channel (the *cell*), what (the *measure*), and
for a wait how long, in whole seconds rounded up:

    service (10) | channel (2) | measure (8) | seconds (24)

The same layout serves exact rows, where seconds are seconds, and *coarse* rows, where they are the upper bound of the
histogram bucket that holds the wait. One number of seconds is kept for the sum of a measure's waits in milliseconds.
"""

from typing import Final

PANE_MS: Final = 5 * 60_000  # the finest grain anybody asked for: 288 panes a day

CELL: Final = 32  # shifts
MEASURE: Final = 24
SECONDS: Final = (1 << 24) - 1  # mask
SUM: Final = SECONDS  # in place of seconds: the sum in milliseconds
BEYOND: Final = SECONDS - 1  # the longest wait that can be told, 194 days; in coarse rows: beyond every bound

# Measures without a wait
ISSUED: Final = 0
TRANSFERRED: Final = 1
REQUEUED: Final = 2
CLOSED: Final = 3
TURNED_AWAY: Final = 4
CONTRADICTION: Final = 5  # seconds hold the kind of the fact
OPEN_DESK_MS: Final = 6  # in day figures only: how long desks were open; held as a sum
OPEN_OFFICE_MS: Final = 7
# Measures with a wait
SERVED: Final = 8  # + outcome (4)
LEFT_ABANDONED: Final = 12  # + start of the clock (3)
LEFT_NO_SHOW: Final = 15  # + start (3)
REACHED: Final = 20  # + clock (6): called or started, per leg
FIRST_ANSWERED: Final = 26  # + clock (6)
FIRST_LEFT: Final = 32
VISIT_ANSWERED: Final = 38
VISIT_LEFT: Final = 44
MEASURES: Final = 50

# A clock's number is its start's number times two, plus one when it ends at the start of service.
FROM_ISSUED: Final = 0
FROM_ARRIVED: Final = 1
FROM_DUE: Final = 2
TO_CALLED: Final = 0
TO_STARTED: Final = 1
ISSUED_TO_CALLED: Final = 0
ISSUED_TO_STARTED: Final = 1

Row = dict[int, int]


def pane_of(time_ms: int) -> int:
    """Index of the pane that holds an instant; an event on the boundary opens the later one."""
    return time_ms // PANE_MS


def whole_seconds(wait_ms: int) -> int:
    """A wait in seconds, rounded up: 1,200.4 s is not within 1,200 s."""
    return min(-(-wait_ms // 1000), BEYOND)


def key_of(cell: int, measure: int, seconds: int = 0) -> int:
    """The key of a count."""
    return cell << CELL | measure << MEASURE | seconds


def cell_of(key: int) -> int:
    """Service and channel of a key: service << 2 | channel."""
    return key >> CELL


def measure_of(key: int) -> int:
    """The measure of a key."""
    return key >> MEASURE & 255


def seconds_of(key: int) -> int:
    """The seconds of a key, or `SUM`."""
    return key & SECONDS


def change(row: Row, key: int, by: int) -> None:
    """Add to a count; a count of zero is no entry, so that equal figures are equal rows."""
    now = row.get(key, 0) + by
    if now:
        row[key] = now
    else:
        row.pop(key, None)
