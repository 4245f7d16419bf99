"""Time zones and the cut-over: which zones are known, and at which local times a business day may begin there.

Zone rules come from the tzdata package, never from the machine: two workers with the same lock file agree on every
business day.
"""

import difflib
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache
from importlib.resources import files
from typing import Final
from zoneinfo import ZoneInfo

from attente.registry.scalars import FIRST_YEAR, GRID_MIN, LAST_YEAR, Unreadable, time_of_day

PROBE_S: Final = 3 * 86_400
"""How far apart offsets are probed. Since 1990 no zone has changed its offset twice within six days (closest: Brazil's
north-east in October 2000, Palestine around Ramadan), so that no pair of changes falls between two probes; a zone
takes 8 ms."""

GRID_S: Final = GRID_MIN * 60
DAY_S: Final = 86_400
DAY_MIN: Final = 1440


@dataclass(frozen=True, slots=True)
class Change:
    """A zone changes its offset from UTC: `at` in seconds since 1970, offsets in seconds east."""

    at: int
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Rules:
    """The offsets of a zone from 1990 to 2050: the first one and every change."""

    first: int
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Clash:
    """A local time of day that a night skips or repeats, and the first date on which it does."""

    on: date
    skipped: bool


@lru_cache(maxsize=1)
def names() -> frozenset[str]:
    """Every zone of the tzdata package."""
    return frozenset(files("tzdata").joinpath("zones").read_text(encoding="ascii").split()) - {"Factory"}


def zone_name(value: str) -> str:
    """The name of a known zone, as it is.

    Raises:
        Unreadable: there is no such zone; the message names the nearest.
    """
    if value in names():
        return value
    near = _nearest(value)
    remedy = f"did you mean {near}?" if near else "write one like Europe/Paris"
    raise Unreadable(value, f"is no IANA time zone; {remedy}")


@lru_cache(maxsize=1024)
def _nearest(value: str) -> str:
    # Etc/GMT+1 lies west of Greenwich, the opposite of what whoever writes GMT+1 means: never propose those.
    places = sorted(name for name in names() if "/" in name and not name.startswith("Etc/"))
    folded = value.strip().replace(" ", "_").casefold()
    for name in places:
        if folded in {name.casefold(), name.rpartition("/")[2].casefold()}:
            return name
    return next(iter(difflib.get_close_matches(value, places, n=1)), "")


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo:
    """A zone by the rules of the tzdata package."""
    with files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)


@lru_cache(maxsize=1024)
def rules(name: str) -> Rules:
    """The offsets of a known zone."""
    return rules_of(zone(name))


def rules_of(of: tzinfo) -> Rules:
    """The offsets of a zone from 1990 to 2050, found by probing and halving."""
    at = int(datetime(FIRST_YEAR, 1, 1, tzinfo=UTC).timestamp())
    end = int(datetime(LAST_YEAR + 1, 1, 1, tzinfo=UTC).timestamp())
    first = offset = _offset(of, at)
    changes = []
    while at < end:
        probe = min(at + PROBE_S, end)
        if _offset(of, probe) != offset:
            probe = _first_instant_of_another(of, at, probe, offset)
            changes.append(Change(probe, offset, _offset(of, probe)))
            offset = changes[-1].after
        at = probe
    return Rules(first, tuple(changes))


def _first_instant_of_another(of: tzinfo, low: int, high: int, offset: int) -> int:
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(of, middle) == offset:
            low = middle
        else:
            high = middle
    return high


def _offset(of: tzinfo, at: int) -> int:
    return (datetime.fromtimestamp(at, of).utcoffset() or timedelta()) // timedelta(seconds=1)


def offset_at(of: Rules, at: int) -> int:
    """Seconds east of UTC at an instant in seconds; before 1990 and after 2050 as at that end."""
    past = bisect_right(of.changes, at, key=lambda change: change.at)
    return of.changes[past - 1].after if past else of.first


def off_grid(of: Rules) -> int | None:
    """The first offset that is not a whole number of five minutes: its local days would cut panes in two."""
    offsets = (of.first, *(change.after for change in of.changes))
    return next((offset for offset in offsets if offset % GRID_S), None)


def clashes(of: Rules) -> dict[int, Clash]:
    """The minutes after midnight, on the grid, at which no business day can begin.

    A change from `before` to `after` at an instant skips the local times `[at + before, at + after)` when the clocks go
    forward and repeats `[at + after, at + before)` when they go back.
    """
    found: dict[int, Clash] = {}
    for change in of.changes:
        low = change.at + min(change.before, change.after)
        high = change.at + max(change.before, change.after)
        for local in range(-(-low // GRID_S) * GRID_S, high, GRID_S):
            on = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=local)).date()
            found.setdefault(local % DAY_S // 60, Clash(on, change.after > change.before))
    return found


def suitable(wanted: int, barred: Iterable[Mapping[int, Clash]]) -> int | None:
    """The cut-over nearest to a wanted one that no zone bars, a full hour if one is left; None if all are barred."""
    taken = set().union(*barred)
    free = (minutes for minutes in range(0, DAY_MIN, GRID_MIN) if minutes not in taken)
    return min(free, key=lambda minutes: (minutes % 60 > 0, abs(minutes - wanted), -minutes), default=None)


def flaw(name: str, cut_over: int, barred: Mapping[str, Mapping[int, Clash]]) -> str | None:
    """What is wrong with a cut-over in one zone of a network: a sentence without its subject, or None.

    Args:
        name: the zone in question.
        cut_over: in minutes after midnight.
        barred: the clashes of each zone of the network; the remedy suits all of them where it can.
    """
    clash = barred[name].get(cut_over)
    if clash is None:
        return None
    happens = "does not exist" if clash.skipped else "happens twice"
    return f"{happens} in {name} on {clash.on}; {_remedy(name, cut_over, barred)}"


def _remedy(name: str, cut_over: int, barred: Mapping[str, Mapping[int, Clash]]) -> str:
    if suitable(cut_over, [barred[name]]) is None:
        return f"no cut-over suits this zone, {_fixed(name)}"
    better = suitable(cut_over, [zone for zone in barred.values() if suitable(cut_over, [zone]) is not None])
    if better is None:
        return "no cut-over suits all zones of this file, make two networks of it"
    return f"write cut_over: {time_of_day(better)}"


def _fixed(name: str) -> str:
    # Zones that once skipped a whole day (islands that crossed the date line) keep a fixed offset today.
    offset = rules(name).changes[-1].after
    fixed = f"Etc/GMT{-offset // 3600:+d}"
    return f"write {fixed} where offices keep no summer time" if fixed in names() else "use another one"
