"""What Prometheus is given: checked by promtool, and held against the catalogue and the bounds that it speaks of."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from attente.metrics.catalogue import CATALOGUE
from attente.metrics.metric import Type
from attente.metrics.series import series_count
from attente.registry.load import parse
from attente.registry.scalars import TEXT_LENGTH
from attente.sources.simulate.network import Network
from attente.sources.simulate.registry_text import registry_text
from needs import program

FOLDER = Path(__file__).resolve().parents[2] / "deploy" / "prometheus"
KUBERNETES = "prometheus-kubernetes.yaml"
NAMES = ("prometheus.yaml", "prometheus-files.yaml", KUBERNETES)

POD = {
    "__address__": "10.0.0.7:8080",
    "__meta_kubernetes_namespace": "waits",
    "__meta_kubernetes_pod_annotation_prometheus_io_port": "9646",
    "__meta_kubernetes_pod_annotation_prometheus_io_scrape": "true",
    "__meta_kubernetes_pod_ip": "10.0.0.7",
    "__meta_kubernetes_pod_label_pod_template_hash": "5d7c9",
    "__meta_kubernetes_pod_name": "worker-0",
    "__meta_kubernetes_pod_phase": "Running",
}


@pytest.fixture(scope="module")
def promtool() -> str:
    return program("promtool")


def configuration(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((FOLDER / name).read_text())
    return found


def job(name: str) -> dict[str, Any]:
    (found,) = configuration(name)["scrape_configs"]
    return dict(found)


def with_pods(*pods: dict[str, str]) -> dict[str, Any]:
    """The configuration for Kubernetes with what its API would tell put in the place of asking it.

    Debian's Prometheus is built without Kubernetes.
    """
    parts = configuration(KUBERNETES)
    found = [{"targets": [pod["__address__"]], "labels": pod} for pod in pods]
    for place in (*parts["scrape_configs"], *parts["alerting"]["alertmanagers"]):
        assert place.pop("kubernetes_sd_configs")
        place["static_configs"] = found
    return parts


@pytest.mark.tools
@pytest.mark.parametrize("name", NAMES)
def test_promtool_finds_nothing_wrong(promtool: str, tmp_path: Path, name: str) -> None:
    for folder in ("targets", "rules"):
        (tmp_path / folder).mkdir()
    shutil.copy(FOLDER / "targets" / "attente.yaml", tmp_path / "targets")
    file = tmp_path / name
    file.write_text(yaml.safe_dump(with_pods(POD)) if name == KUBERNETES else (FOLDER / name).read_text())

    done = subprocess.run([promtool, "check", "config", str(file)], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "SUCCESS" in done.stdout


def targets(promtool: str, folder: Path, *pods: dict[str, str]) -> list[dict[str, str]]:
    """The labels of the targets that are kept."""
    file = folder / KUBERNETES
    file.write_text(yaml.safe_dump(with_pods(*pods)))
    command = [promtool, "check", "service-discovery", "--timeout=1s", str(file), "attente"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [one["labels"] for one in json.loads(done.stdout) if one["labels"]]


@pytest.mark.tools
def test_of_a_pod_the_port_of_its_annotation_its_name_and_its_namespace_are_kept_and_nothing_else(
    promtool: str, tmp_path: Path
) -> None:
    kept = targets(
        promtool,
        tmp_path,
        POD,
        POD | {"__meta_kubernetes_pod_phase": "Succeeded"},
        POD | {"__meta_kubernetes_pod_annotation_prometheus_io_scrape": "false"},
    )

    (labels,) = kept
    assert labels.pop("__address__") == "10.0.0.7:9646"
    assert {name: value for name, value in labels.items() if not name.startswith("__")} == {
        "instance": "worker-0",
        "job": "attente",
        "namespace": "waits",
    }


@pytest.mark.parametrize("name", NAMES)
def test_what_the_alerts_rely_on_is_the_same_everywhere(name: str) -> None:
    parts = configuration(name)

    assert parts["global"]["scrape_interval"] == parts["global"]["evaluation_interval"] == "15s"
    assert parts["rule_files"] == ["rules/*.yaml"]
    assert job(name)["job_name"] == "attente"
    differing = {"static_configs", "file_sd_configs", "kubernetes_sd_configs", "relabel_configs"}
    assert {key: value for key, value in job(name).items() if key not in differing} == {
        key: value for key, value in job("prometheus.yaml").items() if key not in differing
    }


def test_the_limit_of_series_holds_two_hundred_offices_on_one_worker_as_it_says() -> None:
    largest = parse(registry_text(Network.generate(0, 200)), "registry.yaml")

    assert 100_000 < series_count(largest, partitions=16) + 100 < job("prometheus.yaml")["sample_limit"]


def test_the_limits_of_labels_hold_every_metric_of_the_catalogue() -> None:
    limits = job("prometheus.yaml")
    of_a_target = 4  # the name of the metric, job, instance, and namespace under Kubernetes
    most = max(len(one.labels) + (one.type is Type.HISTOGRAM) for one in CATALOGUE) + of_a_target
    names = {label.name for one in CATALOGUE for label in one.labels}

    assert most <= limits["label_limit"] <= 2 * most
    assert max(map(len, names)) <= limits["label_name_length_limit"]
    assert limits["label_value_length_limit"] >= 4 * TEXT_LENGTH


def test_what_must_not_be_a_label_is_none_and_the_page_keeps_all_of_the_catalogue() -> None:
    keep, drop = job("prometheus.yaml")["metric_relabel_configs"]

    assert (keep["action"], drop["action"]) == ("keep", "drop")
    assert all(re.fullmatch(keep["regex"], one.full_name) for one in CATALOGUE)
    assert not {label.name for one in CATALOGUE for label in one.labels} & set(drop["source_labels"])
