"""One description of how a client connects, for every client of ours: kiosk, sources, broker's admin and worker."""

import ssl
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, Literal, NoReturn

from attente.errors import BadInput, Missing

Protocol = Literal["plaintext", "tls", "sasl"]

MECHANISM: Final = "SCRAM-SHA-512"
"""How a password is proved, without the broker or anybody on the line ever seeing it."""

_LONGEST_PASSWORD: Final = 1_024
_KAFKA_NAMES: Final = {"plaintext": "PLAINTEXT", "tls": "SSL", "sasl": "SASL_SSL"}


class BadSecurity(BadInput):
    """What is said of the connection cannot be used; the message says what to write instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Security:
    """How a client connects.

    A client that is told of certificates or of a user, and not to use TLS, would send in the open what was meant to be
    protected: that is refused here, before anything is sent.

    Attributes:
        protocol: `plaintext`; `tls`, where a certificate says who the client is; `sasl`, where a user and a password
            (SCRAM-SHA-512) do, over TLS.
        ca: PEM file of the authorities that may have signed the broker's certificate; None for those of the system.
        cert, key: PEM files of the client's own certificate and its key; the key may be in the file of the certificate.
        user: who the client is, with `sasl`.
        password: its password; None to read it from `password_file`.
        password_file: a file that holds the password and nothing else.

    Raises:
        BadSecurity: the parts do not go together.
    """

    protocol: Protocol = "plaintext"
    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    password_file: Path | None = None

    def __post_init__(self) -> None:
        if self.key is not None and self.cert is None:
            _refuse(f"a key ({self.key}) without its certificate; name it with tls_cert")
        is_named = self.user is not None or self.password is not None or self.password_file is not None
        if self.protocol == "sasl":
            if not self.user:
                _refuse("security sasl needs a user; name it with --sasl-user, ATTENTE_SASL_USER or sasl_user")
            if self.password is None and self.password_file is None:
                _refuse(
                    f"user {self.user} has no password; put it in a file and name that with sasl_password_file, or "
                    "give it in ATTENTE_SASL_PASSWORD"
                )
        elif is_named:
            _refuse(f"a user or a password is given, and security is {self.protocol}; say security: sasl")
        if self.protocol == "plaintext" and (self.ca or self.cert):
            _refuse("certificates are given, and security is plaintext; say security: tls, or sasl")

    def context(self) -> ssl.SSLContext | None:
        """What TLS takes; None without TLS. The broker's certificate and its name are always verified.

        Made anew each time, as the password is read anew, so that one that is replaced is taken at the next connection.

        Raises:
            Missing: a file is not there or cannot be read.
            BadSecurity: a file is no certificate or no key, or they do not belong together.
        """
        if self.protocol == "plaintext":
            return None
        try:
            context = ssl.create_default_context(cafile=self.ca)
        except OSError as error:
            _bad_file("tls_ca", self.ca, error, "a PEM file of certificates")
        if self.cert is not None:
            try:
                # Without the function a key with a passphrase would ask for it on the terminal, and wait.
                context.load_cert_chain(self.cert, self.key, password=lambda: "")
            except OSError as error:
                said = "a certificate and its key, without a passphrase, in PEM"
                at_fault = self.key if self.key is not None and not self.key.exists() else self.cert
                _bad_file("tls_cert and tls_key", at_fault, error, said)
        return context

    def secret(self) -> str:
        """The password.

        Raises:
            Missing: its file is not there or cannot be read.
            BadSecurity: there is no password in it, or more than one line; or it is no file.
        """
        if self.password is not None:
            return self.password
        assert self.password_file is not None  # noqa: S101 - `__post_init__` has seen to it
        if self.password_file.is_fifo():  # the next connection would find nothing in it, or wait for ever
            _refuse(f"{self.password_file}: is a pipe; name a file, or give the password in ATTENTE_SASL_PASSWORD")
        try:
            text = self.password_file.read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            _bad_file("sasl_password_file", self.password_file, error, "a file of one line, the password")
        if not text or "\n" in text or len(text) > _LONGEST_PASSWORD:
            _refuse(f"{self.password_file}: holds no password; write it on one line, and nothing else")
        return text

    def stamp(self) -> str:
        """Another one when the password or a file of the connection has been replaced since; it tells nothing of them.

        Raises:
            Missing: a file is not there or cannot be read.
            BadSecurity: there is no password in its file.
        """
        whole = sha256()
        for setting, file in (("tls_ca", self.ca), ("tls_cert", self.cert), ("tls_key", self.key)):
            try:
                whole.update(sha256(b"" if file is None else file.read_bytes()).digest())
            except OSError as error:
                _bad_file(setting, file, error, "a PEM file")
        whole.update(self.secret().encode() if self.protocol == "sasl" else b"")
        return whole.hexdigest()

    def arguments(self) -> dict[str, Any]:
        """The keyword arguments of kafka-python's clients, which are those of aiokafka's too.

        Raises:
            Missing: a file is not there or cannot be read.
            BadSecurity: a file holds something else than it must.
        """
        arguments: dict[str, Any] = {"security_protocol": _KAFKA_NAMES[self.protocol]}
        if self.protocol != "plaintext":
            arguments["ssl_context"] = self.context()
        if self.protocol == "sasl":
            arguments |= {
                "sasl_mechanism": MECHANISM,
                "sasl_plain_username": self.user,
                "sasl_plain_password": self.secret(),
            }
        return arguments

    @property
    def principal(self) -> str:
        """Who the client is, for messages."""
        if self.protocol == "sasl":
            return f"user {self.user}"
        return f"the bearer of {self.cert}" if self.cert else "a client without a name"

    def secret_files(self) -> tuple[Path, ...]:
        """The files that nobody but their owner should be able to read."""
        if self.protocol == "plaintext":
            return ()
        key = self.key or self.cert
        return tuple(file for file in (key, self.password_file) if file is not None)


PLAINTEXT: Final = Security()
"""A client that says nothing of who it is, and hides nothing: for a broker on loopback."""


def _refuse(msg: str) -> NoReturn:
    raise BadSecurity(msg)


def _bad_file(setting: str, file: Path | None, error: Exception, wanted: str) -> NoReturn:
    if isinstance(error, OSError) and not isinstance(error, ssl.SSLError):
        msg = f"{file}: cannot be read: {error.strerror or error}; {setting} must name {wanted}"
        raise Missing(msg) from None
    msg = f"{file}: cannot be used ({_reason(error)}); {setting} must name {wanted}"
    raise BadSecurity(msg) from None


def _reason(error: Exception) -> str:
    reason = getattr(error, "reason", None) or type(error).__name__
    return str(reason).replace("_", " ").lower()
