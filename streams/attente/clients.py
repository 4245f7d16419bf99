"""kafka-python's clients, opened the same way by everything of ours that uses one."""

import time
from collections.abc import Callable
from typing import Any, Final, TypeVar

from kafka.errors import KafkaError
from kafka.net.compat import KafkaNetClient

from attente.errors import BrokerUnreachable
from attente.security import PROBE_SECONDS, Security, probe

AUTHORIZATION: Final = "it takes the right to do so; `attente access plan` shows who has which"

_Client = TypeVar("_Client")
_SETTINGS: Final[dict[str, Any]] = {
    # A broker that comes back is found within a second; the default is 30.
    "reconnect_backoff_max_ms": 1_000,
}
# Where packets vanish a connection knocks again after 1, 3, 7 and 15 s; kafka-python would wait for it up to 30. A new
# one begins with a knock, and so a line that is mended is found within two seconds.
_CONNECTION: Final[dict[str, Any]] = {
    "socket_connection_setup_timeout_ms": int(PROBE_SECONDS * 1000),
    "socket_connection_setup_timeout_max_ms": int(PROBE_SECONDS * 1000),
}

# How often kafka-python's producer looks again while a connection is being made; that it is there wakes it.
_LOOK_MS: Final = 100.0


class _NetClient(KafkaNetClient):  # type: ignore[misc]  # kafka-python has no types
    def connection_delay(self, node_id: Any) -> float:
        """How long to wait for a connection, in ms.

        kafka-python's own gives seconds, and none for a connection that is being made; its producer takes them for ms,
        and while a connection hangs it asks without a pause: 55 % of a processor for a broker that is suspended.
        """
        return max(_LOOK_MS, float(super().connection_delay(node_id)) * 1000)


def opened(
    kind: Callable[..., _Client],
    broker: str,
    security: Security,
    *,
    within_s: float = PROBE_SECONDS,
    **settings: Any,
) -> _Client:
    """A client of kafka-python that has reached its broker.

    Args:
        kind: its class.
        broker: HOST:PORT, or several with commas between.
        security: how it connects.
        within_s: how long it may take. When every address refuses the connection there is nothing to wait for.
        settings: further ones of the class.

    Raises:
        BrokerUnreachable, BrokerRefused: the line says why it does not come to its broker.
        Missing, BadSecurity: a file of `security` is not there or cannot be used.
    """
    limit = time.monotonic() + within_s
    probe(broker, security, within_s)
    clients: list[_NetClient] = []

    def remembered(**configs: Any) -> _NetClient:
        clients.append(_NetClient(**configs, **_CONNECTION))
        return clients[-1]

    try:
        return kind(
            bootstrap_servers=broker.split(","),
            bootstrap_timeout_ms=max(1_000, int((limit - time.monotonic()) * 1000)),
            kafka_client=remembered,
            **security.arguments(),
            **(_SETTINGS | settings),
        )
    except KafkaError as error:
        # The client leaves its thread and its sockets behind when it fails to begin.
        for one in clients:
            one.close()
        msg = (
            f"a Kafka broker answers at {broker}, but tells nothing of its cluster within {within_s:g} s "
            f"({type(error).__name__}); see whether the addresses that it advertises can be reached from here"
        )
        raise BrokerUnreachable(msg) from error
