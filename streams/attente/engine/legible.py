"""Record batches whose header names are no UTF-8: aiokafka cannot read them, and a worker has to.

Kafka takes any bytes as the name of a header. Whoever may write to the topic could otherwise stop every worker that
comes to such a record, one after the other. It is an event like any other: what the name was matters to nobody.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from aiokafka.record.default_records import _DefaultRecordBatchPy

from attente.core.partition import Record
from attente.model.signatures import Headers


class _Read:
    """A record, as aiokafka's have their attributes."""

    __slots__ = ("headers", "key", "offset", "timestamp", "value")

    def __init__(self, offset: int, timestamp: int, key: bytes | None, value: bytes | None, headers: Headers) -> None:
        self.offset = offset
        self.timestamp = timestamp
        self.key = key
        self.value = value
        self.headers = headers


def legible(batch: Iterable[Record], raw: memoryview) -> Iterator[Record]:
    """The records of a batch. Where aiokafka gives up, all of them again by another way: a state knows the first ones.

    Args:
        batch: aiokafka's, not iterated yet.
        raw: the bytes that it was made of, its header included.
    """
    try:
        yield from batch
    except UnicodeDecodeError:
        yield from _records(bytes(raw))


def _records(raw: bytes) -> Iterator[Record]:
    batch = _DefaultRecordBatchPy(raw)
    batch._maybe_uncompress()  # noqa: SLF001 - pinned, and a test reads every compression
    data = _Bytes(bytes(batch._buffer), batch._pos)  # noqa: SLF001
    for _ in range(batch._num_records):  # noqa: SLF001
        yield _record(data, batch)


def _record(data: "_Bytes", batch: Any) -> _Read:
    """One record (https://kafka.apache.org/documentation/#record)."""
    data.number()  # its length
    data.number()  # its attributes: one byte, and as a number as long
    since = data.number()
    timestamp = batch.max_timestamp if batch.timestamp_type else batch.first_timestamp + since
    offset = batch.base_offset + data.number()
    key, value = data.bytes(), data.bytes()
    headers = [((data.bytes() or b"").decode(errors="replace"), data.bytes()) for _ in range(data.number())]
    return _Read(offset, timestamp, key, value, headers)


class _Bytes:
    """Bytes that are read from the front."""

    def __init__(self, data: bytes, at: int) -> None:
        self._data = data
        self._at = at

    def number(self) -> int:
        """A number of variable length, zigzag."""
        shift = found = 0
        while True:
            byte = self._data[self._at]
            self._at += 1
            found |= (byte & 127) << shift
            if byte < 128:
                return found >> 1 ^ -(found & 1)
            shift += 7

    def bytes(self) -> bytes | None:
        """Bytes with their length before them; a negative length is none."""
        length = self.number()
        if length < 0:
            return None
        found = self._data[self._at : self._at + length]
        self._at += length
        return found
