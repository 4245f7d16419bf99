"""Dead letters without a broker: whose they are, which are meant, and what would be refused again."""

from dataclasses import replace

import pytest

from attente.model.reasons import Reason
from attente.model.records import EVENT_HEADER, DeadLetter, DeadLetterRecord, Origin, replayed
from attente.registry.entities import OfficeKey, Registry, Signatures
from attente.registry.load import parse
from attente.sources.deadletters.letters import Survey, Wanted, grouped
from attente.sources.deadletters.verdict import Verdict
from attente.sources.target import Times
from signed import Signed, asking, entry, key_of, signature
from sources.dead_letters import BEGIN, TOPIC, body, lying, written
from sources.registry_of_lille import LILLE_YAML

HOUR = 3_600_000


# --- whose it is


@pytest.mark.parametrize(
    ("value", "key", "office", "source"),
    [
        (body("lille"), b"pune", "lille", "/offices/lille/kiosks/1"),
        (body("lille", type=None, time="never"), b"pune", "lille", "/offices/lille/kiosks/1"),
        (body(office="lille", source=7), b"pune", "lille", ""),
        (b'{"office": 5}', b"pune", "pune", ""),
        (b"no JSON", b"pune", "pune", ""),
        (b'["lille"]', b"pune", "pune", ""),
        (b"[" * 100_000, b"pune", "pune", ""),
        (None, b"\xff", "\\xff", ""),
        (b"", None, "", ""),
    ],
)
def test_a_letter_is_its_events_offices_as_far_as_that_can_be_read_and_else_its_keys(
    value: bytes | None, key: bytes | None, office: str, source: str
) -> None:
    letter = lying(written(0, value, key=key))
    assert (letter.office, letter.source) == (office, source)


def test_a_letter_is_meant_only_when_everything_fits() -> None:
    letter = lying(written(0, body("lille"), at=BEGIN))
    assert Wanted()(letter)
    assert Wanted(
        reasons=frozenset({"unknown_office", "empty"}),
        offices=frozenset({"lille"}),
        sources=frozenset({"/offices/lille/kiosks/1"}),
        since_ms=BEGIN,
        until_ms=BEGIN + 1,
    )(letter)
    for other in (
        Wanted(reasons=frozenset({"empty"})),
        Wanted(offices=frozenset({"pune"})),
        Wanted(sources=frozenset({"/offices/lille/kiosks/2"})),
        Wanted(since_ms=BEGIN + 1),
        Wanted(until_ms=BEGIN),
    ):
        assert not other(letter)


# --- all together


def test_a_letter_that_was_written_twice_counts_once_by_its_newest_words() -> None:
    survey = Survey()
    first = written(7, body())
    survey.add([lying(first, 0), lying(first, 1), lying(written(7, body(), reason=Reason.TOO_LATE), 2)])
    (letter,) = survey.matching(Wanted())
    assert (letter.record.reason, letter.offset) == ("too_late", 2)
    assert survey.matching(Wanted(reasons=frozenset({"unknown_office"}))) == []
    assert letter.record.value is None  # not kept


def test_a_note_that_an_event_was_sent_again_stays_whatever_is_written_after_it() -> None:
    letter = written(7, body())
    note = replayed(lying(letter).record, Origin(TOPIC, 2, 99, BEGIN))
    survey = Survey()
    survey.add([lying(letter, 0), lying(note, 1), lying(letter, 2)])
    assert survey.replayed == {f"{TOPIC}/0/7"}
    assert survey.replays == {f"{TOPIC}/2/99"}
    assert len(survey.letters) == 1


def test_groups_count_by_reason_and_office_and_name_the_newest() -> None:
    letters = [
        lying(written(1, body("lille"), at=BEGIN)),
        lying(written(2, body("pune"), at=BEGIN + 1)),
        lying(written(3, b"", at=BEGIN + 2, reason=Reason.EMPTY)),
        lying(written(4, body("lille"), at=BEGIN + 3, detail="newest")),
    ]
    groups = grouped(letters, {letters[0].origin})
    told = [(g.reason, g.office, g.count, g.replayed, g.first_ms - BEGIN, g.newest.origin) for g in groups]
    assert told == [
        ("unknown_office", "lille", 2, 1, 0, f"{TOPIC}/0/4"),
        ("empty", "lille", 1, 0, 2, f"{TOPIC}/0/3"),
        ("unknown_office", "pune", 1, 0, 1, f"{TOPIC}/0/2"),
    ]


# --- whether it can count after all

REGISTRY = parse(LILLE_YAML, "lille.yaml")


def verdict(
    letter: DeadLetterRecord, times: Times = Times.LIVE, now: int = BEGIN, *, knows_registry: bool = True
) -> Reason | None:
    refusal = Verdict(times, REGISTRY if knows_registry else None, lambda: now).against(letter)
    return None if refusal is None else refusal.reason


@pytest.mark.parametrize(
    ("letter", "refused"),
    [
        (written(1, body("lille")), None),
        (written(1, body("lille"), reason=Reason.WRONG_PARTITION), None),
        (written(1, body("lille"), reason=Reason.UNKNOWN_TYPE), None),  # a newer program may know it
        (written(1, None, reason=Reason.EMPTY), Reason.EMPTY),
        (written(1, b"no", reason=Reason.NOT_JSON), Reason.NOT_JSON),
        (written(1, body("lille", ticket=None), reason=Reason.MISSING_ATTRIBUTE), Reason.MISSING_ATTRIBUTE),
        (written(1, body("lille"), key=b"pune", reason=Reason.WRONG_KEY), Reason.WRONG_KEY),
        (written(1, body("lille"), key=None, reason=Reason.WRONG_KEY), Reason.WRONG_KEY),
        (written(1, body("pune"), key=b"pune"), Reason.UNKNOWN_OFFICE),
        (written(1, body("lille"), reason=Reason.TOO_LATE), Reason.TOO_LATE),
        (
            written(1, body("lille", arrived="2026-03-10T09:00:00Z"), reason=Reason.IMPLAUSIBLE_TIME),
            Reason.IMPLAUSIBLE_TIME,
        ),
    ],
)
def test_what_key_bytes_or_registry_are_wrong_of_would_be_refused_again(
    letter: DeadLetter, refused: Reason | None
) -> None:
    assert verdict(lying(letter).record) is refused


def test_without_a_registry_nothing_is_known_against_an_office() -> None:
    record = lying(written(1, body("pune"), key=b"pune")).record
    assert verdict(record, knows_registry=False) is None


def test_what_came_from_the_future_counts_once_its_time_has_come_but_never_in_an_archive() -> None:
    record = lying(written(1, body(at=BEGIN + HOUR), reason=Reason.FROM_THE_FUTURE)).record
    assert verdict(record, now=BEGIN + 54 * 60_000) is Reason.FROM_THE_FUTURE
    assert verdict(record, now=BEGIN + 55 * 60_000) is None
    assert verdict(record, Times.ARCHIVE, now=BEGIN + HOUR) is Reason.FROM_THE_FUTURE


def test_what_is_older_than_the_horizon_by_now_is_too_late_but_not_in_an_archive() -> None:
    record = lying(written(1, body())).record
    assert verdict(record, now=BEGIN + 24 * HOUR) is None
    assert verdict(record, now=BEGIN + 24 * HOUR + 1) is Reason.TOO_LATE
    assert verdict(record, Times.ARCHIVE, now=BEGIN + 1_000 * HOUR) is None


def test_a_letter_forgets_its_bytes_and_nothing_else() -> None:
    letter = lying(written(1, body()))
    bare = letter.without_bytes()
    assert (bare.record.key, bare.record.value) == (None, None)
    whole = replace(bare, record=replace(bare.record, key=letter.record.key, value=letter.record.value))
    assert whole == letter


# --- signatures

OURS, OTHER = key_of("lille", 1), key_of("lille", 2)


def signing(mode: Signatures, *keys: OfficeKey, from_ms: int = 0) -> Registry:
    return asking(parse(LILLE_YAML, "lille.yaml"), {"lille": keys}, mode, from_ms)


@pytest.mark.parametrize(
    ("headers", "reason", "registry", "hopeless"),
    [
        ((), Reason.UNSIGNED, signing(Signatures.REQUIRE, entry(OURS)), Reason.UNSIGNED),
        ((), Reason.UNKNOWN_OFFICE, signing(Signatures.REQUIRE, entry(OURS)), Reason.UNSIGNED),
        ((), Reason.UNSIGNED, signing(Signatures.REPORT, entry(OURS)), None),
        ((), Reason.UNSIGNED, signing(Signatures.OFF), None),
        ((), Reason.UNSIGNED, signing(Signatures.REQUIRE, entry(OURS), from_ms=BEGIN + 1), None),
        ((), Reason.UNSIGNED, None, None),
        (signature(OURS, body()), Reason.UNKNOWN_KEY, signing(Signatures.REQUIRE, entry(OURS)), None),
        (signature(OURS, body()), Reason.UNKNOWN_KEY, signing(Signatures.REQUIRE, entry(OTHER)), Reason.UNKNOWN_KEY),
        (
            signature(OURS, body()),
            Reason.UNKNOWN_KEY,
            signing(Signatures.REQUIRE, entry(OURS, 0, BEGIN)),
            Reason.UNKNOWN_KEY,
        ),
        (signature(OURS, b""), Reason.BAD_SIGNATURE, signing(Signatures.REQUIRE, entry(OURS)), Reason.BAD_SIGNATURE),
        (signature(OURS, b""), Reason.BAD_SIGNATURE, signing(Signatures.REPORT, entry(OURS)), None),
    ],
)
def test_what_the_workers_registry_would_refuse_for_its_signature_is_not_sent_again(
    headers: Signed, reason: Reason, registry: Registry | None, hopeless: Reason | None
) -> None:
    letter = lying(replace_headers(written(0, body(), reason=reason), headers))
    refusal = Verdict(Times.ARCHIVE, registry, lambda: BEGIN).against(letter.record)
    assert (refusal.reason if refusal else None) == hopeless


def replace_headers(letter: DeadLetter, headers: Signed) -> DeadLetter:
    """The letter of the same record with headers."""
    return replace(letter, headers=(*letter.headers, *((f"{EVENT_HEADER}{name}", value) for name, value in headers)))
