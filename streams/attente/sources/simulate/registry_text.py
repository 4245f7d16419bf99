"""The registry of a simulated network, as the text of its file."""

import json
from collections.abc import Iterable, Mapping

from attente.sources.simulate.hours import Span
from attente.sources.simulate.network import Network, SimulatedOffice

_NORMS = """\
norms:
  - id: within-20
    title: At most 20 minutes from the door to the call, over the whole visit
    threshold: 20m
    target: 0.85
    clock: {from: arrived, to: called, per: visit}
    population: {channels: [walkin, appointment]}
    left: excluded
    still_waiting: failed_if_over
  - id: leg-30
    title: At most 30 minutes in any queue
    threshold: 30m
    target: 0.90
    clock: {from: issued, to: called, per: leg}
    left: excluded
  - id: served-20
    title: At most 20 minutes from the door to the start of service
    threshold: 20m
    target: 0.85
    clock: {from: arrived, to: started, per: visit}
    population: {channels: [walkin, appointment]}
    left: excluded
"""


def registry_text(network: Network) -> str:
    """The registry of a network, to be given to workers with `--registry`.

    It says nothing of what is odd about an office: which one games is for the figures to show.
    """
    services = _lines({"id": service.id, "title": service.title} for service in network.services)
    calendars = {spans: f"hours-{n}" for n, spans in enumerate(sorted({office.spans for office in network.offices}), 1)}
    hours = _lines({"id": name, "weekly": {"mon-sun": _hours(spans)}} for spans, name in calendars.items())
    offices = _lines(_office(office, calendars, len(network.services)) for office in network.offices)
    head = f"# A network that does not exist, made by `attente simulate`.\nnetwork: {network.name}\n"
    return f"{head}services:\n{services}calendars:\n{hours}offices:\n{offices}{_NORMS}"


def _hours(spans: tuple[Span, ...]) -> list[str]:
    return [f"{begin // 60:02d}:{begin % 60:02d}-{end // 60:02d}:{end % 60:02d}" for begin, end in spans]


def _office(office: SimulatedOffice, calendars: Mapping[tuple[Span, ...], str], services: int) -> dict[str, object]:
    entry: dict[str, object] = {
        "id": office.id,
        "name": office.name,
        "region": office.region,
        "zone": office.zone,
        "size": office.size,
        "calendar": calendars[office.spans],
        "kiosks": office.kiosks,
    }
    if len(office.services) < services:
        entry["services"] = [service.id for service in office.services]
    return entry


def _lines(entries: Iterable[dict[str, object]]) -> str:
    return "".join(f"  - {_flow(entry)}\n" for entry in entries)


def _flow(entry: dict[str, object]) -> str:
    # JSON is YAML, and needs no thought about what a name may hold.
    return "{" + ", ".join(f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in entry.items()) + "}"
