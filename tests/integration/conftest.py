"""Crews of real workers on topics of their own."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from attente.broker.local import LocalBroker
from attente.registry.entities import Registry
from workers import Crew, written

MakeCrew = Callable[..., Crew]


@pytest.fixture
def make_crew(broker: LocalBroker, make_topics: Callable[..., str], tmp_path: Path) -> Iterator[MakeCrew]:
    """Make a crew for a registry and so many partitions, on topics that keep the records' own time."""
    with ExitStack() as stack:

        def make(registry: Registry, partitions: int) -> Crew:
            file = tmp_path / "registry.yaml"
            file.write_text(written(registry))
            return stack.enter_context(Crew(broker.bootstrap, make_topics(partitions, archive=True), file))

        yield make
