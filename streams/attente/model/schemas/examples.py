"""The examples that are written by hand, for the schemas to quote."""

import json
from pathlib import Path

from attente.model.reasons import Refusal
from attente.model.refusals import decode_event


def read_examples(folder: Path) -> dict[str, list[dict[str, object]]]:
    """The objects of `examples/valid/*.json` by type of event, in the order of their names.

    Raises:
        ValueError: one of them is no event; the line names the file and the reason.
    """
    found: dict[str, list[dict[str, object]]] = {}
    for path in sorted((folder / "examples" / "valid").glob("*.json")):
        raw = path.read_bytes()
        try:
            decode_event(raw)
        except Refusal as refusal:
            msg = f"{path}: {refusal}"
            raise ValueError(msg) from None
        example: dict[str, object] = json.loads(raw)
        found.setdefault(str(example["type"]), []).append(example)
    return found
