"""promtool on rule files of single alerts: with just what each reads, many at once, and with a comparison inverted."""

import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from attente.grafana.rules.build import ALERTS, RECORDING
from needs import program

Rules = dict[str, Any]
_RECORDED = re.compile(r"attente:[a-z_]+")
_COMPARISON = re.compile(r"\{[^}]*\}|==|!=|>=|<=|>|<")
_INVERSE = {"==": "!=", "!=": "==", ">": "<=", "<=": ">", "<": ">=", ">=": "<"}


def run(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    """What promtool says, both of its outputs in one."""
    return subprocess.run(
        [program("promtool"), *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def verdicts(files: Mapping[str, Mapping[str, str]], folder: Path) -> dict[str, str]:
    """What `promtool test rules` finds of each test by its name: `SUCCESS`, or what failed.

    Args:
        files: of each test the files that belong together, with one `test.yaml`.
        folder: where they are written.
    """
    tests = []
    for name, contents in files.items():
        place = folder / name
        place.mkdir()
        for file, text in contents.items():
            (place / file).write_text(text, encoding="utf-8")
        tests.append(place / "test.yaml")
    said = run("test", "rules", *tests).stdout
    parts = re.split(r"^Unit Testing: +(\S+)$", said, flags=re.MULTILINE)
    found = {Path(path).parent.name: verdict.strip() for path, verdict in zip(parts[1::2], parts[2::2], strict=True)}
    assert found.keys() == files.keys(), said
    return found


def alone(alert: str, rules: Mapping[str, str]) -> tuple[Rules, Rules]:
    """The rules that one alert needs: what it reads of recorded series, and itself."""
    recordings, alerts = yaml.safe_load(rules[RECORDING]), yaml.safe_load(rules[ALERTS])
    kept = [
        {**group, "rules": [rule for rule in group["rules"] if rule["alert"] == alert]} for group in alerts["groups"]
    ]
    wanted = set(_RECORDED.findall(str(kept)))
    sources: dict[str, set[str]] = {rule["record"]: set() for group in recordings["groups"] for rule in group["rules"]}
    for group in recordings["groups"]:
        for rule in group["rules"]:
            sources[rule["record"]] |= set(_RECORDED.findall(rule["expr"]))
    while more := set[str]().union(*(sources[name] for name in wanted)) - wanted:
        wanted |= more
    needed = [
        {**group, "rules": [rule for rule in group["rules"] if rule["record"] in wanted]}
        for group in recordings["groups"]
    ]
    return {"groups": [g for g in needed if g["rules"]]}, {"groups": [g for g in kept if g["rules"]]}


def inverted(expr: str) -> Iterator[str]:
    """An expression with one comparison after the other turned into its contrary."""
    for found in _COMPARISON.finditer(expr):
        if found[0] in _INVERSE:
            yield f"{expr[: found.start()]}{_INVERSE[found[0]]}{expr[found.end() :]}"
