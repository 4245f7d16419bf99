"""Certificates for a trial network: an authority of its own, and what it signs, made by the program openssl."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from attente.errors import Missing, Unreachable
from attente.settings import foreign

AUTHORITY_DAYS: Final = 3_650
CERTIFICATE_DAYS: Final = 825  # the longest that browsers and mobile systems take, so that no client objects
_PRIVATE: Final = 0o077
_SECONDS: Final = 60


class CertificateFailed(Unreachable):
    """openssl did not make what it was asked for."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its key, in PEM files."""

    cert: Path
    key: Path


class Authority:
    """Who signs: its key never leaves the folder.

    Attributes:
        cert: what everybody has to know of it.
    """

    def __init__(self, folder: Path) -> None:
        """Names it; `make` makes it."""
        self._folder = folder
        self._key = folder / "ca.key"
        self.cert = folder / "ca.pem"

    @property
    def is_there(self) -> bool:
        """Whether it has been made."""
        return self.cert.exists() and self._key.exists()

    def make(self, name: str) -> None:
        """Make it, unless it is there.

        Raises:
            Missing: there is no openssl.
            CertificateFailed: it does not do it.
        """
        if not self.is_there:
            request = ("req", "-x509", *_NEW_KEY, "-sha256", "-days", str(AUTHORITY_DAYS), "-keyout", str(self._key))
            config = _config(name, "basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign,cRLSign")
            self._openssl([*request, "-out", str(self.cert)], config)

    def issue(self, name: str, pair: Pair, *, hosts: Sequence[str] = (), days: int = CERTIFICATE_DAYS) -> None:
        """Sign a new certificate for a new key; what is in the files is replaced.

        Args:
            name: whose it is, its common name.
            pair: the files.
            hosts: `DNS:…` and `IP:…` that a server answers to; empty for a client.
            days: for how long.

        Raises:
            Missing: there is no openssl.
            CertificateFailed: it does not do it.
        """
        wanted = pair.cert.with_suffix(".csr")
        usage = "extendedKeyUsage=clientAuth" + (",serverAuth" if hosts else "")
        extensions = [usage, *([f"subjectAltName={','.join(hosts)}"] if hosts else [])]
        config = _config(name, "basicConstraints=critical,CA:FALSE", *extensions)
        try:
            self._openssl(["req", "-new", *_NEW_KEY, "-sha256", "-keyout", str(pair.key), "-out", str(wanted)], config)
            sign = ("x509", "-req", "-sha256", "-days", str(days), "-in", str(wanted), "-out", str(pair.cert))
            by = ("-CA", str(self.cert), "-CAkey", str(self._key), "-CAcreateserial")
            self._openssl([*sign, *by, "-extensions", "ext"], config, extensions=True)
        finally:
            wanted.unlink(missing_ok=True)

    def _openssl(self, arguments: Sequence[str], config: str, *, extensions: bool = False) -> None:
        program = shutil.which("openssl")
        if program is None:
            msg = "certificates are made by openssl, which is not installed; install it (Debian: apt install openssl)"
            raise Missing(msg)
        # The names stand in a file, because a subject on the command line would be taken apart at each slash.
        file = self._folder / ".openssl.cnf"
        file.write_text(config, encoding="utf-8")
        try:
            done = subprocess.run(  # noqa: S603 - our own command
                [program, *arguments, "-extfile" if extensions else "-config", str(file)],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
                timeout=_SECONDS,
                umask=_PRIVATE,
                env=foreign(os.environ),
            )
        finally:
            file.unlink()
        if done.returncode:
            said = " ".join(done.stderr.split()) or "no word"
            msg = f"openssl {arguments[0]} failed: {said[-300:]}"
            raise CertificateFailed(msg)


# Keys of elliptic curves are made in milliseconds; PKCS#8 without a passphrase is what Kafka and Python both read.
_NEW_KEY: Final = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


def _config(name: str, *extensions: str) -> str:
    lines = ["[req]", "prompt=no", "distinguished_name=dn", "x509_extensions=ext", "string_mask=utf8only"]
    return "\n".join([*lines, "[dn]", f"CN={name}", "[ext]", *extensions, ""])
