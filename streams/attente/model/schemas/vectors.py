"""Vectors by which a producer in any language can test its partitioner and its signatures."""

from typing import Final

from attente.model.partitioning import murmur2, partition_of
from attente.model.signatures import HEADER, SECRET_BYTES, Key, Signer

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


# Secrets that are none: whoever has read this file could sign with them.
_SIGNED: Final = (
    (Key("75-nation.hall-1", "75-nation", bytes(range(SECRET_BYTES))), b""),
    (Key("75-nation.hall-1", "75-nation", bytes(range(SECRET_BYTES))), b'{"specversion":"1.0"}'),
    (Key("75-nation.hall-1", "75-nation", bytes(range(1, SECRET_BYTES + 1))), b'{"specversion":"1.0"}'),
    (Key("b", "a", b"\xff" * SECRET_BYTES), '{"ticket":"Île 7"}'.encode()),
    # Longer than a block of the hash.
    (Key("x" * 64, "y" * 64, b"\x80" * SECRET_BYTES), b"z" * 1000),
)


def signature_vectors() -> dict[str, object]:
    """Some events with their keys and signatures."""
    return {
        "description": f"The header {HEADER} of a record: the key's id, a colon, and the signature. The signature is "
        "BLAKE2b with a digest of 16 bytes, keyed with the secret, personalised with `attente.event/1` (zero bytes "
        "after it), of the key's id, a zero byte, the record's key, a zero byte and the record's value. The "
        "fingerprint is BLAKE2b with a digest of 16 bytes, without a key, personalised with `attente.key/1`, of the "
        "secret. All but ids are in hexadecimal digits.",
        "vectors": [
            {
                "key_id": key.id,
                "office": key.office,
                "secret": key.secret.hex(),
                "fingerprint": key.fingerprint,
                "value": value.hex(),
                "header": Signer(key).sign(value).hex(),
            }
            for key, value in _SIGNED
        ],
    }
