"""The definitions of norms: a report reads each by itself, on the days on which it is in force."""

from datetime import date

from attente.registry.entities import Norm, Registry


def is_in_force(registry: Registry, norm: Norm, day: int) -> bool:
    """Whether it is this definition by which a business day is judged."""
    found = registry.norms[norm.id].in_force(day)
    return found is not None and name_of(found) == name_of(norm)


def name_of(norm: Norm) -> tuple[str, str]:
    """What tells a definition from every other one of its registry, in this process and in others."""
    return norm.id, norm.valid_from


def label(registry: Registry, norm: Norm) -> str:
    """What a definition is called: the norm's id, and where there are several the day from which this one holds."""
    if not registry.norms[norm.id].former:
        return norm.id
    return f"{norm.id}@{norm.valid_from}" if norm.valid_from else f"{norm.id}@before"


def span(registry: Registry, norm: Norm) -> str:
    """From when to when a definition holds, in words."""
    later = [one for one in registry.norms[norm.id].definitions() if one.valid_from > norm.valid_from]
    begin = f"from {norm.valid_from}" if norm.valid_from else "at all times"
    if not later:
        return begin
    last = date.fromordinal(date.fromisoformat(later[0].valid_from).toordinal() - 1)
    return f"{begin} to {last}" if norm.valid_from else f"until {last}"
