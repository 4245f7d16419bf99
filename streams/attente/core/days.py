"""What has been sealed: business-day figures, kept 40 days, and lifetime figures."""

import zlib
from array import array
from bisect import bisect_left
from typing import Final

from attente.core import panes
from attente.core.panes import Row, change

DAYS_KEPT: Final = 40


def pack_row(row: Row) -> bytes:
    """A row that rests: 4 to 6 bytes an entry against some 100 as a dict."""
    flat = array("q")
    for key in sorted(row):
        flat.append(key)
        flat.append(row[key])
    return zlib.compress(flat.tobytes(), 1)


def unpack_row(packed: bytes) -> Row:
    """The inverse of `pack_row`."""
    flat = array("q")
    flat.frombytes(zlib.decompress(packed))
    return dict(zip(flat[::2], flat[1::2], strict=True))


def coarse_key(key: int, bounds: tuple[int, ...]) -> int:
    """The key of the histogram bucket that holds a wait; a key without a wait stays as it is."""
    seconds = key & panes.SECONDS
    if seconds == panes.SUM or key >> panes.MEASURE & 255 < panes.SERVED:
        return key
    i = bisect_left(bounds, seconds)
    return key & ~panes.SECONDS | (bounds[i] if i < len(bounds) else panes.BEYOND)


class Days:
    """An office's sealed figures.

    A day that rests is held packed; one that changes is unpacked again until it rests (`rest`). Days hold exact rows,
    the lifetime a coarse one: under any threshold that was a norm's when the visit was sealed it is exact.

    Attributes:
        changes: how often anything has changed; not state.
    """

    def __init__(self) -> None:
        self.moving: dict[int, Row] = {}
        self.resting: dict[int, bytes] = {}
        self.lifetime: Row = {}
        self.changes = 0

    def add(self, day: int, key: int, n: int, bounds: tuple[int, ...]) -> None:
        """Count something of a business day."""
        self.changes += 1
        row = self.moving.get(day)
        if row is None:
            packed = self.resting.pop(day, None)
            row = self.moving[day] = {} if packed is None else unpack_row(packed)
        change(row, key, n)
        change(self.lifetime, coarse_key(key, bounds), n)

    def row(self, day: int) -> Row:
        """The sealed figures of a day; not to be changed."""
        row = self.moving.get(day)
        if row is not None:
            return row
        packed = self.resting.get(day)
        return {} if packed is None else unpack_row(packed)

    def all(self) -> list[int]:
        """The days that have figures, in order."""
        return sorted(self.moving.keys() | self.resting.keys())

    def rest(self, before: int, today: int) -> None:
        """Pack the days before `before`, which hardly change any more, and forget those too old to be kept."""
        for day in [day for day in self.moving if day < before]:
            self.resting[day] = pack_row(self.moving.pop(day))
            self.changes += 1
        for kept in (self.moving, self.resting):
            for day in [day for day in kept if day <= today - DAYS_KEPT]:
                del kept[day]
                self.changes += 1
