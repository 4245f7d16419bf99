"""How the programs of a demo connect to a cluster that somebody has named: as the demo itself does."""

from pathlib import Path

from attente.security import Security
from attente.settings import ENVIRONMENT


def flags_of(security: Security) -> dict[str, str | Path]:
    """The flags of a connection, by name and with absolute paths; none of them is a secret.

    The programs work in a folder of their own, and see nothing of what the environment says of other connections.
    """
    if security.protocol == "plaintext":
        return {}
    files = {
        "tls-ca": security.ca,
        "tls-cert": security.cert,
        "tls-key": security.key,
        "sasl-password-file": security.password_file,
    }
    named = {"security": security.protocol, "sasl-user": security.user}
    told = {flag: text for flag, text in named.items() if text is not None}
    return told | {flag: file.absolute() for flag, file in files.items() if file is not None}


def secrets_of(security: Security) -> dict[str, str]:
    """What a program that connects has to find in its environment, because it stands in no file."""
    return {} if security.password is None else {f"{ENVIRONMENT}SASL_PASSWORD": security.password}
