"""A partition: a deterministic function of a prefix of its log and of the registry.

Whether an event counts, which figures it changes and when something is sealed depends on the records alone: their
order, their bytes and their timestamps; never on a clock, on how records are batched, or on who computes it.
"""

from collections.abc import Callable, Iterable
from typing import Final, NamedTuple, Protocol

from attente.core.facts import ARRIVED, ATTRIBUTE, DUE, KIND, SEQUENCE, TIME
from attente.core.ledger import Ledger
from attente.core.office import QUARTER_MS, Office
from attente.core.plan import Plan
from attente.model.events import (
    AnyEvent,
    KioskHeartbeat,
    TicketEvent,
    TicketIssued,
    VisitorTurnedAway,
    decode,
)
from attente.model.instants import LATEST, milliseconds, text_of
from attente.model.partitioning import partition_of
from attente.model.plausible import AHEAD_MS, check_plausible
from attente.model.reasons import Reason, Refusal, shown
from attente.model.refusals import explain, names_in
from attente.model.signatures import Headers, Verdict

NEVER: Final = 1 << 62
VALID: Final = Verdict.VALID.value
_MISPLACED: Final = frozenset({Reason.WRONG_KEY, Reason.WRONG_PARTITION})


class Record(Protocol):
    """A record of the log, as the transport hands it over. `timestamp` is in milliseconds since 1970."""

    @property
    def offset(self) -> int:
        """Where it stands in its partition."""

    @property
    def timestamp(self) -> int:
        """The broker's time, or in an archive the producer's."""

    @property
    def key(self) -> bytes | None:
        """The office."""

    @property
    def value(self) -> bytes | None:
        """The event."""

    @property
    def headers(self) -> Headers:
        """Names and contents; the signature is one of them."""


class Dead(NamedTuple):
    """A record that was refused, whole. `number` counts all that the state has read, from 1."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    reason: Reason
    detail: str
    number: int
    headers: Headers = ()


class Partition:
    """The state of one partition after all records before `next_offset`.

    Attributes:
        origin: the first offset that this state has seen; 0 unless the log's beginning was already gone.
        stream: stream time, the greatest record timestamp so far.
        edge: the stream time at which something is due: a quarter of an hour or an office's cut-over.
        read, counted, duplicate, refused: conservation: read = counted + duplicate + all refused.
        refused_of: of the refused, those whose bytes name a kiosk of the registry as their source; not in the hash of
            the state, for a kiosk can come into the registry at any moment.
        signatures: how many events were looked at for their signature, by what was found.
        dead: refused records that nobody has taken yet (`take_dead`); not state.
        marks: (offset, digest) of the states that `mark` asked for; not state.
        absent: what is known, encoded, of offices that the registry no longer has; not in the hash of the state.
        ledger: who is told of what is sealed; not state.
    """

    def __init__(self, plan: Plan, number: int, partitions: int, origin: int = 0, ledger: Ledger | None = None) -> None:
        self.plan = plan
        self.ledger = ledger
        self.number = number
        self.partitions = partitions
        self.origin = origin
        self.next_offset = origin
        self.stream = 0
        self.edge = 0
        self.offices: dict[bytes, Office] = {}
        self.read = 0
        self.counted = 0
        self.duplicate = 0
        self.refused: dict[str, int] = {}
        self.refused_of: dict[str, dict[str, int]] = {}
        self.signatures: dict[str, int] = {}
        self.absent: dict[str, bytes] = {}
        self.dead: list[Dead] = []
        self.marks: list[tuple[int, str]] = []
        self._mark = NEVER
        self._marking: tuple[int, Callable[[Partition], str]]

    # ---- records

    def ingest(self, records: Iterable[Record]) -> None:  # noqa: C901, PLR0912, PLR0915 - hot: a call here costs 2 %
        """Apply records in order of offset; those before `next_offset` have been applied and are passed over."""
        plan = self.plan
        offices = self.offices
        horizon = plan.horizon
        is_signed = plan.is_signed
        for record in records:
            offset = record.offset
            if offset < self.next_offset:
                continue
            if offset >= self._mark:
                self._note(offset)
            self.next_offset = offset + 1
            self.read += 1
            timestamp = record.timestamp
            if timestamp > self.stream:
                if timestamp >= LATEST:
                    detail = f"the record's own timestamp {timestamp} ms is after the year 2109; are they microseconds?"
                    self._refuse(record, Reason.BAD_TIME, detail)
                    continue
                self.stream = timestamp
                if timestamp >= self.edge:
                    self._turn(timestamp)
            key = record.key
            value = record.value
            try:
                event = decode(value)  # type: ignore[arg-type]  # None is refused like any other bad value
                at = milliseconds(event.time)
            except (ValueError, TypeError) as error:
                refusal = explain(value, error)
                self._refuse(record, refusal.reason, refusal.detail)
                continue
            office = offices.get(key) if key is not None else None
            if office is None or office.id != event.office:
                try:
                    office = self._place(key, event)
                except Refusal as refusal:
                    self._refuse_event(record, event, at, refusal)
                    continue
            if is_signed and office.signing is not None:
                flaw = self._flaw(office, record)
                if flaw is not None:
                    self._refuse_event(record, event, at, flaw)
                    continue
            if at > timestamp + AHEAD_MS:
                detail = (
                    f"{event.time} is over 5 min after the record's {text_of(max(0, timestamp))}; set the kiosk's clock"
                )
                self._refuse_event(record, event, at, Refusal(Reason.FROM_THE_FUTURE, detail))
            elif at < self.stream - horizon:
                detail = f"{event.time} is over {horizon // 60_000} min before stream time {text_of(self.stream)}"
                self._refuse_event(record, event, at, Refusal(Reason.TOO_LATE, detail))
            else:
                try:
                    self._accept(office, event, at)
                except Refusal as refusal:
                    self._refuse(record, refusal.reason, refusal.detail)

    def _accept(self, office: Office, event: AnyEvent, at: int) -> None:
        """Take an event, or raise `Refusal`."""
        if isinstance(event, TicketEvent):
            kind = event.kind
            fact = at << TIME | kind << KIND | ATTRIBUTE[kind](event, office.services)
            if event.sequence:
                fact |= int(event.sequence) << SEQUENCE
            if isinstance(event, TicketIssued) and (event.arrived or event.due):
                arrived, due = check_plausible(event, at)
                fact |= due << DUE | arrived << ARRIVED
            known = not office.learn(event.ticket, fact, at)
        elif isinstance(event, VisitorTurnedAway):
            known = not office.learn_turned(event, at, office.services.get(event.service, 0))
        elif isinstance(event, KioskHeartbeat):
            known = not office.learn_beat(event, at)
        else:
            known = not office.learn_session(event, at, int(event.sequence or 0))
        if known:
            self.duplicate += 1
        else:
            self.counted += 1
            if at > office.heard and not isinstance(event, KioskHeartbeat):
                office.heard = at

    def _place(self, key: bytes | None, event: AnyEvent) -> Office:
        """The office of an event whose key has not been seen here; raises `Refusal` where it has no place."""
        name = event.office.encode("utf-8", "surrogatepass")
        if key != name:
            detail = f"the key is {shown(repr(key))}, the event's office {shown(event.office)}; make them equal"
            raise Refusal(Reason.WRONG_KEY, detail)
        found = self.plan.offices.get(name)
        if found is None:
            detail = f"the registry has no office {shown(event.office)}; add it or mend the id"
            raise Refusal(Reason.UNKNOWN_OFFICE, detail)
        home = partition_of(name, self.partitions)
        if home != self.number:
            detail = f"office {event.office!r} belongs in partition {home} of {self.partitions}; use Kafka's murmur2"
            raise Refusal(Reason.WRONG_PARTITION, detail)
        office = self.offices[name] = Office(self.plan, found, self.stream, self.ledger)
        self.edge = min(self.edge, office.next_cut_over)
        return office

    def _flaw(self, office: Office, record: Record) -> Refusal | None:
        """Why an event is refused for its signature; None where it is not, whatever was found."""
        signing = office.signing
        if signing is None or record.timestamp < signing.since:
            return None
        flaw = signing.flaw(record.value, record.headers, record.timestamp)
        verdict = VALID if flaw is None else flaw.reason.value
        self.signatures[verdict] = self.signatures.get(verdict, 0) + 1
        return flaw if signing.is_required else None

    def _refuse_event(self, record: Record, event: AnyEvent, at: int, refusal: Refusal) -> None:
        """Refuse an event under the first reason that it has, in the order of docs/definitions.md."""
        if isinstance(event, TicketIssued):
            try:
                check_plausible(event, at)
            except Refusal as other:
                last = (Reason.FROM_THE_FUTURE, Reason.TOO_LATE)
                if other.reason is not Reason.IMPLAUSIBLE_TIME or refusal.reason in last:
                    refusal = other
        self._refuse(record, refusal.reason, refusal.detail)

    def _refuse(self, record: Record, reason: Reason, detail: str) -> None:
        self.refused[reason.value] = self.refused.get(reason.value, 0) + 1
        self._attribute(record, reason)
        dead = Dead(
            record.offset, record.timestamp, record.key, record.value, reason, detail, self.read, record.headers
        )
        self.dead.append(dead)

    def _attribute(self, record: Record, reason: Reason) -> None:
        """Note the kiosk that a refused record names, if the registry has it.

        Nobody has checked the name; but whatever is written, there are no more of them than kiosks in the registry.
        Those of other partitions' offices are told by the refusals alone that say just that the record is misplaced.
        """
        source = names_in(record.value).get("source", "")
        office = self.plan.sources.get(source)
        if office is None:
            return
        if reason in _MISPLACED or partition_of(office, self.partitions) == self.number:
            counts = self.refused_of.setdefault(source, {})
            counts[reason.value] = counts.get(reason.value, 0) + 1

    def take_dead(self) -> list[Dead]:
        """The records refused since the last call."""
        dead = self.dead
        self.dead = []
        return dead

    # ---- stream time

    def advance(self, timestamp: int) -> None:
        """Let stream time rise, as by a record that changes nothing else.

        Whoever computes some offices of a partition calls it in place of the others' records, where one of them is
        ahead of the next record that is given: every state and decision is then that of the whole partition.
        """
        if timestamp > self.stream:
            self.stream = timestamp
            if timestamp >= self.edge:
                self._turn(timestamp)

    def _turn(self, stream: int) -> None:
        quarter = stream // QUARTER_MS * QUARTER_MS
        edge = quarter + QUARTER_MS
        for office in self.offices.values():
            office.turn(stream, quarter - self.plan.horizon)
            edge = min(edge, office.next_cut_over)
        self.edge = edge

    # ---- states on demand

    def mark(self, every: int, digest: "Callable[[Partition], str]") -> None:
        """Note the digest of the state at every offset that is a multiple of `every`."""
        self._marking = (every, digest)
        # A state that stands just there is noted by the next record: nobody else may have.
        self._mark = max(every, -(-self.next_offset // every) * every)

    def _note(self, offset: int) -> None:
        every, digest = self._marking
        self.next_offset = (
            self._mark
        )  # also where the log has a hole: a hash is of the place, not of how it was reached
        self.marks.append((self._mark, digest(self)))
        self._mark = (offset // every + 1) * every
