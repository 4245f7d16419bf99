"""Files that several processes share: locks, and writes that are there whole or not at all."""

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Hold a lock that ends with this process at the latest; another process waits for it.

    The file stays: removing it would let two processes hold locks on two files of one name.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def write_whole(file: Path, text: str, *, mode: int | None = None) -> None:
    """Write a file so that a reader, or a crash, finds either the old or the new one.

    Args:
        file: the file.
        text: what is in it.
        mode: who may read it from its first byte on; None leaves that to the process's mask.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    scratch = file.with_name(f".{file.name}.{os.getpid()}.{threading.get_ident()}")
    try:
        if mode is not None:
            scratch.touch(mode)
            scratch.chmod(mode)
        scratch.write_text(text, encoding="utf-8")
        scratch.replace(file)
    finally:
        scratch.unlink(missing_ok=True)
