"""Dead letters: what a partition has refused is kept on a topic of its own before any checkpoint passes it."""

import asyncio
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Final, NoReturn

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, KafkaTimeoutError, ProducerClosed

import attente
from attente.engine.brake import GO_ON
from attente.engine.clients import new_letters_producer
from attente.engine.exits import end
from attente.engine.logs import named
from attente.engine.owned import Owned, Ownership, Work
from attente.errors import Braked, Unreachable
from attente.model.records import DeadLetter, Origin, dead_letter
from attente.model.topics import DEADLETTERS, EVENTS
from attente.settings import Settings

RETRY_S: Final = 0.5  # between two tries at a broker that is away
KEPT_S: Final = 10.0  # for the last letters of a worker that the brake stops; then the broker is taken to be away


class Letters:
    """Sends letters, and insists until the broker has them.

    A letter on its way is a future in `Owned.letters`: a checkpoint waits for all that were there when it was cut.

    Attributes:
        producer: what they go out by; None before the start.
    """

    def __init__(self, settings: Settings, ownership: Ownership, work: Work, complain: Callable[[str], None]) -> None:
        """Nothing is connected yet.

        Args:
            settings: where to, and the worker's name.
            ownership: what the worker gives up when the brake stops it.
            work: counts the letters.
            complain: told in one line that the broker is away; it says so now and then.
        """
        self.producer: AIOKafkaProducer | None = None
        self._settings = settings
        self._ownership = ownership
        self._work = work
        self._complain = complain

    async def start(self) -> None:
        """Connect; may be called again."""
        if self.producer is None:
            producer = new_letters_producer(self._settings)
            await producer.start()
            self.producer = producer

    async def bury(self, owned: Owned) -> None:
        """Send what a partition has refused; the next checkpoint waits until it is there."""
        unsent = asyncio.get_running_loop().create_future()  # for what a full producer has not even taken yet
        owned.letters.add(unsent)
        for dead in owned.partition.take_dead():
            letter = dead_letter(
                Origin(self._settings.topic(EVENTS), owned.number, dead.offset, dead.timestamp),
                key=dead.key,
                value=dead.value,
                reason=dead.reason,
                detail=dead.detail,
                version=attente.__version__,
                headers=dead.headers,
            )
            try:
                sent = await self.hand_over(owned.number, letter)
            except ProducerClosed:
                return  # we are stopping; `unsent` stays, so no checkpoint passes what is going to be read again
            self._work.dead_letters += 1
            owned.letters.add(sent)
            sent.add_done_callback(partial(self.settle, owned, letter))
            if why := owned.brake.pulled_by(dead):
                await self._stop_for(owned, why, unsent)
        owned.letters.discard(unsent)
        unsent.set_result(None)

    async def _stop_for(self, owned: Owned, why: str, unsent: asyncio.Future[Any]) -> NoReturn:
        """The brake: end, with the letters so far kept. `unsent` is pending, so no checkpoint passes what follows."""
        self._ownership.live = set()
        limit = time.monotonic() + KEPT_S
        while (kept := owned.letters - {unsent}) and (left := limit - time.monotonic()) > 0:
            await asyncio.wait(kept, timeout=left)
        message = (
            f"brake at partition {owned.number}: {why}. Put that right and start again, nothing is lost; to go on all "
            f"the same: {GO_ON}"
        )
        end(Braked(message))

    async def hand_over(self, number: int, letter: DeadLetter) -> asyncio.Future[Any]:
        """Give a letter to the producer, which is full while the broker is away.

        Raises:
            KafkaError: it is not the broker's absence.
        """
        assert self.producer is not None  # noqa: S101 - started before anything is delivered
        while True:
            try:
                sent: asyncio.Future[Any] = await self.producer.send(
                    self._settings.topic(DEADLETTERS),
                    letter.value,
                    key=letter.key,
                    partition=number,
                    headers=list(letter.headers),
                )
                return sent
            except KafkaError as error:
                if not _passes(error):
                    raise
                self._complain(f"dead letters are waiting: {named(error)}")

    def settle(self, owned: Owned, letter: DeadLetter, sent: asyncio.Future[Any]) -> None:
        """A letter that the broker has not taken is sent again: the checkpoints that wait for it must not pass it."""
        owned.letters.discard(sent)
        if not sent.cancelled() and (error := sent.exception()) is not None:
            again = asyncio.ensure_future(self._insist(owned.number, letter, error))
            owned.letters.add(again)
            again.add_done_callback(owned.letters.discard)

    async def _insist(self, number: int, letter: DeadLetter, error: BaseException) -> None:
        while not isinstance(error, ProducerClosed):  # then we are stopping, and no checkpoint has passed it
            if not _passes(error):
                message = f"dead letter {letter.key.decode()} is not taken by {self._settings.broker}: {named(error)}"
                end(Unreachable(message))
            self._complain(f"dead letters are sent again: {named(error)}")
            await asyncio.sleep(RETRY_S)
            try:
                await (await self.hand_over(number, letter))
            except KafkaError as other:
                error = other
            else:
                return


def _passes(error: BaseException) -> bool:
    """Whether it is the broker's absence: then the same request can be sent again."""
    return isinstance(error, KafkaTimeoutError) or getattr(error, "retriable", False)
