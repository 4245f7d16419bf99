"""What stands at an address in place of the broker that is meant, and what is wrong with how we come to it."""

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

Behaviour = Callable[[socket.socket], None]


def says_nothing(_: socket.socket) -> None:
    """Takes the connection, and that is all."""
    threading.Event().wait()


def closes(connection: socket.socket) -> None:
    """Closes it at once, as a proxy does whose broker is down."""
    connection.close()


def resets(connection: socket.socket) -> None:
    """Breaks it off at once."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def drips(connection: socket.socket) -> None:
    """Promises an answer of 64 kB and gives it byte by byte, for twenty minutes."""
    _drip(connection, b"\0\0\xff\xff")


def drips_tls(connection: socket.socket) -> None:
    """The same as the beginning of TLS."""
    _drip(connection, b"\x16\x03\x03\x40\x00")


def _drip(connection: socket.socket, begin: bytes) -> None:
    connection.sendall(begin)
    while True:
        connection.sendall(b"\0")
        time.sleep(0.02)


def refuses_as_the_web_does(connection: socket.socket) -> None:
    """A web server that looks at the first byte."""
    connection.recv(64)
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
    connection.close()


def asks_for_a_password_in_the_open(connection: socket.socket) -> None:
    """What a SASL_PLAINTEXT listener of Kafka's answers to the request for its mechanisms."""
    (length,) = struct.unpack(">i", connection.recv(4))
    number = connection.recv(length)[4:8]
    answer = number + struct.pack(">hih", 0, 1, 13) + b"SCRAM-SHA-512"
    connection.sendall(struct.pack(">i", len(answer)) + answer)
    connection.recv(1)


def goes_round_in_circles(connection: socket.socket) -> None:
    """An answer with two thousand million mechanisms, each of which takes no room."""
    (length,) = struct.unpack(">i", connection.recv(4))
    number = connection.recv(length)[4:8]
    answer = number + struct.pack(">hih", 0, 0x7FFF_FFFF, -2)
    connection.sendall(struct.pack(">i", len(answer)) + answer)
    connection.recv(1)


@contextmanager
def listening(behaviour: Behaviour) -> Iterator[str]:
    """HOST:PORT of somebody who does this with everyone that comes."""
    server = socket.create_server(("127.0.0.1", 0), backlog=128)

    def one(connection: socket.socket) -> None:
        with contextlib.suppress(OSError, struct.error), connection:
            behaviour(connection)

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=one, args=(server.accept()[0],), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"127.0.0.1:{server.getsockname()[1]}"
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()


def sends_elsewhere(broker: str, other: str) -> Behaviour:
    """A way to a broker in the open on which it seems to say that its cluster is at another port."""
    own, elsewhere = (struct.pack(">i", int(at.rpartition(":")[2])) for at in (broker, other))

    def behave(connection: socket.socket) -> None:
        host, _, port = broker.rpartition(":")
        with socket.create_connection((host, int(port))) as onward:

            def back() -> None:
                with contextlib.suppress(OSError):
                    while said := onward.recv(1 << 16):
                        connection.sendall(said.replace(own, elsewhere))

            threading.Thread(target=back, daemon=True).start()
            while said := connection.recv(1 << 16):
                onward.sendall(said)

    return behave


@contextmanager
def web_server() -> Iterator[str]:
    """HOST:PORT of a web server that waits for the end of a line."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@contextmanager
def nobody() -> Iterator[str]:
    """HOST:PORT that refuses connections, and that nobody else gets meanwhile."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{taken.getsockname()[1]}"


@contextmanager
def black_hole() -> Iterator[str]:
    """HOST:PORT where packets get lost: a queue of connections that is full takes no more, and says so to nobody."""
    with contextlib.ExitStack() as stack:
        full = stack.enter_context(socket.socket())
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(4):
            one = stack.enter_context(socket.socket())
            one.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                one.connect(full.getsockname())
        yield f"127.0.0.1:{full.getsockname()[1]}"
