"""A real worker whose registry lacks an office: it stops instead of emptying the log into the dead letters."""

from collections.abc import Callable
from dataclasses import replace

from attente.metrics import catalogue as c
from attente.model.reasons import Reason
from attente.model.records import read_dead_letter
from attente.model.topics import DEADLETTERS
from attente.registry.entities import Registry
from attente.settings import prefixed
from handtape import CASH, LILLE, REGISTRY
from integration.malformed import BEGIN, Draft, Tape, encoded, event, good
from workers import Crew, content, wait_until, write, written

MakeCrew = Callable[..., Crew]
ATLANTIS = "atlantis"
BEFORE, LOST, AFTER = 400, 60, 40  # events; of the middle ones the office is not in the registry


def with_atlantis(registry: Registry) -> Registry:
    office = replace(registry.offices[LILLE], id=ATLANTIS, name="Atlantis", services=(CASH,))
    return replace(registry, offices=registry.offices | {ATLANTIS: office})


def tape() -> Tape:
    found = Tape()
    drafts = list(good((BEFORE + AFTER) // 4, 1))
    for draft in drafts[:BEFORE]:
        found.add(draft)
    for i in range(LOST):
        at = BEGIN + 200_000 + i
        body = event("ticket.issued", at, ATLANTIS, i, ticket=str(i), service=CASH, channel="walkin")
        found.add(Draft(at, ATLANTIS.encode(), encoded(body), 0, Reason.UNKNOWN_OFFICE.value))
    for draft in drafts[BEFORE:]:
        found.add(draft._replace(timestamp=BEGIN + 201_000))
    return found


def letters(crew: Crew) -> list[int]:
    """The offsets of the events that have letters, in the order in which these were written."""
    found = content(crew.bootstrap, prefixed(DEADLETTERS, crew.prefix))
    return [read_dead_letter(record.key, record.value, record.headers).origin.offset for record in found]


def test_a_worker_that_refuses_too_much_stops_and_a_mended_registry_counts_what_it_had_refused(
    make_crew: MakeCrew,
) -> None:
    crew = make_crew(REGISTRY, 1)
    write(crew.bootstrap, crew.events, tape().records)
    last = BEFORE + 49
    line = (
        f"attente: worker stops: brake at partition 0: 50 events in a row are refused, offsets {BEFORE} to {last}, 50 "
        f"of them as unknown_office (the last: the registry has no office {ATLANTIS}; add it or mend the id). Put that "
        "right and start again, nothing is lost; to go on all the same: --brake-share 0 --brake-row 0"
    )
    # Fetched whole or in bits, it stops at the same event; started again, it says so again.
    for size in (1 << 20, 2_048):
        worker = crew.start("w0", "--fetch-bytes", str(size), brake=())
        assert worker.exit_code() == 6, worker.story
        assert worker.lines[-1] == line
        assert not worker.matches("checkpoint partition="), worker.story
    assert letters(crew) == [*range(BEFORE, last + 1)] * 2

    assert crew.registry is not None
    crew.registry.write_text(written(with_atlantis(REGISTRY)))
    mended = crew.start("w0", brake=())
    wait_until(lambda: mended.shown() == {0}, "the partition is shown")
    reading = mended.scrape()
    assert reading.total(c.EVENTS_COUNTED) == BEFORE + LOST + AFTER
    assert reading.total(c.EVENTS_REFUSED) == 0
    assert mended.stop() == 0, mended.story
