"""Alerts about what reports from an office: the office as a whole, and its kiosks."""

from typing import Final

from attente.grafana import recorded
from attente.grafana.rules import limits
from attente.grafana.rules.alert import Alert, Audience, Severity
from attente.grafana.rules.promql import placed, truth
from attente.grafana.rules.queues import FACTS, about_office
from attente.metrics import catalogue


def _silent() -> str:
    """Open by its calendar, and not heard; whoever is open by its own word has spoken."""
    ago = f"{truth(catalogue.AS_OF)} - on (office) {truth(catalogue.OFFICE_HEARD)}"
    unheard = f"({truth(catalogue.SCHEDULED_OPEN)} == 1) unless on (office) ({ago} < {limits.SILENT_S})"
    return placed(f"({unheard})", *FACTS)


def _kiosk_stale() -> str:
    ago = f"{truth(catalogue.AS_OF)} - on (office) group_right () {recorded.KIOSK_HEARD.name}"
    return about_office(f"({ago}) > {limits.KIOSK_SILENT_S}")


def _kiosk_clock() -> str:
    return placed(f"(abs({truth(catalogue.KIOSK_DRIFT)}) > {limits.DRIFT_S})", *FACTS)


ALERTS: Final = (
    Alert("AttenteOfficeSilent", _silent(), Severity.PAGE, Audience.OFFICE, for_s=900, keep_s=300),
    Alert("AttenteKioskStale", _kiosk_stale(), Severity.TICKET, Audience.OFFICE, for_s=300, keep_s=300),
    Alert("AttenteKioskClockWrong", _kiosk_clock(), Severity.TICKET, Audience.OPERATOR, for_s=600, keep_s=900),
)
