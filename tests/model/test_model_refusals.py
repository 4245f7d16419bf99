"""Why bytes are refused: a function of the bytes, with the reason of their first defect, whatever they are."""

import json
from collections.abc import Callable

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from attente.model.events import TYPES, TicketIssued, decode
from attente.model.instants import milliseconds
from attente.model.reasons import Reason, Refusal, shown
from attente.model.refusals import decode_event, explain
from model.model_files import EXAMPLES, INDEX, OBJECTS, Invalid

ISSUED = OBJECTS["ticket.issued"]
OF_BYTES = list(Reason)[: list(Reason).index(Reason.IMPLAUSIBLE_TIME)]
"""The reasons that are in the bytes alone, in the order in which they are looked for."""


def refusal(raw: bytes | None) -> Refusal:
    with pytest.raises(Refusal) as refused:
        decode_event(raw)
    return refused.value


def encoded(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")


def hot_path_accepts(raw: bytes) -> bool:
    """What a worker does with an event, without the slow way."""
    try:
        event = decode(raw)
        milliseconds(event.time)
        for text in (event.due, event.arrived) if isinstance(event, TicketIssued) else ():
            if text:
                milliseconds(text)
    except ValueError:
        return False
    return True


# ---- defects, one by one: each makes of a good event one that must get the given reason


Defect = Callable[[st.DrawFn, dict[str, object]], object]


def required_of(event: dict[str, object]) -> list[str]:
    fields = msgspec.structs.fields(TYPES[str(event["type"])])
    return [field.encode_name for field in fields if field.required]


def instants_of(event: dict[str, object]) -> list[str]:
    return [name for name in ("time", "due", "arrived") if name in event and event[name] is not None]


def drop_one(draw: st.DrawFn, event: dict[str, object]) -> object:
    name = draw(st.sampled_from([name for name in required_of(event) if name != "specversion"]))
    return {n: value for n, value in event.items() if n != name} if draw(st.booleans()) else {**event, name: None}


def spoil_value(draw: st.DrawFn, event: dict[str, object]) -> object:
    names = [name for name in event if name in FIELDS[str(event["type"])] and event[name] is not None]
    name = draw(st.sampled_from(names))
    wrong: list[object] = [[], {}, [event[name]], {"value": event[name]}, 1.5, "x" * 2000]
    if isinstance(event[name], str):
        wrong += [7, True, False]
    if isinstance(event[name], str) and name in ("time", "due", "arrived"):
        wrong.remove("x" * 2000)  # a text that is no instant has a reason of its own
    if not isinstance(event[name], str):
        wrong += ["7", "true", 2**40]
    return {**event, name: draw(st.sampled_from(wrong))}


def spoil_instant(draw: st.DrawFn, event: dict[str, object]) -> object:
    wrong = ["", "now", "2026-11-23", "2026-13-01T00:00:00Z", "2026-11-23 09:00:00Z", "2026-02-30T00:00:00", "1" * 300]
    return {**event, draw(st.sampled_from(instants_of(event))): draw(st.sampled_from(wrong))}


def make_naive(draw: st.DrawFn, event: dict[str, object]) -> object:
    return {**event, draw(st.sampled_from(instants_of(event))): "2026-11-23T09:14:03.120"}


def other_version(draw: st.DrawFn, event: dict[str, object]) -> object:
    return {**event, "specversion": draw(st.sampled_from([None, "", "0.3", "1", "1.0 ", "2.0", 1.0, True, ["1.0"]]))}


def other_type(draw: st.DrawFn, event: dict[str, object]) -> object:
    wrong: list[object] = [
        None,
        "",
        "ticket",
        "ticket.issued ",
        "TICKET.ISSUED",
        "ticket.issued\x00",
        5,
        {},
        ["ticket.issued"],
        "x" * 500,
    ]
    return {**event, "type": draw(st.sampled_from(wrong))}


FIELDS = {
    kind: [f.encode_name for f in msgspec.structs.fields(cls) if f.encode_name != "specversion"]
    for kind, cls in TYPES.items()
}

DEFECTS: dict[Reason, Defect] = {
    Reason.WRONG_SPECVERSION: other_version,
    Reason.UNKNOWN_TYPE: other_type,
    Reason.MISSING_ATTRIBUTE: drop_one,
    Reason.BAD_ATTRIBUTE: spoil_value,
    Reason.BAD_TIME: spoil_instant,
    Reason.NAIVE_TIME: make_naive,
}

good_events = st.sampled_from(list(OBJECTS.values()))


@st.composite
def defective(draw: st.DrawFn) -> tuple[bytes, Reason]:
    """An event with one defect, and its reason."""
    reason = draw(st.sampled_from(list(DEFECTS)))
    return encoded(DEFECTS[reason](draw, draw(good_events))), reason


@given(defective())
@settings(max_examples=400)
def test_every_defect_gets_its_reason(case: tuple[bytes, Reason]) -> None:
    raw, reason = case
    assert not hot_path_accepts(raw)
    assert refusal(raw).reason is reason


@st.composite
def twice_defective(draw: st.DrawFn) -> tuple[bytes, Reason]:
    """An event with two defects in different attributes, and the reason that is looked for first."""
    first, second = sorted(
        draw(st.lists(st.sampled_from(OF_BYTES[3:]), min_size=2, max_size=2, unique=True)), key=OF_BYTES.index
    )
    event = OBJECTS["ticket.issued.door-time"]
    spoilt: dict[Reason, tuple[str, object]] = {
        Reason.WRONG_SPECVERSION: ("specversion", "0.3"),
        Reason.UNKNOWN_TYPE: ("type", "ticket.printed"),
        Reason.MISSING_ATTRIBUTE: ("office", None),
        Reason.BAD_ATTRIBUTE: ("channel", "walk-in"),
        Reason.BAD_TIME: ("arrived", "yesterday"),
        Reason.NAIVE_TIME: ("time", "2026-11-23T09:16:44"),
    }
    return encoded({**event, **dict((spoilt[first], spoilt[second]))}), first


@given(twice_defective())
def test_of_two_defects_the_one_that_is_looked_for_first_is_the_reason(case: tuple[bytes, Reason]) -> None:
    raw, reason = case
    assert refusal(raw).reason is reason


# ---- anything at all


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)


@st.composite
def scribbled(draw: st.DrawFn) -> bytes:
    """A good event of which some bytes were changed, lost, doubled or put in."""
    raw = bytearray(draw(st.sampled_from(list(EXAMPLES.values()))))
    for _ in range(draw(st.integers(1, 4))):
        i = draw(st.integers(0, len(raw)))
        j = min(len(raw), i + draw(st.integers(0, 30)))
        raw[i:j] = draw(
            st.one_of(
                st.binary(max_size=6),
                st.sampled_from([b'"', b"null", b"\\ud800", b"NaN", b"[" * 600, bytes(raw[i:j]) * 2]),
            )
        )
    return bytes(raw)


@st.composite
def mixed_up(draw: st.DrawFn) -> bytes:
    """An event in which any attributes have any values, some of them twice."""
    event = draw(good_events)
    pairs = list(event.items())
    for _ in range(draw(st.integers(0, 3))):
        name = draw(st.sampled_from([*event, "unknown", "Office"]))
        pairs.insert(
            draw(st.integers(0, len(pairs))),
            (name, draw(st.one_of(json_values, st.sampled_from(list(event.values()))))),
        )
    written = (f"{json.dumps(name)}: {json.dumps(value)}" for name, value in pairs)
    return ("{" + ", ".join(written) + "}").encode()


anything = st.one_of(
    st.binary(max_size=200),
    json_values.map(encoded),
    scribbled(),
    mixed_up(),
    defective().map(lambda case: case[0]),
)


@given(anything)
@settings(max_examples=600, deadline=None)
@example(b"")
@example(b" ")
@example(b"\xff")
@example(b"\xef\xbb\xbf{}")
@example(b"{}")
@example(b"[" * 100_000)
@example(b'{"a":' * 100_000)
@example(b'{"specversion":"1.0","type":"kiosk.heartbeat","spooled":' + b"9" * 5_000 + b"}")
@example(b'{"specversion":"1.0","specversion":"0.3"}')
@example(b'{"\\ud800":1}')
@example(b'{"type":"\\udc00"}')
@example(b'{"specversion":"1.0","type":NaN}')
@example(b'{"specversion":"1.0","type":"ticket.issued","type":"ticket.called"}')
def test_the_slow_way_is_needed_exactly_where_the_fast_one_refuses(raw: bytes) -> None:
    if hot_path_accepts(raw):
        event, at = decode_event(raw)
        assert event == decode(raw)
        assert at == milliseconds(event.time)
        return
    found = refusal(raw)
    assert found.reason in OF_BYTES
    assert found.detail.isprintable(), "one line, without control characters"
    assert len(found.detail) < 400
    assert found.detail.encode().decode() == found.detail
    assert explain(raw, ValueError("another")).reason is found.reason, "a function of the bytes alone"


@given(anything)
@settings(max_examples=300, deadline=None)
def test_explain_never_raises_whatever_it_was_called_for(raw: bytes) -> None:
    for error in (ValueError(""), Refusal(Reason.BAD_TIME, "that"), TypeError("\ud800")):
        assert isinstance(explain(raw, error), Refusal)
        assert explain(None, error).reason is Reason.EMPTY


def test_where_the_bytes_have_no_defect_the_refusal_that_was_raised_is_the_answer() -> None:
    raised = Refusal(Reason.WRONG_KEY, "the key is another")
    assert explain(EXAMPLES["ticket.issued"], raised) is raised


def test_a_caller_deep_in_the_stack_gets_a_refusal_too() -> None:
    # As deep as json may nest for the decoder is too deep for a caller that has used most of the stack itself.
    raw = EXAMPLES["ticket.called"].rstrip()[:-1] + b', "x": ' + b"[" * 498 + b"]" * 498 + b', "desk": 5}'

    def from_below(frames: int) -> Refusal:
        return explain(raw, ValueError("any")) if frames == 0 else from_below(frames - 1)

    assert from_below(0).reason is Reason.BAD_ATTRIBUTE
    assert from_below(600).reason is Reason.NOT_JSON


# ---- what a person reads


@pytest.mark.parametrize("case", INDEX, ids=lambda case: case.file)
def test_an_invalid_example_gets_the_reason_that_the_index_gives(case: Invalid) -> None:
    if case.reason == Reason.IMPLAUSIBLE_TIME:
        decode_event(case.raw)
        return
    assert refusal(case.raw).reason == case.reason


def with_(**attributes: object) -> bytes:
    return encoded({**ISSUED, **attributes})


@pytest.mark.parametrize(
    ("raw", "detail"),
    [
        (b"", "the record has no value; send the event as the value, the office as the key"),
        (b"<event/>", "JSON is malformed: invalid character (byte 0), near <event/>; send one JSON object in UTF-8"),
        (b'{"a": "\xe9"}', 'byte 7 (0xe9) is not UTF-8, near {"a": "\ufffd"}; send one JSON object in UTF-8'),
        (b"\xef\xbb\xbf{}", "a byte order mark stands before the object; send UTF-8 without it"),
        (
            "{}".encode("utf-16"),
            "bytes ff fe 7b 00 7d 00 look like UTF-16 or a binary format; send one JSON object in UTF-8",
        ),
        (b" [1]\n", "[1] is not a JSON object; send one event a record, as one object"),
        (b"{}", 'specversion (missing) is not "1.0"; send CloudEvents 1.0'),
        (with_(specversion="0.3"), 'specversion "0.3" is not "1.0"; send CloudEvents 1.0'),
        (with_(type="ticket.isued"), 'type "ticket.isued" is not known; is it ticket.issued?'),
        (
            with_(type="x" * 70),
            f'type "{"x" * 59}… (72 characters) is not known; send one of the types of schemas/json',
        ),
        (with_(office=None), "ticket.issued: office is missing; the type requires it"),
        (with_(office=None, ticket=None), "ticket.issued: office, ticket are missing; the type requires them"),
        (with_(office=None, OFFICE="a"), 'ticket.issued: office is missing; write "OFFICE" in lower-case letters'),
        (with_(channel="fax"), 'ticket.issued: channel "fax" is not one of appointment, remote, walkin'),
        (with_(ticket=""), 'ticket.issued: ticket "" is not a string of 1 to 128 characters'),
        (with_(due=""), 'ticket.issued: due "" is no RFC 3339 instant; write 2026-11-23T09:14:03.120+01:00'),
        (with_(time=5), "ticket.issued: time 5 is not an RFC 3339 instant in quotes"),
        (with_(sequence=5), "ticket.issued: sequence 5 is not a string of 1 to 18 digits"),
        (with_(estimated=0), "ticket.issued: estimated 0 is not true or false"),
        (
            encoded({**OBJECTS["kiosk.heartbeat"], "spooled": -1}),
            "kiosk.heartbeat: spooled -1 is not a whole number from 0 to 2147483647",
        ),
        (
            encoded({**OBJECTS["ticket.called"], "desk": ""}),
            'ticket.called: desk "" is not a string of 1 to 64 characters; leave the attribute out',
        ),
        (
            with_()[:-1] + b', "office": ""}',
            'ticket.issued: office "" is not a string of 1 to 64 characters',
        ),
        (
            b'{"office": "", ' + with_()[1:],
            "office stands more than once (Expected `str` of length >= 1 - at `$.office`); write it once",
        ),
    ],
)
def test_a_detail_names_the_attribute_the_value_and_the_remedy(raw: bytes, detail: str) -> None:
    assert refusal(raw).detail == detail


def test_where_the_name_that_stands_twice_cannot_be_found_the_decoder_itself_is_quoted() -> None:
    raw = b'{"office": "", "x": ' + b"9" * 5_000 + b", " + with_()[1:]  # a number that Python reads as none
    assert refusal(raw).reason is Reason.BAD_ATTRIBUTE
    assert refusal(raw).detail == "Expected `str` of length >= 1 - at `$.office`; compare the event with schemas/json"


def test_a_type_of_any_length_is_compared_in_no_time() -> None:
    assert refusal(with_(type="ticket.issued" * 50_000)).reason is Reason.UNKNOWN_TYPE


def test_a_value_is_shown_printable_and_short() -> None:
    assert shown("desk 4") == "desk 4"
    assert shown("a\nb\x1b[31m\u202e\ud800") == "a\\nb\\x1b[31m\\u202e\\ud800"
    assert shown("é" * 61) == "é" * 60 + "… (61 characters)"


def test_a_refusal_says_its_reason_and_its_detail() -> None:
    said = Refusal(Reason.NAIVE_TIME, "noon carries no offset")
    assert str(said) == "naive_time: noon carries no offset"
    assert (said.reason, said.detail) == (Reason.NAIVE_TIME, "noon carries no offset")
