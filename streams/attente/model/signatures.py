"""The signature of an event: a keyed hash in a header of its record, by a key that belongs to one office.

Any kiosk may write to the topic of the events, and so could write another office's name. A signature binds a record's
key (the office) and its value (the event) to a secret that this office and the workers alone have.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import blake2b
from typing import Final

from attente.model.names import ID_LENGTH, is_id

HEADER: Final = "attente-signature"
"""The name of the header: its content is the key's id, a colon, and the 16 bytes of the hash."""

SECRET_BYTES: Final = 32
MAC_BYTES: Final = 16

_EVENT: Final = b"attente.event/1"  # BLAKE2b's own place for what a hash is of: one of the other never fits
_KEY: Final = b"attente.key/1"
_SECRET: Final = re.compile(r"[0-9a-f]{64}")
_WORDS: Final = 3
_FINGER: Final = 12  # digits of the fingerprint in a key's id: nobody has to think of a name that is not taken

Headers = Iterable[tuple[str, bytes | None]]


class Algorithm(StrEnum):
    """How a signature is computed. There is one; the registry names it, so that there can be another."""

    BLAKE2B = "blake2b"


class Verdict(StrEnum):
    """What is found of an event's signature; all but the first are reasons for a refusal, too."""

    VALID = "valid"
    UNSIGNED = "unsigned"
    UNKNOWN_KEY = "unknown_key"
    BAD_SIGNATURE = "bad_signature"


VERDICTS: Final = tuple(Verdict)


class KeysUnreadable(ValueError):  # noqa: N818 - the name is what the text is
    """A text that holds no keys; the message names the line, never what stands in it."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key of an office. Its secret is shown by nothing that shows the key.

    Attributes:
        id: unique in the network; it stands in every signature.
        office: whose events it signs.
        secret: 32 random bytes.
    """

    id: str
    office: str
    secret: bytes = field(repr=False)

    @property
    def fingerprint(self) -> str:
        """What the registry says of the secret, which nobody can find from it."""
        return fingerprint(self.secret)

    @property
    def line(self) -> str:
        """The key as `read_keys` reads it, the secret included."""
        return f"{self.id} {self.office} {self.secret.hex()}"


def fingerprint(secret: bytes) -> str:
    """32 hexadecimal digits that follow from a secret. It is no hint at one of 256 random bits."""
    return blake2b(secret, digest_size=16, person=_KEY).hexdigest()


def named(office: str, kiosk: str, secret: bytes) -> Key:
    """A key with an id made of whose it is and of its fingerprint; `kiosk` is "" where all of an office share it."""
    whose = f"{office}.{kiosk}" if kiosk else office
    return Key(f"{whose[: ID_LENGTH - _FINGER - 1]}.{fingerprint(secret)[:_FINGER]}", office, secret)


def started(key_id: str, office: str, secret: bytes) -> blake2b:
    """The hash of everything that is the same for all events of a key, to be copied for each.

    What is hashed is the key's id, a zero byte, the record's key, a zero byte, the value: ids have no zero bytes, so
    nothing else is written the same way.
    """
    return blake2b(b"%b\0%b\0" % (key_id.encode(), office.encode()), digest_size=MAC_BYTES, key=secret, person=_EVENT)


class Keyring:
    """The secrets by the ids of their keys; whatever shows it does not show them."""

    def __init__(self, keys: Iterable[Key] = ()) -> None:
        """Takes some keys."""
        self._secrets = {key.id: key.secret for key in keys}

    def secret(self, key_id: str) -> bytes:
        """The secret of a key.

        Raises:
            KeyError: there is none.
        """
        return self._secrets[key_id]


NO_KEYS: Final = Keyring()
"""For a network in which no signatures are looked at; a plan of any other one cannot be made with it."""


class Signer:
    """Signs the events of one office. Threads may share it."""

    def __init__(self, key: Key) -> None:
        """Takes the key."""
        self.key = key
        self._before = f"{key.id}:".encode()
        self._state = started(key.id, key.office, key.secret)

    def sign(self, value: bytes) -> bytes:
        """The content of the header for an event as it is sent, byte for byte."""
        state = self._state.copy()
        state.update(value)
        return self._before + state.digest()

    def headers(self, value: bytes) -> list[tuple[str, bytes]]:
        """The headers of its record."""
        return [(HEADER, self.sign(value))]


def signature_in(headers: Headers) -> bytes | None:
    """The signature among a record's headers; of several it is the last, as everywhere in Kafka."""
    found = None
    for name, content in headers:
        if name == HEADER:
            found = content
    return found


def read_keys(text: str) -> tuple[Key, ...]:
    """The keys of a text: a line each with id, office and secret (64 hexadecimal digits); `#` begins a comment.

    Raises:
        KeysUnreadable: a line is none, or an id comes twice.
    """
    keys: dict[str, Key] = {}
    for key, number in _keys(text):
        if key.id in keys:
            raise _unreadable(number, f"key {key.id} stands above already; keep one of the lines")
        keys[key.id] = key
    return tuple(keys.values())


def _keys(text: str) -> Iterator[tuple[Key, int]]:
    for number, line in enumerate(text.splitlines(), 1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        if len(words) != _WORDS:
            raise _unreadable(number, f"{len(words)} words, not three; write: KEY-ID OFFICE SECRET")
        key_id, office, secret = words
        # Whatever stands there could be the secret: it is not shown.
        if _SECRET.fullmatch(secret) is None:
            raise _unreadable(number, "the third word is no secret of 64 hexadecimal digits; see `attente keys new`")
        if not (is_id(key_id) and is_id(office)):
            raise _unreadable(number, "the first two words are no ids of a key and an office; see `attente keys new`")
        yield Key(key_id, office, bytes.fromhex(secret)), number


def _unreadable(number: int, what: str) -> KeysUnreadable:
    return KeysUnreadable(f"line {number}: {what}")
