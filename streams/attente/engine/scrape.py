"""A view for a scrape: rendered in slices in the event loop, asked for by a thread of the server's."""

import asyncio
import time
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import replace
from typing import Final, NamedTuple

from attente.core.render import Renderer
from attente.core.view import OfficeView, PartitionView, View
from attente.engine.engine import Engine
from attente.engine.owned import Owned

SLICE_S: Final = 0.010  # how long the loop may be held: heartbeats and fetches wait meanwhile
FRESH_S: Final = 1.0  # scrapes that come closer together share a view
# The server gives its client up after 10 s and lets the next one wait for the same view: with 2,000 offices on a busy
# machine a view takes longer than that, and one that is thrown away each time would never come.
PATIENCE_S: Final = 60.0


class Rendered(NamedTuple):
    """A view of a partition, and what it is a view of: of another epoch, or under another registry, it is none."""

    owned: Owned
    epoch: int
    renderer: Renderer
    view: PartitionView

    @property
    def is_valid(self) -> bool:
        """Whether the partition is still what it was when the view was begun."""
        return self.owned.epoch == self.epoch and self.owned.renderer is self.renderer


class Scrape:
    """Gives views to threads. What is no longer vouched for at the moment of the answer is left out."""

    def __init__(self, engine: Engine, loop: asyncio.AbstractEventLoop) -> None:
        self._engine = engine
        self._loop = loop
        self._rendering = asyncio.Lock()
        self._rendered: tuple[float, tuple[Rendered, ...]] = (float("-inf"), ())

    def __call__(self) -> View:
        """The view now; called in any thread but the loop's.

        Raises:
            TimeoutError: the loop does not turn.
        """
        future = asyncio.run_coroutine_threadsafe(self._render(), self._loop)
        try:
            rendered = future.result(PATIENCE_S)
        except FutureTimeoutError:
            future.cancel()
            message = f"the event loop has not rendered the figures within {PATIENCE_S:.0f} s"
            raise TimeoutError(message) from None
        shown = {owned.number: owned for owned in self._engine.ownership.shown()}
        views = tuple(one.view for one in rendered if shown.get(one.owned.number) is one.owned and one.is_valid)
        health = self._engine.health()
        named = {view.partition for view in views}
        partitions = tuple(replace(one, shown=one.partition in named) for one in health.partitions)
        return View(replace(health, partitions=partitions), views)

    async def _render(self) -> tuple[Rendered, ...]:
        async with self._rendering:
            at, views = self._rendered
            if time.monotonic() - at < FRESH_S:
                return views
            began = time.monotonic()
            rendered = [await self._partition(owned) for owned in self._engine.ownership.shown()]
            self._rendered = (began, tuple(rendered))
            return self._rendered[1]

    async def _partition(self, owned: Owned) -> Rendered:
        epoch, renderer = owned.epoch, owned.renderer
        offices: list[OfficeView] = []
        held = time.monotonic()
        for office in renderer.offices(owned.now_ms()):
            offices.append(office)
            if time.monotonic() - held > SLICE_S:
                await asyncio.sleep(0)
                held = time.monotonic()
        return Rendered(owned, epoch, renderer, renderer.partition_view(tuple(offices)))
