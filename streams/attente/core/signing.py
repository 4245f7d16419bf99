"""Whether an event bears a signature by a key of its office: a function of the record and the registry."""

from hmac import compare_digest
from typing import Final

from attente.model.instants import text_of
from attente.model.reasons import Reason, Refusal, shown
from attente.model.signatures import HEADER, MAC_BYTES, Headers, started
from attente.registry.entities import Office, OfficeKey, Signatures

_LISTED: Final = 3  # keys that a refusal names


class Lock:
    """A key of an office, made ready: what is the same for all events has been hashed."""

    def __init__(self, office: str, key: OfficeKey, secret: bytes) -> None:
        self.first = key.first_ms
        self.end = key.end_ms
        self.state = started(key.id, office, secret)


class Signing:
    """What the signatures of one office are held against.

    Attributes:
        since: the record timestamp from which on events are looked at.
        is_required: whether an event without a valid signature is refused.
    """

    def __init__(self, office: Office, keys: list[tuple[OfficeKey, bytes]]) -> None:
        self.office = office.id
        self.since = office.signatures_from_ms
        self.is_required = office.signatures is Signatures.REQUIRE
        # By the id and the colon, as a signature begins.
        self._locks = {f"{key.id}:".encode(): Lock(office.id, key, secret) for key, secret in keys}

    def flaw(self, value: bytes | None, headers: Headers, timestamp: int) -> Refusal | None:
        """What is wrong with a record's signature; None when it is valid. Its key must be the office."""
        signature = None
        for name, content in headers:  # as `signature_in`: a call here costs a tenth of the whole
            if name == HEADER:
                signature = content
        if signature is None:
            detail = f"no header {HEADER}; sign the events of office {self.office} with its key"
            return Refusal(Reason.UNSIGNED, detail)
        lock = self._locks.get(signature[:-MAC_BYTES])
        if lock is None or not lock.first <= timestamp < lock.end:
            return self._unknown(signature, lock, timestamp)
        state = lock.state.copy()
        state.update(value or b"")
        if compare_digest(state.digest(), signature[-MAC_BYTES:]):
            return None
        said = f"the signature by key {signature[: -MAC_BYTES - 1].decode()} does not fit"
        return Refusal(Reason.BAD_SIGNATURE, f"{said}: the event was altered after it was signed, or by another secret")

    def _unknown(self, signature: bytes, lock: Lock | None, timestamp: int) -> Refusal:
        name, colon, mac = signature.partition(b":")
        if not colon or len(mac) != MAC_BYTES:
            detail = f"header {HEADER} {shown(repr(signature))} is not KEY-ID:SIGNATURE; see the contract"
            return Refusal(Reason.BAD_SIGNATURE, detail)
        said = f"key {shown(name.decode('utf-8', 'backslashreplace'))}"
        if lock is not None:
            detail = f"{said} is not valid at {text_of(timestamp)}; sign with a newer one, or mend its from and until"
            return Refusal(Reason.UNKNOWN_KEY, detail)
        known = ", ".join(key[:-1].decode() for key in list(self._locks)[:_LISTED]) or "none"
        detail = f"{said} is none of office {self.office}, whose keys are {known}; add it to the registry"
        return Refusal(Reason.UNKNOWN_KEY, detail)
