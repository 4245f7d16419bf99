"""The tape of the benchmarks: whether it is what it says, and adds up to what it says."""

from collections import Counter
from pathlib import Path

import pytest
from benchmarks.lives import HOUR, rfc3339
from benchmarks.network import offices_of, registry_yaml, sizes_of
from benchmarks.tape import Facts, Record, Shape, draw, ensure

from attente.model.events import decode
from attente.model.instants import milliseconds
from attente.model.partitioning import partition_of
from attente.registry.entities import Per, Registry
from attente.registry.load import parse
from driver import Driver
from oracle import Record as LogRecord
from oracle import compute

SHAPE = Shape(events=6_000, offices=40, seed=7)


@pytest.fixture(scope="module")
def drawn() -> tuple[list[Record], Facts]:
    return draw(SHAPE, offices_of(SHAPE.offices, SHAPE.partitions))


@pytest.fixture(scope="module")
def registry() -> Registry:
    return parse(registry_yaml(offices_of(SHAPE.offices, SHAPE.partitions)), "registry.yaml")


def log_of(records: list[Record]) -> list[LogRecord]:
    offsets: Counter[int] = Counter()
    log = []
    for record in records:
        log.append(LogRecord(offsets[record.partition], record.timestamp, record.key, record.value, record.partition))
        offsets[record.partition] += 1
    return log


def test_it_has_as_many_events_as_were_asked_for(drawn: tuple[list[Record], Facts]) -> None:
    records, facts = drawn
    assert len(records) == SHAPE.events == sum(facts.split)


@pytest.mark.parametrize("events", range(1_200, 1_210))
def test_no_number_of_events_leaves_a_remainder(events: int) -> None:
    records, _ = draw(Shape(events=events, offices=40), offices_of(40, 4))
    assert len(records) == events


def test_every_record_lies_where_its_key_belongs(drawn: tuple[list[Record], Facts]) -> None:
    for record in drawn[0]:
        assert record.partition == partition_of(record.key, SHAPE.partitions)


def test_every_event_is_one_of_the_model_and_its_record_bears_its_time_and_office(
    drawn: tuple[list[Record], Facts],
) -> None:
    for record in drawn[0]:
        event = decode(record.value)
        assert milliseconds(event.time) == record.timestamp
        assert event.office.encode() == record.key


def test_equal_shapes_are_equal_tapes_and_another_seed_is_another(drawn: tuple[list[Record], Facts]) -> None:
    offices = offices_of(SHAPE.offices, SHAPE.partitions)
    assert draw(SHAPE, offices) == drawn
    assert draw(Shape(events=6_000, offices=40, seed=8), offices)[0] != drawn[0]
    assert Shape(seed=8).id != Shape(seed=9).id


def test_a_fiftieth_comes_twice_and_the_copies_are_the_same_bytes(drawn: tuple[list[Record], Facts]) -> None:
    records, facts = drawn
    seen = Counter(record.value for record in records)
    assert facts.duplicates == 120
    assert sorted(seen.values()) == [1] * (SHAPE.events - 2 * 120) + [2] * 120


def test_a_twentieth_is_late_by_up_to_an_hour(drawn: tuple[list[Record], Facts]) -> None:
    records, facts = drawn
    greatest = 0
    overtaken = set()
    for record in records:
        assert record.timestamp >= greatest - HOUR - 10 * 60_000  # a copy of a late one comes ten minutes later still
        if record.timestamp < greatest:
            overtaken.add(record.value)
        greatest = max(greatest, record.timestamp)
    assert facts.late == 300
    assert 300 * 0.9 < len(overtaken) < (300 + 120) * 1.1


def test_partitions_hold_the_same_number_of_offices_of_each_size() -> None:
    offices = offices_of(1_000, 4)
    sizes = sizes_of(offices, 4)
    found = [Counter(sizes[o] for o in offices if partition_of(o.encode(), 4) == p) for p in range(4)]
    assert found == [Counter({1: 150, 2: 75, 4: 25})] * 4


def test_partitions_hold_about_as_many_events() -> None:
    _, facts = draw(Shape(events=20_000, offices=100), offices_of(100, 4))
    assert max(facts.split) < min(facts.split) * 1.12


def test_its_totals_are_the_oracles(drawn: tuple[list[Record], Facts], registry: Registry) -> None:
    records, facts = drawn
    figures = compute(log_of(records), registry, partitions=SHAPE.partitions)
    tally = figures.all
    found: Counter[str] = Counter()
    for key, n in tally.counts.items():
        found[key.name] += n
    sums: Counter[str] = Counter()
    for place, ms in tally.sums.items():
        sums[place.name] += ms
    tickets = facts.totals.tickets
    assert not figures.contradictions
    assert tickets["issued"] == found["issued"]
    for name in ("called", "abandoned", "no_show"):
        assert tickets[name] == found[f"{name}/issued"]
        assert facts.totals.wait_ms[name] == sums[f"{name}/issued"]
    assert tickets["started"] == found["started/issued"]
    assert tickets["served"] == sum(n for name, n in found.items() if name.startswith("served/"))
    assert (tickets["transferred"], tickets["requeued"]) == (found["transferred"], found["requeued"])
    for norm in registry.norms.values():
        counts = figures.total(norm, norm.clock.per)
        assert norm.clock.per in (Per.VISIT, Per.LEG)
        assert facts.totals.norms[norm.id] == {
            "answered_within": counts.answered_within,
            "answered_beyond": counts.answered - counts.answered_within,
            "left_within": counts.left_within,
            "left_beyond": counts.left - counts.left_within,
        }


def test_the_core_counts_every_event_once_and_knows_the_copies(
    drawn: tuple[list[Record], Facts], registry: Registry
) -> None:
    records, facts = drawn
    account = Driver(registry, SHAPE.partitions).feed(log_of(records)).account()
    assert account == (SHAPE.events, SHAPE.events - facts.duplicates, facts.duplicates, {})


def test_it_is_kept_and_read_back_as_it_was_drawn(drawn: tuple[list[Record], Facts], tmp_path: Path) -> None:
    said: list[str] = []
    made = ensure(SHAPE, tmp_path, said.append)
    again = ensure(SHAPE, tmp_path, said.append)
    assert said == ["making a tape of 6,000 events"]
    assert (list(again.records()), again.facts) == drawn
    assert list(again.records(10)) == drawn[0][:10]
    assert again.shape == made.shape == SHAPE
    assert parse(again.registry.read_text(), "registry.yaml").offices.keys() == set(offices_of(40, 4))


def test_a_tape_that_was_not_finished_is_made_again(drawn: tuple[list[Record], Facts], tmp_path: Path) -> None:
    made = ensure(SHAPE, tmp_path, lambda _: None)
    made.path.write_bytes(b"0\t1\toff")
    (made.path.parent / "facts.json").unlink()
    assert list(ensure(SHAPE, tmp_path, lambda _: None).records()) == drawn[0]


def test_too_few_events_for_the_offices_are_refused() -> None:
    with pytest.raises(
        ValueError, match="1,199 events are too few for 40 offices; take 1,200 or more, or fewer offices"
    ):
        draw(Shape(events=1_199, offices=40), offices_of(40, 4))


@pytest.mark.parametrize("at", [1_768_258_800_000, 1_768_299_845_007, 1_768_345_199_999])
def test_instants_are_written_with_milliseconds_and_the_offset_of_paris(at: int) -> None:
    assert milliseconds(rfc3339(at)) == at
    assert rfc3339(at).endswith("+01:00")
