"""A network that does not exist: offices, visitors and kiosks from a seed, as the events that they would send."""

from attente.sources.simulate.gaming import Gaming
from attente.sources.simulate.network import Network, Shares, SimulatedOffice, mid_morning_zone
from attente.sources.simulate.stream import Delivery, simulate_day, simulate_days
from attente.sources.simulate.truth import OfficeTruth, ServiceTruth, truth_of

__all__ = [
    "Delivery",
    "Gaming",
    "Network",
    "OfficeTruth",
    "ServiceTruth",
    "Shares",
    "SimulatedOffice",
    "mid_morning_zone",
    "simulate_day",
    "simulate_days",
    "truth_of",
]
