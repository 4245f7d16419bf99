"""The Technion's "anonymous bank" tapes: calls to a bank's call centre, a row of 17 columns each.

A call that queues is a visit. Durations are the truth: the agents' clock runs a second or two off the voice unit's, so
of the clock times only the begin of the wait is read. Of agents and customers nothing is read at all.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Literal, TypedDict
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

import msgspec

from attente.model.events import (
    AnyEvent,
    ServiceEnded,
    ServiceStarted,
    TicketAbandoned,
    TicketCalled,
    TicketIssued,
)
from attente.model.reasons import shown
from attente.registry.demo import technion_offices
from attente.sources.files import lines_of, refusal
from attente.sources.lives import Account, Importer

PHANTOM: Final = "phantom"
"""Dropped: the row is no call."""
LEFT_BEFORE_QUEUEING: Final = "left_before_queueing"
"""Dropped: the caller hung up in the voice unit, before there was a queue to wait in."""

ZONE: Final = ZoneInfo("Asia/Jerusalem")

COLUMNS: Final = (
    "vru+line",
    "call_id",
    "customer_id",
    "priority",
    "type",
    "date",
    "vru_entry",
    "vru_exit",
    "vru_time",
    "q_start",
    "q_exit",
    "q_time",
    "outcome",
    "ser_start",
    "ser_exit",
    "ser_time",
    "server",
)
_LINE, _CALL, _TYPE, _DATE, _ENTRY, _EXIT, _QUEUED, _WAIT, _OUTCOME, _SERVICE = (
    COLUMNS.index(name)
    for name in (
        "vru+line",
        "call_id",
        "type",
        "date",
        "vru_entry",
        "vru_exit",
        "q_start",
        "q_time",
        "outcome",
        "ser_time",
    )
)
_OUTCOMES: Final = ("AGENT", "HANG", "PHANTOM")
_NEVER: Final = "0:00:00"  # the tape's way to say that something did not happen

_WORD: Final = re.compile(r"[A-Za-z0-9]{1,32}", re.ASCII)
_NUMBER: Final = re.compile(r"\d{1,12}", re.ASCII)
_DAY: Final = re.compile(r"\d{6}", re.ASCII)
_CLOCK: Final = re.compile(r"([01]?\d|2[0-3]):([0-5]\d):([0-5]\d)", re.ASCII)
_A_DAY: Final = 86_400
# In 33 rows of January 1999 the queue begins up to 139 s before the entry, by two clocks that disagree; only a step
# back by half a day means that midnight lay between them.
_HALF_A_DAY: Final = _A_DAY // 2

_IDS: Final = UUID("8f0f3d5c-2c0e-5d4b-9b57-6a1f4c1d7e90")  # the name space of the ids: any will do, for ever the same


class _WrongFieldError(ValueError):
    """A field that cannot be used; `column` is its number, from 0."""

    def __init__(self, column: int, message: str) -> None:
        super().__init__(message)
        self.column = column


class _Common(TypedDict):
    specversion: Literal["1.0"]
    id: str
    source: str
    time: str
    sequence: str
    office: str
    ticket: str


class Call(msgspec.Struct, frozen=True, gc=False):
    """A call that queued: a visit.

    Attributes:
        row: its row on the tape, from 1: the `sequence` of its events.
        office, line, service, ticket: where it came in, and what it is called.
        issued: when it began to wait, in milliseconds since 1970.
        wait: seconds until it was answered or given up.
        served: seconds of service, -1 when it was given up.
    """

    row: int
    office: str
    line: str
    service: str
    ticket: str
    issued: int
    wait: int
    served: int

    def __len__(self) -> int:
        """Four events when it was answered, two when it was given up."""
        return 2 if self.served < 0 else 4

    def at(self, index: int) -> int:
        """When an event took place, in milliseconds since 1970."""
        if index == 0:
            return self.issued
        return self.issued + 1000 * (self.wait + (self.served if index == 3 else 0))

    def event(self, index: int) -> AnyEvent:
        """Issued, then abandoned, or called, started and ended."""
        if index == 0:
            return TicketIssued(**self._common("issued", index), service=self.service, channel="remote")
        if self.served < 0:
            return TicketAbandoned(**self._common("abandoned", index))
        if index == 1:
            return TicketCalled(**self._common("called", index))
        if index == 2:
            return ServiceStarted(**self._common("started", index))
        return ServiceEnded(**self._common("ended", index))

    def _common(self, what: str, index: int) -> _Common:
        at = datetime.fromtimestamp(self.at(index) // 1000, ZONE)
        return {
            "specversion": "1.0",
            "id": str(uuid5(_IDS, f"{self.ticket}/{what}")),
            "source": f"/offices/{self.office}/lines/{self.line}",
            "time": at.isoformat(timespec="milliseconds"),
            "sequence": f"{self.row:09d}",
            "office": self.office,
            "ticket": self.ticket,
        }


def read(path: Path, offices: int, account: Account) -> Iterator[Call]:
    """The calls of a tape that queued, in the order of its rows.

    Args:
        path: the tape, `.tsv` or `.tsv.xz`.
        offices: how many offices of the tape's registry the calls are dealt to, by their id.
        account: kept while the tape is read.

    Raises:
        Missing: there is no such file.
        BadInput: it is no such tape; with line and column.
    """
    name = str(path)
    lines = lines_of(path)
    _check_header(name, next(lines, b""))
    names = technion_offices(offices)
    tickets: Counter[str] = Counter()
    for row, line in enumerate(lines, 1):
        fields = _fields(name, row + 1, line)
        try:
            call = _call(row, fields, names, account)
        except _WrongFieldError as wrong:
            raise refusal(name, row + 1, _begin(fields, wrong.column), str(wrong)) from None
        account.rows += 1
        if call is None:
            continue
        account.tickets += 1
        tickets[call.ticket] += 1
        if tickets[call.ticket] > 1:
            call = msgspec.structs.replace(call, ticket=f"{call.ticket}~{tickets[call.ticket]}")
        yield call
    if not account.rows:
        raise refusal(name, 2, 1, "the tape has a header and no rows; fetch it again")


def _check_header(name: str, line: bytes) -> None:
    remedy = f"the first line of a Technion tape names {len(COLUMNS)} columns, separated by tabs: {', '.join(COLUMNS)}"
    if not line:
        raise refusal(name, 1, 1, f"the file is empty, or its first line is; {remedy}")
    header = line.decode("ascii", "backslashreplace").split("\t")
    for number, (found, wanted) in enumerate(zip(header, COLUMNS, strict=False)):
        if found != wanted:
            what = f"column {number + 1} is {_short(found)} instead of {_short(wanted)}"
            raise refusal(name, 1, _begin(header, number), f"{what}; {remedy}")
    if len(header) != len(COLUMNS):
        raise refusal(name, 1, _excess(header), f"{len(header)} columns; {remedy}")


def _fields(name: str, number: int, line: bytes) -> list[str]:
    try:
        fields = line.decode("ascii").split("\t")
    except UnicodeDecodeError as error:
        msg = f"byte {line[error.start]:#04x} is not ASCII; fetch the tape again"
        raise refusal(name, number, error.start + 1, msg) from None
    if len(fields) != len(COLUMNS):
        msg = f"{len(fields)} columns instead of {len(COLUMNS)}, separated by tabs; fetch the tape again"
        raise refusal(name, number, _excess(fields), msg)
    return fields


def _call(row: int, fields: Sequence[str], offices: Sequence[str], account: Account) -> Call | None:
    outcome = fields[_OUTCOME]
    if outcome not in _OUTCOMES:
        msg = f"outcome {_short(outcome)} is unknown; it is {', '.join(_OUTCOMES)}"
        raise _WrongFieldError(_OUTCOME, msg)
    if outcome == "PHANTOM":
        account.dropped[PHANTOM] += 1
        return None
    line = _word(fields, _LINE)
    call_id = _number(fields, _CALL)
    service = _word(fields, _TYPE).lower()
    issued = _issued(fields)
    wait = _seconds(fields, _WAIT)
    served = _seconds(fields, _SERVICE)
    if outcome == "HANG" and fields[_QUEUED] == _NEVER:
        account.dropped[LEFT_BEFORE_QUEUEING] += 1
        return None
    return Call(
        row=row,
        office=offices[call_id % len(offices)],
        line=line,
        service=service,
        ticket=f"{_date(fields):%Y-%m-%d}/{line}/{fields[_CALL]}",
        issued=issued,
        wait=wait,
        served=-1 if outcome == "HANG" else served,
    )


def _issued(fields: Sequence[str]) -> int:
    """The begin of the wait: the queue's, or the voice unit's end for who never queued because an agent was free."""
    day = _date(fields)
    entry, end, queued = _clock(fields, _ENTRY), _clock(fields, _EXIT), _clock(fields, _QUEUED)
    clock = end if fields[_QUEUED] == _NEVER else queued
    if entry - clock > _HALF_A_DAY:
        day += timedelta(days=1)
    local = day.replace(hour=clock // 3600, minute=clock // 60 % 60, second=clock % 60, tzinfo=ZONE)
    return int(local.timestamp()) * 1000


def _date(fields: Sequence[str]) -> datetime:
    """Midnight of the row's date, in UTC: only its day is of use."""
    text = fields[_DATE]
    if _DAY.fullmatch(text):
        try:
            day = datetime(1900 + int(text[:2]), int(text[2:4]), int(text[4:]), tzinfo=UTC)
        except ValueError:
            day = None
        if day is not None and day.year > 1970:  # not in 1970 either: its first hours in Jerusalem are 1969 in UTC
            return day
    msg = f"date {_short(text)} is no day of 1971 to 1999 as yymmdd; fetch the tape again"
    raise _WrongFieldError(_DATE, msg)


def _clock(fields: Sequence[str], column: int) -> int:
    found = _CLOCK.fullmatch(fields[column])
    if found is None:
        msg = f"{COLUMNS[column]} {_short(fields[column])} is no time of day as h:mm:ss; fetch the tape again"
        raise _WrongFieldError(column, msg)
    return int(found[1]) * 3600 + int(found[2]) * 60 + int(found[3])


def _seconds(fields: Sequence[str], column: int) -> int:
    seconds = _number(fields, column)
    if seconds > _A_DAY:
        msg = f"{COLUMNS[column]} {_short(fields[column])} is over a day in seconds; fetch the tape again"
        raise _WrongFieldError(column, msg)
    return seconds


def _number(fields: Sequence[str], column: int) -> int:
    if _NUMBER.fullmatch(fields[column]) is None:
        msg = f"{COLUMNS[column]} {_short(fields[column])} is no whole number; fetch the tape again"
        raise _WrongFieldError(column, msg)
    return int(fields[column])


def _word(fields: Sequence[str], column: int) -> str:
    if _WORD.fullmatch(fields[column]) is None:
        msg = f"{COLUMNS[column]} {_short(fields[column])} is no word of letters and digits; fetch the tape again"
        raise _WrongFieldError(column, msg)
    return fields[column]


def _begin(fields: Sequence[str], column: int) -> int:
    """Where a field begins in its line, in characters from 1."""
    return 1 + sum(len(field) + 1 for field in fields[:column])


def _excess(fields: Sequence[str]) -> int:
    """Where a line has a column too many, or ends without one."""
    if len(fields) > len(COLUMNS):
        return _begin(fields, len(COLUMNS))
    return _begin(fields, len(fields)) - 1


def _short(text: str) -> str:
    return f'"{shown(text, 40)}"'


TECHNION: Final = Importer(
    name="technion",
    title="calls of a bank's call centre, by the Technion (.tsv or .tsv.xz)",
    read=read,
)
