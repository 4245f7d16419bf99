import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from attente import __version__
from attente.cli import main as entry
from attente.errors import AttenteError, BadInput, CheckFailed, Missing, Unreachable
from commands import attente


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "attente", *arguments],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> list[BaseException]:
    """A stand-in for a subcommand: `attente demo` raises what is put in here."""
    errors: list[BaseException] = []

    @click.command()
    def demo() -> None:
        raise errors[0]

    module = type(sys)("attente.cli.failing")
    module.demo = demo  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "attente.cli.failing", module)
    monkeypatch.setitem(entry._SUBCOMMANDS, "demo", entry._Subcommand("attente.cli.failing", "demo", ""))
    return errors


def exit_of(*arguments: str) -> int | str | None:
    with pytest.raises(SystemExit) as caught:
        entry.main(arguments)
    return caught.value.code


# Help


def test_help_lists_every_subcommand_and_loads_none() -> None:
    listing = run("--help")
    loaded = subprocess.run(
        [sys.executable, "-c", "import sys; from attente.cli import main; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    ).stdout.split()

    assert listing.returncode == 0
    for name, where in entry._SUBCOMMANDS.items():
        assert f"  {name} " in listing.stdout
        assert where.help in listing.stdout
        assert where.module not in loaded
    assert not {"kafka", "rich", "yaml", "faust"} & set(loaded)


@pytest.mark.parametrize("name", sorted(entry._SUBCOMMANDS))
def test_every_subcommand_that_is_listed_can_be_loaded(name: str) -> None:
    found = run(name, "--help")

    assert found.returncode == 0, found.stderr
    assert found.stdout.startswith(f"Usage: attente {name} ")


def test_the_version_is_that_of_the_package() -> None:
    assert run("--version").stdout == f"attente {__version__}\n"


def test_a_subcommand_that_does_not_exist_is_a_usage_error() -> None:
    found = run("wrker")

    assert found.returncode == 2
    assert "No such command 'wrker'" in found.stderr


# Errors


@pytest.mark.parametrize(
    ("error", "code"), [(AttenteError, 70), (CheckFailed, 1), (BadInput, 3), (Unreachable, 4), (Missing, 5)]
)
def test_an_error_that_a_user_can_act_on_is_one_line_and_its_exit_code(
    error: type[AttenteError], code: int, failing: list[BaseException], capsys: pytest.CaptureFixture[str]
) -> None:
    failing.append(error("a.yaml:1:2: x is y; write z"))

    assert exit_of("demo") == code
    assert capsys.readouterr() == ("", "attente: a.yaml:1:2: x is y; write z\n")


def test_several_problems_of_one_file_are_a_line_each(
    failing: list[BaseException], capsys: pytest.CaptureFixture[str]
) -> None:
    failing.append(BadInput("a.yaml:1: one\na.yaml:2: two"))

    assert exit_of("demo") == 3
    assert capsys.readouterr().err == "attente: a.yaml:1: one\nattente: a.yaml:2: two\n"


def test_an_internal_failure_is_one_line_that_says_how_to_see_more(
    failing: list[BaseException], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ATTENTE_TRACEBACK", raising=False)
    failing.append(KeyError("a\nb"))

    assert exit_of("demo") == 70
    assert capsys.readouterr().err == (
        "attente: internal failure: KeyError: 'a\\nb'; run with ATTENTE_TRACEBACK=1 for the traceback\n"
    )


def test_the_traceback_of_an_internal_failure_is_shown_when_it_is_asked_for(
    failing: list[BaseException], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ATTENTE_TRACEBACK", "1")
    failing.append(ValueError("odd"))

    assert exit_of("demo") == 70
    said = capsys.readouterr().err
    assert said.startswith("Traceback (most recent call last):")
    assert said.endswith("attente: internal failure: ValueError: odd\n")


def test_an_interrupt_is_quiet(failing: list[BaseException], capsys: pytest.CaptureFixture[str]) -> None:
    failing.append(KeyboardInterrupt())

    assert exit_of("demo") == 130
    assert capsys.readouterr() == ("", "\n")


@pytest.mark.parametrize("package", ["faust", "jgo", "grafana_api"])
def test_a_subcommand_whose_extra_is_missing_names_it(
    package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "needy.py").write_text(f"import {package}.anything\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.setitem(entry._SUBCOMMANDS, "demo", entry._Subcommand("needy", "demo", ""))

    extra = entry._EXTRAS[package]
    assert exit_of("demo") == 5
    assert capsys.readouterr().err == (
        f"attente: attente demo needs {package}, which is not installed; pip install 'attente[{extra}]'\n"
    )


@pytest.mark.parametrize("arguments", [["--help"], ["registry", "--help"]])
def test_a_reader_that_goes_away_is_no_error_worth_a_word(arguments: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        found = subprocess.run(
            [sys.executable, "-m", "attente", *arguments],
            stdout=writing,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=120,
        )
    finally:
        os.close(writing)

    assert (found.returncode, found.stderr) == (141, "")


def commands(group: click.Group, *before: str) -> Iterator[tuple[str, ...]]:
    """Every command that does something, by its words."""
    with click.Context(group) as context:
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            if isinstance(command, click.Group):
                yield from commands(command, *before, name)
            else:
                yield (*before, name)


@pytest.mark.parametrize("words", list(commands(entry.attente)), ids=" ".join)
def test_the_help_of_every_command_has_an_example_of_it(words: tuple[str, ...]) -> None:
    said = attente(*words, "--help")
    assert said.returncode == 0
    assert f"attente {' '.join(words)}" in said.stdout.partition("Usage:")[2].partition("\n")[2]


@pytest.mark.parametrize(
    "arguments",
    [
        ["registry", "presets", "--json"],
        ["registry", "show", "docs/examples/registry.yaml", "--json"],
        ["norms", "list", "--registry", "docs/examples/registry.yaml"],
        ["--help"],
    ],
)
def test_a_disk_without_space_is_one_line_with_the_remedy(arguments: list[str]) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full here")
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "attente", *arguments],
            cwd=Path(__file__).parents[2],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=120,
        )
    assert done.stderr == "attente: the output: No space left on device; make room, or name another place\n"
    assert done.returncode == Missing.exit_code


def test_a_file_to_replay_that_is_not_there_is_told_before_a_broker_is_looked_for(tmp_path: Path) -> None:
    said = attente("replay", str(tmp_path / "nowhere.ndjson"), "--broker", "127.0.0.1:1")
    assert said.returncode == Missing.exit_code
    assert said.stderr.count("\n") == 1
    assert "nowhere.ndjson" in said.stderr
