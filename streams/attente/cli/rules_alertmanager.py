"""`attente rules alertmanager`: who is told of what, and when, as Alertmanager reads it."""

from pathlib import Path

import click

from attente.errors import CheckFailed, Missing
from attente.grafana.rules import receivers as of_receivers
from attente.grafana.rules.alertmanager import configuration
from attente.registry.load import load
from attente.sources.files import whole

_EXAMPLES = """\b
Examples:
  attente rules alertmanager registry.yaml --receivers receivers.yaml
  attente rules alertmanager registry.yaml --receivers receivers.yaml --out alertmanager.yaml
  attente rules alertmanager registry.yaml --receivers receivers.yaml --out alertmanager.yaml --check
"""


@click.command(epilog=_EXAMPLES)
@click.argument("registry", type=click.Path(path_type=Path))
@click.option(
    "--receivers",
    required=True,
    type=click.Path(path_type=Path),
    help="The file that says who is told, and by which way (docs/howto-alerts.md).",
)
@click.option("--out", type=click.Path(path_type=Path), help="Where the configuration goes; else it is printed.")
@click.option("--check", is_flag=True, help="Write nothing; say whether --out is what would be written.")
def alertmanager(registry: Path, receivers: Path, out: Path | None, *, check: bool) -> None:
    """Write Alertmanager's configuration for the network of REGISTRY: routes, opening hours, inhibition, receivers.

    Alerts for offices are told while the office is open by its calendar; those for operators at any hour. Paths in the
    receivers file are left as they are, so relative ones count from the folder of the configuration.

    Exits with 0 when it is written, or current; 1 when --check finds another file; 3 when one of the files has
    problems; 5 when one cannot be read or written.
    """
    if check and out is None:
        msg = "--check compares a file; name it with --out"
        raise click.UsageError(msg)
    network = load(registry)
    text = configuration(network, of_receivers.load(receivers, network))
    if out is None:
        click.echo(text, nl=False)
    elif check:
        _compare(out, text, f"attente rules alertmanager {registry} --receivers {receivers} --out {out}")
    else:
        with whole(out) as stream:
            stream.write(text.encode())


def _compare(out: Path, text: str, remedy: str) -> None:
    try:
        stands = out.read_bytes()
    except OSError as error:
        msg = f"{out}: cannot be read ({error.strerror}); run {remedy}"
        raise Missing(msg) from None
    if stands != text.encode():
        msg = f"{out}: is not what the registry and the receivers say; run {remedy}"
        raise CheckFailed(msg)
