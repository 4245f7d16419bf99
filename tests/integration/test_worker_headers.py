"""A record whose header nobody can read is an event like any other, and stops no worker."""

from collections.abc import Callable

from kafka import KafkaProducer

from attente.metrics import catalogue as c
from attente.registry.load import parse
from handtape import RECORDS, REGISTRY
from workers import Crew, written

MakeCrew = Callable[..., Crew]


class Odd(str):
    """A text whose bytes are no UTF-8."""

    __slots__ = ()

    def encode(self, *_: object, **__: object) -> bytes:
        return b"\xff\xfe"


def test_a_header_whose_name_is_no_text_stops_no_worker(make_crew: MakeCrew) -> None:
    crew = make_crew(parse(written(REGISTRY), "registry.yaml"), 1)
    producer = KafkaProducer(bootstrap_servers=crew.bootstrap)
    for i, record in enumerate(RECORDS[:9]):
        headers = [(Odd("?"), b"x")] if i % 3 == 1 else []
        producer.send(
            crew.events, partition=0, key=record.key, value=record.value, timestamp_ms=record.timestamp, headers=headers
        )
    producer.flush(30)
    producer.close()
    worker = crew.start("w0")
    crew.wait_for(1, 9)
    reading = worker.scrape()
    assert reading.total(c.EVENTS_READ) == 9
    assert worker.stop() == 0, worker.story
