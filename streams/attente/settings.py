"""The settings of every command: one frozen object, and where each of its values came from.

Sources in order: flags, environment (`ATTENTE_BROKER`), one YAML file (`broker:`), defaults. Every source brings text,
so that a value means the same wherever it is written, and one parser per setting checks it.
"""

import difflib
import re
import socket
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, Literal, Self

import yaml

from attente.errors import BadInput, Missing
from attente.model.names import is_id
from attente.model.signatures import Key, read_keys
from attente.security import Protocol, Security

ENVIRONMENT: Final = "ATTENTE_"
CONFIG: Final = "ATTENTE_CONFIG"
"""The environment variable that names the YAML file when no flag does."""

DEFAULT: Final = "default"
"""The origin of a value that nobody has set."""

_HIGHEST_PORT: Final = 65_535
# What Kafka allows in a topic's name; 200 of its 249 characters leave room for our own part.
_PREFIX = re.compile(r"[A-Za-z0-9._-]{0,200}")
_NAME = re.compile(r"[A-Za-z0-9._-]{1,200}")
# The last colon divides, so that [::1]:9092 is an address too.
_ADDRESS = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^\s:,\[\]]+):(?P<port>[0-9]{1,5})")

Transport = Literal["raw", "plain"]


class BadSetting(BadInput):
    """A setting is unknown or its value cannot be used; the message says where it stands."""


@dataclass(frozen=True, slots=True)
class Form:
    """How a setting is written.

    Attributes:
        help: what it is for, in one line.
        metavar: what to write, as shown in the help of a flag.
        parse: text to value; raises `ValueError` with the words that follow the offending value.
        flags: other names of the flag, besides the one made of the setting's name.
        is_secret: nobody may see its value: it has no flag, for everybody sees the command lines of others.
    """

    help: str
    metavar: str
    parse: Callable[[str], object]
    flags: tuple[str, ...] = ()
    is_secret: bool = False


def _addresses(text: str) -> str:
    for address in text.split(","):
        found = _ADDRESS.fullmatch(address.strip())
        if found is None or not 0 < int(found["port"]) <= _HIGHEST_PORT:
            msg = "is not HOST:PORT, or several of them with commas between; write for example 127.0.0.1:9092"
            raise ValueError(msg)
    return ",".join(address.strip() for address in text.split(","))


def _host(text: str) -> str:
    if not text or re.search(r"\s", text):
        msg = "is not the name or the address of a host; write for example 127.0.0.1"
        raise ValueError(msg)
    return text


def _matching(pattern: re.Pattern[str], remedy: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if pattern.fullmatch(text) is None:
            msg = f"has characters that Kafka does not allow in a name, or too many; {remedy}"
            raise ValueError(msg)
        return text

    return parse


def _path(text: str) -> Path:
    if not text:
        msg = "is not a path"
        raise ValueError(msg)
    return Path(text).expanduser()


def _whole(smallest: int, largest: int | None = None) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if re.fullmatch(r"-?[0-9]+", text) is None:
            msg = "is not a whole number"
            raise ValueError(msg)
        number = int(text)
        if number < smallest or (largest is not None and number > largest):
            bounds = f"at least {smallest}" if largest is None else f"between {smallest} and {largest}"
            msg = f"is out of range; it must be {bounds}"
            raise ValueError(msg)
        return number

    return parse


def _percent(text: str) -> int:
    return _whole(0, 99)(text.removesuffix("%"))


def _one_of(*words: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in words:
            msg = f"is none of {', '.join(words)}"
            raise ValueError(msg)
        return text

    return parse


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What every command may need to know.

    Attributes:
        broker: HOST:PORT of a broker of the cluster, or several with commas between.
        topic_prefix: what the names of all topics begin with.
        group: the consumer group of the workers; the group that shares the partitions.
        security: how clients connect: `plaintext`, `tls` (a certificate says who they are) or `sasl` (a user and a
            password do, over TLS).
        tls_ca: the authorities that may have signed the broker's certificate; None for those of the system.
        tls_cert, tls_key: the client's own certificate and its key.
        sasl_user: who the client is.
        sasl_password: its password; from the environment alone.
        sasl_password_file: a file that holds the password.
        registry: the file of offices, services and norms.
        keys_file: the file of the secrets with which events are signed.
        signing_key: the same for a kiosk, as a text with one key; it stands in no command line.
        worker: the name of this worker in its group; no two that run may have the same.
        data: the folder of everything that a command keeps on this machine.
        metrics_host: the address on which a worker serves its metrics.
        metrics_port: its port; 0 takes any free one.
        session_timeout_seconds: a worker that the broker has not heard of for so long loses its partitions.
        checkpoint_events: a partition is checkpointed after so many events…
        checkpoint_seconds: …or so many seconds, whichever comes first.
        checkpoint_chunk_bytes: a checkpoint is written in records of at most so many bytes.
        fetch_bytes: a fetch takes at most so many bytes of one partition.
        transport: `raw` reads whole batches of bytes, `plain` goes through the client's own records.
        hash_every: the state's hash is logged at every so many offsets of a partition; 0 is never.
        brake_share: a worker stops when more than so many percent…
        brake_window: …of the last so many events of a partition are refused; a share of 0 is never.
        brake_row: it stops also when so many are refused one after the other; 0 is never.
        office: the office in which a kiosk stands.
        kiosk: the kiosk's id in its office.
        spool: the file of what a kiosk has accepted and not yet sent.
        spool_events, spool_bytes: a spool that holds so much takes no more.
        heartbeat_seconds: how often a kiosk says that it is alive.
        delivery_timeout_seconds: after so long without an answer a kiosk sends again what has none.
        origins: where the values that are not defaults came from, by name of the setting.
    """

    broker: str = "127.0.0.1:9092"
    topic_prefix: str = "attente."
    group: str = "attente"
    security: Protocol = "plaintext"
    tls_ca: Path | None = None
    tls_cert: Path | None = None
    tls_key: Path | None = None
    sasl_user: str | None = None
    sasl_password: str | None = field(default=None, repr=False)
    sasl_password_file: Path | None = None
    registry: Path | None = None
    keys_file: Path | None = None
    signing_key: Key | None = None
    worker: str = field(default_factory=socket.gethostname)
    data: Path = Path(".attente")
    metrics_host: str = "127.0.0.1"
    metrics_port: int = 9646
    session_timeout_seconds: int = 10
    checkpoint_events: int = 500_000
    checkpoint_seconds: int = 300
    checkpoint_chunk_bytes: int = 512 * 1024
    fetch_bytes: int = 1024 * 1024
    transport: Transport = "raw"
    hash_every: int = 0
    brake_share: int = 5
    brake_window: int = 1_000
    brake_row: int = 50
    office: str | None = None
    kiosk: str | None = None
    spool: Path = Path("attente.spool")
    spool_events: int = 1_000_000
    spool_bytes: int = 256 * 1024 * 1024
    heartbeat_seconds: int = 60
    delivery_timeout_seconds: int = 30
    origins: Mapping[str, str] = field(default_factory=dict, compare=False)

    def origin(self, name: str) -> str:
        """Where the value of a setting came from: a flag, a variable, a place in the file, or `default`."""
        return self.origins.get(name, DEFAULT)

    @property
    def connection(self) -> Security:
        """How clients connect.

        Raises:
            BadSecurity: the settings of the connection do not go together.
        """
        return Security(
            protocol=self.security,
            ca=self.tls_ca,
            cert=self.tls_cert,
            key=self.tls_key,
            user=self.sasl_user,
            password=self.sasl_password,
            password_file=self.sasl_password_file,
        )

    def topic(self, name: str) -> str:
        """The name that a topic of `attente.model.topics` has under this prefix."""
        return prefixed(name, self.topic_prefix)

    def having(self, name: str, value: object, origin: str) -> Self:
        """These settings with one other value and the place it came from."""
        changes: dict[str, Any] = {name: value, "origins": {**self.origins, name: origin}}
        return replace(self, **changes)


def _key(text: str) -> Key:
    try:
        (key,) = read_keys(text)
    except ValueError:  # none, several, or something else: in each case it may be the secret
        msg = "is not one key; write: KEY-ID OFFICE SECRET, the line that `attente keys new` made"
        raise ValueError(msg) from None
    return key


def _id(text: str) -> str:
    if not is_id(text):
        msg = "is no id (at most 64 of a-z, 0-9, '.', '_' and '-'); take that of the registry"
        raise ValueError(msg)
    return text


def _password(text: str) -> str:
    if not text or "\n" in text:
        msg = "is empty, or more than one line"
        raise ValueError(msg)
    return text


# A comma and an equals sign part the fields of a SCRAM exchange, and kafka-python does not escape them.
_USER = re.compile(r"[A-Za-z0-9._:@/-]{1,200}")
_user = _matching(_USER, "use letters, digits, '.', '_', ':', '@', '/' and '-'")
_named = _matching(_NAME, "use letters, digits, '.', '_' and '-'")
_prefix = _matching(_PREFIX, "use letters, digits, '.', '_' and '-', 200 at most")

FORMS: Final[Mapping[str, Form]] = {
    "broker": Form("The Kafka cluster.", "HOST:PORT", _addresses),
    "topic_prefix": Form("What the names of all topics begin with.", "TEXT", _prefix, ("--prefix",)),
    "group": Form("The consumer group that shares the partitions.", "NAME", _named),
    "security": Form("How to connect.", "plaintext|tls|sasl", _one_of("plaintext", "tls", "sasl")),
    "tls_ca": Form("The authorities that may have signed the broker's certificate.", "FILE", _path),
    "tls_cert": Form("The client's own certificate.", "FILE", _path),
    "tls_key": Form("The key of that certificate.", "FILE", _path),
    "sasl_user": Form("Who the client is.", "NAME", _user),
    "sasl_password": Form("The user's password.", "PASSWORD", _password, is_secret=True),
    "sasl_password_file": Form("A file that holds the user's password.", "FILE", _path),
    "registry": Form("The registry of offices, services and norms.", "FILE", _path),
    "keys_file": Form("The secrets with which events are signed.", "FILE", _path, ("--keys",)),
    "signing_key": Form("The key with which a kiosk signs.", "KEY", _key, is_secret=True),
    "worker": Form("The name of this worker; no two that run may have the same.", "NAME", _named),
    "data": Form("The folder of what is kept on this machine.", "FOLDER", _path),
    "metrics_host": Form("The address on which metrics are served.", "HOST", _host),
    "metrics_port": Form("The port of the metrics; 0 takes any free one.", "PORT", _whole(0, _HIGHEST_PORT)),
    "session_timeout_seconds": Form("How long the broker waits for a silent worker.", "SECONDS", _whole(1, 3_600)),
    "checkpoint_events": Form("Checkpoint a partition after so many events.", "EVENTS", _whole(1)),
    "checkpoint_seconds": Form("Checkpoint a partition after so many seconds.", "SECONDS", _whole(1)),
    "checkpoint_chunk_bytes": Form(
        "Write checkpoints in records of so many bytes.", "BYTES", _whole(1_024, 512 * 1024)
    ),
    "fetch_bytes": Form("Fetch so many bytes of a partition at once.", "BYTES", _whole(1_024, 64 * 1024 * 1024)),
    "transport": Form("How batches are read.", "raw|plain", _one_of("raw", "plain")),
    "hash_every": Form("Log the state's hash at every so many offsets; 0 is never.", "EVENTS", _whole(0)),
    "brake_share": Form("Stop when more of the last events are refused; 0 is never.", "PERCENT", _percent),
    "brake_window": Form("How many events the last ones are.", "EVENTS", _whole(1, 1_000_000)),
    "brake_row": Form("Stop when so many in a row are refused; 0 is never.", "EVENTS", _whole(0, 1_000_000)),
    "office": Form("The office of the registry in which the kiosk stands.", "ID", _id),
    "kiosk": Form("The id of the kiosk, unique in its office.", "ID", _id),
    "spool": Form("The file of what is accepted and not yet sent.", "FILE", _path),
    "spool_events": Form("Take no more when the spool holds so many.", "EVENTS", _whole(1)),
    "spool_bytes": Form("Take no more when the spool holds so many.", "BYTES", _whole(1024)),
    "heartbeat_seconds": Form("How often the kiosk says that it is alive.", "SECONDS", _whole(1, 3_600)),
    "delivery_timeout_seconds": Form("Send again what has no answer for so long.", "SECONDS", _whole(10, 600)),
}
"""How each setting is written, by name."""


_FILES: Final = {"sasl_password": "sasl_password_file", "signing_key": "keys_file"}
"""Which setting names the file of a secret."""


def prefixed(name: str, prefix: str) -> str:
    """The name of one of our topics with another prefix than `attente.`."""
    return prefix + name.removeprefix("attente.")


def foreign(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment of a program that is not ours: without what is meant for us, secrets above all.

    Whoever looks at a process may look at its environment, and it lives on in whatever that process starts.
    """
    return {name: value for name, value in environ.items() if not name.startswith(ENVIRONMENT)}


def flag_of(name: str) -> str:
    """The flag of a setting: `--metrics-port` of `metrics_port`."""
    return (*FORMS[name].flags, "--" + name.replace("_", "-"))[0]


def load(
    flags: Mapping[str, str | None] | None = None,
    environ: Mapping[str, str] | None = None,
    file: Path | None = None,
) -> Settings:
    """Put the settings together.

    Args:
        flags: text by name of the setting; None is a flag that was not given.
        environ: the environment; only names that begin with `ATTENTE_` are looked at.
        file: a YAML file with one mapping; without it the one that `ATTENTE_CONFIG` names. Relative paths in it count
            from its folder.

    Raises:
        BadSetting: an unknown name, or a value that its setting does not take.
        Missing: the file is not there.
    """
    environ = environ or {}
    if file is None and environ.get(CONFIG):
        file = Path(environ[CONFIG])
    settings = Settings()
    for name, text, origin in _sources(flags or {}, environ, file):
        value = _parsed(name, text, origin)
        if file is not None and isinstance(value, Path) and origin.startswith(f"{file}:"):
            value = file.parent / value
        settings = settings.having(name, value, origin)
    return settings


def _sources(
    flags: Mapping[str, str | None], environ: Mapping[str, str], file: Path | None
) -> Iterator[tuple[str, str, str]]:
    # The strongest comes last.
    if file is not None:
        yield from _from_file(file)
    yield from _from_environment(environ)
    for name, text in flags.items():
        if text is not None:
            yield name, text, flag_of(name)


def _parsed(name: str, text: str, origin: str) -> object:
    try:
        return FORMS[name].parse(text)
    except ValueError as error:
        shown = "(not shown)" if FORMS[name].is_secret else repr(text)
        msg = f"{origin}: {name} {shown} {error}"
        raise BadSetting(msg) from None


def _from_environment(environ: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    for variable, text in environ.items():
        if not variable.startswith(ENVIRONMENT):
            continue
        name = variable.removeprefix(ENVIRONMENT).lower()
        if name in FORMS:
            yield name, text, variable
        # Only what looks like a slip of the pen is refused: orchestrators put variables of their own beside ours.
        elif close := difflib.get_close_matches(name, FORMS, n=1, cutoff=0.8):
            msg = f"environment: unknown setting {variable}; did you mean {ENVIRONMENT}{close[0].upper()}?"
            raise BadSetting(msg)


def _from_file(file: Path) -> Iterator[tuple[str, str, str]]:
    root = _yaml(file)
    if root is None:
        return
    if not isinstance(root, yaml.MappingNode):
        msg = f"{_place(file, root)}: the settings are not a mapping; write lines like 'broker: 127.0.0.1:9092'"
        raise BadSetting(msg)
    seen: set[str] = set()
    for key, value in root.value:
        name = str(key.value)
        if name not in FORMS:
            raise BadSetting(f"{_place(file, key)}: unknown setting {name!r}{_did_you_mean(name)}")  # noqa: EM102 - two parts
        if name in seen:
            msg = f"{_place(file, key)}: {name} is set twice; keep one"
            raise BadSetting(msg)
        seen.add(name)
        if FORMS[name].is_secret:
            msg = (
                f"{_place(file, key)}: {name} does not belong in a file of settings; put it in a file of its own, "
                f"0600, and name that with {_FILES[name]}, or give it in {ENVIRONMENT}{name.upper()}"
            )
            raise BadSetting(msg)
        if not isinstance(value, yaml.ScalarNode) or value.tag == "tag:yaml.org,2002:null":
            msg = f"{_place(file, value)}: {name} must be a single value; write '{name}: {FORMS[name].metavar}'"
            raise BadSetting(msg)
        yield name, value.value, _place(file, value)


def _yaml(file: Path) -> yaml.Node | None:
    try:
        with file.open(encoding="utf-8") as stream:
            return yaml.compose(stream, Loader=yaml.SafeLoader)
    except FileNotFoundError:
        msg = f"{file}: there is no such settings file"
        raise Missing(msg) from None
    except OSError as error:
        msg = f"{file}: the settings file cannot be read: {error.strerror}"
        raise Missing(msg) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"{file}:{mark.line + 1}:{mark.column + 1}" if mark else str(file)
        msg = f"{place}: not YAML: {error.problem}"
        raise BadSetting(msg) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        msg = f"{file}: not YAML in UTF-8: {' '.join(str(error).split())}"
        raise BadSetting(msg) from None


def _place(file: Path, node: yaml.Node) -> str:
    return f"{file}:{node.start_mark.line + 1}:{node.start_mark.column + 1}"


def _did_you_mean(name: str) -> str:
    close = difflib.get_close_matches(name, FORMS, n=1)
    return f"; did you mean {close[0]!r}?" if close else f"; there are {', '.join(FORMS)}"
