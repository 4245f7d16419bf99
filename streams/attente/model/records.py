"""What attente itself writes beside statistics: dead letters, and the manifests of checkpoints."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from attente.model.reasons import Reason, shown
from attente.model.signatures import HEADER, Headers

EVENT_HEADER: Final = "event:"
"""What stands in a letter before the name of a header that the refused record had."""

# What a record may hold in headers is bounded in bytes alone, and each costs the letter a few more.
_MOST_HEADERS: Final = 64
_MOST_HEADER_BYTES: Final = 16 << 10

_REPLAYED_TO: Final = "replayed-to"
_LONGEST_DETAIL: Final = 1000  # characters; the letter has to fit beside an event of any size


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a record stands in the log, and its timestamp in milliseconds since 1970."""

    topic: str
    partition: int
    offset: int
    timestamp: int

    @property
    def key(self) -> bytes:
        """`topic/partition/offset`: the same for a second delivery, so that it is recognised."""
        return f"{self.topic}/{self.partition}/{self.offset}".encode()


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record for `attente.deadletters`, ready to be sent.

    Attributes:
        key: the origin's key.
        value: the event's bytes unchanged; empty, with the header `null`, where the record had no value.
        headers: reason, detail, topic, partition, offset, timestamp, version and, where the record had one, key; those
            of the record, each with `event:` before its name; in a copy that says that the event was sent again,
            replayed-to.
    """

    key: bytes
    value: bytes
    headers: tuple[tuple[str, bytes | None], ...]


@dataclass(frozen=True, slots=True)
class DeadLetterRecord:
    """A dead letter as it is read.

    Attributes:
        origin: where the refused record stood.
        key, value: of the refused record, byte for byte.
        reason: a code of `Reason`, or one that a newer worker knows.
        detail: one line for a person.
        version: of the worker that refused it.
        replayed_to: the key of the place at which the event stands again, "" if it was not sent again.
        headers: of the refused record: the signature always, the others unless they were very many.
    """

    origin: Origin
    key: bytes | None
    value: bytes | None
    reason: str
    detail: str
    version: str
    replayed_to: str = ""
    headers: tuple[tuple[str, bytes | None], ...] = ()


def dead_letter(
    origin: Origin,
    *,
    key: bytes | None,
    value: bytes | None,
    reason: Reason,
    detail: str,
    version: str,
    headers: Headers = (),
) -> DeadLetter:
    """The letter for a refused record: a function of the record and the worker's version alone."""
    said = shown(detail, _LONGEST_DETAIL)
    return _letter(DeadLetterRecord(origin, key, value, reason.value, said, version, headers=_kept(headers)))


def _kept(headers: Headers) -> tuple[tuple[str, bytes | None], ...]:
    """The headers of a record that its letter keeps."""
    every = tuple(headers)
    size = sum(len(name.encode()) + len(content or b"") for name, content in every)
    if len(every) <= _MOST_HEADERS and size <= _MOST_HEADER_BYTES:
        return every
    return tuple((name, content) for name, content in every if name == HEADER)[-1:]


def replayed(record: DeadLetterRecord, to: Origin) -> DeadLetter:
    """The same letter once more, saying where its event now stands again.

    A reader that does not know of this sees a letter that was delivered twice.
    """
    return _letter(replace(record, replayed_to=to.key.decode()))


def _letter(record: DeadLetterRecord) -> DeadLetter:
    origin = record.origin
    headers: list[tuple[str, bytes | None]] = [
        ("reason", record.reason.encode()),
        ("detail", record.detail.encode()),
        ("topic", origin.topic.encode()),
        ("partition", str(origin.partition).encode()),
        ("offset", str(origin.offset).encode()),
        ("timestamp", str(origin.timestamp).encode()),
        ("version", record.version.encode()),
    ]
    if record.key is not None:
        headers.append(("key", record.key))
    if record.value is None:
        headers.append(("null", b""))  # an empty value and none are different defects of a producer
    headers += [(f"{EVENT_HEADER}{name}", content) for name, content in record.headers]
    if record.replayed_to:
        headers.append((_REPLAYED_TO, record.replayed_to.encode()))
    return DeadLetter(origin.key, record.value or b"", tuple(headers))


def read_dead_letter(
    key: bytes | None, value: bytes | None, headers: Iterable[tuple[str, bytes | None]]
) -> DeadLetterRecord:
    """The inverse of `dead_letter`. Headers that it does not know are ignored.

    Raises:
        ValueError: the record is no dead letter; one line says which part of it is not.
    """
    every = tuple(headers)
    found = {name: content for name, content in every if content is not None}
    origin = Origin(
        _header(found, "topic"),
        _number(found, "partition"),
        _number(found, "offset"),
        _number(found, "timestamp"),
    )
    if key != origin.key:
        msg = f"no dead letter: key {shown(repr(key))} is not {origin.key!r}, where its headers say it comes from"
        raise ValueError(msg)
    return DeadLetterRecord(
        origin=origin,
        key=found.get("key"),
        value=None if "null" in found else value or b"",
        reason=_header(found, "reason"),
        detail=_header(found, "detail"),
        version=_header(found, "version"),
        replayed_to=_header(found, _REPLAYED_TO) if _REPLAYED_TO in found else "",
        headers=tuple(
            (name.removeprefix(EVENT_HEADER), content) for name, content in every if name.startswith(EVENT_HEADER)
        ),
    )


def _header(headers: dict[str, bytes], name: str) -> str:
    try:
        return headers[name].decode()
    except KeyError:
        msg = f"no dead letter: header {name} is missing"
    except UnicodeDecodeError:
        msg = f"no dead letter: header {name} {shown(repr(headers[name]))} is not UTF-8"
    raise ValueError(msg)


def _number(headers: dict[str, bytes], name: str) -> int:
    text = _header(headers, name)
    if not (text.isascii() and text.isdigit()):
        msg = f"no dead letter: header {name} {shown(text)} is not a number"
        raise ValueError(msg)
    return int(text)


Count = Annotated[int, Meta(ge=0, le=(1 << 63) - 1)]


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One whole checkpoint of a partition: all its chunks are acknowledged.

    Attributes:
        partition: the partition of the events that the state is of.
        offset: the first event that the state has not seen.
        origin: the first one that it has; 0 is the whole history.
        first, last: the offsets in `attente.checkpoints` between which the chunks lie, both included.
        chunks: how many there are (`n`).
        checksum: BLAKE2b of 16 bytes over all chunks together, in hexadecimal digits (`sum`).
        size: bytes of all chunks together (`bytes`).
        format: of the chunks; a reader refuses every other than its own.
        horizon: in milliseconds; a state of another horizon is refused.
        registry: the hash of the registry under which the state was computed; another one is refolded.
        worker: who wrote it.
        id: of the checkpoint; its chunks' keys begin with it.
        stream: stream time of the state, in milliseconds since 1970.
        slot: the two alternate, so that a worker's newest manifest never replaces its only good one.
    """

    partition: Count
    offset: Count
    origin: Count
    first: Count
    last: Count
    chunks: Annotated[int, Meta(ge=1)] = msgspec.field(name="n")
    checksum: Annotated[str, Meta(min_length=32, max_length=32, pattern="^[0-9a-f]{32}$")] = msgspec.field(name="sum")
    size: Count = msgspec.field(name="bytes")
    format: Count
    horizon: Count
    registry: Annotated[str, Meta(max_length=128)]
    worker: Annotated[str, Meta(min_length=1, max_length=255)]
    id: Annotated[str, Meta(min_length=1, max_length=128)]
    stream: Count
    slot: Annotated[int, Meta(ge=0, le=1)]

    def __post_init__(self) -> None:
        if self.origin > self.offset:
            msg = f"origin {self.origin} lies after offset {self.offset}"
            raise ValueError(msg)
        if self.last - self.first + 1 < self.chunks:
            msg = f"{self.chunks} chunks do not fit between offsets {self.first} and {self.last}"
            raise ValueError(msg)

    @property
    def key(self) -> bytes:
        """`partition/worker/slot`: compaction keeps two manifests of every worker, so a zombie's displaces nobody's."""
        return f"{self.partition}/{self.worker}/{self.slot}".encode()


_manifest: Final = msgspec.json.Decoder(Manifest).decode


def read_manifest(raw: bytes | None) -> Manifest:
    """A manifest from its bytes, strictly: whatever is not wholly one is of no use.

    Raises:
        ValueError: the bytes are no manifest.
    """
    try:
        return _manifest(raw or b"")
    except (ValueError, RecursionError) as error:
        msg = f"no manifest: {shown(str(error), _LONGEST_DETAIL)}"
        raise ValueError(msg) from None


encode_manifest: Final = msgspec.json.Encoder().encode
