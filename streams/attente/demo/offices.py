"""What the workers' pages say of every office: its queue now, and today's readings of every norm."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Final

from attente.core.levels import service_level
from attente.core.view import Counts, Window
from attente.demo.pages import Page
from attente.metrics import catalogue as c
from attente.metrics.metric import Metric
from attente.registry.entities import End, Left, Per

# Targets are whole thousandths of a percent; a float of one is compared as what it stands for.
_PARTS: Final = 100_000


@dataclass(frozen=True, slots=True)
class Promise:
    """A norm, as the pages tell of it.

    Attributes:
        norm: its id.
        title: its title.
        threshold_s: its threshold, in seconds.
        target: the promised share, 0 to 1.
        left: what becomes of those who left, in the service level that is the promise.
        per: what its clock times.
        end: what its clock ends at.
    """

    norm: str
    title: str
    threshold_s: int
    target: Fraction
    left: Left
    per: Per
    end: End = End.CALLED


@dataclass(slots=True)
class OfficeFigures:
    """One office, of one instant.

    Attributes:
        office, name, region: who it is.
        as_of_ms: the office's own now; None while nothing is known of it.
        is_open: whether it lets visitors in.
        desks: how many are open.
        waiting: tickets that wait now.
        since_ms: when the longest present wait began; None where nobody waits.
        beyond: how many wait now beyond a norm's threshold, by norm.
        readings: today's four counts, by norm and what is timed.
        desk_s: how long desks were open today, all together, in seconds.
        tickets: exact counts over the life of the state, by event.
        ended: services that ended, by outcome.
    """

    office: str
    name: str = ""
    region: str = ""
    as_of_ms: int | None = None
    is_open: bool = False
    desks: int = 0
    waiting: int = 0
    since_ms: int | None = None
    beyond: dict[str, int] = field(default_factory=dict)
    readings: dict[tuple[str, Per], Counts] = field(default_factory=dict)
    desk_s: float = 0.0
    tickets: dict[str, int] = field(default_factory=dict)
    ended: dict[str, int] = field(default_factory=dict)

    @property
    def longest_ms(self) -> int | None:
        """How long the longest present wait lasts already; None where nobody waits."""
        if self.since_ms is None or self.as_of_ms is None:
            return None
        return max(0, self.as_of_ms - self.since_ms)

    @property
    def turned_away(self) -> int:
        """Visitors who never got a ticket."""
        return self.tickets.get("turned_away", 0)

    @property
    def visitors(self) -> int:
        """All who came: those with a ticket and those without."""
        return self.tickets.get("issued", 0) + self.turned_away

    def level(self, norm: str, per: Per, left: Left) -> Fraction | None:
        """A service level of today; None where nobody is counted, or the norm does not hold."""
        counts = self.readings.get((norm, per))
        return None if counts is None else service_level(counts, left)

    def promised(self, promise: Promise) -> Fraction | None:
        """The service level that the norm promises, of today."""
        return self.level(promise.norm, promise.per, promise.left)


def promises_of(pages: Sequence[Page]) -> tuple[Promise, ...]:
    """The norms of the registry, in its order; every page names all."""
    if not pages:
        return ()
    facts = pages[0].reading
    thresholds = {row.labels["norm"]: int(row.value) for row in facts.rows(c.NORM_THRESHOLD)}
    targets = {row.labels["norm"]: Fraction(round(row.value * _PARTS), _PARTS) for row in facts.rows(c.NORM_TARGET)}
    return tuple(
        Promise(
            norm=(norm := row.labels["norm"]),
            title=row.labels["title"],
            threshold_s=thresholds[norm],
            target=targets[norm],
            left=Left(row.labels["left"]),
            per=Per(row.labels["per"]),
            end=End(row.labels["to"]),
        )
        for row in facts.rows(c.NORM_INFO)
    )


def names_of(pages: Sequence[Page]) -> dict[str, tuple[str, str]]:
    """Name and region of every office of the registry, by its id; every page names all."""
    if not pages:
        return {}
    rows = pages[0].reading.rows(c.OFFICE_INFO)
    return {row.labels["office"]: (row.labels["name"], row.labels["region"]) for row in rows}


def offices_of(pages: Sequence[Page]) -> dict[str, OfficeFigures]:
    """Every office whose figures are on a page."""
    found: dict[str, OfficeFigures] = {}
    names = names_of(pages)
    for page in pages:
        for office in _offices_on(page):
            name, region = names.get(office.office, ("", ""))
            office.name, office.region = name or office.office, region
            found[office.office] = office
    return found


def summed(readings: Iterable[Mapping[tuple[str, Per], Counts]]) -> dict[tuple[str, Per], Counts]:
    """The counts of several offices together."""
    sums: dict[tuple[str, Per], Counts] = {}
    for one in readings:
        for key, counts in one.items():
            sums[key] = _plus(sums[key], counts) if key in sums else counts
    return sums


def _plus(one: Counts, other: Counts) -> Counts:
    return Counts(
        answered_within=one.answered_within + other.answered_within,
        answered_beyond=one.answered_beyond + other.answered_beyond,
        left_within=one.left_within + other.left_within,
        left_beyond=one.left_beyond + other.left_beyond,
    )


def _offices_on(page: Page) -> Iterator[OfficeFigures]:
    reading = page.reading
    offices: dict[str, OfficeFigures] = {
        row.labels["office"]: OfficeFigures(row.labels["office"], as_of_ms=round(row.value * 1000))
        for row in reading.rows(c.AS_OF)
    }
    for metric, labels, take in _TAKEN:
        for row in reading.rows(metric, **labels):
            if (office := offices.get(row.labels["office"])) is not None:
                take(office, row.labels, row.value)
    yield from offices.values()


_Take = Callable[[OfficeFigures, Mapping[str, str], float], None]


def _open(office: OfficeFigures, _: Mapping[str, str], value: float) -> None:
    office.is_open = value > 0


def _desks(office: OfficeFigures, _: Mapping[str, str], value: float) -> None:
    office.desks = int(value)


def _desk_s(office: OfficeFigures, _: Mapping[str, str], value: float) -> None:
    office.desk_s = value


def _waiting(office: OfficeFigures, _: Mapping[str, str], value: float) -> None:
    office.waiting += int(value)


def _since(office: OfficeFigures, _: Mapping[str, str], value: float) -> None:
    since_ms = round(value * 1000)
    office.since_ms = since_ms if office.since_ms is None else min(since_ms, office.since_ms)


def _beyond(office: OfficeFigures, labels: Mapping[str, str], value: float) -> None:
    office.beyond[labels["norm"]] = office.beyond.get(labels["norm"], 0) + int(value)


def _tickets(office: OfficeFigures, labels: Mapping[str, str], value: float) -> None:
    office.tickets[labels["event"]] = office.tickets.get(labels["event"], 0) + int(value)


def _ended(office: OfficeFigures, labels: Mapping[str, str], value: float) -> None:
    office.ended[labels["outcome"]] = office.ended.get(labels["outcome"], 0) + int(value)


def _reading(office: OfficeFigures, labels: Mapping[str, str], value: float) -> None:
    key = labels["norm"], Per(labels["per"])
    count = {f"{labels['outcome']}_{labels['within']}": int(value)}
    office.readings[key] = replace(office.readings.get(key, Counts()), **count)


_TODAY: Final = {"window": Window.DAY.value}
_TAKEN: Final[Sequence[tuple[Metric, Mapping[str, str], _Take]]] = (
    (c.OFFICE_OPEN, {}, _open),
    (c.OPEN_DESKS, {}, _desks),
    (c.OPEN_DESK_SECONDS, _TODAY, _desk_s),
    (c.WAITING, {}, _waiting),
    (c.WAITING_SINCE, {}, _since),
    (c.NORM_WAITING_BEYOND, {}, _beyond),
    (c.LIFETIME_TICKETS, {}, _tickets),
    (c.SERVICES_ENDED, {}, _ended),
    (c.WINDOW_READINGS, _TODAY, _reading),
)
