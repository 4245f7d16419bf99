"""Selectors: which offices or services a norm is about, in words that go on meaning the same as the network grows.

    offices: [region:Île-de-France, size:large, not:75-nation]

A selection is the union of what it names, all when it names nothing, less what it excludes; the order of its words
decides nothing.
"""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from yaml import MappingNode, Node, ScalarNode

from attente.registry.entities import Office
from attente.registry.fields import ALL, Fields, is_shape
from attente.registry.scalars import shown

NOT: Final = "not"
Groups = Mapping[str, Mapping[str, frozenset[str]]]


class Selectable(NamedTuple):
    """What can be selected.

    Attributes:
        listed: all ids, in the order of the file.
        ids: the same.
        groups: by the word before the colon, what each word after it stands for.
    """

    listed: tuple[str, ...]
    ids: frozenset[str]
    groups: Groups


class Term(NamedTuple):
    """One word of a selection: the ids that it stands for, and whether it takes them out."""

    ids: frozenset[str]
    is_exclusion: bool


def selectable_offices(offices: Mapping[str, Office]) -> Selectable:
    """Offices by id, region and size."""
    regions: dict[str, list[str]] = {}
    sizes: dict[str, list[str]] = {}
    for office in offices.values():
        regions.setdefault(office.region, []).append(office.id)
        if office.size:
            sizes.setdefault(office.size, []).append(office.id)
    return Selectable(tuple(offices), frozenset(offices), {"region": _frozen(regions), "size": _frozen(sizes)})


def selectable_services(services: Iterable[str]) -> Selectable:
    """Services by id."""
    listed = tuple(services)
    return Selectable(listed, frozenset(listed), {})


def _frozen(groups: Mapping[str, list[str]]) -> dict[str, frozenset[str]]:
    return {word: frozenset(ids) for word, ids in groups.items()}


def chosen(terms: Iterable[Term], everything: frozenset[str]) -> frozenset[str]:
    """What a selection comes to."""
    terms = tuple(terms)
    named = [term.ids for term in terms if not term.is_exclusion]
    selected = frozenset[str]().union(*named) if named else everything
    selected = selected.difference(*(term.ids for term in terms if term.is_exclusion))
    return everything if len(selected) == len(everything) else selected  # many norms then share one set


def select(fields: Fields, key: str, known: Selectable | None) -> frozenset[str]:
    """What the value of a key selects; an absent key and `"*"` select all.

    What is wrong is noted, and the key is marked as failed then.

    Args:
        fields: the mapping that may hold the key.
        key: where the selection stands; also what is selected, as in `offices`.
        known: what there is; None where it could not be read, and then nothing refers to it.
    """
    node = fields.values.get(key)
    if node is None:
        return known.ids if known else frozenset()
    reading = _Reading(fields, key, known)
    terms = reading.terms(node)
    if known is None or key in fields.failed:
        return frozenset()
    selected = chosen(terms.values(), known.ids)
    if not selected:
        words = shown(", ".join(terms))
        fields.fail(key, f"{key}: {words} selects none of the {key} here; name others or exclude fewer")
    return selected


class _Reading:
    """One reading of one selection."""

    def __init__(self, fields: Fields, key: str, known: Selectable | None) -> None:
        self.fields = fields
        self.key = key
        self.known = known

    def terms(self, node: Node) -> dict[str, Term]:
        """The words of a selection that can be read; a single one needs no list."""
        items = [node] if isinstance(node, ScalarNode) and node.value else self.fields.items(self.key)
        terms: dict[str, Term] = {}
        for item in items:
            word = self._word(item)
            if word is None:
                continue
            if word in terms:
                self._flaw(item, f"{shown(word)} is listed twice; keep one of them")
                continue
            term = self._term(item, word)
            if term is not None:
                terms[word] = term
        others = [word for word, term in terms.items() if not term.is_exclusion and word != ALL]
        if ALL in terms and others:
            star = next(item for item in items if item.value == ALL)
            self._flaw(star, f'"*" stands for all, {shown(others[0])} included; leave one of them out')
        return terms

    def _word(self, item: Node) -> str | None:
        if isinstance(item, MappingNode) and len(item.value) == 1:
            ((before, after),) = item.value
            if isinstance(before, ScalarNode) and isinstance(after, ScalarNode) and after.value:
                said, meant = (shown(f"{before.value}:{space}{after.value}") for space in (" ", ""))
                self._flaw(item, f"{said} is a mapping; write {meant} without the space")
                return None
        fields = self.fields
        if is_shape(item, ScalarNode, f"{fields.where}{self.key} ", fields.examples[self.key], fields.problems):
            return str(item.value)
        fields.failed.add(self.key)
        return None

    def _term(self, item: Node, word: str) -> Term | None:
        if self.known is None:
            return None
        bare = word.removeprefix(f"{NOT}:")
        ids = self._ids(bare, self.known)
        if ids is None:
            self._flaw(item, self._unknown(bare, self.known))
            return None
        return Term(ids, is_exclusion=bare != word)

    def _ids(self, bare: str, known: Selectable) -> frozenset[str] | None:
        if bare == ALL:
            return known.ids
        if bare in known.ids:
            return frozenset((bare,))
        kind, _, value = bare.partition(":")
        return known.groups.get(kind, {}).get(value)

    def _unknown(self, bare: str, known: Selectable) -> str:
        """What is wrong with a word that stands for nothing."""
        instead = self.fields.problems.instead
        kind, colon, value = bare.partition(":")
        group = known.groups.get(kind)
        if kind == NOT and colon:
            return f"{shown(f'{NOT}:{bare}')} excludes twice; write {shown(value or bare)}"
        if colon and group is None:
            remedy = instead(kind, (*known.groups, NOT), f"the words before a colon in {self.key}")
            return f"{shown(bare)} begins with {shown(kind)}, which means nothing; {remedy}"
        if colon and not group:
            return (
                f"{shown(bare)} is not known: no office has a {kind}; add {kind}: {value or 'large'} where it applies"
            )
        if group:
            return f"{kind} {shown(value)} is not known; {instead(value, tuple(group), f'the {kind}s here')}"
        for kind, group in known.groups.items():
            if bare in group:
                return f"{shown(bare)} is the name of a {kind}; write {kind}:{bare}"
        return f"{shown(bare)} is not known; {instead(bare, known.listed, f'the {self.key} here')}"

    def _flaw(self, item: Node, message: str) -> None:
        self.fields.flaw(self.key, item, message)
