"""A file that holds no events at all is another kind of file: it is refused as a whole, and soon."""

from typing import Final

from attente.errors import BadInput
from attente.sources.records import Records

_TRIED: Final = 1_000
"""Lines without any event among them after which nobody expects one any more."""


class WrongFile:
    """Watches whether any line is an event; remembers the first one that is none, to say where the file is wrong."""

    def __init__(self, name: str) -> None:
        """No line has been seen.

        Args:
            name: what errors call the file.
        """
        self._name = name
        self._lines = 0
        self._first = b""
        self._is_right = False

    def accept(self) -> None:
        """The next line is an event."""
        self._is_right = True

    def refuse(self, raw: bytes) -> None:
        """The next line is none.

        Raises:
            BadInput: so were all of very many lines.
        """
        if self._is_right:
            return
        self._first = self._first if self._lines else raw
        self._lines += 1
        if self._lines >= _TRIED:
            self.check()

    def check(self) -> None:
        """See that there was an event.

        Raises:
            BadInput: there was none; with line and column.
        """
        if self._is_right:
            return
        if not self._lines:
            msg = f"{self._name}:1:1: the file is empty; it must hold events, one JSON object a line"
            raise BadInput(msg)
        try:
            Records(self._name, 1).record(1, self._first)
        except BadInput as error:
            msg = f"{error}; no line is an event: is this a file of events, one JSON object a line?"
            raise BadInput(msg) from None
