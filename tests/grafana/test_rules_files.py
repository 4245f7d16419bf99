"""The rules as files: complete, current, in both languages, each alert with a runbook and cases."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from attente.cli.main import main
from attente.grafana import recorded, texts
from attente.grafana.rules.alert import Audience, Severity
from attente.grafana.rules.build import ALERT_GROUPS, ALERTS, RECORDING, rule_files
from attente.grafana.rules.promql import seconds
from attente.grafana.rules.size import recorded_count, series_by_owner
from attente.metrics.catalogue import CATALOGUE
from attente.metrics.metric import Group, Type
from attente.registry.load import load, parse
from grafana import rule_tests
from grafana.rule_tests import CASES, ROOT
from registry.registry_files import RICH, SOUND

EXAMPLE = ROOT / "docs" / "examples" / "registry.yaml"
DEFINED = [alert for alerts in ALERT_GROUPS.values() for alert in alerts]
PAGE = (ROOT / "docs" / "alerts.md").read_text(encoding="utf-8")


def rules(lang: str = "en", runbooks: str = "docs/runbooks/") -> Iterator[dict[str, Any]]:
    for text in rule_files(load(EXAMPLE), lang=lang, runbooks=runbooks).values():
        for group in yaml.safe_load(text)["groups"]:
            yield from group["rules"]


def alerting(lang: str = "en") -> list[dict[str, Any]]:
    return [rule for rule in rules(lang) if "alert" in rule]


# ---- what is committed


def test_the_committed_rules_are_those_of_the_example() -> None:
    committed = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "dashboards" / "rules").iterdir()}
    assert committed == rule_files(load(EXAMPLE)), (
        "run attente rules build docs/examples/registry.yaml --out dashboards/rules"
    )


def test_the_committed_tests_are_those_of_the_cases() -> None:
    committed = {path.name: path.read_text(encoding="utf-8") for path in rule_tests.FOLDER.iterdir()}
    assert {"recorded-series.yaml"} == committed.keys() - rule_tests.files().keys()
    assert committed | rule_tests.files() == committed, "run python tests/grafana/rule_tests.py"


# ---- recorded series


def test_every_recorded_series_has_a_rule_and_every_rule_a_series() -> None:
    assert {rule["record"] for rule in rules() if "record" in rule} == recorded.BY_NAME.keys()
    assert len(recorded.BY_NAME) == len(recorded.RECORDED)


def test_rules_name_only_metrics_and_recorded_series_that_there_are() -> None:
    metrics = {metric.full_name for metric in CATALOGUE}
    metrics |= {
        f"{m.full_name}{end}" for m in CATALOGUE if m.type is Type.HISTOGRAM for end in recorded.HISTOGRAM_SUFFIXES
    }
    named = set(re.findall(r"\battente[_:][a-z_]+", " ".join(str(rule) for rule in rules())))
    assert named - metrics - recorded.BY_NAME.keys() == set()


def test_no_rate_is_taken_of_what_a_worker_says_of_an_office() -> None:
    business = {metric.full_name for metric in CATALOGUE if metric.group is Group.COUNTERS}
    rated = set(re.findall(r"(?:rate|increase|delta)\(([a-z_:]+)", " ".join(rule["expr"] for rule in rules())))
    assert rated
    assert rated & business == set()


def test_recorded_series_bear_no_process() -> None:
    process = {"instance", "job", "worker"}
    assert [series.name for series in recorded.RECORDED if process & set(series.labels)] == []


def test_the_number_of_recorded_series_is_the_sum_of_the_documented_rows() -> None:
    rows = dict(re.findall(r"^\| (\w[^|]*) \| (\d[^|]*) \|$", PAGE.partition("### How many")[2], re.MULTILINE))
    without, with_one = series_by_owner(0), series_by_owner(1)
    documented = {
        "service of an office, `other` included": {"office", "service"},
        "office": {"office"},
        "office, for each norm that holds there": {"office", "norm"},
        "region, for each norm that holds there": {"region", "norm"},
        "norm": {"norm"},
        "kiosk": {"office", "kiosk"},
        "kiosk of which something was refused": {"source"},
        "partition": {"partition"},
    }
    assert rows.keys() == documented.keys()
    for row, labels in documented.items():
        owner = frozenset(labels)
        buckets = with_one[owner] - without[owner]
        assert rows[row] == (f"{without[owner]} + {buckets}·B" if buckets else str(without[owner]))
    # 4 offices, 20 services with `other`, 2 norms in 4 and 3 offices, both in 2 regions, 4 kiosks, 10 buckets.
    counts = (20 * 55, 4 * 5, 7 * 86, 4 * 75, 2 * 80, 4 + 4 * 19, 4 * 22)
    assert recorded_count(load(EXAMPLE), partitions=4) == sum(counts)


# ---- alerts


def test_every_alert_says_for_whom_for_how_long_what_and_where_to_read_on() -> None:
    for rule in alerting():
        assert rule.keys() == {"alert", "expr", "for", "keep_firing_for", "labels", "annotations"}
        assert rule["labels"]["severity"] in set(Severity)
        assert rule["labels"]["audience"] in set(Audience)
        assert rule["annotations"].keys() == {"summary", "description", "runbook_url"}
        assert rule["annotations"]["runbook_url"] == f"docs/runbooks/{rule['alert']}.md"


def test_what_blinds_is_told_to_operators_alone() -> None:
    blinding = {alert.name for alert in DEFINED if alert.blinds}
    assert blinding == {rule["alert"] for rule in alerting() if rule["labels"].get("blinds") == "figures"}
    assert "AttenteNotMeasured" in blinding
    assert {alert.audience for alert in DEFINED if alert.blinds} == {Audience.OPERATOR}


def test_an_alert_about_an_office_names_office_and_region_and_one_about_a_norm_what_it_promises() -> None:
    for lang in texts.LANGS:
        for rule in alerting(lang):
            said = rule["annotations"]["description"]
            if rule["labels"]["audience"] in {"office", "network"}:
                assert "{{ $labels.name }} ({{ $labels.region }})" in said
            if "norm" in rule["expr"]:
                assert {"norm_info", "norm_threshold_seconds", "norm_target_ratio"} <= set(
                    re.findall(r"attente:(\w+)", said)
                ), rule["alert"]


def test_the_link_to_a_runbook_begins_as_one_likes() -> None:
    links = {rule["annotations"]["runbook_url"] for rule in rules(runbooks="https://wiki.example/") if "alert" in rule}
    assert links == {f"https://wiki.example/{alert.name}.md" for alert in DEFINED}


def test_every_alert_has_a_runbook_and_every_runbook_an_alert() -> None:
    books = {path.stem: path.read_text(encoding="utf-8") for path in (ROOT / "docs" / "runbooks").glob("*.md")}
    assert books.keys() == {alert.name for alert in DEFINED}
    for name, text in books.items():
        sections = re.split(r"^#{1,2} ", text, flags=re.MULTILINE)
        assert [part.partition("\n")[0] for part in sections[1:]] == [
            name,
            "What it means",
            "How to check",
            "What to do",
        ]
        assert all(len(part.partition("\n")[2].strip()) > 80 for part in sections[1:]), name


def test_runbooks_name_only_metrics_that_there_are() -> None:
    metrics = {metric.full_name for metric in CATALOGUE} | recorded.BY_NAME.keys()
    for path in (ROOT / "docs" / "runbooks").glob("*.md"):
        named = set(re.findall(r"\battente[_:][a-z_]+", path.read_text(encoding="utf-8")))
        assert named - metrics == set(), path.name


def test_the_page_about_alerts_tells_of_each_what_the_rules_do() -> None:
    for alert in DEFINED:
        blinds = ", ◐" if alert.blinds else ""
        told = f"[{alert.name}](runbooks/{alert.name}.md) | {alert.severity}, {alert.audience}{blinds} |"
        (row,) = (line for line in PAGE.splitlines() if told in line)
        assert row.endswith(f"| {seconds(alert.for_s)} | {seconds(alert.keep_s)} |"), alert.name


def test_the_page_about_alerts_tells_of_every_recorded_series() -> None:
    computed = [series for series in recorded.RECORDED if series.source is None]
    assert [series.name for series in computed if f"| `{series.name}` |" not in PAGE] == []


# ---- cases


@pytest.mark.parametrize("alert", [alert.name for alert in DEFINED])
def test_every_alert_has_a_case_with_its_words_and_three_near_misses(alert: str) -> None:
    told = [case for case in CASES[alert] if case.fires]
    assert [case for case in told if case.summary and case.description]
    # The dead man's switch has none: it always fires, and a test of it that is silent would be of a broken one.
    assert len(CASES[alert]) - len(told) >= (0 if alert == "AttenteDeadMansSwitch" else 3)
    assert len({case.title for case in CASES[alert]}) == len(CASES[alert])


# ---- words


def test_every_text_is_there_in_every_language() -> None:
    catalogue = texts._catalogue()
    assert catalogue
    assert [
        key for key, words in catalogue.items() if words.keys() != set(texts.LANGS) or not all(words.values())
    ] == []


def test_every_text_of_alerts_belongs_to_an_alert() -> None:
    mine = {key for key in sorted(texts.keys()) if key.startswith("alerts.")}
    assert mine == {f"alerts.{alert.name}.{part}" for alert in DEFINED for part in ("summary", "description")}


def test_both_languages_fill_in_the_same() -> None:
    for key in sorted(texts.keys()):
        marks = [sorted(re.findall(r"<\w+>|\{\{.*?\}\}", texts.text(key, lang))) for lang in texts.LANGS]
        assert marks[0] == marks[1], key


def test_a_key_that_is_not_there_is_told() -> None:
    with pytest.raises(KeyError, match=r"no text 'alerts\.Nothing' in 'fr'"):
        texts.text("alerts.Nothing", "fr")


def test_no_mark_is_left_in_the_rules() -> None:
    for lang in texts.LANGS:
        assert [rule["alert"] for rule in alerting(lang) if re.search(r"<\w+>", str(rule["annotations"]))] == []


def test_french_figures_have_a_comma_and_a_space_before_the_percent() -> None:
    (rule,) = (rule for rule in alerting("fr") if rule["alert"] == "AttenteHourUnderTarget")
    shares = re.findall(r"\{\{ humanizePercentage [^}]*\}\}", rule["annotations"]["summary"])
    assert len(shares) == 2
    assert all('reReplaceAll "[.]" "," | reReplaceAll "%" " %"' in share for share in shares)


# ---- odd registries


@pytest.mark.parametrize(
    "text",
    [
        RICH,
        SOUND.partition("norms:")[0],
        SOUND.replace("detail: service", "detail: office"),
        SOUND.replace("caf-20", "caf.20"),
    ],
    ids=["calendars and kiosks", "no norms", "detail: office", "a dot in an id"],
)
def test_any_registry_has_rules(text: str) -> None:
    files = rule_files(parse(text, "registry.yaml"))
    assert files.keys() == {RECORDING, ALERTS}
    factors = [
        rule
        for rule in yaml.safe_load(files[RECORDING])["groups"][1]["rules"]
        if rule["record"] == "attente:burn_factor"
    ]
    assert len({str(rule.get("labels")) for rule in factors}) == len(factors) >= 2


def test_an_id_with_a_dot_is_no_pattern() -> None:
    text = rule_files(parse(SOUND.replace("caf-20", "caf.20"), "registry.yaml"))[RECORDING]
    exprs = [rule["expr"] for rule in yaml.safe_load(text)["groups"][1]["rules"]]
    assert any(r'norm!~"caf\\.20"' in expr for expr in exprs)


# ---- the command


def told(capfd: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as exit_:
        main(["rules", *map(str, arguments)])
    out, err = capfd.readouterr()
    return int(exit_.value.code or 0), out, err


def test_what_was_built_is_current_until_somebody_edits_it(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "new" / "rules"
    assert told(capfd, "build", EXAMPLE, "--out", out, "--lang", "fr") == (
        0,
        f"{out / RECORDING}\n{out / ALERTS}\n",
        "",
    )
    assert told(capfd, "check", EXAMPLE, "--out", out, "--lang", "fr")[0] == 0
    (out / ALERTS).write_text((out / ALERTS).read_text().replace("for: 1m", "for: 2m", 1))
    code, _, err = told(capfd, "check", EXAMPLE, "--out", out, "--lang", "fr")
    assert code == 1
    assert re.fullmatch(
        rf"attente: {out / ALERTS}:\d+ is not what the registry and this version say; "
        rf"run attente rules build {EXAMPLE} --out {out} --lang fr\n",
        err,
    )


def test_rules_in_another_language_are_others(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    told(capfd, "build", EXAMPLE, "--out", tmp_path, "--lang", "fr")
    code, _, err = told(capfd, "check", EXAMPLE, "--out", tmp_path)
    assert (code, err.count("\n")) == (1, 1)
    assert str(tmp_path / ALERTS) in err


def test_a_folder_without_rules_is_told_file_by_file(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    code, _, err = told(capfd, "check", EXAMPLE, "--out", tmp_path)
    assert code == 1
    assert [line.partition(" is missing; run attente rules build ")[0] for line in err.splitlines()] == [
        f"attente: {tmp_path / RECORDING}",
        f"attente: {tmp_path / ALERTS}",
    ]


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    code, _, err = told(capfd, "build", EXAMPLE, "--out", tmp_path / "file" / "rules")
    assert code == 5
    assert err == f"attente: {tmp_path / 'file' / 'rules'}: Not a directory; name another folder with --out\n"
