"""Why bytes are no event: the slow way, taken only when the decoder has refused them."""

import difflib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import msgspec
from msgspec import inspect

from attente.model.events import DEEPEST, NULL, TYPES, AnyEvent, TicketIssued, decode, nests_too_deeply, raw_attributes
from attente.model.instants import milliseconds, parse
from attente.model.reasons import Reason, Refusal, shown

_INSTANTS: Final = ("time", "due", "arrived")
_LONGEST_GUESS: Final = 64  # characters of a type that are compared with ours: comparing is quadratic
_PLACE: Final = re.compile(r"\(byte (\d+)\)")

# Values stay raw: they are checked one by one by the decoder of their own attribute, exactly as in a whole event, and
# those of unknown attributes are not looked at, exactly as there.
_any_json: Final = msgspec.json.Decoder(msgspec.Raw).decode
_text: Final = msgspec.json.Decoder(str).decode


@dataclass(frozen=True, slots=True)
class _Attribute:
    name: str
    required: bool
    decode: Callable[[bytes], object]
    expected: str


def decode_event(raw: bytes | None) -> tuple[AnyEvent, int]:
    """An event and its `time` in milliseconds, with every check that its bytes allow.

    For everything off the hot path, which calls `events.decode` and `instants.milliseconds` itself.

    Raises:
        Refusal: with the first reason that applies, in the order of `Reason`.
    """
    if not raw:
        raise _empty()
    try:
        event = decode(raw)
        at = milliseconds(event.time)
        if isinstance(event, TicketIssued):
            for text in filter(None, (event.due, event.arrived)):
                milliseconds(text)
    except ValueError as error:
        raise explain(raw, error) from None
    return event, at


def explain(raw: bytes | None, error: Exception) -> Refusal:
    """The reason for which bytes are no event, with a line that names the attribute, the value and the remedy.

    A function of the bytes alone. Several defects have one reason: the first in the order of `Reason`, then of the
    struct's attributes.

    Args:
        raw: the record's value.
        error: what `events.decode` or `instants.milliseconds` raised. It is the answer where the bytes have no defect
            of their own; whatever else is asked of an event (its plausibility, its key) has no place here.
    """
    if not raw:
        return _empty()
    try:
        _examine(raw)
    except Refusal as refusal:
        return refusal
    except RecursionError:  # a caller that is itself deep in the stack
        return _too_deep()
    return error if isinstance(error, Refusal) else _repeated(raw, error)


def names_in(raw: bytes | None) -> dict[str, str]:
    """Office and source that bytes name, as far as they can be read; they need not be an event."""
    try:
        found = {} if not raw or nests_too_deeply(raw) else raw_attributes(raw)
    except (ValueError, RecursionError):
        return {}
    texts = {name: _string(found.get(name)) for name in ("office", "source")}
    return {name: text for name, text in texts.items() if text is not None}


def _empty() -> Refusal:
    return Refusal(Reason.EMPTY, "the record has no value; send the event as the value, the office as the key")


def _too_deep() -> Refusal:
    return Refusal(Reason.NOT_JSON, f"nested deeper than {DEEPEST} levels; an event's attributes are flat")


def _examine(raw: bytes) -> None:
    """Raises the refusal for the first defect."""
    values = _values(raw)
    if _string(values.get("specversion")) != "1.0":
        raise Refusal(
            Reason.WRONG_SPECVERSION,
            f'specversion {_json(values.get("specversion"))} is not "1.0"; send CloudEvents 1.0',
        )
    kind = _string(values.get("type"))
    if kind is None or kind not in TYPES:
        raise _unknown_type(values.get("type"), kind)
    attributes = _ATTRIBUTES[kind]
    if missing := [a.name for a in attributes if a.required and a.name not in values]:
        raise Refusal(Reason.MISSING_ATTRIBUTE, f"{kind}: {_missing(missing, values)}")
    present = [(a, values[a.name]) for a in attributes if a.name in values]
    for attribute, value in present:
        _check_value(kind, attribute, value)
    _check_instants(kind, {a.name: _text(value) for a, value in present if a.name in _INSTANTS})


def _values(raw: bytes) -> dict[str, bytes]:
    """The attributes that are there, as they stand in the bytes."""
    if nests_too_deeply(raw):
        raise _too_deep()
    try:
        raw.decode()
        _any_json(raw)
        return {name: bytes(value) for name, value in raw_attributes(raw).items() if value != NULL}
    except msgspec.ValidationError:
        raise Refusal(
            Reason.NOT_AN_OBJECT, f"{_json(raw.strip())} is not a JSON object; send one event a record, as one object"
        ) from None
    except ValueError as error:
        raise Refusal(Reason.NOT_JSON, _not_json(raw, error)) from None


def _not_json(raw: bytes, error: ValueError) -> str:
    remedy = "send one JSON object in UTF-8"
    if raw.startswith(b"\xef\xbb\xbf"):
        return "a byte order mark stands before the object; send UTF-8 without it"
    if raw[:2] in {b"\xff\xfe", b"\xfe\xff"} or b"\x00" in raw[:4]:
        return f"bytes {raw[:8].hex(' ')} look like UTF-16 or a binary format; {remedy}"
    if isinstance(error, UnicodeDecodeError):
        return f"byte {error.start} ({raw[error.start]:#04x}) is not UTF-8, {_near(raw, error.start)}; {remedy}"
    place = _PLACE.search(str(error))
    return f"{shown(str(error))}, {_near(raw, int(place[1]) if place else len(raw))}; {remedy}"


def _near(raw: bytes, place: int) -> str:
    return f"near {_json(raw[max(0, place - 25) : place + 25])}"


def _unknown_type(value: bytes | None, kind: str | None) -> Refusal:
    remedy = "send one of the types of schemas/json"
    if kind is not None and len(kind) <= _LONGEST_GUESS:
        near = difflib.get_close_matches(kind, TYPES, n=1, cutoff=0.7)
        if near:
            remedy = f"is it {near[0]}?"
    return Refusal(Reason.UNKNOWN_TYPE, f"type {_json(value)} is not known; {remedy}")


def _missing(missing: list[str], values: dict[str, bytes]) -> str:
    line = f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing; "
    capital = next((name for name in values if name not in missing and name.lower() in missing), None)
    if capital is None:
        return line + "the type requires it" if len(missing) == 1 else line + "the type requires them"
    return f'{line}write "{shown(capital)}" in lower-case letters'


def _check_value(kind: str, attribute: _Attribute, value: bytes) -> None:
    try:
        found = attribute.decode(value)
    except ValueError:
        remedy = "; leave the attribute out" if value == b'""' and not attribute.required else ""
        raise Refusal(
            Reason.BAD_ATTRIBUTE, f"{kind}: {attribute.name} {_json(value)} is not {attribute.expected}{remedy}"
        ) from None
    if attribute.name == "sequence" and isinstance(found, str) and not (found.isascii() and found.isdigit()):
        raise Refusal(Reason.BAD_ATTRIBUTE, f"{kind}: sequence {_json(value)} is not {attribute.expected}")


def _check_instants(kind: str, texts: dict[str, str]) -> None:
    naive: Refusal | None = None
    for name, text in texts.items():
        try:
            parse(text)
        except Refusal as refusal:
            named = Refusal(refusal.reason, f"{kind}: {name} {refusal.detail}")
            if refusal.reason is Reason.BAD_TIME:
                raise named from None
            naive = naive or named
    if naive is not None:
        raise naive


def _repeated(raw: bytes, error: Exception) -> Refusal:
    """The one defect that is in no value: a name that stands twice, of which a reader of JSON sees the last only."""
    names: list[str] = []

    def collect(pairs: list[tuple[str, object]]) -> None:
        names[:] = [name for name, _ in pairs]  # the outermost object is finished last

    try:
        json.loads(raw, object_pairs_hook=collect)
    except (ValueError, RecursionError):
        names.clear()
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is None:
        return Refusal(Reason.BAD_ATTRIBUTE, f"{shown(str(error))}; compare the event with schemas/json")
    return Refusal(Reason.BAD_ATTRIBUTE, f"{shown(twice)} stands more than once ({shown(str(error))}); write it once")


def _string(value: bytes | None) -> str | None:
    if value is None:
        return None
    try:
        return _text(value)
    except ValueError:
        return None


def _json(value: bytes | None) -> str:
    """A value as it stands in the bytes."""
    return "(missing)" if value is None else shown(value.decode("utf-8", "replace"))


def _expected(name: str, info: inspect.Type) -> str:
    """What a value of the attribute must be."""
    if name in _INSTANTS:
        return "an RFC 3339 instant in quotes"
    match _bare(info):
        case inspect.StrType(min_length=least, max_length=most):
            return f"a string of {least} to {most} {'digits' if name == 'sequence' else 'characters'}"
        case inspect.IntType(ge=least, le=most):
            return f"a whole number from {least} to {most}"
        case inspect.BoolType():
            return "true or false"
        case inspect.LiteralType(values=values):
            return f"one of {', '.join(str(value) for value in values)}"
        case _:
            msg = f"attribute {name} has a type that no CloudEvents attribute may have: {info}"
            raise TypeError(msg)


def _bare(info: inspect.Type) -> inspect.Type:
    """A type without its description and without null."""
    match info:
        case inspect.Metadata(type=described):
            return _bare(described)
        case inspect.UnionType(types=types):
            return next(_bare(t) for t in types if not isinstance(t, inspect.NoneType))
        case _:
            return info


def _attributes(cls: type[AnyEvent]) -> tuple[_Attribute, ...]:
    return tuple(
        _Attribute(
            name=field.encode_name,
            required=field.required,
            # An instant of any length is a string here: its own check says better what is wrong with it.
            decode=msgspec.json.Decoder(str if field.encode_name in _INSTANTS else field.type).decode,
            expected=_expected(field.encode_name, inspect.type_info(field.type)),
        )
        for field in msgspec.structs.fields(cls)
    )


_ATTRIBUTES: Final[dict[str, tuple[_Attribute, ...]]] = {kind: _attributes(cls) for kind, cls in TYPES.items()}
