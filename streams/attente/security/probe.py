"""Why a client and its broker do not come together, in one line and within seconds.

To the libraries a wrong password, missing TLS and a broker that is down all look alike: no connection after 30 s. Here
each step is tried by itself (TCP, TLS, password), and where one fails the other side is asked how it would be spoken
to.
"""

import re
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NoReturn

from attente.errors import BrokerRefused, BrokerUnreachable, Unreachable
from attente.security import wire
from attente.security.connection import MECHANISM, Security
from attente.security.reach import Unnamed, connected, left
from attente.security.scram import Scram, WrongProof
from attente.security.wire import Closed, NotKafka, Wire

PROBE_SECONDS: Final = 3.5
"""How long a broker may take for its first answer: a healthy one needs 0.02 s, one that is just starting 2 s. With the
start of the command a refusal is told within 5 s."""

_REMEDY: Final = "start a local one with 'attente broker up', or name another with --broker HOST:PORT"
_NAMED: Final = 3  # brokers that a message names
_WEB: Final = (b"HTTP", b"<!DO", b"<htm", b"<HTM")  # the latter of those that take us for a client of 1990
_SASL_IN_THE_OPEN: Final = (
    "asks for a user and a password in the open, where everybody on the way reads what is sent; name a listener of its "
    "that speaks TLS"
)
# What an alert says of a certificate of ours, or of its absence; before TLS 1.3 the latter has no word of its own.
_OF_CERTIFICATES: Final = re.compile(r"certificate|unknown ca|handshake failure|access denied")
# OpenSSL's codes of X509_V_ERR_…
_NOT_YET_VALID: Final = 9
_EXPIRED: Final = 10
_OTHER_NAME: Final = frozenset({62, 64})


def probe(broker: str, security: Security, within_s: float = PROBE_SECONDS) -> None:
    """Return when one address of a cluster is a Kafka broker that lets us in.

    What the client may do there is another matter, and is answered to each request.

    Args:
        broker: HOST:PORT, or several with commas between.
        security: how the client connects.
        within_s: how long all of it may take.

    Raises:
        BrokerUnreachable: nobody answers there, or nobody who speaks Kafka; it may be there later.
        BrokerRefused: somebody answers, and it is settled that we do not come together: the line says why.
        Missing, BadSecurity: a file of ours is not there or cannot be used.
    """
    limit = time.monotonic() + within_s
    addresses = broker.split(",")
    failures: list[Unreachable] = []
    for position, address in enumerate(addresses):
        share = (limit - time.monotonic()) / (len(addresses) - position)
        try:
            _Probe(broker, address, security, max(0.1, share)).run()
        except Unreachable as error:
            failures.append(error)
        else:
            return
    # A broker that answers tells more than another one that is down.
    raise next((one for one in failures if isinstance(one, BrokerRefused)), failures[-1])


@dataclass(frozen=True)
class _Probe:
    broker: str
    address: str
    security: Security
    within_s: float

    def run(self) -> None:
        limit = time.monotonic() + self.within_s
        context = self.security.context()
        with self._connection(limit) as plain:
            connection = plain if context is None else self._over_tls(context, plain, limit)
            with connection:
                line = Wire(connection, self._before(limit, 8))
                self._ask(line, limit)
                self._look_around(line, limit)

    # ---- the steps

    def _connection(self, limit: float) -> socket.socket:
        port = int(self.address.rpartition(":")[2])
        try:
            return connected(self._host, port, limit)
        except OSError as error:
            msg = f"no Kafka broker at {self.broker} ({_why(error)}); {_REMEDY}"
            raise BrokerUnreachable(msg) from None

    def _over_tls(self, context: ssl.SSLContext, plain: socket.socket, limit: float) -> ssl.SSLSocket:
        try:
            plain.settimeout(left(self._before(limit, 4)))
            return context.wrap_socket(plain, server_hostname=self._host)
        except ssl.SSLCertVerificationError as error:
            self._refuse(self._of_its_certificate(error))
        except OSError as error:
            self._refuse_for_alert(error)
            self._try_in_the_open(limit)

    def _ask(self, line: Wire, limit: float) -> None:
        try:
            code, mechanisms = line.handshake()
            if self.security.protocol == "plaintext":
                if code != wire.ILLEGAL_STATE:
                    self._refuse(_SASL_IN_THE_OPEN)
            elif self.security.protocol == "tls":
                if code != wire.ILLEGAL_STATE:
                    self._refuse(
                        "asks for a user and a password; say --security sasl with --sasl-user, and the password in "
                        "ATTENTE_SASL_PASSWORD or --sasl-password-file"
                    )
            elif code == wire.ILLEGAL_STATE:
                self._refuse("asks for no password at this port; say --security tls, or name the port that does")
            elif code:
                has = ", ".join(mechanisms) or "nothing"
                self._refuse(f"does not take {MECHANISM} (it has {has}); have it enabled there")
            else:
                self._prove(line)
        except TimeoutError:
            self._silent(line, limit)
        except (Closed, NotKafka, OSError) as error:
            if self.security.protocol == "plaintext" and self._speaks_tls(limit):
                self._refuse("speaks TLS; say --security tls or sasl, and name its authority with --tls-ca")
            # In TLS 1.3 the broker looks at our certificate after we take the connection to be there.
            self._refuse_for_alert(error)
            self._no_broker(error)

    def _prove(self, line: Wire) -> None:
        exchange = Scram(self.security.user or "", self.security.secret())
        steps: tuple[Callable[[bytes], Any], ...] = (exchange.final, exchange.verify)
        message = exchange.first()
        try:
            for step in steps:
                code, said, answer = line.authenticate(message)
                if code:
                    why = "unknown there, or the password is another" if code == wire.AUTHENTICATION_FAILED else said
                    self._refuse(f"refuses user {self.security.user}: {why}")
                message = step(answer)
        except (WrongProof, KeyError, ValueError) as error:
            self._refuse(f"is not what it claims to be: {error}")

    def _look_around(self, line: Wire, limit: float) -> None:
        """See whether clients can go where they are sent: whoever we ask first only tells them where the cluster is."""
        try:
            members = line.members()
        except (Closed, NotKafka, OSError):
            return  # it let us in; what it does not tell, it tells the client
        ours = self._host, int(self.address.rpartition(":")[2])
        failure: OSError | None = None
        for position, (host, port) in enumerate([] if ours in members else members):
            now = time.monotonic()
            try:
                connected(host, port, now + (limit - now) / (len(members) - position)).close()
            except OSError as error:
                failure = error
            else:
                return
        if failure is not None:
            where = ", ".join(f"{host}:{port}" for host, port in members[:_NAMED])
            msg = (
                f"no Kafka broker at {where} ({_why(failure)}), where the one at {self.address} says that its cluster "
                "is; have its advertised.listeners mended, or the way there"
            )
            raise BrokerUnreachable(msg)

    # ---- what the other side would rather hear

    def _try_in_the_open(self, limit: float) -> NoReturn:
        """Of somebody who answers to TLS with something else: what it is."""
        with self._connection(limit) as plain:
            line = Wire(plain, self._before(limit, 8))
            try:
                code, _ = line.handshake()
            except TimeoutError:
                self._silent(line, limit)
            except (Closed, NotKafka, OSError) as error:
                self._no_broker(error)
        if code != wire.ILLEGAL_STATE:
            self._refuse(_SASL_IN_THE_OPEN)
        self._refuse("speaks no TLS; say --security plaintext, or name its TLS listener with --broker")

    def _speaks_tls(self, limit: float) -> bool:
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE  # only to know what to advise; nothing is said on this connection
        try:
            with self._connection(limit) as plain:
                plain.settimeout(left(limit))
                context.wrap_socket(plain, server_hostname=self._host).close()
        except ssl.SSLError as error:
            # An alert, for example for want of a certificate of ours, is TLS too.
            return _is_alert(error)
        except (OSError, Unreachable):
            return False
        return True

    # ---- the words

    def _before(self, limit: float, part: int) -> float:
        """An earlier limit, which leaves a part of the whole time for one question more."""
        return limit - self.within_s / part

    @property
    def _host(self) -> str:
        return self.address.rpartition(":")[0].strip("[]")

    def _refuse(self, why: str) -> NoReturn:
        msg = f"the broker at {self.address} {why}"
        raise BrokerRefused(msg) from None

    def _silent(self, line: Wire, limit: float) -> NoReturn:
        if (said := line.ends_its_line(limit)).startswith(_WEB):
            self._no_broker(NotKafka(said))
        msg = (
            f"no Kafka broker answers at {self.address} within {self.within_s:.2g} s, though something listens there; "
            "name a listener of a broker with --broker HOST:PORT"
        )
        raise BrokerUnreachable(msg) from None

    def _of_its_certificate(self, error: ssl.SSLCertVerificationError) -> str:
        if error.verify_code == _EXPIRED:
            return "has a certificate that has expired; have it renewed (or set this machine's clock)"
        if error.verify_code == _NOT_YET_VALID:
            return "has a certificate that is not yet valid; set this machine's clock"
        if error.verify_code in _OTHER_NAME:
            return f"has a certificate of another name than {self._host}; name the broker as its certificate does"
        ours = self.security.ca or "this system"
        return f"has a certificate that no authority of {ours} has signed; name its authority with --tls-ca FILE"

    def _no_broker(self, error: Exception) -> NoReturn:
        """Somebody is there, and it is no broker: it may be one later, behind a proxy that is up already."""
        if isinstance(error, NotKafka):
            what = "a web server" if error.said.startswith(_WEB) else "something else"
            why = f"{what} answers there"
        else:
            why = "the connection is taken, and closed without an answer"
        msg = f"no Kafka broker at {self.broker} ({why}); {_REMEDY}"
        raise BrokerUnreachable(msg) from None

    def _refuse_for_alert(self, error: Exception) -> None:
        """Refuse if the other side has said in TLS that it does not take us; somebody who only goes away has not."""
        if not isinstance(error, ssl.SSLError) or not _is_alert(error):
            return
        cert = self.security.cert
        said = str(error.reason).replace("_", " ").lower()
        alert = f" ({said})"
        if not _OF_CERTIFICATES.search(said):
            self._refuse(f"ends TLS{alert}; its log says why")
        if cert is None:
            self._refuse(f"wants a client certificate{alert}; name one with --tls-cert and --tls-key")
        if why := _out_of_date(cert):
            self._refuse(f"refuses the client certificate {cert}: {why}")
        self._refuse(f"refuses the client certificate {cert}{alert}: no authority that it knows has signed it")


def _why(error: OSError) -> str:
    """Why there is no connection, in a few words."""
    if isinstance(error, TimeoutError):
        return "no answer"
    return str(error) if isinstance(error, Unnamed) else (error.strerror or str(error)).lower()


def _is_alert(error: ssl.SSLError) -> bool:
    return "ALERT" in (error.reason or "")


def _out_of_date(cert: Path) -> str:
    """Why a certificate does not hold now; "" when it does, as far as can be seen."""
    try:
        # The one decoder of certificates that Python has; without it the broker's own alert has to do.
        found = ssl._ssl._test_decode_cert(str(cert))  # type: ignore[attr-defined]  # noqa: SLF001
    except (AttributeError, OSError):
        return ""
    now = datetime.now(UTC).timestamp()
    if ssl.cert_time_to_seconds(found["notAfter"]) < now:
        return f"it expired on {found['notAfter']}; have it renewed"
    if ssl.cert_time_to_seconds(found["notBefore"]) > now:
        return f"it is not valid before {found['notBefore']}; set this machine's clock"
    return ""
