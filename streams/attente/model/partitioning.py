"""Kafka's default partitioner: the partition in which the events of an office lie.

The worker refuses an event that is anywhere else, because one office in two partitions would live twice. Java,
kafka-python and aiokafka producers do this by default; librdkafka needs `partitioner=murmur2_random`.
`schemas/vectors/partitions.json` lets any producer test itself against this module.
"""

from typing import Final

_SEED: Final = 0x9747B28C
_MULTIPLIER: Final = 0x5BD1E995
_WORD: Final = 0xFFFFFFFF  # all arithmetic is modulo 2**32


def partition_of(key: bytes, partitions: int) -> int:
    """The partition of a key among `partitions`; it takes longer than to decode an event, so cache it."""
    return (murmur2(key) & 0x7FFFFFFF) % partitions


def murmur2(data: bytes) -> int:
    """The hash by Austin Appleby, 32 bits, unsigned, with Kafka's seed."""
    whole = len(data) & ~3
    digest = _SEED ^ len(data)
    for i in range(0, whole, 4):
        word = int.from_bytes(data[i : i + 4], "little") * _MULTIPLIER & _WORD
        word = (word ^ word >> 24) * _MULTIPLIER & _WORD
        digest = digest * _MULTIPLIER & _WORD ^ word
    if whole < len(data):
        digest = (digest ^ int.from_bytes(data[whole:], "little")) * _MULTIPLIER & _WORD
    digest = (digest ^ digest >> 13) * _MULTIPLIER & _WORD
    return digest ^ digest >> 15
