"""What a kiosk has accepted and the broker has not yet: one SQLite file that survives `kill -9` and the plug.

An event is on the disk when `add` returns: the file is in WAL mode and every transaction that adds is synchronised.
Taking away is not: after a power cut some events that the broker has are sent again, and a worker knows them already.

Threads that add at once share a synchronisation: whoever has its turn also writes what those behind it wait to add.
Several programs may add to one spool; one of them at a time sends from it, whoever holds `sender_lock`.

On a full disk nothing is accepted, and what is held can be sent and taken away all the same: `attente.kiosk.room`.
"""

import errno
import fcntl
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from attente.kiosk.errors import SpoolBroken, SpoolFull
from attente.kiosk.room import Reserve, Room, is_short
from attente.model.instants import text_of
from attente.wording import counted

FORMAT: Final = 1
"""What `PRAGMA user_version` says of a file of ours."""

MOST_EVENTS: Final = 1_000_000
MOST_BYTES: Final = 256 << 20
"""A large office makes some 5,000 events of 300 bytes a day: this is half a year of them."""

_PATIENCE_S: Final = 30.0  # for another program that is just writing; a transaction takes milliseconds
_STEP: Final = 16  # events of at most 16 kB: what little room is enough for
_MAKE_ROOM: Final = "make room on the disk; what was accepted is kept"
_NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT})

# `held` is one row that both programs of a spool see, so that the bound holds for them together; to count the events
# anew for every one that is added would take a second at a million.
_SCHEMA: Final = """
CREATE TABLE events (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    accepted_ms INTEGER NOT NULL,
    value BLOB NOT NULL
);
CREATE TABLE held (only INTEGER PRIMARY KEY CHECK (only = 1), events INTEGER NOT NULL, bytes INTEGER NOT NULL);
INSERT INTO held VALUES (1, 0, 0);
CREATE TRIGGER added AFTER INSERT ON events BEGIN
    UPDATE held SET events = events + 1, bytes = bytes + length(NEW.value);
END;
CREATE TRIGGER taken_away AFTER DELETE ON events BEGIN
    UPDATE held SET events = events - 1, bytes = bytes - length(OLD.value);
END;
"""


@dataclass(frozen=True, slots=True)
class Held:
    """How much a spool holds. `oldest_ms` is when the oldest event was accepted (Unix ms), 0 when it holds none."""

    events: int
    bytes: int
    oldest_ms: int


@dataclass(frozen=True, slots=True)
class Spooled:
    """An event in the spool: its number, which grows in the order of acceptance, and its bytes."""

    number: int
    value: bytes


@dataclass(slots=True, eq=False)
class _Addition:
    """What one caller adds. `outcome` is the number of its last event, or why there is no room; None until then."""

    values: Sequence[bytes]
    size: int
    outcome: int | SpoolFull | None = None


class Spool:
    """The events of one kiosk that are not yet acknowledged.

    Threads may share it. Use it as a context manager, or `close` it.
    """

    def __init__(
        self,
        path: Path,
        *,
        most_events: int = MOST_EVENTS,
        most_bytes: int = MOST_BYTES,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        """Opens the file, and makes it where there is none.

        Args:
            path: the file; those beside it of the same name with `-wal`, `-shm`, `-reserve`, `-sender` belong to it.
            most_events: a spool that holds so many takes no more.
            most_bytes: nor one with so many bytes of events.
            now_ms: the clock, in Unix milliseconds.

        Raises:
            SpoolBroken: it cannot be opened, or is no spool.
        """
        self.path = path
        self._most_events = most_events
        self._most_bytes = most_bytes
        self._now_ms = now_ms
        self._lock = threading.Lock()
        self._waiting: list[_Addition] = []
        reserve = Reserve(path.with_name(f"{path.name}-reserve"))
        with self._saying("opened"):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # Whoever may write here speaks for the kiosk.
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            try:
                self._open()
            except sqlite3.Error as error:
                if not (is_short(error) and reserve.release()):
                    raise
                self._open()
            self._room = Room(path, self._taking, reserve)
            _synchronise(path.parent)

    def _open(self) -> None:
        self._adding = self._connect("FULL")
        self._prepare()
        self._taking = self._connect("NORMAL")
        self._taking.execute("PRAGMA temp_store=MEMORY")

    def _connect(self, synchronous: str) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path, timeout=_PATIENCE_S, isolation_level=None, check_same_thread=False, cached_statements=16
        )
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(f"PRAGMA synchronous={synchronous}")
        Room.bound(connection)
        return connection

    def _prepare(self) -> None:
        with _transaction(self._adding):
            (found,) = self._adding.execute("PRAGMA user_version").fetchone()
            if found == 0 and not self._adding.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                for statement in _statements(_SCHEMA):
                    self._adding.execute(statement)
                self._adding.execute(f"PRAGMA user_version={FORMAT}")
            elif found != FORMAT:
                msg = f"{self.path}: is no spool of this version (format {found}, not {FORMAT}); name another file"
                raise SpoolBroken(msg)

    # ---- in

    def add(self, values: Sequence[bytes]) -> int:
        """Takes events, all of them or none; when it returns they are on the disk.

        Returns:
            The number of the last one.

        Raises:
            SpoolFull: they would be too many; nothing was taken, and nothing given up.
            SpoolBroken: they could not be written; nothing was taken.
        """
        ours = _Addition(values, sum(map(len, values)))
        self._waiting.append(ours)
        try:
            with self._lock, self._saying("written"):
                if ours.outcome is None:
                    self._room.spare()
                    self._add_with_others(ours)
        finally:
            ours.values = ()  # whoever was interrupted while it waited must not have its events taken later
        if isinstance(ours.outcome, SpoolFull):
            raise ours.outcome
        return ours.outcome or 0

    def _add_with_others(self, ours: _Addition) -> None:
        """Writes what a caller adds, and what others do that have come meanwhile: one synchronisation is for all."""
        waiting, self._waiting = self._waiting, []
        # One that is not among them, because it came just now or its turn with others failed, has its own turn.
        others = [one for one in waiting if one is not ours]
        try:
            self._write([ours, *others])
        except (sqlite3.Error, OSError) as error:
            if isinstance(error, sqlite3.Error) and is_short(error):
                self._room.tidy(is_empty=self._is_empty())
            elif not others or _code(error) == sqlite3.SQLITE_BUSY:
                raise
            self._write([ours])  # it may be the others' events that there is no room for on the disk

    def _write(self, together: Sequence[_Addition]) -> None:
        with _transaction(self._adding):
            now_ms = self._now_ms()
            outcomes = [self._take(one.values, one.size, now_ms) for one in together]
        for one, outcome in zip(together, outcomes, strict=True):
            one.outcome = outcome

    def _take(self, values: Sequence[bytes], size: int, now_ms: int) -> int | SpoolFull:
        if not values:
            return 0
        if full := self._full(len(values), size):
            return full
        self._room.secure(size, self._adding)
        self._adding.executemany(
            "INSERT INTO events (accepted_ms, value) VALUES (?, ?)", [(now_ms, value) for value in values]
        )
        (last,) = self._adding.execute("SELECT max(number) FROM events").fetchone()
        return int(last)

    def _full(self, events: int, size: int) -> SpoolFull | None:
        held = _held(self._adding)
        if held.events + events <= self._most_events and held.bytes + size <= self._most_bytes:
            return None
        since = f"since {text_of(held.oldest_ms)}" if held.events else "and the events alone are more"
        there, most = (
            f"{counted(events, 'event')}, {counted(size, 'byte')}"
            for events, size in ((held.events, held.bytes), (self._most_events, self._most_bytes))
        )
        msg = (
            f"{self.path}: the spool is full: {there} {since} (at most {most}); nothing was lost. See why nothing is "
            "sent, `attente kiosk status`, or give it more room"
        )
        return SpoolFull(msg, held.events, held.oldest_ms)

    # ---- out

    def after(self, number: int, most: int) -> list[Spooled]:
        """The next events in the order of acceptance, after the one of that number."""
        with self._lock, self._saying("read"):
            rows = self._taking.execute(
                "SELECT number, value FROM events WHERE number > ? ORDER BY number LIMIT ?", (number, most)
            ).fetchall()
        return [Spooled(number, value) for number, value in rows]

    def remove_up_to(self, number: int) -> None:
        """Takes away what the broker has acknowledged: all events up to that number.

        Raises:
            SpoolBroken: not all could be taken away; the others are held as before.
        """
        with self._lock, self._saying("written"):
            try:
                with _transaction(self._taking):
                    self._delete(number)
            except sqlite3.Error as error:
                if not is_short(error):
                    raise
                self._delete_in_need(number)
            self._room.give_back(is_empty=self._is_empty())

    def _delete(self, number: int) -> None:
        self._taking.execute("DELETE FROM events WHERE number <= ?", (number,))

    def _delete_in_need(self, number: int) -> None:
        """In small steps, of which each needs little room and leaves it to the next."""
        rows = self._taking.execute("SELECT number FROM events WHERE number <= ? ORDER BY number", (number,)).fetchall()
        steps = [last for (last,) in rows[_STEP - 1 :: _STEP]]
        with _transaction(self._taking):  # nobody adds until the room is used for what it was kept for
            self._room.release()
            self._delete(steps[0] if steps else number)
        for step in (*steps[1:], number):
            with _transaction(self._taking):
                self._delete(step)

    def _is_empty(self) -> bool:
        return not _held(self._taking).events

    def held(self) -> Held:
        """How much it holds now."""
        with self._lock, self._saying("read"):
            return _held(self._taking)

    @contextmanager
    def sender_lock(self) -> Iterator[bool]:
        """Whether this program may send from the spool: while within, nobody else may.

        The lock ends with the process, however that ends.

        Raises:
            SpoolBroken: the file of the lock cannot be opened.
        """
        with self._saying("locked"):
            file = self.path.with_name(f"{self.path.name}-sender").open("a")
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True

    def close(self) -> None:
        """Closes the file; what it holds is there at the next opening. May be called twice."""
        with self._lock:
            self._taking.close()
            self._adding.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def _saying(self, what: str) -> Iterator[None]:
        """Turns what SQLite and the system say into one line with the remedy."""
        try:
            yield
        except sqlite3.Error as error:
            msg = f"{self.path}: the spool cannot be {what}: {error}; {_remedy(error)}"
            raise SpoolBroken(msg) from error
        except OSError as error:
            remedy = _MAKE_ROOM if error.errno in _NO_ROOM else "give it a folder that can be written"
            msg = f"{self.path}: the spool cannot be {what}: {error.strerror}; {remedy}"
            raise SpoolBroken(msg) from error


def _held(connection: sqlite3.Connection) -> Held:
    events, size = connection.execute("SELECT events, bytes FROM held").fetchone()
    oldest = connection.execute("SELECT accepted_ms FROM events ORDER BY number LIMIT 1").fetchone()
    return Held(events, size, oldest[0] if oldest else 0)


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # a full disk ends it by itself
            connection.execute("ROLLBACK")
        raise


def _statements(script: str) -> Iterator[str]:
    """The statements of a script: `executescript` would end the transaction."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _code(error: Exception) -> int:
    """What SQLite says is wrong; 0 for an error that is not its own."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF  # the rest says more of the same


def _remedy(error: sqlite3.Error) -> str:
    match _code(error):
        case sqlite3.SQLITE_FULL:
            return _MAKE_ROOM
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return "put the file away for whoever can mend it, and start with another"
        case sqlite3.SQLITE_BUSY:
            return "another program holds it; see that no backup or editor has it open"
        case _:
            return "see the folder's owner and the disk"


def _synchronise(folder: Path) -> None:
    """The entry of a new file is on the disk too: without it a power cut could take the whole file."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
