"""Registry files for tests: a sound one to start from, and a way to say where a problem must be reported."""

import pytest

from attente.registry.load import Problem, RegistryError, parse

MARK = "▸"
"""Stands in a text right before the value at which a problem must be reported, and is taken out."""

SOUND = """\
network: caf
cut_over: "03:00"
horizon: 24h
detail: service
services:
  - id: accueil
    title: Accueil
  - id: logement
    title: Aides au logement
offices:
  - id: nation
    name: Paris Nation
    region: Paris
    zone: Europe/Paris
    services: [accueil, logement]
  - id: thiers
    name: Thiers
    region: Auvergne
    zone: Europe/Paris
    services: [accueil]
norms:
  - id: caf-20
    title: Vingt minutes
    threshold: 20m
    target: 0.85
    clock: {from: arrived, to: called, per: visit}
    population: {channels: [walkin]}
    left: excluded
    still_waiting: ignored
    offices: [nation]
    services: [logement]
    valid_from: 2009-01-01
"""

RICH = """\
network: caf
services: [{id: accueil, title: Accueil}, {id: rdv, title: Rendez-vous}]
calendars:
  - id: usual
    weekly:
      mon-thu: [09:00-12:30, 13:30-17:00]
      fri: 09:00-12:30
      sat: closed
    holidays: [2026-12-25, 2027-01-01]
    exceptions:
      - {date: 2026-12-24, hours: 09:00-12:00}
      - {from: 2026-08-03, to: 2026-08-14}
offices:
  - id: nation
    name: Paris Nation
    region: Île de France
    zone: Europe/Paris
    size: large
    kiosks: [hall-1, hall-2]
    calendar: usual
    closures: [{date: 2026-05-04, hours: closed}]
  - {id: thiers, name: Thiers, region: Auvergne, zone: Europe/Paris}
norms:
  - id: vingt
    title: Vingt minutes
    threshold: 20m
    target: 85 %
    offices: [region:Île de France, not:thiers]
    services: not:rdv
  - {id: vingt, title: Quinze, threshold: 15m, target: 90 %, offices: size:large, valid_from: 2026-06-01}
"""
"""What a registry can say beyond `SOUND`: calendars, kiosks, selectors, a norm that changes."""


def changed(old: str, new: str, text: str = SOUND) -> str:
    """The text with the one place that reads `old` reading `new`."""
    assert text.count(old) == 1, old
    return text.replace(old, new)


def problems(text: str) -> tuple[Problem, ...]:
    """Everything that is wrong with a text."""
    with pytest.raises(RegistryError) as refused:
        parse(text, "registry.yaml")
    return refused.value.problems


def complaint(marked: str) -> str:
    """The message of the only problem of a text, which must be reported at the mark."""
    before, _, after = marked.partition(MARK)
    (problem,) = problems(before + after)
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    assert (problem.line, problem.column) == (line, column), str(problem)
    return problem.message
