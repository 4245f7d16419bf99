"""Whether a worker under steady load keeps up, and whether its memory grows by no more than by what it holds."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

MIB: Final = 1024 * 1024
SLACK_S: Final = 1.0
"""By so much the lag may be greater in the last third than in the first: offsets are committed once a second."""
SURPLUS: Final = 0.25
"""By such a share memory may grow more than what is held: dicts double, and the heap has holes."""
BASE_BYTES: Final = 64 * MIB
"""By so much more, for each worker: pages, buffers, a checkpoint on its way."""
RATE: Final = 0.95
"""The share of the events asked for that must have come, or the load was another one."""


@dataclass(frozen=True, slots=True)
class Sample:
    """How it stood at one moment.

    Attributes:
        at: seconds since the measurement began.
        ends: of each partition, how many events the log holds.
        done: of each, how many are applied, as far as the broker has been told.
        resident: bytes of memory, by worker.
        cpu: CPU seconds so far, by program.
    """

    at: float
    ends: tuple[int, ...]
    done: tuple[int, ...]
    resident: tuple[int, ...]
    cpu: dict[str, float]

    @property
    def lags(self) -> Iterator[int]:
        """Events behind, of each partition; the end was asked for after what is done."""
        return (max(0, end - done) for end, done in zip(self.ends, self.done, strict=True))


def rates(samples: Sequence[Sample]) -> list[float]:
    """Events per second that came to each partition."""
    first, last = samples[0], samples[-1]
    return [(end - begin) / (last.at - first.at) for begin, end in zip(first.ends, last.ends, strict=True)]


def lags_s(samples: Sequence[Sample]) -> list[float]:
    """Of each sample the greatest lag of a partition, as seconds of that partition's traffic."""
    per_s = rates(samples)
    return [
        max((lag / rate for lag, rate in zip(sample.lags, per_s, strict=True) if rate), default=0.0)
        for sample in samples
    ]


def third(samples: Sequence[Sample], number: int) -> slice:
    """The samples of the first, second or third third (0 to 2) of the time."""
    begin, end = samples[0].at, samples[-1].at
    bounds = [begin + (end - begin) * n / 3 for n in (number, number + 1)]
    found = [i for i, one in enumerate(samples) if bounds[0] <= one.at < bounds[1] or (number == 2 and one.at == end)]
    return slice(found[0], found[-1] + 1)


@dataclass(frozen=True, slots=True)
class LagVerdict:
    """Whether the lag is flat: the greatest of the last third is at most that of the first and a second more."""

    first_s: float
    last_s: float

    @property
    def is_flat(self) -> bool:
        """The verdict."""
        return self.last_s <= self.first_s + SLACK_S


def lag_verdict(samples: Sequence[Sample]) -> LagVerdict:
    """Of at least three samples."""
    lags = lags_s(samples)
    return LagVerdict(max(lags[third(samples, 0)]), max(lags[third(samples, 2)]))


def slope(points: Sequence[tuple[float, float]]) -> float:
    """Of the line with the least squares: a moment's page or checkpoint does not bend it."""
    n = len(points)
    mean_x, mean_y = sum(x for x, _ in points) / n, sum(y for _, y in points) / n
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / spread


@dataclass(frozen=True, slots=True)
class MemoryVerdict:
    """Whether memory is flat, but for what is held.

    Attributes:
        grown_bytes: by which all workers have grown together, by the slope over all samples.
        expected_bytes: bytes per visit of the core alone, fed with records of the same log, times the visits.
        workers: how many there are.
    """

    grown_bytes: float
    expected_bytes: float
    workers: int

    @property
    def allowed_bytes(self) -> float:
        """More would be no more explained."""
        return self.expected_bytes * (1 + SURPLUS) + BASE_BYTES * self.workers

    @property
    def is_flat(self) -> bool:
        """The verdict."""
        return self.grown_bytes <= self.allowed_bytes


def memory_verdict(samples: Sequence[Sample], expected_bytes: float) -> MemoryVerdict:
    """Of at least two samples."""
    whole = slope([(sample.at, float(sum(sample.resident))) for sample in samples])
    return MemoryVerdict(whole * (samples[-1].at - samples[0].at), expected_bytes, len(samples[0].resident))


def came(samples: Sequence[Sample]) -> float:
    """Events per second that came to the log."""
    return sum(rates(samples))


def applied(samples: Sequence[Sample]) -> float:
    """Events per second that were applied."""
    first, last = samples[0], samples[-1]
    return (sum(last.done) - sum(first.done)) / (last.at - first.at)


def shares(samples: Sequence[Sample]) -> dict[str, float]:
    """Of each program the processors that it took on the average: 1 is one processor all the time."""
    first, last = samples[0], samples[-1]
    return {name: (last.cpu[name] - first.cpu[name]) / (last.at - first.at) for name in first.cpu}
