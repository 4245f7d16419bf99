"""`attente dashboards preview`: the dashboards as pages, drawn from a running Prometheus without a Grafana."""

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import click

from attente.cli.import_ import Duration
from attente.cli.options import Zone, json_option
from attente.errors import CheckFailed, Missing
from attente.grafana.build import dashboards
from attente.grafana.preview.drawing import Preview, draw
from attente.grafana.preview.pictures import PROGRAMS, browser, picture
from attente.grafana.preview.prometheus import Prometheus
from attente.grafana.preview.variables import Times
from attente.grafana.texts import LANGS
from attente.model.instants import milliseconds
from attente.model.reasons import Refusal
from attente.wording import counted

_EXAMPLES: Final = """\b
Examples:
  attente dashboards preview --prometheus http://127.0.0.1:9090 --out preview
  attente dashboards preview --prometheus http://127.0.0.1:9090 --out preview --only office --var office=75-nation
  attente dashboards preview --prometheus http://127.0.0.1:9090 --out preview --at 2026-11-20T17:00:00+01:00 --range 9h
"""


class Instant(click.ParamType):
    """An instant, in milliseconds since 1970."""

    name = "instant"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Text to milliseconds."""
        try:
            return milliseconds(str(value))
        except Refusal as error:
            self.fail(error.detail, param, ctx)


class Assignment(click.ParamType):
    """A variable and its values, as in office=75-nation or region=Nord,Sud."""

    name = "name=value"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, tuple[str, ...]]:
        """Text to a name and its values."""
        name, sign, text = str(value).partition("=")
        if not (name and sign and text):
            self.fail(f"{value!r} is no NAME=VALUE; write it like office=75-nation", param, ctx)
        return name, tuple(text.split(","))


@click.command(epilog=_EXAMPLES)
@click.option("--prometheus", "url", required=True, metavar="URL", help="Where the Prometheus is that has the figures.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("preview"),
    show_default=True,
    metavar="DIR",
    help="The folder of the pages.",
)
@click.option(
    "--lang", type=click.Choice(LANGS), default=LANGS[0], show_default=True, help="The language of all texts."
)
@click.option("--at", "at_ms", type=Instant(), metavar="INSTANT", help="Until when, in RFC 3339.  [default: now]")
@click.option("--range", "range_ms", type=Duration(), default="12h", show_default=True, help="How long before that.")
@click.option(
    "--scrape",
    "scrape_ms",
    type=Duration(),
    default="15s",
    show_default=True,
    help="How often that Prometheus scrapes, as Grafana's data source would say.",
)
@click.option(
    "--zone", type=Zone(), default="UTC", show_default=True, metavar="ZONE", help="Of the times on the pages."
)
@click.option("--only", multiple=True, metavar="NAME", help="This dashboard, as in office; may be given several times.")
@click.option(
    "--var",
    "chosen",
    type=Assignment(),
    multiple=True,
    metavar="NAME=VALUE,…",
    help="What a variable is, where a dashboard has it; may be given for several.",
)
@click.option("--pictures", is_flag=True, help="Draw each page as PNG too; needs a Chromium on the path.")
@click.option(
    "--scale",
    type=click.FloatRange(0.1, 4),
    default=1.0,
    show_default=True,
    help="With --pictures: pixels of a picture for each of the page, which is 1600 wide.",
)
@json_option
def preview(url: str, out: Path, *, pictures: bool, as_json: bool, **options: Any) -> None:
    """Draw every dashboard as one HTML page, from what a running Prometheus answers, without a Grafana.

    A page needs no network and has no script: titles, layout, units, legends and thresholds are those of the
    dashboard. It is for looking at dashboards before they are published, and for pictures of them.

    Exits with 0 when every query is answered, 1 when Prometheus refuses one, 4 when it does not answer, 5 when a
    Chromium is asked for and there is none.
    """
    program = browser() if pictures else None
    if pictures and program is None:
        msg = f"--pictures needs a Chromium, and none of {', '.join(PROGRAMS)} is on the path; install one"
        raise Missing(msg)
    end_s = (options["at_ms"] or time.time_ns() // 1_000_000) / 1000
    times = Times(end_s - options["range_ms"] / 1000, end_s, options["scrape_ms"] / 1000)
    boards = {uid.removeprefix("attente-"): board for uid, board in dashboards(options["lang"]).items()}
    _check(boards, options["only"], [name for name, _ in options["chosen"]])
    drawn = {}
    for name in options["only"] or boards:
        board = boards[name]
        given = {each: values for each, values in options["chosen"] if each in _variables(board)}
        drawn[name] = draw(board, Prometheus(url), times, ZoneInfo(options["zone"]), given=given, lang=options["lang"])
        page = _written(out / f"{name}.html", drawn[name].html)
        if program is not None:
            picture(page, page.with_suffix(".png"), program, options["scale"])
        if not as_json:
            click.echo(_said(page, drawn[name]))
    if as_json:
        click.echo(json.dumps([_entry(out, name, one) for name, one in drawn.items()], ensure_ascii=False, indent=2))
    if failed := sum(len(one.failures) for one in drawn.values()):
        msg = f"Prometheus refused the queries of {counted(failed, 'panel')}; the pages say why"
        raise CheckFailed(msg)


def _check(boards: Mapping[str, Mapping[str, Any]], only: Sequence[str], chosen: Sequence[str]) -> None:
    """Refuse what no dashboard has.

    Raises:
        click.UsageError: there is no such dashboard, or none has such a variable.
    """
    if unknown := [name for name in only if name not in boards]:
        msg = f"there is no dashboard {unknown[0]!r}; there are {', '.join(boards)}"
        raise click.UsageError(msg)
    known = {name for board in boards.values() for name in _variables(board)}
    if unknown := [name for name in chosen if name not in known]:
        msg = f"no dashboard has the variable {unknown[0]!r}; there are {', '.join(sorted(known))}"
        raise click.UsageError(msg)


def _variables(board: Mapping[str, Any]) -> set[str]:
    return {variable["name"] for variable in board["templating"]["list"]}


def _written(file: Path, text: str) -> Path:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        msg = f"{error.filename or file}: {error.strerror}; name another folder with --out"
        raise Missing(msg) from error
    return file


def _said(page: Path, drawn: Preview) -> str:
    empty = f"; nothing in {', '.join(drawn.empty)}" if drawn.empty else ""
    refused = "".join(f"\n  {title}: {why}" for title, why in drawn.failures.items())
    return f"{page}{empty}{refused}"


def _entry(out: Path, name: str, drawn: Preview) -> dict[str, Any]:
    return {
        "dashboard": name,
        "page": str(out / f"{name}.html"),
        "empty": list(drawn.empty),
        "refused": dict(drawn.failures),
    }
