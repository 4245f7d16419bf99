"""A real Prometheus over days that are past: blocks by promtool, recorded series and alerts computed after the fact."""

import re
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from attente.grafana.preview.prometheus import Prometheus, Series
from attente.grafana.preview.variables import seconds
from attente.grafana.rules.build import rule_files
from backfill import BLOCK_MS, Days, Stretch, write
from needs import program

HANG_S = 90.0
_RECORDED = re.compile(r"attente:\w+")


@contextmanager
def running(data: Path, lookback_s: float, configuration: str = "{}") -> Iterator[Prometheus]:
    """A Prometheus over a folder of data.

    Args:
        data: where its blocks lie.
        lookback_s: for how long a sample holds; a back-filled series has no mark where it ends.
        configuration: the text of its file.
    """
    data.mkdir(parents=True, exist_ok=True)
    file, log = data.parent / "prometheus.yml", data.parent / "prometheus.log"
    file.write_text(configuration)
    command = [
        program("prometheus"),
        f"--config.file={file}",
        f"--storage.tsdb.path={data}",
        "--storage.tsdb.retention.time=100y",  # it drops what is older
        f"--query.lookback-delta={lookback_s:.0f}s",
        "--web.listen-address=127.0.0.1:0",
    ]
    with log.open("w") as said, subprocess.Popen(command, stderr=said, stdout=said) as process:
        try:
            yield Prometheus(_ready(process, log))
        finally:
            process.terminate()


def _ready(process: "subprocess.Popen[bytes]", log: Path) -> str:
    """The address, once it answers there."""
    limit = time.monotonic() + HANG_S
    while True:
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < limit, log.read_text()
        if found := re.search(r'"?Listening on"? address=(127\.0\.0\.1:[1-9]\d*)', log.read_text()):
            url = f"http://{found[1]}"
            try:
                with urllib.request.urlopen(f"{url}/-/ready", timeout=HANG_S):  # noqa: S310 - our own
                    return url
            except (urllib.error.URLError, ConnectionError):
                pass
        time.sleep(0.02)


@contextmanager
def filled(days: Days, folder: Path, only: str = "") -> Iterator[Prometheus]:
    """A Prometheus that has the days, with what its rules would have recorded and alerted about.

    Args:
        days: what is simulated.
        folder: an empty one, for all files.
        only: PromQL; of the rules, those that it needs, and no alert. Empty for all.
    """
    pages, rules, data = folder / "pages", folder / "rules", folder / "data"
    pages.mkdir()
    rules.mkdir()
    keep(write(days, pages), data)
    for name, text in rule_files(days.registry).items():
        (rules / name).write_text(text)
    # A sample must hold until the next one and not a second longer: a back-filled series has no mark where it ends.
    step_s = days.step_ms / 1000
    every = Rules.of(sorted(rules.glob("*.yaml")))
    record(every.needed_by(only) if only else every, data, days.stretches, step_s)
    with running(data, step_s - 1) as prometheus:
        yield prometheus


def keep(files: Iterable[Path], data: Path) -> None:
    """Make blocks of OpenMetrics files."""
    for file in files:
        command = [program("promtool"), "tsdb", "create-blocks-from", "openmetrics", str(file), str(data)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr + done.stdout


# ---- rules


@dataclass(frozen=True)
class Rules:
    """Rules as their files have them.

    Attributes:
        recording: by the order of the files.
        alerts: likewise.
    """

    recording: tuple[Mapping[str, Any], ...]
    alerts: tuple[Mapping[str, Any], ...]

    @classmethod
    def of(cls, files: Iterable[Path]) -> "Rules":
        """What files say."""
        documents = [yaml.safe_load(file.read_text()) for file in files]
        rules = [rule for document in documents for group in document["groups"] for rule in group["rules"]]
        return cls(tuple(rule for rule in rules if "record" in rule), tuple(rule for rule in rules if "alert" in rule))

    def needed_by(self, promql: str) -> "Rules":
        """The recording rules that queries need, and those that these need."""
        wanted, found = set(_RECORDED.findall(promql)), set[str]()
        while wanted - found:
            found |= wanted
            wanted |= {name for rule in self.recording if rule["record"] in found for name in _asked_by(rule)}
        return Rules(tuple(rule for rule in self.recording if rule["record"] in found), ())

    def layers(self) -> Iterator[list[Mapping[str, Any]]]:
        """The recording rules in such an order that each asks only for what an earlier layer has recorded.

        A rule that asks for its own past is recorded without a memory: all instants are asked for at once.
        """
        left = list(self.recording)
        while left:
            unmade = {rule["record"] for rule in left}
            layer = [rule for rule in left if not _asked_by(rule) & unmade - {rule["record"]}]
            assert layer, f"these rules need each other: {sorted(unmade)}"
            yield layer
            left = [rule for rule in left if rule not in layer]


def _asked_by(rule: Mapping[str, Any]) -> set[str]:
    return set(_RECORDED.findall(rule["expr"]))


def record(rules: Rules, data: Path, stretches: Sequence[Stretch], step_s: float) -> None:
    """Add what the rules would have recorded, and the alerts that there would have been, as blocks.

    All rules are evaluated at the instants of the pages, as one group evaluates its rules at one instant; promtool's
    own `create-blocks-from rules` shifts each file by a hash, and passes over alerts. What a rule needs of others must
    be there before, so that a Prometheus is started for each layer of rules.
    """
    instants = [[at / 1000 for at in range(begin, end + 1, round(step_s * 1000))] for begin, end in stretches]
    for layer in (*rules.layers(), rules.alerts):
        with running(data, step_s - 1) as prometheus:
            lines = [
                line
                for rule in layer
                for some in instants
                for series in prometheus.range(rule["expr"], some[0], some[-1], step_s)
                for line in (_alert if "alert" in rule else _recorded)(rule, series, some)
            ]
        keep(_files(lines, data.parent), data)


def _files(lines: Iterable[tuple[float, str]], folder: Path) -> list[Path]:
    """Samples as OpenMetrics, one file for each block's time."""
    blocks: dict[int, list[str]] = {}
    for at, line in lines:
        blocks.setdefault(round(at * 1000) // BLOCK_MS, []).append(f"{line} {at:.3f}\n")
    files = []
    for number, some in blocks.items():
        files.append(folder / f"rules-{number}.om")
        files[-1].write_text("".join(some) + "# EOF\n")
    return files


def _recorded(rule: Mapping[str, Any], series: Series, _: Sequence[float]) -> Iterator[tuple[float, str]]:
    """The samples that a recording rule would have written."""
    named = _named(rule["record"], {**series.labels, **rule.get("labels", {})})
    return ((at, f"{named} {value!r}") for at, value in series.points)


def _alert(rule: Mapping[str, Any], series: Series, instants: Sequence[float]) -> Iterator[tuple[float, str]]:
    """The samples of ALERTS that an alert would have written."""
    labels = {**series.labels, **rule.get("labels", {}), "alertname": rule["alert"]}
    for at, state in _states(series, instants, rule):
        yield at, f"{_named('ALERTS', {**labels, 'alertstate': state})} 1"


def _named(name: str, labels: Mapping[str, str]) -> str:
    told = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items() if label != "__name__")
    return f"{name}{{{told}}}"


def _states(series: Series, instants: Iterable[float], alert: Mapping[str, Any]) -> Iterator[tuple[float, str]]:
    """Instant and state for each instant at which an alert is pending or fires."""
    wait_s, keep_s = seconds(str(alert.get("for", ""))), seconds(str(alert.get("keep_firing_for", "")))
    is_so = {at for at, _ in series.points}
    begun = last = 0.0
    state = ""
    for at in instants:
        if at in is_so:
            begun = begun if state else at
            state = "firing" if state == "firing" or at - begun >= wait_s else "pending"
            last = at
        elif state != "firing" or at - last >= keep_s:
            state = ""
        if state:
            yield at, state


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
