from collections.abc import Callable

import pytest
import yaml

from attente.registry import document
from attente.registry.load import RegistryError
from attente.registry.problems import Problem, Problems
from registry.registry_files import SOUND

BOTH = pytest.mark.parametrize("tree", document.TREES)

MakeTree = Callable[[str], document.Tree]


def refusal(text: str, tree: MakeTree) -> Problem:
    with pytest.raises(RegistryError) as refused:
        document.compose(text, Problems("r.yaml"), tree)
    (problem,) = refused.value.problems
    return problem


def dump(node: yaml.Node) -> object:
    place = (type(node).__name__, node.start_mark.line, node.start_mark.column)
    if isinstance(node, yaml.ScalarNode):
        return (*place, node.value)
    if isinstance(node, yaml.MappingNode):
        return (*place, [(dump(key), dump(value)) for key, value in node.value])
    return (*place, [dump(item) for item in node.value])


def test_libyaml_is_used_where_pyyaml_has_it() -> None:
    assert (document.TREES[0] is not document.PlainTree) == yaml.__with_libyaml__


def test_both_scanners_see_the_same_values_at_the_same_places() -> None:
    text = SOUND + "# é\nmore: {é: [à, 'b ç', \"d\\n\"], f: ''}\nlong: |\n  g\n  h\nfolded:\n  i\n  j\nempty:\n"
    fast, plain = (
        dump(document.compose(text, Problems("x"), tree)) for tree in (document.TREES[0], document.PlainTree)
    )
    assert fast == plain


MISTAKES = [
    ("a: b: c", 1, 5, "in quotes, or mend the indentation"),
    ("services: *", 1, 12, 'write "*" in quotes where all are meant'),
    ("a: 1\n\tb: 2", 2, 1, "indent with spaces"),
    ("é: {a: b, é: @x}", 1, 14, "in quotes"),
    ("a: *b", 1, 4, "define it before with &"),
    ("- &a x\n- &a y", 2, 3, "give each anchor its own name"),
    ("a: 1\n---\nb: 2", 2, 1, "keep one document in the file"),
    ("a:\n  - b\n c: d", 3, 2, "check quotes and indentation here and above"),
    ("a: }", 1, 4, "check quotes and indentation here and above"),
    ("a: b\n\n  c: d", 3, 4, "in quotes, or mend the indentation"),
    ("x: &a [1, *a]", 1, 11, "write the value out"),
    ("[" * 30, 1, 17, "nest deeper than 16"),
]


@BOTH
@pytest.mark.parametrize(("text", "line", "column", "remedy"), MISTAKES, ids=[text for text, *_ in MISTAKES])
def test_what_is_no_yaml_is_refused_at_its_place_with_a_remedy(
    tree: MakeTree, text: str, line: int, column: int, remedy: str
) -> None:
    problem = refusal(text, tree)
    assert (problem.line, problem.column) == (line, column)
    assert problem.message.startswith("not YAML: ")
    assert remedy in problem.message


@BOTH
def test_an_unclosed_list_tells_the_line_in_which_it_began(tree: MakeTree) -> None:
    message = refusal("a: 1\nservices: [b, c\n\n", tree).message
    assert "(begun in line 2); close the list with ]" in message


@BOTH
def test_an_unclosed_quote_tells_the_line_in_which_it_began(tree: MakeTree) -> None:
    message = refusal("a: 1\nb: 'c\n\n", tree).message
    assert "(begun in line 2); close the quotes" in message


@BOTH
def test_an_unknown_escape_names_its_remedy(tree: MakeTree) -> None:
    assert "write the backslash twice" in refusal('a: "\\q"', tree).message


@BOTH
def test_a_control_character_is_named_with_its_place(tree: MakeTree) -> None:
    problem = refusal("a: b\nc: d\x07e\n", tree)
    assert (problem.line, problem.column) == (2, 5)
    assert problem.message == "character U+0007 is not allowed in YAML; remove it"


@BOTH
@pytest.mark.parametrize("text", ["", "\n\n", "# nothing\n", "\ufeff"])
def test_an_empty_file_is_told_how_to_begin(tree: MakeTree, text: str) -> None:
    problem = refusal(text, tree)
    assert (problem.line, problem.column) == (1, 1)
    assert problem.message == "the file is empty; begin with network: NAME, services: and offices:"


@BOTH
def test_sixteen_levels_are_read(tree: MakeTree) -> None:
    document.compose("[" * 16 + "]" * 16, Problems("x"), tree)


def bomb(levels: int) -> str:
    """Nine aliases of nine aliases of nine ..., each level on its own line."""
    lines = ["- &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"- &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, levels)]
    return "\n".join(lines)


@BOTH
def test_aliases_that_expand_without_bounds_are_refused_where_they_pass_the_limit(tree: MakeTree) -> None:
    # Level n holds (9^(n+2) - 1) / 8 values: 5.4 million on line 7, 48 million on line 8.
    document.compose(bomb(7), Problems("x"), tree)
    problem = refusal(bomb(40), tree)
    assert problem.line == 8
    assert "the aliases expand to over 10,000,000 values" in problem.message


@BOTH
def test_an_alias_of_an_alias_list_counts_what_it_expands_to(tree: MakeTree, monkeypatch: pytest.MonkeyPatch) -> None:
    #  root 1, [x, y] 3, alias 3, alias 3 = 10 values
    text = "- &a [x, y]\n- *a\n- *a\n"
    monkeypatch.setattr(document, "EXPANDED", 10)
    document.compose(text, Problems("x"), tree)
    monkeypatch.setattr(document, "EXPANDED", 9)
    assert refusal(text, tree).line == 3
