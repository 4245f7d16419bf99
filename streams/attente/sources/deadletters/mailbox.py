"""Where the dead letters lie: reading their topic from end to end, as it is now."""

from collections.abc import Iterator, Sequence
from typing import Any

from attente.model.records import DeadLetterRecord, read_dead_letter
from attente.security import PLAINTEXT, Security
from attente.sources.deadletters.letters import Letter
from attente.sources.reader import TopicReader


class Mailbox(TopicReader):
    """The dead letters that a topic holds when this is made; what comes later is not read. Use it with `with`.

    Attributes:
        unreadable: how many records of it were no dead letters so far, and a line about the last one.
    """

    def __init__(self, broker: str, topic: str, security: Security = PLAINTEXT) -> None:
        """Connects.

        Args:
            broker: HOST:PORT, or several with commas between.
            topic: its name at the broker.
            security: how to connect.

        Raises:
            Unreachable: no broker answers, it refuses, or has no such topic.
        """
        super().__init__(broker, topic, security, auto_offset_reset="earliest")
        self.unreadable = (0, "")
        self._spans = self.spans(self.numbers)

    @property
    def partitions(self) -> Sequence[int]:
        """The numbers of its partitions."""
        return self.numbers

    def read(self, partition: int) -> Iterator[Letter]:
        """The letters of a partition in order, those that lie there twice twice.

        Raises:
            Unreachable: the broker has gone away or refuses.
        """
        for record in self.between(partition, *self._spans[partition]):
            if (letter := self._letter(record)) is not None:
                yield letter

    def _letter(self, record: Any) -> Letter | None:
        try:
            found: DeadLetterRecord = read_dead_letter(record.key, record.value, record.headers)
        except ValueError as error:
            place = f"{self.topic}/{record.partition}/{record.offset}"
            self.unreadable = (self.unreadable[0] + 1, f"{place}: {error}")
            return None
        return Letter.of(found, record.partition, record.offset, record.timestamp)
