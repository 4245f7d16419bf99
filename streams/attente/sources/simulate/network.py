"""The network that is simulated: its offices, what each of them is like, and what a day of theirs holds."""

import math
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import pairwise
from random import Random
from typing import Final, Self
from zoneinfo import ZoneInfo

from attente.sources.simulate import names
from attente.sources.simulate.gaming import BEHAVIOURS, TRICKS, Behaviour, Gaming, gaming_of
from attente.sources.simulate.hours import MINUTE, Span, course
from attente.sources.simulate.names import SimulatedService
from attente.sources.simulate.seeds import stream

WALK_S: Final = 20.0  # from the call to the desk, on average
_DESK_S: Final = 14.0  # a desk's own seconds between two visitors, on average
_EXTRA: Final = 1.08  # work that visitors make beyond one service each: transfers, no-shows, pauses

_SIZES: Final = (("small", 110.0), ("medium", 220.0), ("large", 430.0))
_SIZE_WEIGHTS: Final = (5, 4, 2)
_MEAN_VISITORS: Final = 208.0  # what these come to
_HOURS: Final[tuple[tuple[Span, ...], ...]] = (
    ((510, 1_020),),
    ((540, 990),),
    ((540, 750), (810, 1_020)),
    ((525, 1_005),),
)
EVENTS_A_VISIT: Final = 4.16
"""How many events a visitor of an honest office makes, on average."""

_MIDNIGHT_MIN: Final = 24 * 60 - 1
_QUICK: Final = 0.1  # of the usual time: or it would take half an hour until as many visits end as begin
_UTC_HOUR: Final = 10  # what a network that is live takes for the middle of the morning
_HOUR_MS: Final = 3_600_000


@dataclass(frozen=True, slots=True)
class Shares:
    """What goes wrong between the offices and the broker, as shares.

    Attributes:
        late: kiosks that lose their line once in a day, and send what they have spooled when it is back.
        duplicates: events that are delivered twice.
        drift: kiosks whose clock is off, by up to `DRIFT_MS`.
    """

    late: float = 0.04
    duplicates: float = 0.005
    drift: float = 0.2


@dataclass(frozen=True, slots=True)
class Staffing:
    """A day's work and who does it.

    Attributes:
        visitors: how many come, on average.
        desks: how many desks are to be open in each bin of the day's course.
    """

    visitors: float
    desks: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class SimulatedOffice:
    """One office; everything about it follows from the seed and its number.

    Attributes:
        index: its number, from 0.
        id, name, region, zone, size: as the registry has them.
        seed: of the network; an office's day draws from (seed, id, day).
        services: what it offers.
        weights: how many of its visitors ask for each of them, cumulated.
        kiosks: the ids of its kiosks.
        spans: when it is open, in local minutes after midnight.
        usual, gamed: visitors and desks of a day without the trick and of one with it.
        appointments, remote: shares of the visitors.
        door: whether it knows when visitors come through the door, before they have a ticket.
        tempo: how long its services take, over what is usual for them.
        gaming: its trick.
        gaming_from: the first day (`date.toordinal`) of the trick; before it the office has the staff that it needs.
        flat: whether the day has a peak.
    """

    index: int
    id: str
    name: str
    region: str
    zone: str
    size: str
    seed: str
    services: tuple[SimulatedService, ...]
    weights: tuple[float, ...]
    kiosks: tuple[str, ...]
    spans: tuple[Span, ...]
    usual: Staffing
    gamed: Staffing
    appointments: float
    remote: float
    door: bool
    tempo: float
    gaming: Gaming
    gaming_from: int = 0
    flat: bool = False

    def games(self, day: int) -> bool:
        """Whether it uses its trick on a day."""
        return self.gaming is not Gaming.HONEST and day >= self.gaming_from

    def behaviour(self, day: int) -> Behaviour:
        """What it does out of the ordinary on a day."""
        return BEHAVIOURS[self.gaming if self.games(day) else Gaming.HONEST]

    def staffing(self, day: int) -> Staffing:
        """Its visitors and its desks on a day."""
        return self.gamed if self.games(day) else self.usual


@dataclass(frozen=True, slots=True)
class Network:
    """A whole network.

    Attributes:
        name: of the network.
        services: what its offices offer, each of them some.
        offices: in the order of their numbers.
        shares: what goes wrong on the way.
    """

    name: str
    services: tuple[SimulatedService, ...]
    offices: tuple[SimulatedOffice, ...] = field(repr=False)
    shares: Shares = Shares()

    @classmethod
    def generate(  # noqa: PLR0913 - named, and each with a default
        cls,
        seed: int = 0,
        offices: int = 40,
        services: int = 6,
        *,
        regions: int = 4,
        zone: str = "Europe/Paris",
        gaming: Collection[Gaming] = TRICKS,
        everywhere: bool = False,
        gaming_from: int = 0,
        visitors: float = _MEAN_VISITORS,
        shares: Shares | None = None,
    ) -> Self:
        """A network from a seed.

        An office depends on the seed and its number alone: one more office changes no other.

        Args:
            seed: what everything follows from.
            offices: how many.
            services: how many the network has; an office offers at least half of them.
            regions: how many; office n lies in region n modulo that.
            zone: the IANA time zone of all offices.
            gaming: the tricks that are used, one office in eight with one of them in turn; none for honest offices.
            everywhere: tricks are the rule: of every n + 1 offices, each uses one and one is honest.
            gaming_from: the day (`date.toordinal`) on which the tricks begin.
            visitors: how many an office has in a day, on average over small and large ones.
            shares: what goes wrong on the way.
        """
        for what, number in (("offices", offices), ("services", services), ("regions", regions)):
            if number < 1:
                msg = f"a network has at least one of its {what}, not {number}"
                raise ValueError(msg)
        catalogue = names.services(services)
        kinds = tuple(kind for kind in TRICKS if kind in gaming)
        offset = stream(seed, "gaming").randrange(len(TRICKS) * 8)

        def office(index: int) -> SimulatedOffice:
            trick = gaming_of(index, offset, kinds, everywhere=everywhere)
            made = _office(str(seed), index, regions, zone, catalogue, visitors / _MEAN_VISITORS)
            return _staffed(replace(made, gaming=trick, gaming_from=gaming_from))

        made = tuple(office(index) for index in range(offices))
        return cls(f"simulated-{seed}", catalogue, made, shares or Shares())

    def under_load(self, events_s: float, now_ms: int) -> Self:
        """The same offices for a test of load: open from this minute until midnight, without a peak, with short visits.

        All have as many visitors as it takes for so many events a second together; they need an implausible number of
        desks. The rate is reached when the first visits have ended, after some three minutes.
        """
        zone = ZoneInfo(self.offices[0].zone)
        now = datetime.fromtimestamp(now_ms / 1000, UTC).astimezone(zone)
        minute = now.hour * 60 + now.minute
        hours = (_MIDNIGHT_MIN - minute) / 60
        visitors = events_s * 3600 * hours / EVENTS_A_VISIT / len(self.offices)

        def loaded(office: SimulatedOffice) -> SimulatedOffice:
            changed = replace(office, spans=((minute, _MIDNIGHT_MIN),), tempo=_QUICK, flat=True)
            each = replace(changed, usual=Staffing(visitors), gamed=Staffing(visitors), gaming=Gaming.HONEST)
            return _staffed(each)

        return replace(self, offices=tuple(loaded(office) for office in self.offices))


def mid_morning_zone(now_ms: int) -> str:
    """A time zone in which it is between ten and eleven in the morning."""
    ahead = (_UTC_HOUR - now_ms // _HOUR_MS % 24 + 12) % 24 - 12
    return f"Etc/GMT{-ahead:+d}" if ahead else "Etc/GMT"  # the names of these zones count westwards


def _office(
    seed: str, index: int, regions: int, zone: str, catalogue: tuple[SimulatedService, ...], scale: float
) -> SimulatedOffice:
    random = stream(seed, "office", index)
    identity, name = names.place(index)
    ((size, visitors),) = random.choices(_SIZES, _SIZE_WEIGHTS)
    visitors *= random.uniform(0.8, 1.2) * scale
    offered = _offered(random, catalogue)
    return SimulatedOffice(
        index=index,
        id=identity,
        name=name,
        region=names.region(index % regions),
        zone=zone,
        size=size,
        seed=seed,
        services=offered,
        weights=_cumulated(random, offered),
        kiosks=tuple(f"k{number}" for number in range(1, 2 + int(visitors > 150) + int(visitors > 350))),
        spans=random.choice(_HOURS),
        usual=Staffing(visitors),
        gamed=Staffing(visitors),
        appointments=random.uniform(0.05, 0.35),
        remote=random.uniform(0.0, 0.06),
        door=random.random() < 0.5,
        tempo=random.uniform(0.9, 1.1),
        gaming=Gaming.HONEST,
    )


def _offered(random: Random, catalogue: tuple[SimulatedService, ...]) -> tuple[SimulatedService, ...]:
    """Half of the services at least; the first, for which most come, everywhere."""
    least = (len(catalogue) + 1) // 2
    count = random.randint(least, len(catalogue))
    chosen = {catalogue[0].id, *(service.id for service in random.sample(catalogue, count))}
    return tuple(service for service in catalogue if service.id in chosen)


def _cumulated(random: Random, services: tuple[SimulatedService, ...]) -> tuple[float, ...]:
    so_far = 0.0
    sums = []
    for service in services:
        so_far += service.weight * random.uniform(0.7, 1.3)
        sums.append(so_far)
    return tuple(each / so_far for each in sums)


def seconds_a_visitor(office: SimulatedOffice) -> float:
    """How long a visitor keeps a desk busy, on average, if the office does nothing out of the ordinary."""
    shares = [high - low for low, high in zip((0.0, *office.weights), office.weights, strict=False)]
    # The mean of a log-normal distribution lies above its median.
    means = [service.median_s * math.exp(service.sigma**2 / 2) for service in office.services]
    service = sum(share * mean for share, mean in zip(shares, means, strict=True)) * office.tempo
    return service * _EXTRA + WALK_S + _DESK_S


def _staffed(office: SimulatedOffice) -> SimulatedOffice:
    """The same office with desks for its visitors, and with as many visitors as make its load exactly what it is.

    Desks are whole, so the load that comes of them is not: a small office would be full or empty by chance.
    """
    behaviour = BEHAVIOURS[office.gaming]
    habit = stream(office.seed, "load", office.index).uniform(0.74, 0.96)
    day = course([(begin * MINUTE, end * MINUTE) for begin, end in office.spans], flat=office.flat)
    lengths = [(end - begin) / 1000 for begin, end in pairwise(day.edges)]
    each = seconds_a_visitor(office)

    def desks(visitors: float, load: float, rounded: Callable[[float], int]) -> tuple[int, ...]:
        wanted = (visitors * weight * each / length / load for weight, length in zip(day.weights, lengths, strict=True))
        return tuple(max(1, rounded(number)) if number else 0 for number in wanted)

    def visitors(desks: tuple[int, ...], load: float) -> float:
        return sum(number * length for number, length in zip(desks, lengths, strict=True)) * load / each

    if behaviour.fewer_desks:
        few = desks(office.usual.visitors, behaviour.load, round)
        come = visitors(few, behaviour.load)
        return replace(office, usual=Staffing(come, desks(come, habit, math.ceil)), gamed=Staffing(come, few))
    usual = desks(office.usual.visitors, habit, round)
    load = behaviour.load or habit
    return replace(office, usual=Staffing(visitors(usual, habit), usual), gamed=Staffing(visitors(usual, load), usual))
