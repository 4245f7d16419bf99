"""Every text that people read on dashboards and in alerts, once in each language.

Each YAML file of this folder is one part of the catalogue. Keys nest as deep as their part likes; a text is a mapping
of languages to words. The key of a text is its path, words joined by dots, from the name of the file on:

    alerts.yaml:    AttenteWorkerDown: {summary: {en: A worker is down, fr: …}}    alerts.AttenteWorkerDown.summary
"""

from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final

import yaml

LANGS: Final = ("en", "fr")
"""The languages in which every text is there; the first one is the default."""

_SUFFIX: Final = ".yaml"


def text(key: str, lang: str) -> str:
    """The words for a key in a language.

    Args:
        key: the path of the text, as in `alerts.AttenteWorkerDown.summary`.
        lang: one of `LANGS`.

    Raises:
        KeyError: there is no such key, or it has no words in that language.
    """
    try:
        return _catalogue()[key][lang]
    except KeyError:
        message = f"no text {key!r} in {lang!r}"
        raise KeyError(message) from None


def keys() -> frozenset[str]:
    """The keys of all texts."""
    return frozenset(_catalogue())


@cache
def _catalogue() -> Mapping[str, Mapping[str, str]]:
    """Every text by key and language.

    Raises:
        ValueError: what stands at a key is neither a text nor a part of the catalogue.
    """
    parts = [part for part in files(__name__).iterdir() if part.name.endswith(_SUFFIX)]
    return {
        key: words
        for part in sorted(parts, key=lambda part: part.name)
        for key, words in _texts(part.name.removesuffix(_SUFFIX), yaml.safe_load(part.read_text(encoding="utf-8")))
    }


def _texts(key: str, node: Any) -> Iterator[tuple[str, dict[str, str]]]:
    if not isinstance(node, dict) or not node:
        message = f"text {key!r} is {node!r}; write a mapping of {', '.join(LANGS)} to words"
        raise ValueError(message)
    if set(node) & set(LANGS):
        yield key, {str(lang): " ".join(str(words).split()) for lang, words in node.items()}
        return
    for name, inner in node.items():
        yield from _texts(f"{key}.{name}", inner)
