"""A past day's events in order, computed by one process or several: the result is the same, byte for byte."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Final

import msgspec

from attente.sources.simulate.crew import Member, members
from attente.sources.simulate.network import Network
from attente.sources.simulate.stream import Delivery, Runs, beginning
from attente.sources.simulate.truth import OfficeTruth

_encode: Final = msgspec.msgpack.Encoder().encode
_slice: Final = msgspec.msgpack.Decoder(list[Delivery]).decode
_truths: Final = msgspec.msgpack.Decoder(list[OfficeTruth]).decode
_END: Final = b""


@dataclass(frozen=True, slots=True)
class _Share:
    """What one process computes: every so-manieth office."""

    network: Network
    days: Sequence[int]
    first: int
    step: int


class Pool:
    """Days of a network.

    Attributes:
        truths: the truth about every office, in the order of the network; whole when `slices` has ended.
    """

    def __init__(self, network: Network, days: Sequence[int], processes: int = 1) -> None:
        """Nothing is computed yet.

        Args:
            network: which one.
            days: the local dates (`date.toordinal`), in order.
            processes: how many; with one, this process computes.
        """
        self._network = network
        self._days = days
        self._processes = max(1, min(processes, len(network.offices)))
        self.truths: list[OfficeTruth] = []

    def slices(self) -> Iterator[list[Delivery]]:
        """What reaches the broker, in order, in slices of some minutes."""
        if self._processes == 1:
            runs = Runs(self._network, self._days, self._network.offices)
            yield from runs.slices(beginning(self._network, self._days[0]))
            self.truths = runs.truths
            return
        shares = [_Share(self._network, self._days, n, self._processes) for n in range(self._processes)]
        with members(_compute, shares) as crew:
            yield from self._merged(crew)

    def _merged(self, crew: list[Member]) -> Iterator[list[Delivery]]:
        truths: dict[str, OfficeTruth] = {}
        working = list(crew)
        while working:
            merged: list[Delivery] = []
            for member in tuple(working):
                raw = member.receive()
                if raw == _END:
                    working.remove(member)
                    truths.update((truth.office, truth) for truth in _truths(member.receive()))
                else:
                    merged.extend(_slice(raw))
            merged.sort()  # runs that are sorted already: a merge
            yield merged
        self.truths = [truths[office.id] for office in self._network.offices]


def _compute(pipe: Connection, share: _Share) -> None:
    network = share.network
    runs = Runs(network, share.days, network.offices[share.first :: share.step])
    for each in runs.slices(beginning(network, share.days[0])):
        pipe.send(_encode(each))
    pipe.send(_END)
    pipe.send(_encode(runs.truths))
