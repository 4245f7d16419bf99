"""Cases of the alerts about the pipeline: when they fire, and the near misses in which they must not."""

from grafana.rule_world import (
    CALM,
    CHECKPOINT_FAILURES,
    CHECKPOINT_LAST,
    COMMIT_FAILURES,
    COUNTED,
    DUPLICATE,
    GAPS,
    LAG,
    OWNED,
    PARTITION,
    PARTITIONS,
    READ,
    REGISTRY,
    SCRAPE,
    SHOWN,
    TOO_LATE,
    UP,
    WORKER_SERIES,
    Case,
    Values,
    growing,
    handed_over,
    name,
    since,
    steady,
    turning,
    until,
)

WORKER = {"instance": "w1:9464"}
ZERO = {"partition": "0"}
IDLE = {
    key: WORKER_SERIES[key]
    for key in (UP, SCRAPE, REGISTRY, PARTITIONS, GAPS, COMMIT_FAILURES, CHECKPOINT_FAILURES, CHECKPOINT_LAST)
}
"""A second worker that is up and owns nothing."""
OTHERS_JOB = 'up{job="node"}'


def _dead(scrape: int) -> dict[str, Values]:
    """A worker that is killed: Prometheus says that it is down, and all that it showed is gone."""
    gone: dict[str, Values] = {key: until(scrape, CALM[key]) for key in CALM if key not in {UP, SCRAPE}}
    return gone | {UP: turning((scrape, 1), (scrape + 1, 0))}


def _stepping(first: int, *steps: int) -> Values:
    """A counter that grows by one at each of these scrapes after the first."""
    return [float(sum(scrape >= first + step for step in steps)) for scrape in range(len(CALM[UP]))]


NOT_MEASURED = (
    Case(
        "the only worker was killed a minute ago",
        360,
        _dead(10),
        labels={},
        summary="The network is not being measured",
        description="No worker is up, or none shows the figures of any partition. No office can be seen, and no alert "
        "about an office can fire. Events are kept in Kafka and will be counted once a worker runs.",
    ),
    Case("Prometheus knows no worker at all", 60, dict.fromkeys(CALM), labels={}),
    Case("workers are up and show nothing", 360, {SHOWN: steady(0)}, workers={"w2:9464": IDLE}, labels={}),
    Case("workers are up and own nothing", 360, {OWNED: steady(0), SHOWN: None}, labels={}),
    Case("it was killed half a minute ago", 330, _dead(10)),
    Case("one of two was killed, and the other shows figures", 600, _dead(10), workers={"w2:9464": CALM}),
    Case("the owner shows figures, another worker is idle", 360, workers={"w2:9464": IDLE}),
    handed_over(Case("the partition moves to another worker", 360), 10, gap=1),
)

WORKER_DOWN = (
    Case(
        "one of two does not answer",
        150,
        workers={"w2:9464": {UP: steady(0)}},
        labels={"instance": "w2:9464", "job": "attente"},
        summary="Worker w2:9464 is down",
        description="Prometheus cannot scrape w2:9464. The other workers take its partitions over within a minute; "
        "with none left the network is not measured.",
    ),
    Case("one scrape failed", 150, {UP: [1.0, 1.0, 1.0, 0.0, *steady(1)[4:]]}),
    Case("something else is down", 150, workers={"db:9100": {OTHERS_JOB: steady(0)}}),
    Case("a worker was taken out of service", 600, workers={"w2:9464": {UP: until(5, steady(1))}}),
    Case("it has been down for half a minute", 150, {UP: turning((4, 1), (5, 0))}),
)

WITHOUT_OWNER = (
    Case(
        "one of two has no owner",
        180,
        {PARTITIONS: steady(2)},
        labels={},
        summary="Partitions without an owner: 1",
        description="No worker that is up owns 1 of the partitions of the events topic. Their offices have no figures; "
        "their events are kept in Kafka.",
    ),
    Case("the only partition is owned by none of two", 180, {OWNED: steady(0)}, workers={"w2:9464": IDLE}, labels={}),
    Case("no worker says anything of owning", 180, {OWNED: None}, labels={}),
    Case(
        "each of two workers owns one",
        180,
        {PARTITIONS: steady(2)},
        workers={
            "w2:9464": {**IDLE, PARTITIONS: steady(2), name("attente_partition_owned", partition="1"): steady(1)},
        },
    ),
    Case("no worker is up", 600, _dead(10)),
    handed_over(Case("the partition moves within a minute", 420), 10),
    Case("without an owner for a minute and a half", 390, {OWNED: turning((10, 1), (11, 0))}),
)

NOT_SHOWN = (
    Case(
        "owned and not shown for four minutes",
        240,
        {SHOWN: steady(0)},
        labels=ZERO,
        summary="Partition 0 has an owner and no figures",
        description="A worker owns partition 0 and shows none of its offices: it has not caught up, or the group does "
        "not vouch for it.",
    ),
    Case("owned, and of showing nothing is said", 240, {SHOWN: None}, labels=ZERO),
    Case("it takes two minutes to catch up", 240, {SHOWN: turning((4, 0), (5, 1))}),
    Case(
        "the former owner does not know yet, the new one shows it",
        240,
        {SHOWN: steady(0)},
        workers={
            "w2:9464": {**IDLE, OWNED: steady(1), SHOWN: steady(1)},
        },
    ),
    Case("nobody owns it", 240, {OWNED: steady(0), SHOWN: None}),
    Case("no worker is up", 600, _dead(10)),
    handed_over(Case("the partition moves to another worker", 420), 10),
)

LAG_GROWING = (
    Case(
        "a hundred events more at every scrape",
        900,
        {LAG: growing(100, 900)},
        labels=ZERO,
        summary="Partition 0 is 3900 events behind, and falling further",
        description="The worker of partition 0 applies events more slowly than they come. What is shown of its offices "
        "is of the past.",
    ),
    handed_over(Case("growing, and a move", 1_800, {LAG: growing(100, 900)}, labels=ZERO), 30),
    Case("far behind and catching up", 900, {LAG: growing(-50, 9_000)}),
    Case("far behind and no farther", 900, {LAG: steady(5_000)}),
    Case("growing, and less than a second's work", 900, {LAG: growing(5)}),
    Case("growing for less than five minutes", 540, {LAG: [*steady(3)[:10], *growing(100, 900)[10:]]}),
    Case("no worker says anything of a lag", 900, {LAG: None}),
    handed_over(Case("a calm partition moves", 900), 15),
)

SCRAPE_SLOW = (
    Case(
        "six seconds and a half",
        360,
        {SCRAPE: steady(6.5)},
        labels=WORKER,
        summary="Scraping w1:9464 takes 6.5s",
        description="A page of w1:9464 takes 6.5s; after ten seconds it is given up, and the worker's offices vanish.",
    ),
    Case("five seconds", 360, {SCRAPE: steady(5)}),
    Case("slow for three minutes", 360, {SCRAPE: turning((6, 7), (7, 1))}),
    Case("another job is slow", 360, workers={"db:9100": {'scrape_duration_seconds{job="node"}': steady(8)}}),
    Case("nothing is scraped", 360, {SCRAPE: None}),
)

DEAD_MAN = (
    Case(
        "all is well",
        60,
        labels={},
        summary="Alerting works",
        description="This alert always fires. When it stops arriving, Prometheus, Alertmanager or the way between them "
        "is broken.",
    ),
    Case("nothing is known of anything", 0, dict.fromkeys(CALM), labels={}),
)

CONSERVATION = (
    Case(
        "one event more was read than accounted for",
        120,
        {COUNTED: growing(9, 899)},
        labels={**WORKER, **ZERO},
        summary="The account of partition 0 does not balance",
        description="On w1:9464 the events read of partition 0 differ by 1 from those counted, duplicate and refused "
        "together. An event was lost or counted twice: do not trust the figures of its offices.",
    ),
    Case("one event was counted twice", 120, {DUPLICATE: growing(1, 91)}, labels={**WORKER, **ZERO}),
    Case(
        "two workers show one partition of two instants",
        120,
        workers={
            "w2:9464": {
                READ: growing(10, 1_400),
                COUNTED: growing(9, 1_260),
                DUPLICATE: growing(1, 130),
                TOO_LATE: steady(10),
            },
        },
    ),
    Case(
        "events were refused, for two reasons",
        120,
        {
            READ: growing(12, 1_000),
            TOO_LATE: growing(1, 10),
            name("attente_events_refused_total", partition="0", reason="bad_time"): growing(1),
        },
    ),
    Case("one page did not balance", 150, {COUNTED: [*growing(9, 900)[:4], 935.0, *growing(9, 900)[5:]]}),
    handed_over(Case("the partition moves to another worker", 420), 10),
    Case("no worker shows an account", 120, {READ: None, COUNTED: None}),
)

GAP = (
    Case(
        "one gap",
        360,
        {GAPS: turning((10, 0), (11, 1))},
        labels=WORKER,
        summary="w1:9464 found a gap in the log",
        description="Records are missing in a partition that w1:9464 reads, also after fetching again. Kafka has "
        "deleted or lost what had not been applied; figures of that stretch are too low.",
    ),
    Case("two gaps before Prometheus looked", 360, {GAPS: steady(2)}),
    Case("a worker that had found two was started again", 360, {GAPS: turning((10, 2), (11, 0))}),
    Case("one gap over an hour ago", 4_470, {GAPS: turning((2, 0), (3, 1))}),
    Case("no worker says anything of gaps", 360, {GAPS: None}),
)

COMMITS = (
    Case(
        "four in ten minutes",
        1_050,
        {COMMIT_FAILURES: _stepping(25, 0, 2, 4, 6)},
        labels=WORKER,
        summary="w1:9464 cannot commit",
        description="4 commits of w1:9464 have failed in ten minutes. If this goes on, the group no longer vouches for "
        "it and its figures vanish.",
    ),
    Case("two in ten minutes", 1_050, {COMMIT_FAILURES: _stepping(25, 0, 2)}),
    Case("four long ago", 1_050, {COMMIT_FAILURES: steady(4)}),
    Case(
        "one at each of two workers, and two before",
        1_050,
        {COMMIT_FAILURES: _stepping(25, 0, 2)},
        workers={
            "w2:9464": {**IDLE, COMMIT_FAILURES: _stepping(25, 1, 3)},
        },
    ),
    Case("the worker was started again", 1_050, {COMMIT_FAILURES: turning((25, 9), (26, 0))}),
)

CHECKPOINTS = (
    Case(
        "two in half an hour",
        2_400,
        {CHECKPOINT_FAILURES: _stepping(65, 0, 2)},
        labels=WORKER,
        summary="w1:9464 writes no checkpoints",
        description="Checkpoints of w1:9464 fail, or the last one is over two hours old. Figures are right; a restart "
        "will take longer, and beyond the retention of the log it could not be right any more.",
    ),
    Case("the last one is over two hours old", 600, {CHECKPOINT_LAST: steady(-7_000)}, labels=WORKER),
    Case("one failed", 2_400, {CHECKPOINT_FAILURES: _stepping(65, 0)}),
    Case("an idle worker wrote its last one an hour ago", 600, {CHECKPOINT_LAST: steady(-3_600)}),
    Case("a new worker has not written one yet", 600, {CHECKPOINT_LAST: None}),
    Case("the last one has just become two hours old", 390, {CHECKPOINT_LAST: steady(-7_000)}),
)


def _refused(more: int) -> dict[str, Values]:
    return {TOO_LATE: _stepping(65, *range(more))}


def _of_kiosk(number: int) -> str:
    source = f"/offices/nation/kiosks/hall-{number}"
    return name("attente_events_refused_total", **PARTITION, source=source, reason="too_late")


REFUSED = (
    Case(
        "eleven in half an hour",
        2_850,
        _refused(11),
        labels={"reason": "too_late"},
        summary="11 events refused as too_late in half an hour",
        description="11 events were refused in half an hour for the reason too_late. They are in no figure; they are "
        "kept as dead letters and can be sent again.",
    ),
    Case(
        "one of each of eleven kiosks of which nothing had been refused before",
        2_850,
        {_of_kiosk(number): since(65 + number, steady(1)) for number in range(11)},
        labels={"reason": "too_late"},
        summary="11 events refused as too_late in half an hour",
    ),
    handed_over(Case("eleven, and a move", 2_850, _refused(11), labels={"reason": "too_late"}), 72),
    Case("ten in half an hour", 2_850, _refused(10)),
    Case(
        "six for each of two reasons",
        2_850,
        {
            **_refused(6),
            name("attente_events_refused_total", partition="0", reason="bad_time"): _stepping(65, *range(6)),
        },
    ),
    handed_over(Case("five hundred since ever, and a move", 2_850, {TOO_LATE: steady(500)}), 72, gap=1),
    Case("no worker shows an account", 2_850, {TOO_LATE: None}),
)

_OTHER = name("attente_registry_info", hash="0123456789abcdef", network="caf")

REGISTRIES = (
    Case(
        "two workers, two registries",
        690,
        workers={"w2:9464": {**IDLE, REGISTRY: until(1, steady(1)), _OTHER: steady(1)}},
        labels={},
        summary="Workers run with 2 different registries",
        description="Workers that are up show 2 hashes of the registry. The same office is judged by one norm or "
        "another, depending on the worker that has it.",
    ),
    Case("two workers, one registry", 690, workers={"w2:9464": IDLE}),
    Case(
        "both take the new one, one after the other",
        690,
        {
            REGISTRY: until(4, steady(1)),
            _OTHER: ["_"] * 4 + steady(1)[4:],
        },
        workers={"w2:9464": {**IDLE, REGISTRY: until(14, steady(1)), _OTHER: ["_"] * 14 + steady(1)[14:]}},
    ),
    Case("a worker of another registry has gone", 900, workers={"w2:9464": {_OTHER: until(10, steady(1))}}),
    Case("no worker says which", 690, {REGISTRY: None}),
)

PIPELINE = {
    "AttenteNotMeasured": NOT_MEASURED,
    "AttenteWorkerDown": WORKER_DOWN,
    "AttentePartitionWithoutOwner": WITHOUT_OWNER,
    "AttentePartitionNotShown": NOT_SHOWN,
    "AttenteLagGrowing": LAG_GROWING,
    "AttenteScrapeSlow": SCRAPE_SLOW,
    "AttenteDeadMansSwitch": DEAD_MAN,
    "AttenteConservationBroken": CONSERVATION,
    "AttenteGapInLog": GAP,
    "AttenteCommitsFailing": COMMITS,
    "AttenteCheckpointsFailing": CHECKPOINTS,
    "AttenteEventsRefused": REFUSED,
    "AttenteRegistriesDiffer": REGISTRIES,
}
