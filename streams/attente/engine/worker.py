"""One worker process, from settings to exit code."""

import asyncio
import sys
import threading
from collections.abc import Callable
from typing import Any, Protocol

import faust

from attente.core.view import View
from attente.engine import logs
from attente.engine.app import build
from attente.engine.engine import Engine
from attente.engine.exits import end
from attente.engine.outside import stay_in
from attente.engine.preflight import count_partitions
from attente.engine.reload import Hangup, Reload
from attente.engine.rights import Door
from attente.engine.scrape import Scrape
from attente.engine.watchdog import Watchdog
from attente.errors import BadInput
from attente.registry.entities import Registry
from attente.registry.keyring import keyring
from attente.registry.load import load
from attente.settings import Settings


class Worker(faust.Worker):  # type: ignore[misc]
    """Faust's worker without its banner, its log set-up and its hold on stdout."""

    def on_init_dependencies(self) -> Any:
        """The application alone."""
        return [self.app]


class Serving(Protocol):
    """Something that shows views, for as long as the worker works."""

    @property
    def url(self) -> str:
        """Where it is."""

    def start(self) -> None:
        """Begins, or raises an `AttenteError`."""

    def show(self, registry: Registry) -> None:
        """From now on another registry is in force."""

    def stop(self) -> None:
        """Ends."""


Serve = Callable[[Registry, Callable[[], View], Callable[[], tuple[bool, str]]], Serving]
"""Makes what shows the views that the second argument gives; the third one says whether the process is healthy."""


def run(settings: Settings, serve: Serve) -> None:
    """Work until a signal; returns after a clean stop, ends the process with a line and a code otherwise.

    SIGHUP makes it read its registry again.

    Raises:
        BadInput: no registry is named, it has errors, or a secret is another one than it asks for.
        Missing: a topic is not there, or a secret.
    """
    if settings.registry is None:
        message = "a worker needs a registry; name it with --registry FILE"
        raise BadInput(message)
    logs.setup()
    hangup = Hangup()
    registry = load(settings.registry)
    keys = keyring(registry, settings.keys_file)
    partitions = asyncio.run(count_partitions(settings, _say))
    engine = Engine(settings, registry, partitions, _say, keys)
    watchdog = Watchdog(engine)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    serving = serve(registry, Scrape(engine, loop), lambda: watchdog.healthy)
    serving.start()
    _say(f"worker {settings.worker} serves {serving.url}/metrics")
    reload = Reload(engine, hangup, serving.show)
    door = Door(settings.broker, settings.connection)

    def started() -> None:
        _say(f"worker {settings.worker} is a member of {settings.group}")

    async def knocking() -> None:
        await stay_in(engine.ownership, door, settings.broker, _say)

    app = build(engine, watchdog, reload, started, [knocking])
    worker = Worker(app, loop=loop, override_logging=False, redirect_stdouts=False, quiet=True)
    try:
        worker.execute_from_commandline()
    except SystemExit as exit_:
        serving.stop()
        if exit_.code:
            raise
    except Exception as error:  # noqa: BLE001 - one line instead of a traceback
        end(error)


_saying = threading.Lock()


def _say(line: str) -> None:
    with _saying:
        sys.stderr.write(f"attente: {line}\n")
        sys.stderr.flush()
