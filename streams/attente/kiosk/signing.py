"""The key of a kiosk: read from a file that nobody else may read, and of the office in which the kiosk stands."""

from pathlib import Path

from attente.errors import BadInput, Missing
from attente.model.signatures import Key, KeysUnreadable, read_keys


def read_key(path: Path, office: str) -> Key:
    """The key of an office in a file of keys; of several it is the last, so that a new one is added below.

    Raises:
        BadInput: the file has no key of that office, or is none of keys; its content is not told.
        Missing: it is not there or cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        msg = f"{path}: the key cannot be read ({error.strerror}); make one with `attente keys new`"
        raise Missing(msg) from None
    except UnicodeDecodeError:
        msg = f"{path}: not UTF-8; write a line for each key: KEY-ID OFFICE SECRET"
        raise BadInput(msg) from None
    return key_in(text, office, str(path))


def key_in(text: str, office: str, name: str) -> Key:
    """The key of an office in a text, as `read_key`; `name` is what messages call the text.

    Raises:
        BadInput: there is none.
    """
    try:
        keys = read_keys(text)
    except KeysUnreadable as error:
        msg = f"{name}: {error}"
        raise BadInput(msg) from None
    ours = [key for key in keys if key.office == office]
    if not ours:
        msg = f"{name}: no key of office {office}; make one with `attente keys new --office {office}`"
        raise BadInput(msg)
    return ours[-1]
