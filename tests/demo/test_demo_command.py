"""What the command refuses before it starts anything."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from attente.cli.demo import demo
from attente.errors import AttenteError, BadInput, Missing, Unreachable
from sources.technion_rows import row, tape


def asked(*arguments: str) -> Result:
    return CliRunner().invoke(demo, arguments)


def refused(*arguments: str) -> AttenteError:
    """The error that the command ends with; it makes one line and an exit code of it."""
    error = asked(*arguments).exception
    assert isinstance(error, AttenteError)
    assert "\n" not in str(error)
    return error


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with nothing beside it."""
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    return folder


def test_without_a_tape_it_says_which_file_it_wants() -> None:
    error = refused("--once")

    assert isinstance(error, Missing)
    for wanted in ("technion_bank_1999-01.tsv.xz", "Technion", "keguoh/hospital", "--source technion FILE"):
        assert wanted in str(error)


def test_a_tape_that_is_not_there_is_refused() -> None:
    error = refused("--source", "technion", "absent.tsv.xz", "--once")

    assert isinstance(error, Missing)
    assert "absent.tsv.xz" in str(error)


def test_a_wrong_tape_is_refused_with_its_place(elsewhere: Path) -> None:
    wrong = tape(elsewhere, row(), row(q_time="soon"))

    error = refused("--source", "technion", str(wrong), "--once")

    assert isinstance(error, BadInput)
    assert f"{wrong}:3:" in str(error)
    assert not (elsewhere / ".attente").exists()


def test_a_broker_that_is_not_there_is_refused_and_nothing_stays(elsewhere: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{taken.getsockname()[1]}"

        error = refused("--source", "technion", str(tape(elsewhere, row())), "--broker", address)

    assert isinstance(error, Unreachable)
    assert address in str(error)


def test_a_broker_that_the_environment_names_is_meant(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        monkeypatch.setenv("ATTENTE_BROKER", f"127.0.0.1:{taken.getsockname()[1]}")

        error = refused("--source", "technion", str(tape(elsewhere, row())))

    assert isinstance(error, Unreachable)


# Which demo is meant


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An address at which no broker is: a live network gets as far as that, a tape that is not there does not."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{taken.getsockname()[1]}"


@pytest.mark.parametrize(
    "arguments",
    [(), ("--offices", "16"), ("--seed", "3"), ("--live",), ("--for", "30s", "--json", "-"), ("--workers", "3")],
)
def test_a_live_network_is_shown_unless_something_is_said_of_a_tape(nowhere: str, arguments: tuple[str, ...]) -> None:
    assert isinstance(refused(*arguments, "--broker", nowhere), Unreachable)


@pytest.mark.parametrize(
    "arguments",
    [
        ("--once",),
        ("--tape",),
        ("--kill", "1"),
        ("--speed", "max"),
        ("--shuffle", "6h"),
        ("--duplicates", "0"),
        ("--offices", "16", "--once"),
    ],
)
def test_what_only_a_tape_has_means_the_tape(nowhere: str, arguments: tuple[str, ...]) -> None:
    error = refused(*arguments, "--broker", nowhere)

    assert isinstance(error, Missing)
    assert "there is no tape" in str(error)


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--live", "--kill", "2"), "--kill goes with a tape"),
        (("--live", "--once"), "--once goes with a tape"),
        (("--once", "--for", "30s"), "--for goes with a live network"),
        (("--tape", "--for", "30s"), "--for goes with a live network"),
        (("--json", "out.json"), "--json goes with --once or --for"),
        (("--tape", "--json", "out.json"), "--json goes with --once or --for"),
    ],
)
def test_what_does_not_go_together_is_wrong_usage(arguments: tuple[str, ...], why: str) -> None:
    result = asked(*arguments)

    assert result.exit_code == 2
    assert why in result.output


def test_a_result_that_cannot_be_written_is_refused_before_it_is_made() -> None:
    error = refused("--once", "--json", "absent/out.json")

    assert isinstance(error, Missing)
    assert "absent" in str(error)


def test_a_pace_does_not_go_with_kills(elsewhere: Path) -> None:
    result = asked("--source", "technion", str(tape(elsewhere, row())), "--kill", "1", "--speed", "60")

    assert result.exit_code == 2
    assert "--kill has a pace of its own" in result.output


@pytest.mark.parametrize(
    "arguments",
    [
        ("--source", "warsaw", "file"),
        ("--source", "technion"),
        ("--offices", "0"),
        ("--shuffle", "soon"),
        ("--duplicates", "1.5"),
        ("--workers", "0"),
        ("--kill", "-1"),
        ("--speed", "0"),
        ("--broker", "nowhere"),
    ],
)
def test_what_makes_no_sense_is_wrong_usage(arguments: tuple[str, ...]) -> None:
    assert asked(*arguments).exit_code == 2


def test_the_help_names_the_exit_codes_and_all_options() -> None:
    text = asked("--help").output

    for wanted in ("130", "--source KIND FILE", "--kill", "--once", "--json", "--keep", "--broker", "--data", "--for"):
        assert wanted in text
    assert "attente demo --for 30s --json -" in text  # an example
