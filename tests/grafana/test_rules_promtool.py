"""The rules before their real reader: what each alert does in every case, and what it would do if it were wrong."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from attente.grafana.rules.build import ALERTS, RECORDING, RUNBOOKS, rule_files
from attente.registry.load import load
from grafana import rule_tests
from grafana.rule_tests import CASES, ROOT, promtool_file
from grafana.rule_tools import Rules, alone, inverted, run, verdicts

pytestmark = pytest.mark.tools

RULES = rule_files(load(ROOT / "docs" / "examples" / "registry.yaml"))
NAMES = (RECORDING, ALERTS)


def bundle(names: Sequence[str], recordings: Rules, alerts: Rules) -> dict[str, str]:
    """The files of the test of one alert, whose variants may bear other names."""
    alert = rule_tests.ALERTS[names[0]]
    variants = [replace(alert, name=name) for name in names]
    return {
        RECORDING: yaml.safe_dump(recordings, allow_unicode=True),
        ALERTS: yaml.safe_dump(alerts, allow_unicode=True),
        "test.yaml": promtool_file(variants, CASES[alert.name], NAMES, str((recordings, alerts))),
    }


def test_promtool_finds_no_fault_in_the_rules(tmp_path: Path) -> None:
    for name, text in RULES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    checked = run("check", "rules", *(tmp_path / name for name in RULES))
    assert checked.returncode == 0, checked.stdout
    assert checked.stdout.count("SUCCESS") == len(RULES), checked.stdout
    assert "duplicate" not in checked.stdout


def variants(alert: str) -> tuple[Rules, Rules, list[str]]:
    """An alert beside its like with one comparison inverted in each, under names of their own."""
    recordings, alerts = alone(alert, RULES)
    (group,) = alerts["groups"]
    (rule,) = group["rules"]
    names = [alert]
    for number, expr in enumerate(inverted(rule["expr"])):
        names.append(f"{alert}{number}")
        link = {"runbook_url": f"{RUNBOOKS}{names[-1]}.md"}
        group["rules"].append(
            {**rule, "alert": names[-1], "expr": expr, "annotations": {**rule["annotations"], **link}}
        )
    return recordings, alerts, names


EVERY = {alert: variants(alert) for alert in CASES}


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What promtool says of every case of every alert and of its variants: one run, for each costs seconds."""
    files = {alert: bundle(names, recordings, alerts) for alert, (recordings, alerts, names) in EVERY.items()}
    return "\n".join(verdicts(files, tmp_path_factory.mktemp("alerts")).values())


def failed(said: str) -> set[str]:
    """The alerts that did something else in some case than they must."""
    return set(re.findall(r'alertname(?:: |=\\")(\w+)', said))


def test_every_alert_fires_where_it_must_and_is_silent_where_it_must_not(said: str) -> None:
    assert failed(said).isdisjoint(CASES), said
    assert re.search(r"\berr(or)?\b", said) is None, said


def test_an_alert_with_any_comparison_inverted_fails_its_tests(said: str) -> None:
    assert [alert for alert, (_, _, names) in EVERY.items() if len(names) == 1] == ["AttenteDeadMansSwitch"]
    assert {name for _, _, names in EVERY.values() for name in names[1:]} - failed(said) == set()


def test_the_committed_tests_pass_with_the_committed_rules() -> None:
    folder = ROOT / "dashboards" / "rule-tests"
    # Two of them with all rules, and in the first two workers differ: the others are run above with what they read.
    chosen = ("AttenteWaitBeyondNorm.yaml", "AttenteConservationBroken.yaml", "recorded-series.yaml")
    done = run("test", "rules", *(folder / name for name in chosen))
    assert done.returncode == 0, done.stdout
