"""While the broker does not vouch for a worker: is it away, or does it no longer let us in?

aiokafka tries for ever, whatever the reason. A broker that is away is waited for; a worker whose password, certificate
or right to connect is gone ends with a line, so that whoever looks after it learns of it, or starts it again.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from attente.engine.logs import Seldom
from attente.engine.owned import Ownership
from attente.engine.rights import Door
from attente.errors import BrokerRefused

KNOCK_S: Final = 2.0
IDLE_S: Final = 60.0
"""How often a worker without partitions knocks: it commits nothing, so that nobody vouches for it."""

_TOGETHER: Final = 2  # knocks at an open door, after which whoever could come in would have


async def stay_in(ownership: Ownership, door: Door, broker: str, say: Callable[[str], None]) -> None:
    """Knock while the lease is over; says once a minute why it is, if the broker is away.

    Args:
        ownership: the lease.
        door: the broker's, made when the clients were: they have read what it has read.
        broker: where it is, for the line.
        say: takes a line.

    Raises:
        BrokerRefused: the broker does not let us in any more, or not with what we have read at the start.
        Missing, BadSecurity: a file of ours is gone.
    """
    away = Seldom()
    opened = 0
    while True:
        await asyncio.sleep(KNOCK_S if ownership.owned() else IDLE_S)
        if ownership.is_leased:
            away.reset()
            opened = 0
            continue
        why = await door.knock()
        opened = opened + 1 if why is None else 0
        if why is not None and away():
            say(f"waits for the broker at {broker}: {' '.join(str(why).split())}")
        if opened >= _TOGETHER and ownership.owned() and door.is_changed():
            msg = (
                f"the broker at {broker} lets us in with a password or a certificate that has been replaced since this "
                "worker has started; start it again"
            )
            raise BrokerRefused(msg)
