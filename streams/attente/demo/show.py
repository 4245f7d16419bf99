"""The show itself: play the tape beside the workers, look at their pages, account for every event."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from attente.demo.account import Figures, figures_of, imbalance, overcount, unready
from attente.demo.crew import Crew
from attente.demo.feed import Feed
from attente.demo.ground import Ground
from attente.demo.kills import Kill, Killer, KillPlan, plan
from attente.demo.options import DemoOptions
from attente.demo.pages import Page
from attente.demo.patience import Patience
from attente.demo.picture import sight_of
from attente.demo.player import Player
from attente.demo.screen import Screen
from attente.demo.snapshot import Rate, Snapshot, state_of
from attente.demo.source import Source
from attente.errors import CheckFailed
from attente.sources.replay import ReplaySettings

TICK_S: Final = 1.0
"""How often the pages are looked at."""

_NOTES: Final = 3  # as many as leave the screen within 24 lines


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it: every event is accounted for.

    Attributes:
        figures: what the workers said in the end.
        kills: the kills, in order.
        rounds: how often all pages were looked at.
        violations: what the pages showed that must not be.
    """

    figures: Figures
    kills: tuple[Kill, ...]
    rounds: int
    violations: tuple[str, ...]


class Show:
    """One show.

    Attributes:
        player: the replay.
        is_done: whether every event is accounted for.
    """

    def __init__(self, options: DemoOptions, source: Source, ground: Ground, crew: Crew, screen: Screen) -> None:
        """Nothing is played yet."""
        self.is_done = False
        self._options = options
        self._source = source
        self._ground = ground
        self._crew = crew
        self._screen = screen
        self._state = "starting"
        self._figures = figures_of(())
        self._figures_s = 0.0  # when all of them were there
        self._rate = Rate()
        self._notes: list[str] = []
        self._next_s = time.monotonic()
        # Of its own, so that the same tape is killed at other places by another seed alone.
        random = Random(f"kills {options.how.seed}")  # noqa: S311 - it has to be repeatable, not secret
        kills = plan(source.count, options.kills, options.workers, random) if options.kills else KillPlan()
        self._kills = kills
        self._killer = Killer(crew.workers, kills.kinds, options.partitions, random, self._note)
        feed = Feed(source.lines, kills.gates, kills.last, kills.rate)
        self.player = Player(feed, self._replay_settings())

    @property
    def outcome(self) -> Outcome:
        """How it stands now."""
        watch = self._crew.watch
        return Outcome(self._figures, tuple(self._killer.done), watch.rounds, tuple(watch.violations))

    def wait_until_ready(self) -> None:
        """Look until every worker is there and every partition is shown.

        Raises:
            CheckFailed: a worker has ended, or nothing changes any more.
        """
        self._until(self._unready)

    def play(self) -> None:
        """Play the tape to its end, with everything that is to happen meanwhile.

        Raises:
            CheckFailed: a worker has ended, or nothing changes any more.
            Unreachable: the broker is gone.
        """
        self._state = "replaying"
        self.player.start()
        self._until(lambda _: "" if self.player.report else "the replay has not come to its end")

    def settle(self) -> None:
        """Look until every record is accounted for, and take the figures from one more look.

        Raises:
            CheckFailed: the account does not balance.
            Unreachable: the broker is gone.
        """
        self._state = "catching up"
        report = self.player.report
        assert report is not None  # noqa: S101 - it has been played to its end
        sent = {number: report.partitions.get(number, 0) for number in range(self._options.partitions)}
        self._compare_log(sent)
        self._until(lambda pages: self._unready(pages) or self._unbalanced(pages, sent))
        pages = self.look()
        if why := self._unready(pages) or self._unbalanced(pages, sent):
            msg = f"the account balanced and does not any more: {why}"
            raise CheckFailed(msg)
        self._compare_log(sent)
        self.is_done = True
        self._state = "all accounted for"
        self._show(pages)

    def look(self) -> list[Page]:
        """Wait for the next tick and look at all pages.

        Raises:
            ChildEnded: a worker has ended by itself.
        """
        wake = self.player.feed.wake
        wake.wait(max(0.0, self._next_s - time.monotonic()))
        wake.clear()
        self._next_s = time.monotonic() + TICK_S
        pages = self._crew.pages()
        self._crew.check(self._killer.missing)
        self._kill_if_due(pages)
        self._show(pages)
        return pages

    # ---- what is looked for

    def _until(self, missing: Callable[[Sequence[Page]], str]) -> None:
        patience = Patience(self._options.patience_s)
        while why := missing(pages := self.look()):
            if patience.is_over(self._all_that_moves(pages)):
                msg = f"{why}, and for {patience.limit_s:.0f} s nothing has changed"
                raise CheckFailed(msg)

    def _all_that_moves(self, pages: Sequence[Page]) -> object:
        workers = [(page.worker, page.shown, page.lag, page.is_ready) for page in pages]
        return workers, figures_of(pages).read, self.player.feed.given, len(self._killer.done), self._killer.missing

    def _unready(self, pages: Sequence[Page]) -> str:
        return unready(pages, self._crew.workers.keys(), self._options.partitions)

    def _unshown(self, pages: Sequence[Page]) -> str:
        return unready(pages, (), self._options.partitions)

    def _unbalanced(self, pages: Sequence[Page], sent: dict[int, int]) -> str:
        if why := overcount(pages, sent):
            raise CheckFailed(why)
        return imbalance(pages, sent)

    def _compare_log(self, sent: dict[int, int]) -> None:
        """What others have written into the log cannot be accounted for."""
        for number, records in sorted(self._ground.log().items()):
            if records != sent.get(number, 0):
                msg = f"partition {number}: the log holds {records:,} records, though {sent.get(number, 0):,} were sent"
                raise CheckFailed(msg)

    # ---- what is done

    def _kill_if_due(self, pages: Sequence[Page]) -> None:
        feed, killer = self.player.feed, self._killer
        killer.step(feed.announced, feed.given, pages)
        feed.over(len(killer.done))
        if killer.is_busy:
            self._crew.remember()

    def _replay_settings(self) -> ReplaySettings:
        return ReplaySettings(
            broker=self._ground.bootstrap,
            security=self._ground.security,
            topic=self._ground.events,
            name=self._source.name,
            speed=self._options.speed,
            partitions=self._options.partitions,
        )

    def _note(self, text: str) -> None:
        self._notes.append(f"{time.strftime('%H:%M:%S')}  {text}")

    def _show(self, pages: Sequence[Page]) -> None:
        now = time.monotonic()
        is_whole = not self._unshown(pages)
        if is_whole or not self._figures_s:
            self._figures, self._figures_s = figures_of(pages), now if is_whole else 0.0
        by_name = {page.worker: page for page in pages}
        workers = self._crew.workers.values()
        snapshot = Snapshot(
            title=self._source.title,
            state=self._state,
            broker=self._ground.bootstrap,
            zone=self._source.zone,
            given=self.player.feed.given,
            records=self._source.count,
            partitions=self._options.partitions,
            figures=self._figures,
            age_s=now - self._figures_s if self._figures_s else 0.0,
            rate=self._rate.observe(pages, now),
            workers=tuple(state_of(one.name, by_name.get(one.name), runs=one.runs, url=one.url) for one in workers),
            kills=(len(self._killer.done), len(self._kills.kinds)),
            notes=tuple(self._notes[-_NOTES:]),
            violations=tuple(self._crew.watch.violations),
            is_done=self.is_done,
        )
        self._screen.show(sight_of(snapshot))
