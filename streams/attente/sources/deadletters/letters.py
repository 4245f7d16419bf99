"""Letters as a person asks for them: whose they are, which are meant, and how many there are of each kind."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Self

from attente.model.records import DeadLetterRecord
from attente.model.refusals import names_in


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter where it lies.

    Attributes:
        record: the letter itself.
        partition, offset: where it lies among the dead letters.
        written_ms: when it was written, in milliseconds since 1970.
        office: the office that the event names, as far as its bytes can be read; else what its key says; else "".
        source: who sent it, as far as its bytes can be read, else "".
    """

    record: DeadLetterRecord
    partition: int
    offset: int
    written_ms: int
    office: str
    source: str

    @classmethod
    def of(cls, record: DeadLetterRecord, partition: int, offset: int, written_ms: int) -> Self:
        """A letter of its record and its place."""
        named = names_in(record.value)
        office = named.get("office") or (record.key or b"").decode("utf-8", "backslashreplace")
        return cls(record, partition, offset, written_ms, office, named.get("source", ""))

    @property
    def origin(self) -> str:
        """`topic/partition/offset` of the event: what the letter is called."""
        return self.record.origin.key.decode()

    @property
    def at_ms(self) -> int:
        """The timestamp of the event's record, in milliseconds since 1970."""
        return self.record.origin.timestamp

    def without_bytes(self) -> Self:
        """The same without the event, to keep many of."""
        return replace(self, record=replace(self.record, key=None, value=None))


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which letters are meant; what is empty or None leaves all.

    Attributes:
        reasons, offices, sources: of the letter, any of them.
        since_ms, until_ms: between which the event's record was stamped, the end not included.
    """

    reasons: frozenset[str] = frozenset()
    offices: frozenset[str] = frozenset()
    sources: frozenset[str] = frozenset()
    since_ms: int | None = None
    until_ms: int | None = None

    def __call__(self, letter: Letter) -> bool:
        """Whether a letter is meant."""
        return (
            (not self.reasons or letter.record.reason in self.reasons)
            and (not self.offices or letter.office in self.offices)
            and (not self.sources or letter.source in self.sources)
            and (self.since_ms is None or letter.at_ms >= self.since_ms)
            and (self.until_ms is None or letter.at_ms < self.until_ms)
        )


class Survey:
    """What all letters say together, each once and by its newest words.

    One that lies there twice was written by two workers, or once more after a restart, or it says that its event was
    sent again.

    Attributes:
        letters: by origin, without the events.
        replayed: the origins whose events were sent again.
        replays: the places at which events stand that were sent again: a letter from there is of a replay.
    """

    def __init__(self) -> None:
        self.letters: dict[str, Letter] = {}
        self.replayed: set[str] = set()
        self.replays: set[str] = set()

    def add(self, letters: Iterable[Letter]) -> None:
        """Take letters in, in the order in which they lie in their partition."""
        for letter in letters:
            self.letters[letter.origin] = letter.without_bytes()
            if letter.record.replayed_to:
                self.replayed.add(letter.origin)
                self.replays.add(letter.record.replayed_to)

    def matching(self, wanted: Wanted) -> list[Letter]:
        """The letters that are meant, the oldest event first."""
        found = [letter for letter in self.letters.values() if wanted(letter)]
        return sorted(found, key=lambda letter: (letter.at_ms, letter.record.origin.partition, letter.offset))


@dataclass(frozen=True, slots=True)
class Group:
    """Letters of one reason and one office.

    Attributes:
        reason, office: of all of them.
        count: how many.
        replayed: of how many the event was sent again.
        first_ms: the timestamp of the oldest event.
        newest: the letter of the newest event.
    """

    reason: str
    office: str
    count: int
    replayed: int
    first_ms: int
    newest: Letter


def grouped(letters: Iterable[Letter], replayed: set[str]) -> list[Group]:
    """Letters by reason and office, those with the newest event first. They must come by time."""
    groups: dict[tuple[str, str], Group] = {}
    for letter in letters:
        kind = letter.record.reason, letter.office
        before = groups.get(kind)
        groups[kind] = Group(
            *kind,
            count=1 + (before.count if before else 0),
            replayed=(letter.origin in replayed) + (before.replayed if before else 0),
            first_ms=before.first_ms if before else letter.at_ms,
            newest=letter,
        )
    return sorted(groups.values(), key=lambda group: -group.newest.at_ms)
