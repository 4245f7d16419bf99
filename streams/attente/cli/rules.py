"""`attente rules`: what Prometheus records and alerts about, made from the registry."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from attente.cli.rules_alertmanager import alertmanager
from attente.grafana.rules import build as rule_files
from attente.grafana.texts import LANGS
from attente.registry.load import load


@click.group()
def rules() -> None:
    """Make the recording rules and alerts of a network for Prometheus, and check that they are current."""


rules.add_command(alertmanager)


def _options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The registry, the folder and what else decides the text of the files."""
    for decorate in (
        click.option(
            "--runbooks",
            default=rule_files.RUNBOOKS,
            show_default=True,
            metavar="PREFIX",
            help="What stands before NAME.md in the links of alerts to their runbooks, as https://wiki.example/runbooks/.",
        ),
        click.option(
            "--lang",
            type=click.Choice(LANGS),
            default=LANGS[0],
            show_default=True,
            help="The language of what people read.",
        ),
        click.option(
            "--out",
            type=click.Path(path_type=Path, file_okay=False),
            default=Path("rules"),
            show_default=True,
            metavar="DIR",
            help="The folder of the files.",
        ),
        click.argument("registry", type=click.Path(path_type=Path)),
    ):
        function = decorate(function)
    return function


@rules.command()
@_options
def build(registry: Path, out: Path, lang: str, runbooks: str) -> None:
    """Write recording.yaml and alerts.yaml for the network of REGISTRY; name both under `rule_files` in Prometheus.

    Build them anew when norms or opening calendars change: burn factors follow from them. All else follows the workers.

    Example: attente rules build registry.yaml --out /etc/prometheus/attente --lang fr
    """
    files = rule_files.rule_files(load(registry), lang=lang, runbooks=runbooks)
    for path in rule_files.write(files, out):
        click.echo(path)


@rules.command()
@_options
def check(registry: Path, out: Path, lang: str, runbooks: str) -> None:
    """Say whether the files in DIR are what `build` would write with the same options.

    Exits with 0 when they are, 1 when one is missing or another.

    Example: attente rules check registry.yaml --out /etc/prometheus/attente --lang fr
    """
    files = rule_files.rule_files(load(registry), lang=lang, runbooks=runbooks)
    rule_files.check(files, out, f"attente rules build {registry} --out {out}{_said(lang, runbooks)}")
    click.echo(f"ok: {', '.join(str(out / name) for name in files)}")


def _said(lang: str, runbooks: str) -> str:
    """The options of a call that are not the default."""
    said = f" --lang {lang}" if lang != LANGS[0] else ""
    return said + (f" --runbooks {runbooks}" if runbooks != rule_files.RUNBOOKS else "")
