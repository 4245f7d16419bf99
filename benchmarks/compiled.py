"""The core compiled by mypyc, in a copy of its own: the plain core is the product, and the reference."""

import importlib.util
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from benchmarks.process import Failed
from benchmarks.worker import SOURCES

ROOT: Final = Path(__file__).resolve().parents[1]

MODULES: Final = (
    "core/calendar",
    "core/days",
    "core/facts",
    "core/levels",
    "core/office",
    "core/panes",
    "core/partition",
    "core/plan",
    "core/sessions",
    "core/signing",
    "core/visit",
    "model/instants",
)
"""What is worth compiling and can be: msgspec's structs and dataclasses with slots stay as they are."""

ORACLE: Final = ("tests/core/test_against_oracle.py", "tests/core/test_hand_tape.py")

_BUILD: Final = """\
import sys
from mypyc.build import mypycify
from setuptools import setup
setup(
    name="attente-compiled",
    packages=[],
    ext_modules=mypycify(["--ignore-missing-imports", *sys.argv[1:]], opt_level="3"),
    script_args=["build_ext", "--inplace"],
)
"""
_TAIL: Final = 2_000


class CannotCompile(Failed):
    """A compiler is missing, or refuses the core; the message says which or why."""


def compile_core(home: Path, say: Callable[[str], None]) -> Path:
    """Compile a copy of the sources as they are now, and give its folder.

    Raises:
        CannotCompile: gcc, setuptools or mypyc is missing, or the core does not compile.
    """
    if shutil.which("gcc") is None:
        message = "gcc is not installed; Debian: apt-get install gcc"
        raise CannotCompile(message)
    for module in ("setuptools", "mypyc"):
        if importlib.util.find_spec(module) is None:
            message = f"{module} is not installed; run make setup"
            raise CannotCompile(message)
    say("compiling the core")
    folder = (home / "compiled").resolve()
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(SOURCES / "attente", folder / "attente", ignore=shutil.ignore_patterns("__pycache__", "*.so"))
    done = subprocess.run(
        [sys.executable, "-c", _BUILD, *(f"attente/{module}.py" for module in MODULES)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        message = f"mypyc: {(done.stdout + done.stderr)[-_TAIL:]}"
        raise CannotCompile(message)
    return folder


def run_oracle(folder: Path) -> str:
    """Hold the compiled core equal to the oracle of the tests, and give pytest's verdict.

    Raises:
        Failed: a test fails, or the tests have run with the plain core.
    """
    look = "import attente.core.office as o; assert o.__file__.endswith('.so'), o.__file__"
    environment = {"PYTHONPATH": str(folder), "PATH": str(Path(sys.executable).parent)}
    for command in (["-c", look], ["-m", "pytest", "-q", "-p", "no:cacheprovider", *ORACLE]):
        done = subprocess.run(
            [sys.executable, *command], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            message = f"the compiled core: {(done.stdout + done.stderr)[-_TAIL:]}"
            raise Failed(message)
    found = re.search(r"(\d+ passed)", done.stdout)
    return found[1] if found else done.stdout.strip()[-_TAIL:]
