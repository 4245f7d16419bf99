"""As much of Kafka's protocol as tells how a listener wants to be spoken to: three requests that take no right."""

import socket
import struct
from typing import Final

from attente.security.connection import MECHANISM
from attente.security.reach import left

UNSUPPORTED_MECHANISM: Final = 33
ILLEGAL_STATE: Final = 34
"""The answer of a listener that asks nobody for a password."""

AUTHENTICATION_FAILED: Final = 58

_SASL_HANDSHAKE: Final = 17, 1
_SASL_AUTHENTICATE: Final = 36, 0
_METADATA: Final = 3, 4
_CLIENT: Final = b"attente-probe"
_LONGEST: Final = 64 << 10  # an answer to one of these has some hundred bytes


class Closed(Exception):  # noqa: N818 - what was seen
    """The other side has closed the connection without an answer."""


class NotKafka(Exception):  # noqa: N818
    """The answer is none of Kafka's.

    Attributes:
        said: how it begins, as far as it is known.
    """

    def __init__(self, said: bytes = b"") -> None:
        super().__init__(said)
        self.said = said


class Wire:
    """Requests over a connection that is there already, until an instant of the monotonic clock."""

    def __init__(self, connection: socket.socket, limit: float) -> None:
        self._connection = connection
        self._limit = limit
        self._number = 0

    def handshake(self) -> tuple[int, list[str]]:
        """Ask for SCRAM-SHA-512: Kafka's error code, and the mechanisms that the listener has.

        Raises:
            Closed, NotKafka, OSError: no answer; TimeoutError: none until the limit.
        """
        answer = self._ask(_SASL_HANDSHAKE, _text(MECHANISM.encode()))
        try:
            code, count = struct.unpack_from(">hi", answer)
            at = 6
            found = []
            for _ in range(count):
                name, at = _string(answer, at)
                found.append(name)
        except (struct.error, UnicodeDecodeError):
            raise NotKafka from None
        return code, found

    def authenticate(self, message: bytes) -> tuple[int, str, bytes]:
        """Say something of the exchange: Kafka's error code, what the broker says to it, and its part.

        Raises:
            Closed, NotKafka, OSError: no answer.
        """
        answer = self._ask(_SASL_AUTHENTICATE, struct.pack(">i", len(message)) + message)
        try:
            code, length = struct.unpack_from(">hh", answer)
            said = answer[4 : 4 + max(0, length)]
            (size,) = struct.unpack_from(">i", answer, 4 + len(said))
        except struct.error:
            raise NotKafka from None
        return code, said.decode(errors="replace"), answer[8 + len(said) :][: max(0, size)]

    def members(self) -> list[tuple[str, int]]:
        """Host and port of each broker of the cluster, as they say that they are to be reached.

        Raises:
            Closed, NotKafka, OSError: no answer.
        """
        answer = self._ask(_METADATA, struct.pack(">ib", 0, 0))  # of no topic, and none is to be made
        found = []
        try:
            _, count = struct.unpack_from(">ii", answer)
            at = 8
            for _ in range(count):
                host, at = _string(answer, at + 4)
                (port,) = struct.unpack_from(">i", answer, at)
                _, at = _string(answer, at + 4)
                if not host or not 0 < port < 1 << 16:
                    raise NotKafka
                found.append((host, port))
        except (struct.error, UnicodeDecodeError):
            raise NotKafka from None
        return found

    def ends_its_line(self, limit: float) -> bytes:
        """What somebody who has waited for the end of a line begins to say once it has come; b"" for nothing.

        Web servers do; a broker takes it for the length of a request that is far too long, and hangs up.
        """
        self._limit = limit
        try:
            self._connection.sendall(b"\r\n\r\n")
            return self._take(4)
        except (Closed, OSError):
            return b""

    def _ask(self, api: tuple[int, int], body: bytes) -> bytes:
        self._number += 1
        request = struct.pack(">hhi", *api, self._number) + _text(_CLIENT) + body
        self._connection.settimeout(left(self._limit))
        self._connection.sendall(struct.pack(">i", len(request)) + request)
        begin = self._take(4)
        (length,) = struct.unpack(">i", begin)
        if not 4 <= length <= _LONGEST:
            raise NotKafka(begin)
        answer = self._take(length)
        if struct.unpack_from(">i", answer) != (self._number,):
            raise NotKafka
        return answer[4:]

    def _take(self, size: int) -> bytes:
        taken = b""
        while len(taken) < size:
            self._connection.settimeout(left(self._limit))  # for each part: it may come drop by drop
            some = self._connection.recv(size - len(taken))
            if not some:
                raise Closed
            taken += some
        return taken


def _string(answer: bytes, at: int) -> tuple[str, int]:
    """A text, and where it ends; none is an empty one."""
    (length,) = struct.unpack_from(">h", answer, at)
    if length < -1:  # it would not come further, two thousand million times
        raise NotKafka
    end = at + 2 + max(0, length)
    return answer[at + 2 : end].decode(), end


def _text(raw: bytes) -> bytes:
    return struct.pack(">h", len(raw)) + raw
