"""A simulated network and what the core makes of its events."""

from collections.abc import Iterable
from datetime import date

from attente.core.view import OfficeView
from attente.model.events import KioskHeartbeat, encode
from attente.model.instants import text_of
from attente.registry.load import parse
from attente.sources.simulate.network import Network
from attente.sources.simulate.registry_text import registry_text
from attente.sources.simulate.stream import Delivery
from driver import Driver
from oracle import Record

MONDAY = date(2026, 11, 23).toordinal()
HOUR = 3_600_000


def counted(network: Network, deliveries: Iterable[Delivery], *, live: bool = False, norms: str = "") -> Driver:
    """The core after all deliveries, in the order of their arrival.

    Args:
        network: where they come from.
        deliveries: the events.
        live: records bear the time of their arrival, not the events'.
        norms: further norms, as lines of the registry.
    """
    keys = {office.index: office.id.encode() for office in network.offices}
    driver = Driver(parse(registry_text(network) + norms, "simulated.yaml"))
    return driver.feed(
        Record(offset, each.arrives_ms if live else each.at_ms, keys[each.office], each.value)
        for offset, each in enumerate(deliveries)
    )


def after(driver: Driver, network: Network, at: int) -> Driver:
    """The same core when stream time has reached an instant: somebody's kiosk says that it is alive."""
    office = network.offices[0].id
    beat = KioskHeartbeat(
        specversion="1.0", id="after", source="/test", time=text_of(at), office=office, kiosk="after", spooled=0
    )
    part = driver.parts[0]
    return driver.feed([Record(part.next_offset, at, office.encode(), encode(beat))])


def offices(driver: Driver, now: int | None = None) -> dict[str, OfficeView]:
    """What the core shows, by office."""
    return {view.office: view for part in driver.views(now) for view in part.offices}
