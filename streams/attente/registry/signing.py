"""What a registry file says of signed events: what becomes of those without, and the keys of each office."""

from typing import Final, TypedDict

from attente.model.instants import LATEST
from attente.model.signatures import Algorithm
from attente.registry import scalars
from attente.registry.entities import OfficeKey, Signatures
from attente.registry.fields import Fields

INSTANT: Final = "2026-11-23T08:00:00+01:00"
FINGERPRINT: Final = "0123456789abcdef0123456789abcdef"
KEY_KEYS: Final = {
    "id": "75-nation.0123456789ab",
    "fingerprint": FINGERPRINT,
    "algorithm": "blake2b",
    "from": INSTANT,
    "until": INSTANT,
}


class Signing(TypedDict):
    """The part of an office that is about signatures."""

    keys: tuple[OfficeKey, ...]
    signatures: Signatures
    signatures_from_ms: int


class Reader:
    """Reads it of one file: what the network says holds for every office that says nothing of its own."""

    def __init__(self, top: Fields) -> None:
        """Reads what the network says.

        Args:
            top: the file.
        """
        self._mode = top.scalar("signatures", scalars.choice(Signatures), "off")
        self._from_ms = _instant(top, "signatures_from", 0)
        self._lines: dict[str, int] = {}  # of the ids of keys, which are unique in the network
        self._offices: dict[str, tuple[Fields, str]] = {}  # by fingerprint: whose secret it is, and its key's id

    def office(self, fields: Fields) -> Signing:
        """Reads what an office says."""
        mode = self._mode
        if "signatures" in fields.values:
            mode = fields.scalar("signatures", scalars.choice(Signatures))
        keys = self._keys(fields)
        if mode is Signatures.REQUIRE and not keys and not fields.failed & {"keys", "signatures"}:
            fields.fail(
                "keys",
                "signatures are required and no key signs: all events would be refused; add keys: a list of what "
                "`attente keys new` prints, or signatures: report",
            )
        return Signing(
            keys=keys, signatures=mode, signatures_from_ms=_instant(fields, "signatures_from", self._from_ms)
        )

    def _keys(self, fields: Fields) -> tuple[OfficeKey, ...]:
        found = []
        for number, node in enumerate(fields.items("keys", at_least=0) if "keys" in fields.values else (), 1):
            entry = Fields(node, f"{fields.where}keys number {number}: ", KEY_KEYS, fields.problems)
            key = self._key(entry)
            self._check_secret(entry, key, fields)
            if entry.failed:
                fields.failed.add("keys")
            else:
                found.append(key)
        return tuple(found)

    def _check_secret(self, entry: Fields, key: OfficeKey, office: Fields) -> None:
        """One secret under two ids would let whoever has it speak for both offices."""
        if entry.failed:
            return
        other, id_ = self._offices.setdefault(key.fingerprint, (office, key.id))
        if other is not office:
            entry.fail(
                "fingerprint",
                f"fingerprint {key.fingerprint} is that of key {id_} of another office, which could sign for this one; "
                "make a key of its own with `attente keys new`",
            )

    def _key(self, entry: Fields) -> OfficeKey:
        key = OfficeKey(
            id=entry.scalar("id", scalars.identifier),
            fingerprint=entry.scalar("fingerprint", scalars.fingerprint),
            algorithm=entry.scalar("algorithm", scalars.choice(Algorithm), Algorithm.BLAKE2B.value),
            first_ms=_instant(entry, "from", 0),
            end_ms=_instant(entry, "until", LATEST),
        )
        if "id" not in entry.failed:
            if key.id in self._lines:
                entry.fail("id", f"id {key.id} is taken by line {self._lines[key.id]}; give every key its own")
            else:
                self._lines[key.id] = entry.at("id").start_mark.line + 1
        if not entry.failed and key.end_ms <= key.first_ms:
            said, began = entry.at("until").value, entry.at("from").value
            entry.fail("until", f"until {said} is not after from {began}; turn them round")
        return key


def _instant(fields: Fields, key: str, default_ms: int) -> int:
    return fields.scalar(key, scalars.instant) if key in fields.values else default_ms
