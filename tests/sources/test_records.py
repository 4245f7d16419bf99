"""From lines to records, and to refusals that say where a line is wrong."""

import json

import pytest

from attente.errors import BadInput
from attente.model.events import decode
from attente.model.partitioning import partition_of
from attente.sources.records import LARGEST, Records

ISSUED = (
    '{"type":"ticket.issued","specversion":"1.0","id":"1","source":"/offices/nation/kiosks/1",'
    '"time":"2026-11-23T09:14:03.120+01:00","office":"nation","ticket":"A1","service":"ps","channel":"walkin"}'
)
AT = 1_795_421_643_120


def with_attributes(**attributes: object) -> bytes:
    return json.dumps({**json.loads(ISSUED), **attributes}).encode()


def test_a_record_is_the_line_keyed_by_its_office_at_its_time() -> None:
    found = Records("x", 12).record(1, ISSUED.encode())
    assert found == (b"nation", partition_of(b"nation", 12), ISSUED.encode(), AT)


def test_an_office_of_any_letters_is_the_key_in_utf_8() -> None:
    found = Records("x", 12).record(1, with_attributes(office="75-Opéra"))
    assert found.key == "75-Opéra".encode()
    assert found.partition == partition_of(found.key, 12)


def column_of(attribute: str, line: str = ISSUED) -> int:
    """Where an attribute begins, in characters from 1."""
    return line.index(f'"{attribute}"') + 1


def refused(line: str | bytes) -> str:
    raw = line.encode() if isinstance(line, str) else line
    with pytest.raises(BadInput) as caught:
        Records("tape.ndjson", 4).record(7, raw)
    return str(caught.value)


@pytest.mark.parametrize(
    ("line", "place", "reason"),
    [
        ("", "7:1", "empty"),
        ('{"type":', "7:9", "not_json"),
        ('{"type":"ticket.issued",}', "7:25", "not_json"),
        ("[1]", "7:1", "not_an_object"),
        (ISSUED.replace("ticket.issued", "ticket.sold"), "7:2", "unknown_type"),
        (ISSUED.replace('"1.0"', '"0.3"'), "7:25", "wrong_specversion"),
        (ISSUED.replace('"ticket":"A1",', ""), "7:1", "missing_attribute"),
        (ISSUED.replace("walkin", "by air"), f"7:{column_of('channel')}", "bad_attribute"),
        (ISSUED.replace("+01:00", ""), f"7:{column_of('time')}", "naive_time"),
        (ISSUED.replace("-11-23", "-02-30"), f"7:{column_of('time')}", "bad_time"),
        (ISSUED.replace("}", ',"due":"2026-11-23T10:00:00"}'), f"7:{len(ISSUED) + 1}", "naive_time"),
    ],
)
def test_a_line_that_is_no_event_is_refused_with_its_place_and_reason(line: str, place: str, reason: str) -> None:
    assert refused(line).startswith(f"tape.ndjson:{place}: {reason}: ")


def test_columns_are_counted_in_characters() -> None:
    line = ISSUED.replace('"type"', '"named":"éè€","type"').replace("walkin", "by air")
    assert refused(line).startswith(f"tape.ndjson:7:{column_of('channel', line)}: bad_attribute: ")


def test_bytes_that_are_no_text_are_refused() -> None:
    assert refused(b"\xff\xfe\x00").startswith("tape.ndjson:7:1: not_json: ")


def test_a_line_that_no_record_can_hold_is_refused() -> None:
    assert "bytes are more than a record may hold" in refused(with_attributes(note="x" * LARGEST))


def test_the_longest_line_that_a_record_can_hold_is_taken() -> None:
    room = LARGEST - 128 - len("nation") - len(with_attributes(note=""))
    found = Records("x", 4).record(1, with_attributes(note="x" * room))
    assert len(found.key) + len(found.value) == LARGEST - 128


def test_a_moved_event_keeps_its_waits_and_all_that_we_do_not_know() -> None:
    records = Records("x", 4)
    line = with_attributes(due="2026-11-23T10:00:00+01:00", arrived="2026-11-23T09:00:00Z", colour="blue")
    found = records.moved(1, records.record(1, line), 3_600_000)
    was, became = json.loads(line), json.loads(found.value)
    assert (became["time"], became["due"], became["arrived"]) == (
        "2026-11-23T09:14:03.120Z",
        "2026-11-23T10:00:00.000Z",
        "2026-11-23T10:00:00.000Z",
    )
    assert {name: text for name, text in became.items() if name not in {"time", "due", "arrived"}} == {
        name: text for name, text in was.items() if name not in {"time", "due", "arrived"}
    }
    decode(found.value)


def test_a_line_that_is_no_event_keeps_its_bytes_and_the_office_it_names() -> None:
    found = Records("x", 12).anything(1, b'{"type":"ticket.sold","office":"nation"}')
    assert found.key == b"nation"
    assert found.partition == partition_of(b"nation", 12)
    assert found.value == b'{"type":"ticket.sold","office":"nation"}'


@pytest.mark.parametrize("line", [b"", b"\xff\x00", b"[1]", b'{"office":7}', b'"office"', b"[" * 100_000])
def test_a_line_that_names_no_office_has_an_empty_key(line: bytes) -> None:
    found = Records("x", 12).anything(1, line)
    assert (found.key, found.partition, found.value) == (b"", partition_of(b"", 12), line)


def test_a_line_that_is_no_event_bears_the_time_of_the_newest_one_before_it() -> None:
    records = Records("x", 4)
    assert records.anything(1, b"?").at_ms == 0
    records.record(2, ISSUED.encode())
    records.record(3, ISSUED.replace("09:14", "08:14").encode())
    assert records.anything(4, with_attributes(time="2100-01-01T00:00:00")).at_ms == AT
