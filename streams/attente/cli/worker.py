"""`attente worker`: one process that counts the events of its share of the partitions."""

from collections.abc import Callable

import click

from attente.cli.options import with_settings
from attente.core.view import View
from attente.engine.worker import run
from attente.metrics.collector import ViewCollector
from attente.metrics.server import MetricsServer
from attente.registry.entities import Registry
from attente.settings import Settings


@click.command()
@with_settings(
    "broker",
    "topic_prefix",
    "group",
    "registry",
    "keys_file",
    "worker",
    "metrics_host",
    "metrics_port",
    "session_timeout_seconds",
    "checkpoint_events",
    "checkpoint_seconds",
    "checkpoint_chunk_bytes",
    "fetch_bytes",
    "transport",
    "hash_every",
    "brake_share",
    "brake_window",
    "brake_row",
)
def worker(settings: Settings) -> None:
    """Count the events of some partitions and serve the metrics.

    Any number of workers with the same group and different names share the partitions. SIGTERM stops one cleanly; a
    worker that cannot go on ends by itself, with a line that says why and an exit code other than 0.

    Example: attente worker --broker 127.0.0.1:9092 --registry registry.yaml --worker w0
    """

    def serve(registry: Registry, source: Callable[[], View], healthy: Callable[[], tuple[bool, str]]) -> MetricsServer:
        collector = ViewCollector(registry, source)
        return MetricsServer(collector, healthy, host=settings.metrics_host, port=settings.metrics_port)

    run(settings, serve)
