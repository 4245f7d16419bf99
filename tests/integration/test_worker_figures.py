"""A real worker on a real broker: what it shows, and what becomes of what it refuses."""

import hashlib
from collections import Counter
from collections.abc import Callable
from typing import Any

from attente.core.view import Tally, WaitEnd
from attente.metrics import catalogue as c
from attente.metrics.reading import Reading
from attente.model.reasons import Reason
from attente.model.records import read_dead_letter
from attente.model.topics import DEADLETTERS
from attente.settings import prefixed
from handtape import EXPECTED, LILLE, RECORDS, REGISTRY, Four, NamedTotals
from integration.malformed import KINDS, Draft, encoded, event, examples, tape
from oracle import Record, compute, partition_of
from workers import Crew, content, wait_until, write

MakeCrew = Callable[..., Crew]


# --- the tape by hand


COUNTED_AS = {
    Tally.ISSUED: "issued",
    Tally.CALLED: "called/issued",
    Tally.ABANDONED: "abandoned/issued",
    Tally.NO_SHOW: "no_show/issued",
    Tally.TRANSFERRED: "transferred",
    Tally.REQUEUED: "requeued",
    Tally.CLOSED: "closed",
    Tally.STARTED: "started/issued",
    Tally.TURNED_AWAY: "turned_away",
}


def count(totals: NamedTotals, tally: Tally) -> int:
    if tally is Tally.SERVED:
        return sum(n for name, (n, _) in totals.items() if name.startswith("served/"))
    return totals.get(COUNTED_AS[tally], (0, 0))[0]


def four(reading: Reading, **labels: str) -> Four:
    def n(outcome: str, *within: str) -> int:
        return int(sum(reading.total(c.LIFETIME_VISITS, outcome=outcome, within=one, **labels) for one in within))

    both = ("within", "beyond")
    return Four(n("answered", *both), n("answered", "within"), n("left", *both), n("left", "within"))


def test_the_hand_computed_tape_comes_out_of_a_real_workers_metrics(make_crew: MakeCrew) -> None:
    crew = make_crew(REGISTRY, 1)
    write(crew.bootstrap, crew.events, RECORDS)
    worker = crew.start("w0")
    crew.wait_for(1, EXPECTED.read)
    reading = worker.scrape()

    assert reading.total(c.EVENTS_READ) == EXPECTED.read
    assert reading.total(c.EVENTS_COUNTED) == EXPECTED.counted
    assert reading.total(c.EVENTS_DUPLICATE) == EXPECTED.duplicate
    refused = {reason: n for reason, n in reading.by(c.EVENTS_REFUSED, "reason").items() if n}
    assert refused == {reason.value: n for reason, n in EXPECTED.refused.items()}
    of_lille = reading.by(c.EVENTS_REFUSED, "reason", source=f"/offices/{LILLE}/kiosks/1")
    assert of_lille == {reason.value: n for reason, n in EXPECTED.refused_of_lille.items()}

    for (office, service), totals in EXPECTED.totals.items():
        place = {"office": office, "service": service}
        found = reading.by(c.LIFETIME_TICKETS, "event", **place)
        assert found == {tally.value: count(totals, tally) for tally in Tally}, place
        waits = reading.by(c.LIFETIME_WAIT, "end", **place)
        assert waits == {end.value: totals.get(f"{end.value}/issued", (0, 0))[1] / 1000 for end in WaitEnd}, place
    for norm in REGISTRY.norms.values():
        expected = EXPECTED.norms[norm.id, norm.clock.per]
        for office, service in EXPECTED.totals:
            wanted = expected.get((office, service), Four(0, 0, 0, 0))
            assert four(reading, norm=norm.id, office=office, service=service) == wanted, (norm.id, office, service)

    waiting = {
        (row.labels["office"], row.labels["service"]): int(row.value) for row in reading.rows(c.WAITING) if row.value
    }
    assert waiting == {place: n for place, (n, _) in EXPECTED.waiting.items()}
    since = {
        (row.labels["office"], row.labels["service"]): round(row.value * 1000) for row in reading.rows(c.WAITING_SINCE)
    }
    assert since == {place: at for place, (_, at) in EXPECTED.waiting.items()}
    assert reading.by(c.OPEN_DESKS, "office") == {
        office: EXPECTED.open_desks.get(office, 0) for office in REGISTRY.offices
    }
    assert reading.by(c.OFFICE_OPEN, "office") == {
        office: office in EXPECTED.open_offices for office in REGISTRY.offices
    }
    contradictions = {
        (row.labels["office"], row.labels["kind"]): int(row.value)
        for row in reading.rows(c.CONTRADICTIONS)
        if row.value
    }
    assert contradictions == EXPECTED.contradictions
    assert reading.total(c.DEAD_LETTERS) == sum(EXPECTED.refused.values())
    assert worker.get("/readyz") == (200, "ready\n")


# --- what is refused


def digest(value: bytes | None) -> str | None:
    return None if value is None else hashlib.sha256(value).hexdigest()


def kept(crew: Crew) -> dict[tuple[int, int], Any]:
    """The dead letters of a crew by the place where the event stands; none may come twice."""
    found = {}
    for record in content(crew.bootstrap, prefixed(DEADLETTERS, crew.prefix)):
        letter = read_dead_letter(record.key, record.value, record.headers)
        assert letter.origin.topic == crew.events
        assert letter.origin.partition == record.partition
        place = letter.origin.partition, letter.origin.offset
        assert place not in found
        found[place] = letter
    return found


def test_a_thousand_malformed_records_are_kept_whole_with_their_reason_and_every_good_event_counts(
    make_crew: MakeCrew,
) -> None:
    crew = make_crew(REGISTRY, 4)
    strewn = tape(lives=2_500, bad=1_000, partitions=4)
    good = [record for record in strewn.records if (record.partition, record.offset) not in strewn.reasons]
    for record in good[:100]:
        strewn.add(Draft(record.timestamp, record.key, record.value, record.partition))  # delivered again
    assert len(KINDS) == 20
    assert len(strewn.reasons) == 1_000
    assert Counter(strewn.reasons.values()) == compute(strewn.records, REGISTRY, partitions=4).account.refused
    for draft in examples(strewn.records[-1].timestamp, partitions=4):
        strewn.add(draft)
    assert len(strewn.reasons) > 1_030
    wanted = Counter(strewn.reasons.values())

    worker = crew.start("w0", "--checkpoint-events", "2000")
    write(crew.bootstrap, crew.events, strewn.records)
    crew.wait_for(4, len(strewn.records))
    reading = worker.scrape()

    assert reading.total(c.EVENTS_COUNTED) == 10_000
    assert reading.total(c.EVENTS_DUPLICATE) == 100
    assert reading.by(c.EVENTS_REFUSED, "reason") == {reason.value: wanted[reason.value] for reason in Reason}
    assert reading.total(c.LIFETIME_TICKETS, event="served") == 2_500
    for row in reading.rows(c.EVENTS_READ):
        there = {"partition": row.labels["partition"]}
        rest = [reading.total(metric, **there) for metric in (c.EVENTS_COUNTED, c.EVENTS_DUPLICATE, c.EVENTS_REFUSED)]
        assert row.value == sum(rest), there

    assert worker.stop() == 0, worker.story
    letters = kept(crew)
    originals = {(record.partition, record.offset): record for record in strewn.records}
    assert {place: letter.reason for place, letter in letters.items()} == strewn.reasons
    for place, letter in letters.items():
        original = originals[place]
        assert digest(letter.value) == digest(original.value), place
        assert (letter.key, letter.origin.timestamp) == (original.key, original.timestamp), place
        assert letter.detail
        assert "\n" not in letter.detail


def test_a_record_that_was_small_only_while_it_was_compressed_is_kept_too(make_crew: MakeCrew) -> None:
    crew = make_crew(REGISTRY, 1)
    good = event("ticket.issued", 1_773_129_600_000, LILLE, 1, ticket="t", service="cash", channel="walkin")
    values = [b"x" * (5 << 20), encoded(good | {"id": "i" * (3 << 20)}), encoded(good)]
    records = [Record(i, 1_773_129_600_000, LILLE.encode(), value) for i, value in enumerate(values)]
    assert partition_of(LILLE.encode(), 1) == 0
    worker = crew.start("w0")
    write(crew.bootstrap, crew.events, records, compression_type="gzip", max_request_size=64 << 20)
    crew.wait_for(1, 3)
    assert worker.scrape().total(c.EVENTS_COUNTED) == 1
    wait_until(lambda: len(kept(crew)) == 2, "two dead letters")
    letters = kept(crew)
    assert [digest(letters[0, i].value) for i in (0, 1)] == [digest(value) for value in values[:2]]
    assert [letters[0, i].reason for i in (0, 1)] == [Reason.NOT_JSON, Reason.BAD_ATTRIBUTE]
    assert worker.stop() == 0, worker.story
