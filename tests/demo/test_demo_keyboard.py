"""Keys: which bytes mean what, and that a terminal is given back as it was."""

import os
import pty
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest

from attente.demo.keyboard import Key, NoKeyboard, TerminalKeyboard, keyboard, parse

ESCAPE = b"\x1b"


@pytest.mark.parametrize(
    ("data", "keys"),
    [
        (b"+", [Key.MORE]),
        (b"k", [Key.KILL]),
        (b"K", [Key.KILL]),
        (b"snq", [Key.SORT, Key.NORM, Key.QUIT]),
        (b"\x1b[A\x1b[B", [Key.UP, Key.DOWN]),
        (b"\x1bOA\x1bOB", [Key.UP, Key.DOWN]),
        (b"\x1b[5~\x1b[6~ ", [Key.PAGE_UP, Key.PAGE_DOWN, Key.PAGE_DOWN]),
        (b"\x1b[H\x1b[F\x1b[1~\x1b[4~", [Key.FIRST, Key.LAST, Key.FIRST, Key.LAST]),
        (b"x\x1b[15~\x1b[1;5Ak", [Key.KILL]),  # F5 and Ctrl-Up mean nothing, and hide nothing
        (b"\x1bk", [Key.KILL]),  # Escape, then k
        ("é+".encode(), [Key.MORE]),
        (b"", []),
    ],
)
def test_bytes_mean_keys(data: bytes, keys: list[Key]) -> None:
    assert parse(data) == (keys, b"")


@pytest.mark.parametrize("beginning", [ESCAPE, b"\x1b[", b"\x1b[5", b"\x1bO"])
def test_a_key_whose_end_has_not_come_is_kept_for_later(beginning: bytes) -> None:
    assert parse(b"k" + beginning) == ([Key.KILL], beginning)


@pytest.mark.parametrize("cut", range(1, 4))
def test_a_key_that_comes_in_two_parts_is_one_key(cut: int) -> None:
    first, rest = parse(b"\x1b[5~"[:cut])
    second, nothing = parse(rest + b"\x1b[5~"[cut:])

    assert (first, second, nothing) == ([], [Key.PAGE_UP], b"")


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    """A terminal: the end of the one who types, and the end of the program."""
    typist, program = pty.openpty()
    yield typist, program
    for end in (typist, program):
        try:
            os.close(end)
        except OSError:
            continue


def test_a_key_is_heard_at_once_and_without_a_line_end(terminal: tuple[int, int]) -> None:
    typist, program = terminal
    attributes = termios.tcgetattr(program)
    attributes[3] &= ~termios.ICANON
    termios.tcsetattr(program, termios.TCSANOW, attributes)
    os.write(typist, b"k\x1b[B")

    keys = TerminalKeyboard(program).keys(30.0)

    assert keys == [Key.KILL, Key.DOWN]


def test_a_terminal_that_is_closed_is_listened_to_no_more(terminal: tuple[int, int]) -> None:
    typist, program = terminal
    os.close(typist)
    heard = TerminalKeyboard(program)

    assert heard.keys(30.0) == []
    assert not heard.listens
    assert heard.keys(0.0) == []


def test_where_standard_input_is_no_terminal_nobody_is_listened_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "input").write_text("q")
    with (tmp_path / "input").open() as file:
        monkeypatch.setattr("sys.stdin", file)
        with keyboard(wanted=True) as heard:
            assert isinstance(heard, NoKeyboard)
            assert heard.keys(0.0) == []


def test_a_closed_standard_input_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", None)

    with keyboard(wanted=True) as heard:
        assert not heard.listens
