"""The norms of a registry file: what each entry promises, and which entries are definitions of one norm."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from attente.model.kinds import CHANNELS
from attente.registry import budgets, scalars
from attente.registry.buckets import MOST
from attente.registry.entities import (
    OTHER,
    Budget,
    Clock,
    End,
    Left,
    Norm,
    Office,
    OpeningCalendar,
    Per,
    Service,
    Start,
    StillWaiting,
)
from attente.registry.fields import Fields
from attente.registry.selectors import select, selectable_offices, selectable_services

# What a remedy proposes for each key; a reader of the key must be able to read it.
NORM_KEYS: Final = {
    "id": "caf-20",
    "title": "Within 20 minutes",
    "threshold": "20m",
    "target": "0.85",
    "clock": "{from: arrived, to: called, per: visit}",
    "population": "{channels: [walkin, appointment]}",
    "left": "excluded",
    "still_waiting": "ignored",
    "offices": '"*" or a list like [75-nation, region:Paris, size:large, not:93-bobigny]',
    "services": '"*" or a list like [prestations, logement] or [not:logement]',
    "valid_from": "2009-01-01",
    "budget": "{fast: 2 %, slow: 10 %}",
}
CLOCK_KEYS: Final = {"from": "issued", "to": "called", "per": "leg"}
BUDGET_KEYS: Final = {"fast": "2 %", "slow": "10 %"}
POPULATION_KEYS: Final = {"channels": '"*" or a list like [walkin, appointment]'}


class Norms:
    """Reads the norms of one file; every definition is checked, whenever it is in force.

    Args:
        services, offices, calendars: those of the network; None where they could not be read.
    """

    def __init__(
        self,
        services: Mapping[str, Service] | None,
        offices: Mapping[str, Office] | None,
        calendars: Mapping[str, OpeningCalendar] | None = None,
    ) -> None:
        self._everywhere = offices
        self._calendars = calendars
        self._offices = None if offices is None else selectable_offices(offices)
        self._services = None if services is None else selectable_services((*services, OTHER))
        self._thresholds: set[int] = set()

    def norm(self, fields: Fields, identity: str) -> Norm:
        """The definition that one entry is."""
        norm = Norm(
            id=identity,
            title=fields.scalar("title", scalars.text),
            threshold_s=fields.scalar("threshold", scalars.threshold),
            target_milli=fields.scalar("target", scalars.share),
            clock=_clock(fields),
            channels=_channels(fields),
            left=fields.scalar("left", scalars.choice(Left), "excluded"),
            still_waiting=fields.scalar("still_waiting", scalars.choice(StillWaiting), "ignored"),
            offices=select(fields, "offices", self._offices),
            services=select(fields, "services", self._services),
            valid_from=fields.scalar("valid_from", scalars.iso_date) if "valid_from" in fields.values else "",
        )
        self._check_threshold(fields, norm.threshold_s)
        self._check_reach(fields, norm)
        return replace(norm, budget=self._budget(fields, norm))

    def _check_threshold(self, fields: Fields, threshold: int) -> None:
        known = self._thresholds
        if "threshold" in fields.failed or threshold in known:
            return
        if len(known) < MOST:
            known.add(threshold)
            return
        others = ", ".join(scalars.written(seconds) for seconds in sorted(known))
        fields.fail(
            "threshold",
            f"threshold {scalars.written(threshold)} is one too many: a histogram has {MOST} buckets and needs one for "
            f"each; use one of {others}",
        )

    def _check_reach(self, fields: Fields, norm: Norm) -> None:
        """A norm over services that none of its offices offers would be kept for ever, and measure nothing."""
        offices = self._everywhere
        if offices is None or self._services is None or {"offices", "services"} & fields.failed:
            return
        if OTHER in norm.services or not norm.offices:
            return
        if all(norm.services.isdisjoint(offices[office].services) for office in norm.offices):
            named = ", ".join(sorted(norm.services))
            fields.fail("services", f"services: none of the norm's offices offers {named}; choose others")

    def _budget(self, fields: Fields, norm: Norm) -> Budget:
        """The shares at which somebody is told; those that no window could ever spend are refused."""
        shares = _inner(fields, "budget", BUDGET_KEYS)
        if shares is None:
            return Budget()
        budget = Budget(
            fast_milli=shares.scalar("fast", scalars.share) if "fast" in shares.values else None,
            slow_milli=shares.scalar("slow", scalars.share) if "slow" in shares.values else None,
        )
        if self._everywhere is None or self._calendars is None or {"target", "offices"} & fields.failed:
            return budget
        over = budgets.month((self._everywhere[name] for name in norm.offices), self._calendars)
        for speed, share in (("fast", budget.fast_milli), ("slow", budget.slow_milli)):
            if share is not None and speed not in shares.failed:
                _check_share(shares, speed, share, norm.target_milli, over)
        return budget


def _check_share(shares: Fields, speed: str, share: int, target: int, over: budgets.Month) -> None:
    """Refuses a share of the budget that is not spent in one window even when every visit of it fails."""
    burn, most = budgets.factor(share, speed, over), budgets.highest(target)
    if burn < most:
        return
    opened = f"{float(over.hours):.0f} open hours" if speed == "fast" else f"{float(over.days):.0f} open days"
    window = "an hour" if speed == "fast" else "a day"
    shares.fail(
        speed,
        f"{speed} {scalars.percent(share)} of a month of {opened} is a burn rate of {float(burn):.2f} in {window}, but "
        f"at a target of {scalars.percent(target)} none can be over {float(most):.2f}; "
        f"write {scalars.percent(budgets.greatest_share(target, speed, over))} or less",
    )


def by_id(entries: Iterable[tuple[str, Norm, Fields]]) -> dict[str, Norm]:
    """Each norm by its newest definition, in the order of their first entries."""
    definitions: dict[str, list[tuple[Norm, Fields]]] = {}
    for identity, norm, fields in entries:
        definitions.setdefault(identity, []).append((norm, fields))
    return {identity: _newest(versions) for identity, versions in definitions.items()}


def _newest(versions: Sequence[tuple[Norm, Fields]]) -> Norm:
    """The newest definition of a norm, with the former ones in it; at any date one alone may begin to hold."""
    lines: dict[str, int] = {}
    for norm, fields in versions:
        if "valid_from" in fields.failed:
            continue
        since = norm.valid_from
        if since not in lines:
            lines[since] = fields.at("id").start_mark.line + 1
        elif since:
            again = f"valid_from {since} is that of line {lines[since]} too"
            fields.fail("valid_from", f"{again}; write the date from which this definition holds")
        else:
            again = f"id {norm.id} is taken by line {lines[since]}"
            fields.fail("id", f"{again}; give it its own, or a date in valid_from to replace that one from then on")
    *former, newest = sorted((norm for norm, _ in versions), key=lambda norm: norm.valid_from)
    return replace(newest, former=tuple(former)) if former else newest


def _clock(norm: Fields) -> Clock:
    clock = _inner(norm, "clock", CLOCK_KEYS)
    if clock is None:
        return Clock(Start.ISSUED, End.CALLED, Per.LEG)
    return Clock(
        start=clock.scalar("from", scalars.choice(Start), "issued"),
        end=clock.scalar("to", scalars.choice(End), "called"),
        per=clock.scalar("per", scalars.choice(Per), "leg"),
    )


def _channels(norm: Fields) -> frozenset[str]:
    population = _inner(norm, "population", POPULATION_KEYS)
    known = {channel: number for number, channel in enumerate(CHANNELS)}
    return frozenset(CHANNELS if population is None else population.selection("channels", known))


def _inner(norm: Fields, key: str, examples: Mapping[str, str]) -> Fields | None:
    node = norm.values.get(key)
    return None if node is None else Fields(node, f"{norm.where}{key}: ", examples, norm.problems)
