"""Cases of the alerts about offices: when they fire, and the near misses in which they must not."""

from grafana.rule_world import (
    AS_OF,
    AWAY,
    BEYOND,
    CALM,
    DESKS,
    FACTS,
    HEARD,
    ISSUED,
    KIOSK_DRIFT,
    KIOSK_HEARD,
    MORNING_S,
    NORM,
    NORM_INFO,
    NOW,
    OFFICE,
    OFFICE_INFO,
    OPEN,
    PROMISE,
    SCHEDULED,
    SINCE,
    STEP_S,
    TARGET,
    WAITING,
    Case,
    Values,
    growing,
    handed_over,
    name,
    office,
    readings,
    steady,
    turning,
    until,
)

PLACE = {"office": OFFICE, **FACTS}
OF_NORM = {**PLACE, "norm": NORM}
CLOSED = {OPEN: steady(0), SCHEDULED: steady(0)}
WELL = (2_700, 300)

# ---- somebody waits beyond the norm

_TWO_BEYOND = {BEYOND: turning((4, 0), (5, 2)), SINCE: steady(MORNING_S + 240 - 1_500)}

WAIT_BEYOND = (
    Case(
        "two wait beyond the norm",
        240,
        _TWO_BEYOND,
        labels={**OF_NORM, "service": "accueil"},
        summary="Paris Nation: somebody has waited over 20 min for accueil",
        description="Paris Nation (Île-de-France), service accueil: 2 waiting now for longer than the norm "
        "“Vingt minutes” promises (20 min, target 85%). The longest present wait is 25 min.",
    ),
    Case(
        "an office without events of its own opening, open by its hours and with desks",
        240,
        {**_TWO_BEYOND, OPEN: steady(0)},
        labels={**OF_NORM, "service": "accueil"},
    ),
    Case(
        "an office without a calendar that said that it opened",
        240,
        {
            **_TWO_BEYOND,
            SCHEDULED: None,
            OFFICE_INFO: None,
            office("office_info", **{**FACTS, "calendar": ""}): steady(1),
        },
        labels={**{key: value for key, value in OF_NORM.items() if key != "calendar"}, "service": "accueil"},
    ),
    handed_over(
        Case(
            "two wait beyond the norm while the office moves to another worker",
            600,
            {BEYOND: steady(2)},
            labels={**OF_NORM, "service": "accueil"},
        ),
        15,
    ),
    Case(
        "two workers show the office for some scrapes, under two registries",
        240,
        _TWO_BEYOND,
        workers={
            "w2:9464": {
                **{key: CALM[key] for key in (AS_OF, OPEN, SCHEDULED, DESKS, WAITING, TARGET)},
                BEYOND: turning((4, 0), (5, 1)),
                office("office_info", **{**FACTS, "region": "Zone", "name": "Zola"}): steady(1),
                name("attente_norm_info", norm=NORM, **{**PROMISE, "left": "failed", "title": "Zut"}): steady(1),
            }
        },
        whichever=True,
    ),
    Case(
        "the queue cleared two minutes ago",
        480,
        {BEYOND: turning((12, 2), (13, 0))},
        labels={**OF_NORM, "service": "accueil"},
    ),
    Case("a long queue in which nobody waits beyond the norm", 240, {WAITING: steady(40)}),
    Case("the office is closed and a ticket was forgotten", 240, {**_TWO_BEYOND, **CLOSED}),
    Case("its hours say open and no desk is", 240, {**_TWO_BEYOND, OPEN: steady(0), DESKS: steady(0)}),
    Case("beyond the norm for less than a minute", 150, _TWO_BEYOND),
    Case("beyond the norm six minutes ago and not since", 900, {BEYOND: turning((12, 2), (13, 0))}),
    Case("no worker shows the office", 240, {key: None for key in CALM if OFFICE in key}),
    handed_over(Case("a calm office moves to another worker", 600), 15),
)

# ---- the hour is under its target


def _hour(within: int, beyond: int) -> dict[str, Values]:
    return readings((within, beyond), (280, 20), WELL)


def _hour_turns(scrape: int, before: tuple[int, int], after: tuple[int, int]) -> dict[str, Values]:
    first, second = _hour(*before), _hour(*after)
    return {key: turning((scrape, first[key][0]), (scrape + 1, second[key][0])) for key in first}


HOUR_UNDER_TARGET = (
    Case(
        "17 of 22 within the norm",
        600,
        _hour(17, 5),
        labels={**OF_NORM, "window": "hour"},
        summary="Paris Nation: 77.27% within the norm this hour, target 85%",
        description="Paris Nation (Île-de-France): since the full hour 5 of 22 visits broke the norm "
        "“Vingt minutes” (20 min); 77.27% kept it, the target is 85%.",
    ),
    Case(
        "18 of 21 within, and one who waits beyond the norm now",
        600,
        {**_hour(18, 3), BEYOND: steady(1)},
        labels={**OF_NORM, "window": "hour"},
    ),
    Case(
        "half an hour into the next hour, too early to judge it",
        20 * STEP_S + 1_800,
        _hour_turns(20, (17, 5), (4, 0)),
        labels={**OF_NORM, "window": "hour"},
    ),
    handed_over(Case("17 of 22 within, and a move", 900, _hour(17, 5), labels={**OF_NORM, "window": "hour"}), 20),
    Case("the next hour was well for three quarters of it", 20 * STEP_S + 2_880, _hour_turns(20, (17, 5), (30, 0))),
    Case("too few visitors: 13 of 19", 600, _hour(13, 6)),
    Case("just on target: 17 of 20", 600, _hour(17, 3)),
    Case("the office is closed", 600, {**_hour(17, 5), **CLOSED}),
    Case(
        "18 of 21 within, and nobody who waits counts",
        600,
        {
            **_hour(18, 3),
            NORM_INFO: None,
            name("attente_norm_info", norm=NORM, **{**PROMISE, "still_waiting": "ignored"}): steady(1),
            BEYOND: steady(1),
        },
    ),
    Case("nobody says what the target is", 600, {**_hour(17, 5), TARGET: None}),
    handed_over(Case("a calm office moves to another worker", 900), 20),
)

# ---- the queue grows while desks close

_FEWER_DESKS = {DESKS: turning((32, 3), (33, 2))}
_LONGER = {WAITING: turning((32, 6), (33, 14))}
_SHIFT_S = 40 * STEP_S

QUEUE_GROWS = (
    Case(
        "from 6 to 14 waiting, from 3 to 2 desks",
        _SHIFT_S,
        {**_LONGER, **_FEWER_DESKS},
        labels=PLACE,
        summary="Paris Nation: the queue grows while desks close",
        description="Paris Nation (Île-de-France): 14 are waiting, half as many again as a quarter of an hour ago, and "
        "fewer desks are open than then. Every norm of the office will be broken soon unless a desk opens.",
    ),
    Case("the queue grows, and no desk closed", _SHIFT_S, _LONGER),
    Case(
        "a desk closed, and the queue is just half as long again",
        _SHIFT_S,
        {
            WAITING: turning((32, 10), (33, 15)),
            **_FEWER_DESKS,
        },
    ),
    Case("a small queue doubles", _SHIFT_S, {WAITING: turning((32, 4), (33, 9)), **_FEWER_DESKS}),
    Case("the office closes", _SHIFT_S, {**_LONGER, **_FEWER_DESKS, **CLOSED}),
    Case("more desks for a longer queue", _SHIFT_S, {**_LONGER, DESKS: turning((32, 2), (33, 3))}),
    handed_over(Case("an office with a queue moves to another worker", _SHIFT_S, {WAITING: steady(14)}), 32),
    Case(
        "the worker shows the office only since some minutes",
        _SHIFT_S,
        {
            WAITING: ["_"] * 32 + steady(14)[32:],
            DESKS: ["_"] * 32 + steady(2)[32:],
        },
    ),
)

# ---- turned away


def _away(more: int) -> dict[str, Values]:
    return {AWAY: [7.0 + min(more, max(0, scrape - 60)) for scrape in range(len(NOW))]}


_AFTER_S = 80 * STEP_S

TURNED_AWAY = (
    Case(
        "ten in half an hour, one in seven",
        _AFTER_S,
        _away(10),
        labels=PLACE,
        summary="Paris Nation: 10 visitors turned away in half an hour",
        description="Paris Nation (Île-de-France): 10 visitors got no ticket in the last half hour, more than a tenth "
        "of all who came; 4 are waiting. No norm counts them: a norm can be met by turning people away.",
    ),
    handed_over(Case("ten in half an hour, and a move", _AFTER_S, _away(10), labels=PLACE), 66),
    Case("five in half an hour", _AFTER_S, {**_away(5), ISSUED: growing(0.5, 100)}),
    Case("ten of three hundred", _AFTER_S, {**_away(10), ISSUED: growing(5, 100)}),
    Case("the office is closed", _AFTER_S, {**_away(10), **CLOSED}),
    handed_over(Case("five hundred since ever, and a move", _AFTER_S, {AWAY: steady(500)}), 66, gap=1),
    Case("nothing is known of who was turned away", _AFTER_S, {AWAY: None}),
)

# ---- the budget burns


def _day(within: int, beyond: int) -> dict[str, Values]:
    return readings((38, 2), (within, beyond), WELL)


BURN_FAST = (
    Case(
        "16 of 36 in the hour, 2.96 times what is allowed",
        600,
        _hour(20, 16),
        labels={**OF_NORM, "window": "hour"},
        summary="Paris Nation: this hour burns the norm's budget 2.963 times too fast",
        description="Paris Nation (Île-de-France): 16 of 36 visits of this hour broke the norm “Vingt minutes” "
        "(20 min, target 85%), 2.963 times the share that is allowed. "
        "Of the month's allowed failures 21.51% are spent.",
    ),
    handed_over(Case("16 of 36, and a move", 900, _hour(20, 16), labels={**OF_NORM, "window": "hour"}), 20),
    Case("15 of 36, 2.78 times", 600, _hour(21, 15)),
    Case("too few visitors: 9 of 19", 600, _hour(10, 9)),
    Case("the office is closed", 600, {**_hour(20, 16), **CLOSED}),
    Case("a day as bad, an hour that is well", 600, _day(150, 150)),
    Case("nobody says what the target is", 600, {**_hour(20, 16), TARGET: None}),
    Case("less than five minutes", 240, _hour(20, 16)),
)

BURN_SLOW = (
    Case(
        "30 of 90 today, 2.22 times what is allowed",
        1_200,
        _day(60, 30),
        labels={**OF_NORM, "window": "day"},
        summary="Paris Nation: today burns the norm's budget 2.222 times too fast",
        description="Paris Nation (Île-de-France): 30 of 90 visits of today broke the norm “Vingt minutes” "
        "(20 min, target 85%), 2.222 times the share that is allowed. "
        "Of the month's allowed failures 21.51% are spent.",
    ),
    handed_over(Case("30 of 90, and a move", 1_800, _day(60, 30), labels={**OF_NORM, "window": "day"}), 40),
    Case("29 of 90, 2.15 times", 1_200, _day(61, 29)),
    Case("too few visitors: 19 of 49", 1_200, _day(30, 19)),
    Case("the office is closed", 1_200, {**_day(60, 30), **CLOSED}),
    Case("an hour as bad in a day that is well", 1_200, _hour(20, 20)),
    Case("no worker shows readings", 1_200, dict.fromkeys(_day(60, 30))),
)

# ---- silence

OFFICE_SILENT = (
    Case(
        "nothing for 45 minutes",
        1_830,
        {HEARD: steady(MORNING_S - 900)},
        labels=PLACE,
        summary="Paris Nation: nothing heard, although it should be open",
        description="Paris Nation (Île-de-France) is open by its calendar usual, and no ticket, call or desk has been "
        "heard of for half an hour. Either it is closed, or it is cut off and its figures stand still.",
    ),
    Case("nothing since yesterday", 930, {HEARD: None, OPEN: steady(0), DESKS: steady(0)}, labels=PLACE),
    Case("quiet, and heard once in half an hour", 1_830, {HEARD: growing(STEP_S, MORNING_S - 1_799)}),
    Case("closed by its calendar", 1_830, {HEARD: steady(MORNING_S - 900), SCHEDULED: steady(0)}),
    Case("it has no calendar", 1_830, {HEARD: steady(MORNING_S - 900), SCHEDULED: None}),
    Case("it opened a quarter of an hour ago", 930, {HEARD: None, SCHEDULED: turning((4, 0), (5, 1))}),
    Case("no worker shows the office", 1_830, {key: None for key in CALM if OFFICE in key}),
    handed_over(Case("a calm office moves to another worker", 1_830), 40),
)

_KIOSK = {**PLACE, "kiosk": "hall-1"}

KIOSK_STALE = (
    Case(
        "no heartbeat for 25 minutes",
        900,
        {KIOSK_HEARD: steady(MORNING_S - 600)},
        labels=_KIOSK,
        summary="Paris Nation: kiosk hall-1 has been silent for 25 min",
        description="Paris Nation (Île-de-France) is open, and its kiosk hall-1 sent its last heartbeat 25 min ago. "
        "Tickets that it prints are not counted until it is heard again; waits look shorter than they are.",
    ),
    Case(
        "silent for so long that workers have forgotten it",
        900,
        {
            KIOSK_HEARD: until(2, steady(MORNING_S - 86_400)),
        },
        labels=_KIOSK,
    ),
    Case("a heartbeat just a quarter of an hour ago", 900, {KIOSK_HEARD: growing(STEP_S, MORNING_S - 900)}),
    Case("the office is closed", 900, {KIOSK_HEARD: steady(MORNING_S - 600), **CLOSED}),
    Case("no kiosk was ever heard", 900, {KIOSK_HEARD: None}),
    handed_over(Case("a calm office moves to another worker", 900), 20),
    Case("forgotten for good after four days", 900, {KIOSK_HEARD: until(2, steady(-345_600 + 60))}),
)

KIOSK_CLOCK = (
    Case(
        "75 s slow",
        690,
        {KIOSK_DRIFT: steady(-75)},
        labels=_KIOSK,
        summary="Paris Nation: the clock of kiosk hall-1 is off by 1 min 15 s",
        description="The clock of kiosk hall-1 in Paris Nation (Île-de-France) differs from the broker's by "
        "1 min 15 s. Its waits are wrong by as much; from five minutes fast on, its events are refused.",
    ),
    Case("75 s fast, and the office is closed", 690, {KIOSK_DRIFT: steady(75), **CLOSED}, labels=_KIOSK),
    Case("a minute, no more", 690, {KIOSK_DRIFT: steady(60)}),
    Case("wrong for five minutes, then set", 690, {KIOSK_DRIFT: turning((10, 90), (11, 0))}),
    Case("no kiosk is heard", 690, {KIOSK_DRIFT: None}),
    handed_over(Case("a kiosk that is right, and a move", 690), 15),
)

OFFICES = {
    "AttenteWaitBeyondNorm": WAIT_BEYOND,
    "AttenteHourUnderTarget": HOUR_UNDER_TARGET,
    "AttenteQueueGrowsWhileDesksClose": QUEUE_GROWS,
    "AttenteTurnedAwaySurge": TURNED_AWAY,
    "AttenteBudgetBurnFast": BURN_FAST,
    "AttenteBudgetBurnSlow": BURN_SLOW,
    "AttenteOfficeSilent": OFFICE_SILENT,
    "AttenteKioskStale": KIOSK_STALE,
    "AttenteKioskClockWrong": KIOSK_CLOCK,
}
