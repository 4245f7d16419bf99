"""What a kiosk's program reports becomes the event that the contract wants, or is refused before it is taken."""

import inspect
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from attente.kiosk import EventRefused, SpoolFull
from attente.kiosk.ids import uuid7
from attente.kiosk.making import Reporter
from attente.kiosk.testing import FakeKiosk
from attente.model.events import TYPES, AnyEvent, DeskOpened, KioskHeartbeat, TicketIssued
from attente.model.refusals import decode_event

AT = datetime(2026, 11, 23, 9, 14, 3, 120_000, timezone(timedelta(hours=1)))
EXAMPLES = Path(__file__).resolve().parents[2] / "schemas" / "examples"
CALLS: dict[str, Callable[[Reporter], str]] = {
    "office.opened": lambda kiosk: kiosk.office_opened(),
    "office.closed": lambda kiosk: kiosk.office_closed(),
    "desk.opened": lambda kiosk: kiosk.desk_opened(desk="3", services=("accueil", "rdv")),
    "desk.closed": lambda kiosk: kiosk.desk_closed(desk="3"),
    "visitor.turned_away": lambda kiosk: kiosk.visitor_turned_away(service="accueil", count=2, reason="full"),
    "ticket.issued": lambda kiosk: kiosk.ticket_issued(
        ticket="A1", service="accueil", channel="appointment", due=AT, arrived=AT - timedelta(minutes=1)
    ),
    "ticket.called": lambda kiosk: kiosk.ticket_called(ticket="A1", desk="3"),
    "ticket.no_show": lambda kiosk: kiosk.ticket_no_show(ticket="A1"),
    "ticket.requeued": lambda kiosk: kiosk.ticket_requeued(ticket="A1", service="rdv"),
    "ticket.transferred": lambda kiosk: kiosk.ticket_transferred(ticket="A1", to_service="rdv"),
    "ticket.abandoned": lambda kiosk: kiosk.ticket_abandoned(ticket="A1", reason="left"),
    "ticket.closed": lambda kiosk: kiosk.ticket_closed(ticket="A1", reason="reset"),
    "service.started": lambda kiosk: kiosk.service_started(ticket="A1", desk="3"),
    "service.paused": lambda kiosk: kiosk.service_paused(ticket="A1"),
    "service.resumed": lambda kiosk: kiosk.service_resumed(ticket="A1"),
    "service.ended": lambda kiosk: kiosk.service_ended(ticket="A1", desk="3", outcome="resolved"),
}


def kiosk_at(at: datetime = AT) -> FakeKiosk:
    return FakeKiosk("75-nation", "hall-1", lambda: at)


def only(kiosk: FakeKiosk) -> AnyEvent:
    (event,) = kiosk.events
    return event


@pytest.mark.parametrize("kind", CALLS)
def test_a_method_makes_the_event_of_its_type_with_the_kiosk_as_its_source(kind: str) -> None:
    kiosk = kiosk_at()
    id_ = CALLS[kind](kiosk)
    event = only(kiosk)
    assert type(event) is TYPES[kind]
    assert (event.id, event.source, event.office) == (id_, "/offices/75-nation/kiosks/hall-1", "75-nation")
    assert event.time == "2026-11-23T09:14:03.120+01:00"
    assert event.sequence == ""


def test_every_type_but_the_heartbeat_has_a_method_and_every_method_takes_the_instant() -> None:
    assert set(CALLS) == {kind for kind, struct in TYPES.items() if struct is not KioskHeartbeat}
    for kind in CALLS:
        assert inspect.signature(getattr(Reporter, kind.replace(".", "_"))).parameters["at"].default is None


def test_attributes_arrive_as_they_were_given() -> None:
    kiosk = kiosk_at()
    CALLS["ticket.issued"](kiosk)
    CALLS["desk.opened"](kiosk)
    issued, opened = kiosk.events
    assert isinstance(issued, TicketIssued)
    assert isinstance(opened, DeskOpened)
    assert (issued.channel, issued.due, issued.arrived) == (
        "appointment",
        "2026-11-23T09:14:03.120+01:00",
        "2026-11-23T09:13:03.120+01:00",
    )
    assert opened.services == "accueil,rdv"


def test_an_instant_that_is_given_is_the_events() -> None:
    kiosk = kiosk_at()
    kiosk.office_opened(at=AT - timedelta(hours=2))
    assert only(kiosk).time == "2026-11-23T07:14:03.120+01:00"


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (lambda kiosk: kiosk.office_opened(at=AT.replace(tzinfo=None)), "naive_time"),
        (lambda kiosk: kiosk.ticket_called(ticket=""), "bad_attribute"),
        (lambda kiosk: kiosk.ticket_called(ticket="A" * 129), "bad_attribute"),
        (lambda kiosk: kiosk.ticket_issued(ticket="A1", service=""), "bad_attribute"),
        (lambda kiosk: kiosk.ticket_issued(ticket="A1", service="a", channel="phone"), "bad_attribute"),
        (lambda kiosk: kiosk.ticket_issued(ticket=7, service="a"), "bad_attribute"),
        (lambda kiosk: kiosk.ticket_issued(ticket=object(), service="a"), "bad_attribute"),
        (lambda kiosk: kiosk.ticket_issued(ticket="\ud800", service="a"), "bad_attribute"),
        (
            lambda kiosk: kiosk.ticket_issued(ticket="A1", service="a", arrived=AT + timedelta(minutes=1)),
            "implausible_time",
        ),
        (lambda kiosk: kiosk.visitor_turned_away(count=0), "bad_attribute"),
        (lambda kiosk: kiosk.report(b'{"type":"office.opened"}'), "wrong_specversion"),
    ],
)
def test_what_a_worker_would_refuse_is_refused_here_with_its_reason(
    call: Callable[[FakeKiosk], str], reason: str
) -> None:
    kiosk = kiosk_at()
    with pytest.raises(EventRefused) as refused:
        call(kiosk)
    assert refused.value.reason == reason
    assert "\n" not in str(refused.value)
    assert kiosk.values == []


def test_every_valid_example_of_the_contract_is_taken_as_bytes_and_no_invalid_one_is() -> None:
    for file in sorted((EXAMPLES / "valid").glob("*.json")):
        raw = file.read_bytes()
        event, _ = decode_event(raw)
        kiosk = FakeKiosk(event.office, "any")
        assert kiosk.report(raw) == event.id
        assert kiosk.values == [raw]
    for file in sorted((EXAMPLES / "invalid").glob("*.json")):
        kiosk = FakeKiosk("75-nation", "any")
        with pytest.raises(EventRefused):
            kiosk.report(file.read_bytes())
        assert kiosk.values == []


def test_another_offices_event_is_not_taken() -> None:
    kiosk = kiosk_at()
    CALLS["ticket.called"](kiosk)
    other = FakeKiosk("93-bobigny", "hall-1")
    with pytest.raises(EventRefused, match="is of office '75-nation', this kiosk stands in '93-bobigny'"):
        other.report(kiosk.values[0])


@pytest.mark.parametrize("name", ["", "Paris Nation", "a/b", "é", "a" * 65])
def test_office_and_kiosk_are_ids(name: str) -> None:
    with pytest.raises(EventRefused, match="is no id"):
        FakeKiosk(name, "hall-1")
    with pytest.raises(EventRefused, match="is no id"):
        FakeKiosk("75-nation", name)


def test_a_batch_is_taken_at_its_end_and_not_at_all_after_an_exception() -> None:
    kiosk = kiosk_at()
    with kiosk.batch() as batch:
        batch.ticket_issued(ticket="A1", service="accueil")
        kiosk.office_opened()  # another thread's, say
        batch.ticket_called(ticket="A1")
        assert len(kiosk.values) == 1
    assert [type(event).__name__ for event in kiosk.events] == ["OfficeOpened", "TicketIssued", "TicketCalled"]
    with pytest.raises(EventRefused):
        report_one_good_and_one_bad(kiosk)
    assert len(kiosk.values) == 3


def report_one_good_and_one_bad(kiosk: FakeKiosk) -> None:
    with kiosk.batch() as batch:
        batch.ticket_issued(ticket="A2", service="accueil")
        batch.ticket_called(ticket="")


def test_the_double_refuses_what_a_full_spool_would() -> None:
    kiosk = kiosk_at()
    kiosk.is_full = True
    with pytest.raises(SpoolFull):
        kiosk.office_opened()
    assert kiosk.values == []


def test_ids_sort_by_time_and_are_uuids_of_version_seven() -> None:
    ids = [uuid7(1_795_500_843_120 + i) for i in range(100)]
    assert ids == sorted(ids)
    assert len({uuid7(0) for _ in range(1000)}) == 1000
    # RFC 9562, appendix A.6: 2022-02-22T19:22:22Z with rand_a 0xCC3 and rand_b 0x18C4DC0C0C07398F
    assert uuid7(0x017F22E279B0, 0xCC3 << 62 | 0x18C4DC0C0C07398F) == "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"


def test_the_clock_of_a_kiosk_has_an_offset() -> None:
    kiosk = FakeKiosk()
    before = datetime.now(UTC)
    kiosk.office_opened()
    time = datetime.fromisoformat(only(kiosk).time)
    assert before - timedelta(seconds=1) <= time <= datetime.now(UTC)
