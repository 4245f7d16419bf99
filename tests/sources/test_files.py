"""Files that are written whole or not at all."""

import os
import threading
from pathlib import Path

import pytest

from attente.errors import Missing
from attente.sources.files import whole


def test_a_file_appears_when_all_of_it_is_there(tmp_path: Path) -> None:
    path = tmp_path / "events.ndjson"
    with whole(path) as stream:
        stream.write(b"one\n")
        assert not path.exists()
    assert path.read_bytes() == b"one\n"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_was_there_stays_when_its_successor_fails(tmp_path: Path) -> None:
    path = tmp_path / "events.ndjson"
    path.write_bytes(b"old\n")
    with pytest.raises(ZeroDivisionError), whole(path) as stream:
        stream.write(b"%d" % (1 // len(b"")))
    assert path.read_bytes() == b"old\n"
    assert list(tmp_path.iterdir()) == [path]


def test_a_pipe_takes_what_it_gets(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    with whole(pipe) as stream:
        stream.write(b"one\n")
    reader.join(10)
    assert read == [b"one\n"]
    assert pipe.is_fifo()


def test_a_folder_that_is_not_there_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(Missing, match="cannot be written: No such file or directory"), whole(tmp_path / "no" / "x"):
        pytest.fail("opened")
