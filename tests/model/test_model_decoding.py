"""What is an event: the fast decoder, and `decode_event` for everything off the hot path."""

import json
import typing

import msgspec
import pytest

from attente.model import kinds
from attente.model.events import (
    DEEPEST,
    TYPES,
    AnyEvent,
    Channel,
    CloseReason,
    Outcome,
    TicketCalled,
    TicketIssued,
    decode,
    encode,
    nests_too_deeply,
)
from attente.model.kinds import Kind
from attente.model.reasons import Reason, Refusal
from attente.model.refusals import decode_event
from model.model_files import EXAMPLES, OBJECTS

ISSUED = OBJECTS["ticket.issued"]


def raw(**attributes: object) -> bytes:
    return json.dumps({**ISSUED, **attributes}).encode()


def choices(alias: object) -> set[str]:
    return set(typing.get_args(typing.get_args(alias)[0]))


# ---- the types


def test_every_kind_of_fact_has_exactly_one_type_of_event() -> None:
    assert sorted(cls.kind for cls in TYPES.values()) == sorted(Kind)


def test_every_type_of_the_union_is_found_by_its_name() -> None:
    assert set(TYPES.values()) == set(typing.get_args(AnyEvent))
    for kind, cls in TYPES.items():
        assert cls.__struct_config__.tag == kind


def test_the_numbered_choices_are_those_that_an_event_may_carry() -> None:
    assert set(kinds.CHANNELS) == choices(Channel)
    assert {*kinds.OUTCOMES} == {"unstated", *choices(Outcome)}
    assert set(kinds.CLOSE_REASONS) == choices(CloseReason)


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_event_that_is_encoded_is_decoded_to_itself(name: str) -> None:
    event = decode(EXAMPLES[name])
    assert decode(encode(event)) == event
    assert b'""' not in encode(event), "what is left out stays left out"


def test_an_event_is_immutable_and_told_apart_by_what_it_says() -> None:
    event = decode(EXAMPLES["ticket.called"])
    with pytest.raises(AttributeError):
        event.time = ""  # type: ignore[misc]
    assert event == decode(EXAMPLES["ticket.called"])
    assert event != decode(EXAMPLES["ticket.called.null-desk"])


# ---- what decodes


def test_the_order_of_attributes_does_not_matter() -> None:
    backwards = json.dumps(dict(reversed(ISSUED.items()))).encode()
    assert decode(backwards) == decode(raw())


def test_attributes_that_the_model_does_not_know_are_ignored_whatever_they_hold() -> None:
    strange = {"a": None, "b": [1, {"c": [[]]}], "data": {"time": "never"}, "é": 1e300, "": "", "Office": 5}
    assert decode(raw(**strange)) == decode(raw())


def test_an_unknown_number_of_any_size_is_no_concern_of_the_model() -> None:
    for number in (b"1e999", b"-0.0", b"9" * 10_000):
        assert decode(raw()[:-1] + b', "x": ' + number + b"}") == decode(raw())


def test_an_optional_attribute_that_is_null_counts_as_left_out() -> None:
    event = decode(raw(sequence=None, estimated=None, due=None, arrived=None, unknown=None))
    expected = {name: value for name, value in ISSUED.items() if name != "sequence"}
    assert event == decode(json.dumps(expected).encode())


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_optional_attribute_may_be_null_in_any_layout(name: str) -> None:
    attributes = OBJECTS[name]
    cls = TYPES[str(attributes["type"])]
    optional = [field.encode_name for field in msgspec.structs.fields(cls) if not field.required]
    bare = {name: value for name, value in attributes.items() if name not in optional}
    with_nulls = {**dict.fromkeys(optional), **bare}
    assert decode(json.dumps(with_nulls, indent=3).encode()) == decode(json.dumps(bare).encode())


def test_the_word_null_in_a_text_is_a_text() -> None:
    event, _ = decode_event(raw(ticket="null", sequence=None))
    assert isinstance(event, TicketIssued)
    assert event.ticket == "null"


def test_text_is_kept_letter_by_letter() -> None:
    for ticket in ("A 042", "№7", "券", "\u202e", "é", "e\u0301", "🎫", "\x7f", "\\", '"'):
        event = decode(raw(ticket=ticket))
        assert isinstance(event, TicketIssued)
        assert event.ticket == ticket


def test_lengths_are_counted_in_characters_and_not_in_bytes() -> None:
    assert isinstance(decode(raw(ticket="券" * 128)), TicketIssued)
    with pytest.raises(ValueError, match="length <= 128"):
        decode(raw(ticket="券" * 129))


def test_a_sequence_is_up_to_eighteen_digits() -> None:
    for sequence in ("0", "000000004711", "9" * 18):
        assert decode(raw(sequence=sequence)).sequence == sequence


@pytest.mark.parametrize(
    "sequence", ["", "1" * 19, "-1", "+1", "1_000", " 1", "1 ", "1\n", "\n", "1.0", "٣", "²", "a", 1, True]
)
def test_a_sequence_of_anything_else_is_refused(sequence: object) -> None:
    with pytest.raises(ValueError, match="sequence"):
        decode(raw(sequence=sequence))
    with pytest.raises(Refusal, match=r"^bad_attribute: ticket\.issued: sequence "):
        decode_event(raw(sequence=sequence))


def test_decode_event_gives_the_instant_beside_the_event() -> None:
    event, at = decode_event(EXAMPLES["ticket.called"])
    assert isinstance(event, TicketCalled)
    assert at == 1_795_422_707_902


@pytest.mark.parametrize("name", ["due", "arrived"])
def test_decode_event_checks_the_other_instants_of_an_issue(name: str) -> None:
    decode_event(raw(**{name: "2026-11-23T09:14:03Z"}))
    for bad, reason in (("2026-11-23T09:14:61Z", Reason.BAD_TIME), ("2026-11-23T09:14:03.5", Reason.NAIVE_TIME)):
        with pytest.raises(Refusal) as refused:
            decode_event(raw(**{name: bad}))
        assert refused.value.reason is reason
        assert refused.value.detail.startswith(f'ticket.issued: {name} "{bad}" ')


@pytest.mark.parametrize("nothing", [None, b""])
def test_decode_event_refuses_a_record_without_a_value_as_empty(nothing: bytes | None) -> None:
    with pytest.raises(Refusal) as refused:
        decode_event(nothing)
    assert refused.value.reason is Reason.EMPTY


# ---- nesting


def nested(levels: int, *, opening: bytes = b"[", closing: bytes = b"]") -> bytes:
    """The issue with an unknown attribute, `levels` deep with the object itself."""
    return raw()[:-1] + b', "x": ' + opening * (levels - 1) + b"1" + closing * (levels - 1) + b"}"


@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_values_nest_as_deep_as_the_limit_and_no_deeper(opening: bytes, closing: bytes) -> None:
    assert decode(nested(DEEPEST, opening=opening, closing=closing)) == decode(raw())
    for levels in (DEEPEST + 1, 5_000, 200_000):
        with pytest.raises(msgspec.DecodeError, match="deeper than 500"):
            decode(nested(levels, opening=opening, closing=closing))


def test_how_deep_the_caller_stands_does_not_decide_what_is_accepted() -> None:
    def from_below(frames: int, payload: bytes) -> AnyEvent:
        return decode(payload) if frames == 0 else from_below(frames - 1, payload)

    assert from_below(200, nested(DEEPEST)) == decode(raw())
    with pytest.raises(msgspec.DecodeError, match="deeper than 500"):
        from_below(200, nested(DEEPEST + 1))


def test_brackets_beside_each_other_or_in_texts_are_not_deep() -> None:
    assert decode(raw(x=[[]] * 10_000)) == decode(raw())
    assert decode(raw(x="[{" * 10_000)) == decode(raw())
    assert decode(raw(x='\\"[' * 10_000)) == decode(raw())


def test_brackets_after_a_text_that_is_never_closed_are_in_it() -> None:
    assert not nests_too_deeply(b'{"' + b"[" * 1_000)
    assert nests_too_deeply(b'{"a\\"":' + b"[" * 1_000)


@pytest.mark.timeout(20)
def test_a_megabyte_of_quotes_and_backslashes_is_looked_at_once() -> None:
    # A reader that starts anew at every quote of an unclosed text would take hours.
    for hostile in (b'"' + b'\\"' * 500_000, b'"\\' * 400_000, b'"' * 1_000_000):
        nests_too_deeply(b"[" * (DEEPEST + 1) + hostile)
        nests_too_deeply(b"[" * DEEPEST + hostile + b"[")
