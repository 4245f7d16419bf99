"""Whatever is wrong with the way to the broker, every command says it in one line and does not hang.

Each fault meets each command; the runs are processes, so that a hang of one is no hang of the test.
"""

import contextlib
import itertools
import re
import time
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest

from access.faults import (
    black_hole,
    closes,
    drips,
    listening,
    nobody,
    refuses_as_the_web_does,
    resets,
    says_nothing,
    sends_elsewhere,
    web_server,
)
from access.secured import Secured
from attente.broker.certificates import Authority, Pair
from attente.broker.local import LocalBroker
from attente.kiosk import Kiosk, KioskSettings
from forks import Forks, Run, forks
from workers import HANG_S

pytestmark = [pytest.mark.broker, pytest.mark.timeout(300)]

PASSWORD: Final = "parrot-of-the-admiral"  # noqa: S105 - nobody has it
FEW: Final = 6  # runs at once that need the processor; those that wait for an answer cost nothing


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong.

    Attributes:
        flags: what a command is told of the connection.
        line: what it has to say, as an expression; AT is the address.
        at: the address.
        settled: trying again changes nothing, so nobody does.
        environ: what the command finds in its environment.
        code: with which a command ends for it.
        waits: until its time is over.
    """

    flags: tuple[str, ...]
    line: str
    at: str
    settled: bool = True
    environ: Mapping[str, str] | None = None
    code: int = 4
    waits: bool = False

    @property
    def pattern(self) -> str:
        """What the line has to match."""
        return self.line.replace("AT", re.escape(self.at))


NO_BROKER: Final = r"no Kafka broker at AT \({}\); start a local one with 'attente broker up', or name another .*"
SILENT: Final = (
    "no Kafka broker answers at AT within 3.5 s, though something listens there; name a listener of a broker "
)
REFUSED: Final = "the broker at AT "


_NO_FILE: Final = ("--sasl-password-file", "absent")


class Table:
    """The faults by name."""

    def __init__(self, network: Secured, open_: LocalBroker, stranger: Authority, folder: Path) -> None:
        self._network = network
        self._folder = folder
        sasl, tls = network.broker.bootstrap, network.tls
        self._trust = ("--tls-ca", str(network.broker.access.authority.cert))
        no_password = "unknown there, or the password is another"  # noqa: S105
        ours = network.broker.access.authority
        self.rows: dict[str, Fault] = {
            "a wrong password": self._sasl(sasl, f"refuses user attente.worker: {no_password}", password=PASSWORD),
            "an unknown user": self._sasl(sasl, f"refuses user nobody: {no_password}", user="nobody"),
            "in the open to TLS": Fault(
                ("--broker", sasl), REFUSED + "speaks TLS; say --security tls or sasl, .*", sasl
            ),
            "TLS to one in the open": self._sasl(open_.bootstrap, "speaks no TLS; say --security plaintext, .*"),
            "a certificate of another authority": self._tls(
                tls, r"refuses the client certificate \S+ \(.*\): no authority that it knows .*", self._pair(stranger)
            ),
            "a certificate that has expired": self._tls(
                tls, r"refuses the client certificate \S+: it expired on .* GMT; .*", self._pair(ours, days=-1)
            ),
            "no certificate": self._tls(tls, r"wants a client certificate \(.*\); name one with --tls-cert .*"),
            "a broker of an unknown authority": self._sasl(
                sasl, r"has a certificate that no authority of \S+ has signed; .*", ca=stranger.cert
            ),
            "a broker of another name": self._sasl(
                sasl.replace("127.0.0.1", "127.1"), "has a certificate of another name than 127.1; .*"
            ),
            "no password file": Fault(
                ("--broker", sasl, "--security", "sasl", *self._trust, "--sasl-user", "x", *_NO_FILE),
                "absent: cannot be read: No such file or directory; sasl_password_file must name .*",
                sasl,
                code=5,
            ),
            "a name that leads nowhere": self._away("nowhere.invalid:9092", NO_BROKER.format("[a-z ]*name [a-z ]+")),
            "what cannot be a name": self._away("a..b:9092", NO_BROKER.format("it is no name of a host")),
        }

    def add(self, name: str, at: str, line: str, *, waits: bool = False) -> None:
        """Add one in which something else stands in the broker's place."""
        self.rows[name] = self._away(at, line, waits=waits)

    def _sasl(
        self, at: str, line: str, *, user: str = "attente.worker", password: str = "", ca: Path | None = None
    ) -> Fault:
        trust = self._trust if ca is None else ("--tls-ca", str(ca))
        who = ("--broker", at, "--security", "sasl", *trust, "--sasl-user", user)
        secret = password or (self._network.secrets / "worker.password").read_text().strip()
        return Fault(who, REFUSED + line, at, environ={"ATTENTE_SASL_PASSWORD": secret})

    def _away(self, at: str, line: str, *, waits: bool = False) -> Fault:
        sasl = self._sasl(at, "")
        return Fault(sasl.flags, line, at, settled=False, environ=sasl.environ, waits=waits)

    def _tls(self, at: str, line: str, pair: Pair | None = None) -> Fault:
        own = () if pair is None else ("--tls-cert", str(pair.cert), "--tls-key", str(pair.key))
        return Fault(("--broker", at, "--security", "tls", *self._trust, *own), REFUSED + line, at)

    def _pair(self, authority: Authority, days: int = 1) -> Pair:
        name = f"{authority.cert.parent.name}{days}"
        pair = Pair(self._folder / f"{name}.crt", self._folder / f"{name}.key")
        authority.issue("attente.worker", pair, days=days)
        return pair


@pytest.fixture(scope="module")
def faults(network: Secured, broker: LocalBroker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Table]:
    folder = tmp_path_factory.mktemp("faults")
    stranger = Authority(tmp_path_factory.mktemp("stranger"))
    stranger.make("somebody else")
    table = Table(network, broker, stranger, folder)
    web = NO_BROKER.format("a web server answers there")
    with contextlib.ExitStack() as stack:
        enter = stack.enter_context
        table.add("nobody", enter(nobody()), NO_BROKER.format("connection refused"))
        table.add("packets get lost", enter(black_hole()), NO_BROKER.format("no answer"), waits=True)
        table.add("somebody silent", enter(listening(says_nothing)), SILENT, waits=True)
        table.add("somebody who drips", enter(listening(drips)), SILENT, waits=True)
        closed = NO_BROKER.format("(?:the connection is taken, and closed without an answer|connection reset by peer)")
        table.add("somebody who closes", enter(listening(closes)), closed)
        table.add("somebody who resets", enter(listening(resets)), closed)
        table.add("a web server", enter(listening(refuses_as_the_web_does)), web)
        down, hole = enter(nobody()), enter(black_hole())
        for name, other, why in (("nobody", down, "connection refused"), ("lost packets", hole, "no answer")):
            at = enter(listening(sends_elsewhere(broker.bootstrap, other)))
            line = rf"no Kafka broker at {other} \({why}\), where the one at AT says that its cluster is; have its .*"
            row = Fault(("--broker", at), line, at, settled=False, waits=other == hole)
            table.rows[f"a broker that sends us to {name}"] = row
        table.add("a web server that waits", enter(web_server()), web, waits=True)
        yield table


FAULTS: Final = (
    "a wrong password",
    "an unknown user",
    "in the open to TLS",
    "TLS to one in the open",
    "a certificate of another authority",
    "a certificate that has expired",
    "no certificate",
    "a broker of an unknown authority",
    "a broker of another name",
    "no password file",
    "a name that leads nowhere",
    "what cannot be a name",
    "nobody",
    "packets get lost",
    "somebody silent",
    "somebody who drips",
    "somebody who closes",
    "somebody who resets",
    "a web server",
    "a web server that waits",
    "a broker that sends us to nobody",
    "a broker that sends us to lost packets",
)


# What each command is, and where it says its line


@dataclass(frozen=True)
class Command:
    """A command that needs the broker.

    Attributes:
        words: what it is called with; SPOOL, EVENTS and REGISTRY are files.
        code: with which it ends, whatever the fault's is.
        stays: it goes on trying, even when trying again changes nothing.
        waits: it goes on trying while the broker is away.
        says: the form in which it says the line, as expressions for stdout and stderr: settled, and while it waits.
    """

    words: tuple[str, ...]
    code: int | None = None
    stays: bool = False
    waits: bool = False
    says: tuple[str, str] = ("attente: LINE\n", "attente: LINE\n")

    def goes_on(self, fault: Fault) -> bool:
        """Whether it does not end of a fault."""
        return self.stays or (self.waits and not fault.settled)


KIOSK: Final = ("--spool", "SPOOL", "--office", "nation", "--kiosk", "hall-1")
SENDS: Final = "attente: kiosk hall-1 of nation sends to AT, 1 held\n"
KEPT: Final = "attente: not sending, 1 events are kept: LINE\n"
NOT_SENDING: Final = f"(?:{SENDS}{KEPT}|{KEPT}{SENDS})"  # what sends is a thread, and may be the quicker one
COMMANDS: Final = {
    "kiosk drain": Command(
        ("kiosk", "drain", "--timeout", "600", *KIOSK),
        code=4,
        waits=True,
        says=(r"attente: 1 of 1 events are still in \S+: LINE\n", "attente: waits, 600 s at most: LINE\n"),
    ),
    "kiosk run": Command(("kiosk", "run", *KIOSK), stays=True, waits=True, says=(NOT_SENDING, NOT_SENDING)),
    "worker": Command(
        ("worker", "--registry", "REGISTRY", "--metrics-port", "0"),
        waits=True,
        says=("attente: LINE\n", "attente: waits for the broker at AT: LINE\n"),
    ),
    "topics plan": Command(("topics", "plan")),
    "access plan": Command(("access", "plan", "--registry", "REGISTRY")),
    "replay": Command(("replay", "EVENTS", "--archive")),
    "deadletters list": Command(("deadletters", "list")),
    "simulate": Command(("simulate", "--to-kafka", "--day", "2026-01-05", "--offices", "1")),
    "doctor": Command(("doctor",), code=1),
}


@dataclass
class Told:
    """What a command has said of a fault, until it had ended or was stopped because it would not have."""

    fault: Fault
    command: Command
    run: Run
    began_s: float = field(default_factory=time.monotonic)
    out: str = ""
    err: str = ""
    code: int | None = None

    @property
    def form(self) -> str:
        """What it has to say on stderr, as an expression."""
        if self.command.words[0] == "doctor":
            return ""
        line = self.command.says[not self.fault.settled].replace("LINE", f"{self.fault.pattern}[^\\n]*")
        return line.replace("AT", re.escape(self.fault.at))

    @property
    def is_heard(self) -> bool:
        """Whether it has ended, or has said its line where it goes on trying; or hangs."""
        if self.run.has_ended or time.monotonic() - self.began_s > HANG_S:
            return True
        return self.command.goes_on(self.fault) and re.fullmatch(self.form, self.run.told) is not None

    def settle(self) -> None:
        """Keep what it has said, and see to it that it is gone."""
        self.out, self.err, self.code = self.run.said, self.run.told, self.run.code
        self.run.kill()


def started(runs: Forks, fault: Fault, command: Command, registry: Path, folder: Path) -> Told:
    (folder / "files").mkdir(parents=True)
    events, spool = folder / "files" / "events", folder / "files" / "spool"
    events.write_text("{}\n")
    with Kiosk(KioskSettings(office="nation", kiosk="hall-1", spool=spool), is_sending=False) as kiosk:
        kiosk.ticket_issued(ticket="A1", service="accueil")
    files = {"REGISTRY": str(registry), "EVENTS": str(events), "SPOOL": str(spool)}
    words = [files.get(word, word) for word in command.words]
    return Told(fault, command, runs.start([*words, *fault.flags], folder / "work", fault.environ))


@pytest.fixture(scope="module")
def told(faults: Table, network: Secured, tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Told]:
    """What every command has said of every fault. Those that wait for somebody all run at once."""
    folder = tmp_path_factory.mktemp("told")
    found: dict[tuple[str, str], Told] = {}
    cells = deque(itertools.product(sorted(faults.rows, key=lambda name: not faults.rows[name].waits), COMMANDS))
    under_way: list[Told] = []
    with forks() as runs:
        while cells or under_way:
            busy = sum(not one.fault.waits for one in under_way)
            while cells and (busy < FEW or faults.rows[cells[0][0]].waits):
                name, command = cell = cells.popleft()
                where = folder / name.replace(" ", "-") / command.replace(" ", "-")
                found[cell] = started(runs, faults.rows[name], COMMANDS[command], network.registry, where)
                under_way.append(found[cell])
                busy += not faults.rows[name].waits
            for one in [one for one in under_way if one.is_heard]:
                one.settle()
                under_way.remove(one)
            time.sleep(0.01)
    return found


def test_every_fault_is_tried(faults: Table) -> None:
    assert set(FAULTS) == set(faults.rows)


@pytest.mark.parametrize("fault", FAULTS)
def test_every_command_says_in_one_line_what_is_wrong(
    fault: str, faults: Table, told: dict[tuple[str, str], Told]
) -> None:
    row = faults.rows[fault]
    for name, command in COMMANDS.items():
        one = told[fault, name]
        assert re.fullmatch(one.form, one.err), f"{name}: {one.err}"
        if name == "doctor":
            (_,) = re.findall(rf"^fail .*{row.pattern}", one.out, re.MULTILINE)
        assert one.code == (None if command.goes_on(row) else command.code or row.code), name
        assert PASSWORD not in one.out + one.err
