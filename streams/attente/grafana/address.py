"""Where a Grafana is, and which certificates vouch for it."""

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from attente.errors import BadInput, Missing

_THIS_MACHINE: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})


@dataclass(frozen=True, slots=True)
class Address:
    """Where a Grafana is; `path` is "" or ends with a slash."""

    scheme: str
    host: str
    port: int | None
    path: str

    def __str__(self) -> str:
        port = "" if self.port is None else f":{self.port}"
        return f"{self.scheme}://{self.host}{port}/{self.path}".rstrip("/")

    @property
    def is_overheard(self) -> bool:
        """Whether what is sent there can be read on the way: plain HTTP beyond this machine."""
        return self.scheme == "http" and self.host not in _THIS_MACHINE


def address(url: str) -> Address:
    """The address that a URL names.

    Raises:
        ValueError: with the words that follow the offending value, which may hold a password and is not repeated.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        parts, host, port = urlsplit(""), None, None
    if parts.scheme not in {"http", "https"} or not host:
        msg = "is no address of a Grafana; write one like https://grafana.example.org or http://127.0.0.1:3000/grafana"
        raise ValueError(msg)
    if parts.username is not None or parts.password is not None:
        msg = "has a user or a password in it; leave them out, the token is enough"
        raise ValueError(msg)
    if parts.query or parts.fragment:
        msg = "has a ? or a # in it; write the address of Grafana's start page without them"
        raise ValueError(msg)
    path = parts.path.strip("/")
    return Address(parts.scheme, f"[{host}]" if ":" in host else host, port, f"{path}/" if path else "")


def trusted(ca_file: Path) -> str:
    """A file of certificates that can be read, as its path.

    Raises:
        BadInput: it holds none.
        Missing: it cannot be read.
    """
    try:
        ssl.create_default_context(cafile=str(ca_file))
    except ssl.SSLError:
        msg = f"{ca_file}: holds no certificate that can be read; --ca-file takes PEM, -----BEGIN CERTIFICATE-----"
        raise BadInput(msg) from None
    except OSError as error:
        msg = f"{ca_file}: {error.strerror or type(error).__name__}; --ca-file names a file of certificates"
        raise Missing(msg) from None
    return str(ca_file)
