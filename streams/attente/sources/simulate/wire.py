"""From an office to the broker: clocks that are off, lines that fail, events that come twice."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from typing import Final, NamedTuple

from attente.model.names import kiosk_source
from attente.sources.simulate.hours import MINUTE, Span
from attente.sources.simulate.network import Shares, SimulatedOffice
from attente.sources.simulate.seeds import stream
from attente.sources.simulate.truth import OfficeTruth

DRIFT_MS: Final = 3_000
"""How far a kiosk's clock may be off: workers accept that a call lies up to 5 s before its ticket (definitions)."""

LATE_MS: Final = MINUTE
"""From which delay on an event counts as late."""

_TRANSPORT_MS: Final = 400
_FLUSH_MS: Final = 25  # between two events of a kiosk that sends its spool
_SHORTEST_OUTAGE_MS: Final = 10 * MINUTE
_LONGEST_OUTAGE_MS: Final = 5 * 60 * MINUTE
_OVER_NIGHT: Final = 0.2  # of the outages: nobody notices before the next morning
_MORNING_MS: Final = 14 * 60 * MINUTE  # after a day's closing, before it opens again, within a horizon of a day
_SECOND_COPY_MS: Final = 2 * MINUTE

Sent = tuple[int, int, int, bytes]
"""When it reaches the broker, its number in the office's day, the time that it bears, the event."""


class Kiosk(NamedTuple):
    """A kiosk on one day: its id, its clock less the true time, and when it has no line (from, until)."""

    id: str
    source: str
    drift_ms: int
    silent: Span


def kiosks(office: SimulatedOffice, day: int, spans: Sequence[Span], shares: Shares) -> tuple[Kiosk, ...]:
    """The kiosks of an office on a day."""
    opens, closes = spans[0][0], spans[-1][1]
    found = []
    for identity in office.kiosks:
        own = stream(office.seed, office.id, identity)
        drift = own.randint(-DRIFT_MS, DRIFT_MS) if own.random() < shares.drift else 0
        today = stream(office.seed, office.id, identity, day)
        silent = (0, 0)
        if today.random() < shares.late:
            begin = today.randint(opens, max(opens, closes - _SHORTEST_OUTAGE_MS))
            until = begin + today.randint(_SHORTEST_OUTAGE_MS, _LONGEST_OUTAGE_MS)
            silent = (begin, closes + _MORNING_MS if today.random() < _OVER_NIGHT else until)
        found.append(Kiosk(identity, kiosk_source(office.id, identity), drift, silent))
    return tuple(found)


class Wire:
    """Holds an office's events until they reach the broker; one day's are told apart by their numbers.

    Its randomness is its own: what goes wrong on the way changes nothing that happens in the office.

    Attributes:
        spooled: how many events each kiosk has kept while it had no line.
    """

    def __init__(self, office: SimulatedOffice, day: int, shares: Shares, truth: OfficeTruth) -> None:
        """Holds nothing yet."""
        self._random = stream(office.seed, office.id, "wire", day).random
        self._duplicates = shares.duplicates
        self._truth = truth
        self._held: list[Sent] = []
        self._number = 0
        self.spooled: Counter[str] = Counter()

    @property
    def empty(self) -> bool:
        """Whether everything has reached the broker."""
        return not self._held

    def send(self, at: int, value: bytes, kiosk: Kiosk | None = None) -> None:
        """An event sets out.

        Args:
            at: when it happens, by the true time.
            value: the event.
            kiosk: who sends it; None is the office's own system, whose line never fails.
        """
        random = self._random
        arrives = at + 1 + int(random() * _TRANSPORT_MS)
        if kiosk is not None:
            if kiosk.silent[0] <= at < kiosk.silent[1]:
                # In the order in which they were spooled, one after the other.
                self.spooled[kiosk.id] += 1
                arrives = kiosk.silent[1] + self.spooled[kiosk.id] * _FLUSH_MS
            at += kiosk.drift_ms
        self._hold(arrives, at, value)
        if random() < self._duplicates:
            self._truth.duplicates += 1
            self._hold(arrives + 1 + int(random() * _SECOND_COPY_MS), at, value)

    def _hold(self, arrives: int, at: int, value: bytes) -> None:
        self._number += 1
        truth = self._truth
        truth.events += 1
        if arrives - at > LATE_MS:
            truth.late += 1
        self._held.append((arrives, self._number, at, value))

    def arrived(self, until: int) -> list[Sent]:
        """What has reached the broker before an instant and was not told yet, in order."""
        held = self._held
        if not held:
            return held
        held.sort()  # nearly sorted already
        if held[-1][0] < until:
            self._held = []
            return held
        cut = bisect_left(held, (until,))
        self._held = held[cut:]
        return held[:cut]
