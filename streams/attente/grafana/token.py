"""The token of a Grafana service account: where it comes from, and why nobody sees it."""

import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from attente.errors import BadInput, Missing

TOKEN: Final = "ATTENTE_GRAFANA_TOKEN"  # noqa: S105 - the name of a variable
"""The environment variable that holds the token when no file does."""

_HIDDEN: Final = "[token]"
# What a header may hold. http.client would repeat a value with any other character in its error.
_SENDABLE: Final = re.compile(r"[!-~]+")
_LARGEST: Final = 4096  # a token of Grafana has 46 characters, a signed one some hundred; a larger file is another file


class Token:
    """A secret: it has no representation, compares by identity, and is handed out by `reveal` alone."""

    __slots__ = ("_secret",)

    def __init__(self, secret: str) -> None:
        self._secret = secret

    def __repr__(self) -> str:
        return _HIDDEN

    __str__ = __repr__

    def __reduce__(self) -> str:
        msg = "a token is not pickled"
        raise TypeError(msg)

    def reveal(self) -> str:
        """The secret itself, for the client that sends it."""
        return self._secret

    def hide_in(self, text: str) -> str:
        """The text without the secret: servers and proxies may repeat what they were sent."""
        return text.replace(self._secret, _HIDDEN)


@dataclass(frozen=True, slots=True)
class Found:
    """A token, and what its owner should know about the way it is kept ("" for nothing)."""

    token: Token
    warning: str = ""


def find_token(file: Path | None, environ: Mapping[str, str]) -> Found:
    """The token from a file, else from the environment.

    Raises:
        BadInput: what is there cannot be a token; the message does not repeat it.
        Missing: there is none, or the file cannot be read.
    """
    if file is not None:
        return _from_file(file)
    if environ.get(TOKEN, "").strip():
        return Found(_checked(environ[TOKEN], TOKEN))
    msg = f"no token for Grafana: name a file with --token-file, or set {TOKEN}"
    raise Missing(msg)


def _from_file(file: Path) -> Found:
    try:
        with file.open("rb") as opened:
            mode = os.fstat(opened.fileno()).st_mode
            content = opened.read(_LARGEST + 1)
    except OSError as error:
        msg = f"{file}: {error.strerror or type(error).__name__}; --token-file names a file that holds the token alone"
        raise Missing(msg) from None
    if len(content) > _LARGEST:
        msg = f"{file}: has more than {_LARGEST} bytes, too many for a token; it holds the token alone, on one line"
        raise BadInput(msg)
    return Found(_checked(content.decode("latin-1"), str(file)), _readable(file, mode))


def _checked(text: str, place: str) -> Token:
    secret = text.strip()
    if not secret:
        msg = f"{place}: is empty; it holds the token alone, on one line"
        raise BadInput(msg)
    if not _SENDABLE.fullmatch(secret):
        msg = f"{place}: is no token: it has blanks, line ends or other characters that cannot be sent; copy it again"
        raise BadInput(msg)
    return Token(secret)


def _readable(file: Path, mode: int) -> str:
    if not mode & (stat.S_IRGRP | stat.S_IROTH):
        return ""
    return f"{file}: others on this machine can read the token (mode {stat.S_IMODE(mode):04o}); chmod 600 {file}"
