"""The network of the benchmarks: offices of six services, as many in one partition as in another."""

from itertools import count
from typing import Final

from attente.model.partitioning import partition_of

SERVICES: Final = ("benefits", "housing", "payments", "pensions", "reception", "taxes")
ZONE: Final = "Europe/Paris"
WAIT_NORM: Final = "wait-20"
WAIT_S: Final = 20 * 60
APPOINTMENT_NORM: Final = "appointment-10"
APPOINTMENT_S: Final = 10 * 60

_SIZES: Final = (4, 2, 2, 2, 1, 1, 1, 1, 1, 1)  # a few large offices, many small ones; in every partition the same


def offices_of(offices: int, partitions: int) -> tuple[str, ...]:
    """Office ids of which no partition holds more than one more than another.

    A tape with most of its events in one partition would measure one partition.
    """
    room = [offices // partitions + (p < offices % partitions) for p in range(partitions)]
    found: list[str] = []
    for number in count(1):
        name = f"office-{number:04d}"
        home = partition_of(name.encode(), partitions)
        if room[home]:
            room[home] -= 1
            found.append(name)
        if len(found) == offices:
            return tuple(found)
    raise AssertionError  # `count` does not end


def sizes_of(offices: tuple[str, ...], partitions: int) -> dict[str, int]:
    """How large each office is: its share of the visits, and its desks are twice as many."""
    seen = [0] * partitions
    sizes = {}
    for office in offices:
        home = partition_of(office.encode(), partitions)
        sizes[office] = _SIZES[seen[home] % len(_SIZES)]
        seen[home] += 1
    return sizes


def registry_yaml(offices: tuple[str, ...]) -> str:
    """The registry of the network: two promises, so that clocks from the issue and from the appointment run."""
    services = "".join(f"  - {{id: {name}, title: {name.capitalize()}}}\n" for name in SERVICES)
    places = "".join(
        f"  - {{id: {office}, name: {office.capitalize()}, region: r{i % 10}, zone: {ZONE}}}\n"
        for i, office in enumerate(offices)
    )
    return f"""\
network: benchmark
detail: office
services:
{services}offices:
{places}norms:
  - id: {WAIT_NORM}
    title: Called within twenty minutes
    threshold: {WAIT_S}s
    target: 0.85
    clock: {{from: issued, to: called, per: visit}}
    left: excluded
  - id: {APPOINTMENT_NORM}
    title: Called ten minutes after the appointment at the latest
    threshold: {APPOINTMENT_S}s
    target: 0.90
    clock: {{from: due, to: called, per: leg}}
    population: {{channels: [appointment]}}
    left: failed
"""
