"""A kiosk without disk and broker, for the tests of whoever builds on `attente.kiosk`."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Self

from attente.kiosk.errors import SpoolFull
from attente.kiosk.making import Reporter, now
from attente.model.events import AnyEvent, decode


class FakeKiosk(Reporter):
    """Checks and keeps events as `attente.kiosk.Kiosk` does, in memory.

    Example:
        >>> kiosk = FakeKiosk()
        >>> my_ticket_printer(kiosk).press("prestations")
        >>> [event.service for event in kiosk.events]
        ['prestations']

    Attributes:
        values: the bytes of all accepted events, in order.
        is_full: refuse every further event, as a full spool does.
    """

    def __init__(self, office: str = "an-office", kiosk: str = "a-kiosk", clock: Callable[[], datetime] = now) -> None:
        """Empty; see `Reporter`."""
        super().__init__(office, kiosk, clock)
        self.values: list[bytes] = []
        self.is_full = False

    @property
    def events(self) -> list[AnyEvent]:
        """All accepted events, in order."""
        return [decode(value) for value in self.values]

    def _take(self, values: Sequence[bytes]) -> None:
        if self.is_full:
            msg = f"the spool is full: {len(self.values):,} events; nothing was lost"
            raise SpoolFull(msg, len(self.values), 0)
        self.values += values

    def close(self) -> None:
        """Nothing to close."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
