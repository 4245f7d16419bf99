"""The brake: when so much is refused, it is hardly the events that are wrong, and the worker had better stop.

A registry that lacks half of its offices, or a program that does not know the new type of event, would otherwise empty
a whole topic into the dead letters within a minute, and nobody would know until somebody asks for the figures.
"""

from collections import Counter, deque
from itertools import takewhile

from attente.core.partition import Dead

GO_ON = "--brake-share 0 --brake-row 0"
"""The flags of a worker that refuses as much as it must."""


class Brake:
    """Watches what is refused in one partition, in the order of its log.

    Events count by their number in the state, not by their offset: holes in the log are no good events, and how events
    come in batches decides nothing. Duplicates are events that are not refused. What was refused before the brake was
    made is not known to it, so that a worker that starts again may refuse as much again before it stops.

    Args:
        share: so many percent of the last events may be refused; more are too many. 0 is any number.
        window: how many events the last ones are.
        row: so many refused one after the other are too many. 0 is any number.
    """

    def __init__(self, share: int, window: int, row: int) -> None:
        self._most = share * window // 100 if share else 0
        self._window = window
        self._row = row
        self._last: deque[Dead] = deque(maxlen=max(self._most + 1 if share else 0, row))
        self._in_a_row = 0
        self._share = share

    def pulled_by(self, dead: Dead) -> str:
        """What is too much, as a line without remedy, once this one is refused too; "" if nothing is."""
        before = self._last[-1] if self._last else None
        self._in_a_row = self._in_a_row + 1 if before is not None and before.number == dead.number - 1 else 1
        self._last.append(dead)
        if self._row and self._in_a_row >= self._row:
            return _said(f"{self._in_a_row:,} events in a row", list(self._last)[-self._row :])
        among = list(takewhile(lambda one: one.number > dead.number - self._window, reversed(self._last)))
        if self._share and len(among) > self._most:
            return _said(f"{len(among):,} of the last {min(self._window, dead.number):,} events", among[::-1])
        return ""


def _said(what: str, refused: list[Dead]) -> str:
    reason, count = Counter(dead.reason for dead in refused).most_common(1)[0]
    last = next(dead for dead in reversed(refused) if dead.reason == reason)
    return (
        f"{what} are refused, offsets {refused[0].offset} to {refused[-1].offset}, {count:,} of them as {reason.value} "
        f"(the last: {last.detail})"
    )
