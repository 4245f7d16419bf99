"""What a partition makes of signatures: valid, unsigned, unknown key, bad; refused, counted, or not looked at."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attente.core.partition import Dead, Partition
from attente.core.plan import Plan
from attente.core.render import Renderer
from attente.core.state import digest
from attente.model.reasons import Reason
from attente.model.signatures import HEADER, Key, Signer
from attente.registry.entities import OfficeKey, Signatures
from attente.registry.fingerprint import fingerprint
from driver import reloaded
from handtape import CASH, LILLE, PUNE, REGISTRY
from oracle import Record
from signed import Signed, asking, entry, key_of, ring, signature

HOUR = 3_600_000
START = 1_773_129_600_000  # 2026-03-10T08:00Z
OURS, THEIRS = key_of(LILLE), key_of(PUNE)


def text(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds")


def event(type_: str, at: int, office: str = LILLE, **attributes: object) -> bytes:
    body = {"specversion": "1.0", "id": f"{type_}{at}", "source": "/test", "type": type_, "time": text(at)}
    return json.dumps(body | {"office": office} | attributes).encode()


def issued(at: int = START, office: str = LILLE, **attributes: object) -> bytes:
    return event("ticket.issued", at, office, **({"ticket": "A1", "service": CASH, "channel": "walkin"} | attributes))


def record(offset: int, value: bytes | None, headers: Signed = (), at: int = START, office: str = LILLE) -> Record:
    return Record(offset, at, office.encode(), value, 0, headers)


def partition(
    mode: Signatures = Signatures.REQUIRE,
    keys: Sequence[OfficeKey] = (entry(OURS),),
    from_ms: int = 0,
    known: Sequence[Key] = (OURS, THEIRS, key_of(LILLE, 2)),
) -> Partition:
    """A partition of the hand tape's network; Pune signs too, so that its key is one that there is."""
    registry = asking(REGISTRY, {LILLE: tuple(keys), PUNE: (entry(THEIRS),)}, mode, from_ms)
    return Partition(Plan(registry, ring(*known)), 0, 1)


def refused(part: Partition, *records: Record) -> list[Dead]:
    part.ingest(records)
    assert part.read == part.counted + part.duplicate + sum(part.refused.values())
    return part.take_dead()


def only(part: Partition, one: Record) -> Dead:
    (dead,) = refused(part, one)
    return dead


# ---- what is found


def test_an_event_signed_with_a_key_of_its_office_counts() -> None:
    part = partition()
    assert refused(part, record(0, issued(), signature(OURS, issued()))) == []
    assert (part.counted, part.signatures) == (1, {"valid": 1})


def test_an_event_without_a_signature_is_refused_with_its_headers_and_the_remedy() -> None:
    part = partition()
    headers: Signed = (("traceparent", b"00-1"), ("empty", None))
    dead = only(part, record(0, issued(), headers))
    assert (dead.reason, dead.headers) == (Reason.UNSIGNED, headers)
    assert dead.detail == "no header attente-signature; sign the events of office lille with its key"
    assert (part.counted, part.signatures, part.refused) == (0, {"unsigned": 1}, {"unsigned": 1})


def test_a_forged_office_is_refused_for_its_key_is_another_offices() -> None:
    # A kiosk of Pune writes as Lille: with its own key, or with its own secret under the name of Lille's key.
    own = only(partition(), record(0, issued(), signature(THEIRS, issued())))
    assert own.reason is Reason.UNKNOWN_KEY
    assert own.detail == f"key {THEIRS.id} is none of office lille, whose keys are {OURS.id}; add it to the registry"
    posing = Key(OURS.id, LILLE, THEIRS.secret)
    assert only(partition(), record(0, issued(), signature(posing, issued()))).reason is Reason.BAD_SIGNATURE


def test_a_signature_does_not_speak_for_another_office_with_the_same_event() -> None:
    body = issued()
    taken = body.replace(b'"lille"', b'"pune"')
    dead = only(partition(), record(0, taken, signature(OURS, body), office=PUNE))
    assert dead.reason is Reason.UNKNOWN_KEY


def test_an_altered_event_is_refused() -> None:
    dead = only(partition(), record(0, issued(ticket="A2"), signature(OURS, issued())))
    assert dead.reason is Reason.BAD_SIGNATURE
    assert dead.detail.startswith(f"the signature by key {OURS.id} does not fit")


def test_of_two_keys_each_signs_and_of_several_signatures_the_last_counts() -> None:
    other = key_of(LILLE, 2)
    keys = (entry(OURS), entry(other))
    for signed in (OURS, other):
        assert refused(partition(keys=keys), record(0, issued(), signature(signed, issued()))) == []
    good, bad = signature(OURS, issued()), signature(OURS, b"else")
    assert refused(partition(), record(0, issued(), (*bad, *good))) == []
    assert only(partition(), record(0, issued(), (*good, *bad))).reason is Reason.BAD_SIGNATURE


@pytest.mark.parametrize(
    ("at", "reasons"),
    [(START - 1, [Reason.UNKNOWN_KEY]), (START, []), (START + HOUR - 1, []), (START + HOUR, [Reason.UNKNOWN_KEY])],
)
def test_a_key_is_valid_from_and_until_a_timestamp_of_the_log(at: int, reasons: list[Reason]) -> None:
    part = partition(keys=(entry(OURS, START, START + HOUR),))
    body = issued(START)
    dead = refused(part, record(0, body, signature(OURS, body), at))
    assert [one.reason for one in dead] == reasons
    assert all(f"key {OURS.id} is not valid at 2026-03-10T" in one.detail for one in dead)


@pytest.mark.parametrize(
    "content", [b"", b":", b"no colon at all, but long enough", b"lille.k1:short", b"x:" + b"." * 17]
)
def test_what_is_no_signature_is_a_bad_one(content: bytes) -> None:
    dead = only(partition(), record(0, issued(), ((HEADER, content),)))
    assert dead.reason is Reason.BAD_SIGNATURE
    assert "is not KEY-ID:SIGNATURE" in dead.detail


def test_a_header_without_content_is_no_signature() -> None:
    assert only(partition(), record(0, issued(), ((HEADER, None),))).reason is Reason.UNSIGNED


def test_an_office_that_reports_and_has_no_key_yet_knows_none() -> None:
    part = partition(Signatures.REPORT, keys=())
    assert refused(part, record(0, issued(), signature(OURS, issued()))) == []
    assert part.signatures == {"unknown_key": 1}
    office = next(iter(part.offices.values()))
    assert office.signing is not None
    flaw = office.signing.flaw(issued(), signature(OURS, issued()), START)
    assert flaw is not None
    assert "whose keys are none" in flaw.detail


def test_every_flipped_bit_of_value_key_and_signature_is_refused() -> None:
    body = issued()
    ((_, signed),) = signature(OURS, body)
    whole = {"value": body, "key": LILLE.encode(), "signature": signed}
    good = Record(0, START, whole["key"], whole["value"], 0, ((HEADER, whole["signature"]),))
    assert refused(partition(), good) == []
    for part_, content in whole.items():
        for bit in range(len(content) * 8):
            flipped = bytearray(content)
            flipped[bit // 8] ^= 1 << bit % 8
            found = whole | {part_: bytes(flipped)}
            one = Record(0, START, found["key"], found["value"], 0, ((HEADER, found["signature"]),))
            state = partition()
            assert len(refused(state, one)) == 1, (part_, bit)
            assert state.counted == 0


@given(value=st.binary(max_size=300), signed=st.binary(max_size=60))
def test_no_bytes_are_a_signature_by_chance(value: bytes, signed: bytes) -> None:
    office = partition().plan.offices[LILLE.encode()]
    assert office.signing is not None
    assert office.signing.flaw(value, ((HEADER, signed),), START) is not None
    assert office.signing.flaw(value, ((HEADER, Signer(OURS).sign(value)),), START) is None


# ---- modes


def test_a_network_that_reports_counts_what_it_finds_and_refuses_nothing() -> None:
    part = partition(Signatures.REPORT)
    tape = [
        record(0, issued(), signature(OURS, issued())),
        record(1, issued(ticket="A2")),
        record(2, issued(ticket="A3"), signature(THEIRS, issued(ticket="A3"))),
        record(3, issued(ticket="A4"), signature(OURS, issued())),
        record(4, issued(ticket="A4"), signature(OURS, issued(ticket="A4"))),
    ]
    assert refused(part, *tape) == []
    assert (part.counted, part.duplicate) == (4, 1)
    assert part.signatures == {"valid": 2, "unsigned": 1, "unknown_key": 1, "bad_signature": 1}


def test_where_signatures_are_off_nothing_is_looked_at() -> None:
    plain = Partition(Plan(REGISTRY), 0, 1)
    off = partition(Signatures.OFF, known=())
    tape = [record(0, issued(), signature(OURS, b"else")), record(1, issued(ticket="A2"))]
    assert refused(plain, *tape) == refused(off, *tape) == []
    assert off.signatures == {}
    assert digest(off).encode() == digest(plain).encode()


def test_an_office_may_be_asked_before_the_others_are() -> None:
    registry = asking(REGISTRY, {LILLE: (entry(OURS),)})
    part = Partition(Plan(registry, ring(OURS)), 0, 1)
    pune = issued(office=PUNE)
    dead = refused(part, record(0, issued()), record(1, pune, office=PUNE))
    assert [(one.offset, one.reason) for one in dead] == [(0, Reason.UNSIGNED)]
    assert part.signatures == {"unsigned": 1}


def test_what_was_logged_before_signatures_are_looked_at_counts_without_one_however_late_it_is_read() -> None:
    part = partition(from_ms=START + HOUR)
    dead = refused(
        part,
        record(0, issued(), at=START + HOUR - 1),
        record(1, issued(ticket="A2"), at=START + HOUR),
        record(2, issued(ticket="A3"), signature(OURS, issued(ticket="A3")), at=START + HOUR),
    )
    assert [(one.offset, one.reason) for one in dead] == [(1, Reason.UNSIGNED)]
    assert part.signatures == {"unsigned": 1, "valid": 1}


def test_a_file_of_events_has_no_signatures_and_none_are_looked_at() -> None:
    registry = asking(REGISTRY, {LILLE: (entry(OURS),)})
    part = Partition(Plan(registry), 0, 1)
    assert refused(part, record(0, issued())) == []
    assert (part.counted, part.signatures) == (1, {})


def test_a_plan_cannot_be_made_without_a_secret_that_the_registry_asks_for() -> None:
    with pytest.raises(KeyError, match="lille"):
        Plan(asking(REGISTRY, {LILLE: (entry(OURS),)}), ring(THEIRS))


# ---- where it stands among the reasons


def test_a_signature_is_looked_at_after_the_place_and_before_the_time() -> None:
    implausible = issued(arrived=text(START + HOUR))
    unreadable = issued(due="tomorrow, I think")
    late = START + 30 * HOUR
    for value, at, office, reason in (
        (b"{", START, LILLE, Reason.NOT_JSON),
        (unreadable, START, LILLE, Reason.BAD_TIME),
        (issued(), START, PUNE, Reason.WRONG_KEY),
        (issued(office="nowhere"), START, "nowhere", Reason.UNKNOWN_OFFICE),
        (implausible, START, LILLE, Reason.UNSIGNED),
        (issued(START + HOUR), START, LILLE, Reason.UNSIGNED),
        (issued(), late, LILLE, Reason.UNSIGNED),
    ):
        assert only(partition(), record(0, value, at=at, office=office)).reason is reason, value
    signed = signature(OURS, implausible)
    assert only(partition(), record(0, implausible, signed)).reason is Reason.IMPLAUSIBLE_TIME
    assert only(partition(), record(0, issued(), signature(OURS, issued()), late)).reason is Reason.TOO_LATE


EVERY_KIND = [
    issued(),
    event("ticket.called", START, ticket="A1", desk="1"),
    event("service.started", START, ticket="A1", desk="1"),
    event("service.ended", START, ticket="A1", outcome="resolved"),
    event("desk.opened", START, desk="1"),
    event("office.opened", START),
    event("visitor.turned_away", START, count=3),
    event("kiosk.heartbeat", START, kiosk="1", spooled=0),
]


@pytest.mark.parametrize("hours", [0, 1, 23, 24, 25, 80])
def test_an_old_signed_event_that_is_sent_again_is_a_duplicate_and_past_the_horizon_too_late(hours: int) -> None:
    part = partition()
    tape = [record(i, value, signature(OURS, value)) for i, value in enumerate(EVERY_KIND)]
    assert refused(part, *tape) == []
    assert part.counted == len(tape)
    figures = [office.days.lifetime.copy() for office in part.offices.values()]
    again = [one._replace(offset=100 + i, timestamp=START + hours * HOUR) for i, one in enumerate(tape)]
    dead = refused(part, *again)
    assert part.counted == len(tape)
    if hours <= 24:
        assert (dead, part.duplicate) == ([], len(tape))
        assert [office.days.lifetime for office in part.offices.values()] == figures
    else:
        assert {one.reason for one in dead} == {Reason.TOO_LATE}
        assert len(dead) == len(tape)


# ---- the state


def test_what_was_found_is_part_of_the_state_and_of_the_view() -> None:
    part = partition()
    refused(part, record(0, issued(), signature(OURS, issued())), record(1, issued(ticket="A2")))
    again = reloaded(part, part.plan)
    assert again.signatures == part.signatures == {"valid": 1, "unsigned": 1}
    assert digest(again) == digest(part)
    view = Renderer(again).partition_view(())
    assert view.signatures == {"valid": 1, "unsigned": 1}
    part.signatures["valid"] += 1
    assert digest(again) != digest(part)


def test_a_state_without_what_was_found_is_read_as_one_that_found_nothing() -> None:
    plain = Partition(Plan(REGISTRY), 0, 1)
    refused(plain, record(0, issued()))
    registry = asking(REGISTRY, {LILLE: (entry(OURS),)})
    under = reloaded(plain, Plan(registry, ring(OURS)))
    # What was accepted before stays: no signature is kept of a fact. From here on one is asked for.
    assert (under.counted, under.signatures) == (1, {})
    assert [one.reason for one in refused(under, record(1, issued(ticket="A2")))] == [Reason.UNSIGNED]


def test_everything_that_decides_about_a_signature_is_in_the_hash_of_the_registry_and_nothing_else_is() -> None:
    base = asking(REGISTRY, {LILLE: (entry(OURS),)})
    two = (entry(OURS), entry(key_of(LILLE, 2)))
    others = [
        REGISTRY,
        asking(REGISTRY, {LILLE: (entry(OURS),)}, Signatures.REPORT),
        asking(REGISTRY, {LILLE: (entry(OURS),)}, from_ms=1),
        asking(REGISTRY, {LILLE: (entry(OURS, 1),)}),
        asking(REGISTRY, {LILLE: (entry(OURS, 0, 5),)}),
        asking(REGISTRY, {LILLE: (replace(entry(OURS), fingerprint=THEIRS.fingerprint),)}),
        asking(REGISTRY, {LILLE: (replace(entry(OURS), id="other"),)}),
        asking(REGISTRY, {LILLE: two}),
        asking(REGISTRY, {LILLE: (entry(OURS),), PUNE: (entry(THEIRS),)}),
    ]
    hashes = {fingerprint(one) for one in (base, *others)}
    assert len(hashes) == len(others) + 1
    assert fingerprint(asking(REGISTRY, {LILLE: two})) == fingerprint(asking(REGISTRY, {LILLE: two[::-1]}))
    assert fingerprint(asking(REGISTRY, {LILLE: two}, Signatures.OFF)) == fingerprint(REGISTRY)
