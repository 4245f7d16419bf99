"""One partition of the events' topic, read from its beginning to where it ends now."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from attente.model.partitioning import partition_of
from attente.model.signatures import Headers
from attente.security import PLAINTEXT, Security
from attente.sources.reader import TopicReader

_MOST_RECORDS: Final = 5_000


class Logged(NamedTuple):
    """A record of the log; `timestamp` in milliseconds since 1970."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Headers


class Log(TopicReader):
    """The partition that an office's events lie in, as it is when this is made. Use it with `with`.

    Attributes:
        partition: its number.
        partitions: how many the topic has.
        begin, end: offsets of the first record that is still there, and behind the last one.
    """

    def __init__(self, broker: str, topic: str, office: str, security: Security = PLAINTEXT) -> None:
        """Connects.

        Args:
            broker: HOST:PORT, or several with commas between.
            topic: the events' topic, by its name at the broker.
            office: the id of an office.
            security: how to connect.

        Raises:
            Unreachable: no broker answers, it refuses, or has no such topic.
        """
        super().__init__(broker, topic, security)
        self.partitions = len(self.numbers)
        self.partition = partition_of(office.encode(), self.partitions)
        self.begin, self.end = self.spans([self.partition])[self.partition]

    def records(self) -> Iterator[Logged]:
        """The records in order; what comes after this was made is not read.

        Raises:
            Unreachable: the broker has gone away or refuses.
        """
        for record in self.between(self.partition, self.begin, self.end, _MOST_RECORDS):
            yield Logged(record.offset, record.timestamp, record.key, record.value, tuple(record.headers))
