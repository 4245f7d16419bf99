"""The kinds of facts, numbered in the order in which they rank at one instant."""

from enum import IntEnum


class Kind(IntEnum):
    """What happened.

    At equal times and sequences facts take place in this order, so that with clocks of whole seconds a visitor is
    issued a ticket, called, served and transferred within one second without a contradiction. A no-show stands next
    to its call, so that a return to the queue in the same second follows it. Numbers below 16 fit a packed fact.
    """

    ISSUED = 0
    CALLED = 1
    NO_SHOW = 2
    STARTED = 3
    PAUSED = 4
    RESUMED = 5
    ENDED = 6
    TRANSFERRED = 7
    REQUEUED = 8
    ABANDONED = 9
    CLOSED = 10
    # A shift change at one instant closes before it opens.
    DESK_CLOSED = 16
    DESK_OPENED = 17
    OFFICE_CLOSED = 18
    OFFICE_OPENED = 19
    TURNED_AWAY = 20
    HEARTBEAT = 21


CHANNELS = ("walkin", "appointment", "remote")
OUTCOMES = ("unstated", "resolved", "pending", "referred")
CLOSE_REASONS = ("reset", "forced_logout", "overnight")
