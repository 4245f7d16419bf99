"""Pages of a live network made up for the tests: two workers that share some offices."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from attente.core.view import Counts
from attente.demo.offices import Promise
from attente.demo.pages import Page
from attente.registry.entities import Left, Per
from demo.demo_pages import page

AT_S = 1_795_170_000  # an instant in a November
PROMISE = Promise("within-20", "At most 20 minutes", 1_200, Fraction(85, 100), Left.EXCLUDED, Per.VISIT)

NORM = (
    'norm_info{from="arrived",left="excluded",norm="within-20",per="visit",title="At most 20 minutes",to="called"} 1',
    'norm_threshold_seconds{norm="within-20"} 1200',
    'norm_target_ratio{norm="within-20"} 0.85',
)


CALM = Counts(90, 10, 0, 0)


@dataclass(frozen=True)
class Place:
    """An office, and what is to be read of it.

    Attributes:
        office: its id and name.
        waiting, beyond, longest_s, desks: its queue now.
        visit, leg: today's four counts per visit and per leg.
        tickets, ended: by event and outcome.
        desk_s: desk time of today.
    """

    office: str
    waiting: int = 0
    beyond: int = 0
    longest_s: int | None = None
    desks: int = 3
    visit: Counts = CALM
    leg: Counts | None = None
    tickets: Mapping[str, int] = field(default_factory=lambda: {"issued": 100, "served": 90})
    ended: Mapping[str, int] = field(default_factory=lambda: {"resolved": 85, "pending": 5})
    desk_s: int = 36_000

    def lines(self) -> Iterable[str]:
        """Its series, without the prefix."""
        office = f'office="{self.office}"'
        yield f"as_of_timestamp_seconds{{{office}}} {AT_S}"
        yield f"office_open{{{office}}} 1"
        yield f"open_desks{{{office}}} {self.desks}"
        yield f'window_open_desk_seconds{{{office},window="day"}} {self.desk_s}'
        yield f'window_open_desk_seconds{{{office},window="hour"}} 7'
        yield f'waiting_tickets{{{office},service="x"}} {self.waiting - self.waiting // 2}'
        yield f'waiting_tickets{{{office},service="y"}} {self.waiting // 2}'
        if self.longest_s is not None:
            since = "longest_waiting_since_timestamp_seconds"
            yield f'{since}{{{office},service="x"}} {AT_S - self.longest_s}'
            yield f'{since}{{{office},service="y"}} {AT_S - self.longest_s // 2}'
        yield f'norm_waiting_beyond_tickets{{norm="within-20",{office},service="x"}} {self.beyond}'
        for event, count in self.tickets.items():
            yield f'lifetime_tickets{{event="{event}",{office},service="x"}} {count}'
        for outcome, count in self.ended.items():
            yield f'services_ended_total{{{office},outcome="{outcome}",service="x"}} {count}'
        for per, counts in (("visit", self.visit), ("leg", self.leg or self.visit), ("first", self.visit)):
            yield from self._readings(per, counts)

    def _readings(self, per: str, counts: Counts) -> Iterable[str]:
        for outcome in ("answered", "left"):
            for within in ("within", "beyond"):
                labels = f'norm="within-20",office="{self.office}",outcome="{outcome}",per="{per}"'
                count = getattr(counts, f"{outcome}_{within}")
                yield f'window_readings{{{labels},window="day",within="{within}"}} {count}'
                yield f'window_readings{{{labels},window="month",within="{within}"}} {10 * count}'


def pages_of(places: Sequence[Place], others: Sequence[str] = ()) -> list[Page]:
    """The pages of two workers, every other place on each; `others` are offices of the registry on no page."""
    names = [place.office for place in places] + list(others)
    infos = [f'office_info{{name="{name.title()}",office="{name}",region="Nord"}} 1' for name in names]
    return [
        page(
            f"w{worker}",
            *NORM,
            *infos,
            *(line for place in places[worker::2] for line in place.lines()),
            f"batch_records_total {500 * (worker + 1)}",
            read_of={worker: 1_000},
        )
        for worker in (0, 1)
    ]


def network(count: int = 40) -> list[Place]:
    """Many offices, from quiet to desperate, some of which read better than they are."""
    odd = {
        1: {"visit": Counts(170, 10, 2, 60)},
        3: {"visit": Counts(160, 40, 2, 3), "leg": Counts(190, 10, 2, 3)},
        5: {"tickets": {"issued": 200, "served": 190, "turned_away": 60}},
        7: {"ended": {"resolved": 50, "pending": 40}},
    }
    return [
        Place(
            f"office-{number:02}",
            waiting=number % 13,
            beyond=max(0, number % 13 - 8),
            longest_s=61 * number if number % 13 else None,
            desks=1 + number % 7,
            **odd.get(number, {}),  # type: ignore[arg-type]
        )
        for number in range(count)
    ]
