"""What libraries say while a broker is away: on stderr, one line each, and not fifteen thousand."""

import logging
from types import SimpleNamespace

import pytest
from aiokafka.errors import CommitFailedError, KafkaConnectionError

from attente.engine import logs
from attente.engine.logs import OncePerMinute, Seldom, named


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, as a list of one that a test changes."""
    now = [1_000.0]
    monkeypatch.setattr(logs, "time", SimpleNamespace(monotonic=lambda: now[0]))
    return now


def line(message: str, *arguments: object, logger: str = "aiokafka") -> logging.LogRecord:
    return logging.LogRecord(logger, logging.WARNING, "somewhere.py", 1, message, arguments, None)


def test_a_kind_of_line_comes_through_once_a_minute(clock: list[float]) -> None:
    seldom = OncePerMinute()
    kind = "Unable connect to node with id %s"
    assert seldom.filter(line(kind, 1))
    assert not seldom.filter(line(kind, 2))  # another node, the same kind
    clock[0] += 59.9
    assert not seldom.filter(line(kind, 1))
    clock[0] += 0.2
    assert seldom.filter(line(kind, 1))
    assert not seldom.filter(line(kind, 1))


def test_other_kinds_and_other_loggers_are_not_held_back(clock: list[float]) -> None:
    seldom = OncePerMinute()
    assert seldom.filter(line("Unable to connect"))
    assert seldom.filter(line("Unable to update metadata"))
    assert seldom.filter(line("Unable to connect", logger="faust"))


def test_what_is_tried_each_second_is_told_at_once_then_once_a_minute_and_at_once_after_it_was_over(
    clock: list[float],
) -> None:
    seldom = Seldom()
    told = []
    for second in range(130):
        clock[0] = 1_000.0 + second
        if seldom():
            told.append(second)
    assert told == [0, 60, 120]
    seldom.reset()
    assert seldom()


def test_a_traceback_of_a_library_becomes_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    before = logging.getLogger().handlers[:], logging.getLogger().level
    try:
        logs.setup()
        try:
            raise ConnectionResetError(104, "Connection reset\nby peer")
        except ConnectionResetError:
            logging.getLogger("aiokafka.conn").exception("Closing %s:\nlost", "it")
        logging.getLogger("faust").info("not worth a word")
    finally:
        logging.getLogger().handlers[:], level = before
        logging.getLogger().setLevel(level)
    assert capsys.readouterr().err == (
        "attente: aiokafka.conn: Closing it: lost: ConnectionResetError(104, 'Connection reset\\nby peer')\n"
    )


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (KafkaConnectionError("no broker\nat all"), "KafkaConnectionError: no broker at all"),
        (ConnectionRefusedError(111, "refused"), "ConnectionRefusedError: refused"),
        (TimeoutError(), "TimeoutError"),
        # aiokafka puts a page of advice before what it has to say.
        (CommitFailedError("the group has rebalanced"), "CommitFailedError: the group has rebalanced"),
    ],
)
def test_an_error_is_named_on_one_line(error: BaseException, said: str) -> None:
    assert named(error) == said
