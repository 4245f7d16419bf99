"""What stands in a broker's place is told apart, in each way to connect, before the time is over; without a Kafka."""

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from access.faults import (
    asks_for_a_password_in_the_open,
    black_hole,
    closes,
    drips,
    drips_tls,
    goes_round_in_circles,
    listening,
    nobody,
    refuses_as_the_web_does,
    resets,
    says_nothing,
    web_server,
)
from attente.broker.certificates import Authority, Pair
from attente.errors import BrokerRefused, BrokerUnreachable, Unreachable
from attente.security import PLAINTEXT, Security, probe
from needs import program
from workers import HANG_S

WITHIN_S = 1.0
SILENT = ("answers at AT within 1 s, though something listens there",)
WEB = ("at AT (a web server answers there)",)
ELSE = ("at AT (something else answers there)",)
GONE = ("at AT (the connection is taken, and closed without an answer)", "at AT (connection reset by peer)")

# Who is there, and what may be said of it: in the open, and over TLS.
OTHERS: dict[str, tuple[Callable[[], AbstractContextManager[str]], tuple[str, ...], tuple[str, ...]]] = {
    "nobody": (nobody, ("at AT (connection refused)",), ("at AT (connection refused)",)),
    "lost packets": (black_hole, ("at AT (no answer)",), ("at AT (no answer)",)),
    "silent": (lambda: listening(says_nothing), SILENT, SILENT),
    "closes": (lambda: listening(closes), GONE, GONE),
    "resets": (lambda: listening(resets), GONE, GONE),
    "drips": (lambda: listening(drips), SILENT, SILENT),
    "drips as TLS": (lambda: listening(drips_tls), ELSE, (*ELSE, *SILENT)),
    "web": (lambda: listening(refuses_as_the_web_does), WEB, WEB),
    "web that waits": (web_server, WEB, WEB),
    "circles": (lambda: listening(goes_round_in_circles), ELSE, ELSE),
}


@pytest.fixture(scope="module")
def ways(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Security]:
    """Every way to connect."""
    program("openssl")
    folder = tmp_path_factory.mktemp("ways")
    authority = Authority(folder)
    authority.make("ours")
    pair = Pair(folder / "client.crt", folder / "client.key")
    authority.issue("attente.worker", pair)
    return {
        "in the open": PLAINTEXT,
        "over TLS": Security(protocol="tls", ca=authority.cert),
        "with a certificate": Security(protocol="tls", ca=authority.cert, cert=pair.cert, key=pair.key),
        "with a password": Security(protocol="sasl", ca=authority.cert, user="u", password="p"),  # noqa: S106
    }


def said(broker: str, security: Security) -> Unreachable:
    with pytest.raises(Unreachable) as refused:
        probe(broker, security, WITHIN_S)
    assert "\n" not in str(refused.value)
    return refused.value


@pytest.fixture(scope="module")
def told(ways: dict[str, Security]) -> Iterator[dict[tuple[str, str], tuple[str, Unreachable]]]:
    """Where each was looked for, and what was said of it; all at once, most of the time is waiting."""
    with contextlib.ExitStack() as stack, ThreadPoolExecutor(len(OTHERS) * len(ways)) as threads:
        asked = {
            (name, way): (at, threads.submit(said, at, security))
            for name, (stand, *_) in OTHERS.items()
            for at in [stack.enter_context(stand())]
            for way, security in ways.items()
        }
        yield {cell: (at, future.result(HANG_S)) for cell, (at, future) in asked.items()}


@pytest.mark.parametrize("other", OTHERS)
def test_who_is_no_broker_is_told_apart_and_may_be_one_later(
    other: str, ways: dict[str, Security], told: dict[tuple[str, str], tuple[str, Unreachable]]
) -> None:
    _, in_the_open, over_tls = OTHERS[other]
    for way, security in ways.items():
        at, error = told[other, way]
        # A worker waits for it, and does not end: a proxy stands there before its broker does.
        assert isinstance(error, BrokerUnreachable), way
        may = in_the_open if security is PLAINTEXT else over_tls
        assert any(f"no Kafka broker {one.replace('AT', at)}; " in str(error) for one in may), f"{way}: {error}"


def test_a_broker_that_wants_a_password_in_the_open_is_never_given_one(ways: dict[str, Security]) -> None:
    with listening(asks_for_a_password_in_the_open) as at:
        for security in ways.values():
            error = said(at, security)
            assert isinstance(error, BrokerRefused)
            assert str(error).startswith(f"the broker at {at} asks for a user and a password in the open")


# Names


@pytest.fixture
def silent_names(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A name service that does not answer before the test is over."""
    is_over = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: is_over.wait(HANG_S) and [])
    yield
    is_over.set()


@pytest.mark.usefixtures("silent_names")
def test_a_name_service_that_does_not_answer_is_waited_for_no_longer_than_a_broker() -> None:
    with ThreadPoolExecutor(1) as thread:
        error = thread.submit(said, "kafka.example:9092", PLAINTEXT).result(HANG_S / 2)

    assert str(error).startswith("no Kafka broker at kafka.example:9092 (the name service does not answer); ")


@pytest.mark.parametrize("name", ["a..b", ".b", "a" * 64, "xn--a"])
def test_what_cannot_be_the_name_of_a_host_is_told(name: str) -> None:
    assert str(said(f"{name}:9092", PLAINTEXT)).startswith(f"no Kafka broker at {name}:9092 (")


def addresses(*ports: int) -> Callable[..., list[object]]:
    """A name that leads to several addresses."""
    kind = (socket.AF_INET, socket.SOCK_STREAM, 0, "")
    return lambda *_, **__: [(*kind, ("127.0.0.1", port)) for port in ports]


def test_of_several_addresses_of_a_name_each_has_its_share_of_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    with black_hole() as hole, nobody() as down, listening(refuses_as_the_web_does) as web:
        ports = [int(at.rpartition(":")[2]) for at in (hole, down, web)]
        monkeypatch.setattr(socket, "getaddrinfo", addresses(*ports))

        assert "(a web server answers there)" in str(said("kafka.example:9092", PLAINTEXT))

        monkeypatch.setattr(socket, "getaddrinfo", addresses())
        assert "(it has no address)" in str(said("kafka.example:9092", PLAINTEXT))


def test_a_file_of_ours_that_cannot_be_used_is_told_before_anybody_is_asked(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="absent: cannot be read") as refused:
        probe("127.0.0.1:1", Security(protocol="tls", ca=tmp_path / "absent"))

    assert not isinstance(refused.value, Unreachable)


def says_of_its_cluster(host: bytes, port: int) -> Callable[[socket.socket], None]:
    """What a broker in the open answers to the two questions."""

    def behave(connection: socket.socket) -> None:
        for body in (
            struct.pack(">hi", 34, 0),
            struct.pack(">iii", 0, 1, 1) + struct.pack(">h", len(host)) + host + struct.pack(">ih", port, -1),
        ):
            (length,) = struct.unpack(">i", connection.recv(4))
            answer = connection.recv(length)[4:8] + body
            connection.sendall(struct.pack(">i", len(answer)) + answer)
        connection.recv(1)

    return behave


def test_a_broker_that_sends_us_where_it_is_itself_or_says_nothing_to_the_purpose_is_believed() -> None:
    with black_hole() as hole, nobody() as down:
        with listening(says_of_its_cluster(b"127.0.0.1", int(down.rpartition(":")[2]))) as at:
            assert f"no Kafka broker at {down} (connection refused), where the one at {at} says" in str(
                said(at, PLAINTEXT)
            )
        with listening(says_of_its_cluster(b"127.0.0.1", int(hole.rpartition(":")[2]))) as at:
            assert f"no Kafka broker at {hole} (no answer), where the one at {at} says" in str(said(at, PLAINTEXT))
        for host, port in ((b"", 9092), (b"127.0.0.1", -1), (b"127.0.0.1", 1 << 20), (b"\xff", 9092)):
            with listening(says_of_its_cluster(host, port)) as at:
                probe(at, PLAINTEXT, WITHIN_S)
