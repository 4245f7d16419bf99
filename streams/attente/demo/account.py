"""What the workers say, summed, and whether it accounts for every record of the log."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from attente.core.levels import service_level
from attente.core.view import Counts
from attente.demo.pages import Page
from attente.metrics import catalogue as c
from attente.metrics.metric import Metric
from attente.registry.entities import Left

_TOTALS: Final = ("issued", "called", "served", "abandoned", "no_show")


@dataclass(frozen=True, slots=True)
class Account:
    """What became of the events that were read."""

    read: int = 0
    counted: int = 0
    duplicate: int = 0
    refused: int = 0

    @property
    def is_balanced(self) -> bool:
        """Whether every one of them is in the account once."""
        return self.read == self.counted + self.duplicate + self.refused

    def __str__(self) -> str:
        sign = "=" if self.is_balanced else "is not"
        return (
            f"{self.read:,} events read {sign} {self.counted:,} counted + {self.duplicate:,} duplicate "
            f"+ {self.refused:,} refused"
        )


def account_of(pages: Sequence[Page], **labels: str) -> Account:
    """The account of all partitions that are shown, or of those with some labels."""
    return Account(
        *(
            _total(pages, one, **labels)
            for one in (c.EVENTS_READ, c.EVENTS_COUNTED, c.EVENTS_DUPLICATE, c.EVENTS_REFUSED)
        )
    )


def unaccounted(pages: Sequence[Page]) -> list[str]:
    """The partitions whose account does not balance on a page, one line each: a page is of one instant."""
    return [
        f"partition {partition}: {account} on the page of {page.worker}"
        for page in pages
        for partition in sorted(page.shown)
        if not (account := account_of([page], partition=str(partition))).is_balanced
    ]


@dataclass(frozen=True, slots=True)
class NormFigures:
    """How a norm is kept.

    Attributes:
        norm: its id.
        title: its title.
        threshold_s: its threshold, in seconds.
        target: the promised share, 0 to 1.
        promise: what becomes of those who left, in the service level that is the promise.
        counts: the four counts over the whole life of the states.
    """

    norm: str
    title: str
    threshold_s: int
    target: float
    promise: Left
    counts: Counts

    def levels(self) -> dict[Left, float | None]:
        """The four service levels, to six decimals; None where nobody is counted."""
        exact = {left: service_level(self.counts, left) for left in Left}
        return {left: None if level is None else round(float(level), 6) for left, level in exact.items()}


@dataclass(frozen=True, slots=True)
class Figures:
    """What all pages say together; only partitions that are shown take part.

    Attributes:
        read, counted, duplicate, refused: the account of the events.
        totals: tickets over the whole life of the states, by what became of them.
        waiting: tickets that wait now.
        answered_wait_ms: the waits of all who were called and came.
        norms: by threshold, the smallest first.
        stream_ms: the greatest stream time, None before the first event.
    """

    read: int
    counted: int
    duplicate: int
    refused: int
    totals: Mapping[str, int]
    waiting: int
    answered_wait_ms: int
    norms: tuple[NormFigures, ...]
    stream_ms: int | None


def figures_of(pages: Sequence[Page]) -> Figures:
    """The figures of some pages."""
    tickets = _by(pages, c.LIFETIME_TICKETS, "event")
    waits = _milliseconds_by(pages, c.LIFETIME_WAIT, "end")
    stream = [row.value for page in pages for row in page.reading.rows(c.STREAM_TIME)]
    return Figures(
        read=_total(pages, c.EVENTS_READ),
        counted=_total(pages, c.EVENTS_COUNTED),
        duplicate=_total(pages, c.EVENTS_DUPLICATE),
        refused=_total(pages, c.EVENTS_REFUSED),
        totals={event: tickets.get(event, 0) for event in _TOTALS},
        waiting=_total(pages, c.WAITING),
        # A no-show's wait is the wait of a call too, and nobody was answered by it.
        answered_wait_ms=waits.get("called", 0) - waits.get("no_show", 0),
        norms=_norms(pages),
        stream_ms=round(max(stream) * 1000) if stream else None,
    )


def as_json(figures: Figures) -> dict[str, Any]:
    """What `attente demo --once --json` writes; of two norms with one threshold the later one in the registry."""
    return {
        "events": {
            "read": figures.read,
            "counted": figures.counted,
            "duplicate": figures.duplicate,
            "dead": figures.refused,
        },
        "totals": {**figures.totals, "wait_sum_seconds": _seconds(figures.answered_wait_ms)},
        "within": {
            str(norm.threshold_s): {"answered": norm.counts.answered_within, "left": norm.counts.left_within}
            for norm in figures.norms
        },
        "service_levels": {
            str(norm.threshold_s): {left.value: level for left, level in norm.levels().items()}
            for norm in figures.norms
        },
    }


def unready(pages: Sequence[Page], workers: Collection[str], partitions: int) -> str:
    """Who or what is missing, in one line; nothing when all workers are ready and every partition is shown once."""
    names = {page.worker for page in pages}
    for name in sorted(workers):
        if name not in names:
            return f"worker {name} does not answer"
    for page in pages:
        if not page.is_ready:
            return f"worker {page.worker} is not ready"
    for partition in range(partitions):
        showing = _showing(pages, partition)
        if len(showing) != 1:
            return f"partition {partition} is shown by {' and '.join(showing) or 'no worker'}"
    return ""


def imbalance(pages: Sequence[Page], log: Mapping[int, int]) -> str:
    """What does not balance, in one line; nothing when every record of the log is accounted for.

    Args:
        pages: on which every partition is shown once.
        log: records in the log, by partition.
    """
    for partition, records in sorted(log.items()):
        if why := _partition_imbalance(pages, str(partition), records):
            return f"partition {partition}: {why}"
    return ""


def overcount(pages: Sequence[Page], log: Mapping[int, int]) -> str:
    """Which partition more was read of than its log holds: waiting does not mend that."""
    for partition, records in sorted(log.items()):
        read = _total(pages, c.EVENTS_READ, partition=str(partition))
        if read > records and len(_showing(pages, partition)) == 1:
            return f"partition {partition}: {read:,} events read, though only {records:,} were sent"
    return ""


def _partition_imbalance(pages: Sequence[Page], partition: str, records: int) -> str:
    account = account_of(pages, partition=partition)
    if account.read != records:
        return f"{account.read:,} of {records:,} events read"
    if not account.is_balanced:
        return str(account)
    if lag := _total(pages, c.PARTITION_LAG, partition=partition):
        return f"a lag of {lag:,} events, though all have been read"
    return ""


def _showing(pages: Sequence[Page], partition: int) -> list[str]:
    return [page.worker for page in pages if partition in page.shown]


def _total(pages: Sequence[Page], metric: Metric, **labels: str) -> int:
    return int(sum(page.reading.total(metric, **labels) for page in pages))


def _by(pages: Sequence[Page], metric: Metric, label: str) -> dict[str, int]:
    sums: dict[str, int] = {}
    for page in pages:
        for value, count in page.reading.by(metric, label).items():
            sums[value] = sums.get(value, 0) + int(count)
    return sums


def _milliseconds_by(pages: Sequence[Page], metric: Metric, label: str) -> dict[str, int]:
    """As `_by`; seconds with three decimals add up exactly as milliseconds."""
    sums: dict[str, int] = {}
    for page in pages:
        for row in page.reading.rows(metric):
            sums[row.labels[label]] = sums.get(row.labels[label], 0) + round(row.value * 1000)
    return sums


def _norms(pages: Sequence[Page]) -> tuple[NormFigures, ...]:
    """Every page names all norms of the registry; what was counted under them is on the pages of the offices."""
    if not pages:
        return ()
    facts = pages[0].reading
    thresholds = {row.labels["norm"]: int(row.value) for row in facts.rows(c.NORM_THRESHOLD)}
    targets = {row.labels["norm"]: row.value for row in facts.rows(c.NORM_TARGET)}
    norms = [
        NormFigures(
            norm=(norm := row.labels["norm"]),
            title=row.labels["title"],
            threshold_s=thresholds[norm],
            target=targets[norm],
            promise=Left(row.labels["left"]),
            counts=_counts(pages, norm),
        )
        for row in facts.rows(c.NORM_INFO)
    ]
    return tuple(sorted(norms, key=lambda norm: norm.threshold_s))


def _counts(pages: Sequence[Page], norm: str) -> Counts:
    def count(outcome: str, within: str) -> int:
        return _total(pages, c.LIFETIME_VISITS, norm=norm, outcome=outcome, within=within)

    return Counts(
        answered_within=count("answered", "within"),
        answered_beyond=count("answered", "beyond"),
        left_within=count("left", "within"),
        left_beyond=count("left", "beyond"),
    )


def _seconds(milliseconds: int) -> int | float:
    whole, rest = divmod(milliseconds, 1000)
    return milliseconds / 1000 if rest else whole
