"""The keys of one mapping of a registry file: known, present, of the right shape, each read by its own reader."""

from collections.abc import Callable, Mapping
from typing import Final, TypeVar

from yaml import MappingNode, Node, ScalarNode, SequenceNode

from attente.registry.document import TAGS
from attente.registry.problems import Problems
from attente.registry.scalars import Unreadable, shown

T = TypeVar("T")

ALL: Final = "*"
SHAPES: Final[dict[type[Node], str]] = {ScalarNode: "a single value", SequenceNode: "a list", MappingNode: "a mapping"}


class Fields:
    """One mapping. What cannot be read is noted, and replaced by an example so that reading can go on.

    The example is the text that a remedy proposes, read by the same reader: the result has the right type, and is
    never handed out, for a file with problems yields no registry.

    Attributes:
        where: what stands before every message, as in `norm caf-20: `.
        examples: the keys there are, each with what a remedy proposes.
        problems: where what is wrong is noted.
        failed: the keys that could not be read; checks across keys leave them alone.
    """

    def __init__(self, node: Node, where: str, examples: Mapping[str, str], problems: Problems) -> None:
        self.node = node
        self.where = where
        self.failed: set[str] = set()
        self.values: dict[str, Node] = {}
        self.examples = examples
        self.problems = problems
        what = f"{where.rstrip(': ')} " if where else "the file "
        example = f"the keys {', '.join(examples)}"
        if is_shape(node, MappingNode, what, example, problems) and isinstance(node, MappingNode):
            self._take(node)
        else:
            self.failed.update(examples)

    def _take(self, node: MappingNode) -> None:
        lines: dict[str, int] = {}
        for key_node, value in node.value:
            if not is_shape(key_node, ScalarNode, f"{self.where}a key ", next(iter(self.examples)), self.problems):
                continue
            key = key_node.value
            if key in lines:
                again = f"key {shown(key)} stands already in line {lines[key]}; keep one of them"
                self.problems.add(key_node, f"{self.where}{again}")
                continue
            lines[key] = key_node.start_mark.line + 1
            if key in self.examples:
                self.values[key] = value
            elif key == "<<":
                self.problems.add(key_node, f"{self.where}merge keys are not read; write the merged keys out")
            else:
                remedy = self.problems.instead(key, self.examples, "the keys here")
                self.problems.add(key_node, f"{self.where}unknown key {shown(key)}; {remedy}")

    def at(self, key: str) -> Node:
        """Where a message about a key belongs: its value, else the mapping."""
        return self.values.get(key, self.node)

    def fail(self, key: str, message: str) -> None:
        """Notes a problem with the value of a key."""
        self.failed.add(key)
        self.problems.add(self.at(key), f"{self.where}{message}")

    def scalar(self, key: str, read: Callable[[str], T], default: str | None = None) -> T:
        """A single value, read from its text; `default` is the text that an absent key stands for."""
        node = self.values.get(key)
        if node is None:
            if default is not None:
                return read(default)
            self._missing(key)
        elif is_shape(node, ScalarNode, f"{self.where}{key} ", self.examples[key], self.problems):
            if not node.value:
                self.fail(key, f"{key} is empty; write {self.examples[key]}")
                return read(self.examples[key])
            try:
                return read(node.value)
            except Unreadable as error:
                self.fail(key, f"{key} {error}")
        self.failed.add(key)
        return read(self.examples[key])

    def flaw(self, key: str, item: Node, message: str) -> None:
        """Notes a problem with a part of the value of a key."""
        self.failed.add(key)
        self.problems.add(item, f"{self.where}{key}: {message}")

    def items(self, key: str, at_least: int = 1, at_most: int | None = None) -> list[Node]:
        """The items of a list."""
        node = self.values.get(key)
        if node is None:
            self._missing(key)
            return []
        if not is_shape(node, SequenceNode, f"{self.where}{key} ", self.examples[key], self.problems):
            self.failed.add(key)
            return []
        found: list[Node] = node.value
        if len(found) < at_least:
            self.fail(key, f"{key} is empty; write {self.examples[key]}")
        if at_most is not None and len(found) > at_most:
            self.failed.add(key)
            self.problems.add(
                found[at_most], f"{self.where}{len(found):,} {key} are more than {at_most:,}; split the network"
            )
        return found

    def names(self, key: str, read: Callable[[str], str]) -> tuple[str, ...]:
        """A list of single values, each once."""
        lines: dict[str, int] = {}
        for item in self.items(key):
            if not is_shape(item, ScalarNode, f"{self.where}{key} ", self.examples[key], self.problems):
                self.failed.add(key)
                continue
            try:
                name = read(item.value)
            except Unreadable as error:
                self.flaw(key, item, str(error))
                continue
            if name in lines:
                self.flaw(key, item, f"{shown(name)} stands in line {lines[name]} already; give each its own")
            lines.setdefault(name, item.start_mark.line + 1)
        return tuple(lines)

    def selection(self, key: str, known: Mapping[str, int] | None) -> tuple[str, ...]:
        """Ids out of the known ones, in the order of their numbers; an absent key and `"*"` stand for all.

        Args:
            key: where the selection stands; also what the known ones are called, as in `services`.
            known: every id with its place in the order; None where they could not be read, and nothing is checked.
        """
        node = self.values.get(key)
        if node is None or (isinstance(node, ScalarNode) and node.value == ALL):
            return tuple(known or ())
        chosen: dict[str, int] = {}
        for item in self.items(key):
            if not is_shape(item, ScalarNode, f"{self.where}{key} ", self.examples[key], self.problems):
                self.failed.add(key)
            elif item.value in chosen:
                self.flaw(key, item, f"{shown(item.value)} is listed twice; keep one of them")
            elif known is None or item.value in known:
                chosen[item.value] = known[item.value] if known else 0
            elif item.value == ALL:
                self.flaw(key, item, '"*" stands for all and takes no company; write it without the list')
            else:
                remedy = self.problems.instead(item.value, known, f"the {key} here")
                self.flaw(key, item, f"{shown(item.value)} is not known; {remedy}")
        return tuple(sorted(chosen, key=chosen.__getitem__))

    def _missing(self, key: str) -> None:
        if key not in self.failed:
            self.fail(key, f"{key} is missing; add {key}: {self.examples[key]}")


def is_shape(node: Node, shape: type[Node], what: str, example: str, problems: Problems) -> bool:
    """Whether a node is a scalar, a list or a mapping without a tag of its own; notes the problem when it is not."""
    if not isinstance(node, shape):
        problems.add(node, f"{what}is {_shape(node)}, but must be {SHAPES[shape]}; write {example}")
        return False
    if node.tag != TAGS[shape]:
        tag = node.tag.replace("tag:yaml.org,2002:", "!!")
        problems.add(node, f"{what}has the tag {shown(tag)}, and tags are not read; leave it out")
        return False
    return True


def _shape(node: Node) -> str:
    if isinstance(node, ScalarNode) and not node.value:
        return "empty"
    return next(name for kind, name in SHAPES.items() if isinstance(node, kind))
