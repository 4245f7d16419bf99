"""What a worker may not do at its broker: trying again changes nothing, so it ends with a line that says it."""

import asyncio
from typing import Final

from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    TopicAuthorizationFailedError,
)
from faust import SASLCredentials, SSLCredentials

from attente.engine.logs import named
from attente.errors import BrokerRefused, BrokerUnreachable
from attente.security import Security, probe
from attente.security.connection import MECHANISM

FORBIDDEN: Final = (ClusterAuthorizationFailedError, GroupAuthorizationFailedError, TopicAuthorizationFailedError)

# A broker that has just started may not have learned of all its users; three tries take a second or two.
TRIES: Final = 3


def refusal(error: BaseException) -> BrokerRefused | None:
    """The error that ends a worker, where the broker has said that it may not do what it did."""
    if not isinstance(error, FORBIDDEN):
        return None
    return BrokerRefused(
        f"the broker refuses: {named(error)}; `attente access plan` shows the rights that a worker needs"
    )


def credentials(security: Security) -> SASLCredentials | SSLCredentials | None:
    """How Faust connects; None in the open.

    Raises:
        Missing, BadSecurity: a file is not there or cannot be used.
    """
    context = security.context()
    if context is None:
        return None
    if security.protocol == "tls":
        return SSLCredentials(context=context)
    return SASLCredentials(username=security.user, password=security.secret(), mechanism=MECHANISM, ssl_context=context)


class Door:
    """Tells a broker that is away, for which one waits, from one that does not let us in, for which one does not."""

    def __init__(self, broker: str, security: Security) -> None:
        """Names the broker and how we connect."""
        self._broker = broker
        self._security = security
        self._stamp = security.stamp()
        self._refused = 0

    async def knock(self) -> BrokerUnreachable | BrokerRefused | None:
        """What keeps us out now, which may pass; None when nothing does.

        Raises:
            BrokerRefused: it has refused several times in a row.
            Missing, BadSecurity: a file of ours is not there or cannot be used.
        """
        try:
            await asyncio.to_thread(probe, self._broker, self._security)
        except BrokerUnreachable as error:
            return error
        except BrokerRefused as error:
            self._refused += 1
            if self._refused >= TRIES:
                raise
            return error
        self._refused = 0
        return None

    def is_changed(self) -> bool:
        """Whether a password or a certificate is another one than when this was made.

        Raises:
            Missing, BadSecurity: as `knock`.
        """
        return self._security.stamp() != self._stamp
