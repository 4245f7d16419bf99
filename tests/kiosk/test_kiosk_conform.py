"""What is wrong with a vendor's events, line by line."""

import json
from typing import Any

import pytest

from attente.kiosk.conform import Finding, findings


def line(type_: str = "ticket.issued", at: str = "09:00:00", **changed: Any) -> bytes:
    event: dict[str, Any] = {
        "specversion": "1.0",
        "id": f"{type_}{at}",
        "source": "/offices/o/kiosks/k",
        "type": type_,
        "time": f"2026-11-23T{at}+01:00",
        "office": "o",
        "ticket": "A1",
    }
    if type_ == "ticket.issued":
        event |= {"service": "accueil", "channel": "walkin"}
    return json.dumps(event | changed).encode() + b"\n"


def found(*lines: bytes, office: str | None = None) -> list[Finding]:
    return [finding for one in findings(lines, office) for finding in one]


def codes(*lines: bytes) -> list[tuple[int, str]]:
    return [(finding.line, finding.code) for finding in found(*lines)]


def test_a_whole_visit_is_as_it_must_be() -> None:
    visit = [
        line(),
        line("ticket.called", "09:05:00", desk="1"),
        line("service.started", "09:06:00"),
        line("service.ended", "09:20:00"),
    ]
    assert found(*visit) == []


def test_what_a_worker_would_refuse_has_the_reason_that_it_would_have() -> None:
    one, two, three = found(
        b"{\n", line(), line("ticket.issued", "09:01:00", arrived="2026-11-23T09:02:00+01:00"), line("bus.arrived")
    )
    assert [(f.line, f.code, f.is_refused) for f in (one, two, three)] == [
        (1, "not_json", True),
        (3, "implausible_time", True),
        (4, "unknown_type", True),
    ]


@pytest.mark.parametrize(
    ("second", "code"),
    [
        (line("ticket.called", "09:01:00", id="ticket.issued09:00:00"), "twice"),
        (line("ticket.called", "09:01:00", ticket="A2"), "unissued"),
        (line("ticket.issued", "09:01:00"), "reused"),
    ],
)
def test_what_a_worker_could_make_no_sense_of_is_doubtful(second: bytes, code: str) -> None:
    (finding,) = found(line(), second)
    assert (finding.line, finding.code, finding.is_refused) == (2, code, False)


def test_a_ticket_number_may_come_again_a_day_later() -> None:
    assert codes(line(), line("ticket.issued", time="2026-11-24T09:00:00+01:00", id="other")) == []


def test_a_clock_that_jumps_back_is_told_once_a_jump() -> None:
    tape = [line(at=f"{hour}:00:00", ticket=str(i)) for i, hour in enumerate(("09", "10", "11", "08", "09", "10"))]
    tape = [one.replace(b'"id": "', f'"id": "{i}'.encode()) for i, one in enumerate(tape)]
    assert codes(*tape) == [(4, "clock")]


def test_five_seconds_back_are_two_clocks_and_no_jump() -> None:
    assert codes(line(at="09:00:05"), line("ticket.called", "09:00:00")) == []
    assert (2, "clock") in codes(line(at="09:00:06"), line("ticket.called", "09:00:00"))


def test_a_desk_whose_clock_is_behind_the_kiosks_is_told() -> None:
    called = line("ticket.called", "08:59:00", source="/offices/o/desks/1")
    assert codes(line(), called) == [(2, "skew")]


def test_an_event_of_another_office_is_refused_where_one_was_named() -> None:
    assert [f.code for f in found(line(), office="other")] == ["wrong_key"]
    assert found(line(), office="o") == []
