"""What is wrong with a registry file: every problem with its place and its remedy, reported together."""

import difflib
from collections.abc import Collection
from dataclasses import dataclass
from typing import ClassVar, Final

from yaml import Node

from attente.errors import BadInput

SUGGESTIONS: Final = 50  # one among a few thousand ids costs up to 50 ms: all of them stay within some seconds
SUGGESTED_FROM: Final = 5_000
BEGINNING: Final = 3  # letters; fewer are the beginning of anything
LISTED: Final = 12  # the keys of a norm or an office


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to put right.

    Attributes:
        file: the name under which the text was given.
        line, column: where the offending value begins, from 1.
        message: what is wrong with which value, and what to write instead.
    """

    file: str
    line: int
    column: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.message}"


class RegistryError(BadInput):
    """A registry file that cannot be used; its text is one line for each problem, in the order of the file."""

    exit_code: ClassVar[int] = BadInput.exit_code

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


class Problems:
    """Collects what is wrong with one file, so that all of it can be told at once."""

    def __init__(self, file: str) -> None:
        self.file = file
        self._found: dict[Problem, None] = {}  # a set in order: an alias brings the same problem again
        self._suggestions = SUGGESTIONS

    def __bool__(self) -> bool:
        return bool(self._found)

    def add(self, node: Node, message: str) -> None:
        """Notes a problem with the value that a node holds."""
        self.add_at(node.start_mark.line + 1, node.start_mark.column + 1, message)

    def add_at(self, line: int, column: int, message: str) -> None:
        """Notes a problem at a place counted from 1."""
        self._found[Problem(self.file, line, column, message)] = None

    def error(self) -> RegistryError:
        """All problems as one error, in the order of the file."""
        return RegistryError(tuple(sorted(self._found, key=lambda problem: (problem.line, problem.column))))

    def instead(self, word: str, known: Collection[str], plural: str) -> str:
        """The remedy for a word that is none of the known ones: the nearest of them, or all, or the first of them.

        The nearest is what the word begins with, as `wednesday` does with `wed`, else the most alike.
        """
        if self._suggestions and len(known) <= SUGGESTED_FROM:
            self._suggestions -= 1
            near = [one for one in known if len(one) >= BEGINNING and word.startswith(one)] if word.isalpha() else []
            near = sorted(near, key=len, reverse=True) or difflib.get_close_matches(word, known, n=1)
            if near:
                return f"did you mean {near[0]}?"
        some = list(known)[:LISTED]
        return f"{plural} are {', '.join(some)}{', …' if len(known) > len(some) else ''}"
