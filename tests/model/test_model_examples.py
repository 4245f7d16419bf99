"""The examples by three judges: our decoder, JSON Schema, and the CloudEvents project's own package."""

import json
import re

import jsonschema
import pytest
from cloudevents.core.formats.json import JSONFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from attente.model.events import TYPES, TicketIssued
from attente.model.plausible import check_plausible
from attente.model.reasons import Reason, Refusal
from attente.model.refusals import decode_event
from model.model_files import EXAMPLES, INDEX, INVALID, OBJECTS, SCHEMAS, Invalid

CHECKER = jsonschema.FormatChecker(formats=["date-time"])


def validator(name: str) -> jsonschema.Draft202012Validator:
    schema = json.loads((SCHEMAS / "json" / f"{name}.json").read_bytes())
    return jsonschema.Draft202012Validator(schema, format_checker=CHECKER)


UNION = validator("event")
BY_TYPE = {kind: validator(kind) for kind in TYPES}

# What JSON Schema cannot say, or says a little differently, and why.
BEYOND_JSON_SCHEMA = {
    "office-twice.bin": "a reader of JSON keeps the last of two equal names",
    "type-twice.bin": "a reader of JSON keeps the last of two equal names",
    "too-deep.bin": "how deep an unknown attribute nests has no keyword",
    "spooled-float.json": "to JSON Schema 3.0 is an integer",
    "sequence-line-feed.json": "to Python's regular expressions, though not to JSON Schema's, $ stands before it too",
    "time-before-1970.json": "a date-time may lie in any year",
    "arrived-after-ticket.json": "no keyword compares two attributes",
    "arrived-yesterday.json": "no keyword compares two attributes",
    "due-next-month.json": "no keyword compares two attributes",
}
# What no JSON document is, a validator never gets to see: these fail when they are read.
NOT_JSON = {case.file for case in INDEX if case.reason in (Reason.EMPTY, Reason.NOT_JSON)} - set(BEYOND_JSON_SCHEMA)


def strict_json(raw: bytes) -> object:
    """RFC 8259 to the letter, where Python's reader is kinder: no NaN, no half characters, no byte order mark."""

    def no_constant(name: str) -> object:
        msg = f"{name} is not JSON"
        raise ValueError(msg)

    value = json.loads(raw.decode("utf-8"), parse_constant=no_constant)
    json.dumps(value, ensure_ascii=False).encode("utf-8")
    return value


def verdict(raw: bytes) -> Reason | None:
    """What becomes of the bytes, as far as they alone decide."""
    try:
        event, at = decode_event(raw)
        if isinstance(event, TicketIssued):
            check_plausible(event, at)
    except Refusal as refusal:
        return refusal.reason
    return None


# ---- the collection


def test_every_type_has_a_valid_example_with_its_name() -> None:
    for kind in TYPES:
        assert OBJECTS[kind]["type"] == kind


def test_every_optional_attribute_stands_in_a_valid_example() -> None:
    shown = {(str(event["type"]), name) for event in OBJECTS.values() for name in event}
    for kind, cls in TYPES.items():
        own = set(cls.__struct_fields__) - {"sequence", "estimated"}
        assert own <= {name for shown_kind, name in shown if shown_kind == kind}, kind
    assert {"sequence", "estimated"} <= {name for _, name in shown}


def test_there_are_at_least_thirty_invalid_examples_and_the_index_knows_them_all() -> None:
    assert len(INDEX) >= 30
    assert {case.file for case in INDEX} == {path.name for path in INVALID.iterdir()} - {"index.json"}
    assert set(BEYOND_JSON_SCHEMA) <= {case.file for case in INDEX}
    for case in INDEX:
        assert case.why


def test_every_reason_that_an_event_alone_can_give_has_an_invalid_example() -> None:
    given_ = {case.reason for case in INDEX}
    assert given_ == {reason.value for reason in list(Reason)[: list(Reason).index(Reason.WRONG_KEY)]}


def test_no_two_examples_are_the_same() -> None:
    everything = [*EXAMPLES.values(), *(case.raw for case in INDEX)]
    assert len(set(everything)) == len(everything)


# ---- our decoder


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_valid_example_is_accepted(name: str) -> None:
    assert verdict(EXAMPLES[name]) is None


@pytest.mark.parametrize("case", INDEX, ids=lambda case: case.file)
def test_an_invalid_example_is_refused_for_the_reason_in_the_index(case: Invalid) -> None:
    assert verdict(case.raw) == case.reason


# ---- JSON Schema


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_valid_example_obeys_the_schema_of_its_type_and_the_one_of_all(name: str) -> None:
    BY_TYPE[str(OBJECTS[name]["type"])].validate(OBJECTS[name])
    UNION.validate(OBJECTS[name])


@pytest.mark.parametrize("case", INDEX, ids=lambda case: case.file)
def test_an_invalid_example_fails_the_schema_unless_schemas_cannot_say_so(case: Invalid) -> None:
    if case.file in NOT_JSON:
        with pytest.raises(ValueError, match=r".*"):
            strict_json(case.raw)
        return
    assert UNION.is_valid(strict_json(case.raw)) is (case.file in BEYOND_JSON_SCHEMA)


def test_a_validator_names_the_attribute_that_is_wrong() -> None:
    [error] = UNION.iter_errors({**OBJECTS["ticket.issued"], "channel": "walk-in"})
    assert list(error.path) == ["channel"]


json_values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**40), 2**40),
    st.sampled_from([0.5, -1.5, 1e300]),  # not 3.0: an integer to JSON Schema, none to CloudEvents
    st.text(st.characters(exclude_categories=["Cs"]), max_size=300),
    st.sampled_from(
        [
            "",
            "1.0",
            "walkin",
            "reset",
            "resolved",
            "4711",
            "1" * 19,
            "2026-11-23T09:14:03Z",
            "2026-11-23T09:14:03",
            "2026-02-30T00:00:00Z",
        ]
    ),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.sampled_from(["a", "time"]), st.integers(), max_size=2),
)


@st.composite
def altered(draw: st.DrawFn) -> dict[str, object]:
    event = dict(draw(st.sampled_from(list(OBJECTS.values()))))
    for _ in range(draw(st.integers(0, 3))):
        name = draw(st.sampled_from([*event, "sequence", "estimated", "due", "arrived", "desk", "reason", "unknown"]))
        if draw(st.booleans()):
            event[name] = draw(json_values)
        else:
            event.pop(name, None)
    return event


@given(altered())
@settings(max_examples=400, deadline=None)
def test_the_schemas_accept_what_the_decoder_accepts_and_nothing_else(event: dict[str, object]) -> None:
    try:
        decode_event(json.dumps(event).encode())
        accepted = True
    except Refusal:
        accepted = False
    assert UNION.is_valid(event) is accepted
    kind = event.get("type")
    if isinstance(kind, str) and kind in BY_TYPE:
        assert BY_TYPE[kind].is_valid(event) is accepted


# ---- CloudEvents


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_valid_example_is_a_cloudevent_in_structured_mode(name: str) -> None:
    found = JSONFormat().read(None, EXAMPLES[name])
    assert found.get_specversion() == "1.0"
    assert found.get_type() == OBJECTS[name]["type"]
    assert found.get_id() == OBJECTS[name]["id"]
    at = found.get_time()
    assert at is not None
    assert at.utcoffset() is not None
    assert found.get_extension("office") == "75-nation"


@pytest.mark.parametrize("kind", TYPES)
def test_every_attribute_has_a_name_and_a_value_that_cloudevents_allow(kind: str) -> None:
    for name in TYPES[kind].__struct_fields__:
        assert re.fullmatch(r"[a-z0-9]{1,20}", name)
        assert name not in ("data", "datacontenttype", "dataschema", "subject")
    properties = BY_TYPE[kind].schema["properties"]
    for name, schema in properties.items():
        if "enum" in schema or "const" in schema:
            values = schema.get("enum", [schema.get("const")])
            assert all(value is None or isinstance(value, str) for value in values), name
        else:
            types = {schema["type"]} if isinstance(schema["type"], str) else set(schema["type"])
            assert types - {"null"} <= {"string", "integer", "boolean"}, name
        if "integer" in schema.get("type", ()):
            assert -(2**31) <= schema["minimum"] <= schema["maximum"] <= 2**31 - 1, name
