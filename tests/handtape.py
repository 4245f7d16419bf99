"""A tape of two offices over two mornings, every figure of it worked out by hand.

Times are UTC. Lille keeps the time of Paris (UTC+1 in March, cut-over at 02:00 UTC), Pune that of India (UTC+5:30,
cut-over at 21:30 UTC of the evening before). The horizon is 24 h. The tape ends on 11 March at 08:30:30, so that the
edge behind which visits are sealed is 10 March 08:30:00.

Waits are written in seconds in the drawings and in milliseconds in the figures.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any, NamedTuple

from attente.model.reasons import Reason
from attente.registry.entities import (
    OTHER,
    Clock,
    Detail,
    End,
    Left,
    Norm,
    Office,
    Per,
    Registry,
    Service,
    Start,
    StillWaiting,
)
from oracle import Record

LILLE, PUNE = "lille", "pune"
CASH, PAPERS = "cash", "papers"
WALKIN, APPOINTMENT, REMOTE = "walkin", "appointment", "remote"
EVERYBODY = frozenset({WALKIN, APPOINTMENT, REMOTE})


def _norm(name: str, threshold_s: int, clock: Clock, left: Left, channels: frozenset[str], *offices: str) -> Norm:
    return Norm(
        id=name,
        title=name,
        threshold_s=threshold_s,
        target_milli=85_000,
        clock=clock,
        channels=channels,
        left=left,
        still_waiting=StillWaiting.IGNORED,
        offices=frozenset(offices),
        services=frozenset({CASH, PAPERS, OTHER}),
    )


_NORMS = (
    _norm(
        "door-to-call",
        1200,
        Clock(Start.ARRIVED, End.CALLED, Per.VISIT),
        Left.EXCLUDED,
        frozenset({WALKIN, APPOINTMENT}),
        LILLE,
        PUNE,
    ),
    _norm("ticket-to-call", 1200, Clock(Start.ISSUED, End.CALLED, Per.LEG), Left.CREDITED, EVERYBODY, LILLE, PUNE),
    _norm(
        "appointment",
        600,
        Clock(Start.DUE, End.STARTED, Per.FIRST),
        Left.IGNORED,
        frozenset({APPOINTMENT}),
        LILLE,
        PUNE,
    ),
    _norm(
        "ticket-to-service",
        1200,
        Clock(Start.ISSUED, End.STARTED, Per.VISIT),
        Left.FAILED,
        frozenset({WALKIN}),
        LILLE,
    ),
)

REGISTRY = Registry(
    network="by hand",
    cut_over_min=180,
    horizon_ms=24 * 3_600_000,
    detail=Detail.SERVICE,
    offices={
        LILLE: Office(LILLE, "Lille", "north", "Europe/Paris", (CASH, PAPERS), kiosks=("1",)),
        PUNE: Office(PUNE, "Pune", "west", "Asia/Kolkata", (CASH,)),
    },
    services={CASH: Service(CASH, "Cash desk"), PAPERS: Service(PAPERS, "Papers")},
    norms={norm.id: norm for norm in _NORMS},
)


# --- writing the tape ---


def ms(clock: str, day: int = 10) -> int:
    """Milliseconds since 1970 of a time in UTC on a day of March 2026."""
    at = datetime.fromisoformat(f"2026-03-{day:02d}T{clock}").replace(tzinfo=UTC)
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def _text(at: int) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at)).isoformat(timespec="milliseconds")


class _Arrival(NamedTuple):
    at: int
    key: bytes
    value: bytes


_arrivals: list[_Arrival] = []


def _event(
    type_: str,
    clock: str,
    *,
    day: int = 10,
    office: str = LILLE,
    arrives: str = "",
    arrives_day: int = 0,
    key: str = "",
    **attributes: Any,
) -> None:
    """An event that reaches the log when it happens, or when `arrives` says."""
    at = ms(clock, day)
    body = {
        "specversion": "1.0",
        "id": f"e{len(_arrivals)}",
        "source": f"/offices/{office}/kiosks/1",
        "type": type_,
        "time": _text(at),
        "office": office,
    }
    reaches = ms(arrives, arrives_day or day) if arrives else at
    _arrivals.append(_Arrival(reaches, (key or office).encode(), json.dumps(body | attributes).encode()))


def _issued(clock: str, ticket: str, service: str, channel: str = WALKIN, **more: Any) -> None:
    _event("ticket.issued", clock, ticket=ticket, service=service, channel=channel, **more)


def _called(clock: str, ticket: str, **more: Any) -> None:
    _event("ticket.called", clock, ticket=ticket, **more)


def _started(clock: str, ticket: str, **more: Any) -> None:
    _event("service.started", clock, ticket=ticket, **more)


def _ended(clock: str, ticket: str, **more: Any) -> None:
    _event("service.ended", clock, ticket=ticket, **more)


# A001  cash   issued 08:00           called 08:20:00.4      started 08:20:10           ended 08:30:10  resolved
#              |------- 1200.4 -------->|                                                 served 600
#              |------- 1210 ----------------------------------->|
# Four tenths of a second over 1200 s: counts as 1201 s.
_issued("08:00:00", "A001", CASH)
_called("08:20:00.400", "A001", id="a001-call")
_started("08:20:10", "A001")
_ended("08:30:10", "A001", outcome="resolved")
# Delivered again; and again under another id by another source, which is the same fact.
_called("08:20:00.400", "A001", id="a001-call", arrives="08:20:02")
_called("08:20:00.400", "A001", id="another", source="/offices/lille/desks/1", arrives="08:20:03")

# A002  cash   issued 08:01    called and started 08:21    ended 08:25, outcome unstated       (sealed: 08:25 < 08:30)
#              |------ 1200 ------>|                        served 240
_issued("08:01:00", "A002", CASH)
_called("08:21:00", "A002")
_started("08:21:00", "A002")
_ended("08:25:00", "A002")

# A003  cash   issued 08:02    called 08:10    no-show 08:16                                   (sealed: 08:16 < 08:30)
#              |---- 480 ------>|              the visit ends here; the no-show counts in the pane of the call, 08:10
_issued("08:02:00", "A003", CASH)
_called("08:10:00", "A003")
_event("ticket.no_show", "08:16:00", ticket="A003")
# A call that a desk held back for 24 h to the millisecond: accepted, but the visit is sealed, so nobody was issued
# this ticket: a contradiction.
_called("08:30:30", "A003", arrives="08:30:30", arrives_day=11)

# A004  cash   issued 08:03   called 08:11   no-show 08:13     called 08:33   started 08:33:30   ended 08:40  resolved
#              |---- 480 ----->|             |----- 1200 ------->|                 served 390
#                                            |----- 1230 -------------------------->|
_issued("08:03:00", "A004", CASH)
_called("08:11:00", "A004")
_event("ticket.no_show", "08:13:00", ticket="A004")
_called("08:33:00", "A004")
_started("08:33:30", "A004")
_ended("08:40:00", "A004", outcome="resolved")

# A005  cash   issued 08:04   transferred to papers 08:14   called 08:30   started 08:30:20   ended 08:45  pending
#              |- moved 600 -->|----------- 960 ------------->|                  served 880
#                              |----------- 980 ------------------------------->|
_issued("08:04:00", "A005", CASH)
_event("ticket.transferred", "08:14:00", ticket="A005", toservice=PAPERS)
_called("08:30:00", "A005")
_started("08:30:20", "A005")
_ended("08:45:00", "A005", outcome="pending")

# A006  cash   issued 08:05   called, started 08:06   ended 08:16 resolved   transferred to papers 08:17
#              |---- 60 ------->|   served 600                                |
#                             called, started 08:27 |<-------- 600 -----------|    ended 08:31 referred, served 240
# The end of 08:16 is taken back by the transfer: one visit, which ends at 08:31.
_issued("08:05:00", "A006", CASH)
_called("08:06:00", "A006")
_started("08:06:00", "A006")
_ended("08:16:00", "A006", outcome="resolved")
_event("ticket.transferred", "08:17:00", ticket="A006", toservice=PAPERS)
_called("08:27:00", "A006")
_started("08:27:00", "A006")
_ended("08:31:00", "A006", outcome="referred")

# A007  papers   issued 08:07   called 08:08   requeued 08:09    called 08:29   ended 08:35 resolved, never started
#                |---- 60 ------>|             |----- 1200 ------->|  served 360, since the call
#                |---- 120, neither ----------->|
_issued("08:07:00", "A007", PAPERS)
_called("08:08:00", "A007")
_event("ticket.requeued", "08:09:00", ticket="A007")
_called("08:29:00", "A007")
_ended("08:35:00", "A007", outcome="resolved")

# A008  cash   issued 08:10   called, requeued for papers, called, started: all 08:12:00 by a clock of whole seconds
#              |---- 120 ----->|- 0 ->|    ended 08:14 resolved, served 120                    (sealed: 08:14 < 08:30)
# Only the sequence tells the order; by rank both calls would come first.
_issued("08:10:00", "A008", CASH, sequence="41")
_called("08:12:00", "A008", sequence="42")
_called("08:12:00", "A008", sequence="44")
_started("08:12:00", "A008", sequence="45")
_event("ticket.requeued", "08:12:00", ticket="A008", service=PAPERS, sequence="43")
_ended("08:14:00", "A008", sequence="46", outcome="resolved")

# A010  cash   door 08:41   issued 08:45   called 09:02   started 09:02:30   paused 09:04-09:06   ended 09:10 resolved
#              |            |---- 1020 ---->|                 served 450 - 120 = 330
#              |----------------- 1260 ---->|
#              |            |---- 1050 --------------------->|
#              |----------------- 1290 --------------------->|
_issued("08:45:00", "A010", CASH, arrived=_text(ms("08:41:00")))
_called("09:02:00", "A010")
_started("09:02:30", "A010")
_event("service.paused", "09:04:00", ticket="A010")
_event("service.resumed", "09:06:00", ticket="A010")
_ended("09:10:00", "A010", outcome="resolved")

# A011  papers   issued 08:50   called 08:52   started 08:53   ended 08:58 pending; the start reaches the log after
#                |---- 120 ----->|                             the end
#                |---- 180 -------------------->| served 300
_issued("08:50:00", "A011", PAPERS)
_called("08:52:00", "A011")
_started("08:53:00", "A011", arrives="08:59:00")
_ended("08:58:00", "A011", outcome="pending")

# A012  cash   issued 08:55   ended 08:59 (while waiting: a contradiction)   abandoned 09:05
#              |---- 600 ----------------------------------------------------->|
_issued("08:55:00", "A012", CASH)
_ended("08:59:00", "A012", outcome="resolved")
_event("ticket.abandoned", "09:05:00", ticket="A012")

# A013  cash, remote   issued 09:00   called 09:01   ended 09:05 unstated   started 09:06 (after the end: a
#                      |---- 60 ------>| served 240                         contradiction)
_issued("09:00:00", "A013", CASH, REMOTE)
_called("09:01:00", "A013")
_ended("09:05:00", "A013")
_started("09:06:00", "A013")

# A014  papers   issued 08:20   called 08:25   started 08:26   ended 08:36 resolved; the call reaches the log at 14:25
#                |---- 300 ----->|              served 600
#                |---- 360 -------------------->|     until 14:25 the call was taken to be at the start: 360
_issued("08:20:00", "A014", PAPERS)
_called("08:25:00", "A014", arrives="14:25:00")
_started("08:26:00", "A014")
_ended("08:36:00", "A014", outcome="resolved")

# A015  cash   issued 16:50, still waiting at the cut-over of 02:00: closed overnight, neither answered nor left
_issued("16:50:00", "A015", CASH)

# A016  papers   issued 16:40   called 16:50   started 16:50:30, still served at the cut-over: closed, nothing served
#                |---- 600 ----->|
#                |---- 630 ------------------->|
_issued("16:40:00", "A016", PAPERS)
_called("16:50:00", "A016")
_started("16:50:30", "A016")

# A017  cash   issued 11 March 08:10 by a clock that is five minutes ahead of the broker's: only just accepted; waits
_issued("08:10:00", "A017", CASH, day=11, arrives="08:05:00")

# A018  cash   issued 11 March 08:05   transferred to papers 08:12; waits there since
#              |- moved 420 ------------>|-------------
_issued("08:05:00", "A018", CASH, day=11)
_event("ticket.transferred", "08:12:00", day=11, ticket="A018", toservice=PAPERS)

# A020  cash   issued 09:10   called 09:09:57, started 09:09:58 by a desk's clock that is behind   ended 09:15 resolved
#              | called and started right after the issue: 0, 0           served 300 since the issue
_called("09:09:57", "A020")
_started("09:09:58", "A020")
_issued("09:10:00", "A020", CASH)
_ended("09:15:00", "A020", outcome="resolved")

# A021  papers   called 09:19:54.999 (5001 ms before the issue: a contradiction)   issued 09:20   abandoned 09:25
#                                                                                |---- 300 --------->|
_called("09:19:54.999", "A021")
_issued("09:20:00", "A021", PAPERS)
_event("ticket.abandoned", "09:25:00", ticket="A021", reason="too long")

# B001  papers, appointment   issued 08:40   called, started 08:55   due 09:00    ended 09:05 resolved
#                             |---- 900 ------>| served 600          by `due` the wait is 0
_issued("08:40:00", "B001", PAPERS, APPOINTMENT, due=_text(ms("09:00:00")))
_called("08:55:00", "B001")
_started("08:55:00", "B001")
_ended("09:05:00", "B001", outcome="resolved")

# B002  papers, appointment   issued 09:00   due 09:15      abandoned 09:30
#                             |---- 1800 -------------------->|
#                                            |---- 900 ------>|
_issued("09:00:00", "B002", PAPERS, APPOINTMENT, due=_text(ms("09:15:00")))
_event("ticket.abandoned", "09:30:00", ticket="B002")

# B003  cash, appointment   issued 09:30  transferred to papers 09:40  due 09:50  called 09:55  closed 09:58 (reset)
#                           |- moved 600 --->|----------- 900 --------------------->|
#                                            |----------- 1080, neither ------------------------->|
# By `due` leg 1 took 0: it was over before the appointment. Had contact, so `to: called` answers it; nobody was
# waiting, so nothing is `closed`.
_issued("09:30:00", "B003", CASH, APPOINTMENT, due=_text(ms("09:50:00")))
_event("ticket.transferred", "09:40:00", ticket="B003", toservice=PAPERS)
_called("09:55:00", "B003")
_event("ticket.closed", "09:58:00", ticket="B003", reason="reset")

# P001  Pune, cash   issued 21:25 (02:55 there)  |cut-over 21:30|  called, started 21:40   ended 21:50 resolved
#                    |-------------------- 900 ---------------------->| served 600
# At 21:35 it counts as closed overnight, which the call of 21:40 undoes. Issued on the 10th, called on the 11th.
_issued("21:25:00", "P001", CASH, office=PUNE)
_called("21:40:00", "P001", office=PUNE)
_started("21:40:00", "P001", office=PUNE)
_ended("21:50:00", "P001", office=PUNE, outcome="resolved")

# P002  Pune, a service that it does not offer: other; appointment
#       issued 11 March 04:00   due 04:10   called 04:30   started 04:31   ended 04:41 resolved, served 600
#       |---- 1800 -------------------------->|
#                               |-- 1200 ---->|
#       |---- 1860 ---------------------------------------->|
#                               |-- 1260 ------------------>|
_issued("04:00:00", "P002", PAPERS, APPOINTMENT, day=11, office=PUNE, due=_text(ms("04:10:00", 11)))
_called("04:30:00", "P002", day=11, office=PUNE)
_started("04:31:00", "P002", day=11, office=PUNE)
_ended("04:41:00", "P002", day=11, office=PUNE, outcome="resolved")

# Turned away: three at once in Lille (sealed), delivered again; one in Pune for no service in particular
_event("visitor.turned_away", "08:15:00", id="full", service=PAPERS, count=3)
_event("visitor.turned_away", "08:15:00", id="full", service=PAPERS, count=3, arrives="08:16:00")
_event("visitor.turned_away", "05:00:00", day=11, office=PUNE)

# Desks.  Lille d1   10th: 08:00 ==== 12:00        13:00 =========== cut-over 02:00   11th: 08:00 ==== (08:30:30)
#         Lille d2   10th: closed at 09:00 without having been opened: a contradiction
#         Pune d1    11th: 04:00 ==== 06:00
_event("desk.opened", "08:00:00", desk="d1", services="cash,papers")
_event("desk.closed", "12:00:00", desk="d1")
_event("desk.opened", "13:00:00", desk="d1")
_event("desk.opened", "08:00:00", day=11, desk="d1")
_event("desk.closed", "09:00:00", desk="d2")
_event("desk.opened", "04:00:00", day=11, office=PUNE, desk="d1")
_event("desk.closed", "06:00:00", day=11, office=PUNE, desk="d1")

# Offices.  Lille   10th: 07:55 ======== 16:00    11th: 07:55 ======== (08:30:30)
_event("office.opened", "07:55:00")
_event("office.closed", "16:00:00")
_event("office.opened", "07:55:00", day=11)

# Heartbeats: the one of 08:59 comes after the one of 09:00 and tells nothing new
_event("kiosk.heartbeat", "09:00:00", kiosk="k1", spooled=0)
_event("kiosk.heartbeat", "08:59:00", kiosk="k1", spooled=4, arrives="09:01:00")
_event("kiosk.heartbeat", "09:30:00", kiosk="k1", spooled=2)

# Refused, each for one reason
_event("ticket.abandoned", "08:30:29.999", ticket="A030", arrives="08:30:30", arrives_day=11)  # a millisecond too late
_issued("10:05:00.001", "A031", CASH, arrives="10:00:00")  # a millisecond too far in the future
_issued("10:01:00", "A032", CASH, office="atlantis")
_issued("10:02:00", "A033", CASH, key=PUNE)
_issued("10:03:00", "A034", CASH, arrived=_text(ms("10:03:05.001")))  # came after the ticket, beyond clock skew
_issued("10:04:00", "A035", CASH, time="2026-03-10T11:04:00.000")
_arrivals.append(_Arrival(ms("10:05:00"), LILLE.encode(), b'{"specversion":"1.0","type":"ticket.iss'))

RECORDS: list[Record] = [
    Record(offset, at, key, value)
    for offset, (at, key, value) in enumerate(sorted(_arrivals, key=lambda arrival: arrival.at))
]


# --- what it must give ---

NamedTotals = dict[str, tuple[int, int]]
"""Name of a contribution: how many, and the sum of their milliseconds (0 where they have none)."""


class Four(NamedTuple):
    """Answered, within the threshold; left, within the threshold."""

    answered: int
    answered_within: int
    left: int
    left_within: int


@dataclass(frozen=True)
class Expected:
    """Every figure of the tape.

    Attributes:
        read, counted, duplicate, refused: the account of the records.
        refused_of_lille: of the refused, those that name Lille's only kiosk as their source.
        totals: by office and service, over everything; a name that is missing never occurs.
        sealed: the part of `totals` that was sealed.
        by_day: how many by office, service, ISO date of the business day, and name; a selection.
        by_pane: how many by office, service, beginning of the pane, and name; a selection.
        norms: the four counts by norm, per, office and service; what is missing is all zero.
        levels: the four service levels by norm and per, over all offices and services.
        contradictions: by office and type of event, of the facts held.
        waiting: by office and service: how many, and the beginning of the longest leg.
        open_desks, open_offices: at the end of the tape.
        desk_ms, office_ms: by office and business day.
    """

    read: int
    counted: int
    duplicate: int
    refused: dict[Reason, int]
    refused_of_lille: dict[Reason, int]
    totals: dict[tuple[str, str], NamedTotals]
    sealed: dict[tuple[str, str], NamedTotals]
    by_day: dict[tuple[str, str, str, str], int]
    by_pane: dict[tuple[str, str, int, str], int]
    norms: dict[tuple[str, Per], dict[tuple[str, str], Four]]
    levels: dict[tuple[str, Per], dict[str, Fraction]]
    contradictions: dict[tuple[str, str], int]
    waiting: dict[tuple[str, str], tuple[int, int]]
    open_desks: dict[str, int]
    open_offices: set[str]
    desk_ms: dict[tuple[str, str], int]
    office_ms: dict[tuple[str, str], int]


def _levels(credited: Fraction, excluded: Fraction, failed: Fraction, ignored: Fraction) -> dict[str, Fraction]:
    return {
        "credited_if_within": credited,
        "excluded": excluded,
        "failed": failed,
        "ignored_if_within": ignored,
    }


_LILLE_CASH: NamedTotals = {
    # A001 A002 A003 A004 A005 A006 A008 A010 A012 A013 A015 A017 A018 A020 B003
    "issued": (15, 0),
    # A001 1200.4 + A002 1200 + A003 480 + A004 480 + A004 again 1200 + A006 60 + A008 120 + A010 1020 + A013 60
    # + A020 0
    "called/issued": (10, 5_820_400),
    "called/arrived": (10, 6_060_400),  # A010 240 s more, from the door
    "called/due": (10, 5_820_400),  # no appointment was called for cash
    # A003 480 + A004 480
    "no_show/issued": (2, 960_000),
    "no_show/arrived": (2, 960_000),
    "no_show/due": (2, 960_000),
    # A001 1210 + A002 1200 + A004 1230 + A006 60 + A010 1050 + A013 60 + A020 0
    "started/issued": (7, 4_810_000),
    "started/arrived": (7, 5_050_000),  # A010 240 s more
    "started/due": (7, 4_810_000),
    # A012 600
    "abandoned/issued": (1, 600_000),
    "abandoned/arrived": (1, 600_000),
    "abandoned/due": (1, 600_000),
    "closed": (1, 0),  # A015
    "transferred": (4, 0),  # A005 A006 A018 B003
    "requeued": (1, 0),  # A008
    # A001 600 + A004 390 + A006 600 + A010 330 + A020 300
    "served/resolved": (5, 2_220_000),
    # A002 240 + A013 240
    "served/unstated": (2, 480_000),
    # Leg 1. A001 1200.4 + A002 1200 + A006 60 + A008 120 + A010 1020 + A013 60 + A020 0;
    # not A005, B003 (moved), A015 (closed), nor A017, A018 (not over)
    "first_answered/issued/called": (7, 3_660_400),
    "first_answered/arrived/called": (7, 3_900_400),  # A010 240 s more
    "first_answered/due/called": (7, 3_660_400),
    # A001 1210 + A002 1200 + A006 60 + A010 1050 + A013 60 + A020 0; not A008, called and moved
    "first_answered/issued/started": (6, 3_580_000),
    "first_answered/arrived/started": (6, 3_820_000),
    "first_answered/due/started": (6, 3_580_000),
    # A003 480 + A004 480 + A012 600, the same whatever the clock
    **{f"first_left/{start}/{end}": (3, 1_560_000) for start in Start for end in End},
    # All legs. A001 1200.4 + A002 1200 + A004 (480 + 1200) + A005 (600 + 960) + A006 (60 + 600) + A008 (120 + 0)
    # + A010 1020 + A013 60 + A020 0 + B003 (600 + 900)
    "visit_answered/issued/called": (10, 9_000_400),
    "visit_answered/arrived/called": (10, 9_240_400),  # A010 240 s more
    "visit_answered/due/called": (10, 8_400_400),  # B003 600 s less
    # A001 1210 + A002 1200 + A004 (480 + 1230) + A005 (600 + 980) + A006 (60 + 600) + A008 (120 + 0) + A010 1050
    # + A013 60 + A020 0; not B003, called and closed
    "visit_answered/issued/started": (9, 7_590_000),
    "visit_answered/arrived/started": (9, 7_830_000),
    "visit_answered/due/started": (9, 7_590_000),
    # A003 480 + A012 600; A004 came back and was served
    **{f"visit_left/{start}/{end}": (2, 1_080_000) for start in Start for end in End},
}

_LILLE_PAPERS: NamedTotals = {
    "issued": (7, 0),  # A007 A011 A014 A016 A021 B001 B002
    # A005 960 + A006 600 + A007 60 + A007 again 1200 + A008 0 + A011 120 + A014 300 + A016 600 + B001 900 + B003 900
    "called/issued": (10, 5_640_000),
    "called/arrived": (10, 5_640_000),
    "called/due": (10, 4_740_000),  # B001 0; leg 2 of B003 keeps its beginning
    # A005 980 + A006 600 + A007 1200 + A008 0 + A011 180 + A014 360 + A016 630 + B001 900
    "started/issued": (8, 4_850_000),
    "started/arrived": (8, 4_850_000),
    "started/due": (8, 3_950_000),  # B001 0
    # A021 300 + B002 1800
    "abandoned/issued": (2, 2_100_000),
    "abandoned/arrived": (2, 2_100_000),
    "abandoned/due": (2, 1_200_000),  # B002 900
    "requeued": (1, 0),  # A007
    # A007 360 + A008 120 + A014 600 + B001 600
    "served/resolved": (4, 1_680_000),
    # A005 880 + A011 300
    "served/pending": (2, 1_180_000),
    # A006 240
    "served/referred": (1, 240_000),
    "turned_away": (3, 0),
    # A007 60 + A011 120 + A014 300 + A016 600 + B001 900
    "first_answered/issued/called": (5, 1_980_000),
    "first_answered/arrived/called": (5, 1_980_000),
    "first_answered/due/called": (5, 1_080_000),  # B001 0
    # A011 180 + A014 360 + A016 630 + B001 900; not A007, called and moved
    "first_answered/issued/started": (4, 2_070_000),
    "first_answered/arrived/started": (4, 2_070_000),
    "first_answered/due/started": (4, 1_170_000),  # B001 0
    # A007 (60 + 1200) + A011 120 + A014 300 + A016 600 + B001 900
    "visit_answered/issued/called": (5, 3_180_000),
    "visit_answered/arrived/called": (5, 3_180_000),
    "visit_answered/due/called": (5, 2_280_000),  # B001 0
    # A007 (120 to the return + 1200) + A011 180 + A014 360 + A016 630 + B001 900
    "visit_answered/issued/started": (5, 3_390_000),
    "visit_answered/arrived/started": (5, 3_390_000),
    "visit_answered/due/started": (5, 2_490_000),  # B001 0
    # A021 300 + B002 1800, by `due` 900
    **{
        f"{per}_left/{start}/{end}": (2, 1_200_000 if start is Start.DUE else 2_100_000)
        for per in ("first", "visit")
        for start in Start
        for end in End
    },
}

# P001: 900 to the call and to the start alike
_PUNE_CASH: NamedTotals = {
    "issued": (1, 0),
    **{f"{end}/{start}": (1, 900_000) for start in Start for end in End},
    "served/resolved": (1, 600_000),
    **{f"{per}_answered/{start}/{end}": (1, 900_000) for per in ("first", "visit") for start in Start for end in End},
}

# P002: 1800 to the call and 1860 to the start; by `due`, ten minutes later, 1200 and 1260
_PUNE_OTHER: NamedTotals = {
    "issued": (1, 0),
    "called/issued": (1, 1_800_000),
    "called/arrived": (1, 1_800_000),
    "called/due": (1, 1_200_000),
    "started/issued": (1, 1_860_000),
    "started/arrived": (1, 1_860_000),
    "started/due": (1, 1_260_000),
    "served/resolved": (1, 600_000),
    "turned_away": (1, 0),
    **{
        f"{per}_answered/{start}/{end}": (1, wait)
        for per in ("first", "visit")
        for start, end, wait in (
            ("issued", "called", 1_800_000),
            ("arrived", "called", 1_800_000),
            ("due", "called", 1_200_000),
            ("issued", "started", 1_860_000),
            ("arrived", "started", 1_860_000),
            ("due", "started", 1_260_000),
        )
    },
}

# A002, A003 and A008, whose last facts (08:25, 08:16, 08:14) are older than 10 March 08:30, and the three turned away
_SEALED_CASH: NamedTotals = {
    "issued": (3, 0),
    **{f"called/{start}": (3, 1_800_000) for start in Start},  # A002 1200 + A003 480 + A008 120
    **{f"no_show/{start}": (1, 480_000) for start in Start},  # A003
    **{f"started/{start}": (1, 1_200_000) for start in Start},  # A002
    "requeued": (1, 0),  # A008
    "served/unstated": (1, 240_000),  # A002
    **{f"first_answered/{start}/called": (2, 1_320_000) for start in Start},  # A002 1200 + A008 120
    **{f"first_answered/{start}/started": (1, 1_200_000) for start in Start},  # A002
    **{f"visit_answered/{start}/{end}": (2, 1_320_000) for start in Start for end in End},  # A002 1200 + A008 (120 + 0)
    **{f"{per}_left/{start}/{end}": (1, 480_000) for per in ("first", "visit") for start in Start for end in End},
}
_SEALED_PAPERS: NamedTotals = {
    **{f"{end}/{start}": (1, 0) for start in Start for end in End},  # A008's second leg
    "served/resolved": (1, 120_000),  # A008
    "turned_away": (3, 0),
}

EXPECTED = Expected(
    # 109 + 4 + 7
    read=120,
    # A001 4, A002 4, A003 4, A004 6, A005 5, A006 8, A007 5, A008 6, A010 6, A011 4, A012 3, A013 4, A014 4, A015 1,
    # A016 3, A017 1, A018 2, A020 4, A021 3, B001 4, B002 2, B003 4 = 87; P001 4, P002 4 = 8; desks 7, office 3,
    # turned away 2, heartbeats 2 = 14
    counted=109,
    # A001's call twice, the visitors turned away, the older heartbeat
    duplicate=4,
    refused={
        Reason.TOO_LATE: 1,
        Reason.FROM_THE_FUTURE: 1,
        Reason.UNKNOWN_OFFICE: 1,
        Reason.WRONG_KEY: 1,
        Reason.IMPLAUSIBLE_TIME: 1,
        Reason.NAIVE_TIME: 1,
        Reason.NOT_JSON: 1,
    },
    # Not the event of an office that the registry has not, nor the bytes that name nobody.
    refused_of_lille={
        Reason.TOO_LATE: 1,
        Reason.FROM_THE_FUTURE: 1,
        Reason.WRONG_KEY: 1,
        Reason.IMPLAUSIBLE_TIME: 1,
        Reason.NAIVE_TIME: 1,
    },
    totals={
        (LILLE, CASH): _LILLE_CASH,
        (LILLE, PAPERS): _LILLE_PAPERS,
        (PUNE, CASH): _PUNE_CASH,
        (PUNE, OTHER): _PUNE_OTHER,
    },
    sealed={(LILLE, CASH): _SEALED_CASH, (LILLE, PAPERS): _SEALED_PAPERS},
    by_day={
        (LILLE, CASH, "2026-03-10", "issued"): 13,
        (LILLE, CASH, "2026-03-11", "issued"): 2,  # A017 A018
        (LILLE, PAPERS, "2026-03-10", "issued"): 7,
        (LILLE, CASH, "2026-03-10", "closed"): 0,
        (LILLE, CASH, "2026-03-11", "closed"): 1,  # A015, at the cut-over that begins the 11th
        (LILLE, PAPERS, "2026-03-10", "visit_answered/issued/called"): 4,  # A007 A011 A014 B001
        (LILLE, PAPERS, "2026-03-11", "visit_answered/issued/called"): 1,  # A016, at the same cut-over
        (PUNE, CASH, "2026-03-10", "issued"): 1,  # P001 at 02:55, before the cut-over
        (PUNE, CASH, "2026-03-11", "issued"): 0,
        (PUNE, CASH, "2026-03-10", "called/issued"): 0,
        (PUNE, CASH, "2026-03-11", "called/issued"): 1,  # P001 at 03:10, after it
        (PUNE, OTHER, "2026-03-11", "turned_away"): 1,
    },
    by_pane={
        (LILLE, CASH, ms("08:00:00"), "issued"): 5,  # A001 to A005; A006 opens the next pane
        (LILLE, CASH, ms("08:05:00"), "issued"): 1,  # A006; A008 opens the one after
        (LILLE, CASH, ms("08:10:00"), "no_show/issued"): 2,  # A003 and A004, where they were called
        (LILLE, CASH, ms("08:15:00"), "no_show/issued"): 0,  # where A003 was found not to be there
        (LILLE, CASH, ms("08:15:00"), "visit_left/issued/called"): 1,  # A003's visit ended there
        (LILLE, CASH, ms("08:20:00"), "called/issued"): 2,  # A001 A002
        (LILLE, CASH, ms("08:15:00"), "visit_answered/issued/called"): 0,  # A006's end of 08:16 was taken back
        (LILLE, CASH, ms("08:30:00"), "visit_answered/issued/called"): 2,  # A001 08:30:10 and A006 08:31
        (LILLE, PAPERS, ms("08:25:00"), "called/issued"): 3,  # A006 08:27, A007 08:29, A014 08:25
        (LILLE, PAPERS, ms("08:25:00"), "started/issued"): 3,  # A006 08:27, A007 08:29 (its call), A014 08:26
        (LILLE, CASH, ms("09:05:00"), "started/issued"): 0,  # A013's start of 09:06 is a contradiction
        (LILLE, CASH, ms("09:10:00"), "called/issued"): 1,  # A020, called by its desk's clock at 09:09:57
    },
    norms={
        # Cash: A001 1201 no, A002 1200, A004 again 1200, A006 60, A008 120, A010 1260 no, A020 0 (A013 is remote);
        # left A003 480, A004 480, A012 600. Papers: ten calls, none over 1200; left A021 300, B002 1800 no.
        ("door-to-call", Per.LEG): {
            (LILLE, CASH): Four(7, 5, 3, 3),
            (LILLE, PAPERS): Four(10, 10, 2, 1),
            (PUNE, CASH): Four(1, 1, 0, 0),
            (PUNE, OTHER): Four(1, 0, 0, 0),
        },
        # A001 no, A002, A006, A008, A010 no, A020; left A003, A004, A012. A007, A011, A014, A016, B001; left as above.
        ("door-to-call", Per.FIRST): {
            (LILLE, CASH): Four(6, 4, 3, 3),
            (LILLE, PAPERS): Four(5, 5, 2, 1),
            (PUNE, CASH): Four(1, 1, 0, 0),
            (PUNE, OTHER): Four(1, 0, 0, 0),
        },
        # A001 no, A002, A004 1680 no, A005 1560 no, A006 660, A008 120, A010 no, A020 0, B003 1500 no; left A003, A012.
        # A007 1260 no, A011, A014, A016, B001.
        ("door-to-call", Per.VISIT): {
            (LILLE, CASH): Four(9, 4, 2, 2),
            (LILLE, PAPERS): Four(5, 4, 2, 1),
            (PUNE, CASH): Four(1, 1, 0, 0),
            (PUNE, OTHER): Four(1, 0, 0, 0),
        },
        # As from the door, but A010 waited 1020 and A013 60 counts.
        ("ticket-to-call", Per.LEG): {
            (LILLE, CASH): Four(8, 7, 3, 3),
            (LILLE, PAPERS): Four(10, 10, 2, 1),
            (PUNE, CASH): Four(1, 1, 0, 0),
            (PUNE, OTHER): Four(1, 0, 0, 0),
        },
        ("ticket-to-call", Per.FIRST): {
            (LILLE, CASH): Four(7, 6, 3, 3),
            (LILLE, PAPERS): Four(5, 5, 2, 1),
            (PUNE, CASH): Four(1, 1, 0, 0),
            (PUNE, OTHER): Four(1, 0, 0, 0),
        },
        ("ticket-to-call", Per.VISIT): {
            (LILLE, CASH): Four(10, 6, 2, 2),
            (LILLE, PAPERS): Four(5, 4, 2, 1),
            (PUNE, CASH): Four(1, 1, 0, 0),
            (PUNE, OTHER): Four(1, 0, 0, 0),
        },
        # B001 0, B002 left after 900, P002 1260; B003 was never started: neither.
        **{
            ("appointment", per): {(LILLE, PAPERS): Four(1, 1, 1, 0), (PUNE, OTHER): Four(1, 0, 0, 0)}
            for per in (Per.LEG, Per.FIRST, Per.VISIT)
        },
        # Walk-ins of Lille. A001 1210 no, A002, A004 1230 no, A006 60, A010 1050, A020 0; left A003, A004, A012.
        # A005 980, A006 600, A007 1200, A008 0, A011 180, A014 360, A016 630; left A021.
        ("ticket-to-service", Per.LEG): {
            (LILLE, CASH): Four(6, 4, 3, 3),
            (LILLE, PAPERS): Four(7, 7, 1, 1),
        },
        # A001 no, A002, A006, A010, A020; left A003, A004, A012. A011, A014, A016; left A021.
        ("ticket-to-service", Per.FIRST): {
            (LILLE, CASH): Four(5, 4, 3, 3),
            (LILLE, PAPERS): Four(3, 3, 1, 1),
        },
        # A001 no, A002 1200, A004 1710 no, A005 1580 no, A006 660, A008 120, A010 1050, A020 0; left A003, A012.
        # A007 1320 no, A011, A014, A016; left A021.
        ("ticket-to-service", Per.VISIT): {
            (LILLE, CASH): Four(8, 5, 2, 2),
            (LILLE, PAPERS): Four(4, 3, 1, 1),
        },
    },
    levels={
        # 19 answered, 16 within; 5 left, 4 within: (16 + 4)/24, 16/19, 16/24, 16/(24 - 4)
        ("door-to-call", Per.LEG): _levels(Fraction(5, 6), Fraction(16, 19), Fraction(2, 3), Fraction(4, 5)),
        # 13, 10; 5, 4: 14/18, 10/13, 10/18, 10/14
        ("door-to-call", Per.FIRST): _levels(Fraction(7, 9), Fraction(10, 13), Fraction(5, 9), Fraction(5, 7)),
        # 16, 9; 4, 3: 12/20, 9/16, 9/20, 9/17
        ("door-to-call", Per.VISIT): _levels(Fraction(3, 5), Fraction(9, 16), Fraction(9, 20), Fraction(9, 17)),
        # 20, 18; 5, 4: 22/25, 18/20, 18/25, 18/21
        ("ticket-to-call", Per.LEG): _levels(Fraction(22, 25), Fraction(9, 10), Fraction(18, 25), Fraction(6, 7)),
        # 14, 12; 5, 4: 16/19, 12/14, 12/19, 12/15
        ("ticket-to-call", Per.FIRST): _levels(Fraction(16, 19), Fraction(6, 7), Fraction(12, 19), Fraction(4, 5)),
        # 17, 11; 4, 3: 14/21, 11/17, 11/21, 11/18
        ("ticket-to-call", Per.VISIT): _levels(Fraction(2, 3), Fraction(11, 17), Fraction(11, 21), Fraction(11, 18)),
        # 2, 1; 1, 0: 1/3, 1/2, 1/3, 1/3
        **{
            ("appointment", per): _levels(Fraction(1, 3), Fraction(1, 2), Fraction(1, 3), Fraction(1, 3))
            for per in (Per.LEG, Per.FIRST, Per.VISIT)
        },
        # 13, 11; 4, 4: 15/17, 11/13, 11/17, 11/13
        ("ticket-to-service", Per.LEG): _levels(Fraction(15, 17), Fraction(11, 13), Fraction(11, 17), Fraction(11, 13)),
        # 8, 7; 4, 4: 11/12, 7/8, 7/12, 7/8
        ("ticket-to-service", Per.FIRST): _levels(Fraction(11, 12), Fraction(7, 8), Fraction(7, 12), Fraction(7, 8)),
        # 12, 8; 3, 3: 11/15, 8/12, 8/15, 8/12
        ("ticket-to-service", Per.VISIT): _levels(Fraction(11, 15), Fraction(2, 3), Fraction(8, 15), Fraction(2, 3)),
    },
    contradictions={
        (LILLE, "service.ended"): 1,  # A012
        (LILLE, "service.started"): 1,  # A013
        (LILLE, "ticket.called"): 2,  # A021 before its issue, A003 after it was sealed
        (LILLE, "desk.closed"): 1,  # d2
    },
    waiting={
        (LILLE, CASH): (1, ms("08:10:00", 11)),  # A017
        (LILLE, PAPERS): (1, ms("08:12:00", 11)),  # A018
    },
    open_desks={LILLE: 1},
    open_offices={LILLE},
    desk_ms={
        (LILLE, "2026-03-10"): 61_200_000,  # 4 h and, from 13:00 to 02:00, 13 h
        (LILLE, "2026-03-11"): 1_830_000,  # 08:00 to 08:30:30
        (PUNE, "2026-03-11"): 7_200_000,  # 2 h
    },
    office_ms={
        (LILLE, "2026-03-10"): 29_100_000,  # 07:55 to 16:00 is 8 h 5 min
        (LILLE, "2026-03-11"): 2_130_000,  # 07:55 to 08:30:30
    },
)
