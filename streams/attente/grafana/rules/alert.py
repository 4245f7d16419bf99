"""What an alert is."""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How soon somebody is to look: at once, in working hours, never (the dead man's switch)."""

    PAGE = "page"
    TICKET = "ticket"
    NONE = "none"


class Audience(StrEnum):
    """Who is to look: whoever runs the reception of an office, whoever steers the network, whoever runs attente."""

    OFFICE = "office"
    NETWORK = "network"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert. Its words are in `texts/alerts.yaml`, what to do about it in `docs/runbooks/NAME.md`.

    Attributes:
        name: of the alert and of its runbook.
        expr: PromQL; the alert is about every series of its result, and bears its labels.
        severity, audience: who is told, and how soon.
        for_s: how long it must be so before anybody is told.
        keep_s: how long it goes on firing after it is no longer so, so that what flickers is one message.
        blinds: figures are missing or wrong while it fires, so that what they say of offices is not to be passed on.
    """

    name: str
    expr: str
    severity: Severity
    audience: Audience
    for_s: int
    keep_s: int
    blinds: bool = False
