"""The local broker with access control: who may connect to it, and the files by which they do."""

import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from attente.broker.certificates import Authority, Pair
from attente.broker.files import write_whole
from attente.broker.server import HOST
from attente.security import Security

ADMIN: Final = "admin"
"""The user whom no rule binds, besides the broker itself."""

BROKER: Final = "broker"
_HOSTS: Final = (f"IP:{HOST}", "DNS:localhost")
_SCRAM_MODULE: Final = "org.apache.kafka.common.security.scram.ScramLoginModule required;"


class Access:
    """What a secured broker has of certificates and passwords, in one folder that only its owner can open.

    Attributes:
        folder: all of it.
        authority: who has signed the broker's certificate, and signs those of clients.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.authority = Authority(folder)
        self._keystore = folder / "broker.pem"

    @property
    def is_there(self) -> bool:
        """Whether the broker of this folder is a secured one."""
        return self.authority.is_there and self._password(ADMIN).exists()

    @property
    def admin(self) -> Security:
        """How the administrator connects."""
        return Security(protocol="sasl", ca=self.authority.cert, user=ADMIN, password_file=self._password(ADMIN))

    def make(self) -> None:
        """Make what is not there yet: the authority, the broker's certificate, the administrator's password.

        Deleting `broker.pem` and starting the broker again gives it a new certificate.

        Raises:
            Missing: there is no openssl.
            CertificateFailed: it does not do it.
        """
        private_folder(self.folder)
        self.authority.make("attente trial network")
        if not self._keystore.exists():
            pair = Pair(self.folder / "broker.crt", self.folder / "broker.key")
            self.authority.issue(BROKER, pair, hosts=_HOSTS)
            # Kafka wants both in one file.
            write_private(self._keystore, pair.key.read_text(encoding="ascii") + pair.cert.read_text(encoding="ascii"))
            pair.cert.unlink()
            pair.key.unlink()
        if not self._password(ADMIN).exists():
            write_private(self._password(ADMIN), new_password() + "\n")

    def scram_arguments(self) -> Path:
        """A file of arguments for the storage tool: on the command line everybody could read the password."""
        file = self.folder / ".format.arguments"
        password = self._password(ADMIN).read_text(encoding="utf-8").strip()
        write_private(file, f"--add-scram\nSCRAM-SHA-512=[name={ADMIN},password={password}]\n")
        return file

    def properties(self, port: int, tls_port: int, controller_port: int) -> dict[str, str]:
        """The settings of the broker that differ from those of an open one."""
        return {
            "listeners": f"SASL://{HOST}:{port},TLS://{HOST}:{tls_port},CONTROLLER://{HOST}:{controller_port}",
            "advertised.listeners": f"SASL://{HOST}:{port},TLS://{HOST}:{tls_port}",
            "listener.security.protocol.map": "SASL:SASL_SSL,TLS:SSL,CONTROLLER:SSL",
            "inter.broker.listener.name": "TLS",
            "listener.name.tls.ssl.client.auth": "required",
            "listener.name.controller.ssl.client.auth": "required",
            "listener.name.sasl.scram-sha-512.sasl.jaas.config": _SCRAM_MODULE,
            "sasl.enabled.mechanisms": "SCRAM-SHA-512",
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(self._keystore.absolute()),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(self.authority.cert.absolute()),
            # The name of a certificate is that of its bearer, so that one list of rights serves both ways to connect.
            "ssl.principal.mapping.rules": "RULE:^CN=(.*)$/$1/,DEFAULT",
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "allow.everyone.if.no.acl.found": "false",
            "super.users": f"User:{BROKER};User:{ADMIN}",
        }

    def write_settings(self, bootstrap: str, tls_port: int, name: str, more: Mapping[str, str]) -> None:
        """Write the settings files of a principal: one with its password, one with a certificate.

        Args:
            bootstrap: where it connects with its password.
            tls_port: where it connects with its certificate.
            name: of the principal's files; its slashes are folders.
            more: further settings; `sasl_user` is who it is.
        """
        user = more["sasl_user"]
        pair = Pair(self.folder / f"{name}.crt", self.folder / f"{name}.key")
        private_folder(pair.cert.parent)
        if not pair.cert.exists() or not pair.key.exists():
            self.authority.issue(user, pair)
        others = {key: value for key, value in more.items() if key != "sasl_user"}
        write_sasl_settings(self.folder, bootstrap, self.authority.cert, name, more)
        write_private(
            self.folder / f"{name}.tls.yaml",
            settings_text(
                {
                    "broker": f"{HOST}:{tls_port}",
                    "security": "tls",
                    "tls_ca": _relative(self.authority.cert, pair.cert.parent),
                    "tls_cert": pair.cert.name,
                    "tls_key": pair.key.name,
                    **others,
                }
            ),
        )

    def _password(self, name: str) -> Path:
        return password_file(self.folder, name)


def password_file(folder: Path, name: str) -> Path:
    """Where the password of a principal lies."""
    return folder / f"{name}.password"


def write_sasl_settings(folder: Path, bootstrap: str, ca: Path | None, name: str, more: Mapping[str, str]) -> Path:
    """Write the settings file of a principal that connects with its password; gives the file."""
    file = folder / f"{name}.yaml"
    authority = {} if ca is None else {"tls_ca": _relative(ca, file.parent)}
    password = password_file(folder, name).name
    text = settings_text({"broker": bootstrap, "security": "sasl", **authority, "sasl_password_file": password, **more})
    write_private(file, text)
    return file


def settings_text(settings: Mapping[str, str]) -> str:
    """A settings file; every value in quotes, so that none is anything but text."""
    lines = ["# Written by attente; for `attente COMMAND --config FILE`. Paths count from this folder."]
    return "\n".join([*lines, *(f'{name}: "{value}"' for name, value in settings.items()), ""])


def new_password() -> str:
    """A password that nobody has to remember: 192 random bits."""
    return secrets.token_urlsafe(24)


def private_folder(folder: Path) -> None:
    """Make a folder, and those above it that are not there yet, so that its owner alone can open them.

    One that is there already keeps its mode: it may be somebody's own.
    """
    for one in reversed([folder, *folder.parents]):
        one.mkdir(mode=0o700, exist_ok=True)


def write_private(file: Path, text: str) -> None:
    """Write a file that its owner alone can read, whole or not at all."""
    private_folder(file.parent)
    write_whole(file, text, mode=0o600)


def _relative(file: Path, folder: Path) -> str:
    return os.path.relpath(file.absolute(), folder.absolute())
