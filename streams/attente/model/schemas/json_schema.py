"""JSON Schema 2020-12 of every event, from its struct.

What a schema accepts the decoder accepts, and the other way round, but for what JSON Schema cannot say (a name that
stands twice, how deep an unknown attribute nests) and what its date-time says a little differently.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from attente.model.events import TYPES, AnyEvent

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_EVERYWHERE: Final = ("sequence", "estimated")  # optional in every event: they stand last
_UNION_DESCRIPTION: Final = (
    "One record of the topic attente.events: a CloudEvents 1.0 object in structured JSON mode with flat attributes. "
    "Attributes that are not listed are ignored, so a producer may carry more than today's readers know; one that is "
    "null counts as left out."
)

Schema = dict[str, object]


def event_schemas(examples: Mapping[str, Sequence[object]]) -> dict[str, Schema]:
    """A schema by every event type, and one named `event` for them all.

    Args:
        examples: valid events by type, to be quoted.
    """
    bodies = {kind: _body(kind, cls) for kind, cls in TYPES.items()}
    schemas: dict[str, Schema] = {}
    for kind, body in bodies.items():
        quoted = {"examples": list(examples[kind])} if kind in examples else {}
        schemas[kind] = {"$schema": _DIALECT, "$id": f"urn:attente:event:{kind}", **body, **quoted}
    schemas["event"] = _union(bodies)
    return schemas


def _union(bodies: Mapping[str, Schema]) -> Schema:
    """All types in one self-contained schema: by conditions, so that a validator names the attribute that is wrong."""
    return {
        "$schema": _DIALECT,
        "$id": "urn:attente:event",
        "title": "event",
        "description": _UNION_DESCRIPTION,
        "type": "object",
        "required": ["specversion", "type"],
        "properties": {"specversion": {"const": "1.0"}, "type": {"enum": list(bodies)}},
        "allOf": [
            {
                "if": {"required": ["type"], "properties": {"type": {"const": kind}}},
                "then": {"$ref": f"#/$defs/{kind}"},
            }
            for kind in bodies
        ],
        "$defs": dict(bodies),
    }


def _body(kind: str, cls: type[AnyEvent]) -> Schema:
    described = msgspec.json.schema(cls)["$defs"][cls.__name__]
    required: list[str] = described["required"]
    found: dict[str, Schema] = described["properties"]
    optional = [name for name in found if name not in required and name not in _EVERYWHERE]
    return {
        "title": kind,
        "description": described["description"],
        "type": "object",
        "required": required,
        "properties": {
            name: _attribute(found[name], required=name in required) for name in (*required, *optional, *_EVERYWHERE)
        },
        "additionalProperties": True,
    }


def _attribute(found: Schema, *, required: bool) -> Schema:
    """An attribute's schema in the order in which one reads; an optional one may be null."""
    found = _without_null(found)
    described = {"description": found["description"]} if "description" in found else {}
    if "enum" in found:
        values = list(_list(found["enum"]))
        if required and len(values) == 1:
            return {**described, "const": values[0]}
        return {**described, "enum": values if required else [*values, None]}
    bounds: Schema = {name: found[name] for name in _BOUNDS if name in found}
    default = {"default": found["default"]} if found.get("default") else {}
    return {**described, "type": found["type"] if required else [found["type"], "null"], **bounds, **default}


_BOUNDS: Final = ("format", "pattern", "minLength", "maxLength", "minimum", "maximum")


def _without_null(found: Schema) -> Schema:
    """Of "this or null" this."""
    for choice in _list(found.get("anyOf", [])):
        if isinstance(choice, dict) and choice.get("type") != "null":
            return {**found, **choice}
    return found


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        msg = f"{value!r} should be a list"
        raise TypeError(msg)
    return value
