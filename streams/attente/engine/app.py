"""The engine as a Faust application: one agent, three signals, no table, no changelog."""

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, Final

import faust
from mode.supervisors import CrashingSupervisor

from attente.engine import transport
from attente.engine.engine import Engine
from attente.engine.exits import end, leave_within
from attente.engine.reload import Reload
from attente.engine.rights import credentials
from attente.engine.transport import Delivery
from attente.engine.watchdog import Watchdog
from attente.model.topics import EVENTS

NEVER_S: Final = 1e9
LEAVE_S: Final = 5.0  # the consumer's thread ends within one, unless its broker is away
BUFFERED: Final = 4  # deliveries between fetcher and agent: more only grows memory
# The state is millions of long-lived objects without cycles: with the default thresholds the collector takes a fifth.
COLLECT: Final = (100_000, 50, 1_000)


class Raw(faust.Schema):  # type: ignore[misc]
    """Messages are deliveries; nothing is decoded by Faust, which would lose an event that it cannot decode."""

    def loads_key(self, app: Any, message: Any, **_: Any) -> Any:  # noqa: ARG002 - Faust's signature
        """The key as it is."""
        return message.key

    def loads_value(self, app: Any, message: Any, **_: Any) -> Any:  # noqa: ARG002 - Faust's signature
        """The value as it is."""
        return message.value


class App(faust.App):  # type: ignore[misc]
    """A Faust application that knows its engine."""

    engine: Engine

    def _create_directories(self) -> None:
        """None: they are for tables, and would lie wherever a worker is started."""


def build(
    engine: Engine,
    watchdog: Watchdog,
    reload: Reload,
    started: Callable[[], None],
    beside: Sequence[Callable[[], Awaitable[None]]] = (),
) -> App:
    """The application of a worker.

    Args:
        engine: what it works with.
        watchdog: what watches it.
        reload: takes a changed registry.
        started: called in the loop once the worker is a member of the group.
        beside: what else runs from then on; what it raises ends the process.
    """
    gc.set_threshold(*COLLECT)  # before states are opened: they are made of millions of objects
    settings = engine.settings
    app = App(
        settings.group,
        broker=f"kafka://{settings.broker}",
        broker_credentials=credentials(settings.connection),
        broker_consumer=f"{transport.SCHEME}://{settings.broker}",
        store="memory://",
        # Without standbys Faust leaves the assignment to round robin; its own assignor lets everybody keep what a fair
        # share would round up to, so that a third worker for four partitions gets none.
        table_standby_replicas=0,
        topic_replication_factor=1,
        topic_disable_leader=True,
        consumer_auto_offset_reset="earliest",
        consumer_max_fetch_size=settings.fetch_bytes,
        # A restart within the session takes its partitions back at once, without a rebalance of the others.
        consumer_group_instance_id=settings.worker,
        broker_session_timeout=float(settings.session_timeout_seconds),
        broker_heartbeat_interval=min(1.0, settings.session_timeout_seconds / 4),
        broker_commit_interval=1.0,
        broker_commit_livelock_soft_timeout=NEVER_S,
        stream_processing_timeout=NEVER_S,
        stream_buffer_maxsize=BUFFERED,
        stream_wait_empty=False,
        stream_recovery_delay=0.0,
        web_enabled=False,
        agent_supervisor=CrashingSupervisor,
    )
    app.engine = engine
    source = app.topic(settings.topic(EVENTS), acks=False, schema=Raw())
    _connect(app, engine, watchdog, [engine.keep, engine.commits, watchdog.turn, reload.run, *beside], started)

    async def take(stream: Any) -> None:
        await _apply_all(stream, engine)

    app.agent(source, concurrency=1, name="attente.events")(take)
    return app


async def _apply_all(stream: Any, engine: Engine) -> None:
    stream.enable_acks = False
    events: AsyncIterator[Any] = stream.events()
    try:
        async for event in events:
            delivery: Delivery = event.value
            event.message.value = None  # else its buffers live until the message is acknowledged, which is never
            await engine.apply(delivery)
    except Exception as error:  # noqa: BLE001 - Faust would restart the agent without the event
        end(error)


def _connect(
    app: App,
    engine: Engine,
    watchdog: Watchdog,
    beside: Sequence[Callable[[], Awaitable[None]]],
    started: Callable[[], None],
) -> None:
    """Faust's signals. It only logs what they raise, so each ends the process itself."""
    running = False

    @app.on_rebalance_complete.connect  # type: ignore[untyped-decorator]
    async def rebalanced(sender: Any, **_: Any) -> None:  # noqa: ARG001 - Faust's signature
        # Awaited before partitions are resumed and sought, so nothing is applied before this returns.
        nonlocal running
        try:
            _bind(app, engine)
            topic = engine.settings.topic(EVENTS)
            await engine.take_over({tp.partition for tp in app.consumer.assignment() if tp.topic == topic})
            if not running:
                running = True
                for work in beside:
                    app.add_future(_guarded(work()))
                watchdog.start()
                started()
        except Exception as error:  # noqa: BLE001
            end(error)

    @app.on_partitions_revoked.connect  # type: ignore[untyped-decorator]
    async def revoked(sender: Any, revoked: Any, **_: Any) -> None:  # noqa: ARG001 - Faust's signature
        try:
            await engine.give_up()
        except Exception as error:  # noqa: BLE001
            end(error)

    @app.on_before_shutdown.connect  # type: ignore[untyped-decorator]
    async def stopping(sender: Any, **_: Any) -> None:  # noqa: ARG001 - Faust's signature
        watchdog.stop()
        try:
            is_left = await engine.stop()
        except Exception as error:  # noqa: BLE001
            end(error)
        leave_within(LEAVE_S if is_left else 0)


def _bind(app: App, engine: Engine) -> None:
    """What the engine asks of Faust, by way of the consumer's own thread."""
    consumer = app.consumer
    thread = consumer._thread  # noqa: SLF001 - pinned; Faust's own commit crashes the app on any error

    async def commit(offsets: Any) -> None:
        await thread.call_thread(thread._ensure_consumer().commit, offsets)  # noqa: SLF001

    engine.commit = commit
    engine.seek_back = consumer.seek_back
    engine.generation = lambda: app.consumer_generation_id
    engine.highwater = consumer.heard_end


async def _guarded(work: Any) -> None:
    try:
        await work
    except asyncio.CancelledError:
        raise
    except Exception as error:  # noqa: BLE001
        end(error)
