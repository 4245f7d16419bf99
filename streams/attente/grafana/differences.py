"""Whether two dashboards are the same, and where they differ, in words that somebody who reads dashboards knows."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

Json = dict[str, Any]

_OF_THE_STORE: Final = ("id", "version")
"""What Grafana numbers by itself: another Grafana, or the next save, has other numbers."""

_NAMES: Final = ("title", "name", "refId", "uid", "id")
"""How the entries of a list are called, the best name first."""
_IDENTITIES: Final = ("id", "refId", "name", "uid")
"""What tells two entries of a list apart though their content has changed."""

ABSENT: Final = "(nothing)"
_LONGEST: Final = 300  # a query of four lines; more of a value does not help to recognise it


@dataclass(frozen=True, slots=True)
class Change:
    """One place of a dashboard, and its value before and after, as text; `ABSENT` where there is none."""

    where: str
    before: str
    after: str


def normalised(board: Mapping[str, Any]) -> Json:
    """A dashboard without what Grafana adds: its own numbers, and nulls where nothing was said."""
    kept = {key: value for key, value in board.items() if key not in _OF_THE_STORE}
    stripped: Json = _without_nulls(kept)
    return stripped


def fingerprint(board: Mapping[str, Any], folder_uid: str) -> str:
    """12 hexadecimal digits over what a dashboard says and the folder it is in; order and layout do not count."""
    text = json.dumps([folder_uid, normalised(board)], sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Change, ...]:
    """What changes from one dashboard to another, in the order of the new one."""
    return tuple(_compare("", normalised(before), normalised(after)))


def shown(value: object) -> str:
    """A value as it is shown in a change: text as it is, anything else as JSON, long ones cut."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(inner) for key, inner in value.items() if inner is not None}
    if isinstance(value, list):
        return [_without_nulls(inner) for inner in value]
    return value


def _compare(where: str, before: Any, after: Any) -> Iterator[Change]:
    if isinstance(before, dict) and isinstance(after, dict):
        yield from _compare_maps(where, before, after)
    elif isinstance(before, list) and isinstance(after, list):
        yield from _compare_lists(where, before, after)
    elif before != after or isinstance(before, bool) != isinstance(after, bool):  # to Python true and 1 are equal
        yield Change(where, shown(before), shown(after))


def _compare_maps(where: str, before: Json, after: Json) -> Iterator[Change]:
    for key in [*after, *(key for key in before if key not in after)]:
        place = f"{where}.{key}" if where else key
        if key not in before:
            yield Change(place, ABSENT, shown(after[key]))
        elif key not in after:
            yield Change(place, shown(before[key]), ABSENT)
        else:
            yield from _compare(place, before[key], after[key])


def _compare_lists(where: str, before: Sequence[Any], after: Sequence[Any]) -> Iterator[Change]:
    identity = _identity(before, after)
    if identity is None:
        yield from _compare_rows(where, before, after)
        return
    old = {entry[identity]: entry for entry in before}
    new = {entry[identity]: entry for entry in after}
    for key, entry in new.items():
        if key in old:
            yield from _compare(f"{where} {_name(entry)}", old[key], entry)
        else:
            yield Change(f"{where} {_name(entry)}", ABSENT, shown(entry))
    for key, entry in old.items():
        if key not in new:
            yield Change(f"{where} {_name(entry)}", shown(entry), ABSENT)
    if [key for key in old if key in new] != [key for key in new if key in old]:
        yield Change(f"order of {where}", shown(list(old)), shown(list(new)))


def _compare_rows(where: str, before: Sequence[Any], after: Sequence[Any]) -> Iterator[Change]:
    inner = [
        change
        for number, (old, new) in enumerate(zip(before, after, strict=False))
        for change in _compare(f"{where}[{number}]", old, new)
    ]
    is_plain = not any(isinstance(entry, dict | list) for entry in (*before, *after))
    if len(before) != len(after) or (inner and is_plain):
        yield Change(where, shown(list(before)), shown(list(after)))
    else:
        yield from inner


def _identity(before: Sequence[Any], after: Sequence[Any]) -> str | None:
    """The key by which the entries of both lists can be told apart; None where there is none."""
    entries = (*before, *after)
    if not all(isinstance(entry, dict) for entry in entries):
        return None
    for key in _IDENTITIES:
        if all(isinstance(entry.get(key), str | int) for entry in entries) and all(
            len({entry[key] for entry in side}) == len(side) for side in (before, after)
        ):
            return key
    return None


def _name(entry: Json) -> str:
    return next((shown(entry[key]) for key in _NAMES if entry.get(key)), "?")
