"""What lies in a topic."""

from typing import Any

from kafka import KafkaConsumer, TopicPartition


def content(bootstrap: str, topic: str) -> list[Any]:
    """Every record of a topic, partition after partition, each in the order of its offsets."""
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False, auto_offset_reset="earliest")
    try:
        partitions = [TopicPartition(topic, number) for number in sorted(consumer.partitions_for_topic(topic))]
        consumer.assign(partitions)
        ends = consumer.end_offsets(partitions)
        found: list[Any] = []
        while any(consumer.position(partition) < ends[partition] for partition in partitions):
            for records in consumer.poll(timeout_ms=500).values():
                found.extend(records)
    finally:
        consumer.close()
    return sorted(found, key=lambda record: (record.partition, record.offset))
