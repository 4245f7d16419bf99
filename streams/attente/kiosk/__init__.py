"""What runs in an office: takes events, keeps them on its disk, sends them to Kafka. Knows neither Faust nor core."""

from attente.kiosk.client import Kiosk, Status
from attente.kiosk.errors import EventRefused, SpoolBroken, SpoolFull
from attente.kiosk.settings import KioskSettings
from attente.kiosk.spool import Held

__all__ = ["EventRefused", "Held", "Kiosk", "KioskSettings", "SpoolBroken", "SpoolFull", "Status"]
