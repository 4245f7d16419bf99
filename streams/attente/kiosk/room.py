"""The room on the disk that a spool needs, so that a full disk never keeps it from being emptied.

SQLite needs room even to take something away: in the `-wal`, where every change is written first, and in the file, when
it writes there what has gathered in the `-wal`. So some room is kept in reserve, and little may gather.
"""

import errno
import os
import shutil
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Final

RESERVE: Final = 1 << 20
"""Bytes: twice what may have gathered, when the last of it found no room in the file, and what taking away writes."""

_PAGE: Final = 4_096
_GATHERED: Final = 64  # pages in the `-wal` after which SQLite writes them to the file
_SPARE: Final = 8  # pages more than events need: those of the tables, and halves that stay empty
_LOW: Final = 2 * _GATHERED * _PAGE  # bytes: a disk with less is nearly full
_LARGE: Final = RESERVE // 4  # bytes of events that gather at once, and ask for room of their own
_ROOMY: Final = 1_024  # pages of a file that gives its room back when it is empty


class Reserve:
    """A file that is there to be deleted when the disk is full."""

    def __init__(self, path: Path) -> None:
        """Describes it; nothing is made."""
        self._path = path

    @property
    def is_kept(self) -> bool:
        """Whether it is there, in its whole size."""
        try:
            return self._path.stat().st_size == RESERVE
        except OSError:
            return False

    def keep(self) -> None:
        """Makes it where it is not.

        Raises:
            OSError: there is no room for it.
        """
        if self.is_kept:
            return
        if _free(self._path) < RESERVE:
            raise _full()
        handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            # Zeros could be kept as a hole, or squeezed to nothing.
            rest = memoryview(os.urandom(RESERVE))
            while rest:
                rest = rest[os.write(handle, rest) :]
            os.fsync(handle)
        except OSError:
            self.release()
            raise
        finally:
            os.close(handle)

    def release(self) -> bool:
        """Gives its room to whoever takes it first; False when there is none to give."""
        try:
            self._path.unlink()
        except OSError:
            return False
        return True


class Room:
    """What a spool does for its room; its connection must not be in a transaction, unless a method says so."""

    def __init__(self, spool: Path, connection: sqlite3.Connection, reserve: Reserve) -> None:
        """Looks after the room of the spool of that name."""
        self._spool = spool
        self._connection = connection
        self._reserve = reserve

    @staticmethod
    def bound(connection: sqlite3.Connection) -> None:
        """Makes a connection let little gather in the `-wal`."""
        connection.execute(f"PRAGMA wal_autocheckpoint={_GATHERED}")
        connection.execute(f"PRAGMA journal_size_limit={_LOW}")

    def spare(self) -> None:
        """On a disk that is nearly full the `-wal` is used again from its start, rather than grows."""
        if _free(self._spool) < _LOW:
            with suppress(sqlite3.Error):
                self._write_out()

    def secure(self, size: int, adding: sqlite3.Connection) -> None:
        """Returns when so many bytes of events can be added, and all can be taken away again, however full the disk.

        Args:
            size: bytes of events.
            adding: the connection that is about to add them, in its transaction.

        Raises:
            OSError: there is no room.
        """
        try:
            self._reserve.keep()
        except OSError:
            # Where the file has room inside nothing has to grow: neither for this nor for taking away.
            (pages,) = adding.execute("PRAGMA freelist_count").fetchone()
            if pages < _SPARE + 2 * size // _PAGE:
                raise
        else:
            if size > _LARGE and _free(self._spool) < 3 * size:
                raise _full()

    def release(self) -> None:
        """Gives up the reserve for what is taken away next; in the transaction that takes it."""
        self._reserve.release()

    def give_back(self, *, is_empty: bool) -> None:
        """After something was taken away: as much of the disk as can be."""
        (pages,) = self._connection.execute("PRAGMA page_count").fetchone()
        if self._reserve.is_kept and pages <= _ROOMY:
            return
        with suppress(sqlite3.Error, OSError):  # the next time does the rest
            self.tidy(is_empty=is_empty)
            self._reserve.keep()

    def tidy(self, *, is_empty: bool) -> None:
        """Leaves as much of the disk as can be without what is held; an empty spool becomes as small as a new one.

        Raises:
            sqlite3.Error: there is no room for that either.
        """
        if is_empty:
            self._reserve.release()
            self._connection.execute("VACUUM")
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        else:
            self._write_out()

    def _write_out(self) -> None:
        # As far as it needs no waiting for readers; the next change then begins the `-wal` anew.
        self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)")


def is_short(error: sqlite3.Error) -> bool:
    """Whether room on the disk may mend an error; a quota is told as any failure to write."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}


def _free(beside: Path) -> int:
    return shutil.disk_usage(beside.parent).free


def _full() -> OSError:
    return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
