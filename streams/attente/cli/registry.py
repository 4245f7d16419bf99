"""`attente registry`: the file that says what a network is and what it promises."""

from pathlib import Path

import click

from attente.registry.load import load


@click.group()
def registry() -> None:
    """Check the registry of offices, services and norms."""


@registry.command()
@click.argument("file", type=click.Path(path_type=Path))
def check(file: Path) -> None:
    """Check FILE and tell every problem in it, one a line: place, what is wrong, what to write instead.

    Exits with 0 when the file is sound, 3 when it has problems, 5 when it cannot be read.
    """
    found = load(file)
    counts = (_count(len(found.offices), "office"), _count(len(found.services), "service"))
    click.echo(f"ok: {', '.join(counts)}, {_count(len(found.norms), 'norm')}, hash {found.hash}")


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
