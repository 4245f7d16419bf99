"""The brake: how much may be refused before it is hardly the events that are wrong."""

import asyncio
import json
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attente.core.partition import Dead, Partition
from attente.core.plan import Plan
from attente.engine import letters as letters_module
from attente.engine.brake import Brake
from attente.engine.engine import Engine
from attente.engine.owned import Owned
from attente.engine.transport import Delivery
from attente.errors import Braked
from attente.model.reasons import Reason
from attente.model.records import DeadLetter
from attente.settings import Settings
from handtape import LILLE, REGISTRY
from oracle import Record


def dead(number: int, reason: Reason = Reason.NOT_JSON, detail: str = "no JSON") -> Dead:
    """The `number`-th event of a partition, which lies at twice that offset."""
    return Dead(2 * number, 0, b"k", b"v", reason, detail, number)


def pulled_at(brake: Brake, numbers: Iterable[int]) -> int | None:
    """At which refused event the brake is pulled."""
    return next((number for number in numbers if brake.pulled_by(dead(number))), None)


def every(step: int, until: int, first: int = 1) -> range:
    return range(first, until + 1, step)


def test_fifty_in_a_row_are_too_many_and_forty_nine_are_not() -> None:
    assert pulled_at(Brake(share=0, window=1_000, row=50), range(101, 150)) is None
    assert pulled_at(Brake(share=0, window=1_000, row=50), range(101, 400)) == 150


def test_one_good_event_between_them_begins_a_new_row() -> None:
    brake = Brake(share=0, window=1_000, row=50)
    assert pulled_at(brake, range(1, 50)) is None
    assert pulled_at(brake, range(51, 400)) == 100


def test_five_percent_of_the_last_thousand_are_allowed_and_one_more_is_not() -> None:
    assert pulled_at(Brake(share=5, window=1_000, row=0), every(20, 100_000)) is None
    # From 10,001 on every other one is refused: the 51st among the last thousand counts the older ones too.
    brake = Brake(share=5, window=1_000, row=0)
    assert pulled_at(brake, every(20, 10_000)) is None
    assert pulled_at(brake, every(2, 11_000, 10_001)) == 10_001 + 2


def test_what_lies_further_back_than_the_window_is_forgotten() -> None:
    brake = Brake(share=5, window=1_000, row=0)
    assert pulled_at(brake, every(1, 50)) is None
    assert pulled_at(brake, every(1, 1_100, 1_051)) is None
    assert brake.pulled_by(dead(1_101))


def test_a_partition_need_not_have_as_many_events_as_the_window() -> None:
    brake = Brake(share=5, window=1_000, row=0)
    assert pulled_at(brake, every(2, 200)) == 101


def test_nothing_is_too_much_for_a_brake_that_is_off() -> None:
    assert pulled_at(Brake(share=0, window=1_000, row=0), range(1, 5_000)) is None


def test_the_line_says_how_much_where_and_mostly_why() -> None:
    brake = Brake(share=0, window=1_000, row=3)
    brake.pulled_by(dead(7, Reason.UNKNOWN_OFFICE, "the registry has no office a"))
    brake.pulled_by(dead(8, Reason.UNKNOWN_OFFICE, "the registry has no office b"))
    assert brake.pulled_by(dead(9)) == (
        "3 events in a row are refused, offsets 14 to 18, 2 of them as unknown_office (the last: the registry has no "
        "office b)"
    )
    assert Brake(share=5, window=10, row=0).pulled_by(dead(3)) == (
        "1 of the last 3 events are refused, offsets 6 to 6, 1 of them as not_json (the last: no JSON)"
    )


@given(st.lists(st.booleans(), max_size=300), st.integers(0, 40), st.integers(1, 60), st.integers(0, 8))
def test_the_brake_decides_as_counting_the_log_does(bad: list[bool], share: int, window: int, row: int) -> None:
    def too_much(end: int) -> bool:
        if not bad[end - 1]:
            return False
        among = sum(bad[max(0, end - window) : end])
        in_a_row = row and end >= row and all(bad[end - row : end])
        return bool((share and among * 100 > share * window) or in_a_row)

    wanted = next((end for end in range(1, len(bad) + 1) if too_much(end)), None)
    brake = Brake(share, window, row)
    assert pulled_at(brake, (number for number, is_bad in enumerate(bad, 1) if is_bad)) == wanted


def test_what_is_refused_bears_its_number_in_the_state_whatever_the_batches_and_holes() -> None:
    values = [b"no", b"", b"no", None, b"{}"]
    records = [Record(3 * i, 1_773_129_600_000, b"k", value) for i, value in enumerate(values)]
    whole, pieces = (Partition(Plan(REGISTRY), 0, 1) for _ in range(2))
    whole.ingest(records)
    for record in records:
        pieces.ingest([record])
    numbers = [(dead.number, dead.offset) for dead in whole.take_dead()]
    assert numbers == [(1, 0), (2, 3), (3, 6), (4, 9), (5, 12)]
    assert [(dead.number, dead.offset) for dead in pieces.take_dead()] == numbers


def test_among_events_and_their_duplicates_only_what_is_refused_counts() -> None:
    good = json.dumps(
        {
            "specversion": "1.0",
            "id": "1",
            "source": "s",
            "type": "desk.opened",
            "time": "2026-03-10T08:00:00Z",
            "office": LILLE,
            "desk": "d1",
        }
    ).encode()
    values = [good, good, good, b"no JSON"] * 100
    part = Partition(Plan(REGISTRY), 0, 1)
    part.ingest([Record(i, 1_773_129_600_000, LILLE.encode(), value) for i, value in enumerate(values)])
    assert (part.counted, part.duplicate, sum(part.refused.values())) == (1, 299, 100)
    brake = Brake(share=5, window=200, row=50)
    lines = [brake.pulled_by(dead) for dead in part.take_dead()]
    assert lines[:10] == [""] * 10
    assert lines[10].startswith("11 of the last 44 events are refused, offsets 3 to 43, ")


# --- in a worker


class Ended(BaseException):
    """Stands for the end of the process."""


def test_a_worker_keeps_the_letters_up_to_the_brake_and_lets_no_checkpoint_pass_what_lies_behind_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    errors: list[BaseException] = []
    kept: list[int] = []

    def end(error: BaseException) -> None:
        errors.append(error)
        raise Ended

    async def hand_over(number: int, letter: DeadLetter) -> asyncio.Future[None]:
        kept.append(int(letter.key.rpartition(b"/")[2]))
        sent: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_later(0.01, sent.set_result, None)
        return sent

    monkeypatch.setattr(letters_module, "end", end)
    engine = Engine(Settings(worker="w0"), REGISTRY, 1, print)
    monkeypatch.setattr(engine.letters, "hand_over", hand_over)
    owned = Owned(Partition(engine.plan, 0, 1))
    owned.brake = Brake(share=0, window=1, row=3)
    engine.ownership.states = {0: owned}
    engine.ownership.live = {0}

    async def work() -> None:
        records = [Record(i, 1_773_129_600_000, b"k", b"no JSON") for i in range(5)]
        with pytest.raises(Ended):
            await engine.apply(Delivery(0, 4, [records], owned=owned))
        (unsent,) = owned.letters  # the three that were kept are acknowledged; this one is waited for without end
        assert not unsent.done()

    asyncio.run(work())
    assert kept == [0, 1, 2]
    assert engine.ownership.owned() == []
    (error,) = errors
    assert isinstance(error, Braked)
    assert str(error).startswith("brake at partition 0: 3 events in a row are refused, offsets 0 to 2, 3 of them as ")
    assert str(error).endswith("to go on all the same: --brake-share 0 --brake-row 0")


def test_after_letters_that_are_all_handed_over_nothing_more_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[int] = []
    engine = Engine(Settings(worker="w0"), REGISTRY, 1, print)
    owned = Owned(Partition(engine.plan, 0, 1))

    async def hand_over(number: int, letter: DeadLetter) -> asyncio.Future[None]:
        waited.append(sum(not future.done() for future in owned.letters))
        sent: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        sent.set_result(None)
        return sent

    monkeypatch.setattr(engine.letters, "hand_over", hand_over)
    owned.partition.ingest([Record(i, 1_773_129_600_000, b"k", b"no JSON") for i in range(2)])

    async def work() -> None:
        await engine.letters.bury(owned)
        await asyncio.sleep(0)  # for the callbacks

    asyncio.run(work())
    assert waited == [1, 1]  # for what a full producer would not have taken yet, and a checkpoint must not pass
    assert owned.letters == set()
