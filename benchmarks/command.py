"""A benchmark as a program: whatever ends it becomes a line and an exit code."""

import signal
import sys
from typing import NoReturn

import click

from attente.errors import AttenteError
from benchmarks.process import Failed


def run_command(command: click.Command) -> NoReturn:
    """Run, and exit."""
    # Whoever ends the benchmark by SIGTERM wants what it has started to end too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        code = command.main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except AttenteError as error:
        click.echo(f"attente: {error}", err=True)
        code = error.exit_code
    except Failed as error:
        click.echo(f"attente: {error}", err=True)
        code = 1
    except (click.Abort, KeyboardInterrupt):
        code = 130
    sys.exit(code)
