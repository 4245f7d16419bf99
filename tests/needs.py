"""What a test needs and may not find: it is skipped with a line, or under CI, where everything has to be, fails."""

import os
import shutil
import subprocess
from typing import Final, NoReturn

import pytest

PACKAGES: Final = {
    "alertmanager": "prometheus-alertmanager",
    "amtool": "prometheus-alertmanager",
    "chromium": "chromium",
    "mount": "mount",
    "openssl": "openssl",
    "prometheus": "prometheus",
    "prometheus-alertmanager": "prometheus-alertmanager",
    "promtool": "prometheus",
    "strace": "strace",
    "unshare": "util-linux",
}
"""The Debian package of every program; .ci/run installs them."""


def cannot_run(why: str) -> NoReturn:
    """Skip where something is not installed; under CI fail."""
    if os.environ.get("CI") == "true":
        pytest.fail(why)
    pytest.skip(why)


def program(*names: str) -> str:
    """The path of the first of these programs that is here."""
    for name in names:
        if found := shutil.which(name):
            return found
    cannot_run(f"{names[0]} is not installed; Debian has it in the package {PACKAGES[names[0]]}")


def tracer() -> str:
    """The path of strace, where the system lets it trace."""
    strace = program("strace")
    if subprocess.run([strace, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this system lets nobody trace a process")
    return strace
