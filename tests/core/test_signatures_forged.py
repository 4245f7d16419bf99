"""Whoever may write the topic tries to have an event counted that its office has not signed."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import blake2b

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attente.core import signing
from attente.core.partition import Dead, Partition
from attente.core.plan import Plan
from attente.model.reasons import Reason
from attente.model.records import Origin, dead_letter, read_dead_letter
from attente.model.signatures import HEADER, MAC_BYTES, SECRET_BYTES, Key, Signer
from attente.registry.entities import OfficeKey, Signatures
from handtape import CASH, LILLE, PUNE, REGISTRY
from oracle import Record
from signed import Signed, asking, entry, key_of, ring, signature

HOUR = 3_600_000
START = 1_773_129_600_000  # 2026-03-10T08:00Z
OURS, SECOND, THEIRS = key_of(LILLE), key_of(LILLE, 2), key_of(PUNE)


def issued(at: int = START, office: str = LILLE, ticket: str = "A1") -> bytes:
    time = datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds")
    body = {"specversion": "1.0", "id": f"{ticket}{at}", "source": "/test", "type": "ticket.issued", "time": time}
    return json.dumps(body | {"office": office, "ticket": ticket, "service": CASH, "channel": "walkin"}).encode()


def partition(
    *keys: OfficeKey, from_ms: int = 0, number: int = 0, partitions: int = 1, mode: Signatures = Signatures.REQUIRE
) -> Partition:
    """A partition of a network in which Lille and Pune have to sign."""
    registry = asking(REGISTRY, {LILLE: keys or (entry(OURS),), PUNE: (entry(THEIRS),)}, mode, from_ms)
    return Partition(Plan(registry, ring(OURS, SECOND, THEIRS)), number, partitions)


def record(value: bytes, headers: Signed, at: int = START, office: str = LILLE, offset: int = 0) -> Record:
    return Record(offset, at, office.encode(), value, 0, headers)


def refusal(part: Partition, one: Record) -> Dead:
    """Why the only record is not counted."""
    part.ingest([one])
    (dead,) = part.take_dead()
    assert part.counted == 0
    return dead


def is_counted(part: Partition, one: Record) -> bool:
    part.ingest([one])
    return part.counted == 1


# The header


@pytest.mark.parametrize(
    "name",
    [
        *("Attente-Signature", "ATTENTE-SIGNATURE", " attente-signature", "attente-signature ", "attente_signature"),
        *("attente-signature\0", "attente\u2010signature", "attente-s\u0131gnature", "event.attente-signature", ""),
    ],
)
def test_a_header_of_another_name_is_no_signature_however_alike(name: str) -> None:
    good = signature(OURS, issued())[0][1]

    assert refusal(partition(), record(issued(), ((name, good),))).reason is Reason.UNSIGNED


def test_a_header_of_another_name_beside_the_signature_changes_nothing() -> None:
    ((_, good),) = signature(OURS, issued())
    bad = b"x" * len(good)

    for others in ((("Attente-Signature", bad),), (("", bad), ("traceparent", None)), ((HEADER, None),)):
        assert is_counted(partition(), record(issued(), (*others, (HEADER, good))))
    # An empty one that comes last is the last one.
    assert refusal(partition(), record(issued(), ((HEADER, good), (HEADER, None)))).reason is Reason.UNSIGNED


def cut() -> Iterator[bytes]:
    """Parts of a good signature, and more than one."""
    ((_, good),) = signature(OURS, issued())
    id_, mac = good[:-MAC_BYTES], good[-MAC_BYTES:]
    yield from (good[:at] for at in range(len(good)))
    yield from (id_ + mac[at:] for at in range(1, MAC_BYTES))
    yield from (good + b"\0", good + mac, id_ + mac + mac, id_ + id_ + mac, mac, b":" + mac, mac + id_, b" " + good)
    yield from (
        id_ + b"\0" * MAC_BYTES,
        id_[:-1] + mac,
        id_[:-1] + b"\0:" + mac,
        good.upper(),
        id_ + mac.hex().encode(),
    )


@pytest.mark.parametrize("content", list(cut()))
def test_no_part_of_a_signature_is_one(content: bytes) -> None:
    dead = refusal(partition(), record(issued(), ((HEADER, content),)))

    assert dead.reason in {Reason.BAD_SIGNATURE, Reason.UNKNOWN_KEY}


@pytest.mark.parametrize(
    "id_",
    [
        *(
            b"",
            b"\0",
            b"lille.k1\0",
            b"\0lille.k1",
            b"lille.k1\n",
            b"lille.k1 ",
            b"LILLE.K1",
            b"lille.k1:",
            b":lille.k1",
        ),
        *(b"\xff\xfe", b"\x1b[2Jlille.k1", b"lille.k1\r\nattente: all is well", b"lille.k1" * 5_000),
        *("lille.k\u202e1".encode(), b"lilIe.k1", b"pune.k1", b"lille.k2", b"lille.k"),
    ],
)
def test_the_id_of_a_key_that_is_made_up_leads_to_none_and_is_told_in_a_printable_line(id_: bytes) -> None:
    ((_, good),) = signature(OURS, issued())
    mac = blake2b(id_ + b"\0lille\0" + issued(), digest_size=16, key=OURS.secret, person=b"attente.event/1").digest()

    for last in (good[-MAC_BYTES:], mac):
        dead = refusal(partition(), record(issued(), ((HEADER, id_ + b":" + last),)))
        assert dead.reason in {Reason.BAD_SIGNATURE, Reason.UNKNOWN_KEY}
        assert dead.detail.isprintable()
        assert len(dead.detail) < 300


def test_a_letter_keeps_what_was_forged_and_takes_nothing_of_it_for_its_own() -> None:
    headers: Signed = (("reason", b"all is well"), ("topic", b"other"), ("null", b""), (HEADER, b"x"))
    dead = refusal(partition(), record(issued(), headers))
    origin = Origin("attente.events", 0, 0, START)
    letter = dead_letter(
        origin,
        key=dead.key,
        value=dead.value,
        reason=dead.reason,
        detail=dead.detail,
        version="1",
        headers=dead.headers,
    )
    found = read_dead_letter(letter.key, letter.value, letter.headers)

    assert (found.reason, found.origin, found.value) == (Reason.BAD_SIGNATURE.value, origin, issued())
    assert found.headers == headers


# What is signed

ids = st.from_regex(r"[a-z0-9][a-z0-9._-]{0,20}", fullmatch=True)
secrets = st.binary(min_size=SECRET_BYTES, max_size=SECRET_BYTES)


@given(
    secret=secrets, one=st.tuples(ids, ids, st.binary(max_size=60)), other=st.tuples(ids, ids, st.binary(max_size=60))
)
def test_under_one_secret_no_two_of_key_office_and_event_have_one_signature(
    secret: bytes, one: tuple[str, str, bytes], other: tuple[str, str, bytes]
) -> None:
    def mac(id_: str, office: str, value: bytes) -> bytes:
        return Signer(Key(id_, office, secret)).sign(value)[-MAC_BYTES:]

    assert (mac(*one) == mac(*other)) == (one == other)


def test_what_is_moved_between_key_office_and_event_has_another_signature() -> None:
    text = "0123456789"
    ends = [(first, second) for second in range(2, len(text)) for first in range(1, second)]
    signers = [(Signer(Key(text[:a], text[a:b], OURS.secret)), text[b:].encode()) for a, b in ends]

    assert len({signer.sign(value)[-MAC_BYTES:] for signer, value in signers}) == len(ends)


def test_a_fingerprint_is_no_signature_and_none_can_be_made_of_it() -> None:
    # Everybody may read the registry: what stands there must not help.
    finger = bytes.fromhex(OURS.fingerprint)
    weak = Key(OURS.id, LILLE, finger.ljust(SECRET_BYTES, b"\0"))
    for mac in (finger, Signer(weak).sign(issued())[-MAC_BYTES:]):
        dead = refusal(partition(), record(issued(), ((HEADER, f"{OURS.id}:".encode() + mac),)))
        assert dead.reason is Reason.BAD_SIGNATURE


def test_what_an_office_has_signed_is_not_taken_for_another_one_by_any_way_to_name_it() -> None:
    ours = issued(office=PUNE)
    for headers in (signature(THEIRS, ours), signature(OURS, ours)):
        # Pune's event under Lille's key of the record, and the event that names Lille last.
        assert refusal(partition(), record(ours, headers)).reason is Reason.WRONG_KEY
    twice = issued()[:-1] + b', "office": "pune"}'
    for signer, office in ((OURS, LILLE), (THEIRS, LILLE), (OURS, PUNE)):
        assert not is_counted(partition(), record(twice, signature(signer, twice), office=office))


def test_a_signed_event_counts_in_the_partition_of_its_office_alone() -> None:
    homes = {number: partition(number=number, partitions=4) for number in range(4)}
    counted = [n for n, part in homes.items() if is_counted(part, record(issued(), signature(OURS, issued())))]

    assert len(counted) == 1
    dead = [part.take_dead()[0].reason for number, part in homes.items() if number not in counted]
    assert dead == [Reason.WRONG_PARTITION] * 3


def test_a_signature_is_compared_in_a_time_that_tells_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[bytes, bytes]] = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return False

    monkeypatch.setattr(signing, "compare_digest", compare)

    # Its word alone decides: what is right by every other comparison is refused.
    assert refusal(partition(), record(issued(), signature(OURS, issued()))).reason is Reason.BAD_SIGNATURE
    assert [len(one) for one in compared[0]] == [MAC_BYTES, MAC_BYTES]


# Keys over time


def test_of_a_key_that_follows_another_exactly_one_is_valid_at_each_millisecond() -> None:
    keys = (entry(OURS, 0, START), entry(SECOND, START))
    for at in (START - 1, START, START + 1):
        valid = [
            key.id
            for key in (OURS, SECOND)
            if is_counted(partition(*keys), record(issued(at), signature(key, issued(at)), at))
        ]
        assert valid == [OURS.id if at < START else SECOND.id]


def test_a_key_that_was_taken_back_signs_nothing_more_whatever_date_its_events_bear() -> None:
    part = partition(entry(OURS, 0, START + HOUR), entry(SECOND))
    early = issued(START)  # an event of the time in which the key was valid, written after it
    dead = refusal(part, record(early, signature(OURS, early), START + HOUR))

    assert dead.reason is Reason.UNKNOWN_KEY
    assert dead.detail.startswith(f"key {OURS.id} is not valid at 2026-03-10T09:00:00")


def test_an_office_that_asks_from_a_moment_on_asks_by_the_logs_time_and_not_by_the_events() -> None:
    late, early = START + HOUR, START
    part = partition(from_ms=late)

    # What is dated back by its writer is looked at all the same: the broker has dated the record.
    assert refusal(part, record(issued(early), (), late)).reason is Reason.UNSIGNED
    # Between the two a key has to be valid too, once it is asked for.
    unborn = partition(entry(OURS, late + 1), from_ms=late)
    assert refusal(unborn, record(issued(late), signature(OURS, issued(late)), late)).reason is Reason.UNKNOWN_KEY


@pytest.mark.parametrize("after_ms", [0, 1, 15 * 60_000, HOUR])
def test_what_was_counted_once_is_never_counted_again_on_either_side_of_the_horizon(after_ms: int) -> None:
    part = partition()
    horizon = part.plan.horizon
    body = issued()
    part.ingest([record(body, signature(OURS, body))])
    other = issued(START + horizon + after_ms, ticket="B1")
    # Stream time is driven on by somebody else, to the last millisecond in which the event is not too late, or past it.
    part.ingest([record(other, signature(OURS, other), START + horizon + after_ms, offset=1)])
    assert part.counted == 2

    part.ingest([record(body, signature(OURS, body), START + horizon + after_ms, offset=2)])

    assert part.counted == 2
    assert (part.duplicate, part.refused) == ((0, {"too_late": 1}) if after_ms else (1, {}))
