"""Before Faust starts: is the broker there, are the topics, and how many partitions have they."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from attente.errors import Missing
from attente.model.topics import CHECKPOINTS, DEADLETTERS, EVENTS, MANIFESTS
from attente.settings import Settings

REMIND_S: Final = 60.0
TOPICS: Final = (EVENTS, DEADLETTERS, CHECKPOINTS, MANIFESTS)


async def count_partitions(settings: Settings, say: Callable[[str], None]) -> int:
    """The number of partitions of the events. A broker that is away is waited for, with a line a minute.

    Raises:
        Missing: a topic is not there, or has another number of partitions than the events.
    """
    told = float("-inf")
    while True:
        admin = AIOKafkaAdminClient(bootstrap_servers=settings.broker, client_id=f"attente-{settings.worker}-check")
        try:
            await admin.start()
            found = await admin.describe_topics([settings.topic(name) for name in TOPICS])
            return _checked(settings, {topic["topic"]: len(topic["partitions"]) for topic in found})
        except (KafkaError, OSError) as error:
            if time.monotonic() - told >= REMIND_S:
                told = time.monotonic()
                say(f"waits for the broker at {settings.broker}: {' '.join(str(error).split())}")
            await asyncio.sleep(1.0)
        finally:
            await admin.close()


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
