"""The AsyncAPI 3.0 document of attente: what it receives, and what it sends."""

from collections.abc import Mapping
from typing import Final

import msgspec

from attente.model.events import TYPES
from attente.model.reasons import REASONS
from attente.model.records import EVENT_HEADER, Manifest
from attente.model.signatures import HEADER
from attente.model.topics import CHECKPOINTS, DEADLETTERS, EVENTS, MANIFESTS, TopicSpec, topics

_VERSION: Final = "1.0.0"
"""Of the contract: a new type or optional attribute raises the second number, anything that breaks a producer the
first."""

_KAFKA: Final = "0.5.0"
"""Of AsyncAPI's Kafka bindings."""

_WHOLE_NUMBERS: Final = ("retention.ms", "retention.bytes", "max.message.bytes")
"""Settings that the bindings want as numbers and not as the texts that Kafka takes."""

Tree = dict[str, object]


def asyncapi() -> Tree:
    """The whole document; its events point to the files under `json/`."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "attente",
            "version": _VERSION,
            "description": "Waiting times of public-service offices, from ticket events. A producer sends to "
            f"{EVENTS}; what cannot be counted comes back on {DEADLETTERS} with the reason. The other topics are "
            "attente's own.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/cloudevents+json",
        "channels": {topic.name: _channel(topic, _messages(topic.name)) for topic in topics(1)},
        "operations": _operations(),
        "components": {"messages": {**_event_messages(), **_own_messages()}},
    }


def _messages(topic: str) -> list[str]:
    own = {DEADLETTERS: ["deadletter"], CHECKPOINTS: ["chunk"], MANIFESTS: ["manifest"]}
    return own.get(topic) or list(TYPES)


def _channel(topic: TopicSpec, messages: list[str]) -> Tree:
    return {
        "address": topic.name,
        "description": topic.description,
        "messages": {name: _ref("components", "messages", name) for name in messages},
        "bindings": {
            "kafka": {"topic": topic.name, "topicConfiguration": _settings(topic.config), "bindingVersion": _KAFKA}
        },
    }


def _settings(config: Mapping[str, str]) -> Tree:
    """The settings for which the bindings have a place; `topics.yaml` has them all."""
    numbers: Tree = {name: int(config[name]) for name in _WHOLE_NUMBERS}
    return {"cleanup.policy": config["cleanup.policy"].split(","), **numbers}


def _operations() -> Tree:
    return {
        "countEvents": _operation("receive", EVENTS, "Counts every event once, or refuses it with a reason."),
        "refuseEvents": _operation("send", DEADLETTERS, "Keeps what cannot be decoded or placed, byte for byte."),
        "writeCheckpoints": _operation("send", CHECKPOINTS, "Writes the state of a partition in chunks."),
        "readCheckpoints": _operation("receive", CHECKPOINTS, "Reads a state back when a partition is taken over."),
        "announceCheckpoints": _operation("send", MANIFESTS, "Says that a checkpoint is whole, and where it lies."),
        "findCheckpoints": _operation("receive", MANIFESTS, "Finds the checkpoints of a partition."),
    }


def _operation(action: str, topic: str, summary: str) -> Tree:
    return {"action": action, "channel": _ref("channels", topic), "summary": summary}


def _event_messages() -> Tree:
    return {
        kind: {
            "name": kind,
            "title": kind,
            "summary": cls.__doc__,
            "headers": _event_headers(),
            "payload": {"$ref": f"./json/{kind}.json"},
            "bindings": _keyed("The office, equal to the attribute `office`."),
        }
        for kind, cls in TYPES.items()
    }


def _event_headers() -> Tree:
    return {
        "type": "object",
        "properties": {
            HEADER: {
                "description": "Where the network asks for signatures: the key's id, a colon, and 16 bytes of keyed "
                "BLAKE2b over the key's id, a zero byte, the record's key, a zero byte and the record's value "
                "(vectors/signatures.json).",
                "type": "string",
            }
        },
    }


def _own_messages() -> Tree:
    keys = {topic.name: topic.key for topic in topics(1)}
    return {
        "deadletter": {
            "name": "deadletter",
            "title": "A refused event",
            "contentType": "application/octet-stream",
            "headers": _deadletter_headers(),
            "payload": {"description": "The bytes of the refused event, unchanged."},
            "bindings": _keyed(keys[DEADLETTERS]),
        },
        "chunk": {
            "name": "chunk",
            "title": "A part of a checkpoint",
            "contentType": "application/octet-stream",
            "payload": {"description": "Bytes of the format that the manifest names."},
            "bindings": _keyed(keys[CHECKPOINTS]),
        },
        "manifest": {
            "name": "manifest",
            "title": "A whole checkpoint",
            "contentType": "application/json",
            "payload": _manifest_schema(),
            "bindings": _keyed(keys[MANIFESTS]),
        },
    }


def _deadletter_headers() -> Tree:
    def header(description: str, **more: object) -> Tree:
        return {"description": description, "type": "string", **more}

    return {
        "type": "object",
        "required": ["reason", "detail", "topic", "partition", "offset", "timestamp", "version"],
        "properties": {
            "reason": header("Why.", enum=[reason.value for reason in REASONS]),
            "detail": header("The attribute, the offending value and the remedy, in one line for a person."),
            "topic": header("The topic in which the refused record stands."),
            "partition": header("Its partition.", pattern="^[0-9]+$"),
            "offset": header("Its offset.", pattern="^[0-9]+$"),
            "timestamp": header("Its timestamp in milliseconds since 1970.", pattern="^[0-9]+$"),
            "version": header("Of the worker that refused it."),
            "key": header("The refused record's key, unchanged; absent where it had none."),
            "null": header("Present where the refused record had no value at all, not even an empty one."),
            "replayed-to": header(
                "In a copy of the letter that says so: topic/partition/offset at which the event stands again."
            ),
            f"{EVENT_HEADER}{HEADER}": header(
                "The refused record's signature, unchanged; its other headers stand there too, each with "
                f"{EVENT_HEADER} before its name."
            ),
        },
    }


def _manifest_schema() -> Tree:
    schema: Tree = msgspec.json.schema(Manifest)["$defs"][Manifest.__name__]
    # The attributes' meaning stands in the struct; here its first line is enough.
    return {**schema, "title": "manifest", "description": str(schema["description"]).partition("\n")[0]}


def _keyed(description: str) -> Tree:
    return {"kafka": {"key": {"type": "string", "description": description}, "bindingVersion": _KAFKA}}


def _ref(*path: str) -> Tree:
    return {"$ref": "#/" + "/".join(path)}
