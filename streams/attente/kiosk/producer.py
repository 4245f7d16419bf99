"""kafka-python's producer, set up so that nothing is lost, reordered or waited for without end."""

import contextlib
from typing import Any, Final

from kafka import KafkaProducer
from kafka.errors import KafkaError, KafkaTimeoutError

from attente.clients import opened
from attente.errors import Unreachable
from attente.kiosk.settings import KioskSettings
from attente.model.signatures import Signer
from attente.security import probe

_BLOCK_MS: Final = 5_000
_REQUEST_MS: Final = 5_000
_NEVER_MS: Final = 86_400_000

_SETTINGS: Final[dict[str, Any]] = {
    "acks": "all",
    "enable_idempotence": True,  # outages cost neither a loss nor a double; the order is that of sending
    "allow_auto_create_topics": False,
    "max_block_ms": _BLOCK_MS,
    "request_timeout_ms": _REQUEST_MS,
    # It would give up the oldest records alone and send the next ones before them; the sender gives up all at once.
    "delivery_timeout_ms": _NEVER_MS,
    "linger_ms": 2,
    "metrics_enabled": False,
}


class _Producer(KafkaProducer):  # type: ignore[misc]  # kafka-python has no types
    def flush(self, timeout: float | None = None) -> None:
        """Waits for what is on its way, at most so many seconds; what is left is no error."""
        # `close` begins with it: were it to raise, `close` would end there, and the producer would live on: its thread
        # for as long as the process, and what it holds would overtake what its successor sends.
        with contextlib.suppress(KafkaTimeoutError):
            super().flush(timeout)


class Replaced(Unreachable):
    """A producer has another password or certificate than its files have now."""


class KafkaSink:
    """One producer for one topic and one office, which signs what it sends.

    Signed is at the time of sending: what lies in the spool goes out under the key of today.
    """

    def __init__(self, settings: KioskSettings) -> None:
        """Connects.

        Raises:
            Unreachable: no broker answers within 5 s, or it refuses; the line says why.
        """
        self._topic = settings.topic
        self._settings = settings
        self._stamp = settings.security.stamp()
        self._key = settings.office.encode()
        self._signer = None if settings.key is None else Signer(settings.key)
        self._producer = opened(
            _Producer,
            settings.broker,
            settings.security,
            **_SETTINGS,
            client_id=f"{settings.office}-{settings.kiosk}",
        )

    def send(self, value: bytes) -> Any:
        """Puts a record on its way."""
        headers = [] if self._signer is None else self._signer.headers(value)
        return self._producer.send(self._topic, key=self._key, value=value, headers=headers)

    def check(self) -> None:
        """See why nothing is answered. kafka-python itself tries in silence until the time of delivery is over.

        Raises:
            BrokerUnreachable: the broker is away; when it is back what is on its way goes on.
            BrokerRefused, Missing, BadSecurity: it does not let us in.
            Replaced: it does, and not with what this producer has read.
        """
        probe(self._settings.broker, self._settings.security)
        if self._settings.security.stamp() != self._stamp:
            msg = "the password or a certificate has been replaced; connects anew"
            raise Replaced(msg)

    def close(self) -> None:
        """Lets go of it at once: what has no answer is in the spool."""
        with contextlib.suppress(KafkaError, OSError):  # it is thrown away because something is wrong with it
            self._producer.close(timeout=0)
