"""All boards as Grafana's JSON, their files, and whether the files are what the code generates."""

import contextlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from attente.grafana.boards import BOARDS
from attente.grafana.lint import lint, lint_texts
from attente.grafana.panels import UID_PREFIX
from attente.grafana.texts import LANGS
from attente.grafana.vocabulary import vocabulary

SUFFIX: Final = ".json"


def dashboards(lang: str) -> dict[str, dict[str, Any]]:
    """Every board by its uid, in Grafana's classic form.

    Args:
        lang: one of `attente.grafana.texts.LANGS`.

    Raises:
        KeyError: a text is missing in that language.
    """
    return {board.uid: board.build(lang) for board in BOARDS}


def files(lang: str) -> dict[str, str]:
    """The text of every board's file by its name."""
    return {_name(uid): _text(board) for uid, board in dashboards(lang).items()}


def write(folder: Path, lang: str) -> list[Path]:
    """Write every board's file into a folder, make it where there is none, and remove boards that are no more.

    Returns:
        The files written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    wanted = files(lang)
    for path in _superfluous(folder, wanted):
        path.unlink()
    for name, content in wanted.items():
        (folder / name).write_text(content, encoding="utf-8", newline="\n")
    return [folder / name for name in wanted]


def check(folder: Path, lang: str) -> list[str]:
    """Everything that is to be mended in a folder, a line each.

    The files are read as they stand, so that one written for other names of metrics says which; boards in the other
    languages, and those whose file is missing, are looked at as the code generates them.
    """
    made = dashboards(lang)
    looked_at = [made | _readable(folder, made.keys()), *(dashboards(other) for other in LANGS if other != lang)]
    findings = [*drift(folder, lang), *_findings(looked_at), *(str(finding) for finding in lint_texts())]
    return list(dict.fromkeys(findings))


def _readable(folder: Path, uids: Iterable[str]) -> dict[str, dict[str, Any]]:
    """The boards of a folder; a file that is none is not what the code generates, and `drift` says so."""
    there = {}
    for uid in uids:
        with contextlib.suppress(OSError, ValueError):
            there[uid] = json.loads((folder / _name(uid)).read_text(encoding="utf-8"))
    return there


def _findings(looked_at: Iterable[dict[str, dict[str, Any]]]) -> Iterator[str]:
    for boards in looked_at:
        # A file that somebody has edited may lack anything; of such a board it is enough to say that it differs.
        with contextlib.suppress(KeyError, TypeError, AttributeError):
            yield from map(str, lint(boards, vocabulary()))


def drift(folder: Path, lang: str) -> Iterator[str]:
    """One line for every file of a folder that is not what the code generates."""
    remedy = f"run attente dashboards build --out {folder}{f' --lang {lang}' if lang != LANGS[0] else ''}"
    wanted = files(lang)
    for name, content in sorted(wanted.items()):
        path = folder / name
        if not path.is_file():
            yield f"{path}: is missing; {remedy}"
        elif path.read_bytes() != content.encode():
            yield f"{path}: is not what the code generates; {remedy}"
    for path in _superfluous(folder, wanted):
        yield f"{path}: is generated no more; {remedy}"


def _name(uid: str) -> str:
    return uid.removeprefix(UID_PREFIX) + SUFFIX


def _text(board: dict[str, Any]) -> str:
    return json.dumps(board, ensure_ascii=False, indent=2) + "\n"


def _superfluous(folder: Path, wanted: dict[str, str]) -> list[Path]:
    """Boards of this product in the folder that the code does not generate; whatever else lies there is not ours."""
    there = sorted(folder.glob(f"*{SUFFIX}")) if folder.is_dir() else []
    return [path for path in there if path.name not in wanted and _is_ours(path)]


def _is_ours(path: Path) -> bool:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return False
    return isinstance(content, dict) and str(content.get("uid", "")).startswith(UID_PREFIX)
