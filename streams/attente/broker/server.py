"""What the local broker's own files say: one KRaft node on loopback, for trials and tests."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

HOST: Final = "127.0.0.1"

# Two thirds of the start go into compiling code that runs once; the quick compiler alone starts in 2.4 s instead of
# 3.1 s with 60 % of the CPU, and produces and fetches as fast. One collector thread is enough for a heap of this size.
_QUICK: Final = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")

# Kafka unmaps its index files and loads its compression libraries in ways that this Java would warn of at every start.
_EXPECTED: Final = ("--sun-misc-unsafe-memory-access=allow", "--enable-native-access=ALL-UNNAMED")

_MAIN: Final = "kafka.Kafka"
_STORAGE: Final = "kafka.tools.StorageTool"

_SINGLE_NODE: Final = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
    # One copy of everything is all that one node can have.
    "default.replication.factor": "1",
    "offsets.topic.replication.factor": "1",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    # 50 partitions each are for clusters; a first group or transaction would wait for them to be made.
    "offsets.topic.num.partitions": "1",
    "transaction.state.log.num.partitions": "1",
    "share.coordinator.state.topic.num.partitions": "1",
    # Nobody else is about to join: waiting 3 s for more members only delays a start.
    "group.initial.rebalance.delay.ms": "0",
    # After a kill the controller waits out the session of the broker that was killed, though nobody else can have its
    # number here: 9 s by default, on top of a start of 2.4 s.
    "broker.session.timeout.ms": "3000",
    "broker.heartbeat.interval.ms": "500",
    # A slip in a name must be an error, not a new topic with one partition.
    "auto.create.topics.enable": "false",
    # The cleaner takes 128 MB of the heap by default, for keys by the hundred million.
    "log.cleaner.dedupe.buffer.size": str(16 * 1024 * 1024),
    "num.network.threads": "2",
    "num.io.threads": "4",
}

_LOGGING: Final = """\
rootLogger.level = INFO
rootLogger.appenderRef.file.ref = file
appender.file.type = RollingFile
appender.file.name = file
appender.file.fileName = {log}
appender.file.filePattern = {log}.%i
appender.file.layout.type = PatternLayout
appender.file.layout.pattern = %d{{ISO8601}} %p %m (%c)%notEmpty{{: %ex{{short.message}}}}%n%ex
appender.file.policies.type = Policies
appender.file.policies.size.type = SizeBasedTriggeringPolicy
appender.file.policies.size.size = 10 MB
appender.file.strategy.type = DefaultRolloverStrategy
appender.file.strategy.max = 2
"""


class Layout:
    """Where things lie in the broker's folder.

    Attributes:
        folder: all of it; it may be deleted when the broker is down.
        state: which process runs, and where it listens.
        lock: held by whoever starts or stops the broker.
        properties: the broker's settings.
        logging: the settings of its log.
        log: what the broker says.
        java_log: what the Java runtime says, when the broker cannot speak.
        data: the records.
        access: certificates and passwords of a secured broker.
        meta: made by formatting; without it `data` is not ready.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state = folder / "broker.json"
        self.lock = folder / ".lock"
        self.properties = folder / "server.properties"
        self.logging = folder / "log4j2.properties"
        self.log = folder / "kafka.log"
        self.java_log = folder / "java.log"
        self.data = folder / "data"
        self.access = folder / "access"
        self.meta = self.data / "meta.properties"


def properties(layout: Layout, port: int, controller_port: int, overrides: Mapping[str, str]) -> str:
    """The text of `server.properties`."""
    settings = {
        **_SINGLE_NODE,
        "controller.quorum.voters": f"1@{HOST}:{controller_port}",
        "listeners": f"PLAINTEXT://{HOST}:{port},CONTROLLER://{HOST}:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://{HOST}:{port}",
        "log.dirs": str(layout.data.absolute()),
        **overrides,
    }
    return "".join(f"{_escaped(name)}={_escaped(value)}\n" for name, value in settings.items())


def logging(layout: Layout) -> str:
    """The text of `log4j2.properties`."""
    return _LOGGING.format(log=_escaped(str(layout.log.absolute())))


def serve_command(java: Path, classpath: list[Path], layout: Layout, heap: str) -> list[str]:
    """The command that is the broker."""
    return [*_java(java, classpath, layout, f"-Xmx{heap}"), _MAIN, str(layout.properties.absolute())]


def format_command(
    java: Path, classpath: list[Path], layout: Layout, cluster: str, more: Path | None = None
) -> list[str]:
    """The command that makes the data folder ready; it may have been broken off in the middle before.

    `more` is a file of further arguments, one a line, for what nobody may see on a command line.
    """
    arguments = ["format", "--cluster-id", cluster, "--config", str(layout.properties.absolute()), "--ignore-formatted"]
    arguments += [] if more is None else [f"@{more.absolute()}"]
    return [*_java(java, classpath, layout), _STORAGE, *arguments]


def _java(java: Path, classpath: list[Path], layout: Layout, *flags: str) -> list[str]:
    return [
        str(java),
        *_QUICK,
        *_EXPECTED,
        *flags,
        "-Djava.awt.headless=true",
        f"-Dlog4j2.configurationFile={layout.logging.absolute().as_uri()}",
        f"-XX:ErrorFile={layout.folder.absolute()}/java-crash-%p.log",
        "-cp",
        ":".join(map(str, classpath)),
    ]


def _escaped(text: str) -> str:
    # Java's rules for .properties files, as far as paths and settings need them.
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace("=", "\\=")
