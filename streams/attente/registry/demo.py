"""The network of the Technion bank tape: a call centre of one January, as one office or dealt out to several."""

from typing import Final

from attente.registry.entities import Registry
from attente.registry.load import parse

SERVICES: Final = {
    "ps": "Regular activity",
    "pe": "Regular activity, in English",
    "in": "Internet support",
    "ne": "Stock exchange activity",
    "nw": "Prospective customers",
    "tt": "Call back on request",
}
"""The call types of the tape that reach a queue, as service ids."""


def technion_offices(offices: int) -> tuple[str, ...]:
    """The office ids: `bank` alone, else `bank-01` onwards."""
    if offices == 1:
        return ("bank",)
    digits = max(2, len(str(offices)))
    return tuple(f"bank-{number:0{digits}d}" for number in range(1, offices + 1))


def technion_yaml(offices: int) -> str:
    """The registry of the tape as a file that workers can load.

    Args:
        offices: how many offices the tape is dealt out to, at least one.
    """
    if offices < 1:
        msg = f"a network has at least one office, not {offices}"
        raise ValueError(msg)
    services = "".join(f"  - {{id: {identity}, title: '{title}'}}\n" for identity, title in SERVICES.items())
    places = "".join(
        f"  - {{id: {office}, name: {office.capitalize()}, region: demo, zone: Asia/Jerusalem}}\n"
        for office in technion_offices(offices)
    )
    return f"""\
# A bank's call centre in January 1999, as recorded by the Technion.
network: technion
services:
{services}offices:
{places}norms:
  - id: within-60
    title: Answered within a minute
    threshold: 60s
    target: 0.80
    clock: {{from: issued, to: called, per: leg}}
    left: excluded
"""


def technion_registry(offices: int) -> Registry:
    """The registry of the tape."""
    return parse(technion_yaml(offices), "technion.yaml")
