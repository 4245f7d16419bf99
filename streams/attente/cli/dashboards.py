"""`attente dashboards`: the boards that people look at, made from code, and checked."""

from pathlib import Path
from typing import Final

import click

from attente.cli.dashboards_preview import preview
from attente.cli.dashboards_publish import publish
from attente.errors import CheckFailed, Missing
from attente.grafana.build import check as check_files
from attente.grafana.build import write
from attente.grafana.texts import LANGS

_FOLDER: Final = Path("dashboards/grafana")
"""Where a checkout has them."""

_lang = click.option(
    "--lang", type=click.Choice(LANGS), default=LANGS[0], show_default=True, help="The language of all texts."
)


@click.group()
def dashboards() -> None:
    """Make Grafana's dashboards, check them, and publish them."""


dashboards.add_command(publish)
dashboards.add_command(preview)


@dashboards.command()
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=_FOLDER,
    show_default=True,
    metavar="DIR",
    help="The folder of the files.",
)
@_lang
def build(out: Path, lang: str) -> None:
    """Write every board as a JSON file that Grafana provisions or imports.

    Boards of attente in DIR that are no more are removed; other files there stay as they are.

    Example: attente dashboards build --out /var/lib/grafana/dashboards/attente --lang fr
    """
    for path in write(out, lang):
        click.echo(path)


@dashboards.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=_FOLDER, metavar="[DIR]")
@_lang
def check(folder: Path, lang: str) -> None:
    """Say whether the boards in DIR (dashboards/grafana) are what this version writes, and keep all rules.

    Every query must parse, name only metrics and labels that there are, and count nothing twice; every panel must have
    its texts, unit and legends, and ask the data source of the board's variable.

    Exits with 0 when all is well, 1 with one line for each finding, 5 when DIR is not there.

    Example: attente dashboards check dashboards/grafana
    """
    if not folder.is_dir():
        msg = f"{folder}: there is no such folder; write it with attente dashboards build --out {folder}"
        raise Missing(msg)
    if findings := check_files(folder, lang):
        raise CheckFailed("\n".join(findings))
    click.echo(f"ok: {folder}")
