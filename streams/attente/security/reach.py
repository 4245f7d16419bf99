"""A TCP connection within a time, the name service included: Python's own waits for that as long as the system does."""

import queue
import socket
import threading
import time
from typing import Any, Final

_LEAST_S: Final = 0.05  # a time-out of nothing would mean: do not wait at all


class Unnamed(OSError):  # noqa: N818 - what was seen
    """A host's name leads to no address; the message says why."""


def left(limit: float) -> float:
    """The seconds until an instant of the monotonic clock.

    Raises:
        TimeoutError: there are none.
    """
    rest = limit - time.monotonic()
    if rest <= 0:
        raise TimeoutError
    return max(_LEAST_S, rest)


def connected(host: str, port: int, limit: float) -> socket.socket:
    """A connection to the first address of a host that takes one.

    Args:
        host: a name or an address.
        port: where it listens.
        limit: until when, by the monotonic clock.

    Raises:
        Unnamed: the name leads nowhere, or nobody says where in time.
        TimeoutError, OSError: no address takes the connection; of several the last one's reason.
    """
    addresses = _addresses(host, port, limit)
    why: OSError = Unnamed("it has no address")
    for position, (family, kind, protocol, _, address) in enumerate(addresses):
        one = socket.socket(family, kind, protocol)
        try:
            # One that never answers leaves its share to the next: of `localhost` the first is often another one.
            one.settimeout(left(limit) / (len(addresses) - position))
            one.connect(address)
        except OSError as error:
            one.close()
            why = error
        else:
            return one
    raise why


def _addresses(host: str, port: int, limit: float) -> list[Any]:
    # Nothing ends a look-up before the system's own time is over, which may be half a minute: it is left behind.
    found: queue.SimpleQueue[list[Any] | Exception] = queue.SimpleQueue()
    threading.Thread(target=_look_up, args=(host, port, found), name="attente-name", daemon=True).start()
    try:
        answer = found.get(timeout=left(limit))
    except queue.Empty:
        msg = "the name service does not answer"
        raise Unnamed(msg) from None
    if isinstance(answer, Exception):
        raise Unnamed((getattr(answer, "strerror", None) or "it is no name of a host").lower()) from None
    return answer


def _look_up(host: str, port: int, found: "queue.SimpleQueue[list[Any] | Exception]") -> None:
    try:
        found.put(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    except (OSError, UnicodeError) as error:  # the latter for what no name can be
        found.put(error)
