"""Sections of a page that other programs write: between markers, which whoever writes the rest of it leaves alone."""

import re
import textwrap
from typing import Final

_WIDTH: Final = 120
_AS_IT_IS: Final = ("#", "|", "!", "<", "    ")
_BEGIN: Final = "<!-- {name}: begin; written by python -m benchmarks.growth_report -->"
_END: Final = "<!-- {name}: end -->"
_SECTION: Final = re.compile(r"<!-- (?P<name>[a-z-]+): begin;[^>]*-->\n.*?<!-- (?P=name): end -->\n", re.DOTALL)


def flow(text: str) -> str:
    """Text whose paragraphs are broken anew; tables, headings, pictures and code stay as they are."""
    return "\n\n".join(_broken(part) for part in text.strip().split("\n\n"))


def _broken(part: str) -> str:
    if part.startswith(_AS_IT_IS):
        return part
    if part.startswith("- "):
        return "\n".join(_filled(line, "  ") for line in part.splitlines())
    return _filled(part, "")


def _filled(text: str, indent: str) -> str:
    return textwrap.fill(text, _WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def put(page: str, name: str, text: str) -> str:
    """The page with a section: in the place where it was, or at the end."""
    section = f"{_BEGIN.format(name=name)}\n{text.strip()}\n{_END.format(name=name)}\n"
    for found in _SECTION.finditer(page):
        if found["name"] == name:
            return page[: found.start()] + section + page[found.end() :]
    return f"{page.rstrip()}\n\n{section}".lstrip()


def carry(old: str, new: str) -> str:
    """A page written anew, with the sections of the old one at its end."""
    kept = [found[0] for found in _SECTION.finditer(old)]
    return "\n".join([new.rstrip() + "\n", *kept])
