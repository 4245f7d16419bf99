"""What can go wrong for whoever builds a kiosk on this package."""

from attente.errors import AttenteError, BadInput, Missing


class EventRefused(BadInput):
    """The event is none that a worker would take: it was not accepted, and the caller has to mend it.

    Attributes:
        reason: the code that its dead letter would have borne.
    """

    def __init__(self, reason: str, detail: str) -> None:
        """Says why.

        Args:
            reason: a code of `attente.model.reasons`.
            detail: the attribute, its value and the remedy.
        """
        super().__init__(f"{reason}: {detail}")
        self.reason = reason


class SpoolFull(AttenteError):  # noqa: N818
    """The spool holds as much as it may: the event was not accepted, and nothing held is given up for it.

    Attributes:
        events: how many events are held.
        oldest_ms: when the oldest of them was accepted, in Unix milliseconds by this machine's clock.
    """

    exit_code = Missing.exit_code

    def __init__(self, message: str, events: int, oldest_ms: int) -> None:
        """Says how much is held and since when."""
        super().__init__(message)
        self.events = events
        self.oldest_ms = oldest_ms


class SpoolBroken(AttenteError):  # noqa: N818
    """The spool cannot be read or written: the disk is full, the file is damaged or not ours."""

    exit_code = Missing.exit_code
