"""What each row of a Technion tape becomes."""

from pathlib import Path

import pytest

from attente.model.events import AnyEvent, ServiceEnded, ServiceStarted, TicketAbandoned, TicketCalled, TicketIssued
from attente.model.instants import milliseconds
from attente.registry.demo import SERVICES, technion_offices, technion_registry
from attente.sources.importers import IMPORTERS, ImportOptions, import_tape
from sources.technion_rows import HUNG_UP, LEFT, as_row, imported, january, needs_january, of_tickets, row, tape


def events_of(folder: Path, *rows: str, offices: int = 1) -> list[AnyEvent]:
    return imported(tape(folder, *rows), ImportOptions(offices=offices))[0]


def times(events: list[AnyEvent]) -> list[tuple[str, str]]:
    return [(str(event.__struct_config__.tag), event.time) for event in events]


def test_an_answered_call_is_issued_called_started_and_ended(tmp_path: Path) -> None:
    #  6:55:26 queues          6:55:43 answered                  6:56:37 over
    #  |------- 17 s ----------|------------- 54 s --------------|
    #  ser_start says 6:55:42: the agents' clock is not used
    assert times(events_of(tmp_path, row())) == [
        ("ticket.issued", "1999-01-01T06:55:26.000+02:00"),
        ("ticket.called", "1999-01-01T06:55:43.000+02:00"),
        ("service.started", "1999-01-01T06:55:43.000+02:00"),
        ("service.ended", "1999-01-01T06:56:37.000+02:00"),
    ]


def test_a_caller_who_hangs_up_in_the_queue_has_abandoned(tmp_path: Path) -> None:
    assert times(events_of(tmp_path, as_row(HUNG_UP))) == [
        ("ticket.issued", "1999-01-01T06:55:26.000+02:00"),
        ("ticket.abandoned", "1999-01-01T06:55:43.000+02:00"),
    ]


def test_a_caller_who_hangs_up_has_abandoned_even_where_the_tape_knows_a_service(tmp_path: Path) -> None:
    events = events_of(tmp_path, row(outcome="HANG"))
    assert [type(event) for event in events] == [TicketIssued, TicketAbandoned]


def test_a_caller_for_whom_an_agent_was_free_is_issued_when_the_voice_unit_ends(tmp_path: Path) -> None:
    events = events_of(tmp_path, row(q_start="0:00:00", q_exit="0:00:00", q_time="0"))
    assert [event.time[11:19] for event in events] == ["06:55:26", "06:55:26", "06:55:26", "06:56:20"]


def test_a_caller_who_hangs_up_before_queueing_gets_no_ticket_and_is_counted(tmp_path: Path) -> None:
    events, found = imported(tape(tmp_path, as_row(LEFT), row()))
    assert len(events) == 4
    assert (found.report.rows, found.report.tickets) == (2, 1)
    assert found.report.dropped == {"left_before_queueing": 1}


def test_a_phantom_is_no_call_and_is_counted_whatever_its_columns_hold(tmp_path: Path) -> None:
    events, found = imported(tape(tmp_path, row(outcome="PHANTOM", date="000000", call_id="", q_start="-"), row()))
    assert len(events) == 4
    assert found.report.dropped == {"phantom": 1}


def test_the_service_is_the_type_in_lower_case_and_the_channel_is_remote(tmp_path: Path) -> None:
    issued = events_of(tmp_path, row(type="NE"))[0]
    assert isinstance(issued, TicketIssued)
    assert (issued.service, issued.channel) == ("ne", "remote")


def test_a_ticket_is_the_date_the_line_and_the_call(tmp_path: Path) -> None:
    events = of_tickets(events_of(tmp_path, row(date="990131")))
    assert {event.ticket for event in events} == {"1999-01-31/AA0101/33118"}


def test_a_ticket_that_comes_again_is_made_another_one(tmp_path: Path) -> None:
    events = events_of(tmp_path, row(), row(q_start="7:00:00"), row(q_start="8:00:00"))
    tickets = [event.ticket for event in events if isinstance(event, TicketIssued)]
    assert tickets == ["1999-01-01/AA0101/33118", "1999-01-01/AA0101/33118~2", "1999-01-01/AA0101/33118~3"]
    assert len({event.id for event in events}) == 12


def test_the_sequence_is_the_row_so_that_rows_keep_their_order_at_one_instant(tmp_path: Path) -> None:
    events = events_of(tmp_path, row(call_id="2"), row(call_id="1"))
    assert [(event.sequence, type(event).__name__) for event in events] == [
        ("000000001", "TicketIssued"),
        ("000000002", "TicketIssued"),
        ("000000001", "TicketCalled"),
        ("000000001", "ServiceStarted"),
        ("000000002", "TicketCalled"),
        ("000000002", "ServiceStarted"),
        ("000000001", "ServiceEnded"),
        ("000000002", "ServiceEnded"),
    ]


def test_a_visit_of_no_length_keeps_the_order_of_a_life(tmp_path: Path) -> None:
    events = events_of(tmp_path, row(q_time="0", ser_time="0"))
    assert [type(event) for event in events] == [TicketIssued, TicketCalled, ServiceStarted, ServiceEnded]


def test_a_queue_that_begins_after_midnight_belongs_to_the_next_day(tmp_path: Path) -> None:
    #  23:59:50 entry    0:00:10 queues
    #  |--------- midnight ---------|
    events = events_of(tmp_path, row(vru_entry="23:59:50", vru_exit="0:00:10", q_start="0:00:10", date="990131"))
    assert events[0].time == "1999-02-01T00:00:10.000+02:00"


def test_a_queue_that_begins_before_its_entry_by_two_clocks_that_disagree_stays_where_it_is(tmp_path: Path) -> None:
    events = events_of(tmp_path, row(vru_entry="15:22:19", vru_exit="15:20:05", vru_time="-134", q_start="15:20:05"))
    assert events[0].time == "1999-01-01T15:20:05.000+02:00"


def test_a_service_that_lasts_beyond_midnight_ends_on_the_next_day(tmp_path: Path) -> None:
    events = events_of(tmp_path, row(q_start="23:59:50"))
    assert events[-1].time == "1999-01-02T00:01:01.000+02:00"


def test_summer_has_another_offset_and_durations_stay_what_they_are(tmp_path: Path) -> None:
    #  In 1999 Jerusalem's summer ended on 3 September at 2:00, which became 1:00.
    events = events_of(tmp_path, row(date="990903", vru_entry="1:59:00", q_start="1:59:30", q_time="60"))
    assert [event.time for event in events[:2]] == ["1999-09-03T01:59:30.000+03:00", "1999-09-03T01:00:30.000+02:00"]
    assert milliseconds(events[1].time) - milliseconds(events[0].time) == 60_000


def test_nothing_of_agents_and_customers_leaves_the_importer(tmp_path: Path) -> None:
    plain = lines_of_import(tape(tmp_path, row()))
    assert b"27997683" not in plain
    assert b"AGENT" not in plain
    assert lines_of_import(tape(tmp_path, row(customer_id="6.02E+11", server="SOMEBODY", priority="?"))) == plain


def lines_of_import(path: Path) -> bytes:
    return b"\n".join(import_tape(IMPORTERS["technion"], path, ImportOptions()).lines)


def test_events_say_where_they_came_in(tmp_path: Path) -> None:
    event = events_of(tmp_path, row(line="AA0216"))[0]
    assert (event.office, event.source) == ("bank", "/offices/bank/lines/AA0216")


def test_calls_are_dealt_to_offices_by_their_id_whatever_the_rest(tmp_path: Path) -> None:
    rows = [row(call_id=str(number), line=line) for number in range(16) for line in ("AA0101", "AA0102")]
    events = of_tickets(events_of(tmp_path, *rows, offices=16))
    dealt = {event.ticket.rsplit("/")[-1]: event.office for event in events}
    assert dealt == {str(number): f"bank-{number + 1:02d}" for number in range(16)}
    assert tuple(dealt.values()) == technion_offices(16)


def test_the_ids_do_not_depend_on_the_offices_nor_on_the_rows_before(tmp_path: Path) -> None:
    alone = events_of(tmp_path, row())
    among = events_of(tmp_path, row(call_id="1", q_start="6:00:00"), row(), offices=16)
    assert {event.id for event in alone} <= {event.id for event in among}


def test_a_compressed_tape_reads_as_a_plain_one(tmp_path: Path) -> None:
    plain = imported(tape(tmp_path, row()))[0]
    assert imported(tape(tmp_path, row(), name="tape.tsv.xz"))[0] == plain


def test_a_compressed_tape_under_a_plain_name_is_recognised(tmp_path: Path) -> None:
    packed = tape(tmp_path, row(), name="tape.tsv.xz").rename(tmp_path / "other.tsv")
    assert len(imported(packed)[0]) == 4


def test_a_tape_with_the_line_ends_of_windows_reads_as_any_other(tmp_path: Path) -> None:
    path = tape(tmp_path, row())
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert len(imported(path)[0]) == 4


def test_the_last_line_needs_no_line_end(tmp_path: Path) -> None:
    path = tape(tmp_path, row())
    path.write_bytes(path.read_bytes().rstrip(b"\n"))
    assert len(imported(path)[0]) == 4


@needs_january
def test_every_service_of_the_january_tape_is_in_its_registry() -> None:
    events = january()[0]
    assert {event.service for event in events if isinstance(event, TicketIssued)} == set(SERVICES)


@pytest.mark.parametrize("offices", [1, 2, 16, 100])
def test_every_office_that_calls_are_dealt_to_is_in_the_registry(tmp_path: Path, offices: int) -> None:
    events = events_of(tmp_path, *(row(call_id=str(number)) for number in range(100)), offices=offices)
    assert {event.office for event in events} == set(technion_registry(offices).offices)
