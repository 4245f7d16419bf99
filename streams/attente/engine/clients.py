"""Plain aiokafka clients beside the one that Faust has: for checkpoints, dead letters and take-overs."""

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from attente.settings import Settings

_MIB = 1024 * 1024
_ANY_SIZE = (1 << 31) - 1  # of a record before it is compressed; the topic's own limit is on what it is afterwards


def new_producer(settings: Settings) -> AIOKafkaProducer:
    """A producer whose acknowledgement means: on every replica in sync. Not started."""
    return AIOKafkaProducer(
        bootstrap_servers=settings.broker,
        **settings.connection.arguments(),
        client_id=f"attente-{settings.worker}",
        acks="all",
        max_request_size=2 * _MIB,
        max_batch_size=_MIB,
        request_timeout_ms=20_000,
    )


def new_letters_producer(settings: Settings) -> AIOKafkaProducer:
    """A producer for dead letters. Not started.

    What a kiosk has sent compressed is as large as it likes once it is read, and has to fit in a letter all the same.
    """
    return AIOKafkaProducer(
        bootstrap_servers=settings.broker,
        **settings.connection.arguments(),
        client_id=f"attente-{settings.worker}-letters",
        acks="all",
        compression_type="gzip",  # the one that every client reads
        max_request_size=_ANY_SIZE,
        max_batch_size=_MIB,
        request_timeout_ms=20_000,
    )


def new_reader(settings: Settings) -> AIOKafkaConsumer:
    """A consumer without a group, for reading spans of partitions. Not started."""
    return AIOKafkaConsumer(
        bootstrap_servers=settings.broker,
        **settings.connection.arguments(),
        client_id=f"attente-{settings.worker}-reader",
        enable_auto_commit=False,
        max_partition_fetch_bytes=4 * _MIB,
        fetch_max_wait_ms=20,
    )
