"""What somebody may be told of the moment it is sealed, who wants it finer or longer than an office keeps it."""

from collections.abc import Mapping
from typing import Protocol


class Ledger(Protocol):
    """Whoever keeps what an office forgets.

    A partition without one works as one with it: a ledger is told, never asked, and belongs to no state. What it is
    told of and what the panes hold are together every contribution of the log, each exactly once.
    """

    def sealed(self, office: str, counts: Mapping[tuple[int, int], int]) -> None:
        """Some contributions can no longer change.

        Args:
            office: whose they are.
            counts: by pane and key, as the panes held them; zeros are possible. The open time of a desk or of the
                office on one business day comes under the pane in which that day begins.
        """
