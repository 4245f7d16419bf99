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
