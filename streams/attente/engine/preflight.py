"""Before Faust starts: is the broker there, are the topics, and how many partitions have they."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError, TopicAuthorizationFailedError

from attente.engine.rights import Door, refusal
from attente.errors import BrokerRefused, Missing
from attente.model.topics import CHECKPOINTS, DEADLETTERS, EVENTS, MANIFESTS
from attente.settings import Settings

REMIND_S: Final = 60.0
AWAY_S: Final = 1.0  # between two tries at a broker that is away…
REFUSED_S: Final = 0.3  # …and at one that refuses, which takes a third of a second itself and is tried three times
TOPICS: Final = (EVENTS, DEADLETTERS, CHECKPOINTS, MANIFESTS)


async def count_partitions(settings: Settings, say: Callable[[str], None]) -> int:
    """The number of partitions of the events. A broker that is away is waited for, with a line a minute.

    Raises:
        BrokerRefused: the broker does not let us in, or not see the topics.
        Missing: a topic is not there, or has another number of partitions than the events; or a file of ours is not.
    """
    told = float("-inf")
    door = Door(settings.broker, settings.connection)
    while True:
        why: Exception | None = await door.knock()
        if why is None:
            try:
                return await _counted(settings)
            except (KafkaError, OSError) as error:
                why = error
        if not isinstance(why, BrokerRefused) and time.monotonic() - told >= REMIND_S:
            told = time.monotonic()
            say(f"waits for the broker at {settings.broker}: {' '.join(str(why).split())}")
        await asyncio.sleep(REFUSED_S if isinstance(why, BrokerRefused) else AWAY_S)


async def _counted(settings: Settings) -> int:
    admin = AIOKafkaAdminClient(
        bootstrap_servers=settings.broker,
        client_id=f"attente-{settings.worker}-check",
        **settings.connection.arguments(),
    )
    try:
        await admin.start()
        found = await admin.describe_topics([settings.topic(name) for name in TOPICS])
    finally:
        await admin.close()
    hidden = [topic["topic"] for topic in found if topic["error_code"] == TopicAuthorizationFailedError.errno]
    if hidden and (refused := refusal(TopicAuthorizationFailedError(", ".join(hidden)))):
        raise refused
    return _checked(settings, {topic["topic"]: len(topic["partitions"]) for topic in found})


def _checked(settings: Settings, counts: dict[str, int]) -> int:
    missing = [settings.topic(name) for name in TOPICS if not counts.get(settings.topic(name))]
    remedy = f"run: attente topics apply --broker {settings.broker} --prefix {settings.topic_prefix}"
    if missing:
        message = f"no topic {', '.join(missing)} at {settings.broker}; {remedy}"
        raise Missing(message)
    wanted = counts[settings.topic(EVENTS)]
    for topic, count in counts.items():
        if count < wanted:
            message = f"{topic} has {count} partitions, the events have {wanted}; {remedy}"
            raise Missing(message)
    return wanted
