"""One look at the demo as plain values: what a screen shows and a line says."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from attente.demo.account import Figures
from attente.demo.pages import Page
from attente.metrics import catalogue as c


@dataclass(frozen=True, slots=True)
class WorkerState:
    """How a worker is.

    Attributes:
        name: its name.
        state: in a word or two.
        shown: the partitions on its page.
        lag: events of its partitions that are not yet applied; None without a page, as all that follows.
        checkpoints: checkpoints written by this process.
        url: where its page is.
        rate: events that it applied in a second, lately.
    """

    name: str
    state: str
    shown: tuple[int, ...] = ()
    lag: int | None = None
    checkpoints: int | None = None
    url: str | None = None
    rate: float | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """How things stand.

    Attributes:
        title: what is played.
        state: what the demo is doing, in a few words.
        broker: where Kafka is.
        zone: whose clock stream time is told by.
        given: records handed to the replay.
        records: how many there are in all.
        partitions: how many there are.
        figures: what the pages said when they last showed every partition.
        age_s: how long ago that was, in seconds; 0 is now.
        rate: events that the workers read in a second, lately.
        workers: by name.
        kills: how many are over, and how many there will be.
        notes: what has happened lately, the newest last.
        violations: what must not have happened.
        is_done: whether every event is accounted for.
    """

    title: str
    state: str
    broker: str
    zone: ZoneInfo
    given: int
    records: int
    partitions: int
    figures: Figures
    age_s: float
    rate: float
    workers: tuple[WorkerState, ...]
    kills: tuple[int, int] = (0, 0)
    notes: tuple[str, ...] = ()
    violations: tuple[str, ...] = ()
    is_done: bool = False


def state_of(name: str, page: Page | None, *, runs: bool, url: str | None, rate: float | None = None) -> WorkerState:
    """How a worker is, from its page and its process."""
    if page is None:
        return WorkerState(name, ("starting" if url is None else "busy") if runs else "killed", url=url)
    return WorkerState(
        name=name,
        state="ready" if page.is_ready else "taking over",
        shown=tuple(sorted(page.shown)),
        lag=page.lag,
        checkpoints=int(page.reading.total(c.CHECKPOINTS)),
        url=url,
        rate=rate,
    )


_WINDOW_S: Final = 5.0


class Meter:
    """How fast a number grows, over the last seconds."""

    def __init__(self) -> None:
        """Nothing has been read."""
        self._totals: list[tuple[float, float]] = []

    def read(self, total: float, now_s: float) -> float:
        """What it grows by in a second, with another reading of it."""
        self._totals.append((now_s, total))
        while self._totals[-1][0] - self._totals[0][0] > _WINDOW_S:
            self._totals.pop(0)
        (first_s, first), (last_s, last) = self._totals[0], self._totals[-1]
        return (last - first) / (last_s - first_s) if last_s > first_s else 0.0


class Rate:
    """Events a second of all workers together.

    A partition that is handed over is on no page for a while; the greatest count seen of each keeps the rate from
    falling below nothing then.
    """

    def __init__(self) -> None:
        """No page has been seen."""
        self._seen: dict[str, float] = {}
        self._meter = Meter()

    def observe(self, pages: Sequence[Page], now_s: float) -> float:
        """The rate with another round of pages."""
        for page in pages:
            for partition, read in page.reading.by(c.EVENTS_READ, "partition").items():
                self._seen[partition] = max(read, self._seen.get(partition, 0.0))
        return self._meter.read(sum(self._seen.values()), now_s)


class WorkerRate:
    """Events a second that one worker applies, those included that it reads again when it takes a partition over."""

    def __init__(self) -> None:
        """No page has been seen."""
        self._meter = Meter()

    def observe(self, page: Page, now_s: float) -> float:
        """The rate with another page of it."""
        return self._meter.read(page.reading.total(c.BATCH_RECORDS), now_s)
