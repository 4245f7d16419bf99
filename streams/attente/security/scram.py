"""The client's side of SCRAM-SHA-512 (RFC 5802, RFC 7677), by which both sides prove a password."""

import hmac
import secrets
from base64 import b64decode, b64encode
from hashlib import pbkdf2_hmac, sha512
from typing import Final

_MOST_ITERATIONS: Final = 1_000_000  # a false broker could make us compute for hours


class WrongProof(Exception):  # noqa: N818 - what was seen
    """The other side says something that nobody who knows the password would say."""


class Scram:
    """One exchange: `first`, then `final` of the broker's answer, then `verify` what it says to that."""

    def __init__(self, user: str, password: str, nonce: str = "") -> None:
        """Begins.

        Args:
            user: without a comma or an equals sign.
            password: what both sides know.
            nonce: for a test against published values; without one a random one.
        """
        self._bare = f"n={user},r={nonce or secrets.token_urlsafe(24)}"
        self._password = password.encode()
        self._expected = b""

    def first(self) -> bytes:
        """What is said first."""
        return f"n,,{self._bare}".encode()

    def final(self, challenge: bytes) -> bytes:
        """The proof, of what the broker has answered first.

        Raises:
            WrongProof: it has not answered us.
        """
        parts = _parts(challenge)
        nonce = parts.get("r", "")
        iterations = int(parts["i"]) if parts.get("i", "").isdecimal() else 0
        if not nonce.startswith(self._bare.partition(",r=")[2]) or not 0 < iterations <= _MOST_ITERATIONS:
            msg = "its challenge is not an answer to ours"
            raise WrongProof(msg)
        salted = pbkdf2_hmac("sha512", self._password, b64decode(parts["s"]), iterations)
        without_proof = f"c=biws,r={nonce}"
        signed = f"{self._bare},{challenge.decode()},{without_proof}".encode()
        key = _hmac(salted, b"Client Key")
        signature = _hmac(sha512(key).digest(), signed)
        proof = bytes(one ^ other for one, other in zip(key, signature, strict=True))
        self._expected = _hmac(_hmac(salted, b"Server Key"), signed)
        return f"{without_proof},p={b64encode(proof).decode()}".encode()

    def verify(self, said: bytes) -> None:
        """Whether the broker knows the password too.

        Raises:
            WrongProof: it does not.
        """
        if not hmac.compare_digest(b64decode(_parts(said).get("v", "")), self._expected):
            msg = "it does not know the password itself"
            raise WrongProof(msg)


def _parts(message: bytes) -> dict[str, str]:
    pairs = (part.partition("=") for part in message.decode(errors="replace").split(","))
    return {name: value for name, _, value in pairs}


def _hmac(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, "sha512")
