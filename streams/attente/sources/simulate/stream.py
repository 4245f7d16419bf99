"""Many offices over days, as one log in the order in which the broker sees it."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from attente.sources.simulate.hours import instant
from attente.sources.simulate.network import Network, Shares, SimulatedOffice
from attente.sources.simulate.office_day import OfficeDay
from attente.sources.simulate.stamps import Stamps
from attente.sources.simulate.truth import OfficeTruth

SLICE_MS: Final = 10 * 60_000
"""How far all offices go before their events are put in order: what one slice holds is all that memory has to hold."""


class Delivery(NamedTuple):
    """An event as it reaches the broker; deliveries sort in that order, the same for the same network.

    Attributes:
        arrives_ms: when.
        office: the number of its office, from 0.
        number: its number among the office's events.
        at_ms: the time that it bears.
        value: the event, one JSON object.
    """

    arrives_ms: int
    office: int
    number: int
    at_ms: int
    value: bytes


class OfficeRun:
    """One office over days: each begins when it is due, and one that still has events on the way goes on beside it."""

    def __init__(self, office: SimulatedOffice, days: Iterable[int], shares: Shares, stamps: Stamps) -> None:
        """Nothing has happened yet.

        Args:
            office: which one.
            days: the local dates (`date.toordinal`), in order; they need not end.
            shares: what goes wrong on the way.
            stamps: the texts of instants in the office's zone.
        """
        self.office = office
        self.truth = OfficeTruth(office.id, office.gaming)
        self._days = iter(days)
        self._shares = shares
        self._stamps = stamps
        self._active: list[OfficeDay] = []
        self._number = 0
        self._next = next(self._days, None)
        self._next_ms = self._midnight()

    @property
    def over(self) -> bool:
        """Whether nothing is to come any more."""
        return self._next is None and not self._active

    def advance(self, until: int) -> list[Delivery]:
        """What reaches the broker up to an instant and was not told yet, in order."""
        while self._next is not None and self._next_ms < until:
            self._active.append(OfficeDay(self.office, self._next, self._shares, self.truth, self._stamps))
            self._next = next(self._days, None)
            self._next_ms = self._midnight()
        sent = [each for day in self._active for each in day.advance(until)]
        if len(self._active) > 1:
            sent.sort(key=lambda each: each[0])
        self._active = [day for day in self._active if not day.over]
        index = self.office.index
        first = self._number
        self._number += len(sent)
        return [
            Delivery(arrives, index, number, at, value) for number, (arrives, _, at, value) in enumerate(sent, first)
        ]

    def _midnight(self) -> int:
        return 0 if self._next is None else instant(self._next, 0, self.office.zone)


class Runs:
    """Some offices of a network, computed together."""

    def __init__(self, network: Network, days: Sequence[int], offices: Iterable[SimulatedOffice]) -> None:
        """Nothing has happened yet."""
        stamps: dict[str, Stamps] = {}
        self._runs = [
            OfficeRun(office, days, network.shares, stamps.setdefault(office.zone, Stamps(office.zone)))
            for office in offices
        ]

    @property
    def over(self) -> bool:
        """Whether nothing is to come any more."""
        return all(run.over for run in self._runs)

    @property
    def truths(self) -> list[OfficeTruth]:
        """What has happened so far, office by office."""
        return [run.truth for run in self._runs]

    def advance(self, until: int) -> list[Delivery]:
        """What reaches the broker up to an instant and was not told yet, in order."""
        found = [delivery for run in self._runs for delivery in run.advance(until)]
        found.sort()
        return found

    def slices(self, begin: int) -> Iterator[list[Delivery]]:
        """All of it, slice by slice from an instant on."""
        while not self.over:
            begin += SLICE_MS
            yield self.advance(begin)


def beginning(network: Network, day: int) -> int:
    """The instant at which a day begins in the first of the network's zones."""
    return min(instant(day, 0, zone) for zone in {office.zone for office in network.offices})


def simulate_days(network: Network, days: Sequence[int]) -> tuple[Iterator[Delivery], list[OfficeTruth]]:
    """Some days of a network.

    Args:
        network: which one.
        days: the local dates (`date.toordinal`), in order.

    Returns:
        What reaches the broker, in order, and the truth about every office, which is whole when the former has ended.
    """
    runs = Runs(network, days, network.offices)
    slices = runs.slices(beginning(network, days[0]))
    return (delivery for each in slices for delivery in each), runs.truths


def simulate_day(network: Network, day: int) -> Iterator[Delivery]:
    """One day of a network (`day` as `date.toordinal`): what reaches the broker, in order."""
    return simulate_days(network, [day])[0]
