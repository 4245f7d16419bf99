"""From the text of a registry file to a tree of nodes that know their line and column.

Scalars stay the text that the user wrote. YAML 1.1 would read `03:00` as 180, `no` as false and `1_0` as 10; which type
a value has is decided by the key that it stands under, never by its looks.
"""

from collections.abc import Callable
from typing import Any, Final, Protocol

import yaml
from yaml.composer import Composer, ComposerError
from yaml.parser import Parser
from yaml.reader import Reader
from yaml.scanner import Scanner

from attente.registry.problems import Problems

DEPTH: Final = 16  # the format needs six; PyYAML composes recursively and would hit the interpreter's limit
EXPANDED: Final = 10_000_000
"""Most values that a file may hold once its aliases are expanded: what a hundred thousand offices need ten times over,
and what a bomb of nested aliases exceeds at once."""

TAGS: Final[dict[type[yaml.Node], str]] = {
    yaml.ScalarNode: "tag:yaml.org,2002:str",
    yaml.SequenceNode: "tag:yaml.org,2002:seq",
    yaml.MappingNode: "tag:yaml.org,2002:map",
}
REMEDIES: Final = (
    ("scanning an alias", 'write "*" in quotes where all are meant'),
    ("undefined alias", "define it before with & or write its value out"),
    ("duplicate anchor", "give each anchor its own name"),
    ("inside its own anchor", "write the value out"),
    ("aliases expand", 'write "*" in quotes where all are meant'),
    ("tab character", "indent with spaces, not with tabs"),
    ("start any token", "indent with spaces and put a value that begins with such a sign in quotes"),
    ("mapping values are not allowed", "put a value that contains ': ' in quotes, or mend the indentation"),
    ("single document", "keep one document in the file"),
    ("escape character", "write the backslash twice or use single quotes"),
    ("quoted scalar", "close the quotes"),
    ("flow sequence", "close the list with ] and part its items with commas"),
    ("flow mapping", "close the mapping with } and part its items with commas"),
)


class Tree(Protocol):
    """What makes one tree out of one text."""

    def get_single_node(self) -> yaml.Node | None:
        """The root, or None when the text holds no document."""

    def dispose(self) -> None:
        """Breaks the reference cycles of the parser."""


class _Limits(Composer):
    """A composer that leaves scalars untyped and refuses what nests or expands without bounds."""

    def __init__(self) -> None:
        super().__init__()
        self._depth = 0
        self._count = 0
        self._sizes: dict[str, int] = {}

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """The next node, if the file as a whole stays within its limits."""
        event = self.peek_event()  # type: ignore[attr-defined]  # of the parser that a tree is mixed with
        if isinstance(event, yaml.AliasEvent):
            self._expand(event)
            return super().compose_node(parent, index)
        self._depth += 1
        self._count += 1
        if self._depth > DEPTH:
            raise _beyond(event, f"lists and mappings nest deeper than {DEPTH}")
        before = self._count
        node = super().compose_node(parent, index)
        self._depth -= 1
        if event.anchor is not None:
            self._sizes[event.anchor] = self._count - before + 1
        return node

    def _expand(self, alias: yaml.AliasEvent) -> None:
        anchor = alias.anchor or ""
        if anchor in self.anchors and anchor not in self._sizes:
            raise _beyond(alias, f"alias *{anchor} stands inside its own anchor")
        self._count += self._sizes.get(anchor, 0)
        if self._count > EXPANDED:
            raise _beyond(alias, f"the aliases expand to over {EXPANDED:,} values")

    def resolve(self, kind: type[yaml.Node], value: str | None, implicit: object) -> str:  # noqa: ARG002 - PyYAML's
        """Every scalar is text; PyYAML asks here what its looks make of it."""
        return TAGS[kind]

    def descend_resolver(self, parent: yaml.Node | None, index: object) -> None:
        """Nothing to prepare: types do not depend on the path."""

    def ascend_resolver(self) -> None:
        """Nothing to take back."""


class PlainTree(_Limits, Reader, Scanner, Parser):
    """A tree by PyYAML's own scanner."""

    def __init__(self, text: str) -> None:
        Reader.__init__(self, text)
        Scanner.__init__(self)
        Parser.__init__(self)
        _Limits.__init__(self)


TREES: tuple[Callable[[str], Tree], ...] = (PlainTree,)

try:
    from yaml._yaml import CParser
except ImportError:  # PyYAML was built without libyaml
    pass
else:

    class FastTree(_Limits, CParser):
        """A tree by libyaml's scanner, six times as fast: 2,000 offices in 0.3 s."""

        def __init__(self, text: str) -> None:
            CParser.__init__(self, text)
            _Limits.__init__(self)

    TREES = (FastTree, PlainTree)


def compose(text: str, problems: Problems, tree: Callable[[str], Tree] = TREES[0]) -> yaml.Node:
    """The root node of a text.

    Raises:
        RegistryError: the text is empty or not YAML, with the place; what is in it has not been looked at then.
    """
    odd = Reader.NON_PRINTABLE.search(text)
    if odd is not None:
        line, column = place(text, odd.start())
        problems.add_at(line, column, f"character U+{ord(odd[0]):04X} is not allowed in YAML; remove it")
        raise problems.error()
    composer = tree(text)
    try:
        root = composer.get_single_node()
    except yaml.MarkedYAMLError as error:
        _note(error, problems)
        raise problems.error() from None
    finally:
        composer.dispose()
    if root is None:
        problems.add_at(1, 1, "the file is empty; begin with network: NAME, services: and offices:")
        raise problems.error()
    return root


def place(text: str, position: int) -> tuple[int, int]:
    """Line and column of a position in a text, from 1."""
    return text.count("\n", 0, position) + 1, position - text.rfind("\n", 0, position)


def _beyond(event: yaml.NodeEvent, what: str) -> ComposerError:
    mark = event.start_mark
    return ComposerError(None, None, what, mark)  # type: ignore[arg-type]  # libyaml's marks are as good


def _note(error: yaml.MarkedYAMLError, problems: Problems) -> None:
    mark = error.problem_mark or error.context_mark
    said = " ".join(part for part in (error.context, error.problem) if part)
    remedy = next((remedy for sign, remedy in REMEDIES if sign in said), "check quotes and indentation here and above")
    begun = error.context_mark
    since = f" (begun in line {begun.line + 1})" if begun is not None and mark is not begun else ""
    line, column = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
    problems.add_at(line, column, f"not YAML: {said}{since}; {remedy}")
