"""`attente doctor`: what is in force, and whether all is as it must be."""

import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict
from typing import Final

import click

from attente.cli.options import json_option, with_settings
from attente.doctor.check import Check, Verdict
from attente.doctor.cluster import check_cluster
from attente.doctor.machine import (
    Effective,
    check_data,
    check_secrets,
    check_versions,
    effective,
    pinned,
    told_origin,
    versions,
)
from attente.doctor.network import check_registry
from attente.settings import FORMS, Settings

_COLOURS: Final = {Verdict.OK: "green", Verdict.WARN: "yellow", Verdict.FAIL: "red"}


@click.command()
@with_settings(*FORMS)
@json_option
def doctor(settings: Settings, *, as_json: bool) -> int:
    """Say which settings are in force and where they come from, and look whether all is as it must be.

    Nothing is changed. Give it the flags, the variables and the file that a worker would have. Exits with 1 when
    something is not as it must be; what is only worth knowing is a warning.

    Example: attente doctor --broker kafka-1:9092 --registry registry.yaml
    """
    found = versions()
    checks = [
        *check_versions(found, pinned()),
        check_data(settings),
        *check_registry(settings),
        *check_secrets(settings),
        *check_cluster(settings),
    ]
    is_well = all(check.verdict is not Verdict.FAIL for check in checks)
    in_force = effective(settings)
    if as_json:
        facts = {
            "ok": is_well,
            "settings": [asdict(one) for one in in_force],
            "versions": {package: version or None for package, version in found.items()},
            "checks": [asdict(check) for check in checks],
        }
        click.echo(json.dumps(facts, indent=2))
    else:
        _print_settings(in_force)
        click.echo()
        _print_checks(checks)
    return 0 if is_well else 1


def _print_settings(in_force: Sequence[Effective]) -> None:
    names = max(len(one.name) for one in in_force)
    values = min(max(len(one.value) for one in in_force), shutil.get_terminal_size().columns // 2)
    for one in in_force:
        click.echo(f"{one.name:{names}}  {one.value or '-':{values}}  {told_origin(one)}".rstrip())


def _print_checks(checks: Sequence[Check]) -> None:
    names = max(len(check.name) for check in checks)
    for check in checks:
        verdict = click.style(f"{check.verdict:4}", fg=_COLOURS[check.verdict])
        remedy = f"; {check.remedy}" if check.remedy else ""
        click.echo(f"{verdict}  {check.name:{names}}  {check.said}{remedy}")
