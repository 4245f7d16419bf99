"""The live network: look at the workers' pages, draw the board, obey the keys, account for every event in the end."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final

from attente.demo.account import Account, account_of, figures_of, imbalance, overcount, unaccounted, unready
from attente.demo.board import Board, Order, Totals, View
from attente.demo.crew import Crew
from attente.demo.ground import Ground
from attente.demo.keyboard import Key, Keyboard
from attente.demo.network import LiveNetwork
from attente.demo.offices import Promise
from attente.demo.options import LiveOptions
from attente.demo.pages import Page
from attente.demo.panel import LiveSnapshot, Panel, room
from attente.demo.patience import Patience
from attente.demo.processes import ChildProcess
from attente.demo.prometheus import Prometheus
from attente.demo.screen import Screen, Sight
from attente.demo.snapshot import Rate, WorkerRate, WorkerState, state_of
from attente.demo.told import LiveOutcome, line
from attente.errors import CheckFailed

TICK_S: Final = 1.0
"""How often the pages are looked at."""

_GLANCE_S: Final = 0.05  # how long a key may wait while pages are being fetched
_NOTES: Final = 3


@dataclass(slots=True)
class _Fallen:
    """A worker that was killed and whose partitions somebody has to show again."""

    worker: str
    partitions: frozenset[int]
    since_s: float


@dataclass(slots=True)
class _Seen:
    """What the pages of the last rounds said."""

    pages: Sequence[Page] = ()
    at_s: float = 0.0
    account: Account = field(default_factory=Account)
    whole_s: float = 0.0  # when all partitions were shown

    @property
    def shown(self) -> frozenset[int]:
        return frozenset[int]().union(*(page.shown for page in self.pages))


class LiveShow:
    """One live demo.

    Attributes:
        is_over: somebody wants to see no more.
        has_lived: the network has been on the screen.
        prometheus: who scrapes the workers too; None is nobody.
    """

    def __init__(
        self,
        options: LiveOptions,
        ground: Ground,
        crew: Crew,
        simulator: ChildProcess,
        screen: Screen,
        *,
        network: LiveNetwork,
    ) -> None:
        """Nothing has been looked at yet."""
        self.is_over = False
        self.has_lived = False
        self.prometheus: Prometheus | None = None
        self._options = options
        self._ground = ground
        self._crew = crew
        self._simulator = simulator
        self._screen = screen
        self._network = network
        self._board = Board()
        self._view = View()
        self._seen = _Seen()
        self._rate = Rate()
        self._meters: dict[str, WorkerRate] = {}
        self._per_second = 0.0
        self._per_worker: dict[str, float] = {}
        self._fallen: list[_Fallen] = []
        self._killed = 0
        self._notes: list[str] = []
        self._wrong: list[str] = []
        self._state = "starting"
        self._is_stopping = False
        self._is_settled = False
        self._has_keys = False
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="look")

    # ---- the acts

    def wait_until_ready(self) -> None:
        """Look until every worker is there and every partition is shown.

        Raises:
            CheckFailed: something has ended by itself, or nothing changes any more.
        """
        self._until(lambda pages: unready(pages, self._crew.workers.keys(), self._options.partitions))

    def watch(self, keyboard: Keyboard) -> None:
        """Show the network until somebody has seen enough, or the time is over.

        Raises:
            CheckFailed: something has ended by itself.
        """
        self._state = "live"
        self.has_lived = True
        self._has_keys = keyboard.listens
        limit_s = self._options.for_s
        end_s = None if limit_s is None else time.monotonic() + limit_s
        while not self.is_over and (end_s is None or time.monotonic() < end_s):
            self._tick(keyboard)

    def settle(self, stop_simulator: Callable[[], None]) -> None:
        """End the network, and look until every event of the log is accounted for.

        Raises:
            CheckFailed: the account does not balance, or something has ended by itself.
            Unreachable: the broker is gone.
        """
        self._state = "catching up"
        self._is_stopping = True
        stop_simulator()
        log = self._ground.log()

        def missing(pages: Sequence[Page]) -> str:
            if why := overcount(pages, log):
                raise CheckFailed(why)
            return unready(pages, self._crew.workers.keys(), self._options.partitions) or imbalance(pages, log)

        self._until(missing)
        if self._ground.log() != log:
            msg = f"{self._ground.events}: somebody else writes into the demo's topic, and its account has no end"
            raise CheckFailed(msg)
        self._is_settled = True
        self._state = "all accounted for"
        self._draw()

    @property
    def outcome(self) -> LiveOutcome:
        """How it stands now."""
        promise = self._promise
        return LiveOutcome(
            figures=figures_of(self._seen.pages),
            promise=promise,
            rows=() if promise is None else tuple(self._board.rows(promise, Order.TROUBLE, self._seen.at_s)),
            totals=Totals() if promise is None else self._board.totals(promise),
            killed=self._killed,
            rounds=self._crew.watch.rounds,
            violations=self.violations,
            is_settled=self._is_settled,
        )

    def close(self) -> None:
        """Look no more; waits for nothing."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    # ---- looking

    def _until(self, missing: Callable[[Sequence[Page]], str]) -> None:
        patience = Patience(self._options.patience_s)
        while why := missing(self._look()):
            if patience.is_over([(page.worker, page.shown, page.lag, page.is_ready) for page in self._seen.pages]):
                msg = f"{why}, and for {patience.limit_s:.0f} s nothing has changed"
                raise CheckFailed(msg)
            time.sleep(TICK_S / 2)

    def _look(self) -> Sequence[Page]:
        self._take(self._crew.pages())
        return self._seen.pages

    def _tick(self, keyboard: Keyboard) -> None:
        """One look, and all keys until it is time for the next one."""
        next_s = time.monotonic() + TICK_S
        look = self._pool.submit(self._crew.pages)
        while not look.done() and not self.is_over:
            self._obey(keyboard.keys(_GLANCE_S))
        if self.is_over:
            return
        self._take(look.result())
        while (rest_s := next_s - time.monotonic()) > 0 and not self.is_over:
            self._obey(keyboard.keys(rest_s))

    def _take(self, pages: Sequence[Page]) -> None:
        self._crew.check()
        if not self._is_stopping and (why := self._simulator.ended()) is not None:
            raise why
        now_s = time.monotonic()
        self._seen.pages, self._seen.at_s = pages, now_s
        self._board.observe(pages, now_s)
        self._wrong.extend(one for one in unaccounted(pages) if one not in self._wrong)
        if not unready(pages, (), self._options.partitions):
            self._seen.account, self._seen.whole_s = account_of(pages), now_s
        self._per_second = self._rate.observe(pages, now_s)
        self._per_worker = {
            page.worker: self._meters.setdefault(page.worker, WorkerRate()).observe(page, now_s) for page in pages
        }
        self._tell_of_fallen(pages, now_s)
        if self.prometheus is not None:
            self._look_after(self.prometheus)
        self._draw()

    def _tell_of_fallen(self, pages: Sequence[Page], now_s: float) -> None:
        for fallen in list(self._fallen):
            if fallen.partitions <= self._seen.shown:
                by = " and ".join(page.worker for page in pages if page.shown & fallen.partitions)
                self._note(
                    f"what {fallen.worker} had is shown by {by or 'nobody'} after {now_s - fallen.since_s:.1f} s"
                )
                self._fallen.remove(fallen)

    def _look_after(self, prometheus: Prometheus) -> None:
        prometheus.scrape(url for worker in self._crew.workers.values() if (url := worker.url) is not None)
        if (why := prometheus.process.ended()) is not None:
            self._note(f"{why}; the demo goes on without it")
            self.prometheus = None

    # ---- keys

    def _obey(self, keys: Sequence[Key]) -> None:
        for key in keys:
            if key is Key.QUIT:
                self.is_over = True
            elif key is Key.MORE:
                self._add_worker()
            elif key is Key.KILL:
                self._kill_worker()
            else:
                page = room(self._screen.height, len(self._workers()), len(self.violations))
                self._view.turn(key, page, self._board.count)
        if keys:
            self._draw()

    def _add_worker(self) -> None:
        most = self._options.partitions
        if len(self._crew.workers) >= most:
            self._note(f"{most} workers run, as many as there are partitions: one more would have nothing to do")
            return
        self._note(f"started worker {self._crew.add().name}")

    def _kill_worker(self) -> None:
        """Kill the one that shows most, the oldest of several: who has nothing leaves nothing to take over."""
        if len(self._crew.workers) < 2:
            self._note("the last worker is not killed: start another one first")
            return
        shown = {page.worker: page.shown for page in self._seen.pages}
        name = max(self._crew.workers, key=lambda one: len(shown.get(one, ())))
        self._crew.kill(name)
        self._killed += 1
        partitions = shown.get(name, frozenset())
        named = " ".join(map(str, sorted(partitions))) or "none"
        self._note(f"kill -9 {name} (partitions {named}): the others take over when its session ends")
        if partitions:
            self._fallen.append(_Fallen(name, partitions, time.monotonic()))

    # ---- showing

    @property
    def _promise(self) -> Promise | None:
        promises = self._board.promises
        return promises[self._view.norm % len(promises)] if promises else None

    @property
    def violations(self) -> tuple[str, ...]:
        """What the pages showed that must not be, one line each."""
        return (*self._crew.watch.violations, *self._wrong)

    def _workers(self) -> tuple[WorkerState, ...]:
        by_name = {page.worker: page for page in self._seen.pages}
        living = [
            state_of(one.name, by_name.get(one.name), runs=one.runs, url=one.url, rate=self._per_worker.get(one.name))
            for one in self._crew.workers.values()
        ]
        dead = [WorkerState(one.worker, "killed", tuple(sorted(one.partitions))) for one in self._fallen]
        return (*living, *dead)

    def _links(self) -> tuple[tuple[str, str], ...]:
        prometheus = self.prometheus
        more = (("Prometheus", prometheus.url),) if prometheus is not None and prometheus.is_ready else ()
        return (*more, ("Kafka", self._ground.bootstrap))

    def _draw(self) -> None:
        seen, promise, view = self._seen, self._promise, self._view
        promises = self._board.promises
        rows = () if promise is None else tuple(self._board.rows(promise, view.order, seen.at_s))
        clocks = [row.figures.as_of_ms for row in rows if row.figures.as_of_ms is not None]
        snapshot = LiveSnapshot(
            title=self._network.title,
            state=self._state,
            clock_ms=max(clocks, default=None),
            zone=self._network.zone,
            promise=promise,
            norms=(view.norm % len(promises) + 1, len(promises)) if promises else (0, 0),
            order=view.order,
            rows=rows,
            first=view.first,
            totals=Totals() if promise is None else self._board.totals(promise),
            workers=self._workers(),
            account=seen.account,
            age_s=seen.at_s - seen.whole_s if seen.whole_s else 0.0,
            rate=self._per_second,
            shown=len(seen.shown),
            partitions=self._options.partitions,
            rounds=self._crew.watch.rounds,
            links=self._links(),
            notes=tuple(self._notes[-_NOTES:]),
            violations=self.violations,
            has_keys=self._has_keys,
        )
        self._screen.show(Sight(Panel(snapshot), line(snapshot), snapshot.notes))

    def _note(self, text: str) -> None:
        self._notes.append(f"{time.strftime('%H:%M:%S')}  {text}")
