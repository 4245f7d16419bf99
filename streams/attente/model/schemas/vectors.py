"""Vectors by which a producer in any language can test its partitioner."""

from typing import Final

from attente.model.partitioning import murmur2, partition_of

_PARTITIONS: Final = (4, 12, 64)

# Lengths of every remainder modulo 4, one byte, bytes above 127 (which a signed byte gets wrong), hashes with the top
# bit set (which an absolute value instead of a mask gets wrong), and the longest id there may be.
_OFFICES: Final = (
    "0",
    "7",
    "a",
    "z",
    "01",
    "75",
    "abc",
    "XIV",
    "bank",
    "5900",
    "nord1",
    "annecy",
    "bezons-2",
    "75-nation",
    "13-aubagne",
    "lyon-part-dieu",
    "office-000001",
    "office-000002",
    "office-000003",
    "office-000004",
    "UD_III",
    "USC.Praga",
    "wola/2",
    "w i t h  s p a c e s",
    "é",
    "Orléans",
    "Nîmes-Sud",
    "Łódź",
    "Warszawa Śródmieście",
    "Αθήνα",
    "Київ-7",
    "ירושלים",
    "東京",
    "東京都新宿区役所",
    "🏛",
    "desk🪑office",
    "x" * 63,
    "x" * 64,
    "é" * 64,
)


def partition_vectors() -> dict[str, object]:
    """Every office with its hash and its partition among 4, 12 and 64."""
    return {
        "description": "The partition of an office in a topic of 4, 12 or 64 partitions: Kafka's default partitioner, "
        "(murmur2(key) & 0x7fffffff) % partitions, where the key is the office id in UTF-8 and murmur2 is the "
        "unsigned hash with Kafka's seed.",
        "vectors": [_vector(office) for office in _OFFICES],
    }


def _vector(office: str) -> dict[str, object]:
    key = office.encode()
    return {
        "office": office,
        "key": key.hex(),
        "murmur2": murmur2(key),
        "partitions": {str(partitions): partition_of(key, partitions) for partitions in _PARTITIONS},
    }
