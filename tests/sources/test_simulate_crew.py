"""The processes of a simulation: what becomes of one that fails, dies, or is not needed any more."""

import os
from multiprocessing.connection import Connection

import pytest

from attente.errors import AttenteError, Unreachable
from attente.sources.simulate.crew import Target, members, stop_on_word


def ends_when_told(pipe: Connection, share: object) -> None:
    stop = stop_on_word(pipe)
    pipe.send(os.getpid())
    stop.wait()
    pipe.send(share)


def fails(_pipe: Connection, _share: object) -> None:
    msg = "broken"
    raise ValueError(msg)


def has_no_broker(_pipe: Connection, _share: object) -> None:
    msg = "no Kafka"
    raise Unreachable(msg)


def dies(_pipe: Connection, _share: object) -> None:
    os._exit(9)


def is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_every_share_has_a_process_that_ends_when_told_and_is_gone_afterwards() -> None:
    with members(ends_when_told, ["a", "b"]) as crew:
        pids = [member.receive() for member in crew]
        assert len({os.getpid(), *pids}) == 3
        crew[0].tell()
        assert crew[0].receive() == "a"
    assert not any(is_there(pid) for pid in pids)


@pytest.mark.parametrize(
    ("target", "kind", "says"),
    [
        (fails, AttenteError, "a process of the simulation has failed: ValueError: broken"),
        (has_no_broker, Unreachable, "no Kafka"),
        (dies, AttenteError, r"a process of the simulation has ended by itself \(exit code 9\)"),
    ],
)
def test_a_process_that_fails_says_why_and_one_that_dies_is_noticed(
    target: Target, kind: type[Exception], says: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(kind, match=says), members(target, [None]) as crew:
        crew[0].receive()
    assert capfd.readouterr().err == ""
