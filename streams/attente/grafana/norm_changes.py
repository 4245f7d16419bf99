"""The days on which a norm began to mean something else, as annotations: a step in a curve that has a reason.

Grafana keeps annotations by time and tags. The tags `norm:ID`, `since:DATE` and `network:NAME` are the identity of a
change, so that it is found again; the tag `attente:norm` is what a dashboard asks for.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from attente.grafana.texts import text
from attente.registry.entities import Norm, Registry
from attente.registry.scalars import written
from attente.registry.zones import zone

OURS: Final = "attente:norm"
"""The tag of every annotation of a norm's change."""

_ASPECTS: Final = {
    "clock": "annotations.what.clock",
    "left": "annotations.what.left",
    "still_waiting": "annotations.what.still_waiting",
    "channels": "annotations.what.channels",
    "offices": "annotations.what.offices",
    "services": "annotations.what.services",
}
"""What of a norm can change besides its threshold and its target, and the text that names it."""

_LONGEST_VALUE: Final = 100  # of a tag's value, in Grafana's database; 500 bytes are all tags of an annotation together


@dataclass(frozen=True, slots=True)
class NormChange:
    """A definition that begins to hold.

    Attributes:
        norm: its id.
        since: the date of its first business day.
        begins_ms, ends_ms: when that day begins, in Unix milliseconds: in the first and in the last of the norm's time
            zones, mostly the same.
        text: what changed, for people.
        tags: in the order in which Grafana shows them.
    """

    norm: str
    since: str
    begins_ms: int
    ends_ms: int
    text: str
    tags: tuple[str, ...]


def network_tag(registry: Registry) -> str:
    """The tag that tells the norms of one network from those of another in the same Grafana."""
    return _tag("network", registry.network)


def norm_changes(registry: Registry, lang: str) -> tuple[NormChange, ...]:
    """Every definition of the registry that has a first day, oldest first within a norm.

    Args:
        registry: the network.
        lang: the language of the texts.
    """
    return tuple(change for norm in registry.norms.values() for change in _of_norm(registry, norm, lang))


def _of_norm(registry: Registry, norm: Norm, lang: str) -> Iterator[NormChange]:
    before: Norm | None = None
    for definition in norm.definitions():
        if definition.valid_from:
            begins, ends = _beginning(registry, definition)
            # Grafana takes 0 for now; nothing was measured before 1970 either.
            if begins > 0:
                yield NormChange(
                    norm=norm.id,
                    since=definition.valid_from,
                    begins_ms=begins,
                    ends_ms=ends,
                    text=_said(before, definition, lang),
                    tags=(
                        OURS,
                        _tag("norm", norm.id),
                        _tag("since", definition.valid_from),
                        network_tag(registry),
                    ),
                )
        before = definition


def _beginning(registry: Registry, norm: Norm) -> tuple[int, int]:
    day = date.fromisoformat(norm.valid_from)
    hour, minute = divmod(registry.cut_over_min, 60)
    zones = {registry.offices[office].zone for office in norm.offices} or {"UTC"}
    instants = [
        int(datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone(name)).timestamp()) * 1000
        for name in sorted(zones)
    ]
    return min(instants), max(instants)


def _said(before: Norm | None, norm: Norm, lang: str) -> str:
    after = _promise(norm, lang)
    if before is None:
        return text("annotations.first", lang).format(title=norm.title, promise=after)
    former = _promise(before, lang)
    if former == after:
        said = text("annotations.redefined", lang).format(title=norm.title, promise=after)
    else:
        said = text("annotations.changed", lang).format(title=norm.title, before=former, after=after)
    what = [text(key, lang) for aspect, key in _ASPECTS.items() if getattr(before, aspect) != getattr(norm, aspect)]
    return text("annotations.also", lang).format(said=said, what=", ".join(what)) if what else said


def _promise(norm: Norm, lang: str) -> str:
    return text("annotations.promise", lang).format(
        share=f"{norm.target_milli / 1000:g}", threshold=written(norm.threshold_s)
    )


def _tag(key: str, value: str) -> str:
    return f"{key}:{' '.join(value.split())[:_LONGEST_VALUE]}"
