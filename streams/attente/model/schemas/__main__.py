"""`python -m attente.model.schemas build|check [FOLDER]`: write the files, or compare them with the code."""

import argparse
import sys
from pathlib import Path

from attente.model.schemas import artefacts, build, drift

_DRIFTED = 1
_BAD_FILE = 3


def main(arguments: list[str] | None = None) -> int:
    """The exit code: 0 done, 1 something drifted, 2 usage, 3 an example or the folder cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m attente.model.schemas", description=__doc__)
    parser.add_argument("do", choices=("build", "check"))
    parser.add_argument("folder", nargs="?", type=Path, default=Path("schemas"))
    chosen = parser.parse_args(arguments)
    try:
        files = artefacts(chosen.folder)
        if chosen.do == "build":
            build(chosen.folder, files)
            return 0
        lines = list(drift(chosen.folder, files))
    except (OSError, ValueError) as error:
        _say(str(error))
        return _BAD_FILE
    for line in lines:
        _say(f"{line}; run: python -m attente.model.schemas build {chosen.folder}")
    return _DRIFTED if lines else 0


def _say(line: str) -> None:
    sys.stderr.write(f"attente: {line}\n")


if __name__ == "__main__":
    raise SystemExit(main())
