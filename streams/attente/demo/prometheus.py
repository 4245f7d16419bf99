"""A Prometheus that scrapes the workers and evaluates the rules, where there is one on this machine."""

import json
import shutil
import socket
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import yaml

from attente.broker.files import write_whole
from attente.demo.processes import ChildProcess

PROGRAM: Final = "prometheus"

_HOST: Final = "127.0.0.1"
_READY: Final = "Server is ready to receive web requests"
_SCRAPE: Final = "5s"  # a demo lasts minutes; a page of forty offices takes a busy machine half a second
_KEPT: Final = "1d"


def find_prometheus() -> str | None:
    """The program; None where it is not installed."""
    return shutil.which(PROGRAM)


def scrape_configuration(targets: Path, rules: Iterable[Path] = (), every: str = _SCRAPE) -> str:
    """A configuration that scrapes the workers named in a file, which may change while Prometheus runs.

    Args:
        targets: a file as Prometheus' file-based discovery reads it; see `target_list`.
        rules: files of what is recorded and alerted about; no Alertmanager is told.
        every: how often workers are scraped and rules evaluated.
    """
    job = {
        "job_name": "attente",
        "scrape_timeout": every,  # it may not be longer than the interval
        "file_sd_configs": [{"files": [str(targets)], "refresh_interval": "5s"}],
    }
    whole = {
        "global": {"scrape_interval": every, "evaluation_interval": every},
        "rule_files": [str(file) for file in rules],
        "scrape_configs": [job],
    }
    return yaml.safe_dump(whole, sort_keys=False)


def target_list(urls: Iterable[str]) -> str:
    """The workers' addresses, as Prometheus' file-based discovery reads them."""
    return json.dumps([{"targets": sorted(url.removeprefix("http://") for url in urls)}])


class Prometheus:
    """The Prometheus of a run: its configuration and data lie in the run's folder, and it listens on loopback only.

    The demo does not need it: one that fails is told of and missed.

    Attributes:
        process: the program as a child.
        url: where to open it.
    """

    def __init__(self, program: str, folder: Path, rules: Mapping[str, str] | None = None) -> None:
        """Describes it; nothing is started.

        Args:
            program: the path of the program.
            folder: of the run.
            rules: the files of what is recorded and alerted about, by their names.
        """
        self._folder = folder / PROGRAM
        self._rules = rules or {}
        self._targets = self._folder / "targets.json"
        self._shown: frozenset[str] = frozenset()
        self._is_ready = False
        port = _free_port()
        self.url = f"http://{_HOST}:{port}"
        arguments = {
            "config.file": self._folder / "prometheus.yaml",
            "storage.tsdb.path": self._folder / "data",
            "storage.tsdb.retention.time": _KEPT,
            "web.listen-address": f"{_HOST}:{port}",
        }
        command = [program, *(f"--{name}={value}" for name, value in arguments.items())]
        self.process = ChildProcess(PROGRAM, "", command, folder)

    def start(self) -> None:
        """Write its configuration and start it."""
        self._folder.mkdir(exist_ok=True)
        write_whole(self._targets, target_list(()))
        (self._folder / "rules").mkdir(exist_ok=True)
        rules = {self._folder / "rules" / name: text for name, text in self._rules.items()}
        for file, text in rules.items():
            write_whole(file, text)
        write_whole(self._folder / "prometheus.yaml", scrape_configuration(self._targets, rules))
        self.process.start()

    @property
    def is_ready(self) -> bool:
        """Whether it can be opened."""
        if not self._is_ready and self.process.runs:
            self._is_ready = _READY in self.process.said()
        return self._is_ready and self.process.runs

    def scrape(self, urls: Iterable[str]) -> None:
        """From now on these workers are scraped, and nobody else."""
        wanted = frozenset(urls)
        if wanted != self._shown:
            self._shown = wanted
            write_whole(self._targets, target_list(wanted))


def _free_port() -> int:
    with socket.socket() as one:
        one.bind((_HOST, 0))
        return int(one.getsockname()[1])
