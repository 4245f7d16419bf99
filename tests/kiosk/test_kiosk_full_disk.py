"""A real disk that is full: nothing accepted is lost, what is held can be sent and taken away, and then it goes on.

The tests themselves are in full_disk.py. They mount small disks, in a view of the world that nobody else has.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from attente.broker.local import LocalBroker
from needs import program
from workers import ROOT


def test_a_kiosk_on_a_full_disk_loses_nothing_sends_what_it_holds_and_accepts_again(
    broker: LocalBroker, tmp_path: Path
) -> None:
    alone = [program("unshare"), "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"])]
    tried = subprocess.run(
        [*alone, program("mount"), "-t", "tmpfs", "none", tmp_path], capture_output=True, text=True, check=False
    )
    if tried.returncode:
        pytest.skip(f"this system lets nobody mount a disk: {tried.stderr.strip()}")
    cases = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/kiosk/full_disk.py"]
    surroundings = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(
        [*alone, *cases],
        cwd=ROOT,
        env={**surroundings, "PYTHONPATH": str(ROOT / "streams"), "ATTENTE_TEST_BROKER": broker.bootstrap},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "skipped" not in done.stdout
