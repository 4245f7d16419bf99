"""How every client of ours connects."""

from typing import Any

from kafka.net.compat import KafkaNetClient

from attente.broker.local import LocalBroker
from attente.clients import opened
from attente.security import PLAINTEXT


def test_a_connection_that_is_not_made_is_given_up_and_tried_anew_before_its_knocks_are_rare(
    broker: LocalBroker,
) -> None:
    """kafka-python passes over a setting that it does not know, and waits up to 30 s by default."""

    def kind(**settings: Any) -> KafkaNetClient:
        client: KafkaNetClient = settings["kafka_client"](**settings)
        return client

    client = opened(kind, broker.bootstrap, PLAINTEXT)
    try:
        known = client._manager.config
        given_up = known["socket_connection_setup_timeout_ms"]
        assert given_up == known["socket_connection_setup_timeout_max_ms"]
        assert given_up < 7_000, "before the fourth knock"
    finally:
        client.close()
