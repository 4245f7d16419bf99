"""One demo from beginning to end: start everything, show it, account for every event, and put everything away."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress

from attente.broker.processes import ProcessId
from attente.demo.crew import CALM, HARD, LIVE, Crew
from attente.demo.ground import Ground
from attente.demo.keyboard import keyboard
from attente.demo.live import LiveShow
from attente.demo.network import Simulator
from attente.demo.options import DemoOptions, LiveOptions
from attente.demo.processes import ChildProcess, children, stop_all
from attente.demo.prometheus import Prometheus, find_prometheus
from attente.demo.screen import Screen
from attente.demo.show import Outcome, Show
from attente.demo.source import check_extras, open_tape
from attente.demo.stop import Stop, stopping
from attente.demo.told import LiveOutcome
from attente.registry.entities import Registry
from attente.wording import counted


def run(options: DemoOptions, screen: Screen) -> Outcome:
    """Play an archive; everything that has been started is gone when this returns or raises.

    Raises:
        KeyboardInterrupt: it was told to stop before every event was accounted for.
        CheckFailed: the account does not balance, or a worker has ended by itself.
        BadInput: the tape is none.
        Missing: something that is needed is not installed or not there.
        Unreachable: there is no broker, or it refuses.
    """
    check_extras(broker=options.broker is None)
    with stopping() as stop:
        demo = TapeDemo(options, screen, stop)
        demo.begin_to_end()
    return demo.outcome


def run_live(options: LiveOptions, screen: Screen) -> LiveOutcome:
    """Show a network that lives now; everything that has been started is gone when this returns or raises.

    Raises:
        KeyboardInterrupt: it was told to stop before the network was on the screen.
        CheckFailed: the account does not balance, or a process has ended by itself.
        Missing: something that is needed is not installed or not there.
        Unreachable: there is no broker, or it refuses.
    """
    check_extras(broker=options.broker is None)
    with stopping() as stop:
        demo = LiveDemo(options, screen, stop)
        demo.begin_to_end()
    return demo.outcome


class _Demo(ABC):
    """One run and all that belongs to it."""

    def __init__(self, ground: Ground, screen: Screen, stop: Stop, *, keep: bool) -> None:
        """Nothing is started yet."""
        self._ground = ground
        self._screen = screen
        self._stop = stop
        self._keep = keep
        self._others = children()
        self._crew: Crew | None = None
        self._has_failed = False

    def begin_to_end(self) -> None:
        """Do all of it, until it is over or somebody stops it; then put everything away."""
        try:
            try:
                self._perform()
            except KeyboardInterrupt:
                if not self._has_shown:
                    raise
            except BaseException:
                self._has_failed = True
                raise
            finally:
                self._stop.disarm()
        finally:
            self._put_away()

    @abstractmethod
    def _perform(self) -> None:
        """Everything but putting away."""

    @property
    @abstractmethod
    def _has_shown(self) -> bool:
        """Whether it is well that somebody stops it now."""

    @abstractmethod
    def _has_seen_wrong(self) -> bool:
        """Whether the pages showed what must not be."""

    @abstractmethod
    def _stop_sources(self) -> None:
        """Whatever brings events, and whatever else has no place of its own, ends first."""

    def _put_away(self) -> None:
        """Stop everything that was started here, in order; one step that fails keeps no other from being done."""
        keep = self._keep or self._has_failed or self._has_seen_wrong()
        self._attempt("where the events come from", self._stop_sources)
        self._attempt("the workers", self._stop_workers)
        if not keep:
            self._attempt("the topics", self._ground.remove_topics)
        self._attempt("the broker", self._ground.stop_broker)
        self._attempt("what is left", self._stop_others)
        self._attempt("the folder", lambda: self._ground.folder.leave(keep=keep))
        if self._ground.folder.path.exists():
            self._say(f"the run's records and logs stay in {self._ground.folder.path}")

    def _attempt(self, what: str, step: Callable[[], None]) -> None:
        try:
            step()
        except Exception as error:  # noqa: BLE001 - whatever it is, the other steps must follow
            self._say(f"could not put away {what}: {' '.join(str(error).split())}")

    def _stop_workers(self) -> None:
        if self._crew is not None:
            for title in self._crew.stop(self._stop.hurry):
                self._say(f"{title} had to be killed")

    def _stop_others(self) -> None:
        """A signal may come between the birth of a process and the moment when its parent knows of it."""
        for pid in children() - self._others:
            process = ProcessId.of(pid)
            if process is not None:
                process.kill()

    def _say(self, text: str) -> None:
        # The terminal may be gone.
        with suppress(OSError):
            self._screen.say(text)


class TapeDemo(_Demo):
    """An archive that is played."""

    def __init__(self, options: DemoOptions, screen: Screen, stop: Stop) -> None:
        """Nothing is started yet."""
        super().__init__(Ground(options.folder, options.broker, options.security), screen, stop, keep=options.keep)
        self._options = options
        self._show: Show | None = None

    @property
    def outcome(self) -> Outcome:
        """What came of it; it has been shown."""
        assert self._show is not None  # noqa: S101 - else somebody has raised
        return self._show.outcome

    @property
    def _has_shown(self) -> bool:
        return self._show is not None and self._show.is_done

    def _has_seen_wrong(self) -> bool:
        return self._show is not None and bool(self._show.outcome.violations)

    def _perform(self) -> None:
        options, screen = self._options, self._screen
        with screen.stage(f"reading {options.tape}"):
            source = open_tape(options.importer, options.tape, options.how)
        self._ground.lay(source.registry, options.partitions, screen)
        self._crew = Crew(self._ground, options.workers, HARD if options.kills else CALM)
        self._show = show = Show(options, source, self._ground, self._crew, screen)
        with screen.stage("starting workers"):
            self._crew.start()
            show.wait_until_ready()
        with screen.live():
            show.play()
            show.settle()
            while not options.once:
                show.look()

    def _stop_sources(self) -> None:
        if self._show is not None:
            self._show.player.stop()


class LiveDemo(_Demo):
    """A simulated network that lives now."""

    def __init__(self, options: LiveOptions, screen: Screen, stop: Stop) -> None:
        """Nothing is started yet."""
        super().__init__(Ground(options.folder, options.broker, options.security), screen, stop, keep=options.keep)
        self._options = options
        self._show: LiveShow | None = None
        self._helpers: list[ChildProcess] = []

    @property
    def outcome(self) -> LiveOutcome:
        """What came of it; it has been shown."""
        assert self._show is not None  # noqa: S101 - else somebody has raised
        return self._show.outcome

    @property
    def _has_shown(self) -> bool:
        return self._show is not None and self._show.has_lived

    def _has_seen_wrong(self) -> bool:
        return self._show is not None and bool(self._show.violations)

    def _perform(self) -> None:
        options, screen, ground = self._options, self._screen, self._ground
        ground.lay("", options.partitions, screen, archive=False)
        simulator = Simulator(options, ground)
        with screen.stage(f"opening {counted(options.offices, 'office')}"):
            self._start(simulator.process)
            network = simulator.wait_for_network(options.patience_s)
        crew = self._crew = Crew(ground, options.workers, LIVE, most=options.partitions)
        with screen.stage("starting workers"):
            crew.start()
            self._show = show = LiveShow(options, ground, crew, simulator.process, screen, network=network)
            show.wait_until_ready()
        # Last, because everything else is waited for.
        show.prometheus = self._start_prometheus(network.registry)
        with keyboard(wanted=screen.is_terminal) as keys, screen.live(whole=True):
            try:
                show.watch(keys)
                if options.for_s is not None:
                    show.settle(lambda: self._end(simulator.process))
            finally:
                # A signal that comes while the terminal is given back must not end that half-way.
                self._stop.disarm()

    def _start_prometheus(self, registry: Registry) -> Prometheus | None:
        program = find_prometheus() if self._options.prometheus else None
        if program is None:
            return None
        prometheus = Prometheus(program, self._ground.folder.path, self._options.rules(registry))
        self._helpers.append(prometheus.process)
        prometheus.start()
        self._remember()
        return prometheus

    def _start(self, process: ChildProcess) -> None:
        self._helpers.append(process)
        process.start()
        self._remember()

    def _remember(self) -> None:
        running = (one for helper in self._helpers if (one := helper.identity) is not None)
        self._ground.folder.remember("helpers", running)

    def _end(self, *processes: ChildProcess) -> None:
        for title in stop_all(processes, self._stop.hurry):
            self._say(f"{title} had to be killed")

    def _stop_sources(self) -> None:
        if self._show is not None:
            self._show.close()
        self._end(*self._helpers)
