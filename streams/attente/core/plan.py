"""What a registry means for the core: which clocks run, where buckets end, which days an office has."""

from typing import Final

from attente.core import panes
from attente.core.calendar import Calendar
from attente.core.signing import Signing
from attente.model.names import kiosk_source
from attente.model.signatures import Keyring
from attente.registry.buckets import bounds
from attente.registry.entities import OTHER, Clock, End, Norm, Per, Registry, Signatures, Start
from attente.registry.zones import zone as zone_rules

STARTS: Final = {Start.ISSUED: panes.FROM_ISSUED, Start.ARRIVED: panes.FROM_ARRIVED, Start.DUE: panes.FROM_DUE}
ENDS: Final = {End.CALLED: panes.TO_CALLED, End.STARTED: panes.TO_STARTED}


def clock_number(clock: Clock) -> int:
    """A clock's number among the six pairs of a start and an end."""
    return STARTS[clock.start] * 2 + ENDS[clock.end]


class Plan:
    """A registry, compiled.

    Attributes:
        starts: the starts of the clocks in use but `issued`, which is always in use.
        called_starts, started_starts: those in use for each end but `issued`, likewise.
        visit_clocks: (number, start, end) of the clocks read per first and per visit: issued to called, and each
            pair that a norm names. Issued to started runs always, but per leg only unless a norm names it.
        bounds: upper bounds of the histogram buckets in seconds, ascending; every norm's threshold is one.
        thresholds: the norms' thresholds in seconds, ascending.
        services: the number of each service: `other` is 0, the others follow in the order of their ids, so that a
            number does not depend on the order in which events came.
        offices: what an office needs of the registry, by the key of its records.
        is_signed: whether signatures are looked at in any office.
        sources: the key of the office of each kiosk, by the `source` of its events.
    """

    def __init__(self, registry: Registry, keyring: Keyring | None = None) -> None:
        """Compiles a registry.

        Args:
            registry: the network.
            keyring: the secrets of its keys. None where what is read is no log: a file of events has no signatures,
                and none are looked at.

        Raises:
            KeyError: the keyring lacks a secret that the registry asks for.
        """
        self.registry = registry
        numbers = {panes.ISSUED_TO_CALLED} | {clock_number(norm.clock) for norm in registry.definitions()}
        extra = sorted(number // 2 for number in numbers if number >= 2)
        self.starts = sorted(set(extra))
        self.called_starts = sorted({n // 2 for n in numbers if n >= 2 and n % 2 == panes.TO_CALLED})
        self.started_starts = sorted({n // 2 for n in numbers if n >= 2 and n % 2 == panes.TO_STARTED})
        self.visit_clocks = [(n, n // 2, n % 2) for n in sorted(numbers)]
        self.bounds = bounds(registry)
        self.thresholds = tuple(sorted({norm.threshold_s for norm in registry.definitions()}))
        self.horizon = registry.horizon_ms
        self.services = {OTHER: 0} | {name: i for i, name in enumerate(sorted(registry.services), 1)}
        calendars = {
            zone: Calendar(zone_rules(zone), registry.cut_over_min)
            for zone in sorted({office.zone for office in registry.offices.values()})
        }
        self.offices = {
            office.id.encode(): OfficePlan(
                office.id,
                calendars[office.zone],
                {name: self.services[name] for name in office.services},
                None
                if keyring is None or office.signatures is Signatures.OFF
                else Signing(office, [(key, keyring.secret(key.id)) for key in office.keys]),
            )
            for office in registry.offices.values()
        }
        self.is_signed = any(office.signing is not None for office in self.offices.values())
        self.sources: dict[str, bytes] = {}
        self.name_kiosks(registry)

    def name_kiosks(self, registry: Registry) -> None:
        """Know the kiosks of a registry with the same hash: no figure follows from them, so no state has to change."""
        self.sources = {
            kiosk_source(office.id, kiosk): office.id.encode()
            for office in registry.offices.values()
            for kiosk in office.kiosks
        }


class OfficePlan:
    """What one office needs of the registry: its days, the numbers of the services it offers, who signs for it."""

    def __init__(
        self, office: str, calendar: Calendar, services: dict[str, int], signing: Signing | None = None
    ) -> None:
        self.id = office
        self.calendar = calendar
        self.services = services
        self.signing = signing


def answered_and_left(norm: Norm, per: Per) -> tuple[tuple[tuple[int, int], ...], tuple[int, ...]]:
    """The measures whose counts are a norm's answered (with their signs) and left, under one `per`.

    Answered per leg, up to the call, is called less no-show: both lie in the pane of the call.
    """
    number = clock_number(norm.clock)
    start = number // 2
    if per is Per.FIRST:
        return ((panes.FIRST_ANSWERED + number, 1),), (panes.FIRST_LEFT + number,)
    if per is Per.VISIT:
        return ((panes.VISIT_ANSWERED + number, 1),), (panes.VISIT_LEFT + number,)
    left = (panes.LEFT_ABANDONED + start, panes.LEFT_NO_SHOW + start)
    reached = (panes.REACHED + number, 1)
    if norm.clock.end is End.STARTED:
        return (reached,), left
    return (reached, (panes.LEFT_NO_SHOW + start, -1)), left
