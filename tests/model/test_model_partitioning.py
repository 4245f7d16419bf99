"""The partition of an office is the one that Kafka's own default partitioner gives it."""

import json
import random
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka.partitioner.default import murmur2 as murmur2_of_kafka_python

from attente.model.events import OfficeId
from attente.model.partitioning import murmur2, partition_of
from model.model_files import SCHEMAS

VECTORS = json.loads((SCHEMAS / "vectors" / "partitions.json").read_bytes())["vectors"]


@given(st.binary(max_size=200))
def test_the_hash_of_any_bytes_is_that_of_kafka_python(key: bytes) -> None:
    assert murmur2(key) == murmur2_of_kafka_python(key)


def test_the_hash_of_twenty_thousand_keys_of_every_length_is_that_of_kafka_python() -> None:
    source = random.Random(20260105)  # noqa: S311 - the same keys every time
    for n in range(20_000):
        key = source.randbytes(n % 131)
        assert murmur2(key) == murmur2_of_kafka_python(key), key


# The vectors by which the Java client tests itself; there a hash is a signed number.
@pytest.mark.parametrize(
    ("key", "signed"),
    [
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        (b"abc", 479470107),
    ],
)
def test_the_hash_is_that_of_the_java_client(key: bytes, signed: int) -> None:
    assert murmur2(key) == signed % 2**32


@given(st.binary(max_size=64), st.integers(min_value=1, max_value=5000))
def test_the_partition_is_the_hash_without_its_top_bit_modulo_the_partitions(key: bytes, partitions: int) -> None:
    assert partition_of(key, partitions) == (murmur2_of_kafka_python(key) & 0x7FFFFFFF) % partitions


def test_a_hash_with_the_top_bit_set_is_masked_and_not_made_positive() -> None:
    # murmur2("75-nation") as a signed number is negative: its absolute value would give another partition.
    assert murmur2(b"75-nation") >> 31 == 1
    absolute = (2**32 - murmur2(b"75-nation")) % 12
    assert partition_of(b"75-nation", 12) != absolute


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: ascii(vector["office"]))
def test_a_vector_is_what_kafka_python_computes(vector: dict[str, object]) -> None:
    key = str(vector["office"]).encode()
    hashed = murmur2_of_kafka_python(key)
    assert vector["key"] == key.hex()
    assert vector["murmur2"] == hashed
    assert vector["partitions"] == {str(n): (hashed & 0x7FFFFFFF) % n for n in (4, 12, 64)}


def test_the_vectors_hold_what_makes_partitioners_differ() -> None:
    keys = [bytes.fromhex(vector["key"]) for vector in VECTORS]
    assert {len(key) % 4 for key in keys} == {0, 1, 2, 3}
    assert min(len(key) for key in keys) == 1
    assert any(byte > 127 for key in keys for byte in key)
    assert {vector["murmur2"] >> 31 for vector in VECTORS} == {0, 1}
    assert len(keys) == len(set(keys)) >= 30


def test_every_office_of_the_vectors_is_an_id_that_an_event_may_carry() -> None:
    _, limits = get_args(OfficeId)
    for vector in VECTORS:
        assert limits.min_length <= len(vector["office"]) <= limits.max_length
