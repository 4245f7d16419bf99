"""From a line of events to the record that Kafka gets, or to a refusal with line and column."""

import re
from typing import Final, NamedTuple

import msgspec

from attente.model.events import decode
from attente.model.instants import milliseconds, text_of
from attente.model.partitioning import partition_of
from attente.model.reasons import Refusal
from attente.model.refusals import decode_event, explain
from attente.sources.files import refusal

LARGEST: Final = 1 << 20
"""Bytes of a record that the events' topic takes, its frame included."""

_FRAME: Final = 128  # bytes that a batch of one record adds to key and value, at most
_INSTANTS: Final = ("time", "due", "arrived")
_KEYS_KEPT: Final = 100_000  # offices whose partition is remembered; more than any network has

_ATTRIBUTE: Final = re.compile(r"at `\$\.(\w+)`")
_BYTE: Final = re.compile(r"\(byte (\d+)\)")

_CUT_OFF: Final = "truncated"

_loosely: Final = msgspec.json.Decoder().decode


class Record(NamedTuple):
    """What is sent: `at_ms` is the event's time, the archive's timestamp."""

    key: bytes
    partition: int
    value: bytes
    at_ms: int


class Records:
    """Makes records of lines, for a topic of so many partitions."""

    def __init__(self, name: str, partitions: int) -> None:
        """Knows no office yet.

        Args:
            name: what errors call the lines.
            partitions: how many the topic has.
        """
        self._name = name
        self._partitions = partitions
        self._places: dict[str, tuple[bytes, int]] = {}
        self._newest_ms = 0

    def record(self, number: int, raw: bytes) -> Record:
        """The record of a line.

        Args:
            number: which line it is, from 1.
            raw: its bytes, without line end.

        Raises:
            BadInput: it is no event, or too large.
        """
        try:
            event = decode(raw)
            at = milliseconds(event.time)
            # The common case has neither, and asks for no second reading.
            if b'"due"' in raw or b'"arrived"' in raw:
                decode_event(raw)
        except ValueError as error:
            raise refusal(self._name, number, _column(raw), str(explain(raw, error))) from None
        self._newest_ms = max(self._newest_ms, at)
        key, partition = self._place(event.office)
        self._check_size(number, key, raw)
        return Record(key, partition, raw, at)

    def moved(self, number: int, record: Record, shift_ms: int) -> Record:
        """The same event at another time, with everything else that it says, known or not.

        Raises:
            BadInput: it is too large now.
        """
        attributes = _loosely(record.value)
        for name in _INSTANTS:
            if isinstance(text := attributes.get(name), str):
                attributes[name] = text_of(milliseconds(text) + shift_ms)
        value = msgspec.json.encode(attributes)
        self._check_size(number, record.key, value)
        return record._replace(value=value)

    def anything(self, number: int, raw: bytes) -> Record:
        """The record of a line that is no event: the same bytes, keyed by its office if it says one.

        Its time is that of the newest event before it: a stamp of its own could carry an archive's time away.

        Raises:
            BadInput: it is too large.
        """
        key, partition = self._place(_office(raw))
        self._check_size(number, key, raw)
        return Record(key, partition, raw, self._newest_ms)

    def _place(self, office: str) -> tuple[bytes, int]:
        found = self._places.get(office)
        if found is None:
            if len(self._places) >= _KEYS_KEPT:
                self._places.clear()
            key = office.encode()
            found = self._places[office] = key, partition_of(key, self._partitions)
        return found

    def _check_size(self, number: int, key: bytes, value: bytes) -> None:
        if len(key) + len(value) > LARGEST - _FRAME:
            msg = (
                f"{len(value)} bytes are more than a record may hold, {LARGEST - _FRAME - len(key)}; shorten the event"
            )
            raise refusal(self._name, number, 1, msg)


def _column(raw: bytes) -> int:
    """Where a line is wrong, in characters from 1: 1 when it is as a whole."""
    try:
        event = decode(raw)
    except ValueError as error:
        if byte := _BYTE.search(str(error)):
            return _characters(raw, int(byte[1]))
        if raw and _CUT_OFF in str(error):
            return _characters(raw, len(raw))
        if attribute := _ATTRIBUTE.search(str(error)):
            return _characters(raw, raw.find(b'"%b"' % attribute[1].encode()))
        return 1
    for name in _INSTANTS:
        try:
            milliseconds(getattr(event, name, "") or "1970-01-01T00:00Z")
        except Refusal:
            return _characters(raw, raw.find(b'"%b"' % name.encode()))
    return 1


def _characters(raw: bytes, byte: int) -> int:
    return len(raw[: max(0, byte)].decode("utf-8", "replace")) + 1


def _office(raw: bytes) -> str:
    try:
        attributes = _loosely(raw)
    except (ValueError, RecursionError):
        return ""
    office = attributes.get("office") if isinstance(attributes, dict) else None
    return office if isinstance(office, str) else ""
