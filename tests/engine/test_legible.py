"""Batches with header names that are no UTF-8 are read like any other, in every compression."""

from collections.abc import Sequence

import pytest
from aiokafka.record.default_records import DefaultRecordBatch, _DefaultRecordBatchBuilderPy

from attente.engine.legible import legible

NOW = 1_795_500_000_000
COMPRESSIONS = {"none": 0, "gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}
Headers = Sequence[tuple[str, bytes | None]]


class Odd(str):
    """A text whose bytes are no UTF-8."""

    __slots__ = ()

    def encode(self, *_: object, **__: object) -> bytes:
        return b"\xff\xfe"


def batch(compression: int, headers: Sequence[Headers], base: int = 0) -> bytes:
    builder = _DefaultRecordBatchBuilderPy(2, compression, False, -1, -1, -1, 1 << 20)
    for i, each in enumerate(headers):
        key = None if i == 1 else b"office"
        value = None if i == 2 else b"x" * (1 << (2 * i))
        assert builder.append(i, NOW + i * 70_000, key, value, each) is not None
    data = bytearray(builder.build())
    data[:8] = base.to_bytes(8, "big")
    return bytes(data)


def read(data: bytes) -> list[tuple[object, ...]]:
    found: dict[int, tuple[object, ...]] = {}  # as a state does: what comes again is known
    for record in legible(DefaultRecordBatch(data), memoryview(data)):
        row = (record.offset, record.timestamp, record.key, record.value, [tuple(header) for header in record.headers])
        assert found.setdefault(record.offset, row) == row
    return list(found.values())


@pytest.mark.parametrize("compression", COMPRESSIONS.values(), ids=COMPRESSIONS)
@pytest.mark.parametrize("at", range(5))
def test_records_are_read_whatever_the_name_of_a_header(compression: int, at: int) -> None:
    plain: list[Headers] = [[("a", b"1"), ("b", None)], [], [("ü", b"")], [("c", b"2")], [("d", b"3"), ("e", b"4")]]
    odd, wanted_headers = (
        [[*each, (name, b"odd")] if i == at else list(each) for i, each in enumerate(plain)]
        for name in (Odd("?"), "\N{REPLACEMENT CHARACTER}" * 2)
    )
    values = [None if i == 2 else b"x" * (1 << (2 * i)) for i in range(5)]
    keys = [None if i == 1 else b"office" for i in range(5)]
    wanted = [(100 + i, NOW + i * 70_000, keys[i], values[i], wanted_headers[i]) for i in range(5)]
    data = batch(compression, odd, base=100)
    with pytest.raises(UnicodeDecodeError):  # else there would be nothing to do
        list(DefaultRecordBatch(data))
    assert read(data) == wanted


def test_records_that_aiokafka_can_read_are_its_own() -> None:
    data = batch(0, [[("a", b"1")], []])
    inner = DefaultRecordBatch(data)
    assert [type(record) for record in legible(inner, memoryview(data))] == [
        type(record) for record in DefaultRecordBatch(data)
    ]


def test_a_batch_stamped_by_the_broker_bears_its_time() -> None:
    data = bytearray(batch(0, [[(Odd("?"), b"")], []]))
    data[22] |= 8  # attributes: timestamp type
    assert [row[1] for row in read(bytes(data))] == [NOW + 70_000] * 2
