"""`attente dashboards publish`: the dashboards into a Grafana, and what changes there."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click

from attente.cli.options import json_option
from attente.grafana.address import Address, address
from attente.grafana.answers import Patience
from attente.grafana.build import dashboards
from attente.grafana.differences import Change
from attente.grafana.norm_changes import network_tag, norm_changes
from attente.grafana.publication import (
    DATASOURCE,
    FOLDER_UID,
    Action,
    Plan,
    Step,
    Wanted,
    check_datasource_url,
    plan,
)
from attente.grafana.publish import Grafana
from attente.grafana.texts import LANGS
from attente.grafana.token import TOKEN, find_token
from attente.registry.load import load

_EXAMPLES: Final = f"""\b
Examples:
  attente dashboards publish --url https://grafana.example.org --token-file grafana.token --dry-run
  attente dashboards publish --url https://grafana.example.org --token-file grafana.token --registry registry.yaml
  {TOKEN}=… attente dashboards publish --url http://127.0.0.1:3000 --datasource-url http://127.0.0.1:9090
"""

_MOST_CHANGES: Final = 20  # of one dashboard; another language changes hundreds of texts, and nobody reads them

_DONE: Final = {
    Action.CREATE: "created",
    Action.UPDATE: "updated",
    Action.REMOVE: "removed",
    Action.KEEP: "unchanged",
}
_TO_DO: Final = {
    Action.CREATE: "would create",
    Action.UPDATE: "would update",
    Action.REMOVE: "would remove",
    Action.KEEP: "unchanged",
}


class GrafanaAddress(click.ParamType):
    """The address of a Grafana."""

    name = "url"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Address:
        """Text to an address; what is wrong is not repeated, since it may hold a password."""
        if isinstance(value, Address):
            return value
        try:
            return address(str(value))
        except ValueError as error:
            self.fail(f"what is given {error}", param, ctx)


@dataclass(frozen=True, slots=True)
class _Teller:
    """Says what is done, in lines or, at the end, as JSON."""

    as_json: bool
    dry_run: bool

    def begin(self, where: Address, version: str) -> None:
        """Say whom this is about."""
        if not self.as_json:
            click.echo(f"Grafana {version or 'of an unnamed version'} at {where}")

    def step(self, step: Step) -> None:
        """Say what became, or would become, of one thing."""
        if self.as_json:
            return
        words = (_TO_DO if self.dry_run else _DONE)[step.action]
        title = "" if step.title == step.name else f"  {step.title}"
        click.echo(f"{words:<13}{step.kind} {step.name}{title}")
        if self.dry_run:
            for change in step.changes[:_MOST_CHANGES]:
                click.echo(_said(change))
            if (more := len(step.changes) - _MOST_CHANGES) > 0:
                click.echo(f"    and {more} more; --json lists them all")

    def end(self, where: Address, version: str, made: Plan) -> None:
        """Say what it comes to."""
        counts = {action: sum(step.action is action for step in made.steps) for action in Action}
        if self.as_json:
            click.echo(json.dumps(self._document(where, version, made), ensure_ascii=False, indent=2))
            return
        words = _TO_DO if self.dry_run else _DONE
        click.echo(", ".join(f"{count} {words[action]}" for action, count in counts.items() if count))

    def _document(self, where: Address, version: str, made: Plan) -> dict[str, Any]:
        return {
            "grafana": {"url": str(where), "version": version},
            "dry_run": self.dry_run,
            "steps": [
                {
                    "kind": step.kind,
                    "name": step.name,
                    "title": step.title,
                    "action": step.action,
                    "changes": [{"where": one.where, "before": one.before, "after": one.after} for one in step.changes],
                    "obstacle": None if step.obstacle is None else str(step.obstacle),
                }
                for step in made.steps
            ],
            "notes": list(made.notes),
        }


@click.command(epilog=_EXAMPLES)
@click.option("--url", "where", type=GrafanaAddress(), required=True, help="Grafana's address, with its path if any.")
@click.option(
    "--token-file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help=f"The file that holds the service account's token, and nothing else.  [default: {TOKEN} of the environment]",
)
@click.option(
    "--lang", type=click.Choice(LANGS), default=LANGS[0], help=f"The language of all texts.  [default: {LANGS[0]}]"
)
@click.option("--folder", metavar="TITLE", help="The folder's title.  [default: as it is; Attente where it is made]")
@click.option("--folder-uid", default=FOLDER_UID, metavar="UID", help=f"The folder.  [default: {FOLDER_UID}]")
@click.option(
    "--datasource", default=DATASOURCE, metavar="NAME", help=f"The Prometheus asked.  [default: {DATASOURCE}]"
)
@click.option("--datasource-url", metavar="URL", help="Where it is, seen from Grafana; makes it where there is none.")
@click.option(
    "--registry",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The network; each day on which one of its norms changes becomes an annotation.",
)
@click.option("--overwrite", is_flag=True, help="Publish also over what somebody has changed in Grafana.")
@click.option("--dry-run", is_flag=True, help="Write nothing; show what would change.")
@click.option(
    "--ca-file", type=click.Path(path_type=Path), metavar="FILE", help="Trust these certificates, not the usual ones."
)
@click.option(
    "--timeout",
    type=click.FloatRange(0.1, 600),
    default=10.0,
    metavar="SECONDS",
    help="How long Grafana may be silent.  [default: 10]",
)
@json_option
def publish(where: Address, *, dry_run: bool, as_json: bool, **options: Any) -> None:
    """Publish the dashboards to a Grafana: folder, data source, dashboards, and annotations for changes of norms.

    What is the same already is not written again. What somebody has changed in Grafana since the last time stops
    everything before the first write. The token needs the role Editor, and Admin to make the data source; it is read
    from a file or the environment, and never shown.

    Exits with 0 when all is published, 3 when the token, the certificates or the registry are wrong, 4 when Grafana
    does not answer or refuses, 5 when a file is not there.
    """
    found = find_token(options["token_file"], os.environ)
    if found.warning:
        _warn(found.warning)
    if where.is_overheard:
        _warn(f"{where}: over http the token can be read on the way; use https")
    wanted = _wanted(options)
    teller = _Teller(as_json=as_json, dry_run=dry_run)
    patience = Patience(timeout_s=options["timeout"])
    with Grafana(where, found.token, options["ca_file"], patience) as grafana:
        version = grafana.version()
        teller.begin(where, version)
        made = plan(grafana, wanted)
        for note in made.notes:
            _warn(note)
        if dry_run:
            for step in made.steps:
                teller.step(step)
        else:
            made.carry_out(teller.step)
    teller.end(where, version, made)
    if made.obstacle is not None:
        raise made.obstacle


def _wanted(options: Mapping[str, Any]) -> Wanted:
    url, lang = options["datasource_url"], options["lang"]
    registry = None if options["registry"] is None else load(options["registry"])
    return Wanted(
        boards=dashboards(lang),
        folder_uid=options["folder_uid"],
        folder_title=options["folder"],
        datasource=options["datasource"],
        datasource_url=None if url is None else check_datasource_url(url),
        changes=None if registry is None else norm_changes(registry, lang),
        network="" if registry is None else network_tag(registry),
        overwrite=options["overwrite"],
    )


def _warn(words: str) -> None:
    click.echo(f"attente: warning: {words}", err=True)


def _said(change: Change) -> str:
    before, after = (" ".join(text.split()) for text in (change.before, change.after))
    return f"    {change.where}\n      - {before}\n      + {after}"
