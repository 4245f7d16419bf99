"""Desks and offices: entities whose facts of one business day fold into sessions."""

from attente.core.facts import KIND, LOW_42, SESSION_OPENED, TIME


class Sessions:
    """When one desk (or the office) was open on one business day.

    Attributes:
        closed: (begin, end) of sessions that a fact has ended.
        open_since: the beginning of the session that no fact has ended, or -1.
        contradictions: (kind, instant) of facts that opened what was open or closed what was closed.
    """

    __slots__ = ("closed", "contradictions", "open_since")

    def __init__(self) -> None:
        self.closed: list[tuple[int, int]] = []
        self.open_since = -1
        self.contradictions: list[tuple[int, int]] = []

    def until(self, now: int, day_end: int) -> list[tuple[int, int]]:
        """All sessions up to an instant; one left open ends at the cut-over."""
        end = min(now, day_end)
        if 0 <= self.open_since < end:
            return [*self.closed, (self.open_since, end)]
        return self.closed

    def is_open(self, now: int, day_end: int) -> bool:
        """Whether it is open at an instant."""
        return self.open_since >= 0 and now < day_end


def fold_sessions(facts: list[int]) -> Sessions:
    """Sorted facts of one day into sessions."""
    out = Sessions()
    for fact in facts:
        at = fact >> TIME & LOW_42
        kind = fact >> KIND & 15
        if (kind == SESSION_OPENED) == (out.open_since >= 0):
            out.contradictions.append((kind, at))
        elif kind == SESSION_OPENED:
            out.open_since = at
        else:
            out.closed.append((out.open_since, at))
            out.open_since = -1
    return out


def overlap_ms(sessions: list[tuple[int, int]], begin: int, end: int) -> int:
    """Milliseconds of sessions that lie in `[begin, end)`: a pane's, a window's or a day's open time."""
    return sum(max(0, min(until, end) - max(since, begin)) for since, until in sessions)
