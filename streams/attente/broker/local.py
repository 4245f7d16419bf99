"""A real Kafka on this machine, in one folder: up, down, status."""

import base64
import os
import re
import socket
import subprocess
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, NoReturn, Self

from attente.broker import jars
from attente.broker.admin import connect
from attente.broker.files import locked, write_whole
from attente.broker.processes import ProcessId
from attente.broker.secure import Access, private_folder
from attente.broker.server import HOST, Layout, format_command, logging, properties, serve_command
from attente.broker.state import BrokerState, read_state, running, write_state
from attente.errors import BrokerRefused, BrokerUnreachable, Unreachable
from attente.security import PLAINTEXT, Security
from attente.settings import foreign

# A start takes 2.4 s on a quiet machine, and 20 s where other programs take all the processors.
_START_SECONDS: Final = 120.0
# A stop takes 0.4 s; flushing what a fast replay has left in memory some seconds.
_STOP_SECONDS: Final = 30.0
_PROBE_SECONDS: Final = 2.0
_PAUSE_SECONDS: Final = 0.05
# They are meant for other Java programs, and agents or flags among them can keep a broker from starting.
_OF_OTHERS: Final = ("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS", "CLASSPATH")
# How far back an error is looked for in the log; a stack trace of Kafka's is a tenth of it.
_TAIL_BYTES: Final = 256 * 1024


class BrokerFailed(Unreachable):
    """The local broker cannot be started; the message says why, as far as its log tells."""


@dataclass(frozen=True, slots=True)
class Started:
    """What `up` has come to.

    Attributes:
        state: the broker that answers now.
        already: it was up before.
    """

    state: BrokerState
    already: bool


@dataclass(frozen=True, slots=True)
class Status:
    """What can be said of the broker of a folder.

    Attributes:
        state: the broker that runs; None when none does.
        topics: the names of its topics; None when it does not answer.
    """

    state: BrokerState | None
    topics: tuple[str, ...] | None

    @property
    def up(self) -> bool:
        """Whether a broker runs and answers."""
        return self.topics is not None


class LocalBroker:
    """A single Kafka node on loopback whose records, settings and logs lie in one folder.

    As a context manager it is up inside, and down afterwards if it was not up before.
    """

    def __init__(
        self,
        folder: Path,
        *,
        port: int = 0,
        heap: str = "512m",
        overrides: Mapping[str, str] | None = None,
        cache: Path | None = None,
        secure: bool = False,
    ) -> None:
        """Describe a broker; nothing is started.

        Args:
            folder: where everything lies; made if need be, and may be deleted when the broker is down.
            port: for clients; 0 takes the one it had last time, or any free one.
            heap: how much memory its records and requests may take, as Java writes it.
            overrides: settings by Kafka's names that differ from ours.
            cache: the folder for downloads; None takes `jars.default_cache()`.
            secure: with TLS, passwords and access control. One that was made so stays so.
        """
        self.layout = Layout(folder)
        self._port = port
        self._heap = heap
        self._overrides = dict(overrides or {})
        self._cache = cache
        self._secure = secure
        self.access = Access(self.layout.access)
        self._child: subprocess.Popen[bytes] | None = None
        self._started_here = False

    def __enter__(self) -> Self:
        self._started_here = not self.up().already
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._started_here:
            self.down()

    @property
    def bootstrap(self) -> str:
        """HOST:PORT of the broker that runs.

        Raises:
            BrokerFailed: none does.
        """
        state = running(self.layout.state)
        if state is None:
            msg = f"no broker runs in {self.layout.folder}; start it with 'attente broker up'"
            raise BrokerFailed(msg)
        return state.bootstrap

    @property
    def is_secure(self) -> bool:
        """Whether it has, or will have, access control."""
        return self._secure or self.access.is_there

    @property
    def admin(self) -> Security:
        """How its administrator connects."""
        return self.access.admin if self.access.is_there else PLAINTEXT

    def up(self, *, timeout_seconds: float = _START_SECONDS, report: jars.Report | None = None) -> Started:
        """Start the broker if it does not run, and wait until it answers a request.

        Of several that call this at once for one folder, one starts the broker and all get the same.

        Args:
            timeout_seconds: how long it may take to answer, downloads not counted.
            report: told of the progress of a download.

        Raises:
            BrokerFailed: it died, is silent, or cannot have its port.
            Missing: the extra `broker` or the jars are not there and cannot be fetched.
        """
        try:
            self.layout.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            msg = f"{self.layout.folder}: cannot keep the broker here: {error.strerror}; name another with --data"
            raise BrokerFailed(msg) from error
        with locked(self.layout.lock):
            state = running(self.layout.state)
            if state is not None:
                return self._already(state, timeout_seconds)
            return Started(self._start(timeout_seconds, report), already=False)

    def down(self, *, grace_seconds: float = _STOP_SECONDS) -> bool:
        """Stop the broker of the folder, whoever started it; False if none ran."""
        if not self.layout.lock.exists():
            return False
        with locked(self.layout.lock):
            state = running(self.layout.state)
            if state is None:
                return False
            state.process.stop(grace_seconds=grace_seconds)
            self._bury()
            return True

    def status(self) -> Status:
        """Whether the broker runs and answers, and what it holds."""
        state = running(self.layout.state)
        if state is None:
            return Status(None, None)
        try:
            with connect(state.bootstrap, self.admin) as admin:
                return Status(state, tuple(admin.topic_names()))
        except Unreachable:
            return Status(state, None)

    def _already(self, state: BrokerState, timeout_seconds: float) -> Started:
        if self._secure and not state.tls_port:
            self._refuse_to_secure()
        if self._port not in {0, state.port}:
            where = f"the broker in {self.layout.folder} is up at {state.bootstrap}"
            msg = f"{where}; stop it before you give it port {self._port}"
            raise BrokerFailed(msg)
        # Whoever started it may have been killed before it answered.
        self._await_answer(state, timeout_seconds, log_from=0)
        return Started(state, already=True)

    def _start(self, timeout_seconds: float, report: jars.Report | None) -> BrokerState:
        if self._secure and self.layout.meta.exists() and not self.access.is_there:
            self._refuse_to_secure()
        java, classpath = jars.java(), jars.ensure(self._cache, report=report)
        port, controller_port, tls_port = self._ports()
        overrides = self._overrides
        if self.is_secure:
            self.access.make()
            # What others may not read from the broker they must not read from its files: events, and what passwords
            # are proved by. One that was begun when this was open is closed now.
            private_folder(self.layout.data)
            self.layout.data.chmod(0o700)
            overrides = {**self.access.properties(port, tls_port, controller_port), **overrides}
        write_whole(self.layout.properties, properties(self.layout, port, controller_port, overrides))
        write_whole(self.layout.logging, logging(self.layout))
        cluster = self._formatted(java, classpath)
        log_from = _size(self.layout.log)
        command = serve_command(java, classpath, self.layout, self._heap)
        with self.layout.java_log.open("wb") as output:
            # A session of its own: a Ctrl-C in the terminal must not end it before its owner is done with it.
            self._child = subprocess.Popen(  # noqa: S603 - our own command
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                env=_environment(),
            )
        try:
            state = BrokerState(
                process=self._identified(self._child.pid),
                bootstrap=f"{HOST}:{port}",
                controller_port=controller_port,
                cluster=cluster,
                version=jars.kafka_version(),
                tls_port=tls_port if self.is_secure else 0,
            )
            write_state(self.layout.state, state)
            self._await_answer(state, timeout_seconds, log_from)
        except BaseException:
            # Not answering is as good as not started; nothing may stay behind that its caller does not know of.
            self._child.kill()
            self._bury()
            raise
        return state

    def _identified(self, pid: int) -> ProcessId:
        process = ProcessId.of(pid)
        if process is None:
            raise BrokerFailed(self._epitaph(0))
        return process

    def _await_answer(self, state: BrokerState, timeout_seconds: float, log_from: int) -> None:
        limit = time.monotonic() + timeout_seconds
        while not self._answers(state):
            if not state.process.runs():
                raise BrokerFailed(self._epitaph(log_from))
            if time.monotonic() > limit:
                who = f"the broker in {self.layout.folder} (pid {state.process.pid})"
                msg = (
                    f"{who} does not answer at {state.bootstrap} within {timeout_seconds:g} s; see {self.layout.log}, "
                    "and stop it with 'attente broker down'"
                )
                raise BrokerFailed(msg)
            time.sleep(_PAUSE_SECONDS)

    def _answers(self, state: BrokerState) -> bool:
        try:
            with connect(state.bootstrap, self.admin, timeout_seconds=_PROBE_SECONDS) as admin:
                cluster = admin.cluster_id()
        except BrokerUnreachable:
            return False
        except BrokerRefused:
            if self.access.is_there:  # it listens before it has learned of its users
                return False
            raise
        if cluster != state.cluster:
            msg = f"another Kafka (cluster {cluster}) answers at {state.bootstrap}; choose another port with --port"
            raise BrokerFailed(msg)
        return True

    def _formatted(self, java: Path, classpath: list[Path]) -> str:
        """Make the data folder ready if it is not; gives the cluster's id."""
        if not self.layout.meta.exists():
            more = self.access.scram_arguments() if self.is_secure else None
            command = format_command(java, classpath, self.layout, _cluster_id(), more)
            try:
                done = subprocess.run(  # noqa: S603 - our own command
                    command, capture_output=True, text=True, check=False, env=_environment()
                )
            finally:
                if more is not None:
                    more.unlink()
            if done.returncode != 0:
                said = _last_said(done.stderr) or _last_said(done.stdout)
                msg = f"the broker's data folder {self.layout.data} cannot be made ready: {said}"
                raise BrokerFailed(msg)
        found = re.search(r"^cluster\.id=(\S+)$", self.layout.meta.read_text(encoding="utf-8"), re.MULTILINE)
        if found is None:
            msg = f"{self.layout.meta} names no cluster; delete {self.layout.folder} to begin with an empty broker"
            raise BrokerFailed(msg)
        return found[1]

    def _refuse_to_secure(self) -> NoReturn:
        where = f"the broker in {self.layout.folder} was made without access control"
        msg = f"{where}; stop it and delete that folder, or name another with --data"
        raise BrokerFailed(msg)

    def _ports(self) -> tuple[int, int, int]:
        # The ports of last time, so that whoever knows the broker's address finds it again.
        last = read_state(self.layout.state)
        with socket.socket() as first, socket.socket() as second, socket.socket() as third:
            port = _bind(first, self._port or (last.port if last else 0))
            if self._port not in {0, port}:
                msg = f"port {self._port} of {HOST} is taken; stop what listens there, or leave --port out"
                raise BrokerFailed(msg)
            controller_port = _bind(second, last.controller_port if last else 0)
            return port, controller_port, _bind(third, last.tls_port if last else 0)

    def _epitaph(self, log_from: int) -> str:
        said = _last_error(self.layout.log, log_from) or _last_said(_tail(self.layout.java_log, 0)) or "it left no word"
        return f"the broker ended while it was starting: {said}; see {self.layout.log}"

    def _bury(self) -> None:
        if self._child is not None:
            self._child.wait()
            self._child = None


def _bind(listener: socket.socket, wanted: int) -> int:
    """Take the wanted port if it is free, else any."""
    # As Java does: a port whose last connections are still closing is free.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, wanted))
    except OSError:
        listener.bind((HOST, 0))
    return int(listener.getsockname()[1])


def _cluster_id() -> str:
    # Kafka's own form: 16 random bytes in base64. A leading '-' would be taken for a flag, so the first bits are not.
    number = uuid.uuid4().bytes
    return base64.urlsafe_b64encode(bytes([number[0] & 0x7F]) + number[1:]).decode().rstrip("=")


def _environment() -> dict[str, str]:
    return {name: value for name, value in foreign(os.environ).items() if name not in _OF_OTHERS}


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


def _tail(file: Path, start: int) -> str:
    if not file.exists():
        return ""
    with file.open("rb") as stream:
        # The log may have been rolled over since.
        size = _size(file)
        stream.seek(max(start if start <= size else 0, size - _TAIL_BYTES))
        return stream.read().decode(errors="replace")


def _last_error(log: Path, start: int) -> str:
    lines = [line for line in _tail(log, start).splitlines() if re.match(r"\S+ (ERROR|FATAL) ", line)]
    return re.sub(r"^\S+ ", "", lines[-1]) if lines else ""


def _last_said(text: str) -> str:
    """The last line of a Java program's words that is not merely a place in its code."""
    lines = [line.strip() for line in text.splitlines()]
    return next((line for line in reversed(lines) if line and not line.startswith(("at ", "... "))), "")
