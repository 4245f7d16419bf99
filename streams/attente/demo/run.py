"""One demo from beginning to end: start everything, play, account for every event, and put everything away."""

from collections.abc import Callable
from contextlib import suppress

from attente.broker.processes import ProcessId
from attente.demo.crew import CALM, HARD, Crew
from attente.demo.ground import Ground
from attente.demo.options import DemoOptions
from attente.demo.processes import children
from attente.demo.screen import Screen
from attente.demo.show import Outcome, Show
from attente.demo.source import check_extras, open_tape
from attente.demo.stop import Stop, stopping


def run(options: DemoOptions, screen: Screen) -> Outcome:
    """Show the demo; everything that it has started is gone when this returns or raises.

    Raises:
        KeyboardInterrupt: it was told to stop before every event was accounted for.
        CheckFailed: the account does not balance, or a worker has ended by itself.
        BadInput: the tape is none.
        Missing: something that is needed is not installed or not there.
        Unreachable: there is no broker, or it refuses.
    """
    check_extras(broker=options.broker is None)
    with stopping() as stop:
        demo = Demo(options, screen, stop)
        try:
            try:
                return demo.perform()
            finally:
                stop.disarm()
        finally:
            demo.put_away()


class Demo:
    """One run and all that belongs to it."""

    def __init__(self, options: DemoOptions, screen: Screen, stop: Stop) -> None:
        """Nothing is started yet."""
        self._options = options
        self._screen = screen
        self._stop = stop
        self._others = children()
        self._ground = Ground(options.folder, options.broker)
        self._crew: Crew | None = None
        self._show: Show | None = None
        self._has_failed = False

    def perform(self) -> Outcome:
        """Do all of it, and stay until somebody stops it unless it is for once."""
        try:
            self._perform()
        except KeyboardInterrupt:
            if self._show is None or not self._show.is_done:
                raise
        except BaseException:
            self._has_failed = True
            raise
        assert self._show is not None  # noqa: S101 - else it has not come here
        return self._show.outcome

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

    def put_away(self) -> None:
        """Stop everything that was started here, in order; one step that fails keeps no other from being done."""
        keep = self._options.keep or self._has_failed or self._has_seen_wrong()
        self._attempt("the replay", self._stop_replay)
        self._attempt("the workers", self._stop_workers)
        if not keep:
            self._attempt("the topics", self._ground.remove_topics)
        self._attempt("the broker", self._ground.stop_broker)
        self._attempt("what is left", self._stop_others)
        self._attempt("the folder", lambda: self._ground.folder.leave(keep=keep))
        if self._ground.folder.path.exists():
            self._say(f"the run's records and logs stay in {self._ground.folder.path}")

    def _has_seen_wrong(self) -> bool:
        return self._crew is not None and bool(self._crew.watch.violations)

    def _attempt(self, what: str, step: Callable[[], None]) -> None:
        try:
            step()
        except Exception as error:  # noqa: BLE001 - whatever it is, the other steps must follow
            self._say(f"could not put away {what}: {' '.join(str(error).split())}")

    def _stop_replay(self) -> None:
        if self._show is not None:
            self._show.player.stop()

    def _stop_workers(self) -> None:
        if self._crew is not None:
            for name in self._crew.stop(self._stop.hurry):
                self._say(f"worker {name} had to be killed")

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
