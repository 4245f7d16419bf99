"""A network of one office and one partition as Prometheus sees it, in which all is well; a case changes some of it.

Values are lists with one entry for each scrape; `promtool` reads them in its own notation.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any

STEP_S = 30
SCRAPES = 150
"""Over an hour: what a rule looks back on, and the hour that follows a breach."""

STALE = "stale"
GONE = "_"

Value = float | str
Values = Sequence[Value]

OFFICE = "75-nation"
NORM = "caf-20"
FACTS = {"name": "Paris Nation", "region": "Île-de-France", "calendar": "usual", "zone": "Europe/Paris"}
PROMISE = {
    "title": "Vingt minutes",
    "left": "excluded",
    "from": "arrived",
    "to": "called",
    "per": "visit",
    "still_waiting": "failed_if_over",
}
MORNING_S = 9 * 86_400 + 10 * 3_600
"""What time it is in the office when a case begins: ten in the morning of the 10th of January 1970."""


def steady(value: float) -> list[Value]:
    """The same at every scrape."""
    return [value] * SCRAPES


def growing(by: float, since: float = 0) -> list[Value]:
    """More by the same amount at every scrape."""
    return [since + by * scrape for scrape in range(SCRAPES)]


def turning(*parts: tuple[int, Value]) -> list[Value]:
    """One value until a scrape, then the next; the last one stays."""
    values: list[Value] = []
    for until, value in parts:
        values += [value] * (until - len(values))
    return values + [parts[-1][1]] * (SCRAPES - len(values))


def until(scrape: int, values: Values) -> list[Value]:
    """Gone from a scrape on."""
    return [*values[:scrape], STALE, *[GONE] * (SCRAPES - scrape - 1)]


def since(scrape: int, values: Values) -> list[Value]:
    """Not there before a scrape."""
    return [*[GONE] * scrape, *values[scrape:]]


def name(metric: str, **labels: str) -> str:
    """A series as PromQL writes it, labels in the order of the alphabet."""
    said = ",".join(f'{label}="{value}"' for label, value in sorted(labels.items()))
    return f"{metric}{{{said}}}"


def readings(hour: tuple[int, int], day: tuple[int, int], month: tuple[int, int]) -> dict[str, Values]:
    """Who was answered within the norm and beyond, by window; nobody left."""
    counts = {"hour": hour, "day": day, "month": month}
    return {
        name(
            "attente_window_readings",
            office=OFFICE,
            norm=NORM,
            window=window,
            per="visit",
            outcome=outcome,
            within=within,
        ): steady(count)
        for window, answered in counts.items()
        for outcome, pair in (("answered", answered), ("left", (0, 0)))
        for within, count in zip(("within", "beyond"), pair, strict=True)
    }


def office(metric: str, **labels: str) -> str:
    """A series of the office."""
    return name(f"attente_{metric}", office=OFFICE, **labels)


BEYOND = office("norm_waiting_beyond_tickets", service="accueil", norm=NORM)
WAITING = office("waiting_tickets", service="accueil")
SINCE = office("longest_waiting_since_timestamp_seconds", service="accueil")
OPEN = office("office_open")
SCHEDULED = office("office_scheduled_open")
DESKS = office("open_desks")
HEARD = office("office_heard_timestamp_seconds")
AS_OF = office("as_of_timestamp_seconds")
AWAY = office("visitors_turned_away_total", service="accueil")
ISSUED = office("tickets_issued_total", service="accueil", channel="walkin")
OFFICE_INFO = office("office_info", **FACTS)
NORM_INFO = name("attente_norm_info", norm=NORM, **PROMISE)
TARGET = name("attente_norm_target_ratio", norm=NORM)
THRESHOLD = name("attente_norm_threshold_seconds", norm=NORM)
KIOSK_HEARD = office("kiosk_heard_timestamp_seconds", kiosk="hall-1")
KIOSK_DRIFT = office("kiosk_drift_seconds", kiosk="hall-1")

NOW = growing(STEP_S, MORNING_S)

OFFICE_SERIES: dict[str, Values] = {
    OFFICE_INFO: steady(1),
    NORM_INFO: steady(1),
    TARGET: steady(0.85),
    THRESHOLD: steady(1200),
    AS_OF: NOW,
    OPEN: steady(1),
    SCHEDULED: steady(1),
    HEARD: growing(STEP_S, MORNING_S - 20),
    DESKS: steady(3),
    WAITING: steady(4),
    BEYOND: steady(0),
    AWAY: steady(7),
    ISSUED: growing(1, 100),
    KIOSK_HEARD: growing(STEP_S, MORNING_S - 40),
    KIOSK_DRIFT: steady(0.2),
    **readings((38, 2), (280, 20), (2_700, 300)),
}
"""What a worker shows of an office: 95 % kept the norm this hour, 93 % today, 90 % in the month; the target is 85 %."""

PARTITION = {"partition": "0"}
OWNED = name("attente_partition_owned", **PARTITION)
SHOWN = name("attente_partition_shown", **PARTITION)
LAG = name("attente_partition_lag_events", **PARTITION)
READ = name("attente_events_read_total", **PARTITION)
COUNTED = name("attente_events_counted_total", **PARTITION)
DUPLICATE = name("attente_events_duplicate_total", **PARTITION)
TOO_LATE = name("attente_events_refused_total", **PARTITION, reason="too_late")
GAPS = "attente_gaps_total{}"
COMMIT_FAILURES = "attente_commit_failures_total{}"
CHECKPOINT_FAILURES = "attente_checkpoint_failures_total{}"
CHECKPOINT_LAST = "attente_checkpoint_last_timestamp_seconds{}"
UP = "up{}"
SCRAPE = "scrape_duration_seconds{}"
REGISTRY = name("attente_registry_info", hash="82bf91436e6b2bd4", network="caf")
PARTITIONS = "attente_partitions{}"

WORKER_SERIES: dict[str, Values] = {
    UP: steady(1),
    SCRAPE: steady(0.05),
    REGISTRY: steady(1),
    PARTITIONS: steady(1),
    OWNED: steady(1),
    SHOWN: steady(1),
    LAG: steady(3),
    READ: growing(10, 1_000),
    COUNTED: growing(9, 900),
    DUPLICATE: growing(1, 90),
    TOO_LATE: steady(10),
    GAPS: steady(0),
    COMMIT_FAILURES: steady(0),
    CHECKPOINT_FAILURES: steady(0),
    CHECKPOINT_LAST: growing(STEP_S, -60),
}
"""What a worker shows of itself and of the partition that it owns."""

CALM = {**OFFICE_SERIES, **WORKER_SERIES}


@dataclass(frozen=True)
class Case:
    """One test of one alert.

    Attributes:
        title: what happens, and whether somebody is told.
        at_s: when it is looked, in seconds from the beginning.
        changes: series that differ from `CALM`; None takes one away.
        workers: what other workers show, by instance; theirs alone, nothing is added.
        labels: what the firing alert bears beyond its severity and audience; None where it must be silent.
        summary, description: its words; empty where only the firing matters.
        whichever: it must fire once, and what it bears is left open.
    """

    title: str
    at_s: int
    changes: Mapping[str, Values | None] = field(default_factory=dict)
    workers: Mapping[str, Mapping[str, Values]] = field(default_factory=dict)
    labels: Mapping[str, str] | None = None
    summary: str = ""
    description: str = ""
    whichever: bool = False

    @property
    def fires(self) -> bool:
        """Whether somebody is told."""
        return self.whichever or self.labels is not None

    def series(self) -> Iterator[dict[str, str]]:
        """What promtool puts in: the first worker's is CALM with the changes."""
        first = {key: values for key, values in {**CALM, **self.changes}.items() if values is not None}
        for instance, shown in {"w1:9464": first, **self.workers}.items():
            for key, values in shown.items():
                yield {"series": _scraped(key, instance), "values": notation(values)}


def handed_over(case: Case, scrape: int, gap: int = 2) -> Case:
    """The same while the partition goes from one worker to another: for some scrapes its figures are on no page."""
    first = {key: values for key, values in {**CALM, **case.changes}.items() if values is not None}
    process = {UP, SCRAPE, REGISTRY, PARTITIONS, OFFICE_INFO, NORM_INFO, TARGET, THRESHOLD}
    process |= {GAPS, COMMIT_FAILURES, CHECKPOINT_FAILURES, CHECKPOINT_LAST}
    moved = [key for key in first if key not in process]
    changes = {**case.changes, **{key: until(scrape, first[key]) for key in moved}}
    second: dict[str, Values] = {key: since(scrape + gap, first[key]) for key in moved}
    second |= {key: values for key, values in WORKER_SERIES.items() if key in process}
    second |= {key: first[key] for key in (OFFICE_INFO, NORM_INFO, TARGET, THRESHOLD) if key in first}
    return replace(case, changes=changes, workers={**case.workers, "w2:9464": second})


def _scraped(key: str, instance: str) -> str:
    metric, _, labels = key.partition("{")
    labels = labels.removesuffix("}")
    labels = "" if not labels else f"{labels},"
    job = "" if 'job="' in labels else ',job="attente"'
    return f'{metric}{{{labels}instance="{instance}"{job}}}'


def notation(values: Values) -> str:
    """Values as promtool reads them: runs that stand still or grow evenly are written once."""
    parts: list[str] = []
    rest = list(values)
    while rest:
        first = rest[0]
        if isinstance(first, str):
            run = len(next(list(same) for _, same in groupby(rest)))
            parts.append(f"{first}x{run}" if first == GONE and run > 1 else " ".join([first] * run))
        else:
            run, step = _even(rest)
            parts.append(f"{first:.15g}{step:+.15g}x{run - 1}" if run > 1 else f"{first:.15g}")
        rest = rest[run:]
    return " ".join(parts)


def _even(values: Sequence[Any]) -> tuple[int, float]:
    if len(values) < 2 or isinstance(values[1], str):
        return 1, 0
    step = values[1] - values[0]
    run = 2
    while run < len(values) and not isinstance(values[run], str) and values[run] == values[0] + step * run:
        run += 1
    return run, step
