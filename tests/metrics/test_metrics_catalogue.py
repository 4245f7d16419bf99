"""The catalogue: naming rules, and one source for page and document."""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

import attente
from attente.metrics import reference
from attente.metrics.catalogue import CATALOGUE, OFFICE
from attente.metrics.metric import BUSINESS, Group, Label, Metric, Type, Unit

SOURCES = Path(attente.__file__).parents[1]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(SOURCES)}
DOCUMENT = Path(__file__).parents[2] / "docs" / "metrics.md"


def metric(name: str, **changed: object) -> Metric:
    fields: dict[str, object] = {
        "help": "Tickets that are there for a test.",
        "type": Type.GAUGE,
        "unit": Unit.TICKETS,
        "group": Group.GAUGES,
    }
    return Metric(name, **{**fields, **changed})  # type: ignore[arg-type]


def test_a_metric_that_keeps_the_rules_can_be_defined() -> None:
    assert metric("waiting_tickets", labels=(OFFICE,)).full_name == "attente_waiting_tickets"


@pytest.mark.parametrize(
    ("name", "changed", "rule"),
    [
        ("Waiting", {}, "lower-case words"),
        ("waiting__tickets", {}, "lower-case words"),
        ("attente_waiting", {}, "the prefix is added"),
        ("tickets", {"type": Type.COUNTER}, "counters and only they end in _total"),
        ("tickets_total", {}, "counters and only they end in _total"),
        ("office", {"type": Type.INFO, "unit": Unit.TRUTH}, "infos and only they end in _info"),
        ("office_info", {}, "infos and only they end in _info"),
        ("tickets_count", {}, "belongs to histograms"),
        ("wait_sum", {}, "belongs to histograms"),
        ("wait_bucket", {}, "belongs to histograms"),
        ("tickets_created", {}, "belongs to histograms"),
        ("tickets_count_total", {"type": Type.COUNTER}, "belongs to histograms"),
        ("open_counter_desks", {}, "does not say the type"),
        ("wait_gauge", {}, "does not say the type"),
        ("wait_minutes", {}, "units are base units"),
        ("wait_ms", {}, "units are base units"),
        ("target_percent", {}, "units are base units"),
        ("wait", {"unit": Unit.SECONDS}, "a base unit ends the name"),
        ("wait_seconds", {}, "a base unit ends the name"),
        ("wait_seconds", {"unit": Unit.BYTES}, "a base unit ends the name"),
        ("checkpoint_total", {"type": Type.COUNTER, "unit": Unit.BYTES}, "a base unit ends the name"),
        ("waits", {"labels": (Label("Office", "x"),)}, "a label is lower-case words"),
        ("waits", {"labels": (Label("__name", "x"),)}, "a label is lower-case words"),
        ("waits", {"labels": (OFFICE, OFFICE)}, "a label stands once"),
        ("waits", {"labels": (Label("quantile", "x"),)}, "are taken"),
        ("waits", {"labels": (Label("le", "x"),)}, "are taken"),
        ("waits", {"labels": (Label("instance", "x"),)}, "are taken"),
        ("waits", {"labels": (Label("desk", "x"),)}, "no worker, region, ticket or desk label"),
        ("waits", {"labels": (Label("ticket", "x"),), "group": Group.LIFETIME}, "no worker, region, ticket or desk"),
        ("waits", {"help": "tickets that are there for a test."}, "begins with a capital"),
        ("waits", {"help": "Tickets that are there for a test"}, "ends with a full stop"),
        ("waits", {"help": "Tickets that are there\nfor a test."}, "one line"),
        ("waits", {"help": ""}, "one line"),
    ],
)
def test_a_metric_that_breaks_a_rule_cannot_be_defined(name: str, changed: dict[str, object], rule: str) -> None:
    with pytest.raises(ValueError, match=rule) as error:
        metric(name, **changed)
    assert str(error.value).startswith(f"metric '{name}': ")


def test_no_two_metrics_share_a_family() -> None:
    families = Counter(metric.family for metric in CATALOGUE)
    assert [family for family, times in families.items() if times > 1] == []


def test_the_catalogue_is_in_the_order_of_its_groups() -> None:
    groups = [metric.group for metric in CATALOGUE]
    assert groups == sorted(groups, key=list(Group).index)


def test_business_metrics_belong_to_an_office() -> None:
    assert all(metric.labels[0] is OFFICE for metric in CATALOGUE if metric.group in BUSINESS)


def test_the_catalogue_needs_no_package_of_a_worker() -> None:
    program = (
        "import sys; import attente.metrics.catalogue, attente.metrics.series, attente.metrics.reference; "
        "print(sorted({'prometheus_client', 'faust', 'aiokafka'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=ENVIRONMENT)
    assert done.stdout == "[]\n"


def test_the_document_is_what_the_catalogue_says() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == reference.markdown()


def test_the_document_names_every_metric_with_its_help() -> None:
    page = reference.markdown()
    assert [m.name for m in CATALOGUE if f"| `{m.full_name}` | {m.type} | {m.unit} |" not in page] == []
    assert [m.name for m in CATALOGUE if f"| {m.help} |" not in page] == []


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with docs in it."""
    (tmp_path / "docs").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_build_writes_the_document_that_check_finds_current(folder: Path) -> None:
    assert reference.main(["build"]) == 0
    assert (folder / "docs/metrics.md").read_text(encoding="utf-8") == reference.markdown()
    assert reference.main(["check"]) == 0


@pytest.mark.parametrize("drifted", [None, "something else"])
def test_check_says_in_one_line_how_to_mend_a_missing_or_an_old_document(
    folder: Path, drifted: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    if drifted is not None:
        (folder / "docs/metrics.md").write_text(drifted)
    assert reference.main(["check"]) == 1
    said = capsys.readouterr().err
    assert said == (
        "attente: docs/metrics.md is not what the catalogue says; run python -m attente.metrics.catalogue build\n"
    )


@pytest.mark.parametrize("words", [[], ["buidl"], ["build", "check"]])
def test_any_other_word_is_a_usage_error(words: list[str], folder: Path) -> None:
    assert reference.main(words) == 2
    assert not (folder / "docs/metrics.md").exists()


def test_the_catalogue_runs_as_a_command(folder: Path) -> None:
    def exit_code(word: str) -> int:
        command = [sys.executable, "-m", "attente.metrics.catalogue", word]
        return subprocess.run(command, check=False, cwd=folder, env=ENVIRONMENT, capture_output=True).returncode

    assert [exit_code("build"), exit_code("check")] == [0, 0]
    (folder / "docs/metrics.md").unlink()
    assert exit_code("check") == 1
