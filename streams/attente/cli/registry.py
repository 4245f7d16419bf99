"""`attente registry`: the file that says what a network is and what it promises."""

import difflib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from attente.cli.options import json_option
from attente.registry import presets as known_presets
from attente.registry.hours import WEEKDAYS
from attente.registry.load import load
from attente.registry.scalars import written
from attente.registry.summary import Facts, summary
from attente.wording import counted


@click.group()
def registry() -> None:
    """Check and show the registry of offices, services and norms; start from ready norms."""


@registry.command()
@click.argument("file", type=click.Path(path_type=Path))
def check(file: Path) -> None:
    """Check FILE and tell every problem in it, one a line: place, what is wrong, what to write instead.

    Exits with 0 when the file is sound, 3 when it has problems, 5 when it cannot be read.

    Example: attente registry check registry.yaml
    """
    found = load(file)
    counts = (
        counted(len(found.offices), "office"),
        counted(len(found.services), "service"),
        counted(len(found.norms), "norm"),
        counted(len(found.calendars), "calendar"),
        counted(sum(len(office.kiosks) for office in found.offices.values()), "kiosk"),
    )
    click.echo(f"ok: {', '.join(counts)}, hash {found.hash}")


@registry.command()
@click.argument("file", type=click.Path(path_type=Path))
@json_option
def show(file: Path, *, as_json: bool) -> None:
    """Show what FILE comes to: offices by region and size, calendars, and each norm with all its definitions.

    Selectors are resolved: a norm's offices are counted, its services named, and its queues are the pairs of an office
    and a service that it is about. With --json the offices are named, too.

    Example: attente registry show registry.yaml
    """
    facts = summary(load(file))
    click.echo(json.dumps(facts, indent=2, ensure_ascii=False) if as_json else "\n".join(_lines(facts)))


@registry.command()
@click.argument("name", required=False)
@json_option
def presets(name: str | None, *, as_json: bool) -> None:
    """Print the ready norms called NAME, to be pasted into a registry; without NAME list what there is.

    Their comments say what is published of each and what is the network's choice.

    Example: attente registry presets family-branch-20
    """
    names = known_presets.names()
    if name is None:
        listed = [(each, known_presets.headline(each)) for each in names]
        if as_json:
            click.echo(json.dumps([{"name": each, "headline": line} for each, line in listed], ensure_ascii=False))
        else:
            click.echo("\n".join(_table(listed)))
        return
    if name not in names:
        near = difflib.get_close_matches(name, names, n=1)
        remedy = f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}"
        msg = f"{name} is no preset; {remedy}"
        raise click.UsageError(msg)
    text = known_presets.preset(name)
    facts = {"name": name, "headline": known_presets.headline(name), "yaml": text}
    click.echo(json.dumps(facts, ensure_ascii=False) if as_json else text, nl=as_json)


def _lines(facts: Facts) -> Iterator[str]:
    yield f"{facts['network']}, hash {facts['hash']}"
    yield (
        f"business days from {facts['cut_over']}, events up to {written(facts['horizon_seconds'])} late, "
        f"windows per {facts['detail']}"
    )
    counts = counted(facts["offices"], "office"), counted(len(facts["services"]), "service")
    yield f"{', '.join(counts)}, {counted(facts['kiosks'], 'kiosk')}"
    for key in ("region", "size"):
        groups = facts[f"{key}s"]
        if any(group[key] for group in groups):
            columns = ("offices", "kiosks", "with_calendar")
            rows: list[tuple[str, ...]] = [(key, *(column.replace("_", " ") for column in columns))]
            rows += [(group[key] or "(none)", *(f"{group[column]:,}" for column in columns)) for group in groups]
            yield ""
            yield from _table(rows)
    for calendar in facts["calendars"]:
        yield ""
        yield from _calendar(calendar)
    for norm in facts["norms"]:
        yield ""
        yield f"norm {norm['id']}"
        for definition in norm["definitions"]:
            yield from (f"  {line}" for line in _definition(definition))


def _calendar(calendar: Facts) -> Iterator[str]:
    exceptions = len(calendar["holidays"]), len(calendar["exceptions"])
    yield (
        f"calendar {calendar['id']}: {counted(calendar['offices'], 'office')}, {counted(exceptions[0], 'holiday')}, "
        f"{counted(exceptions[1], 'exception')}"
    )
    for day in WEEKDAYS:
        hours = calendar["weekly"][day]
        yield f"  {day}  {hours if isinstance(hours, str) else ', '.join(hours)}"


def _definition(one: Facts) -> Iterator[str]:
    clock = one["clock"]
    yield f"from {one['valid_from'] or 'ever'}: {one['title']}"
    yield (
        f"  {one['target'] * 100:g} % within {written(one['threshold_seconds'])}, {clock['from']} to {clock['to']}, "
        f"per {clock['per']}; {', '.join(one['channels'])}; left {one['left']}; still waiting {one['still_waiting']}"
    )
    yield (
        f"  {counted(len(one['offices']), 'office')}, {counted(one['queues'], 'queue')}: {', '.join(one['services'])}"
    )


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        yield "  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
